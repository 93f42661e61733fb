"""What is otherwise with sparse records: their ranks, and thresholds between their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["rank_sparse", "set_thresholds"]


def rank_sparse(X: csr_matrix, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, numbers of values, and what is missing, as of dense records: see `Ranks`.

    Only what is stored is sorted; zeros are one value among those.
    """
    X = X.tocsc()
    X.eliminate_zeros()
    n, d = X.shape
    stored = np.diff(X.indptr)
    column = np.repeat(np.arange(d), stored)
    order = np.lexsort((X.data, column))  # NaN last
    data, row = X.data[order], X.indices[order]
    lacks, zeros = np.isnan(data), stored < n
    fresh = np.ones(len(data), bool)
    fresh[1:] = (column[1:] != column[:-1]) | ((data[1:] != data[:-1]) & ~(lacks[1:] & lacks[:-1]))
    count = np.concatenate([[0], np.cumsum(fresh)])
    codes, below = np.empty((d, n), dtype), fresh & (data < 0)
    codes[:] = np.bincount(column[below], minlength=d)[:, None]  # those of zeros
    codes[column, row] = count[1:] - 1 - count[X.indptr[column]] + (zeros[column] & ~(data < 0))
    missing = np.bincount(column[lacks], minlength=d) > 0
    n_values = np.bincount(column[fresh], minlength=d) + zeros - missing
    return codes, n_values.astype(np.int64), missing.astype(np.uint8)


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
