"""Isolation trees: what is drawn, how it is divided, how far down records get."""

import numpy as np
import pytest

from clinfa.arrays import NO_WEIGHTS, Table
from clinfa.ensemble._isolation import Draws, average_path, grow

SEEDS = np.arange(300, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def _grown(X, trees=20, size=None, deepest=30, columns=None):
    size = len(X) if size is None else size
    rows = Draws.of(Table(X), NO_WEIGHTS).rows(SEEDS[:trees], size, False)
    which = np.arange(X.shape[1]) if columns is None else columns
    which = np.tile(which.astype(np.int32), (trees, 1))
    return rows.copy(), grow(X, rows, which, SEEDS[:trees], deepest)


def _walk(tree, x):
    """The depth of a record's leaf, one node after the other."""
    at = depth = 0
    while tree.children_left[at] >= 0:
        value = x[tree.feature[at]]
        left = bool(tree.missing_go_to_left[at]) if np.isnan(value) else value <= tree.threshold[at]
        at = (tree.children_left if left else tree.children_right)[at]
        depth += 1
    return depth + float(average_path(tree.n_node_samples[at]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gaps", [0.0, 0.3])
@pytest.mark.parametrize("n", [1, 2, 9, 100])
def test_records_lie_where_they_fell(dtype, gaps, n):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, 4)).astype(dtype)
    X[rng.random(X.shape) < gaps] = np.nan
    rows, trees = _grown(X, deepest=6)
    assert (np.sort(rows, axis=1) == np.arange(n)).all()
    new = np.concatenate([X, rng.standard_normal((17, 4)).astype(dtype)])
    expected = np.mean([[_walk(tree, x) for x in new] for tree in trees], axis=0)
    assert trees.means(new)[:, 0] == pytest.approx(expected, rel=1e-13)
    for tree in trees:
        assert tree.max_depth <= 6
        assert np.array_equal(np.bincount(tree.apply(X), minlength=tree.node_count) > 0, tree._leaf)
        counts = np.bincount(tree.apply(X), minlength=tree.node_count)
        assert np.array_equal(counts[tree._leaf], tree.n_node_samples[tree._leaf])
        assert np.array_equal(tree.values[:, 0], tree.depths() + average_path(tree.n_node_samples))


def test_different_records_end_up_alone():
    X = np.random.default_rng(0).standard_normal((200, 3))
    for tree in _grown(X, deepest=100)[1]:
        assert (tree.n_node_samples[tree._leaf] == 1).all()
    twice = np.concatenate([X, X])
    for tree in _grown(twice, trees=5, deepest=100)[1]:
        assert (tree.n_node_samples[tree._leaf] == 2).all()


def test_columns_that_a_tree_may_look_at():
    X = np.random.default_rng(0).standard_normal((50, 6))
    for tree in _grown(X, columns=np.array([1, 4]))[1]:
        assert set(tree.feature[~tree._leaf]) <= {1, 4}


def test_constant_columns_are_never_divided():
    X = np.random.default_rng(0).standard_normal((50, 3))
    X[:, 0], X[:, 2] = 7.0, np.nan
    for tree in _grown(X, deepest=100)[1]:
        assert set(tree.feature[~tree._leaf]) == {1}
        assert tree.n_leaves == 50
    assert all(tree.node_count == 1 for tree in _grown(np.ones((9, 2)))[1])


def test_what_is_missing_is_isolated():
    X = np.array([[1.0], [1.0], [np.nan]])
    for tree in _grown(X, trees=3)[1]:
        assert tree.apply(X).tolist() == [1, 1, 2]


def test_thresholds_are_uniform():
    # Of 0, 1 and 4 the first threshold falls below 1 with probability 1 / 4.
    X = np.array([[0.0], [1.0], [4.0]])
    below = np.mean([tree.threshold[0] < 1 for tree in _grown(X, trees=300)[1]])
    assert abs(below - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 300)


def test_columns_are_drawn_uniformly():
    X = np.random.default_rng(0).standard_normal((30, 5))
    first = np.bincount([tree.feature[0] for tree in _grown(X, trees=300)[1]], minlength=5)
    assert abs(first - 60).max() < 4 * np.sqrt(300 * 0.2 * 0.8)


def test_infinite_and_huge_values():
    X = np.array([[-np.inf], [-1.7e308], [0.0], [1.7e308], [np.inf]])
    for tree in _grown(X, deepest=100)[1]:
        assert np.isfinite(tree.threshold).all()
        assert tree.n_leaves in (3, 4, 5)  # (infinity counts as the greatest number there is)


@pytest.mark.parametrize("size", [1, 5, 40])
def test_draws_without_replacement(size):
    X = np.arange(40.0)[:, None]
    rows = Draws.of(Table(X), NO_WEIGHTS).rows(SEEDS, size, False)
    assert all(len(set(own)) == size for own in rows.tolist())
    counts = np.bincount(rows.ravel(), minlength=40)
    expected = 300 * size / 40
    assert abs(counts - expected).max() <= 4.5 * np.sqrt(expected * max(1 - size / 40, 0)) + 1e-9


def test_draws_with_replacement():
    rows = Draws.of(Table(np.arange(10.0)[:, None]), NO_WEIGHTS).rows(SEEDS, 20, True)
    counts = np.bincount(rows.ravel(), minlength=10)
    assert abs(counts - 600).max() < 4.5 * np.sqrt(6000 * 0.1 * 0.9)


@pytest.mark.parametrize("replace", [False, True])
def test_whole_weights_are_repetitions(replace):
    X = np.arange(5.0)[:, None]
    weights = np.array([1.0, 0.0, 3.0, 2.0, 1.0])
    twice = X.repeat(weights.astype(int), axis=0)
    a = Draws.of(Table(X), weights)
    b = Draws.of(Table(twice), NO_WEIGHTS)
    assert a.total == b.total == 7
    assert np.array_equal(X[a.rows(SEEDS, 4, replace)], twice[b.rows(SEEDS, 4, replace)])


@pytest.mark.parametrize("replace", [False, True])
def test_other_weights_are_probabilities(replace):
    X, weights = np.arange(4.0)[:, None], np.array([0.5, 0.0, 1.5, 3.0])
    draws = Draws.of(Table(X), weights)
    first = np.bincount(draws.rows(SEEDS, 1, replace).ravel(), minlength=4)
    assert abs(first - 300 * weights / 5).max() < 4.5 * np.sqrt(300 * 0.24)
    if not replace:
        assert all(sorted(own) == [0, 2, 3] for own in draws.rows(SEEDS, 3, False).tolist())


def test_average_path_by_hand():
    # Two records take one split. Of three, c(3) = 2 H(2) - 2 * 2 / 3, with Euler's constant for H(2) - ln 2.
    assert average_path(np.array([0, 1, 2])).tolist() == [0.0, 0.0, 1.0]
    assert average_path(np.array([3]))[0] == pytest.approx(2 * (np.log(2) + 0.5772156649015329) - 4 / 3)
