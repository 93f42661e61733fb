"""Trees as flat arrays, and what records find in their leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clinfa.arrays import CSR, read_table
from clinfa.growing.categories import Sets
from clinfa.growing.down import send

__all__ = ["CATEGORY", "COLUMN", "LACKING", "LEAF", "NODE", "Tree", "Trees", "impurities", "packed"]

# As _core/descent.h reads it. What goes left goes to the next node; a leaf's threshold is the last of its
# values, and its right child itself. `feature` is a column, and bits: whether NaN goes left, whether this
# is a leaf, and whether the column is of categories: then the threshold is where the bits of those that go
# left begin.
NODE = np.dtype([("threshold", "f8"), ("right", "i4"), ("feature", "u4")])
COLUMN, CATEGORY, LACKING, LEAF = 0x1FFFFFFF, 0x20000000, 0x40000000, 0x80000000
_DENSE = 2_000_000  # values of sparse records that are made dense at a time: at most 16 MB
_SPARE = 1.1  # times what trees are expected to take, so that they hardly ever take more


def packed(
    threshold: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    missing_left: np.ndarray,
    values: np.ndarray,
    sorts: np.ndarray | bool = False,
) -> np.ndarray:
    """Nodes of a tree as they are kept, from parent to left child to right; `right` is below 0 in leaves."""
    out = np.empty(len(right), NODE)
    leaf = right < 0
    out["threshold"] = np.where(leaf, values[:, -1], threshold)
    out["right"] = np.where(leaf, np.arange(len(right)), right)
    bits = np.where(missing_left, LACKING, 0) | np.where(sorts, CATEGORY, 0)
    out["feature"] = np.where(leaf, LEAF, feature | bits)
    return out


class _Derived:
    """An attribute that is made when it is first asked for, and kept; but not in pickles."""

    def __init__(self, make: Callable[[Any], Any]):
        self.make = make

    def __get__(self, tree: Any, cls: type) -> Any:
        if tree is None:
            return self
        made = tree.__dict__[self.make.__name__] = self.make(tree)
        return made


def impurities(shares: np.ndarray, entropy: bool) -> np.ndarray:
    """Those of nodes, from shares of classes in the last axis."""
    if entropy:
        return -(shares * np.log2(shares, where=shares > 0, out=np.zeros_like(shares))).sum(axis=-1) + 0.0
    return 1 - np.square(shares).sum(axis=-1)


@dataclass(frozen=True)
class Tree:
    """One tree; nodes are numbered from parent to left child to right, the root is node 0.

    The names are those of scikit-learn's ``tree_``.

    Attributes
    ----------
    nodes : structured ndarray of shape (node_count,)
    n : ndarray of shape (node_count,), int32
        Records.
    value : ndarray of shape (node_count, n_outputs, max_n_classes)
        Shares of the classes, or in the last axis one number.
    impurity : ndarray of shape (node_count,)
    weighted_n_node_samples : ndarray of shape (node_count,)
    n_features : int
    n_classes : ndarray of shape (n_outputs,)
        1 where numbers are predicted.
    max_depth : int
    missing : ndarray of shape (n_features,), bool
        Columns that lacked values when the tree was grown.
    sets : Sets or None
        Where columns are of categories, which of them go left.
    """

    together: Trees  # a forest of this one

    def __getstate__(self) -> dict[str, Any]:
        """Without what is worked out when asked for."""
        return {"together": self.together}

    @property
    def nodes(self) -> np.ndarray:
        return self.together.nodes

    @property
    def n(self) -> np.ndarray:
        return self.together.n

    @property
    def n_features(self) -> int:
        return self.together.n_features

    @property
    def n_classes(self) -> np.ndarray:
        return self.together.n_classes

    @property
    def max_depth(self) -> int:
        return int(self.together.depths[0])

    @property
    def missing(self) -> np.ndarray:
        return self.together.missing

    @property
    def sets(self) -> Sets | None:
        return self.together.sets

    @property
    def node_count(self) -> int:
        return len(self.nodes)

    @_Derived
    def values(self) -> np.ndarray:
        """What nodes predict, shape (node_count, width)."""
        return self.together.said()

    @_Derived
    def impurity(self) -> np.ndarray:
        return self.together.impurities()

    @_Derived
    def weighted_n_node_samples(self) -> np.ndarray:
        return self.together.weights()

    @property
    def capacity(self) -> int:
        """How many nodes there is room for: as many as there are."""
        return len(self.nodes)

    @property
    def n_outputs(self) -> int:
        return len(self.n_classes)

    @property
    def max_n_classes(self) -> int:
        return int(self.n_classes.max())

    @_Derived
    def _leaf(self) -> np.ndarray:
        return self.nodes["feature"] >= LEAF

    @property
    def n_leaves(self) -> int:
        return int(np.count_nonzero(self._leaf))

    @_Derived
    def children_left(self) -> np.ndarray:
        return np.where(self._leaf, -1, np.arange(1, len(self.nodes) + 1))

    @_Derived
    def children_right(self) -> np.ndarray:
        return np.where(self._leaf, -1, self.nodes["right"]).astype(np.int64)

    @_Derived
    def feature(self) -> np.ndarray:
        return np.where(self._leaf, -2, (self.nodes["feature"] & COLUMN).astype(np.int64))

    @_Derived
    def threshold(self) -> np.ndarray:
        """-2 in leaves, and NaN where categories are divided."""
        sorts = (self.nodes["feature"] & CATEGORY) != 0
        return np.where(self._leaf, -2.0, np.where(sorts, np.nan, self.nodes["threshold"]))

    def left_categories(self, node: int) -> np.ndarray | None:
        """The categories that go left at a node; None where it divides none.

        Parameters
        ----------
        node : int

        Returns
        -------
        ndarray or None
        """
        sides = self._sides(node)
        return None if sides is None else sides[0]

    def _sides(self, node: int) -> tuple[np.ndarray, np.ndarray] | None:
        """The categories that go left at a node, and right; None where it divides none."""
        bits = int(self.nodes["feature"][node])
        if bits >= LEAF or not bits & CATEGORY:
            return None
        names = self.sets.categories.names(bits & COLUMN)
        left = self.sets.left(bits & COLUMN, int(self.nodes["threshold"][node]))
        return names[left], names[~left]

    @_Derived
    def missing_go_to_left(self) -> np.ndarray:
        return ((self.nodes["feature"] & LACKING) != 0).astype(np.uint8)

    @property
    def n_node_samples(self) -> np.ndarray:
        return self.n.astype(np.int64)

    @_Derived
    def value(self) -> np.ndarray:
        out = np.zeros((self.node_count, self.n_outputs, self.max_n_classes))
        ends = np.cumsum(self.n_classes)
        for o, (k, end) in enumerate(zip(self.n_classes, ends, strict=True)):
            out[:, o, :k] = self.values[:, end - k : end]
        return out

    def compute_feature_importances(self, normalize: bool = True) -> np.ndarray:
        """By how much splits on each column lower the impurity, as shares of the whole.

        Parameters
        ----------
        normalize : bool, default True
            False for the decreases themselves, by the weight of the root.

        Returns
        -------
        ndarray of shape (n_features,)
        """
        inner = np.flatnonzero(~self._leaf)
        mass = self.weighted_n_node_samples / self.weighted_n_node_samples[0] * self.impurity
        nodes = self.nodes[inner]
        gain = mass[inner] - mass[inner + 1] - mass[nodes["right"]]
        # (Without any inner node there are no weights to tell that these are floats.)
        out = np.bincount(nodes["feature"] & COLUMN, gain, self.n_features).astype(np.float64, copy=False)
        total = out.sum()
        return out / total if normalize and total > 0 else out

    def apply(self, X: Any) -> np.ndarray:
        """The leaf of each record: shape (n_samples,).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        """
        return self.together.leaves(self._read(X))[:, 0].astype(np.int64)

    def predict(self, X: Any) -> np.ndarray:
        """What the leaves say: shape (n_samples, n_outputs, max_n_classes)."""
        return self.value[self.apply(X)]

    def decision_path(self, X: Any) -> Any:
        """The nodes that each record passes, as a SciPy CSR matrix of shape (n_samples, node_count)."""
        return self.together.paths(self._read(X))[0]

    def _read(self, X: Any) -> np.ndarray | CSR:
        return read_table(X, "Tree", sparse=True, finite=False, width=self.n_features).X

    def parents(self) -> np.ndarray:
        """The parent of each node; -1 for the root."""
        out = np.full(self.node_count, -1, np.int64)
        inner = np.flatnonzero(~self._leaf)
        out[inner + 1] = inner
        out[self.nodes["right"][inner]] = inner
        return out

    def depths(self) -> np.ndarray:
        """How deep each node lies; 0 for the root."""
        out, at, depth = np.zeros(self.node_count, np.int64), np.array([0]), 0
        while len(at):
            out[at] = depth
            at = at[~self._leaf[at]]
            at = np.concatenate([at + 1, self.nodes["right"][at]])
            depth += 1
        return out


@dataclass(frozen=True, slots=True)
class Trees:
    """Several trees, one after the other.

    Attributes
    ----------
    nodes : structured ndarray of shape (nodes,)
        Children are numbered within their tree.
    n : ndarray of shape (nodes,), int32
    values : ndarray of shape (nodes, width)
        What nodes predict, float64; or, uint32, how often each class is there: shares, weights and impurities
        are read off that.
    impurity : ndarray of shape (nodes,) or (0,)
        None beside such counts.
    weight : ndarray of shape (nodes,) or (0,)
        None beside such counts, or where each record weighs one; uint32 where weights are counts.
    starts : ndarray of shape (trees + 1,)
    n_features : int
    n_classes : ndarray of shape (n_outputs,)
    depths : ndarray of shape (trees,)
    missing : ndarray of shape (n_features,), bool
        Columns that lacked values when the trees were grown.
    sets : Sets or None
        Where columns are of categories, which of them go left.
    entropy : bool
        What impurities are read off counts: entropies, or else Gini's.
    """

    nodes: np.ndarray
    n: np.ndarray
    values: np.ndarray
    impurity: np.ndarray
    weight: np.ndarray
    starts: np.ndarray
    n_features: int
    n_classes: np.ndarray
    depths: np.ndarray
    missing: np.ndarray
    sets: Sets | None = None
    entropy: bool = False

    @classmethod
    def joined(cls, several: Iterable[Trees], count: int) -> Trees:
        """All trees of `count` others, in order, all of one kind.

        Each is let go of when the next comes, and is written where all will be: there is more room than those
        so far let expect, and what is never written takes no memory.
        """
        several = iter(several)
        first = next(several)
        if count == 1:
            return first
        names = ("nodes", "n", "values", "impurity", "weight")
        used = room = len(first.nodes)
        whole = {name: getattr(first, name) for name in names}
        starts, depths, missing = [first.starts], [first.depths], first.missing.copy()
        sets = [first.sets]
        for i, some in enumerate(several, 2):
            end = used + len(some.nodes)
            if end > room or i == 2:
                room = int(_SPARE * end / i * count)
                whole = {name: _longer(array, used, room) for name, array in whole.items()}
            for name, array in whole.items():
                if len(array):
                    array[used:end] = getattr(some, name)
            starts.append(used + some.starts[1:])
            depths.append(some.depths)
            missing |= some.missing
            sets.append(some.sets)
            used = end
        for array in whole.values():
            array.resize((min(used, len(array)), *array.shape[1:]), refcheck=False)  # (nobody else knows it)
        told = {"starts": np.concatenate(starts), "depths": np.concatenate(depths), "missing": missing}
        if first.sets is not None:
            told["sets"] = Sets.joined(sets)
        return replace(first, **whole, **told)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[Tree]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, t: int) -> Tree:
        if len(self) == 1:  # (whose arrays stand in pickles once)
            return Tree(self)
        own = slice(self.starts[t], self.starts[t + 1])
        one = replace(
            self,
            nodes=self.nodes[own],
            n=self.n[own],
            values=self.values[own],
            impurity=self.impurity[own],
            weight=self.weight[own],
            starts=np.array([0, own.stop - own.start]),
            depths=self.depths[t : t + 1],
            sets=self.sets and self.sets.of_tree(t),
        )
        return Tree(one)

    @property
    def _counted(self) -> bool:
        return self.values.dtype == np.uint32

    @property
    def kind(self) -> tuple[Any, ...]:
        """How it is told what nodes say and weigh: the same for trees that are to be joined."""
        return self.values.dtype, self.weight.dtype, len(self.weight) > 0, self._counted and self.entropy

    def said(self) -> np.ndarray:
        """What nodes predict: shape (nodes, width), float64."""
        return self.values / self.weights()[:, None] if self._counted else self.values

    def impurities(self) -> np.ndarray:
        """Those of all nodes: shape (nodes,)."""
        if not self._counted:
            return self.impurity
        shares = np.split(self.said(), np.cumsum(self.n_classes)[:-1], axis=1)
        return sum(impurities(share, self.entropy) for share in shares) / len(shares)

    def weights(self) -> np.ndarray:
        """Those of all nodes: shape (nodes,), float64."""
        if self._counted:
            return self.values[:, : self.n_classes[0]].sum(axis=1, dtype=np.float64)
        return (self.weight if len(self.weight) else self.n).astype(np.float64, copy=False)

    def spelt_out(self) -> Trees:
        """With nothing left to be read off something else, so that all trees are of one kind."""
        return replace(self, values=self.said(), impurity=self.impurities(), weight=self.weights())

    def _dense(self, X: np.ndarray | CSR) -> Iterator[tuple[slice, np.ndarray]]:
        """Which records, and these as the kernels want them: of sparse ones some at a time."""
        coded = self.sets.categories.coded if self.sets is not None else lambda some: some
        if not isinstance(X, CSR):
            yield slice(None), coded(X)
            return
        n, d = X.shape
        step = max(1, _DENSE // d)
        for begin in range(0, n, step):
            part = slice(begin, min(begin + step, n))
            yield part, coded(X.rows(np.arange(part.start, part.stop)))

    def leaves(self, X: np.ndarray | CSR) -> np.ndarray:
        """The leaf of each record in each tree: shape (n, trees), int32."""
        out = np.empty((X.shape[0], len(self)), np.int32)
        for part, some in self._dense(X):
            send("leaf_pass", self, some, out[part])
        return out

    def means(self, X: np.ndarray | CSR) -> np.ndarray:
        """What the leaves say, on average over the trees: shape (n, width), float64."""
        width, classes = self.values.shape[1], int(self.n_classes[0])
        two = width == 2 and len(self.n_classes) == 1  # (shares of two classes are one number)
        last = two or width == 1
        out = np.zeros((X.shape[0], 1 if last else width))
        for part, some in self._dense(X):
            send("sum_pass", self, some, out[part], self.values, classes, last)
        if len(self) > 1:
            out /= len(self)
        return np.concatenate([1 - out, out], axis=1) if two else out

    def saying(self, values: np.ndarray) -> Trees:
        """Trees that say something else: shape (nodes, width)."""
        nodes = self.nodes.copy()
        leaf = nodes["feature"] >= LEAF
        nodes["threshold"][leaf] = values[leaf, -1]
        return replace(self.spelt_out(), nodes=nodes, values=values)

    def paths(self, X: np.ndarray | CSR) -> tuple[Any, np.ndarray]:
        """The nodes that each record passes, and where those of each tree begin.

        Returns
        -------
        indicator : scipy.sparse.csr_matrix of shape (n, nodes)
        starts : ndarray of shape (trees + 1,)
        """
        from scipy.sparse import csr_matrix

        n, places = X.shape[0], (self.leaves(X) + self.starts[:-1]).ravel()
        parents = [tree.parents() for tree in self]
        up = np.concatenate([np.where(p < 0, -1, p + self.starts[t]) for t, p in enumerate(parents)])
        rows = np.repeat(np.arange(n), len(self))
        found_rows, found = [rows], [places]
        while len(places):
            places = up[places]
            rows, places = rows[places >= 0], places[places >= 0]
            found_rows.append(rows)
            found.append(places)
        rows, places = np.concatenate(found_rows), np.concatenate(found)
        out = csr_matrix((np.ones(len(rows), np.int64), (rows, places)), (n, len(self.nodes)))
        out.sort_indices()
        return out, self.starts.copy()


def _longer(array: np.ndarray, used: int, room: int) -> np.ndarray:
    """A copy with room for more; where there is nothing, nothing."""
    out = np.empty((room if len(array) else 0, *array.shape[1:]), array.dtype)
    out[:used] = array[:used]
    return out
