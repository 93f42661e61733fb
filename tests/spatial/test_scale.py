"""Values of any size, and queries unlike the points."""

import numpy as np
import pytest

from clinfa.spatial import METRICS, Tree
from tests.kernels import tree_helpers as slow

NEAR = 1e-13  # (a root of a number that is far from 1 feels the rounding of its exponent)
SHIFTS = [-1060, -1000, -500, -30, 0, 300, 500, 1000, 1020]


def points(n=300, d=3):
    """Numbers of few digits, so that scaling loses none even where numbers are subnormal."""
    rng = np.random.default_rng(0)
    return rng.integers(-64, 64, (n, d)) / 64, rng.integers(-64, 64, (25, d)) / 64


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("metric", [name for name in METRICS if name != "sqeuclidean"])
def test_a_power_of_two_changes_nothing_else(metric, shift):
    X, Q = points()
    distances, rows = Tree.build(X, metric, 3.0).nearest(Q, 7)
    tree = Tree.build(np.ldexp(X, shift), metric, 3.0)
    far, found = tree.nearest(np.ldexp(Q, shift), 7)
    assert np.array_equal(found, rows)
    np.testing.assert_allclose(far, np.ldexp(distances, shift), NEAR, 5e-324)
    counts = Tree.build(X, metric, 3.0).count_within(Q, 0.5)
    assert np.array_equal(tree.count_within(np.ldexp(Q, shift), np.ldexp(0.5, shift)), counts)


@pytest.mark.parametrize("shift", [-450, -30, 0, 300, 500])
def test_squares(shift):
    X, Q = points()
    distances, rows = Tree.build(X, "sqeuclidean").nearest(Q, 7)
    tree = Tree.build(np.ldexp(X, shift), "sqeuclidean")
    far, found = tree.nearest(np.ldexp(Q, shift), 7)
    assert np.array_equal(found, rows)
    assert np.array_equal(far, np.ldexp(distances, 2 * shift))
    counts = Tree.build(X).count_within(Q, 0.5)
    assert np.array_equal(tree.count_within(np.ldexp(Q, shift), np.ldexp(0.25, 2 * shift)), counts)


@pytest.mark.parametrize("shift", [-140, -100, -60, 60, 100, 127])
@pytest.mark.parametrize("metric", [name for name in METRICS if name != "sqeuclidean"])
def test_single_precision(metric, shift):
    X, Q = (np.ldexp(a, shift).astype(np.float32) for a in points())
    distances, rows = Tree.build(X, metric, 3.0).nearest(Q, 7)
    wanted = slow.nearest(*(np.ldexp(a.astype(float), -shift) for a in (Q, X)), 7, metric, 3.0)
    assert np.array_equal(rows, wanted[1])
    np.testing.assert_allclose(distances, np.ldexp(wanted[0], shift), NEAR)


def test_small_and_great_in_one():
    X = np.array([[1e30], [1e-20], [2e-20], [-1e30], [0]], np.float32)
    distances, rows = Tree.build(X).nearest(X, 3)
    assert rows.tolist() == [[0, 1, 2], [1, 2, 4], [2, 1, 4], [3, 1, 2], [4, 1, 2]]
    assert np.array_equal(distances[1:3], abs(X[rows[1:3], 0].astype(float) - X[1:3].astype(float)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [1e3, 1e30, 1e150, 1e300, -1e300])
def test_queries_far_off(dtype, far):
    X = np.arange(100, dtype=dtype)[:, None]
    distances, rows = Tree.build(X).nearest(np.array([[far], [3.2]]), 2)
    if abs(far) < 1e10:
        assert rows.tolist() == [[99, 98], [3, 4]]
    assert np.isclose(distances[0], abs(far), rtol=0.1).all()
    assert Tree.build(X).count_within(np.array([[far]]), abs(far) * 2).tolist() == [100]
    assert Tree.build(X).count_within(np.array([[far]]), 1.0).tolist() == [0]


def test_points_that_vanish_beside_queries():
    X = np.array([[1e-300], [3e-300]])
    distances, rows = Tree.build(X).nearest(np.array([[1.0], [1e-300]]), 1)
    assert distances.tolist() == [[1.0], [0.0]]
    assert rows.tolist() == [[0], [0]]


def test_double_queries_of_single_points_lose_no_digit():
    X = np.array([[1], [1 + 2.0**-23]], np.float32)
    q = np.array([[1 + 2.0**-24 + 2.0**-40]])
    distances, rows = Tree.build(X).nearest(q, 1)
    assert rows.tolist() == [[1]]
    assert distances.tolist() == [[2.0**-24 - 2.0**-40]]


def test_at_most_so_many_rows():
    with pytest.raises(ValueError, match="at most 2147483647 rows"):
        Tree.build(np.broadcast_to(np.zeros((1, 1)), (2**31, 1)))
