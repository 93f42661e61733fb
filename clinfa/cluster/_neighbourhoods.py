"""Clustering by density: on the tree, or on blocks of distances where a metric has no boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import dbscan, dbscan_labels, hilbert
from clinfa.arrays import Table
from clinfa.blas import matmul
from clinfa.spatial import METRICS, Tree
from clinfa.threads import Stripes, stripes

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
_STRIPE = 160_000_000  # features that a stripe looks at if every point looks at all: some 30 ms
_CELLS = 8  # in the length of eps
_MOST_SORTED = 4_000_000  # which takes some 50 ms, and longer without AVX-512
_ROWS = 1_000_000  # numbered in a call
_SERIAL = 2_000  # so few points are not worth waking other threads


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
        least, most = Table(X).column_range
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
        cut = _few(tree, len(Q))
        cut.run(
            lambda cursor, limit, slot: dbscan_labels.nearest_core_pass(
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
    tree = Tree.build(X, space.metric, space.p, _along_curve(X, space))
    if tree.names.size >= _NONE:
        raise ValueError(f"A tree tells apart {2**30} records that may be core points, got {n}.")
    how = (tree.metric, tree.p, space.reach(tree))
    core = _core_points(tree, how, weights, need)
    parent, place, heads = _sets(tree, how, core)
    labels, number, clusters = np.full(n, -1), np.full(len(core), -1, np.int32), 0
    for begin in range(0, n, _ROWS):
        end = min(begin + _ROWS, n)
        clusters = dbscan_labels.number_pass(place, core, begin, end, clusters, parent, number, labels)
    rest = tree.names[(tree.names != _NONE) & (core.reshape(tree.names.shape) == 0)]
    if clusters and len(rest):
        Q = np.ldexp(X, tree.shift) if tree.shift else X
        cut = _few(tree, len(rest))
        cut.run(
            lambda cursor, limit, slot: dbscan_labels.border_pass(
                *(tree.points, tree.boxes, tree.levels, *how, heads, number, Q, rest),
                *(cut.bounds, cursor, limit, labels),
            )
        )
    return Clusters(labels, core[place].view(bool), tree)


def _along_curve(X: np.ndarray, space: Space) -> np.ndarray | None:
    """Rows along Hilbert's curve through cells that are small against eps, where those are not too many.

    In the plane and in space runs of that order make as good leaves as a k-d tree's, and sooner.
    """
    n, d = X.shape
    if d > hilbert.MOST_AXES or n > _MOST_SORTED:
        return None
    low, high = Table(X).column_range
    with np.errstate(over="ignore"):
        span = float((high - low).max())
    cells = _CELLS * span / (math.sqrt(space.eps) if space.squared else space.eps)
    bits, spare = (math.ceil(math.log2(cells)) if 2 < cells < math.inf else 1), max(n - 1, 1).bit_length()
    if not 1e-290 < span < 1e290 or bits * d + spare > 64:
        return None
    scale = 2.0**bits / span
    out, cut = np.empty(n, np.uint64), stripes(n, 6.0 * bits * d)
    cut.run(
        lambda cursor, limit, slot: hilbert.places_pass(
            X, low, scale, bits, spare, cut.bounds, cursor, limit, out
        )
    )
    out.sort()
    return (out & np.uint64(2**spare - 1)).astype(np.int32)


def _core_points(tree: Tree, how: tuple, weights: np.ndarray, need: float) -> np.ndarray:
    """Whether there is a core point at each place: shape (leaves LEAF,), uint8."""
    there = tree.names != _NONE
    places = np.arange(len(there) + 1, dtype=np.int64) * tree.n // len(there)
    heavy, mass = np.empty((0, there.shape[1])), np.diff(places).astype(float)
    if len(weights):
        if np.abs(weights).max() > 1e280:  # so that no sum overflows
            weights, need = np.ldexp(weights, -64), need * 2.0**-64
        heavy = np.zeros(there.shape)
        heavy[there] = weights[tree.names[there]]
        mass = heavy.sum(axis=1)
    below, rising = _below(mass, tree.levels, np.add), not len(weights) or float(weights.min()) >= 0
    core, cut = there.view(np.uint8).reshape(-1), _few(tree, there.size)
    scratch = _leaf_by_slot(cut, tree)
    cut.run(
        lambda cursor, limit, slot: dbscan.core_pass(
            *(tree.points, tree.boxes, tree.levels, *how, heavy, below, rising, need),
            *(cut.bounds, cursor, limit, scratch, slot, core),
        )
    )
    return core


def _sets(tree: Tree, how: tuple, core: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Core points that hang together, as parents of places; the place of every row; the first core point
    below each node and leaf. Other points are taken from the tree."""
    parent, place = np.empty(len(core), np.int32), np.empty(tree.n, np.int32)
    nodes, leaves = int(tree.levels[-1]), len(tree.names)
    first, whole = np.empty(leaves, np.int32), np.zeros(nodes + leaves, np.uint8)
    cut = stripes(leaves, 20.0 * len(core) / leaves * _work(tree), most=4096)
    scratch = _leaf_by_slot(cut, tree)
    cut.run(
        lambda cursor, limit, slot: dbscan.prepare_pass(
            *(tree.points, tree.names, *how, core, cut.bounds, cursor, limit, scratch, slot),
            *(parent, place, first, whole[nodes:]),
        )
    )
    heads, few = _below(first, tree.levels, np.minimum), _few(tree, len(core))
    scratch = _leaf_by_slot(few, tree)
    few.run(
        lambda cursor, limit, slot: dbscan.join_pass(
            *(tree.points, tree.boxes, tree.levels, *how, core, heads),
            *(few.bounds, cursor, limit, scratch, slot, parent, whole),
        )
    )
    return parent, place, heads


def _leaf_by_slot(cut: Stripes, tree: Tree) -> np.ndarray:
    """Scratch for the points of a leaf and their box; 256 bytes keep threads apart."""
    return np.empty((cut.width(), (tree.points.shape[2] + 2) * tree.d + 32))


def _few(tree: Tree, m: int) -> Stripes:
    """Stripes of m points, so small that a kernel ends soon even where each looks at all others."""
    width = 64
    while width > 1 and width * tree.n * _work(tree) > _STRIPE:
        width //= 2
    bounds = np.append(np.arange(0, m, width, dtype=np.int64), m)
    return Stripes(bounds, 4096, threads=1 if m < _SERIAL else 0)


def _work(tree: Tree) -> int:
    """What a look at a point costs, as the kernels count."""
    return tree.d * (50 if tree.metric == METRICS["minkowski"] else 1)


def _below(leaves: np.ndarray, levels: np.ndarray, join: np.ufunc) -> np.ndarray:
    """For every node, then every leaf, what `join` makes of the leaves below it."""
    out = [leaves]
    for count in np.diff(levels)[::-1]:
        fan = -(-len(out[0]) // count)
        out.insert(0, join.reduce(out[0].reshape(count, fan), axis=1))
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
        around[some] = matmul(within, weights) if len(weights) else np.count_nonzero(within, axis=1)
    core = around >= need
    parent = np.arange(n, dtype=np.int32)
    rows = np.flatnonzero(core).astype(np.int32)
    for some in blocks(rows, n):
        within = rows_of(some) <= eps
        dbscan_labels.unite_block(within.view(np.uint8), some, core.view(np.uint8), parent)
    labels, number = np.full(n, -1, np.int64), np.full(n, -1, np.int32)
    place = np.arange(n, dtype=np.int32)
    clusters = dbscan_labels.number_pass(place, core.view(np.uint8), 0, n, 0, parent, number, labels)
    own = np.where(core, number, clusters)
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
