"""Bootstrap samples.

Records are drawn along an order that depends on what they and their targets contain, by cumulative weight, so
that a record of weight 2 and one that stands there twice lead to the same models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import bags
from clinfa.arrays import Table
from clinfa.params import shown

__all__ = ["Bags", "positive"]

_MOST = 1000  # draws per record; weights above that on average are no numbers of repetitions any more
_STEP = 2**21  # draws in one call: at most some 30 ms
_FAR = 0x9E3779B97F4A7C15  # times that, seeds of 32 bits are further apart than there are draws


@dataclass(frozen=True, slots=True)
class Bags:
    """A plan of what is drawn; a seed makes a sample of it.

    Weights that are all whole are numbers of repetitions, and there are as many records as their sum; of
    others there are as many as there are records that weigh anything.

    Attributes
    ----------
    n : int
        Records.
    order : ndarray of shape (k,), int64
        Those that weigh anything.
    ends : ndarray of shape (k,) or (0,)
        Their weights added up; empty where there are no weights.
    whole : bool
        Whether weights are numbers of repetitions; also where there are none.
    total : int
        How many records there are, with repetitions.
    size : int
        How many are drawn.
    """

    n: int
    order: np.ndarray
    ends: np.ndarray
    whole: bool
    total: int
    size: int

    @classmethod
    def of(cls, table: Table, y: np.ndarray, weights: np.ndarray, max_samples: Any = None) -> Bags:
        """Count what there is to draw from.

        Raises
        ------
        ValueError
            If `max_samples` asks for too many.
        """
        told = np.ascontiguousarray(y.reshape(table.n, -1), np.float64)
        order = np.argsort(table.keys() + np.uint64(3) * Table(told).keys(), kind="stable")
        total, ends, whole = table.n, np.empty(0), True
        if len(weights):
            order = order[weights[order] > 0]
            own, total = weights[order], len(order)
            # (The greatest first: a sum out of range is no number of records.)
            whole = own.max() <= _MOST * total and bool((own == np.rint(own)).all())
            whole = whole and own.sum() <= _MOST * total
            total = int(own.sum()) if whole else total
            ends = np.cumsum(own if whole else own / own.max())
        if max_samples is None:
            size = total
        elif isinstance(max_samples, int | np.integer):
            size = int(max_samples)
        else:
            size = max(1, int(round(min(max_samples, 2.0 * _MOST) * total, 9)))
        if size > _MOST * total:
            raise ValueError(
                f"max_samples must be <= {_MOST} * n_samples, got {shown(max_samples)} of {total}."
            )
        return cls(table.n, order, ends, whole, total, size)

    def counts(self, seed: int) -> np.ndarray:
        """How often each record is drawn: shape (n,), uint32."""
        out, seed = np.zeros(self.n, np.uint32), seed * _FAR % 2**64
        for begin in range(0, self.size, _STEP):
            bags.draw(self.order, self.ends, begin, min(begin + _STEP, self.size), seed, out)
        return out

    def sample(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The records that are drawn, rising, and how often each is, uint32."""
        rows, weights = np.empty(self.n, np.int32), np.empty(self.n, np.uint32)
        k = bags.gather(self.counts(seed), rows, weights)
        return rows[:k], weights[:k]


def positive(weights: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The records that weigh something, and what they weigh: uint32 where these are counts, else float64."""
    if not len(weights):
        return np.arange(n, dtype=np.int32), None
    rows = np.flatnonzero(weights).astype(np.int32)
    own = weights[rows]
    whole = own.max(initial=0.0) < 2.0**32 / max(len(own), 1) and bool((own == np.rint(own)).all())
    return rows, own.astype(np.uint32 if whole else np.float64)
