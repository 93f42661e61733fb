"""`export_tikz`: by hand, balanced, and escaped."""

import re

import numpy as np
import pytest

from clinfa.datasets import load_iris
from clinfa.errors import InvalidParameterError, NotFittedError
from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor, export_tikz

NAN = float("nan")


def stump(**how):
    return DecisionTreeClassifier(**how).fit([[0.0], [2.0], [4.0]], ["a", "b", "b"])


def nodes(text):
    """The tree between the brackets, as (depth, what stands there); they must close as they open."""
    body = text[text.index("\n}\n") + 3 :]
    body = body[: re.search(r"\\node\[|\\end\{forest\}", body).start()]
    found, depth = [], 0
    for line in body.splitlines():
        label, closing = re.fullmatch(r" *\[\{(.*)\}(\]*)", line).groups()
        found.append((depth, label))
        depth += 1 - len(closing)
        assert depth >= 0
    assert depth == 0
    return found


def check_braces(text):
    depth = 0
    for sign in re.findall(r"[{}]", re.sub(r"\\[\\{}]", "", text)):
        depth += 1 if sign == "{" else -1
        assert depth >= 0
    assert depth == 0
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    assert opened == re.findall(r"\\end\{(\w+)\}", text)[::-1]


# By hand


def test_a_stump():
    """The root's impurity is 2 (1/3) (2/3), and both leaves have none."""
    text = export_tikz(stump())
    assert nodes(text) == [
        (0, r"Var($0$) $\leq$ $1$ \\ Imp.\ $0.4444$"),
        (1, "Label: a"),
        (1, "Label: b"),
    ]
    assert text.startswith("\\begin{forest}\n")
    assert text.endswith("\\end{forest}\n")
    assert "Var($0$) & column 0, from 0 on\\\\\n" in text
    check_braces(text)


def test_the_impurity_told_is_by_how_much_it_falls():
    """Labels 0 1 1 1 split at 1.5 into 0 1 and 1 1 by a constraint on leaves: 3/8 less half of 1/2."""
    model = DecisionTreeClassifier(min_samples_leaf=2).fit([[0], [1], [2], [3]], [0, 1, 1, 1])
    assert nodes(export_tikz(model))[0][1] == r"Var($0$) $\leq$ $1.5$ \\ Imp.\ $0.125$"
    weighted = DecisionTreeClassifier(max_depth=1).fit([[0], [1], [2]], [0, 0, 1], [1, 2, 5])
    assert nodes(export_tikz(weighted))[0][1].endswith("$0.4688$")  # 2 (3/8) (5/8)


def test_a_document():
    text = export_tikz(stump(), complete=True, legend=False)
    assert text.startswith("\\documentclass[margin=10pt]{standalone}\n")
    assert text.endswith("\\end{forest}\n\\end{document}\n")
    assert "\\usepackage{forest}" in text[: text.index("\\begin{document}")]
    assert export_tikz(stump(), legend=False) in text
    check_braces(text.replace("\\begin{document}", "").replace("\\end{document}", ""))


def test_the_legend_names_the_columns_used():
    iris = load_iris()
    model = DecisionTreeClassifier(max_depth=2).fit(iris)
    text = export_tikz(model, class_names=["setosa", "versicolor", "virginica"])
    rows = re.findall(r"^Var\(\$(\d)\$\) & (.*)\\\\$", text, re.M)
    assert rows == [("2", "petal length (cm)"), ("3", "petal width (cm)")]
    assert [label for _, label in nodes(text)][1::2] == ["Label: setosa", "Label: versicolor"]
    other = export_tikz(model, feature_names=["a", "b", "c", "d"], legend=False)
    assert nodes(other)[0][1].startswith(r"c $\leq$ $2.45$")
    assert "tabular" not in other


def test_depth():
    model = DecisionTreeRegressor().fit([[0], [1], [2], [3]], [1000.0, 100.0, 10.0, 0.0])
    assert [depth for depth, _ in nodes(export_tikz(model))] == [0, 1, 1, 2, 2, 3, 3]
    assert [label for _, label in nodes(export_tikz(model, max_depth=0))][1:] == [r"$\dots$"] * 2
    check_braces(export_tikz(model, max_depth=1))


def test_numbers_and_several_targets():
    numbers = DecisionTreeRegressor().fit([[0], [1]], [[1e-7, 2.0], [3e20, -4.0]])
    leaves = [label for _, label in nodes(export_tikz(numbers))][1:]
    assert leaves == [r"Values: $1 \cdot 10^{-7}$, $2$", r"Values: $3 \cdot 10^{20}$, $-4$"]
    labels = DecisionTreeClassifier().fit([[0], [1]], [["a", "x"], ["b", "x"]])
    assert [label for _, label in nodes(export_tikz(labels))][1:] == ["Labels: a, x", "Labels: b, x"]
    assert nodes(export_tikz(DecisionTreeRegressor().fit([[1]], [0.5]))) == [(0, "Value: $0.5$")]


def test_missing_values():
    X = [[1.0], [2.0], [NAN]]
    rules = [nodes(export_tikz(DecisionTreeClassifier().fit(X, y)))[0][1] for y in ([0, 1, 0], [0, 1, 1])]
    assert rules[0].startswith(r"Var($0$) $\leq$ $1.5$ or NaN \\")
    assert rules[1].startswith(r"Var($0$) $\leq$ $1.5$, not NaN \\")
    lost = export_tikz(DecisionTreeClassifier().fit(X, [0, 0, 1]))
    assert nodes(lost)[0][1].startswith(r"Var($0$) is not NaN \\")


def test_infinite_thresholds():
    model = DecisionTreeClassifier().fit([[-np.inf], [0.0]], [0, 1])
    assert r"$\leq$ $-\infty$" in export_tikz(model)


def test_names_are_escaped():
    name = r"a\b{c}_d^e~f&g%h#i$j<k>l|m [n], o=p" + "\nq"
    text = export_tikz(stump(), feature_names=[name], class_names=["{", name])
    escaped = (
        r"a\textbackslash{}b\{c\}\_d\textasciicircum{}e\textasciitilde{}f\&g\%h\#i\$j"
        r"\textless{}k\textgreater{}l\textbar{}m [n], o=p q"
    )
    assert f"Var($0$) & {escaped}\\\\\n" in text
    assert [label for _, label in nodes(text)][1:] == [r"Label: \{", f"Label: {escaped}"]
    check_braces(text)


# What is refused


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [("legend", 1, "a bool"), ("complete", None, "a bool"), ("max_depth", -1, "an int >= 0 or None")],
)
def test_arguments_that_are_not_allowed(argument, value, words):
    with pytest.raises(InvalidParameterError, match=f"'{argument}' parameter of export_tikz must be {words}"):
        export_tikz(stump(), **{argument: value})


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="feature_names must contain 1 elements, got 0"):
        export_tikz(stump(), feature_names=[])
    with pytest.raises(ValueError, match="`class_names`"):
        export_tikz(stump(), class_names=["a"])
    with pytest.raises(NotFittedError):
        export_tikz(DecisionTreeClassifier())
    with pytest.raises(TypeError, match="'tree' parameter of export_tikz"):
        export_tikz(stump().tree_)
