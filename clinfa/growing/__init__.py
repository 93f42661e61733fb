"""What trees and forests share: ranks of the data, how a tree grows, what it is."""
