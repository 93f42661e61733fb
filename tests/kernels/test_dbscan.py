"""Kernels of DBSCAN against NumPy: counts and borders by brute force, sets by SciPy's components."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from clinfa._core import dbscan, dbscan_labels
from clinfa.cluster._neighbourhoods import Space, _below, tree_clusters
from clinfa.spatial import Tree
from tests.kernels import tree_helpers


@pytest.mark.parametrize("need", [1, 4, 30])
@pytest.mark.parametrize("n", [1, 16, 17, 128, 129, 1000])
@pytest.mark.parametrize(("metric", "p"), tree_helpers.CASES)
def test_tree_clusters(metric, p, n, need):
    rng = np.random.default_rng(n)
    X = np.round(rng.standard_normal((n, 3)), 1)
    weights = rng.integers(0, 3, n).astype(float)
    space = Space.of(metric, p, 0.3, X)
    near = tree_helpers.within(X, X, 0.3, metric, p)
    for w in (np.empty(0), weights):
        core = near @ (w if len(w) else np.ones(n)) >= need
        found = tree_clusters(space.points(X), space, w, need)
        np.testing.assert_array_equal(found.core, core)
        labels = np.full(n, n)
        if core.any():
            sets = connected_components(near[np.ix_(core, core)], directed=False)[1]
            firsts = np.sort(np.unique(sets, return_index=True)[1])
            rank = np.empty(len(firsts), int)
            rank[sets[firsts]] = np.arange(len(firsts))
            labels[core] = rank[sets]
            labels[~core] = np.where(near[~core] & core, labels, n).min(axis=1)
        np.testing.assert_array_equal(found.labels, np.where(labels < n, labels, -1))


def test_unite_block_and_number_pass():
    rng = np.random.default_rng(0)
    n = 200
    near = rng.random((n, n)) < 0.005
    near |= near.T | np.eye(n, dtype=bool)
    core = rng.random(n) < 0.8
    rows = np.flatnonzero(core).astype(np.int32)
    parent = np.arange(n, dtype=np.int32)
    for some in np.array_split(rows, 5):
        dbscan_labels.unite_block(near[some].view(np.uint8), some, core.view(np.uint8), parent)
    labels, number = np.full(n, -1), np.full(n, -1, np.int32)
    place, clusters = np.arange(n, dtype=np.int32), 0
    for begin, end in ((0, 77), (77, n)):
        clusters = dbscan_labels.number_pass(
            place, core.view(np.uint8), begin, end, clusters, parent, number, labels
        )
    count, sets = connected_components(near[np.ix_(core, core)], directed=False)
    assert clusters == count > 1
    firsts = np.sort(np.unique(sets, return_index=True)[1])
    rank = np.empty(count, int)
    rank[sets[firsts]] = np.arange(count)
    np.testing.assert_array_equal(labels[core], rank[sets])
    assert (labels[~core] == -1).all()


def test_a_pass_returns_when_it_has_done_much():
    """In 40 dimensions boxes tell nothing, and each point looks at all others."""
    n, eps, need = 4000, 9.0, 2000
    X = np.random.default_rng(0).standard_normal((n, 40))
    space, tree = Space.of("euclidean", 2.0, eps, X), Tree.build(X)
    leaves, d, lanes = tree.points.shape
    there = tree.names < 2**31 - 1
    core, scratch = there.astype(np.uint8).reshape(-1), np.empty((1, (lanes + 2) * d))
    bounds, cursor, calls = np.arange(0, leaves * lanes + 1, lanes), np.zeros(1, np.int64), 0
    below = _below(there.sum(axis=1, dtype=float), tree.levels, np.add)
    while cursor[0] < leaves:
        before = cursor[0]
        dbscan.core_pass(
            *(tree.points, tree.boxes, tree.levels, tree.metric, tree.p, space.reach(tree)),
            *(np.empty((0, lanes)), below, True, need, bounds, cursor, leaves, scratch, 0, core),
        )
        assert cursor[0] > before
        calls += 1
    assert calls > 3
    found = np.empty(n, bool)
    found[tree.names[there]] = core.reshape(there.shape)[there]
    around = tree_helpers.within(X[:300], X, eps).sum(axis=1)
    np.testing.assert_array_equal(found[:300], around >= need)
    assert 0 < found.sum() < n
