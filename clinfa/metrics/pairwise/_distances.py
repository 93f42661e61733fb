"""Distances between all records: scikit-learn's functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import kernel_rows
from clinfa.arrays import CSR, Table
from clinfa.metrics.pairwise._read import (
    Pair,
    dense,
    fits_dense,
    matrix,
    products,
    read_pair,
    unit_rows,
)
from clinfa.spatial import Function, KernelRows, finished
from clinfa.threads import stripes

__all__ = [
    "cosine_distances",
    "euclidean_distances",
    "haversine_distances",
    "manhattan_distances",
    "nan_euclidean_distances",
]

_LONG = 1024  # columns from which sparse records are no longer made dense
_FILLED = 40  # a merge is worth it where fewer than one value in so many is there
_ENTRIES = 1 << 18  # of a matrix that NumPy works on at a time


def of_squares(
    pair: Pair, shape: str, gamma: float = 1.0, norms: tuple[Any, Any] = (None, None)
) -> np.ndarray:
    """A function of squared Euclidean distances."""
    function = Function("squared", shape, gamma)
    given = any(norm is not None for norm in norms)
    if not given and (not pair.sparse or (pair.X.d <= _LONG and fits_dense(pair))):
        return matrix(pair, function)
    dtype = pair.X.dtype
    pair = Pair(pair.X.astype(np.float64), pair.Y.astype(np.float64), pair.own)
    x, y = (_squares(t) if norm is None else norm for t, norm in zip((pair.X, pair.Y), norms, strict=True))
    out = np.ascontiguousarray(dense(products(pair)))
    out *= -2
    out += x[:, None]
    out += y
    np.maximum(out, 0, out=out)
    if pair.own:
        np.fill_diagonal(out, 0)
    return finished(out, function).astype(dtype, copy=False)


def _squares(table: Table) -> np.ndarray:
    if not table.sparse:
        return np.einsum("ij,ij->i", table.X, table.X)
    X: Any = table.X
    count = int(X.indptr[-1])
    return np.bincount(
        np.repeat(np.arange(table.n), np.diff(X.indptr)), X.data[:count] ** 2, minlength=table.n
    )


def along_axes(pair: Pair, shape: str, gamma: float = 1.0) -> np.ndarray:
    """A function of distances along the axes."""
    function = Function("city", shape, gamma)
    if not pair.sparse:
        return matrix(pair, function)
    filled = sum(len(t.X.data) / t.n if t.sparse else t.d for t in (pair.X, pair.Y))
    if fits_dense(pair) and filled * _FILLED > pair.X.d:
        return matrix(pair, function)
    X, Y = _rows(pair.X), _rows(pair.Y)
    out = np.empty(pair.shape, pair.X.dtype)
    cut = stripes(pair.X.n, 4.0 * filled * pair.Y.n)
    cut.run(lambda cursor, limit, slot: kernel_rows.city_pass_csr(*X, *Y, cut.bounds, cursor, limit, out))
    return finished(out, function)


def _rows(table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Data, indices and beginnings of rows, of 64-bit integers."""
    X: Any = table.X
    if not table.sparse:
        given = table.as_matrix()
        from scipy.sparse import csr_array

        given = csr_array(given)
        X = CSR(
            np.append(given.data, 0).astype(table.dtype),
            np.append(given.indices, 0),
            given.indptr,
            table.X.shape,
        )
    return X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)


def euclidean_distances(
    X: Any, Y: Any = None, *, Y_norm_squared: Any = None, squared: bool = False, X_norm_squared: Any = None
) -> np.ndarray:
    """Euclidean distances.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    Y_norm_squared, X_norm_squared : array-like of shape (m,) and (n,), optional
        Squared norms that are known. Without them distances are found by differences where it matters, and
        are exact for near records too.
    squared : bool, default False
        Whether squared distances are returned.

    Returns
    -------
    ndarray of shape (n, m)
        Float32 where X and Y are.

    Raises
    ------
    ValueError, TypeError
        If X or Y are no finite records, or have different numbers of columns.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import euclidean_distances
    >>> euclidean_distances([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])
    array([[5., 1.]])
    """
    pair = read_pair(X, Y, "euclidean_distances")
    norms = (
        _known_norms(X_norm_squared, pair.X, "X"),
        _known_norms(Y_norm_squared, pair.Y, "Y"),
    )
    return of_squares(pair, "plain" if squared else "root", norms=norms)


def _known_norms(given: Any, table: Table, name: str) -> np.ndarray | None:
    """Squared norms that a user knows; those in single precision are too coarse to be of use."""
    if given is None:
        return None
    norms = np.asarray(given)
    if norms.shape not in ((table.n,), (table.n, 1), (1, table.n)):
        raise ValueError(
            f"Incompatible dimensions for {name} of shape {table.X.shape} and {name}_norm_squared of shape "
            f"{norms.shape}."
        )
    return None if norms.dtype == np.float32 else norms.reshape(-1).astype(np.float64)


def manhattan_distances(X: Any, Y: Any = None) -> np.ndarray:
    """Distances along the axes: sums of absolute differences.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError, TypeError
        As for `euclidean_distances`.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import manhattan_distances
    >>> manhattan_distances([[0.0, 0.0]], [[3.0, 4.0]])
    array([[7.]])
    """
    return along_axes(read_pair(X, Y, "manhattan_distances"), "plain")


def cosine_distances(X: Any, Y: Any = None) -> np.ndarray:
    """One minus the cosine of the angle between records; 1 from a record of zeros.

    Parameters
    ----------
    X, Y : array-like, sparse matrix or Dataset of shape (n, d) and (m, d)
        Y is X by default.

    Returns
    -------
    ndarray of shape (n, m)
        Zero on the diagonal where Y is X.

    Raises
    ------
    ValueError, TypeError
        As for `euclidean_distances`.

    Examples
    --------
    >>> from clinfa.metrics.pairwise import cosine_distances
    >>> cosine_distances([[2.0, 0.0]], [[0.0, 1.0], [3.0, 4.0]])
    array([[1. , 0.4]])
    """
    pair = unit_rows(read_pair(X, Y, "cosine_distances"))
    out = matrix(pair, Function("inner", "angle"))
    if pair.own:
        np.fill_diagonal(out, 0)
    return out


def nan_euclidean_distances(
    X: Any, Y: Any = None, *, squared: bool = False, missing_values: Any = np.nan, copy: bool = True
) -> np.ndarray:
    """Euclidean distances over the columns that neither record lacks, scaled up to all.

    Parameters
    ----------
    X, Y : array-like or Dataset of shape (n, d) and (m, d)
        Y is X by default.
    squared : bool, default False
        Whether squared distances are returned.
    missing_values : float, default NaN
        What stands where a value is missing.
    copy : bool, default True
        Makes no difference: X and Y are never written into.

    Returns
    -------
    ndarray of shape (n, m)
        NaN where two records have no column in common.

    Raises
    ------
    ValueError, TypeError
        If X or Y are no records, hold infinity, or NaN where that does not stand for what is missing.

    References
    ----------
    John K. Dixon (1979), Pattern recognition with partly missing data, IEEE Transactions on Systems, Man, and
    Cybernetics 9(10).

    Examples
    --------
    >>> from clinfa.metrics.pairwise import nan_euclidean_distances
    >>> nan = float("nan")
    >>> nan_euclidean_distances([[3.0, nan, 0.0, 0.0]], [[1.0, 5.0, nan, 2.0]])
    array([[4.]])
    """
    lacking = isinstance(missing_values, float) and np.isnan(missing_values)
    pair = read_pair(X, Y, "nan_euclidean_distances", sparse=False, finite=not lacking)
    tables = (pair.X,) if pair.own else (pair.X, pair.Y)
    if not lacking:
        tables = tuple(Table(np.where(missing_values == t.X, np.nan, t.X).astype(t.dtype)) for t in tables)
    elif any(np.isinf(t.X).any() for t in tables):
        raise ValueError(f"Input contains infinity or a value too large for {pair.X.dtype!r}.")
    there = [Table((~np.isnan(t.X)).astype(t.dtype)) for t in tables]
    other = len(tables) - 1
    out, common = (
        KernelRows(t[other], Function(measure)).rows(None if pair.own else t[0].X)
        for t, measure in ((tables, "known"), (there, "inner"))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        out *= pair.X.d
        out /= common  # (nothing over nothing is NaN)
    return out if squared else np.sqrt(out, out=out)


def haversine_distances(X: Any, Y: Any = None) -> np.ndarray:
    """The angle between places on a sphere.

    Parameters
    ----------
    X, Y : array-like or Dataset of shape (n, 2) and (m, 2)
        Latitude and longitude in radians; Y is X by default.

    Returns
    -------
    ndarray of shape (n, m), float64
        Angles in radians: times the radius they are distances.

    Raises
    ------
    ValueError, TypeError
        If X or Y are no finite records of two columns.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.metrics.pairwise import haversine_distances
    >>> buenos_aires, paris = np.radians([[-34.83333, -58.5166646], [49.0083899664, 2.53844117956]])
    >>> int(haversine_distances([buenos_aires], [paris])[0, 0] * 6371)
    11099
    """
    pair = read_pair(X, Y, "haversine_distances", sparse=False)
    if pair.X.d != 2:
        raise ValueError("Haversine distance only valid in 2 dimensions")
    x, y = pair.X.X.astype(np.float64), pair.Y.X.astype(np.float64)
    out, step = np.empty(pair.shape), max(1, _ENTRIES // len(y))
    for i in range(0, len(x), step):
        part = x[i : i + step, None]
        half = np.sin((part - y) / 2) ** 2
        up = half[..., 0] + np.cos(part[..., 0]) * np.cos(y[:, 0]) * half[..., 1]
        out[i : i + step] = 2 * np.arcsin(np.sqrt(np.minimum(up, 1)))
    return out
