"""Products of tall blocks against NumPy's."""

import numpy as np
import pytest

from clinfa import config_context
from clinfa.linalg import _blocks
from tests.kernels.problems import REALS, read_only

# Around the boundaries: rows held at once, vectors of either type, panels of three, chunks of rows.
WIDTHS = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 25, 47, 49, 64, 100]
ROWS = [1, 2, 7, 9, 127, 128, 129, 257, 700]


def whole(shape, dtype, seed, most=3):
    """Whole numbers: every product and every sum of them is exact in either type."""
    return read_only(np.random.default_rng(seed).integers(-most, most + 1, shape).astype(dtype))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("p", WIDTHS)
def test_crossed_is_exact_for_whole_numbers(dtype, p):
    for n in ROWS:
        A, B = whole((n, p), dtype, p), whole((n, 11), dtype, n)
        shift, weights = whole(p, float, 1), whole(n, float, 2, 1) + 2
        a, b = A.astype(float), B.astype(float)
        assert np.array_equal(_blocks.crossed(A), a.T @ a)
        assert np.array_equal(_blocks.crossed(A, B), a.T @ b)
        assert np.array_equal(_blocks.crossed(A, shift=shift), (a - shift).T @ (a - shift))
        assert np.array_equal(_blocks.crossed(A, B, shift=shift), (a - shift).T @ b)
        assert np.array_equal(_blocks.crossed(A, weights=weights), a.T @ (weights[:, None] * a))
        products, sums = _blocks.moments(A, shift, weights)
        assert np.array_equal(products, (a - shift).T @ (weights[:, None] * (a - shift)))
        assert np.array_equal(sums, weights @ (a - shift))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("m", WIDTHS)
def test_combined_is_exact_for_whole_numbers(dtype, m):
    for n, d in [(1, 1), (2, 9), (7, 4), (8, 17), (65, 5), (130, 100), (700, 3)]:
        A, C = whole((n, d), dtype, m), whole((d, m), dtype, n)
        shift, offset = whole(d, float, 1), whole(m, float, 2)
        a, c = A.astype(float), C.astype(float)
        assert np.array_equal(_blocks.combined(A, C), a @ c)
        assert np.array_equal(_blocks.combined(A, C, shift=shift), (a - shift) @ c)
        assert np.array_equal(_blocks.combined(A, C, shift=shift, offset=offset), (a - shift) @ c + offset)


@pytest.mark.parametrize("dtype", REALS)
def test_blocks_may_be_columns_of_wider_ones_and_nothing_else_is_touched(dtype):
    wide, other = whole((300, 40), dtype, 0), whole((300, 40), dtype, 1)
    A, B, C = wide[:, 3:16], other[:, 20:31], whole((13, 5), dtype, 2)
    assert np.array_equal(_blocks.crossed(A), A.astype(float).T @ A)
    assert np.array_equal(_blocks.crossed(A, B), A.astype(float).T @ B)
    out = np.full((300, 9), 77, dtype)
    assert _blocks.combined(A, C, out=out[:, 2:7]).base is out
    assert np.array_equal(out[:, 2:7], A @ C)
    assert (out[:, :2] == 77).all() and (out[:, 7:] == 77).all()


@pytest.mark.parametrize("dtype", REALS)
def test_many_columns(dtype):
    """More than one range of columns, and rounds of rows."""
    A, B = whole((2500, 300), dtype, 0), whole((2500, 290), dtype, 1)
    a, shift, weights = A.astype(float), whole(300, float, 2), whole(2500, float, 3, 1) + 2
    products, sums = _blocks.moments(A, shift)
    assert np.array_equal(products, (a - shift).T @ (a - shift))
    assert np.array_equal(sums, (a - shift).sum(axis=0))
    assert np.array_equal(_blocks.crossed(A, B), a.T @ B)
    assert np.array_equal(_blocks.moments(A, None, weights)[0], a.T @ (a * weights[:, None]))


def test_what_lies_behind_a_row_is_never_counted():
    wide = np.full((140, 16), np.nan)
    wide[:, :5] = whole((140, 5), float, 0)
    assert np.array_equal(_blocks.crossed(wide[:, :5]), wide[:, :5].T @ wide[:, :5])


def test_what_is_not_finite_shows():
    A = np.ones((200, 5))
    A[150, 3] = np.nan
    products, sums = _blocks.moments(A)
    assert np.isnan(products[3]).all() and np.isnan(sums[3])
    assert np.isfinite(np.delete(np.delete(products, 3, 0), 3, 1)).all()


@pytest.mark.parametrize("dtype", REALS)
def test_same_bits_on_any_number_of_threads(dtype):
    A = np.random.default_rng(0).standard_normal((30_000, 33)).astype(dtype)
    C, seen = np.ascontiguousarray(A[:33, :20]), []
    for threads in (1, 2, 3):
        with config_context(n_threads=threads):
            seen.append(
                [_blocks.crossed(A), _blocks.crossed(A, A[:, :7]), _blocks.combined(A, C, shift=A[0])]
            )
    assert all(np.array_equal(x, y) for other in seen[1:] for x, y in zip(seen[0], other, strict=True))
    assert np.array_equal(seen[0][0], seen[0][0].T)


def test_float32_products_are_made_in_double_where_there_is_a_shift():
    A = (np.random.default_rng(0).standard_normal((500, 12)) + 1000).astype(np.float32)
    a, shift = A.astype(float), A.astype(float).mean(axis=0)
    assert np.allclose(_blocks.crossed(A, shift=shift), (a - shift).T @ (a - shift), rtol=1e-13, atol=1e-11)


def test_nothing_gives_zeros():
    A = np.empty((0, 3))
    assert not _blocks.crossed(A).any() and _blocks.crossed(A, np.empty((0, 2))).shape == (3, 2)
    assert _blocks.combined(A, np.ones((3, 2))).shape == (0, 2)
