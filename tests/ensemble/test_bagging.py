"""Bags: what is drawn, what out-of-bag scores are, and that weights are repetitions."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import ensemble as theirs
from sklearn.datasets import load_diabetes, load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, mean_absolute_error
from sklearn.naive_bayes import GaussianNB as TheirNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from clinfa import Dataset, config_context
from clinfa.composing import ResidualChain
from clinfa.ensemble import BaggingClassifier, BaggingRegressor
from clinfa.naive_bayes import GaussianNB
from clinfa.neighbors import KNeighborsClassifier, KNeighborsRegressor
from clinfa.svm import LinearSVC

X, Y = load_iris(return_X_y=True)
DX, DY = load_diabetes(return_X_y=True)


def test_each_model_is_that_of_its_rows_and_columns():
    bag = BaggingClassifier(TheirNB(), 7, max_samples=0.5, max_features=3, random_state=0).fit(X, Y)
    for model, rows, columns in zip(
        bag.estimators_, bag.estimators_samples_, bag.estimators_features_, strict=True
    ):
        assert len(rows) == 75
        assert len(set(columns)) == 3
        alone = TheirNB().fit(X[np.ix_(rows, columns)], Y[rows])
        np.testing.assert_allclose(model.theta_, alone.theta_, rtol=1e-12)
    each = [m.predict_proba(X[:, c]) for m, c in zip(bag.estimators_, bag.estimators_features_, strict=True)]
    np.testing.assert_allclose(bag.predict_proba(X), np.mean(each, axis=0), rtol=1e-12)


def test_models_that_take_no_weights_get_rows_again():
    bag = BaggingRegressor(KNeighborsRegressor(3), 4, random_state=1).fit(DX, DY)
    for model, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        assert len(rows) == len(DY)
        assert len(np.unique(rows)) < len(DY)
        np.testing.assert_array_equal(
            model.predict(DX), KNeighborsRegressor(3).fit(DX[rows], DY[rows]).predict(DX)
        )


def test_pipeline_may_fill_gaps():
    gaps = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    bag = BaggingClassifier(
        make_pipeline(SimpleImputer(), LogisticRegression(max_iter=1000)), 5, random_state=0
    )
    assert bag.fit(gaps, Y).score(gaps, Y) > 0.8
    with pytest.raises(ValueError, match="NaN"):
        BaggingClassifier(LogisticRegression()).fit(gaps, Y)


def test_rows_are_drawn_evenly():
    n, count = 40, 2000
    bag = BaggingClassifier(GaussianNB(), count, random_state=3).fit(
        np.arange(n)[:, None] * 1.0, np.arange(n) % 2
    )
    counts = sum(np.bincount(rows, minlength=n) for rows in bag.estimators_samples_)
    # Binomial: a standard deviation is below sqrt(2000); five of them happen once in a million.
    assert np.abs(counts - count).max() < 5 * np.sqrt(count)


def test_without_repetitions():
    bag = BaggingClassifier(GaussianNB(), 5, max_samples=60, bootstrap=False, random_state=0).fit(X, Y)
    assert [len(set(rows)) for rows in bag.estimators_samples_] == [60] * 5
    again = BaggingClassifier(GaussianNB(), 5, bootstrap=False, bootstrap_features=True, random_state=0).fit(
        X, Y
    )
    assert [len(set(rows)) for rows in again.estimators_samples_] == [150] * 5
    assert min(len(set(columns)) for columns in again.estimators_features_) < 4


@pytest.mark.parametrize("bootstrap", [True, False])
@pytest.mark.parametrize("max_samples", [None, 0.7, 90])
def test_whole_weights_are_repetitions(bootstrap, max_samples):
    rng = np.random.RandomState(0)
    w = rng.randint(0, 4, len(DY))
    rows = rng.permutation(np.repeat(np.arange(len(DY)), w))
    how = {"max_samples": max_samples, "bootstrap": bootstrap, "random_state": 0}
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    weighted = BaggingRegressor(tree, 5, **how).fit(DX, DY, sample_weight=w)
    repeated = BaggingRegressor(tree, 5, **how).fit(DX[rows], DY[rows])
    np.testing.assert_allclose(weighted.predict(DX), repeated.predict(DX), rtol=1e-9)


def test_other_weights_say_how_likely_a_row_is():
    w = np.where(np.arange(150) < 15, 9.5, 0.5)
    bag = BaggingClassifier(GaussianNB(), 300, random_state=0).fit(X, Y, sample_weight=w)
    share = np.mean([(rows < 15).mean() for rows in bag.estimators_samples_])
    assert share == pytest.approx(142.5 / 210, abs=0.02)
    kept = BaggingClassifier(TheirNB(), 2, bootstrap=False, random_state=0).fit(X, Y, sample_weight=w)
    np.testing.assert_allclose(
        kept.estimators_[0].theta_, TheirNB().fit(X, Y, sample_weight=w).theta_, rtol=1e-12
    )
    with pytest.raises(TypeError, match="takes no sample_weight"):
        BaggingClassifier(KNeighborsClassifier(), bootstrap=False).fit(X, Y, sample_weight=w)


def test_out_of_bag_classes():
    bag = BaggingClassifier(TheirNB(), 30, oob_score=True, random_state=0).fit(X, Y)
    total = np.zeros((150, 3))
    for model, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        rest = np.setdiff1d(np.arange(150), rows)
        total[rest] += model.predict_proba(X[rest])
    np.testing.assert_allclose(
        bag.oob_decision_function_, total / total.sum(axis=1, keepdims=True), rtol=1e-12
    )
    assert bag.oob_score_ == accuracy_score(Y, total.argmax(axis=1))
    named = BaggingClassifier(TheirNB(), 30, oob_score=accuracy_score, random_state=0)
    assert named.fit(X, np.array(["a", "b", "c"])[Y]).oob_score_ == bag.oob_score_


def test_out_of_bag_values():
    bag = BaggingRegressor(LinearRegression(), 30, oob_score=True, random_state=0).fit(DX, DY)
    reference = theirs.BaggingRegressor(LinearRegression(), 30, oob_score=True, random_state=0).fit(DX, DY)
    assert bag.oob_score_ == pytest.approx(reference.oob_score_, abs=0.02)
    own = BaggingRegressor(LinearRegression(), 30, oob_score=mean_absolute_error, random_state=0).fit(DX, DY)
    assert own.oob_score_ == mean_absolute_error(DY, bag.oob_prediction_)
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        BaggingRegressor(LinearRegression(), 1, oob_score=True, random_state=0).fit(DX, DY)


def test_warm_start_adds():
    whole = BaggingClassifier(TheirNB(), 8, random_state=0).fit(X, Y)
    grown = BaggingClassifier(TheirNB(), 3, warm_start=True, random_state=0).fit(X, Y)
    first = list(grown.estimators_)
    grown.set_params(n_estimators=8).fit(X, Y)
    assert grown.estimators_[:3] == first
    np.testing.assert_array_equal(grown.predict_proba(X), whole.predict_proba(X))
    for ours, theirs_ in zip(grown.estimators_samples_, whole.estimators_samples_, strict=True):
        np.testing.assert_array_equal(ours, theirs_)
    with pytest.warns(UserWarning, match="does not fit new trees"):
        grown.fit(X, Y)
    with pytest.raises(ValueError, match="larger or equal"):
        grown.set_params(n_estimators=2).fit(X, Y)
    with pytest.raises(ValueError, match="classes"):
        grown.set_params(n_estimators=9).fit(X[:100], Y[:100])
    with pytest.raises(ValueError, match="features"):
        grown.fit(X[:, :2], Y)


def test_decision_functions_are_averaged():
    bag = BaggingClassifier(LinearSVC(), 3, random_state=0).fit(X, Y)
    mean = np.mean([model.decision_function(X) for model in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.decision_function(X), mean, rtol=1e-12)
    votes = np.mean([np.eye(3)[model.predict(X)] for model in bag.estimators_], axis=0)
    np.testing.assert_allclose(bag.predict_proba(X), votes, rtol=1e-12)
    assert not hasattr(BaggingClassifier(GaussianNB()).fit(X, Y), "decision_function")


def test_classes_that_a_bag_has_not_met():
    y = np.r_[np.zeros(30, int), np.ones(30, int), 2]
    records = y[:, None] * 3.0 + np.random.RandomState(0).standard_normal((61, 2))
    bag = BaggingClassifier(TheirNB(), 20, max_samples=0.3, random_state=0).fit(records, y)
    assert {len(model.classes_) for model in bag.estimators_} == {2, 3}
    np.testing.assert_allclose(bag.predict_proba(records).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(np.exp(bag.predict_log_proba(records)).sum(axis=1) <= 1 + 1e-12, True)


def test_every_model_has_a_seed_of_its_own():
    pipe = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_features=1))
    one, two = (BaggingClassifier(pipe, 5, random_state=0).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    seeds = [model[-1].random_state for model in one.estimators_]
    assert len(set(seeds)) == 5
    assert pipe[-1].random_state is None


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_same_bits_on_any_number_of_threads(threads):
    big, y = np.tile(X, (80, 1)), np.tile(Y, 80)
    with config_context(n_threads=threads):
        bag = BaggingClassifier(GaussianNB(), 25, oob_score=True, max_features=0.5, random_state=0).fit(
            big, y
        )
        out = bag.predict_proba(big)
    alone = BaggingClassifier(
        GaussianNB(), 25, oob_score=True, max_features=0.5, random_state=0, n_jobs=1
    ).fit(big, y)
    assert out.tobytes() == alone.predict_proba(big).tobytes()
    assert bag.oob_decision_function_.tobytes() == alone.oob_decision_function_.tobytes()


def test_sparse_records_gaps_and_datasets():
    near = BaggingClassifier(KNeighborsClassifier(), 3, max_features=0.5, random_state=0)
    dense = near.fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(near.fit(sp.csr_array(X), Y).predict_proba(sp.csr_array(X)), dense, rtol=1e-9)
    gaps = X.copy()
    gaps[::7, 1] = np.nan
    trees = BaggingClassifier(DecisionTreeClassifier(), 5, random_state=0)
    assert trees.fit(gaps, Y).score(gaps, Y) > 0.95
    with pytest.raises(ValueError, match="NaN"):
        BaggingClassifier(GaussianNB(), max_features=1).fit(gaps, Y)
    out = near.fit(Dataset(X, Y, feature_names=list("abcd"))).predict(Dataset(X))
    assert isinstance(out, Dataset)
    assert near.feature_names_in_.tolist() == list("abcd")


def test_recipes():
    chain = ResidualChain(LinearRegression(), KNeighborsRegressor(9), nu=0.5)
    assert BaggingRegressor(chain, 4, random_state=0).fit(DX, DY).score(DX, DY) > 0.5
    recipe = KNeighborsRegressor.params(n_neighbors=9)
    assert BaggingRegressor(recipe, 4, random_state=0).fit(DX, np.stack([DY, DY], axis=1)).predict(
        DX
    ).shape == (442, 2)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"max_features": 9}, "max_features must be <= n_features"),
        ({"max_samples": 151, "bootstrap": False}, "Effective max_samples=151"),
        ({"max_samples": 10**9}, "max_samples must be <= 1000"),
        ({"oob_score": True, "bootstrap": False}, "Out of bag estimation only available"),
        ({"oob_score": True, "warm_start": True}, "warm_start=False"),
        ({"max_samples": 1.5}, "max_samples"),
        ({"max_features": 0}, "max_features"),
        ({"estimator": LinearRegression()}, "must be a classifier"),
    ],
)
def test_what_is_refused(how, words):
    with pytest.raises(ValueError, match=words):
        BaggingClassifier(**{"estimator": LogisticRegression()} | how).fit(X, Y)
