"""Spanning trees of mutual reachability against a dense matrix, and the single-linkage tree by hand."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist, squareform

import clinfa
from clinfa.hierarchy import (
    SpanningTree,
    reduced_nearest,
    single_linkage,
    spanning_tree,
    spanning_tree_dense,
)
from clinfa.spatial import Tree

SHAPES = {
    "random": lambda rng, n, d: rng.standard_normal((n, d)),
    "grid": lambda rng, n, d: np.round(rng.standard_normal((n, d))),
    "equal": lambda rng, n, d: np.ones((n, d)),
    "line": lambda rng, n, d: np.outer(rng.integers(0, n, n), np.ones(d)),
    "far apart": lambda rng, n, d: rng.standard_normal((n, d)) + 1e3 * rng.integers(0, 3, (n, 1)),
}
METRICS = {
    "euclidean": lambda X: cdist(X, X, "sqeuclidean"),
    "manhattan": lambda X: cdist(X, X, "cityblock"),
    "chebyshev": lambda X: cdist(X, X, "chebyshev"),
}


def on_tree(X, k, metric="euclidean"):
    tree = Tree.build(X, metric)
    tree, Q = tree.ready(X[tree.rows])
    far, near = reduced_nearest(tree, Q, k)
    return spanning_tree(tree, Q, far[:, k - 1].copy(), far, near)


def reachability(D, k):
    core = np.sort(D, axis=1)[:, k - 1].copy()
    return core, np.maximum(np.maximum(core[:, None], core), D)


def pairs(tree):
    return np.sort(tree.edges, axis=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [2, 3, 16, 17, 130, 600])
def test_least_weight(shape, n, metric, dtype):
    X = SHAPES[shape](np.random.default_rng(n), n, 3).astype(dtype)
    D = METRICS[metric](X.astype(float))
    for k in (1, 2, min(n, 6)):
        found = on_tree(X, k, metric)
        core, W = reachability(D, k)
        # (SciPy takes a weight of zero for no edge.)
        shift = 1 + W.max()
        least = np.sort(minimum_spanning_tree(W + shift).data - shift)
        np.testing.assert_allclose(found.weights, least, rtol=1e-9, atol=1e-12 * shift)
        np.testing.assert_allclose(spanning_tree_dense(D, core).weights, least, rtol=1e-9, atol=1e-12 * shift)
        joined = np.unique(found.edges)
        assert joined.tolist() == list(range(n)) and len(found.edges) == n - 1


@pytest.mark.parametrize("shape", ["random", "grid", "equal", "line"])
@pytest.mark.parametrize("k", [1, 4])
def test_ties_are_settled_alike_on_a_tree_and_on_a_matrix(shape, k):
    X = SHAPES[shape](np.random.default_rng(k), 300, 2)
    D = METRICS["euclidean"](X)
    dense = spanning_tree_dense(D, reachability(D, k)[0])
    np.testing.assert_array_equal(pairs(on_tree(X, k)), pairs(dense))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", [*METRICS, "minkowski"])
@pytest.mark.parametrize("d", [2, 5])
def test_groups_far_apart_have_the_edges_of_a_matrix(d, metric, dtype):
    """In the last rounds whole leaves look for edges together. Eighths of a unit: many weights tie."""
    rng = np.random.default_rng(d)
    middles = rng.uniform(-9, 9, (6, d))[rng.integers(6, size=1500)]
    X = (np.round(8 * (rng.standard_normal((1500, d)) + middles)) / 8).astype(dtype)
    D = METRICS[metric](X) if metric in METRICS else cdist(X, X, "minkowski", p=3) ** 3
    tree = Tree.build(X, metric, 3.0)
    tree, Q = tree.ready(X[tree.rows])
    far, near = reduced_nearest(tree, Q, 5)
    found = spanning_tree(tree, Q, far[:, 4].copy(), far, near)
    dense = spanning_tree_dense(D, reachability(D, 5)[0])
    np.testing.assert_allclose(found.weights, dense.weights, rtol=1e-12)
    if metric != "minkowski":  # (whose cubes of roots are no longer ties)
        np.testing.assert_array_equal(np.sort(found.edges, axis=1), np.sort(dense.edges, axis=1))


def test_equal_points_are_a_star():
    """All pairs weigh the same, so the least pairs of rows are taken: those with row 0."""
    assert pairs(on_tree(np.ones((40, 2)), 3)).tolist() == [[0, i] for i in range(1, 40)]


@pytest.mark.parametrize("d", [2, 9])
def test_same_edges_on_any_number_of_threads(d):
    X = np.random.default_rng(d).standard_normal((5000, d))
    seen = []
    for threads in (1, 2, 3, 8):
        with clinfa.config_context(n_threads=threads):
            found = on_tree(X, 5)
        seen.append((found.edges.tobytes(), found.weights.tobytes()))
    assert len(set(seen)) == 1


def test_linkage_by_hand():
    """Points 0 and 1 join at 1 to node 4, 2 and 3 at 2 to node 5, both at 7 to node 6."""
    weights = np.array([1.0, 2.0, 7.0])
    tree = single_linkage(SpanningTree(np.array([[1, 0], [2, 3], [3, 0]], np.int32), weights), weights)
    assert tree.children.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert tree.sizes.tolist() == [2, 2, 4]


def test_linkage_as_scipy():
    X = np.random.default_rng(0).standard_normal((200, 3))
    found = on_tree(X, 1)
    tree = single_linkage(found, np.sqrt(found.weights))
    theirs = linkage(squareform(cdist(X, X), checks=False), "single")
    np.testing.assert_array_equal(tree.children, np.sort(theirs[:, :2], axis=1))
    np.testing.assert_allclose(tree.heights, theirs[:, 2], rtol=1e-12)
    np.testing.assert_array_equal(tree.sizes, theirs[:, 3])
