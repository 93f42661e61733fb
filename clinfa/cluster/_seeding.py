"""Where k-means starts: k-means++ (greedy), k-means||, and rows at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import kmeans
from clinfa.cluster._points import Points, nearest, points
from clinfa.arrays import Table
from clinfa.rng import WeightedRows
from clinfa.threads import stripes

__all__ = ["plus_plus", "random_rows", "scalable"]

_PANEL = kmeans.panel_size()


def plus_plus(
    p: Points, k: int, rng: np.random.RandomState, trials: int | None = None, rows: WeightedRows | None = None
) -> np.ndarray:
    """Greedy k-means++ (Arthur & Vassilvitskii 2007): row numbers of the chosen centres, shape (k,).

    Each centre is the best of `trials` rows drawn with probability proportional to weight times squared
    distance to the nearest centre so far. A point is looked at again only if a candidate is near enough
    to its present centre to come closer (Raff 2021, by the triangle inequality).
    """
    rows = rows or WeightedRows(p.table.keys())
    trials = trials or 2 + int(np.log(k))
    search = (SparseSearch if p.table.sparse else Search)(p, k, rows)
    first = rows.draw(rows.mass(p.weights), [p.weights], rng.random_sample(1))
    search.choose(int(first[0]))
    for _ in range(1, k):
        if search.potential() > 0:
            candidates = rows.draw(search.mass, [p.weights, search.closest], rng.random_sample(trials))
        else:  # fewer different rows than centres: any will do
            candidates = rows.draw(rows.mass(p.weights), [p.weights], rng.random_sample(1))
        best = int(np.argmin(search.try_out(candidates))) if len(candidates) > 1 else 0
        search.choose(int(candidates[best]))
    return search.chosen[:k]


class Search:
    """Squared distances to the nearest centre chosen so far, over dense rows."""

    def __init__(self, p: Points, k: int, rows: WeightedRows):
        self.p, self.rows = p, rows
        self.centres = np.empty((k, p.d), p.dtype)
        self.chosen = np.empty(k, np.int64)
        self.count = 0
        self.closest = np.empty(p.n, p.dtype)
        self.owner = np.empty(p.n, np.int32)
        self.mass = np.empty(0)
        self._cut = stripes(p.n, 0.5 * p.d + 3)
        self._masses = np.empty((len(self._cut), rows.buckets))

    def potential(self) -> float:
        return float(self.mass.sum())

    def _safe(self, candidates: np.ndarray) -> np.ndarray:
        """For each centre the squared distance up to which its points cannot be won over: a quarter of
        the squared distance to the nearest candidate, less what rounding may do."""
        centres = self.centres[: self.count].astype(np.float64)
        candidates = candidates.astype(np.float64)
        square = np.einsum("ij,ij->i", centres, centres)[:, None] + np.einsum(
            "ij,ij->i", candidates, candidates
        )
        gap = square - 2 * centres @ candidates.T - 8 * self.p.noise * square
        return np.maximum(gap.min(axis=1), 0) * (0.25 * (1 - 1e-5))

    def try_out(self, candidates: np.ndarray) -> np.ndarray:
        p, m = self.p, len(candidates)
        there = p.rows(candidates)
        panel, half_sq = p.empty_pack(m)
        kmeans.pack_centres(there, panel, half_sq)
        cut = stripes(p.n, 0.1 * m * p.d + 0.5 * p.d + 3)
        out = np.empty((len(cut), -(-m // _PANEL) * _PANEL))
        scratch = np.empty((cut.width(), 64 * (p.d + _PANEL) + 32), p.dtype)
        safe = self._safe(there)
        cut.run(
            lambda cursor, limit: kmeans.trial_pass(
                p.X, p.frame.shift, p.frame.scale, panel, m, p.weights, self.closest, self.owner, safe,
                scratch, cut.bounds, cursor, limit, out,
            )
        )  # fmt: skip
        return out.sum(axis=0)[:m]

    def choose(self, row: int) -> None:
        p, number = self.p, self.count
        centre = p.rows(np.array([row]))
        safe = self._safe(centre) if number else np.empty(0)
        self._follow(centre, number, safe)
        self.centres[number] = centre[0]
        self.chosen[number] = row
        self.count += 1

    def _follow(self, centre: np.ndarray, number: int, safe: np.ndarray) -> None:
        p, cut = self.p, self._cut
        cut.run(
            lambda cursor, limit: kmeans.choose_pass(
                p.X, p.frame.shift, p.frame.scale, centre[0], number, p.weights, self.closest, self.owner,
                safe, self.rows.bucket, cut.bounds, cursor, limit, self._masses,
            )
        )  # fmt: skip
        self.mass = self._masses.sum(axis=0)


class SparseSearch(Search):
    """The same over CSR rows, a block of rows at a time."""

    BLOCK = 1 << 16

    def _blocks(self, centres: np.ndarray) -> Any:
        for lo in range(0, self.p.n, self.BLOCK):
            hi = min(lo + self.BLOCK, self.p.n)
            yield slice(lo, hi), self.p.squared_to(centres, lo, hi)

    def try_out(self, candidates: np.ndarray) -> np.ndarray:
        out = np.zeros(len(candidates))
        for part, squared in self._blocks(self.p.rows(candidates)):
            left = np.minimum(squared, self.closest[part, None]).astype(np.float64)
            out += self.p.weights[part] @ left if len(self.p.weights) else left.sum(axis=0)
        return out

    def _follow(self, centre: np.ndarray, number: int, safe: np.ndarray) -> None:
        for part, squared in self._blocks(centre):
            mine = squared[:, 0]
            if number:
                np.minimum(self.closest[part], mine, out=self.closest[part])
            else:
                self.closest[part] = mine
        weights = self.p.weights
        share = self.closest * weights if len(weights) else self.closest
        self.mass = np.bincount(self.rows.bucket, share, self.rows.buckets)


def random_rows(p: Points, k: int, rng: np.random.RandomState) -> np.ndarray:
    """k rows of different content, drawn one after another with probability proportional to weight."""
    keys = p.table.keys()
    rows = WeightedRows(keys)
    ordered = keys[rows.order]
    left = p.weights.copy() if len(p.weights) else np.ones(p.n)
    mass = rows.mass(left)
    chosen = np.empty(k, np.int64)
    for at, u in enumerate(rng.random_sample(k)):
        if not mass.sum() > 0:  # fewer different rows than centres: any will do
            left = p.weights.copy() if len(p.weights) else np.ones(p.n)
            mass = rows.mass(left)
        row = chosen[at] = rows.draw(mass, [left], np.array([u]))[0]
        lo, hi = np.searchsorted(ordered, keys[row], side="left"), np.searchsorted(ordered, keys[row], side="right")
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
    rows = WeightedRows(keys)
    weights = p.weights if len(p.weights) else np.ones(p.n)
    taken = rows.draw(rows.mass(p.weights), [p.weights], rng.random_sample(1))
    for u in rng.random_sample(rounds):
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
