"""Kernels: how alike two records are. scikit-learn's functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from clinfa.errors import InvalidParameterError, twin
from clinfa.metrics.pairwise._distances import along_axes, of_squares
from clinfa.metrics.pairwise._read import (
    Pair,
    by_callable,
    matrix,
    products,
    read_pair,
    share,
    unit_rows,
)
from clinfa.params import Rule, at_least, between, none, shown
from clinfa.spatial import Function

__all__ = [
    "additive_chi2_kernel",
    "chi2_kernel",
    "cosine_similarity",
    "kernel_metrics",
    "laplacian_kernel",
    "linear_kernel",
    "pairwise_kernels",
    "polynomial_kernel",
    "rbf_kernel",
    "sigmoid_kernel",
]

_JOBS = at_least(-(2**31)) | none()
_ANY = Rule("a float", lambda v: isinstance(v, int | float | np.number) and not isinstance(v, bool))


def _gamma(gamma: Any, pair: Pair, owner: str, rule: Rule) -> float:
    if isinstance(gamma, np.ndarray) and gamma.ndim == 0:
        gamma = gamma.item()
    (rule | none()).check("gamma", gamma, owner)
    return 1.0 / pair.X.d if gamma is None else float(gamma)


def linear_kernel(X: Any, Y: Any = None, dense_output: bool = True) -> Any:
    """Inner products of records.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    dense_output : bool, default True
        Whether two sparse matrices give an array too.

    Returns
    -------
    ndarray of shape (n, m)
        Float32 where X and Y are; a sparse matrix where both are, and `dense_output` is False.

    Raises
    ------
    ValueError, TypeError
        If X or Y are no finite records, or have different numbers of columns.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import linear_kernel
    >>> linear_kernel([[1.0, 2.0]], [[3.0, 1.0], [0.0, 1.0]])
    array([[5., 2.]])
    """
    pair = read_pair(X, Y, "linear_kernel")
    if pair.X.sparse and pair.Y.sparse and not dense_output:
        return products(pair)
    return matrix(pair, Function("inner"))


def polynomial_kernel(
    X: Any, Y: Any = None, degree: float = 3, gamma: float | None = None, coef0: float = 1
) -> np.ndarray:
    """Powers of inner products: (gamma x·y + coef0)^degree.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    degree : float, default 3
        At least 1.
    gamma : float, optional
        1 / d by default.
    coef0 : float, default 1

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        As for `linear_kernel`, or if a parameter is not allowed.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import polynomial_kernel
    >>> polynomial_kernel([[1.0, 2.0]], [[3.0, 1.0]], degree=2, gamma=1.0)
    array([[36.]])
    """
    between(1).check("degree", degree, "polynomial_kernel")
    _ANY.check("coef0", coef0, "polynomial_kernel")
    pair = read_pair(X, Y, "polynomial_kernel")
    gamma = _gamma(gamma, pair, "polynomial_kernel", between(0))
    return matrix(pair, Function("inner", "power", gamma, float(coef0), float(degree)))


def sigmoid_kernel(X: Any, Y: Any = None, gamma: float | None = None, coef0: float = 1) -> np.ndarray:
    """Hyperbolic tangents of inner products: tanh(gamma x·y + coef0).

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    gamma : float, optional
        1 / d by default.
    coef0 : float, default 1

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        As for `linear_kernel`, or if a parameter is not allowed.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import sigmoid_kernel
    >>> sigmoid_kernel([[1.0, 2.0]], [[-1.0, 0.5]], coef0=0)
    array([[0.]])
    """
    _ANY.check("coef0", coef0, "sigmoid_kernel")
    pair = read_pair(X, Y, "sigmoid_kernel")
    gamma = _gamma(gamma, pair, "sigmoid_kernel", between(0))
    return matrix(pair, Function("inner", "tangent", gamma, float(coef0)))


def rbf_kernel(X: Any, Y: Any = None, gamma: float | None = None) -> np.ndarray:
    """The Gaussian kernel exp(-gamma |x - y|^2): 1 for equal records, exactly.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    gamma : float, optional
        1 / d by default.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        As for `linear_kernel`, or if a parameter is not allowed.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import rbf_kernel
    >>> rbf_kernel([[0.0], [1.0]], gamma=1.0).round(4)
    array([[1.    , 0.3679],
           [0.3679, 1.    ]])
    """
    pair = read_pair(X, Y, "rbf_kernel")
    return of_squares(pair, "decay", _gamma(gamma, pair, "rbf_kernel", between(0)))


def laplacian_kernel(X: Any, Y: Any = None, gamma: float | None = None) -> np.ndarray:
    """The kernel exp(-gamma |x - y|) of the distance along the axes.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    gamma : float, optional
        1 / d by default.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        As for `linear_kernel`, or if a parameter is not allowed.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import laplacian_kernel
    >>> laplacian_kernel([[0.0, 0.0]], [[1.0, 1.0]]).round(4)
    array([[0.3679]])
    """
    pair = read_pair(X, Y, "laplacian_kernel")
    gamma = _gamma(gamma, pair, "laplacian_kernel", between(0, closed="neither"))
    return along_axes(pair, "decay", gamma)


def cosine_similarity(X: Any, Y: Any = None, dense_output: bool = True) -> Any:
    """Cosines of the angles between records; 0 where one is all zeros.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    dense_output : bool, default True
        Whether two sparse matrices give an array too.

    Returns
    -------
    ndarray of shape (n, m)
        A sparse matrix where X and Y are, and `dense_output` is False.

    Raises
    ------
    ValueError, TypeError
        As for `linear_kernel`.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import cosine_similarity
    >>> cosine_similarity([[2.0, 0.0]], [[0.0, 1.0], [3.0, 4.0]])
    array([[0. , 0.6]])
    """
    pair = unit_rows(read_pair(X, Y, "cosine_similarity"))
    if pair.X.sparse and pair.Y.sparse and not dense_output:
        return products(pair)
    return matrix(pair, Function("inner"))


def _no_negative(pair: Pair) -> None:
    for name, table in (("X", pair.X), ("Y", pair.Y)):
        if table.column_range[0].min() < 0:
            raise ValueError(f"{name} contains negative values.")


def additive_chi2_kernel(X: Any, Y: Any = None) -> np.ndarray:
    """The kernel -sum((x - y)^2 / (x + y)) of histograms.

    Parameters
    ----------
    X, Y : array-like or Dataset of shape (n, d) and (m, d)
        No value below 0; Y is X by default.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        As for `linear_kernel`, or if a value is below 0.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import additive_chi2_kernel
    >>> additive_chi2_kernel([[1.0, 3.0]], [[1.0, 1.0]])
    array([[-1.]])
    """
    pair = read_pair(X, Y, "additive_chi2_kernel", sparse=False)
    _no_negative(pair)
    return matrix(pair, Function("chi", "plain", -1.0))


def chi2_kernel(X: Any, Y: Any = None, gamma: float = 1.0) -> np.ndarray:
    """The kernel exp(-gamma sum((x - y)^2 / (x + y))) of histograms.

    Parameters
    ----------
    X, Y : array-like or Dataset of shape (n, d) and (m, d)
        No value below 0; Y is X by default.
    gamma : float, default 1

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        As for `linear_kernel`, or if a value is below 0 or gamma is not above it.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import chi2_kernel
    >>> chi2_kernel([[1.0, 3.0]], [[1.0, 1.0]]).round(4)
    array([[0.3679]])
    """
    between(0, closed="neither").check("gamma", gamma, "chi2_kernel")
    pair = read_pair(X, Y, "chi2_kernel", sparse=False)
    _no_negative(pair)
    return matrix(pair, Function("chi", "decay", float(gamma)))


_KERNELS: dict[str, tuple[Callable, tuple[str, ...]]] = {
    "additive_chi2": (additive_chi2_kernel, ()),
    "chi2": (chi2_kernel, ("gamma",)),
    "linear": (linear_kernel, ()),
    "polynomial": (polynomial_kernel, ("gamma", "degree", "coef0")),
    "poly": (polynomial_kernel, ("gamma", "degree", "coef0")),
    "rbf": (rbf_kernel, ("gamma",)),
    "laplacian": (laplacian_kernel, ("gamma",)),
    "sigmoid": (sigmoid_kernel, ("gamma", "coef0")),
    "cosine": (cosine_similarity, ()),
}


def kernel_metrics() -> dict[str, Callable]:
    """The kernels that `pairwise_kernels` knows, by name.

    Returns
    -------
    dict

    Examples
    --------
    >>> from clinfa.metrics.pairwise import kernel_metrics
    >>> kernel_metrics()["rbf"].__name__
    'rbf_kernel'
    """
    return {name: function for name, (function, _) in _KERNELS.items()}


def pairwise_kernels(
    X: Any,
    Y: Any = None,
    metric: Any = "linear",
    *,
    filter_params: bool = False,
    n_jobs: int | None = None,
    **kwds: Any,
) -> np.ndarray:
    """The matrix of a kernel between records.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default. With "precomputed" X is the matrix.
    metric : str or callable, default "linear"
        A name of `kernel_metrics`, "precomputed", or a function of two records.
    filter_params : bool, default False
        Whether parameters that the kernel does not have are passed over.
    n_jobs : int, optional
        How many threads work; None and numbers below 1: those of the settings.
    **kwds
        Parameters of the kernel.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        If X or Y are not what the kernel takes, or there is no such kernel.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import pairwise_kernels
    >>> pairwise_kernels([[1.0], [2.0]], metric="poly", degree=2, coef0=0)
    array([[ 1.,  4.],
           [ 4., 16.]])
    """
    _JOBS.check("n_jobs", n_jobs, "pairwise_kernels")
    if isinstance(metric, str) and metric == "precomputed":
        return read_precomputed(X, Y, "pairwise_kernels")
    if isinstance(metric, str) and metric in _KERNELS:
        function, known = _KERNELS[metric]
        if filter_params:
            kwds = {name: value for name, value in kwds.items() if name in known}
    elif callable(metric) and hasattr(
        metric, "is_stationary"
    ):  # a kernel of scikit-learn's Gaussian processes
        function = metric
    elif callable(metric):
        function = partial(by_callable, metric=metric, owner="pairwise_kernels")
    else:
        raise_unknown(metric, {*_KERNELS, "precomputed"}, "pairwise_kernels")
    with share(n_jobs):
        return function(X, Y, **kwds)


def read_precomputed(X: Any, Y: Any, owner: str) -> Any:
    """A matrix that is given, against as many records as Y has."""
    table = read_pair(X, None, owner).X
    indexed = table.n if Y is None or Y is X else np.shape(Y)[0]
    if table.d != indexed:
        raise ValueError(
            f"Precomputed metric requires shape (n_queries, n_indexed). Got {table.n, table.d} for {indexed} "
            f"indexed."
        )
    return table.as_matrix()


def raise_unknown(metric: Any, allowed: set[str], owner: str) -> None:
    """Say what a metric may be."""
    names = ", ".join(map(repr, sorted(allowed)))
    raise twin(InvalidParameterError)(
        f"The 'metric' parameter of {owner} must be a str among {{{names}}} or a callable. "
        f"Got {shown(metric)} instead."
    )
