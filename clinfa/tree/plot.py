"""A tree as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.params import Rule, between, none
from clinfa.tree._captions import Captions, Marks, check
from clinfa.tree._layout import Shown, tidy, walk

__all__ = ["plot_tree"]

_MARKS = Marks()
_PAD = 0.4  # around the text of a box, in letters' heights
_AXES = Rule("a matplotlib Axes", lambda v: hasattr(v, "annotate"))
_FILL, _HIGH = 0.92, 0.68  # of the room of a box, what it may take: across, and of its level
_CUT = "#c0c0c0"
_LARGEST = 1.4  # as a multiple of the usual font


def plot_tree(
    decision_tree: Any,
    *,
    max_depth: int | None = None,
    feature_names: Any = None,
    class_names: Any = None,
    label: str = "all",
    filled: bool = False,
    impurity: bool = True,
    node_ids: bool = False,
    proportion: bool = False,
    rounded: bool = False,
    precision: int = 3,
    ax: Any = None,
    fontsize: float | None = None,
) -> list[Any]:
    """Draw a tree with matplotlib.

    Parameters
    ----------
    decision_tree : DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier or ExtraTreeRegressor
        A fitted tree; one of a forest will do.
    max_depth : int, optional
        How deep the drawing goes; by default to all leaves. What is below is shown as "(...)".
    feature_names : array-like of shape (n_features,), optional
        Names of columns; "x[0]", "x[1]", ... by default.
    class_names : array-like of shape (n_classes,) or bool, optional
        Names of classes in the order of `classes_`; True for "y[0]", "y[1]", ... By default nodes do not say
        their most frequent class. For trees with one target; of no effect where numbers are predicted.
    label : {"all", "root", "none"}, default "all"
        Where it is written what numbers mean.
    filled : bool, default False
        Colour nodes: by their most frequent class and how far it leads, by the number that they predict, or
        for several targets by how pure they are.
    impurity : bool, default True
        Write the impurity.
    node_ids : bool, default False
        Write the number of the node in the tree's arrays.
    proportion : bool, default False
        Write shares of records and classes instead of counts and weights.
    rounded : bool, default False
        Round corners.
    precision : int, default 3
        Decimals of numbers.
    ax : matplotlib Axes, optional
        Where to draw; what is there is cleared. By default the current ones, or those of a new figure as
        large as the tree asks for.
    fontsize : float, optional
        Height of letters in points; by default as large as boxes have room.

    Returns
    -------
    annotations : list of matplotlib Annotations
        The boxes, each before those of its branches, and the answers beside the root's children.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    NotFittedError, InvalidParameterError, TypeError, ValueError
        If the tree is not fitted, or an argument is not allowed.

    Notes
    -----
    Where a column lacked values when the tree was grown, its rules say whether NaN is among those for which
    they are true. Nodes are placed as Reingold and Tilford did [1]_.

    References
    ----------
    .. [1] E. M. Reingold and J. S. Tilford, Tidier drawings of trees, IEEE Transactions on Software
       Engineering 7, 1981.

    Examples
    --------
    >>> import matplotlib.figure
    >>> from clinfa.tree import DecisionTreeClassifier, plot_tree
    >>> model = DecisionTreeClassifier().fit([[0], [2], [4]], ["a", "b", "b"])
    >>> axes = matplotlib.figure.Figure().subplots()
    >>> [box.get_text() for box in plot_tree(model, impurity=False, ax=axes)][:2]
    ['x[0] <= 1.0\\nsamples = 3\\nvalue = [1, 2]', 'samples = 1\\nvalue = [1, 0]']
    """
    captions = Captions(
        "plot_tree",
        decision_tree,
        _MARKS,
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
    check("plot_tree", ax=(ax, _AXES | none()), fontsize=(fontsize, between(0, closed="neither") | none()))
    try:
        from matplotlib import pyplot, rcParams  # an extra, and slow to load
        from matplotlib.collections import LineCollection
    except ImportError as error:
        raise ImportError("plot_tree needs matplotlib: pip install clinfa[plot]") from error
    shown = walk(captions.tree, max_depth)
    texts = ["(...)" if one.cut else captions[one.node] for one in shown]
    x, depth = tidy(shown), np.array([one.depth for one in shown])
    wide, high = x.max() + 1, depth.max() + 1
    if ax is None:
        if pyplot.get_fignums():
            ax = pyplot.gca()
        else:
            size = _figure_size(texts, wide, high)
            ax = pyplot.figure(figsize=size).add_axes((0.01, 0.01, 0.98, 0.98))
    ax.clear()
    ax.set_axis_off()
    places = np.column_stack([(x + 0.5) / wide, 1 - (depth + 0.5) / high])
    ink = rcParams["text.color"]
    fills = captions.colours([one.node for one in shown]) if filled else [ax.get_facecolor()] * len(shown)
    style: dict[str, Any] = {"xycoords": "axes fraction", "zorder": 3}
    box = {"boxstyle": f"{'round' if rounded else 'square'},pad={_PAD}", "ec": ink}
    boxes, out = [], []
    for one, text, place, fill in zip(shown, texts, places, fills, strict=True):
        fill = _CUT if one.cut else fill
        style["color"] = _ink(fill) if filled or one.cut else ink
        boxes.append(ax.annotate(text, place, ha="center", va="center", bbox=box | {"fc": fill}, **style))
        out.append(boxes[-1])
        if one.up == 0 and not one.cut:
            answer, side = ("  False", "left") if one.right else ("True  ", "right")
            # (Above its edge, however flat that is.)
            style["color"] = ink
            out.append(ax.annotate(answer, (places[0] + place) / 2, ha=side, va="bottom", **style))
    lines = [(places[one.up], place) for one, place in zip(shown[1:], places[1:], strict=True)]
    edges = LineCollection(lines, transform=ax.transAxes, colors=ink, zorder=2)
    ax.add_collection(edges, autolim=False)
    size = fontsize or _font_size(ax, boxes, shown, places, float(high))
    for text in out:
        text.set_fontsize(size)
    thin = min(1.0, size / 10)  # small letters are lost between thick lines
    edges.set_linewidth(thin)
    for one in boxes:
        one.get_bbox_patch().set_linewidth(thin)
    return out


def _ink(fill: str) -> str:
    """Black or white, whichever is told from the background more easily."""
    channels = np.array([int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return "black" if (channels**2.2 * (0.2126, 0.7152, 0.0722)).sum() > 0.18 else "white"


def _figure_size(texts: list[str], wide: float, high: float) -> tuple[float, float]:
    """Inches that a tree asks for, within reason."""
    letters = max(len(line) for text in texts for line in text.split("\n"))
    lines = max(text.count("\n") + 1 for text in texts)
    return (
        float(np.clip(wide * (0.08 * letters + 0.3), 6.4, 24)),
        float(np.clip(high * (0.17 * lines + 0.5), 4.8, 16)),
    )


def _font_size(ax: Any, boxes: list[Any], shown: list[Shown], places: np.ndarray, high: float) -> float:
    """The greatest font with which boxes keep clear of each other."""
    from matplotlib.backends.backend_agg import RendererAgg

    now, pen = boxes[0].get_fontsize(), RendererAgg(1, 1, ax.figure.dpi)  # (letters measure the same in all)
    room = ax.get_window_extent()
    pad = 2 * _PAD * now * ax.figure.dpi / 72
    sizes = np.array([box.get_window_extent(pen).size for box in boxes]) + pad
    x, depth = places[:, 0] * room.width, np.array([one.depth for one in shown])
    order = np.lexsort((x, depth))
    x, widths, depth = x[order], sizes[order, 0], depth[order]
    beside = np.flatnonzero(depth[1:] == depth[:-1])
    times = [
        _LARGEST,
        _HIGH * room.height / high / sizes[:, 1].max(),
        *(_FILL * 2 * x / widths),
        *(_FILL * 2 * (room.width - x) / widths),
        *(_FILL * 2 * (x[beside + 1] - x[beside]) / (widths[beside] + widths[beside + 1])),
    ]
    return max(0.01, now * float(np.min(times)))
