"""All five machines are optimal, by NumPy: violation, duality gap, feasibility and the nu-property."""

import numpy as np
import pytest
import scipy.sparse as sp

from clinfa import kernels
from clinfa.datasets import load_iris, load_wine
from clinfa.svm import SVC, NuSVC
from tests.svm.certificates import (
    MACHINES,
    NAMES,
    certificate,
    classification,
    coefficients,
    data,
    dense,
    fitted,
    gram,
    nu_classification,
    scale,
)

# More records than are kept as a matrix: kernel values come from the tile in single precision, whose noise
# the solver keeps below a tenth of tol.
TILED, MORE = 513, 1.1
HARD = {
    "SVC": [{"C": 0.1}, {"C": 1.0}, {"C": 100.0}],
    "NuSVC": [{"nu": 0.1}, {"nu": 0.5}],
    "SVR": [{"C": 0.1, "epsilon": 0.0}, {"C": 1.0}, {"C": 100.0, "epsilon": 0.3}],
    "NuSVR": [{"nu": 0.1}, {"nu": 0.5, "C": 10.0}, {"nu": 1.0}],
    "OneClassSVM": [{"nu": 0.05}, {"nu": 0.5}, {"nu": 1.0}],
}
EACH = [(name, how) for name in NAMES for how in HARD[name]]


def check(name, model, K, y, weights=None, rounding=None, unit=1.0):
    """The certificate, and that the model says the same."""
    n = len(K)
    rounding = rounding or (1e-10 if n < TILED else 1e-6)
    found = certificate(name, model, K, y, weights, unit)
    found.check(MORE * model.tol, rounding)
    noise = 0.1 * model.tol if n >= TILED else 0
    assert 0 <= float(model.violation_[0]) <= model.tol
    if found.known:
        assert max(found.violation, 0) == pytest.approx(float(model.violation_[0]), abs=noise + rounding)
    assert found.dual == pytest.approx(
        float(model.objective_[0]), abs=rounding * (abs(found.dual) + found.mass)
    )
    assert model.fit_status_ == 0
    return found


@pytest.mark.parametrize(("name", "how"), EACH)
@pytest.mark.parametrize("gamma", [0.01, 0.5, 30.0])
def test_certificates(name, how, gamma):
    for n in (2, 3, 5, 40, 300):
        X, y = data(name, n)
        if name == "NuSVC":  # nu is at most twice the share of the smaller class
            y = y if n < 40 else np.arange(n) % 2
        check(name, fitted(name, X, y, gamma=gamma, **how), gram(X, gamma=gamma), y)


@pytest.mark.parametrize(("name", "how"), EACH)
@pytest.mark.parametrize(("n", "gamma"), [(700, 2.0), (1500, 0.3)])
def test_certificates_by_tiles_and_blocks(name, how, n, gamma):
    """1500 variables, or 3000 for regression, are more than one block."""
    X, y = data(name, n)
    check(name, fitted(name, X, y, gamma=gamma, **how), gram(X, gamma=gamma), y)


@pytest.mark.parametrize(("name", "how"), [(name, HARD[name][-1]) for name in NAMES])
@pytest.mark.parametrize("n", [60, 600])
def test_the_gap_closes_with_tol(name, how, n):
    """Primal less dual is at most tol times the sum of C, and falls with tol."""
    X, y = data(name, n)
    K, before = gram(X, gamma=0.7), np.inf
    for tol in (1e-1, 1e-4, 1e-8):
        model = fitted(name, X, y, gamma=0.7, tol=tol, **how)
        # (At 1e-8 a value is exact to 1e-16 and so is what they add up to.)
        found = check(name, model, K, y, rounding=1e-10 if tol == 1e-8 else None)
        assert found.gap <= before
        before = max(found.gap, 1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [80, 600])
@pytest.mark.parametrize(
    "kernel",
    [
        {"kernel": "linear"},
        {"kernel": "poly", "gamma": 0.3, "coef0": 1.0, "degree": 2},
        {"kernel": "poly", "gamma": 0.5, "coef0": 0.5, "degree": 3},
        {"kernel": "rbf", "gamma": 0.4},
        {"kernel": "sigmoid", "gamma": 0.05, "coef0": 0.0},
    ],
    ids=lambda how: how["kernel"] + str(how.get("degree", "")),
)
def test_every_kernel(name, n, kernel):
    """The sigmoid too: it is nearly linear here."""
    X, y = data(name, n, noise=0.1)
    model = fitted(name, X, y, **kernel)
    check(name, model, gram(X, **kernel), y, rounding=1e-9 if n < TILED else 1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [80, 600])
def test_a_kernel_that_is_given(name, n):
    """As a matrix, by a function, or as a `Method`: all are the machine of the name."""
    X, y = data(name, n)
    K = gram(X, gamma=0.5)
    new = X[:20] + 0.1
    expected = fitted(name, X, y, gamma=0.5, tol=1e-6)
    for kernel, records, asked in (
        ("precomputed", K, gram(new, X, gamma=0.5)),
        (lambda A, B: gram(A, B, gamma=0.5), X, new),
        (kernels.Gaussian(2.0), X, new),
    ):
        model = fitted(name, records, y, kernel=kernel, tol=1e-6)
        check(name, model, K, y, rounding=1e-9 if n < TILED else 1e-6)
        how = "predict" if name.endswith("SVR") else "decision_function"
        out, due = getattr(model, how)(asked), getattr(expected, how)(new)
        # Both are within tol of one solution.
        np.testing.assert_allclose(out, due, atol=3e-5 * (1 + np.abs(due).max()))


@pytest.mark.parametrize(
    ("kernel", "twin"),
    [
        (kernels.Linear(), lambda X: X @ X.T),
        (kernels.Polynomial(1.0, 2.0), lambda X: (X @ X.T + 1) ** 2),
        (kernels.Laplacian(2.0), lambda X: np.exp(-0.5 * np.abs(X[:, None] - X).sum(axis=2))),
        (kernels.Cosine(), None),
    ],
    ids=lambda kernel: type(kernel).__name__,
)
def test_methods(kernel, twin):
    X, y = data("SVC", 90)
    if twin is None:
        unit = X / np.linalg.norm(X, axis=1)[:, None]
        K = unit @ unit.T
    else:
        K = twin(X)
    check("SVC", fitted("SVC", X, y, kernel=kernel), K, y, rounding=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_whole_kernels_and_recipes(name):
    """What says how records are compared is all that counts of them, whoever's records they are of."""
    X, y = data(name, 60)
    plain = fitted(name, X, y, kernel=kernels.Gaussian(2.0))
    for kernel in (
        kernels.Kernel(X[:5], kernels.Gaussian(2.0)),
        kernels.Kernel.params(method=kernels.Gaussian(2.0)),
    ):
        model = fitted(name, X, y, kernel=kernel)
        assert np.array_equal(model.dual_coef_, plain.dual_coef_)
        assert np.array_equal(model.predict(X), plain.predict(X))


def sparse_data(name, n):
    X, y = data(name, n, d=12)
    X = X * (np.random.default_rng(n).random(X.shape) < 0.15)
    if y is None:
        return X, y
    if name.endswith("SVR"):
        return X, X[:, 0] + 0.1 * y
    X[:, 0] += y  # (Of records that are nothing, in both classes, NuSVC could make no margin.)
    return X, y


def different(X, y):
    """How many of the records are."""
    return len(np.unique(X if y is None else np.c_[X, y], axis=0))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [90, 700, 1300])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_sparse_records_are_dense_ones(name, n, kernel):
    X, y = sparse_data(name, n)
    how = {"kernel": kernel, "gamma": 0.3, "tol": 1e-5}
    model, other = fitted(name, sp.csr_matrix(X), y, **how), fitted(name, X, y, **how)
    K = gram(X, kernel=kernel, gamma=0.3)
    check(name, model, K, y, rounding=1e-9 if n < TILED else 1e-6, unit=n / different(X, y))
    assert sp.issparse(model.dual_coef_)
    assert sp.issparse(model.support_vectors_)
    assert np.array_equal(dense(model.support_vectors_), X[model.support_])
    how = "predict" if name.endswith("SVR") else "decision_function"
    due = getattr(other, how)(X)
    for records in (sp.csr_matrix(X), X):
        np.testing.assert_allclose(
            getattr(model, how)(records), due, atol=2e-4 * (1 + np.abs(due).max()), rtol=0
        )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [80, 700])
def test_float32_is_kept(name, n):
    X, y = data(name, n)
    X = X.astype(np.float32)
    model = fitted(name, X, y, gamma=0.5)
    check(name, model, gram(X, gamma=0.5), y, rounding=1e-5)
    for published in (model.dual_coef_, model.support_vectors_, model.intercept_, model.objective_):
        assert published.dtype == np.float32
    if name != "OneClassSVM":
        out = model.predict(X) if name.endswith("SVR") else model.decision_function(X)
        assert out.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [60, 700])
def test_weights(name, n):
    """Each record's C is times its weight; those without weight do not count."""
    X, y = data(name, n)
    weights = np.random.default_rng(n).choice([0.0, 0.3, 1.0, 2.5], n)
    weights[:4] = 1.0
    how = {"nu": 0.3} if "Nu" in name or name == "OneClassSVM" else {"C": 2.0}
    model = fitted(name, X, y, weights, gamma=0.5, **how)
    check(name, model, gram(X, gamma=0.5), y, weights, unit=weights[weights > 0].mean())


@pytest.mark.parametrize("cls", [SVC, NuSVC])
@pytest.mark.parametrize("class_weight", [None, "balanced", {1: 3.0}])
def test_pairs_of_classes(cls, class_weight):
    """Every pair of classes is a machine of its own, and proven as one."""
    for table in (load_iris(), load_wine()):
        X, y = np.asarray(table.records), np.asarray(table.targets)
        X = X / X.std(axis=0)
        if cls is NuSVC and class_weight is not None:
            continue
        model = cls(class_weight=class_weight, **({"nu": 0.2} if cls is NuSVC else {"C": 3.0})).fit(X, y)
        K = gram(X, gamma=scale(X))
        size = np.bincount(y)
        due = {None: np.ones(3), "balanced": len(y) / (3 * size)}.get(
            class_weight if not isinstance(class_weight, dict) else "", np.array([1.0, 3.0, 1.0])
        )
        np.testing.assert_allclose(model.class_weight_, due, rtol=1e-15)
        for p, (i, j) in enumerate([(0, 1), (0, 2), (1, 2)]):
            own = (y == i) | (y == j)
            b, sign = coefficients(model, (i, j))[own], np.where(y[own] == i, 1.0, -1.0)
            C, part = due[y[own]], K[np.ix_(own, own)]
            if cls is SVC:
                found = classification(b, model.intercept_[p], part, sign, 3.0 * C)
            else:
                C = C * different(X[own], y[own]) / own.sum()
                found = nu_classification(b, model.intercept_[p], part, sign, C, 0.2)
            found.check(model.tol)
            assert found.violation == pytest.approx(model.violation_[p], abs=1e-10)
            assert found.dual == pytest.approx(model.objective_[p], rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_support(name):
    """Who is published as support: those with a coefficient, class by class, in the order of records."""
    X, y = data(name, 200)
    model = fitted(name, X, y, gamma=0.5)
    b = coefficients(model)
    support = model.support_
    assert support.dtype == np.int32
    assert set(support.tolist()) == set(np.flatnonzero(b).tolist())
    assert np.array_equal(model.support_vectors_, X[support])
    assert model.n_support_.sum() == len(support)
    assert model.shape_fit_ == X.shape
    if name in ("SVC", "NuSVC"):
        first, second = support[: model.n_support_[0]], support[model.n_support_[0] :]
        assert set(y[first].tolist()) == {0}
        assert set(y[second].tolist()) == {1}
        assert (np.diff(first) > 0).all()
        assert (np.diff(second) > 0).all()
        assert (b[first] < 0).all()
        assert (b[second] > 0).all()
    else:
        assert (np.diff(support) > 0).all()
    # What is published is what predicts.
    how = "predict" if name.endswith("SVR") else "decision_function"
    by_hand = gram(X, X[support], gamma=0.5) @ model.dual_coef_[0] + model.intercept_[0]
    np.testing.assert_allclose(getattr(model, how)(X), by_hand, rtol=1e-11, atol=1e-12)


def test_every_machine_is_here():
    from clinfa import svm

    assert set(MACHINES) <= set(svm.__all__)
