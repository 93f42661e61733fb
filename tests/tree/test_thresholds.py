"""Thresholds lie between values that differ, whatever these are: predicting and growing agree."""

import numpy as np
import pytest
import scipy.sparse as sp

from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from tests.cases import in_cases
from tests.tree.compare import agrees_with_its_fit, parts, walked

TINY = 5e-324
VALUES = {
    "neighbours": 1 + np.arange(6) * np.spacing(1.0),
    "around zero": np.array([-TINY, -0.0, 0.0, TINY, 2 * TINY, 3 * TINY]),
    "denormal": np.arange(1, 7) * TINY,
    "huge": np.array([-1.7e308, -1e300, 1e300, np.nextafter(1e300, 2e300), 1.7e308, 1.79e308]),
    "infinite": np.array([-np.inf, -1.7e308, 0.0, 1.0, 1.7e308, np.inf]),
    "wide": np.array([-1e300, -1.0, -1e-300, 1e-300, 1.0, 1e300]),
    "whole": 2.0**53 + 2 * np.arange(6),
    "float32": np.float32(1) + np.arange(6, dtype=np.float32) * np.spacing(np.float32(1)),
    "float32, huge": np.array([-3.4e38, -1, 0, 1e-45, 3.3e38, 3.4e38], np.float32),
}
CLASSES = [DecisionTreeClassifier, ExtraTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor]


@pytest.mark.parametrize("cls", CLASSES)
@in_cases("name", list(VALUES))
def test_every_value_is_a_value_of_its_own(cls, name):
    values = VALUES[name]
    y = np.arange(len(values)) % 3 + 1
    for gaps in (
        False,
        not cls.__name__.startswith("Extra"),
    ):  # (random splits leave gaps with a single value)
        X = np.repeat(values, 2)[:, None]
        told = np.repeat(y, 2)
        if gaps:
            X, told = np.append(X, [[np.nan]], axis=0), np.append(told, 7)
        rows = np.random.default_rng(0).permutation(len(X))
        model = cls(random_state=0).fit(X[rows], told[rows])
        if name == "around zero":  # (where the two zeros are one value)
            agrees_with_its_fit(model, X[rows])
            continue
        assert np.array_equal(model.predict(X), told)
        leaf = agrees_with_its_fit(model, X[rows])
        assert len(np.unique(leaf)) >= 6 - (name == "infinite")
        inner = model.tree_.children_left >= 0
        assert not np.isnan(model.tree_.threshold[inner]).any()


@in_cases("dtype", [np.float32, np.float64])
def test_random_records(dtype):
    """Many values that are neighbours, many that are equal, and gaps."""
    rng = np.random.default_rng(0)
    X = (1 + rng.integers(0, 40, (600, 3)) * np.finfo(dtype).eps).astype(dtype)
    X[rng.random(X.shape) < 0.05] = np.nan
    y = rng.integers(0, 4, 600)
    for cls in CLASSES:
        for how in ({}, {"max_leaf_nodes": 30}, {"min_samples_leaf": 5}):
            model = cls(random_state=0, **how).fit(X, y)
            leaf = agrees_with_its_fit(model, X)
            paths = model.decision_path(X)
            for i in range(0, 600, 37):
                path = walked(model.tree_, X[i])
                assert path[-1] == leaf[i]
                assert paths[[i]].indices.tolist() == sorted(path)


@in_cases("name", ["int64", "uint64", "bool", "float16", "list"])
def test_other_types(name):
    X = np.array([[0], [1], [0], [1]]) if name == "bool" else np.arange(4)[:, None] + 2
    X = X.tolist() if name == "list" else X.astype(name)
    model = DecisionTreeClassifier().fit(X, [0, 1, 0, 1] if name == "bool" else [0, 1, 1, 0])
    assert model.score(X, model.predict(X)) == 1
    assert np.array_equal(model.predict(X), [0, 1, 0, 1] if name == "bool" else [0, 1, 1, 0])


@pytest.mark.parametrize("cls", [DecisionTreeClassifier, DecisionTreeRegressor])
@in_cases("how", [{}, {"max_leaf_nodes": 12}, {"max_features": 2, "random_state": 0}])
def test_order_is_all_that_counts(cls, how):
    """Any rising function of a column leads to the same parts, and a falling one to the mirror image."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((250, 4))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = rng.integers(0, 40, 250)  # (whole numbers: sums are exact in any order)
    if cls is DecisionTreeClassifier:
        y %= 3
    plain = cls(min_samples_leaf=3, **how).fit(X, y)
    for f in (np.exp, lambda x: x**3, lambda x: 1e-300 * x, lambda x: 5 * x - 3):
        other = cls(min_samples_leaf=3, **how).fit(f(X), y)
        np.testing.assert_array_equal(plain.apply(X), other.apply(f(X)))
        np.testing.assert_array_equal(plain.tree_.feature, other.tree_.feature)
        np.testing.assert_array_equal(plain.tree_.impurity, other.tree_.impurity)
    # Ranks will do.
    ranks = np.where(np.isnan(X), np.nan, X.argsort(axis=0).argsort(axis=0))
    np.testing.assert_array_equal(
        parts(cls(min_samples_leaf=3, **how).fit(ranks, y).apply(ranks)), parts(plain.apply(X))
    )


@in_cases("n", [1, 2, 63, 64, 65, 66, 300])
def test_order_of_records_makes_no_difference(n):
    rng = np.random.default_rng(n)
    X, y = rng.integers(0, 9, (n, 2)) * 1.0, rng.integers(0, 3, n)
    rows = rng.permutation(n)
    one, two = DecisionTreeClassifier().fit(X, y), DecisionTreeClassifier().fit(X[rows], y[rows])
    np.testing.assert_array_equal(one.tree_.threshold, two.tree_.threshold)
    np.testing.assert_array_equal(one.apply(X), two.apply(X))


def test_the_tree_itself_reads_what_estimators_do():
    X = np.array([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0], [3.0, 1.0]])
    model = DecisionTreeClassifier().fit(X, [0, 1, 2, 3])
    for given in (X, X.tolist(), X.astype(int), X.astype(np.float32), sp.csr_matrix(X), sp.csc_array(X)):
        assert np.array_equal(model.tree_.apply(given), model.apply(X))
        assert (model.tree_.decision_path(given) != model.decision_path(X)).nnz == 0
        assert np.array_equal(model.tree_.predict(given)[:, 0], np.eye(4))
    with pytest.raises(ValueError, match="3 features"):
        model.tree_.apply(np.zeros((1, 3)))


def test_deep_tree():
    """Targets that double: what is greatest is parted from the rest, again and again."""
    n = 3000
    X, y = np.arange(n, dtype=float)[:, None], 2.0 ** np.minimum(np.arange(n), 450) * (np.arange(n) < 450)
    model = DecisionTreeRegressor().fit(X, y)
    assert model.get_depth() > 200
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-12)
    assert model.cost_complexity_pruning_path(X, y).ccp_alphas[0] == 0
