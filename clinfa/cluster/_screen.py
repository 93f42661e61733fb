"""Long rows, shortened to a few dimensions in which most centres can be ruled out."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import kmeans, kmeans_screen
from clinfa.blas import matmul, one_thread
from clinfa.cluster._points import Points
from clinfa.threads import stripes

__all__ = ["Screen"]


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
            with one_thread():
                start, _ = np.linalg.qr(spread.T @ (spread @ start))
        self.basis = np.ascontiguousarray(start[:, :width])
        self.short = np.empty((n, width + 1), points.dtype)
        self.norms = np.empty(n, points.dtype)
        for lo in range(0, n, 4096):
            self.short[lo : lo + 4096, :width] = matmul(frame.enter(points.X[lo : lo + 4096]), self.basis)
        self.cut = stripes(n, 0.6 * d)
        # The projection's own rounding comes on top of what the tile's does.
        self.noise = 3 * points.noise
        self.cut.run(
            lambda cursor, limit, slot: kmeans_screen.tail_pass(
                points.X, frame.shift, frame.scale, self.short, self.norms, self.noise,
                self.cut.bounds, cursor, limit,
            )
        )  # fmt: skip
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
        short[:, :width] = matmul(centres, self.basis)
        whole = np.einsum("ij,ij->i", centres, centres, dtype=np.float64)
        front = np.einsum("ij,ij->i", short[:, :width], short[:, :width], dtype=np.float64)
        short[:, width] = np.sqrt(np.maximum(whole - front, 0) + self.noise * whole)
        panel, _ = p.empty_pack(k, width + 1)
        half_sq = np.empty_like(packed[1])
        kmeans.pack_centres(short, panel, half_sq)
        # (Few stripes: each ends with a full tile for the rows that it could not settle.)
        cut = stripes(p.n, p.row_ns(k) * (width + 1) / p.d + p.d, most=16)
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
