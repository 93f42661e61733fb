"""Permutation importance: by hand, invariants, every kind of score, agreement with scikit-learn."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.inspection import permutation_importance as theirs
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from clinfa import Dataset, config_context
from clinfa.cluster import KMeans
from clinfa.inspection import permutation_importance
from clinfa.inspection._scoring import _NAMED, Scoring
from clinfa.naive_bayes import GaussianNB

X, Y = load_iris(return_X_y=True)
DX, DY = load_diabetes(return_X_y=True)


class First:
    """Predicts the first column."""

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]

    def score(self, X, y, sample_weight=None):
        return -float(np.average((self.predict(X) - y) ** 2, weights=sample_weight))


def test_two_rows_by_hand():
    """Shuffling two rows changes nothing, or swaps them: then the mean squared error is 1, not 0."""
    found = permutation_importance(
        First(), [[0.0, 5.0], [1.0, 6.0]], [0.0, 1.0], n_repeats=50, random_state=0
    )
    assert set(found.importances[0]) == {0.0, 1.0}
    assert found.importances[1].tolist() == [0.0] * 50
    assert found.importances_mean[0] == found.importances[0].mean()
    assert found.importances_std[0] == found.importances[0].std()
    assert found.feature_names == ["x0", "x1"]


def test_weights_are_those_of_the_score():
    found = permutation_importance(
        First(), [[0.0], [1.0], [5.0]], [0.0, 1.0, 5.0], sample_weight=[1, 1, 0], n_repeats=60, random_state=0
    )
    # Only the first two count: each is off by 0, 1, 4 or 5.
    assert set(found.importances[0]) <= {(a**2 + b**2) / 2 for a in (0, 1, 5) for b in (0, 1, 4)}


def test_expected_fall_of_a_linear_model():
    """Of least squares, shuffling column j costs 2 c_j^2 var(x_j) on average."""
    model = LinearRegression().fit(DX, DY)
    found = permutation_importance(
        model, DX, DY, scoring="neg_mean_squared_error", n_repeats=200, random_state=0
    )
    expected = 2 * model.coef_**2 * DX.var(axis=0)
    error = found.importances_std / np.sqrt(200)
    # (The residuals are orthogonal to every column, so there is no other term.)
    assert (np.abs(found.importances_mean - expected) < 5 * error + 1e-9).all()


@pytest.mark.parametrize("model", [LogisticRegression(max_iter=500), GaussianNB()], ids=["theirs", "ours"])
def test_about_as_scikit_learn(model):
    model.fit(X, Y)
    ours = permutation_importance(model, X, Y, n_repeats=100, random_state=0)
    reference = theirs(model, X, Y, n_repeats=100, random_state=0)
    error = np.hypot(ours.importances_std, reference.importances_std) / 10
    assert (np.abs(ours.importances_mean - reference.importances_mean) < 5 * error + 1e-9).all()


def test_the_same_bits_on_any_number_of_threads():
    model, seen = GaussianNB().fit(X, Y), set()
    big, y = np.tile(X, (60, 1)), np.tile(Y, 60)
    for threads in (1, 2, 5):
        with config_context(n_threads=threads):
            seen.add(permutation_importance(model, big, y, random_state=0).importances.tobytes())
    seen.add(permutation_importance(model, big, y, random_state=0, n_jobs=1).importances.tobytes())
    assert len(seen) == 1


POSITIVE = ("deviance", "log_error")  # endings of scores whose targets and predictions must be above zero
UNWEIGHTED = ("ovo", "ovo_weighted", "max_error", "rand_score", "mutual_info_score", "info_score")
UNWEIGHTED += ("completeness_score", "homogeneity_score", "v_measure_score", "mallows_score")
SEVERAL = ("macro", "micro", "weighted", "ovo", "ovr", "top_k_accuracy", "accuracy")


@pytest.mark.parametrize("name", sorted(_NAMED))
def test_named_scores_are_scikit_learns(name):
    records, y = X, Y
    if name.endswith((*POSITIVE, "error", "r2", "explained_variance", "d2_absolute_error_score")):
        model = LinearRegression()
        y = Y + 1.0
    elif name.endswith("samples"):
        model = MultiLabels()
        y = np.stack([Y >= 0, Y > 1], axis=1).astype(int)
    else:
        model = LogisticRegression(max_iter=500)
        records, y = X[:, :2], Y if name.endswith(SEVERAL) else Y > 0
    model.fit(records, y)
    w = None if name.endswith(UNWEIGHTED) else np.linspace(0.5, 1, 150)
    expected = get_scorer(name)(model, records, y, **({} if w is None else {"sample_weight": w}))
    assert Scoring(model, name)(records, y, w)[""] == pytest.approx(expected, rel=1e-12)


class MultiLabels(ClassifierMixin, BaseEstimator):
    classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.stack([X[:, 2] > 0, X[:, 3] > 1], axis=1).astype(int)


def test_every_name_of_scikit_learn_is_known():
    assert set(get_scorer_names()) - set(_NAMED) == {
        "neg_negative_likelihood_ratio",
        "positive_likelihood_ratio",
    }


def test_several_scores():
    model = GaussianNB().fit(X, Y)
    alone = permutation_importance(model, X, Y, scoring="accuracy", random_state=0)
    listed = permutation_importance(model, X, Y, scoring=["accuracy", "neg_log_loss"], random_state=0)
    assert list(listed) == ["accuracy", "neg_log_loss"]

    def accuracy(model, X, y):
        return float((model.predict(X) == y).mean())

    for found in (
        listed["accuracy"],
        permutation_importance(model, X, Y, random_state=0),
        permutation_importance(model, X, Y, scoring=accuracy, random_state=0),
        permutation_importance(model, X, Y, scoring=get_scorer("accuracy"), random_state=0),
        permutation_importance(model, X, Y, scoring={"mine": accuracy}, random_state=0)["mine"],
        permutation_importance(model, X, Y, scoring=lambda *a: {"a": accuracy(*a)}, random_state=0)["a"],
    ):
        np.testing.assert_allclose(found.importances, alone.importances, atol=1e-15)


def test_containers():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = GaussianNB().fit(frame, Y)
    plain = permutation_importance(GaussianNB().fit(X, Y), X, Y, random_state=0)
    data = Dataset(X, Y, feature_names=list("abcd"))
    for found in (
        permutation_importance(model, frame, Y, random_state=0),
        permutation_importance(model, data, random_state=0),
        permutation_importance(model, pl.DataFrame(frame), Y.tolist(), random_state=0),
    ):
        np.testing.assert_array_equal(found.importances, plain.importances)
    assert permutation_importance(model, data, random_state=0).feature_names == list("abcd")


def test_words_in_a_frame():
    frame = pd.DataFrame({"kind": np.array(["u", "v", "w"])[Y], "size": X[:, 0]})
    before = frame.copy()
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["kind"])), LogisticRegression()).fit(
        frame, Y
    )
    found = permutation_importance(model, frame, Y, random_state=0)
    assert found.importances_mean[0] > 0.5
    assert found.importances_mean[1] == 0
    pd.testing.assert_frame_equal(frame, before)


def test_some_rows_only():
    model, seen = GaussianNB().fit(X, Y), []

    def count(model, X, y):
        seen.append(len(X))
        return 0.0

    permutation_importance(model, X, Y, scoring=count, max_samples=0.3, n_repeats=2)
    permutation_importance(model, X, Y, scoring=count, max_samples=7, n_repeats=1)
    assert set(seen) == {45, 7}


def test_models_without_targets():
    model = KMeans(3, random_state=0).fit(X)
    assert permutation_importance(model, X, random_state=0).importances_mean.min() > 0


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"scoring": "acuracy"}, "Did you mean 'accuracy'"),
        ({"scoring": ["accuracy", "accuracy"]}, "each name once"),
        ({"scoring": []}, "one score at least"),
        ({"scoring": [len]}, "names only"),
        ({"n_repeats": 0}, "n_repeats"),
        ({"max_samples": 151}, "max_samples"),
        ({"max_samples": 0.0}, "max_samples"),
        ({"sample_weight": [1.0]}, "sample_weight"),
    ],
)
def test_what_is_refused(how, words):
    with pytest.raises(ValueError, match=words):
        permutation_importance(GaussianNB().fit(X, Y), X, Y, **how)


def test_what_has_no_score():
    class Bare:
        def predict(self, X):
            return X

    with pytest.raises(TypeError, match="'score' method"):
        permutation_importance(Bare(), X, Y)
