"""Passes over labels: range, what occurs, codes, pairs, numbers by hashing."""

from itertools import pairwise

import numpy as np
import pytest

from clinfa._core import labels
from tests.kernels import label_helpers as helpers
from tests.kernels.helpers import cut
from tests.kernels.problems import read_only

TYPES = [np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64]
ROWS = [1, 2, 3, 4, 5, 7, 8, 17, 64, 1001]
STRIPES = [1, 3]


def some_labels(dtype, n, width, seed=0):
    """Labels about the least, the middle and the greatest of a type."""
    info = np.iinfo(dtype)
    for low in sorted({info.min, max(info.min, -(width // 2)), info.max - width + 1}):
        values = [low + int(v) for v in np.random.default_rng(seed).integers(0, width, n)]
        yield low, read_only(np.array(values, dtype))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("stripes", STRIPES)
def test_range(dtype, stripes):
    for n in ROWS:
        for width in (1, 2, 100):
            for _, y in some_labels(dtype, n, width, n):
                parts = [y[lo:hi] for lo, hi in pairwise(cut(n, stripes))]
                expected = [[part.min(), part.max()] for part in parts]
                assert helpers.label_range(y, stripes).tolist() == expected


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("stripes", STRIPES)
def test_what_occurs_and_codes(dtype, stripes):
    for n in ROWS:
        tables = np.random.default_rng(n).integers(-9, 9, (2, 100))
        for low, y in some_labels(dtype, n, 100, n):
            occur = {int(v) - low for v in y}
            assert set(np.flatnonzero(helpers.seen(y, low, 100, stripes)).tolist()) == occur
            out, which = helpers.codes(y, low, tables, stripes)
            assert out.tolist() == [tables[w, int(v) - low] for w, v in zip(which, y)]


@pytest.mark.parametrize("dtype", TYPES)
def test_few(dtype):
    for n in ROWS:
        for _, y in some_labels(dtype, n, 100, n):
            want, codes = np.unique(y, return_inverse=True)
            out, classes, table = np.full(n, 77), np.empty(min(n, 100), dtype), np.full(100, 77)
            assert labels.number_few(y, table, classes, out) == len(want)
            assert classes[: len(want)].tolist() == want.tolist() and np.array_equal(out, codes)
            span = int(want[-1]) - int(want[0])
            assert labels.number_few(y, table[:span], classes, out) == -1


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("stripes", STRIPES)
@pytest.mark.parametrize("width", [1, 2, 31, 32, 33, 100])  # the table is kept in lanes up to 32 x 32
def test_pairs(dtype, stripes, width):
    for n in ROWS:
        # (Sums of whole numbers are exact in any order.)
        weights = np.random.default_rng(n).integers(-8, 8, n).astype(float)
        cases = zip(some_labels(dtype, n, width, 1), some_labels(dtype, n, width, 2))
        for (low, a), (_, b) in cases:
            at = np.array([(int(v) - low) * width + int(w) - low for v, w in zip(a, b)])
            counts = helpers.pairs(a, b, low, width, stripes)
            assert np.array_equal(counts, np.bincount(at, minlength=width * width))
            sums = helpers.sums(a, b, weights, low, width, stripes)
            assert not sums[:, width * width :].any()
            for some, (lo, hi) in zip(sums, pairwise(cut(n, stripes))):
                expected = np.bincount(at[lo:hi], weights[lo:hi], width * width)
                assert np.array_equal(some[: width * width], expected)


@pytest.mark.parametrize("words", [1, 2, 3, 7])
@pytest.mark.parametrize("stripes", STRIPES)
@pytest.mark.parametrize("kinds", [1, 2, 30])
def test_numbers_are_given_as_rows_are_met(words, stripes, kinds):
    rng = np.random.default_rng(words)
    different = np.unique(rng.integers(0, 40, (kinds * 9, words)), axis=0)[:kinds].astype(np.uint32)
    for n in ROWS:
        rows = read_only(different[rng.integers(0, len(different), n)])
        met, expected = {}, []
        for row in map(tuple, rows):
            expected.append(met.setdefault(row, len(met)))
        # A table that is all but full: rows must be told apart where they meet.
        size = 1 << len(met).bit_length()
        found, firsts, owner, out = helpers.numbers(rows, stripes, len(met), size)
        assert found == len(met)
        assert out.tolist() == expected
        assert firsts.tolist() == [expected.index(number) for number in range(len(met))]
        assert set(owner) == {5}


def test_too_many_numbers():
    rows = np.arange(100, dtype=np.uint32).reshape(100, 1)
    found, firsts, owner, _ = helpers.numbers(rows, 4, 10, 16)
    assert found == -1
    assert firsts.tolist() == list(range(10))
    assert owner.tolist() == [5, -1, -1, -1]  # the others were not begun
    assert helpers.numbers(rows, 4, 100, 128)[0] == 100
