"""K-means on inputs whose result anyone can work out."""

import numpy as np
import pytest
import scipy.sparse as sp

from clinfa.cluster import KMeans, MiniBatchKMeans, k_means, kmeans_plusplus
from clinfa.errors import ConvergenceWarning
from tests.cluster.problems import blobs, squared, whole

ALGORITHMS = ["auto", "lloyd", "elkan", "hamerly"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_pairs(algorithm, dtype):
    """From 0 and 1 the centres go to 0 and 20/3, then to 0.5 and 9.5, and stay."""
    X = np.array([[0], [1], [9], [10]], dtype)
    for max_iter, centres, labels, inertia in [
        (1, [0, 20 / 3], [0, 0, 1, 1], 1 + (7 / 3) ** 2 + (10 / 3) ** 2),
        (2, [0.5, 9.5], [0, 0, 1, 1], 1),
        (300, [0.5, 9.5], [0, 0, 1, 1], 1),
    ]:
        model = KMeans(2, init=[[0], [1]], max_iter=max_iter, tol=0, algorithm=algorithm).fit(X)
        np.testing.assert_allclose(model.cluster_centers_.ravel(), centres, rtol=1e-6)
        assert model.cluster_centers_.dtype == dtype
        assert model.labels_.tolist() == labels
        assert model.labels_.dtype == np.int32
        assert model.inertia_ == pytest.approx(inertia, rel=1e-6)
        assert model.n_iter_ == min(max_iter, 3)
    assert model.predict(np.array([[4.9], [5.1]], dtype)).tolist() == [0, 1]
    assert model.transform(np.array([[0.5], [2]], dtype)).tolist() == [[0, 9], [1.5, 7.5]]
    assert model.score(X) == -1


def test_weights_by_hand():
    """0 (weight 3) and 4 (weight 1) meet at 1; inertia 3 * 1 + 1 * 9."""
    model = KMeans(2, init=[[0.0], [100]]).fit([[0.0], [4], [100]], sample_weight=[3, 1, 0.5])
    assert model.cluster_centers_.tolist() == [[1], [100]]
    assert model.inertia_ == 12
    assert model.score([[2.0]], sample_weight=[5]) == -5


def test_a_tie_goes_to_the_lower_number():
    model = KMeans(2, init=[[-1.0], [1]], max_iter=1).fit([[-1.0], [1], [0]])
    assert KMeans(2, init=[[-1.0], [1]]).fit([[-1.0], [1]]).predict([[0.0]]).tolist() == [0]
    assert model.cluster_centers_.tolist() == [[-0.5], [1]]


@pytest.mark.parametrize("n", [1, 2, 33, 1000])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_one_cluster_is_the_mean(n, init):
    X = blobs(n, 5)
    model = KMeans(1, init=init, random_state=0).fit(X)
    np.testing.assert_allclose(model.cluster_centers_, X.mean(axis=0, keepdims=True), rtol=1e-13, atol=1e-14)
    assert not model.labels_.any()
    assert model.inertia_ == pytest.approx(((X - X.mean(axis=0)) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("n", [2, 7, 40])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_as_many_clusters_as_rows(n, init, algorithm):
    X = blobs(n, 3)
    model = KMeans(n, init=init, random_state=1, algorithm=algorithm, n_init=1).fit(X)
    assert model.inertia_ == 0
    assert sorted(model.labels_) == list(range(n))
    assert np.array_equal(model.cluster_centers_[model.labels_], X)


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_row(estimator, dtype):
    model = estimator(1, random_state=0).fit(np.array([[3, -4]], dtype))
    assert model.cluster_centers_.tolist() == [[3, -4]]
    assert (model.inertia_, model.labels_.tolist()) == (0, [0])
    assert model.transform(np.array([[0, 0]], dtype)).tolist() == [[5]]


@pytest.mark.parametrize("constant", [0.0, 1.0, -1e8, 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_columns_change_nothing(constant, dtype):
    X = blobs(300, 2, 4, dtype=dtype)
    wide = np.column_stack([X, np.full(300, constant, dtype), np.zeros(300, dtype)])
    first = X[:4]
    alone = KMeans(4, init=first).fit(X)
    model = KMeans(4, init=wide[:4]).fit(wide)
    assert np.array_equal(model.labels_, alone.labels_)
    np.testing.assert_allclose(model.cluster_centers_[:, :2], alone.cluster_centers_, rtol=1e-5)
    np.testing.assert_allclose(model.cluster_centers_[:, 2], dtype(constant), rtol=50 * np.finfo(dtype).eps)
    assert not model.cluster_centers_[:, 3].any()


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 1.0, -1e7, 1e-30, 1e30])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_all_rows_the_same(estimator, init, dtype, value):
    X = np.full((50, 3), value, dtype)
    model = estimator(4, init=init, random_state=0).fit(X)
    assert (model.cluster_centers_ == dtype(value)).all()
    assert model.inertia_ == 0
    assert (model.labels_ == model.labels_[0]).all()


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("n", [12, 6000])
def test_fewer_different_rows_than_clusters(init, algorithm, n):
    X = np.array([[0.0, 1], [5, 5], [-3, 2]])[np.arange(n) % 3]
    model = KMeans(5, init=init, algorithm=algorithm, random_state=0, n_init=1)
    with pytest.warns(
        ConvergenceWarning,
        match=r"Number of distinct clusters \(3\) found smaller than n_clusters \(5\)",
    ):
        model.fit(X)
    assert np.isfinite(model.cluster_centers_).all()
    assert model.inertia_ == 0
    assert len(np.unique(model.labels_)) == 3
    assert np.array_equal(model.cluster_centers_[model.labels_], X)


def test_rows_that_weigh_nothing_are_labelled_all_the_same():
    X = np.array([[0.0], [1], [9], [10], [1000]])
    model = KMeans(2, init=[[0.0], [9]]).fit(X, sample_weight=[1, 1, 1, 1, 0])
    assert model.cluster_centers_.tolist() == [[0.5], [9.5]]
    assert model.labels_.tolist() == [0, 0, 1, 1, 1]
    assert model.inertia_ == 1


def test_an_empty_cluster_takes_the_farthest_point():
    """Nothing is near 100: that centre takes 12, the point farthest from its own centre."""
    X = np.array([[0.0], [1], [2], [12]])
    model = KMeans(2, init=[[0.0], [100]], max_iter=1).fit(X)
    assert model.cluster_centers_.tolist() == [[1], [12]]
    assert model.labels_.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("k", [2, 7, 64])
@pytest.mark.parametrize("kind", ["float32", "float64", "csr"])
def test_all_centres_start_in_one_place(algorithm, k, kind):
    """Every row is a tie, and belongs to the first centre; each other one takes a far row."""
    X = blobs(3000, 8, 5, dtype=np.float32 if kind == "float32" else np.float64)
    rows = sp.csr_array(X) if kind == "csr" else X
    first = np.repeat(X.mean(axis=0, keepdims=True), k, axis=0)
    model = KMeans(k, init=first, max_iter=1, algorithm=algorithm).fit(rows)
    far = X[np.argsort(-squared(X, first[:1])[:, 0])[: k - 1]]
    found = model.cluster_centers_[1:]
    np.testing.assert_allclose(found, far, rtol=1e-5, atol=1e-5)
    assert model.labels_.min() == 0
    assert np.isfinite(KMeans(k, init=first, algorithm=algorithm).fit(rows).inertia_)


def test_function_and_estimator_agree():
    X = blobs()
    model = KMeans(6, random_state=3).fit(X)
    centres, labels, inertia, n_iter = k_means(X, 6, random_state=3, return_n_iter=True)
    assert np.array_equal(centres, model.cluster_centers_)
    assert np.array_equal(labels, model.labels_)
    assert (inertia, n_iter) == (model.inertia_, model.n_iter_)
    assert len(k_means(X, 6, random_state=3)) == 3


@pytest.mark.parametrize("n", [4, 5000])
def test_plus_plus_takes_rows(n):
    X = whole(n, 3)
    centres, indices = kmeans_plusplus(X, 4, random_state=0)
    assert np.array_equal(centres, X[indices])
    assert len(np.unique(centres, axis=0)) == 4
