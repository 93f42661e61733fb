"""Growing trees: rules in, samples in, trees out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import pack, split
from clinfa.growing.ranks import Ranks
from clinfa.growing.trees import NODE, Trees
from clinfa.threads import Stripes, jobs, stripes

__all__ = ["CRITERIA", "Rules", "Targets", "grow"]

RECORD = np.dtype(
    [(name, "i4") for name in ("left", "right", "feature", "n", "low", "high", "depth", "missing_left")]
    + [(name, "f8") for name in ("threshold", "weight", "impurity")]
)

# Measures of _core/scores.pxd: for one target or two classes, and for more.
CRITERIA = {
    "gini": (0, 3),
    "entropy": (1, 4),
    "log_loss": (1, 4),
    "squared_error": (0, 5),
    "friedman_mse": (0, 5),
    "poisson": (2, 6),
    "absolute_error": (7, 7),
    "any": (8, 8),
}
_BUDGET = 4e6  # looks at a value in one call: some 30 ms
_TOGETHER = 100_000  # samples that one call gets, unless a single tree has more
_NODE_NS = 20.0  # putting a node where it is kept
_LEAST_TABLES = 16_384  # with fewer records than that, small nodes do without tables of their own
_FAR = 1e100  # weights and targets beyond are brought near by a power of two


@dataclass(frozen=True, slots=True)
class Rules:
    """When a node is divided, and how; the names are the estimators'."""

    criterion: str
    random: bool
    max_features: int
    max_depth: int | None
    min_samples_split: int
    min_samples_leaf: int
    min_weight_fraction_leaf: float
    max_leaf_nodes: int | None
    min_impurity_decrease: float
    monotonic: np.ndarray | None = None  # (d,) int8


@dataclass(frozen=True, slots=True)
class Targets:
    """What is predicted.

    Attributes
    ----------
    y : ndarray of shape (n, outputs), float64
        Numbers, or codes of classes.
    n_classes : ndarray of shape (outputs,)
        1 for numbers.
    classes : bool
    """

    y: np.ndarray
    n_classes: np.ndarray
    classes: bool

    @property
    def width(self) -> int:
        return int(self.n_classes.sum())


def grow(
    ranks: Ranks,
    targets: Targets,
    rules: Rules,
    seeds: np.ndarray,
    sample: Callable[[int], tuple[np.ndarray, np.ndarray | None]],
    size: int,
) -> Trees:
    """A tree for each seed: the same bits on any number of threads.

    Parameters
    ----------
    ranks : Ranks
    targets : Targets
    rules : Rules
    seeds : ndarray of shape (trees,), uint64
    sample : callable
        What the tree of a seed grows on: records, rising, of shape (m,), int32 (one that stands there twice
        counts as two); and their weights, none of them zero, float64, or None (for all trees or for none).
    size : int
        About how many records that are.
    """
    together = max(1, _TOGETHER // max(size, 1))
    parts = [seeds[i : i + together] for i in range(0, len(seeds), together)]
    spare: list[_Room] = []  # one for each thread, by and by

    def work(part: np.ndarray) -> Trees:
        try:
            room = spare.pop()
        except IndexError:
            room = _Room()
        trees = _grow_together(ranks, targets, rules, part, [sample(int(seed)) for seed in part], room)
        spare.append(room)
        return trees

    return work(parts[0]) if len(parts) == 1 else Trees.joined(jobs(work, parts), len(parts))


class _Room:
    """Memory that one group of trees after the other grows in, as fresh memory costs time."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self.sizes: tuple[int, ...] = ()
        self.kernel = np.empty((1, 0), np.uint8)

    def array(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """One with whatever it holds."""
        size = math.prod(shape)
        there = self._arrays.get(name)
        if there is None or len(there) < size:
            there = self._arrays[name] = np.empty(size, dtype)
        return there[:size].reshape(shape)

    def prepared(self, m: int, *sizes: int) -> np.ndarray:
        """What the kernel wants for at most m records."""
        if self.sizes[1:] != sizes or self.sizes[0] < m:
            self.sizes = (m + m // 64, *sizes)
            self.kernel = np.empty((1, split.room(*self.sizes)), np.uint8)
            split.prepare(self.kernel[0], *self.sizes)
        return self.kernel


def _measure(targets: Targets, rules: Rules) -> int:
    one, several = CRITERIA[rules.criterion]
    single = len(targets.n_classes) == 1 and targets.n_classes[0] <= 2
    return one if single else several


def _near_one(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Values times a power of two, where the greatest is so far from one that squares go out of range."""
    most = float(np.abs(values).max(initial=0.0))
    if most == 0 or 1 / _FAR < most < _FAR:
        return values, 1.0
    factor = 2.0 ** min(1000, -math.frexp(most)[1])
    return values * factor, factor


def _grow_together(
    ranks: Ranks,
    targets: Targets,
    rules: Rules,
    seeds: np.ndarray,
    samples: list[tuple[np.ndarray, np.ndarray | None]],
    room: _Room,
) -> Trees:
    """Trees one after the other in as few calls as may be."""
    lengths = np.array([len(rows) for rows, _ in samples])
    ends = np.cumsum(lengths)
    begins, m, q = ends - lengths, int(ends[-1]), targets.y.shape[1]
    rows = np.concatenate([rows for rows, _ in samples], out=room.array("rows", (m,), np.int32))
    weighted = samples[0][1] is not None
    weights = np.empty(0)
    if weighted:  # (kernels read some numbers beyond the last)
        own = [*(own for _, own in samples), np.zeros(7)]
        weights = np.concatenate(own, out=room.array("weights", (m + 7,), np.float64))
    weights, heavy = _near_one(weights)
    totals = np.add.reduceat(weights[:m], begins) if weighted else lengths.astype(np.float64)
    y = targets.y.take(rows, axis=0, out=room.array("y", (m, q), np.float64), mode="clip")
    factor = 1.0
    if not targets.classes and rules.criterion != "any":
        y, factor = _near_one(y)
    trees = len(samples)

    measure, width, d = _measure(targets, rules), targets.width, ranks.d
    scale = 1 / math.log(2) if rules.criterion in ("entropy", "log_loss") else 1.0
    scale *= 2.0 if measure == 0 and targets.classes else 1.0
    scale /= q
    power = 2 if rules.criterion in ("squared_error", "friedman_mse") else 1
    plan = split.Plan(
        measure,
        q,
        width,
        min(rules.max_features, d),
        rules.min_samples_split,
        rules.min_samples_leaf,
        2**31 - 2 if rules.max_depth is None else min(rules.max_depth, 2**31 - 2),
        rules.max_leaf_nodes or 0,
        0,
        rules.min_weight_fraction_leaf,
        rules.min_impurity_decrease * factor * (factor if power == 2 else 1.0),
        scale,
        ranks.n_values,
        ranks.missing,
        np.concatenate([[0], np.cumsum(targets.n_classes)]) if targets.classes else None,
        rules.monotonic,
        None,
        ranks.targets,
        ranks.n_targets,
    )
    _, pending = split.sizes()
    codes = max(int(ranks.n_values.max()), 0 if ranks.targets is None else int(ranks.n_targets.max())) + 1
    item = ranks.columns.itemsize if rules.random else 2
    kernel = room.prepared(int(lengths.max()), codes, item, d, q, width, 0)
    waiting = room.array("waiting", (m * pending,), np.uint8)
    nodes = room.array("nodes", (2 * m,), RECORD)
    values = room.array("values", (2 * m, width), np.float64)
    state = np.zeros((trees, 3), np.int64)
    depths, limits = np.zeros(trees, np.int64), np.tile([-np.inf, np.inf], (trees, 1))
    condenses = ranks.n >= _LEAST_TABLES and not rules.max_leaf_nodes
    shares = totals if rules.criterion != "friedman_mse" else np.ones(trees)
    work = float(lengths.mean()) * min(rules.max_features, d) * math.log2(m + 2)
    todo = np.arange(trees)
    while len(todo):
        some = [array[todo] for array in (begins, ends, seeds, depths, limits, totals, shares)]
        found = state[todo]
        cut = Stripes(np.arange(len(todo) + 1), max(1, int(_BUDGET / work)), 1)
        cut.run(
            lambda cursor, limit, slot, cut=cut, some=some, found=found: split.grow_pass(
                *(
                    plan,
                    ranks.columns,
                    ranks.records,
                    condenses,
                    rows,
                    weights,
                    y,
                    *some,
                    found,
                    waiting,
                    nodes,
                    values,
                ),
                *(np.empty((0, 1), np.uint64), _BUDGET, kernel, room.sizes[0], room.sizes[1]),
                *(cut.bounds, cursor, limit, slot),
            )
        )
        state[todo] = found
        todo = todo[found[:, 0] > 0]
    starts = np.concatenate([[0], np.cumsum(state[:, 1])])
    return _packed(ranks, targets, rules, nodes, values, 2 * begins, starts, (factor, heavy, power))


def _packed(
    ranks: Ranks,
    targets: Targets,
    rules: Rules,
    found: np.ndarray,
    given: np.ndarray,
    firsts: np.ndarray,
    starts: np.ndarray,
    scales: tuple[float, float, int],
) -> Trees:
    """As they are kept."""
    factor, heavy, power = scales
    count, trees = int(starts[-1]), len(firsts)
    nodes, n = np.empty(count, NODE), np.empty(count, np.int32)
    values, impurity, weight = np.empty((count, targets.width)), np.empty(count), np.empty(count)
    depths = np.empty(trees, np.int64)
    cut = stripes(trees, count / trees * _NODE_NS)
    rooms = np.empty((cut.width(), 2 * int(np.diff(starts).max())), np.int32)
    cut.run(
        lambda cursor, limit, slot: pack.pack_pass(
            *(ranks.X, found, given, firsts, rules.random, starts, nodes, n, values, impurity, weight),
            *(depths, rooms, cut.bounds, cursor, limit, slot),
        )
    )
    with np.errstate(over="ignore"):  # (the variance of very large numbers is out of range)
        if factor != 1.0:
            values /= factor
            impurity /= factor
            impurity /= factor if power == 2 else 1.0
        if heavy != 1.0:
            weight /= heavy
    missing = ranks.missing.astype(bool)
    return Trees(nodes, n, values, impurity, weight, starts, ranks.d, targets.n_classes, depths, missing)
