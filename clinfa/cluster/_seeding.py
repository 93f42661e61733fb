"""Where k-means starts: k-means++ (greedy), k-means||, and rows at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import kmeans, seeding
from clinfa.arrays import Table
from clinfa.blas import matmul
from clinfa.cluster._assignment import nearest
from clinfa.cluster._points import Points, points
from clinfa.rng import WeightedRows
from clinfa.threads import stripes

__all__ = ["plus_plus", "random_rows", "scalable"]

_PANEL = kmeans.panel_size()


def plus_plus(
    p: Points,
    k: int,
    rng: np.random.RandomState,
    trials: int | None = None,
    rows: WeightedRows | None = None,
) -> np.ndarray:
    """Greedy k-means++ (Arthur & Vassilvitskii 2007): row numbers of the chosen centres, shape (k,).

    Each centre is the best of `trials` rows drawn with probability proportional to weight times squared
    distance to the nearest centre so far. A point is looked at again only if a candidate is near enough
    to its present centre to come closer (Raff 2021, by the triangle inequality).
    """
    rows = rows or p.canonical
    trials = trials or 2 + int(np.log(k))
    if not p.table.sparse and rows.buckets == 1 and p.n * k * trials * p.d < 200_000:
        return _plus_plus_small(p, k, rng, trials, rows)
    search = (SparseSearch if p.table.sparse else Search)(p, k, rows, trials)
    first = rows.draw(rows.mass(p.weights), rng.random(1), p.weights)
    search.choose(first[0], p.rows(first))
    for _ in range(1, k):
        uniforms = rng.random(trials)
        if search.potential() > 0:
            candidates = rows.draw(search.mass, uniforms, p.weights, search.closest)
        else:  # fewer different rows than centres: any will do
            candidates = rows.draw(rows.mass(p.weights), uniforms[:1], p.weights)
        there = p.rows(candidates)
        best = search.best_of(there)
        search.choose(candidates[best], there[best : best + 1])
    return search.chosen


def _plus_plus_small(
    p: Points, k: int, rng: np.random.RandomState, trials: int, rows: WeightedRows
) -> np.ndarray:
    chosen = np.empty(k, np.int64)
    seeding.plus_plus_small(
        p.X, p.frame.shift, p.frame.scale, rows.order, p.weights, rng.random(1 + (k - 1) * trials), trials,
        np.empty((k, p.d), p.dtype), np.empty((trials + 1, p.n), p.dtype), np.empty(p.n), chosen,
    )  # fmt: skip
    return chosen


class Search:
    """Squared distances to the nearest centre chosen so far, over dense rows.

    Attributes
    ----------
    closest : ndarray of shape (n,)
    mass : ndarray of shape (buckets,)
        Weight times `closest`, by bucket of `rows`; kept up by subtraction, and counted anew when it has
        fallen so far that the rounding of what it once was could be felt.
    """

    TOGETHER = 12  # candidates whose distances are kept until one of them is chosen

    def __init__(self, p: Points, k: int, rows: WeightedRows, trials: int):
        self.p, self.rows = p, rows
        self.centres = np.empty((k, p.d))
        self.chosen = np.empty(k, np.int64)
        self.count = 0
        self.closest = np.empty(p.n, p.dtype)
        self.owner = np.zeros(p.n, np.int32)
        cut = stripes(p.n, 0.6 * p.d + 2, most=32)
        tile = seeding.tile_rows(self.closest[:0])
        tiles = p.n // tile + 2 * len(cut)
        self._kept = (  # the squared distances that the last `gain` took, tile by tile
            cut,
            np.empty((tiles, -(-min(trials, self.TOGETHER) // _PANEL) * _PANEL * tile), np.float32),
            np.empty((tiles, tile), np.int32),
            np.empty(len(cut), np.int64),
        )
        self.mass = np.empty(0)
        self._counted = 0.0
        self._cut = stripes(p.n, 0.1 * p.d + 2, most=32)
        self._by_bucket = np.empty((len(self._cut), rows.buckets + 16))

    def potential(self) -> float:
        left = float(self.mass.sum())
        if left < 1e-7 * self._counted:
            self._count_mass()
            left = self._counted
        return left

    def _count_mass(self) -> None:
        p, cut = self.p, self._cut
        cut.run(
            lambda cursor, limit, slot: seeding.mass_pass(
                self.closest,
                p.weights,
                self.rows.bucket,
                cut.bounds,
                cursor,
                limit,
                self._by_bucket,
            )
        )
        self.mass = self._by_bucket.sum(axis=0)[: self.rows.buckets]
        self._counted = float(self.mass.sum())

    def _safe(self, candidates: np.ndarray) -> np.ndarray:
        """For each centre the squared distance up to which its points cannot be won over."""
        out = np.empty(max(self.count, 1), self.p.dtype)
        seeding.safe_radii(self.centres, self.count, candidates, self.p.noise, out)
        return out

    def gain(self, candidates: np.ndarray) -> np.ndarray:
        """By how much each candidate would lower the potential."""
        p, m = self.p, len(candidates)
        panel, half_sq = p.empty_pack(m)
        kmeans.pack_centres(candidates, panel, half_sq)
        cut, kept, rows, counts = self._kept
        out = np.empty((len(cut), -(-m // _PANEL) * _PANEL))
        scratch = np.empty((cut.width(), 64 * (p.d + _PANEL) + 32), p.dtype)
        lanes = np.empty((cut.width(), out.shape[1] * 64))
        safe = self._safe(candidates)
        cut.run(
            lambda cursor, limit, slot: seeding.trial_pass(
                p.X, p.frame.shift, p.frame.scale, panel, p.weights, self.closest, self.owner, safe,
                scratch[slot], lanes[slot], cut.bounds, cursor, limit, out, kept, rows, counts,
            )
        )  # fmt: skip
        return out.sum(axis=0)[:m]

    def best_of(self, candidates: np.ndarray) -> int:
        """Which candidate lowers the potential most. A few are looked at together, which bounds memory."""
        few = self.TOGETHER
        gains = [self.gain(candidates[i : i + few]) for i in range(0, len(candidates), few)]
        best = int(np.argmax(np.concatenate(gains)))
        if len(gains) > 1:
            self.gain(candidates[best : best + 1])
            self._which = 0
        else:
            self._which = best
        return best

    def choose(self, row: int, centre: np.ndarray) -> None:
        """Take a row, the first of all or what `best_of` has just found, as the next centre."""
        if self.count:
            self._follow(self._which)
        else:
            self._follow_first(centre)
        self.centres[self.count] = centre[0]
        self.chosen[self.count] = row
        self.count += 1

    def _follow_first(self, centre: np.ndarray) -> None:
        self.p.squared(centre, self.owner, self.closest)
        self._count_mass()

    def _follow(self, which: int) -> None:
        cut, kept, rows, counts = self._kept
        loss = np.empty((len(cut), self.rows.buckets + 16))
        cut.run(
            lambda cursor, limit, slot: seeding.follow_pass(
                kept, rows, counts, which, self.count, self.p.weights, self.closest, self.owner,
                self.rows.bucket, cut.bounds, cursor, limit, loss,
            )
        )  # fmt: skip
        self.mass = np.maximum(self.mass - loss.sum(axis=0)[: self.rows.buckets], 0)


class SparseSearch(Search):
    """The same over CSR rows, a block of rows at a time."""

    BLOCK = 1 << 16

    def _blocks(self, centres: np.ndarray) -> Any:
        for lo in range(0, self.p.n, self.BLOCK):
            hi = min(lo + self.BLOCK, self.p.n)
            yield slice(lo, hi), self.p.squared_to(centres, lo, hi)

    def gain(self, candidates: np.ndarray) -> np.ndarray:
        out = np.zeros(len(candidates))
        self._candidates = candidates
        for part, squared in self._blocks(candidates):
            less = np.maximum(self.closest[part, None] - squared, 0).astype(np.float64)
            out += matmul(self.p.weights[part], less) if len(self.p.weights) else less.sum(axis=0)
        return out

    def _follow_first(self, centre: np.ndarray) -> None:
        self.closest.fill(np.finfo(self.p.dtype).max)
        self._candidates = centre
        self._follow(0)

    def _follow(self, which: int) -> None:
        for part, squared in self._blocks(self._candidates[which : which + 1]):
            np.minimum(self.closest[part], squared[:, 0], out=self.closest[part])
        self._count_mass()


def random_rows(p: Points, k: int, rng: np.random.RandomState) -> np.ndarray:
    """k rows of different content, drawn one after another with probability proportional to weight."""
    keys = p.table.keys()
    rows = p.canonical
    ordered = keys[rows.order]
    left = p.weights.copy() if len(p.weights) else np.ones(p.n)
    mass = rows.mass(left)
    chosen = np.empty(k, np.int64)
    for at, u in enumerate(rng.random(k)):
        if not mass.sum() > 0:  # fewer different rows than centres: any will do
            left = p.weights.copy() if len(p.weights) else np.ones(p.n)
            mass = rows.mass(left)
        row = chosen[at] = rows.draw(mass, np.array([u]), left)[0]
        lo, hi = (
            np.searchsorted(ordered, keys[row], side="left"),
            np.searchsorted(ordered, keys[row], side="right"),
        )
        left[rows.order[lo:hi]] = 0
        for b in range(lo // rows.SIZE, (hi - 1) // rows.SIZE + 1):
            mass[b] = left[rows.order[b * rows.SIZE : (b + 1) * rows.SIZE]].sum()
    return chosen


def scalable(p: Points, k: int, rng: np.random.RandomState, rounds: int = 5) -> np.ndarray:
    """k-means|| (Bahmani et al. 2012): centres in the frame's units, shape (k, d).

    In each of a few rounds about 2 k rows are taken at once, with probability proportional to
    weight times squared distance (systematically along the canonical order); the taken rows, weighted by
    the points that are nearest to them, are then reduced to k by k-means++.
    """
    keys = p.table.keys()
    rows = p.canonical
    weights = p.weights if len(p.weights) else np.ones(p.n)
    taken = rows.draw(rows.mass(p.weights), rng.random(1), p.weights)
    for u in rng.random(rounds):
        centres = p.rows(taken)
        _, squared = p.distances(centres, nearest(p, centres), each=True)
        ends = np.cumsum((squared.astype(np.float64) * weights)[rows.order])
        if not ends[-1] > 0:
            break
        ticks = np.floor(ends * (2 * k / ends[-1]) + u)
        new = rows.order[np.flatnonzero(np.diff(ticks, prepend=0.0) > 0)]
        _, first = np.unique(keys[new], return_index=True)
        taken = np.concatenate([taken, new[np.sort(first)]])
    if len(taken) < k:
        return p.rows(plus_plus(p, k, rng, rows=rows))
    attracted = np.bincount(nearest(p, p.rows(taken)), weights, len(taken))
    inner = points(Table(p.table.rows(taken)), attracted, p.frame)
    return inner.rows(plus_plus(inner, k, rng))
