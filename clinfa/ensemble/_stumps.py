"""Trees of one split for boosting: columns are sorted once, a round is one walk along each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import pack, stumps
from clinfa.growing.growth import CRITERIA
from clinfa.growing.ranks import Ranks
from clinfa.growing.trees import Tree, Trees, impurities, packed
from clinfa.threads import stripes

__all__ = ["Sorted"]

_RECORD = np.uint32(0x7FFFFFFF)
_SORT_NS, _WALK_NS = 6.0, 3.0  # by value
_SLACK = 1e-12  # what rounding may do to a gain, as in _core/trees.h


@dataclass(frozen=True, slots=True)
class Sorted:
    """Records of several classes in the order of each column.

    Attributes
    ----------
    ranks : Ranks
    order : ndarray of shape (d, n), uint32
        Records, with a bit where the next has the same value; those whose value is missing come last.
    known : ndarray of shape (d,)
        How many are not missing.
    y : ndarray of shape (n,), int64
        Classes.
    k : int
    criterion : str
        "gini", or of two classes "entropy".
    """

    ranks: Ranks
    order: np.ndarray
    known: np.ndarray
    y: np.ndarray
    k: int
    criterion: str

    @classmethod
    def of(cls, ranks: Ranks, y: np.ndarray, k: int, criterion: str) -> Sorted:
        """Sort by all columns."""
        n, d = ranks.n, ranks.d
        order, known = np.empty((d, n), np.uint32), np.empty(d, np.int64)
        cut = stripes(d, n * _SORT_NS)
        counts = np.empty((cut.width(), int(ranks.n_values.max()) + 2), np.int64)
        cut.run(
            lambda cursor, limit, slot: stumps.order_pass(
                ranks.columns, ranks.n_values, order, known, counts, cut.bounds, cursor, limit, slot
            )
        )
        return cls(ranks, order, known, y, k, criterion)

    def stump(self, weights: np.ndarray) -> tuple[Tree, np.ndarray]:
        """The tree of one split that lowers the impurity most, and the class that it gives each record.

        Of equally good splits that of the first column wins, and of its thresholds the lowest.

        Parameters
        ----------
        weights : ndarray of shape (n,)
            Above zero.
        """
        n, d, k, y = self.ranks.n, self.ranks.d, self.k, self.y
        totals = np.bincount(y, weights, k)
        if np.count_nonzero(totals) < 2:
            return self._leaf(totals), np.full(n, totals.argmax())
        records = np.empty((n, 2))
        records[:, 0] = weights
        records[:, 1] = y * weights if k == 2 else y
        scores, places, missing_left = np.empty(d), np.empty(d, np.int64), np.empty(d, np.uint8)
        cut = stripes(d, n * (_WALK_NS if k == 2 else _WALK_NS + k))
        rooms = np.empty((cut.width(), k + 16))
        measure, whole = CRITERIA[self.criterion][k > 2], float(totals.sum())
        slack = (
            _SLACK
            * impurities(totals / whole, self.criterion != "gini")
            * whole
            * (whole if measure == 0 else 1.0)
        )
        cut.run(
            lambda cursor, limit, slot: stumps.cut_pass(
                *(measure, self.order, self.known, records, totals, whole, slack, rooms),
                *(scores, places, missing_left, cut.bounds, cursor, limit, slot),
            )
        )
        f = int((scores >= scores.max() - slack).argmax())
        if places[f] < 0:
            return self._leaf(totals), np.full(n, totals.argmax())
        return self._divided(weights, totals, f, int(places[f]), bool(missing_left[f]))

    def _leaf(self, totals: np.ndarray) -> Tree:
        one = np.full(1, -1)
        return self._tree((np.zeros(1), one, one, one), np.array([self.ranks.n]), totals[None], 0)

    def _divided(
        self, weights: np.ndarray, totals: np.ndarray, f: int, place: int, missing_left: bool
    ) -> tuple[Tree, np.ndarray]:
        ranks, k = self.ranks, self.k
        codes, lacking = ranks.columns[f], self.known[f] < ranks.n
        low = self.order[f, place] & _RECORD
        left = codes <= codes[low]
        if missing_left:
            left |= codes == ranks.n_values[f]
        sides = np.bincount(self.y + k * left, weights, 2 * k).reshape(2, k)
        n_left = int(np.count_nonzero(left))
        threshold = np.array([np.inf, 0.0, 0.0])  # all that is not missing goes left
        if place + 1 < self.known[f]:
            rows = low, self.order[f, place + 1] & _RECORD
            pack.half_ways(*(np.array([ranks.X[row, f]], np.float64) for row in rows), threshold[:1])
        rule = (
            threshold,
            np.array([2, -1, -1]),
            np.array([f, -1, -1]),
            # (Where nothing is missing, what will be goes where most weight goes.)
            np.array([missing_left if lacking else 2 * sides[1].sum() > sides.sum(), False, False]),
        )
        counts = np.array([ranks.n, n_left, ranks.n - n_left])
        tree = self._tree(rule, counts, np.stack([totals, sides[1], sides[0]]), 1)
        said = tree.values[1:].argmax(axis=1)
        return tree, np.where(left, said[0], said[1])

    def _tree(self, rule: tuple[np.ndarray, ...], n: np.ndarray, sums: np.ndarray, depth: int) -> Tree:
        whole = sums.sum(axis=1)
        shares = sums / whole[:, None]
        missing = self.ranks.missing.astype(bool)
        trees = Trees(
            packed(*rule, shares),
            n.astype(np.int32),
            shares,
            impurities(shares, self.criterion != "gini"),
            whole,
            np.array([0, len(n)]),
            self.ranks.d,
            np.array([self.k]),
            np.array([depth]),
            missing,
        )
        return Tree(trees)
