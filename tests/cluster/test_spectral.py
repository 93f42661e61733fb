"""Spectral clustering: shapes that hang together, ways to labels, agreement with scikit-learn."""

from functools import partial

import numpy as np
import pytest
import sklearn.cluster
import sklearn.cluster._spectral as theirs
from scipy.sparse import block_diag, csr_matrix

from clinfa import Dataset
from clinfa.cluster import SpectralClustering, spectral_clustering
from clinfa.cluster._spectral import cluster_qr, discretize
from clinfa.datasets import make_circles, make_moons
from clinfa.metrics import adjusted_rand_score
from clinfa.metrics.pairwise import rbf_kernel
from clinfa.neighbors import kneighbors_graph

WAYS = ("kmeans", "discretize", "cluster_qr")


def blobs(sizes=(30, 30, 30), spread=0.4):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(5 * j, spread, (n, 2)) * [1, (-1) ** j] for j, n in enumerate(sizes)])
    return X, np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [partial(make_circles, factor=0.4), make_moons])
def test_shapes_that_hang_together(make, way):
    data = Dataset(*make(300, noise=0.03, random_state=0))
    model = SpectralClustering(2, gamma=30.0, assign_labels=way, random_state=0)
    assert adjusted_rand_score(data.targets, model.fit_predict(data).targets) == 1
    assert model.labels_.dtype == np.int32


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("affinity", ["rbf", "laplacian", "nearest_neighbors", "precomputed", "distances"])
def test_every_affinity_finds_blobs(affinity, way):
    X, truth = blobs()
    how = {"n_neighbors": 40, "gamma": 0.1}
    if affinity == "precomputed":
        X = rbf_kernel(X, gamma=0.1)
    elif affinity == "distances":
        X, affinity = (
            kneighbors_graph(X, 60, mode="distance", include_self=True),
            "precomputed_nearest_neighbors",
        )
    ours, other = (
        home.SpectralClustering(3, affinity=affinity, assign_labels=way, random_state=0, **how).fit(X)
        for home in (_Ours, sklearn.cluster)
    )
    assert adjusted_rand_score(truth, ours.labels_) == adjusted_rand_score(truth, other.labels_) == 1
    A, B = (m.affinity_matrix_ for m in (ours, other))
    assert abs(A - B).max() < 1e-12


class _Ours:
    SpectralClustering = SpectralClustering


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_parts_of_a_graph_are_clusters(way, form):
    W = form(block_diag([np.ones((n, n)) for n in (4, 6, 3)]).toarray())
    with pytest.warns(UserWarning, match="not fully connected"):
        labels = spectral_clustering(W, n_clusters=3, assign_labels=way, random_state=0)
    assert adjusted_rand_score(np.repeat([0, 1, 2], [4, 6, 3]), labels) == 1


def test_labels_of_given_vectors_are_scikit_learns():
    vectors = np.random.default_rng(0).standard_normal((70, 4))
    np.testing.assert_array_equal(cluster_qr(vectors), theirs.cluster_qr(vectors))
    ours = discretize(vectors, np.random.RandomState(0))
    np.testing.assert_array_equal(ours, theirs.discretize(vectors, random_state=0))


def test_discretize_gives_back_indicators_in_any_turn():
    truth = np.random.default_rng(1).integers(0, 4, 60)
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))[0]
    vectors = np.eye(4)[truth] @ turn
    vectors[7] = 0  # who is linked to nothing
    labels = discretize(vectors, np.random.RandomState(0))
    assert adjusted_rand_score(np.delete(truth, 7), np.delete(labels, 7)) == 1


def test_a_kernel_may_be_a_function():
    X, truth = blobs((10, 12))
    model = SpectralClustering(
        2,
        affinity=lambda x, y, c: np.exp(-c * ((x - y) ** 2).sum()),
        kernel_params={"c": 0.1},
        random_state=0,
    )
    assert adjusted_rand_score(truth, model.fit(X).labels_) == 1


def test_fewer_coordinates_than_clusters():
    X, truth = blobs()
    model = SpectralClustering(3, n_components=2, gamma=0.1, random_state=0).fit(X)
    assert adjusted_rand_score(truth, model.labels_) == 1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"n_clusters": 11}, "n_clusters=11 must be <= n_samples=10"),
        ({"n_components": 11}, "n_components=11 must be <= n_samples=10"),
        ({"affinity": "nearest_neighbors", "n_neighbors": 11}, "n_neighbors"),
        ({"affinity": "precomputed"}, "square"),
        ({"affinity": "euclid"}, "affinity"),
        ({"assign_labels": "guess"}, "assign_labels"),
        ({"coef0": np.nan}, "coef0"),
    ],
)
def test_what_is_not_allowed(how, words):
    with pytest.raises(ValueError, match=words):
        SpectralClustering(**{"n_clusters": 2, **how}).fit(blobs((5, 5))[0])
