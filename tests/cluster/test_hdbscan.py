"""HDBSCAN: by hand, at the edges, and as scikit-learn where no two reachabilities are equal."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN
from sklearn.cluster import HDBSCAN as Theirs
from sklearn.metrics import adjusted_rand_score

from clinfa.cluster import HDBSCAN
from clinfa.datasets import make_blobs

TWO = np.array([0, 1, 2, 3, 20, 21, 22, 23, 24, 60.0])[:, None]


def blobs(seed=0, d=3, n=600):
    return make_blobs(n, n_features=d, centers=4, cluster_std=1.2, random_state=seed)[0]


def test_by_hand():
    """Two groups of points 1 apart, joined at 17; the point at 60 leaves first, at 36."""
    model = HDBSCAN(min_cluster_size=3, min_samples=1).fit(TWO)
    assert (
        adjusted_rand_score(model.labels_[:9], [0, 0, 0, 0, 1, 1, 1, 1, 1]) == 1 and model.labels_.min() == -1
    )
    assert model.labels_[9] == -1
    assert model.probabilities_.tolist() == [1.0] * 9 + [0.0]


def test_strength_by_hand():
    """4 leaves at distance 2: half as densely as 0, 1 and 2, which part at 1."""
    X = np.r_[[0, 1, 2, 4], 100 + np.arange(4)].astype(float)[:, None]
    model = HDBSCAN(min_cluster_size=3, min_samples=1).fit(X)
    assert model.probabilities_.tolist() == [1, 1, 1, 0.5, 1, 1, 1, 1]


def test_epsilon_joins_what_parts_below_it():
    X = np.r_[[0, 1, 2, 3], 6 + np.arange(4), 50 + np.arange(4)].astype(float)[:, None]
    how = {"min_cluster_size": 4, "min_samples": 1, "cluster_selection_method": "leaf"}
    assert len(set(HDBSCAN(**how).fit(X).labels_)) == 3
    joined = HDBSCAN(**how, cluster_selection_epsilon=4).fit(X)
    assert adjusted_rand_score(joined.labels_, [0] * 8 + [1] * 4) == 1


def test_a_single_cluster_only_where_allowed():
    X = np.arange(20.0)[:, None]
    assert (HDBSCAN().fit(X).labels_ == -1).all()
    assert (HDBSCAN(min_samples=1, allow_single_cluster=True).fit(X).labels_ == 0).all()


def test_the_greatest_size_counts_for_the_root_too():
    X = np.arange(20.0)[:, None]
    model = HDBSCAN(min_samples=1, allow_single_cluster=True, max_cluster_size=19).fit(X)
    assert (model.labels_ == -1).all()


HOW = [
    {},
    {"min_cluster_size": 15},
    {"cluster_selection_method": "leaf", "min_cluster_size": 8},
    {"allow_single_cluster": True},
    {"max_cluster_size": 100},
    {"metric": "manhattan"},
    {"metric": "chebyshev", "alpha": 1.3},
    {"metric": "minkowski", "metric_params": {"p": 3}},
    {"algorithm": "brute"},
    {"metric": "cosine"},
]


@pytest.mark.parametrize("how", HOW, ids=str)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_as_scikit_learn(how, seed):
    """With min_samples=1 cores are 0, and no two reachabilities are equal."""
    X = blobs(seed, 2 + seed)
    ours, theirs = HDBSCAN(min_samples=1, **how).fit(X), Theirs(min_samples=1, copy=True, **how).fit(X)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1
    np.testing.assert_array_equal(ours.labels_ < 0, theirs.labels_ < 0)
    # (Their matrix of distances is of inner products, which cancel.)
    np.testing.assert_allclose(ours.probabilities_, theirs.probabilities_, rtol=1e-8)


@pytest.mark.parametrize("cut", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("k", [1, 5])
def test_a_cut_is_dbscan_without_border_points(cut, k):
    X = blobs()
    labels = HDBSCAN(min_samples=k).fit(X).dbscan_clustering(cut, min_cluster_size=1)
    dbscan = DBSCAN(eps=cut, min_samples=k).fit(X)
    core = dbscan.core_sample_indices_
    assert adjusted_rand_score(labels[core], dbscan.labels_[core]) == 1
    others = np.delete(labels, core)
    assert (np.bincount(labels)[others] == 1).all()


def test_cuts_at_the_ends():
    model = HDBSCAN(min_samples=1).fit(TWO)
    assert (model.dbscan_clustering(0.5) == -1).all()
    assert model.dbscan_clustering(0.5, 1).tolist() == list(range(10))
    assert (model.dbscan_clustering(np.inf) == 0).all()


def test_a_matrix_gives_what_the_tree_gives():
    X = blobs()
    tree = HDBSCAN().fit(X)
    weighed = HDBSCAN(metric="minkowski", metric_params={"w": np.ones(3)}).fit(X)
    given = HDBSCAN(metric="precomputed").fit(cdist(X, X))
    called = HDBSCAN(metric=lambda a, b: float(np.sqrt(((a - b) ** 2).sum()))).fit(X)
    for other in (weighed, given, called):
        np.testing.assert_array_equal(tree.labels_, other.labels_)
        np.testing.assert_allclose(tree.probabilities_, other.probabilities_, rtol=1e-9)


@pytest.mark.parametrize("power", [-1000, -200, 200, 1000])
def test_scale_changes_nothing(power):
    X = blobs(d=2)
    plain, scaled = (HDBSCAN().fit(x) for x in (X, np.ldexp(X, power)))
    np.testing.assert_array_equal(plain.labels_, scaled.labels_)
    np.testing.assert_array_equal(plain.probabilities_, scaled.probabilities_)


def test_a_constant_column_says_nothing():
    X = blobs()
    wide = np.hstack([X, np.full((len(X), 1), 1e300)])
    np.testing.assert_array_equal(HDBSCAN().fit(X).labels_, HDBSCAN().fit(wide).labels_)


def test_float32():
    X = blobs().astype(np.float32)
    ours, double = HDBSCAN().fit(X), HDBSCAN().fit(X.astype(float))
    np.testing.assert_array_equal(ours.labels_, double.labels_)
    assert ours.probabilities_.dtype == np.float32


def test_points_at_one_place_stay_together():
    X = np.repeat(np.array([[0.0], [5.0], [11.0]]), [30, 20, 10], axis=0)
    labels = HDBSCAN().fit(X).labels_
    assert adjusted_rand_score(labels, np.repeat([0, 1, 2], [30, 20, 10])) == 1
    assert (HDBSCAN().fit(np.ones((50, 2))).labels_ == -1).all()


def test_centres():
    X = blobs()
    model = HDBSCAN(min_cluster_size=15, store_centers="both").fit(X)
    for j, (mean, middle) in enumerate(zip(model.centroids_, model.medoids_, strict=True)):
        mine = model.labels_ == j
        w = model.probabilities_[mine]
        np.testing.assert_allclose(mean, w @ X[mine] / w.sum(), rtol=1e-12)
        best = (cdist(X[mine], X[mine]) @ w).argmin()
        np.testing.assert_array_equal(middle, X[mine][best])
    assert j == model.labels_.max()


@pytest.mark.parametrize(
    ("how", "X", "message"),
    [
        ({}, np.ones((1, 2)), "n_samples=1"),
        ({"min_samples": 9}, np.ones((8, 2)), r"min_samples \(9\) must be at most"),
        ({"metric": "precomputed"}, np.ones((8, 2)), "symmetric, however it has shape"),
        ({"metric": "precomputed"}, np.triu(np.ones((8, 8))), "asymmetric"),
        ({"metric": "precomputed"}, -np.ones((8, 8)), "negative"),
        ({"metric": "precomputed", "store_centers": "both"}, np.ones((8, 8)), "Cannot store centers"),
        ({"metric": "cosine", "algorithm": "kd_tree"}, np.ones((8, 2)), "not a valid metric"),
        ({"metric": "cosine"}, np.zeros((8, 2)), "not finite"),
        ({"metric": "minkowski", "metric_params": {"p": 0.5}}, np.ones((8, 2)), "p in metric_params"),
    ],
)
def test_refused(how, X, message):
    with pytest.raises(ValueError, match=message):
        HDBSCAN(**how).fit(X)
