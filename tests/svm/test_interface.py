"""Datasets, recipes, one against all, probabilities; the same bits on any number of threads."""

import logging
import pickle

import numpy as np
import pytest
import sklearn.svm as theirs
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss

import clinfa
from clinfa import Dataset, Pr
from clinfa.composing import MultiClassModel
from clinfa.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from clinfa.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from tests.svm.certificates import MACHINES, NAMES, data, dense, fitted

IRIS = load_iris()
X, Y = np.asarray(IRIS.records), np.asarray(IRIS.targets)


# Datasets and recipes


@pytest.mark.parametrize("cls", [SVC, NuSVC])
def test_a_dataset_goes_in_and_comes_out(cls):
    weights = np.arange(1.0, 151)
    flowers = Dataset(X, Y, weights, target_names=["kind"])
    how = {"nu": 0.1} if cls is NuSVC else {"C": 10.0}
    model = cls.params(**how).fit(flowers)
    plain = cls(**how).fit(X, Y, sample_weight=weights)
    assert np.array_equal(model.dual_coef_, plain.dual_coef_)
    out = model.predict(flowers)
    assert isinstance(out, Dataset)
    assert np.array_equal(out.targets, plain.predict(X))
    assert out.target_names == ["kind"]
    assert np.array_equal(out.weights, weights)
    assert out.confusion_matrix(flowers).accuracy() > 0.95
    decisions = model.decision_function(flowers)
    assert np.array_equal(decisions.targets, plain.decision_function(X))
    assert model.score(flowers) == pytest.approx(plain.score(X, Y, sample_weight=weights), rel=1e-12)


@pytest.mark.parametrize("cls", [SVR, NuSVR])
def test_numbers_in_a_dataset(cls):
    table = load_diabetes()
    model = cls.params(C=100.0).fit(table)
    out = model.predict(table)
    assert np.array_equal(out.targets, model.predict(np.asarray(table.records)))
    assert out.r2(table) == pytest.approx(model.score(table), rel=1e-12)
    assert model.score(table) > 0.4


def test_novelty_needs_no_targets():
    table = Dataset(X)
    model = OneClassSVM.params(nu=0.1).fit(table)
    for name in ("predict", "decision_function", "score_samples"):
        out = getattr(model, name)(table)
        assert isinstance(out, Dataset)
        assert np.array_equal(out.targets, getattr(model, name)(X))


@pytest.mark.parametrize("name", NAMES)
def test_recipes(name):
    """A recipe is immutable, and each fit of it a new model that knows nothing of the others."""
    recipe = MACHINES[name].params(kernel="linear")
    records, y = data(name, 40)
    table = Dataset(records) if y is None else Dataset(records, y)
    one, two = recipe.fit(table), recipe.fit(table)
    assert one is not two
    assert type(one) is MACHINES[name]
    assert np.array_equal(one.dual_coef_, two.dual_coef_)
    wider = recipe.replace(kernel="rbf")
    assert (recipe.kernel, wider.kernel) == ("linear", "rbf")
    assert wider.fit(table).get_params()["kernel"] == "rbf"


# The deck's table of targets: what they are picks the problem


def test_bool_targets():
    table = Dataset(X, Y == 1)
    model = SVC.params(C=10.0).fit(table)
    assert model.classes_.tolist() == [False, True]
    assert model.predict(table).targets.dtype == bool
    assert (model.decision_function(X) > 0).tolist() == model.predict(X).tolist()
    assert not hasattr(model, "predict_proba")


def test_words():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    model = SVC().fit(Dataset(X, names))
    assert model.predict(X[:1]).tolist() == ["setosa"]
    assert np.array_equal(SVC().fit(X, Y).dual_coef_, model.dual_coef_)


def test_probabilities_as_targets():
    """A record counts for both classes with its share: as if it stood there twice, with weights."""
    p = np.clip(0.5 + 0.4 * np.sin(3 * X[:, 0]), 0, 1)
    p[:5], p[5:10] = 0, 1
    model = SVC.params(gamma=0.5).fit(Dataset(X, Pr(p)))
    twice = SVC(gamma=0.5, probability=True).fit(
        np.concatenate([X, X]),
        np.repeat([False, True], 150),
        sample_weight=np.concatenate([1 - p, p]),
    )
    np.testing.assert_allclose(model.decision_function(X), twice.decision_function(X), atol=1e-10)
    np.testing.assert_allclose(model.predict_proba(X), twice.predict_proba(X), atol=1e-10)
    assert model.classes_.tolist() == [False, True]
    assert model.shape_fit_ == (150, 4)
    assert model.support_.max() < 150
    out = model.predict_proba(Dataset(X)).targets
    assert isinstance(out, Pr)
    assert np.corrcoef(out[:, 1], p)[0, 1] > 0.7
    # Sure ones are labels.
    sure, labels = SVC().fit(Dataset(X, Pr((Y == 1).astype(float)))), SVC().fit(X, Y == 1)
    assert np.array_equal(sure.decision_function(X), labels.decision_function(X))


def test_probabilities_of_several_classes_as_targets():
    P = np.full((150, 3), 0.1)
    P[np.arange(150), Y] = 0.8
    model = SVC(gamma=0.5).fit(X, Pr(P))
    assert model.classes_.tolist() == [0, 1, 2]
    assert (model.predict(X) == Y).mean() > 0.95
    assert model.predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match="need records, not a precomputed kernel"):
        SVC(kernel="precomputed").fit(X @ X.T, Pr(P))


# One against all


@pytest.mark.parametrize(
    "recipe",
    [
        SVC.params(C=10.0),
        SVC.params(C=10.0, probability=True, random_state=0),
        NuSVC.params(nu=0.1),
        SVC.params(kernel="linear", class_weight="balanced"),
    ],
    ids=repr,
)
def test_one_against_all(recipe):
    """The deck's sample: a machine for each label against the rest, put together again."""
    model = MultiClassModel((recipe.fit(part), label) for part, label in IRIS.one_vs_all())
    assert model.classes_.tolist() == [0, 1, 2]
    prediction = model.predict(IRIS)
    how = "predict_proba" if recipe.probability else "decision_function"
    scores = model.decision_function(X)
    assert np.array_equal(prediction.targets, scores.argmax(axis=1))
    for k, one in enumerate(model.models):
        own = getattr(one, how)(X)
        np.testing.assert_array_equal(scores[:, k], own[:, 1] if own.ndim == 2 else own)
    if recipe.kernel != "linear":
        assert prediction.confusion_matrix(IRIS).accuracy() > 0.95
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X), prediction.targets)


# Probabilities


class TestProbabilities:
    @pytest.mark.parametrize("name", ["SVC", "NuSVC"])
    def test_of_two_classes(self, name):
        records, y = data(name, 300)
        model = fitted(name, records, y, probability=True, gamma=0.5, random_state=1)
        f, P = model.decision_function(records), model.predict_proba(records)
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-14)
        np.testing.assert_allclose(np.log(P), model.predict_log_proba(records), rtol=1e-12)
        # A logistic curve of the function, rising for the second class.
        odds = np.log(P[:, 1] / P[:, 0])
        slope, at = np.polyfit(f, odds, 1)
        np.testing.assert_allclose(odds, slope * f + at, rtol=0, atol=1e-10)
        assert slope > 0
        assert model.probA_[0] == pytest.approx(-slope)
        assert abs(model.probB_[0]) == pytest.approx(abs(at))
        # They change nothing else, and depend on the folds.
        plain = fitted(name, records, y, gamma=0.5)
        assert np.array_equal(plain.dual_coef_, model.dual_coef_)
        assert plain.probA_.shape == plain.probB_.shape == (0,)
        same = fitted(name, records, y, probability=True, gamma=0.5, random_state=1)
        other = fitted(name, records, y, probability=True, gamma=0.5, random_state=2)
        assert np.array_equal(same.predict_proba(records), P)
        assert not np.array_equal(other.predict_proba(records), P)

    def test_they_are_of_held_out_records(self):
        """Labels by chance and a kernel that learns them by heart: training scores would be sure of all."""
        rng = np.random.default_rng(0)
        records, y = rng.standard_normal((200, 5)), rng.integers(0, 2, 200)
        model = SVC(gamma=0.5, C=100.0, probability=True).fit(records, y)
        assert model.score(records, y) == 1
        assert np.abs(model.predict_proba(records) - 0.5).max() < 0.2

    def test_as_good_as_scikit_learns(self):
        table = load_breast_cancer()
        records, y = np.asarray(table.records), np.asarray(table.targets)
        records = (records - records.mean(axis=0)) / records.std(axis=0)
        here, there = np.arange(569) % 2 == 0, np.arange(569) % 2 == 1
        model = SVC(probability=True).fit(records[here], y[here])
        other = CalibratedClassifierCV(theirs.SVC(), ensemble=False).fit(records[here], y[here])
        ours, due = (log_loss(y[there], m.predict_proba(records[there])) for m in (model, other))
        assert ours < 1.1 * due

    @pytest.mark.parametrize("name", ["SVC", "NuSVC"])
    def test_of_several_classes(self, name):
        how = {"nu": 0.1} if name == "NuSVC" else {}
        model = fitted(name, X, Y, probability=True, **how)
        P = model.predict_proba(X)
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
        assert (P >= 0).all()
        assert model.probA_.shape == model.probB_.shape == (3,)
        assert (P.argmax(axis=1) == Y).mean() > 0.95
        out = model.predict_proba(IRIS)
        assert isinstance(out.targets, Pr)
        assert out.target_names == ["0", "1", "2"]

    def test_types(self):
        single = SVC(probability=True).fit(X.astype(np.float32), Y)
        assert single.predict_proba(X.astype(np.float32)).dtype == np.float32
        plain = SVC().fit(X.astype(np.float32), Y)
        for attribute in ("probA_", "probB_"):
            assert getattr(single, attribute).dtype == np.float32
            assert getattr(plain, attribute).dtype == np.float32

    def test_not_without_asking(self):
        model = SVC().fit(X, Y)
        for name in ("predict_proba", "predict_log_proba"):
            with pytest.raises(AttributeError, match="not available when probability=False"):
                getattr(model, name)


# Threads, progress


def everything(model, records):
    names = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    out = {name: dense(getattr(model, name)).tobytes() for name in names if name != "shape_fit_"}
    for how in ("predict", "decision_function", "score_samples"):
        if hasattr(model, how):
            out[how] = dense(getattr(model, how)(records)).tobytes()
    return out


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_on_any_number_of_threads(name):
    records, y = data(name, 1500)
    seen = []
    for count in (1, 2, 3, 8):
        with clinfa.config_context(n_threads=count):
            seen.append(everything(fitted(name, records, y, gamma=0.5), records))
    assert all(one == seen[0] for one in seen[1:])


@pytest.mark.parametrize("cls", [SVC, NuSVC])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairs_have_the_same_bits_on_any_number_of_threads(cls, dtype):
    """45 pairs, that run side by side."""
    table = load_digits()
    records, y = np.asarray(table.records, dtype)[:700], np.asarray(table.targets)[:700]
    seen = []
    for count in (1, 2, 3, 8):
        with clinfa.config_context(n_threads=count):
            model = cls(**({"nu": 0.1} if cls is NuSVC else {"probability": dtype is np.float64}))
            seen.append(everything(model.fit(records, y), records[:100]))
    assert all(one == seen[0] for one in seen[1:])


def test_progress_is_logged(caplog):
    records, y = data("SVC", 1500)
    with caplog.at_level(logging.INFO, logger="clinfa"):
        SVC(gamma=0.5).fit(records, y)
        assert not caplog.records
        SVC(gamma=0.5, verbose=True).fit(records, y)
    lines = [record.getMessage() for record in caplog.records]
    assert lines
    assert all(line.startswith("step ") and "gap" in line for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_a_fitted_model_does_not_hold_on_to_what_it_was_given(name):
    """Records that change later change nothing."""
    records, y = data(name, 60)
    for kernel in ("rbf", "linear", lambda A, B: A @ B.T):
        given = records.copy()
        model = fitted(name, given, y, kernel=kernel)
        before = model.predict(records)
        given[:] = 1e3
        assert np.array_equal(model.predict(records), before)
