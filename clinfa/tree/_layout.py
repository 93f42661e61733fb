"""Which nodes of a tree are shown, in what order, and where a drawing puts them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clinfa.growing.trees import Tree

__all__ = ["Shown", "tidy", "walk"]


class Shown(NamedTuple):
    """A node that is shown.

    Attributes
    ----------
    node : int
        Its number in the tree.
    depth : int
    up : int
        The place of its parent among the nodes shown; -1 for the root.
    right : bool
        Whether it is its parent's right child.
    cut : bool
        Whether it stands for itself and all below, as it is deeper than what is shown.
    """

    node: int
    depth: int
    up: int
    right: bool
    cut: bool


def walk(tree: Tree, max_depth: int | None) -> list[Shown]:
    """Nodes from the root on, each before its left branch and that before the right one."""
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    deepest = len(left) if max_depth is None else max_depth
    out: list[Shown] = []
    waiting = [(0, 0, -1, False)]
    while waiting:
        node, depth, up, is_right = waiting.pop()
        cut = depth > deepest
        if left[node] >= 0 and not cut:
            waiting.append((right[node], depth + 1, len(out), True))
            waiting.append((left[node], depth + 1, len(out), False))
        out.append(Shown(node, depth, up, is_right, cut))
    return out


def tidy(shown: list[Shown]) -> np.ndarray:
    """Where nodes stand from left to right: shape (nodes,), from 0 on.

    Parents stand half-way between their children, nodes of one depth at least 1 apart, and a branch is drawn
    in the same way wherever it stands. Linear in the number of nodes.

    References
    ----------
    E. M. Reingold and J. S. Tilford, Tidier drawings of trees, IEEE Transactions on Software Engineering 7,
    1981.
    """
    n = len(shown)
    left, right = [-1] * n, [-1] * n
    for place, one in enumerate(shown[1:], 1):
        (right if one.right else left)[one.up] = place
    half = [0.0] * n  # from a node to its children
    thread, shift = [-1] * n, [0.0] * n  # from the end of a contour to where it goes on, and how far aside
    # The first and last node of a branch's lowest level, as seen from its root.
    first, last = list(range(n)), list(range(n))
    to_first, to_last = [0.0] * n, [0.0] * n
    for v in range(n - 1, -1, -1):  # children first
        if left[v] < 0:
            continue
        a, b = left[v], right[v]
        apart = 1.0
        # Down along the right contour of the left branch and the left contour of the right branch.
        inner_a, inner_b, x_a, x_b = a, b, 0.0, 0.0
        while True:
            if left[inner_a] >= 0:
                next_a, x_a = right[inner_a], x_a + half[inner_a]
            else:
                next_a, x_a = thread[inner_a], x_a + shift[inner_a]
            if left[inner_b] >= 0:
                next_b, x_b = left[inner_b], x_b - half[inner_b]
            else:
                next_b, x_b = thread[inner_b], x_b + shift[inner_b]
            if next_a < 0 or next_b < 0:
                break
            inner_a, inner_b = next_a, next_b
            apart = max(apart, x_a - x_b + 1)
        half[v] = apart / 2
        if next_a >= 0:  # the left branch is the deeper one
            end = last[b]
            thread[end], shift[end] = next_a, x_a - apart - to_last[b]
        elif next_b >= 0:
            end = first[a]
            thread[end], shift[end] = next_b, x_b + apart - to_first[a]
        low, side = (b, half[v]) if next_b >= 0 else (a, -half[v])
        first[v], to_first[v] = first[low], to_first[low] + side
        low, side = (a, -half[v]) if next_a >= 0 else (b, half[v])
        last[v], to_last[v] = last[low], to_last[low] + side
    x = np.zeros(n)
    for place, one in enumerate(shown[1:], 1):
        x[place] = x[one.up] + (half[one.up] if one.right else -half[one.up])
    return x - x.min()
