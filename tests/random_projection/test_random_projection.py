"""Random projections: moments, distances, and scikit-learn's functions beside ours."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import random_projection as theirs

from clinfa.errors import DataDimensionalityWarning
from clinfa.random_projection import (
    GaussianRandomProjection,
    SparseRandomProjection,
    johnson_lindenstrauss_min_dim,
)

BOTH = [GaussianRandomProjection, SparseRandomProjection]


def dense(A):
    return A.toarray() if sp.issparse(A) else A


def test_the_number_of_directions_is_that_of_scikit_learn():
    for n, eps in ((1, 0.5), (1000, 0.1), ([10, 1e5], 0.3), (1e6, [0.5, 0.01])):
        got, want = (
            f(n, eps=eps) for f in (johnson_lindenstrauss_min_dim, theirs.johnson_lindenstrauss_min_dim)
        )
        assert np.array_equal(got, want)
    for n, eps in ((0, 0.1), (10, 0), (10, 1), (10, [0.5, 1.1]), (10, np.nan)):
        with pytest.raises(ValueError, match="The JL bound is defined"):
            johnson_lindenstrauss_min_dim(n, eps=eps)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("how", [{}, {"density": 1 / 3}, {"density": 1}])
def test_entries_have_the_right_size(kind, how):
    """Mean 0 and variance 1 / n_components: within five standard errors."""
    if kind is GaussianRandomProjection and how:
        how = {"n_components": 200}
    k, d = 300, 900
    model = kind(**({"n_components": k} | how), random_state=0).fit(np.zeros((2, d)))
    R = dense(model.components_) * np.sqrt(model.n_components_)
    size = np.sqrt(R.size)
    fourth = 3 if kind is GaussianRandomProjection else 1 / model.density_
    assert abs(R.mean()) < 5 / size
    assert abs((R**2).mean() - 1) <= 5 * np.sqrt(fourth - 1) / size + 1e-12
    if kind is SparseRandomProjection:
        share = (R != 0).mean()
        assert abs(share - model.density_) <= 5 * np.sqrt(model.density_ * (1 - model.density_)) / size
        assert np.allclose(np.unique(abs(R[R != 0])), 1 / np.sqrt(model.density_))
        per_row = (R != 0).sum(axis=1)
        assert per_row.std() == pytest.approx(np.sqrt(d * share * (1 - share)), rel=0.3, abs=1e-9)


@pytest.mark.parametrize("kind", BOTH)
def test_distances_are_kept(kind):
    X = np.random.default_rng(99).standard_normal((12, 4000))
    Y = kind(eps=0.4, random_state=0).fit_transform(X)
    assert Y.shape == (12, johnson_lindenstrauss_min_dim(12, eps=0.4))
    first, second = np.triu_indices(12, 1)
    ratio = ((Y[first] - Y[second]) ** 2).sum(axis=1) / ((X[first] - X[second]) ** 2).sum(axis=1)
    assert ratio.min() > 0.6 and ratio.max() < 1.4


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 3000])
def test_the_product_whatever_records_are(kind, dtype, n):
    X = np.random.default_rng(99).standard_normal((n, 150)).astype(dtype)
    X[X < 0.5] = 0
    model = kind(20, random_state=0).fit(X)
    assert model.components_.dtype == dtype
    want = X.astype(float) @ dense(model.components_).T.astype(float)
    tight = 1e-12 if dtype == np.float64 else 1e-4
    for given in (X, np.asfortranarray(X), sp.csr_matrix(X), sp.csc_array(X)):
        got = model.transform(given)
        assert got.dtype == dtype
        assert sp.issparse(got) == (sp.issparse(given) and kind is SparseRandomProjection)
        np.testing.assert_allclose(dense(got), want, atol=tight)
    if kind is SparseRandomProjection:
        got = SparseRandomProjection(20, dense_output=True, random_state=0).fit_transform(sp.csr_matrix(X))
        np.testing.assert_allclose(got, want, atol=tight)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("compute", [False, True])
def test_there_and_back(kind, compute):
    X = np.random.default_rng(99).standard_normal((6, 80))
    model = kind(30, compute_inverse_components=compute, random_state=0).fit(X)
    Y = model.transform(X)
    back = model.inverse_transform(Y)
    np.testing.assert_allclose(model.transform(back), Y, atol=1e-12)
    assert (np.linalg.norm(back, axis=1) < np.linalg.norm(X, axis=1)).all()
    np.testing.assert_allclose(model.inverse_transform(sp.csr_matrix(Y)), back, atol=1e-12)
    assert hasattr(model, "inverse_components_") == compute
    if compute:
        want = np.linalg.pinv(dense(model.components_))
        np.testing.assert_allclose(model.inverse_components_, want, atol=1e-12)
    assert not hasattr(model.set_params(compute_inverse_components=False).fit(X), "inverse_components_")
    with pytest.raises(ValueError, match="has 30 components"):
        model.inverse_transform(X)


@pytest.mark.parametrize("kind", BOTH)
def test_seeds(kind):
    X = np.ones((3, 50))
    one, two, other = (dense(kind(5, random_state=s).fit(X).components_) for s in (0, 0, 1))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    state = np.random.RandomState(0)
    first, second = (dense(kind(5, random_state=state).fit(X).components_) for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("kind", BOTH)
def test_bad_sizes(kind):
    with pytest.warns(DataDimensionalityWarning, match="n_features < n_components"):
        assert kind(9, random_state=0).fit_transform(np.ones((3, 4))).shape == (3, 9)
    with pytest.raises(ValueError, match="larger than the original space"):
        kind(eps=0.1).fit(np.ones((100, 10)))
    with pytest.raises(ValueError, match="which is invalid"):
        kind(eps=0.1).fit(np.ones((1, 10)))


def test_a_density_so_small_that_nothing_is_drawn():
    model = SparseRandomProjection(2, density=1e-9, random_state=0).fit(np.ones((3, 10)))
    assert model.components_.nnz == 0
    assert not model.transform(np.ones((3, 10))).any()
