"""OPTICS: the order in which density reaches records, and the clusters in it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import is_dataset
from clinfa.cluster._extraction import cut, plot_arrays, steep
from clinfa.cluster._reachability import CDIST, TREE, Reachability, reachability, read_points
from clinfa.kinds import Clusterer
from clinfa.params import (
    Rule,
    at_least,
    between,
    boolean,
    fitted,
    function,
    instance,
    none,
    one_of,
    param,
    shown,
)

__all__ = ["OPTICS", "OPTICSFit", "cluster_optics_dbscan", "cluster_optics_xi", "compute_optics_graph"]

_METRIC = one_of("minkowski", *TREE, *CDIST, "precomputed") | function()
_FRACTION = Rule("a float in [0, 1]", lambda v: isinstance(v, float | np.floating) and 0 <= v <= 1)
_SIZE = at_least(2) | _FRACTION
_DISTANCE = between(0) | Rule("inf", lambda v: isinstance(v, float | np.floating) and v == np.inf)
_POWER = between(1) | Rule("inf", lambda v: isinstance(v, float | np.floating) and v == np.inf)
_ALGORITHM = one_of("auto", "brute", "ball_tree", "kd_tree")
_MEMORY = none() | instance(str) | Rule("an object with a method cache", lambda v: hasattr(v, "cache"))
_JOBS = none() | Rule("an int", lambda v: isinstance(v, int | np.integer) and not isinstance(v, bool))


@dataclass(frozen=True, slots=True)
class OPTICSFit:
    """What fitting found with the method "dbscan"."""

    ordering: np.ndarray  # (n,) int64
    core_distances: np.ndarray  # (n,)
    reachability: np.ndarray  # (n,)
    predecessor: np.ndarray  # (n,) int64
    labels: np.ndarray  # (n,) int32


@dataclass(frozen=True, slots=True)
class OPTICSXiFit(OPTICSFit):
    """What it found with the method "xi"."""

    cluster_hierarchy: np.ndarray  # (k, 2) int64


class OPTICS(Clusterer):
    """Clusters of any shape and of different densities, by the order in which density reaches the records.

    Starting from a record, the one that is reached by the shortest distance is taken next, again and
    again [1]_. Plotted in that order, reachabilities form valleys: the clusters, and clusters within them.
    No number of clusters and no radius need to be known. Memory is proportional to the number of records.

    Parameters
    ----------
    min_samples : int or float, default 5
        How many records within reach, itself among them, make a record a core point; a float is a share of
        all records (at least 2 of them).
    max_eps : float, default inf
        Distance beyond which nothing is reached.
    metric : str or callable, default "minkowski"
        "minkowski", "euclidean", "sqeuclidean", "manhattan", "chebyshev" and "cosine" are searched for
        by a tree. So are their other names "l1", "l2" and "cityblock". Scipy's other distances by name, a
        function of two records, and "precomputed" distances (also as a sparse matrix, where what is not
        stored is no neighbour) are looked at row by row.
    p : float, default 2
        Power of the Minkowski metric.
    metric_params : mapping, optional
        More arguments of the metric.
    cluster_method : {"xi", "dbscan"}, default "xi"
        How clusters are read from the order: by steep slopes, or cut at `eps`.
    eps : float, optional
        Where "dbscan" cuts; by default at `max_eps`.
    xi : float, default 0.05
        By what share reachability must fall from one record to the next for a slope to be steep.
    predecessor_correction : bool, default True
        Drop records from the end of a cluster that were not reached from within it [2]_.
    min_cluster_size : int or float, optional
        Fewest records of a cluster, or their share of all; by default `min_samples`.
    algorithm, leaf_size, memory, n_jobs : optional
        For compatibility. They have been checked, and change nothing: results are the same by any search, and
        threads are set by `clinfa.set_config`.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int32
        -1 for noise.
    ordering_ : ndarray of shape (n_samples,)
        Rows in the order in which they were taken.
    reachability_, core_distances_ : ndarray of shape (n_samples,)
        By row, in the dtype of X; inf for what was not reached, and for what is no core point.
    predecessor_ : ndarray of shape (n_samples,)
        Whom each row was reached from; -1 for those that begin.
    cluster_hierarchy_ : ndarray of shape (n_clusters, 2)
        First and last place in `ordering_` of every cluster, those within others before them; only with
        ``cluster_method="xi"``.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] M. Ankerst, M. Breunig, H.-P. Kriegel, J. Sander, OPTICS: ordering points to identify the
       clustering structure, SIGMOD 1999.
    .. [2] E. Schubert, M. Gertz, Improving the cluster structure extracted from OPTICS plots, LWDA 2018.

    Examples
    --------
    >>> from clinfa.cluster import OPTICS
    >>> X = [[1.0, 2], [2, 5], [3, 6], [8, 7], [8, 8], [7, 3]]
    >>> model = OPTICS(min_samples=2).fit(X)
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    >>> model.ordering_
    array([0, 1, 2, 5, 3, 4])
    """

    _sparse = True

    min_samples: int | float = param(5, _SIZE)
    max_eps: float = param(np.inf, _DISTANCE)
    metric: str | Callable[..., float] = param("minkowski", _METRIC)
    p: float = param(2, _POWER)
    metric_params: Mapping[str, Any] | None = param(None, none() | instance(Mapping))
    cluster_method: Literal["xi", "dbscan"] = param("xi", one_of("xi", "dbscan"))
    eps: float | None = param(None, none() | _DISTANCE)
    xi: float = param(0.05, between(0, 1))
    predecessor_correction: bool = param(True, boolean())
    min_cluster_size: int | float | None = param(None, none() | _SIZE)
    algorithm: Literal["auto", "brute", "ball_tree", "kd_tree"] = param("auto", _ALGORITHM)
    leaf_size: int = param(30, at_least(1))
    memory: Any = param(None, _MEMORY)
    n_jobs: int | None = param(None, _JOBS)

    labels_: np.ndarray = fitted()
    ordering_: np.ndarray = fitted()
    reachability_: np.ndarray = fitted()
    core_distances_: np.ndarray = fitted()
    predecessor_: np.ndarray = fitted()
    cluster_hierarchy_: np.ndarray = fitted()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the order and the clusters.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; with ``metric="precomputed"`` their distances, of shape (n_samples, n_samples).
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        self._check_params()
        if is_dataset(X) and X.weights is not None:
            raise ValueError("OPTICS takes no weights, but the Dataset has some. Use X.with_weights(None).")
        table = read_points(X, self.metric, "OPTICS")
        found = self._fit(table)
        self._publish(found, table)
        if not isinstance(found, OPTICSXiFit):
            self.__dict__.pop("cluster_hierarchy_", None)
        return self

    def _fit(self, table: Any) -> OPTICSFit:
        eps = self.max_eps if self.eps is None else self.eps
        if self.cluster_method == "dbscan" and eps > self.max_eps:
            raise ValueError(f"Specify an epsilon smaller than {self.max_eps}. Got {eps}.")
        k = _size(self.min_samples, table.n, "min_samples")
        fewest = k if self.min_cluster_size is None else self.min_cluster_size
        fewest = _size(fewest, table.n, "min_cluster_size")
        graph = _graph(table, k, self.max_eps, self.metric, self.p, self.metric_params)
        with np.errstate(over="ignore"):
            core = graph.core_distances.astype(table.dtype, copy=False)
            reach = graph.reachability.astype(table.dtype, copy=False)
        given = (graph.ordering, core, reach, graph.predecessor)
        if self.cluster_method == "dbscan":
            labels = cut(graph.reachability, graph.core_distances, graph.ordering, eps)
            return OPTICSFit(*given, labels)
        labels, clusters = steep(graph, k, fewest, self.xi, self.predecessor_correction)
        return OPTICSXiFit(*given, labels, clusters)

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

    def analysis(self, dataset: Any) -> Any:
        """Fit, and return the records in the order in which they were taken, with their distances.

        Parameters
        ----------
        dataset : Dataset

        Returns
        -------
        Dataset
            Its targets are the columns "core_distance" and "reachability_distance", inf where there is none.

        Raises
        ------
        TypeError
            If it is no Dataset.
        ValueError
            As for `fit`.

        Examples
        --------
        >>> from clinfa import Dataset
        >>> from clinfa.cluster import OPTICS
        >>> found = OPTICS(min_samples=2).analysis(Dataset([[0.0], [7.0], [1.0]]))
        >>> found.records.ravel()
        array([0., 1., 7.])
        >>> found.targets
        array([[ 1., inf],
               [ 1.,  1.],
               [ 6.,  6.]])
        """
        if not is_dataset(dataset):
            raise TypeError(f"dataset must be a clinfa.Dataset, got a {type(dataset).__name__}.")
        self.fit(dataset)
        values = np.column_stack([self.core_distances_, self.reachability_])[self.ordering_]
        taken = dataset.take(self.ordering_)
        return taken.with_targets(values, target_names=["core_distance", "reachability_distance"])

    def plot_reachability(self, ax: Any = None) -> Any:
        """Draw reachability in the order of the records, coloured by cluster: clusters are valleys.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        NotFittedError
            Before `fit`.
        ImportError
            If matplotlib is not installed: ``pip install clinfa[plot]`` brings it.
        """
        self._check_fitted()
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("Plots need matplotlib. Install it with: pip install clinfa[plot]") from error
        if ax is None:
            _, ax = plt.subplots(figsize=(9, 3.5), layout="constrained")
        height, labels = self.reachability_[self.ordering_], self.labels_[self.ordering_]
        finite = height[np.isfinite(height)]
        height = np.where(np.isfinite(height), height, finite.max() * 1.1 if len(finite) else 1.0)
        place = np.arange(len(height))
        for label in np.unique(labels):
            colour = "0.75" if label < 0 else f"C{label % 10}"
            mine = np.where(labels == label, height, 0.0)
            ax.fill_between(place, mine, step="mid", color=colour, linewidth=0)
        ax.set(xlabel="records in the order in which they were taken", ylabel="reachability", ylim=(0, None))
        ax.margins(x=0)
        return ax

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags


def compute_optics_graph(
    X: Any,
    *,
    min_samples: int | float = 5,
    max_eps: float = np.inf,
    metric: str | Callable[..., float] = "minkowski",
    p: float = 2,
    metric_params: Mapping[str, Any] | None = None,
    algorithm: str = "auto",
    leaf_size: int = 30,
    n_jobs: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The order in which density reaches records, and by what distances, in double precision.

    Parameters
    ----------
    X : array-like, dataframe or sparse matrix of shape (n_samples, n_features)
    min_samples, max_eps, metric, p, metric_params, algorithm, leaf_size, n_jobs
        As for `OPTICS`.

    Returns
    -------
    ordering : ndarray of shape (n_samples,)
    core_distances : ndarray of shape (n_samples,)
    reachability : ndarray of shape (n_samples,)
    predecessor : ndarray of shape (n_samples,)

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If a parameter or the data are not allowed.

    Examples
    --------
    >>> from clinfa.cluster import compute_optics_graph
    >>> ordering, core, reached, whence = compute_optics_graph([[0.0], [7.0], [1.0]], min_samples=2)
    >>> ordering, reached, whence
    (array([0, 2, 1]), array([inf,  6.,  1.]), array([-1,  2,  0]))
    """
    _check(
        "compute_optics_graph",
        min_samples=(min_samples, _SIZE),
        max_eps=(max_eps, _DISTANCE),
        metric=(metric, _METRIC),
        p=(p, _POWER),
        metric_params=(metric_params, none() | instance(Mapping)),
        algorithm=(algorithm, _ALGORITHM),
        leaf_size=(leaf_size, at_least(1)),
        n_jobs=(n_jobs, _JOBS),
    )
    table = read_points(X, metric, "compute_optics_graph")
    found = _graph(table, _size(min_samples, table.n, "min_samples"), max_eps, metric, p, metric_params)
    return found.ordering, found.core_distances, found.reachability, found.predecessor


def cluster_optics_dbscan(*, reachability: Any, core_distances: Any, ordering: Any, eps: float) -> np.ndarray:
    """The clusters that DBSCAN would find with a radius, but for records on their borders.

    Parameters
    ----------
    reachability, core_distances, ordering : array-like of shape (n_samples,)
        From `compute_optics_graph`.
    eps : float
        The radius.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int32
        -1 for noise.

    Raises
    ------
    InvalidParameterError, ValueError
        If `eps` is not allowed, or the arrays do not belong together.

    Examples
    --------
    >>> from clinfa.cluster import cluster_optics_dbscan, compute_optics_graph
    >>> X = [[0.0], [1.0], [7.0], [8.0], [20.0]]
    >>> ordering, core, reached, _ = compute_optics_graph(X, min_samples=2)
    >>> cluster_optics_dbscan(reachability=reached, core_distances=core, ordering=ordering, eps=2)
    array([ 0,  0,  1,  1, -1], dtype=int32)
    """
    _check("cluster_optics_dbscan", eps=(eps, _DISTANCE))
    reach, order = plot_arrays(reachability, ordering)
    core = np.asarray(core_distances, float)
    if core.shape != reach.shape:
        raise ValueError(f"core_distances must have shape {reach.shape}, got {core.shape}.")
    return cut(reach, core, order, eps)


def cluster_optics_xi(
    *,
    reachability: Any,
    predecessor: Any,
    ordering: Any,
    min_samples: int | float,
    min_cluster_size: int | float | None = None,
    xi: float = 0.05,
    predecessor_correction: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """The clusters between steep slopes of the reachability plot.

    Parameters
    ----------
    reachability, predecessor, ordering : array-like of shape (n_samples,)
        From `compute_optics_graph`.
    min_samples, min_cluster_size, xi, predecessor_correction
        As for `OPTICS`.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int32
        -1 for noise.
    clusters : ndarray of shape (n_clusters, 2)
        First and last place in `ordering` of each, clusters within others before them.

    Raises
    ------
    InvalidParameterError, ValueError
        If a parameter is not allowed, or the arrays do not belong together.

    References
    ----------
    .. [1] M. Ankerst, M. Breunig, H.-P. Kriegel, J. Sander, OPTICS: ordering points to identify the
       clustering structure, SIGMOD 1999, figure 19.

    Examples
    --------
    >>> from clinfa.cluster import cluster_optics_xi, compute_optics_graph
    >>> X = [[1.0, 2], [2, 5], [3, 6], [8, 7], [8, 8], [7, 3]]
    >>> ordering, _, reached, whence = compute_optics_graph(X, min_samples=2)
    >>> cluster_optics_xi(reachability=reached, predecessor=whence, ordering=ordering, min_samples=2)[1]
    array([[0, 2],
           [3, 5],
           [0, 5]])
    """
    _check(
        "cluster_optics_xi",
        min_samples=(min_samples, _SIZE),
        min_cluster_size=(min_cluster_size, none() | _SIZE),
        xi=(xi, between(0, 1)),
        predecessor_correction=(predecessor_correction, boolean()),
    )
    reach, order = plot_arrays(reachability, ordering)
    whence = np.asarray(predecessor)
    if (
        whence.shape != reach.shape
        or whence.dtype.kind not in "iu"
        or (whence < -1).any()
        or (whence >= len(reach)).any()
    ):
        raise ValueError(f"predecessor must hold {len(reach)} rows, or -1 where there is none.")
    k = _size(min_samples, len(reach), "min_samples")
    fewest = _size(k if min_cluster_size is None else min_cluster_size, len(reach), "min_cluster_size")
    found = Reachability(order, reach, reach, whence.astype(np.int64))
    return steep(found, k, fewest, xi, predecessor_correction)


def _check(owner: str, **given: tuple[Any, Rule]) -> None:
    for name, (value, rule) in given.items():
        rule.check(name, value, owner)


def _size(size: int | float, n: int, name: str) -> int:
    """A number of records, which may be given as a share of them."""
    if size > n:
        raise ValueError(
            f"{name} must be no greater than the number of samples (n_samples={n}). Got {shown(size)}."
        )
    size = int(size) if size > 1 else max(2, int(size * n))
    if size > n:
        raise ValueError(f"{name} must be at least 2, but there is n_samples={n}.")
    return size


def _graph(
    table: Any, k: int, max_eps: float, metric: Any, p: float, metric_params: Mapping[str, Any] | None
) -> Reachability:
    found = reachability(table, k, max_eps, metric, p, metric_params)
    if np.isinf(found.reachability).all():
        warnings.warn(
            "All reachability values are inf. Set a larger max_eps or all data will be considered outliers.",
            UserWarning,
            stacklevel=4,
        )
    return found
