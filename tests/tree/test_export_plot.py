"""`plot_tree` and where it puts nodes; and all exports of trees deeper than Python's stack."""

import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from clinfa.datasets import load_diabetes, load_iris
from clinfa.errors import InvalidParameterError, NotFittedError
from clinfa.growing.trees import Tree, Trees, packed
from clinfa.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeRegressor,
    export_graphviz,
    export_text,
    export_tikz,
    plot_tree,
)
from clinfa.tree._layout import tidy, walk


@pytest.fixture
def axes():
    return Figure(figsize=(9, 6)).subplots()


@pytest.fixture
def pyplot():
    with matplotlib.rc_context({"backend": "agg"}):
        from matplotlib import pyplot

        yield pyplot
        pyplot.close("all")


def stump():
    return DecisionTreeClassifier().fit([[0.0], [2.0], [4.0]], ["a", "b", "b"])


def iris():
    return DecisionTreeClassifier().fit(load_iris())


def boxes_of(found):
    return [one for one in found if one.get_bbox_patch() is not None]


def chain(depth, to_left):
    """A regressor whose tree splits one record off at each level: the least, or else the greatest."""
    n = 2 * depth + 1
    right = np.full(n, -1)
    if to_left:
        right[:depth] = n - 1 - np.arange(depth)
    else:
        inner = np.arange(0, n - 2, 2)
        right[inner] = inner + 2
    nodes = packed(np.zeros(n), right, np.zeros(n, np.int64), np.zeros(n, bool), np.zeros((n, 1)))
    model = DecisionTreeRegressor().fit([[0.0]], [0.0])
    model.tree_ = Tree(
        Trees(
            nodes,
            np.ones(n, np.int32),
            np.zeros((n, 1)),
            np.zeros(n),
            np.ones(n),
            np.array([0, n]),
            1,
            np.ones(1, np.int64),
            np.array([depth]),
            np.zeros(1, bool),
        )
    )
    return model


# Where nodes stand


def drawn(model, max_depth=None):
    shown = walk(model.tree_, max_depth)
    return shown, tidy(shown), np.array([one.depth for one in shown])


def random_trees():
    rng = np.random.default_rng(0)
    for leaves in [2, 3, 4, 5, 6, 7, 8, 12, 20, 60, 200] * 4:
        X, y = rng.random((300, 3)), rng.random(300)
        yield ExtraTreeRegressor(max_features=1, max_leaf_nodes=leaves, random_state=rng.integers(99)).fit(
            X, y
        )


def test_every_tree_is_tidy():
    """Parents in the middle, children in order, a row's nodes at least 1 apart, and no space left unused."""
    for model in random_trees():
        shown, x, depth = drawn(model)
        up = np.array([one.up for one in shown])
        right = np.array([one.right for one in shown])
        left_x, right_x = (np.full(len(x), np.nan) for _ in range(2))
        left_x[up[1:][~right[1:]]] = x[1:][~right[1:]]
        right_x[up[1:][right[1:]]] = x[1:][right[1:]]
        inner = np.flatnonzero(~np.isnan(left_x))
        np.testing.assert_allclose(x[inner], (left_x + right_x)[inner] / 2, atol=1e-9)
        assert (right_x[inner] - left_x[inner] >= 1 - 1e-9).all()
        assert x.min() == 0
        rows = [x[depth == level] for level in range(depth.max() + 1)]  # in the order they are met: from left
        assert all((np.diff(row) >= 1 - 1e-9).all() for row in rows)
        # Some node of the left branch stands 1 from one of the right branch.
        middle = np.flatnonzero(up == 0)[1]
        gaps = [
            x[middle:][depth[middle:] == level].min() - x[1:middle][depth[1:middle] == level].max()
            for level in range(1, min(depth[1:middle].max(), depth[middle:].max()) + 1)
        ]
        assert min(gaps) == pytest.approx(1)


def test_equal_branches_are_drawn_alike():
    """Both halves of the records are the same ones, 100 further: the branches below the root are, too."""
    rng = np.random.default_rng(0)
    X, y = rng.random((50, 1)), rng.random(50)
    model = DecisionTreeRegressor().fit(np.concatenate([X, X + 100]), np.concatenate([y, y + 1000]))
    shown, x, depth = drawn(model)
    middle = len(shown) // 2 + 1
    assert depth[1:middle].tolist() == depth[middle:].tolist()
    np.testing.assert_allclose(x[1:middle] - x[1], x[middle:] - x[middle], atol=1e-9)


def test_a_full_tree_by_hand():
    """Four leaves on a row, 1 apart, and their parents between them."""
    model = DecisionTreeRegressor().fit([[0], [1], [2], [3]], [0.0, 1.0, 10.0, 11.0])
    _, x, depth = drawn(model)
    assert depth.tolist() == [0, 1, 2, 2, 1, 2, 2]
    assert x.tolist() == [1.5, 0.5, 0, 1, 2.5, 2, 3]


# What is drawn


def test_a_stump(axes):
    found = plot_tree(stump(), feature_names=["size"], ax=axes)
    assert [one.get_text() for one in found] == [
        "size <= 1.0\ngini = 0.444\nsamples = 3\nvalue = [1, 2]",
        "gini = 0.0\nsamples = 1\nvalue = [1, 0]",
        "True  ",
        "gini = 0.0\nsamples = 2\nvalue = [0, 2]",
        "  False",
    ]
    root, low, high = (found[i].get_position() for i in (0, 1, 3))
    assert (root, low, high) == ((0.5, 0.75), (0.25, 0.25), (0.75, 0.25))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"class_names": True, "filled": True, "rounded": True, "node_ids": True},
        {"max_depth": 2, "label": "none"},
        {"max_depth": 0, "feature_names": ["a quite long name of a column"] * 4},
    ],
    ids=["plain", "full", "cut", "names"],
)
@pytest.mark.parametrize("size", [(3, 3), (12, 4)])
def test_boxes_are_counted_and_keep_clear_of_each_other(how, size):
    figure = Figure(figsize=size)
    axes = figure.subplots()
    model = iris()
    found = plot_tree(model, ax=axes, **how)
    boxes = boxes_of(found)
    shown = walk(model.tree_, how.get("max_depth"))
    assert len(boxes) == len(shown)
    assert len(found) - len(boxes) == (0 if how.get("max_depth") == 0 else 2)
    (lines,) = (child for child in axes.get_children() if isinstance(child, LineCollection))
    assert len(lines.get_segments()) == len(shown) - 1
    figure.draw_without_rendering()
    extents = [box.get_bbox_patch().get_window_extent() for box in boxes]
    room = axes.get_window_extent()
    for i, one in enumerate(extents):
        assert room.x0 <= one.x0 <= one.x1 <= room.x1
        assert room.y0 <= one.y0 <= one.y1 <= room.y1
        assert not any(one.overlaps(other) for other in extents[:i])


def test_edges_lead_from_parents_to_children(axes):
    model = iris()
    boxes = boxes_of(plot_tree(model, ax=axes))
    (lines,) = (child for child in axes.get_children() if isinstance(child, LineCollection))
    places = [box.get_position() for box in boxes]
    for one, segment in zip(walk(model.tree_, None)[1:], lines.get_segments(), strict=True):
        np.testing.assert_allclose(segment[0], places[one.up])
    np.testing.assert_allclose([segment[1] for segment in lines.get_segments()], places[1:])


def test_colours_are_those_of_graphviz_and_letters_are_told_from_them(axes):
    model = iris()
    boxes = boxes_of(plot_tree(model, filled=True, ax=axes))
    colours = [matplotlib.colors.to_hex(box.get_bbox_patch().get_facecolor()) for box in boxes]
    text = export_graphviz(model, filled=True)
    assert colours == [
        line.partition('fillcolor="')[2][:7] for line in text.split("\n") if "fillcolor" in line
    ]
    inks = dict(zip(colours, (box.get_color() for box in boxes), strict=True))
    assert (inks["#ffffff"], inks["#e58139"], inks["#8139e5"]) == ("black", "black", "white")


def test_the_style_of_the_axes_is_kept():
    with matplotlib.rc_context({"text.color": "white", "axes.facecolor": "navy"}):
        plain = plot_tree(stump(), ax=Figure().subplots())
        filled = plot_tree(stump(), filled=True, ax=Figure().subplots())
    assert {one.get_color() for one in plain} == {"white"}
    assert matplotlib.colors.same_color(plain[0].get_bbox_patch().get_facecolor(), "navy")
    assert [one.get_color() for one in filled] == ["black", "black", "white", "black", "white"]


def test_corners_and_letters(axes):
    square = plot_tree(stump(), ax=axes)[0].get_bbox_patch().get_boxstyle()
    found = plot_tree(stump(), ax=axes, rounded=True, fontsize=7.5)
    assert type(square).__name__ == "Square"
    assert type(found[0].get_bbox_patch().get_boxstyle()).__name__ == "Round"
    assert {one.get_fontsize() for one in found} == {7.5}
    assert len(axes.texts) == 5  # what was there before was cleared


def test_a_single_leaf_and_numbers(axes):
    (only,) = plot_tree(DecisionTreeRegressor().fit([[0.0]], [2.0]), filled=True, ax=axes)
    assert only.get_text() == "squared_error = 0.0\nsamples = 1\nvalue = 2.0"
    assert only.get_position() == (0.5, 0.5)
    X, y = load_diabetes(return_X_y=True)
    model = DecisionTreeRegressor(max_depth=4).fit(X, y)
    values = [float(box.get_text().rpartition(" ")[2]) for box in boxes_of(plot_tree(model, ax=axes))]
    leaves = model.tree_.children_left < 0
    told = np.array(values)[leaves[[one.node for one in walk(model.tree_, None)]]]
    assert {round(v, 3) for v in model.predict(X)} == set(told)


def test_missing_values(axes):
    nan = float("nan")
    model = DecisionTreeClassifier().fit([[1.0], [2.0], [nan]], [0, 1, 0])
    assert plot_tree(model, ax=axes)[0].get_text().startswith("x[0] <= 1.5 or NaN\n")


def test_without_axes(pyplot):
    """The first picture gets a figure of a size that lets it be read; what is open is used."""
    pyplot.close("all")  # (other tests of this process may have left some)
    plot_tree(iris())
    assert len(pyplot.get_fignums()) == 1
    assert pyplot.gcf().get_figwidth() > 10
    own = pyplot.figure(figsize=(5, 5))
    assert plot_tree(iris())[0].figure is own
    assert len(pyplot.get_fignums()) == 2


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"plot_tree needs matplotlib: pip install clinfa\[plot\]"):
        plot_tree(stump())


# What is refused


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("ax", 3, "a matplotlib Axes or None"),
        ("fontsize", 0, r"a float in \(0, inf\) or None"),
        ("max_depth", -1, "an int >= 0 or None"),
        ("label", "some", "'all', 'root' or 'none'"),
        ("filled", "yes", "a bool"),
        ("precision", -1, "an int >= 0"),
    ],
)
def test_arguments_that_are_not_allowed(argument, value, words):
    with pytest.raises(InvalidParameterError, match=f"'{argument}' parameter of plot_tree must be {words}"):
        plot_tree(stump(), **{argument: value})


def test_what_does_not_fit(axes):
    with pytest.raises(ValueError, match="Length of feature_names, 2"):
        plot_tree(stump(), feature_names=["a", "b"], ax=axes)
    with pytest.raises(NotFittedError):
        plot_tree(DecisionTreeClassifier(), ax=axes)
    with pytest.raises(TypeError, match="'decision_tree' parameter of plot_tree"):
        plot_tree(sys, ax=axes)


# Deep trees


@pytest.mark.parametrize("to_left", [False, True])
def test_a_deep_chain(to_left):
    model = chain(5000, to_left)
    text = export_text(model)
    assert text.count("truncated branch of depth 4990\n") == 1
    assert export_graphviz(model, leaves_parallel=True).count(" -> ") == 10_000
    assert export_tikz(model, legend=False).count("[{") == 10_001
    x = drawn(model)[1]
    np.testing.assert_allclose(np.diff(x[[0, 2, 4] if not to_left else [0, 1, 2]]), -0.5 if to_left else 0.5)
    assert np.ptp(x) == 2500.5


def test_what_is_written_grows_with_the_nodes():
    small, large = chain(1500, False), chain(3000, False)
    for export in (export_graphviz, export_tikz):
        assert len(export(large)) < 2.1 * len(export(small))


def test_a_deep_picture_and_deep_rules(axes):
    model = chain(1100, True)
    assert len(plot_tree(model, ax=axes, label="none", fontsize=1)) == 2 * 1100 + 1 + 2
    lines = export_text(model, max_depth=None, spacing=1).splitlines()
    assert len(lines) == 3 * 1100 + 1
    assert max(line.count("|") for line in lines) == 1101
