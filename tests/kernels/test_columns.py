"""Passes over columns: range, finiteness, moments, row keys, and the frame."""

from itertools import pairwise

import numpy as np
import pytest

from tests.cases import in_cases
from tests.kernels import column_helpers as helpers
from tests.kernels import twins
from tests.kernels.problems import (
    FEATURES,
    INDICES,
    REALS,
    ROWS,
    WEIGHTS,
    Csr,
    Problem,
    read_only,
    whole_numbers,
)

WIDE = [127, 128, 129, 1023, 1024, 1025, 2500]


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("d", FEATURES + WIDE)
def test_range(dtype, d):
    rng = np.random.default_rng(d)
    X = read_only(rng.standard_normal((max(ROWS) if d < 101 else 33, d)).astype(dtype))
    for n in (n for n in ROWS if n <= len(X)):
        for stripes in (1, 3):
            out = helpers.column_range(X[:n], stripes)
            assert np.array_equal(out[:, 0].min(axis=0), X[:n].min(axis=0))
            assert np.array_equal(out[:, 1].max(axis=0), X[:n].max(axis=0))
            assert not out[:, 2].any()
    bounds = helpers.cut(n, 3)
    for s, (lo, hi) in enumerate(pairwise(bounds)):
        assert np.array_equal(out[s, 0], X[lo:hi].min(axis=0))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("d", [1, 3, 17, 128, 129, 1025])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_range_says_which_columns_are_not_finite(dtype, d, bad):
    n = 140 if d < 200 else 9
    for i in {0, 1, n // 2, n - 1}:
        for f in {0, d // 2, d - 1}:
            X = np.ones((n, d), dtype)
            X[i, f] = bad
            for stripes in (1, 4):
                spoilt = np.isnan(helpers.column_range(X, stripes)[:, 2]).any(axis=0)
                assert np.flatnonzero(spoilt).tolist() == [f]


@pytest.mark.parametrize("dtype", REALS)
def test_the_greatest_numbers_are_finite(dtype):
    greatest = np.finfo(dtype).max
    X = np.full((100, 3), greatest, dtype)
    X[::2] *= -1
    assert helpers.column_range(X)[0].tolist() == [[-greatest] * 3, [greatest] * 3, [0] * 3]
    assert helpers.finite(X.ravel()).tolist() == [0]


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("n", [1, 15, 16, 17, 31, 32, 33, 100])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_finite(dtype, n, bad):
    good = read_only(np.linspace(-1, 1, n).astype(dtype))
    for stripes in (1, 3):
        assert not helpers.finite(good, stripes).any()
    for i in range(n):
        values = good.copy()
        values[i] = bad
        out, bounds = helpers.finite(values, 3), helpers.cut(n, 3)
        assert np.array_equal(np.isnan(out), (bounds[:-1] <= i) & (i < bounds[1:]))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
def test_moments(dtype, weights, d):
    p = whole_numbers(130, d, dtype, np.random.default_rng(d), weights)
    w = twins.ones_if_empty(p.weights, 130)
    for stripes in (1, 5):
        assert np.array_equal(helpers.moments(p, stripes), [w @ p.Y, w @ p.Y**2])


# Keys


def rows_with_repetitions(dtype, d, rng):
    return rng.integers(-1, 2, (200, d)).astype(dtype)


def same(values):
    """Which pairs are equal."""
    if values.ndim == 1:
        values = values[:, None]
    return (values[:, None] == values[None]).all(axis=2)


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
def test_keys_are_equal_where_rows_are(dtype, d):
    X = read_only(rows_with_repetitions(dtype, d, np.random.default_rng(d)))
    found = helpers.keys(X)
    assert np.array_equal(same(found), same(X))
    assert np.array_equal(helpers.keys(X, 7), found)


@in_cases("d", FEATURES)
def test_keys_are_the_same_for_either_type_and_either_zero(d):
    X = rows_with_repetitions(np.float32, d, np.random.default_rng(d))
    found = helpers.keys(X)
    assert np.array_equal(helpers.keys(X.astype(np.float64)), found)
    X[X == 0] = -0.0
    assert np.array_equal(helpers.keys(X), found)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("zeros", [False, True], ids=["zeros-left-out", "zeros-stored"])
@in_cases("d", FEATURES)
def test_keys_of_sparse_rows_are_those_of_dense_ones(dtype, index, zeros, d):
    X = rows_with_repetitions(dtype, d, np.random.default_rng(d))
    rows = Csr(Problem(X, np.zeros(d, dtype), 1.0), index, zeros)
    for stripes in (1, 3):
        assert np.array_equal(helpers.keys_csr(rows, stripes), helpers.keys(X))


def test_keys_tell_apart_what_sums_would_not():
    """Permuted rows, rows shifted by a column, values one bit apart."""
    one = 1.0
    X = np.array(
        [
            [1, 2, 0],
            [2, 1, 0],
            [0, 1, 2],
            [0, 2, 1],
            [one, np.nextafter(2, 3), 0],
            [0, 0, 0],
            [3, 0, 0],
        ]
    )
    assert len(np.unique(helpers.keys(X))) == len(X)
    grid = np.stack(np.meshgrid(np.arange(300.0), np.arange(300.0)), axis=-1).reshape(-1, 2)
    assert len(np.unique(helpers.keys(grid))) == len(grid)


@pytest.mark.parametrize("d", [1, 5])
def test_keys_put_rows_in_the_same_order_in_either_type(d):
    """Of values that single precision rounds, too small or too large for it among them."""
    rng = np.random.default_rng(d)
    X = rng.standard_normal((500, d)) * 10.0 ** rng.integers(-60, 60, (500, 1))
    with np.errstate(over="ignore"):
        single = X.astype(np.float32)
    _, first = np.unique(single, axis=0, return_index=True)  # (many become zero or infinite)
    assert len(first) > 200
    wide, narrow = helpers.keys(X[first]), helpers.keys(single[first])
    assert np.array_equal(np.argsort(wide), np.argsort(narrow))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weighted", [False, True])
def test_kinds(dtype, weighted):
    rng = np.random.default_rng(5)
    X = read_only(rows_with_repetitions(dtype, 3, rng))
    targets, C = rng.integers(3, size=200) / 2, rng.integers(4, size=200) / 4  # (sums of these are exact)
    w = rng.integers(1, 5, 200) / 4 if weighted else np.empty(0)
    rows, kind, first, total, mass, share = helpers.kinds(X, targets, C, w)
    some = np.flatnonzero(C)
    assert np.array_equal(rows, some[np.lexsort((helpers.keys(X)[some], targets[some]))])
    every = np.column_stack([targets, X])
    kinds, place = np.unique(every[some], axis=0, return_inverse=True)
    assert np.array_equal(same(kind), same(every[rows])) and np.all(np.diff(kind) >= 0)
    assert len(first) == len(kinds) and np.array_equal(every[first][kind], every[rows])
    for sums, values in ((total, C), (mass, twins.ones_if_empty(w, 200))):
        assert np.array_equal(
            sums[kind], np.bincount(place, values[some])[place][np.searchsorted(some, rows)]
        )
    assert np.array_equal(share, C[rows] / total[kind])


def test_kinds_of_unlike_rows_with_one_key():
    """A NaN is unlike itself, and has one key."""
    X = np.array([[1.0, np.nan], [2.0, 3.0], [1.0, np.nan]])
    assert helpers.kinds(X, np.zeros(3), np.ones(3), np.empty(0)) is None
    assert helpers.kinds(X, np.array([0.0, 0, 1]), np.ones(3), np.empty(0))[0].tolist()[2] == 2
    assert [len(part) for part in helpers.kinds(X, np.zeros(3), np.zeros(3), np.empty(0))] == [0] * 6


def test_keys_tell_apart_what_single_precision_cannot():
    X = 1e12 + np.stack(np.meshgrid(np.arange(60.0), np.arange(60.0)), axis=-1).reshape(-1, 2)
    assert len(np.unique(X.astype(np.float32), axis=0)) == 1
    assert len(np.unique(helpers.keys(X))) == len(X)


# The frame


def columns_of(kind, rng):
    low = rng.standard_normal(5)
    wide = rng.random(5) * 3
    return {
        "about the origin": (-wide, wide * 0.7),
        "off the origin": (low * 1e6, low * 1e6 + wide),
        "one wide, one narrow": (low, low + np.array([1e6, 1, 1e-3, 1e-9, 0])),
        "some constant": (low, low + wide * [1, 0, 1, 0, 1]),
        "all constant": (low * 1e5, low * 1e5),
        "nothing": (low * 0, low * 0),
        "tiny": (low * 1e-30, low * 1e-30 + wide * 1e-30),
        "huge": (low * 1e30, low * 1e30 + wide * 1e30),
    }[kind]


KINDS = [
    "about the origin", "off the origin", "one wide, one narrow", "some constant", "all constant",
    "nothing", "tiny", "huge",
]  # fmt: skip


def is_power_of_two(value):
    return np.frexp(value)[0] == 0.5


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_frame(dtype, kind, seed):
    low, high = (c.astype(dtype).astype(float) for c in columns_of(kind, np.random.default_rng(seed)))
    shift, scale = helpers.choose_frame(low, high, dtype)
    assert is_power_of_two(scale)
    assert np.isfinite(dtype(scale)) and dtype(scale) > 0
    assert np.isfinite(shift).all()
    for end in (low, high):
        inside = (end.astype(dtype) - shift) * dtype(scale)
        assert (np.abs(inside) <= 1).all()
        # Values are exact to shift: as differences in the data's own type they lose nothing.
        assert np.array_equal(inside.astype(float), (end - shift.astype(float)) * scale)
    if (high > low).any():
        assert max(np.abs(low - shift).max(), np.abs(high - shift).max()) * scale > 0.25
        assert (np.abs((low + high) / 2 - shift) <= 4.0 * (high - low).max()).all()
    if kind == "about the origin":
        assert not shift.any()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e5])
def test_frame_keeps_every_value(dtype, offset):
    """What lies between is exact to shift as well, not only the ends."""
    X = (np.random.default_rng(1).standard_normal((500, 3)) + offset).astype(dtype)
    shift, scale = helpers.choose_frame(X.min(axis=0), X.max(axis=0), dtype)
    inside = (X - shift) * dtype(scale)
    assert np.array_equal(inside.astype(float), (X.astype(float) - shift) * scale)
    assert np.array_equal((inside / scale + shift).astype(dtype), X)
    assert bool(shift.any()) == (offset > 0)


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e150, 1e300])
def test_frame_of_extreme_sizes(size):
    low, high = np.array([-1.0, 0.5]) * size, np.array([0.7, 0.6]) * size
    shift, scale = helpers.choose_frame(low, high, np.float64)
    assert not shift.any()
    assert is_power_of_two(scale)
    assert 0.5 <= size * scale <= 1


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ([1e300, 0], [1e300, 1e-100]),
        ([-1e300, 5], [-1e300, 5 + 1e-9]),
    ],
)
def test_frame_of_columns_of_very_different_sizes(low, high):
    shift, scale = helpers.choose_frame(low, high, np.float64)
    assert np.isfinite(shift).all()
    assert np.isfinite((np.array([low, high]) - shift) * scale).all()
    assert (np.abs((np.array([low, high]) - shift) * scale) <= 1).all()


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-40, 1e30])
def test_frame_of_one_value_in_float32(value):
    """The scale must be a float32 too: an infinite one would turn zeros into NaN."""
    value = np.float32(value)
    shift, scale = helpers.choose_frame([value], [value], np.float32)
    assert (value - shift) * np.float32(scale) == 0


def test_frame_of_the_smallest_float32():
    shift, scale = helpers.choose_frame([0.0], [1e-40], np.float32)
    assert np.isfinite(np.float32(scale))
    assert 0 <= (np.float32(1e-40) - shift[0]) * np.float32(scale) <= 1
