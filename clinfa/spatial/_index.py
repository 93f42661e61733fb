"""Records to be searched: by the tree or by the tile, whichever is faster for them."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from clinfa.spatial._panels import MOST_NEIGHBOURS, TILE, Panels, nearest_by_blocks
from clinfa.spatial._tree import METRICS, Tree, halved, together

__all__ = ["Index"]

_FEW = 16 * TILE  # queries: with so few there is nothing to choose
_NO_ROW = np.iinfo(np.int32).max
_TASTE = 8  # queries of a first trial
_QUICK = 3e-6  # seconds that the tile takes for a query, wherever it is


class Index:
    """Records to be searched.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64, C-contiguous, finite
        Not to be changed as long as the index is in use.
    metric : str
        One of METRICS.
    p : float
    brute : bool
        Whether no tree is built; Euclidean distances only.

    Attributes
    ----------
    tree : Tree or None
    """

    def __init__(self, X: np.ndarray, metric: str = "euclidean", p: float = 2.0, *, brute: bool = False):
        self.X, self.metric, self.p = X, metric, p
        self.tree = None if brute else Tree.build(X, metric, p)
        self._panels: Panels | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_panels": None}  # they are quickly made again

    def nearest(self, Q: np.ndarray | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Distances and rows of the k nearest records of each query, ties by row.

        Parameters
        ----------
        Q : ndarray of shape (m, d), float32 or float64, finite, or None for the records themselves
        k : int
            At most n.

        Returns
        -------
        distances : ndarray of shape (m, k)
            Ascending.
        nearest : ndarray of shape (m, k), int64
            A record asked of itself is among its own nearest.
        """
        if self.tree is None:
            return self._by_blocks(self.X if Q is None else Q, k)
        tree, points = self.tree.ready(self.X if Q is None else Q)
        m = len(points)
        if Q is None:
            turn = tree.rows
        elif m > TILE:
            turn = halved(points, TILE)[0]
        else:
            turn = np.arange(m, dtype=np.int32)
        far, nearest = np.empty((m, k)), np.empty((m, k), np.int64)
        if m < _FEW or k > MOST_NEIGHBOURS or METRICS[self.metric] != 0 or tree is not self.tree:
            tree.put_nearest(points, far, nearest, turn)
        else:
            self._by_trial(points, far, nearest, turn)
        return tree.distances(far, far), nearest

    def within(
        self, Q: np.ndarray | None, radius: float | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All records at most `radius` from each query, by a tree in any case: see `Tree.within`."""
        if self.tree is None:
            self.tree = Tree.build(self.X, self.metric, self.p)
        if Q is None:
            return self.tree.within(self.X, radius, self.tree.rows)
        return self.tree.within(Q, radius)

    def _by_trial(self, Q: np.ndarray, far: np.ndarray, nearest: np.ndarray, turn: np.ndarray) -> None:
        """Answer some queries in each of two ways, and all others in that which was faster.

        (The answers are the same, to the bit: only how long they take depends on the clock.)
        """
        tree, m = self.tree, len(turn)
        k, rest, answers = far.shape[1], [turn], []

        def seconds(way: Tree | Panels, count: int) -> float:
            """What a query takes, at best of two places, each `count` queries that were not asked yet."""
            least = np.inf
            for _ in range(2):
                longest = max(range(len(rest)), key=lambda i: len(rest[i]))
                all_left = rest.pop(longest)
                middle = max(0, len(all_left) - count) // 2
                rest.extend([all_left[:middle], all_left[middle + count :]])
                queries = all_left[middle : middle + count]
                # (To itself, so that no time goes into what of the whole is touched for the first time.)
                some, own, rows = (
                    Q[queries],
                    np.full((count, k), np.inf),
                    np.full((count, k), _NO_ROW, np.int64),
                )
                begin = perf_counter()
                way.put_nearest(some, own, rows, np.arange(count, dtype=np.int32))
                least = min(least, (perf_counter() - begin) / count)
                answers.append((queries, own, rows))
            return least

        few = max(TILE, min(m // 64, 8 * TILE) // TILE * TILE)
        by_tree = seconds(tree, _TASTE)
        if by_tree < 16 * _QUICK:
            by_tree = seconds(tree, few)  # (the first queries found nothing in the caches)
        way: Tree | Panels = tree
        if by_tree > _QUICK:
            panels = self._packed()
            by_tile = seconds(panels, TILE)
            if by_tree / 4 < by_tile < 4 * by_tree:  # too close to call
                by_tree, by_tile = seconds(tree, few), seconds(panels, few)
            way = panels if by_tile < by_tree else tree
        if way is not tree:
            far[:], nearest[:] = np.inf, _NO_ROW  # as panels want what is not answered yet
        for queries, own, rows in answers:
            far[queries], nearest[queries] = own, rows
        way.put_nearest(Q, far, nearest, np.concatenate(rest))

    def _packed(self) -> Panels:
        if self._panels is None:
            tree = self.tree
            same = tree.shift == 0 and tree.points.dtype == self.X.dtype
            X = self.X if same else np.ldexp(self.X.astype(tree.points.dtype), tree.shift)
            self._panels = Panels.of_tree(X, tree)
        return self._panels

    def _by_blocks(self, Q: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        X, Q, shift = together(self.X, Q)
        far, nearest = nearest_by_blocks(X, Q, k)
        squared = self.metric == "sqeuclidean"
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(far if squared else np.sqrt(far), -2 * shift if squared else -shift), nearest
