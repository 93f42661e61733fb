"""The single-linkage tree: what a spanning tree's edges join, from the lightest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import condense
from clinfa.hierarchy._spanning import SpanningTree, in_turn

__all__ = ["SingleLinkage", "single_linkage"]


@dataclass(frozen=True, slots=True)
class SingleLinkage:
    """A binary tree over n points; node n + i is what merge i made.

    Attributes
    ----------
    children : ndarray of shape (n - 1, 2), int64
        The nodes that were joined, the lesser first.
    heights : ndarray of shape (n - 1,)
        At which distance, ascending.
    sizes : ndarray of shape (n - 1,), int64
        Points below.
    """

    children: np.ndarray
    heights: np.ndarray
    sizes: np.ndarray

    def cut(self, height: float) -> np.ndarray:
        """The group of each point, where groups are what has joined below a height: shape (n,), from 0 on."""
        n, kept = len(self.heights) + 1, int(np.searchsorted(self.heights, height))
        group = np.arange(n + kept)
        if kept:
            turn = in_turn(kept, 10.0)
            turn.run(
                lambda cursor, limit, slot: condense.cut_pass(
                    self.children[:kept], turn.bounds, cursor, limit, group
                )
            )
        return np.unique(group[:n], return_inverse=True)[1]


def single_linkage(tree: SpanningTree, heights: np.ndarray) -> SingleLinkage:
    """The single-linkage tree of a spanning tree.

    Parameters
    ----------
    tree : SpanningTree
    heights : ndarray of shape (n - 1,)
        The distances that its weights stand for.
    """
    merges = len(tree.edges)
    parent = np.arange(2 * merges + 1, dtype=np.int64)
    children, sizes = np.empty((merges, 2), np.int64), np.empty(merges, np.int64)
    if merges:
        cut = in_turn(merges, 40.0)
        cut.run(
            lambda cursor, limit, slot: condense.linkage_pass(
                tree.edges, cut.bounds, cursor, limit, parent, children, sizes
            )
        )
    return SingleLinkage(children, heights, sizes)
