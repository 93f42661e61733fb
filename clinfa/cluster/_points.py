"""Rows and centres as the k-means kernels see them, dense or CSR behind one interface.

Kernels work on (x - shift) * scale. The scale is a power of two that brings the data near one, so that
squares of 1e300 and of 1e-300 stay in range; the shift takes away an offset that is large against the
spread, which would otherwise cancel digits. Both are chosen so that on ordinary data neither changes a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import columns, kmeans, kmeans_csr, kmeans_screen
from clinfa.arrays import CSR, NO_WEIGHTS, Table
from clinfa.threads import Stripes, stripes

__all__ = ["Assignment", "Frame", "Points", "frame_of", "nearest", "points"]

_NO_FLOATS = np.empty(0, np.float32)
_SUMS_BYTES = 16 << 20  # stripes keep their own sums while all of them together fit this
_NARROW = 64  # centres times features from which on single precision comes first
_PANEL = kmeans.panel_size()


@dataclass(frozen=True, slots=True)
class Frame:
    """The units that kernels work in: (x - shift) * scale."""

    shift: np.ndarray  # (d,) of the data's dtype
    scale: float

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
        self.unit = 1.0 if 1e-100 < top < 1e100 else float(np.ldexp(1.0, np.frexp(top)[1] - 1))
        self.weights = weights if self.unit == 1.0 else weights / self.unit
        self.frame = self._own_frame() if frame is None else frame
        # What rounding may do to a squared distance, relative to the squared norms.
        self.noise = (min(self.d, 4096) + 8) * float(np.finfo(self.dtype).eps) / 2

    def _own_frame(self) -> Frame:
        return frame_of(self.table.column_range, self.dtype)

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
                self.X, self.weights, self.frame.shift, self.frame.scale, cut.bounds, cursor, limit, out
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

    def empty_pack(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        groups = -(-k // _PANEL)
        return np.empty(groups * _PANEL * self.d, self.dtype), np.empty(groups * _PANEL, self.dtype)

    def scratch(self, cut: Stripes, k: int = 0) -> np.ndarray:
        return np.empty((cut.width(), 2 * 64 * self.d + 64), self.dtype)

    def distances(
        self, centres: np.ndarray, labels: np.ndarray, *, each: bool = False
    ) -> tuple[float, np.ndarray]:
        """Weighted sum of the squared distances to the own centres, in the data's units; with `each`,
        the distances too, in the frame's."""
        out = np.empty(self.n if each else 0, self.dtype)
        return self.in_units(self.squared(centres, labels, out)), out

    def squared(
        self, centres: np.ndarray, labels: np.ndarray, out: np.ndarray | None = None
    ) -> float:
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
            lambda cursor, limit, slot: kmeans.distances_pass(
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
            lambda cursor, limit, slot: kmeans.transform_pass(
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
        X, d = self.X, self.d
        count = X.indptr[-1]
        stored = np.bincount(X.indices[:count], minlength=d)
        low, high = self.table.column_range
        if (stored == self.n).any():
            low, high = low.copy(), high.copy()
            for j in np.flatnonzero(stored == self.n):
                values = X.data[:count][X.indices[:count] == j]
                low[j], high[j] = values.min(), values.max()
        frame = frame_of(np.stack([low, high]), self.dtype)
        frame.shift[stored < self.n] = 0
        reach = np.abs(np.stack([low, high]) - frame.shift).max()
        scale = columns.choose_frame(np.array([[-reach], [reach]]), np.empty(1, self.dtype))
        return Frame(frame.shift, scale)

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
    away = csr_array(
        (np.tile(-shift[full], n), np.tile(full, n), np.arange(n + 1) * len(full)), shape=(n, d)
    )
    out = csr_array((X.data[:count], X.indices[:count], X.indptr), shape=(n, d)) + away
    index = np.int32 if out.indptr.dtype == np.int32 else np.int64
    return CSR(
        np.append(out.data, 0).astype(X.dtype), np.append(out.indices, 0).astype(index),
        out.indptr.astype(index), X.shape,
    )  # fmt: skip


def points(table: Table, weights: np.ndarray = NO_WEIGHTS, frame: Frame | None = None) -> Points:
    return (SparsePoints if table.sparse else Points)(table, weights, frame)


class Assignment:
    """Which centre each point belongs to, kept from pass to pass with what makes the next pass cheap.

    Bounds (Hamerly 2010): a point stays with its centre as long as that centre and the fastest of the
    others have together moved less than the difference of its two smallest distances. `slack` keeps
    that difference, `lower` the second distance; both in terms of the total paths `own_moved` and
    `other_moved`, so that a point that is skipped is not even written to. Where bounds do not help,
    plain passes are made for a while ("auto").

    Parameters
    ----------
    points : Points
    k : int
    bounded : bool or None
        Always, never, or (None) while it pays.
    """

    def __init__(self, points: Points, k: int, bounded: bool | None = None, *, sums: bool = True):
        self.points, self.k = points, k
        n, d = points.n, points.d
        self.labels = np.full(n, -1, np.int32)
        self.bounded = bounded if k > 1 else False
        self._mode = 0 if self.bounded is False else 1
        self._plain_left, self._pause, self._changed = 0, 1, n
        have = n if self._mode else 0
        self._slack, self._lower = np.empty(have, np.float32), np.empty(have, np.float32)
        self._track, self._own, self._other = np.zeros((2, k)), np.zeros(k), np.zeros(k)
        self._packed = points.empty_pack(k)
        self._keep_sums = sums
        row_bytes = (k * (d + 2) + 16) * 8
        self._striped = sums and not points.table.sparse and 4 * row_bytes <= _SUMS_BYTES
        most = max(4, min(64, _SUMS_BYTES // row_bytes)) if self._striped else 64
        self._cut = stripes(n, points.row_ns(k), most=most)
        self._counts = np.empty((len(self._cut), 2), np.int64)
        # A cache line or two between stripes keeps their threads apart.
        self._sums = np.zeros((len(self._cut), k * (d + 2) + 16 if self._striped else 0))
        self.total = np.zeros((k, d + 2) if sums else (0, 2))  # sum, weight, members by centre
        self._before = np.full(n, -1, np.int32) if sums and not self._striped else None
        self._screen = None
        if bounded is None and sums and not self._striped and not points.table.sparse:
            self._screen = Screen.fitting(points, k)

    def assign(self, centres: np.ndarray) -> int:
        """Give every point its nearest centre; returns how many changed."""
        self.points.pack(centres, self._packed)
        if self._screen is not None:
            changed, full = self._screen.assign(centres, self._packed, self.labels, self._slack, self._own, self._other, self._room())
            if full > 0.3 * self.points.n:  # it settles too little
                self._screen = None
            return changed
        mode = self._choose_mode()
        self._pass(centres, mode)
        changed, looked = self._counts.sum(axis=0)
        self._changed = int(changed)
        if mode == 2 and self.bounded is None and looked > 0.6 * self.points.n:
            self._plain_left, self._pause, self._mode = self._pause, 2 * self._pause, 1
        elif mode:
            self._mode = 2
        return self._changed

    def _choose_mode(self) -> int:
        if self._plain_left:
            self._plain_left -= 1
            return 0
        # Bounds last as long as the centres nearly stand still: not while many labels change.
        if self._mode == 1 and self.bounded is None and self._changed > self.points.n // 20:
            return 0
        return self._mode

    def _pass(self, centres: np.ndarray, mode: int) -> None:
        p, cut = self.points, self._cut
        scratch = p.scratch(cut, self.k)
        state = (mode, self._slack, self._lower, self._own, self._other)
        if isinstance(p, SparsePoints):
            narrow = p.dtype == np.float64
            short = [part.astype(np.float32) if narrow else part[:0] for part in self._packed]
            short.append(p.noise * 2.0**29)  # what single precision adds to the error of double
            cut.run(
                lambda cursor, limit, slot: kmeans_csr.assign_pass(
                    *p._csr, p.frame.scale, *self._packed, *short, self.labels, *state, p.noise,
                    scratch[slot],
                    cut.bounds, cursor, limit, self._counts,
                )
            )  # fmt: skip
        else:
            room = self._room()
            # Double data are looked at in single precision first where the arithmetic outweighs that.
            narrow = p.dtype == np.float64 and self.k * p.d >= _NARROW
            fast = [part.astype(np.float32) for part in self._packed] if narrow else self._packed
            cut.run(
                lambda cursor, limit, slot: kmeans.assign_pass(
                    p.X, p.frame.shift, p.frame.scale, centres, *self._packed, *fast, p.weights, self.labels,
                    *state, room, p.noise, self._striped, self._sums, scratch[slot], cut.bounds, cursor, limit, self._counts,
                )
            )  # fmt: skip

    def _room(self) -> np.ndarray:
        return ((self._own + self._other) * (1 + 1e-6)).astype(np.float32)

    def add_up(self) -> np.ndarray:
        """Sum, weight and members of every cluster: `total`, brought up to date."""
        p, total = self.points, self.total
        if self._striped:
            kmeans.reduce_sums(self._sums, total)
            return total
        if p.table.sparse:
            cut = stripes(self.k, max(p.n * 4.0, 10.0 * len(p.X.data)) / self.k, most=32)
            cut.run(
                lambda cursor, limit, slot: kmeans_csr.sums_pass(
                    *p._csr, p.frame.scale, p.weights, self._before, self.labels,
                    cut.bounds, cursor, limit, total,
                )
            )  # fmt: skip
        else:
            rows = max(1024, 100_000_000 // p.d)
            for lo in range(0, p.n, rows):
                hi = min(p.n, lo + rows)
                cut = stripes(p.d, (hi - lo) * 0.6, most=max(1, p.d // 16))
                cut.run(
                    lambda cursor, limit, slot, lo=lo, hi=hi, cut=cut: kmeans.sums_pass(
                        p.X, p.frame.shift, p.frame.scale, p.weights, self._before, self.labels,
                        lo, hi, cut.bounds, cursor, limit, total,
                    )
                )  # fmt: skip
        total[total[:, -1] == 0] = 0  # what has no members sums to exactly nothing
        self._before[:] = self.labels
        return total

    def add_up_afresh(self) -> np.ndarray:
        """The same from nothing: moving points from sum to sum leaves rounding behind."""
        p = self.points
        self.total[:] = 0
        if not self._striped:
            self._before[:] = -1
            return self.add_up()
        self._sums[:] = 0
        cut = self._cut
        cut.run(
            lambda cursor, limit, slot: kmeans.stripe_sums_pass(
                p.X, p.frame.shift, p.frame.scale, p.weights, self.labels,
                cut.bounds, cursor, limit, self._sums,
            )
        )  # fmt: skip
        return self.add_up()

    def small(self) -> bool:
        """Whether whole fits can be left to `steps`."""
        return len(self._cut) == 1 and self._striped and not self.bounded

    def steps(self, centres: np.ndarray, tol: float, most: int) -> tuple[int, int, int, float, float, bool]:
        """Up to `most` iterations without coming back: see `lloyd_steps`. At most some 20 ms' worth."""
        p = self.points
        most = min(most, max(1, int(20e6 / (p.n * p.row_ns(self.k)))))
        return kmeans.lloyd_steps(
            p.X, p.frame.shift, p.frame.scale, centres, *self._packed, p.weights, self.labels, self._track,
            self._own, self._other, _NO_FLOATS, self._sums, self.total, p.scratch(self._cut)[0], tol, most,
        )  # fmt: skip

    def move(self, centres: np.ndarray, total: np.ndarray) -> tuple[float, float]:
        """Set the centres to the means in `total`; returns the sum of the squared steps, and how worn
        the sums are by moving points between them."""
        return kmeans.step_centres(total, centres, self._track, self._own, self._other)


class Screen:
    """Rows shortened to a few dimensions in which most centres can be ruled out, exactly.

    The directions are the leading ones of a sample's spread, found by a randomised range finder (Halko,
    Martinsson & Tropp 2011); they decide how fast this is, never what comes out.
    """

    LONG = 128  # columns from which on it can pay

    def __init__(self, points: Points, width: int):
        self.points = points
        n, d, frame = points.n, points.d, points.frame
        sample = frame.enter(points.table.rows(np.arange(0, n, max(1, n // 2048))))
        start = np.random.Generator(np.random.PCG64(0)).standard_normal((d, width + 8)).astype(sample.dtype)
        spread = sample - sample.mean(axis=0)
        for _ in range(2):
            start, _ = np.linalg.qr(spread.T @ (spread @ start))
        self.basis = np.ascontiguousarray(start[:, :width])
        self.short = np.empty((n, width + 1), points.dtype)
        self.norms = np.empty(n, points.dtype)
        for lo in range(0, n, 4096):
            self.short[lo : lo + 4096, :width] = frame.enter(points.X[lo : lo + 4096]) @ self.basis
        self.cut = stripes(n, 0.6 * d)
        self.cut.run(
            lambda cursor, limit, slot: kmeans_screen.tail_pass(
                points.X, frame.shift, frame.scale, self.short, self.norms,
                self.cut.bounds, cursor, limit,
            )
        )  # fmt: skip
        # The projection's own rounding comes on top of what the tile's does.
        self.noise = 3 * points.noise
        self.wider = 1.0

    @classmethod
    def fitting(cls, points: Points, k: int) -> Screen | None:
        """A screen, if the shape promises that it pays."""
        if points.d < cls.LONG or k < 64 or points.n < 4 * k:
            return None
        return cls(points, min(96, max(16, points.d // 12 // 16 * 16)))

    def assign(
        self, centres: np.ndarray, packed: Any, labels: np.ndarray, *moved: np.ndarray
    ) -> tuple[int, int]:
        """Label every row; returns how many labels changed, and how many rows took the full tile."""
        p, width = self.points, self.basis.shape[1]
        k = len(centres)
        short = np.empty((k, width + 1), p.dtype)
        short[:, :width] = centres @ self.basis
        whole = np.einsum("ij,ij->i", centres, centres, dtype=np.float64)
        front = np.einsum("ij,ij->i", short[:, :width], short[:, :width], dtype=np.float64)
        short[:, width] = np.sqrt(np.maximum(whole - front, 0))
        panel, _ = points_pack(p, width + 1, k)
        half_sq = np.empty_like(packed[1])
        kmeans.pack_centres(short, panel, half_sq)
        cut = stripes(p.n, p.row_ns(k) * (width + 1) / p.d + p.d)
        scratch = np.empty((cut.width(), 64 * (width + 1 + p.d) + 64), p.dtype)
        zeros, counts = np.zeros(width + 1, p.dtype), np.empty((len(cut), 2), np.int64)
        cut.run(
            lambda cursor, limit, slot: kmeans_screen.screen_pass(
                p.X, p.frame.shift, p.frame.scale, centres, *packed, self.short, self.norms, zeros, panel,
                self.noise, self.wider, labels, *moved, scratch[slot], cut.bounds, cursor, limit, counts,
            )
        )  # fmt: skip
        changed, full = counts.sum(axis=0)
        # While many labels change, no row is safe for long; later, looking at the centres a little
        # beyond the nearest too lets most rows be skipped while the centres move less than that.
        self.wider = 1.0 if changed > p.n // 50 else 1.03
        return int(changed), int(full)


def points_pack(p: Points, d: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    groups = -(-k // _PANEL)
    return np.empty(groups * _PANEL * d, p.dtype), np.empty(groups * _PANEL, p.dtype)


def nearest(points: Points, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of every point: shape (n,), int32."""
    state = Assignment(points, len(centres), False, sums=False)
    state.assign(centres)
    return state.labels
