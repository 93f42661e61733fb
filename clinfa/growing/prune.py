"""Pruning a tree by its costs and complexity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clinfa._core import prune
from clinfa.growing.trees import CATEGORY, COLUMN, LACKING, Tree, packed

__all__ = ["pruned", "pruning_path"]


def _prune(tree: Tree, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Which nodes became leaves, and alpha and impurity after each step."""
    n = tree.node_count
    width = 1 << max(1, (n - 1).bit_length())
    risk = tree.weighted_n_node_samples / tree.weighted_n_node_samples[0] * tree.impurity
    cut, path = np.empty(n, np.uint8), np.empty((n, 2))
    steps = prune.prune_pass(
        *(tree.children_left, tree.children_right, tree.parents(), risk, alpha, cut),
        *(np.empty(n), np.empty(n, np.int64), np.empty(width), np.empty(2 * width, np.int64), path),
    )
    start = np.array([[0.0, risk[tree.children_left < 0].sum()]])
    return cut.astype(bool), np.concatenate([start, path[:steps]])


def pruning_path(tree: Tree) -> tuple[np.ndarray, np.ndarray]:
    """The alphas at which something is pruned, and the impurity of the leaves from there on."""
    path = _prune(tree, np.inf)[1]
    return path[:, 0], path[:, 1]


def pruned(tree: Tree, alpha: float) -> Tree:
    """The tree without the branches whose leaves cost more than they give, by `alpha` a leaf."""
    cut, _ = _prune(tree, alpha)
    parents = tree.parents()
    gone = np.zeros(tree.node_count, bool)
    for depth_nodes in _levels(tree):  # whatever lies below a cut
        up = parents[depth_nodes]
        gone[depth_nodes] = (up >= 0) & (gone[up] | cut[up])
    kept = np.flatnonzero(~gone)
    place = np.cumsum(~gone) - 1
    nodes = tree.nodes[kept]
    leaf = cut[kept] | (tree.children_left[kept] < 0)
    bits = nodes["feature"]
    whole = tree.together
    said = tree.values[kept]
    right = np.where(leaf, -1, place[nodes["right"]])
    lacking, sorts = (bits & LACKING) != 0, (bits & CATEGORY) != 0
    nodes = packed(nodes["threshold"], right, bits & COLUMN, lacking, said, sorts)
    out = replace(
        whole,
        nodes=nodes,
        n=whole.n[kept],
        values=whole.values[kept],
        impurity=whole.impurity[kept] if len(whole.impurity) else whole.impurity,
        weight=whole.weight[kept] if len(whole.weight) else whole.weight,
        starts=np.array([0, len(kept)]),
    )
    return Tree(replace(out, depths=out[0].depths().max(keepdims=True)))


def _levels(tree: Tree) -> list[np.ndarray]:
    depths = tree.depths()
    order = np.argsort(depths, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(depths[order])) + 1)
