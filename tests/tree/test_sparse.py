"""Sparse records: they make what the same records dense make, to the bit where sums are exact."""

import numpy as np
import pytest
import scipy.sparse as sp

from clinfa.arrays import read_table
from clinfa.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from clinfa.growing import ranks, sparse, trees
from clinfa.growing.ranks import Ranks
from clinfa.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

GROWN = [
    DecisionTreeClassifier(max_features=2, random_state=0),
    DecisionTreeClassifier(min_samples_leaf=3),
    DecisionTreeClassifier(criterion="entropy", max_features=3, random_state=0),
    DecisionTreeRegressor(criterion="absolute_error"),
    DecisionTreeRegressor(criterion="poisson"),
    DecisionTreeClassifier(max_leaf_nodes=5, monotonic_cst=[1, 0, 0, -1, 0, 0]),
    ExtraTreeClassifier(random_state=0),
    ExtraTreeRegressor(random_state=0),
    RandomForestClassifier(40, oob_score=True, random_state=0),
    RandomForestRegressor(40, keep_targets=True, random_state=0),
    ExtraTreesClassifier(9, random_state=0),
    ExtraTreesRegressor(9, random_state=0),
]


def _data(n=80, d=6, gaps=True):
    """Records with many zeros, few values and (some columns) gaps and infinities; two classes."""
    rng = np.random.default_rng()
    X = np.rint(2 * rng.standard_normal((n, d))) * (rng.random((n, d)) < 0.5) + 0.0  # (no zero is negative)
    X[:, 1] = rng.standard_normal(n) + 5  # none is zero
    X[:, 2] = 0
    if gaps:
        X[rng.random((n, d)) < [0.2, 0.1, 0, 0.1, 0, 0]] = np.nan
        X[rng.random((n, d)) < [0, 0, 0, 0, 0.1, 0]] = np.inf
        X[rng.random((n, d)) < [0, 0, 0, 0, 0.1, 0]] = -np.inf
    y = (np.nan_to_num(X[:, 0]) + X[:, 5] + rng.standard_normal(n) > 0).astype(int)
    y[:2] = 0, 1
    return X, y


def _with_stored_zeros(X):
    n, d = X.shape
    return sp.csr_array((X.ravel(), np.tile(np.arange(d), n), np.arange(n + 1) * d), X.shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_matrix, _with_stored_zeros])
def test_ranks_are_those_of_dense_records(form, dtype, monkeypatch):
    monkeypatch.setattr(sparse, "_STORED", 150)  # so that some blocks have several columns, others one
    for n in (1, 2, 80, 70_000):
        X = _data(max(n, 2))[0][:n].astype(dtype)
        table = read_table(form(X), "it", sparse=True, finite=False)
        want, got = Ranks.of(X), Ranks.of(table.X)
        assert got.columns.dtype == want.columns.dtype
        for name in ("columns", "n_values", "missing"):
            np.testing.assert_array_equal(getattr(got, name), getattr(want, name))


@pytest.mark.parametrize("model", GROWN, ids=lambda model: type(model).__name__)
def test_trees_are_those_of_dense_records(model, monkeypatch):
    monkeypatch.setattr(trees, "_DENSE", 100)  # so that predictions are by blocks of a few records
    monkeypatch.setattr(ranks, "_THIN", 0)
    for dtype in (np.float32, np.float64):
        X, y = _data()
        X = X.astype(dtype)
        S, make = sp.csr_matrix(X), model.params(**model.get_params())
        dense, thin = make.fit(X, y), make.fit(S, y)
        assert thin._trees.nodes.tobytes() == dense._trees.nodes.tobytes()
        assert thin._trees.values.tobytes() == dense._trees.values.tobytes()
        for method in ("predict", "predict_proba", "apply"):
            if hasattr(model, method):
                np.testing.assert_array_equal(getattr(thin, method)(S), getattr(dense, method)(X))
        paths, wanted = (
            path[0] if isinstance(path, tuple) else path
            for path in (thin.decision_path(S), dense.decision_path(X))
        )
        assert (paths != wanted).nnz == 0
        if model.get_params().get("oob_score"):
            np.testing.assert_array_equal(thin.oob_decision_function_, dense.oob_decision_function_)
        if model.get_params().get("keep_targets"):
            got, want = thin.predict_quantiles(S, oob=True), dense.predict_quantiles(X, oob=True)
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("cls", [DecisionTreeClassifier, ExtraTreeClassifier])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("features", [None, 0.1])
def test_many_columns_and_classes(cls, outputs, features):
    # Wide nodes look at columns one by one, small ones sort what their few records store.
    rng = np.random.default_rng()
    X = np.rint(3 * rng.standard_normal((300, 5000))) * (rng.random((300, 5000)) < 0.02) + 0.0
    X[rng.random(X.shape) < 0.001] = np.nan
    X[:, 7] = rng.standard_normal(300)
    y = rng.integers(0, 7, (300, outputs)) + 10 * (X[:, 7] > 0)[:, None]
    y = y[:, 0] if outputs == 1 else y
    weights = rng.integers(0, 3, 300).astype(float)
    model = cls(max_features=features, random_state=0)
    dense = model.fit(X, y, weights)._trees.nodes.tobytes()
    assert model.fit(sp.csr_array(X), y, weights)._trees.nodes.tobytes() == dense


def test_records_that_store_nothing():
    model = DecisionTreeClassifier().fit(sp.csr_array((4, 3)), [0, 1, 1, 1])
    assert model.tree_.node_count == 1
    assert model.predict(sp.csr_array((1, 3))).tolist() == [1]


@pytest.mark.parametrize("cls", [AdaBoostClassifier, AdaBoostRegressor, BaggingRegressor])
def test_ensembles_of_trees_take_them(cls, monkeypatch):
    monkeypatch.setattr(ranks, "_THIN", 0)
    X, y = _data(200, gaps=False)
    S = sp.csc_array(X)
    dense, thin = (cls(n_estimators=5, random_state=0).fit(some, y) for some in (X, S))
    np.testing.assert_array_equal(thin.predict(S), dense.predict(X))


def test_a_negative_zero_is_a_zero():
    X = np.array([[-0.0, 1.0], [0.0, -1.0], [-1.0, 0.0], [2.0, -0.0]])
    for form in (sp.csr_array, _with_stored_zeros):
        model = DecisionTreeRegressor().fit(form(X), [1.0, 1.0, 2.0, 3.0])
        assert model.predict(X).tolist() == [1, 1, 2, 3]
        assert model.tree_.node_count == 5
