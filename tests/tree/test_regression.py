"""Trees of numbers: by hand, at the edges, and with weights that are repetitions."""

import numpy as np
import pytest

from clinfa.tree import DecisionTreeRegressor, ExtraTreeRegressor
from tests.cases import in_cases
from tests.tree.compare import agrees_with_its_fit

CRITERIA = ("squared_error", "absolute_error", "poisson")
BOTH = pytest.mark.parametrize("cls", [DecisionTreeRegressor, ExtraTreeRegressor])


def test_squares_by_hand():
    # 0 0 6 9: the mean is 15/4, the variance (0 + 0 + 36 + 81) / 4 - 225/16 = 243/16. Parted in the middle
    # there are 0 and (6 - 7.5)^2 = 9/4.
    tree = DecisionTreeRegressor().fit([[1.0], [2], [4], [8]], [0, 0, 6, 9]).tree_
    assert tree.threshold.tolist() == [3.0, -2, 6.0, -2, -2]
    assert tree.impurity.tolist() == [243 / 16, 0, 9 / 4, 0, 0]
    assert tree.value.ravel().tolist() == [15 / 4, 0, 7.5, 6, 9]
    # All of the decrease is by the one column; the root lowers it by 243/16 - 9/8, its right side by 9/8.
    assert tree.compute_feature_importances(normalize=False).tolist() == [243 / 16]


def test_deviations_by_hand():
    # Medians: of 0 1 10 the middle one, with (1 + 0 + 9) / 3 around it; of 0 1 10 50 half-way from 1 to 10.
    model = DecisionTreeRegressor(criterion="absolute_error", max_depth=1)
    tree = model.fit([[0.0], [1], [2]], [0, 1, 10]).tree_
    assert (tree.value[0, 0, 0], tree.impurity[0]) == (1, pytest.approx(10 / 3, rel=1e-15))
    assert tree.threshold[0] == 1.5
    tree = model.fit([[0.0], [1], [2], [3]], [0, 1, 10, 50]).tree_
    assert (tree.value[0, 0, 0], tree.impurity[0]) == (5.5, pytest.approx((10 + 49) / 4, rel=1e-15))
    # By weight: the record of weight 3 is the median.
    tree = model.fit([[0.0], [1], [2]], [0, 1, 10], [1, 1, 3]).tree_
    assert tree.value[0, 0, 0] == 10


def test_counts_by_hand():
    # Half of Poisson's deviance: of 1 and 3 with the mean 2 it is (1 ln 1/2 + 3 ln 3/2) / 2.
    model = DecisionTreeRegressor(criterion="poisson")
    tree = model.fit([[0.0], [1]], [1, 3]).tree_
    assert tree.impurity[0] == pytest.approx((np.log(1 / 2) + 3 * np.log(3 / 2)) / 2, rel=1e-14)
    # No leaf predicts zero: 0 0 | 4 is not allowed, nor is 0 | 0 4.
    assert model.fit([[0.0], [1], [2]], [0, 0, 4]).tree_.node_count == 1
    with pytest.raises(ValueError, match="negative"):
        model.fit([[0.0], [1]], [-1, 3])
    with pytest.raises(ValueError, match="not strictly positive"):
        model.fit([[0.0], [1]], [0, 0])


@BOTH
@in_cases("criterion", CRITERIA)
def test_edges(cls, criterion):
    model = cls(criterion=criterion).fit([[1.0]], [3])
    assert model.predict([[5.0], [np.nan]]).tolist() == [3, 3]
    assert model.get_depth() == 0
    # Nothing to divide by, and nothing to divide.
    for X, y in (
        (np.full((4, 2), 2.0), [1, 2, 3, 4]),
        (np.full((4, 2), np.nan), [1, 2, 3, 4]),
        (np.arange(8.0).reshape(4, 2), [2.5] * 4),
    ):
        model = cls(criterion=criterion).fit(X, y)
        assert model.tree_.node_count == 1
        assert model.predict(X).tolist() == [2.5] * 4
    # Equal records share a leaf.
    model = cls(criterion=criterion, random_state=0).fit([[0.0], [0], [1]], [1, 2, 9])
    assert model.predict([[0.0], [1]]).tolist() == [1.5, 9]


@in_cases("criterion", CRITERIA)
def test_weights_are_repetitions(criterion):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 9, (70, 3)) / 4.0
    X[rng.random(X.shape) < 0.1] = np.nan
    y, w = rng.integers(0, 6, (70, 2)).astype(float), rng.integers(0, 3, 70)
    rows = np.repeat(np.arange(70), w)[::-1]
    for targets in (y, y[:, 0]):
        for how in ({}, {"max_leaf_nodes": 9}, {"ccp_alpha": 0.01}):
            once = DecisionTreeRegressor(criterion=criterion, **how).fit(X, targets, w).tree_
            twice = DecisionTreeRegressor(criterion=criterion, **how).fit(X[rows], targets[rows]).tree_
            np.testing.assert_array_equal(once.threshold, twice.threshold)
            np.testing.assert_array_equal(once.feature, twice.feature)
            np.testing.assert_allclose(once.value, twice.value, rtol=1e-12, atol=1e-14)
            some = w > 0
            there = DecisionTreeRegressor(criterion=criterion, **how)
            there = there.fit(X[some], targets[some], w[some]).tree_
            np.testing.assert_array_equal(once.threshold, there.threshold)
            np.testing.assert_array_equal(once.value, there.value)


@in_cases("criterion", CRITERIA)
def test_factors_of_weights_make_no_difference(criterion):
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((60, 2)), rng.gamma(2, size=60), rng.uniform(0.5, 2, 60)
    one = DecisionTreeRegressor(criterion=criterion, min_samples_leaf=3).fit(X, y, w).tree_
    for factor in (2.0**-900, 2.0**900, 4.0):
        two = DecisionTreeRegressor(criterion=criterion, min_samples_leaf=3).fit(X, y, w * factor).tree_
        np.testing.assert_array_equal(one.threshold, two.threshold)
        np.testing.assert_array_equal(one.value, two.value)
        np.testing.assert_array_equal(one.weighted_n_node_samples * factor, two.weighted_n_node_samples)


@in_cases("criterion", CRITERIA)
def test_targets_of_any_size(criterion):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 2)), rng.gamma(2, size=60)
    one = DecisionTreeRegressor(criterion=criterion, min_samples_leaf=3).fit(X, y)
    for factor in (2.0**-1000, 2.0**-400, 2.0**400, 2.0**1000):
        two = DecisionTreeRegressor(criterion=criterion, min_samples_leaf=3).fit(X, y * factor)
        np.testing.assert_array_equal(one.tree_.threshold, two.tree_.threshold)
        np.testing.assert_array_equal(one.predict(X) * factor, two.predict(X))


def test_squares_know_no_origin():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 3)), rng.integers(0, 100, 200).astype(float)
    near = DecisionTreeRegressor(min_samples_leaf=5).fit(X, y)
    far = DecisionTreeRegressor(min_samples_leaf=5).fit(X, y + 2.0**40)
    np.testing.assert_array_equal(near.tree_.threshold, far.tree_.threshold)
    np.testing.assert_allclose(near.predict(X), far.predict(X) - 2.0**40, atol=2.0**-12)


def test_several_targets_are_told_together():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 3))
    Y = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1) * 1.0
    model = DecisionTreeRegressor(min_samples_leaf=4).fit(X, Y)
    leaf = agrees_with_its_fit(model, X)
    told = model.predict(X)
    assert told.shape == (120, 2)
    for one in np.unique(leaf):
        np.testing.assert_allclose(told[leaf == one][0], Y[leaf == one].mean(axis=0), rtol=1e-14)
    assert model.score(X, Y) > 0.8


@in_cases("splitter", ["best", "random"])
def test_small_numbers_of_columns_are_drawn_anew_in_each_node(splitter):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 6)), rng.standard_normal(300)
    model = DecisionTreeRegressor(max_features=1, splitter=splitter, random_state=0).fit(X, y)
    used = np.bincount(model.tree_.feature[model.tree_.children_left >= 0], minlength=6)
    assert used.min() > 20
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-12)
    # Constant columns are passed over: the only other one is found.
    X[:, 1:] = 1.0
    np.testing.assert_allclose(
        DecisionTreeRegressor(max_features=1, random_state=0).fit(X, y).predict(X), y, rtol=1e-12
    )
