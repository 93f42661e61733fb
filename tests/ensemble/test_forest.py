"""Forests: what their trees grow on, what they say together, and that nothing depends on threads or order."""

import numpy as np
import pytest
import sklearn.ensemble as peer
from sklearn.base import clone

from clinfa import Dataset, config_context
from clinfa.datasets import load_diabetes, load_iris
from clinfa.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from clinfa.growing.prune import pruned
from tests.cases import in_cases
from tests.tree.compare import walked

CLASSIFIERS = [RandomForestClassifier, ExtraTreesClassifier]
REGRESSORS = [RandomForestRegressor, ExtraTreesRegressor]
ALL = pytest.mark.parametrize("cls", CLASSIFIERS + REGRESSORS)
IRIS, DIABETES = load_iris(), load_diabetes()


def data(cls):
    some = IRIS if cls in CLASSIFIERS else DIABETES
    return some.records, some.targets


def same_trees(one, two):
    assert len(one) == len(two)
    np.testing.assert_array_equal(one._trees.nodes, two._trees.nodes)
    np.testing.assert_array_equal(one._trees.values, two._trees.values)


@ALL
def test_each_tree_is_that_of_its_sample(cls):
    X, y = data(cls)
    how = {"max_leaf_nodes": 20} if cls in REGRESSORS else {}
    forest = cls(5, bootstrap=True, max_features="sqrt", random_state=0, **how).fit(X, y)
    for tree, rows in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        assert len(rows) == len(X)
        assert (np.diff(rows) >= 0).all()
        root = tree.tree_
        assert root.weighted_n_node_samples[0] == len(X)
        assert root.n_node_samples[0] == len(np.unique(rows))
        if cls in REGRESSORS:
            np.testing.assert_allclose(root.value[0, 0, 0], y[rows].mean(), rtol=1e-12)
        else:
            np.testing.assert_allclose(root.value[0, 0], np.bincount(y[rows]) / len(X), rtol=1e-12)
        # What it has drawn but the sample is by its own seed: grown again on it, it is the same.
        again = clone(tree).fit(X, y, np.bincount(rows, minlength=len(X))).tree_
        np.testing.assert_array_equal(again.nodes, root.nodes)
        np.testing.assert_array_equal(again.values, root.values)


@ALL
def test_forest_is_the_mean_of_its_trees(cls):
    X, y = data(cls)
    forest = cls(7, max_depth=4, random_state=0).fit(X, y)
    assert len(forest) == len(list(forest)) == 7
    assert type(forest[0]) is type(forest.estimator_)
    assert forest.estimator_.max_depth == 4
    if cls in CLASSIFIERS:
        each = np.mean([tree.predict_proba(X) for tree in forest], axis=0)
        np.testing.assert_allclose(forest.predict_proba(X), each, rtol=1e-12, atol=1e-15)
        assert np.array_equal(forest.predict(X), forest.classes_[forest.predict_proba(X).argmax(axis=1)])
        with np.errstate(divide="ignore"):
            assert np.array_equal(forest.predict_log_proba(X), np.log(forest.predict_proba(X)))
    else:
        np.testing.assert_allclose(
            forest.predict(X), np.mean([t.predict(X) for t in forest], axis=0), rtol=1e-12
        )
    shares = np.mean([tree.feature_importances_ for tree in forest], axis=0)
    np.testing.assert_allclose(forest.feature_importances_, shares / shares.sum(), rtol=1e-12)


@ALL
def test_leaves_and_paths_are_those_of_a_walk(cls):
    X, y = data(cls)
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    forest = cls(4, max_depth=5, random_state=0).fit(X, y)
    leaves, (paths, starts) = forest.apply(X), forest.decision_path(X)
    assert paths.shape == (len(X), starts[-1])
    for t, tree in enumerate(forest):
        assert starts[t + 1] - starts[t] == tree.tree_.node_count
        for i in range(0, len(X), 29):
            path = walked(tree.tree_, X[i])
            assert leaves[i, t] == path[-1]
            own = paths[[i], starts[t] : starts[t + 1]]
            assert own.indices.tolist() == sorted(path)
            assert set(own.data) == {1}


@ALL
def test_proximity(cls):
    X, y = data(cls)
    forest = cls(9, max_depth=3, random_state=0).fit(X, y)
    leaves = forest.apply(X[:40])
    naive = [[(a == b).mean() for b in leaves] for a in leaves]
    np.testing.assert_allclose(forest.proximity(X[:40]), naive, rtol=1e-15)
    np.testing.assert_allclose(forest.proximity(X[:5], X[:40]), naive[:5], rtol=1e-15)
    with pytest.raises(ValueError, match="not fitted"):
        cls().proximity(X)


@ALL
def test_same_bits_on_any_number_of_threads(cls):
    X, y = data(cls)
    X, y = np.tile(X, (4, 1)), np.tile(y, 4)
    X = X + np.random.default_rng(0).standard_normal(X.shape)
    how = {"bootstrap": True, "oob_score": True, "random_state": 0}
    one = cls(40, n_jobs=1, **how).fit(X, y)
    for n in (2, 4):
        two = cls(40, n_jobs=n, **how).fit(X, y)
        same_trees(one, two)
        assert one.oob_score_ == two.oob_score_
        with config_context(n_threads=n):
            same_trees(one, cls(40, **how).fit(X, y))
        assert np.array_equal(one.predict(X), two.predict(X))
        assert np.array_equal(one.apply(X), two.apply(X))


@ALL
def test_weights_are_repetitions(cls):
    X, y = data(cls)
    rng = np.random.default_rng(0)
    w = rng.integers(0, 3, len(X))
    rows = rng.permutation(np.repeat(np.arange(len(X)), w))
    stop = {"max_leaf_nodes": 15, "random_state": 0}  # (records are counted by `min_samples_leaf`)
    for how in ({"bootstrap": True}, {"bootstrap": False}, {"bootstrap": True, "max_samples": 0.4}):
        once = cls(4, **how, **stop).fit(X, y, w)
        twice = cls(4, **how, **stop).fit(X[rows], y[rows])
        for a, b in zip(once, twice, strict=True):
            for name in ("threshold", "children_left", "feature"):
                np.testing.assert_array_equal(getattr(a.tree_, name), getattr(b.tree_, name))
            np.testing.assert_allclose(a.tree_.value, b.tree_.value, rtol=1e-9, atol=1e-12)
    # Records that weigh nothing are not there.
    there = cls(4, bootstrap=True, **stop).fit(X[w > 0], y[w > 0], w[w > 0])
    once = cls(4, bootstrap=True, **stop).fit(X, y, w)
    same_trees(once, there)


def test_other_weights_say_how_likely_a_record_is():
    X, y = data(RandomForestClassifier)
    w = np.where(np.arange(150) < 15, 9.5, 0.5)
    forest = RandomForestClassifier(200, max_depth=1, random_state=0).fit(X, y, w)
    share = np.mean([(rows < 15).mean() for rows in forest.estimators_samples_])
    # 15 * 9.5 of 15 * 9.5 + 135 * 0.5; of 30,000 draws the standard deviation is 0.003.
    assert share == pytest.approx(142.5 / 210, abs=0.014)


def test_draws_are_even():
    n, count = 40, 2000
    X = np.arange(n)[:, None] * 1.0
    forest = RandomForestRegressor(count, max_depth=1, random_state=3).fit(X, X[:, 0])
    counts = sum(np.bincount(rows, minlength=n) for rows in forest.estimators_samples_)
    # Binomial: a standard deviation is below sqrt(2000); five of them happen once in a million.
    assert np.abs(counts - count).max() < 5 * np.sqrt(count)


@in_cases("given", [(None, 150), (40, 40), (0.3, 45), (0.001, 1), (1.0, 150), (2.0, 300), (400, 400)])
def test_max_samples(given):
    max_samples, size = given
    forest = RandomForestClassifier(3, max_samples=max_samples, random_state=0).fit(IRIS)
    assert [len(rows) for rows in forest.estimators_samples_] == [size] * 3
    assert [tree.tree_.weighted_n_node_samples[0] for tree in forest] == [size] * 3


@ALL
def test_whole_sample(cls):
    X, y = data(cls)
    forest = cls(3, bootstrap=False, max_features="sqrt", random_state=0).fit(X, y)
    assert all(np.array_equal(rows, np.arange(len(X))) for rows in forest.estimators_samples_)
    assert [tree.tree_.n_node_samples[0] for tree in forest] == [len(X)] * 3
    # Leaves are pure: all records are told rightly (two irises are equal, and of one class).
    assert forest.score(X, y) == pytest.approx(1.0, abs=1e-12)
    trees = {tuple(tree.tree_.feature) for tree in forest}
    assert len(trees) == 3


@ALL
def test_warm_start(cls):
    X, y = data(cls)
    how = {"bootstrap": True, "max_depth": 4, "oob_score": True, "random_state": 0}
    grown = cls(30, warm_start=True, **how).fit(X, y)
    first = [tree.tree_.threshold for tree in grown]
    grown.set_params(n_estimators=40).fit(X, y)
    assert all(map(np.array_equal, first, [tree.tree_.threshold for tree in grown][:30]))
    whole = cls(40, **how).fit(X, y)
    same_trees(grown, whole)
    assert grown.oob_score_ == whole.oob_score_
    assert all(map(np.array_equal, grown.estimators_samples_, whole.estimators_samples_))
    with pytest.warns(UserWarning, match="without increasing"):
        grown.fit(X, y)
    same_trees(grown, whole)
    with pytest.raises(ValueError, match="n_estimators=2 must be larger or equal"):
        grown.set_params(n_estimators=2).fit(X, y)
    with pytest.raises(ValueError, match="columns"):
        grown.set_params(n_estimators=42).fit(X[:, :2], y)
    if cls in CLASSIFIERS:
        with pytest.raises(ValueError, match="goes on with the classes"):
            grown.fit(X, y + 1)
    same_trees(grown, whole)
    # Without it all begins anew, and what was out of bag before is forgotten.
    grown.set_params(warm_start=False, n_estimators=3, oob_score=False).fit(X, y)
    assert len(grown) == 3
    assert not hasattr(grown, "oob_score_")


def test_balanced_subsample():
    X, y = IRIS.records[:110], IRIS.targets[:110]  # 50, 50 and 10
    forest = RandomForestClassifier(6, class_weight="balanced_subsample", random_state=0).fit(X, y)
    for tree, rows in zip(forest, forest.estimators_samples_, strict=True):
        counts = np.bincount(y[rows], minlength=3)
        assert counts[2] < 25
        np.testing.assert_allclose(tree.tree_.value[0, 0], (counts > 0) / (counts > 0).sum(), rtol=1e-12)
    # Balanced over all records, samples are drawn with these weights.
    forest = RandomForestClassifier(60, class_weight="balanced", random_state=0).fit(X, y)
    share = np.mean([np.bincount(y[rows], minlength=3) / 110 for rows in forest.estimators_samples_], axis=0)
    np.testing.assert_allclose(share, 1 / 3, atol=0.03)
    # On all records the two are one.
    how = {"bootstrap": False, "random_state": 0}
    same_trees(
        *(
            RandomForestClassifier(3, class_weight=c, **how).fit(X, y)
            for c in ("balanced", "balanced_subsample")
        )
    )


def test_class_weight_is_a_factor():
    X, y = IRIS.records, IRIS.targets
    factors = {0: 1, 1: 2, 2: 3}
    one = RandomForestClassifier(3, class_weight=factors, random_state=0).fit(X, y)
    same_trees(one, RandomForestClassifier(3, random_state=0).fit(X, y, y + 1))


def test_several_targets():
    X = IRIS.records
    Y = np.stack([IRIS.targets, X[:, 0] > 5.8], axis=1)
    forest = RandomForestClassifier(40, oob_score=True, random_state=0).fit(X, Y)
    assert forest.predict(X).shape == (150, 2)
    assert [p.shape for p in forest.predict_proba(X)] == [(150, 3), (150, 2)]
    assert forest.oob_decision_function_.shape == (150, 3, 2)
    assert np.isnan(forest.oob_decision_function_[:, 2, 1]).all()  # of two classes
    guesses = np.stack(
        [forest.oob_decision_function_[:, :k, o].argmax(axis=1) for o, k in enumerate((3, 2))], axis=1
    )
    assert forest.oob_score_ == (guesses == Y).all(axis=1).mean()
    assert forest.score(Dataset(X, Y)) > 0.97
    Z = np.stack([DIABETES.targets, DIABETES.records[:, 2]], axis=1)
    model = RandomForestRegressor(40, oob_score=True, random_state=0).fit(DIABETES.records, Z)
    assert model.predict(DIABETES.records).shape == model.oob_prediction_.shape == (442, 2)
    np.testing.assert_allclose(
        model.predict(DIABETES.records),
        np.mean([t.predict(DIABETES.records) for t in model], axis=0),
        rtol=1e-12,
    )


@ALL
def test_they_learn_as_well_as_scikit_learns(cls):
    X, y = data(cls)
    half = np.arange(len(X)) % 2 == 0
    scores = [
        [kind(30, random_state=s).fit(X[half], y[half]).score(X[~half], y[~half]) for s in range(5)]
        for kind in (cls, getattr(peer, cls.__name__))
    ]
    spread = np.sqrt(sum(np.var(some) for some in scores) / 5) + 0.005
    assert abs(np.mean(scores[0]) - np.mean(scores[1])) < 5 * spread


@ALL
def test_dataset_and_threads_of_predictions(cls):
    some = IRIS if cls in CLASSIFIERS else DIABETES
    model = cls(5, random_state=0).fit(some)
    told = model.predict(some)
    assert isinstance(told, Dataset)
    assert np.array_equal(told.targets, model.predict(some.records))
    small = cls(5, random_state=0).fit(some.records.astype(np.float32), some.targets)
    assert small.predict(some.records.astype(np.float32)).shape == (len(some.records),)


def test_what_is_refused():
    X, y = IRIS.records, IRIS.targets
    wrong = [
        ({"bootstrap": False, "max_samples": 10}, "max_sample"),
        ({"bootstrap": False, "oob_score": True}, "Out of bag"),
        ({"max_samples": 0.0}, "max_samples"),
        ({"max_samples": 1e9}, "max_samples must be <="),
        ({"n_estimators": 0}, "n_estimators"),
        ({"class_weight": "balance"}, "class_weight"),
    ]
    for how, words in wrong:
        with pytest.raises(ValueError, match=words):
            RandomForestClassifier(**how).fit(X, y)


COUNTED = {
    "two classes": np.minimum(IRIS.targets, 1),
    "three classes": IRIS.targets,
    "two targets": np.stack([IRIS.targets, np.arange(150) % 2], axis=1),
}


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("y", COUNTED.values(), ids=COUNTED)
def test_counts_of_classes_say_what_numbers_would(criterion, y):
    # Where weights are whole numbers nodes keep nothing but how often each class is there.
    X, w = IRIS.records, 1 + np.arange(150) % 3
    how = {"criterion": criterion, "bootstrap": False, "max_depth": 4, "random_state": 0}
    counts = RandomForestClassifier(5, **how).fit(X, y, w)
    numbers = RandomForestClassifier(5, **how).fit(X, y, w * 0.75)
    assert (counts._trees.values.dtype, numbers._trees.values.dtype) == (np.uint32, np.float64)
    for a, b in zip(counts._trees, numbers._trees, strict=True):
        np.testing.assert_array_equal(a.nodes["right"], b.nodes["right"])
        np.testing.assert_allclose(a.value, b.value, rtol=1e-14)
        np.testing.assert_allclose(a.impurity, b.impurity, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(a.weighted_n_node_samples * 0.75, b.weighted_n_node_samples, rtol=1e-14)
        same = [tree.compute_feature_importances() for tree in (a, b, pruned(a, 0.02), pruned(b, 0.02))]
        np.testing.assert_allclose(same[::2], same[1::2], rtol=1e-10, atol=1e-15)
    said = [np.concatenate(forest.predict_proba(X), axis=-1) for forest in (counts, numbers)]
    np.testing.assert_allclose(*said, rtol=1e-14)


def test_trees_of_two_kinds_are_joined():
    X, y = IRIS.records, IRIS.targets
    forest = RandomForestClassifier(3, bootstrap=False, warm_start=True, random_state=0).fit(X, y)
    before = forest.estimators_
    forest.set_params(n_estimators=5, criterion="entropy").fit(X, y, np.full(150, 0.5))
    for tree, own in zip(forest, before, strict=False):
        for name in ("value", "impurity", "weighted_n_node_samples"):
            np.testing.assert_array_equal(getattr(tree.tree_, name), getattr(own.tree_, name))
    assert [tree.tree_.weighted_n_node_samples[0] for tree in forest] == [150] * 3 + [75] * 2
