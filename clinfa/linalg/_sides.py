"""A matrix from both sides: A times a block and its transpose times a block, whatever A is stored as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clinfa.arrays import CSR, is_sparse
from clinfa.blas import matmul
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._sparse import SparseOperator, transposed

__all__ = ["Sides", "sides"]


@dataclass(frozen=True, slots=True)
class Sides:
    """(A - 1 shift) scale for a matrix A.

    Attributes
    ----------
    shape : (int, int)
    dtype : dtype
        float32 or float64: what blocks are.
    forward, backward : callable
        A times a block of shape (m, k), and its transpose times one of shape (n, k), without shift.
    shift : ndarray of shape (m,) or None
        What is still to be taken off every row.
    turned : bool
        Whether it is the transpose of all this that is meant.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    forward: Any
    backward: Any
    shift: np.ndarray | None = None
    turned: bool = False

    def transpose(self) -> Sides:
        return replace(self, shape=self.shape[::-1], turned=not self.turned)

    def times(self, block: np.ndarray) -> np.ndarray:
        return self._from_right(block) if not self.turned else self._from_left(block)

    def back(self, block: np.ndarray) -> np.ndarray:
        return self._from_left(block) if not self.turned else self._from_right(block)

    def _from_right(self, block: np.ndarray) -> np.ndarray:
        out = self.forward(block)
        if self.shift is not None:
            out -= matmul(self.shift, block).astype(self.dtype)
        return out

    def _from_left(self, block: np.ndarray) -> np.ndarray:
        out = self.backward(block)
        if self.shift is not None:
            out -= np.outer(self.shift, block.sum(axis=0, dtype=np.float64)).astype(self.dtype)
        return out

    def dense(self) -> np.ndarray:
        """The matrix itself, in double."""
        n, m = self.shape
        if n < m:
            return self.transpose().dense().T
        return self.times(np.eye(m, dtype=self.dtype)).astype(np.float64)


def sides(A: Any, shift: np.ndarray | None = None) -> tuple[Sides, float]:
    """Read a matrix.

    Parameters
    ----------
    A : ndarray, CSR, scipy.sparse matrix or scipy.sparse.linalg.LinearOperator of shape (n, m)
    shift : ndarray of shape (m,), optional
        Taken off every row, without ever being subtracted from what is stored.

    Returns
    -------
    sides : Sides
        Of A times a power of two, so that products neither overflow nor vanish.
    scale : float
        That power of two.

    Raises
    ------
    ValueError, TypeError
        If A is no such matrix of real numbers, is empty or not finite.
    """
    A = A if hasattr(A, "shape") else np.asarray(A)
    values, make = _reader(A)
    if min(A.shape) < 1:
        raise ValueError(f"A must have at least one row and one column, got shape {A.shape}.")
    peak = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if shift is not None:
        shift = np.asarray(shift, np.float64)
        if shift.shape != (A.shape[1],):
            raise ValueError(f"shift must have shape {(A.shape[1],)}, got {shift.shape}.")
        peak = max(peak, float(abs(shift).max()))
    if not np.isfinite(peak):
        what = "NaN" if np.isnan(peak) else "infinity"
        raise ValueError(f"A contains {what}: it must be finite.")
    scale = 1.0
    room = 30 if values.dtype == np.float32 else 300
    if peak and not -room < np.log2(peak) < room:
        most = 120 if values.dtype == np.float32 else 1000  # (the scale must be a number of the type, too)
        scale = float(np.ldexp(1.0, -int(np.clip(np.floor(np.log2(peak)), -most, most))))
    return make(scale, None if shift is None else shift * scale), scale


def _reader(A: Any) -> tuple[np.ndarray, Any]:
    """Values that tell how large those of A are, and what makes `Sides` of A times a number."""
    if isinstance(A, CSR) or is_sparse(A):
        return _sparse_reader(A)
    if hasattr(A, "matmat") and hasattr(A, "rmatmat"):
        return _operator_reader(A)
    A = np.asarray(A)
    if A.ndim != 2:
        raise ValueError(f"A must have two dimensions, got shape {A.shape}.")
    A = _real(A)
    by_columns = A.flags.f_contiguous and not A.flags.c_contiguous
    X = A.T if by_columns else np.ascontiguousarray(A)

    def make(scale: float, shift: np.ndarray | None) -> Sides:
        Y = X if scale == 1 else X * X.dtype.type(scale)
        if by_columns:
            return Sides(
                A.shape, X.dtype, lambda V: crossed(Y, V).astype(Y.dtype), lambda U: combined(Y, U), shift
            )
        return Sides(
            A.shape,
            X.dtype,
            lambda V: combined(Y, V, shift=shift),
            lambda U: crossed(Y, U, shift=shift).astype(Y.dtype, copy=False),
        )

    return X, make


def _real(A: np.ndarray) -> np.ndarray:
    if A.dtype.kind not in "iufb":
        raise TypeError(f"A must hold real numbers, got dtype {A.dtype}.")
    return A if A.dtype in (np.float32, np.float64) else A.astype(np.float64)


def _sparse_reader(A: Any) -> tuple[np.ndarray, Any]:
    turned = (
        not isinstance(A, CSR) and A.format == "csc"
    )  # the arrays of CSC are those of its transpose in CSR
    if turned:
        A = A.T
    elif not isinstance(A, CSR) and A.format != "csr":
        A = A.tocsr()
    values = _real(A.data[: int(A.indptr[-1])])

    def make(scale: float, shift: np.ndarray | None) -> Sides:
        there = A
        if scale != 1:
            there = CSR(A.data.astype(values.dtype) * values.dtype.type(scale), A.indices, A.indptr, A.shape)
        right, left = SparseOperator(there), SparseOperator(transposed(there))
        if turned:
            right, left = left, right
        return Sides(right.shape, right.dtype, right, left, shift)

    return values, make


def _operator_reader(A: Any) -> tuple[np.ndarray, Any]:
    dtype = np.dtype(np.float32 if A.dtype == np.float32 else np.float64)
    if A.dtype is not None and np.dtype(A.dtype).kind == "c":
        raise TypeError(f"A must hold real numbers, got dtype {A.dtype}.")
    probe = np.full((A.shape[1], 1), 1 / np.sqrt(max(A.shape[1], 1)), dtype)
    probe[1::2] *= -1
    with np.errstate(over="ignore", invalid="ignore"):
        seen = np.asarray(A.matmat(probe), dtype)

    def make(scale: float, shift: np.ndarray | None) -> Sides:
        def times(product: Any) -> Any:
            def run(block: np.ndarray) -> np.ndarray:
                block = block if scale == 1 else block * dtype.type(scale)
                return np.ascontiguousarray(product(block), dtype)

            return run

        return Sides(tuple(A.shape), dtype, times(A.matmat), times(A.rmatmat), shift)

    return seen, make
