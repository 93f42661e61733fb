"""Spectral clustering: affinities, coordinates, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import qr, svd
from scipy.sparse import csr_matrix

from clinfa.affinity import Neighbourhood, embed, mean_with_mirror, symmetrised
from clinfa.arrays import Table
from clinfa.blas import one_thread
from clinfa.cluster.kmeans import k_means
from clinfa.metrics.pairwise import pairwise_kernels
from clinfa.neighbors import NearestNeighbors, kneighbors_graph
from clinfa.reports import reporter
from clinfa.rng import check_random_state

if TYPE_CHECKING:
    from clinfa.cluster.spectral import SpectralClustering

__all__ = ["affinities", "cluster_qr", "clustered", "discretize"]

GIVEN = ("precomputed", "precomputed_nearest_neighbors")


def clustered(model: SpectralClustering, table: Table, k: int) -> tuple[np.ndarray, Any]:
    """Labels by k coordinates, and the affinities."""
    rng = check_random_state(model.random_state)
    W, order = affinities(model, table)
    given = callable(model.affinity) or model.affinity == "precomputed"
    symmetric = mean_with_mirror(W) if given else W
    found = embed(symmetric, k, model.eigen_solver, model.eigen_tol, rng, order=order, stacklevel=6)
    places = found.vectors
    reporter(model.verbose)("Computing label assignment using %s", model.assign_labels)
    if model.assign_labels == "kmeans":
        _, labels, _ = k_means(
            places, model.n_clusters, random_state=rng, n_init=model.n_init, verbose=model.verbose
        )
    elif model.assign_labels == "cluster_qr":
        labels = cluster_qr(places)
    else:
        labels = discretize(places, rng)
    return labels, W


def affinities(model: SpectralClustering, table: Table) -> tuple[Any, np.ndarray | None]:
    """The matrix of affinities that a model asks for; an order in which near records come together."""
    X, k = table.as_matrix(), int(model.n_neighbors)
    if model.affinity in GIVEN and table.n != table.d:
        raise ValueError(f"array must be 2-dimensional and square. shape = {X.shape}")
    if model.affinity == "precomputed":
        return X, None
    if model.affinity == "precomputed_nearest_neighbors":
        graph = NearestNeighbors(n_neighbors=k, metric="precomputed").fit(X).kneighbors_graph(X)
        return symmetrised(graph), None
    if model.affinity == "nearest_neighbors":
        if table.sparse:
            return symmetrised(kneighbors_graph(X, k, include_self=True)), None
        near = Neighbourhood.of(table.X, k)
        return near.graph, near.order
    how = dict(model.kernel_params or {})
    if not callable(model.affinity):
        how |= {"gamma": model.gamma, "degree": model.degree, "coef0": model.coef0}
    return pairwise_kernels(X, metric=model.affinity, filter_params=True, **how), None


@one_thread()
def cluster_qr(vectors: np.ndarray) -> np.ndarray:
    """The column that each row lies along most, after a turn in which the pivots of QR lie along columns."""
    pivots = qr(vectors.T, mode="r", pivoting=True)[1][: vectors.shape[1]]
    left, _, right = svd(vectors[pivots].T)
    return np.abs(vectors @ (left @ right)).argmax(axis=1)


@one_thread()
def discretize(vectors: np.ndarray, rng: np.random.RandomState, *, most: int = 20) -> np.ndarray:
    """Labels whose indicators are nearest to the rows, scaled to length 1, up to a rotation.

    Rotation and indicators are each the best for the other in turn, until the objective stands still.
    """
    n, k = vectors.shape
    long = np.linalg.norm(vectors, axis=0)
    vectors = vectors / np.where(long > 0, long, 1) * -np.where(vectors[0] < 0, -1, 1)
    long = np.linalg.norm(vectors, axis=1)
    vectors = vectors / np.where(long > 0, long, 1)[:, None]

    rotation = np.zeros((k, k))  # its columns are rows as orthogonal to each other as there are
    rotation[:, 0] = vectors[rng.randint(n)]
    along = np.zeros(n)
    for j in range(1, k):
        along += np.abs(vectors @ rotation[:, j - 1])
        rotation[:, j] = vectors[along.argmin()]

    before = 0.0
    for _ in range(most + 1):
        labels = (vectors @ rotation).argmax(axis=1)
        indicators = csr_matrix((np.ones(n), labels, np.arange(n + 1)), (n, k))
        left, values, right = np.linalg.svd(indicators.T @ vectors)
        objective = 2.0 * (n - values.sum())
        if abs(objective - before) < np.finfo(float).eps:
            break
        before, rotation = objective, right.T @ left.T
    return labels
