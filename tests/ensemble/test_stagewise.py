"""Stages: by hand, as scikit-learn's boosting by least squares, and as the chain of two."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from clinfa import Dataset
from clinfa.composing import ResidualChain
from clinfa.ensemble import StagewiseRegressor
from clinfa.naive_bayes import GaussianNB
from clinfa.neighbors import KNeighborsRegressor

X, Y = load_diabetes(return_X_y=True)


def test_constants_by_hand():
    """Each stage predicts the median, 2, then half of what that leaves: 2 of (1, 2, 6) around the mean 3."""
    model = StagewiseRegressor(DummyRegressor(strategy="median"), 2, learning_rate=0.5)
    model.fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 6.0])
    # left: -2, -1, 3, median -1; then -1.5, -0.5, 3.5, median -0.5
    assert model.base_ == 3.0
    np.testing.assert_allclose(model.predict([[9.0]]), [3 - 0.5 - 0.25])
    assert [float(step[0]) for step in model.staged_predict([[9.0]])] == [2.5, 2.25]
    np.testing.assert_allclose(
        model.train_score_, [(1.5**2 + 0.5**2 + 3.5**2) / 3, (1.25**2 + 0.25**2 + 3.75**2) / 3]
    )


def test_as_gradient_boosting():
    how = {"max_depth": 3, "random_state": 0}
    ours = StagewiseRegressor(DecisionTreeRegressor(**how), 25, learning_rate=0.2, random_state=0).fit(X, Y)
    theirs = GradientBoostingRegressor(n_estimators=25, learning_rate=0.2, **how).fit(X, Y)
    np.testing.assert_allclose(ours.train_score_, theirs.train_score_, rtol=1e-3)
    assert ours.score(X, Y) == pytest.approx(theirs.score(X, Y), abs=1e-3)


def test_two_stages_are_a_chain():
    near = KNeighborsRegressor(20)
    ours = StagewiseRegressor(near, 1, base=LinearRegression(), learning_rate=0.5).fit(X, Y)
    chain = ResidualChain(LinearRegression(), near, nu=0.5).fit(X, Y)
    np.testing.assert_allclose(ours.predict(X), chain.predict(X), rtol=1e-12)


def test_several_targets():
    both = np.stack([Y, -2 * Y], axis=1)
    ours = StagewiseRegressor(KNeighborsRegressor(9), 3).fit(X, both)
    alone = StagewiseRegressor(KNeighborsRegressor(9), 3).fit(X, Y)
    np.testing.assert_allclose(ours.predict(X), np.stack([alone.predict(X), -2 * alone.predict(X)], axis=1))
    assert ours.score(X, both) == pytest.approx(alone.score(X, Y))


def test_weights_reach_every_stage():
    w = np.r_[np.zeros(100), np.ones(len(Y) - 100)]
    tree = DecisionTreeRegressor(max_depth=2, random_state=0)
    ours = StagewiseRegressor(tree, 4, random_state=0).fit(X, Y, sample_weight=w)
    rest = StagewiseRegressor(tree, 4, random_state=0).fit(X[100:], Y[100:])
    np.testing.assert_allclose(ours.predict(X), rest.predict(X), rtol=1e-9)
    with pytest.raises(TypeError, match="sample_weight"):
        StagewiseRegressor(KNeighborsRegressor()).fit(X, Y, sample_weight=w)


def test_datasets_and_recipes():
    data = Dataset(X, Y, feature_names=[f"c{i}" for i in range(10)])
    model = StagewiseRegressor(KNeighborsRegressor.params(n_neighbors=7), 3).fit(data)
    np.testing.assert_array_equal(model.predict(data).targets, model.predict(X))
    *_, last = model.staged_predict(data)
    np.testing.assert_array_equal(last.targets, model.predict(X))


def test_classifiers_are_refused():
    with pytest.raises(ValueError, match="'estimator' parameter of StagewiseRegressor must be a regressor"):
        StagewiseRegressor(GaussianNB()).fit(X, Y)
    with pytest.raises(ValueError, match="'base' parameter"):
        StagewiseRegressor(KNeighborsRegressor(), base=GaussianNB()).fit(X, Y)
