"""Values and weights at the ends of their range, and what was once wrong there."""

import numpy as np
import pytest

from clinfa.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier
from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize("weight", [1e-99, 1e-60, 1e80, 1e99, 1e200, 1e-200])
def test_weights_of_any_size_lead_to_the_same_tree(weight):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    y = X[:, 1] + 0.1 * rng.standard_normal(400)
    for model, target in (
        (DecisionTreeRegressor(max_depth=3), y),
        (DecisionTreeClassifier(max_depth=3), y > 0),
    ):
        plain = model.fit(X, target).tree_
        tree = model.fit(X, target, np.full(400, weight)).tree_
        np.testing.assert_array_equal(tree.feature, plain.feature)
        np.testing.assert_array_equal(tree.threshold, plain.threshold)


@pytest.mark.parametrize("weight", [1e-10, 1e-60, 1e-99])
def test_records_of_little_weight_are_parted_too(weight):
    """Half of them are of one class; the others, that hardly weigh anything, of two: two cuts."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 4))
    X[:, 3] = np.arange(400) % 2
    y = (X[:, 3] == 0) & (X[:, 0] > 0.2)
    model = DecisionTreeClassifier().fit(X, y, np.where(X[:, 3] == 1, 1.0, weight))
    assert model.tree_.node_count == 5
    np.testing.assert_array_equal(model.predict(X), y)


@pytest.mark.parametrize("scales", [(1e-99, 1e-60), (1e99, 1e60), (1e60, 1e60), (1e-60, 1e-60)])
def test_targets_and_weights_of_any_size(scales):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    y = X[:, 2] + 0.1 * rng.standard_normal(300)
    plain = DecisionTreeRegressor(max_depth=3).fit(X, y)
    model = DecisionTreeRegressor(max_depth=3).fit(X, y * scales[0], np.full(300, scales[1]))
    np.testing.assert_array_equal(model.tree_.threshold, plain.tree_.threshold)
    np.testing.assert_allclose(model.predict(X), plain.predict(X) * scales[0], rtol=1e-12)


def test_infinity_and_gaps_fall_as_they_did():
    X = np.array([[INF], [INF], [NAN], [NAN]])
    for cls in (ExtraTreeClassifier, DecisionTreeClassifier):
        for seed in range(6):
            model = cls(random_state=seed).fit(X, [0, 0, 1, 1])
            assert model.tree_.n_node_samples.tolist() == [4, 2, 2]
            assert model.predict(X).tolist() == [0, 0, 1, 1]


def test_a_single_value_and_gaps_are_parted_at_random_too():
    for seed in range(6):
        tree = ExtraTreeRegressor(random_state=seed).fit([[NAN], [1.0], [NAN]], [0, 1, 0]).tree_
        assert tree.n_node_samples.tolist() == [3, 1, 2]


def test_isolation_of_infinity_and_gaps():
    X = np.array([[0, INF], [0, NAN], [1, INF], [1, NAN], [1, INF]])
    forest = IsolationForest(n_estimators=50, max_samples=5, random_state=0).fit(X)
    for tree in forest._trees:
        assert tree.n_node_samples[tree.children_left < 0].sum() == 5
        assert (tree.n_node_samples > 0).all()


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("classes", [2, 4])
def test_pure_nodes_have_no_impurity(criterion, classes):
    rng = np.random.default_rng(classes)
    X, y = rng.standard_normal((300, 3)), rng.integers(0, classes, 300)
    for weights in (None, rng.uniform(0.1, 3, 300)):
        tree = DecisionTreeClassifier(criterion=criterion).fit(X, y, weights).tree_
        assert (tree.impurity[tree.children_left < 0] == 0).all()
        assert (tree.impurity[tree.children_left >= 0] > 0).all()


def test_what_may_be_missing_goes_where_most_weight_goes():
    X, y = np.array([[0.0], [1.0], [1.0], [1.0]]), np.array([0, 1, 1, 1])
    weights = np.array([5.0, 1.0, 1.0, 1.0])
    rows = np.repeat(np.arange(4), weights.astype(int))
    for cls in (DecisionTreeClassifier, ExtraTreeClassifier):
        weighted = cls(random_state=0).fit(X, y, weights)
        repeated = cls(random_state=0).fit(X[rows], y[rows])
        assert weighted.predict([[NAN]]) == repeated.predict([[NAN]]) == [0]


@pytest.mark.parametrize("cls", [RandomForestClassifier, ExtraTreesClassifier])
def test_many_columns_of_many_records(cls):
    """Tables of small nodes cost more than one call's work there."""
    X = np.random.default_rng(0).standard_normal((16_500, 520)).astype(np.float32)
    y = X[:, 0] + X[:, 1] > 0
    forest = cls(2, max_depth=6, random_state=0).fit(X, y)
    assert forest.score(X, y) > 0.5


def test_counts_of_which_one_is_always_zero():
    """They cannot be divided so that both sides have some; the other target is as impure as it is."""
    X, y = np.arange(3.0)[:, None], np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    tree = DecisionTreeRegressor(criterion="poisson").fit(X, y).tree_
    assert tree.node_count == 1
    expected = (np.log(1 / 2) + 3 * np.log(3 / 2)) / 3 / 2  # y log(y / 2), of two targets
    assert tree.impurity[0] == pytest.approx(expected, rel=1e-12)


def test_no_leaf_of_poisson_has_none_of_a_target():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(0, 8, (40, 1)).astype(float), rng.poisson(0.4, (40, 2)).astype(float)
        for own in (y, y[:, 0]):
            model = DecisionTreeRegressor(criterion="poisson").fit(X, own, rng.random(40))
            assert (model.tree_.value[..., 0] > 0).all()
