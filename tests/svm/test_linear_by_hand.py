"""Linear support vector machines whose solutions can be worked out, and what holds whatever the data are."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes

from clinfa import Dataset
from clinfa.datasets import load_iris
from clinfa.svm import LinearSVC, LinearSVR, _linear_solve
from clinfa.svm._descent import Rows, descend_soon
from clinfa.svm._design import Design
from clinfa.svm._interior import interior

COSTS = [1e-10, 1e-3, 0.125, 0.2, 1.0, 7.0, 1e10]
TWO = np.array([[1.0], [-1.0]]), np.array([True, False])
TIGHT = {"tol": 1e-10, "max_iter": 100_000}


@pytest.fixture(params=["second order", "descent"])
def way(request, monkeypatch):
    """Both kinds of algorithms solve whatever comes."""
    if request.param == "descent":
        monkeypatch.setattr(_linear_solve, "_NARROW", 0)
        monkeypatch.setattr(_linear_solve, "_SMALL", 0)
        monkeypatch.setattr(_linear_solve, "_FEW", 0)
        monkeypatch.setattr(_linear_solve, "_LARGE", 0)
    return np.asarray if request.param == "second order" else sp.csr_array


@pytest.mark.parametrize("C", COSTS)
def test_two_points(C, way):
    """One weight w, both points at 1 - w: so much is lost twice."""
    X, y = way(TWO[0]), TWO[1]
    fit = {"C": C, "fit_intercept": False} | TIGHT
    hinge = LinearSVC(loss="hinge", **fit).fit(X, y)
    assert hinge.coef_ == pytest.approx(np.array([[min(1, 2 * C)]]), rel=1e-7)
    squared = LinearSVC(**fit).fit(X, y)
    assert squared.coef_ == pytest.approx(np.array([[4 * C / (1 + 4 * C)]]), rel=1e-7)
    sparse = LinearSVC(penalty="l1", **fit).fit(X, y)
    assert sparse.coef_ == pytest.approx(np.array([[max(0, 1 - 1 / (4 * C))]]), rel=1e-7)
    # Two vectors v and -v: v^2 + 2 C (1 - 2 v); what tells the classes is their difference.
    joint = LinearSVC(multi_class="crammer_singer", **fit).fit(X, y)
    assert joint.coef_ == pytest.approx(np.array([[min(1, 4 * C)]]), rel=1e-7)
    assert joint.intercept_ == hinge.intercept_ == 0.0


@pytest.mark.parametrize("C", COSTS)
def test_one_target(C, way):
    """w^2 / 2 + C (3 - 1 - w), or its square."""
    fit = {"C": C, "epsilon": 1.0, "fit_intercept": False} | TIGHT
    X = way(np.array([[1.0]]))
    assert LinearSVR(**fit).fit(X, [3.0]).coef_ == pytest.approx(np.array([min(2, C)]), rel=1e-7)
    squared = LinearSVR(loss="squared_epsilon_insensitive", **fit).fit(X, [3.0])
    assert squared.coef_ == pytest.approx(np.array([4 * C / (1 + 2 * C)]), rel=1e-7)


@pytest.mark.parametrize("scaling", [0.5, 1.0, 20.0])
def test_intercept_alone(scaling, way):
    """Three records of nothing, two of one class: w^2 / 2 + C (1 + s w)^2 + 2 C (1 - s w)^2."""
    C = 0.3
    model = LinearSVC(C=C, intercept_scaling=scaling, **TIGHT).fit(way(np.zeros((3, 2))), [0, 1, 1])
    w = 2 * C * scaling / (1 + 6 * C * scaling**2)
    assert model.intercept_ == pytest.approx(np.array([scaling * w]), rel=1e-9)
    assert not model.coef_.any()


def test_four_points(way):
    """Corners (+-1, +-1), classes by the first coordinate: the widest margin is that coordinate."""
    X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    for options in ({"loss": "hinge"}, {"multi_class": "crammer_singer"}):
        model = LinearSVC(C=100.0, **options, **TIGHT).fit(way(X), X[:, 0] > 0)
        assert model.coef_ == pytest.approx(np.array([[1.0, 0.0]]), abs=1e-7)
        assert model.intercept_ == pytest.approx(np.array([0.0]), abs=1e-7)
        assert model.decision_function(X) == pytest.approx(X[:, 0], abs=1e-6)


def test_median():
    """Without records, the loss is that of the median, and 1 / C of it is lost to the penalty."""
    y = np.array([1.0, 2.0, 30.0, 4.0, 500.0])
    model = LinearSVR(C=1e3, **TIGHT).fit(np.zeros((5, 1)), y)
    assert model.intercept_ == pytest.approx(np.array([4.0]), rel=1e-6)


CLASSIFIERS = [
    {"loss": "hinge"},
    {},
    {"penalty": "l1"},
    {"multi_class": "crammer_singer"},
]


def iris():
    data = load_iris()
    return np.asarray(data.records) - 3.0, np.asarray(data.targets)


@pytest.mark.parametrize("options", CLASSIFIERS)
def test_weights_are_repetitions(options, way):
    X, y = iris()
    times = np.arange(150) % 3
    how = {"tol": 1e-7, "max_iter": 100_000, "C": 0.5} | options
    weighted = LinearSVC(**how).fit(way(X), y, sample_weight=times)
    repeated = LinearSVC(**how).fit(way(np.repeat(X, times, axis=0)), np.repeat(y, times))
    assert weighted.coef_ == pytest.approx(repeated.coef_, abs=2e-5)
    assert weighted.intercept_ == pytest.approx(repeated.intercept_, abs=2e-5)


@pytest.mark.parametrize("loss", ["epsilon_insensitive", "squared_epsilon_insensitive"])
def test_weights_are_repetitions_in_regression(loss, way):
    X, _ = iris()
    y, X = X[:, 3], X[:, :3]
    times = np.arange(150) % 3
    how = {"tol": 1e-7, "max_iter": 100_000, "C": 0.5, "epsilon": 0.1, "loss": loss}
    weighted = LinearSVR(**how).fit(way(X), y, sample_weight=times)
    repeated = LinearSVR(**how).fit(way(np.repeat(X, times, axis=0)), np.repeat(y, times))
    assert weighted.coef_ == pytest.approx(repeated.coef_, abs=2e-5)


@pytest.mark.parametrize("exponent", [-400, -40, 3, 60, 400])
@pytest.mark.parametrize("options", [{"loss": "hinge"}, {}])
def test_other_units_change_nothing(options, exponent):
    """Records, constant and C in other units: the same model, powers of two being exact."""
    X, y = iris()
    unit = 2.0**exponent
    C = 2.0 ** (-2 * exponent)
    if not 1e-300 < C < 1e300:  # (C itself is out of range: in units in which it is not, then)
        unit, C = 2.0 ** (exponent // 2), 2.0 ** (-2 * (exponent // 2))
    plain = LinearSVC(**options).fit(X, y)
    model = LinearSVC(**options, C=C, intercept_scaling=unit).fit(X * unit, y)
    scores = plain.decision_function(X)
    assert model.decision_function(X * unit) == pytest.approx(scores, rel=1e-6, abs=1e-9)
    np.testing.assert_array_equal(model.predict(X * unit), plain.predict(X))


def test_more_columns_than_records(way):
    """Weights are sums of records: what no record has, has no weight."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((12, 40))
    X[:, 30:] = 0
    y = np.arange(12) % 2
    model = LinearSVC(loss="hinge", C=1e4, **TIGHT).fit(way(X), y)
    assert not np.abs(model.coef_[0, 30:]).max() > 1e-12
    sign = np.where(y, 1, -1)
    assert (sign * model.decision_function(X)).min() == pytest.approx(1.0, abs=1e-5)
    on_margin = np.linalg.lstsq(X.T, model.coef_[0], rcond=None)[0]
    assert X.T @ on_margin == pytest.approx(model.coef_[0], abs=1e-9)


def test_classes_that_weigh(way):
    """In its own model a class's factor multiplies C for its own records; of two classes both count."""
    X, y = iris()
    two = y < 2
    factors = {0: 2.0, 1: 0.5}
    how = {"tol": 1e-8, "max_iter": 10_000}
    model = LinearSVC(class_weight=factors, **how).fit(way(X[two]), y[two])
    plain = LinearSVC(**how).fit(way(X[two]), y[two], sample_weight=np.where(y[two] == 0, 2.0, 0.5))
    assert model.coef_ == pytest.approx(plain.coef_, abs=1e-6)
    model = LinearSVC(class_weight={0: 1.0, 1: 5.0, 2: 1.0}, **how).fit(way(X), y)
    weighed = LinearSVC(**how).fit(way(X), y == 1, sample_weight=np.where(y == 1, 5.0, 1.0))
    assert model.coef_[1] == pytest.approx(weighed.coef_[0], abs=1e-6)
    rest = LinearSVC(**how).fit(way(X), y == 2)
    assert model.coef_[2] == pytest.approx(rest.coef_[0], abs=1e-6)
    mass = np.where(y == 0, 3.0, 1.0)
    balanced = LinearSVC(class_weight="balanced", **how).fit(way(X), y, mass)
    named = LinearSVC(class_weight={0: 250 / 450, 1: 250 / 150, 2: 250 / 150}, **how).fit(way(X), y, mass)
    assert balanced.coef_ == pytest.approx(named.coef_, abs=1e-9)


def test_a_class_that_weighs_nothing(way):
    X, y = iris()
    model = LinearSVC(loss="hinge", class_weight={0: 0.0}).fit(way(X[:100]), y[:100])
    assert model.predict(X).tolist() == [1] * 150


def test_dataset_and_recipe():
    X, y = iris()
    data = Dataset(X, np.array(["a", "b", "c"])[y], np.arange(150) % 3 + 1.0)
    model = LinearSVC.params(loss="hinge", C=2.0).fit(data)
    plain = LinearSVC(loss="hinge", C=2.0).fit(X, y, sample_weight=np.arange(150) % 3 + 1.0)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.decision_function(data).targets, plain.decision_function(X))
    assert model.predict(data).targets[:2].tolist() == ["a", "a"]


def test_sparse_weights():
    X, y = iris()
    model = LinearSVC(penalty="l1", C=0.02).fit(X, y)
    scores, zeros = model.decision_function(X), (model.coef_ == 0).sum()
    assert zeros > 2
    assert model.sparsify().coef_.nnz == 12 - zeros
    np.testing.assert_array_equal(model.decision_function(X), scores)
    np.testing.assert_allclose(model.decision_function(sp.csr_array(X)), scores, rtol=1e-12)
    assert isinstance(model.densify().coef_, np.ndarray)
    np.testing.assert_array_equal(model.densify().decision_function(X), scores)


def test_single_precision_is_kept():
    X, y = iris()
    narrow = X.astype(np.float32)
    model = LinearSVC().fit(narrow, y)
    assert model.coef_.dtype == model.intercept_.dtype == model.decision_function(narrow).dtype == np.float32
    plain = LinearSVC().fit(narrow.astype(float), y)
    assert model.coef_ == pytest.approx(plain.coef_, rel=1e-5)
    assert LinearSVR().fit(narrow, X[:, 0]).predict(narrow).dtype == np.float32


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"penalty": "l1", "loss": "hinge"}, "combination of penalty='l1' and loss='hinge' is not supported"),
        ({"loss": "hinge", "dual": False}, "not supported when dual=False"),
        ({"penalty": "l1", "dual": True}, "not supported when dual=True"),
    ],
)
def test_what_cannot_be_asked(options, said):
    with pytest.raises(ValueError, match=f"Unsupported set of arguments.*{said}"):
        LinearSVC(**options).fit(*TWO)


def test_errors():
    with pytest.raises(ValueError, match="at least 2 classes in the data, but the data contains only one"):
        LinearSVC().fit(TWO[0], [1, 1])
    with pytest.raises(ValueError, match=r"The classes, \[1\], are not in class_weight"):
        LinearSVC(class_weight={0: 1.0, 7: 2.0}).fit(TWO[0], [0, 1])
    with pytest.raises(ValueError, match="class_weight must hold finite numbers >= 0"):
        LinearSVC(class_weight={0: -1.0, 1: 1.0}).fit(TWO[0], [0, 1])
    with pytest.raises(ValueError, match="y should be a 1d array, got an array of shape"):
        LinearSVR().fit(TWO[0], np.zeros((2, 2)))
    with pytest.raises(ValueError, match="not supported when dual=False"):
        LinearSVR(dual=False).fit(TWO[0], [0.0, 1.0])


def test_too_few_iterations(way):
    from clinfa.errors import ConvergenceWarning

    X, y = iris()
    for options in CLASSIFIERS:
        few = 0 if "multi_class" in options else 1
        with pytest.warns(ConvergenceWarning, match="failed to converge"):
            model = LinearSVC(max_iter=few, tol=1e-9, **options).fit(way(X), y)
        assert model.n_iter_ == few
        assert isinstance(model.n_iter_, int)


def test_a_few_sweeps_are_enough_or_are_given_up():
    """Columns as small as those of the diabetes data leave nearly every multiplier at its bound."""
    X, y = load_diabetes(return_X_y=True)
    bands, cost = (y - 3, y + 3), np.ones(len(y))

    def objective(w):
        return w @ w / 2 + np.maximum(np.abs(X @ w[:-1] + w[-1] - y) - 3, 0).sum()

    w, n_iter = descend_soon(Rows.of(X, 1.0), bands, cost, 1e-12, 1000)
    exact, *_ = interior(Design(X, 1.0), bands, cost, 1e-6, 1000)
    assert n_iter <= 24
    assert objective(w) <= objective(exact) * (1 + 1e-12)
    fitted = LinearSVR(epsilon=3.0).fit(X, y)
    assert objective(np.append(fitted.coef_, fitted.intercept_)) <= objective(exact) * (1 + 1e-12)
    # Not with so few sweeps, nor where costs are high.
    assert descend_soon(Rows.of(X, 1.0), bands, cost, 1e-12, 3) is None
    assert descend_soon(Rows.of(X, 1.0), bands, 100 * cost, 1e-12, 1000) is None
