"""k-means++: the passes of the large search, and the whole of the small one."""

import numpy as np
import pytest

from tests.cases import in_cases
from tests.kernels import helpers, twins
from tests.kernels.problems import (
    FEATURES,
    REALS,
    WEIGHTS,
    Problem,
    real_numbers,
    weights_of,
    whole_centres,
    whole_numbers,
)

BUCKETS = 3


class Search:
    """Some centres chosen already, as the passes must leave things behind."""

    def __init__(self, p, count, rng):
        self.p = p
        self.rows = rng.permutation(len(p.X))[:count]
        squared = twins.squared_distances(p.Y, p.Y[self.rows])
        self.owner = squared.argmin(axis=1).astype(np.int32)
        self.closest = squared.min(axis=1).astype(p.X.dtype)
        self.bucket = rng.integers(0, BUCKETS, len(p.X)).astype(np.int32)

    def safe(self, candidates):
        """A quarter of the squared distance from each chosen centre to the nearest candidate."""
        squared = twins.squared_distances(self.p.Y[self.rows], candidates)
        return (squared.min(axis=1) / 4).astype(self.p.X.dtype)

    def never(self):
        return np.full(len(self.rows), -1, self.p.X.dtype)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
def test_gains_of_candidates(dtype, weights, d):
    """Exact on whole numbers, for any number of stripes, with and without what may be left out."""
    rng = np.random.default_rng(d)
    p = whole_numbers(300, d, dtype, rng, weights)
    search = Search(p, 5, rng)
    for m in (1, 4, 6, 7, 13):
        candidates = whole_centres(m, d, dtype, rng)
        expected = twins.gains(p.Y, p.weights, search.closest.astype(float), candidates)
        for safe in (search.never(), search.safe(candidates)):
            for stripes in (1, 3):
                found, _ = helpers.try_candidates(p, candidates, search.closest, search.owner, safe, stripes)
                assert np.array_equal(found, expected)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("n", [1, 7, 8, 31, 33, 64, 129])
def test_gains_at_the_ends_of_tiles(dtype, n):
    """Lanes beyond the last point add nothing, weighted or not."""
    rng = np.random.default_rng(n)
    for weights in ("none", "fractions"):
        p = whole_numbers(n, 3, dtype, rng, weights)
        search, candidates = Search(p, 1, rng), whole_centres(5, 3, dtype, rng)
        found, _ = helpers.try_candidates(p, candidates, search.closest, search.owner, search.never())
        assert np.array_equal(found, twins.gains(p.Y, p.weights, search.closest.astype(float), candidates))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("stripes", [1, 4])
def test_points_follow_a_new_centre(dtype, weights, d, stripes):
    """Any of the candidates; those who follow are strictly nearer to it than to any before."""
    rng = np.random.default_rng(d)
    p = whole_numbers(200, d, dtype, rng, weights)
    search, candidates = Search(p, 4, rng), whole_centres(7, d, dtype, rng)
    before, owner = search.closest.copy(), search.owner.copy()
    squared = twins.squared_distances(p.Y, candidates)
    for safe in (search.never(), search.safe(candidates)):
        _, looked_at = helpers.try_candidates(p, candidates, before, owner, safe, stripes)
        for which in range(7):
            closest, followed, sq = before.copy(), owner.copy(), squared[:, which]
            args = (4, closest, followed, search.bucket, BUCKETS)
            loss = helpers.follow(p, looked_at, which, *args)
            assert np.array_equal(closest, np.minimum(before, sq))
            assert np.array_equal(followed, np.where(sq < before, 4, owner))
            lost = twins.ones_if_empty(p.weights, 200) * np.maximum(before - sq, 0)
            assert np.array_equal(loss, twins.by_bucket(lost, search.bucket, BUCKETS))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("stripes", [1, 2, 5])
def test_mass_by_bucket(dtype, weights, stripes):
    rng = np.random.default_rng(stripes)
    closest = rng.integers(0, 100, 300).astype(dtype)
    w, bucket = (
        weights_of(weights, 300, rng),
        rng.integers(0, BUCKETS, 300).astype(np.int32),
    )
    found = helpers.bucket_mass(closest, w, bucket, BUCKETS, stripes)
    expected = twins.by_bucket(twins.ones_if_empty(w, 300) * closest, bucket, BUCKETS)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", [1, 2, 7, 25])
@pytest.mark.parametrize("trials", [1, 4])
def test_small_search(dtype, weights, d, k, trials):
    """The same rows as the twin from the same uniforms, with duplicate and weightless rows."""
    rng = np.random.default_rng([d, k, trials])
    p = whole_numbers(60, d, dtype, rng, weights, reach=1 if d > 4 else 4)
    order, uniforms = rng.permutation(60), rng.random(1 + (k - 1) * trials)
    chosen, centres = helpers.plus_plus_small(p, order, uniforms, trials, k)
    # The uniforms of a centre that needs one look only are passed over.
    expected = twins.plus_plus(p.Y, order, p.weights, uniforms, trials, k)
    assert np.array_equal(chosen, expected)
    assert np.array_equal(centres, p.points[chosen])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("k", [1, 3, 7])
def test_more_centres_than_different_rows(dtype, k):
    p = Problem(
        np.array([[0.0], [1], [0], [1], [0], [1], [5]], dtype), np.zeros(1, dtype), 0.25,
        np.array([1.0, 1, 1, 1, 1, 1, 0]),
    )  # fmt: skip
    for seed in range(20):
        uniforms = np.random.default_rng(seed).random(1 + (k - 1) * 3)
        chosen, _ = helpers.plus_plus_small(p, np.arange(7), uniforms, 3, k)
        assert set(p.X[chosen, 0]) == ({0, 1} if k > 1 else {p.X[chosen[0], 0]})
        assert 6 not in chosen


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2.0**-53])
def test_uniforms_at_the_ends_draw_rows_with_weight(dtype, uniform):
    p = real_numbers(40, 2, dtype, np.random.default_rng(0))
    w = np.zeros(40)
    w[5:35] = 0.1  # whose sum is not exact
    p = Problem(p.X, p.shift, p.scale, w)
    chosen, _ = helpers.plus_plus_small(p, np.arange(40), np.full(1 + 9 * 3, uniform), 3, 10)
    assert (w[chosen] > 0).all()
    assert len(np.unique(chosen)) == 10


@pytest.mark.parametrize("factor", [None, np.float32, np.float64])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("n", [1, 7, 8, 9, 100])
def test_rows_are_drawn_by_cumulative_weight(factor, weights, n):
    """Every goal below the total, on the boundaries between rows and off them."""
    rng, size = np.random.default_rng(n), 8
    order, w = rng.permutation(n), weights_of(weights, n, rng)
    by = np.empty(0) if factor is None else rng.integers(0, 3, n).astype(factor)
    mass = (twins.ones_if_empty(w, n) * twins.ones_if_empty(by, n))[order]
    if not mass.any():
        mass[0] = by[order[0]] = 1
        w = w[:0]
    ends = np.cumsum(mass)
    of_buckets = ends[np.minimum(np.arange(size, n + size, size), n) - 1]
    goals = np.concatenate([np.arange(0, ends[-1], 0.125), rng.random(50) * ends[-1]])
    expected = [order[np.flatnonzero(ends > goal)[0]] for goal in goals]
    assert helpers.draw_rows(order, size, of_buckets, goals, w, by).tolist() == expected


def test_a_goal_beyond_the_end_draws_a_row_with_weight():
    order, w = np.array([2, 0, 1, 3]), np.array([1.0, 0, 1, 0])
    found = helpers.draw_rows(order, 4, np.array([2.0 + 1e-9]), np.array([2.0]), w, np.empty(0))
    assert found.tolist() == [0]


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
def test_safe_radii(dtype, d):
    """A quarter of the squared distance to the nearest candidate, and never more than that."""
    rng = np.random.default_rng(d)
    p = real_numbers(40, d, dtype, rng)
    centres, candidates = p.points[:7].astype(float), p.points[5:12]
    squared = twins.squared_distances(centres, candidates).min(axis=1)
    found = helpers.safe_radii(centres, 7, candidates, p.noise)
    assert (found.astype(float) <= squared / 4).all()
    assert (found[5:] == 0).all()
    size = (centres**2).sum(axis=1).max() + (candidates.astype(float) ** 2).sum(axis=1).max()
    np.testing.assert_allclose(found, squared / 4, rtol=2e-5, atol=2 * p.noise * size)
    assert len(helpers.safe_radii(centres, 3, candidates, p.noise)) == 3
