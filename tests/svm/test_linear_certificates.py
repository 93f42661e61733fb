"""Linear support vector machines: nothing could be much better, by bounds that need no second solver."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import svm as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.preprocessing import scale

from clinfa.svm import LinearSVC, LinearSVR, _linear_solve
from tests.svm.objectives import (
    class_bands,
    gap,
    joint_objective,
    l1_violation,
    objective,
    weights_of,
    wide,
)

TOL = 1e-5


@pytest.fixture(params=["second order", "descent"])
def way(request, monkeypatch):
    """Both kinds of algorithms solve whatever comes."""
    if request.param == "descent":
        monkeypatch.setattr(_linear_solve, "_NARROW", 0)
        monkeypatch.setattr(_linear_solve, "_SMALL", 0)
        monkeypatch.setattr(_linear_solve, "_FEW", 0)
        monkeypatch.setattr(_linear_solve, "_LARGE", 0)
    return np.asarray if request.param == "second order" else sp.csr_array


def tables():
    """Records and labels, by name."""
    rng = np.random.default_rng(12)
    X = rng.standard_normal((120, 6))
    y = np.digitize(X[:, 0] + 0.7 * rng.standard_normal(120), [-0.6, 0.6])
    wine = load_wine()
    few = rng.standard_normal((9, 40))
    with_gaps = np.where(rng.random((120, 6)) < 0.7, 0, X)
    return {
        "overlapping": (X, y),
        "apart": (X + 6 * np.eye(6)[y], y),
        "wine": (scale(wine.data), wine.target),
        "wide": (few, np.arange(9) % 3),
        "one column": (X[:, :1], y),
        "twice the same": (np.repeat(X[:20], 5, axis=0), np.tile(y[:20], 5)),
        "columns of no use": (np.column_stack([X, np.zeros(120), np.ones(120), X[:, 0]]), y),
        "empty rows": (with_gaps, y),
    }


TABLES = tables()


@pytest.mark.parametrize("C", [1e-10, 1e-2, 1.0])
@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("name", TABLES)
def test_duality_gap_of_classes(name, loss, C, way):
    X, y = TABLES[name]
    model = LinearSVC(loss=loss, C=C, tol=TOL, max_iter=20_000).fit(way(X), y)
    A, power = wide(X), 1 if loss == "hinge" else 2
    for k, w in enumerate(weights_of(model)):
        bands = class_bands(y == k)
        at_zero = objective(A, 0 * w, *bands, C, power)
        apart = gap(A, w, *bands, np.full(len(A), C), power)
        # (Where no multiplier's slope is off by tol, a record adds at most tol times its cost.)
        assert apart <= (1e-3 if way is np.asarray else 1.0) * TOL * at_zero


@pytest.mark.parametrize("C", [1e3, 1e10])
@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("name", TABLES)
def test_duality_gap_at_high_costs(name, loss, C):
    """Where descent would take for ever."""
    X, y = TABLES[name]
    model = LinearSVC(loss=loss, C=C, tol=TOL).fit(X, y)
    A, power = wide(X), 1 if loss == "hinge" else 2
    for k, w in enumerate(weights_of(model)):
        bands = class_bands(y == k)
        reached = objective(A, w, *bands, C, power)
        # (Rounding of the values costs what it costs.)
        rounding = C * len(A) * (1e-13 * np.abs(A).max() * np.abs(w).sum()) ** power
        assert gap(A, w, *bands, np.full(len(A), C), power) <= 1e-4 * reached + rounding


@pytest.mark.parametrize("C", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("name", TABLES)
def test_subgradients_of_l1(name, C, way):
    X, y = TABLES[name]
    C = min(C, 1.0) if way is not np.asarray else C
    model = LinearSVC(penalty="l1", C=C, tol=TOL, max_iter=20_000).fit(way(X), y)
    A = wide(X)
    for k, w in enumerate(weights_of(model)):
        bands = class_bands(y == k)
        first = l1_violation(A, 0 * w, *bands, C)
        assert l1_violation(A, w, *bands, C) <= 1.001 * TOL * first + 1e-12


@pytest.mark.parametrize("C", [1e-10, 1e-2, 1.0, 100.0])
@pytest.mark.parametrize("name", [name for name in TABLES if name != "apart"])
def test_all_classes_at_once(name, C, way):
    X, y = TABLES[name]
    model = LinearSVC(multi_class="crammer_singer", C=C, tol=TOL, max_iter=20_000).fit(way(X), y)
    A, W = wide(X), weights_of(model)
    reached = joint_objective(A, W, y, C)
    # No small step to any side is better: the problem is convex.
    rng = np.random.default_rng(8)
    for _ in range(40):
        step = rng.standard_normal(W.shape)
        step *= 1e-2 * max(np.linalg.norm(W), 1e-12) / np.linalg.norm(step)
        assert joint_objective(A, W + step, y, C) >= reached * (1 - 1e-6)
    assert reached <= joint_objective(A, 0 * W, y, C) * (1 + TOL)


@pytest.mark.parametrize("C", [1e-10, 1e-2, 1.0, 1e4])
@pytest.mark.parametrize("epsilon", [0.0, 0.3, 50.0])
@pytest.mark.parametrize("loss", ["epsilon_insensitive", "squared_epsilon_insensitive"])
def test_duality_gap_of_numbers(loss, epsilon, C):
    data = load_diabetes()
    X, y = scale(data.data), data.target / 10
    model = LinearSVR(loss=loss, epsilon=epsilon, C=C, tol=TOL).fit(X, y)
    A, (w,) = wide(X), weights_of(model)
    power = 1 if loss == "epsilon_insensitive" else 2
    bands = y - epsilon, y + epsilon
    at_zero = objective(A, 0 * w, *bands, C, power)
    assert gap(A, w, *bands, np.full(len(A), C), power) <= 1e-3 * TOL * at_zero


def test_descent_of_numbers(monkeypatch):
    data = load_diabetes()
    X, y = scale(data.data), data.target / 10
    for loss in ("epsilon_insensitive", "squared_epsilon_insensitive"):
        how = {"loss": loss, "epsilon": 0.5, "C": 0.1}
        plain = LinearSVR(**how, tol=1e-8).fit(X, y)
        with monkeypatch.context() as patch:
            patch.setattr(_linear_solve, "_NARROW", 0)
            patch.setattr(_linear_solve, "_SMALL", 0)
            patch.setattr(_linear_solve, "_FEW", 0)
            patch.setattr(_linear_solve, "_LARGE", 0)
            model = LinearSVR(**how, tol=1e-6, max_iter=20_000).fit(sp.csr_array(X), y)
        assert model.coef_ == pytest.approx(plain.coef_, abs=5e-3)


def test_dense_descent_is_sparse_descent(monkeypatch):
    """Wide dense records go the way of sparse ones, whose rows are all full."""
    monkeypatch.setattr(_linear_solve, "_NARROW", 0)
    monkeypatch.setattr(_linear_solve, "_SMALL", 0)
    monkeypatch.setattr(_linear_solve, "_FEW", 0)
    monkeypatch.setattr(_linear_solve, "_LARGE", 0)
    X, y = TABLES["wine"]
    for options in ({"loss": "hinge"}, {}, {"penalty": "l1"}, {"multi_class": "crammer_singer"}):
        how = {"C": 0.1, "random_state": 3, "max_iter": 5000} | options
        dense, sparse = LinearSVC(**how).fit(X, y), LinearSVC(**how).fit(sp.csr_array(X), y)
        assert dense.coef_ == pytest.approx(sparse.coef_, rel=1e-6, abs=1e-9)


REAL = {
    "wine": (scale(load_wine().data), load_wine().target),
    "cancer": (scale(load_breast_cancer().data), load_breast_cancer().target),
}


@pytest.mark.filterwarnings("ignore:Liblinear failed to converge:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
@pytest.mark.parametrize(
    "options", [{"loss": "hinge"}, {}, {"penalty": "l1", "dual": False}, {"multi_class": "crammer_singer"}]
)
@pytest.mark.parametrize("name", REAL)
def test_never_worse_than_liblinear(name, options, C, way):
    X, y = REAL[name]
    if way is not np.asarray and "penalty" in options:
        C = min(C, 1.0)  # (beyond, neither gets there by columns)
    mine = LinearSVC(C=C, random_state=0, **options).fit(way(X), y)
    other = theirs.LinearSVC(C=C, random_state=0, **options).fit(X, y)
    A, power = wide(X), 1 if options.get("loss") == "hinge" else 2
    if "multi_class" in options and len(mine.classes_) > 2:
        reached = [joint_objective(A, weights_of(model), y, C) for model in (mine, other)]
        assert reached[0] <= reached[1] * (1 + 1e-4)
    elif "multi_class" not in options:
        for k, (w, v) in enumerate(zip(weights_of(mine), weights_of(other), strict=True)):
            bands = class_bands(y == (k if len(mine.classes_) > 2 else 1))
            reached = [objective(A, u, *bands, C, power, options.get("penalty", "l2")) for u in (w, v)]
            assert reached[0] <= reached[1] * (1 + 1e-4)


def test_liblinear_finds_the_same():
    X, y = REAL["cancer"]
    how = {"C": 0.1, "tol": 1e-10, "max_iter": 1_000_000, "random_state": 0}
    for options in ({}, {"loss": "hinge"}, {"penalty": "l1", "dual": False}, {"intercept_scaling": 9.0}):
        mine = LinearSVC(**how | options).fit(X, y)
        other = theirs.LinearSVC(**how | options).fit(X, y)
        assert mine.coef_ == pytest.approx(other.coef_, rel=1e-6, abs=1e-7)
        assert mine.intercept_ == pytest.approx(other.intercept_, rel=1e-6, abs=1e-7)
    for options in ({"class_weight": "balanced"}, {"class_weight": {0: 3.0}}, {"fit_intercept": False}):
        mine, other = LinearSVC(**how | options).fit(X, y), theirs.LinearSVC(**how | options).fit(X, y)
        assert mine.coef_ == pytest.approx(other.coef_, rel=1e-6, abs=1e-7)
    X, y = REAL["wine"]
    how["class_weight"] = "balanced"
    mine, other = LinearSVC(**how).fit(X, y), theirs.LinearSVC(**how).fit(X, y)
    assert mine.coef_ == pytest.approx(other.coef_, rel=1e-6, abs=1e-7)
    np.testing.assert_array_equal(mine.predict(X), other.predict(X))


def test_liblinear_finds_the_same_numbers():
    data = load_diabetes()
    X, y = scale(data.data), data.target / 50
    for loss in ("epsilon_insensitive", "squared_epsilon_insensitive"):
        how = {"C": 0.1, "tol": 1e-9, "max_iter": 1_000_000, "random_state": 0, "loss": loss, "epsilon": 0.2}
        mine, other = LinearSVR(**how).fit(X, y), theirs.LinearSVR(**how).fit(X, y)
        assert mine.coef_ == pytest.approx(other.coef_, rel=1e-5, abs=1e-6)
        assert mine.predict(X) == pytest.approx(other.predict(X), rel=1e-5)
