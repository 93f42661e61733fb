"""A group of trees that grows on ranks."""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from clinfa._core import pack, split
from clinfa.growing.categories import Sets
from clinfa.growing.ranks import Ranks
from clinfa.growing.sparse import set_thresholds
from clinfa.growing.trees import CATEGORY, COLUMN, LACKING, LEAF, NODE, Trees
from clinfa.threads import Stripes, singly, stripes, thread_count

__all__ = ["CRITERIA", "Growth", "Room", "Rules", "Targets"]

RECORD = np.dtype(
    [(name, "i4") for name in ("left", "right", "feature", "n", "low", "high", "depth", "missing_left")]
    + [(name, "f8") for name in ("threshold", "weight", "impurity")]
)
SUBTREE = np.dtype(
    [("begin", "i8"), ("end", "i8"), ("seed", "u8"), ("depth", "i8")]
    + [(name, "f8") for name in ("lower", "upper", "total")]
    + [(name, "i8") for name in ("first", "waits", "count", "leaves")]
)

# Measures of _core/scores.pxd: for one target or two classes, and for more.
CRITERIA = {
    "gini": (0, 3),
    "entropy": (1, 4),
    "log_loss": (1, 4),
    "squared_error": (0, 5),
    "poisson": (2, 6),
    "absolute_error": (7, 7),
}
_BUDGET = 4e6  # looks at a value in one call: some 10 ms
_NODE_NS = 20.0  # putting a node where it is kept
_TABLE = 4_000_000  # whole numbers whose logarithms are kept, for entropy
_NONE = np.empty(0, np.uint8)
_LARGE = 2**20  # bytes
_LEAST_TABLES = 16_384  # with fewer records than that, small nodes do without tables of their own
_FAR = 1e30  # weights and targets beyond are brought near by a power of two


class Rules(NamedTuple):
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


class Targets(NamedTuple):
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


class Room:
    """Memory that one group of trees after the other grows in, as fresh memory costs time."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self.sizes, self.weight = (0, 0), 0
        self.kernel = np.empty((0, 0), np.uint8)

    def array(
        self, name: str, shape: tuple[int, ...], dtype: Any, make: Callable[..., np.ndarray] = np.empty
    ) -> np.ndarray:
        """One with whatever it holds."""
        size, there = math.prod(shape), self._arrays.get(name)
        if there is None or there.size < size:
            there = self._arrays[name] = make(shape, dtype)
        return there if there.shape == shape else there.reshape(-1)[:size].reshape(shape)

    def prepare(self, plan: Any, threads: int, m: int, codes: int) -> None:
        """What the kernel wants on so many threads for at most m records."""
        narrow = self.sizes[0] < m or self.sizes[1] != codes or self.weight < plan.most_weight
        if len(self.kernel) < threads or narrow:
            self.sizes, self.weight = (m + m // 64, codes), plan.most_weight
            self.kernel = np.empty((threads, split.room(plan, *self.sizes)), np.uint8)
            for own in self.kernel:
                split.prepare(own, plan, *self.sizes)


def _untouched(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Room that takes memory only where something is written: NumPy's is in large pages, if it is large."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < _LARGE:
        return np.empty(shape, dtype)
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    return np.ndarray(shape, dtype, mmap.mmap(-1, size, **private))


def _measure(targets: Targets, rules: Rules) -> int:
    one, several = CRITERIA[rules.criterion]
    single = len(targets.n_classes) == 1 and targets.n_classes[0] == (2 if targets.classes else 1)
    return one if single else several


def _near_one(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Values times a power of two, where the greatest is so far from one that squares go out of range."""
    most = float(np.abs(values).max(initial=0.0))
    if most == 0 or 1 / _FAR < most < _FAR:
        return values, 1.0
    factor = 2.0 ** min(1000, -math.frexp(most)[1])
    return values * factor, factor


class Growth:
    """A group of trees that grows: its samples, one after the other, and its nodes."""

    def __init__(
        self,
        ranks: Ranks,
        targets: Targets,
        rules: Rules,
        samples: list[tuple[np.ndarray, np.ndarray | None]],
        room: Room,
    ):
        self.ranks, self.targets, self.rules, self.room = ranks, targets, rules, room
        self.lengths = [len(rows) for rows, _ in samples]
        m, q = sum(self.lengths), targets.y.shape[1]
        ends = np.zeros(q + 1, np.int64)  # (of the numbers that a node predicts)
        targets.n_classes.cumsum(out=ends[1:])
        self.width = int(ends[-1])
        self.rows = np.concatenate([rows for rows, _ in samples], out=room.array("rows", (m,), np.int32))
        self.weights, self.heavy, self.factor = np.empty(0), 1.0, 1.0
        first = samples[0][1]
        self.whole = first is None or first.dtype.kind == "u"
        # (Where nothing bounds shares, these and weights and impurities are read off the sums of classes.)
        self.counted = targets.classes and self.whole and rules.monotonic is None
        if first is not None:  # (kernels read some numbers beyond the last)
            own = [*(own for _, own in samples), np.zeros(7)]
            weights = np.concatenate(own, out=room.array("weights", (m + 7,), np.float64))
            self.weights, self.heavy = _near_one(weights)
        self.y = targets.y.take(self.rows, axis=0, out=room.array("y", (m, q), np.float64), mode="clip")
        if not targets.classes:
            self.y, self.factor = _near_one(self.y)
        self.power = 2 if rules.criterion == "squared_error" else 1
        self.plan = self._plan(ends)
        most = ranks.n_values if ranks.n_targets is None else np.append(ranks.n_values, ranks.n_targets)
        self.codes = int(np.maximum.reduce(most)) + 1

    def _plan(self, ends: np.ndarray) -> Any:
        """What the kernels are told of the rules."""
        ranks, targets, rules = self.ranks, self.targets, self.rules
        measure, q = _measure(targets, rules), targets.y.shape[1]
        scale = 1 / math.log(2) if rules.criterion in ("entropy", "log_loss") else 1.0
        scale *= 2.0 if measure == 0 and targets.classes else 1.0
        plan = split.Plan(
            measure,
            q,
            self.width,
            min(rules.max_features, ranks.d),
            rules.min_samples_split,
            rules.min_samples_leaf,
            2**31 - 2 if rules.max_depth is None else min(rules.max_depth, 2**31 - 2),
            rules.max_leaf_nodes or 0,
            self._item(),
            self._most_weight() if measure == 4 else 0,
            rules.min_weight_fraction_leaf,
            rules.min_impurity_decrease * self.factor * (self.factor if self.power == 2 else 1.0),
            scale / q,
            ranks.n_values,
            ranks.missing,
            ends if targets.classes else None,
            rules.monotonic,
            self._sorts(),
            ranks.targets,
            ranks.n_targets,
        )
        if ranks.stored is not None:
            plan.store(*ranks.stored[:-1], ranks.stored.row_values.view(np.uint8))
        return plan

    def _most_weight(self) -> int:
        """The weight of the heaviest tree if weights are whole; 0 if they are not, or it is too much."""
        if not self.whole:
            return 0
        m = sum(self.lengths)
        starts = np.cumsum(self.lengths) - self.lengths
        most = np.add.reduceat(self.weights[:m], starts).max() if len(self.weights) else max(self.lengths)
        return int(most) if most <= _TABLE else 0

    def _sorts(self) -> np.ndarray | None:
        """Which columns are of categories, as the kernels want it."""
        if self.ranks.categories is None:
            return None
        out = np.zeros(self.ranks.d, np.uint8)
        out[self.ranks.categories.columns] = 1
        return out

    def roots(self, seeds: np.ndarray) -> np.ndarray:
        """Where each tree begins."""
        if len(seeds) == 1 and not len(self.weights):  # (in one go)
            m = len(self.rows)
            return np.array([(0, m, int(seeds[0]), 0, -np.inf, np.inf, m, 0, 0, 0, 0)], SUBTREE)
        out = np.zeros(len(seeds), SUBTREE)
        end = np.cumsum(self.lengths)
        out["begin"], out["end"], out["seed"] = end - self.lengths, end, seeds
        out["lower"], out["upper"] = -np.inf, np.inf
        if len(self.weights):
            out["total"] = np.add.reduceat(self.weights[: end[-1]], out["begin"])
        else:
            out["total"] = self.lengths
        return out

    def _item(self) -> int:
        """Bytes of a value in the tables of small nodes; 0 where they have none."""
        if self.ranks.n < _LEAST_TABLES or self.rules.max_leaf_nodes or self.ranks.stored is not None:
            return 0
        return self.ranks.columns.itemsize if self.rules.random else 2

    def data(self) -> tuple[np.ndarray, ...]:
        """What the kernels look at."""
        return self.ranks.columns, self.rows, self.weights, self.y

    def prepare(self, threads: int, m: int) -> tuple[np.ndarray, int, int]:
        """A thread's room for m records."""
        self.room.prepare(self.plan, threads, m, self.codes)
        return self.room.kernel, *self.room.sizes

    def grow(self, subtrees: np.ndarray, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Records of nodes, and their values; subtrees are told where theirs begin, and how many."""
        room, rules, m = self.room, self.rules, len(self.rows)
        told = subtrees.view(np.uint8)
        count, longest = split.place(self.plan, told)
        kernel = self.prepare(threads, longest)
        waiting = room.array("waiting", (m * split.PENDING_BYTES,), np.uint8, _untouched)
        free = np.zeros(int(threads == 1), np.int64)
        nodes = room.array("nodes", (count,), RECORD, _untouched)
        values = room.array("values", (count, self.width), np.float64, _untouched)
        columns, *sample = self.data()
        work = m / len(subtrees) * min(rules.max_features, self.ranks.d) * math.log2(m + 2)
        cut = singly(len(subtrees), max(1, int(_BUDGET / work)), min(threads, len(subtrees)))
        waits = len(subtrees)
        while waits:
            cut.run(
                lambda cursor, limit, slot: split.grow_pass(
                    *(self.plan, columns, self.ranks.records, *sample, told, waiting, free),
                    *(nodes.view(np.uint8), values, _BUDGET, *kernel, cut.bounds, cursor, limit, slot),
                )
            )
            waits = np.count_nonzero(subtrees["waits"])
        return nodes, values

    def packed(
        self, crate: Room, found: np.ndarray, given: np.ndarray, firsts: np.ndarray, counts: np.ndarray
    ) -> Trees:
        """Nodes of trees, that begin at `firsts`, as they are kept: in `crate`."""
        ranks = self.ranks
        firsts = np.ascontiguousarray(firsts)
        starts = np.zeros(len(counts) + 1, np.int64)
        counts.cumsum(out=starts[1:])
        count, trees = int(starts[-1]), len(firsts)
        nodes, n = crate.array("nodes", (count,), NODE), crate.array("n", (count,), np.int32)
        values = crate.array("values", (count, given.shape[1]), np.uint32 if self.counted else np.float64)
        impurity = crate.array("impurity", (0 if self.counted else count,), np.float64)
        told = not self.counted and len(self.weights) > 0
        weight = crate.array("weight", (count if told else 0,), np.float64)
        depths, words = np.empty(trees, np.int64), np.empty(trees, np.int64)
        sorts = self._sorts()
        X, there = ranks.X, self.rules.random
        if not isinstance(X, np.ndarray):
            for first, size in zip(firsts, counts, strict=True):
                if not there:
                    set_thresholds(X, found[first : first + size])
            X, there = np.empty((0, ranks.d)), True
        cut = stripes(trees, count / trees * _NODE_NS)
        rooms = np.empty((2, count), np.int32)
        cut.run(
            lambda cursor, limit, slot: pack.pack_pass(
                *(X, found.view(np.uint8), given, firsts, there, ranks.n_values),
                *(_NONE if sorts is None else sorts, starts, nodes.view(np.uint8), n, values, impurity),
                *(weight, depths, words, rooms, cut.bounds, cursor, limit, slot),
            )
        )
        missing = ranks.missing.astype(bool)
        classes = self.targets.n_classes
        sets = None
        if sorts is not None:
            places = np.zeros(trees + 1, np.int64)
            words.cumsum(out=places[1:])
            sets = Sets(self._sets(nodes, n, starts, places), places, ranks.categories)
        entropy = self.rules.criterion in ("entropy", "log_loss")
        kept = weight.astype(np.uint32) if self.whole else weight
        out = Trees(
            nodes, n, values, impurity, kept, starts, ranks.d, classes, depths, missing, sets, entropy
        )
        if self.factor != 1.0 or self.heavy != 1.0:
            with np.errstate(over="ignore"):  # (sums, and squares, of very large numbers are out of range)
                values /= self.factor
                impurity /= self.factor
                impurity /= self.factor if self.power == 2 else 1.0
                weight /= self.heavy
            out = out.saying(values)
        return out

    def _sets(self, nodes: np.ndarray, n: np.ndarray, starts: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Bits of the categories that go left in each node that divides some.

        The records of a node stand together, those of its left child first: what went where is read off.
        """
        leaf, bits = nodes["feature"] >= LEAF, nodes["feature"]
        which = np.flatnonzero(((bits & CATEGORY) != 0) & ~leaf)
        tree = np.searchsorted(starts, which, side="right") - 1
        firsts = places[tree] + nodes["threshold"][which].astype(np.int64)
        ends = np.cumsum(np.where(leaf, n, 0), dtype=np.int64)  # leaves stand in the order of their records
        side = np.where(bits[which] & LACKING, starts[tree] + nodes["right"][which], which + 1)
        begins = ends[side] - np.where(leaf[side], n[side], 0)
        counts, out = n[side].astype(np.int64), np.empty(places[-1], np.uint64)
        words = (self.ranks.n_values[bits[which] & COLUMN] + 63) // 64
        edges = np.concatenate([[0], np.cumsum(counts + words)])
        steps = np.arange(0, edges[-1], _BUDGET / 10)
        bounds = np.unique(np.concatenate([np.searchsorted(edges, steps), [len(which)]]))
        cut = Stripes(bounds, 1, min(thread_count(), max(len(bounds) - 1, 1)))
        cut.run(
            lambda cursor, limit, slot: pack.sets_pass(
                *(self.ranks.columns, self.ranks.n_values, self.rows, nodes, which, begins, counts, firsts),
                *(out, cut.bounds, cursor, limit),
            )
        )
        return out
