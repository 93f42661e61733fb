"""OPTICS: hand-worked orders, its definition by brute force, xi and cuts, scikit-learn's results."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import cdist
from sklearn.cluster import OPTICS as TheirOPTICS
from sklearn.cluster import cluster_optics_xi as their_xi
from sklearn.datasets import load_iris

from clinfa import Dataset, config_context
from clinfa.cluster import OPTICS, cluster_optics_dbscan, cluster_optics_xi, compute_optics_graph


def clumps(n, d, seed=0):
    """Groups of different density."""
    rng = np.random.default_rng(seed)
    which = rng.integers(5, size=n)
    return rng.uniform(-8, 8, (5, d))[which] + rng.standard_normal((n, d)) * 0.2 * (1 + which[:, None])


def by_definition(far, k, max_eps=np.inf):
    """The order from a matrix of distances, one record after another."""
    n = len(far)
    core = np.sort(far, axis=1)[:, k - 1]
    core = np.around(np.where(core > max_eps, np.inf, core), 15)
    reach, whence, order, open_ = np.full(n, np.inf), np.full(n, -1), [], set(range(n))
    while open_:
        row = min(open_, key=lambda i: (reach[i], i))
        open_.remove(row)
        order.append(row)
        for i in open_ if core[row] < np.inf else ():
            near = np.around(max(far[row, i], core[row]), 15)
            if far[row, i] <= max_eps and near < reach[i]:
                reach[i], whence[i] = near, row
    return np.array(order), core, reach, whence


def check(found, expected, rtol=0.0):
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol)


def graph_of(model):
    return model.ordering_, model.core_distances_, model.reachability_, model.predecessor_


HARD = {
    "clumps": clumps(150, 2),
    "clumps in 5": clumps(150, 5),
    "a lattice": np.indices((9, 9)).reshape(2, -1).T.astype(float),
    "a line": np.arange(60.0)[:, None] % 17,
    "duplicates": np.repeat(clumps(12, 3), 7, axis=0),
    "all equal": np.ones((40, 2)),
    "tenths": np.indices((7, 7)).reshape(2, -1).T * 0.1,
    "16 records": clumps(16, 2),
    "17 records": clumps(17, 2),
    "two records": np.array([[0.0], [3.0]]),
}


@pytest.mark.parametrize("max_eps", [np.inf, 1.0, 0.1])
@pytest.mark.parametrize("name", HARD)
@pytest.mark.filterwarnings("ignore:All reachability values are inf:UserWarning")
def test_the_definition_to_the_bit(name, max_eps):
    X = HARD[name]
    k = min(4, len(X))
    found = compute_optics_graph(X, min_samples=k, max_eps=max_eps)
    # `within` is of squares, as in every tree.
    far = cdist(X, X)
    square = cdist(X, X, "sqeuclidean")
    expected = by_definition(np.where(square <= max_eps * max_eps, far, np.inf), k, max_eps)
    check(found, expected)


@pytest.mark.parametrize(
    ("metric", "name"),
    [("manhattan", "cityblock"), ("l1", "cityblock"), ("chebyshev", "chebyshev"), ("canberra", "canberra"),
     ("sqeuclidean", "sqeuclidean"), ("l2", "euclidean"), ("cityblock", "cityblock")],
)  # fmt: skip
@pytest.mark.parametrize("max_eps", [np.inf, 2.0])
def test_metrics(metric, name, max_eps):
    X = clumps(120, 3)
    found = compute_optics_graph(X, min_samples=5, metric=metric, max_eps=max_eps)
    check(found, by_definition(cdist(X, X, name), 5, max_eps), 1e-13)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 50, np.inf])
def test_powers(p):
    X = clumps(120, 3)
    far = cdist(X, X, "chebyshev") if p == np.inf else cdist(X, X, "minkowski", p=p)
    check(compute_optics_graph(X, p=p), by_definition(far, 5), 1e-13)
    check(compute_optics_graph(X, p=7, metric_params={"p": p}), by_definition(far, 5), 1e-13)


def test_cosines_and_a_record_without_direction():
    X = clumps(100, 4)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    expected = by_definition(cdist(unit, unit, "sqeuclidean") / 2, 5)
    found = compute_optics_graph(X, metric="cosine")
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[2], expected[2], atol=1e-14)
    far = cdist(unit, unit, "sqeuclidean") / 2
    far = np.block([[far, np.ones((100, 1))], [np.ones((1, 101))]])
    far[100, 100] = 0
    found = compute_optics_graph(np.vstack([X, np.zeros(4)]), metric="cosine")
    expected = by_definition(far, 5)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[2], expected[2], atol=1e-14)


def test_functions_and_given_distances():
    X = clumps(60, 2)
    far = cdist(X, X)
    expected = by_definition(far, 5)
    check(compute_optics_graph(X, metric=lambda a, b: np.sqrt(((a - b) ** 2).sum())), expected, 1e-14)
    check(compute_optics_graph(far, metric="precomputed"), expected)
    check(compute_optics_graph(sp.csr_array(far), metric="precomputed"), expected)
    near = np.where(far < 3, far, 0)
    expected = by_definition(np.where((near > 0) | np.eye(60, dtype=bool), near, np.inf), 3)
    check(compute_optics_graph(sp.csr_array(near), min_samples=3, metric="precomputed"), expected)
    with pytest.raises(ValueError, match="neighbors are required"):
        compute_optics_graph(sp.csr_array(near), min_samples=50, metric="precomputed")
    with pytest.raises(ValueError, match="square"):
        compute_optics_graph(X, metric="precomputed")
    with pytest.raises(ValueError, match="Negative"):
        compute_optics_graph(-far, metric="precomputed")
    with pytest.raises(ValueError, match="NaN"):
        compute_optics_graph(X, metric=lambda a, b: np.nan)


def test_a_share_of_the_records():
    X = clumps(300, 2)  # 270 neighbours: more than are kept in a sorted list
    check(compute_optics_graph(X, min_samples=0.9), by_definition(cdist(X, X), 270), 1e-13)
    check(compute_optics_graph(X, min_samples=0.0), by_definition(cdist(X, X), 2), 1e-13)


@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**-300, 2.0**300, 2.0**1000])
def test_any_scale_is_the_same_order(factor):
    X = clumps(200, 3)
    plain, far = compute_optics_graph(X), compute_optics_graph(X * factor)
    np.testing.assert_array_equal(plain[0], far[0])
    np.testing.assert_array_equal(plain[3], far[3])
    np.testing.assert_allclose(
        far[2] / factor, plain[2], atol=2e-14
    )  # (rounded to 15 decimals of another unit)


def test_single_precision_is_read_exactly():
    X = clumps(300, 3).astype(np.float32)
    single, double = OPTICS().fit(X), OPTICS().fit(X.astype(float))
    np.testing.assert_array_equal(single.ordering_, double.ordering_)
    np.testing.assert_array_equal(single.labels_, double.labels_)
    np.testing.assert_array_equal(single.reachability_, double.reachability_.astype(np.float32))


@pytest.mark.parametrize("max_eps", [np.inf, 0.7])
def test_threads_change_no_bit(max_eps):
    X = clumps(3000, 3)
    found = []
    for threads in (1, 2, 3, 8):
        with config_context(n_threads=threads):
            found.append(compute_optics_graph(X, max_eps=max_eps))
    for other in found[1:]:
        check(other, found[0])


# Against scikit-learn

SETTINGS = [
    {},
    {"min_samples": 12, "xi": 0.1},
    {"max_eps": 0.8},
    {"predecessor_correction": False},
    {"min_cluster_size": 0.1},
    {"xi": 0.0},
    {"cluster_method": "dbscan", "eps": 0.5},
    {"cluster_method": "dbscan", "max_eps": 1.0},
    {"metric": "manhattan"},
    {"metric": "rogerstanimoto", "min_samples": 3},
]


@pytest.mark.parametrize("how", SETTINGS, ids=str)
@pytest.mark.parametrize("X", [clumps(250, 2), clumps(150, 4, 1), load_iris().data], ids=["2", "4", "iris"])
@pytest.mark.filterwarnings("ignore:Data will be converted to boolean")
@pytest.mark.filterwarnings("ignore:All reachability values are inf:UserWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_scikit_learns_results(X, how):
    mine, theirs = OPTICS(**how).fit(X), TheirOPTICS(**how).fit(X)
    check(graph_of(mine), graph_of(theirs), 1e-12)
    np.testing.assert_array_equal(mine.labels_, theirs.labels_)
    assert hasattr(mine, "cluster_hierarchy_") == hasattr(theirs, "cluster_hierarchy_")
    if hasattr(mine, "cluster_hierarchy_"):
        np.testing.assert_array_equal(mine.cluster_hierarchy_, theirs.cluster_hierarchy_.reshape(-1, 2))


@pytest.mark.parametrize("xi", [0.01, 0.2, 0.9])
@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_xi_of_rough_plots(xi, correct, seed):
    """Any plot, with zeros and infinities: scikit-learn's clusters."""
    rng = np.random.default_rng(seed)
    n = 160
    reach = np.where(rng.random(n) < 0.1, rng.choice([0.0, np.inf], n), rng.integers(1, 9, n) ** 2.0)
    order, whence = rng.permutation(n), rng.integers(-1, n, n)
    how = {"reachability": reach, "predecessor": whence, "ordering": order, "min_samples": 2 + seed % 3}
    how |= {"xi": xi, "predecessor_correction": correct}
    labels, clusters = cluster_optics_xi(**how)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, theirs = their_xi(**how)
    np.testing.assert_array_equal(clusters, theirs.reshape(-1, 2))
    np.testing.assert_array_equal(labels, expected)


# By hand


def test_a_line_by_hand():
    """From 0: 1 is 1 away; then 2. Three far away begin anew at max_eps 5, and 30 is noise."""
    X = [[0.0], [1], [2], [10], [11], [12], [30]]
    order, core, reach, whence = compute_optics_graph(X, min_samples=2, max_eps=5)
    inf = np.inf
    assert order.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert core.tolist() == [1, 1, 1, 1, 1, 1, inf]
    assert reach.tolist() == [inf, 1, 1, inf, 1, 1, inf]
    assert whence.tolist() == [-1, 0, 1, -1, 3, 4, -1]
    labels = cluster_optics_dbscan(reachability=reach, core_distances=core, ordering=order, eps=1)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, -1]
    labels = cluster_optics_dbscan(reachability=reach, core_distances=core, ordering=order, eps=0.5)
    assert labels.tolist() == [-1] * 7


def test_nothing_within_reach_is_said():
    with pytest.warns(UserWarning, match="All reachability values are inf"):
        model = OPTICS(min_samples=2, max_eps=0.5).fit([[0.0], [1.0], [2.0]])
    assert model.labels_.tolist() == [-1, -1, -1]
    assert model.cluster_hierarchy_.shape == (0, 2)


def test_what_is_refused():
    X = clumps(20, 2)
    for name in ("min_samples", "min_cluster_size"):
        with pytest.raises(ValueError, match=f"{name} must be no greater than the number of samples"):
            OPTICS(**{name: 21}).fit(X)
    with pytest.raises(ValueError, match=r"smaller than 0.1. Got 0.2"):
        OPTICS(max_eps=0.1, eps=0.2, cluster_method="dbscan").fit(X)
    with pytest.raises(ValueError, match="takes no weights"):
        OPTICS().fit(Dataset(X, weights=np.ones(20)))
    with pytest.raises(ValueError, match="2 GiB"):
        OPTICS().fit(sp.csr_array((np.ones(1), ([0], [0])), shape=(20, 2**27)))
    with pytest.raises(TypeError, match="must be a clinfa"):
        OPTICS().analysis(X)
    graph = {"reachability": np.ones(3), "ordering": np.arange(3)}
    with pytest.raises(ValueError, match="ordering"):
        cluster_optics_xi(**graph | {"ordering": [0, 0, 1]}, predecessor=[-1, 0, 1], min_samples=2)
    with pytest.raises(ValueError, match="predecessor"):
        cluster_optics_xi(**graph, predecessor=[-1, 0, 3], min_samples=2)
    with pytest.raises(ValueError, match="reachability"):
        cluster_optics_xi(**graph | {"reachability": [1, np.nan, 1]}, predecessor=[-1, 0, 1], min_samples=2)
    with pytest.raises(ValueError, match="core_distances"):
        cluster_optics_dbscan(**graph, core_distances=[1, 2], eps=1)


def test_datasets():
    X = clumps(50, 2)
    ds = Dataset(X, feature_names=["a", "b"])
    model = OPTICS()
    out = model.analysis(ds)
    np.testing.assert_array_equal(out.records, X[model.ordering_])
    np.testing.assert_array_equal(out.targets[:, 1], model.reachability_[model.ordering_])
    assert out.target_names == ["core_distance", "reachability_distance"]
    assert out.feature_names == ["a", "b"]
    np.testing.assert_array_equal(OPTICS().fit_predict(ds).targets, model.labels_)


def test_the_picture():
    from matplotlib.figure import Figure

    model = OPTICS().fit(clumps(80, 2))
    ax = model.plot_reachability(Figure().subplots())
    assert len(ax.collections) == len(np.unique(model.labels_))
    assert ax.get_ylabel() == "reachability"


def test_a_second_fit_forgets_the_first():
    model = OPTICS().fit(clumps(50, 2))
    model.set_params(cluster_method="dbscan").fit(clumps(50, 2))
    assert not hasattr(model, "cluster_hierarchy_")
