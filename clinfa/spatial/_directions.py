"""Records of length one: what counts where only angles do."""

from __future__ import annotations

import numpy as np

from clinfa.arrays import CSR, Table

__all__ = ["unit_rows"]


def unit_rows(table: Table) -> Table:
    """The same records with length one; those of zeros stay."""
    if not table.sparse:
        X = table.X
        with np.errstate(over="ignore", under="ignore"):
            square = np.einsum("ij,ij->i", X, X)
            if not ((square > _least(X.dtype)) & (square < np.inf)).all():
                X = X / np.maximum(np.abs(X).max(axis=1, keepdims=True), np.finfo(X.dtype).tiny)
                square = np.einsum("ij,ij->i", X, X)
            square[square == 0] = 1
            return Table(X / np.sqrt(square)[:, None])
    X = table.X
    count = int(X.indptr[-1])
    row = np.repeat(np.arange(table.n), np.diff(X.indptr))
    values = X.data[:count]
    top = np.zeros(table.n, X.dtype)
    np.maximum.at(top, row, np.abs(values))
    top[top == 0] = 1
    values = values / top[row]
    square = np.bincount(row, values.astype(np.float64) ** 2, minlength=table.n)
    square[square == 0] = 1
    data = np.zeros_like(X.data)
    data[:count] = values / np.sqrt(square)[row]
    return Table(CSR(data, X.indices, X.indptr, X.shape))


def _least(dtype: np.dtype) -> float:
    """Squares below it may have lost digits."""
    return float(np.finfo(dtype).tiny / np.finfo(dtype).eps ** 2)
