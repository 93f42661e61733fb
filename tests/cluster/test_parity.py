"""From the same start scikit-learn ends in the same place, after as many iterations."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import cluster as theirs
from sklearn import datasets

from clinfa.cluster import KMeans, k_means
from tests.cluster.problems import between, blobs, sparse, weights

TABLES = {
    "iris": lambda: datasets.load_iris().data,
    "wine": lambda: datasets.load_wine().data,
    "breast_cancer": lambda: datasets.load_breast_cancer().data,
    "digits": lambda: datasets.load_digits().data,
    "diabetes": lambda: datasets.load_diabetes().data,
    "blobs": lambda: blobs(2000, 5, 10, spread=2),
}
HOW = [
    pytest.param({"tol": 0}, id="to-the-end"),
    pytest.param({"tol": 1e-3}, id="tol"),
    pytest.param({"tol": 0, "max_iter": 3}, id="max_iter"),
]


def both(X, first, w=None, algorithm="lloyd", **how):
    return [
        cls(len(first), init=first, n_init=1, algorithm=algorithm, **how).fit(X, sample_weight=w)
        for cls in (KMeans, theirs.KMeans)
    ]


def assert_parity(ours, sklearns, X, rtol=1e-12, centres=1e-10):
    assert np.array_equal(ours.labels_, sklearns.labels_)
    assert ours.n_iter_ == sklearns.n_iter_
    np.testing.assert_allclose(ours.inertia_, sklearns.inertia_, rtol=rtol)
    np.testing.assert_allclose(ours.cluster_centers_, sklearns.cluster_centers_, rtol=centres, atol=centres)
    assert np.array_equal(ours.predict(X), sklearns.predict(X))
    np.testing.assert_allclose(ours.score(X), sklearns.score(X), rtol=10 * rtol)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("k", [2, 3, 8, 20])
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_real_tables(name, k, how, weighted):
    X = TABLES[name]()
    w = weights(len(X)) if weighted else None
    assert_parity(*both(X, between(X, k), w, **how), X)


@pytest.mark.parametrize("name", ["iris", "digits", "blobs"])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_more_starts_on_fewer_rows(name, algorithm):
    X = TABLES[name]()[::3]
    for seed in range(5):
        assert_parity(*both(X, between(X, 6, seed), algorithm=algorithm, tol=0), X)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("k", [2, 8])
def test_sparse_rows(how, weighted, k):
    for X in (sparse(800, 40), sp.csr_array(datasets.load_digits().data)):
        w = weights(X.shape[0]) if weighted else None
        assert_parity(*both(X, between(X.toarray(), k), w, **how), X)


@pytest.mark.parametrize("name", ["iris", "wine", "blobs"])
def test_float32(name):
    X = TABLES[name]().astype(np.float32)
    ours, sklearns = both(X, between(X, 3).astype(np.float32), tol=0)
    assert ours.cluster_centers_.dtype == sklearns.cluster_centers_.dtype == np.float32
    assert_parity(ours, sklearns, X, rtol=1e-4, centres=1e-4)


@pytest.mark.parametrize("name", ["iris", "digits"])
def test_transform(name):
    X = TABLES[name]()
    ours, sklearns = both(X, between(X, 5), tol=0)
    np.testing.assert_allclose(ours.transform(X), sklearns.transform(X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
@pytest.mark.parametrize("kind", ["dense", "csr"])
@pytest.mark.parametrize("max_iter", [1, 2, 300])
def test_one_empty_cluster(weighted, algorithm, kind, max_iter):
    """A start that no row is near: that cluster goes to the row farthest from its own centre."""
    X = blobs(300, 3, 4)
    first = np.vstack([between(X, 4), np.full(3, 500.0)])
    rows = sp.csr_array(X) if kind == "csr" else X
    w = weights(300) if weighted else None
    assert_parity(*both(rows, first, w, algorithm, tol=0, max_iter=max_iter), rows)


@pytest.mark.parametrize("empty", [2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_several_empty_clusters(empty, seed):
    """scikit-learn takes the same rows in no certain order, so that only numbers may differ."""
    X = blobs(300, 3, 4, seed=seed)
    first = np.vstack([between(X, 3), 500.0 + np.arange(empty)[:, None] * np.ones(3)])
    ours, sklearns = both(X, first, tol=0, max_iter=1)
    order = [np.lexsort(model.cluster_centers_.T) for model in (ours, sklearns)]
    np.testing.assert_allclose(
        ours.cluster_centers_[order[0]], sklearns.cluster_centers_[order[1]], rtol=1e-10, atol=1e-10
    )
    assert ours.inertia_ == pytest.approx(sklearns.inertia_, rel=1e-12)


def test_function():
    X = TABLES["wine"]()
    how = {"init": between(X, 4), "n_init": 1, "return_n_iter": True}
    ours, sklearns = k_means(X, 4, **how), theirs.k_means(X, 4, **how)
    np.testing.assert_allclose(ours[0], sklearns[0], rtol=1e-10)
    assert np.array_equal(ours[1], sklearns[1])
    assert ours[2] == pytest.approx(sklearns[2], rel=1e-12)
    assert ours[3] == sklearns[3]
