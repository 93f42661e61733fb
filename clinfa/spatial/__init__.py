"""Search in space: the tree that neighbours, density clustering and spanning trees share."""

from clinfa.spatial._tree import METRICS, Tree

__all__ = ["METRICS", "Tree"]
