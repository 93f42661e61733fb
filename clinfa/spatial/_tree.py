"""A k-d tree of wide nodes: built once, searched by many queries at a time (docs/kernels.md, "The tree")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import kdtree
from clinfa.threads import Stripes, stripes

__all__ = ["METRICS", "Tree"]

LEAF, FAN = kdtree.LEAF_SIZE, kdtree.FAN_OUT
METRICS = {"euclidean": 0, "manhattan": 1, "chebyshev": 2, "minkowski": 3}
_QUERIES = 64  # in a stripe: near one another, and few enough that the longest take well under 50 ms
_MOST_ROWS = 2**31 - 1


@dataclass(frozen=True)
class Tree:
    """Points in 2^levels leaves of at most LEAF, under nodes of FAN children.

    Attributes
    ----------
    points : ndarray of shape (n_leaves, d, LEAF)
        Transposed leaf by leaf; +inf where there is no point.
    names : ndarray of shape (n_leaves, LEAF), int32
        Rows of the points; 2^31 - 1 where there is none.
    boxes : ndarray of shape (n_nodes, d, 2, FAN)
        Least and greatest value of every child; level after level, the root first.
    first : ndarray of shape (n_nodes, FAN), int32
        The least row in every child.
    levels : ndarray of shape (depth + 1,), int64
        Where the nodes of each level begin, and how many nodes there are. Child c of node j of a level is
        node (or, below the last level, leaf) FAN j + c of the next.
    rows : ndarray of shape (n,), int32
        Rows in the order of the leaves; leaf j holds places ``j n >> h`` to ``(j + 1) n >> h`` of 2^h.
    metric : int
    p : float
    """

    points: np.ndarray
    names: np.ndarray
    boxes: np.ndarray
    first: np.ndarray
    levels: np.ndarray
    rows: np.ndarray
    metric: int
    p: float

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def d(self) -> int:
        return self.points.shape[1]

    @classmethod
    def build(cls, X: np.ndarray, metric: str = "euclidean", p: float = 2.0) -> Tree:
        """A tree over the rows of X (C-contiguous, float32 or float64, finite).

        Raises
        ------
        ValueError
            If there are 2^31 rows or more.
        """
        n, d = X.shape
        if n > _MOST_ROWS:
            raise ValueError(f"A tree holds at most {_MOST_ROWS} rows, got {n}.")
        height = 0
        while -(-n // (1 << height)) > LEAF:
            height += 1
        rows, keys = np.arange(n, dtype=np.int32), np.empty(n, X.dtype)
        for level in range(height):
            cut = stripes(1 << level, n / (1 << level) * (4 * d + 20))
            spread = np.empty((cut.width(), 2, d + 32), X.dtype)  # 128 bytes keep threads apart
            cut.run(
                lambda cursor, limit, slot, level=level, cut=cut, spread=spread: kdtree.split_level(
                    X, rows, keys, level, cut.bounds, cursor, limit, spread, slot
                )
            )
        leaves = 1 << height
        points, names = np.empty((leaves, d, LEAF), X.dtype), np.empty((leaves, LEAF), np.int32)
        box, least = np.empty((leaves, d, 2), X.dtype), np.empty(leaves, np.int32)
        cut = stripes(leaves, 2.0 * LEAF * d)
        cut.run(
            lambda cursor, limit, slot: kdtree.fill_leaves(
                X, rows, height, cut.bounds, cursor, limit, points, names, box, least
            )
        )
        boxes, first, levels = _nodes(box, least, height)
        return cls(points, names, boxes, first, levels, rows, METRICS[metric], p)

    def nearest(self, Q: np.ndarray, k: int, turn: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest points of every query, ties by row.

        Parameters
        ----------
        Q : ndarray of shape (m, d), of the dtype of the points
        k : int
            At most n.
        turn : ndarray of shape (m,), int32, optional
            The order in which queries are answered: those after one another had better lie near one another.
            (For the tree's own rows pass `rows`.)

        Returns
        -------
        far : ndarray of shape (m, k)
            Reduced distances (squares, sums, maxima, sums of p-th powers), ascending.
        nearest : ndarray of shape (m, k), int64
        """
        m = len(Q)
        if turn is None:
            turn = np.arange(m, dtype=np.int32)
        far, nearest = np.empty((m, k)), np.empty((m, k), np.int64)
        count = max(1, m // _QUERIES)
        cut = Stripes(np.arange(count + 1, dtype=np.int64) * m // count, 4)
        cut.run(
            lambda cursor, limit, slot: kdtree.nearest_pass(
                self.points,
                self.names,
                self.boxes,
                self.first,
                self.levels,
                Q,
                turn,
                self.metric,
                self.p,
                cut.bounds,
                cursor,
                limit,
                far,
                nearest,
            )
        )
        return far, nearest


def _nodes(box: np.ndarray, least: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes from the leaves up, FAN children to each; the root has what is left."""
    depth = -(-height // 3)
    boxes, first = [], []
    for level in range(depth - 1, -1, -1):
        fan = FAN if level else 1 << (height - 3 * (depth - 1))
        count, d = len(box) // fan, box.shape[1]
        node, node_least = (
            np.full((count, d, 2, FAN), np.inf, box.dtype),
            np.full((count, FAN), 2**31 - 1, np.int32),
        )
        node[..., :fan] = box.reshape(count, fan, d, 2).transpose(0, 2, 3, 1)
        node_least[:, :fan] = least.reshape(count, fan)
        boxes.append(node)
        first.append(node_least)
        box = np.stack([node[:, :, 0, :fan].min(axis=2), node[:, :, 1, :fan].max(axis=2)], axis=2)
        least = node_least.min(axis=1)
    levels = np.cumsum([0] + [len(node) for node in reversed(boxes)], dtype=np.int64)
    if not depth:
        return np.empty((0, box.shape[1], 2, FAN), box.dtype), np.empty((0, FAN), np.int32), levels
    return np.concatenate(boxes[::-1]), np.concatenate(first[::-1]), levels
