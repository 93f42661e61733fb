"""Scores of two classes in order: what every curve and every area under one is read from.

Scores are first dealt to ranges of scores and, within a range, by class; each part is then sorted by itself.
So sorting and everything after it run in parallel over ranges, on parts that fit in a cache, and a row's
number is never needed. How many ranges there are depends on the number of scores alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clinfa._core import ranking
from clinfa.arrays import NO_WEIGHTS
from clinfa.threads import Stripes, stripes

__all__ = ["Ranked", "corners", "rank"]

_SMALL = 1 << 15  # scores that a cache of the second level holds, and about 0.3 ms of sorting


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scores by range, by class within a range, ascending within a class.

    Attributes
    ----------
    scores : ndarray of shape (n,)
    weights : ndarray of shape (n,) or (0,)
        Of the same rows; of length 0 where all are one.
    starts : ndarray of shape (2 * ranges + 1,)
        Range r's negatives lie in ``starts[2 * r]:starts[2 * r + 1]``, its positives from there to
        ``starts[2 * r + 2]``.
    totals : ndarray of shape (ranges, 2)
        The weight of each range's negatives and of its positives.
    """

    scores: np.ndarray
    weights: np.ndarray
    starts: np.ndarray
    totals: np.ndarray

    @property
    def n_ranges(self) -> int:
        return len(self.totals)

    def area(self) -> float:
        """The area under the ROC: the share of pairs of a negative and a positive that are in order.

        A tie counts half. Exact without weights; both classes must have weight.
        """
        totals = self.totals.tolist()
        negatives, positives = self.totals.sum(axis=0).tolist()
        if len(self.weights):
            return self._area(precision=False) / negatives / positives
        if 2 * max(a * b for a, b in totals) >= 1 << 63:
            raise OverflowError("There are more than 2^62 pairs of a positive and a negative in one range.")
        within = np.empty(self.n_ranges, np.int64)
        self._run(lambda c, limit: ranking.pairs_pass(self.scores, self.starts, c, limit, within))
        # In Python's integers, which do not overflow: pairs of a positive and a negative of a lower range.
        doubled, below = 0, 0
        for here, (n, p) in zip(within.tolist(), totals, strict=True):
            doubled += here + 2 * below * p
            below += n
        return doubled / (2 * negatives * positives)

    def average_precision(self) -> float:
        """The sum over thresholds of precision times the gain in recall; positives must have weight."""
        return self._area(precision=True) / float(self.totals[:, 1].sum())

    def _area(self, precision: bool) -> float:
        above = np.cumsum(self.totals[::-1], axis=0)[::-1] - self.totals
        above = np.ascontiguousarray(above, dtype=np.float64)
        out = np.empty(self.n_ranges)
        self._run(
            lambda c, limit: ranking.area_pass(
                self.scores, self.weights, self.starts, above, precision, c, limit, out
            )
        )
        return float(out.sum())

    def curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weight of negatives and of positives at or above each different score, from the highest on.

        Returns
        -------
        fps, tps : ndarray of shape (m + 1,)
            The first is 0: nothing lies above the highest score.
        thresholds : ndarray of shape (m,)
        """
        n = len(self.scores)
        thresholds, fps, tps = np.empty_like(self.scores), np.empty(n), np.empty(n)
        lengths = np.empty(self.n_ranges, np.int64)
        self._run(
            lambda c, limit: ranking.curve_pass(
                self.scores, self.weights, self.starts, c, limit, thresholds, fps, tps, lengths
            )
        )
        downwards = [(int(a), int(a + m)) for a, m in zip(self.starts[:-1:2], lengths, strict=True) if m][
            ::-1
        ]
        # A range's counts begin where those of the range above end, so they never fall, rounding or not.
        steps = [[0.0, *(counts[b - 1] for _, b in downwards[:-1])] for counts in (fps, tps)]
        bases = np.cumsum(np.array(steps), axis=1)
        return (
            _join(fps, downwards, bases[0], lead=1),
            _join(tps, downwards, bases[1], lead=1),
            _join(thresholds, downwards),
        )

    def _run(self, kernel: Callable[[np.ndarray, int], object]) -> None:
        Stripes(np.arange(self.n_ranges + 1), 1).run(lambda cursor, limit, slot: kernel(cursor, limit))


def rank(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray = NO_WEIGHTS) -> Ranked | None:
    """Put scores in order by class; None if one is not finite.

    Parameters
    ----------
    positive : ndarray of shape (n,), bool
    scores : ndarray of shape (n,), float32, float64 or int64
    weights : ndarray of shape (n,) or (0,)
        Rows of weight 0 are left out.
    """
    n = len(scores)
    ranges = 1 if n < _SMALL else min(ranking.range_limit(), 1 << (n // (_SMALL // 2)).bit_length() - 1)
    splitters = _splitters(scores, ranges)
    cut = stripes(n, 3.0 + ranges / 8)
    bucket, bad = np.empty(n, np.uint8), np.empty(len(cut))
    counts = np.empty((len(cut), 2 * ranges + 1), np.int64)
    positive = positive.view(np.uint8)
    cut.run(
        lambda cursor, limit, slot: ranking.bucket_pass(
            scores, positive, weights, splitters, cut.bounds, cursor, limit, bucket, counts, bad
        )
    )
    if bad.any():
        return None
    counts = counts[:, :-1]
    starts = np.zeros(2 * ranges + 1, np.int64)
    np.cumsum(counts.sum(axis=0), out=starts[1:])
    kept = int(starts[-1])
    out, out_weights = np.empty(kept, scores.dtype), np.empty(kept if len(weights) else 0)
    places = starts[:-1] + np.cumsum(counts, axis=0) - counts
    cut.run(
        lambda cursor, limit, slot: ranking.scatter_pass(
            scores, weights, bucket, places, cut.bounds, cursor, limit, out, out_weights
        )
    )
    parts = list(itertools.pairwise(starts.tolist()))

    def sort(part: int) -> None:
        a, b = parts[part]
        if not len(weights):
            out[a:b].sort()
            return
        order = np.argsort(out[a:b])
        out[a:b], out_weights[a:b] = out[a:b][order], out_weights[a:b][order]

    _each(len(parts), n, sort)
    totals = starts[1:] - starts[:-1]
    if len(weights):
        totals = np.array([out_weights[a:b].sum() for a, b in parts])
    return Ranked(out, out_weights, starts, totals.reshape(-1, 2))


def _splitters(scores: np.ndarray, ranges: int) -> np.ndarray:
    """The scores at which ranges begin: quantiles of a sample, so that ranges hold about as much each."""
    if ranges == 1:
        return scores[:0]
    sample = np.sort(scores[:: max(1, len(scores) // (64 * ranges))])
    return np.ascontiguousarray(sample[np.arange(1, ranges) * len(sample) // ranges])


def _each(count: int, n: int, work: Callable[[int], object]) -> None:
    """Call `work(i)`, which releases the GIL in numpy, for i below `count`, on threads if that pays."""
    if n < _SMALL:
        for i in range(count):
            work(i)
        return
    tickets = itertools.count()  # (`next` on it is atomic)

    def take(cursor: np.ndarray, limit: int, slot: int) -> None:
        i = next(tickets)
        if i < count:
            work(i)
        else:
            cursor[0] = count

    Stripes(np.arange(count + 1), 1).run(take)


def corners(
    fps: np.ndarray, tps: np.ndarray, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A curve of m points without those at which it goes straight on at the same pace.

    The first and the last stay. Returns `fps` and `tps` with a zero in front, as `Ranked.curve` does.
    """
    cut = stripes(len(fps), 6.0)
    x, y, t = np.empty_like(fps), np.empty_like(tps), np.empty_like(thresholds)
    lengths = np.empty(len(cut), np.int64)
    cut.run(
        lambda cursor, limit, slot: ranking.corners_pass(
            fps, tps, thresholds, cut.bounds, cursor, limit, x, y, t, lengths
        )
    )
    parts = [(a, a + m) for a, m in zip(cut.bounds.tolist(), lengths.tolist())]
    return _join(x, parts, lead=1), _join(y, parts, lead=1), _join(t, parts)


def _join(
    values: np.ndarray, parts: list[tuple[int, int]], bases: np.ndarray | None = None, lead: int = 0
) -> np.ndarray:
    """The parts ``values[a:b]`` one after the other, each with its base added, after `lead` zeros."""
    places = list(itertools.accumulate((b - a for a, b in parts), initial=lead))
    out = np.empty(places[-1], values.dtype)
    out[:lead] = 0

    def copy(i: int) -> None:
        (a, b), here = parts[i], out[places[i] : places[i + 1]]
        if bases is None:
            here[:] = values[a:b]
        else:
            np.add(values[a:b], bases[i], out=here)

    _each(len(parts), places[-1], copy)
    return out
