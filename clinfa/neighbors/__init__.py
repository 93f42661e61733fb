"""Nearest neighbours: exact, by a k-d tree with vectorised leaves or by blocks of distances."""

from clinfa.neighbors.graph import kneighbors_graph, radius_neighbors_graph
from clinfa.neighbors.unsupervised import NearestNeighbors

__all__ = ["NearestNeighbors", "kneighbors_graph", "radius_neighbors_graph"]
