"""Agreement with scikit-learn (LIBSVM) on real data, both solved to a tolerance of 1e-8.

LIBSVM keeps kernel values in single precision, so functions agree to 1e-6 of the coefficients' size, and
coefficients of records that are nearly dependent to less.
"""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.svm as theirs

from clinfa import svm as ours
from clinfa.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from tests.svm.certificates import dense

TOL = 1e-8
TABLES = {
    "iris": load_iris,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "digits": load_digits,
    "diabetes": load_diabetes,
}


def table(name, most=None):
    """Standardised; equal records, whose coefficients are anyhow shared, but once."""
    data = TABLES[name]()
    X, y = np.asarray(data.records, float)[:most], np.asarray(data.targets)[:most]
    first = np.sort(np.unique(X, axis=0, return_index=True)[1])
    X, y = X[first], y[first]
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1), y


def both(name, X, y=None, weights=None, **params):
    params = {"tol": TOL} | params
    return [
        getattr(house, name)(**params).fit(X, y, **({} if weights is None else {"sample_weight": weights}))
        for house in (ours, theirs)
    ]


def assert_same_machine(model, other, X, near=1e-6):
    """Functions, predictions, coefficients, and who is support but for those that nearly are not."""
    scale = 1 + np.abs(dense(other.dual_coef_)).max()

    def spread(m):
        out = np.zeros((m.dual_coef_.shape[0], len(X)))
        out[:, m.support_] = dense(m.dual_coef_)
        return out

    np.testing.assert_allclose(spread(model), spread(other), rtol=0, atol=1e-4 * scale)
    doubtful = np.setxor1d(model.support_, other.support_)
    assert np.abs(spread(other)[:, doubtful]).max(initial=0) <= 1e-4 * scale
    if not len(doubtful):
        assert np.array_equal(model.support_, other.support_)
        assert np.array_equal(model.n_support_, other.n_support_)
    assert model.dual_coef_.shape[0] == other.dual_coef_.shape[0]
    assert len(doubtful) <= 0.02 * len(X)
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=0, atol=near * scale)
    if hasattr(other, "decision_function"):
        due = other.decision_function(X)
        np.testing.assert_allclose(model.decision_function(X), due, rtol=0, atol=near * scale)
    due = other.predict(X)
    if due.dtype == float:
        np.testing.assert_allclose(model.predict(X), due, rtol=0, atol=near * scale)
    else:
        assert np.array_equal(model.predict(X), due)
    assert model.shape_fit_ == other.shape_fit_
    assert model.fit_status_ == other.fit_status_ == 0


@pytest.mark.parametrize("name", ["iris", "wine", "breast cancer"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"C": 10.0, "gamma": "auto"},
        {"kernel": "linear", "C": 0.1},
        {"kernel": "poly", "degree": 2, "coef0": 1.0, "gamma": 0.05},
        {"class_weight": "balanced", "gamma": 0.1},
        {"class_weight": {0: 2.0}, "decision_function_shape": "ovo"},
    ],
    ids=str,
)
def test_svc(name, how):
    X, y = table(name)
    model, other = both("SVC", X, y, **how)
    assert_same_machine(model, other, X)
    np.testing.assert_allclose(model.class_weight_, other.class_weight_, rtol=1e-14)
    assert model.n_iter_.shape == other.n_iter_.shape
    assert model.n_iter_.dtype == other.n_iter_.dtype
    if how.get("kernel") == "linear":
        np.testing.assert_allclose(model.coef_, other.coef_, rtol=0, atol=1e-6)


def test_svc_on_digits():
    """Ten classes of which each pair is a machine, 64 columns, some of them constant."""
    X, y = table("digits", 1000)
    model, other = both("SVC", X, y, C=5.0, tol=1e-6)
    assert_same_machine(model, other, X, near=1e-5)
    assert model.decision_function(X[:5]).shape == (5, 10)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_nu_svc(kernel):
    """Where a class has no free variable the margin is open, and LIBSVM, which forgets variables that it
    shrank, takes another one. All is divided by it: coefficients are the same but for that factor.
    """
    for name, nu in (("iris", 0.1), ("wine", 0.2), ("breast cancer", 0.2)):
        X, y = table(name)
        model, other = both("NuSVC", X, y, nu=nu, kernel=kernel, gamma=0.1)
        if kernel == "linear":
            a, b = (m.coef_ / np.linalg.norm(m.coef_, axis=1)[:, None] for m in (model, other))
        else:
            a, b = (np.zeros((m.dual_coef_.shape[0], len(X))) for m in (model, other))
            a[:, model.support_], b[:, other.support_] = model.dual_coef_, other.dual_coef_
        # Divided by the margin, they are as far off as it is small.
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * np.abs(b).max())
        same = model.predict(X) == other.predict(X)
        assert same.mean() > 0.99


@pytest.mark.parametrize(
    "how",
    [{}, {"C": 10.0, "epsilon": 0.5}, {"kernel": "linear", "C": 0.1}, {"epsilon": 0.0}, {"kernel": "poly"}],
    ids=str,
)
def test_svr(how):
    X, y = table("diabetes")
    y = (y - y.mean()) / y.std()
    model, other = both("SVR", X, y, **{"gamma": 0.05} | how)
    # (Where epsilon is 0, or the kernel has few dimensions, several coefficients give one function.)
    if "epsilon" in how or how.get("kernel") != "linear":
        assert_same_machine(model, other, X)
    np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=0, atol=1e-5)
    assert isinstance(model.n_iter_, int)


@pytest.mark.parametrize("how", [{}, {"nu": 0.2, "C": 5.0}], ids=str)
def test_nu_svr(how):
    X, y = table("diabetes")
    y = (y - y.mean()) / y.std()
    model, other = both("NuSVR", X, y, **{"gamma": 0.05} | how)
    assert_same_machine(model, other, X)


@pytest.mark.parametrize("nu", [0.05, 0.3])
@pytest.mark.parametrize("name", ["iris", "breast cancer"])
def test_one_class(name, nu):
    X, _ = table(name)
    model, other = both("OneClassSVM", X, nu=nu, gamma=0.1)
    np.testing.assert_allclose(model.offset_, other.offset_, rtol=1e-7)
    np.testing.assert_allclose(model.decision_function(X), other.decision_function(X), rtol=0, atol=1e-6)
    np.testing.assert_allclose(model.score_samples(X), other.score_samples(X), rtol=0, atol=1e-6)
    clear = np.abs(other.decision_function(X)) > 1e-6
    assert np.array_equal(model.predict(X)[clear], other.predict(X)[clear])
    assert np.array_equal(model.fit_predict(X), model.predict(X))


@pytest.mark.parametrize("name", ["SVC", "SVR", "NuSVR", "OneClassSVM"])
def test_weights(name):
    X, y = table("breast cancer" if name == "SVC" else "diabetes", 200)
    y = y if name == "SVC" else (y - y.mean()) / y.std()
    weights = np.random.default_rng(0).choice([0.0, 0.5, 1.0, 3.0], len(X))
    model, other = both(name, X, None if name == "OneClassSVM" else y, weights, gamma=0.05)
    asked = "decision_function" if name in ("SVC", "OneClassSVM") else "predict"
    np.testing.assert_allclose(getattr(model, asked)(X), getattr(other, asked)(X), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["SVC", "SVR", "OneClassSVM"])
def test_sparse(name):
    X, y = table("breast cancer" if name == "SVC" else "diabetes", 300)
    y = y if name == "SVC" else (y - y.mean()) / y.std()
    X = sp.csr_matrix(X * (np.random.default_rng(1).random(X.shape) < 0.2))
    model, other = both(name, X, None if name == "OneClassSVM" else y, gamma=0.1, kernel="rbf")
    asked = "decision_function" if name in ("SVC", "OneClassSVM") else "predict"
    np.testing.assert_allclose(getattr(model, asked)(X), getattr(other, asked)(X), rtol=0, atol=1e-5)
    for attribute in ("dual_coef_", "support_vectors_"):
        a, b = getattr(model, attribute), getattr(other, attribute)
        assert type(a) is type(b)
        assert a.shape[0] == b.shape[0] or attribute == "support_vectors_"


def test_precomputed_and_callables():
    X, y = table("wine")
    K = X @ X.T
    model, other = both("SVC", K, y, kernel="precomputed", C=0.1)
    assert_same_machine(model, other, K)
    assert model.support_vectors_.shape == other.support_vectors_.shape == (0, 0)
    by_call, other = both("SVC", X, y, kernel=lambda A, B: A @ B.T, C=0.1)
    assert_same_machine(by_call, other, X)
    np.testing.assert_allclose(by_call.dual_coef_, model.dual_coef_, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", ["ovr", "ovo"])
@pytest.mark.parametrize("name", ["iris", "digits"])
def test_votes(name, shape):
    """What comes of the pairs' functions: scikit-learn's numbers from the same machines."""
    X, y = table(name, 400)
    model, other = both("SVC", X, y, decision_function_shape=shape)
    due = other.decision_function(X)
    k = len(set(y.tolist()))
    assert due.shape == (len(X), k if shape == "ovr" else k * (k - 1) // 2)
    np.testing.assert_allclose(model.decision_function(X), due, rtol=0, atol=1e-5)
    assert np.array_equal(model.predict(X), other.predict(X))
    if shape == "ovr":
        ties, also = (m.set_params(break_ties=True).predict(X) for m in (model, other))
        assert np.array_equal(ties, also)
        assert np.array_equal(ties, model.classes_[model.decision_function(X).argmax(axis=1)])
    else:
        with pytest.raises(
            ValueError, match="break_ties must be False when decision_function_shape is 'ovo'"
        ):
            model.set_params(break_ties=True).predict(X)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", ["iris", "breast cancer"])
def test_coef_of_linear(name, sparse):
    """One row for each pair, and decision functions are what it gives."""
    X, y = table(name)
    given = sp.csr_matrix(X) if sparse else X
    model, other = both("SVC", given, y, kernel="linear", decision_function_shape="ovo", C=0.5)
    assert model.coef_.shape == other.coef_.shape
    assert type(model.coef_) is type(other.coef_)
    W = dense(model.coef_)
    np.testing.assert_allclose(W, dense(other.coef_), rtol=0, atol=1e-6)
    out = X @ W.T + model.intercept_
    out = out if out.shape[1] > 1 else out[:, 0]
    np.testing.assert_allclose(model.decision_function(X), out, rtol=0, atol=1e-10)
    with pytest.raises(ValueError, match="read-only"):
        (model.coef_.data if sparse else model.coef_)[:1] = 0
    rbf = ours.SVC().fit(X, y)
    with pytest.raises(AttributeError, match="coef_ is only available when using a linear kernel"):
        rbf.coef_
