"""Diffusion maps: certificates, distances after t steps, parts, new records."""

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.sparse import block_diag, csr_matrix

from clinfa import Dataset
from clinfa.kernels import Gaussian, Kernel, Sparse
from clinfa.manifold import DiffusionMap


def cloud(n=60, d=3, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def gaussian(X, Y, eps):
    return np.exp(-((X[:, None] - Y) ** 2).sum(axis=2) / eps)


def probabilities(K, alpha=0.0):
    q = K.sum(axis=1)
    K = K / np.outer(q, q) ** alpha
    return K / K.sum(axis=1)[:, None]


def test_two_records_by_hand():
    """K = [[1, a], [a, 1]]: the second eigenvalue is (1 - a) / (1 + a), degrees are 1 + a."""
    a = np.exp(-0.5)
    for model in (
        DiffusionMap(1, kernel=Gaussian(2.0)).fit([[0.0], [1.0]]),
        DiffusionMap(1, kernel="precomputed").fit([[1.0, a], [a, 1.0]]),
        DiffusionMap.params(n_components=1).fit(Kernel(np.array([[0.0], [1.0]]), method=Gaussian(2.0))),
    ):
        value = (1 - a) / (1 + a)
        np.testing.assert_allclose(model.eigvals(), [value], rtol=1e-14)
        place = value / np.sqrt(2 * (1 + a))
        np.testing.assert_allclose(model.embedding(), [[place], [-place]], rtol=1e-14)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_coordinates_are_eigenvectors_of_the_walk(alpha, steps):
    X = cloud()
    P = probabilities(gaussian(X, X, 3.0), alpha)
    model = DiffusionMap(4, steps=steps, alpha=alpha, kernel=Gaussian(3.0)).fit(X)
    E, values = model.embedding_, model.eigenvalues_
    np.testing.assert_allclose(P @ E, E * values, rtol=0, atol=1e-10)
    assert (np.diff(values) <= 0).all()
    assert values[0] < 1
    top = np.abs(E).argmax(axis=0)
    assert (E[top, np.arange(4)] > 0).all()
    np.testing.assert_allclose(model.transform(X), E, rtol=0, atol=1e-8)


def test_steps_are_powers_of_eigenvalues():
    X = cloud()
    one, four = (DiffusionMap(3, steps=t, kernel=Gaussian(3.0)).fit(X) for t in (1, 4))
    np.testing.assert_array_equal(one.eigenvalues_, four.eigenvalues_)
    np.testing.assert_allclose(four.embedding_, one.embedding_ * one.eigenvalues_**3, rtol=1e-10)


@pytest.mark.parametrize("steps", [1, 3])
def test_distance_is_that_of_where_walks_end(steps):
    X = cloud(25)
    K = gaussian(X, X, 3.0)
    model = DiffusionMap(24, steps=steps, kernel=Gaussian(3.0), eigen_tol=1e-12).fit(X)
    E, pi = model.embedding_, K.sum(axis=1) / K.sum()
    ends = np.linalg.matrix_power(probabilities(K), steps)
    expected = ((ends[:, None] - ends) ** 2 / pi).sum(axis=2)
    squared = ((E[:, None] - E) ** 2).sum(axis=2) * K.sum()
    np.testing.assert_allclose(squared, expected, rtol=0, atol=1e-10 * expected.max())


def test_a_sparse_kernel_is_its_dense_matrix():
    X = cloud(80)
    kernel = Kernel(X, method=Gaussian(2.0), kind=Sparse(10))
    sparse = DiffusionMap(3, eigen_tol=1e-10).fit(kernel)
    dense = DiffusionMap(3, kernel="precomputed").fit(kernel.toarray())
    direct = DiffusionMap(3, kernel=Gaussian(2.0), n_neighbors=10, eigen_tol=1e-10).fit(X)
    for model in (dense, direct):
        np.testing.assert_allclose(model.eigenvalues_, sparse.eigenvalues_, rtol=0, atol=1e-9)
        np.testing.assert_allclose(model.embedding_, sparse.embedding_, rtol=0, atol=1e-7)


def test_only_the_constant_is_left_out_where_there_are_parts():
    K = block_diag([gaussian(X, X, 2.0) for X in (cloud(7), cloud(9), cloud(5))], format="csr")
    model = DiffusionMap(4, kernel="precomputed").fit(K)
    np.testing.assert_array_equal(model.eigenvalues_[:2], 1)
    assert (model.eigenvalues_[2:] < 1).all()
    places = np.unique(model.embedding_[:, :2].round(12), axis=0)
    assert len(places) == 3
    degrees = np.asarray(K.sum(axis=1)).ravel()
    np.testing.assert_allclose(degrees @ model.embedding_, 0, atol=1e-9)  # orthogonal to the constant
    P = probabilities(K.toarray())
    np.testing.assert_allclose(P @ model.embedding_, model.embedding_ * model.eigenvalues_, atol=1e-9)


def test_far_records_are_parts_of_their_own():
    X = np.array([[0.0], [1.0], [1e4], [-1e4]])
    model = DiffusionMap(3, kernel=Gaussian(1.0)).fit(X)
    np.testing.assert_allclose(model.eigenvalues_, [1, 1, (1 - np.exp(-1)) / (1 + np.exp(-1))], rtol=1e-12)
    np.testing.assert_allclose(model.transform(X), model.embedding_, rtol=0, atol=1e-12)
    assert np.isnan(model.transform([[1e6]])).all()


def test_alpha_of_one_forgets_density():
    """Of an arc whose one half has four times as many records, 1 sees the arc, and 0 the halves."""
    at = np.concatenate([np.linspace(0, 1, 400, endpoint=False), np.linspace(1, 2, 100)])
    X = np.c_[np.cos(at), np.sin(at)]
    even = np.cos(np.pi * at / 2)
    found = [
        abs(np.corrcoef(DiffusionMap(1, alpha=a, kernel=Gaussian(0.01)).fit_transform(X)[:, 0], even)[0, 1])
        for a in (1.0, 0.0)
    ]
    assert found[0] > 0.998 > 0.95 > found[1]


def test_negative_eigenvalues_come_last():
    K = np.array([[0.1, 1.0, 0.0], [1.0, 0.1, 1.0], [0.0, 1.0, 0.1]])
    d = K.sum(axis=1)
    values = eigh(K / np.sqrt(np.outer(d, d)), eigvals_only=True)[::-1]
    odd, even = (DiffusionMap(2, steps=t, kernel="precomputed").fit(K) for t in (1, 2))
    np.testing.assert_allclose(odd.eigenvalues_, values[1:], rtol=0, atol=1e-12)
    assert odd.eigenvalues_[1] < 0
    np.testing.assert_allclose(even.embedding_[:, 1], odd.embedding_[:, 1] * values[2], rtol=0, atol=1e-12)


def test_clusters_are_counted_above_the_mean():
    X = np.vstack([cloud(20) * 0.1 + 10 * j for j in range(3)])
    assert DiffusionMap(5, kernel=Gaussian(1.0)).fit(X).estimate_clusters() == 3


def test_new_records_by_given_affinities():
    X, new = cloud(), cloud(4, seed=1)
    by_kernel = DiffusionMap(2, alpha=1.0, steps=2, kernel=Gaussian(3.0)).fit(X)
    given = DiffusionMap(2, alpha=1.0, steps=2, kernel="precomputed").fit(gaussian(X, X, 3.0))
    np.testing.assert_allclose(
        given.transform(gaussian(new, X, 3.0)), by_kernel.transform(new), rtol=0, atol=1e-10
    )


def test_a_kernel_may_be_the_records_of_a_dataset():
    X = cloud(30)
    kernel = Kernel(X, method=Gaussian(2.0))
    out = DiffusionMap(2).fit_transform(Dataset(kernel, np.arange(30)))
    np.testing.assert_array_equal(out.records, DiffusionMap(2).fit(kernel).embedding_)
    np.testing.assert_array_equal(out.targets, np.arange(30))


@pytest.mark.parametrize(
    ("how", "X", "words"),
    [
        ({"n_components": 9}, cloud(9), "n_components=9 must be < n_samples=9"),
        ({"kernel": "precomputed"}, cloud(9), "square"),
        ({"kernel": "precomputed"}, np.triu(np.ones((4, 4))), "symmetric"),
        ({"kernel": "precomputed"}, -np.ones((4, 4)), "positive"),
        ({"kernel": "precomputed"}, csr_matrix((4, 4)), "positive"),
        ({"steps": 0}, cloud(9), "steps"),
        ({"alpha": -1.0}, cloud(9), "alpha"),
        ({"alpha": 1e9}, cloud(9), "alpha=1e\\+09 is too great"),
        ({"kernel": 3}, cloud(9), "kernel"),
        ({"n_neighbors": 9}, cloud(9), "n_neighbors=9 must be < n_samples=9"),
        ({}, np.full((9, 2), np.nan), "NaN"),
    ],
)
def test_what_is_not_allowed(how, X, words):
    with pytest.raises((ValueError, TypeError), match=words):
        DiffusionMap(**how).fit(X)
