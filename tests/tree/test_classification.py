"""Trees of classes: by hand, at the edges, and with weights that are repetitions."""

import pickle

import numpy as np
import pytest

from clinfa import Dataset
from clinfa.datasets import load_iris
from clinfa.tree import DecisionTreeClassifier, ExtraTreeClassifier
from tests.cases import in_cases
from tests.tree.compare import agrees_with_its_fit, parts

BOTH = pytest.mark.parametrize("cls", [DecisionTreeClassifier, ExtraTreeClassifier])


def test_what_is_derived_stays_out_of_pickles():
    tree = DecisionTreeClassifier().fit(load_iris()).tree_
    before = pickle.dumps(tree)
    known = tree.value, tree.feature, tree.threshold, tree.children_left, tree.children_right
    assert tree.value is known[0]
    assert len(pickle.dumps(tree)) == len(before)
    again = pickle.loads(before)
    for name, own in zip(("value", "feature", "threshold", "children_left", "children_right"), known):
        assert np.array_equal(getattr(again, name), own)


def test_by_hand():
    # Six records in a row: a a b a b b. Gini of the whole: 1/2. Of the five cuts the best leaves 2 and 4
    # records, or 4 and 2: (2 * 0 + 4 * 3/8) / 6 = 1/4. The lower one wins; on its right, b | a b b is
    # 1 * 0 + 3 * 4/9, and b a | b b is 2 * 1/2 + 2 * 0, which is less.
    X, y = np.arange(6.0)[:, None], list("aababb")
    tree = DecisionTreeClassifier().fit(X, y).tree_
    assert tree.threshold.tolist() == [1.5, -2, 3.5, 2.5, -2, -2, -2]
    assert tree.children_left.tolist() == [1, -1, 3, 4, -1, -1, -1]
    assert tree.children_right.tolist() == [2, -1, 6, 5, -1, -1, -1]
    assert tree.n_node_samples.tolist() == [6, 2, 4, 2, 1, 1, 2]
    np.testing.assert_allclose(tree.impurity, [1 / 2, 0, 3 / 8, 1 / 2, 0, 0, 0], atol=1e-16)
    np.testing.assert_allclose(tree.value[:3, 0], [[1 / 2, 1 / 2], [1, 0], [1 / 4, 3 / 4]], rtol=1e-15)
    assert tree.max_depth == 3
    # log2: a node of a third is log2(3) - 2/3 bits.
    root = DecisionTreeClassifier(criterion="entropy").fit([[0.0], [1.0], [2.0]], [0, 1, 1]).tree_.impurity[0]
    assert root == pytest.approx(np.log2(3) - 2 / 3, rel=1e-15)


def test_best_first_by_hand():
    # From the left: a pair that can be parted for 2 * 1/2 of impurity, and four that want 4 * 1/2.
    X = np.array([[0.0], [1], [10], [11], [12], [13]])
    y = [0, 1, 2, 2, 3, 3]
    model = DecisionTreeClassifier(max_leaf_nodes=3).fit(X, y)
    # The first cut is after the fourth or after the second record: what is left is 2 * 1/2 + 4 * 1/2 = 3, or
    # 4 * (1 - 6/16) + 0 = 2.5, which is less.
    assert model.tree_.threshold[0] == 11.5
    # Then {0, 1} from {2, 2}: the left node is the only one that is not pure.
    assert sorted(model.tree_.threshold[model.tree_.children_left >= 0].tolist()) == [5.5, 11.5]


@BOTH
def test_one_record_and_one_class(cls):
    for X, y in (([[1.0, 2.0]], ["a"]), ([[1.0], [2.0], [np.nan]], ["b"] * 3)):
        model = cls().fit(X, y)
        assert (model.get_depth(), model.get_n_leaves(), model.tree_.node_count) == (0, 1, 1)
        assert model.predict([[7.0] * len(X[0]), [np.nan] * len(X[0])]).tolist() == [y[0]] * 2
        assert model.predict_proba([[7.0] * len(X[0])]).tolist() == [[1.0]]
        assert model.feature_importances_.tolist() == [0.0] * len(X[0])
        assert model.decision_path(X).toarray().tolist() == [[1]] * len(X)


@BOTH
def test_nothing_to_divide_by(cls):
    y = [0, 1, 1, 0, 1]
    for X in (np.full((5, 2), 3.0), np.full((5, 2), np.nan), np.array([[1.0, np.nan]] * 5)):
        model = cls().fit(X, y)
        assert model.tree_.node_count == 1
        np.testing.assert_allclose(model.predict_proba(X[:1]), [[2 / 5, 3 / 5]], rtol=1e-15)


def test_equal_records_of_different_classes():
    X = np.array([[0.0], [0.0], [0.0], [1.0], [1.0]])
    model = DecisionTreeClassifier().fit(X, [0, 1, 1, 2, 2])
    np.testing.assert_allclose(model.predict_proba(X[[0, 3]]), [[1 / 3, 2 / 3, 0], [0, 0, 1]], rtol=1e-15)
    # Of equally likely classes the first is predicted.
    assert DecisionTreeClassifier().fit(X[:2], ["z", "b"]).predict(X[:1]).tolist() == ["b"]


@BOTH
def test_ten_thousand_classes(cls):
    y = np.random.default_rng(0).permutation(10_000)
    X = np.arange(10_000.0)[:, None]
    few = cls(max_depth=3, random_state=0).fit(X, y)
    assert few.n_classes_ == 10_000
    assert few.predict_proba(X[:2]).shape == (2, 10_000)
    many = cls(random_state=0).fit(X[:1500], y[:1500])
    assert np.array_equal(many.predict(X[:1500]), y[:1500])


def test_gap_tells_the_class():
    X = np.array([[np.nan], [np.nan], [1.0], [2.0], [3.0]])
    model = DecisionTreeClassifier().fit(X, [1, 1, 0, 0, 0])
    assert model.tree_.node_count == 3
    assert model.predict([[np.nan], [-1e300], [1e300]]).tolist() == [1, 0, 0]
    # Where nothing was missing when it grew, what is missing goes where most went.
    model = DecisionTreeClassifier().fit([[0.0], [1.0], [2.0]], [0, 1, 1])
    assert model.predict([[np.nan]]).tolist() == [1]


@in_cases("criterion", ["gini", "entropy"])
def test_weights_are_repetitions(criterion):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 8, (80, 3)) / 4.0
    X[rng.random(X.shape) < 0.1] = np.nan
    y, w = rng.integers(0, 3, 80), rng.integers(0, 3, 80)
    rows = np.repeat(np.arange(80), w)[::-1]
    for how in ({}, {"max_leaf_nodes": 9}, {"class_weight": "balanced"}, {"ccp_alpha": 0.01}):
        once = DecisionTreeClassifier(criterion=criterion, **how).fit(X, y, w)
        twice = DecisionTreeClassifier(criterion=criterion, **how).fit(X[rows], y[rows])
        np.testing.assert_array_equal(once.tree_.threshold, twice.tree_.threshold)
        np.testing.assert_array_equal(once.tree_.feature, twice.tree_.feature)
        np.testing.assert_allclose(once.tree_.value, twice.tree_.value, rtol=1e-12)
        np.testing.assert_allclose(
            once.tree_.weighted_n_node_samples, twice.tree_.weighted_n_node_samples, rtol=1e-12
        )
        # Records of weight zero are not there.
        there = DecisionTreeClassifier(criterion=criterion, **how).fit(X[w > 0], y[w > 0], w[w > 0])
        for name in ("threshold", "feature", "value", "impurity", "n_node_samples"):
            np.testing.assert_array_equal(getattr(once.tree_, name), getattr(there.tree_, name))


def test_class_that_weighs_nothing():
    model = DecisionTreeClassifier().fit([[0.0], [1], [2]], ["a", "b", "c"], [1, 0, 1])
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.predict_proba([[1.0]]).tolist() in ([[1, 0, 0]], [[0, 0, 1]])
    with pytest.raises(ValueError, match="weigh nothing"):
        DecisionTreeClassifier(class_weight={0: 0, 1: 0}).fit([[0.0], [1]], [0, 1])


def test_several_targets():
    iris = load_iris()
    Y = np.stack([iris.targets, np.array(["x", "y"])[(iris.records[:, 0] > 5.8).astype(int)]], axis=1)
    model = DecisionTreeClassifier().fit(iris.records, Y)
    assert model.n_classes_ == [3, 2]
    assert model.classes_[1].tolist() == ["x", "y"]
    assert np.array_equal(model.predict(iris.records), Y)
    shares, logs = model.predict_proba(iris.records), model.predict_log_proba(iris.records)
    assert [share.shape for share in shares] == [(150, 3), (150, 2)]
    with np.errstate(divide="ignore"):
        assert all(np.array_equal(log, np.log(share)) for log, share in zip(logs, shares, strict=True))
    assert model.score(iris.records, Y) == 1.0
    shallow = DecisionTreeClassifier(max_depth=1).fit(iris.records, Y)
    right = (shallow.predict(iris.records) == Y).all(axis=1)
    assert shallow.score(iris.records, Y) == right.mean()
    told = model.predict(Dataset(iris.records, Y))
    assert np.array_equal(told.targets, Y)


def test_random_thresholds_are_uniform():
    # One column of two values: the threshold is uniform between them, and never the greater one.
    X, y = [[1.0], [3.0]], [0, 1]
    drawn = [ExtraTreeClassifier(random_state=s).fit(X, y).tree_.threshold[0] for s in range(600)]
    assert min(drawn) >= 1
    assert max(drawn) < 3
    # (Kolmogorov's distance; beyond 1.95 / sqrt(n) once in a thousand.)
    steps = np.arange(1, 601) / 600
    assert np.abs(np.sort(drawn) / 2 - 0.5 - steps).max() < 1.95 / np.sqrt(600) + 1 / 600


def test_random_columns_are_drawn_evenly():
    # Any column divides these: the first is drawn for the root.
    X = np.repeat(np.arange(4.0), 5).reshape(4, 5)
    first = [
        DecisionTreeClassifier(max_features=1, random_state=s).fit(X, [0, 0, 1, 1]).tree_.feature[0]
        for s in range(1000)
    ]
    # Binomial(1000, 1/5): a standard deviation is below 13; five of them happen once in a million.
    assert np.abs(np.bincount(first, minlength=5) - 200).max() < 65


@BOTH
def test_random_trees_agree_with_their_fit(cls):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = rng.integers(0, 5, 400)
    for how in ({}, {"max_leaf_nodes": 40}, {"max_features": 1}, {"min_samples_leaf": 4}):
        model = cls(splitter="random", random_state=0, **how).fit(X, y)
        leaf = agrees_with_its_fit(model, X)
        share = model.predict_proba(X)
        for one in np.unique(leaf):
            counts = np.bincount(y[leaf == one], minlength=5)
            np.testing.assert_allclose(share[leaf == one][0], counts / counts.sum(), rtol=1e-12)
    again = cls(splitter="random", random_state=0).fit(X, y)
    other = cls(splitter="random", random_state=1).fit(X, y)
    assert not np.array_equal(parts(again.apply(X)), parts(other.apply(X)))


def test_what_is_refused():
    X, y = np.arange(4.0)[:, None], [0, 1, 0, 1]
    wrong = [
        ({"min_samples_split": 1}, "min_samples_split"),
        ({"min_samples_leaf": 0}, "min_samples_leaf"),
        ({"max_leaf_nodes": 1}, "max_leaf_nodes"),
        ({"class_weight": [{0: 1}]}, "class_weight must be a dict"),
        ({"monotonic_cst": [1, 0]}, "monotonic_cst has shape 2"),
        ({"monotonic_cst": [2]}, "monotonic_cst must be None or an array-like of -1, 0 or 1"),
    ]
    for how, words in wrong:
        with pytest.raises(ValueError, match=words):
            DecisionTreeClassifier(**how).fit(X, y)
    with pytest.raises(ValueError, match="not supported with multiclass"):
        DecisionTreeClassifier(monotonic_cst=[1]).fit(X, [0, 1, 2, 3])
    with pytest.raises(ValueError, match="not supported with multiple output"):
        DecisionTreeClassifier(monotonic_cst=[1]).fit(X, [[0, 1], [1, 0], [0, 0], [1, 1]])
    with pytest.raises(ValueError, match="number of elements in class_weight should match"):
        DecisionTreeClassifier(class_weight=[{}]).fit(X, [[0, 1], [1, 0], [0, 0], [1, 1]])
    for method in ("predict", "predict_proba", "apply", "decision_path"):
        with pytest.raises(ValueError, match="not fitted"):
            getattr(DecisionTreeClassifier(), method)(X)
