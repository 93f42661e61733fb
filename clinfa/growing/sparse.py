"""What is otherwise with sparse records: their ranks, and thresholds between their values."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from clinfa._core import pack

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

__all__ = ["Stored", "rank_sparse", "ranks_stored", "set_thresholds", "values_stored", "within"]

# Of columns that are ranked at a time, after which Python can be interrupted: some 30 ms.
_STORED = 100_000
_CODES = 20_000_000


class Stored(NamedTuple):
    """What sparse records store, column by column and record by record.

    Attributes
    ----------
    starts : ndarray of shape (d + 1,), int64
        Where that of each column begins.
    records : ndarray of shape (stored,), int32
        Whose it is.
    zeros : ndarray of shape (d,), uint32
        The code of zero.
    row_starts : ndarray of shape (n + 1,), int64
    row_columns : ndarray of shape (stored,), int32
        Rising within a record.
    row_values : ndarray of shape (stored,)
        Codes, or values where these are looked at.
    """

    starts: np.ndarray
    records: np.ndarray
    zeros: np.ndarray
    row_starts: np.ndarray
    row_columns: np.ndarray
    row_values: np.ndarray

    @classmethod
    def of(cls, X: csc_matrix, values: np.ndarray, zeros: np.ndarray) -> Stored:
        """Of a matrix, and what stands for its values."""
        rows = type(X)((values[: X.nnz], X.indices, X.indptr), shape=X.shape).tocsr()
        return cls(
            X.indptr.astype(np.int64),
            _some(X.indices, np.int32),
            zeros,
            rows.indptr.astype(np.int64),
            _some(rows.indices, np.int32),
            _some(rows.data, values.dtype),
        )


def _some(array: np.ndarray, dtype: Any) -> np.ndarray:
    """At least one number, as kernels take the address of the first."""
    return array.astype(dtype, copy=False) if len(array) else np.zeros(1, dtype)


def within(X: np.ndarray) -> np.ndarray:
    """Values with a number half-way between any two of them, as none of them is infinite."""
    if not np.isinf(X).any():
        return X
    return np.clip(X, np.finfo(X.dtype).min, np.finfo(X.dtype).max)


def ranks_stored(X: csr_matrix, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray, Stored]:
    """Codes of what is stored, shape (1, stored), numbers of values, what is missing: see `Ranks`."""
    X = _by_column(X)
    codes, zeros, n_values, missing = _rank_stored(X, dtype)
    return codes[None], n_values, missing, Stored.of(X, codes, zeros)


def values_stored(X: csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray, Stored]:
    """The same with values."""
    X, d = _by_column(X), X.shape[1]
    values = _some(within(X.data), X.dtype)
    missing = np.zeros(d, np.uint8)
    missing[np.repeat(np.arange(d), np.diff(X.indptr))[np.isnan(X.data)]] = 1
    return values[None], np.zeros(d, np.int64), missing, Stored.of(X, values, np.zeros(d, np.uint32))


def _by_column(X: csr_matrix) -> csc_matrix:
    """The same without zeros that are stored."""
    X = X.tocsc()
    X.eliminate_zeros()
    return X


def _rank_stored(X: csc_matrix, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Codes of what is stored, and of zeros; numbers of values, and what is missing.

    Only what is stored is sorted; zeros are one value among those.
    """
    d = X.shape[1]
    codes, zeros = np.empty(max(X.nnz, 1), dtype), np.empty(d, np.uint32)
    n_values, missing = np.empty(d, np.int64), np.empty(d, np.uint8)
    ends = np.searchsorted(X.indptr, np.arange(_STORED, X.nnz, _STORED))
    edges = np.unique(np.concatenate([[0], ends, [d]]))
    for first, last in pairwise(edges.tolist()):
        own = slice(first, last)
        _rank_columns(X, first, last, codes, zeros[own], n_values[own], missing[own])
    return codes, zeros, n_values, missing


def rank_sparse(X: csr_matrix, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, numbers of values, and what is missing, as of dense records."""
    X = _by_column(X)
    stored, zeros, n_values, missing = _rank_stored(X, dtype)
    codes = np.empty(X.shape[::-1], dtype)
    for begin in range(0, len(codes), max(1, _CODES // X.shape[0])):
        part = slice(begin, begin + max(1, _CODES // X.shape[0]))
        codes[part] = zeros[part, None]
    column = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
    codes[column, X.indices] = stored[: X.nnz]
    return codes, n_values, missing


def _rank_columns(
    X: csc_matrix,
    first: int,
    last: int,
    codes: np.ndarray,
    zeros: np.ndarray,
    n_values: np.ndarray,
    missing: np.ndarray,
) -> None:
    """Those from `first` to before `last`."""
    begins, d = X.indptr[first : last + 1], last - first
    own, stored = slice(begins[0], begins[-1]), np.diff(begins)
    column = np.repeat(np.arange(d), stored)
    order = np.lexsort((X.data[own], column))  # NaN last
    data = X.data[own][order]
    lacks, gaps = np.isnan(data), stored < X.shape[0]
    fresh = np.ones(len(data), bool)
    fresh[1:] = (column[1:] != column[:-1]) | ((data[1:] != data[:-1]) & ~(lacks[1:] & lacks[:-1]))
    count = np.concatenate([[0], np.cumsum(fresh)])
    zeros[:] = np.bincount(column[fresh & (data < 0)], minlength=d)
    before = count[begins[column] - begins[0]]
    codes[own][order] = count[1:] - 1 - before + (gaps[column] & ~(data < 0))
    missing[:] = np.bincount(column[lacks], minlength=d) > 0
    n_values[:] = np.bincount(column[fresh], minlength=d) + gaps - missing


def set_thresholds(X: csr_matrix, nodes: np.ndarray) -> None:
    """Half-way between the values on both sides, as dense records have it."""
    all_left = nodes["high"] < 0
    nodes["threshold"][all_left] = np.inf  # (of what is not missing)
    inner = np.flatnonzero((nodes["left"] >= 0) & ~all_left)
    if not len(inner):  # (SciPy wants some places)
        return
    feature = nodes["feature"][inner]
    low, high = (np.asarray(X[nodes[side][inner], feature], np.float64).ravel() for side in ("low", "high"))
    out = np.empty(len(inner))
    pack.half_ways(low, high, out)
    nodes["threshold"][inner] = out
