"""Principal components in the space of a kernel."""

import numpy as np
import pytest
import sklearn.decomposition as theirs
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.preprocessing import KernelCenterer as TheirCenterer

from clinfa import Dataset
from clinfa.datasets import load_iris
from clinfa.decomposition import PCA, KernelPCA
from clinfa.errors import NotFittedError
from clinfa.kernels import Gaussian, Laplacian, Linear
from clinfa.metrics.pairwise import rbf_kernel
from clinfa.preprocessing import KernelCenterer

IRIS = load_iris().records


def records(n, d, seed=0):
    return np.random.default_rng([seed, n, d]).standard_normal((n, d)) * np.linspace(1, 2, d)


def centred(K):
    P = np.eye(len(K)) - 1 / len(K)
    return P @ K @ P


def test_a_line_by_hand():
    """With a linear kernel: records -1, 0, 1 have the eigenvalue 2, and are their own components."""
    model = KernelPCA().fit([[1.0], [2.0], [3.0]])
    assert_allclose(model.eigenvalues_, [2.0])
    half = 0.5**0.5
    assert_allclose(np.abs(model.eigenvectors_), [[half], [0], [half]], atol=1e-15)
    sign = np.sign(model.eigenvectors_[2, 0])
    assert_allclose(model.transform([[4.0], [2.0]]), [[2 * sign], [0]], atol=1e-14)


@pytest.mark.parametrize("solver", ["auto", "dense", "arpack", "randomized"])
@pytest.mark.parametrize("n", [60, 700])
def test_pairs_are_those_of_the_centred_kernel(n, solver):
    X = records(n, 4)
    model = KernelPCA(5, kernel="rbf", gamma=0.1, eigen_solver=solver).fit(X)
    K = centred(rbf_kernel(X, gamma=0.1))
    wanted = np.linalg.eigvalsh(K)[::-1][:5]
    close = 1e-7 if solver == "randomized" else 1e-12
    assert_allclose(model.eigenvalues_, wanted, rtol=close)
    V = model.eigenvectors_
    assert_allclose(V.T @ V, np.eye(5), atol=1e-10)
    assert np.linalg.norm(K @ V - V * model.eigenvalues_, axis=0).max() < 100 * close * wanted[0]
    top = np.abs(V).argmax(axis=0)
    assert (V[top, np.arange(5)] > 0).all()


def test_a_linear_kernel_is_pca():
    X = records(80, 6)
    linear, pca = KernelPCA(3).fit(X), PCA(3).fit(X)
    new = records(10, 6, 1)
    assert_allclose(np.abs(linear.transform(new)), np.abs(pca.transform(new)), rtol=1e-8, atol=1e-10)
    assert_allclose(linear.eigenvalues_, pca.singular_values_**2)
    by_method = KernelPCA(3, kernel=Linear()).fit(X)
    assert_allclose(by_method.transform(new), linear.transform(new), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kernel", ["rbf", Gaussian(3.0), Laplacian(2.0), "poly", "sigmoid", "cosine"])
def test_fitted_records_have_the_components_that_fitting_gives_them(kernel):
    X = records(50, 3)
    model = KernelPCA(4, kernel=kernel, gamma=0.05)
    Z = model.fit_transform(X)
    assert_allclose(model.transform(X), Z, atol=1e-10 * np.abs(Z).max())
    assert_allclose(Z.T @ Z, np.diag(model.eigenvalues_), atol=1e-9 * model.eigenvalues_[0])


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid", "cosine"])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_as_scikit_learn(kernel, form):
    how = {"n_components": 4, "kernel": kernel, "gamma": 0.05, "degree": 2, "coef0": 0.5}
    ours, other = KernelPCA(**how).fit(form(IRIS)), theirs.KernelPCA(**how).fit(IRIS)
    assert_allclose(ours.eigenvalues_, other.eigenvalues_, rtol=1e-9, atol=1e-9)
    new = IRIS[::7] + 0.1
    scale = np.abs(other.transform(new)).max()
    assert_allclose(ours.transform(form(new)), other.transform(new), atol=1e-8 * scale)


def test_all_components_are_those_above_zero():
    model = KernelPCA(kernel="rbf").fit(records(20, 3))
    assert len(model.eigenvalues_) == 19  # (the centred kernel has the constant vector in its null space)
    wide = KernelPCA().fit(records(20, 3))
    assert len(wide.eigenvalues_) == 3
    kept = KernelPCA(6).fit(records(20, 3))
    assert_array_equal(kept.eigenvalues_[3:], np.zeros(3))
    assert_array_equal(kept.transform(records(5, 3, 1))[:, 3:], np.zeros((5, 3)))
    assert len(KernelPCA(6, remove_zero_eig=True).fit(records(20, 3)).eigenvalues_) == 3


def test_a_kernel_that_is_given():
    X, new = records(40, 3), records(6, 3, 1)
    K = rbf_kernel(X, gamma=0.2)
    before = K.copy()
    given = KernelPCA(3, kernel="precomputed").fit(K)
    other = KernelPCA(3, kernel="rbf", gamma=0.2).fit(X)
    assert_array_equal(K, before)
    assert_allclose(given.transform(rbf_kernel(new, X, gamma=0.2)), other.transform(new), atol=1e-12)
    called = KernelPCA(3, kernel=lambda a, b, s: np.exp(-((a - b) ** 2).sum() * s), kernel_params={"s": 0.2})
    assert_allclose(called.fit(X).transform(new), other.transform(new), atol=1e-11)


def test_the_way_back():
    X = records(60, 2)
    model = KernelPCA(20, kernel="rbf", gamma=0.05, alpha=1e-4, fit_inverse_transform=True)
    back = model.inverse_transform(model.fit_transform(X))
    assert np.abs(back - X).max() < 0.2
    other = theirs.KernelPCA(20, kernel="rbf", gamma=0.05, alpha=1e-4, fit_inverse_transform=True).fit(X)
    assert_allclose(back, other.inverse_transform(other.transform(X)), atol=1e-5)
    with pytest.raises(ValueError, match="X has 3 features, but KernelPCA has 20 components"):
        model.inverse_transform(X[:, [0, 0, 0]])
    with pytest.raises(NotFittedError, match="not set to True"):
        KernelPCA().fit(X).inverse_transform(X)
    with pytest.raises(ValueError, match="Cannot fit_inverse_transform with a precomputed"):
        KernelPCA(kernel="precomputed", fit_inverse_transform=True).fit(X @ X.T)


def test_single_precision_and_datasets():
    X = IRIS.astype(np.float32)
    model = KernelPCA(2, kernel="rbf").fit(X)
    double = KernelPCA(2, kernel="rbf").fit(IRIS)
    assert model.eigenvalues_.dtype == model.transform(X).dtype == np.float32
    assert_allclose(model.transform(X), double.transform(IRIS), atol=1e-4)
    out = double.transform(load_iris())
    assert isinstance(out, Dataset)
    assert out.feature_names == ["kernelpca0", "kernelpca1"]
    assert_array_equal(
        KernelPCA.params(n_components=2, kernel="rbf").fit(IRIS).eigenvalues_, double.eigenvalues_
    )


def test_what_is_refused():
    with pytest.raises(ValueError, match="significant negative eigenvalues"):
        KernelPCA(3, kernel="precomputed").fit([[0.0, 5.0, 1.0], [5.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    with pytest.raises(ValueError, match="must be a square matrix"):
        KernelPCA(kernel="precomputed").fit(np.ones((3, 2)))
    with pytest.raises(ValueError, match="'kernel' parameter of KernelPCA"):
        KernelPCA(kernel="far").fit(IRIS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_centring(dtype):
    X, new = records(30, 4).astype(dtype), records(7, 4, 1).astype(dtype)
    K, cross = X @ X.T, new @ X.T
    model = KernelCenterer().fit(K)
    wanted = TheirCenterer().fit(K)
    close = 1e-12 if dtype == np.float64 else 1e-4
    assert_allclose(model.K_fit_rows_, wanted.K_fit_rows_, rtol=close, atol=close)
    assert_allclose(model.transform(cross), wanted.transform(cross), rtol=close, atol=10 * close)
    middle = X.mean(axis=0)
    assert_allclose(model.transform(cross), (new - middle) @ (X - middle).T, rtol=close, atol=100 * close)
    kept = cross.copy()
    model.transform(cross)
    assert_array_equal(cross, kept)
    assert model.transform(cross, copy=False) is cross
    assert_allclose(KernelCenterer().fit_transform(K).sum(axis=0), np.zeros(30), atol=1e-3)
    with pytest.raises(ValueError, match=r"must be a square matrix\. Input is a 7x30 matrix"):
        KernelCenterer().fit(kept)
