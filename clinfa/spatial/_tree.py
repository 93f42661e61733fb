"""A k-d tree of wide nodes: built once, searched by many queries at a time (docs/kernels.md, "The tree")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from clinfa._core import kdtree
from clinfa.threads import Stripes, stripes

__all__ = ["METRICS", "Tree", "halved", "together"]

LEAF, FAN = kdtree.LEAF_SIZE, kdtree.FAN_OUT
METRICS = {"euclidean": 0, "sqeuclidean": 0, "manhattan": 1, "chebyshev": 2, "minkowski": 3}
_QUERIES = 64  # in a stripe: near one another
_STRIPE = 30_000_000  # features in a stripe, where every query looks at every point: some 10 ms
_TOGETHER = 1 << 16  # values that one thread orders by itself,
_FEW = 1 << 12  # and where other threads would be idle
_CALL = 64  # stripes; the kernels return earlier where they had much to do
_MOST_ROWS = 2**31 - 1
_NONE = np.empty(0), np.empty(0, np.int64)


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
    shift : int
        Points are stored times ``2^shift``, which is exact, so that no power of a difference overflows or
        vanishes. Reduced distances (squares, sums, maxima, sums of p-th powers) are those of stored points;
        `distances` are those of the user's.
    squared : bool
        Whether distances are squares.
    """

    points: np.ndarray
    names: np.ndarray
    boxes: np.ndarray
    first: np.ndarray
    levels: np.ndarray
    rows: np.ndarray
    metric: int
    p: float
    shift: int = 0
    squared: bool = False

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def d(self) -> int:
        return self.points.shape[1]

    def records(self) -> np.ndarray:
        """The rows that the tree was built over."""
        real = self.names < _MOST_ROWS
        out = np.empty((self.n, self.d), self.points.dtype)
        out[self.names[real]] = self.points.transpose(0, 2, 1)[real]
        return np.ldexp(out, -self.shift) if self.shift else out

    @property
    def power(self) -> float:
        """The power in reduced distances."""
        return {0: 2.0, 3: self.p}.get(self.metric, 1.0)

    def distances(self, far: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Distances, from reduced ones; infinite where they overflow."""
        with np.errstate(over="ignore"):
            if self.power == 2 and not self.squared:
                far = np.sqrt(far, out)
            elif self.power not in (1, 2):
                far = np.power(far, 1 / self.power, out)
            shift = -2 * self.shift if self.squared else -self.shift
            return np.ldexp(far, shift, out) if shift else far

    def reduced(self, radius: np.ndarray) -> np.ndarray:
        """Reduced distances, from distances; infinite where they overflow."""
        if self.squared:
            return np.ldexp(np.asarray(radius, float), 2 * self.shift)
        radius = np.ldexp(np.asarray(radius, float), self.shift)
        with np.errstate(over="ignore", under="ignore"):
            return radius * radius if self.power == 2 else radius**self.power

    def ready(self, Q: np.ndarray) -> tuple[Tree, np.ndarray]:
        """This tree and queries as its kernels want them: of one type, on one scale.

        (The tree is another one where the queries are double, or far greater than its points.)
        """
        tree, Q = self, np.ascontiguousarray(Q)
        top = _exponent(Q) + tree.shift
        high = _range(tree.points.dtype, tree.power)[1]
        if tree.points.dtype == np.float32 and (Q.dtype != np.float32 or top > high):
            tree = replace(tree, points=tree.points.astype(float), boxes=tree.boxes.astype(float))
            high = _range(tree.points.dtype, tree.power)[1]
        if Q.dtype != tree.points.dtype:
            Q = Q.astype(tree.points.dtype)
        if top > high:
            points, boxes = np.ldexp(tree.points, high - top), np.ldexp(tree.boxes, high - top)
            tree = replace(tree, points=points, boxes=boxes, shift=tree.shift + high - top)
        return tree, np.ldexp(Q, tree.shift) if tree.shift else Q

    @classmethod
    def build(
        cls, X: np.ndarray, metric: str = "euclidean", p: float = 2.0, rows: np.ndarray | None = None
    ) -> Tree:
        """A tree over the rows of X (C-contiguous, float32 or float64, finite).

        Parameters
        ----------
        X : ndarray of shape (n, d)
        metric : str
        p : float
        rows : ndarray of shape (n,), int32, optional
            An order of the rows in which neighbours are near one another, if it is known: leaves are cut
            from it, rather than by halving.

        Raises
        ------
        ValueError
            If there are 2^31 rows or more.
        """
        n, d = X.shape
        if n > _MOST_ROWS:
            raise ValueError(f"A tree holds at most {_MOST_ROWS} rows, got {n}.")
        shift = 0
        if metric != "minkowski":
            p = 2.0
        power = 2.0 if METRICS[metric] == 0 else p if metric == "minkowski" else 1.0
        top = _exponent(X)
        low, high = _range(X.dtype, power)
        if X.dtype == np.float32 and not low <= top <= high:
            X = X.astype(float)
            low, high = _range(X.dtype, power)
        if not low <= top <= high:
            shift = -top
            X = np.ldexp(X, shift)
        rows, height = halved(X, LEAF) if rows is None else (rows, _halvings(n, LEAF))
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
        return cls(
            points, names, boxes, first, levels, rows, METRICS[metric], p, shift, metric == "sqeuclidean"
        )

    def nearest(self, Q: np.ndarray, k: int, turn: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest points of every query, ties by row.

        Parameters
        ----------
        Q : ndarray of shape (m, d), float32 or float64, finite
        k : int
            At most n.
        turn : ndarray of shape (m,), int32, optional
            The order in which queries are answered: those after one another had better lie near one another.
            (For the tree's own rows pass `rows`.)

        Returns
        -------
        distances : ndarray of shape (m, k)
            Ascending.
        nearest : ndarray of shape (m, k), int64
        """
        tree, Q = self.ready(Q)
        m = len(Q)
        turn = np.arange(m, dtype=np.int32) if turn is None else turn
        far, nearest = np.empty((m, k)), np.empty((m, k), np.int64)
        tree.put_nearest(Q, far, nearest, turn)
        return tree.distances(far, far), nearest

    def put_nearest(self, Q: np.ndarray, far: np.ndarray, nearest: np.ndarray, turn: np.ndarray) -> None:
        """The k nearest points of the queries in `turn`: reduced distances into `far`, rows into `nearest`.

        Tree and queries are as `ready` gives them.
        """
        cut = self.stripes(len(turn))
        cut.run(
            lambda cursor, limit, slot: kdtree.nearest_pass(
                *(self.points, self.names, self.boxes, self.first, self.levels),
                *(Q, turn, self.metric, self.p, cut.bounds, cursor, limit, far, nearest),
            )
        )

    def within(
        self, Q: np.ndarray, radius: float | np.ndarray, turn: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All points at most `radius` from each query.

        Parameters
        ----------
        Q : ndarray of shape (m, d), float32 or float64, finite
        radius : float or ndarray of shape (m,)
            At least 0.
        turn : ndarray of shape (m,), int32, optional
            As for `nearest`.

        Returns
        -------
        indptr : ndarray of shape (m + 1,), int64
            Those of query i stand at places ``indptr[i]`` to ``indptr[i + 1]``, in the order of the tree.
        rows : ndarray, int64
        distances : ndarray
        """
        tree, Q = self.ready(Q)
        begin = np.zeros(len(Q) + 1, np.int64)
        np.cumsum(tree._within(Q, radius, turn, begin, *_NONE), out=begin[1:])
        far, rows = np.empty(begin[-1]), np.empty(begin[-1], np.int64)
        if len(rows):
            tree._within(Q, radius, turn, begin, far, rows)
        return begin, rows, tree.distances(far, far)

    def count_within(
        self, Q: np.ndarray, radius: float | np.ndarray, turn: np.ndarray | None = None
    ) -> np.ndarray:
        """How many points are at most `radius` from each query: shape (m,), int64. As `within`."""
        tree, Q = self.ready(Q)
        return tree._within(Q, radius, turn, np.zeros(1, np.int64), *_NONE)

    def _within(
        self,
        Q: np.ndarray,
        radius: float | np.ndarray,
        turn: np.ndarray | None,
        begin: np.ndarray,
        far: np.ndarray,
        rows: np.ndarray,
    ) -> np.ndarray:
        m = len(Q)
        turn = np.arange(m, dtype=np.int32) if turn is None else turn
        most = np.ascontiguousarray(np.broadcast_to(self.reduced(radius), m))
        counts, cut = np.zeros(m, np.int64), self.stripes(m)
        cut.run(
            lambda cursor, limit, slot: kdtree.within_pass(
                *(self.points, self.names, self.boxes, self.levels, Q, turn, self.metric, self.p, most),
                *(cut.bounds, cursor, limit, counts, begin, far, rows),
            )
        )
        return counts

    def stripes(self, m: int) -> Stripes:
        """Stripes of m queries."""
        width = max(1, min(_QUERIES, _STRIPE // max(self.n * self.d, 1)))
        count = max(1, m // width)
        return Stripes(np.arange(count + 1, dtype=np.int64) * m // count, _CALL)


def halved(X: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """Rows ordered by halving along the widest column until parts hold at most `most`, and how often.

    Part j of 2^h holds places ``j n >> h`` to ``(j + 1) n >> h``.
    """
    n, d = X.shape
    height = _halvings(n, most)
    rows, keys = np.arange(n, dtype=np.int32), np.empty(n, X.dtype)
    apart = 0
    while apart < height and (n >> apart) * d > (_TOGETHER if apart > 3 else _FEW):
        apart += 1
    for level in range(apart):
        cut = stripes(1 << level, n / (1 << level) * (4 * d + 20))
        spread = np.empty((cut.width(), 2, d + 32), X.dtype)  # 128 bytes keep threads apart
        cut.run(
            lambda cursor, limit, slot, level=level, cut=cut, spread=spread: kdtree.split_level(
                X, rows, keys, level, cut.bounds, cursor, limit, spread, slot
            )
        )
    if apart < height:
        most = (n >> apart) + 1
        cut = stripes(1 << apart, n / (1 << apart) * (4 * d + 20) * (height - apart))
        spread, near = np.empty((cut.width(), 2, d + 32), X.dtype), np.empty((cut.width(), most * d), X.dtype)
        names = np.empty((cut.width(), 2 * most), np.int32)
        cut.run(
            lambda cursor, limit, slot: kdtree.split_below(
                X, rows, keys, apart, height, cut.bounds, cursor, limit, spread, near, names, slot
            )
        )
    return rows, height


def _halvings(n: int, most: int) -> int:
    """How often n rows are halved until parts hold at most `most`."""
    height = 0
    while -(-n // (1 << height)) > most:
        height += 1
    return height


def together(X: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Records of one type, on a scale where no squared distance overflows or vanishes, and its exponent."""
    top, dtype = max(_exponent(X), _exponent(Q)), np.result_type(X, Q)
    low, high = _range(dtype, 2.0)
    if dtype == np.float32 and not low <= top <= high:
        dtype = np.dtype(float)
        low, high = _range(dtype, 2.0)
    shift = 0 if low <= top <= high else -top
    X, Q = (np.ascontiguousarray(A, dtype) for A in (X, Q))
    return (np.ldexp(X, shift), np.ldexp(Q, shift), shift) if shift else (X, Q, 0)


def _exponent(X: np.ndarray) -> int:
    """The least e such that no value is 2^e or more in size."""
    top = max(float(X.max(initial=0)), -float(X.min(initial=0)))
    return int(np.frexp(top)[1])


def _range(dtype: np.dtype, power: float) -> tuple[int, int]:
    """Exponents of the greatest value such that powers of differences neither vanish nor overflow."""
    low, high = (-80, 96) if dtype == np.float32 else (-800, 900)
    return int(low / power), int(high / power)


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
