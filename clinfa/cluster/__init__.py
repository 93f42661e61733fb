"""Clustering."""

from clinfa.cluster.density import DBSCAN, dbscan
from clinfa.cluster.hdbscan import HDBSCAN
from clinfa.cluster.kmeans import KMeans, k_means, kmeans_plusplus
from clinfa.cluster.minibatch_kmeans import MiniBatchKMeans
from clinfa.cluster.optics import OPTICS, cluster_optics_dbscan, cluster_optics_xi, compute_optics_graph
from clinfa.cluster.spectral import SpectralClustering, spectral_clustering

__all__ = [
    "DBSCAN",
    "HDBSCAN",
    "OPTICS",
    "KMeans",
    "MiniBatchKMeans",
    "SpectralClustering",
    "cluster_optics_dbscan",
    "cluster_optics_xi",
    "compute_optics_graph",
    "dbscan",
    "k_means",
    "kmeans_plusplus",
    "spectral_clustering",
]
