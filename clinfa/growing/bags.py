"""Bootstrap samples for trees.

Records are drawn along an order that depends on what they and their targets contain, by cumulative weight, so
that a record of weight 2 and one that stands there twice lead to the same trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import bags
from clinfa.arrays import Table
from clinfa.growing.grow import Targets
from clinfa.params import shown

__all__ = ["Bags", "positive"]

_MOST = 1000  # weights above that many times the mean are no numbers of repetitions any more


@dataclass(frozen=True, slots=True)
class Bags:
    """A plan of what is drawn; a seed makes a sample of it.

    Attributes
    ----------
    n : int
        Records.
    order : ndarray of shape (k,), int64
        Those that weigh anything.
    ends : ndarray of shape (k,) or (0,)
        Their weights added up; empty where all weigh one.
    size : int
        How many are drawn.
    """

    n: int
    order: np.ndarray
    ends: np.ndarray
    size: int

    @classmethod
    def of(cls, table: Table, targets: Targets, weights: np.ndarray, max_samples: Any) -> Bags:
        """Count what there is to draw from."""
        keys = table.keys() + np.uint64(3) * Table(targets.y).keys()
        order = np.argsort(keys, kind="stable")
        total, ends = table.n, np.empty(0)
        if len(weights):
            order = order[weights[order] > 0]
            own = weights[order]
            total, most = len(order), own.max()
            share = (own / most).mean()
            # Whole numbers are repetitions.
            if most * share < 2**31 and share * _MOST >= 1 and (own == np.rint(own)).all():
                total = int(own.sum())
                ends = np.cumsum(own)
            else:
                ends = np.cumsum(own / most)
        if max_samples is None:
            size = total
        elif isinstance(max_samples, int | np.integer):
            size = int(max_samples)
        else:
            size = max(1, int(round(max_samples * total, 9)))
        if size > _MOST * total:
            raise ValueError(f"max_samples must be <= {_MOST} * n_samples, got {shown(size)} of {total}.")
        return cls(table.n, order, ends, size)

    def counts(self, seed: int) -> np.ndarray:
        """How often each record is drawn: shape (n,), uint32."""
        out = np.zeros(self.n, np.uint32)
        bags.draw(self.order, self.ends, self.size, seed, out)
        return out

    def sample(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The records that are drawn, rising, and how often each is."""
        rows, weights = np.empty(self.n, np.int32), np.empty(self.n)
        k = bags.gather(self.counts(seed), rows, weights)
        return rows[:k], weights[:k]


def positive(weights: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The records that weigh something, and what they weigh."""
    if not len(weights):
        return np.arange(n, dtype=np.int32), None
    rows = np.flatnonzero(weights).astype(np.int32)
    return rows, weights[rows].astype(np.float64)
