"""`export_graphviz`: by hand, as scikit-learn's, and a graph that is the tree whatever the names are."""

import html
import io
import re

import numpy as np
import pytest
import sklearn.tree

from clinfa.datasets import load_diabetes, load_iris
from clinfa.errors import InvalidParameterError, NotFittedError
from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor, export_graphviz

NAN = float("nan")
STRING = r'"(?:[^"\\]|\\.)*"'
NODE = re.compile(rf"(\d+) \[label=({STRING}|<.*>)(?:, fillcolor=\"(#[0-9a-fA-F]{{6}})\")?\] ;")
EDGE = re.compile(r"(\d+) -> (\d+)( \[labeldistance=2.5, labelangle=-?45, headlabel=\"(True|False)\"\])? ;")
OTHER = re.compile(
    rf"(node|edge|graph) \[(\w+=({STRING}|\w+)(, )?)+\] ;|rankdir=LR ;|\{{rank=same ; \d+(; \d+)*\}} ;"
)


def parsed(text):
    """Labels and colours by node, and edges; every line must be one that Graphviz understands."""
    first, *lines, last = text.split("\n")
    assert (first, last) == ("digraph Tree {", "}")
    nodes, edges = {}, []
    for line in lines:
        if node := NODE.fullmatch(line):
            nodes[int(node[1])] = (node[2], node[3])
        elif edge := EDGE.fullmatch(line):
            edges.append((int(edge[1]), int(edge[2])))
        else:
            assert OTHER.fullmatch(line), line
    return nodes, edges


def stump():
    return DecisionTreeClassifier().fit([[0.0], [2.0], [4.0]], ["a", "b", "b"])


def rule(model, **how):
    """What is written first in the root."""
    return parsed(export_graphviz(model, **how))[0][0][0].strip('"').split("\\n")[0]


# By hand


def test_lines():
    assert export_graphviz(stump(), feature_names=["size"], class_names=True, node_ids=True) == "\n".join(
        [
            "digraph Tree {",
            'node [shape=box, fontname="helvetica"] ;',
            'edge [fontname="helvetica"] ;',
            r'0 [label="node #0\nsize <= 1.0\ngini = 0.444\nsamples = 3\nvalue = [1, 2]\nclass = y[1]"] ;',
            r'1 [label="node #1\ngini = 0.0\nsamples = 1\nvalue = [1, 0]\nclass = y[0]"] ;',
            '0 -> 1 [labeldistance=2.5, labelangle=45, headlabel="True"] ;',
            r'2 [label="node #2\ngini = 0.0\nsamples = 2\nvalue = [0, 2]\nclass = y[1]"] ;',
            '0 -> 2 [labeldistance=2.5, labelangle=-45, headlabel="False"] ;',
            "}",
        ]
    )


def test_colours_of_classes():
    """Of two classes the hues are 25 and 205 degrees. The root's second class leads by 1/3 of 2/3: half."""
    nodes, _ = parsed(export_graphviz(stump(), filled=True))
    assert [colour for _, colour in nodes.values()] == ["#9ccef2", "#e58139", "#399de5"]


def test_colours_of_numbers():
    """8, of which 2 is the least and 14 the greatest: half-way to the full colour."""
    nodes, _ = parsed(export_graphviz(DecisionTreeRegressor().fit([[0], [1]], [2.0, 14.0]), filled=True))
    assert [colour for _, colour in nodes.values()] == ["#f2c09c", "#ffffff", "#e58139"]
    flat, _ = parsed(export_graphviz(DecisionTreeRegressor().fit([[0], [1]], [3.0, 3.0]), filled=True))
    assert flat == {0: (r'"squared_error = 0.0\nsamples = 2\nvalue = 3.0"', "#ffffff")}


def test_colours_of_numbers_whose_difference_overflows():
    model = DecisionTreeRegressor(criterion="absolute_error").fit([[0], [1]], [-1.5e308, 1.5e308])
    nodes, _ = parsed(export_graphviz(model, filled=True))
    assert [colour for _, colour in nodes.values()][1:] == ["#ffffff", "#e58139"]


def test_one_class_is_counted_and_named():
    nodes, _ = parsed(
        export_graphviz(DecisionTreeClassifier().fit([[0], [1]], ["x", "x"]), class_names=["x"], filled=True)
    )
    assert nodes == {0: (r'"gini = 0.0\nsamples = 2\nvalue = [2]\nclass = x"', "#ffffff")}


def test_counts_are_whole_where_shares_are_rounded():
    """10 / 43 times 43 need not be 10."""
    y = np.repeat([0, 1, 2], [5, 28, 10])
    nodes, _ = parsed(export_graphviz(DecisionTreeClassifier(max_depth=1).fit(np.zeros((43, 1)), y)))
    assert nodes[0][0].endswith(r'value = [5, 28, 10]"')


def test_many_classes_are_written_in_lines():
    nodes, _ = parsed(export_graphviz(DecisionTreeClassifier(max_depth=1).fit(np.zeros((60, 1)), range(60))))
    lines = nodes[0][0].strip('"').split(r"\n")[2:]
    assert len(lines) == 3
    assert all(len(line) <= len("value = ") + 77 for line in lines)
    assert " ".join(lines) == f"value = [{', '.join(['1'] * 60)}]"
    huge = DecisionTreeClassifier(max_depth=1).fit(np.zeros((1001, 1)), range(1001))
    assert parsed(export_graphviz(huge))[0][0][0].endswith(r'value = [1, 1, 1, ..., 1, 1, 1]"')


def test_numbers_are_rounded_whatever_they_are():
    """0.15 and 0.25 both look half-way, and go to even; what is huge stays as it is."""
    model = DecisionTreeRegressor().fit([[0.0], [1.0], [2.0]], [0.15, 0.25, 1e90])
    for precision, told in ((1, ["0.2", "0.2", "1e+90"]), (400, ["0.15", "0.25", "1e+90"])):
        text = export_graphviz(model, precision=precision, impurity=False)
        leaves = [label for label, _ in parsed(text)[0].values() if "<=" not in label]
        assert [label.strip('"').partition("value = ")[2] for label in leaves] == told


def test_where_missing_values_go():
    X = [[1.0], [2.0], [NAN]]
    assert rule(DecisionTreeClassifier().fit(X, [0, 1, 0])) == "x[0] <= 1.5 or NaN"
    assert rule(DecisionTreeClassifier().fit(X, [0, 1, 1])) == "x[0] <= 1.5, not NaN"
    assert rule(DecisionTreeClassifier().fit(X, [0, 0, 1])) == "x[0] is not NaN"


# The graph


@pytest.mark.parametrize("max_depth", [None, 0, 3])
@pytest.mark.parametrize("leaves_parallel", [False, True])
def test_edges_are_the_trees(max_depth, leaves_parallel):
    X, y = load_diabetes(return_X_y=True)
    model = ExtraTreeRegressor(max_leaf_nodes=40, random_state=0).fit(X, y)
    text = export_graphviz(model, max_depth=max_depth, leaves_parallel=leaves_parallel, filled=True)
    nodes, edges = parsed(text)
    tree = model.tree_
    depths, parents = tree.depths(), tree.parents()
    kept = np.arange(40 * 2 - 1) if max_depth is None else np.flatnonzero(depths <= max_depth + 1)
    assert sorted(nodes) == kept.tolist()
    assert sorted((b, a) for a, b in edges) == [(v, parents[v]) for v in kept if v > 0]
    cut = {v for v in kept if max_depth is not None and depths[v] > max_depth}
    assert {v for v, (label, colour) in nodes.items() if label == '"(...)"'} == cut
    if leaves_parallel:
        ranks = [set(map(int, rank.split("; "))) for rank in re.findall(r"rank=same ; (.*?)\}", text)]
        leaves = {v for v in kept if tree.children_left[v] < 0}
        assert ranks[-1] == leaves | cut
        assert [{int(depths[v]) for v in rank} for rank in ranks[:-1]] == [{d} for d in range(len(ranks) - 1)]


AWKWARD = ['a "b"', "back\\slash", "new\nline", "<&>", "ends in \\", "\\N"]


@pytest.mark.parametrize("name", AWKWARD)
def test_names_come_through(name):
    plain = export_graphviz(stump(), feature_names=[name], class_names=["a", name], fontname='my "font"')
    label = parsed(plain)[0][0][0]
    read = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), label[1:-1])
    assert read.startswith(f"{name} <= 1.0\n")
    assert read.endswith(f"class = {name}")
    special = export_graphviz(stump(), feature_names=[name], class_names=["a", name], special_characters=True)
    label = parsed(special)[0][0][0]
    assert not re.search(r"<(?!br/>)", label[1:-1])
    assert html.unescape(label[1:-1].replace("<br/>", "\n")).startswith(f"{name} ≤ 1.0\n")


# As scikit-learn's


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"max_depth": 1, "filled": True, "rounded": True},
        {"proportion": True, "label": "root", "node_ids": True, "precision": 1},
        {"label": "none", "impurity": False, "leaves_parallel": True, "rotate": True},
        {"special_characters": True, "class_names": True, "fontname": "times", "filled": True},
        {"feature_names": ["width"], "class_names": ["se", "ve", "vi"], "node_ids": True},
    ],
    ids=["plain", "filled", "proportion", "rotated", "special", "names"],
)
@pytest.mark.parametrize("kind", ["DecisionTreeClassifier", "DecisionTreeRegressor"])
def test_as_in_scikit_learn(kind, how):
    X, y = load_iris(return_X_y=True)
    X = X[:, [3]].astype(np.float32).astype(float)
    ours = globals()[kind]().fit(X, y)
    theirs = getattr(sklearn.tree, kind)().fit(X, y)
    assert export_graphviz(ours, **how) == sklearn.tree.export_graphviz(theirs, **how)


def test_several_targets_as_in_scikit_learn():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1], [0, 2], [1, 0], [1, 0]])
    weights = [1, 2, 0.5, 1]
    for kind in ("DecisionTreeClassifier", "DecisionTreeRegressor"):
        ours = globals()[kind]().fit(X, y, weights)
        theirs = getattr(sklearn.tree, kind)().fit(X, y, weights)
        assert export_graphviz(ours, filled=True) == sklearn.tree.export_graphviz(theirs, filled=True)


# Files


def test_where_it_is_written(tmp_path):
    text = export_graphviz(stump(), class_names=["ä", "b"])
    file = io.StringIO()
    for target in (str(tmp_path / "a.dot"), tmp_path / "b.dot", file):
        assert export_graphviz(stump(), target, class_names=["ä", "b"]) is None
    assert (tmp_path / "a.dot").read_text("utf-8") == (tmp_path / "b.dot").read_text("utf-8") == text
    assert file.getvalue() == text


# What is refused


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("out_file", 3, "str or PathLike or a file object with a `write` method or None"),
        ("max_depth", -1, "an int >= 0 or None"),
        ("label", "some", "'all', 'root' or 'none'"),
        ("filled", "yes", "a bool"),
        ("impurity", None, "a bool"),
        ("node_ids", 2, "a bool"),
        ("proportion", 2, "a bool"),
        ("rounded", 2, "a bool"),
        ("leaves_parallel", 2, "a bool"),
        ("rotate", 2, "a bool"),
        ("special_characters", 2, "a bool"),
        ("precision", None, "an int >= 0"),
        ("fontname", 2, "str"),
    ],
)
def test_arguments_that_are_not_allowed(argument, value, words):
    match = f"'{argument}' parameter of export_graphviz must be {words}"
    with pytest.raises(InvalidParameterError, match=match):
        export_graphviz(stump(), **{argument: value})


def test_names_that_do_not_fit():
    with pytest.raises(ValueError, match="Length of feature_names, 2 does not match number of features, 1"):
        export_graphviz(stump(), feature_names=["a", "b"])
    with pytest.raises(ValueError, match=r"All feature names must be strings\."):
        export_graphviz(stump(), feature_names=[1])
    with pytest.raises(ValueError, match="`class_names`"):
        export_graphviz(stump(), class_names=[])
    several = DecisionTreeClassifier().fit([[0], [1]], [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="class_names is for trees with one target"):
        export_graphviz(several, class_names=True)
    numbers = DecisionTreeRegressor().fit([[0], [1]], [0.0, 1.0])
    assert export_graphviz(numbers, class_names=["no", "effect"]) == export_graphviz(numbers)


def test_what_is_no_fitted_tree():
    with pytest.raises(NotFittedError):
        export_graphviz(DecisionTreeClassifier())
    with pytest.raises(TypeError, match="is not an estimator instance"):
        export_graphviz(stump().tree_)
