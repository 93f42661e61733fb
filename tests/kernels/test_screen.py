"""The screen: short rows never overstate a distance, and labels are those of the full tile."""

import numpy as np
import pytest

from clinfa._core import kmeans_screen
from tests.kernels import twins
from tests.kernels.helpers import Assignment, cut, pack, run
from tests.kernels.problems import REALS, Problem, real_numbers, whole_numbers


class Screen:
    """Short rows (V'x, |x - VV'x|), and the passes that decide by them what they can."""

    def __init__(self, p, basis, k, stripes=1):
        n = len(p.X)
        self.p, self.basis, self.k, self.bounds = p, basis, k, cut(n, stripes)
        self.short = np.full((n, basis.shape[1] + 1), np.nan, p.X.dtype)
        self.short[:, :-1] = p.points @ basis
        self.norms = np.full(n, np.nan, p.X.dtype)
        run(
            lambda cursor, limit: kmeans_screen.tail_pass(
                p.X, p.shift, p.scale, self.short, self.norms, 3 * p.noise, self.bounds, cursor, limit
            ),
            self.bounds,
        )
        self.labels, self.slack = np.full(n, -1, np.int32), np.full(n, np.nan, np.float32)
        self.track, self.own, self.other = np.zeros((2, k)), np.zeros(k), np.zeros(k)

    move_to, step = Assignment.move_to, Assignment.step

    def assign(self, centres, wider=1.0):
        """One pass; returns how many labels changed and how many rows took the full tile."""
        p, width = self.p, self.short.shape[1]
        front = centres.astype(np.float64) @ self.basis
        whole = (centres.astype(np.float64) ** 2).sum(axis=1)
        rest = np.maximum(whole - (front**2).sum(axis=1), 0) + 3 * p.noise * whole
        short = np.column_stack([front, np.sqrt(rest)]).astype(centres.dtype)
        room = ((self.own + self.other) * (1 + 1e-6)).astype(np.float32)
        counts = np.zeros((len(self.bounds) - 1, 2), np.int64)
        scratch = np.full(64 * (width + p.X.shape[1]) + 64, np.nan, centres.dtype)
        run(
            lambda cursor, limit: kmeans_screen.screen_pass(
                p.X,
                p.shift,
                p.scale,
                centres,
                *pack(centres),
                self.short,
                self.norms,
                np.zeros(width, centres.dtype),
                pack(short)[0],
                3 * p.noise,
                wider,
                self.labels,
                self.slack,
                self.own,
                self.other,
                room,
                scratch,
                self.bounds,
                cursor,
                limit,
                counts,
            ),
            self.bounds,
        )
        return tuple(counts.sum(axis=0))


def basis(d, width, dtype, rng):
    return np.linalg.qr(rng.standard_normal((d, width)))[0].astype(dtype)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("d", [5, 17, 64, 130])
def test_short_rows(dtype, d):
    """Norms are kept, inner products only grow, so that distances only shrink."""
    rng = np.random.default_rng(d)
    p, width = real_numbers(100, d, dtype, rng), 4
    for stripes in (1, 3):
        screen = Screen(p, basis(d, width, dtype, rng), 2, stripes)
        rounding = 8 * p.noise * (p.points.astype(float) ** 2).sum(axis=1).max()
        whole = (p.points.astype(float) ** 2).sum(axis=1)
        np.testing.assert_allclose(screen.norms, whole, rtol=4 * p.noise)
        np.testing.assert_allclose((screen.short.astype(float) ** 2).sum(axis=1), whole, atol=rounding)
        assert (screen.short[:, -1] >= 0).all()
        short, long = (twins.squared_distances(rows, rows[:20]) for rows in (screen.short, p.points))
        assert (short <= long + rounding).all()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("width", [1, 4, 16])
@pytest.mark.parametrize("wider", [1.0, 1.5])
@pytest.mark.parametrize("k", [2, 13, 64, 100])
def test_labels_are_those_of_plain_passes(dtype, width, wider, k):
    """As centres walk by steps of any size; the slack is never more than the true gap."""
    rng = np.random.default_rng([width, k])
    d, n = 40, 400
    p = real_numbers(n, d, dtype, rng)
    screen, plain = Screen(p, basis(d, width, dtype, rng), k, stripes=3), Assignment(p, k)
    centres = p.points[rng.integers(0, n, k)].copy()
    centres[-1] = centres[0]
    exact = np.float64 if dtype is np.float32 else np.longdouble
    for step in (0, 0, 1e-9, 1e-4, 1e-2, 0.3, 1e-3, 1e-7):
        screen.move_to(centres, (centres + step * rng.standard_normal((k, d))).astype(dtype))
        changed, full = screen.assign(centres, wider)
        assert changed == plain.assign(centres)[0]
        assert np.array_equal(screen.labels, plain.labels)
        assert 0 <= full <= n
        distances = np.sqrt(twins.squared_distances(p.points, centres, exact))
        own = distances[np.arange(n), screen.labels].copy()
        distances[np.arange(n), screen.labels] = np.inf
        room = screen.own[screen.labels] + screen.other[screen.labels]
        assert (screen.slack.astype(exact) - room <= distances.min(axis=1) - own).all()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("n", [1, 7, 8, 31, 32, 33, 64, 65, 129])
def test_ties_and_the_ends_of_tiles(dtype, n):
    """Whole numbers and few places: many exact ties, of which the lowest number wins."""
    rng = np.random.default_rng(n)
    p = whole_numbers(n, 6, dtype, rng, reach=1)
    screen = Screen(p, np.eye(6, 2, dtype=dtype), 50)
    for _ in range(3):
        centres = rng.integers(-1, 2, (50, 6)).astype(dtype)
        screen.move_to(centres.copy(), centres)
        screen.slack[:] = -1
        screen.assign(centres)
        assert np.array_equal(screen.labels, twins.nearest(p.Y, centres))


@pytest.mark.parametrize("dtype", REALS)
def test_separate_groups_need_no_full_look(dtype):
    rng = np.random.default_rng(0)
    middles = rng.permutation(70)[:, None] * np.eye(130)[0] * 20
    X = np.repeat(middles, 10, axis=0) + rng.normal(0, 0.1, (700, 130))
    p = Problem((X / 2048).astype(dtype), np.zeros(130, dtype), 1.0)
    screen = Screen(p, np.eye(130, 4, dtype=dtype), 70)
    centres = p.points[::10].copy()
    assert screen.assign(centres, 2.0) == (700, 0)
    assert np.array_equal(screen.labels, np.repeat(np.arange(70), 10))
    assert screen.assign(centres, 2.0) == (0, 0)
