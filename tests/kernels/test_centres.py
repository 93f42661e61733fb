"""From labels to centres: sums, their reduction, the step, and whole fits in one call."""

from itertools import pairwise

import numpy as np
import pytest

from tests.cases import in_cases
from tests.kernels import helpers, twins
from tests.kernels.helpers import Assignment
from tests.kernels.problems import (
    CENTRES,
    FEATURES,
    REALS,
    WEIGHTS,
    real_numbers,
    whole_centres,
    whole_numbers,
)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
def test_sums_by_slabs(dtype, weights, d):
    """From nothing, then moving only the points whose label changed; any number of slabs."""
    rng, k = np.random.default_rng(d), 6
    p = whole_numbers(130, d, dtype, rng, weights)
    for slabs in (1, 2, 5):
        total, before = np.zeros((k, d + 2)), np.full(130, -1, np.int32)
        for _ in range(3):
            labels = rng.integers(0, k, 130).astype(np.int32)
            labels[:40] = before[:40] if before[0] >= 0 else labels[:40]
            helpers.sums_by_slabs(p, before, labels, total, slabs)
            assert np.array_equal(total, twins.cluster_sums(p.Y, p.weights, labels, k))
            before = labels


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("stripes", [1, 2, 9])
@pytest.mark.parametrize("k", CENTRES)
def test_stripe_sums(dtype, weights, stripes, k):
    rng = np.random.default_rng(k)
    p = whole_numbers(257, 5, dtype, rng, weights)
    labels = rng.integers(0, k, 257).astype(np.int32)
    sums = helpers.stripe_sums(p, labels, k, stripes)
    bounds = helpers.cut(257, stripes)
    for s, (lo, hi) in enumerate(pairwise(bounds)):
        w = p.weights[lo:hi] if len(p.weights) else p.weights
        expected = twins.cluster_sums(p.Y[lo:hi], w, labels[lo:hi], k)
        assert np.array_equal(sums[s], expected.ravel())
    assert np.array_equal(helpers.reduce_sums(sums, k), twins.cluster_sums(p.Y, p.weights, labels, k))


@pytest.mark.parametrize("stripes", [1, 2, 9])
def test_reduction_adds_in_order_and_forgets_the_memberless(stripes):
    rng, k, width = np.random.default_rng(stripes), 3, 6
    sums = rng.standard_normal((stripes, k, width)) * 10.0 ** rng.integers(-9, 9, (stripes, k, width))
    sums[:, :, -1] = rng.integers(1, 5, (stripes, k))
    sums[0, 1, -1] = 0  # rounding that was left behind when the last member went
    expected = np.zeros((k, width))
    for s in range(stripes):
        for j in range(k):
            if sums[s, j, -1] > 0:
                expected[j] += sums[s, j]
    flat = sums.reshape(stripes, k * width).copy()
    assert np.array_equal(helpers.reduce_sums(flat, k), expected)
    assert not flat.reshape(stripes, k, width)[0, 1].any()


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
def test_step(dtype, d, k):
    rng = np.random.default_rng([d, k])
    p = whole_numbers(100, d, dtype, rng, "zeros")
    state, centres = Assignment(p, k), whole_centres(k, d, dtype, rng)
    path, others, peak = np.zeros(k), np.zeros(k), np.zeros(k)
    for _ in range(3):
        state.assign(whole_centres(k, d, dtype, rng))
        total = state.add_up()
        expected, lengths = twins.step(total, centres)
        moved, worn = state.step(total, centres)
        assert np.array_equal(centres, expected)
        assert moved == pytest.approx((lengths**2).sum(), rel=1e-12)
        path += lengths
        others += twins.longest_of_the_others(lengths)
        size = np.abs(total[:, :-2]).max(axis=1)
        peak = np.maximum(peak, size)
        # Never shorter than it is, and longer by rounding only.
        assert (state.own >= path * (1 - 1e-15)).all()
        np.testing.assert_allclose(state.own, path, rtol=1e-11)
        assert (state.other >= others * (1 - 1e-15)).all()
        np.testing.assert_allclose(state.other, others, rtol=1e-11)
        assert worn == pytest.approx(max((peak[size > 0] / size[size > 0]), default=0))


@pytest.mark.parametrize("dtype", REALS)
def test_step_by_hand(dtype):
    """Means (1.5, 0) and (3, 4); the others have no weight, and join the second, the heaviest."""
    p = whole_numbers(4, 2, dtype, np.random.default_rng(0))
    state, centres = Assignment(p, 4), np.zeros((4, 2), dtype)
    total = np.array([[3.0, 0, 2, 2], [9, 12, 3, 1], [0, 0, 0, 5], [0, 0, 0, 0]])
    moved, worn = state.step(total, centres)
    assert centres.tolist() == [[1.5, 0], [3, 4], [3, 4], [3, 4]]
    assert moved == 1.5**2 + 3 * 25
    assert worn == 1
    np.testing.assert_allclose(state.own, [1.5, 5, 5, 5], rtol=1e-11)
    np.testing.assert_allclose(state.other, [5, 5, 5, 5], rtol=1e-11)
    _, worn = state.step(total / [3, 3, 1, 1], centres)
    assert worn == 3


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("d", [1, 4, 9, 33])
@pytest.mark.parametrize("k", [1, 3, 7])
@pytest.mark.parametrize("most", [1, 4, 1000])
def test_lloyd_steps_are_the_passes(dtype, weights, d, k, most):
    """Bit for bit, however many steps one call makes."""
    rng = np.random.default_rng([d, k])
    p = real_numbers(200, d, dtype, rng, weights)
    first = p.points[np.unique(rng.integers(0, 200, k))].copy()
    k = len(first)
    together, apart = Assignment(p, k), Assignment(p, k)
    centres, alone = first.copy(), first.copy()
    steps = moves = 0
    while True:
        changed = apart.assign(alone)[0]
        moves += changed
        steps += 1
        total = apart.add_up()
        empty = not ((total[:, -1] > 0) & (total[:, -2] > 0)).all()
        if empty:
            break
        whole, worn = apart.step(total, alone)
        if changed == 0 or whole == 0 or steps == most:
            break
    result = together.lloyd_steps(centres, 0.0, most)
    assert (result[0], result[1], result[2], bool(result[5])) == (steps, changed, moves, empty)
    if not empty:
        assert result[3:5] == (whole, worn)
    assert np.array_equal(centres, alone)
    for name in ("labels", "sums", "total", "track", "own", "other"):
        assert np.array_equal(getattr(together, name), getattr(apart, name)), name


@pytest.mark.parametrize("dtype", REALS)
def test_lloyd_steps_stop_at_tol(dtype):
    p = real_numbers(200, 3, dtype, np.random.default_rng(1))
    first = p.points[:5].copy()
    squares, centres, state = [], first.copy(), Assignment(p, 5)
    while True:
        steps, changed, _, moved, _, _ = state.lloyd_steps(centres, 0.0, 1)
        assert steps == 1
        squares.append(moved)
        if changed == 0:
            break
    tol = squares[2]
    at = next(i for i, square in enumerate(squares) if square <= tol)
    again = Assignment(p, 5).lloyd_steps(first.copy(), tol, 1000)
    assert (again[0], again[3]) == (at + 1, squares[at])


@pytest.mark.parametrize("dtype", REALS)
def test_lloyd_steps_leave_an_empty_cluster_to_the_caller(dtype):
    p = real_numbers(50, 2, dtype, np.random.default_rng(2))
    centres = np.concatenate([p.points[:2], np.full((1, 2), 50, dtype)])
    before = centres.copy()
    state = Assignment(p, 3)
    steps, *_, empty = state.lloyd_steps(centres, 0.0, 10)
    assert (steps, bool(empty)) == (1, True)
    assert np.array_equal(centres, before)
    assert np.array_equal(state.labels, twins.nearest(p.points, before))
    assert state.total[2].tolist() == [0, 0, 0, 0]
