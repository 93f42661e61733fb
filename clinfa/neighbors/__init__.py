"""Nearest neighbours: exact, by a k-d tree with vectorised leaves or by blocks of distances."""

from clinfa.neighbors.classification import KNeighborsClassifier, RadiusNeighborsClassifier
from clinfa.neighbors.graph import kneighbors_graph, radius_neighbors_graph
from clinfa.neighbors.lof import LocalOutlierFactor
from clinfa.neighbors.regression import KNeighborsRegressor, RadiusNeighborsRegressor
from clinfa.neighbors.trees import BallTree, KDTree
from clinfa.neighbors.unsupervised import NearestNeighbors

__all__ = [
    "BallTree",
    "KDTree",
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "LocalOutlierFactor",
    "NearestNeighbors",
    "RadiusNeighborsClassifier",
    "RadiusNeighborsRegressor",
    "kneighbors_graph",
    "radius_neighbors_graph",
]
