"""KDTree and BallTree: hand-worked, against brute force in double, and scikit-learn's."""

import math
import pickle

import numpy as np
import pytest
import sklearn.neighbors as theirs
from scipy.integrate import quad
from scipy.spatial.distance import cdist
from sklearn.datasets import load_wine

import clinfa.neighbors as ours
from clinfa import Dataset
from clinfa.neighbors import BallTree, KDTree
from clinfa.neighbors._density import KERNELS, log_kernel, log_norm

BOTH = pytest.mark.parametrize("name", ["KDTree", "BallTree"])
ARGUMENTS = {
    "minkowski": {"p": 3},
    "seuclidean": {"V": np.array([1.0, 2, 3, 4])},
    "mahalanobis": {"VI": np.diag([1.0, 2, 3, 4]) + 0.1},
}


def records(n=200, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal((40, d))


def places(n=300, seed=0):
    """Latitudes and longitudes in radians, the poles and equal ones among them."""
    rng = np.random.default_rng(seed)
    out = np.stack([rng.uniform(-1.57, 1.57, n), rng.uniform(-3.14, 3.14, n)], axis=1)
    out[:4] = [[math.pi / 2, 0], [math.pi / 2, 1], [-math.pi / 2, 0], [0, math.pi]]
    out[5] = out[4]
    return out


@BOTH
def test_by_hand(name):
    tree = getattr(ours, name)([[0.0], [3.0], [1.0], [3.0]])
    far, rows = tree.query([[2.0], [3.0]], k=2)
    assert rows.tolist() == [[1, 2], [1, 3]]  # of equal distances the first
    assert far.tolist() == [[1, 1], [0, 0]]
    assert tree.query([[2.0]], return_distance=False).tolist() == [[1]]
    assert tree.query_radius([[2.0], [9.0]], 1.0, count_only=True).tolist() == [3, 0]
    rows, far = tree.query_radius([[2.0], [9.0]], [2.0, -1.0], return_distance=True, sort_results=True)
    assert rows[0].tolist() == [1, 2, 3, 0]
    assert far[0].tolist() == [1, 1, 1, 2]
    assert rows[1].tolist() == []
    assert tree.two_point_correlation([[0.0], [3.0]], [-1, 0, 1, 2, 3]).tolist() == [0, 3, 4, 5, 8]
    assert len(tree) == 4
    assert tree.data.tolist() == [[0], [3], [1], [3]]


@pytest.mark.parametrize("metric", KDTree.valid_metrics)
def test_kd_tree_is_scikit_learns(metric):
    same(KDTree, theirs.KDTree, metric, *records())


@pytest.mark.parametrize(
    "metric", [m for m in BallTree.valid_metrics if m not in KDTree.valid_metrics and m != "haversine"]
)
def test_ball_tree_is_scikit_learns(metric):
    X, Q = records()
    if metric in ("dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath"):
        X, Q = (X > 0).astype(float), (Q > 0).astype(float)
    if metric == "hamming":
        X, Q = np.round(X), np.round(Q)
    if metric == "braycurtis":
        X, Q = abs(X), abs(Q)
    same(BallTree, theirs.BallTree, metric, X, Q)


def same(mine, other, metric, X, Q):
    params = ARGUMENTS.get("minkowski" if metric == "p" else metric, {})
    mine, other = mine(X, metric=metric, **params), other(X, metric=metric, **params)
    far = mine.query(Q, k=7)[0]
    np.testing.assert_allclose(far, other.query(Q, k=7)[0], 1e-12, 1e-14)
    radius = float(np.median(far[:, -1])) * 1.001
    found, distances = mine.query_radius(Q, radius, return_distance=True, sort_results=True)
    wanted = other.query_radius(Q, radius, return_distance=True, sort_results=True)
    for a, b in zip(distances, wanted[1], strict=True):
        np.testing.assert_allclose(a, b, 1e-12, 1e-14)
    assert [len(a) for a in found] == mine.query_radius(Q, radius, count_only=True).tolist()
    radii = np.sort(far[:, 3])[::9] * 1.001
    assert np.array_equal(mine.two_point_correlation(Q, radii), other.two_point_correlation(Q, radii))


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_brute_force_agrees_on_ties(name, dtype):
    rng = np.random.default_rng(3)
    X, Q = (rng.integers(0, 5, (n, 3)).astype(dtype) for n in (400, 60))
    far = cdist(Q, X)
    tree = getattr(ours, name)(X)
    distances, rows = tree.query(Q, k=30)
    assert np.array_equal(rows, np.argsort(far, axis=1, kind="stable")[:, :30])
    assert np.array_equal(distances, np.sort(far, axis=1)[:, :30])
    assert tree.query_radius(Q, 2.0, count_only=True).tolist() == (far <= 2).sum(axis=1).tolist()
    for row, near in zip(tree.query_radius(Q, 2.0), far <= 2, strict=True):
        assert np.sort(row).tolist() == np.flatnonzero(near).tolist()


def arcs(Q, X):
    half = np.sin((Q[:, None] - X) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(half[..., 0] + np.cos(Q[:, None, 0]) * np.cos(X[:, 0]) * half[..., 1]))


@pytest.mark.parametrize("turns", [0, 1, 50])
@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-9])
def test_places_on_a_sphere(spread, turns):
    """Near the poles, across the date line, next to each other, many times around: as by brute force."""
    X, Q = places() * [1, spread], places(90, seed=1) * [1, spread]
    if spread < 1:
        X, Q = X * spread + [1.0, 3.0], Q * spread + [1.0, 3.0]
    X = X + [0.0, 2 * math.pi * turns]
    far = arcs(Q, X)
    tree = BallTree(X, metric="haversine")
    distances, rows = tree.query(Q, k=12)
    np.testing.assert_array_equal(rows, np.argsort(far, axis=1, kind="stable")[:, :12])
    np.testing.assert_allclose(distances, np.sort(far, axis=1)[:, :12], 1e-15, 1e-300)
    for radius in (float(np.median(distances)), 4.0):
        counts = (far <= radius).sum(axis=1)
        assert np.array_equal(tree.query_radius(Q, radius, count_only=True), counts)
        assert [len(row) for row in tree.query_radius(Q, radius)] == counts.tolist()
    other = theirs.BallTree(X, metric="haversine")
    np.testing.assert_allclose(distances, other.query(Q, k=12)[0], 1e-12, 1e-15)


@pytest.mark.parametrize("d", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_integrate_to_one(kernel, d):
    surface = math.log(2) + 0.5 * d * math.log(math.pi) - math.lgamma(0.5 * d)

    def mass(u):
        u = np.array([u])
        return float(
            np.exp(surface + (d - 1) * np.log(u) + log_kernel(kernel, u) + log_norm(kernel, 1.0, d))[0]
        )

    end = 1 if kernel not in ("gaussian", "exponential") else 120
    peak = {"gaussian": math.sqrt(d), "exponential": float(d)}.get(kernel, 0.5)
    assert quad(mass, 0, end, points=[peak], limit=200)[0] == pytest.approx(1, rel=1e-9)


@BOTH
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_density(name, kernel):
    X = load_wine().data[:, :3]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Q = X[::5] + 0.1
    w = np.linspace(0.5, 2, len(X))
    for weights in (None, w):
        tree = getattr(ours, name)(X, sample_weight=weights)
        for h in (0.05, 0.7, 30.0):
            shares = np.exp(log_kernel(kernel, cdist(Q, X) / h) + log_norm(kernel, h, 3))
            wanted = (shares * (1 if weights is None else weights)).sum(axis=1)
            np.testing.assert_allclose(tree.kernel_density(Q, h, kernel), wanted, 1e-11, 1e-300)
            other = getattr(theirs, name)(X, sample_weight=weights)
            np.testing.assert_allclose(
                tree.kernel_density(Q, h, kernel),
                other.kernel_density(Q, h, kernel, rtol=1e-12),
                1e-9,
                1e-8,
            )
            logs = tree.kernel_density(Q, h, kernel, return_log=True)
            np.testing.assert_allclose(np.exp(logs), wanted, 1e-11, 1e-300)


def test_densities_far_off():
    """Where the density vanishes its logarithm does not."""
    tree = KDTree([[0.0], [1.0]])
    far = tree.kernel_density([[1001.0]], 1.0, return_log=True)
    assert far[0] == pytest.approx(-0.5e6 - 0.5 * math.log(2 * math.pi), rel=1e-14)
    assert tree.kernel_density([[1001.0]], 1.0).tolist() == [0]
    assert tree.kernel_density([[9.0]], 1.0, "tophat", return_log=True).tolist() == [-math.inf]
    one = KDTree([[0.0], [1.0]], sample_weight=[0.0, 2.0])
    assert one.kernel_density([[0.0]], 1.0)[0] == pytest.approx(2 * math.exp(-0.5) / math.sqrt(2 * math.pi))


def test_density_is_counted_in_parts(monkeypatch):
    X, Q = records()
    whole = KDTree(X).kernel_density(Q, 1.0)
    monkeypatch.setattr("clinfa.neighbors.trees._PAIRS", 700)
    assert np.array_equal(KDTree(X).kernel_density(Q, 1.0), whole)


def test_functions():
    X, Q = records(40)
    far, rows = KDTree(X, metric="manhattan").query(Q, k=5)
    for how in (
        {"metric": lambda a, b: abs(a - b).sum()},
        {"metric": "pyfunc", "func": lambda a, b: abs(a - b).sum()},
    ):
        distances, found = BallTree(X, **how).query(Q, k=5)
        assert np.array_equal(found, rows)
        np.testing.assert_allclose(distances, far, 1e-14)


@BOTH
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_copies_and_containers(name, metric):
    X, Q = records()
    tree = getattr(ours, name)(X, metric=metric)
    again = pickle.loads(pickle.dumps(tree))
    assert np.array_equal(again.query(Q, k=3)[0], tree.query(Q, k=3)[0])
    of_dataset = getattr(ours, name)(Dataset(X), metric=metric)
    assert np.array_equal(of_dataset.query(Dataset(Q), k=3)[1], tree.query(Q, k=3)[1])


def test_what_is_refused():
    X, _ = records()
    tree = KDTree(X)
    for call, said in (
        (lambda: KDTree(X, metric="haversine"), "Metric 'haversine' not valid"),
        (lambda: BallTree(X, metric="precomputed"), "not valid"),
        (lambda: BallTree(X, metric="haversine"), "only valid in 2 dimensions"),
        (lambda: KDTree(X, leaf_size=0), "'leaf_size' parameter of KDTree must be an int >= 1"),
        (lambda: KDTree(X[:0]), r"Found array with 0 sample\(s\)"),
        (lambda: KDTree(X, sample_weight=[1.0]), "sample_weight.shape"),
        (lambda: tree.query(X, k=0), "'k' parameter of KDTree.query must be an int >= 1"),
        (lambda: tree.query(X, k=201), "k must be less than or equal to the number of training points, 200"),
        (lambda: tree.query(X[:, :2]), "expecting 4 features"),
        (lambda: tree.query_radius(X, 1, count_only=True, return_distance=True), "cannot both be true"),
        (lambda: tree.query_radius(X, 1, sort_results=True), "return_distance must be True"),
        (lambda: tree.query_radius(X, [1, 2]), "r must be broadcastable to X.shape"),
        (lambda: tree.query_radius(X, math.nan), "r must be a number"),
        (lambda: tree.two_point_correlation(X, [[1.0]]), "r must have one dimension"),
        (lambda: tree.kernel_density(X, 1.0, "box"), "'kernel' parameter .* must be 'gaussian'"),
        (lambda: tree.kernel_density(X, 0.0), "'h' parameter"),
    ):
        with pytest.raises(ValueError, match=said):
            call()
