"""Which centre each point belongs to, from pass to pass."""

from __future__ import annotations

import numpy as np

from clinfa._core import kmeans, kmeans_csr
from clinfa.cluster._points import Points, SparsePoints
from clinfa.cluster._screen import Screen
from clinfa.threads import stripes

__all__ = ["Assignment", "nearest"]

_NO_FLOATS = np.empty(0, np.float32)
_SUMS_BYTES = 16 << 20  # stripes keep their own sums while all of them together fit this
_NARROW = 64  # centres times features from which on single precision comes first


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
            changed, full = self._screen.assign(
                centres,
                self._packed,
                self.labels,
                self._slack,
                self._own,
                self._other,
                self._room(),
            )
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
                    *state, room, p.noise, self._striped, self._sums, scratch[slot],
                    cut.bounds, cursor, limit, self._counts,
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


def nearest(points: Points, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of every point: shape (n,), int32."""
    state = Assignment(points, len(centres), False, sums=False)
    state.assign(centres)
    return state.labels
