"""GaussianNB: by hand, invariants, pieces, weights, degenerate classes, parity."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.naive_bayes import GaussianNB as Theirs

from clinfa import Dataset
from clinfa.naive_bayes import GaussianNB

X = np.array([[0.0, 1.0], [2.0, 1.0], [10.0, 5.0], [14.0, 9.0], [12.0, 7.0]])
Y = np.array(["a", "a", "b", "b", "b"])


def test_by_hand():
    model = GaussianNB(var_smoothing=0.5).fit(X, Y)
    assert model.class_count_.tolist() == [2, 3]
    assert model.class_prior_.tolist() == [0.4, 0.6]
    # Columns are (0, 2 | 10, 14, 12) and (1, 1 | 5, 9, 7); the first varies most: its mean is 7.6,
    # the squared deviations 57.76 + 31.36 + 5.76 + 40.96 + 19.36 = 155.2, the variance 31.04.
    assert model.epsilon_ == pytest.approx(15.52, rel=1e-14)
    assert model.theta_.tolist() == [[1, 1], [12, 7]]
    np.testing.assert_allclose(model.var_, np.array([[1, 0], [8 / 3, 8 / 3]]) + 15.52, rtol=1e-14)


def test_densities_by_hand():
    """One column, means 0 and 4, variance 1 each, priors 1/4 and 3/4."""
    records = np.array([[-1.0], [1.0], [3.0], [5.0], [3.0], [5.0], [3.0], [5.0]])
    model = GaussianNB(var_smoothing=0).fit(records, [0, 0, 1, 1, 1, 1, 1, 1])
    at = np.array([[0.0], [2.0], [4.0]])
    joint = np.log([0.25, 0.75]) - (at - [0, 4]) ** 2 / 2 - np.log(2 * np.pi) / 2
    np.testing.assert_allclose(model.predict_joint_log_proba(at), joint, rtol=1e-14)
    odds = np.exp(joint[:, 1] - joint[:, 0])
    np.testing.assert_allclose(model.predict_proba(at)[:, 1], odds / (1 + odds), rtol=1e-14)
    np.testing.assert_allclose(model.predict_log_proba(at)[:, 0], -np.log1p(odds), rtol=1e-14, atol=1e-15)
    assert model.predict(at).tolist() == [0, 1, 1]
    # Equally likely where x^2 / 2 = (x - 4)^2 / 2 - ln 3.
    np.testing.assert_allclose(model.predict_proba([[2 - np.log(3) / 4]]), [[0.5, 0.5]], rtol=1e-14)


def real(name):
    X, y = {"iris": load_iris, "wine": load_wine, "digits": load_digits, "cancer": load_breast_cancer}[name](
        return_X_y=True
    )
    return X, y


@pytest.mark.parametrize("name", ["iris", "wine", "digits", "cancer"])
@pytest.mark.parametrize("smoothing", [1e-9, 1e-2])
def test_parity(name, smoothing):
    X, y = real(name)
    ours, theirs = (cls(var_smoothing=smoothing).fit(X, y) for cls in (GaussianNB, Theirs))
    for attribute in ("class_count_", "class_prior_", "theta_", "epsilon_", "var_"):
        np.testing.assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol=1e-12)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    joint = theirs.predict_joint_log_proba(X)
    # Terms of either sign cancel: their size is what rounding is relative to.
    close = {"rtol": 1e-12, "atol": 1e-12 * np.abs(joint).max()}
    np.testing.assert_allclose(ours.predict_joint_log_proba(X), joint, **close)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), **close)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9, atol=1e-12)
    assert ours.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize("name", ["iris", "wine", "cancer"])
def test_parity_with_weights_and_priors(name):
    X, y = real(name)
    w = np.random.default_rng(0).uniform(0.1, 3, len(X))
    priors = np.arange(1, y.max() + 2) / np.arange(1, y.max() + 2).sum()
    # Without smoothing: scikit-learn takes it from the variance without weights.
    ours, theirs = (
        cls(priors=priors, var_smoothing=0).fit(X, y, sample_weight=w) for cls in (GaussianNB, Theirs)
    )
    for attribute in ("class_count_", "class_prior_", "theta_", "var_"):
        np.testing.assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol=1e-12)
    np.testing.assert_allclose(ours.predict_joint_log_proba(X), theirs.predict_joint_log_proba(X), rtol=1e-11)
    # (Rounding of the joint logarithms, some of them in the hundreds, is relative in the probabilities.)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["iris", "wine", "digits", "cancer"])
def test_single_precision(name):
    X, y = real(name)
    single, double = (
        GaussianNB().fit(X.astype(np.float32), y),
        GaussianNB().fit(X.astype(np.float32) * 1.0, y),
    )
    assert single.theta_.dtype == np.float32
    np.testing.assert_allclose(single.theta_, double.theta_, rtol=1e-6)
    np.testing.assert_allclose(single.var_, double.var_, rtol=1e-6)
    np.testing.assert_array_equal(single.predict(X.astype(np.float32)), double.predict(X.astype(np.float32)))


def test_a_weight_of_two_is_two_rows():
    X, y = real("wine")
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 4, len(X))
    weighted = GaussianNB().fit(X, y, sample_weight=counts)
    repeated = GaussianNB().fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    for attribute in ("class_count_", "class_prior_", "theta_", "epsilon_", "var_"):
        np.testing.assert_allclose(getattr(weighted, attribute), getattr(repeated, attribute), rtol=1e-12)


@pytest.mark.parametrize("weight", [5e-324, 1e-300, 1e300, np.finfo(float).max])
def test_the_size_of_all_weights_says_nothing(weight):
    model = GaussianNB().fit(X, Y, sample_weight=np.full(5, weight))
    plain = GaussianNB().fit(X, Y)
    np.testing.assert_allclose(model.theta_, plain.theta_, rtol=1e-14)
    np.testing.assert_allclose(model.predict_joint_log_proba(X), plain.predict_joint_log_proba(X), rtol=1e-12)


@pytest.mark.parametrize("cuts", [[1], [3, 4, 100], [50, 51, 120, 177]])
@pytest.mark.parametrize("weighted", [False, True])
def test_in_pieces_as_at_once(cuts, weighted):
    X, y = real("wine")
    order = np.random.default_rng(3).permutation(len(X))
    X, y = X[order], y[order]
    w = np.random.default_rng(4).uniform(0.1, 3, len(X)) if weighted else np.ones(len(X))
    whole = GaussianNB().fit(X, y, sample_weight=w)
    pieces = GaussianNB()
    for part in np.split(np.arange(len(X)), cuts):
        pieces.partial_fit(X[part], y[part], classes=[2, 0, 1], sample_weight=w[part])
    for attribute in ("class_count_", "class_prior_", "theta_", "epsilon_", "var_"):
        np.testing.assert_allclose(getattr(pieces, attribute), getattr(whole, attribute), rtol=1e-12)
    np.testing.assert_allclose(pieces.predict_proba(X), whole.predict_proba(X), rtol=1e-9, atol=1e-12)


def test_pieces_of_very_different_sizes():
    """Neither the scale nor the weights of what comes first bind what comes later."""
    rng = np.random.default_rng(0)
    small, large = rng.standard_normal((40, 2)) * 1e-200, rng.standard_normal((40, 2)) * 1e150
    y = np.arange(40) % 2
    model = GaussianNB().partial_fit(small, y, classes=[0, 1], sample_weight=np.full(40, 1e-100))
    model.partial_fit(large, y, sample_weight=np.full(40, 1e100))
    alone = GaussianNB().fit(large, y)
    np.testing.assert_allclose(model.theta_, alone.theta_, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(large), alone.predict(large))
    back = GaussianNB().partial_fit(large, y, classes=[0, 1]).partial_fit(small, y)
    assert back.class_count_.tolist() == [40, 40]
    np.testing.assert_allclose(back.theta_, alone.theta_ / 2, rtol=1e-12)


def test_recipe_goes_on_from_a_model():
    X, y = real("iris")
    recipe = GaussianNB.params()
    model = recipe.fit_with(None, X[::2], y[::2], classes=[0, 1, 2])
    more = recipe.fit_with(model, Dataset(X[1::2], y[1::2]))
    assert model.class_count_.tolist() == [25, 25, 25]
    assert more.class_count_.tolist() == [50, 50, 50]


@pytest.mark.parametrize("offset", [1e8, -1e12, 1e15])
def test_far_off_the_origin(offset):
    """Whole numbers are exact at these offsets, so nothing may change but the means."""
    rng = np.random.default_rng(5)
    y = np.arange(200) % 3
    X = np.rint(rng.standard_normal((200, 4)) * 20) + 30 * y[:, None]
    near, far = GaussianNB().fit(X, y), GaussianNB().fit(X + offset, y)
    np.testing.assert_allclose(far.var_, near.var_, rtol=1e-13)
    assert far.epsilon_ == pytest.approx(near.epsilon_, rel=1e-13)
    np.testing.assert_allclose(far.predict_proba(X + offset), near.predict_proba(X), rtol=1e-10)


@pytest.mark.parametrize("exponent", [-1000, -500, 500, 1000])
def test_units_say_nothing(exponent):
    X, y = real("iris")
    scaled = np.ldexp(X, exponent)
    model, plain = GaussianNB().fit(scaled, y), GaussianNB().fit(X, y)
    np.testing.assert_allclose(model.theta_, np.ldexp(plain.theta_, exponent), rtol=1e-15)
    np.testing.assert_allclose(model.predict_proba(scaled), plain.predict_proba(X), rtol=1e-10)
    joint = plain.predict_joint_log_proba(X) - 4 * exponent * np.log(2)
    np.testing.assert_allclose(model.predict_joint_log_proba(scaled), joint, rtol=1e-12)
    if abs(exponent) == 500:
        assert np.array_equal(model.var_, np.ldexp(plain.var_, 2 * exponent))


def test_columns_of_very_different_units():
    """Without smoothing every column has its say, whatever its unit."""
    X, y = real("iris")
    units = np.array([1e-300, 1e300, 1.0, 1e-150])
    model, plain = GaussianNB(var_smoothing=0).fit(X * units, y), GaussianNB(var_smoothing=0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X * units), plain.predict_proba(X), rtol=1e-9)


def test_a_class_without_spread():
    """A column that is constant in a class, no smoothing: other values speak against it, decisively."""
    model = GaussianNB(var_smoothing=0).fit([[1.0], [1.0], [0.0], [2.0]], [0, 0, 1, 1])
    assert model.var_.tolist() == [[0.0], [1.0]]
    assert model.predict([[1.0], [1.001], [0.0]]).tolist() == [0, 1, 1]
    assert np.isfinite(model.predict_log_proba([[1.0], [1.001], [0.0], [1e300]])).all()


def test_one_record():
    model = GaussianNB().fit([[3.0, 4.0]], ["only"])
    assert model.predict([[0.0, 1e9]]).tolist() == ["only"]
    assert model.predict_proba([[0.0, 1e9]]).tolist() == [[1.0]]


def test_a_class_that_was_not_seen():
    X, y = real("iris")
    model = GaussianNB().partial_fit(X[:100], y[:100], classes=[0, 1, 2])
    assert model.class_prior_.tolist() == [0.5, 0.5, 0.0]
    assert model.theta_[2].tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(model.var_[2], model.epsilon_, rtol=0)
    assert not model.predict_proba(X)[:, 2].any()
    assert (model.predict_log_proba(X)[:, 2] == -np.inf).all()
    only = GaussianNB().fit(X[:100], y[:100])
    np.testing.assert_array_equal(model.predict_proba(X)[:, :2], only.predict_proba(X))
    weightless = GaussianNB().fit(X, y, sample_weight=(y < 2) * 1.0)
    np.testing.assert_array_equal(weightless.theta_, model.theta_)


def test_many_classes():
    X = np.arange(3000.0)[:, None]
    model = GaussianNB(var_smoothing=1e-12).fit(X, X[:, 0].astype(int))
    assert model.predict(X).tolist() == list(range(3000))


def test_priors():
    X, y = real("iris")
    model = GaussianNB(priors=[0, 0.25, 0.75]).fit(X, y)
    assert model.class_prior_.tolist() == [0, 0.25, 0.75]
    assert set(model.predict(X)) == {1, 2}
    for wrong, text in (
        ([0.5, 0.5], "Number of priors must match number of classes"),
        ([0.5, 0.2, 0.2], "sum of the priors should be 1"),
        ([-0.5, 0.7, 0.8], "Priors must be non-negative"),
        ([np.nan, 0.5, 0.5], "sum of the priors"),
        (["a", "b", "c"], "priors must be numbers"),
        ([[1.0], [2.0, 3.0], [0.0]], "priors must be numbers"),
    ):
        with pytest.raises(ValueError, match=text):
            GaussianNB(priors=wrong).fit(X, y)


class TestPartialFit:
    def test_classes_come_first(self):
        with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
            GaussianNB().partial_fit(X, Y)

    def test_other_classes(self):
        model = GaussianNB().partial_fit(X, Y, classes=["b", "a"])
        model.partial_fit(X, Y, classes=["a", "b"])
        with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
            model.partial_fit(X, Y, classes=["a", "b", "c"])

    def test_unknown_label(self):
        model = GaussianNB()
        with pytest.raises(ValueError, match=r"target label\(s\) \['b'\] in y do not exist"):
            model.partial_fit(X, Y, classes=["a", "c"])
        assert not model.__sklearn_is_fitted__()

    def test_names_of_columns_stay(self):
        first = Dataset(X, Y, feature_names=["p", "q"])
        model = GaussianNB().partial_fit(first, classes=["a", "b"]).partial_fit(X, Y)
        assert model.feature_names_in_.tolist() == ["p", "q"]
        with pytest.raises(ValueError, match="feature names should match"):
            model.partial_fit(Dataset(X, Y, feature_names=["q", "p"]))

    def test_goes_on_after_fit(self):
        model = GaussianNB().fit(X, Y).partial_fit(X, Y)
        assert model.class_count_.tolist() == [4, 6]
        assert model.theta_.tolist() == [[1, 1], [12, 7]]
