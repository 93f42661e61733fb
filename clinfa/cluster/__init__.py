"""Clustering."""

from clinfa.cluster.kmeans import KMeans, k_means, kmeans_plusplus
from clinfa.cluster.minibatch_kmeans import MiniBatchKMeans

__all__ = ["KMeans", "MiniBatchKMeans", "k_means", "kmeans_plusplus"]
