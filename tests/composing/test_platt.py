"""Platt: the optimum is certified by its gradient; weights are counts; extreme scores; parity."""

import pickle

import numpy as np
import pytest
from sklearn.calibration import _SigmoidCalibration
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVC

from clinfa import Dataset, Pr
from clinfa.composing import Platt, PlattModel
from clinfa.datasets import load_breast_cancer
from clinfa.errors import InvalidParameterError, NotFittedError
from clinfa.naive_bayes import GaussianNB


def problem(n=400, slope=1.5, offset=0.3, seed=0):
    rng = np.random.default_rng(seed)
    f = rng.standard_normal(n) * 2
    return f, rng.random(n) < 1 / (1 + np.exp(-slope * f - offset))


def gradient(model, f, y, w=None):
    """Of the cross-entropy with Platt's targets, in a and b."""
    w = np.ones(len(f)) if w is None else w
    many, few = w[y].sum(), w[~y].sum()
    target = np.where(y, (many + 1) / (many + 2), 1 / (few + 2))
    p = 1 / (1 + np.exp(model.a * f + model.b))
    return np.array([(w * (target - p)) @ f, (w * (target - p)).sum()])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_vanishes(seed, weighted):
    f, y = problem(seed=seed)
    w = np.random.default_rng(seed).uniform(0, 3, len(f)) if weighted else None
    model = Platt().fit(f, y, w)
    assert (
        np.abs(gradient(model, f, y, w)).max() < 1e-4
    )  # 1e-5 for scores that are at most 1: these are up to 8
    assert model.a == pytest.approx(-1.5, rel=0.35)


def test_by_symmetry():
    """As many of either, mirrored: b = 0, and at the two scores the targets 3/4 and 1/4 are met exactly."""
    model = Platt().fit([-1.0, -1.0, 1.0, 1.0], [0, 0, 1, 1])
    assert model.b == pytest.approx(0, abs=1e-9)
    assert model.a == pytest.approx(-np.log(3), rel=1e-5)
    np.testing.assert_allclose(model.predict_proba([1.0, -1.0]), [[0.25, 0.75], [0.75, 0.25]], rtol=1e-5)


def test_scores_that_say_nothing():
    """Equal scores: the curve is flat at the mean target, here (1/3 + 3 * 4/5) / 4."""
    model = Platt().fit(np.zeros(4), [False, True, True, True])
    np.testing.assert_allclose(model.predict_proba([0.0])[0, 1], (1 / 3 + 12 / 5) / 4, rtol=1e-6)


def test_weight_two_is_two_records():
    f, y = problem()
    counts = np.random.default_rng(1).integers(0, 4, len(f))
    weighted = Platt().fit(f, y, counts)
    repeated = Platt().fit(np.repeat(f, counts), np.repeat(y, counts))
    assert (weighted.a, weighted.b) == pytest.approx((repeated.a, repeated.b), rel=1e-9)


@pytest.mark.parametrize("exponent", [-1000, -300, 20, 300, 1000])
def test_the_size_of_scores_says_nothing(exponent):
    f, y = problem()
    model, plain = Platt().fit(np.ldexp(f, exponent), y), Platt().fit(f, y)
    assert (np.ldexp(model.a, exponent), model.b) == (plain.a, plain.b)
    np.testing.assert_array_equal(model.predict_proba(np.ldexp(f, exponent)), plain.predict_proba(f))


def test_probabilities_of_any_score():
    model = PlattModel(-2.0, 0.5, np.array(["no", "yes"]))
    P = model.predict_proba([-1e308, -350.0, 0.0, 350.0, 1e308])
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    assert P[0].tolist() == [1, 0]
    assert P[4].tolist() == [0, 1]
    np.testing.assert_allclose(P[1, 1], np.exp(-700.5), rtol=1e-12)  # small ones keep their digits
    assert model.predict([-1.0, 0.0, 1.0, 0.25]).tolist() == ["no", "no", "yes", "no"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_parity(seed, weighted):
    f, y = problem(seed=seed)
    w = np.random.default_rng(seed).uniform(0, 3, len(f)) if weighted else None
    ours, theirs = Platt().fit(f, y, w), _SigmoidCalibration().fit(f, y, w)
    # Theirs stops where the loss falls by less than 64 eps: half of the digits of a and b.
    assert (ours.a, ours.b) == pytest.approx((theirs.a_, theirs.b_), rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(ours.predict_proba(f)[:, 1], theirs.predict(f), rtol=1e-4)


def test_separable():
    """Platt's targets keep the slope finite."""
    f = np.r_[np.linspace(-3, -1, 50), np.linspace(1, 3, 50)]
    model = Platt().fit(f, f > 0)
    assert np.abs(gradient(model, f, f > 0)).max() < 1e-4
    assert model.predict(f).tolist() == (f > 0).tolist()


def test_too_few_iterations():
    f, y = problem()
    with pytest.warns(ConvergenceWarning, match=r"Platt did not converge in max_iter=1 .*gradient") as seen:
        Platt(max_iter=1).fit(f, y)
    assert seen[0].filename == __file__


def test_a_line_search_without_success():
    f, y = problem()
    with pytest.warns(ConvergenceWarning, match="line search of Platt") as seen:
        Platt(min_step=2.0).fit(f, y)  # not even the whole step may be tried
    assert seen[0].filename == __file__


class TestModels:
    data = load_breast_cancer()

    def test_over_a_support_vector_machine(self):
        X, y = np.asarray(self.data.records) / 100, np.asarray(self.data.targets)
        machine = LinearSVC(dual=False).fit(X[:300], y[:300])
        model = Platt().fit_with(machine, X[300:], y[300:])
        alone = Platt().fit(machine.decision_function(X[300:]), y[300:])
        assert (model.a, model.b) == (alone.a, alone.b)
        assert model.model is machine
        assert model.classes_.tolist() == [0, 1]
        np.testing.assert_array_equal(
            model.predict_proba(X), alone.predict_proba(machine.decision_function(X))
        )
        assert np.mean(model.predict(X) == y) > 0.9

    @pytest.mark.parametrize("recipe", [GaussianNB(), LinearRegression()])
    def test_on_datasets(self, recipe):
        data = Dataset(self.data.records, np.asarray(self.data.targets) == 1, np.arange(1.0, 570.0))
        inner = recipe.fit(data.records, data.targets * 1)
        model = Platt().fit_with(inner, data)
        f = (
            inner.predict_proba(data.records)[:, 1]
            if hasattr(inner, "predict_proba")
            else inner.predict(data.records)
        )
        alone = Platt().fit(f, data.targets, data.weights)
        assert (model.a, model.b) == (alone.a, alone.b)
        out = model.predict_proba(data)
        assert isinstance(out.targets, Pr)
        assert out.target_names == ["False", "True"]
        np.testing.assert_array_equal(out.targets, alone.predict_proba(f))
        assert model.predict(data).targets.tolist() == model.predict(data.records).tolist()
        assert model.predict(data).weights.tolist() == data.weights.tolist()

    def test_pickles(self):
        model = Platt().fit_with(GaussianNB().fit([[0.0], [1.0]], [0, 1]), [[0.0], [1.0]], [0, 1])
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict_proba([[0.3]]), model.predict_proba([[0.3]]))


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"max_iter": 0}, "'max_iter' parameter of Platt"),
        ({"min_step": 0}, "'min_step' parameter of Platt"),
        ({"sigma": -1.0}, "'sigma' parameter of Platt"),
    ],
)
def test_parameters_are_checked(how, text):
    with pytest.raises(InvalidParameterError, match=text):
        Platt(**how).fit([0.0, 1.0], [0, 1])


def test_a_recipe_does_not_change():
    recipe = Platt(max_iter=7)
    with pytest.raises(AttributeError):
        recipe.max_iter = 8
    assert recipe.replace(sigma=0.0) == Platt(max_iter=7, sigma=0.0)
    assert repr(recipe) == "Platt(max_iter=7, min_step=1e-10, sigma=1e-12)"


@pytest.mark.parametrize(
    ("scores", "y", "w", "text"),
    [
        ([0.0, 1.0], [1, 1], None, r"two classes, got 1"),
        ([0.0, 1.0, 2.0], [1, 2, 3], None, r"two classes, got 3"),
        ([0.0, 1.0], [0, 1, 1], None, "inconsistent numbers"),
        ([0.0, np.nan], [0, 1], None, "scores contains NaN"),
        ([[0.0, 1.0]] * 2, [0, 1], None, "one number for each record"),
        ([], [], None, "one number for each record"),
        ([0.0, 1.0], [0, 1], [1.0, -1.0], "Negative values"),
        ([0.0, 1.0], [0.5, 1.0], None, "Unknown label type"),
    ],
)
def test_refused(scores, y, w, text):
    with pytest.raises(ValueError, match=text):
        Platt().fit(scores, y, w)


def test_refused_models():
    with pytest.raises(NotFittedError, match="model is not fitted yet"):
        Platt().fit_with(GaussianNB(), [[0.0], [1.0]], [0, 1])
    with pytest.raises(TypeError, match="model must be a fitted model"):
        Platt().fit_with(3, [[0.0], [1.0]], [0, 1])
    three = GaussianNB().fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    with pytest.raises(ValueError, match="tell two classes apart"):
        Platt().fit_with(three, [[0.0], [1.0]], [0, 1])
