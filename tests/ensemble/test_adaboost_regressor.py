"""AdaBoost.R2: rounds by hand, medians, and how it compares with scikit-learn's."""

import numpy as np
import pytest
import sklearn.ensemble as theirs
import sklearn.linear_model

from clinfa.datasets import load_diabetes
from clinfa.ensemble import AdaBoostRegressor
from clinfa.tree import DecisionTreeRegressor


class Mean:
    """Predicts the mean of what it was fitted on; its `fit` returns nothing."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def get_params(self, deep=True):
        return {"shift": self.shift}

    def set_params(self, **params):
        self.__dict__.update(params)
        return self

    def fit(self, X, y):
        self.mean_ = float(np.mean(y)) + self.shift

    def predict(self, X):
        return np.full(len(X), self.mean_)


def _losses(kind, error):
    share = error / error.max()
    return {"linear": share, "square": share**2, "exponential": 1 - np.exp(-share)}[kind]


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
def test_rounds_follow_drucker(loss):
    data = load_diabetes()
    X, y = data.records, data.targets
    model = AdaBoostRegressor(n_estimators=12, loss=loss, learning_rate=0.8, random_state=0).fit(X, y)
    w = np.full(len(X), 1 / len(X))
    for est, alpha, error in zip(
        model.estimators_, model.estimator_weights_, model.estimator_errors_, strict=False
    ):
        own = _losses(loss, abs(est.predict(X) - y))
        assert error == pytest.approx((w * own).sum(), rel=1e-10)
        beta = error / (1 - error)
        assert alpha == pytest.approx(0.8 * np.log(1 / beta), rel=1e-10)
        w *= beta ** (0.8 * (1 - own))
        w /= w.sum()


def test_prediction_is_the_weighted_median():
    data = load_diabetes()
    model = AdaBoostRegressor(n_estimators=9, random_state=0).fit(data)
    told = np.stack([est.predict(data.records) for est in model.estimators_])
    weights = model.estimator_weights_[: len(told)]
    predicted = model.predict(data.records)
    below = (weights[:, None] * (told < predicted)).sum(axis=0)
    above = (weights[:, None] * (told > predicted)).sum(axis=0)
    assert below.max() <= weights.sum() / 2 + 1e-12
    assert above.max() <= weights.sum() / 2 + 1e-12
    assert (told == predicted).any(axis=0).all()
    staged = list(model.staged_predict(data.records))
    assert np.array_equal(staged[0], told[0])
    assert np.array_equal(staged[-1], predicted)
    assert list(model.staged_score(data))[-1] == model.score(data)


def test_medians_are_scikit_learns():
    data = load_diabetes()
    other = theirs.AdaBoostRegressor(n_estimators=15, random_state=0).fit(data.records, data.targets)
    model = AdaBoostRegressor(n_estimators=15).fit(data.records, data.targets)
    model.estimators_, model.estimator_weights_ = other.estimators_, other.estimator_weights_
    model._trees = None
    assert np.array_equal(model.predict(data.records), other.predict(data.records))


def test_it_learns_as_well_as_scikit_learns():
    data = load_diabetes()
    X, y, half = data.records, data.targets, np.arange(442) % 2 == 0
    scores = [
        [cls(random_state=s).fit(X[half], y[half]).score(X[~half], y[~half]) for s in range(8)]
        for cls in (AdaBoostRegressor, theirs.AdaBoostRegressor)
    ]
    spread = np.sqrt(sum(np.var(some) for some in scores) / 8)
    assert abs(np.mean(scores[0]) - np.mean(scores[1])) < 5 * spread


def test_trees_grow_on_what_was_drawn():
    X, y = np.arange(6.0)[:, None], np.arange(6.0)
    model = AdaBoostRegressor(DecisionTreeRegressor(), n_estimators=1, random_state=0).fit(X, y)
    tree = model.estimators_[0].tree_
    assert tree.n_node_samples[0] == 6  # with repetitions
    assert tree.weighted_n_node_samples[0] == 6
    assert set(tree.value[tree.children_left < 0].ravel()) <= set(y)


@pytest.mark.parametrize("criterion", ["absolute_error", "friedman_mse", "poisson"])
def test_other_criteria(criterion):
    data = load_diabetes()
    tree = DecisionTreeRegressor(max_depth=3, criterion=criterion)
    model = AdaBoostRegressor(tree, n_estimators=5, random_state=0).fit(data)
    assert model.score(data) > 0.4


def test_hopeless_model_is_kept_alone():
    # The mean of 0 and 1 drawn anyhow is off by at least a half on average, as a share of the greatest error.
    X, y = np.zeros((10, 1)), np.arange(10) % 2.0
    model = AdaBoostRegressor(Mean(), random_state=0).fit(X, y)
    assert len(model.estimators_) == 1
    assert model.estimator_weights_.tolist() == [0.0] * 50
    assert model.predict([[0.0]])[0] == model.estimators_[0].mean_


def test_perfect_model_ends_it():
    model = AdaBoostRegressor(Mean(), random_state=0).fit(np.zeros((5, 1)), np.full(5, 3.0))
    assert model.estimator_errors_[0] == 0.0
    assert len(model.estimators_) == 1
    assert model.predict([[1.0]]).tolist() == [3.0]


def test_models_of_scikit_learn():
    data = load_diabetes()
    model = AdaBoostRegressor(sklearn.linear_model.Ridge(), n_estimators=5, random_state=0).fit(data)
    assert model.score(data) > 0.4


def test_order_and_repetitions_make_no_difference():
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((60, 3)), rng.standard_normal(60), rng.integers(0, 3, 60)
    rows = np.repeat(np.arange(60), w)[::-1]
    a = AdaBoostRegressor(n_estimators=6, random_state=0).fit(X, y, w)
    b = AdaBoostRegressor(n_estimators=6, random_state=0).fit(X[rows], y[rows])
    assert a.estimator_errors_ == pytest.approx(b.estimator_errors_, rel=1e-10)


def test_columns_and_several_targets_are_refused():
    with pytest.raises(ValueError, match="1d array"):
        AdaBoostRegressor().fit(np.zeros((4, 1)), np.zeros((4, 2)))
