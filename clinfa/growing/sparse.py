"""What is otherwise with sparse records: their ranks, and thresholds between their values."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

__all__ = ["rank_sparse", "set_thresholds"]

# Of columns that are ranked at a time, after which Python can be interrupted: some 30 ms.
_STORED = 100_000
_CODES = 20_000_000


def rank_sparse(X: csr_matrix, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, numbers of values, and what is missing, as of dense records: see `Ranks`.

    Only what is stored is sorted; zeros are one value among those.
    """
    X = X.tocsc()
    X.eliminate_zeros()
    n, d = X.shape
    codes, n_values, missing = np.empty((d, n), dtype), np.empty(d, np.int64), np.empty(d, np.uint8)
    ends = np.searchsorted(X.indptr, np.arange(_STORED, X.nnz, _STORED))
    edges = np.unique(np.concatenate([ends, np.arange(0, d, max(1, _CODES // n)), [d]]))
    for first, last in pairwise(edges.tolist()):
        _rank_columns(X, first, last, codes[first:last], n_values[first:last], missing[first:last])
    return codes, n_values, missing


def _rank_columns(
    X: csc_matrix, first: int, last: int, codes: np.ndarray, n_values: np.ndarray, missing: np.ndarray
) -> None:
    """Those from `first` to before `last`."""
    begins, d = X.indptr[first : last + 1], last - first
    own, stored = slice(begins[0], begins[-1]), np.diff(begins)
    column = np.repeat(np.arange(d), stored)
    order = np.lexsort((X.data[own], column))  # NaN last
    data, row = X.data[own][order], X.indices[own][order]
    lacks, zeros = np.isnan(data), stored < len(codes[0])
    fresh = np.ones(len(data), bool)
    fresh[1:] = (column[1:] != column[:-1]) | ((data[1:] != data[:-1]) & ~(lacks[1:] & lacks[:-1]))
    count = np.concatenate([[0], np.cumsum(fresh)])
    codes[:] = np.bincount(column[fresh & (data < 0)], minlength=d)[:, None]  # those of zeros
    before = count[begins[column] - begins[0]]
    codes[column, row] = count[1:] - 1 - before + (zeros[column] & ~(data < 0))
    missing[:] = np.bincount(column[lacks], minlength=d) > 0
    n_values[:] = np.bincount(column[fresh], minlength=d) + zeros - missing


def set_thresholds(X: csr_matrix, nodes: np.ndarray) -> None:
    """Half-way between the values on both sides, as _core/pack.pyx has it of dense records."""
    all_left = nodes["high"] < 0
    nodes["threshold"][all_left] = np.inf  # (of what is not missing)
    inner = np.flatnonzero((nodes["left"] >= 0) & ~all_left)
    if not len(inner):  # (SciPy wants some places)
        return
    feature = nodes["feature"][inner]
    low, high = (np.asarray(X[nodes[side][inner], feature], np.float64).ravel() for side in ("low", "high"))
    with np.errstate(invalid="ignore"):
        middle = low / 2 + high / 2
    nodes["threshold"][inner] = np.where((middle >= low) & (middle < high), middle, low)
