"""Kernels and distances between all pairs of records, under scikit-learn's names."""

from clinfa.metrics.pairwise._any import (
    distance_metrics,
    pairwise_distances,
    pairwise_distances_argmin,
    pairwise_distances_argmin_min,
    pairwise_distances_chunked,
)
from clinfa.metrics.pairwise._distances import (
    cosine_distances,
    euclidean_distances,
    haversine_distances,
    manhattan_distances,
    nan_euclidean_distances,
)
from clinfa.metrics.pairwise._kernels import (
    additive_chi2_kernel,
    chi2_kernel,
    cosine_similarity,
    kernel_metrics,
    laplacian_kernel,
    linear_kernel,
    pairwise_kernels,
    polynomial_kernel,
    rbf_kernel,
    sigmoid_kernel,
)
from clinfa.metrics.pairwise._paired import (
    paired_cosine_distances,
    paired_distances,
    paired_euclidean_distances,
    paired_manhattan_distances,
)

__all__ = [
    "additive_chi2_kernel",
    "chi2_kernel",
    "cosine_distances",
    "cosine_similarity",
    "distance_metrics",
    "euclidean_distances",
    "haversine_distances",
    "kernel_metrics",
    "laplacian_kernel",
    "linear_kernel",
    "manhattan_distances",
    "nan_euclidean_distances",
    "paired_cosine_distances",
    "paired_distances",
    "paired_euclidean_distances",
    "paired_manhattan_distances",
    "pairwise_distances",
    "pairwise_distances_argmin",
    "pairwise_distances_argmin_min",
    "pairwise_distances_chunked",
    "pairwise_kernels",
    "polynomial_kernel",
    "rbf_kernel",
    "sigmoid_kernel",
]
