"""Preprocessing."""

from clinfa.preprocessing.whitening import Whitener

__all__ = ["Whitener"]
