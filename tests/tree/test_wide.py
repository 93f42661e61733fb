"""Large nodes are searched by all threads together, which changes nothing."""

import numpy as np
import pytest

from clinfa import config_context
from clinfa.growing import grow, growth, wide
from clinfa.tree import DecisionTreeClassifier, DecisionTreeRegressor

CASES = [
    (DecisionTreeClassifier, {"criterion": "gini"}),
    (DecisionTreeClassifier, {"criterion": "entropy", "min_samples_leaf": 5}),
    (DecisionTreeClassifier, {"max_features": 2, "random_state": 0}),
    (DecisionTreeClassifier, {"splitter": "random", "random_state": 1}),
    (DecisionTreeClassifier, {"min_weight_fraction_leaf": 0.05}),
    (DecisionTreeRegressor, {"criterion": "squared_error", "max_depth": 4}),
    (DecisionTreeRegressor, {"criterion": "absolute_error", "min_samples_leaf": 3}),
    (DecisionTreeRegressor, {"criterion": "poisson", "min_impurity_decrease": 1e-3}),
    (DecisionTreeRegressor, {"monotonic_cst": [1, 0, -1, 0, 0, 0]}),
    (DecisionTreeRegressor, {"splitter": "random", "criterion": "absolute_error", "random_state": 2}),
]


def fitted(cls, params, outputs, weighted, missing):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((900, 6))
    y = np.exp(X[:, :outputs] + 0.3 * rng.standard_normal((900, outputs)))
    if cls is DecisionTreeClassifier:
        y = np.digitize(y, [0.5, 1.0, 2.0] if outputs > 1 else [1.0])
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    weights = rng.integers(1, 4, 900).astype(float) if weighted else None
    return cls(**params).fit(X, y if outputs > 1 else y[:, 0], sample_weight=weights).tree_


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("outputs", "weighted", "missing"), [(1, False, False), (1, True, True), (2, True, False)]
)
@pytest.mark.parametrize(("cls", "params"), CASES, ids=lambda case: str(case)[:60])
def test_the_tree_is_that_of_one_thread(monkeypatch, cls, params, outputs, weighted, missing, threads):
    if "monotonic_cst" in params and outputs > 1:
        params = {}
    alone = fitted(cls, params, outputs, weighted, missing)
    for module in (grow, wide):
        monkeypatch.setattr(module, "WIDE", 100)
    with config_context(n_threads=threads):
        together = fitted(cls, params, outputs, weighted, missing)
    assert alone.node_count > 5
    for name in ("nodes", "n", "values", "impurity", "weighted_n_node_samples"):
        np.testing.assert_array_equal(getattr(together, name), getattr(alone, name))
    assert together.max_depth == alone.max_depth


@pytest.mark.parametrize("y", [np.zeros(400), np.r_[np.zeros(399), 1.0]])
def test_nothing_or_little_to_divide(monkeypatch, y):
    for module in (grow, wide):
        monkeypatch.setattr(module, "WIDE", 100)
    X = np.arange(400.0)[:, None]
    model = DecisionTreeRegressor(max_depth=1).fit(X, y)
    assert model.tree_.n_leaves == 1 + bool(y.any())
    np.testing.assert_array_equal(model.predict(X), y)


def test_one_class_and_many_records():
    X = np.random.default_rng(0).standard_normal((2 * wide.WIDE, 9))
    model = DecisionTreeClassifier().fit(X, np.zeros(len(X)))
    assert model.tree_.node_count == 1
    np.testing.assert_array_equal(model.predict_proba(X[:3]), np.ones((3, 1)))


@pytest.mark.parametrize("splitter", ["best", "random"])
def test_however_little_work_a_call_may_do_it_ends(monkeypatch, splitter):
    """A small node's table may cost more than a call is allowed."""
    X = np.random.default_rng(0).standard_normal((700, 6))
    y = X[:, 0] * X[:, 1] > 0
    model = DecisionTreeClassifier(splitter=splitter, random_state=0)
    whole = model.fit(X, y).tree_
    monkeypatch.setattr(growth, "_LEAST_TABLES", 0)
    for budget in (1.0, 3000.0):
        monkeypatch.setattr(growth, "_BUDGET", budget)
        np.testing.assert_array_equal(model.fit(X, y).tree_.nodes, whole.nodes)
