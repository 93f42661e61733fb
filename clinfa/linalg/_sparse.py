"""Sparse matrices times blocks: C-contiguous arrays of many rows and few columns.

`product` and `transposed_product` are for a single time. What is multiplied hundreds of times is made a
`SparseOperator` once, which holds the stripes and the checked arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa import threads
from clinfa._core import spmm
from clinfa.arrays import CSR
from clinfa.threads import Stripes, stripes, thread_count

__all__ = ["SparseOperator", "product", "times_transposed", "transposed", "transposed_product"]

_LONG = 1 << 16  # stored values: a row with more is worked on in parts
_AHEAD = 512  # bytes of rows that are on their way from memory
_COLUMNS = 128  # of the block, in one call
_NONE = np.empty(0)


class SparseOperator:
    """A CSR matrix made ready to be multiplied by many blocks.

    Parameters
    ----------
    matrix : CSR or scipy.sparse CSR matrix of shape (n, m)
        With values in float32 or float64 (others are made float64) and indices of 32 or 64 bits. Duplicates
        add up, and the order within a row does not matter. Changing its arrays later is not allowed.

    Attributes
    ----------
    shape : (int, int)
    dtype : dtype
    """

    __slots__ = (
        "_cuts",
        "_data",
        "_indices",
        "_indptr",
        "_long",
        "_numbers",
        "_parts",
        "_work",
        "dtype",
        "shape",
    )

    def __init__(self, matrix: Any):
        n, _ = self.shape = (int(matrix.shape[0]), int(matrix.shape[1]))
        self._data, self._indices, self._indptr = _arrays(matrix)
        self.dtype = self._data.dtype
        self._long, self._parts = np.empty(0, np.intp), 0
        count = int(self._indptr[-1])
        self._work = count + 4.0 * n
        self._cuts = np.array([[0, n, 0, count, -1]])
        if self._work > 5000:
            self._cut(n, count)
        self._numbers = np.arange(len(self._cuts) + 1)

    def _cut(self, n: int, count: int) -> None:
        """Stripes of about as many stored values each; long rows in parts of their own."""
        indptr = self._indptr
        work = indptr + 4 * np.arange(n + 1)
        pieces = max(min(64, int(self._work) // 2500), int(self._work) // (1 << 22) + 1)
        bounds = np.searchsorted(work, np.arange(1, pieces) * (self._work / pieces))
        lengths = np.diff(indptr)
        self._long = np.flatnonzero(lengths > _LONG)
        bounds = np.unique(np.concatenate([[0, n], bounds, self._long, self._long + 1]))
        low, high = bounds[:-1], bounds[1:]
        cuts = np.stack([low, high, indptr[low], indptr[high], np.full(len(low), -1)], axis=1).astype(
            np.int64
        )
        if len(self._long):
            times = np.ones(len(low), np.int64)
            where = np.searchsorted(low, self._long)
            times[where] = -(-lengths[self._long] // _LONG)
            first = np.repeat(np.cumsum(times) - times, times)
            cuts = np.repeat(cuts, times, axis=0)
            part = np.repeat(times > 1, times)
            start = cuts[:, 2] + (np.arange(len(cuts)) - first) * _LONG
            cuts[part, 3] = np.minimum(start + _LONG, cuts[:, 3])[part]
            cuts[part, 2] = start[part]
            self._parts = int(part.sum())
            cuts[part, 4] = np.arange(self._parts)
        self._cuts = cuts

    def __call__(self, block: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """A @ block.

        Parameters
        ----------
        block : ndarray of shape (m, k) or (m,)
            Copied if it is not C-contiguous or not of the matrix's dtype.
        out : ndarray of shape (n, k), C-contiguous, optional
            Where the result goes; not `block`.

        Returns
        -------
        ndarray of shape (n, k) or (n,)
        """
        return self.affine(block, out=out)

    def affine(
        self,
        block: np.ndarray,
        *,
        alpha: float = 1.0,
        centre: float = 0.0,
        beta: float = 0.0,
        other: np.ndarray | None = None,
        gain: np.ndarray | None = None,
        term: np.ndarray | None = None,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """alpha (A @ block - centre block) + beta other + gain term, in one pass.

        Parameters
        ----------
        block : ndarray of shape (m, k) or (m,)
        alpha, centre, beta : float
            A centre other than 0 needs a square matrix.
        other : ndarray of the result's shape, optional
            It may be `out`.
        gain : ndarray of shape (k,), optional
            A factor of each column of `term`.
        term : ndarray of the result's shape, optional
        out : ndarray of the result's shape, C-contiguous, optional
            Where the result goes; not `block`.

        Returns
        -------
        ndarray of shape (n, k) or (n,)

        Raises
        ------
        ValueError
            If shapes do not fit, or `out` is not C-contiguous or not of the matrix's dtype.
        """
        n, m = self.shape
        shape = (n, *block.shape[1:])
        if block.ndim not in (1, 2) or block.shape[0] != m:
            raise ValueError(f"block must have {m} rows to go with {self.shape}, got shape {block.shape}.")
        apart = out is not None and other is None and term is None and _alike(block, out)
        if block.dtype != self.dtype or not (apart or block.flags.c_contiguous):
            block = np.ascontiguousarray(block, self.dtype)
        if out is None:
            out = np.empty(shape, self.dtype)
        elif out.shape != shape or out.dtype != self.dtype or not (apart or out.flags.c_contiguous):
            raise ValueError(
                f"out must be C-contiguous, {self.dtype} and of shape {shape}, got {out.dtype}, {out.shape}."
            )
        by, z, g = _NONE, np.empty((0, 0), self.dtype), np.empty(0, self.dtype)
        r = z
        if alpha != 1 or centre != 0 or other is not None or term is not None:
            if centre != 0 and n != m:
                raise ValueError(f"centre must be 0 for a matrix that is not square, got shape {self.shape}.")
            by = np.array([alpha, centre, beta], np.float64)
            if other is not None:
                if other.shape != shape:
                    raise ValueError(f"other must have shape {shape}, got {other.shape}.")
                z = np.ascontiguousarray(other, self.dtype).reshape(n, -1) if out.size else z
            if term is not None:
                if term.shape != shape or gain is None or gain.shape != shape[1:]:
                    raise ValueError(
                        f"term must have shape {shape}, and gain a number for each of its columns."
                    )
                if out.size:
                    r = np.ascontiguousarray(term, self.dtype).reshape(n, -1)
                    g = np.ascontiguousarray(gain, self.dtype).reshape(-1)
        if out.size:
            width = 1 if block.ndim == 1 else block.shape[1]
            result = out
            if not apart:
                block, result = block.reshape(m, width), out.reshape(n, width)
            if m == 0:
                result[:] = (beta * z if len(z) else 0) + (g * r if len(r) else 0)
            else:
                self._run(block, by, z, g, r, result)
        return out

    def _run(
        self,
        block: np.ndarray,
        by: np.ndarray,
        z: np.ndarray,
        g: np.ndarray,
        r: np.ndarray,
        out: np.ndarray,
    ) -> None:
        k, cuts = out.shape[1], self._cuts
        partial = np.empty((max(self._parts, 1), block.strides[0] // block.itemsize), self.dtype)
        for j0 in range(0, k, _COLUMNS):
            j1 = min(j0 + _COLUMNS, k)
            cost = self._work * (1 + 0.02 * self.dtype.itemsize * (j1 - j0))
            width = 1 if cost < threads.SERIAL_NS else min(thread_count(), len(cuts))
            limit = max(1, int(threads.CALL_NS * len(cuts) / max(cost, 1.0)))
            run = Stripes(self._numbers, limit, width)
            ahead = max(1, _AHEAD // (self.dtype.itemsize * (j1 - j0)))
            run.run(
                lambda cursor, limit, slot, j0=j0, j1=j1, ahead=ahead: spmm.product_pass(
                    self._data, self._indices, self._indptr, block, j0, j1, ahead, cuts, by, z, g, r, cursor,
                    limit, out, partial,
                )
            )  # fmt: skip
        for row in self._long:
            total = partial[cuts[(cuts[:, 0] == row), 4], :k].sum(axis=0)
            if len(by):
                total = by[0] * (total - (by[1] * block[row] if by[1] else 0))
                total = total + by[2] * z[row] if len(z) else total
                total = total + g * r[row] if len(r) else total
            out[row] = total


def _alike(block: np.ndarray, out: np.ndarray) -> bool:
    """Whether both are slices of columns, of arrays of the same width."""
    return (
        block.ndim == out.ndim == 2
        and block.dtype == out.dtype
        and len(block) > 1 < len(out)
        and block.strides == out.strides
        and block.strides[1] == block.itemsize <= block.strides[0]
    )


def product(matrix: Any, block: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """A @ block for a CSR matrix: see `SparseOperator`.

    Parameters
    ----------
    matrix : CSR or scipy.sparse CSR matrix of shape (n, m)
    block : ndarray of shape (m, k) or (m,)
    out : ndarray of shape (n, k), C-contiguous, optional

    Returns
    -------
    ndarray of shape (n, k) or (n,)
    """
    return SparseOperator(matrix)(block, out)


def transposed_product(matrix: Any, block: np.ndarray) -> np.ndarray:
    """The transpose of a CSR matrix times a block.

    Parameters
    ----------
    matrix : CSR or scipy.sparse CSR matrix of shape (n, m)
    block : ndarray of shape (n, k) or (n,)

    Returns
    -------
    ndarray of shape (m, k) or (m,)
    """
    return SparseOperator(transposed(matrix))(block)


def times_transposed(block: np.ndarray, matrix: Any) -> np.ndarray:
    """A block of long rows times the transpose of a CSR matrix of few rows.

    Parameters
    ----------
    block : ndarray of shape (n, m), C-contiguous, of the matrix's dtype
    matrix : CSR or scipy.sparse CSR matrix of shape (k, m)

    Returns
    -------
    ndarray of shape (n, k)
    """
    data, indices, indptr = _arrays(matrix)
    (n, _), k = block.shape, matrix.shape[0]
    out = np.empty((n, k), data.dtype)
    cut = stripes(n, 1.0 * len(data) + 2 * k + 0.1 * matrix.shape[1])
    cut.run(
        lambda cursor, limit, slot: spmm.rows_pass(
            data, indices, indptr, block, cut.bounds, cursor, limit, out
        )
    )
    return out


def transposed(matrix: Any) -> CSR:
    """The transpose of a CSR matrix, as CSR with sorted indices.

    Parameters
    ----------
    matrix : CSR or scipy.sparse CSR matrix of shape (n, m)

    Returns
    -------
    CSR of shape (m, n)
    """
    n, m = matrix.shape
    data, indices, indptr = _arrays(matrix)
    count = int(indptr[-1])
    # As many parts as there is memory for the counts of: about as much as the matrix itself takes.
    cut = stripes(n, 4.0 * count / max(n, 1), most=max(1, min(16, count // max(m, 1))))
    counts = np.zeros((len(cut), m), np.int64)
    cut.run(lambda cursor, limit, slot: spmm.count_pass(indices, indptr, cut.bounds, cursor, limit, counts))
    ends = np.cumsum(counts.sum(axis=0))
    places = np.cumsum(counts, axis=0)
    places += ends - places[-1] - counts
    values, rows = np.empty_like(data), np.empty_like(indices)
    cut.run(
        lambda cursor, limit, slot: spmm.turn_pass(
            data, indices, indptr, cut.bounds, cursor, limit, places, values, rows
        )
    )
    starts = np.zeros(m + 1, indptr.dtype)
    starts[1:] = ends
    return CSR(values, rows, starts, (m, n))


def _arrays(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Data, indices and indptr as kernels take them."""
    data, indices, indptr = matrix.data, matrix.indices, matrix.indptr
    if not isinstance(matrix, CSR):
        if getattr(matrix, "format", None) != "csr":
            raise TypeError(f"matrix must be CSR, got {type(matrix).__name__}.")
        n, m = matrix.shape
        count = int(indptr[-1]) if len(indptr) else -1
        sound = len(indptr) == n + 1 and indptr[0] == 0 and (indptr[1:] >= indptr[:-1]).all()
        if not sound or count > min(len(indices), len(data)):
            raise ValueError("matrix is not valid CSR: its indptr does not fit.")
        if count and (indices[:count].min() < 0 or indices[:count].max() >= m):
            raise ValueError("matrix is not valid CSR: its indices point outside of it.")
    if data.dtype not in (np.float32, np.float64):
        if data.dtype.kind not in "iufb":
            raise TypeError(f"matrix must hold real numbers, got dtype {data.dtype}.")
        data = data.astype(np.float64)
    index = np.int32 if indices.dtype == indptr.dtype == np.int32 else np.int64
    if not len(data):  # kernels take the address of the first value
        data, indices = np.zeros(1, data.dtype), np.zeros(1, index)
    return (
        np.ascontiguousarray(data),
        np.ascontiguousarray(indices, index),
        np.ascontiguousarray(indptr, index),
    )
