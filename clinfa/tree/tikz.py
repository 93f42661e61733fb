"""A tree for LaTeX."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.params import boolean
from clinfa.tree._captions import DEPTH, check, classes_named, columns_named, condition, tree_of
from clinfa.tree._layout import Shown, walk

__all__ = ["export_tikz"]

_ESCAPES = {
    ord("\\"): r"\textbackslash{}",
    ord("~"): r"\textasciitilde{}",
    ord("^"): r"\textasciicircum{}",
    ord("<"): r"\textless{}",
    ord(">"): r"\textgreater{}",
    ord("|"): r"\textbar{}",
} | {ord(letter): f"\\{letter}" for letter in "{}$&#%_"}
_BEFORE = r"""\documentclass[margin=10pt]{standalone}
\usepackage[T1]{fontenc}
\usepackage{forest}
\begin{document}
"""
_BEGIN = r"""\begin{forest}
for tree={
  draw, thick, rounded corners=2pt, align=center, s sep+=4mm, l sep+=4mm,
  edge={thick, ->},
  if n=1{edge label={node[midway, left, font=\scriptsize]{Y}}}{},
  if n=2{edge label={node[midway, right, font=\scriptsize]{N}}}{},
  if n children=0{tier=leaf}{},
}"""
_DEEPEST = 30  # branches below are not moved further to the right


def export_tikz(
    tree: Any,
    *,
    legend: bool = True,
    feature_names: Any = None,
    class_names: Any = None,
    max_depth: int | None = None,
    complete: bool = False,
) -> str:
    """A tree for LaTeX, drawn by TikZ and the package forest.

    Parameters
    ----------
    tree : DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier or ExtraTreeRegressor
        A fitted tree; one of a forest will do.
    legend : bool, default True
        Write the names of columns into a legend, and "Var(0)", "Var(1)", ... into the nodes.
    feature_names : array-like of shape (n_features,), optional
        Names of columns; by default those of the records that the tree was fitted to.
    class_names : array-like of shape (n_classes,), optional
        Names of classes in the order of `classes_`, which they are by default. For trees with one target.
    max_depth : int, optional
        How deep the drawing goes; by default to all leaves. What is below is shown as dots.
    complete : bool, default False
        Write a whole document, which LaTeX makes a page of the tree's size of; else only the tree, for a
        document with ``\\usepackage{forest}``.

    Returns
    -------
    latex : str

    Raises
    ------
    NotFittedError, InvalidParameterError, TypeError, ValueError
        If the tree is not fitted, or an argument is not allowed.

    Notes
    -----
    The form is that of Linfa's `export_to_tikz`. "Imp." is by how much a split lowers the impurity of its
    node: the node's own less the mean of both sides. Where a column lacked values when the tree was grown,
    its rules say whether NaN is among those for which they are true.

    Examples
    --------
    >>> from clinfa.tree import DecisionTreeClassifier, export_tikz
    >>> model = DecisionTreeClassifier().fit([[0], [2], [4]], ["a", "b", "b"])
    >>> text = export_tikz(model, feature_names=["size_m"])
    >>> print(text[text.index("[{"):])
    [{Var($0$) $\\leq$ $1$ \\\\ Imp.\\ $0.4444$}
      [{Label: a}]
      [{Label: b}]]
    \\node[anchor=north west] at (current bounding box.north east) {%
    \\begin{tabular}{@{}l@{ : }l@{}}
    \\multicolumn{2}{@{}l@{}}{Legend}\\\\
    Imp. & impurity decrease\\\\
    Var($0$) & size\\_m\\\\
    \\end{tabular}};
    \\end{forest}
    <BLANKLINE>
    """
    arrays = tree_of(tree, "tree", "export_tikz")
    check(
        "export_tikz",
        legend=(legend, boolean()),
        max_depth=(max_depth, DEPTH),
        complete=(complete, boolean()),
    )
    columns = columns_named(
        getattr(tree, "feature_names_in_", None) if feature_names is None else feature_names,
        arrays.n_features,
    )
    classes = classes_named(class_names, tree)
    shown = walk(arrays, max_depth)
    lines = [_BEGIN]
    for place, one in enumerate(shown):
        text = _node(tree, one, None if legend else columns, classes)
        # A node's bracket closes behind the last of its branches.
        after = shown[place + 1].depth if place + 1 < len(shown) else 0
        closing = "]" * max(0, one.depth - after + 1)
        lines.append(f"{'  ' * min(one.depth, _DEEPEST)}[{{{text}}}{closing}")
    if legend:
        lines += _legend(arrays, shown, columns)
    lines.append(r"\end{forest}" + "\n")
    text = "\n".join(lines)
    return f"{_BEFORE}{text}\\end{{document}}\n" if complete else text


def _node(model: Any, one: Shown, columns: list[str] | None, classes: list[str] | None) -> str:
    """What stands at a node."""
    tree, node = model.tree_, one.node
    if one.cut:
        return r"$\dots$"
    if tree.children_left[node] < 0:
        return _leaf(model, node, classes)
    column = int(tree.feature[node])
    name = f"Var(${column}$)" if columns is None else _escaped(columns[column])
    signs, braces = (r"$\leq$", "$>$"), (r"\{", r"\}")
    threshold = _number(tree.threshold[node])
    rule = condition(tree, node, name, threshold, signs, braces=braces, escapes=_ESCAPES)
    sides = [tree.children_left[node], tree.children_right[node]]
    left = np.average(tree.impurity[sides], weights=tree.weighted_n_node_samples[sides])
    return rf"{rule} \\ Imp.\ {_number(tree.impurity[node] - left)}"


def _leaf(model: Any, node: int, classes: list[str] | None) -> str:
    tree = model.tree_
    if not hasattr(model, "classes_"):
        numbers = [_number(v) for v in tree.value[node, :, 0]]
        return f"Value{'s' if len(numbers) > 1 else ''}: {', '.join(numbers)}"
    known = [classes] if classes else model.classes_ if model.n_outputs_ > 1 else [model.classes_]
    labels = [
        _escaped(str(names[tree.value[node, o, : len(names)].argmax()])) for o, names in enumerate(known)
    ]
    return f"Label{'s' if len(labels) > 1 else ''}: {', '.join(labels)}"


def _legend(tree: Any, shown: list[Shown], columns: list[str] | None) -> list[str]:
    """What the short words in the nodes mean."""
    used = {int(tree.feature[one.node]) for one in shown if not one.cut and tree.children_left[one.node] >= 0}
    rows = []
    for column in sorted(used):
        name = f"column {column}, from 0 on" if columns is None else _escaped(columns[column])
        rows.append(rf"Var(${column}$) & {name}\\")
    return [
        r"\node[anchor=north west] at (current bounding box.north east) {%",
        r"\begin{tabular}{@{}l@{ : }l@{}}",
        r"\multicolumn{2}{@{}l@{}}{Legend}\\",
        r"Imp. & impurity decrease\\",
        *rows,
        r"\end{tabular}};",
    ]


def _escaped(name: str) -> str:
    return " ".join(name.split()).translate(_ESCAPES)


def _number(value: float) -> str:
    """Four digits that count, as LaTeX writes them."""
    digits, _, power = f"{value:.4g}".partition("e")
    if "inf" in digits:
        digits = digits.replace("inf", r"\infty")
    return rf"${digits} \cdot 10^{{{int(power)}}}$" if power else f"${digits}$"
