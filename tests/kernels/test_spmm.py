"""Sparse rows times blocks, and the transpose, against plain loops."""

import numpy as np
import pytest

from clinfa._core import spmm
from tests.kernels.problems import INDICES, REALS, read_only

WIDTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 129]


def problem(dtype, index, n, m, seed):
    """Rows with duplicates and in no order; some are empty."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 9, n) * (rng.random(n) < 0.8)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(index)
    indices = rng.integers(0, m, indptr[-1] + 1).astype(index)
    data = rng.integers(-4, 5, len(indices)).astype(dtype)
    return read_only(data), read_only(indices), read_only(indptr)


def dense(data, indices, indptr, m):
    out = np.zeros((len(indptr) - 1, m))
    for i in range(len(out)):
        for t in range(indptr[i], indptr[i + 1]):
            out[i, indices[t]] += data[t]
    return out


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("k", WIDTHS)
def test_product(dtype, index, k):
    n, m = 23, 17
    data, indices, indptr = problem(dtype, index, n, m, k)
    rng = np.random.default_rng(k)
    block = read_only(rng.integers(-8, 9, (m, k)).astype(dtype))
    want = dense(data, indices, indptr, m) @ block
    other = read_only(rng.integers(-8, 9, (n, k)).astype(dtype))
    again, gain = read_only(other[::-1].copy()), read_only(np.arange(k, dtype=dtype) - 2)
    nothing = np.empty((0, 0), dtype)
    cuts = np.array([[0, 5, 0, indptr[5], -1], [5, n, indptr[5], indptr[n], -1]])
    for ahead in (0, 1, 7):
        for by, z, term, result in (
            (np.empty(0), nothing, nothing, want),
            (np.array([2.0, 0.0, 0.0]), nothing, nothing, 2 * want),
            (np.array([2.0, 0.0, -3.0]), other, nothing, 2 * want - 3 * other),
            (np.array([2.0, 0.0, 0.0]), nothing, other, 2 * want + gain * other),
            (np.array([-1.0, 0.0, 2.0]), other, again, -want + 2 * other + gain * again),
        ):
            out = np.full((n, k), np.nan, dtype)
            cursor = np.zeros(1, np.int64)
            spmm.product_pass(
                data,
                indices,
                indptr,
                block,
                0,
                k,
                ahead,
                cuts,
                by,
                z,
                gain if len(term) else gain[:0],
                term,
                cursor,
                2,
                out,
                np.empty((1, k), dtype),
            )
            assert np.array_equal(out, result)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("k", [3, 20])
def test_product_of_some_columns_and_parts_of_rows(dtype, k):
    n, m, nothing = 4, 17, np.empty((0, 0), dtype)
    data, indices, indptr = problem(dtype, np.int32, n, m, 0)
    block = np.random.default_rng(1).integers(-8, 9, (m, k)).astype(dtype)
    indptr = np.array([0, 1, indptr[-1], indptr[-1], indptr[-1]], np.int32)  # the second row has nearly all
    middle = indptr[2] // 2
    cuts = np.array(
        [
            [0, 1, 0, 1, -1],
            [1, 2, 1, middle, 0],
            [1, 2, middle, indptr[2], 1],
            [2, 4, indptr[2], indptr[2], -1],
        ]
    )
    out, parts = np.full((n, k), np.nan, dtype), np.full((2, k), np.nan, dtype)
    cursor = np.zeros(1, np.int64)
    spmm.product_pass(
        data,
        indices,
        indptr,
        block,
        1,
        k,
        2,
        cuts,
        np.empty(0),
        nothing,
        np.empty(0, dtype),
        nothing,
        cursor,
        9,
        out,
        parts,
    )
    want = dense(data, indices, indptr, m) @ block
    assert np.isnan(out[:, 0]).all() and np.isnan(out[1]).all() and np.isnan(parts[:, 0]).all()
    assert np.array_equal(out[[0, 2, 3], 1:], want[[0, 2, 3], 1:])
    assert np.array_equal(parts[:, 1:].sum(axis=0), want[1, 1:])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
def test_a_square_matrix_with_a_shift(dtype, index):
    n, k = 19, 11
    data, indices, indptr = problem(dtype, index, n, n, 3)
    block, z = np.random.default_rng(2).integers(-8, 9, (2, n, k)).astype(dtype)
    want = 2 * (dense(data, indices, indptr, n) @ block - 3 * block) - z
    cuts, cursor = np.array([[0, n, 0, indptr[n], -1]]), np.zeros(1, np.int64)
    spmm.product_pass(
        data,
        indices,
        indptr,
        block,
        0,
        k,
        4,
        cuts,
        np.array([2.0, 3.0, -1.0]),
        z,
        np.empty(0, dtype),
        np.empty((0, 0), dtype),
        cursor,
        1,
        z,
        np.empty((1, k), dtype),
    )
    assert np.array_equal(z, want)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
def test_transpose(dtype, index):
    n, m = 31, 13
    data, indices, indptr = problem(dtype, index, n, m, 5)
    bounds, count = np.array([0, 10, 31]), indptr[-1]
    counts = np.zeros((2, m), np.int64)
    spmm.count_pass(indices, indptr, bounds, np.zeros(1, np.int64), 2, counts)
    for s in range(2):
        seen = indices[indptr[bounds[s]] : indptr[bounds[s + 1]]]
        assert np.array_equal(counts[s], np.bincount(seen, minlength=m))
    starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    places = np.stack([starts[:-1], starts[:-1] + counts[0]])
    values, rows = np.zeros(count, dtype), np.full(count, -1, index)
    spmm.turn_pass(data, indices, indptr, bounds, np.zeros(1, np.int64), 2, places, values, rows)
    assert np.array_equal(dense(values, rows, starts, n), dense(data, indices, indptr, m).T)
    for j in range(m):
        assert (np.diff(rows[starts[j] : starts[j + 1]]) >= 0).all()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9])
def test_long_rows_times_a_sparse_transpose(dtype, index, n):
    k, m = 7, 19
    data, indices, indptr = problem(dtype, index, k, m, n)
    X = read_only(np.random.default_rng(n).integers(-8, 9, (n, m)).astype(dtype))
    out = np.full((n, k), np.nan, dtype)
    bounds = np.array([0, n // 2, n])
    spmm.rows_pass(data, indices, indptr, X, bounds, np.zeros(1, np.int64), 2, out)
    assert np.array_equal(out, X @ dense(data, indices, indptr, m).T)
