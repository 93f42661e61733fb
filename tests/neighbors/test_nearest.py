"""Neighbours: hand-worked, against brute force, and scikit-learn's for every metric."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import DistanceMetric
from sklearn.neighbors import NearestNeighbors as Theirs

from clinfa.neighbors import NearestNeighbors

BY_TREE = ["euclidean", "l2", "sqeuclidean", "manhattan", "cityblock", "l1", "chebyshev", "minkowski"]
BY_BLOCKS = ["cosine", "correlation", "braycurtis", "canberra", "hamming", "seuclidean", "mahalanobis"]
BOOLEAN = ["dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule"]


def records(n=150, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal((30, d))


def agree(mine, theirs, Q, radius):
    """Distances agree; rows do where distances differ."""
    for X in (Q, None):
        far, rows = mine.kneighbors(X, 6)
        their_far, their_rows = theirs.kneighbors(X, 6)
        np.testing.assert_allclose(far, their_far, 1e-12, 1e-12)
        clear = np.diff(far, axis=1).min(axis=1) > 1e-9
        assert np.array_equal(rows[clear, :5], their_rows[clear, :5])
        found = mine.radius_neighbors(X, radius, sort_results=True)
        wanted = theirs.radius_neighbors(X, radius, sort_results=True)
        assert [len(r) for r in found[1]] == [len(r) for r in wanted[1]]
        for a, b in zip(found[0], wanted[0], strict=True):
            np.testing.assert_allclose(a, b, 1e-12, 1e-12)
        for mode in ("connectivity", "distance"):
            a, b = (m.radius_neighbors_graph(X, radius, mode=mode) for m in (mine, theirs))
            assert a.shape == b.shape
            assert abs(a - b).sum() < 1e-9
            a, b = (m.kneighbors_graph(X, 1, mode=mode)[clear] for m in (mine, theirs))
            assert abs(a - b).sum() < 1e-9


def test_by_hand():
    model = NearestNeighbors(n_neighbors=2, radius=2.0).fit([[0.0], [3.0], [1.0], [3.0]])
    far, rows = model.kneighbors([[2.0], [3.0]])
    assert rows.tolist() == [[1, 2], [1, 3]]  # of equal distances the first
    assert far.tolist() == [[1, 1], [0, 0]]
    far, rows = model.kneighbors()
    assert rows.tolist() == [[2, 1], [3, 2], [0, 1], [1, 2]]
    assert far.tolist() == [[1, 3], [0, 2], [1, 2], [0, 2]]
    far, rows = model.radius_neighbors([[2.0]])
    assert rows[0].tolist() == [0, 1, 2, 3]  # two of them at exactly 2 and 1
    assert far[0].tolist() == [2, 1, 1, 1]
    assert model.radius_neighbors(return_distance=False)[1].tolist() == [2, 3]
    assert model.radius_neighbors([[2.0]], 0.5)[1][0].tolist() == []


@pytest.mark.parametrize("metric", BY_TREE + BY_BLOCKS)
def test_scikit_learn_agrees(metric):
    X, Q = records()
    if metric == "hamming":
        X, Q = np.round(X), np.round(Q)
    if metric == "braycurtis":  # where signs differ we follow SciPy, scikit-learn something else
        X, Q = abs(X), abs(Q)
    params = {"V": X.var(axis=0, ddof=1)} if metric == "seuclidean" else None
    params = {"VI": np.linalg.inv(np.cov(X.T))} if metric == "mahalanobis" else params
    models = [
        cls(metric=metric, p=3, metric_params=params, algorithm="brute").fit(X)
        for cls in (NearestNeighbors, Theirs)
    ]
    agree(*models, Q, float(np.median(models[0].kneighbors(Q, 20)[0][:, -1])))


@pytest.mark.parametrize("metric", BOOLEAN)
def test_scikit_learn_agrees_on_truth_values(metric):
    X, Q = (a > 0 for a in records(d=9))
    models = [cls(metric=metric, algorithm="brute").fit(X) for cls in (NearestNeighbors, Theirs)]
    for far, theirs in zip(*(m.kneighbors(Q, 4, return_distance=True)[:1] for m in models), strict=True):
        np.testing.assert_allclose(far, theirs, 1e-12, 1e-12)


def test_haversine():
    X, Q = (a[:, :2] for a in records())
    agree(*(cls(metric="haversine").fit(X) for cls in (NearestNeighbors, Theirs)), Q, 0.5)
    with pytest.raises(ValueError, match="Haversine distance only valid in 2 dimensions"):
        NearestNeighbors(metric="haversine").fit(records()[0])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_precomputed_is_the_same(metric):
    X, Q = records()
    plain = NearestNeighbors(metric=metric).fit(X)
    far = [plain.kneighbors_graph(a, len(X), mode="distance").toarray() for a in (X, Q)]
    given = NearestNeighbors(metric="precomputed").fit(far[0])
    for own, theirs in ((None, None), (far[1], Q)):
        assert np.array_equal(given.kneighbors(own)[1], plain.kneighbors(theirs)[1])
        found, wanted = given.radius_neighbors(own, 0.4)[1], plain.radius_neighbors(theirs, 0.4)[1]
        assert all(map(np.array_equal, found, wanted))


def test_callable():
    X, Q = records(40)
    own = NearestNeighbors(
        metric=lambda a, b, times: times * abs(a - b).sum(), metric_params={"times": 2.0}
    ).fit(X)
    far, rows = NearestNeighbors(metric="manhattan").fit(X).kneighbors(Q)
    assert np.array_equal(own.kneighbors(Q)[1], rows)
    np.testing.assert_allclose(own.kneighbors(Q)[0], 2 * far, 1e-14)


@pytest.mark.parametrize(("p", "w"), [(0.5, None), (1, [1, 2, 3, 0.0]), (2.5, [1, 2, 3, 4.0])])
def test_minkowski_that_no_tree_holds(p, w):
    X, Q = records()
    params = {"w": np.array(w)} if w else None
    with pytest.warns(UserWarning, match="for 0 < p < 1") if p < 1 else nullcontext():
        far, rows = NearestNeighbors(p=p, metric_params=params).fit(X).kneighbors(Q)
    t = abs(Q[:, None] - X) ** p * (1 if w is None else np.array(w))
    wanted = t.sum(axis=2) ** (1 / p)
    assert np.array_equal(rows, np.argsort(wanted, axis=1)[:, :5])
    np.testing.assert_allclose(far, np.sort(wanted, axis=1)[:, :5], 1e-13)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "canberra"])
def test_sparse_is_dense(metric):
    X, Q = (np.where(a > 0.3, a, 0) for a in records(60))
    dense, sparse = (
        NearestNeighbors(metric=metric).fit(X),
        NearestNeighbors(metric=metric).fit(sp.csr_array(X)),
    )
    for a, b in ((Q, sp.csr_array(Q)), (None, None), (sp.csr_array(Q), Q)):
        assert np.array_equal(dense.kneighbors(a)[1], sparse.kneighbors(b)[1])
        assert np.array_equal(dense.kneighbors(a)[0], sparse.kneighbors(b)[0])


def test_sparse_and_wide():
    """More columns than a tree may hold."""
    X = sp.random_array((80, 1_000_000), density=2e-5, rng=np.random.default_rng(0), format="csr")
    far, rows = NearestNeighbors().fit(X).kneighbors(X[:3])
    gram = (X @ X.T).toarray()
    wanted = gram.diagonal()[:3, None] + gram.diagonal() - 2 * gram[:3]
    assert np.array_equal(rows, np.argsort(wanted, axis=1, kind="stable")[:, :5])
    np.testing.assert_allclose(far[:, 1:] ** 2, np.sort(wanted, axis=1)[:, 1:5], 1e-12)


def test_equal_records_leave_themselves_out():
    model = NearestNeighbors(n_neighbors=2).fit(np.zeros((6, 2)))
    rows = model.kneighbors(return_distance=False)
    assert rows.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1], [0, 1]]
    assert model.kneighbors_graph().sum() == 12
    assert [r.tolist() for r in model.radius_neighbors(radius=0.0)[1]][:2] == [
        [1, 2, 3, 4, 5],
        [0, 2, 3, 4, 5],
    ]


def test_effective_metric():
    for p, name in ((1, "manhattan"), (2, "euclidean"), (math.inf, "chebyshev"), (3, "minkowski")):
        assert NearestNeighbors(p=p).fit(records()[0]).effective_metric_ == name
    assert NearestNeighbors(p=3).fit(records()[0]).effective_metric_params_ == {"p": 3}


def refused(how, error=ValueError, /, X=None, call=lambda m: m.kneighbors(), **params):
    with pytest.raises(error, match=how):
        call(NearestNeighbors(**params).fit(records()[0][:4] if X is None else X))


def test_what_is_refused():
    refused("Expected n_neighbors < n_samples_fit, but n_neighbors = 4, n_samples_fit = 4", n_neighbors=4)
    refused("Expected n_neighbors <= n_samples_fit", call=lambda m: m.kneighbors(np.zeros((1, 4)), 5))
    refused("Expected n_neighbors > 0. Got 0", call=lambda m: m.kneighbors(n_neighbors=0))
    refused("does not take .*float.* value", TypeError, call=lambda m: m.kneighbors(n_neighbors=1.5))
    refused("n_neighbors is None", n_neighbors=None)
    refused("radius must be a number >= 0", call=lambda m: m.radius_neighbors(radius=-1.0))
    refused("return_distance must be True", call=lambda m: m.radius_neighbors(None, 1, False, True))
    refused("Unsupported mode", call=lambda m: m.kneighbors_graph(mode="x"))
    refused("Unsupported mode", call=lambda m: m.radius_neighbors_graph(mode="x"))
    refused("Metric 'cosine' not valid", metric="cosine", algorithm="ball_tree")
    refused("kd_tree does not support callable", metric=max, algorithm="kd_tree")
    refused("does not support 0 < p < 1", p=0.5, algorithm="kd_tree")
    refused("weight parameter 'w'", metric_params={"w": [1] * 4}, algorithm="kd_tree", p=2)
    refused("p in metric_params must be greater than 0", metric_params={"p": 0}, p=None)
    refused("must be square. Input is a 4x3", metric="precomputed", X=np.zeros((4, 3)))
    refused("Negative values in data passed to precomputed", metric="precomputed", X=-np.ones((4, 4)))
    refused("handling of explicit zeros", TypeError, metric="precomputed", X=sp.eye_array(4, format="dia"))
    refused("some samples have only 1 neighbors", metric="precomputed", X=sp.eye_array(9, format="csr"))
    with pytest.warns(SyntaxWarning, match="Parameter p is found in metric_params"):
        NearestNeighbors(metric_params={"p": 3}).fit(records()[0])


def test_a_radius_for_each_query():
    X, Q = records()
    radii = np.linspace(0, 2, len(Q))
    for metric in ("euclidean", "cosine", "precomputed"):
        model = NearestNeighbors(metric=metric).fit(X if metric != "precomputed" else abs(X @ X.T))
        given = Q if metric != "precomputed" else abs(Q @ X.T)
        found = model.radius_neighbors(given, radii, return_distance=False)
        for i, radius in enumerate(radii):
            one = model.radius_neighbors(given[i : i + 1], float(radius), return_distance=False)[0]
            assert np.array_equal(found[i], one)
    refused("radius must be a number >= 0", call=lambda m: m.radius_neighbors(Q, [1.0, 2.0]))


def test_nan_euclidean_by_hand():
    X = np.array([[0.0, 1.0], [1.0, np.nan], [2.0, 3.0], [np.nan, np.nan]])
    model = NearestNeighbors(n_neighbors=2, metric="nan_euclidean").fit(X)
    far, rows = model.kneighbors([[0.0, np.nan], [2.0, 2.0]])
    assert rows.tolist() == [[0, 1], [2, 1]]
    np.testing.assert_allclose(far, np.sqrt([[0, 2], [1, 2]]), 1e-15)
    assert model.kneighbors(X, 4)[0][3].tolist() == pytest.approx([np.nan] * 4, nan_ok=True)
    with pytest.raises(ValueError, match="infinity"):
        model.kneighbors([[np.inf, 0.0]])
    with pytest.raises(ValueError, match="NaN"):
        NearestNeighbors().fit(X)


def test_metrics_of_sparse_rows():
    X = sp.csr_array([[1.0, 0, 2], [0, 0, 0], [3, 1, 0]])

    def metric(a, b):
        assert a.shape == b.shape == (1, 3)
        return (a - b).toarray().__abs__().sum()

    assert np.array_equal(
        NearestNeighbors(metric=metric).fit(X).kneighbors(X, 3)[0],
        NearestNeighbors(metric="manhattan").fit(X).kneighbors(X, 3)[0],
    )


def test_metric_objects_of_scikit_learn():
    X, Q = records()
    metric = DistanceMetric.get_metric("canberra")
    far, rows = NearestNeighbors(metric=metric).fit(X).kneighbors(Q)
    theirs = NearestNeighbors(metric="canberra").fit(X).kneighbors(Q)
    assert np.array_equal(rows, theirs[1])
    np.testing.assert_allclose(far, theirs[0], 1e-13)
