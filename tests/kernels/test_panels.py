"""The k nearest by the tile against brute force: the same rows and the same bits."""

import numpy as np
import pytest

from clinfa import config_context
from clinfa.spatial import Tree
from clinfa.spatial._panels import TILE, Panels, nearest_by_blocks
from tests.kernels import tree_helpers as slow
from tests.kernels.problems import REALS

SIZES = [1, 2, 15, 287, 288, 289, 1000, 1300]
NONE = np.iinfo(np.int32).max


def random(n, d, dtype):
    rng = np.random.default_rng(100 * n + d)
    X = rng.standard_normal((n, d)).astype(dtype)
    return X, np.vstack([X[:40], rng.standard_normal((40, d)).astype(dtype)])


def lattice(n, d, dtype):
    """Whole numbers: distances tie everywhere, and rows repeat."""
    rng = np.random.default_rng(n + d)
    X = rng.integers(0, 3, (n, d)).astype(dtype)
    return X, np.vstack([X[:40], rng.integers(-1, 6, (40, d)).astype(dtype)])


def equal(n, d, dtype):
    X = np.full((n, d), 0.1, dtype)
    return X, np.vstack([X[:2], X[:1] + dtype(1)])


def zeros(n, d, dtype):
    X, Q = random(n, d, dtype)
    X[np.arange(n) % 4 > 0] = 0
    Q[::2] = 0
    return X, Q


def tight(n, d, dtype):
    """Clusters so small and so far apart that single precision cannot tell their points from one another."""
    X, Q = random(n, d, dtype)
    centres = 1000 * np.random.default_rng(0).standard_normal((5, d)).astype(dtype)
    X, Q = centres[np.arange(n) % 5] + X * dtype(1e-3), centres[np.arange(len(Q)) % 5] + Q * dtype(1e-3)
    return X.astype(dtype), Q.astype(dtype)


def outlier(n, d, dtype):
    X, Q = random(n, d, dtype)
    X[0] = 1e9
    return X, Q


SHAPES = [random, lattice, equal, zeros, tight, outlier]


def by_panels(X, Q, k, turn=None):
    far, nearest = np.full((len(Q), k), np.inf), np.full((len(Q), k), NONE, np.int64)
    turn = np.arange(len(Q), dtype=np.int32) if turn is None else turn
    Panels.of_tree(X, Tree.build(X)).put_nearest(Q, far, nearest, turn)
    return np.sqrt(far), nearest


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("d", [1, 6, 33])
def test_is_brute_force(n, d, shape, dtype):
    X, Q = shape(n, d, dtype)
    for k in sorted({1, min(10, n), min(64, n), min(65, n), min(n, 300)}):
        wanted = slow.nearest(Q, X, k)
        distances, rows = by_panels(X, Q, k)
        assert np.array_equal(rows, wanted[1]), k
        assert np.array_equal(distances, wanted[0]), k
        far, rows = nearest_by_blocks(X, Q, k)
        assert np.array_equal(rows, wanted[1]), k
        assert np.array_equal(np.sqrt(far), wanted[0]), k


@pytest.mark.parametrize("dtype", REALS)
def test_some_queries_in_any_turn(dtype):
    X, _ = random(900, 7, dtype)
    turn = np.random.default_rng(1).permutation(900)[: 3 * TILE + 5].astype(np.int32)
    distances, rows = by_panels(X, X, 6, turn)
    wanted = slow.nearest(X, X, 6)
    assert np.array_equal(rows[turn], wanted[1][turn])
    assert np.array_equal(distances[turn], wanted[0][turn])
    others = np.setdiff1d(np.arange(900), turn)
    assert (rows[others] == NONE).all()


@pytest.mark.parametrize("exponent", [-500, -70, -30, 0, 40, 400])
def test_a_power_of_two_changes_nothing_else(exponent):
    X, Q = random(500, 9, np.float64)
    distances, rows = by_panels(X, Q, 12)
    far, found = by_panels(np.ldexp(X, exponent), np.ldexp(Q, exponent), 12)
    assert np.array_equal(found, rows)
    assert np.array_equal(far, np.ldexp(distances, exponent))


def test_threads_change_nothing():
    X, Q = random(3000, 20, np.float64)
    found = []
    for threads in (1, 2, 3, 8):
        with config_context(n_threads=threads):
            found.append(by_panels(X, Q, 10))
    for distances, rows in found[1:]:
        assert np.array_equal(rows, found[0][1])
        assert np.array_equal(distances, found[0][0])


def test_a_tile_that_takes_several_calls():
    """Records so long that the kernel leaves a tile in the midst of its blocks."""
    X = np.random.default_rng(2).standard_normal((1500, 12_000)).astype(np.float32)
    distances, rows = by_panels(X, X[:3], 5)
    wanted = slow.nearest(X[:3], X, 5)
    assert np.array_equal(rows, wanted[1])
    assert np.array_equal(distances, wanted[0])
