"""A tree as text."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.params import at_least, boolean
from clinfa.tree._captions import COUNT, DEPTH, branches, check, classes_named, columns_named, tree_of
from clinfa.tree._layout import walk

__all__ = ["export_text"]


def export_text(
    decision_tree: Any,
    *,
    feature_names: Any = None,
    class_names: Any = None,
    max_depth: int | None = 10,
    spacing: int = 3,
    decimals: int = 2,
    show_weights: bool = False,
) -> str:
    """The rules of a tree as text, a line for each branch.

    Parameters
    ----------
    decision_tree : DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier or ExtraTreeRegressor
        A fitted tree; one of a forest will do.
    feature_names : array-like of shape (n_features,), optional
        Names of columns; "feature_0", "feature_1", ... by default.
    class_names : array-like of shape (n_classes,), optional
        Names of classes in the order of `classes_`, which they are by default. For trees with one target.
    max_depth : int or None, default 10
        How deep the rules go; of branches that go deeper their depth is told. None shows all.
    spacing : int, default 3
        By how much a level is moved to the right.
    decimals : int, default 2
        Decimals of numbers.
    show_weights : bool, default False
        Write in leaves what the records of each class weigh.

    Returns
    -------
    report : str

    Raises
    ------
    NotFittedError, InvalidParameterError, TypeError, ValueError
        If the tree is not fitted, or an argument is not allowed.

    Notes
    -----
    Where a column lacked values when the tree was grown, its rules say to which side NaN goes.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.tree import DecisionTreeClassifier, export_text
    >>> iris = load_iris()
    >>> model = DecisionTreeClassifier(max_depth=2).fit(iris)
    >>> print(export_text(model, feature_names=iris.feature_names))
    |--- petal length (cm) <= 2.45
    |   |--- class: 0
    |--- petal length (cm) >  2.45
    |   |--- petal width (cm) <= 1.75
    |   |   |--- class: 1
    |   |--- petal width (cm) >  1.75
    |   |   |--- class: 2
    <BLANKLINE>
    """
    tree = tree_of(decision_tree, "decision_tree", "export_text")
    check(
        "export_text",
        max_depth=(max_depth, DEPTH),
        spacing=(spacing, at_least(1)),
        decimals=(decimals, COUNT),
        show_weights=(show_weights, boolean()),
    )
    columns = columns_named(feature_names, tree.n_features)
    if columns is None:
        columns = [f"feature_{i}" for i in range(tree.n_features)]
    classes = classes_named(class_names, decision_tree)
    leaf = _leaves(decision_tree, tree, classes, decimals, show_weights)
    shown = walk(tree, max_depth)
    hidden = _heights(tree, [one.node for one in shown if one.cut])
    step, lead = "|" + " " * spacing, "|" + "-" * spacing
    rules: list[tuple[str, str]] = []  # of the nodes so far, for the branches below
    lines = []
    for one in shown:
        if one.up >= 0:
            lines.append(f"{step * (one.depth - 1)}{lead} {rules[one.up][one.right]}")
        if tree.children_left[one.node] < 0:
            lines.append(f"{step * one.depth}{lead} {leaf(one.node)}")
        elif one.cut:
            lines.append(f"{step * one.depth}{lead} truncated branch of depth {hidden[one.node]}")
        else:
            threshold = f"{tree.threshold[one.node]:.{decimals}f}"
            name = columns[tree.feature[one.node]]
            rules.append(branches(tree, one.node, name, threshold, ("<=", "> ")))
            continue
        rules.append(("", ""))
    return "\n".join(lines) + "\n"


def _leaves(model: Any, tree: Any, classes: list[str] | None, decimals: int, weights: bool) -> Any:
    """What is written of a leaf, as a function of its node."""

    def row(numbers: np.ndarray) -> str:
        return f"[{', '.join(f'{v:.{decimals}f}' for v in numbers)}]"

    def number(node: int) -> str:
        return f"value: {row(tree.value[node, :, 0])}"

    def label(node: int) -> str:
        shares = [tree.value[node, o, :k] for o, k in enumerate(tree.n_classes)]
        own = [str(names[share.argmax()]) for names, share in zip(known, shares, strict=True)]
        text = f"class: {own[0] if len(own) == 1 else '[' + ', '.join(own) + ']'}"
        if not weights:
            return text
        rows = [row(share * tree.weighted_n_node_samples[node]) for share in shares]
        return f"weights: {rows[0] if len(rows) == 1 else '[' + ', '.join(rows) + ']'} {text}"

    if not hasattr(model, "classes_"):
        return number
    known = [classes] if classes else model.classes_ if model.n_outputs_ > 1 else [model.classes_]
    return label


def _heights(tree: Any, nodes: list[int]) -> dict[int, int]:
    """How many levels there are from each of these nodes on."""
    left, right = tree.children_left, tree.children_right
    height, level = np.zeros(len(nodes), np.int64), 0
    at, owner = np.array(nodes, np.int64), np.arange(len(nodes))
    while len(at):
        level += 1
        height[owner] = level
        inner = left[at] >= 0
        at = np.concatenate([left[at[inner]], right[at[inner]]])
        owner = np.tile(owner[inner], 2)
    return dict(zip(nodes, height.tolist(), strict=True))
