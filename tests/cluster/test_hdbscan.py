"""HDBSCAN: by hand, at the edges, and as scikit-learn where no two reachabilities are equal."""

import numpy as np
import pytest
import scipy.sparse as sp
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import is_valid_linkage, linkage
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN
from sklearn.cluster import HDBSCAN as Theirs
from sklearn.metrics import adjusted_rand_score

from clinfa.arrays import Table
from clinfa.cluster import HDBSCAN, _mutual_reachability
from clinfa.datasets import make_blobs
from clinfa.errors import NotFittedError

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


def test_records_that_are_not_finite():
    """They get labels of their own, and the others those that they have without them."""
    X = blobs()
    X[3, 1], X[5, 0], X[9, 2] = np.nan, np.inf, -np.inf
    X[11, :2] = np.inf, -np.inf
    X[17, :2] = np.inf, np.nan
    model = HDBSCAN(min_cluster_size=15, store_centers="both").fit(X)
    assert np.flatnonzero(model.labels_ == -2).tolist() == [5, 9, 11]
    assert np.flatnonzero(model.labels_ == -3).tolist() == [3, 17]
    assert np.flatnonzero(np.isnan(model.probabilities_)).tolist() == [3, 17]
    assert (model.probabilities_[[5, 9, 11]] == 0).all()
    fine = np.isfinite(X).all(axis=1)
    alone = HDBSCAN(min_cluster_size=15, store_centers="both").fit(X[fine])
    for name in ("labels_", "probabilities_"):
        np.testing.assert_array_equal(getattr(model, name)[fine], getattr(alone, name))
    for name in ("centroids_", "medoids_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(alone, name))
    cut = model.dbscan_clustering(0.8)
    np.testing.assert_array_equal(cut[fine], alone.dbscan_clustering(0.8))
    np.testing.assert_array_equal(cut[~fine], model.labels_[~fine])
    with np.errstate(invalid="ignore"):  # (they add the values up, so that inf and -inf are NaN)
        theirs = Theirs(min_cluster_size=15, copy=True).fit(np.delete(X, 11, axis=0))
    np.testing.assert_array_equal(np.delete(model.labels_, 11) < -1, theirs.labels_ < -1)


def test_no_finite_record():
    with pytest.raises(ValueError, match="every sample"):
        HDBSCAN().fit(np.full((9, 2), np.nan))


def neighbour_graph(X, k):
    D = cdist(X, X)
    far = np.sort(D, axis=1)[:, k]
    return sp.csr_array(np.where(np.maximum(far[:, None], far) >= D, D, 0))


@pytest.mark.parametrize("k", [2, 5])
def test_sparse_distances_as_scikit_learn(k):
    G = neighbour_graph(blobs(), 80)
    ours = HDBSCAN(metric="precomputed", min_samples=k).fit(G)
    theirs = Theirs(metric="precomputed", min_samples=k, copy=True).fit(G)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) > 0.99
    np.testing.assert_array_equal(ours.labels_ < 0, theirs.labels_ < 0)


def test_all_distances_sparse_or_dense():
    """Stored distances do not include that of a record to itself, so one neighbour fewer is counted."""
    X = blobs()
    D = cdist(X, X)
    dense = HDBSCAN(metric="precomputed", min_cluster_size=10, min_samples=6).fit(D)
    sparse = HDBSCAN(metric="precomputed", min_cluster_size=10, min_samples=5).fit(sp.csr_array(D))
    np.testing.assert_array_equal(dense.labels_, sparse.labels_)
    np.testing.assert_array_equal(dense.probabilities_, sparse.probabilities_)


def test_a_distance_of_zero_may_be_stored():
    """Six records at two places, 3 apart; SciPy's own spanning tree would lose edges of weight zero."""
    a, b = np.nonzero(~np.eye(6, dtype=bool))
    G = sp.csr_array((np.where(a // 3 == b // 3, 0.0, 3.0), (a, b)), (6, 6))
    model = HDBSCAN(metric="precomputed", min_cluster_size=3, min_samples=2).fit(G)
    assert adjusted_rand_score(model.labels_, [0, 0, 0, 1, 1, 1]) == 1


def test_missing_distances():
    X = blobs(n=60)
    D = cdist(X, X)
    D[:20, 20:] = D[20:, :20] = np.inf
    with pytest.warns(UserWarning, match="edge weights with value infinity"):
        model = HDBSCAN(metric="precomputed", min_cluster_size=20).fit(D)
    assert not np.isnan(model.probabilities_).any()


@pytest.mark.parametrize(
    ("metric", "params"),
    [
        ("seuclidean", None),
        ("mahalanobis", {"V": np.diag([1.0, 4.0, 2.0])}),
        ("canberra", None),
        ("braycurtis", None),
        ("sqeuclidean", None),
        ("correlation", None),
    ],
)
def test_metrics_of_scipy_as_scikit_learn(metric, params):
    X = blobs(2) + 20
    how = {"metric": metric, "metric_params": params, "min_samples": 1, "min_cluster_size": 10}
    algorithm = "brute" if params is None else "auto"
    ours, theirs = HDBSCAN(**how).fit(X), Theirs(**how, copy=True, algorithm=algorithm).fit(X)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1


@pytest.mark.parametrize("metric", ["jaccard", "rogerstanimoto", "sokalmichener", "yule", "hamming"])
def test_metrics_of_yes_and_no(metric):
    """Two kinds of records, one of which has most of the first features, the other of the last."""
    rng = np.random.default_rng(0)
    X = np.repeat([[1] * 15 + [0] * 15, [0] * 15 + [1] * 15], 40, axis=0)
    X = np.where(rng.random(X.shape) < 0.05, 1 - X, X)
    labels = HDBSCAN(metric=metric, min_cluster_size=20).fit(X).labels_
    kept = labels >= 0
    assert kept.sum() > 60 and adjusted_rand_score(labels[kept], np.repeat([0, 1], 40)[kept]) == 1


def test_haversine():
    """Two towns on one parallel, far apart in degrees near the pole and yet near."""
    rng = np.random.default_rng(0)
    towns = np.array([[1.5, 0.0], [1.5, np.pi], [0.0, 0.0]]).repeat(30, axis=0)
    towns += rng.normal(0, 1e-4, towns.shape)
    labels = HDBSCAN(metric="haversine", min_cluster_size=20).fit(towns).labels_
    assert adjusted_rand_score(labels, np.repeat([0, 1, 2], 30)) == 1
    ours = HDBSCAN(metric="haversine", min_samples=1).fit(towns)
    theirs = Theirs(metric="haversine", min_samples=1, copy=True).fit(towns)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1
    with pytest.raises(ValueError, match="latitude and longitude"):
        HDBSCAN(metric="haversine").fit(np.ones((9, 3)))


@pytest.mark.parametrize("k", [16, 17, 40])
def test_many_neighbours(monkeypatch, k):
    """Of more than 16 the search goes by blocks, here of less than 100 records."""
    X = blobs()
    monkeypatch.setattr(_mutual_reachability, "_ENTRIES", 99 * k)
    tree, given = HDBSCAN(min_samples=k).fit(X), HDBSCAN(min_samples=k, metric="precomputed").fit(cdist(X, X))
    np.testing.assert_array_equal(tree.labels_, given.labels_)
    np.testing.assert_allclose(tree.probabilities_, given.probabilities_, rtol=1e-9)
    np.testing.assert_array_equal(tree.predict(X), tree.labels_)


def test_sparse_records_are_made_dense():
    X = blobs()
    X[abs(X) < 2] = 0
    sparse, dense = HDBSCAN().fit(sp.csr_array(X)), HDBSCAN().fit(X)
    np.testing.assert_array_equal(sparse.labels_, dense.labels_)
    wide = sp.csr_array(([1.0], ([5], [10**7])), shape=(100, 10**7 + 1))
    with pytest.raises(ValueError, match="more than 2 GiB"):
        HDBSCAN().fit(wide)


@pytest.mark.parametrize(
    ("how", "X", "message"),
    [
        ({}, np.ones((1, 2)), "n_samples=1"),
        ({"min_samples": 9}, np.ones((8, 2)), r"min_samples \(9\) must be at most"),
        ({"metric": "precomputed"}, np.ones((8, 2)), "symmetric, however it has shape"),
        ({"metric": "precomputed"}, np.triu(np.ones((8, 8))), "asymmetric"),
        ({"metric": "precomputed"}, -np.ones((8, 8)), "negative"),
        ({"metric": "precomputed"}, np.full((8, 8), np.nan), "np.nan values found"),
        ({"metric": "precomputed"}, sp.csr_array(-np.ones((8, 8))), "negative"),
        ({"metric": "precomputed"}, sp.csr_array(np.full((8, 8), np.inf)), "infinity"),
        ({"metric": "precomputed"}, sp.csr_array(np.triu(np.ones((8, 8)))), "asymmetric"),
        ({"metric": "precomputed"}, sp.csr_array(np.ones((8, 9))), "has shape"),
        ({"metric": "precomputed"}, sp.csr_array(np.eye(8)), "fewer than 5 neighbors"),
        ({"metric": "precomputed"}, sp.block_diag([np.ones((6, 6))] * 2, "csr"), "2 connected"),
        ({"algorithm": "kd_tree"}, sp.csr_array(np.ones((8, 9))), "only support algorithm"),
        ({"algorithm": "kd_tree", "metric": "canberra"}, np.ones((8, 9)), "not a valid metric"),
        ({"metric": "pyfunc"}, np.ones((8, 9)), "callable"),
        ({"metric": "precomputed", "store_centers": "both"}, np.ones((8, 8)), "Cannot store centers"),
        ({"metric": "cosine", "algorithm": "kd_tree"}, np.ones((8, 2)), "not a valid metric"),
        ({"metric": "cosine"}, np.zeros((8, 2)), "not finite"),
        ({"metric": "minkowski", "metric_params": {"p": 0.5}}, np.ones((8, 2)), "p in metric_params"),
    ],
)
def test_refused(how, X, message):
    with pytest.raises(ValueError, match=message):
        HDBSCAN(**how).fit(X)


# The hierarchy, and new records


NEW = [
    {},
    {"min_samples": 1},
    {"alpha": 1.5},
    {"metric": "manhattan"},
    {"metric": "canberra"},
    {"metric": "minkowski", "metric_params": {"p": 3}},
    {"allow_single_cluster": True, "cluster_selection_epsilon": 0.5},
    {"cluster_selection_method": "leaf"},
]


@pytest.mark.parametrize("shape", ["blobs", "grid", "constant column", "huge", "tiny", "float32"])
@pytest.mark.parametrize("how", NEW, ids=str)
def test_fitted_records_are_predicted_as_they_are(how, shape):
    X = {
        "blobs": lambda X: X,
        "grid": lambda X: np.round(X),
        "constant column": lambda X: np.hstack([X, np.full((len(X), 1), 1e12)]),
        "huge": lambda X: np.ldexp(X, 1000),
        "tiny": lambda X: np.ldexp(X, -900),
        "float32": lambda X: X.astype(np.float32),
    }[shape](blobs(n=500))
    if shape in ("huge", "tiny") and how.get("metric") == "canberra":
        how = {**how, "metric": "euclidean"}
    model = HDBSCAN(min_cluster_size=15, **how).fit(X)
    labels, strength = model.approximate_predict(X)
    np.testing.assert_array_equal(labels, model.labels_)
    np.testing.assert_array_equal(strength, model.probabilities_)
    np.testing.assert_array_equal(model.predict(X[::-1]), model.labels_[::-1])
    np.testing.assert_array_equal(model.membership_vectors(X), model.membership_vectors())


def attached(X, Q, k, alpha):
    """By brute force: the record to which each new one attaches, and at which distance."""
    D, far = cdist(Q, X), cdist(X, X)
    core = np.sort(far, axis=1)[:, k - 1]
    own = np.sort(D, axis=1)[:, k - 1]
    reach = np.maximum(np.maximum(D / alpha, own[:, None]), core)
    least = reach.min(axis=1)
    return np.where(reach == least[:, None], D, np.inf).argmin(axis=1), least


@pytest.mark.parametrize("alpha", [1.0, 2.0])
@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("matrix", [False, True])
def test_new_records_attach_by_the_least_reachability(matrix, k, alpha):
    X, rng = blobs(), np.random.default_rng(0)
    Q = np.vstack([rng.uniform(-15, 15, (200, 3)), X[:50] + 0.1, [[1e3] * 3, [-1e9] * 3, [1e200] * 3]])
    metric = {"metric": "minkowski", "metric_params": {"w": np.ones(3)}} if matrix else {}
    model = HDBSCAN(min_samples=k, alpha=alpha, **metric).fit(X)
    right, least = attached(X, Q[:-1], k, alpha)
    row, height = model._hierarchy.linked.space.attach(Table(Q[:-1]))
    np.testing.assert_array_equal(row, right)
    np.testing.assert_allclose(height, least, rtol=1e-12)
    if not matrix:  # (whose distances overflow)
        again, higher = model._hierarchy.linked.space.attach(Table(Q))
        np.testing.assert_array_equal(again[:-1], right)
        np.testing.assert_allclose(higher[-1], 1e200 * np.sqrt(3), rtol=1e-12)


def test_new_records_by_hand():
    """Three at 0, 1, 2 and three at 10, 11, 12 part at 8. 2.5 is 0.5 from 2; 6.5 is nearer to 10, by 3.5; 100
    is 88 away, where there is only the root."""
    X = np.array([0.0, 1, 2, 10, 11, 12])[:, None]
    model = HDBSCAN(min_cluster_size=3, min_samples=1).fit(X)
    left, right = model.labels_[[0, 5]]
    labels, strength = model.approximate_predict([[2.5], [6.5], [100.0], [np.inf], [np.nan]])
    assert labels.tolist() == [left, right, -1, -2, -3]
    np.testing.assert_allclose(strength, [1, 1 / 3.5, 0, 0, np.nan])
    bound = model.membership_vectors([[2.5], [6.5], [100.0], [np.inf], [np.nan]])[:, [left, right]]
    near, far = 1 / 3.5, 1 / 8
    np.testing.assert_allclose(bound[0], [8 / 9, 1 / 9])
    np.testing.assert_allclose(bound[1], near / (near + far) * np.array([far, near]))
    np.testing.assert_allclose(bound[2], [1 / 176, 1 / 176])
    np.testing.assert_array_equal(bound[3:], [[0, 0], [np.nan, np.nan]])
    assert model.predict([[np.nan]]).tolist() == [-3]


def test_distances_to_fitted_records_predict():
    X, Q = blobs(), blobs(5)
    given = HDBSCAN(metric="precomputed").fit(cdist(X, X))
    np.testing.assert_array_equal(given.predict(cdist(Q, X)), HDBSCAN().fit(X).predict(Q))
    graph = HDBSCAN(metric="precomputed").fit(neighbour_graph(X, 80))
    with pytest.raises(ValueError, match="only some distances"):
        graph.predict(cdist(Q, X))


def test_soft_clusters():
    X = blobs()
    model = HDBSCAN(min_cluster_size=15).fit(X)
    soft = model.membership_vectors()
    assert soft.shape == (len(X), model.labels_.max() + 1)
    assert (soft >= 0).all() and (soft.sum(axis=1) <= 1 + 1e-12).all()
    kept = model.labels_ >= 0
    np.testing.assert_array_equal(soft[kept, model.labels_[kept]], soft[kept].max(axis=1))
    together = model.outlier_scores_.argmin()
    assert soft[together].sum() == 1
    assert (soft.sum(axis=1)[kept] >= model.probabilities_[kept] - 1e-12).all()
    assert HDBSCAN().fit(np.arange(9.0)[:, None]).membership_vectors().shape == (9, 0)


def test_single_linkage_tree_is_one_of_scipys():
    X = np.insert(blobs(n=100), 7, np.nan, axis=0)
    model = HDBSCAN(min_samples=1).fit(X)
    merges = model.single_linkage_tree_
    assert is_valid_linkage(merges)
    fine = np.delete(merges, -1, axis=0)
    assert merges[-1].tolist() == [7, 199, np.inf, 101]
    theirs = linkage(np.delete(X, 7, axis=0), "single")
    np.testing.assert_allclose(fine[:, 2], theirs[:, 2], rtol=1e-12)
    np.testing.assert_array_equal(fine[:, 3], theirs[:, 3])


def test_condensed_tree_by_hand():
    X = np.array([0.0, 1, 2, 10, 11, 12, np.inf])[:, None]
    tree = HDBSCAN(min_cluster_size=3, min_samples=1).fit(X).condensed_tree_
    left, right = (8, 9) if tree.parent[tree.child == 0] == 8 else (9, 8)
    rows = zip(
        tree.parent.tolist(), tree.child.tolist(), tree.density.tolist(), tree.size.tolist(), strict=True
    )
    assert set(rows) == {
        *((left, i, 1.0, 1) for i in (0, 1, 2)),
        *((right, i, 1.0, 1) for i in (3, 4, 5)),
        *((7, c, 1 / 8, 3) for c in (8, 9)),
        (7, 6, 0.0, 1),
    }
    assert tree.selected.tolist() == [8, 9]


@pytest.mark.parametrize("power", [0, 1000])
def test_condensed_tree_adds_up(power):
    model = HDBSCAN(min_cluster_size=10).fit(np.ldexp(blobs(), power))
    tree = model.condensed_tree_
    n = len(model.labels_)
    for cluster in range(n + 1, tree.parent.max() + 1):
        assert tree.size[tree.child == cluster] == tree.size[tree.parent == cluster].sum()
        assert tree.density[tree.child == cluster] <= tree.density[tree.parent == cluster].min()
    assert tree.size[tree.parent == n].sum() == n
    assert np.sort(tree.child[tree.child < n]).tolist() == list(range(n))
    assert len(tree.selected) == model.labels_.max() + 1


def test_the_plot_has_all_clusters():
    model = HDBSCAN(min_cluster_size=10).fit(np.vstack([blobs(), np.ones((20, 3))]))
    ax = model.condensed_tree_.plot(Figure().subplots())
    assert len(ax.collections) == len(np.unique(model.condensed_tree_.parent))
    colours = [tuple(c.get_facecolor()[0]) for c in ax.collections]
    assert len(set(colours)) == model.labels_.max() + 2
    assert HDBSCAN().fit(np.arange(9.0)[:, None]).condensed_tree_.plot(Figure().subplots()).yaxis_inverted()


def test_outlier_scores():
    """By hand: 4 leaves at distance 2 a cluster whose densest part ends at 1; then against the definition."""
    X = np.r_[[0, 1, 2, 4], 100 + np.arange(4), np.inf, np.nan].astype(float)[:, None]
    model = HDBSCAN(min_cluster_size=3, min_samples=1).fit(X)
    np.testing.assert_array_equal(model.outlier_scores_, [0, 0, 0, 0.5, 0, 0, 0, 0, 1, np.nan])
    model = HDBSCAN(min_cluster_size=10).fit(blobs())
    tree, n = model.condensed_tree_, 600

    def greatest(cluster):
        mine = tree.parent == cluster
        return max(tree.density[mine].max(), *(greatest(c) for c in tree.child[mine] if c >= n), 0)

    points = tree.child < n
    scores = np.empty(n)
    scores[tree.child[points]] = [
        1 - d / greatest(c) for c, d in zip(tree.parent[points], tree.density[points], strict=True)
    ]
    np.testing.assert_allclose(model.outlier_scores_, scores, atol=1e-12)


def test_nothing_before_fit():
    for ask in ("condensed_tree_", "single_linkage_tree_", "outlier_scores_"):
        with pytest.raises(NotFittedError):
            getattr(HDBSCAN(), ask)
    for call in ("predict", "approximate_predict", "membership_vectors", "dbscan_clustering"):
        with pytest.raises(NotFittedError):
            getattr(HDBSCAN(), call)(0.5 if call.startswith("dbscan") else np.ones((3, 2)))
