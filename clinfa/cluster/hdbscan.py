"""Hierarchical density clustering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.cluster._condensed import condense
from clinfa.cluster._middles import centroids, medoids
from clinfa.cluster._mutual_reachability import BALL, MATRICES, TREES, link
from clinfa.config import config_context
from clinfa.hierarchy import SingleLinkage
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

__all__ = ["HDBSCAN", "HDBSCANFit"]

_INFINITE, _MISSING = -2, -3  # labels of records that are not finite
_MOST_DENSE = 1 << 31  # bytes that sparse records may take when made dense


@dataclass(frozen=True, slots=True)
class HDBSCANFit:
    """What fitting found."""

    labels: np.ndarray  # (n,) int32
    probabilities: np.ndarray  # (n,)
    _single_linkage: SingleLinkage  # of the finite records


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
        "euclidean", "manhattan", "chebyshev" and "minkowski" are searched on a tree. Scipy's other metrics,
        "haversine" and callables need memory for n * n distances. With "precomputed" X holds the distances,
        infinite where they are missing; or only those that are known, as a sparse matrix.
    metric_params : dict or None, default None
        Further arguments of the metric, such as ``{"p": 3}``.
    alpha : float, default 1.0
        Distances, not the distances to neighbours, are divided by it.
    algorithm : {"auto", "brute", "kd_tree", "ball_tree"}, default "auto"
        Accepted for scikit-learn's sake: the metric decides, and the result is exact either way. (Trees are
        refused where scikit-learn refuses them.)
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
        -1 for noise, -2 for records with an infinite value, -3 for those with a missing one (NaN).
    probabilities_ : ndarray of shape (n_samples,)
        How firmly each point belongs to its cluster: 0 for noise, NaN where a value is missing.
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

    _sparse = True
    _finite = False

    min_cluster_size: int = param(5, at_least(2), positional=True)
    min_samples: int | None = param(None, at_least(1) | none(), positional=True)
    cluster_selection_epsilon: float = param(0.0, between(0), positional=True)
    max_cluster_size: int | None = param(None, at_least(1) | none(), positional=True)
    metric: str | Callable = param(
        "euclidean", one_of(*TREES, *MATRICES, "precomputed") | function(), positional=True
    )
    metric_params: dict | None = param(None, instance(dict) | none(), positional=True)
    alpha: float = param(1.0, positive(), positional=True)
    algorithm: str = param("auto", one_of("auto", "brute", "kd_tree", "ball_tree"), positional=True)
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
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; with ``metric="precomputed"`` the distances, of shape (n_samples, n_samples). Sparse
            records are made dense.
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
        if self.metric == "precomputed" and self.store_centers is not None:
            raise ValueError("Cannot store centers when using a precomputed distance matrix.")
        if table.sparse and self.metric != "precomputed" and self.algorithm in ("kd_tree", "ball_tree"):
            raise ValueError("Sparse data matrices only support algorithm `brute`.")
        known = {"kd_tree": tuple(TREES), "ball_tree": (*TREES, *BALL)}
        if self.algorithm in known and self.metric not in known[self.algorithm]:
            raise ValueError(
                f"{self.metric} is not a valid metric for a tree-based algorithm. "
                f"Please select a different metric."
            )
        table, bad = (table, None) if self.metric == "precomputed" else _finite(table)
        n, least = table.n, int(self.min_cluster_size)
        k = least if self.min_samples is None else int(self.min_samples)
        if n == 1:
            raise ValueError("n_samples=1 while HDBSCAN requires more than one sample")
        if k > n:
            raise ValueError(
                f"min_samples ({shown(k)}) must be at most the number of samples in X ({n}): n_samples={n}. "
                f"(Where it is None it is min_cluster_size.)"
            )
        threads = {} if self.n_jobs is None or self.n_jobs < 1 else {"n_threads": int(self.n_jobs)}
        with config_context(**threads):
            return self._cluster(table, bad, k, min(least, n + 1))

    def _cluster(self, table: Table, bad: np.ndarray | None, k: int, least: int) -> HDBSCANFit:
        params = self.metric_params or {}
        linked = link(table, self.metric, params, k, float(self.alpha))
        epsilon = float(np.ldexp(float(self.cluster_selection_epsilon), -linked.power))
        condensed = condense(linked.tree, linked.heights, least)
        chosen = condensed.choose(
            self.cluster_selection_method,
            root_too=bool(self.allow_single_cluster),
            epsilon=epsilon,
            most=None if self.max_cluster_size is None else min(int(self.max_cluster_size), table.n),
        )
        labels, strength = condensed.label(chosen, epsilon)
        middles = []
        if self.store_centers in ("centroid", "both"):
            middles.append(centroids(table, labels, strength))
        if self.store_centers in ("medoid", "both"):
            middles.append(medoids(table, labels, strength, self.metric, params))
        if bad is not None:
            labels, strength = _among(bad, labels, strength)
        kind = {
            None: HDBSCANFit,
            "centroid": HDBSCANFitWithCentroids,
            "medoid": HDBSCANFitWithMedoids,
            "both": HDBSCANFitWithBoth,
        }[self.store_centers]
        return kind(labels, strength.astype(table.dtype), linked.tree, *middles)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.allow_nan = self.metric != "precomputed"
        return tags

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
            -1 for noise, -2 and -3 as in `labels_`; clusters in the order of their first records.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._check_fitted()
        found = self._single_linkage.cut(cut_distance)
        count, first = np.bincount(found), np.unique(found, return_index=True)[1]
        large = np.flatnonzero(count >= min_cluster_size)
        name = np.full(len(count), -1, np.int32)
        name[large[np.argsort(first[large])]] = np.arange(len(large))
        labels = self.labels_.copy()
        labels[labels > _INFINITE] = name[found]
        return labels


def _finite(table: Table) -> tuple[Table, np.ndarray | None]:
    """The finite records, dense; and by record 0 or, where it is not finite, its label (None: all are)."""
    if table.sparse:
        if table.n * table.d * table.dtype.itemsize > _MOST_DENSE:
            raise ValueError(
                f"Sparse records of shape {(table.n, table.d)} would take more than 2 GiB when made dense, "
                f"which HDBSCAN must do. Reduce their number of features first."
            )
        table = Table(table.rows(np.arange(table.n)), table.names)
    if np.isfinite(table.column_range).all():
        return table, None
    bad = np.where(np.isfinite(table.X).all(axis=1), 0, _INFINITE)
    bad[np.isnan(table.X).any(axis=1)] = _MISSING
    if bad.all():
        raise ValueError(
            "Input X contains NaN or infinity in every one of its samples: HDBSCAN needs some without."
        )
    return table.part(np.flatnonzero(bad == 0)), bad


def _among(bad: np.ndarray, labels: np.ndarray, strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and strengths of all records, from those of the finite ones."""
    all_labels, all_strengths = bad.astype(np.int32), np.where(bad == _MISSING, np.nan, 0.0)
    all_labels[bad == 0], all_strengths[bad == 0] = labels, strength
    return all_labels, all_strengths
