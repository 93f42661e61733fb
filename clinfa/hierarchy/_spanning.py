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
    components = _Components(tree, X, core, far, near)
    while len(components.roots) > 1:
        components.look()
        components.join()
    return _in_order(components.edges, components.weights, components.distances)


class _Components:
    """Components of points that become one, round by round.

    Points are called by their place, a component by that of one of its points.
    """

    def __init__(self, tree: Tree, X: np.ndarray, core: np.ndarray, far: np.ndarray, near: np.ndarray):
        n, leaves = tree.n, len(tree.points)
        self.tree, self.X, self.core, self.far = tree, X, core, far
        self.cut, self.even = tree.stripes(n), stripes(n, 10.0)
        place = np.empty(n, np.int32)
        place[tree.rows] = np.arange(n, dtype=np.int32)
        self.near = np.empty((n, min(far.shape[1], _MOST_NEAR)), np.int32)
        self.even.run(
            lambda cursor, limit, slot: boruvka.places_pass(
                near, place, self.even.bounds, cursor, limit, self.near
            )
        )
        self.height, self.begin = leaves.bit_length() - 1, np.arange(leaves, dtype=np.int64) * n // leaves
        self.child_core = _by_child(tree, np.minimum.reduceat(core, self.begin), np.inf, np.minimum)
        # By place: its component, and what is known of its cheapest edge.
        self.group, self.other_group = np.arange(n, dtype=np.int32), np.empty(n, np.int32)
        self.weight, self.distance, self.to = core.copy(), np.zeros(n), np.full(n, -1, np.int32)
        # By component.
        self.parent, self.size, self.bound = self.group.copy(), np.ones(n, np.int64), np.full(n, np.inf)
        self.best, self.roots = np.empty(n, np.int32), self.group
        # Edges of the tree.
        self.edges, self.found = np.empty((n - 1, 2), np.int32), np.zeros(1, np.int64)
        self.weights, self.distances = np.empty(n - 1), np.empty(n - 1)

    def look(self) -> None:
        """Find the cheapest edges that lead out of the components."""
        self.active = (self.size <= _FEW * len(self.group) / len(self.roots)).view(np.uint8)
        least = np.minimum.reduceat(self.group, self.begin)
        least[least < np.maximum.reduceat(self.group, self.begin)] = -1
        child_group, tree = _by_child(self.tree, least, -1, _same), self.tree
        self.cut.run(
            lambda cursor, limit, slot: boruvka.cheapest_pass(
                *(self.X, tree.points, tree.boxes, tree.levels, tree.rows, self.height, tree.metric, tree.p),
                *(self.core, self.child_core, self.group, child_group, self.near, self.far, self.active),
                *(self.bound, self.cut.bounds, cursor, limit, self.weight, self.distance, self.to),
            )
        )

    def join(self) -> None:
        """Join components by them."""
        rows, places, joins = self.tree.rows, in_turn(len(self.group), 5.0), in_turn(len(self.roots), 40.0)
        self.best[self.roots] = -1
        places.run(
            lambda cursor, limit, slot: boruvka.choose_pass(
                *(rows, self.group, self.weight, self.distance, self.to, places.bounds, cursor, limit),
                self.best,
            )
        )
        joins.run(
            lambda cursor, limit, slot: boruvka.join_pass(
                *(rows, self.roots, self.group, self.to, self.best, self.active, self.weight, self.distance),
                *(joins.bounds, cursor, limit, self.parent, self.size),
                *(self.edges, self.weights, self.distances, self.found),
            )
        )
        joins.run(
            lambda cursor, limit, slot: boruvka.flatten_pass(
                self.roots, joins.bounds, cursor, limit, self.parent
            )
        )
        self.roots = self.roots[self.parent[self.roots] == self.roots]
        self.bound[self.roots] = np.inf
        self.even.run(
            lambda cursor, limit, slot: boruvka.regroup_pass(
                *(self.parent, self.weight, self.to, self.group, self.even.bounds, cursor, limit),
                *(self.other_group, self.bound),
            )
        )
        self.group, self.other_group = self.other_group, self.group


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
