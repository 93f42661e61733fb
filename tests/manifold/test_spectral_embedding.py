"""Spectral embedding: what coordinates must satisfy, new records, agreement with scikit-learn."""

import numpy as np
import pytest
import sklearn.manifold
from scipy.sparse import block_diag, csr_matrix

from clinfa import Dataset
from clinfa.datasets import load_iris, make_swiss_roll
from clinfa.manifold import SpectralEmbedding, spectral_embedding
from clinfa.metrics.pairwise import rbf_kernel
from clinfa.neighbors import kneighbors_graph

SOLVERS = (None, "arpack", "lobpcg", "amg")


def cloud(n=80, d=3, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def path(n):
    return csr_matrix(np.eye(n, k=1) + np.eye(n, k=-1))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_ring_by_hand(solver):
    """A ring of n records has the eigenvalues 1 - cos(2 pi j / n), and circles for coordinates."""
    n = 40
    ring = path(n).tolil()
    ring[0, n - 1] = ring[n - 1, 0] = 1
    model = SpectralEmbedding(2, affinity="precomputed", eigen_solver=solver, eigen_tol=1e-10, random_state=0)
    places = model.fit_transform(ring.tocsr())
    np.testing.assert_allclose(model.eigenvalues_, 1 - np.cos(2 * np.pi / n), rtol=1e-9)
    np.testing.assert_allclose(
        np.hypot(*places.T), 1 / n**0.5, rtol=1e-6
    )  # degrees are 2, vectors of length 1
    step = np.linalg.norm(places - np.roll(places, 1, axis=0), axis=1)
    np.testing.assert_allclose(step, 2 * np.sin(np.pi / n) / n**0.5, rtol=1e-6)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("dropped", [True, False])
def test_a_path_by_hand(normalised, dropped):
    """Of a path of n records, D - W has the vectors cos(pi j (i + 1/2) / n)."""
    n = 9
    out = spectral_embedding(
        path(n), n_components=2, norm_laplacian=normalised, drop_first=dropped, eigen_tol=1e-10
    )
    if not normalised:
        j = np.array([1, 2]) if dropped else np.array([0, 1])
        wave = np.cos(np.pi * j * (np.arange(n)[:, None] + 0.5) / n)
        wave /= np.linalg.norm(wave, axis=0)
        np.testing.assert_allclose(np.abs(out), np.abs(wave), rtol=0, atol=1e-9)
    if not dropped:
        assert np.ptp(out[:, 0]) < 1e-12
    size = np.abs(out)
    top = (size > 0.999999 * size.max(axis=0)).argmax(axis=0)  # the first of those that are greatest
    assert (out[top, [0, 1]] > 0).all()


@pytest.mark.parametrize("affinity", ["nearest_neighbors", "rbf"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_scikit_learn(affinity, dtype):
    X = cloud(120, dtype=dtype)
    how = {"n_components": 3, "affinity": affinity, "n_neighbors": 12, "random_state": 0}
    ours, theirs = (home.SpectralEmbedding(**how).fit(X) for home in (_Ours, sklearn.manifold))
    W, V = (m.affinity_matrix_ for m in (ours, theirs))
    tiny = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(
        *(A.toarray() if hasattr(A, "toarray") else A for A in (W, V)), rtol=0, atol=tiny
    )
    np.testing.assert_allclose(ours.embedding_, theirs.embedding_, rtol=0, atol=max(1e-6, tiny))
    assert ours.embedding_.dtype == ours.affinity_matrix_.dtype == dtype


class _Ours:
    SpectralEmbedding = SpectralEmbedding


def test_function_agrees_with_scikit_learn():
    W = rbf_kernel(cloud(60), gamma=0.5)
    for how in ({}, {"norm_laplacian": False}, {"drop_first": False}):
        ours, theirs = (
            f(W, n_components=4, random_state=0, **how)
            for f in (spectral_embedding, sklearn.manifold.spectral_embedding)
        )
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


def test_parts_get_places_of_their_own():
    W = block_diag([np.ones((n, n)) for n in (5, 8, 4)], format="csr")
    with pytest.warns(UserWarning, match="not fully connected"):
        places = spectral_embedding(W, n_components=2)
    own = np.unique(places.round(12), axis=0)
    assert len(own) == 3
    assert len(np.unique(places[:5].round(12), axis=0)) == 1


def test_what_is_not_symmetric_is_averaged():
    W = rbf_kernel(cloud(20))
    W[3, 4] += 0.5
    with pytest.warns(UserWarning, match="not symmetric"):
        out = spectral_embedding(W, n_components=2)
    np.testing.assert_allclose(out, spectral_embedding((W + W.T) / 2, n_components=2), rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
@pytest.mark.parametrize("affinity", ["nearest_neighbors", "rbf"])
def test_fitted_records_keep_their_places(affinity, form):
    X = form(cloud(60))
    model = SpectralEmbedding(3, affinity=affinity, n_neighbors=12).fit(X)
    np.testing.assert_array_equal(model.transform(X), model.embedding_)
    np.testing.assert_array_equal(model.transform(X[5:7]), model.embedding_[5:7])
    other = model.transform(X.toarray() if form is csr_matrix else csr_matrix(X))
    np.testing.assert_array_equal(other, model.embedding_)


@pytest.mark.parametrize("affinity", ["nearest_neighbors", "rbf"])
def test_new_records_come_near_to_where_they_would_have_been(affinity):
    roll = make_swiss_roll(1000, random_state=0)[0]
    how = {"n_neighbors": 12, "affinity": affinity, "gamma": 0.02}
    whole = SpectralEmbedding(1, **how).fit(roll).embedding_.ravel()
    places = SpectralEmbedding(1, **how).fit(roll[:900]).transform(roll[900:]).ravel()
    assert abs(np.corrcoef(whole[900:], places)[0, 1]) > 0.99


def test_new_records_by_given_affinities_and_distances():
    X, new = cloud(50), cloud(6, seed=1)
    by_kernel = SpectralEmbedding(2, affinity="rbf", gamma=0.5).fit(X)
    given = SpectralEmbedding(2, affinity="precomputed").fit(rbf_kernel(X, gamma=0.5))
    np.testing.assert_allclose(given.embedding_, by_kernel.embedding_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        given.transform(rbf_kernel(new, X, gamma=0.5)), by_kernel.transform(new), rtol=0, atol=1e-9
    )
    by_neighbours = SpectralEmbedding(2, n_neighbors=9).fit(X)
    apart = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    far = np.sqrt(((new[:, None] - X) ** 2).sum(axis=2))
    for form in (np.asarray, csr_matrix):
        square = (
            form(apart) if form is np.asarray else kneighbors_graph(X, 20, mode="distance", include_self=True)
        )
        distances = SpectralEmbedding(2, affinity="precomputed_nearest_neighbors", n_neighbors=9).fit(square)
        np.testing.assert_allclose(distances.embedding_, by_neighbours.embedding_, rtol=0, atol=1e-9)
        np.testing.assert_allclose(
            distances.transform(form(far)), by_neighbours.transform(new), rtol=0, atol=1e-9
        )


def test_affinity_may_be_a_function():
    X = cloud(40)
    model = SpectralEmbedding(2, affinity=lambda A: rbf_kernel(A, gamma=0.7)).fit(X)
    np.testing.assert_allclose(
        model.embedding_, SpectralEmbedding(2, affinity="rbf", gamma=0.7).fit(X).embedding_, atol=1e-9
    )
    with pytest.raises(ValueError, match="new records"):
        model.transform(X)
    with pytest.raises(ValueError, match="shape"):
        SpectralEmbedding(affinity=lambda A: A).fit(X)


def test_who_is_linked_to_nothing_stays_at_zero():
    X = np.vstack([cloud(30), [[1e3, 0, 0]]])
    with pytest.warns(UserWarning, match="not fully connected"):
        model = SpectralEmbedding(2, affinity="rbf").fit(X)
    np.testing.assert_allclose(model.embedding_[30], 0, atol=1e-12)
    np.testing.assert_array_equal(model.transform([[0.0, 1e3, 0]]), [[0, 0]])


def test_a_dataset_goes_in_and_comes_out():
    iris = load_iris()
    out = SpectralEmbedding(2, affinity="rbf").fit_transform(iris)
    assert isinstance(out, Dataset)
    assert out.records.shape == (150, 2)
    np.testing.assert_array_equal(out.targets, iris.targets)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"n_components": 20}, "n_components=20 must be < n_samples=20"),
        ({"n_neighbors": 21}, "Expected n_neighbors <= n_samples"),
        ({"affinity": "precomputed"}, "square"),
        ({"affinity": "precomputed_nearest_neighbors"}, "square"),
        ({"eigen_solver": "lanczos"}, "eigen_solver"),
        ({"eigen_tol": -1.0}, "eigen_tol"),
    ],
)
def test_what_is_not_allowed(how, words):
    with pytest.raises(ValueError, match=words):
        SpectralEmbedding(**how).fit(cloud(20))


def test_what_the_function_does_not_allow():
    W = rbf_kernel(cloud(6))
    for how, words in (({"n_components": 6}, "n_components"), ({"drop_first": 2}, "drop_first")):
        with pytest.raises(ValueError, match=words):
            spectral_embedding(W, **how)
    assert spectral_embedding(W, n_components=6, drop_first=False).shape == (6, 6)
    with pytest.raises(ValueError, match="square"):
        spectral_embedding(W[:5])
    with pytest.raises(ValueError, match="NaN"):
        spectral_embedding(W * np.nan)
