"""Rows and centres as the k-means kernels see them, dense or CSR behind one interface.

Kernels work on (x - shift) * scale. The scale is a power of two that brings the data near one, so that
squares of 1e300 and of 1e-300 stay in range; the shift takes away an offset that is large against the
spread, which would otherwise cancel digits. Both are chosen so that on ordinary data neither changes a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import columns, distances, kmeans, kmeans_csr
from clinfa.arrays import CSR, NO_WEIGHTS, Table
from clinfa.rng import WeightedRows
from clinfa.threads import Stripes, stripes

__all__ = ["Frame", "Points", "SparsePoints", "frame_of", "points"]

_PANEL = kmeans.panel_size()


@dataclass(frozen=True, slots=True)
class Frame:
    """The units that kernels work in: (x - shift) * scale."""

    shift: np.ndarray  # (d,) of the data's dtype
    scale: float

    def reaching(self, table: Table) -> Frame:
        """This frame for rows that came later: in their type, and with room for them where they lie far
        outside. (Another power of two changes no bit of what comes out.)"""
        shift = self.shift if self.shift.dtype == table.dtype else self.shift.astype(table.dtype)
        lies = np.array([[table.X.data.min()], [table.X.data.max()]]) if table.sparse else table.column_range
        far = float(np.abs(lies - (0 if table.sparse else shift)).max())
        if far * self.scale < 1e6:
            return Frame(shift, self.scale)
        return Frame(shift, frame_of(np.array([[-far], [far]]), table.dtype).scale)

    def enter(self, centres: np.ndarray) -> np.ndarray:
        inside = np.subtract(centres, self.shift, dtype=np.float64)
        inside *= self.scale
        return inside.astype(self.shift.dtype, copy=False)

    def leave(self, centres: np.ndarray) -> np.ndarray:
        return (centres / np.float64(self.scale) + self.shift).astype(self.shift.dtype)


def frame_of(reach: np.ndarray, dtype: np.dtype) -> Frame:
    """The frame for data whose columns lie within reach[0] and reach[1]."""
    shift = np.empty(reach.shape[1], dtype)
    return Frame(shift, columns.choose_frame(reach, shift))


class Points:
    """Dense rows with weights, in a frame."""

    def __init__(self, table: Table, weights: np.ndarray = NO_WEIGHTS, frame: Frame | None = None):
        self.table = table
        self.X: Any = table.X
        self.n, self.d, self.dtype = table.n, table.d, table.dtype
        # Weights near the ends of the range are brought near one, like the data.
        top = float(weights.max()) if len(weights) else 1.0
        self.unit = 1.0 if 1e-30 < top < 1e30 else float(np.ldexp(1.0, np.frexp(top)[1] - 1))
        self.weights = weights if self.unit == 1.0 else weights / self.unit
        self.frame = self._own_frame() if frame is None else frame
        self._canonical: WeightedRows | None = None
        # What rounding may do to a squared distance, relative to the squared norms.
        self.noise = (min(self.d, 4096) + 8) * float(np.finfo(self.dtype).eps) / 2

    def _own_frame(self) -> Frame:
        return frame_of(self.table.column_range, self.dtype)

    @property
    def canonical(self) -> WeightedRows:
        """The rows in the order in which random choices meet them; found once for all starts."""
        if self._canonical is None:
            self._canonical = WeightedRows(self.table.keys())
        return self._canonical

    def total_weight(self) -> float:
        return float(self.weights.sum()) if len(self.weights) else float(self.n)

    def row_ns(self, k: int) -> float:
        """What looking at k centres costs a row, about, on one core."""
        return (0.02 * k * self.d + 0.4 * self.d) * self.dtype.itemsize / 4 + 6

    def mean_variance(self) -> float:
        """Mean over the columns of their (weighted) variance, in the frame's units."""
        cut = stripes(self.n, 0.8 * self.d + 2, most=32)
        out = np.zeros((len(cut), 2, self.d + 16))  # a cache line or two keeps stripes apart
        cut.run(
            lambda cursor, limit, slot: columns.moments_pass(
                self.X,
                self.weights,
                self.frame.shift,
                self.frame.scale,
                cut.bounds,
                cursor,
                limit,
                out,
            )
        )
        first, second = out.sum(axis=0)[:, : self.d] / self.total_weight()
        return float(np.maximum(second - first**2, 0).mean())

    def rows(self, which: np.ndarray) -> np.ndarray:
        """Some rows in the frame's units, dense."""
        return self.frame.enter(self.table.rows(which))

    def part(self, which: np.ndarray) -> Points:
        """Some rows, each with weight one, in the same frame."""
        return type(self)(self.table.part(which), NO_WEIGHTS, self.frame)

    # What the algorithms need of each kind of storage

    def pack(self, centres: np.ndarray, packed: tuple[np.ndarray, np.ndarray]) -> None:
        kmeans.pack_centres(centres, *packed)

    def empty_pack(self, k: int, d: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Room for k centres, packed, of d columns (those of the rows by default)."""
        padded = -(-k // _PANEL) * _PANEL
        return np.empty(padded * (d or self.d), self.dtype), np.empty(padded, self.dtype)

    def scratch(self, cut: Stripes, k: int = 0) -> np.ndarray:
        return np.empty((cut.width(), 2 * 64 * self.d + 64), self.dtype)

    def distances(
        self, centres: np.ndarray, labels: np.ndarray, *, each: bool = False
    ) -> tuple[float, np.ndarray]:
        """Weighted sum of the squared distances to the own centres, in the data's units; with `each`,
        the distances too, in the frame's."""
        out = np.empty(self.n if each else 0, self.dtype)
        return self.in_units(self.squared(centres, labels, out)), out

    def squared(self, centres: np.ndarray, labels: np.ndarray, out: np.ndarray | None = None) -> float:
        """The weighted sum of the squared distances to the own centres, in the frame's units."""
        cut = stripes(self.n, 0.3 * self.d + 4)
        sums = np.empty(len(cut))
        out = np.empty(0, self.dtype) if out is None else out
        self._distances(cut, centres, labels, sums, out)
        return float(sums.sum())

    def in_units(self, inertia: float) -> float:
        """A weighted sum of squared distances, from the frame's units to the data's."""
        return inertia * self.unit / self.frame.scale / self.frame.scale

    def _distances(self, cut: Stripes, centres: Any, labels: Any, sums: Any, out: Any) -> None:
        frame = self.frame
        cut.run(
            lambda cursor, limit, slot: distances.distances_pass(
                self.X, frame.shift, frame.scale, centres, self.weights, labels,
                cut.bounds, cursor, limit, sums, out,
            )
        )  # fmt: skip

    def to_all(self, centres: np.ndarray) -> np.ndarray:
        """Distances to every centre, in the data's units: shape (n, k)."""
        k = len(centres)
        cut = stripes(self.n, 2 * self.row_ns(k))
        out = np.empty((self.n, k), self.dtype)
        scratch = np.empty((cut.width(), (64 + 8) * self.d + 8 * 64 + 32), self.dtype)
        cut.run(
            lambda cursor, limit, slot: distances.transform_pass(
                self.X, self.frame.shift, self.frame.scale, centres,
                cut.bounds, cursor, limit, scratch[slot], out,
            )
        )  # fmt: skip
        return out


class SparsePoints(Points):
    """CSR rows with weights. A shift would fill them, so there is none."""

    X: CSR

    def __init__(self, table: Table, weights: np.ndarray = NO_WEIGHTS, frame: Frame | None = None):
        super().__init__(table, weights, frame)
        if self.frame.shift.any():
            self.X = _shifted(self.X, self.frame.shift)
        longest = int(np.diff(self.X.indptr).max())  # products have no more terms than that
        self.noise = (min(longest, 4096) + 8) * float(np.finfo(self.dtype).eps) / 2

    def _own_frame(self) -> Frame:
        """Only columns that are stored in every row can lie far from zero as a whole."""
        d, count = self.d, self.X.indptr[-1]
        values, at = self.X.data[:count], self.X.indices[:count]
        full = np.bincount(at, minlength=d) == self.n
        if not full.any():
            widest = float(np.abs(values).max(initial=0)) or 1.0
            return Frame(np.zeros(d, self.dtype), self._scale(widest))
        low, high = np.zeros((2, d), self.dtype)
        low[full], high[full] = np.inf, -np.inf
        np.minimum.at(low, at, values)
        np.maximum.at(high, at, values)
        reach = np.stack([low, high]).astype(np.float64)
        frame = frame_of(reach, self.dtype)
        frame.shift[~full] = 0
        return Frame(frame.shift, self._scale(float(np.abs(reach - frame.shift).max()) or 1.0))

    def _scale(self, widest: float) -> float:
        return frame_of(np.array([[-widest], [widest]]), self.dtype).scale

    @property
    def _csr(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.X.data, self.X.indices, self.X.indptr

    def row_ns(self, k: int) -> float:
        per_row = len(self.X.data) / max(self.n, 1)
        return per_row * (0.15 * k * self.dtype.itemsize / 4 + 2) + 2 * k

    def mean_variance(self) -> float:
        count = self.X.indptr[-1]
        values, columns = self.X.data[:count] * self.frame.scale, self.X.indices[:count]
        weights = np.repeat(self.weights, np.diff(self.X.indptr)) if len(self.weights) else 1.0
        total = self.total_weight()
        first = np.bincount(columns, weights * values, self.d) / total
        second = np.bincount(columns, weights * values**2, self.d) / total
        return float(np.maximum(second - first**2, 0).mean())

    def pack(self, centres: np.ndarray, packed: tuple[np.ndarray, np.ndarray]) -> None:
        kmeans_csr.pack_centres(centres, *packed)

    def empty_pack(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        lanes = 64 // self.dtype.itemsize
        width = -(-k // lanes) * lanes
        return np.empty((self.d, width), self.dtype), np.empty(width, self.dtype)

    def scratch(self, cut: Stripes, k: int = 0) -> np.ndarray:
        return np.empty((cut.width(), -(-k // 16) * 16 + 32), self.dtype)

    def _distances(self, cut: Stripes, centres: Any, labels: Any, sums: Any, out: Any) -> None:
        half_sq = np.einsum("ij,ij->i", centres, centres, dtype=np.float64) / 2
        cut.run(
            lambda cursor, limit, slot: kmeans_csr.distances_pass(
                *self._csr, self.frame.scale, centres, half_sq, self.weights, labels,
                cut.bounds, cursor, limit, sums, out,
            )
        )  # fmt: skip

    def squared_to(self, centres: np.ndarray, lo: int, hi: int) -> np.ndarray:
        """Squared distances of rows [lo, hi) to a few centres, in the frame's units."""
        packed = self.empty_pack(len(centres))
        self.pack(centres, packed)
        cut = stripes(hi - lo, self.row_ns(len(centres)))
        out = np.empty((hi - lo, len(centres)), self.dtype)
        scratch = self.scratch(cut, len(centres))
        cut.run(
            lambda cursor, limit, slot: kmeans_csr.products_pass(
                self.X.data, self.X.indices, self.X.indptr[lo : hi + 1], self.frame.scale, *packed,
                self.noise, cut.bounds, cursor, limit, scratch[slot], out,
            )
        )  # fmt: skip
        return out

    def to_all(self, centres: np.ndarray) -> np.ndarray:
        return (np.sqrt(self.squared_to(centres, 0, self.n)) / np.float64(self.frame.scale)).astype(
            self.dtype
        )


def _shifted(X: CSR, shift: np.ndarray) -> CSR:
    """X less `shift`: columns with a shift get an entry in every row, which all but few had already."""
    from scipy.sparse import csr_array

    n, d = X.shape
    full = np.flatnonzero(shift)
    count = X.indptr[-1]
    away = csr_array((np.tile(-shift[full], n), np.tile(full, n), np.arange(n + 1) * len(full)), shape=(n, d))
    out = csr_array((X.data[:count], X.indices[:count], X.indptr), shape=(n, d)) + away
    index = np.int32 if out.indptr.dtype == np.int32 else np.int64
    return CSR(
        np.append(out.data, 0).astype(X.dtype), np.append(out.indices, 0).astype(index),
        out.indptr.astype(index), X.shape,
    )  # fmt: skip


def points(table: Table, weights: np.ndarray = NO_WEIGHTS, frame: Frame | None = None) -> Points:
    return (SparsePoints if table.sparse else Points)(table, weights, frame)
