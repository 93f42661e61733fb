"""Down trees: every record reaches the leaf that it reaches step by step."""

import numpy as np
import pytest

from clinfa.growing import down
from clinfa.growing.trees import Trees, packed


@pytest.fixture(params=["few", "many"])
def way(request, monkeypatch):
    """Records that are few go down by nodes of 16 bytes, many by nodes of 8."""
    choose(monkeypatch, request.param)
    return request.param


def choose(monkeypatch, way):
    for name, value in {
        "_MANY": 1e18 if way == "few" else 0,
        "_BY_NODES": 0,
        "_COLUMNS": 100,
        "_BUSHY": 0,
    }.items():
        monkeypatch.setattr(down, name, value)


def chain(rng, d, depth):
    """One leaf goes off at each level, now to the left, now to the right."""
    right = np.full(2 * depth + 1, -1)
    place, ends = 0, []  # from parent to left child to right
    for _ in range(depth):
        if rng.random() < 0.5:  # the left child is a leaf
            right[place] = place + 2
            place += 2
        else:
            ends.append(place)
            place += 1
    for parent, leaf in zip(reversed(ends), range(place + 1, 2 * depth + 1), strict=True):
        right[parent] = leaf
    return right


def bushy(rng, d, depth):
    """Every node is divided, down to a depth, but for some."""
    right = []

    def grow(left_over):
        place = len(right)
        right.append(-1)
        if left_over and (rng.random() < 0.9 or left_over == depth):
            grow(left_over - 1)
            right[place] = len(right)
            grow(left_over - 1)

    grow(depth)
    return np.array(right)


def tree_of(rng, right, d, depth, width):
    n = len(right)
    values, count, one = rng.random((n, width)), np.ones(n, np.int32), np.ones(n)
    if width == 2:  # (shares of two classes)
        values[:, 0] = 1 - values[:, 1]
    rule = (rng.standard_normal(n), right, rng.integers(0, d, n), rng.random(n) < 0.5)
    classes, missing = np.array([width]), np.zeros(d, bool)
    if width == 3:  # (counts of classes)
        values, one = rng.integers(0, 2**30, (n, width)).astype(np.uint32), np.empty(0)
        values[:, 0] += 1
    start, depths = np.array([0, n]), np.array([depth])
    return Trees(packed(*rule, values), count, values, one * 0, one, start, d, classes, depths, missing)[0]


def walked(tree, X):
    """One step after the other, all records at a time."""
    at = np.zeros(len(X), np.int64)
    left, right = tree.children_left, tree.children_right
    for _ in range(tree.max_depth + 1):
        inner = left[at] >= 0
        x = X[np.arange(len(X)), np.maximum(tree.feature[at], 0)].astype(float)
        goes_left = np.where(np.isnan(x), tree.missing_go_to_left[at] == 1, x <= tree.threshold[at])
        at = np.where(inner, np.where(goes_left, left[at], right[at]), at)
    return at


def forest(rng, d, width):
    shapes = [
        (np.array([-1]), 0),
        (np.array([2, -1, -1]), 1),
        (bushy(rng, d, 5), 5),
        (bushy(rng, d, 14), 14),
        (chain(rng, d, 12), 12),
        (chain(rng, d, 13), 13),
        (chain(rng, d, 200), 200),
    ]
    return [tree_of(rng, right, d, depth, width) for right, depth in shapes]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (7, 3), (16, 3), (17, 2), (255, 5), (257, 4), (3000, 20)])
def test_leaves_and_what_they_say(way, dtype, gaps, n, d):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, d)).astype(dtype)
    X[rng.random(X.shape) < gaps] = np.nan
    X[rng.random(X.shape) < 0.02] = np.inf
    X[rng.random(X.shape) < 0.02] = -np.inf
    trees = forest(rng, d, 1 + n % 3)
    X[: n // 4, 0] = trees[3].nodes["threshold"][0]  # (on the threshold: to the left)
    together = Trees.joined((tree.together for tree in trees), len(trees))
    assert (down.slim(together, n) is None) == (way == "few")
    leaves = together.leaves(X)
    for t, tree in enumerate(trees):
        np.testing.assert_array_equal(leaves[:, t], walked(tree, X))
    said = sum(tree.values[leaves[:, t]] for t, tree in enumerate(trees)) / len(trees)
    np.testing.assert_allclose(together.means(X), said, rtol=1e-14)


@pytest.mark.parametrize(("offset", "scale"), [(2.0**30, 1.0), (-1e9, 1e-3), (0.0, 1e-44), (0.0, 1e300)])
def test_values_that_are_the_same_as_floats(way, offset, scale):
    # Floats tell few of them apart, or none.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((700, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[rng.random(X.shape) < 0.1] = -0.0
    trees = forest(rng, 3, 1)
    for tree in trees:
        inner = tree.children_left >= 0
        tree.nodes["threshold"][inner] = offset + scale * tree.nodes["threshold"][inner]
    X = offset + scale * X
    X[::5] = rng.choice(trees[3].threshold, (140, 3))  # (on a threshold)
    leaves = Trees.joined((tree.together for tree in trees), len(trees)).leaves(X)
    for t, tree in enumerate(trees):
        np.testing.assert_array_equal(leaves[:, t], walked(tree, X))


def test_the_same_bits_either_way_and_in_any_company(monkeypatch):
    # The sum is that of the trees in their order, whatever a record's place.
    rng = np.random.default_rng(1)
    trees = forest(rng, 6, 5)
    together = Trees.joined((tree.together for tree in trees), len(trees))
    X = rng.standard_normal((20_000, 6))
    choose(monkeypatch, "few")
    few = together.means(X)
    choose(monkeypatch, "many")
    assert np.array_equal(together.means(X), few)
    assert np.array_equal(together.means(X[777:1777]), few[777:1777])


def test_a_threshold_of_doubles_between_floats(way):
    # What is a float is compared as the double that it is.
    one = np.ones(3)
    rule = (np.array([1 + 2.0**-30, 0, 0]), np.array([2, -1, -1]), np.zeros(3, int), np.zeros(3, bool))
    nodes = packed(*rule, one[:, None])
    start, alone = np.array([0, 3]), np.array([1])
    trees = Trees(
        *(nodes, one.astype(np.int32), one[:, None], one, one, start, 1, alone, alone, np.zeros(1, bool))
    )
    tree = trees[0]
    X = np.array([[1.0], [1 + 2.0**-29], [1 + 2.0**-30], [1 + 2.0**-23]])
    assert tree.apply(X).tolist() == [1, 2, 1, 2]
    assert tree.apply(X.astype(np.float32)).tolist() == [1, 1, 1, 2]
