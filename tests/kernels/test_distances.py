"""Distances to the own centre and to all of them, and the step of a mini-batch."""

from itertools import pairwise

import numpy as np
import pytest

from tests.cases import in_cases
from tests.kernels import helpers, twins
from tests.kernels.problems import (
    CENTRES,
    FEATURES,
    REALS,
    ROWS,
    WEIGHTS,
    Problem,
    real_numbers,
    weights_of,
    whole_centres,
    whole_numbers,
)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
def test_own_distances(dtype, weights, d):
    rng = np.random.default_rng(d)
    p, centres = whole_numbers(130, d, dtype, rng, weights), whole_centres(7, d, dtype, rng)
    labels = rng.integers(0, 7, 130).astype(np.int32)
    expected = twins.squared_distances(p.Y, centres)[np.arange(130), labels]
    w = twins.ones_if_empty(p.weights, 130)
    for stripes in (1, 4):
        bounds = helpers.cut(130, stripes)
        inertia, out = helpers.distances(p, centres, labels, stripes)
        assert np.array_equal(out, expected)
        assert inertia.tolist() == [(w * expected)[lo:hi].sum() for lo, hi in pairwise(bounds)]
        alone, nothing = helpers.distances(p, centres, labels, stripes, each=False)
        assert np.array_equal(alone, inertia)
        assert len(nothing) == 0


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
def test_distance_to_oneself_is_nothing(dtype, d):
    p = real_numbers(70, d, dtype, np.random.default_rng(d))
    inertia, out = helpers.distances(p, p.points, np.arange(70, dtype=np.int32))
    assert not out.any()
    assert inertia == [0]
    assert not np.diag(helpers.transform(p, p.points)).any()


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
def test_transform(dtype, d, k):
    rng = np.random.default_rng([d, k])
    p, centres = whole_numbers(max(ROWS), d, dtype, rng), whole_centres(k, d, dtype, rng)
    expected = (np.sqrt(twins.squared_distances(p.Y, centres)) / p.scale).astype(dtype)
    for n in ROWS:
        part = Problem(p.X[:n], p.shift, p.scale)
        assert np.array_equal(helpers.transform(part, centres, 1 + n % 3), expected[:n])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("d", [1, 9, 100])
def test_transform_of_real_numbers(dtype, d):
    p = real_numbers(100, d, dtype, np.random.default_rng(d))
    centres = p.points[::9] + dtype(0.1)
    expected = np.sqrt(twins.squared_distances(p.points, centres)) / p.scale
    np.testing.assert_allclose(helpers.transform(p, centres), expected, rtol=4 * p.noise)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", [1, 5, 13])
def test_batch_step(dtype, weights, d, k):
    """Three batches of any rows, in any order and more than once."""
    rng = np.random.default_rng([d, k])
    p, mass = whole_numbers(140, d, dtype, rng), np.zeros(k)
    centres = whole_centres(k, d, dtype, rng)
    for m in (1, 65, 127):
        rows, before, seen = rng.integers(0, 140, m), centres.astype(float), mass.copy()
        Y, w = p.Y[rows], weights_of(weights, m, rng)
        labels, inertia, moved = helpers.batch_step(p, rows, w, centres, mass)
        squared = twins.squared_distances(Y, before)
        rounding = 8 * p.noise * (1 + (Y**2).sum(axis=1).max())
        assert (squared[np.arange(m), labels] <= squared.min(axis=1) + rounding).all()
        new, seen, expected = twins.batch_step(Y, w, before, seen, labels)
        np.testing.assert_allclose(centres, new, rtol=8 * p.noise, atol=8 * p.noise)
        assert np.array_equal(mass, seen)
        assert inertia == pytest.approx(expected, rel=1e-6, abs=rounding * m)
        assert moved == pytest.approx(((centres - before) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("dtype", REALS)
def test_batch_step_by_hand(dtype):
    """Centre 0 has seen weight 3 and gets 1 at distance 4; centre 10 gets 2 at 2; 99 nothing."""
    p = Problem(np.array([[4.0], [12], [4]], dtype), np.zeros(1, dtype), 1.0)
    centres, mass = np.array([[0.0], [10], [99]], dtype), np.array([3.0, 0, 7])
    labels, inertia, moved = helpers.batch_step(p, np.array([1, 0]), np.array([2.0, 1]), centres, mass)
    assert labels.tolist() == [1, 0]
    assert centres.ravel().tolist() == [1, 12, 99]
    assert mass.tolist() == [4, 2, 7]
    assert inertia == 2 * 4 + 16
    assert moved == 1 + 4
