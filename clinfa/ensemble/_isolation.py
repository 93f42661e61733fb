"""Isolation trees: what they grow on, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import isolation
from clinfa.arrays import Table, all_finite
from clinfa.growing.trees import NODE, Trees
from clinfa.threads import stripes

__all__ = ["Draws", "average_path", "grow"]

_MOST = 1000  # weights above that on average are no numbers of repetitions any more
_BUDGET = 1e7  # looks at a value in one call: some 30 ms
_LOOK_NS, _DRAW_NS = 4.0, 30.0


def average_path(n: np.ndarray) -> np.ndarray:
    """How many splits it takes on average to find that a record is not among n in a random search tree."""
    n = np.asarray(n, np.float64)
    more = np.maximum(n, 3)
    out = 2 * (np.log(more - 1) + np.euler_gamma) - 2 * (more - 1) / more
    return np.where(n > 2, out, np.maximum(n - 1, 0.0))


@dataclass(frozen=True, slots=True)
class Draws:
    """What records a tree grows on: a seed makes a sample.

    They are drawn along an order that depends on what they contain, by cumulative weight, so that a record of
    weight 2 and one that stands there twice lead to the same trees.

    Attributes
    ----------
    order : ndarray of shape (k,), int64
        Records that weigh anything.
    weights : ndarray of shape (k,) or (0,)
        Theirs; empty where all weigh one.
    total : int
        How many there are, or, where weights are whole numbers, repetitions.
    whole : bool
        Whether weights are that.
    """

    order: np.ndarray
    weights: np.ndarray
    total: int
    whole: bool

    @classmethod
    def of(cls, table: Table, weights: np.ndarray) -> Draws:
        """Count what there is to draw from."""
        keys = table.keys()
        if not len(weights):
            return cls(_sorted(keys), weights, table.n, True)
        kept = np.flatnonzero(weights)
        order = kept[_sorted(keys[kept])]
        own = weights[order]
        own = own / own.max() if own.max() > _MOST * len(own) else own  # (so that sums are in range)
        whole = own.sum() <= _MOST * len(own) and bool((own == np.rint(own)).all())
        return cls(order, own, int(own.sum()) if whole else len(order), whole)

    def rows(self, seeds: np.ndarray, size: int, replace: bool) -> np.ndarray:
        """Records for each seed: shape (trees, size), int32."""
        if not (self.whole or replace):
            return np.stack([self._rows_by_weight(int(seed), size) for seed in seeds])
        out = np.empty((len(seeds), size), np.int32)
        cut = stripes(len(seeds), size * _DRAW_NS)
        seen = np.zeros((cut.width(), 0 if replace else self.total), np.uint8)
        ends = np.cumsum(self.weights)
        total = self.total if self.whole else 0
        cut.run(
            lambda cursor, limit, slot: isolation.draw_pass(
                *(self.order, ends, total, replace, seeds, out, seen, cut.bounds, cursor, limit, slot)
            )
        )
        return out

    def _rows_by_weight(self, seed: int, size: int) -> np.ndarray:
        """One after the other by weight without replacement: those whose clocks ring first."""
        times = np.random.Generator(np.random.PCG64(seed)).standard_exponential(len(self.order))
        first = np.argpartition(times / (self.weights / self.weights.max()), size - 1)[:size]
        return self.order[first].astype(np.int32)


def _sorted(keys: np.ndarray) -> np.ndarray:
    return np.argsort(keys, kind="stable" if len(keys) < 2048 else None)


def grow(X: np.ndarray, rows: np.ndarray, columns: np.ndarray, seeds: np.ndarray, deepest: int) -> Trees:
    """A tree on each sample; its values are how far down a record gets, and would get if all were alone.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    rows : ndarray of shape (trees, size), int32
        Overwritten.
    columns : ndarray of shape (trees, c), int32
        What each tree may look at.
    seeds : ndarray of shape (trees,), uint64
    deepest : int
        The depth at which nothing is divided any more.
    """
    trees, size = rows.shape
    nodes, n = np.empty((trees, 2 * size), NODE), np.empty((trees, 2 * size), np.int32)
    deep = np.empty((trees, 2 * size))
    waiting = np.empty((trees, isolation.WAITING_BYTES), np.uint8)
    state = np.zeros((trees, 2), np.int64)
    cut = stripes(trees, 2 * size * (deepest + 1) * _LOOK_NS)
    rooms = np.tile(np.arange(2 * columns.shape[1], dtype=np.int32) % columns.shape[1], (cut.width(), 1))
    while True:
        cut.run(
            lambda cursor, limit, slot: isolation.grow_pass(
                *(X, columns, rows, seeds, deepest, nodes, n, deep, waiting, state, _BUDGET, rooms),
                *(cut.bounds, cursor, limit, slot),
            )
        )
        if not state[:, 0].any():
            break
    counts = state[:, 1]
    there = np.arange(2 * size) < counts[:, None]
    n, depth = n[there], deep[there]
    starts = np.concatenate([[0], np.cumsum(counts)])
    values = (depth + average_path(n))[:, None]
    found = Trees(
        nodes[there],
        n,
        values,
        np.zeros(len(n)),
        np.empty(0),
        starts,
        X.shape[1],
        np.ones(1, np.int64),
        np.maximum.reduceat(depth, starts[:-1]).astype(np.int64),
        _missing(X),
    )
    return found.saying(values)


def _missing(X: np.ndarray) -> np.ndarray:
    """Which columns lack values."""
    return np.zeros(X.shape[1], bool) if all_finite(X) else np.isnan(X).any(axis=0)
