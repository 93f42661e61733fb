"""OPTICS's kernels: against NumPy, and in small steps against one call."""

import numpy as np
import pytest

from clinfa._core import optics
from clinfa.arrays import Table
from clinfa.cluster import _extraction, _reachability
from clinfa.cluster._extraction import steep
from clinfa.cluster._reachability import reachability
from clinfa.spatial import Tree

RNG = np.random.default_rng


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev", "minkowski"])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (16, 2), (17, 3), (200, 5)])
def test_distances_pass(metric, n, d):
    X = RNG(0).standard_normal((n, d))
    tree = Tree.build(X, metric, 3.0)
    out = np.empty((n, *tree.names.shape))
    bounds = np.arange(n + 1, dtype=np.int64)
    optics.distances_pass(X, tree.points, tree.metric, tree.p, bounds, np.zeros(1, np.int64), n, out)
    far = np.abs(X[:, None] - X)
    twin = {
        "euclidean": (far**2).sum(axis=2),
        "manhattan": far.sum(axis=2),
        "chebyshev": far.max(axis=2),
        "minkowski": (far**3).sum(axis=2),
    }[metric]
    there = tree.names < n
    np.testing.assert_allclose(out[:, there], twin[:, tree.names[there]], rtol=1e-14)
    assert np.isinf(out[:, ~there]).all()


@pytest.mark.parametrize(
    ("form", "twin"),
    [(0, np.sqrt), (1, lambda x: x), (2, lambda x: x ** (1 / 3)), (3, lambda x: x / 2)],
)
def test_core_pass(form, twin):
    reduced, out = np.append(RNG(0).random(50) * 9, [0, 1e-40, np.inf]), np.empty(53)
    optics.core_pass(reduced, form, 3.0, 1.5, out)
    far = twin(reduced)
    np.testing.assert_allclose(out, np.around(np.where(far > 1.5, np.inf, far), 15), rtol=1e-15)


@pytest.mark.parametrize("within", [np.inf, 0.3])
@pytest.mark.parametrize("n", [2, 16, 17, 300])
def test_walk_in_small_steps(monkeypatch, n, within):
    table = Table(RNG(1).random((n, 2)))
    whole = reachability(table, 2, within, "euclidean", 2, None)
    monkeypatch.setattr(_reachability, "_CALL_LEAVES", 1)
    parts = reachability(table, 2, within, "euclidean", 2, None)
    for name in ("ordering", "core_distances", "reachability", "predecessor"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("work", [1, 7, 100])
def test_clusters_in_small_steps(monkeypatch, correct, work):
    found = reachability(Table(RNG(2).random((400, 2))), 3, np.inf, "euclidean", 2, None)
    labels, clusters = steep(found, 3, 3, 0.05, correct)
    assert len(clusters) > 10
    monkeypatch.setattr(_extraction, "_CALL_WORK", work)
    monkeypatch.setattr(_extraction, "_ROOM", work)
    again, same = steep(found, 3, 3, 0.05, correct)
    np.testing.assert_array_equal(same, clusters)
    np.testing.assert_array_equal(again, labels)


def test_label_pass():
    """Clusters 0-2 and 5-6 get labels; 2-5 meets both, and 7-7 is free."""
    clusters = np.array([[0, 2], [5, 6], [2, 5], [7, 7], [0, 8]])
    labels, count = np.full(9, -1, np.int32), np.zeros(1, np.int64)
    assert optics.label_pass(clusters, 0, 10**6, count, labels) == 5
    assert labels.tolist() == [0, 0, 0, -1, -1, 1, 1, 2, -1]
    assert count[0] == 3
