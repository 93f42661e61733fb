"""Kernel and distance matrices by the tile: whole, some rows, single entries, or applied and never stored
(docs/kernels.md, "Kernel rows")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import columns, kernel_rows
from clinfa.arrays import Table
from clinfa.threads import Stripes, stripes

__all__ = ["Function", "KernelRows", "finished"]

HIGH, PANEL = kernel_rows.HIGH_ROWS, kernel_rows.PANEL_SIZE
_COLUMN_NS = {"inner": 0.03, "squared": 0.05, "city": 0.07, "chi": 0.7, "known": 0.1}
_MOST_SQUARING = 1024
_CALL_NS = 10_000_000  # what a block of rows may take in one call
_WIDE = 64  # columns that a matrix which is not stored is applied to at a time
_MIRROR = 64  # columns from which it is cheaper to copy a half than to compute it
_ALL = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of two records: one sum over their columns, and what is made of it.

    Attributes
    ----------
    measure : {"inner", "squared", "city", "chi", "known"}
        The sum s: of products, of squared differences, of absolute ones, of squares over sums, of
        squared differences where neither value is missing.
    shape : {"plain", "decay", "power", "tangent", "root", "angle"}
        gamma s + coef, exp(-gamma s), (gamma s + coef)^degree, tanh(gamma s + coef), the root of s, 1 - s
        within [0, 2].
    gamma, coef, degree : float
    """

    measure: str
    shape: str = "plain"
    gamma: float = 1.0
    coef: float = 0.0
    degree: float = 1.0

    @property
    def codes(self) -> tuple[int, int, float, float, float]:
        """As kernels take it."""
        what, made = kernel_rows.MEASURES[self.measure], kernel_rows.FUNCTIONS[self.shape]
        return what, made, self.gamma, self.coef, self.degree

    def cost(self, d: int, itemsize: int) -> float:
        """Nanoseconds for one value, about."""
        made = {"plain": 0.3, "decay": 1.0, "tangent": 1.5, "power": 1.0}.get(self.shape, 0.6)
        if self.shape == "power" and not (self.degree.is_integer() and abs(self.degree) <= _MOST_SQUARING):
            made = 30.0
        return (_COLUMN_NS[self.measure] * d + made) * itemsize / 8


class KernelRows:
    """Values of a function between any records and some that are packed once.

    Parameters
    ----------
    points : Table
        Dense. Not to be changed as long as this is in use.
    function : Function

    Attributes
    ----------
    Y : ndarray of shape (m, d)
        The points.
    shift : ndarray of shape (d,)
        What is taken off them before sums of squares are taken, so that none is of great numbers.
    tiles, norms : ndarray
        The points less `shift` in lanes, as `kernel_rows.pack_pass` leaves them, and their squared lengths.
    """

    def __init__(self, points: Table, function: Function):
        Y = points.X
        self.Y, self.function = Y, function
        self.m, self.d = Y.shape
        self.shift = np.zeros(self.d, Y.dtype)
        if function.measure == "squared":
            columns.choose_frame(points.column_range.astype(np.float64, copy=False), self.shift)
        self._pack()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("tiles", "norms")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._pack()  # (where cache lines begin is another place now)

    def _pack(self) -> None:
        """Put the points into tiles."""
        Y = self.Y
        self.size = kernel_rows.TILE_SIZES[Y.dtype.char]
        self.n_tiles = -(-self.m // self.size)
        self.tiles, self.norms = (np.empty(self.n_tiles * self.size * w + 16, Y.dtype) for w in (self.d, 1))
        cut = stripes(self.n_tiles, self.size * self.d * 1.0)
        cut.run(
            lambda cursor, limit, slot: kernel_rows.pack_pass(
                Y, self.shift, cut.bounds, cursor, limit, self.tiles, self.norms
            )
        )

    def rows(
        self, X: np.ndarray | None = None, which: np.ndarray = _ALL, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Rows of the matrix of all values.

        Parameters
        ----------
        X : ndarray of shape (n, d), of the points' type, C-contiguous, or None for the points themselves
        which : ndarray of shape (rows,), int64
            Which of them; all where it is empty.
        out : ndarray of shape (rows, m)

        Returns
        -------
        ndarray of shape (rows, m)
            The value of two records is the same to the bit when they change places.
        """
        own = X is None
        X = self.Y if own else X
        n = len(which) or len(X)
        out = np.empty((n, self.m), X.dtype) if out is None else out
        mirror = own and not len(which) and self.d >= _MIRROR
        cut = self._cut(n)
        scratch = self._scratch(cut)
        for first, last in self._steps():
            cut.run(
                lambda cursor, limit, slot, first=first, last=last: kernel_rows.rows_pass(
                    *(X, which, self.shift, self.tiles, self.norms, *self.function.codes, mirror),
                    *(first, last, cut.bounds, cursor, limit, scratch, slot, out),
                )
            )
        return out

    def dot(self, block: np.ndarray, X: np.ndarray | None = None) -> np.ndarray:
        """The product of the matrix, which is not stored, with some columns.

        Parameters
        ----------
        block : ndarray of shape (m, k), of the points' type
        X : ndarray of shape (n, d), of the points' type, C-contiguous, or None for the points themselves

        Returns
        -------
        ndarray of shape (n, k)
        """
        X = self.Y if X is None else X
        n, k = len(X), block.shape[1]
        out = np.empty((n, k), X.dtype)
        lanes = 64 // X.itemsize
        cut = self._cut(n, 0.03 * min(k, _WIDE))
        scratch = self._scratch(cut)
        for begin in range(0, k, _WIDE):
            part = block[:, begin : begin + _WIDE]
            wide = -(-part.shape[1] // lanes) * lanes
            values = np.zeros(self.n_tiles * self.size * wide + 16, X.dtype)
            at = -values.ctypes.data % 64 // X.itemsize
            inside = values[at : at + self.m * wide].reshape(self.m, wide)
            inside[:, : part.shape[1]] = part
            total = np.zeros((-(-n // HIGH) * HIGH, wide))
            for first, last in self._steps():
                cut.run(
                    lambda cursor, limit, slot, first=first, last=last, values=values, total=total: (
                        kernel_rows.apply_pass(
                            *(X, self.shift, self.tiles, self.norms, *self.function.codes, values),
                            *(first, last, cut.bounds, cursor, limit, scratch, slot, total),
                        )
                    )
                )
            out[:, begin : begin + _WIDE] = total[:n, : part.shape[1]]
        return out

    def entries(self, indptr: np.ndarray, indices: np.ndarray, X: np.ndarray | None = None) -> np.ndarray:
        """Single values: of row i with the points ``indices[indptr[i] : indptr[i + 1]]``.

        Parameters
        ----------
        indptr : ndarray of shape (n + 1,)
        indices : ndarray of shape (nnz,), of the same integer type
        X : ndarray of shape (n, d), of the points' type, C-contiguous, or None for the points themselves

        Returns
        -------
        ndarray of shape (nnz,)
        """
        X = self.Y if X is None else X
        out = np.empty(len(indices), X.dtype)
        cut = stripes(len(X), len(out) / max(len(X), 1) * (10 + self.function.cost(4 * self.d, 8)))
        cut.run(
            lambda cursor, limit, slot: kernel_rows.pairs_pass(
                *(X, self.Y, indptr, indices, *self.function.codes, cut.bounds, cursor, limit, out)
            )
        )
        return out

    def _cut(self, n: int, more: float = 0.0) -> Stripes:
        """Stripes of blocks of HIGH rows."""
        cost = self.function.cost(self.d, self.Y.itemsize) + more
        return stripes(-(-n // HIGH), min(HIGH * self.m * cost, _CALL_NS))

    def _steps(self) -> list[tuple[int, int]]:
        """Runs of tiles, so that a block of rows meets no more of them in a call than is quickly done."""
        block = HIGH * self.size * self.function.cost(self.d, self.Y.itemsize)
        step = max(1, int(_CALL_NS / block))
        return [(i, min(i + step, self.n_tiles)) for i in range(0, self.n_tiles, step)]

    def _scratch(self, cut: Stripes) -> np.ndarray:
        return np.empty((cut.width(), HIGH * (self.d + 1) + 2 * PANEL * self.size + 64), self.Y.dtype)


def finished(sums: np.ndarray, function: Function) -> np.ndarray:
    """What a function makes of sums that are known, in place: of a C-contiguous array of any shape."""
    values, (_, *how) = sums.reshape(-1), function.codes
    cut = stripes(len(values), function.cost(0, 8))
    cut.run(lambda cursor, limit, slot: kernel_rows.finish_pass(values, *how, cut.bounds, cursor, limit))
    return sums
