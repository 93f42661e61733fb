"""Spectral clustering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.kinds import Clusterer
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

__all__ = ["SpectralClustering", "SpectralClusteringFit", "spectral_clustering"]

_KERNELS = ("additive_chi2", "chi2", "cosine", "laplacian", "linear", "poly", "polynomial", "rbf", "sigmoid")
_SOLVERS = ("arpack", "lobpcg", "amg")
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
    eigen_solver: str | None = param(None, one_of(*_SOLVERS) | none())
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
        from clinfa.cluster._spectral import clustered  # (it needs SciPy, which others here do not)

        k = int(self.n_clusters if self.n_components is None else self.n_components)
        for name, count in (("n_clusters", self.n_clusters), ("n_components", k)):
            if count > table.n:
                raise ValueError(f"{name}={shown(count)} must be <= n_samples={table.n}.")
        labels, W = clustered(self, table, k)
        return SpectralClusteringFit(labels.astype(np.int32, copy=False), W)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.affinity in _GIVEN
        tags.input_tags.positive_only = self.affinity == "precomputed"
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
