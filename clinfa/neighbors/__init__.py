"""Nearest neighbours: exact, by a k-d tree with vectorised leaves or by blocks of distances."""

from clinfa.neighbors.unsupervised import NearestNeighbors

__all__ = ["NearestNeighbors"]
