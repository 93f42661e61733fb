"""A tree in the language of Graphviz."""

from __future__ import annotations

import os
from typing import Any

from clinfa.params import Rule, boolean, instance, none
from clinfa.tree._captions import Captions, Marks, check
from clinfa.tree._layout import Shown, walk

__all__ = ["export_graphviz"]

_QUOTED = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): None}
_PLAIN = Marks(line="\\n", escapes=_QUOTED)
_HTML = Marks(
    line="<br/>",
    number="&#35;",
    low="<SUB>",
    high="</SUB>",
    at_most="&le;",
    above="&gt;",
    escapes={ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\n"): "<br/>", ord("\r"): None},
)


def export_graphviz(
    decision_tree: Any,
    out_file: Any = None,
    *,
    max_depth: int | None = None,
    feature_names: Any = None,
    class_names: Any = None,
    label: str = "all",
    filled: bool = False,
    leaves_parallel: bool = False,
    impurity: bool = True,
    node_ids: bool = False,
    proportion: bool = False,
    rotate: bool = False,
    rounded: bool = False,
    special_characters: bool = False,
    precision: int = 3,
    fontname: str = "helvetica",
) -> str | None:
    """A tree in the DOT language, which Graphviz draws: ``dot -Tpng tree.dot -o tree.png``.

    Parameters
    ----------
    decision_tree : DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier or ExtraTreeRegressor
        A fitted tree; one of a forest will do.
    out_file : str, path or file object, optional
        Where to write; by default the text is returned.
    max_depth : int, optional
        How deep the drawing goes; by default to all leaves. What is below is shown as "(...)".
    feature_names : array-like of str of shape (n_features,), optional
        Names of columns; "x[0]", "x[1]", ... by default.
    class_names : array-like of str of shape (n_classes,) or bool, optional
        Names of classes in the order of `classes_`; True for "y[0]", "y[1]", ... By default nodes do not say
        their most frequent class. For trees with one target; of no effect where numbers are predicted.
    label : {"all", "root", "none"}, default "all"
        Where it is written what numbers mean.
    filled : bool, default False
        Colour nodes: by their most frequent class and how far it leads, by the number that they predict, or
        for several targets by how pure they are.
    leaves_parallel : bool, default False
        Draw all leaves at the bottom.
    impurity : bool, default True
        Write the impurity.
    node_ids : bool, default False
        Write the number of the node in the tree's arrays.
    proportion : bool, default False
        Write shares of records and classes instead of counts and weights.
    rotate : bool, default False
        Draw from left to right.
    rounded : bool, default False
        Round corners.
    special_characters : bool, default False
        Use subscripts and the sign for "at most".
    precision : int, default 3
        Decimals of numbers.
    fontname : str, default "helvetica"

    Returns
    -------
    dot : str or None
        None if it was written to `out_file`.

    Raises
    ------
    NotFittedError, InvalidParameterError, TypeError, ValueError
        If the tree is not fitted, or an argument is not allowed.

    Notes
    -----
    Where a column lacked values when the tree was grown, its rules say whether NaN is among those for which
    they are true.

    Examples
    --------
    >>> from clinfa.tree import DecisionTreeClassifier, export_graphviz
    >>> model = DecisionTreeClassifier().fit([[0], [2], [4]], ["a", "b", "b"])
    >>> print(export_graphviz(model, impurity=False, class_names=["a", "b"]))
    digraph Tree {
    node [shape=box, fontname="helvetica"] ;
    edge [fontname="helvetica"] ;
    0 [label="x[0] <= 1.0\\nsamples = 3\\nvalue = [1, 2]\\nclass = b"] ;
    1 [label="samples = 1\\nvalue = [1, 0]\\nclass = a"] ;
    0 -> 1 [labeldistance=2.5, labelangle=45, headlabel="True"] ;
    2 [label="samples = 2\\nvalue = [0, 2]\\nclass = b"] ;
    0 -> 2 [labeldistance=2.5, labelangle=-45, headlabel="False"] ;
    }
    """
    if feature_names is not None and not all(isinstance(name, str) for name in feature_names):
        raise ValueError("All feature names must be strings.")
    switch = boolean()
    target = Rule("a file object with a `write` method", lambda v: hasattr(v, "write"))
    check(
        "export_graphviz",
        out_file=(out_file, instance(str, os.PathLike) | target | none()),
        leaves_parallel=(leaves_parallel, switch),
        rotate=(rotate, switch),
        special_characters=(special_characters, switch),
        fontname=(fontname, instance(str)),
    )
    captions = Captions(
        "export_graphviz",
        decision_tree,
        _HTML if special_characters else _PLAIN,
        max_depth=max_depth,
        feature_names=feature_names,
        class_names=class_names,
        label=label,
        filled=filled,
        impurity=impurity,
        node_ids=node_ids,
        proportion=proportion,
        rounded=rounded,
        precision=precision,
    )
    font = fontname.translate(_QUOTED)
    styles = [word for word, wanted in (("filled", filled), ("rounded", rounded)) if wanted]
    style = f', style="{", ".join(styles)}", color="black"' if styles else ""
    shown = walk(captions.tree, max_depth)
    lines = ["digraph Tree {", f'node [shape=box{style}, fontname="{font}"] ;']
    if leaves_parallel:
        lines.append("graph [ranksep=equally, splines=polyline] ;")
    lines.append(f'edge [fontname="{font}"] ;')
    if rotate:
        lines.append("rankdir=LR ;")
    lines += _nodes(captions, shown, filled, rotate, html=bool(special_characters))
    if leaves_parallel:
        lines += _levels(captions.tree, shown)
    text = "\n".join([*lines, "}"])
    if out_file is None:
        return text
    if hasattr(out_file, "write"):
        out_file.write(text)
    else:
        with open(out_file, "w", encoding="utf-8") as file:
            file.write(text)
    return None


def _nodes(captions: Captions, shown: list[Shown], filled: bool, rotate: bool, html: bool) -> list[str]:
    """Lines for nodes and what leads to them."""
    begin, end = "<>" if html else '""'
    angle = -45 if rotate else 45
    colours = captions.colours([one.node for one in shown]) if filled else []
    lines = []
    for place, one in enumerate(shown):
        text = '"(...)"' if one.cut else f"{begin}{captions[one.node]}{end}"
        colour = f', fillcolor="{"#C0C0C0" if one.cut else colours[place]}"' if filled else ""
        lines.append(f"{one.node} [label={text}{colour}] ;")
        if one.up >= 0:
            which = ""
            if one.up == 0 and not one.cut:
                turn, answer = (-angle, "False") if one.right else (angle, "True")
                which = f' [labeldistance=2.5, labelangle={turn}, headlabel="{answer}"]'
            lines.append(f"{shown[one.up].node} -> {one.node}{which} ;")
    return lines


def _levels(tree: Any, shown: list[Shown]) -> list[str]:
    """Lines that put inner nodes of one depth, and all leaves, on one line each."""
    ranks: dict[float, list[str]] = {}
    for one in shown:
        leaf = one.cut or tree.children_left[one.node] < 0
        ranks.setdefault(float("inf") if leaf else one.depth, []).append(str(one.node))
    return [f"{{rank=same ; {'; '.join(ranks[rank])}}} ;" for rank in sorted(ranks)]
