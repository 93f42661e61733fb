"""An index answers as a tree does, whichever way it takes."""

import pickle
import tracemalloc

import numpy as np
import pytest

from clinfa.spatial import Index, Tree
from clinfa.spatial._panels import Panels


def records(n, d, dtype=float, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def same(found, wanted):
    return np.array_equal(found[0], wanted[0]) and np.array_equal(found[1], wanted[1])


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "manhattan"])
@pytest.mark.parametrize("d", [2, 25])
@pytest.mark.parametrize("m", [1, 70, 1023, 1024, 1500])
def test_is_the_tree(m, d, metric):
    X, Q = records(2000, d), records(m, d, seed=1)
    tree, index = Tree.build(X, metric), Index(X, metric)
    assert same(index.nearest(Q, 7), tree.nearest(Q, 7))
    assert same(index.nearest(None, 7), tree.nearest(X, 7))
    assert same(pickle.loads(pickle.dumps(index)).nearest(Q, 7), tree.nearest(Q, 7))
    for a, b in zip(index.within(Q, 1.0), tree.within(Q, 1.0), strict=True):
        # (Queries are asked in an order of the index's own.)
        assert np.array_equal(np.sort(a), np.sort(b))


@pytest.mark.parametrize("costs", [(1, 9), (2, 3), (3, 2), (9, 1), (1e-9, 1)])
def test_either_way(costs, monkeypatch):
    """A clock that goes by what is asked of whom: all answers are the same, and most come the quicker way."""
    now, asked = [0.0], {Tree: 0, Panels: 0}
    monkeypatch.setattr("clinfa.spatial._index.perf_counter", lambda: now[0])
    for kind, cost in zip(asked, costs, strict=True):

        def counted(self, Q, far, nearest, turn, kind=kind, cost=cost, put=kind.put_nearest):
            asked[kind] += len(turn)
            now[0] += cost * len(turn)
            put(self, Q, far, nearest, turn)

        monkeypatch.setattr(kind, "put_nearest", counted)
    X = records(3000, 9)
    found = Index(X).nearest(None, 5)
    assert asked[Tree] + asked[Panels] == 3000  # nobody was asked twice
    assert (asked[Panels] > 1500) == (costs[1] < costs[0])
    assert same(found, Tree.build(X).nearest(X, 5))


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), ("f4", "f4")])
@pytest.mark.parametrize("brute", [False, True])
def test_types_may_differ(dtypes, brute):
    X, Q = records(700, 6, dtypes[0]), records(600, 6, dtypes[1], 1)
    wanted = Tree.build(X.astype(float)).nearest(Q.astype(float), 4)
    assert same(Index(X, brute=brute).nearest(Q, 4), wanted)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-30, 1e30, 1e160, 1e300])
@pytest.mark.parametrize("brute", [False, True])
def test_any_size(size, brute):
    X, Q = records(800, 5) * size, records(600, 5, seed=1) * size
    distances, rows = Index(X, brute=brute).nearest(Q, 4)
    wanted = np.linalg.norm(X / size - (Q / size)[:, None], axis=2)
    assert np.array_equal(rows, np.argsort(wanted, axis=1)[:, :4])
    np.testing.assert_allclose(distances / size, np.sort(wanted, axis=1)[:, :4], 1e-9)


def test_brute_force_is_the_tree():
    X, Q = records(5000, 40), records(300, 40, seed=1)
    index = Index(X, brute=True)
    assert same(index.nearest(Q, 9), Tree.build(X).nearest(Q, 9))
    assert index.tree is None
    assert same(index.nearest(None, 3), Tree.build(X).nearest(X, 3))


def test_brute_force_keeps_a_few_blocks():
    """Not the matrix of distances, nor a copy of the records."""
    X, Q = records(40_000, 64, np.float32), records(500, 64, np.float32, 1)
    index = Index(X, brute=True)
    index.nearest(Q, 5)
    tracemalloc.start()
    index.nearest(Q, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000 < X.nbytes  # (distances would take 80 MB in single precision)
