"""Minimum spanning trees of mutual reachability: by Borůvka on a tree of points, by Prim on a matrix, by
SciPy on a graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from clinfa._core import boruvka
from clinfa.spatial import Tree
from clinfa.threads import Stripes, stripes

__all__ = [
    "SpanningTree",
    "in_turn",
    "reduced_nearest",
    "spanning_tree",
    "spanning_tree_dense",
    "spanning_tree_sparse",
]

_MOST_NEAR = 16  # neighbours that are remembered for each point: later rounds seldom look further
_FEW = 2  # components of up to so many times the mean size look for an edge: at least half of them do


@dataclass(frozen=True, slots=True)
class SpanningTree:
    """Edges of a spanning tree, lightest first.

    Attributes
    ----------
    edges : ndarray of shape (n - 1, 2), int32
        Rows.
    weights : ndarray of shape (n - 1,)
        What the core distances and distances are measured in: reduced, where those are.
    """

    edges: np.ndarray
    weights: np.ndarray


def in_turn(n: int, row_ns: float) -> Stripes:
    """Stripes that one thread takes one after another."""
    return replace(stripes(n, row_ns), threads=1)


def reduced_nearest(tree: Tree, Q: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest points of every query: as `Tree.nearest`, but distances stay reduced.

    Parameters
    ----------
    tree : Tree
    Q : ndarray of shape (m, d)
        As `tree.ready` gives them, and those after one another had better lie near one another.
    k : int
    """
    far, near = np.empty((len(Q), k)), np.empty((len(Q), k), np.int64)
    tree.put_nearest(Q, far, near, np.arange(len(Q), dtype=np.int32))
    return far, near


def spanning_tree(
    tree: Tree, X: np.ndarray, core: np.ndarray, far: np.ndarray, near: np.ndarray
) -> SpanningTree:
    """The minimum spanning tree of the points of a tree by mutual reachability.

    Of equal weights the nearer pair comes first, then that of lesser rows: there is only one such tree.

    Parameters
    ----------
    tree : Tree
    X : ndarray of shape (n, d)
        Its points by place, as `tree.ready` gives them.
    core : ndarray of shape (n,)
        Reduced core distances, by place: an edge weighs at least those of its ends. Zeros: distances alone.
    far, near : ndarray of shape (n, k)
        The k nearest points of X, from `reduced_nearest`, whatever k is: they only save time.
    """
    n = tree.n
    rows, height = tree.rows, len(tree.points).bit_length() - 1
    cut, turn = tree.stripes(n), in_turn(n, 5.0)
    place = np.empty(n, np.int32)
    place[rows] = np.arange(n, dtype=np.int32)
    close = np.empty((n, min(far.shape[1], _MOST_NEAR)), np.int32)
    even = stripes(n, 2.0 * close.shape[1])
    even.run(lambda cursor, limit, slot: boruvka.places_pass(near, place, even.bounds, cursor, limit, close))
    begin = np.arange(len(tree.points), dtype=np.int64) * n >> height
    child_core = _by_child(tree, np.minimum.reduceat(core, begin), np.inf, np.minimum)

    group, size = np.arange(n, dtype=np.int32), np.ones(n, np.int64)
    parent, roots = group.copy(), group
    weight, distance, to = core.copy(), np.zeros(n), np.full(n, -1, np.int32)
    best, bound = np.empty(n, np.int32), np.empty(n)
    edges, found = np.empty((n - 1, 2), np.int32), np.zeros(1, np.int64)
    weights, distances = np.empty(n - 1), np.empty(n - 1)

    def choose(group: np.ndarray) -> None:
        best.fill(-1)
        bound.fill(np.inf)
        turn.run(
            lambda cursor, limit, slot: boruvka.choose_pass(
                rows, group, weight, distance, to, turn.bounds, cursor, limit, bound, best
            )
        )

    while len(roots) > 1:
        active = (size <= _FEW * n / len(roots)).view(np.uint8)
        least, most = np.minimum.reduceat(group, begin), np.maximum.reduceat(group, begin)
        child_group = _by_child(tree, np.where(least == most, least, -1).astype(np.int32), -1, _same)
        choose(group)
        cut.run(
            lambda cursor, limit, slot, active=active, group=group, child=child_group: boruvka.cheapest_pass(
                *(X, tree.points, tree.boxes, tree.levels, rows, height, tree.metric, tree.p),
                *(core, child_core, group, child, close, far, active, bound, cut.bounds, cursor, limit),
                *(weight, distance, to),
            )
        )
        choose(group)
        start, joins = int(found[0]), in_turn(len(roots), 40.0)
        joins.run(
            lambda cursor, limit, slot, roots=roots, joins=joins, active=active, group=group: (
                boruvka.join_pass(
                    roots, group, to, best, active, joins.bounds, cursor, limit, parent, size, edges, found
                )
            )
        )
        joins.run(
            lambda cursor, limit, slot, roots=roots, joins=joins: boruvka.flatten_pass(
                roots, joins.bounds, cursor, limit, parent
            )
        )
        mine = edges[start : found[0], 0]
        weights[start : found[0]], distances[start : found[0]] = weight[mine], distance[mine]
        group = parent[group]
        roots = roots[parent[roots] == roots]
    return _in_order(rows[edges], weights, distances)


def spanning_tree_dense(D: np.ndarray, core: np.ndarray) -> SpanningTree:
    """The same tree from a symmetric matrix of distances, float64.

    Parameters
    ----------
    D : ndarray of shape (n, n)
    core : ndarray of shape (n,)
    """
    n = len(D)
    waiting = np.arange(n, dtype=np.int32)[::-1].copy()
    weight, far, to = np.full(n, np.inf), np.full(n, np.inf), np.full(n, -1, np.int32)
    edges = np.empty((n - 1, 2), np.int32)
    cut = in_turn(n - 1, 2.0 * n)
    cut.run(
        lambda cursor, limit, slot: boruvka.prim_pass(
            D, core, cut.bounds, cursor, limit, waiting, weight, far, to, edges
        )
    )
    a, b = edges.T
    return _in_order(edges, np.maximum(np.maximum(core[a], core[b]), D[a, b]), D[a, b])


def spanning_tree_sparse(
    a: np.ndarray, b: np.ndarray, distance: np.ndarray, core: np.ndarray
) -> SpanningTree:
    """The same tree of a graph.

    Parameters
    ----------
    a, b : ndarray of shape (m,), int
        Rows at the ends of each edge; those with ``a >= b`` are left out.
    distance : ndarray of shape (m,)
    core : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If the graph is not connected.
    """
    from scipy.sparse import csr_array  # (slow to load, and needed by few)
    from scipy.sparse.csgraph import minimum_spanning_tree

    kept = a < b
    a, b, distance = a[kept], b[kept], distance[kept]
    weight = np.maximum(np.maximum(core[a], core[b]), distance)
    order = np.lexsort((b, a, distance, weight))
    # (SciPy drops edges of weight zero, so what it gets is their order, counted from one.)
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    n = len(core)
    found = minimum_spanning_tree(csr_array((rank, (a, b)), (n, n))).data
    if len(found) < n - 1:
        raise ValueError(
            f"Sparse mutual reachability matrix has {n - len(found)} connected components. HDBSCAN cannot "
            f"be performed on a disconnected graph. Ensure that the sparse distance matrix has only one "
            f"connected component."
        )
    chosen = order[np.sort(found).astype(np.int64) - 1]
    return SpanningTree(np.stack([a[chosen], b[chosen]], axis=1).astype(np.int32), weight[chosen])


def _same(a: np.ndarray, axis: int) -> np.ndarray:
    least = a.min(axis=axis)
    return np.where(least == a.max(axis=axis), least, -1)


def _by_child(tree: Tree, leaf: np.ndarray, nothing: float, combine) -> np.ndarray:
    """What holds of every leaf, for the children of all nodes: shape (n_nodes, FAN)."""
    sizes = np.diff(tree.levels)
    out = np.full(tree.first.shape, nothing, leaf.dtype)
    for level in range(len(sizes) - 1, -1, -1):
        grouped = leaf.reshape(sizes[level], -1)
        out[tree.levels[level] : tree.levels[level + 1], : grouped.shape[1]] = grouped
        leaf = combine.reduce(grouped, axis=1) if isinstance(combine, np.ufunc) else combine(grouped, axis=1)
    return out


def _in_order(edges: np.ndarray, weights: np.ndarray, distances: np.ndarray) -> SpanningTree:
    """Sorted by weight, then distance, then rows."""
    order, crowded = np.argsort(weights).astype(np.int32), np.zeros(1, np.uint8)
    cut = in_turn(len(order), 10.0)
    cut.run(
        lambda cursor, limit, slot: boruvka.settle_pass(
            weights, distances, edges, cut.bounds, cursor, limit, order, crowded
        )
    )
    if crowded[0]:
        order = np.lexsort((edges.max(axis=1), edges.min(axis=1), distances, weights))
    return SpanningTree(edges[order], weights[order])
