"""White records: their covariance is the identity, and there is a way back."""

import numpy as np
import pytest

from clinfa import Dataset
from clinfa.datasets import load_iris
from clinfa.preprocessing import Whitener

each_method = pytest.mark.parametrize("method", ["pca", "zca", "cholesky"])


def mixed(n=2000, d=7, dtype=np.float64):
    rng = np.random.default_rng(d)
    return (rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 5).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_method
def test_covariance_is_the_identity_and_back_again(method, dtype):
    X, u = mixed(dtype=dtype), np.finfo(dtype).eps / np.finfo(float).eps
    model = Whitener(method).fit(X)
    white = model.transform(X)
    assert white.dtype == model.whitening_.dtype == dtype and model.rank_ == 7
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-12 * u)
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.eye(7), atol=1e-11 * u)
    np.testing.assert_allclose(model.inverse_transform(white), X, atol=1e-12 * u)
    np.testing.assert_array_equal(Whitener(method).fit_transform(X), white)


def test_which_of_all():
    X = mixed()
    pca, zca, cholesky = (Whitener(method).fit(X).whitening_ for method in ("pca", "zca", "cholesky"))
    inverse = np.linalg.inv(np.cov(X, rowvar=False))
    for W in (pca, zca, cholesky):
        np.testing.assert_allclose(W.T @ W, inverse, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(zca, zca.T, atol=1e-12)
    assert (np.linalg.eigvalsh(zca) > 0).all()
    np.testing.assert_allclose(cholesky, np.linalg.cholesky(inverse).T, rtol=1e-8, atol=1e-10)
    length = np.linalg.norm(pca, axis=1)
    assert (np.diff(length) > 0).all()  # the least stretched is the widest direction
    np.testing.assert_allclose(pca @ pca.T, np.diag(length**2), atol=1e-10)


def test_by_hand():
    """Variances 8/3 and 2/3 along the axes."""
    X = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]]) + [3, 4]
    for method in ("pca", "zca", "cholesky"):
        model = Whitener(method).fit(X)
        np.testing.assert_allclose(model.whitening_, np.diag([(3 / 8) ** 0.5, 1.5**0.5]), atol=1e-14)
        np.testing.assert_allclose(model.coloring_, np.diag([(8 / 3) ** 0.5, (2 / 3) ** 0.5]), atol=1e-14)


@each_method
def test_small_variances_count_as_much_as_great_ones(method):
    X = mixed() * np.logspace(0, -7, 7)
    white = Whitener(method).fit_transform(X)
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.eye(7), atol=1e-6)


@each_method
def test_directions_without_variance_are_left_out(method):
    X = mixed(d=4)
    X = np.hstack([X, X[:, :1] - 2 * X[:, 1:2], np.full((len(X), 1), 9.0)])
    model = Whitener(method).fit(X)
    white = model.transform(X)
    assert model.rank_ == 4
    cov = np.cov(white, rowvar=False)
    np.testing.assert_allclose(cov @ cov, cov, atol=1e-9)
    np.testing.assert_allclose(np.trace(cov), 4, rtol=1e-10)
    np.testing.assert_allclose(model.inverse_transform(white), X, atol=1e-10)
    assert not Whitener(method).fit_transform(np.ones((5, 3))).any()


@pytest.mark.parametrize("scale", [1e-300, 1e290])
@each_method
def test_any_scale(method, scale):
    X = mixed()
    np.testing.assert_allclose(
        Whitener(method).fit_transform(X * scale), Whitener(method).fit_transform(X), atol=1e-9
    )


def test_dataset():
    iris = load_iris()
    model = Whitener("zca").fit(iris)
    out = model.transform(iris)
    assert isinstance(out, Dataset) and next(iter(out.feature_names)) == "whitener0"
    np.testing.assert_allclose(model.inverse_transform(out).records, iris.records, atol=1e-12)
    with pytest.raises(ValueError, match="NaN"):
        Whitener().fit([[1.0, np.nan], [2, 3]])
