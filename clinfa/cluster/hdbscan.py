"""Hierarchical density clustering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.cluster._condensed import condense
from clinfa.config import config_context
from clinfa.hierarchy import (
    SingleLinkage,
    reduced_nearest,
    single_linkage,
    spanning_tree,
    spanning_tree_dense,
)
from clinfa.kinds import Clusterer
from clinfa.params import (
    at_least,
    between,
    boolean,
    function,
    instance,
    none,
    one_of,
    param,
    positive,
    shown,
)
from clinfa.spatial import Tree

__all__ = ["HDBSCAN", "HDBSCANFit"]

_TREES = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
    "minkowski": "minkowski",
    "p": "minkowski",
}
_SCIPY = {"manhattan": "cityblock"}
_MATRICES = (
    "braycurtis",
    "canberra",
    "correlation",
    "cosine",
    "dice",
    "hamming",
    "jaccard",
    "mahalanobis",
    "rogerstanimoto",
    "russellrao",
    "seuclidean",
    "sokalsneath",
    "sqeuclidean",
    "yule",
)
_SAFE = {np.dtype(np.float32): 40, np.dtype(np.float64): 300}  # squares of 2^this are far from the limits
_MEDOID_BLOCK = 1 << 22  # distances at a time


@dataclass(frozen=True, slots=True)
class HDBSCANFit:
    """What fitting found."""

    labels: np.ndarray  # (n,) int32
    probabilities: np.ndarray  # (n,)
    _single_linkage: SingleLinkage


@dataclass(frozen=True, slots=True)
class HDBSCANFitWithCentroids(HDBSCANFit):
    centroids: np.ndarray  # (k, d)


@dataclass(frozen=True, slots=True)
class HDBSCANFitWithMedoids(HDBSCANFit):
    medoids: np.ndarray  # (k, d)


@dataclass(frozen=True, slots=True)
class HDBSCANFitWithBoth(HDBSCANFit):
    centroids: np.ndarray
    medoids: np.ndarray


class HDBSCAN(Clusterer):
    """Clusters of varying density, and noise, from the hierarchy of all densities.

    Two points are as far apart as their *mutual reachability*: the greatest of their distance / `alpha` and
    the distances of each to its `min_samples`-th nearest point (itself is the first). Joining the nearest
    first gives a hierarchy; of its branches with at least `min_cluster_size` points those that last longest
    are kept [1]_.

    Parameters
    ----------
    min_cluster_size : int, default 5
        A smaller group is noise.
    min_samples : int or None, default None
        How many points make a place dense; None is `min_cluster_size`.
    cluster_selection_epsilon : float, default 0.0
        Clusters that part at a smaller distance are kept together.
    max_cluster_size : int or None, default None
        With "eom", a larger cluster is given up for its parts.
    metric : str or callable, default "euclidean"
        "euclidean", "manhattan", "chebyshev" and "minkowski" are searched on a tree. "precomputed" (X
        holds the distances), names of `scipy.spatial.distance.cdist` and callables need memory for n * n
        distances.
    metric_params : dict or None, default None
        Further arguments of the metric, such as ``{"p": 3}``.
    alpha : float, default 1.0
        Distances, not the distances to neighbours, are divided by it.
    algorithm : {"auto", "brute", "kd_tree", "ball_tree"}, default "auto"
        Accepted for scikit-learn's sake: the metric decides, and the result is exact either way.
    leaf_size : int, default 40
        Accepted for scikit-learn's sake: the tree has leaves of its own size.
    n_jobs : int or None, default None
        Threads; None or below zero for those of `config_context`.
    cluster_selection_method : {"eom", "leaf"}, default "eom"
        Whether to keep the clusters that last longest, or the smallest.
    allow_single_cluster : bool, default False
        Whether all points may be one cluster.
    store_centers : {None, "centroid", "medoid", "both"}, default None
        Which middles of the clusters to compute.
    copy : bool, default False
        Accepted for scikit-learn's sake: X is never changed.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int32
        -1 for noise.
    probabilities_ : ndarray of shape (n_samples,)
        How firmly each point belongs to its cluster: 0 for noise.
    centroids_ : ndarray of shape (n_clusters, n_features)
        Means weighted by `probabilities_`, where they were asked for.
    medoids_ : ndarray of shape (n_clusters, n_features)
        Points with the least weighted sum of distances to their cluster, where they were asked for.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    The spanning tree is exact, and unique: of equal reachabilities the nearer pair comes first, then that of
    lesser rows. So the result is the same on any number of threads. Points at one place are never parted.

    References
    ----------
    .. [1] R. J. G. B. Campello, D. Moulavi, J. Sander, Density-based clustering based on hierarchical density
       estimates, PAKDD 2013.

    Examples
    --------
    >>> from clinfa.cluster import HDBSCAN
    >>> from clinfa.datasets import make_blobs
    >>> X, _ = make_blobs(300, centers=[[-5, 0], [5, 0]], random_state=0)
    >>> model = HDBSCAN(min_cluster_size=20).fit(X)
    >>> int(model.labels_.max()) + 1
    2
    """

    min_cluster_size: int = param(5, at_least(2), positional=True)
    min_samples: int | None = param(None, at_least(1) | none(), positional=True)
    cluster_selection_epsilon: float = param(0.0, between(0), positional=True)
    max_cluster_size: int | None = param(None, at_least(1) | none(), positional=True)
    metric: str | Callable = param(
        "euclidean", one_of(*_TREES, *_MATRICES, "precomputed") | function(), positional=True
    )
    metric_params: dict | None = param(None, instance(dict) | none(), positional=True)
    alpha: float = param(1.0, positive(), positional=True)
    algorithm: Literal["auto", "brute", "kd_tree", "ball_tree"] = param(
        "auto", one_of("auto", "brute", "kd_tree", "ball_tree"), positional=True
    )
    leaf_size: int = param(40, at_least(1), positional=True)
    n_jobs: int | None = param(None, at_least(-(2**31)) | none(), positional=True)
    cluster_selection_method: Literal["eom", "leaf"] = param("eom", one_of("eom", "leaf"), positional=True)
    allow_single_cluster: bool = param(False, boolean(), positional=True)
    store_centers: Literal["centroid", "medoid", "both"] | None = param(
        None, one_of("centroid", "medoid", "both") | none(), positional=True
    )
    copy: bool = param(False, boolean() | one_of("warn"), positional=True)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find clusters.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)
            The records; with ``metric="precomputed"`` the distances, of shape (n_samples, n_samples).
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

    def _fit(self, table: Table, weights: np.ndarray) -> HDBSCANFit:
        if len(weights):
            raise ValueError("HDBSCAN knows no weights, but the Dataset has some. Pass one without.")
        n, least = table.n, int(self.min_cluster_size)
        k = least if self.min_samples is None else int(self.min_samples)
        if self.metric == "precomputed" and self.store_centers is not None:
            raise ValueError("Cannot store centers when using a precomputed distance matrix.")
        if self.algorithm in ("kd_tree", "ball_tree") and self.metric not in _TREES:
            raise ValueError(
                f"{self.metric} is not a valid metric for a tree-based algorithm. "
                f"Please select a different metric."
            )
        if n == 1:
            raise ValueError("n_samples=1 while HDBSCAN requires more than one sample")
        if k > n:
            raise ValueError(
                f"min_samples ({shown(k)}) must be at most the number of samples in X ({n}): n_samples={n}. "
                f"(Where it is None it is min_cluster_size.)"
            )
        threads = {} if self.n_jobs is None or self.n_jobs < 1 else {"n_threads": int(self.n_jobs)}
        with config_context(**threads):
            return self._cluster(table, k, min(least, n + 1))

    def _cluster(self, table: Table, k: int, least: int) -> HDBSCANFit:
        if self._searches():
            points, X = Tree.build(_varying(table), _TREES[self.metric], self._power()).ready(_varying(table))
            power = -points.shift
            far, near = reduced_nearest(points, X, k)
            core = far[:, k - 1] * float(self.alpha) ** points.power
            tree = spanning_tree(points, X, core, far, near)
            heights = replace(points, shift=0).distances(tree.weights) / float(self.alpha)
        else:
            power = 0
            D = self._matrix(table.X)
            core = np.partition(D, k - 1, axis=1)[:, k - 1] * float(self.alpha)
            tree = spanning_tree_dense(D, core)
            heights = tree.weights / float(self.alpha)
        with np.errstate(over="ignore"):  # (a distance of two finite points may be infinite)
            linkage = single_linkage(tree, np.ldexp(heights, power))
            epsilon = float(np.ldexp(float(self.cluster_selection_epsilon), -power))
        condensed = condense(linkage, heights, least)
        chosen = condensed.choose(
            self.cluster_selection_method,
            root_too=bool(self.allow_single_cluster),
            epsilon=epsilon,
            most=None if self.max_cluster_size is None else min(int(self.max_cluster_size), table.n),
        )
        labels, strength = condensed.label(chosen, epsilon)
        result = labels, strength.astype(table.dtype), linkage
        if self.store_centers is None:
            return HDBSCANFit(*result)
        groups = [np.flatnonzero(labels == j) for j in range(labels.max() + 1)]
        centroids = medoids = np.empty((0, table.d), table.dtype)
        if groups and self.store_centers != "medoid":
            X, power = _scaled(table)
            means = np.stack([np.average(X[g], axis=0, weights=strength[g]) for g in groups])
            centroids = np.ldexp(means, power).astype(table.dtype)
        if groups and self.store_centers != "centroid":
            X = _scaled(table)[0] if self._searches() else table.X
            medoids = table.X[[self._medoid(X, g, strength[g]) for g in groups]]
        if self.store_centers == "centroid":
            return HDBSCANFitWithCentroids(*result, centroids)
        if self.store_centers == "medoid":
            return HDBSCANFitWithMedoids(*result, medoids)
        return HDBSCANFitWithBoth(*result, centroids, medoids)

    def _searches(self) -> bool:
        """Whether the metric is one of the tree's."""
        return self.metric in _TREES and set(self.metric_params or {}) <= {"p"}

    def _power(self) -> float:
        """p of the Minkowski metrics."""
        p = (self.metric_params or {}).get("p", 2.0)
        if not between(1).allows(p):
            raise ValueError(f"p in metric_params must be a float >= 1, got {p!r}.")
        return float(p)

    def _matrix(self, X: np.ndarray) -> np.ndarray:
        """All distances."""
        if self.metric == "precomputed":
            if X.shape[0] != X.shape[1]:
                raise ValueError(
                    f"The precomputed distance matrix is expected to be symmetric, however it has shape "
                    f"{X.shape}. Please verify that the distance matrix was constructed correctly."
                )
            D = X.astype(np.float64, copy=False)
            if not np.allclose(D, D.T):
                raise ValueError(
                    "The precomputed distance matrix is expected to be symmetric, however its values appear "
                    "to be asymmetric. Please verify that the distance matrix was constructed correctly."
                )
            if (D < 0).any():
                raise ValueError("Distances in a precomputed matrix must not be negative.")
        else:
            D = self._distances(X, X)
            np.fill_diagonal(D, 0.0)
        return D

    def _distances(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        from scipy.spatial.distance import cdist  # a quarter of a second that the trees do not need

        metric = _TREES.get(self.metric, self.metric) if isinstance(self.metric, str) else self.metric
        metric = _SCIPY.get(metric, metric) if isinstance(metric, str) else metric
        D = cdist(A.astype(np.float64), B.astype(np.float64), metric, **(self.metric_params or {}))
        if not np.isfinite(D).all():
            raise ValueError(
                f"The metric {self.metric!r} gave distances of these records that are not finite."
            )
        return np.maximum(D, 0.0)

    def _medoid(self, X: np.ndarray, group: np.ndarray, strength: np.ndarray) -> int:
        data = X[group]
        rows = max(1, _MEDOID_BLOCK // len(group))
        sums = [self._distances(data[i : i + rows], data) @ strength for i in range(0, len(group), rows)]
        return int(group[np.argmin(np.concatenate(sums))])

    def dbscan_clustering(self, cut_distance: float, min_cluster_size: int = 5) -> np.ndarray:
        """The clusters at one distance: DBSCAN's with that eps, without border points.

        Parameters
        ----------
        cut_distance : float
            Points whose mutual reachability is smaller belong together.
        min_cluster_size : int, default 5
            A smaller group is noise.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            -1 for noise; clusters in the order of their first records.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._check_fitted()
        linkage, n = self._single_linkage, len(self.labels_)
        kept = int(np.searchsorted(linkage.heights, cut_distance))
        group = np.arange(n + kept)
        for i in range(kept - 1, -1, -1):
            group[linkage.children[i]] = group[n + i]
        _, first, group, size = np.unique(
            group[:n], return_index=True, return_inverse=True, return_counts=True
        )
        large = np.flatnonzero(size >= min_cluster_size)
        labels = np.full(len(size), -1, np.int32)
        labels[large[np.argsort(first[large])]] = np.arange(len(large))
        return labels[group]


def _varying(table: Table) -> np.ndarray:
    """Records without columns of one value, next to which the others might vanish."""
    low, high = table.column_range
    varies = low < high
    varies[0] |= not varies.any()
    return table.X if varies.all() else np.ascontiguousarray(table.X[:, varies])


def _scaled(table: Table) -> tuple[np.ndarray, int]:
    """Records, divided by a power of two where their squares would overflow or vanish; the power."""
    most = float(np.abs(table.column_range).max())
    power = int(np.frexp(most)[1])
    if most == 0 or abs(power) <= _SAFE[table.dtype]:
        return table.X, 0
    return np.ldexp(table.X, -power), power
