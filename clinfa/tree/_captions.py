"""What is written at the nodes of a tree: names, rules, numbers, colours; and the arguments that say so."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clinfa.params import Rule, at_least, boolean, none, one_of, shown
from clinfa.tree._single import Single

__all__ = [
    "COUNT",
    "DEPTH",
    "Captions",
    "Marks",
    "branches",
    "check",
    "classes_named",
    "columns_named",
    "condition",
    "names_of",
    "tree_of",
]

DEPTH = at_least(0) | none()
COUNT = at_least(0)
_LABEL = one_of("all", "root", "none")
_WIDE = 75  # letters of a line of numbers
_SHOWN = 12  # categories that are written
_MANY = 1000  # of more numbers than that, the first and last few are written


def check(owner: str, **given: tuple[Any, Rule]) -> None:
    """Check arguments: each comes with its rule."""
    for name, (value, rule) in given.items():
        rule.check(name, value, owner)


def tree_of(model: Any, name: str, owner: str) -> Any:
    """The tree of a fitted model.

    Raises
    ------
    TypeError
        If it is not one of our trees.
    NotFittedError
        If it was not fitted.
    """
    if not isinstance(model, Single):
        hint = "; pick one of its trees: estimators_[0]" if hasattr(model, "estimators_") else ""
        raise TypeError(
            f"The {name!r} parameter of {owner} must be a decision tree of clinfa.tree. {shown(model)} "
            f"is not an estimator instance of that kind{hint}."
        )
    model._check_fitted()
    return model.tree_


def names_of(given: Any, name: str) -> list[str]:
    """Names as a list.

    Raises
    ------
    TypeError, ValueError
        If they are no sequence.
    """
    if isinstance(given, str) or not (hasattr(given, "__len__") or hasattr(given, "__array__")):
        raise TypeError(f"{name} must be an array-like of names or None. Got {shown(given)} instead.")
    if hasattr(given, "__array__") and np.ndim(given) != 1:
        raise ValueError(f"{name} must have one dimension. Got {shown(np.asarray(given))}.")
    return [str(one) for one in given]


def columns_named(given: Any, d: int) -> list[str] | None:
    """Names of columns; None where none were given.

    Raises
    ------
    TypeError, ValueError
        If they are not one for each column.
    """
    if given is None:
        return None
    names = names_of(given, "feature_names")
    if len(names) != d:
        raise ValueError(
            f"Length of feature_names, {len(names)} does not match number of features, {d}: "
            f"feature_names must contain {d} elements, got {len(names)}."
        )
    return names


def classes_named(given: Any, model: Any) -> list[str] | None:
    """Names of classes; None where none were given, or where numbers are predicted.

    Raises
    ------
    TypeError, ValueError
        If they are not one for each class, or if there are several targets.
    """
    if given is None or not hasattr(model, "classes_"):
        return None
    if model.n_outputs_ > 1:
        raise ValueError(
            f"class_names is for trees with one target. This one has {model.n_outputs_}: leave it None."
        )
    names = names_of(given, "class_names")
    if len(names) != len(model.classes_):
        raise ValueError(
            "When `class_names` is an array, it should contain as many items as `decision_tree.classes_`. "
            f"Got {len(names)} while the tree was fitted with {len(model.classes_)} classes."
        )
    return names


def branches(
    tree: Any,
    node: int,
    name: str,
    threshold: str,
    signs: tuple[str, str],
    braces: tuple[str, str] = ("{", "}"),
    escapes: dict[int, str] | None = None,
) -> tuple[str, str]:
    """What is true of the records that go left, and right: with NaN, where columns lacked values."""
    column = tree.feature[node]
    sides = tree._sides(node)
    if tree.threshold[node] == np.inf:  # all that is not missing goes left
        return f"{name} is not NaN", f"{name} is NaN"
    if sides is None:
        left, right = (f"{name} {sign} {threshold}" for sign in signs)
    else:  # (the fewer are written)
        some = min(sides, key=len)
        words = ("in", "not in") if some is sides[0] else ("not in", "in")
        left, right = (f"{name} {word} {_set(some, braces, escapes or {})}" for word in words)
    if tree.missing[column]:
        if tree.missing_go_to_left[node]:
            return f"{left} or NaN", right
        return left, f"{right} or NaN"
    return left, right


def _set(categories: np.ndarray, braces: tuple[str, str], escapes: dict[int, str]) -> str:
    """Categories as they are written: the first few."""
    words = [
        repr(float(v)).removesuffix(".0") if isinstance(v, float | np.floating) else str(v).translate(escapes)
        for v in categories[:_SHOWN].tolist()
    ]
    if len(categories) > _SHOWN:
        words.append(f"... {len(categories) - _SHOWN} more")
    return f"{braces[0]}{', '.join(words)}{braces[1]}"


def condition(tree: Any, node: int, name: str, threshold: str, signs: tuple[str, str], **how: Any) -> str:
    """What is true of the records that go left."""
    left, right = branches(tree, node, name, threshold, signs, **how)
    known = tree.threshold[node] != np.inf
    return f"{left}, not NaN" if known and right.endswith(" or NaN") else left


@dataclass(frozen=True, slots=True)
class Marks:
    """How a format writes what is not a letter, and what it does to names."""

    line: str = "\n"
    number: str = "#"
    low: str = "["
    high: str = "]"
    at_most: str = "<="
    above: str = ">"
    escapes: dict[int, str] = field(default_factory=dict)  # as `str.translate` takes them


class Captions:
    """Writes what stands in the boxes of a drawing, and finds their colours.

    The arguments are those of `plot_tree` and `export_graphviz`, which raise what is raised here.
    """

    def __init__(
        self,
        owner: str,
        model: Any,
        marks: Marks,
        *,
        max_depth: Any,
        feature_names: Any,
        class_names: Any,
        label: Any,
        filled: Any,
        impurity: Any,
        node_ids: Any,
        proportion: Any,
        rounded: Any,
        precision: Any,
    ):
        switch = boolean()
        self.tree = tree_of(model, "decision_tree", owner)
        check(
            owner,
            max_depth=(max_depth, DEPTH),
            label=(label, _LABEL),
            filled=(filled, switch),
            impurity=(impurity, switch),
            node_ids=(node_ids, switch),
            proportion=(proportion, switch),
            rounded=(rounded, switch),
            precision=(precision, COUNT),
        )
        self.marks = marks
        self.criterion = model.criterion
        self.weighs = hasattr(model, "classes_")
        self.columns = columns_named(feature_names, self.tree.n_features)
        self.classes = self._classes(class_names, model)
        self.label, self.precision = label, precision
        self.impurity, self.node_ids, self.proportion = impurity, node_ids, proportion

    def _classes(self, given: Any, model: Any) -> list[str] | None:
        if given is False:
            given = None
        if given is True:
            low, high = self.marks.low, self.marks.high
            symbols = [f"y{low}{k}{high}" for k in range(self.tree.n_classes[0])]
            return classes_named(symbols, model)
        names = classes_named(given, model)
        return names and [name.translate(self.marks.escapes) for name in names]

    def __getitem__(self, node: int) -> str:
        """What stands in the box of a node."""
        tree, marks = self.tree, self.marks
        labelled = self.label == "all" or (self.label == "root" and node == 0)

        def says(word: str, value: str) -> str:
            return f"{word} = {value}" if labelled else value

        lines = []
        if self.node_ids:
            lines.append(f"{'node ' if labelled else ''}{marks.number}{node}")
        if tree.children_left[node] >= 0:
            lines.append(self._rule(node))
        if self.impurity:
            lines.append(says(self.criterion, self._rounded(tree.impurity[node])))
        count = int(tree.n[node])
        of_all = f"{round(100.0 * count / int(tree.n[0]), 1)}%"
        lines.append(says("samples", of_all if self.proportion else str(count)))
        lines.append(says("value", self._value(node)))
        if self.classes is not None:
            lines.append(says("class", self.classes[tree.value[node, 0].argmax()]))
        return marks.line.join(lines)

    def _rounded(self, number: float) -> str:
        # NumPy rounds what looks half-way, 0.15, to even, as scikit-learn does; but it overflows.
        if abs(number) < 1e15 and self.precision <= 15:
            return str(float(np.round(number, self.precision)))
        return str(round(float(number), self.precision))

    def _rule(self, node: int) -> str:
        tree, marks = self.tree, self.marks
        column = int(tree.feature[node])
        if self.columns is None:
            name = f"x{marks.low}{column}{marks.high}"
        else:
            name = self.columns[column].translate(marks.escapes)
        threshold = self._rounded(tree.threshold[node])
        return condition(tree, node, name, threshold, (marks.at_most, marks.above), escapes=marks.escapes)

    def _value(self, node: int) -> str:
        """Shares or weights of classes, or what is predicted."""
        tree = self.tree
        rows = tree.value[node]
        written = None
        if self.weighs and not self.proportion:
            rows = rows * tree.weighted_n_node_samples[node]
            whole = np.rint(rows)
            # (A share times a weight may miss a whole number by a rounding error.)
            if (np.abs(rows - whole) <= 1e-9 + 1e-12 * whole).all():
                written = [[str(int(v)) for v in row] for row in whole]
        if written is None:
            written = [[self._rounded(v) for v in row] for row in rows]
        if tree.n_outputs == 1:
            return self._list(written[0]) if self.weighs else written[0][0]
        return f"[{self.marks.line.join(self._list(row) for row in written)}]"

    def _list(self, numbers: list[str]) -> str:
        if len(numbers) > _MANY:
            numbers = [*numbers[:3], "...", *numbers[-3:]]
        lines, width = [""], 0
        for i, number in enumerate(numbers):
            text = number + (", " if i + 1 < len(numbers) else "")
            if width and width + len(text) > _WIDE:
                lines.append("")
                width = 0
            lines[-1] += text
            width += len(text)
        return f"[{self.marks.line.join(line.rstrip() for line in lines)}]"

    # Colours: a hue for each class, the paler the less it leads; for numbers the greater the darker, and for
    # several targets the purer the darker.

    def colours(self, nodes: list[int]) -> list[str]:
        """The colours of boxes, as "#rrggbb"."""
        tree = self.tree
        hues = _hues(int(tree.n_classes[0]))
        if tree.n_outputs > 1:
            hue, depth = np.zeros(len(nodes), np.int64), _between(-tree.impurity)[nodes]
        elif tree.n_classes[0] == 1:
            hue, depth = np.zeros(len(nodes), np.int64), _between(tree.value[:, 0, 0])[nodes]
        else:
            shares = tree.value[nodes, 0]
            hue, ordered = shares.argmax(axis=1), np.sort(shares, axis=1)
            depth = (ordered[:, -1] - ordered[:, -2]) / (1 - ordered[:, -2])
        mixed = np.rint(depth[:, None] * hues[hue] + (1 - depth[:, None]) * 255).astype(np.int64)
        return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in mixed.tolist()]


def _hues(n: int) -> np.ndarray:
    """Colours around the circle: shape (n, 3), 0 to 255."""
    degrees = (25 + np.arange(n) * 360 / n).astype(np.int64) % 360
    return np.array([colorsys.hsv_to_rgb(h / 360, 0.75, 0.9) for h in degrees]) * 255 // 1


def _between(numbers: np.ndarray) -> np.ndarray:
    """Where numbers lie between the least and the greatest of them; 0 where all are one."""
    low, high = numbers.min() / 2, numbers.max() / 2  # (halves: the difference of two large ones overflows)
    return (numbers / 2 - low) / (high - low) if high > low else np.zeros(len(numbers))
