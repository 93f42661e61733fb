"""Distances between each record and its partner: scikit-learn's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from clinfa.arrays import is_sparse
from clinfa.metrics.pairwise._kernels import raise_unknown
from clinfa.metrics.pairwise._read import Pair, dense, read_pair, unit_rows

__all__ = [
    "paired_cosine_distances",
    "paired_distances",
    "paired_euclidean_distances",
    "paired_manhattan_distances",
]


def _differences(pair: Pair) -> Any:
    return pair.X.as_matrix() - pair.Y.as_matrix()


def _squares(apart: Any) -> np.ndarray:
    if is_sparse(apart):
        return dense(apart.multiply(apart).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", apart, apart)


def paired_euclidean_distances(X: Any, Y: Any) -> np.ndarray:
    """The Euclidean distance between each record of X and that of Y in the same row.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d)

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError, TypeError
        If X or Y are no finite records, or differ in shape.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import paired_euclidean_distances
    >>> paired_euclidean_distances([[0.0, 0.0], [1.0, 1.0]], [[3.0, 4.0], [1.0, 1.0]])
    array([5., 0.])
    """
    return np.sqrt(_squares(_differences(read_pair(X, Y, "paired_euclidean_distances", paired=True))))


def paired_manhattan_distances(X: Any, Y: Any) -> np.ndarray:
    """The distance along the axes between each record of X and that of Y in the same row.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d)

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError, TypeError
        As for `paired_euclidean_distances`.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import paired_manhattan_distances
    >>> paired_manhattan_distances([[0.0, 0.0]], [[3.0, 4.0]])
    array([7.])
    """
    apart = _differences(read_pair(X, Y, "paired_manhattan_distances", paired=True))
    return dense(abs(apart).sum(axis=1)).ravel()


def paired_cosine_distances(X: Any, Y: Any) -> np.ndarray:
    """One minus the cosine of the angle between each record of X and that of Y in the same row.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d)

    Returns
    -------
    ndarray of shape (n,)
        Half the squared distance of the records' directions; 1/2 where one of the two is all zeros.

    Raises
    ------
    ValueError, TypeError
        As for `paired_euclidean_distances`.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import paired_cosine_distances
    >>> paired_cosine_distances([[2.0, 0.0]], [[3.0, 4.0]]).round(12)
    array([0.4])
    """
    return _squares(_differences(unit_rows(read_pair(X, Y, "paired_cosine_distances", paired=True)))) / 2


_PAIRED: dict[str, Callable] = {
    "cosine": paired_cosine_distances,
    "euclidean": paired_euclidean_distances,
    "l2": paired_euclidean_distances,
    "l1": paired_manhattan_distances,
    "manhattan": paired_manhattan_distances,
    "cityblock": paired_manhattan_distances,
}


def paired_distances(X: Any, Y: Any, *, metric: Any = "euclidean", **kwds: Any) -> np.ndarray:
    """The distance between each record of X and that of Y in the same row.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d)
    metric : {"euclidean", "l2", "manhattan", "l1", "cityblock", "cosine"} or callable, default "euclidean"
    **kwds
        Parameters of the metric.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError, TypeError
        As for `paired_euclidean_distances`, or if there is no such metric.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import paired_distances
    >>> paired_distances([[0.0, 0.0]], [[3.0, 4.0]], metric="l1")
    array([7.])
    """
    if isinstance(metric, str) and metric in _PAIRED:
        return _PAIRED[metric](X, Y, **kwds)
    if not callable(metric):
        raise_unknown(metric, set(_PAIRED), "paired_distances")
    pair = read_pair(X, Y, "paired_distances", paired=True)
    X, Y = pair.X.as_matrix(), pair.Y.as_matrix()
    rows = range(pair.X.n)
    return np.array(
        [metric(*(v[[i]] if is_sparse(v) else v[i] for v in (X, Y)), **kwds) for i in rows], float
    )
