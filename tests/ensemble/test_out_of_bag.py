"""What is said of records that were not drawn: against counting by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score

from clinfa.datasets import load_diabetes, load_iris
from clinfa.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

IRIS, DIABETES = load_iris(), load_diabetes()


def by_hand(model, X, ask):
    """The mean of what models say of records that they have not seen, and how many these are."""
    total, times = 0.0, np.zeros(len(X))
    for tree, rows in zip(model.estimators_, model.estimators_samples_, strict=True):
        rest = ~np.isin(np.arange(len(X)), rows)
        said = ask(tree, X)
        total = total + np.where(rest.reshape(-1, *[1] * (said.ndim - 1)), said, 0)
        times += rest
    return total / np.maximum(times, 1).reshape(-1, *[1] * (total.ndim - 1)), times


@pytest.mark.parametrize("cls", [RandomForestClassifier, ExtraTreesClassifier, BaggingClassifier])
def test_classes(cls):
    X, y = IRIS.records, np.array(["x", "a", "m"])[IRIS.targets]
    model = cls(n_estimators=25, bootstrap=True, oob_score=True, random_state=0).fit(X, y)
    told, times = by_hand(model, X, lambda tree, X: tree.predict_proba(X))
    assert times.all()
    np.testing.assert_allclose(model.oob_decision_function_, told, rtol=1e-12, atol=1e-15)
    guesses = model.classes_[told.argmax(axis=1)]
    assert model.oob_score_ == (guesses == y).mean()
    assert not hasattr(model, "oob_prediction_")
    own = cls(n_estimators=25, bootstrap=True, oob_score=accuracy_score, random_state=0).fit(X, y)
    assert own.oob_score_ == model.oob_score_


@pytest.mark.parametrize("cls", [RandomForestRegressor, ExtraTreesRegressor, BaggingRegressor])
def test_numbers(cls):
    X, y = DIABETES.records, DIABETES.targets
    model = cls(n_estimators=25, bootstrap=True, oob_score=True, random_state=0).fit(X, y)
    told, times = by_hand(model, X, lambda tree, X: tree.predict(X))
    assert times.all()
    np.testing.assert_allclose(model.oob_prediction_, told, rtol=1e-12)
    assert model.oob_score_ == pytest.approx(r2_score(y, told), rel=1e-12)
    assert not hasattr(model, "oob_decision_function_")
    own = cls(n_estimators=25, bootstrap=True, oob_score=mean_absolute_error, random_state=0).fit(X, y)
    assert own.oob_score_ == pytest.approx(mean_absolute_error(y, told), rel=1e-12)


@pytest.mark.parametrize("cls", [RandomForestClassifier, BaggingClassifier])
def test_who_was_always_drawn_is_not_told(cls):
    X, y = IRIS.records, IRIS.targets
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        model = cls(n_estimators=2, bootstrap=True, oob_score=True, random_state=0).fit(X, y)
    always = by_hand(model, X, lambda tree, X: tree.predict_proba(X))[1] == 0
    assert 0 < always.sum() < 150
    assert np.array_equal(np.isnan(model.oob_decision_function_).all(axis=1), always)


@pytest.mark.parametrize(
    "cls", [RandomForestRegressor, RandomForestClassifier, BaggingRegressor, BaggingClassifier]
)
def test_who_weighs_nothing_is_told_but_not_counted(cls):
    some = IRIS if "Classifier" in cls.__name__ else DIABETES
    X, y = some.records, some.targets
    w = np.ones(len(X))
    w[::3] = 0
    how = {"n_estimators": 30, "bootstrap": True, "oob_score": True, "random_state": 0}
    there = cls(**how).fit(X[w > 0], y[w > 0], w[w > 0])
    model = cls(**how).fit(X, y, w)
    assert model.oob_score_ == pytest.approx(there.oob_score_, rel=1e-12)


@pytest.mark.parametrize("cls", [RandomForestRegressor, BaggingRegressor])
def test_what_was_told_is_forgotten(cls):
    model = cls(n_estimators=30, bootstrap=True, oob_score=True, random_state=0).fit(DIABETES)
    assert model.oob_score_ > 0.2
    model.set_params(oob_score=False).fit(DIABETES)
    assert not hasattr(model, "oob_score_")
    assert not hasattr(model, "oob_prediction_")
