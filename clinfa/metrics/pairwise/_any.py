"""Distances in any metric: whole, in pieces, or the least of each row. scikit-learn's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from clinfa.arrays import Table, is_dataset, is_sparse
from clinfa.blas import inverse_covariance
from clinfa.config import get_config
from clinfa.metrics.pairwise._distances import (
    cosine_distances,
    euclidean_distances,
    haversine_distances,
    manhattan_distances,
    nan_euclidean_distances,
)
from clinfa.metrics.pairwise._kernels import _JOBS, raise_unknown, read_precomputed
from clinfa.metrics.pairwise._read import Pair, by_callable, matrix, read_pair, share, to_boolean
from clinfa.spatial import METRICS, Function, Index

__all__ = [
    "distance_metrics",
    "pairwise_distances",
    "pairwise_distances_argmin",
    "pairwise_distances_argmin_min",
    "pairwise_distances_chunked",
]

_OWN: dict[str, Callable] = {
    "cityblock": manhattan_distances,
    "cosine": cosine_distances,
    "euclidean": euclidean_distances,
    "haversine": haversine_distances,
    "l1": manhattan_distances,
    "l2": euclidean_distances,
    "manhattan": manhattan_distances,
    "nan_euclidean": nan_euclidean_distances,
}
_BOOLEAN = {"dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule"}
_SCIPY = _BOOLEAN | {
    "braycurtis",
    "canberra",
    "chebyshev",
    "correlation",
    "hamming",
    "mahalanobis",
    "minkowski",
    "seuclidean",
    "sqeuclidean",
}
_NEAREST = {"euclidean": "euclidean", "l2": "euclidean", "manhattan": "manhattan", "l1": "manhattan"}
_NEAREST |= {"cityblock": "manhattan", "sqeuclidean": "sqeuclidean", "chebyshev": "chebyshev"}


def distance_metrics() -> dict[str, Callable]:
    """The metrics that `pairwise_distances` knows besides SciPy's, by name.

    Returns
    -------
    dict

    Examples
    --------
    >>> from clinfa.metrics.pairwise import distance_metrics
    >>> distance_metrics()["l1"].__name__
    'manhattan_distances'
    """
    return dict(_OWN)


def pairwise_distances(
    X: Any,
    Y: Any = None,
    metric: Any = "euclidean",
    *,
    n_jobs: int | None = None,
    ensure_all_finite: bool | str = True,
    **kwds: Any,
) -> np.ndarray:
    """Distances between all records in a metric.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default. With "precomputed" X is the matrix.
    metric : str or callable, default "euclidean"
        A name of `distance_metrics`, one that `scipy.spatial.distance.cdist` knows (dense records only),
        "precomputed", or a function of two records.
    n_jobs : int, optional
        How many threads work; None and numbers below 1: those of the settings.
    ensure_all_finite : bool or "allow-nan", default True
        Whether NaN and infinity are refused, where the metric could take them: a function, or one of SciPy's.
    **kwds
        Parameters of the metric.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        If X or Y are not what the metric takes, or there is no such metric.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import pairwise_distances
    >>> pairwise_distances([[0.0], [1.0]], [[3.0]], metric="sqeuclidean")
    array([[9.],
           [4.]])
    """
    _JOBS.check("n_jobs", n_jobs, "pairwise_distances")
    if callable(metric):
        return by_callable(X, Y, metric, "pairwise_distances", finite=ensure_all_finite is True, **kwds)
    if not isinstance(metric, str) or metric not in _OWN.keys() | _SCIPY | {"precomputed"}:
        raise_unknown(metric, _OWN.keys() | _SCIPY | {"precomputed"}, "pairwise_distances")
    if metric == "precomputed":
        out = read_precomputed(X, Y, "pairwise_distances")
        if (out.data if is_sparse(out) else out).min(initial=0) < 0:
            raise ValueError(
                "Negative values in data passed to `pairwise_distances`. Precomputed distance need to have "
                "non-negative values."
            )
        return out
    with share(n_jobs):
        if metric in _OWN:
            return _OWN[metric](X, Y, **kwds)
        return _by_scipy(X, Y, metric, kwds, finite=ensure_all_finite is True)


def _by_scipy(X: Any, Y: Any, metric: str, kwds: dict[str, Any], *, finite: bool) -> np.ndarray:
    if is_sparse(X) or is_sparse(Y):
        raise TypeError("scipy distance metrics do not support sparse matrices.")
    own = Y is None or Y is X
    if metric in _BOOLEAN:
        X, Y = to_boolean((X, None if own else Y), metric)
    pair = read_pair(X, None if own else Y, "pairwise_distances", finite=finite)
    if metric == "sqeuclidean" and not kwds:
        return matrix(pair, Function("squared"))
    kwds = _parameters(pair, metric, kwds)
    x, y = pair.X.X, pair.Y.X
    if metric in _BOOLEAN:
        x, y = x != 0, y != 0
    from scipy.spatial.distance import cdist, pdist, squareform  # (half a second to load, needed by few)

    return squareform(pdist(x, metric, **kwds)) if own else cdist(x, y, metric, **kwds)


def _parameters(pair: Pair, metric: Any, kwds: dict[str, Any]) -> dict[str, Any]:
    """Parameters of the metric, those among them that come from the data."""
    name = {"seuclidean": "V", "mahalanobis": "VI"}.get(metric) if isinstance(metric, str) else None
    if name is None or name in kwds:
        return kwds
    if not pair.own:
        raise ValueError(f"The '{name}' parameter is required for the {metric} metric when Y is passed.")
    X = np.asarray(pair.X.X, np.float64)
    if name == "V":
        return {"V": X.var(axis=0, ddof=1)} | kwds
    return {"VI": inverse_covariance(X)} | kwds


def pairwise_distances_chunked(
    X: Any,
    Y: Any = None,
    *,
    reduce_func: Callable | None = None,
    metric: Any = "euclidean",
    n_jobs: int | None = None,
    working_memory: float | None = None,
    **kwds: Any,
) -> Iterator[Any]:
    """Distances between all records, some rows at a time.

    Parameters
    ----------
    X, Y, metric, n_jobs, **kwds
        As for `pairwise_distances`.
    reduce_func : callable, optional
        Called with some rows of the matrix and the number of the first; what it returns, an array, list or
        sparse matrix of as many rows or a tuple of such, is yielded in their place. It may return None,
        having changed the rows in place.
    working_memory : float, optional
        How many MiB the rows may take; that of the settings by default.

    Returns
    -------
    iterator
        Of arrays of shape (rows, m), or of what `reduce_func` made of them.

    Raises
    ------
    ValueError, TypeError
        As for `pairwise_distances`, or if `reduce_func` returns something else.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.metrics.pairwise import pairwise_distances_chunked
    >>> X = np.arange(4.0)[:, None]
    >>> [len(rows) for rows in pairwise_distances_chunked(X, working_memory=64 / 2**20)]
    [2, 2]
    """
    X, Y = (v.records if is_dataset(v) else v for v in (X, Y))
    own = Y is None or Y is X
    X = X if hasattr(X, "shape") else np.asarray(X)
    Y = X if own else Y if hasattr(Y, "shape") else np.asarray(Y)
    n, m = X.shape[0], Y.shape[0]
    memory = get_config()["working_memory"] if working_memory is None else working_memory
    step = (
        n if isinstance(metric, str) and metric == "precomputed" else max(1, int(memory * 2**20 // (8 * m)))
    )
    if isinstance(metric, str) and metric in ("seuclidean", "mahalanobis"):
        kwds = _parameters(read_pair(X, None if own else Y, "pairwise_distances"), metric, kwds)
    for begin in range(0, n, step):
        part = X if step >= n else X[begin : begin + step]
        rows = pairwise_distances(part, Y, metric=metric, n_jobs=n_jobs, **kwds)
        if own and isinstance(metric, str) and metric in ("euclidean", "l2", "cosine"):
            rows.ravel()[begin :: n + 1] = 0  # (what is found by products may not be, to the bit)
        count = rows.shape[0]
        if reduce_func is not None:
            rows = reduce_func(rows, begin)
            _check_reduced(rows, count)
        yield rows


def _check_reduced(reduced: Any, count: int) -> None:
    if reduced is None:
        return
    parts = reduced if isinstance(reduced, tuple) else (reduced,)
    if any(isinstance(part, tuple) or not hasattr(part, "__iter__") for part in parts):
        raise TypeError(f"reduce_func returned {reduced!r}. Expected sequence(s) of length {count}.")
    sizes = tuple(part.shape[0] if hasattr(part, "shape") else len(part) for part in parts)
    if any(size != count for size in sizes):
        raise ValueError(
            f"reduce_func returned object of length {sizes if isinstance(reduced, tuple) else sizes[0]}. "
            f"Expected same length as input: {count}."
        )


def pairwise_distances_argmin_min(
    X: Any, Y: Any, *, axis: int = 1, metric: Any = "euclidean", metric_kwargs: dict[str, Any] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest record of Y for each of X, and how far it is.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
    axis : {0, 1}, default 1
        0: the nearest record of X for each of Y.
    metric : str or callable, default "euclidean"
        As for `pairwise_distances`.
    metric_kwargs : dict, optional
        Parameters of the metric.

    Returns
    -------
    nearest : ndarray of shape (n,), int64
        The first of those that are equally near.
    distances : ndarray of shape (n,)

    Raises
    ------
    ValueError, TypeError
        As for `pairwise_distances`, or if axis is neither 0 nor 1.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import pairwise_distances_argmin_min
    >>> pairwise_distances_argmin_min([[0.0], [5.0]], [[1.0], [4.0], [-1.0]])
    (array([0, 1]), array([1., 1.]))
    """
    if axis not in (0, 1):
        raise ValueError(f"axis must be 0 or 1, got {axis!r}.")
    kwds = dict(metric_kwargs or {})
    if axis == 0:
        X, Y = Y, X
    if isinstance(metric, str) and metric in _NEAREST and not kwds and not (is_sparse(X) or is_sparse(Y)):
        pair = read_pair(X, Y, "pairwise_distances_argmin_min")
        return _by_index(pair.X, pair.Y, _NEAREST[metric])
    found = pairwise_distances_chunked(X, Y, reduce_func=_least, metric=metric, **kwds)
    rows, least = zip(*found, strict=True)
    return np.concatenate(rows), np.concatenate(least)


def _by_index(X: Table, Y: Table, metric: str) -> tuple[np.ndarray, np.ndarray]:
    distances, rows = Index(Y.X, metric, brute=metric not in METRICS).nearest(X.X, 1)
    return rows[:, 0], distances[:, 0].astype(X.dtype, copy=False)


def _least(rows: np.ndarray, begin: int) -> tuple[np.ndarray, np.ndarray]:
    rows = rows.toarray() if is_sparse(rows) else rows
    at = rows.argmin(axis=1)
    return at, rows[np.arange(len(rows)), at]


def pairwise_distances_argmin(
    X: Any, Y: Any, *, axis: int = 1, metric: Any = "euclidean", metric_kwargs: dict[str, Any] | None = None
) -> np.ndarray:
    """The nearest record of Y for each of X.

    Parameters
    ----------
    X, Y, axis, metric, metric_kwargs
        As for `pairwise_distances_argmin_min`.

    Returns
    -------
    ndarray of shape (n,), int64

    Raises
    ------
    ValueError, TypeError
        As for `pairwise_distances_argmin_min`.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import pairwise_distances_argmin
    >>> pairwise_distances_argmin([[0.0], [5.0]], [[1.0], [4.0]])
    array([0, 1])
    """
    return pairwise_distances_argmin_min(X, Y, axis=axis, metric=metric, metric_kwargs=metric_kwargs)[0]
