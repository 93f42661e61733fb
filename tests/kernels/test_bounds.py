"""Bounds: what they prove is true, and passes that trust them find what plain passes find."""

import numpy as np
import pytest

from tests.kernels import twins
from tests.kernels.helpers import Assignment, CsrAssignment
from tests.kernels.problems import REALS, Csr, Problem, real_numbers, whole_numbers

# How far the centres go in one step, from next to nothing to across the data.
STEPS = [0.0, 1e-12, 1e-7, 1e-4, 1e-2, 0.1, 2.0]
KINDS = [(np.float32, False), (np.float64, False), (np.float64, True)]
SHAPES = [(1, 2), (2, 3), (3, 7), (8, 13), (17, 25), (33, 64), (100, 5)]


def start(p, k, rng):
    """Rows of the data, two of them twice where there is room, so that ties occur."""
    centres = p.points[rng.integers(0, len(p.X), k)].copy()
    if k > 3:
        centres[-1] = centres[0]
    return centres


def next_place(centres, rng):
    """All centres or a few move, by little or by much; some jump onto another one."""
    size = rng.choice(STEPS)
    target = centres + size * rng.standard_normal(centres.shape) * (
        rng.random((len(centres), 1)) < rng.random()
    )
    if rng.random() < 0.3:
        target[rng.integers(len(centres))] = centres[rng.integers(len(centres))]
    return target.astype(centres.dtype)


def assert_bounds_hold(state, centres):
    """slack - room <= second - own distance, and lower - other_moved <= second distance."""
    exact = np.float64 if centres.dtype == np.float32 else np.longdouble
    distances = np.sqrt(twins.squared_distances(state.p.points, centres, exact))
    rows, labels = np.arange(len(distances)), state.labels
    own = distances[rows, labels].copy()
    distances[rows, labels] = np.inf
    second = distances.min(axis=1)
    room = state.own[labels] + state.other[labels]
    assert (state.slack.astype(exact) - room <= second - own).all()
    assert (state.lower.astype(exact) - state.other[labels] <= second).all()


def walk(state, plain, centres, rng, steps=12):
    """Random steps; returns how many looks at a point the bounds saved."""
    saved, n = 0, len(state.labels)
    for at in range(steps):
        if at:
            state.move_to(centres, next_place(centres, rng))
        changed, looked = state.assign(centres, 2 if at else 1)
        plain_changed, _ = plain.assign(centres, 0)
        assert np.array_equal(state.labels, plain.labels)
        assert changed == plain_changed
        assert_bounds_hold(state, centres)
        saved += n - looked
    return saved


@pytest.mark.parametrize(("dtype", "narrow"), KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_bounded_passes_find_what_plain_ones_find(dtype, narrow, shape, seed):
    (d, k), rng = shape, np.random.default_rng([seed, *shape])
    p = real_numbers(300, d, dtype, rng, "fractions")
    state, plain = Assignment(p, k, stripes=1 + seed, narrow=narrow), Assignment(p, k)
    assert walk(state, plain, start(p, k, rng), rng) > 0
    np.testing.assert_allclose(
        state.add_up(), twins.cluster_sums(p.Y, p.weights, state.labels, k), rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize(("dtype", "narrow"), KINDS)
@pytest.mark.parametrize("k", [2, 7, 25, 64])
def test_ties_between_whole_numbers(dtype, narrow, k):
    """Points midway between centres, and centres that meet and part again."""
    rng = np.random.default_rng(k)
    p = whole_numbers(200, 2, dtype, rng, "zeros")
    state, plain = Assignment(p, k, narrow=narrow), Assignment(p, k)
    centres = rng.integers(-4, 5, (k, 2)).astype(dtype)
    for at in range(15):
        if at:
            state.move_to(centres, centres + rng.integers(-1, 2, centres.shape) * (rng.random((k, 1)) < 0.2))
        state.assign(centres, 2 if at else 1)
        plain.assign(centres)
        assert np.array_equal(state.labels, twins.nearest(p.Y, centres))
        assert np.array_equal(state.add_up(), plain.add_up())
        assert_bounds_hold(state, centres)


@pytest.mark.parametrize(("dtype", "narrow"), KINDS)
@pytest.mark.parametrize("far", [1e-30, 1e-15, 1e-6, 1.0])
def test_clusters_however_small(dtype, narrow, far):
    """A cluster of any diameter next to one of diameter one: tiny gaps are not certain ones."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((200, 4))
    X[:100] *= far
    p = Problem((X / np.abs(X).max()).astype(dtype), np.zeros(4, dtype), 1.0)
    state, plain = Assignment(p, 30, narrow=narrow), Assignment(p, 30)
    centres = p.points[rng.permutation(200)[:30]].copy()
    for at in range(10):
        if at:
            shrunk = plain.add_up()
            state.step(shrunk.copy(), centres)
        state.assign(centres, 2 if at else 1)
        plain.assign(centres)
        assert np.array_equal(state.labels, plain.labels)
        assert_bounds_hold(state, centres)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("k", [3, 30])
def test_what_stands_still_is_not_looked_at(dtype, k):
    """Separate groups: once bounds are set, the next pass has nothing to do."""
    rng = np.random.default_rng(k)
    middles = rng.permutation(100)[:k, None] * 10.0 + np.zeros(2)
    X = (np.repeat(middles, 20, axis=0) + rng.normal(0, 0.1, (20 * k, 2))).astype(dtype)
    p = Problem(X, np.zeros(2, dtype), 2.0**-10)
    state = Assignment(p, k)
    centres = p.points[::20].copy()
    assert state.assign(centres, 1) == (20 * k, 20 * k)
    state.step(state.add_up().copy(), centres)
    state.assign(centres, 2)
    assert state.assign(centres, 2) == (0, 0)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(1, 2), (5, 7), (16, 25), (40, 64)], ids=str)
@pytest.mark.parametrize("narrow", [False, True], ids=["", "narrow"])
@pytest.mark.parametrize("seed", range(3))
def test_sparse_rows(dtype, index, shape, seed, narrow):
    (d, k), rng = shape, np.random.default_rng([seed, *shape])
    X = rng.standard_normal((200, d))
    X[rng.random(X.shape) < 0.6] = 0
    p = Problem(X.astype(dtype), np.zeros(d, dtype), 0.25)
    rows = Csr(p, index)
    state = CsrAssignment(rows, k, stripes=1 + seed, narrow=narrow)
    plain = CsrAssignment(rows, k)
    assert walk(state, plain, start(p, k, rng), rng) > 0
    np.testing.assert_allclose(
        state.add_up(), twins.cluster_sums(p.Y, p.weights, state.labels, k), rtol=1e-5, atol=1e-4
    )
