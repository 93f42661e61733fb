"""Duplicates, constants, no weight, extreme parameters and scales, too few steps, hostile kernels."""

import re
import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse as sp

from clinfa import kernels
from clinfa.errors import ConvergenceWarning
from clinfa.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from tests.svm.certificates import MACHINES, NAMES, certificate, coefficients, data, fitted, gram

CLASSIFIERS, WITH_C = ["SVC", "NuSVC"], ["SVC", "SVR", "NuSVR"]
SMALL, TILED = 40, 600  # kept as a matrix, and by the tile


def values(name, model, X):
    return model.predict(X) if name.endswith("SVR") else model.decision_function(X)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
def test_duplicates(name, n):
    """Each record three times: optimal, and all copies have the same coefficient."""
    X, y = data(name, n)
    X, y = np.repeat(X, 3, axis=0), None if y is None else np.repeat(y, 3)
    model = fitted(name, X, y, gamma=0.5)
    found = certificate(name, model, gram(X, gamma=0.5), y, unit=3)
    found.check(1.1 * model.tol, 1e-6 if n == TILED else 1e-10)
    b = coefficients(model).reshape(-1, 3)
    np.testing.assert_allclose(b, np.repeat(b[:, :1], 3, axis=1), rtol=1e-14)


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("n", [SMALL, TILED])
def test_contradictory_labels(name, n):
    """The same records in both classes, but for one pair of records."""
    X, _ = data(name, n)
    X, y = np.concatenate([X, X]), np.repeat([0, 1], n)
    X[0, 0] -= 1
    model = fitted(name, X, y, gamma=0.5)
    found = certificate(name, model, gram(X, gamma=0.5), y)
    found.check(1.1 * model.tol, 1e-6)


def test_nothing_tells_the_classes_apart():
    """All records are in both classes: w = 0, and SVC is at its bounds."""
    X, _ = data("SVC", 20)
    X, y = np.concatenate([X, X]), np.repeat([0, 1], 20)
    model = SVC(C=2.0, gamma=0.5).fit(X, y)
    assert np.abs(model.dual_coef_).tolist() == [[2.0] * 40]
    np.testing.assert_allclose(model.decision_function(X), 0, atol=1e-12)
    out = NuSVC(gamma=0.5).fit(X, y).decision_function(X)
    assert np.isfinite(out).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
@pytest.mark.parametrize("gamma", ["scale", 1.0])
def test_constant_columns(name, n, gamma):
    """One constant column changes nothing but gamma="scale"; with constant columns only f is constant."""
    X, y = data(name, n)
    if gamma != "scale":
        wide = fitted(name, np.c_[X, np.full(n, 7.0)], y, gamma=gamma, tol=1e-6)
        plain = fitted(name, X, y, gamma=gamma, tol=1e-6)
        due = values(name, plain, X)
        np.testing.assert_allclose(
            values(name, wide, np.c_[X, np.full(n, 7.0)]), due, atol=1e-4 * (1 + np.abs(due).max())
        )
    flat = fitted(name, np.full((n, 2), 7.0), y, gamma=gamma)
    assert len(set(values(name, flat, np.full((n, 2), 7.0)).tolist())) == 1
    assert flat.fit_status_ == 0


@pytest.mark.parametrize("name", WITH_C)
@pytest.mark.parametrize("n", [SMALL, TILED])
def test_tiny_C(name, n):
    X, y = data(name, n)
    model = fitted(name, X, y, gamma=0.5, C=1e-10)
    found = certificate(name, model, gram(X, gamma=0.5), y)
    found.check(model.tol, 1e-6 if n == TILED else 1e-10)
    assert 0 < found.dual < 1e-10 * n * (1 + np.abs(y).max())


@pytest.mark.parametrize("n", [SMALL, TILED])
def test_huge_C(n):
    """Groups far apart: nobody is at a bound, and a record on each side holds the margin."""
    X, y = data("SVC", n)
    X[:, 0] += 20 * y
    model = SVC(C=1e10, kernel="linear").fit(X, y)
    found = certificate("SVC", model, gram(X, kernel="linear"), y)
    assert found.violation <= 1.1 * model.tol
    margins = np.where(y == 1, 1, -1) * model.decision_function(X)
    assert margins.min() == pytest.approx(1, abs=2e-3)
    curve = SVR(C=1e10, kernel="linear", epsilon=0.1).fit(X, 0.3 * X[:, 0] + 2)
    np.testing.assert_allclose(curve.predict(X), 0.3 * X[:, 0] + 2, atol=0.1 + 2e-3)


def test_infinite_C():
    """No record may be on the wrong side, or outside of the tube."""
    X, y = data("SVC", SMALL)
    X[:, 0] += 20 * y
    model, other = (SVC(C=C, kernel="linear").fit(X, y) for C in (np.inf, 1e10))
    assert (np.where(y == 1, 1, -1) * model.decision_function(X)).min() >= 1 - 2e-3
    assert np.array_equal(model.dual_coef_, other.dual_coef_)
    X, y = data("SVR", SMALL)
    curve = SVR(C=np.inf, gamma=0.1, epsilon=0.3).fit(X, y)
    assert np.abs(curve.predict(X) - y).max() <= 0.3 + 2e-3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
def test_tiny_gamma(name, n):
    """All records are alike: f is constant but for 1e-9."""
    X, y = data(name, n)
    model = fitted(name, X, y, gamma=1e-12)
    if name != "NuSVC":  # (whose margin is as small, and divided by)
        assert np.ptp(values(name, model, X)) < 1e-6 * n
    found = certificate(name, model, gram(X, gamma=1e-12), y)
    if name != "NuSVC":
        found.check(model.tol, 1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
def test_huge_gamma(name, n):
    """K is the identity: all are by themselves, and far from all f is the intercept."""
    X, y = data(name, n)
    model = fitted(name, X, y, gamma=1e12)
    certificate(name, model, np.eye(n), y).check(model.tol, 1e-6)
    far = values(name, model, X[:3] + 100)
    np.testing.assert_allclose(far, model.intercept_[0], atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
@pytest.mark.parametrize("factor", [1e-150, 1e-30, 1e-15, 1e15, 1e30, 1e150])
def test_scales(name, n, factor):
    """gamma="scale" makes the scale of the records mean nothing."""
    X, y = data(name, n)
    model, plain = (fitted(name, some, y, tol=1e-6) for some in (X * factor, X))
    due = values(name, plain, X)
    np.testing.assert_allclose(
        values(name, model, X * factor), due, rtol=0, atol=1e-4 * (1 + np.abs(due).max())
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_scales_in_float32(name, n, factor):
    X, y = data(name, n)
    X = X.astype(np.float32)
    model, plain = (fitted(name, some, y, tol=1e-5) for some in (X * np.float32(factor), X))
    due = values(name, plain, X)
    np.testing.assert_allclose(
        values(name, model, X * np.float32(factor)), due, rtol=0, atol=1e-3 * (1 + np.abs(due).max())
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
@pytest.mark.parametrize("given", [None, 0.0, -1.0])
def test_records_without_weight_are_not_there(name, n, given):
    """To the bit the fit without them, whether their weight is zero or less."""
    X, y = data(name, n)
    how = {"gamma": 0.5, "nu": 0.3} if "Nu" in name or name == "OneClassSVM" else {"gamma": 0.5}
    weights = np.random.default_rng(0).choice([0.5, 1.0, 2.0], n)
    out = np.arange(n) % 4 == 3
    less = fitted(name, X[~out], None if y is None else y[~out], weights[~out], **how)
    if given is not None:
        weights[out] = given
        X[out] += 1000  # whatever they are
        model = fitted(name, X, y, weights, **how)
        assert np.array_equal(np.flatnonzero(~out)[less.support_], model.support_)
        assert np.array_equal(less.dual_coef_, model.dual_coef_)
        assert less.intercept_[0] == model.intercept_[0]
    assert less.fit_status_ == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weights", [0.0, -1.0])
def test_nothing_weighs(name, weights):
    X, y = data(name, 10)
    with pytest.raises(ValueError, match=r"zero or negative weights|at least one non-zero number"):
        fitted(name, X, y, np.full(10, weights))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_class(name):
    X, _ = data(name, 10)
    with pytest.raises(ValueError, match="number of classes has to be greater than one; got 1 class"):
        fitted(name, X, np.zeros(10))
    with pytest.raises(ValueError, match="all samples with positive weights belong to the same class"):
        fitted(name, X, np.arange(10) % 2, (np.arange(10) % 2).astype(float))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_class_without_weight_never_wins(name):
    X, _ = data(name, 30)
    y = np.arange(30) % 3
    X[:, 0] += y
    model = fitted(name, X, y, (y != 1).astype(float), gamma=0.5)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.n_support_[1] == 0
    assert set(model.predict(X).tolist()) <= {0, 2}
    pair = fitted(name, X[y != 1], y[y != 1], gamma=0.5)
    assert np.array_equal(model.predict(X), pair.predict(X))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
@pytest.mark.parametrize("most", [0, 1, 5])
def test_not_enough_steps(name, n, most):
    """A warning, fit_status_ 1, and what is published is feasible and says by how much it is not optimal."""
    X, y = data(name, n)
    with pytest.warns(ConvergenceWarning, match=re.escape(f"max_iter={most}")):
        model = fitted(name, X, y, gamma=0.5, max_iter=most)
    assert model.fit_status_ == 1
    assert np.sum(model.n_iter_) == most
    found = certificate(name, model, gram(X, gamma=0.5), y)
    assert float(model.violation_[0]) > model.tol
    assert found.outside < 1e-10
    if name != "NuSVR":  # (of which it is not known while both sides of a record have a share)
        assert float(model.violation_[0]) == pytest.approx(found.violation, rel=1e-5)
    assert float(model.objective_[0]) == pytest.approx(found.dual, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("n", [TILED, 1500])
def test_what_a_fit_that_gave_up_says_is_true(n):
    """Many steps with a huge C, so that what rounding adds up to would be seen."""
    X, y = data("SVC", n)
    with pytest.warns(ConvergenceWarning):
        model = SVC(C=1e6, gamma=0.5, max_iter=30_000, tol=1e-9).fit(X, y)
    found = certificate("SVC", model, gram(X, gamma=0.5), y)
    assert float(model.violation_[0]) == pytest.approx(found.violation, rel=1e-4, abs=1e-6)
    assert float(model.objective_[0]) == pytest.approx(found.dual, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED, 1500])
@pytest.mark.parametrize(
    "how",
    [
        {"kernel": "poly", "degree": 9, "gamma": 1.0},
        {"kernel": kernels.Polynomial(1.0, 9.0)},
    ],
    ids=["poly", "Polynomial"],
)
def test_kernels_that_overflow(name, n, how):
    X, y = data(name, n)
    with pytest.raises(
        ValueError,
        match=r"not finite .found: (nan|inf).. It has kernel=.*(gamma=1.0, coef0=0.0, degree=9|Polynomial)",
    ):
        fitted(name, X * 1e60, y, **how)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kernel", ["linear", kernels.Linear()], ids=["linear", "Linear"])
def test_products_that_overflow(name, kernel):
    X, y = data(name, TILED)
    with pytest.raises(ValueError, match="not finite"):
        fitted(name, X * 1e160, y, kernel=kernel)


@pytest.mark.parametrize("name", NAMES)
class TestHostileKernels:
    def test_wrong_shape(self, name):
        X, y = data(name, 20)
        for kernel, shape in (
            (lambda A, B: np.zeros(len(A)), "(20,)"),
            (lambda A, B: np.zeros((len(A), len(B) + 1)), "(20, 21)"),
            (lambda A, B: 1.0, "()"),
        ):
            text = re.escape(f"must return an array of shape (20, 20), got shape {shape}")
            with pytest.raises(ValueError, match=text):
                fitted(name, X, y, kernel=kernel)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_not_finite(self, name, bad):
        X, y = data(name, 20)

        def kernel(A, B):
            K = gram(A, B)
            K[-1, 0] = bad
            return K

        with pytest.raises(ValueError, match="The kernel returned values that are not finite"):
            fitted(name, X, y, kernel=kernel)
        calls = []

        def later(A, B):
            calls.append(A)
            return gram(A, B) if len(calls) == 1 else kernel(A, B)

        model = fitted(name, X, y, kernel=later)
        with pytest.raises(ValueError, match="The kernel returned values that are not finite"):
            model.predict(X)

    def test_what_it_raises_comes_out(self, name):
        X, y = data(name, 20)

        def kernel(A, B):
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            fitted(name, X, y, kernel=kernel)

    def test_integers_and_sparse_matrices_will_do(self, name):
        X, y = data(name, 20)
        model = fitted(name, X, y, kernel=lambda A, B: np.eye(len(A), len(B), dtype=int))
        other = fitted(name, X, y, kernel=lambda A, B: sp.eye(len(A), len(B), format="csr"))
        same = fitted(name, np.eye(20), y, kernel="precomputed")
        assert np.array_equal(model.dual_coef_, same.dual_coef_)
        assert np.array_equal(other.dual_coef_, same.dual_coef_)

    def test_precomputed(self, name):
        X, y = data(name, 20)
        with pytest.raises(TypeError, match=r"[Ss]parse"):
            fitted(name, sp.csr_matrix(gram(X)), y, kernel="precomputed")
        with pytest.raises(ValueError, match=r"must be a square matrix\. Input is a 20x3 matrix"):
            fitted(name, X, y, kernel="precomputed")
        model = fitted(name, gram(X), y, kernel="precomputed")
        with pytest.raises(ValueError, match="20 features"):
            model.predict(gram(X)[:, :19])

    def test_indefinite(self, name):
        """A kernel that is none: the fit ends, inside the box."""
        _, y = data(name, 20)
        A = np.random.default_rng(0).standard_normal((20, 20))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = fitted(name, A + A.T, y, kernel="precomputed", max_iter=10_000)
        assert np.isfinite(model.dual_coef_).all()
        if name == "SVC":
            assert np.abs(model.dual_coef_).max() <= 1


def test_nu_that_classes_do_not_allow():
    """Two of ten: nu is at most 4/10."""
    X, _ = data("NuSVC", 10)
    y = (np.arange(10) < 2).astype(int)
    NuSVC(nu=0.4).fit(X, y)
    with pytest.warns(UserWarning, match="specified nu is infeasible: 0.5 is more than 0.4"):
        model = NuSVC(nu=0.5).fit(X, y)
    assert model.predict(X).tolist() == [0] * 10


@pytest.mark.parametrize(
    ("name", "n"), [*((name, TILED) for name in NAMES), ("SVC", 1500), ("SVR", 1500), ("OneClassSVM", 1500)]
)
def test_a_tiny_cache_gives_the_same(name, n):
    """10 kB: blocks of 24 to 32 variables, and memory far below a kernel matrix (2 to 18 MB)."""
    X, y = data(name, n)
    how = {"gamma": 0.5, "tol": 1e-4}
    model = fitted(name, X, y, **how)
    tracemalloc.start()
    tiny = fitted(name, X, y, cache_size=0.01, **how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 700 * n + 300_000
    certificate(name, tiny, gram(X, gamma=0.5), y).check(1.1 * tiny.tol, 1e-6)
    due = values(name, model, X)
    np.testing.assert_allclose(values(name, tiny, X), due, atol=1e-3 * (1 + np.abs(due).max()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 4, 16])
def test_a_fit_stays_within_its_cache(name, size):
    """Beside the data and some numbers for each record, of 1800 whose kernel matrix is 13 MB."""
    n = 1800
    X, y = data(name, n)
    tracemalloc.start()
    model = fitted(name, X, y, gamma=0.5, cache_size=size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size * 1e6 + 700 * n
    certificate(name, model, gram(X, gamma=0.5), y).check(1.1 * model.tol, 1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED])
def test_a_weight_of_two_is_the_record_twice(name, n):
    """The same solution to the bit, wherever the second one stands."""
    X, y = data(name, n)
    twice = np.arange(n) % 3 == 0
    weights = 1.0 + twice
    how = {"gamma": 0.5, "nu": 0.3} if "Nu" in name or name == "OneClassSVM" else {"gamma": 0.5}
    weighted = fitted(name, X, y, weights, **how)
    double = fitted(
        name, np.concatenate([X, X[twice]]), None if y is None else np.concatenate([y, y[twice]]), **how
    )
    for attribute in ("intercept_", "objective_", "violation_"):
        assert getattr(weighted, attribute).tobytes() == getattr(double, attribute).tobytes()
    assert np.array_equal(weighted.n_iter_, double.n_iter_)
    b, parts = coefficients(weighted), coefficients(double)
    parts[:n][twice] += parts[n:]
    np.testing.assert_allclose(parts[:n], b, rtol=1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [SMALL, TILED, 1500])
def test_order_does_not_matter(name, n):
    """To the bit: the same coefficients of the same records."""
    X, y = data(name, n)
    order = np.random.default_rng(n).permutation(n)
    model = fitted(name, X, y, gamma=0.5)
    other = fitted(name, X[order], None if y is None else y[order], gamma=0.5)
    assert np.array_equal(coefficients(other), coefficients(model)[order])
    assert other.intercept_.tobytes() == model.intercept_.tobytes()
    assert other.objective_.tobytes() == model.objective_.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_parameters_that_are_not_allowed(name):
    X, y = data(name, 20)
    wrong = [
        {"tol": 0.0}, {"gamma": -1.0}, {"gamma": "auto2"}, {"kernel": "rbff"}, {"cache_size": 0.0},
        {"max_iter": -2}, {"coef0": np.inf}, {"degree": -1}, {"kernel": None},
    ]  # fmt: skip
    wrong += [{"C": 0.0}, {"C": -1.0}] if name in WITH_C else []
    wrong += [{"nu": 0.0}, {"nu": 1.1}] if name not in ("SVC", "SVR") else []
    for how in wrong:
        (parameter,) = how
        with pytest.raises(ValueError, match=f"'{parameter}' parameter of {name}"):
            fitted(name, X, y, **how)


def test_every_machine_in_one_dimension():
    for name, cls in MACHINES.items():
        X, y = data(name, 50)
        model = cls(gamma=2.0).fit(X[:, :1], y)
        certificate(name, model, gram(X[:, :1], gamma=2.0), y).check(model.tol)
        assert values(name, model, X[:3, :1]).shape == (3,)
    assert OneClassSVM().fit([[1.0]]).predict([[1.0]]).tolist() == [1]
    assert NuSVR().fit([[1.0]], [2.0]).predict([[5.0]]) == pytest.approx([2.0])
