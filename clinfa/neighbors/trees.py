"""Trees under scikit-learn's names."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import Table, is_dataset, read_table, read_weights
from clinfa.neighbors._base import VALID
from clinfa.neighbors._density import COMPACT, KERNELS, log_kernel, log_norm
from clinfa.neighbors._queries import split
from clinfa.neighbors._search import search
from clinfa.neighbors._sphere import Sphere
from clinfa.neighbors.unsupervised import NearestNeighbors
from clinfa.params import at_least, boolean, one_of, positive, shown
from clinfa.spatial import METRICS, Index

__all__ = ["BallTree", "KDTree"]

_PAIRS = 1 << 22  # of a query and a point that are looked at together
_DIGITS = 40.0  # what is e^-40 times as much is lost in rounding


class _SpaceTree:
    """What both trees can do; only the metrics that they take differ."""

    _algorithm: ClassVar[str]
    valid_metrics: ClassVar[list[str]]

    def __init__(
        self,
        data: Any,
        leaf_size: int = 40,
        metric: Any = "minkowski",
        sample_weight: Any = None,
        **metric_params: Any,
    ):
        owner = type(self).__name__
        at_least(1).check("leaf_size", leaf_size, owner)
        if isinstance(metric, str) and metric == "pyfunc":
            metric = metric_params.pop("func", None)
        model = NearestNeighbors(metric=metric, algorithm=self._algorithm, metric_params=metric_params)
        model.set_params(p=None if "p" in metric_params else 2)
        model._check_params()
        if metric == "precomputed":
            raise ValueError(f"metric 'precomputed' is not valid for {owner}.")
        metric, params = model._effective()
        table = read_table(data.records if is_dataset(data) else data, owner)
        self.data = table.X
        weights = read_weights(sample_weight, table.n, owner)
        self.sample_weight = weights if len(weights) else None
        self.sum_weight = float(weights.sum()) if len(weights) else float(table.n)
        if isinstance(metric, str) and metric in METRICS and params.get("w") is None:
            self._search: Any = Index(table.X, metric, float(params.get("p", 2)))
        else:
            on_sphere = isinstance(metric, str) and metric == "haversine"
            if on_sphere and table.d != 2:
                raise ValueError("Haversine distance only valid in 2 dimensions")
            self._search = (Sphere.of(table.X) if on_sphere else None) or search(table, metric, params)

    def __len__(self) -> int:
        return len(self.data)

    def _read(self, X: Any) -> Table:
        owner = type(self).__name__
        return read_table(X.records if is_dataset(X) else X, owner, width=self.data.shape[1])

    def _nearest(self, Q: Table, k: int) -> tuple[np.ndarray, np.ndarray]:
        return self._search.nearest(Q.X if isinstance(self._search, Index) else Q, k)

    def _within(self, Q: Table, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if isinstance(self._search, Index):
            return self._search.within(Q.X, radius)
        return self._search.within(Q, radius, ordered=False)

    def _counts(self, Q: Table, radius: np.ndarray) -> np.ndarray:
        if isinstance(self._search, Index):
            return self._search.tree.count_within(Q.X, radius)
        return np.diff(self._within(Q, radius)[0])

    def query(
        self,
        X: Any,
        k: int = 1,
        return_distance: bool = True,
        dualtree: bool = False,
        breadth_first: bool = False,
        sort_results: bool = True,
    ) -> Any:
        """The nearest points of each query, the nearest first.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
        k : int, default 1
            How many.
        return_distance : bool, default True
        dualtree, breadth_first, sort_results : bool
            Accepted for scikit-learn's sake.

        Returns
        -------
        distances : ndarray of shape (n_queries, k)
            Only with `return_distance`.
        rows : ndarray of shape (n_queries, k), int64
            Equal distances are told apart by the number of the row.

        Raises
        ------
        ValueError
            If there are fewer points, or X is not like them.
        """
        at_least(1).check("k", k, f"{type(self).__name__}.query")
        Q = self._read(X)
        if k > len(self):
            raise ValueError(
                f"k must be less than or equal to the number of training points, {len(self)}, got {shown(k)}."
            )
        distances, rows = self._nearest(Q, int(k))
        return (distances, rows) if return_distance else rows

    def query_radius(
        self,
        X: Any,
        r: Any,
        return_distance: bool = False,
        count_only: bool = False,
        sort_results: bool = False,
    ) -> Any:
        """The points within a radius of each query.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
        r : float or array-like of shape (n_queries,)
            How far; points at exactly this distance count.
        return_distance : bool, default False
        count_only : bool, default False
            Whether only how many there are is asked for.
        sort_results : bool, default False
            Whether the nearest come first, which needs `return_distance`.

        Returns
        -------
        counts : ndarray of shape (n_queries,), int64
            With `count_only`.
        rows : ndarray of shape (n_queries,) of arrays
            Otherwise.
        distances : ndarray of shape (n_queries,) of arrays
            With `return_distance`.

        Raises
        ------
        ValueError
            If these do not go together, or X is not like the points.
        """
        for name, value in (("return_distance", return_distance), ("count_only", count_only)):
            boolean().check(name, value, f"{type(self).__name__}.query_radius")
        if count_only and return_distance:
            raise ValueError("count_only and return_distance cannot both be true")
        if sort_results and not return_distance:
            raise ValueError("return_distance must be True if sort_results is True")
        Q = self._read(X)
        radius = _radii(r)
        if radius.shape not in ((), (1,), (Q.n,)):
            raise ValueError("r must be broadcastable to X.shape")
        radius = np.broadcast_to(radius, Q.n)
        some = radius >= 0
        radius = np.where(some, radius, 0)
        if count_only:
            return np.where(some, self._counts(Q, radius), 0)
        begin, rows, distances = self._within(Q, radius)
        keep = np.repeat(some, np.diff(begin))  # below zero there is nobody
        begin, rows, distances = np.append(0, np.cumsum(keep))[begin], rows[keep], distances[keep]
        if sort_results:
            order = np.lexsort((rows, distances, np.repeat(np.arange(Q.n), np.diff(begin))))
            rows, distances = rows[order], distances[order]
        return (split(rows, begin), split(distances, begin)) if return_distance else split(rows, begin)

    def kernel_density(
        self,
        X: Any,
        h: float,
        kernel: str = "gaussian",
        atol: float = 0,
        rtol: float = 1e-8,
        breadth_first: bool = True,
        return_log: bool = False,
    ) -> np.ndarray:
        """The sum of kernels around all points at each query.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
        h : float
            The bandwidth.
        kernel : {"gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine"}, default "gaussian"
            Its integral over space is one.
        atol, rtol : float
            Accepted for scikit-learn's sake: sums are as exact as double precision allows.
        breadth_first : bool
            Accepted for scikit-learn's sake.
        return_log : bool, default False
            Whether logarithms are returned, which do not vanish far off.

        Returns
        -------
        densities : ndarray of shape (n_queries,)
            Of the weights of the points, where there are some.

        Raises
        ------
        ValueError
            If the kernel is not known, the bandwidth is not above zero, or X is not like the points.
        """
        owner = f"{type(self).__name__}.kernel_density"
        one_of(*KERNELS).check("kernel", kernel, owner)
        positive().check("h", h, owner)
        Q, h = self._read(X), float(h)
        out = np.empty(Q.n)
        step = max(1, _PAIRS // len(self))
        for i in range(0, Q.n, step):
            part = Table(Q.X[i : i + step])
            begin, rows, distances = self._within(part, self._reach(part, h, kernel))
            query = np.repeat(np.arange(part.n), np.diff(begin))
            share = log_kernel(kernel, distances / h)
            top = np.full(part.n, -np.inf)
            np.maximum.at(top, query, share)
            parts = np.exp(share - np.where(np.isfinite(top), top, 0)[query])
            weights = None if self.sample_weight is None else self.sample_weight[rows]
            total = np.bincount(query, parts if weights is None else weights * parts, part.n)
            with np.errstate(divide="ignore"):
                out[i : i + step] = top + np.log(total)
        out += log_norm(kernel, h, self.data.shape[1])
        if return_log:
            return out
        with np.errstate(over="ignore"):
            return np.exp(out)

    def _reach(self, Q: Table, h: float, kernel: str) -> np.ndarray:
        """How far the points are at most that make a difference."""
        if kernel in COMPACT:
            return np.full(Q.n, h)
        w = self.sample_weight
        if w is not None and not w.all():
            return np.full(Q.n, np.inf)
        digits = _DIGITS + math.log(len(self)) + (0 if w is None else math.log(w.max()) - math.log(w.min()))
        nearest = self._nearest(Q, 1)[0][:, 0]
        if kernel == "exponential":
            return nearest + h * digits
        return h * np.hypot(nearest / h, math.sqrt(2 * digits))

    def two_point_correlation(self, X: Any, r: Any, dualtree: bool = False) -> np.ndarray:
        """How many pairs of a query and a point are within each radius.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
        r : array-like of shape (n_radii,)
        dualtree : bool
            Accepted for scikit-learn's sake.

        Returns
        -------
        counts : ndarray of shape (n_radii,), int64

        Raises
        ------
        ValueError
            If a radius is not a number, or X is not like the points.
        """
        Q, radii = self._read(X), _radii(r)
        if radii.ndim > 1:
            raise ValueError(f"r must have one dimension, got shape {radii.shape}.")
        radii = radii.reshape(-1)
        return np.array([self._counts(Q, np.full(Q.n, s)).sum() if s >= 0 else 0 for s in radii], np.int64)


class KDTree(_SpaceTree):
    """A k-d tree: points that are searched box by box.

    It is the tree that all neighbours here are searched by, under scikit-learn's interface [1]_.

    Parameters
    ----------
    data : array-like, dataframe or Dataset of shape (n_samples, n_features)
        The points.
    leaf_size : int, default 40
        Accepted for scikit-learn's sake; leaves have the size of the vectors of the processor.
    metric : str or callable, default "minkowski"
        One of `valid_metrics`.
    sample_weight : array-like of shape (n_samples,), optional
        Weight of each point in `kernel_density`.
    **metric_params
        Further arguments of the metric, as p of "minkowski".

    Attributes
    ----------
    data : ndarray of shape (n_samples, n_features)
        The points.
    sample_weight : ndarray of shape (n_samples,) or None
    sum_weight : float
    valid_metrics : list of str

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If an argument or the data are not allowed.

    References
    ----------
    .. [1] J. L. Bentley, Multidimensional binary search trees used for associative searching, Communications
       of the ACM 18, 1975.

    Examples
    --------
    >>> from clinfa.neighbors import KDTree
    >>> tree = KDTree([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    >>> distances, rows = tree.query([[0.9, 0.0]], k=2)
    >>> rows
    array([[1, 0]])
    >>> tree.query_radius([[0.9, 0.0]], 1.0, count_only=True)
    array([2])
    """

    _algorithm = "kd_tree"
    valid_metrics: ClassVar[list[str]] = sorted(VALID["kd_tree"])


class BallTree(_SpaceTree):
    """A tree for points in any metric, under the name of scikit-learn's.

    Results are those of a ball tree [1]_. Points are searched by a k-d tree where the metric allows (places
    on a sphere, too), else by blocks of distances.

    Parameters
    ----------
    data : array-like, dataframe or Dataset of shape (n_samples, n_features)
        The points.
    leaf_size : int, default 40
        Accepted for scikit-learn's sake; leaves have the size of the vectors of the processor.
    metric : str or callable, default "minkowski"
        One of `valid_metrics`, or a function of two points.
    sample_weight : array-like of shape (n_samples,), optional
        Weight of each point in `kernel_density`.
    **metric_params
        Further arguments of the metric, as p of "minkowski".

    Attributes
    ----------
    data : ndarray of shape (n_samples, n_features)
        The points.
    sample_weight : ndarray of shape (n_samples,) or None
    sum_weight : float
    valid_metrics : list of str

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If an argument or the data are not allowed.

    References
    ----------
    .. [1] S. M. Omohundro, Five balltree construction algorithms, International Computer Science Institute,
       1989.

    Examples
    --------
    >>> from clinfa.neighbors import BallTree
    >>> tree = BallTree([[0.1, 0.2], [1.1, 0.4], [-0.5, 3.0]], metric="haversine")
    >>> distances, rows = tree.query([[0.9, 0.1]])
    >>> distances.round(3)
    array([[0.256]])
    >>> tree.query_radius([[0.9, 0.1]], 1.0, count_only=True)
    array([2])
    """

    _algorithm = "ball_tree"
    valid_metrics: ClassVar[list[str]] = sorted(VALID["ball_tree"])


def _radii(r: Any) -> np.ndarray:
    radii = np.asarray(r)
    if radii.dtype.kind not in "biuf" or np.isnan(radii.astype(float)).any():
        raise ValueError(f"r must be a number or numbers, got {shown(r)}.")
    return radii.astype(float)
