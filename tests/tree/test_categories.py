"""Columns of categories: the best of all partitions, in trees, forests and boosting."""

import pickle

import numpy as np
import pandas as pd
import pytest

from clinfa import config_context
from clinfa.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestRegressor,
)
from clinfa.growing import grow, growth, wide
from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor
from tests.tree.tables import paints, records


def spread(y, w, criterion):
    """What a group of records costs, times its weight."""
    if criterion in ("gini", "entropy"):
        share = np.bincount(y.astype(int), w) / w.sum()
        if criterion == "gini":
            return w.sum() * (1 - (share**2).sum())
        return -w.sum() * (share[share > 0] * np.log2(share[share > 0])).sum()
    mean = np.average(y, weights=w)
    if criterion == "squared_error":
        return (w * (y - mean) ** 2).sum()
    if mean <= 0:
        return np.inf
    return (w * y * np.log(np.where(y > 0, y, 1) / mean)).sum()


def partitions(codes, k):
    """All ways to divide categories in two, as masks of the records on one side."""
    for bits in range(1, 2 ** (k - 1)):
        yield (bits >> codes) & 1 == 1


def targets(rng, n, criterion, classes=2):
    if criterion in ("gini", "entropy"):
        return rng.integers(0, classes, n)
    return rng.poisson(2.0, n) + 0.5 if criterion == "poisson" else rng.standard_normal(n)


def model_of(criterion, **how):
    cls = DecisionTreeClassifier if criterion in ("gini", "entropy") else DecisionTreeRegressor
    return cls(criterion=criterion, **how)


def shares_of_the_best(criterion, classes, seeds):
    """What part of the best possible gain the root's division of categories has, case by case."""
    out = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        n, k = rng.integers(8, 60), rng.integers(2, 8)
        x = rng.integers(0, k, n) * 10.0 - 7
        if seed % 3 == 0:
            x[rng.random(n) < 0.2] = np.nan
        y, w = targets(rng, n, criterion, classes), rng.random(n) + 0.01 if seed % 4 else np.ones(n)
        model = model_of(criterion, max_depth=1, categorical_features=[0])
        leaves = model.fit(x[:, None], y, w if seed % 4 else None).apply(x[:, None])
        got = sum(spread(y[leaves == leaf], w[leaves == leaf], criterion) for leaf in set(leaves))
        codes = np.unique(np.where(np.isnan(x), 99, x), return_inverse=True)[1]
        whole = best = spread(y, w, criterion)
        for left in partitions(codes, codes.max() + 1):
            cost = spread(y[left], w[left], criterion) + spread(y[~left], w[~left], criterion)
            best = min(best, cost)
        if whole - best > 1e-9:
            out.append((whole - got) / (whole - best))
    return np.array(out)


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error", "poisson"])
def test_no_partition_is_better(criterion):
    shares = shares_of_the_best(criterion, 2, range(60))
    assert len(shares) > 40
    np.testing.assert_allclose(shares, 1, rtol=1e-9)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_few_partitions_are_better_with_many_classes(criterion):
    shares = shares_of_the_best(criterion, 4, range(60))
    assert (shares <= 1 + 1e-9).all() and shares.min() > 0.5
    assert (shares > 1 - 1e-9).mean() > 0.75 and shares.mean() > 0.97


def gain_of_best(X, y, w, sorts, criterion, least):
    """The best gain of any threshold, or any prefix of categories by their means, in NumPy."""
    best = 0.0
    whole = spread(y, w, criterion)
    for f in range(X.shape[1]):
        x = np.where(np.isnan(X[:, f]), 1e9, X[:, f])
        if sorts[f]:
            codes = np.unique(x, return_inverse=True)[1]
            x = (np.bincount(codes, w * y) / np.bincount(codes, w))[codes]
        for values in (x, np.where(x == 1e9, -1e9, x)):
            for cut in np.unique(values)[:-1]:
                left = values <= cut
                if min(left.sum(), len(x) - left.sum()) >= least:
                    cost = spread(y[left], w[left], criterion) + spread(y[~left], w[~left], criterion)
                    best = max(best, whole - cost)
    return best


GROWN = [
    {},
    {"max_leaf_nodes": 12},
    {"min_samples_leaf": 9},
    {"max_depth": 3},
]


@pytest.mark.parametrize("how", GROWN, ids=str)
@pytest.mark.parametrize("size", ["small", "tables", "wide"])
@pytest.mark.parametrize("criterion", ["gini", "squared_error", "poisson"])
def test_every_node_is_divided_best_and_predicts_what_it_learned(monkeypatch, criterion, how, size):
    if size == "tables":
        monkeypatch.setattr(growth, "_LEAST_TABLES", 1)
    if size == "wide":
        for module in (grow, wide):
            monkeypatch.setattr(module, "WIDE", 100)
    X, signal = records(420)
    weights = np.random.default_rng(1).integers(1, 4, len(X)).astype(float)
    y = signal > 0 if criterion == "gini" else np.exp(signal / 2) if criterion == "poisson" else signal
    y = y.astype(float)
    model = model_of(criterion, categorical_features=[0, 1], **how).fit(X, y, weights)
    tree, passed = model.tree_, model.decision_path(X).tocsc()
    sorted_nodes = 0
    for node in range(tree.node_count):
        own = passed.indices[passed.indptr[node] : passed.indptr[node + 1]]
        assert len(own) == tree.n[node] and weights[own].sum() == tree.weighted_n_node_samples[node]
        mean = np.average(y[own], weights=weights[own])
        said = tree.value[node, 0, -1]
        np.testing.assert_allclose(said, mean, rtol=1e-12, atol=1e-14)
        left = tree.left_categories(node)
        sorts = tree.children_left[node] >= 0 and tree.feature[node] < 2
        assert (left is not None) == sorts == np.isnan(tree.threshold[node])
        sorted_nodes += sorts
        if tree.children_left[node] >= 0 and len(own) > 40:
            sides = [
                passed.indices[passed.indptr[c] : passed.indptr[c + 1]]
                for c in (tree.children_left[node], tree.children_right[node])
            ]
            got = spread(y[own], weights[own], criterion) - sum(
                spread(y[s], weights[s], criterion) for s in sides
            )
            least = how.get("min_samples_leaf", 1)
            best = gain_of_best(X[own], y[own], weights[own], [True, True, False, False], criterion, least)
            np.testing.assert_allclose(got, best, rtol=1e-9)
    assert sorted_nodes > 1


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_names_of_categories_are_of_no_consequence(criterion):
    X, signal = records(300)
    y = signal > 0 if criterion == "gini" else signal
    model = model_of(criterion, categorical_features=[True, True, False, False]).fit(X, y)
    other = X.copy()
    names = np.random.default_rng(2).permutation(40) * 3.7 - 50
    known = ~np.isnan(X[:, 0])
    other[known, 0] = names[X[known, 0].astype(int)]
    renamed = model_of(criterion, categorical_features=[0, 1]).fit(other, y)
    assert renamed.tree_.node_count == model.tree_.node_count
    np.testing.assert_array_equal(renamed.predict(other), model.predict(X))


def test_two_categories_are_divided_as_by_a_threshold():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (200, 8)).astype(float), rng.standard_normal(200)
    plain, sorts = (
        DecisionTreeRegressor().fit(X, y),
        DecisionTreeRegressor(categorical_features=range(8)).fit(X, y),
    )
    assert plain.tree_.node_count == sorts.tree_.node_count
    np.testing.assert_allclose(plain.predict(X), sorts.predict(X), rtol=1e-12)


def test_what_is_missing_or_new_goes_where_most_went():
    # By mean: 3 (0), 1 (1), 2 (9). The root parts {3, 1} from {2}.
    X = np.array([[1.0], [1.0], [2.0], [2.0], [2.0], [3.0]])
    y = np.array([1.0, 1.0, 9.0, 9.0, 9.0, 0.0])
    model = DecisionTreeRegressor(max_depth=1, categorical_features=[0]).fit(X, y)
    assert model.tree_.left_categories(0).tolist() == [1.0, 3.0]
    new = [[1.0], [2.0], [3.0], [2.5], [np.nan], [np.inf], [-1.0]]
    low, high = 2 / 3, 9.0  # as many records on both sides: right
    np.testing.assert_allclose(model.predict(new), [low, high, low, high, high, high, high])
    heavy = DecisionTreeRegressor(max_depth=1, categorical_features=[0]).fit(X, y, [5, 5, 1, 1, 1, 5])
    np.testing.assert_allclose(heavy.predict(new)[3:], heavy.predict([[3.0]])[0])
    # What is missing is a category of its own, and then what is new is taken for it.
    gaps = np.r_[X, [[np.nan]] * 4]
    model = DecisionTreeRegressor(max_depth=1, categorical_features=[0]).fit(gaps, np.r_[y, [0.5] * 4])
    assert model.tree_.left_categories(0).tolist() == [1.0, 3.0]
    np.testing.assert_allclose(model.predict([[np.nan], [7.0]]), 4 / 7)


@pytest.mark.parametrize("value", [np.nan, 4.0])
def test_a_column_with_one_category_or_none_is_constant(value):
    X = np.c_[np.full(20, value), np.arange(20.0)]
    model = DecisionTreeRegressor(categorical_features=[0]).fit(X, np.arange(20.0))
    assert set(model.tree_.feature) == {1, -2}
    assert DecisionTreeRegressor(categorical_features=[0]).fit(X[:, :1], np.arange(20.0)).get_n_leaves() == 1


def test_a_category_for_each_record():
    n = 3000
    X, y = np.random.default_rng(0).permutation(n)[:, None] * 1e300, np.arange(float(n))
    model = DecisionTreeRegressor(categorical_features=[0]).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), y)
    assert model.tree_.sets.bits.nbytes == model.tree_.node_count // 2 * ((n + 63) // 64) * 8


def test_more_categories_than_are_allowed():
    X = np.arange(70_000.0)[:, None]
    with pytest.raises(ValueError, match=r"70000 categories\. At most 65536 are allowed"):
        DecisionTreeRegressor(categorical_features=[0], max_depth=1).fit(X, X[:, 0])


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("regression", [False, True])
def test_several_classes_and_targets(outputs, regression):
    X, signal = records(600)
    y = np.stack([signal, signal + X[:, 2]], axis=1)[:, :outputs]
    y = y if regression else np.digitize(y, [-1, 0, 1])
    cls = DecisionTreeRegressor if regression else DecisionTreeClassifier
    model = cls(categorical_features=[0, 1]).fit(X, y[:, 0] if outputs == 1 else y)
    np.testing.assert_allclose(model.predict(X).reshape(y.shape), y, rtol=1e-12)
    y = y[:, 0] if outputs == 1 else y
    short = cls(categorical_features=[0, 1], max_leaf_nodes=8).fit(X, y)
    numbers = cls(max_leaf_nodes=8).fit(X, y)
    assert short.tree_.sets is not None and numbers.tree_.sets is None
    cost = [
        np.average(t.impurity[t.children_left < 0], weights=t.n[t.children_left < 0])
        for t in (short.tree_, numbers.tree_)
    ]
    assert cost[0] < 0.9 * cost[1]


@pytest.mark.parametrize("threads", [1, 3])
def test_forests_on_any_number_of_threads(threads):
    X, signal = records(700)
    how = {"n_estimators": 25, "categorical_features": [0, 1], "random_state": 0}
    with config_context(n_threads=threads):
        model = RandomForestRegressor(**how, oob_score=True).fit(X, signal)
        said = model.predict(X)
    again = RandomForestRegressor(**how, oob_score=True).fit(X, signal)
    np.testing.assert_array_equal(model._trees.nodes, again._trees.nodes)
    np.testing.assert_array_equal(model._trees.sets.bits, again._trees.sets.bits)
    np.testing.assert_array_equal(said, again.predict(X))
    alone = np.mean([tree.predict(X) for tree in model.estimators_], axis=0)
    np.testing.assert_allclose(said, alone, rtol=1e-12)
    assert (
        model.oob_score_ > RandomForestRegressor(25, oob_score=True, random_state=0).fit(X, signal).oob_score_
    )


def test_one_large_tree_on_any_number_of_threads():
    X, signal = records(40_000)
    found = []
    for threads in (1, 3):
        with config_context(n_threads=threads):
            found.append(DecisionTreeRegressor(categorical_features=[0, 1], max_depth=9).fit(X, signal))
    np.testing.assert_array_equal(found[0].tree_.nodes, found[1].tree_.nodes)
    np.testing.assert_array_equal(found[0].tree_.sets.bits, found[1].tree_.sets.bits)
    leaves = found[0].apply(X)
    np.testing.assert_array_equal(
        np.bincount(leaves, minlength=found[0].tree_.node_count)[leaves], found[0].tree_.n[leaves]
    )


def test_warm_start_pruning_pickles():
    X, signal = records(500)
    how = {"categorical_features": [0, 1], "random_state": 0}
    once = RandomForestRegressor(6, **how).fit(X, signal)
    grown = RandomForestRegressor(4, warm_start=True, **how).fit(X, signal)
    grown.n_estimators = 6
    np.testing.assert_array_equal(grown.fit(X, signal).predict(X), once.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(once)).predict(X), once.predict(X))
    pruned = DecisionTreeRegressor(ccp_alpha=0.01, **how).fit(X, signal)
    whole = DecisionTreeRegressor(**how).fit(X, signal)
    assert 10 < pruned.tree_.node_count < whole.tree_.node_count
    leaves = pruned.apply(X)
    np.testing.assert_array_equal(
        np.bincount(leaves, minlength=pruned.tree_.node_count)[leaves], pruned.tree_.n[leaves]
    )


def test_within_other_models():
    X, signal = records(400)
    base = DecisionTreeClassifier(max_depth=1, categorical_features=[0, 1])
    boosted = AdaBoostClassifier(base, n_estimators=5).fit(X, signal > 0)
    assert boosted.estimators_[0].tree_.left_categories(0) is not None
    assert boosted.score(X, signal > 0) > 0.8
    bagged = BaggingClassifier(base, n_estimators=3, random_state=0).fit(X, signal > 0)
    assert bagged.estimators_[0].tree_.left_categories(0) is not None
    named = DecisionTreeClassifier(max_depth=1, categorical_features=["a"])
    frame = pd.DataFrame(X, columns=list("abcd"))
    boosted = AdaBoostClassifier(named, n_estimators=1).fit(frame, signal > 0)
    assert boosted.estimators_[0].tree_.left_categories(0) is not None


# Cuts at random


def test_every_division_by_lot_is_as_likely():
    X = np.array([[2.0], [5.0], [9.0], [np.nan]] * 5)
    y = np.tile([0.0, 1.0, 3.0, 7.0], 5)
    found = {}
    for seed in range(1400):
        tree = ExtraTreeRegressor(max_depth=1, random_state=seed, categorical_features=[0]).fit(X, y)
        side = tuple(tree.predict(X[:4]) == tree.predict(X[3:4]))
        found[side] = found.get(side, 0) + 1
    assert len(found) == 7  # of 4 categories
    assert max(found.values()) < 260 and min(found.values()) > 140  # 200 +- 13 each


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("size", ["small", "tables", "wide", "best first"])
def test_trees_of_divisions_by_lot_predict_what_they_learned(monkeypatch, size, criterion):
    if size == "tables":
        monkeypatch.setattr(growth, "_LEAST_TABLES", 1)
    if size == "wide":
        for module in (grow, wide):
            monkeypatch.setattr(module, "WIDE", 100)
    X, signal = records(500)
    X[:, 0] = np.where(X[:, 0] == 3, np.inf, X[:, 0])
    how = {"max_leaf_nodes": 60} if size == "best first" else {"min_samples_leaf": 2}
    model = ExtraTreeRegressor(criterion=criterion, random_state=0, categorical_features=[0, 1], **how)
    model.fit(X, np.exp(signal))
    tree, leaves = model.tree_, model.apply(X)
    np.testing.assert_array_equal(np.bincount(leaves, minlength=tree.node_count)[leaves], tree.n[leaves])
    said = np.mean if criterion != "absolute_error" else np.median
    for leaf in set(leaves):
        np.testing.assert_allclose(tree.value[leaf, 0, 0], said(np.exp(signal[leaves == leaf])), rtol=1e-12)
    assert any(tree.left_categories(node) is not None for node in range(1, tree.node_count))


def test_forests_of_divisions_by_lot():
    frame, y = paints()
    model = ExtraTreesClassifier(20, categorical_features=["colour"], random_state=0).fit(frame, y)
    assert model.score(frame, y) == 1
    X, signal = records(600)
    scores = [
        ExtraTreesRegressor(50, bootstrap=True, oob_score=True, random_state=0, categorical_features=own)
        .fit(X, signal)
        .oob_score_
        for own in (None, [0, 1])
    ]
    assert scores[1] > scores[0]


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("classes", [4, 60])
def test_groups_of_classes_are_told_apart(criterion, classes):
    # 12 categories in two groups without a class in common; few classes, or more than records of a category.
    rng = np.random.default_rng(0)
    x = rng.integers(0, 12, 240)
    y = rng.integers(0, classes // 2, 240) * 2 + x % 2
    model = DecisionTreeClassifier(criterion=criterion, max_depth=1, categorical_features=[0])
    tree = model.fit(x[:, None], y).tree_
    assert len(set(tree.left_categories(0) % 2)) == 1 and len(tree.left_categories(0)) == 6


def test_warm_start_wants_the_same_categories():
    X, signal = records(200)
    how = {"n_estimators": 2, "warm_start": True, "random_state": 0}
    for first, then in ((None, [0]), ([0], None), ([0], [0, 1])):
        model = RandomForestRegressor(categorical_features=first, **how).fit(X, signal)
        before = model.predict(X)
        model.set_params(n_estimators=4, categorical_features=then)
        with pytest.raises(ValueError, match="With warm_start=True categorical_features"):
            model.fit(X, signal)
        np.testing.assert_array_equal(model.predict(X), before)
    model = RandomForestRegressor(categorical_features=[0], **how).fit(X[X[:, 0] < 20], signal[X[:, 0] < 20])
    with pytest.raises(ValueError, match="With warm_start=True categorical_features"):
        model.set_params(n_estimators=4).fit(X, signal)


def test_boosted_trees_of_different_categories():
    X, signal = records(120)
    base = DecisionTreeRegressor(criterion="poisson", max_depth=3, categorical_features=[0, 1])
    model = AdaBoostRegressor(base, n_estimators=6, random_state=0).fit(X, np.exp(signal))
    said = np.array([tree.predict(X) for tree in model.estimators_])
    order = np.argsort(said, axis=0)
    mass = np.cumsum(model.estimator_weights_[: len(said)][order], axis=0)
    median = order[(mass >= 0.5 * mass[-1]).argmax(axis=0), np.arange(len(X))]
    np.testing.assert_allclose(model.predict(X), said[median, np.arange(len(X))], rtol=1e-12)


def test_bags_of_some_columns():
    X, signal = records(300)
    frame = pd.DataFrame(X, columns=list("abcd"))
    for given in ([0, 1], ["a", "b"], [True, True, False, False]):
        base = DecisionTreeClassifier(max_depth=2, categorical_features=given)
        bag = BaggingClassifier(base, n_estimators=8, max_features=2, random_state=0).fit(frame, signal > 0)
        for tree, columns in zip(bag.estimators_, bag.estimators_features_, strict=True):
            mask = tree.is_categorical_ if tree.is_categorical_ is not None else np.zeros(2, bool)
            assert mask.tolist() == (columns < 2).tolist()
    for made in (BaggingClassifier, AdaBoostClassifier):
        with pytest.raises(ValueError, match="categorical_features='from_dtype' is not possible"):
            made(DecisionTreeClassifier(categorical_features="from_dtype")).fit(frame, signal > 0)
