"""Spectral clustering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from scipy.linalg import qr, svd
from scipy.sparse import csr_matrix

from clinfa.affinity import EIGEN_SOLVERS, Neighbourhood, as_matrix, embed, mean_with_mirror, symmetrised
from clinfa.arrays import Table, is_dataset
from clinfa.cluster.kmeans import k_means
from clinfa.kinds import Clusterer
from clinfa.metrics.pairwise import kernel_metrics, pairwise_kernels
from clinfa.neighbors import NearestNeighbors, kneighbors_graph
from clinfa.params import (
    Rule,
    at_least,
    between,
    fitted,
    function,
    instance,
    none,
    one_of,
    param,
    seed,
    shown,
    verbosity,
)
from clinfa.reports import reporter
from clinfa.rng import check_random_state

__all__ = ["SpectralClustering", "SpectralClusteringFit", "spectral_clustering"]

_KERNELS = tuple(kernel_metrics())
_GIVEN = ("precomputed", "precomputed_nearest_neighbors")
_NUMBER = Rule("a finite number", lambda v: between(-np.inf, closed="neither").allows(v) and v == v)


@dataclass(frozen=True, slots=True)
class SpectralClusteringFit:
    """What fitting found."""

    labels: np.ndarray  # (n,) int32
    affinity_matrix: Any  # (n, n)


class SpectralClustering(Clusterer):
    """Clusters in the coordinates of a spectral embedding: normalised cuts of a graph of affinity [1]_.

    Finds groups of any shape that hang together, such as rings within each other.

    Parameters
    ----------
    n_clusters : int, default 8
    eigen_solver, eigen_tol
        As for `clinfa.manifold.SpectralEmbedding`.
    n_components : int, optional
        How many coordinates, the constant one among them; `n_clusters` by default.
    random_state : None, int, RandomState or Generator, default None
        Seeds the starts of the eigenvectors and of k-means.
    n_init : int, default 10
        Starts of k-means.
    gamma : float, default 1.0
        For the kernels rbf, poly, sigmoid, laplacian and chi2.
    affinity : str or callable, default "rbf"
        By "nearest_neighbors": 1 where two records are among each other's nearest, 1/2 where only one is.
        With "precomputed", X is the matrix of affinities. With "precomputed_nearest_neighbors", X are
        distances, all or, sparse, those of enough neighbours. Else a kernel, as for
        `clinfa.metrics.pairwise.pairwise_kernels`.
    n_neighbors : int, default 10
        For the affinities by neighbours; a record is one of its own.
    assign_labels : {"kmeans", "discretize", "cluster_qr"}, default "kmeans"
        How coordinates become labels: by k-means; by the nearest matrix of zeros and ones up to a rotation
        [2]_; by a pivoted QR decomposition [3]_. The last two find as many clusters as there are coordinates.
    degree : float, default 3
        For the kernel poly.
    coef0 : float, default 1
        For the kernels poly and sigmoid.
    kernel_params : dict, optional
        Arguments of a kernel that is a function.
    n_jobs : int, optional
        For compatibility: see `clinfa.config_context` for threads.
    verbose : int or bool, default False
        Whether to report to the logger "clinfa".

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int32
    affinity_matrix_ : ndarray or csr_matrix of shape (n_samples, n_samples)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] U. von Luxburg, A tutorial on spectral clustering, Statistics and Computing 17 (2007).
    .. [2] S. X. Yu, J. Shi, Multiclass spectral clustering, ICCV 2003.
    .. [3] A. Damle, V. Minden, L. Ying, Simple, direct and efficient multi-way spectral clustering,
       Information and Inference 8 (2019).

    Examples
    --------
    >>> from clinfa.cluster import SpectralClustering
    >>> from clinfa.datasets import make_circles
    >>> X, ring = make_circles(200, factor=0.3, random_state=0)
    >>> model = SpectralClustering(2, gamma=30.0, assign_labels="cluster_qr").fit(X)
    >>> bool((model.labels_ == ring).all() or (model.labels_ != ring).all())
    True
    """

    _sparse = True

    n_clusters: int = param(8, at_least(1), positional=True)
    eigen_solver: str | None = param(None, one_of(*EIGEN_SOLVERS) | none())
    n_components: int | None = param(None, at_least(1) | none())
    random_state: Any = param(None, seed())
    n_init: int = param(10, at_least(1))
    gamma: float = param(1.0, between(0))
    affinity: str | Callable = param("rbf", one_of("nearest_neighbors", *_GIVEN, *_KERNELS) | function())
    n_neighbors: int = param(10, at_least(1))
    eigen_tol: float | str = param("auto", between(0) | one_of("auto"))
    assign_labels: Literal["kmeans", "discretize", "cluster_qr"] = param(
        "kmeans", one_of("kmeans", "discretize", "cluster_qr")
    )
    degree: float = param(3, between(0))
    coef0: float = param(1, _NUMBER)
    kernel_params: dict[str, Any] | None = param(None, instance(dict) | none())
    n_jobs: int | None = param(None, instance(int, np.integer) | none())
    verbose: Any = param(False, verbosity())

    labels_: np.ndarray = fitted()
    affinity_matrix_: Any = fitted()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find clusters.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            Of shape (n_samples, n_samples) where the affinity is precomputed.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        return self._run_fit(X)

    def fit_predict(self, X: Any, y: Any = None) -> Any:
        """Find clusters and return the label of each record.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            A Dataset with those targets where X is one.
        """
        labels = self.fit(X).labels_
        return X.with_targets(labels) if is_dataset(X) else labels

    def _fit(self, table: Table, weights: np.ndarray) -> SpectralClusteringFit:
        k = int(self.n_clusters if self.n_components is None else self.n_components)
        for name, count in (("n_clusters", self.n_clusters), ("n_components", k)):
            if count > table.n:
                raise ValueError(f"{name}={shown(count)} must be <= n_samples={table.n}.")
        rng = check_random_state(self.random_state)
        W = self._affinities(table)
        symmetric = W if self.affinity == "nearest_neighbors" else mean_with_mirror(W)
        places = embed(symmetric, k, self.eigen_solver, self.eigen_tol, rng).vectors
        reporter(self.verbose)("Computing label assignment using %s", self.assign_labels)
        if self.assign_labels == "kmeans":
            labels = k_means(
                places, self.n_clusters, random_state=rng, n_init=self.n_init, verbose=self.verbose
            )[1]
        elif self.assign_labels == "cluster_qr":
            labels = cluster_qr(places)
        else:
            labels = discretize(places, rng)
        return SpectralClusteringFit(labels.astype(np.int32, copy=False), W)

    def _affinities(self, table: Table) -> Any:
        X, k = as_matrix(table), int(self.n_neighbors)
        if self.affinity in _GIVEN and table.n != table.d:
            raise ValueError(f"array must be 2-dimensional and square. shape = {X.shape}")
        if self.affinity == "precomputed":
            return X
        if self.affinity == "precomputed_nearest_neighbors":
            model = NearestNeighbors(n_neighbors=k, metric="precomputed").fit(X)
            return symmetrised(model.kneighbors_graph(X))
        if self.affinity == "nearest_neighbors":
            if table.sparse:
                return symmetrised(kneighbors_graph(X, k, include_self=True))
            return Neighbourhood.of(table.X, k).graph
        how = dict(self.kernel_params or {})
        if not callable(self.affinity):
            how |= {"gamma": self.gamma, "degree": self.degree, "coef0": self.coef0}
        return pairwise_kernels(X, metric=self.affinity, filter_params=True, **how)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.affinity in _GIVEN
        return tags


def spectral_clustering(
    affinity: Any,
    *,
    n_clusters: int = 8,
    n_components: int | None = None,
    eigen_solver: Literal["arpack", "lobpcg", "amg"] | None = None,
    random_state: Any = None,
    n_init: int = 10,
    eigen_tol: float | Literal["auto"] = "auto",
    assign_labels: Literal["kmeans", "discretize", "cluster_qr"] = "kmeans",
    verbose: int = False,
) -> np.ndarray:
    """Spectral clustering of a graph, as a function.

    Parameters
    ----------
    affinity : array-like or sparse matrix of shape (n_samples, n_samples)
    n_clusters, n_components, eigen_solver, random_state, n_init, eigen_tol, assign_labels, verbose
        As for `SpectralClustering`.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int32

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If an argument is not allowed.

    Examples
    --------
    >>> from clinfa.cluster import spectral_clustering
    >>> weak = 0.1
    >>> W = [[0, 1, weak, 0], [1, 0, 0, weak], [weak, 0, 0, 1], [0, weak, 1, 0]]
    >>> labels = spectral_clustering(W, n_clusters=2, assign_labels="cluster_qr")
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """
    return (
        SpectralClustering(
            n_clusters,
            n_components=n_components,
            eigen_solver=eigen_solver,
            random_state=random_state,
            n_init=n_init,
            affinity="precomputed",
            eigen_tol=eigen_tol,
            assign_labels=assign_labels,
            verbose=verbose,
        )
        .fit(affinity)
        .labels_
    )


def cluster_qr(vectors: np.ndarray) -> np.ndarray:
    """The column that each row lies along most, after a turn in which the pivots of QR lie along columns."""
    pivots = qr(vectors.T, mode="r", pivoting=True)[1][: vectors.shape[1]]
    left, _, right = svd(vectors[pivots].T)
    return np.abs(vectors @ (left @ right)).argmax(axis=1)


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
