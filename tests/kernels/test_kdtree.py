"""The tree's kernels against brute force: the same rows and the same bits."""

from itertools import pairwise

import numpy as np
import pytest

from clinfa import config_context
from clinfa.spatial import Tree
from tests.kernels import tree_helpers as slow
from tests.kernels.problems import REALS

SIZES = [1, 2, 15, 16, 17, 31, 33, 127, 128, 129, 255, 257, 1000, 1025]


def random(n, d, dtype):
    rng = np.random.default_rng(100 * n + d)
    X = rng.standard_normal((n, d)).astype(dtype)
    return X, np.vstack([X[:20], rng.standard_normal((20, d)).astype(dtype)])


def lattice(n, d, dtype):
    """Whole numbers: distances tie everywhere, and rows repeat."""
    rng = np.random.default_rng(n + d)
    X = rng.integers(0, 4, (n, d)).astype(dtype)
    return X, np.vstack([X[:20], rng.integers(-1, 6, (20, d)).astype(dtype)])


def equal(n, d, dtype):
    X = np.full((n, d), 0.1, dtype)
    return X, np.vstack([X[:2], X[:1] + dtype(1)])


def collinear(n, d, dtype):
    X = (np.arange(n)[:, None] * np.full(d, 0.1)).astype(dtype)
    return X, X[:: max(1, n // 20)] + dtype(0.05)


SHAPES = [random, lattice, equal, collinear]


def check(X, Q, metric, p):
    tree = Tree.build(X, metric, p)
    for k in sorted({1, min(5, len(X)), min(40, len(X)), len(X) if len(X) < 300 else 1}):
        wanted = slow.nearest(Q, X, k, metric, p)
        distances, rows = tree.nearest(Q, k)
        assert np.array_equal(rows, wanted[1]), (metric, p, k)
        assert np.array_equal(distances, wanted[0]), (metric, p, k)
    far = slow.reduced(Q, X, metric, p)
    # Between distances, and at some of them exactly.
    for radius in [0.0, 0.5, 1.0, *slow.root(far[0, :3], metric, p), 2 * slow.root(far.max(), metric, p) + 1]:
        which = slow.within(Q, X, radius, metric, p)
        assert np.array_equal(tree.count_within(Q, radius), which.sum(axis=1)), (metric, p, radius)
        begin, rows, distances = tree.within(Q, radius)
        assert np.array_equal(np.diff(begin), which.sum(axis=1))
        query = np.repeat(np.arange(len(Q)), np.diff(begin))
        order = np.lexsort((rows, query))
        assert np.array_equal(np.stack([query, rows[order]]), np.stack(which.nonzero()))
        assert np.array_equal(distances[order], slow.root(far[which], metric, p))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", SIZES)
def test_every_size(n, shape, dtype):
    check(*shape(n, 3, dtype), "euclidean", 2.0)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("metric", "p"), slow.CASES)
@pytest.mark.parametrize("d", [1, 2, 8, 17])
def test_every_metric(d, metric, p, shape, dtype):
    check(*shape(150, d, dtype), metric, p)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("d", [100, 1000])
def test_many_features(d, dtype):
    check(*random(70, d, dtype), "euclidean", 2.0)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
def test_points_that_differ_in_their_last_digits(metric, dtype):
    rng = np.random.default_rng(3)
    X = (1 + np.finfo(dtype).eps * rng.integers(0, 5, (500, 3))).astype(dtype)
    check(X, X[:50], metric, 2.0)


@pytest.mark.parametrize("dtype", REALS)
def test_distances_that_tie_but_for_rounding(dtype):
    """Points on circles: hundreds at what is nearly one distance."""
    angle = np.linspace(0, 2 * np.pi, 700)
    X = np.vstack([r * np.stack([np.cos(angle), np.sin(angle)], axis=1) for r in (1, 3)]).astype(dtype)
    check(X, np.zeros((1, 2), dtype), "euclidean", 2.0)


@pytest.mark.parametrize("order", ["ascending", "descending", "organ", "saw"])
def test_order_of_the_rows(order):
    """Orders that are bad for a careless selection."""
    i = np.arange(3000.0)
    key = {"ascending": i, "descending": -i, "organ": np.minimum(i, 3000 - i), "saw": i % 7}[order]
    X = np.stack([key, key % 3], axis=1)
    check(X, X[::100], "euclidean", 2.0)


@pytest.mark.parametrize("dtype", REALS)
def test_the_tree_holds_every_point_once_within_its_boxes(dtype):
    X = random(1000, 3, dtype)[0]
    tree = Tree.build(X)
    assert np.array_equal(np.sort(tree.rows), np.arange(1000))
    real = tree.names < 2**31 - 1
    assert np.array_equal(tree.names[real], tree.rows)
    assert np.array_equal(tree.points.transpose(0, 2, 1)[real], X[tree.rows])
    assert np.isposinf(tree.points.transpose(0, 2, 1)[~real]).all()
    bottom = tree.boxes[tree.levels[-2] :].transpose(0, 3, 1, 2).reshape(-1, 3, 2)
    for leaf, box in enumerate(bottom):
        inside = X[tree.names[leaf][real[leaf]]]
        assert np.array_equal(box, np.stack([inside.min(axis=0), inside.max(axis=0)], axis=1))


@pytest.mark.parametrize("dtype", REALS)
def test_threads_and_turns_change_nothing(dtype):
    X, _ = random(5000, 4, dtype)
    found = []
    for threads in (1, 2, 3, 8):
        with config_context(n_threads=threads):
            tree = Tree.build(X)
            found.append((tree, *tree.nearest(X, 6), *tree.nearest(X, 6, tree.rows), *tree.within(X, 0.3)))
    for tree, *results in found:
        for name in ("points", "names", "boxes", "first", "levels", "rows"):
            assert np.array_equal(getattr(tree, name), getattr(found[0][0], name))
        assert all(np.array_equal(a, b) for a, b in zip(results, found[0][1:], strict=True))
        assert np.array_equal(results[1], results[3])


@pytest.mark.parametrize("dtype", REALS)
def test_a_radius_for_each_query(dtype):
    X, Q = random(300, 2, dtype)
    radius = np.linspace(0, 2, len(Q))
    which = slow.within(Q, X, radius)
    assert np.array_equal(Tree.build(X).count_within(Q, radius), which.sum(axis=1))
    begin, rows, _ = Tree.build(X).within(Q, radius)
    assert [set(rows[a:b]) for a, b in pairwise(begin)] == [set(np.flatnonzero(w)) for w in which]


def test_no_queries():
    tree = Tree.build(np.arange(10.0)[:, None])
    none = np.empty((0, 1))
    assert tree.nearest(none, 3)[0].shape == (0, 3)
    assert [len(a) for a in tree.within(none, 1.0)] == [1, 0, 0]
    assert not len(tree.count_within(none, 1.0))
