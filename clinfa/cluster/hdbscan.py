"""Hierarchical density clustering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.cluster._condensed import condense
from clinfa.cluster._condensed_tree import CondensedTree
from clinfa.cluster._hierarchy import Hierarchy
from clinfa.cluster._middles import centroids, medoids
from clinfa.cluster._mutual_reachability import BALL, MATRICES, TREES, link
from clinfa.cluster._not_finite import INFINITE, LABELS, among, finite_only
from clinfa.config import config_context
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

_STRENGTHS = 0.0, np.nan  # of records with infinite and with missing values


@dataclass(frozen=True, slots=True)
class HDBSCANFit:
    """What fitting found."""

    labels: np.ndarray  # (n,) int32
    probabilities: np.ndarray  # (n,)
    _hierarchy: Hierarchy  # of the finite records


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
    condensed_tree_ : CondensedTree
        The clusters of all densities: arrays `parent`, `child`, `density`, `size`, `selected`, and `plot()`.
    single_linkage_tree_ : ndarray of shape (n_samples - 1, 4)
        All merges, in the form of `scipy.cluster.hierarchy`.
    outlier_scores_ : ndarray of shape (n_samples,)
        How much less dense each record is than the densest part of the cluster that it last was in [2]_.
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
    .. [2] R. J. G. B. Campello, D. Moulavi, A. Zimek, J. Sander, Hierarchical density estimates for data
       clustering, visualization, and outlier detection, ACM TKDD 10, 2015.

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
        table, bad = (table, None) if self.metric == "precomputed" else finite_only(table)
        n, least = table.n, int(self.min_cluster_size)
        k = least if self.min_samples is None else int(self.min_samples)
        if n == 0:
            raise ValueError(
                "Input X contains NaN or infinity in every sample, while HDBSCAN needs some without."
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
            return self._cluster(table, bad, k, min(least, n + 1))

    def _cluster(self, table: Table, bad: np.ndarray | None, k: int, least: int) -> HDBSCANFit:
        params = self.metric_params or {}
        linked = link(table, self.metric, params, k, float(self.alpha))
        epsilon = float(np.ldexp(float(self.cluster_selection_epsilon), -linked.power))
        condensed = condense(linked.tree, linked.heights, least)
        selection = condensed.select(
            self.cluster_selection_method,
            root_too=bool(self.allow_single_cluster),
            epsilon=epsilon,
            most=None if self.max_cluster_size is None else min(int(self.max_cluster_size), table.n),
        )
        found = Hierarchy(linked, condensed, selection)
        labels, strength = found.label(condensed.cluster, condensed.leaves)
        middles = []
        if self.store_centers in ("centroid", "both"):
            middles.append(centroids(table, labels, strength))
        if self.store_centers in ("medoid", "both"):
            middles.append(medoids(table, labels, strength, self.metric, params))
        labels, strength = among(bad, labels, LABELS), among(bad, strength, _STRENGTHS)
        kind = {
            None: HDBSCANFit,
            "centroid": HDBSCANFitWithCentroids,
            "medoid": HDBSCANFitWithMedoids,
            "both": HDBSCANFitWithBoth,
        }[self.store_centers]
        return kind(labels, strength.astype(table.dtype), found, *middles)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.allow_nan = self.metric != "precomputed"
        return tags

    def predict(self, X: Any) -> Any:
        """The cluster of each new record: that of the fitted one to which it is bound most firmly.

        That is the one of the least mutual reachability, where the new record's core distance is that of its
        `min_samples`-th nearest fitted one. It leaves where that one does, or before, if it is farther away
        than those there are apart. Fitted records get the labels that they have. Nothing is learned.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            With ``metric="precomputed"`` the distances to the fitted records.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            As `labels_`. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X is not such records as were fitted, or only some distances were.
        """
        labels = self.approximate_predict(X)[0]
        return X.with_targets(labels) if is_dataset(X) else labels

    def approximate_predict(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """The cluster of each new record, and how firmly it belongs there.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            As for `predict`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            As `labels_`.
        probabilities : ndarray of shape (n_samples,)
            As `probabilities_`.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        bad, dtype, place = self._attach(X)
        labels, strength = self._hierarchy.label(*place)
        return among(bad, labels, LABELS), among(bad, strength.astype(dtype), _STRENGTHS)

    def membership_vectors(self, X: Any = None) -> np.ndarray:
        """How firmly each record is bound to each cluster: soft clustering.

        A record is bound to a cluster up to the density at which they part. Each row is proportional to these
        densities, so its greatest entry is that of the record's own cluster. It sums to the greatest share of
        a cluster's greatest density that they are: one in the middle of a cluster, near zero far from all.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features), optional
            New records, as for `predict`; the fitted ones by default.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Zeros for a record with an infinite value, NaN for one with a missing value.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.

        Examples
        --------
        >>> from clinfa.cluster import HDBSCAN
        >>> X = [[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]]
        >>> model = HDBSCAN(min_cluster_size=3, min_samples=1).fit(X)
        >>> model.membership_vectors([[1.0], [6.0]]).round(3)
        array([[0.889, 0.111],
               [0.167, 0.083]])
        """
        self._check_fitted()
        condensed = self._hierarchy.condensed
        if X is None:
            bad, dtype = np.where(self.labels_ < -1, self.labels_, 0), self.probabilities_.dtype
            place = condensed.cluster, condensed.leaves
        else:
            bad, dtype, place = self._attach(X)
        out = condensed.memberships(self._hierarchy.selection, *place).astype(dtype)
        return among(bad, out, _STRENGTHS)

    def _attach(self, X: Any) -> tuple[np.ndarray | None, np.dtype, tuple[np.ndarray, np.ndarray]]:
        """Which new records are not finite, their dtype, and where the others leave the hierarchy."""
        table, bad, space = self._read_new(X), None, self._hierarchy.linked.space
        if space is None:
            raise ValueError("Nothing can be said of new records where only some distances were fitted.")
        if not space.given:
            table, bad = finite_only(table)
        return bad, table.dtype, self._hierarchy.attach(table)

    @property
    def condensed_tree_(self) -> CondensedTree:
        """The clusters of all densities: arrays, and a plot. Records that are not finite leave first."""
        self._check_fitted()
        return self._hierarchy.condensed_tree(self.labels_ > INFINITE)

    @property
    def single_linkage_tree_(self) -> np.ndarray:
        """All merges in SciPy's form: two nodes, their distance, and records in both.

        Shape (n_samples - 1, 4). Records that are not finite come last, at infinity.
        """
        self._check_fitted()
        return self._hierarchy.merges(self.labels_ > INFINITE)

    @property
    def outlier_scores_(self) -> np.ndarray:
        """By record, how much less dense it is than the densest part of where it leaves: 0 to 1 [2]_.

        1 for a record with an infinite value, NaN for one with a missing value.
        """
        self._check_fitted()
        scores = self._hierarchy.condensed.outliers().astype(self.probabilities_.dtype)
        return among(np.where(self.labels_ < -1, self.labels_, 0), scores, (1.0, np.nan))

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
        found = self._hierarchy.linked.tree.cut(cut_distance)
        count, first = np.bincount(found), np.unique(found, return_index=True)[1]
        large = np.flatnonzero(count >= min_cluster_size)
        name = np.full(len(count), -1, np.int32)
        name[large[np.argsort(first[large])]] = np.arange(len(large))
        labels = self.labels_.copy()
        labels[labels > INFINITE] = name[found]
        return labels
