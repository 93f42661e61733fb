"""Assignment of dense rows: packing, labels, ties, padding, sums by stripe."""

import numpy as np
import pytest

from tests.cases import in_cases
from tests.kernels import twins
from tests.kernels.helpers import PANEL, Assignment, pack
from tests.kernels.problems import (
    CENTRES,
    FEATURES,
    REALS,
    ROWS,
    WEIGHTS,
    Problem,
    real_numbers,
    whole_centres,
    whole_numbers,
)


def seeded(*what):
    """Other numbers for every case, the same in every run."""
    return np.random.default_rng([int(x) for x in what])


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
def test_pack_centres(dtype, d, k):
    centres = whole_centres(k, d, dtype, seeded(d, k))
    panel, half_sq = pack(centres)
    assert np.array_equal(panel.reshape(-1, d, PANEL), twins.panel(centres, PANEL))
    assert np.array_equal(half_sq, twins.half_squares(centres, PANEL))


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
def test_labels_of_whole_numbers_are_exact(dtype, d, k):
    """All products are exact here, so that ties are ties: the lowest number must win them."""
    p, centres = (
        whole_numbers(max(ROWS), d, dtype, seeded(d, k)),
        whole_centres(k, d, dtype, seeded(k, d, 1)),
    )
    expected = twins.nearest(p.Y, centres)
    for n in ROWS:
        part = Problem(p.X[-n:], p.shift, p.scale)
        state = Assignment(part, k, sums=False)
        assert state.assign(centres) == (n, n)
        assert np.array_equal(state.labels, expected[-n:])


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("n", [1, 33, 129])
def test_labels_of_real_numbers(dtype, d, n):
    """The chosen centre is as near as any, up to what rounding does to a squared distance."""
    for k in CENTRES:
        p = real_numbers(n, d, dtype, seeded(d, n, k))
        centres = p.points[seeded(k).integers(0, n, k)] + dtype(0.01)
        state = Assignment(p, k)
        state.assign(centres)
        sq = twins.squared_distances(p.points, centres)
        rounding = 2 * p.noise * ((p.Y**2).sum(axis=1) + (centres.astype(float) ** 2).sum(axis=1).max())
        assert (np.take_along_axis(sq, state.labels[:, None], 1)[:, 0] <= sq.min(axis=1) + rounding).all()


@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
@pytest.mark.parametrize("mode", [0, 1])
def test_single_precision_decides_only_what_it_can(d, k, mode):
    """Ties, near ties and certain cases, in tiles of every length: labels are those of double."""
    rng = seeded(d, k, mode)
    whole = whole_numbers(130, d, np.float64, rng), whole_centres(k, d, np.float64, rng)
    real = real_numbers(130, d, np.float64, rng)
    places = [1 + closeness * rng.standard_normal((k, d)) for closeness in (1, 1e-8)]
    for p, centres in [whole] + [(real, place) for place in places]:
        for n in (33, 130):
            part = Problem(p.X[:n], p.shift, p.scale)
            plain, narrow = (Assignment(part, k, narrow=narrow) for narrow in (False, True))
            assert plain.assign(centres, mode) == narrow.assign(centres, mode) == (n, n)
            assert np.array_equal(narrow.labels, plain.labels)
            np.testing.assert_allclose(narrow.add_up(), plain.add_up(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("k", [6, 64])
def test_single_precision_may_doubt_every_row(mode, k):
    """All centres in one place: more rows than fit any queue wait for the second look."""
    p = real_numbers(2000, 4, np.float64, seeded(k))
    state = Assignment(p, k, narrow=True, stripes=2)
    assert state.assign(np.repeat(p.points[:1], k, axis=0), mode) == (2000, 2000)
    assert not state.labels.any()
    assert state.add_up()[0, -1] == 2000


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("size", [1e-3, 1e-10, 1e-18, 1e-20, 1e-22, 1e-30, 1e-60])
def test_single_precision_of_numbers_whose_squares_it_cannot_hold(mode, size):
    rng = seeded(mode)
    p = Problem(rng.standard_normal((500, 5)) * size, np.zeros(5), 1.0)
    centres = rng.standard_normal((20, 5)) * size
    plain, narrow = (Assignment(p, 20, narrow=narrow) for narrow in (False, True))
    plain.assign(centres, mode)
    narrow.assign(centres, mode)
    assert np.array_equal(plain.labels, twins.nearest(p.Y / size, centres / size))
    assert np.array_equal(narrow.labels, plain.labels)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("k", CENTRES)
def test_of_equal_centres_the_first_wins(dtype, mode, k):
    p = real_numbers(130, 5, dtype, seeded(k))
    state = Assignment(p, k)
    state.assign(np.repeat(p.points[:1], k, axis=0), mode)
    assert not state.labels.any()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("k", CENTRES)
def test_padding_never_wins(dtype, k):
    """Padding lies at the origin, where all points are, and every centre is far away."""
    p = Problem(np.zeros((130, 3), dtype), np.zeros(3, dtype), 1.0)
    far = np.full((k, 3), 1e3, dtype)
    far[-1] = 999
    state = Assignment(p, k)
    for mode in (0, 1, 2):
        state.assign(far, mode)
        assert (state.labels == k - 1).all()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("d", [1, 3, 8, 17])
@pytest.mark.parametrize("k", [1, 5, 7, 25])
def test_sums_follow_the_labels(dtype, weights, d, k):
    """From nothing, then as labels change, for any number of stripes; exact on whole numbers."""
    rng = seeded(d, k)
    p = whole_numbers(1000, d, dtype, rng, weights)
    for stripes in (1, 2, 7):
        state = Assignment(p, k, stripes=stripes)
        for _ in range(3):
            centres, before = whole_centres(k, d, dtype, rng), state.labels.copy()
            changed, looked = state.assign(centres)
            assert (changed, looked) == ((state.labels != before).sum(), 1000)
            assert np.array_equal(state.labels, twins.nearest(p.Y, centres))
            assert np.array_equal(state.add_up(), twins.cluster_sums(p.Y, p.weights, state.labels, k))
        if weights == "none":
            parts = state.sums.reshape(len(state.bounds) - 1, k, d + 2)
            assert np.array_equal(parts[..., -1].sum(axis=1), np.diff(state.bounds))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("mode", [0, 1, 2])
def test_labels_do_not_depend_on_the_cut(dtype, mode):
    p = real_numbers(1000, 9, dtype, seeded(9), "fractions")
    seen = []
    for stripes in (1, 2, 3, 8, 31):
        rng, state = seeded(4), Assignment(p, 13, stripes=stripes)
        centres = p.points[:13].copy()
        state.assign(centres, min(mode, 1))
        for _ in range(3):
            state.move_to(centres, centres + rng.normal(0, 0.02, centres.shape))
            state.assign(centres, mode)
        seen.append((state.labels.copy(), state.add_up().copy(), state.slack.copy(), state.lower.copy()))
    for labels, total, slack, lower in seen[1:]:
        assert np.array_equal(labels, seen[0][0])
        np.testing.assert_allclose(total, seen[0][1], rtol=1e-12, atol=1e-12)
        assert np.array_equal(slack, seen[0][2])
        assert np.array_equal(lower, seen[0][3])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_stripes_are_taken_once_each(dtype, at_once):
    """A call takes `limit` stripes at most, in order, and a cursor past the end is left alone."""
    from tests.kernels import helpers

    p, taken = real_numbers(100, 3, dtype, seeded(1)), []
    bounds = helpers.cut(100, 5)
    inertia = np.full(5, np.nan)
    centres, labels = p.points[:1].copy(), np.zeros(100, np.int32)

    def kernel(cursor, limit):
        before = int(cursor[0])
        helpers.dense.distances_pass(
            p.X, p.shift, p.scale, centres, p.weights, labels, bounds, cursor, limit, inertia,
            np.empty(0, dtype),
        )  # fmt: skip
        taken.append(int(np.isfinite(inertia).sum()) - before)

    helpers.run(kernel, bounds, at_once=at_once)
    assert sum(taken) == 5
    assert max(taken) == min(at_once, 5)
    done = inertia.copy()
    inertia[:] = -1
    kernel(np.array([5]), at_once)
    assert (inertia == -1).all()
    assert np.isfinite(done).all()
