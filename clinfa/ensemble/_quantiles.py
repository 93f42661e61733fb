"""The targets that lie in the leaves of a forest, and quantiles of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import leaf_quantiles
from clinfa.arrays import Table
from clinfa.ensemble._forest import ForestFit
from clinfa.growing.growth import Targets
from clinfa.params import shown
from clinfa.threads import jobs, stripes

__all__ = ["LeafTargets", "read_quantiles"]

_ADD_NS = 2.5  # a target of a leaf
_WORD_NS = 0.3  # looking for those that were found, by 64
_BLOCK = 4_000_000  # leaves at a time: 16 MB


@dataclass(frozen=True, slots=True)
class LeafTargets:
    """Which records lie in each leaf, and their targets.

    Attributes
    ----------
    ends : ndarray of shape (nodes,), int64
        Where the members of a node end, among those of its tree.
    members : ndarray of shape (trees, size), int32
        Records, leaf by leaf, as often as they were drawn.
    weights : ndarray of shape (n,) or (0,)
        What they weigh beside; empty where that is one.
    ranks : ndarray of shape (outputs, n), int32
        Which of the levels a target is.
    levels : list of ndarray
        The distinct targets of each output, rising.
    load : float
        The targets that a record meets, on average.
    """

    ends: np.ndarray
    members: np.ndarray
    weights: np.ndarray
    ranks: np.ndarray
    levels: list[np.ndarray]
    load: float

    @classmethod
    def of(cls, table: Table, targets: Targets, weights: np.ndarray, found: ForestFit) -> LeafTargets:
        """Those that the trees of a forest grew on."""
        trees, bags, n = found._trees, found._bags, table.n
        leaves = trees.leaves(table.X)
        whole = (weights > 0).astype(np.uint32) if len(weights) else np.ones(n, np.uint32)

        def one(t: int) -> tuple[np.ndarray, np.ndarray]:
            counts = whole if bags is None else bags.counts(int(found._seeds[t]))
            nodes, leaf = int(trees.starts[t + 1] - trees.starts[t]), leaves[:, t]
            order = np.argsort(leaf, kind="stable")
            own = np.bincount(leaf, counts, nodes).astype(np.int64)
            return np.repeat(order, counts[order]).astype(np.int32), own

        members, sizes = None, np.empty(len(trees.nodes), np.int64)
        ends = np.empty_like(sizes)
        for t, (records, own) in enumerate(jobs(one, range(len(trees)))):
            if members is None:
                members = np.empty((len(trees), len(records)), np.int32)
            place = slice(trees.starts[t], trees.starts[t + 1])
            members[t], sizes[place], ends[place] = records, own, np.cumsum(own)
        each = [np.unique(column, return_inverse=True) for column in targets.y.T]
        return cls(
            ends,
            members,
            weights if bags is None else np.empty(0),
            np.stack([place for _, place in each]).astype(np.int32),
            [levels for levels, _ in each],
            float(np.square(sizes, dtype=np.float64).sum() / members.shape[1]),
        )

    def quantiles(self, table: Table, found: Any, wanted: np.ndarray, oob: bool) -> np.ndarray:
        """Quantiles, for records that `found`'s trees lead to leaves: shape (n, outputs, len(wanted)).

        With `oob` the records are those of the fit, and trees that have seen one are not asked: NaN where
        all have.
        """
        trees, order = found._trees, np.argsort(wanted, kind="stable")
        rising, out = wanted[order], np.empty((table.n, len(self.levels), len(wanted)))
        seen = None
        if oob:
            seen = np.stack([found._bags.counts(int(seed)) > 0 for seed in found._seeds], axis=1)
        step = max(1, _BLOCK // len(trees))
        for begin in range(0, table.n, step):
            part = slice(begin, begin + step)
            leaves = trees.leaves(table.part(np.arange(begin, min(begin + step, table.n))).X)
            if seen is not None:
                leaves[seen[part]] = -1
            for o, (ranks, levels) in enumerate(zip(self.ranks, self.levels, strict=True)):
                out[part, o, order] = self._pass(leaves, trees.starts, ranks, levels, rising)
        return out

    def _pass(
        self,
        leaves: np.ndarray,
        starts: np.ndarray,
        ranks: np.ndarray,
        levels: np.ndarray,
        wanted: np.ndarray,
    ) -> np.ndarray:
        words = len(levels) // 64 + 1
        cut = stripes(len(leaves), _ADD_NS * self.load + _WORD_NS * words + 50, most=256)
        out = np.empty((len(leaves), len(wanted)))
        shares, bits = np.zeros((cut.width(), len(levels))), np.zeros((cut.width(), words), np.uint64)
        cut.run(
            lambda cursor, limit, slot: leaf_quantiles.quantile_pass(
                *(leaves, starts, self.ends, self.members, self.weights, ranks, levels, wanted, out),
                *(shares, bits, cut.bounds, cursor, limit, slot),
            )
        )
        return out


def read_quantiles(quantiles: Any) -> np.ndarray:
    """Quantiles of shape (k,), each in [0, 1].

    Raises
    ------
    ValueError
        If they are something else.
    """
    try:
        wanted = np.atleast_1d(np.asarray(quantiles, np.float64))
    except (TypeError, ValueError):
        wanted = np.empty(0)
    if wanted.ndim != 1 or not len(wanted) or not ((wanted >= 0) & (wanted <= 1)).all():
        raise ValueError(
            f"quantiles must be a float in [0, 1] or a sequence of such floats, got {shown(quantiles)}."
        )
    return wanted
