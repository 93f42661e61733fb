"""Clustering by density: on the tree, or on blocks of distances where a metric has no boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import dbscan
from clinfa.spatial import Tree
from clinfa.threads import stripes

__all__ = ["Clusters", "Space", "block_clusters", "blocks", "distances", "nearest_in_blocks", "tree_clusters"]

_NAMES = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "sqeuclidean": "euclidean",
    "cosine": "euclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
    "minkowski": "minkowski",
}
_NONE = 2**31 - 1
_MOST = float(np.finfo(np.float64).max)
_BLOCK = 2_000_000  # distances held at a time: 16 MB


@dataclass(frozen=True)
class Space:
    """How records become points of a tree, and how far neighbours may be apart there.

    Attributes
    ----------
    metric : str
        One of the tree's.
    p : float
    eps : float
        The greatest distance between neighbours, or its square.
    squared : bool
    origin : ndarray of shape (d,)
        What is taken away: the value of columns that do not vary, which may dwarf all distances.
    directions : bool
        Whether only the direction of a record counts.
    """

    metric: str
    p: float
    eps: float
    squared: bool
    origin: np.ndarray
    directions: bool

    @classmethod
    def of(cls, metric: Any, p: float | None, eps: float, X: np.ndarray) -> Space | None:
        """The space of a metric, or None if the tree does not know it."""
        kind = _NAMES.get(metric) if isinstance(metric, str) else None
        if kind is None:
            return None
        p = 2.0 if p is None or metric != "minkowski" else float(p)
        if kind == "minkowski":
            kind = {1.0: "manhattan", 2.0: "euclidean", math.inf: "chebyshev"}.get(p, kind)
        directions = metric == "cosine"
        if directions:
            # |u - v|^2 = 2 (1 - cos) of rows of length one, rounded in favour of neighbours.
            eps = 2 * (eps + 1e-15 * (X.shape[1] + 8))
        least, most = X.min(axis=0).astype(float), X.max(axis=0)
        origin = np.where((least == most) & (not directions), least, 0.0)
        return cls(kind, p, eps, metric == "sqeuclidean" or directions, origin, directions)

    def points(self, X: np.ndarray) -> np.ndarray:
        """Records as float64 points."""
        X = X.astype(np.float64, copy=False)
        if self.directions:
            X = X / np.where((most := np.abs(X).max(axis=1, keepdims=True)) > 0, most, 1)
            length = np.sqrt((X * X).sum(axis=1, keepdims=True))
            # Rows of zeros have no direction: one of their own, at right angles to every other.
            return np.hstack([X / np.where(length > 0, length, 1), length == 0])
        with np.errstate(over="ignore"):
            return np.clip(X - self.origin, -_MOST, _MOST) if self.origin.any() else X

    def reach(self, tree: Tree) -> np.ndarray:
        """The greatest reduced distance of neighbours, between bounds that rounding cannot cross."""
        with np.errstate(over="ignore", under="ignore"):
            most = float(np.ldexp(self.eps, 2 * tree.shift) if self.squared else tree.reduced(self.eps))
            slack = (tree.d + tree.p + 8) * 2.0**-51
            return np.clip([most * (1 - slack) - 1e-300, most, most * (1 + slack) + 1e-300], -1, _MOST)

    def nearest(self, tree: Tree, Q: np.ndarray) -> np.ndarray:
        """The row of the nearest point of the tree within reach of each record, or -1; ties by row."""
        Q = self.points(Q)
        Q = np.ascontiguousarray(np.ldexp(Q, tree.shift) if tree.shift else Q)
        reach, out = self.reach(tree), np.empty(len(Q), np.int64)
        cut = stripes(len(Q), 2000.0, most=4096)
        cut.run(
            lambda cursor, limit, slot: dbscan.nearest_core_pass(
                *(tree.points, tree.names, tree.boxes, tree.levels, tree.metric, tree.p, reach, Q),
                *(cut.bounds, cursor, limit, out),
            )
        )
        return out


@dataclass(frozen=True)
class Clusters:
    """Labels of all rows, which rows are core points, and the tree of the core points."""

    labels: np.ndarray  # (n,) int64
    core: np.ndarray  # (n,) bool
    tree: Tree | None  # points that are not core lie at infinity


def tree_clusters(X: np.ndarray, space: Space, weights: np.ndarray, need: float) -> Clusters:
    """DBSCAN without lists of neighbours.

    Parameters
    ----------
    X : ndarray of shape (n, d), float64
        Points of the space.
    space : Space
    weights : ndarray of shape (n,) or (0,)
    need : float
        The weight around a core point.
    """
    n = len(X)
    tree = Tree.build(X, space.metric, space.p)
    leaves, d, lanes = tree.points.shape
    height = leaves.bit_length() - 1
    there = tree.names != _NONE
    heavy = np.empty((0, lanes))
    if len(weights):
        heavy = np.zeros((leaves, lanes))
        heavy[there] = weights[tree.names[there]]
    where, how = (tree.boxes, tree.levels), (tree.metric, tree.p, space.reach(tree))

    core = np.empty((leaves, lanes), np.uint8)
    cut = stripes(leaves, 2000.0 * lanes, most=4096)
    scratch = np.empty((cut.width(), (lanes + 2) * d + 32))  # 256 bytes keep threads apart
    cut.run(
        lambda cursor, limit, slot: dbscan.core_pass(
            tree.points,
            *where,
            n,
            height,
            *how,
            heavy,
            need,
            cut.bounds,
            cursor,
            limit,
            scratch,
            slot,
            core,
        )
    )

    parent, place = np.empty(leaves * lanes, np.int32), np.empty(n, np.int32)
    first, whole = np.empty(leaves, np.int32), np.empty(leaves, np.uint8)
    cut.run(
        lambda cursor, limit, slot: dbscan.prepare_pass(
            tree.points,
            tree.names,
            *how,
            core,
            cut.bounds,
            cursor,
            limit,
            scratch,
            slot,
            parent,
            place,
            first,
            whole,
        )
    )
    heads = _heads(first, tree.levels)
    whole = np.concatenate([np.zeros(tree.levels[-1], np.uint8), whole])
    cut.run(
        lambda cursor, limit, slot: dbscan.join_pass(
            tree.points,
            *where,
            *how,
            core,
            heads,
            cut.bounds,
            cursor,
            limit,
            scratch,
            slot,
            parent,
            whole,
        )
    )

    labels, number, clusters = np.empty(n, np.int64), np.full((leaves, lanes), -1, np.int32), 0
    for begin in range(0, n, 1_000_000):
        end = min(begin + 1_000_000, n)
        clusters = dbscan.number_pass(place, core, begin, end, clusters, parent, number, labels)

    rest = tree.names[there & (core == 0)]
    if len(rest):
        Q = np.ldexp(X, tree.shift) if tree.shift else X
        cut = stripes(len(rest), 2000.0, most=4096)
        cut.run(
            lambda cursor, limit, slot: dbscan.border_pass(
                tree.points, *where, *how, heads, number, Q, rest, cut.bounds, cursor, limit, labels
            )
        )
    return Clusters(labels, core.reshape(-1)[place].astype(bool), tree)


def _heads(first: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The first core point below every node, then below every leaf."""
    out = [first]
    for count in np.diff(levels)[::-1]:
        fan = -(-len(out[0]) // count)
        out.insert(0, out[0].reshape(count, fan).min(axis=1))
    return np.concatenate(out)


# Metrics without boxes


def distances(metric: Any, params: dict[str, Any]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of two sets of records that yields all distances between them."""
    if metric == "haversine":
        return _haversine
    from scipy.spatial.distance import cdist  # few metrics need it

    return lambda A, B: cdist(A, B, metric, **params)


def _haversine(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """The angle between points of a sphere, given as latitude and longitude in radians."""
    up = np.sin((A[:, None, 0] - B[None, :, 0]) / 2) ** 2
    round_about = np.sin((A[:, None, 1] - B[None, :, 1]) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(up + np.cos(A[:, None, 0]) * np.cos(B[None, :, 0]) * round_about))


def blocks(rows: np.ndarray, n: int) -> Iterator[np.ndarray]:
    """Rows cut so that their distances to n others are few."""
    size = max(1, _BLOCK // max(n, 1))
    for begin in range(0, len(rows), size):
        yield rows[begin : begin + size]


def block_clusters(
    n: int, rows_of: Callable[[np.ndarray], np.ndarray], eps: float, weights: np.ndarray, need: float
) -> Clusters:
    """DBSCAN on blocks of distances, each asked for twice.

    Parameters
    ----------
    n : int
    rows_of : callable
        Some rows of the matrix of all distances.
    eps : float
    weights : ndarray of shape (n,) or (0,)
    need : float
    """
    around = np.empty(n)
    for some in blocks(np.arange(n, dtype=np.int32), n):
        within = rows_of(some) <= eps
        around[some] = within @ weights if len(weights) else np.count_nonzero(within, axis=1)
    core = around >= need
    parent = np.arange(n, dtype=np.int32)
    rows = np.flatnonzero(core).astype(np.int32)
    for some in blocks(rows, n):
        within = rows_of(some) <= eps
        dbscan.unite_block(within.view(np.uint8), some, core.view(np.uint8), parent)
    labels, number = np.full(n, -1, np.int64), np.full((1, n), -1, np.int32)
    place = np.arange(n, dtype=np.int32)
    clusters = dbscan.number_pass(place, core.view(np.uint8)[None], 0, n, 0, parent, number, labels)
    own = np.where(core, number[0], clusters)
    for some in blocks(np.flatnonzero(~core).astype(np.int32), n):
        least = np.where(rows_of(some) <= eps, own, clusters).min(axis=1)
        labels[some] = np.where(least < clusters, least, -1)
    return Clusters(labels, core, None)


def nearest_in_blocks(
    m: int, rows_of: Callable[[np.ndarray], np.ndarray], n: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each of m records the least of its n distances, and whose it is."""
    far, nearest = np.empty(m), np.empty(m, np.int64)
    for some in blocks(np.arange(m), n):
        block = rows_of(some)
        nearest[some] = block.argmin(axis=1)
        far[some] = block.min(axis=1)
    return far, nearest
