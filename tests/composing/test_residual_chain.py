"""ResidualChain: base + nu * corrector, nested, with weights, with models of either house."""

import pickle

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from clinfa import Dataset
from clinfa.composing import ResidualChain
from clinfa.datasets import load_diabetes
from clinfa.errors import InvalidParameterError
from clinfa.recipes import fit_copy, predict_on

X = np.array([[0.0], [1.0], [2.0], [3.0]])
Y = np.array([0.0, 0.0, 4.0, 8.0])


def test_by_hand():
    """The mean is 3, residuals -3, -3, 1, 5; their line is -4.2 + 2.8 x; half of it is added."""
    model = ResidualChain(DummyRegressor(), LinearRegression(), nu=0.5).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), 3 + 0.5 * (-4.2 + 2.8 * X[:, 0]), rtol=1e-13)


def test_parts_stay_as_they_are():
    base, corrector = DummyRegressor(), LinearRegression()
    model = ResidualChain(base, corrector).fit(X, Y)
    assert not hasattr(base, "constant_")
    assert not hasattr(corrector, "coef_")
    assert isinstance(model.base, DummyRegressor)


def test_nested_is_boosting():
    """Trees that correct what is left, each by a tenth: scikit-learn's gradient boosting, as chains."""
    data = load_diabetes()
    X, y = np.asarray(data.records), np.asarray(data.targets)
    tree = DecisionTreeRegressor(max_depth=2, random_state=0)
    # The residual after base + 0.1 * first is what the next one is fitted to: chains grow at the base.
    chain = ResidualChain(DummyRegressor(), tree, nu=0.1)
    for _ in range(4):
        chain = ResidualChain(chain, tree, nu=0.1)
    boosted = GradientBoostingRegressor(n_estimators=5, max_depth=2, random_state=0).fit(X, y)
    np.testing.assert_allclose(chain.fit(X, y).predict(X), boosted.predict(X), rtol=1e-9)


def test_nested_corrector():
    inner = ResidualChain(DummyRegressor(), LinearRegression(), nu=0.5)
    model = ResidualChain(LinearRegression(), inner, nu=1.0).fit(X, Y)
    # A line leaves residuals without mean and slope: nothing is left to correct.
    np.testing.assert_allclose(model.predict(X), LinearRegression().fit(X, Y).predict(X), rtol=1e-12)


def test_weights_reach_both():
    w = np.array([1.0, 2.0, 0.0, 3.0])
    counts = w.astype(int)
    recipe = ResidualChain(DummyRegressor(), LinearRegression(), nu=0.7)
    weighted = recipe.fit(X, Y, w)
    repeated = recipe.fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-12)
    np.testing.assert_allclose(recipe.fit(Dataset(X, Y, w)).predict(X), weighted.predict(X), rtol=1e-14)
    with pytest.raises(TypeError, match=r"KNeighborsRegressor\.fit takes no sample_weight"):
        ResidualChain(DummyRegressor(), KNeighborsRegressor(2)).fit(Dataset(X, Y, w))


def test_datasets():
    data = Dataset(X, Y, feature_names=["x"], target_names=["y"])
    recipe = ResidualChain(DummyRegressor(), LinearRegression())
    model = fit_copy(recipe, data)
    out = predict_on(model, data)
    assert out.target_names == ["y"]
    np.testing.assert_array_equal(out.targets, model.predict(X))
    np.testing.assert_allclose(out.targets, LinearRegression().fit(X, Y).predict(X), rtol=1e-12)


@pytest.mark.parametrize("shape", [(4, 1), (4, 2)])
def test_several_targets(shape):
    targets = np.c_[Y, 2 * Y][:, : shape[1]]
    model = ResidualChain(DummyRegressor(), LinearRegression()).fit(X, targets)
    alone = LinearRegression().fit(X, targets).predict(X)
    np.testing.assert_allclose(np.reshape(model.predict(X), shape), alone, rtol=1e-12, atol=1e-12)


def test_pickles():
    model = ResidualChain(DummyRegressor(), LinearRegression(), nu=0.5).fit(X, Y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@pytest.mark.parametrize("nu", [0, -0.5, 1.1, np.nan, None, "half"])
def test_nu(nu):
    with pytest.raises(InvalidParameterError, match=r"'nu' parameter of ResidualChain must be .*\(0, 1\]"):
        ResidualChain(DummyRegressor(), LinearRegression(), nu=nu).fit(X, Y)


@pytest.mark.parametrize("part", [None, 3, LinearRegression, "linear"])
def test_parts_must_be_recipes(part):
    for base, corrector, name in (
        (part, LinearRegression(), "base"),
        (LinearRegression(), part, "corrector"),
    ):
        with pytest.raises(
            InvalidParameterError, match=f"'{name}' parameter of ResidualChain must be an est"
        ):
            ResidualChain(base, corrector).fit(X, Y)


def test_targets_must_be_numbers():
    with pytest.raises(ValueError, match="must hold numbers"):
        ResidualChain(DummyRegressor(), LinearRegression()).fit(X, list("abcd"))
    with pytest.raises(ValueError, match="Expected array-like"):
        ResidualChain(DummyRegressor(), LinearRegression()).fit(X, None)
