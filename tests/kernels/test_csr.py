"""Sparse rows: labels, sums, distances. Every result is what the dense rows would give."""

import numpy as np
import pytest

from tests.cases import in_cases
from tests.kernels import helpers, twins
from tests.kernels.helpers import CsrAssignment, pack_csr
from tests.kernels.problems import (
    CENTRES,
    FEATURES,
    INDICES,
    REALS,
    ROWS,
    WEIGHTS,
    Csr,
    Problem,
    weights_of,
    whole_centres,
)


def whole_sparse(n, d, dtype, rng, weights="none", index=np.int32, zeros=False):
    """Two thirds zeros, some rows empty; exact in either type."""
    X = rng.integers(-8, 9, (n, d))
    X[rng.random((n, d)) < 0.67] = 0
    X[:: max(n // 3, 1)] = 0
    p = Problem(X.astype(dtype), np.zeros(d, dtype), 0.5, weights_of(weights, n, rng))
    return Csr(p, index, zeros)


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
def test_pack_centres(dtype, d, k):
    centres = whole_centres(k, d, dtype, np.random.default_rng([d, k]))
    for width in {k, k + 1, -(-k // 16) * 16}:
        columns, half_sq = pack_csr(centres, width)
        assert np.array_equal(columns[:, :k], centres.T)
        assert not columns[:, k:].any()
        assert np.array_equal(half_sq[:k], (centres.astype(float) ** 2).sum(axis=1) / 2)
        assert (half_sq[k:] == np.inf).all()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
def test_labels_of_whole_numbers_are_exact(dtype, index, d, k):
    """Ties go to the lowest number, and empty rows are points like any other."""
    rng = np.random.default_rng([d, k])
    for n in ROWS[:8] if k < 64 else ROWS:
        rows = whole_sparse(n, d, dtype, rng, index=index, zeros=bool(n % 2))
        centres = whole_centres(k, d, dtype, rng)
        for mode in (0, 1):
            state = CsrAssignment(rows, k, stripes=1 + n % 4)
            assert state.assign(centres, mode) == (n, n)
            assert np.array_equal(state.labels, twins.nearest(rows.p.Y, centres))


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-10, 1e-20, 1e-22, 1e-30, 1e-60])
def test_single_precision_decides_only_what_it_can(mode, size):
    """Also where squares are too small for it."""
    rng = np.random.default_rng(mode)
    X = rng.standard_normal((300, 12)) * (rng.random((300, 12)) < 0.5) * size
    rows = Csr(Problem(X, np.zeros(12), 1.0))
    for closeness in (1.0, 1e-6, 1e-9, 0.0):
        centres = X[:1] + closeness * X[rng.integers(0, 300, 20)]
        plain, narrow = (CsrAssignment(rows, 20, narrow=narrow) for narrow in (False, True))
        plain.assign(centres, mode)
        narrow.assign(centres, mode)
        assert np.array_equal(narrow.labels, plain.labels)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("k", CENTRES)
def test_padding_never_wins(dtype, k):
    rows = Csr(Problem(np.zeros((20, 3), dtype), np.zeros(3, dtype), 1.0))
    far = np.full((k, 3), 1e3, dtype)
    far[-1] = 999
    state = CsrAssignment(rows, k)
    for mode in (0, 1, 2):
        state.assign(far, mode)
        assert (state.labels == k - 1).all()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("d", [1, 5, 17, 64])
@pytest.mark.parametrize("k", [1, 6, 25])
def test_sums_follow_the_labels(dtype, index, weights, d, k):
    rng = np.random.default_rng([d, k])
    rows = whole_sparse(200, d, dtype, rng, weights, index, zeros=True)
    for ranges in (1, 2, 5):
        state = CsrAssignment(rows, k)
        for _ in range(3):
            centres = whole_centres(k, d, dtype, rng)
            state.assign(centres)
            assert np.array_equal(state.labels, twins.nearest(rows.p.Y, centres))
            expected = twins.cluster_sums(rows.p.Y, rows.weights, state.labels, k)
            assert np.array_equal(state.add_up(ranges), expected)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
def test_own_distances(dtype, index, weights, d):
    rng = np.random.default_rng(d)
    rows = whole_sparse(130, d, dtype, rng, weights, index, zeros=True)
    centres, labels = whole_centres(7, d, dtype, rng), rng.integers(0, 7, 130).astype(np.int32)
    expected = twins.squared_distances(rows.p.Y, centres)[np.arange(130), labels]
    for stripes in (1, 3):
        inertia, out = helpers.distances(rows.p, centres, labels, stripes, csr=rows)
        assert np.array_equal(out, expected)
        assert inertia.sum() == twins.ones_if_empty(rows.weights, 130) @ expected
        alone, _ = helpers.distances(rows.p, centres, labels, stripes, each=False, csr=rows)
        assert np.array_equal(alone, inertia)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("index", INDICES)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", CENTRES)
def test_all_distances(dtype, index, d, k):
    rng = np.random.default_rng([d, k])
    rows, centres = whole_sparse(60, d, dtype, rng, index=index), whole_centres(k, d, dtype, rng)
    expected = twins.squared_distances(rows.p.Y, centres)
    for stripes in (1, 3):
        assert np.array_equal(helpers.products(rows, centres, 0.0, stripes), expected)


@pytest.mark.parametrize("dtype", REALS)
def test_distances_within_rounding_are_nothing(dtype):
    """A row and itself as a centre: |x|^2 - 2 x.c + |c|^2 leaves rounding behind."""
    rng = np.random.default_rng(3)
    X = rng.random((50, 30))
    X[rng.random(X.shape) < 0.5] = 0
    rows = Csr(Problem(X.astype(dtype), np.zeros(30, dtype), 1.0))
    out = helpers.products(rows, rows.p.points, rows.p.noise)
    assert not np.diag(out).any()
    assert (out >= 0).all()
    off = ~np.eye(50, dtype=bool)
    expected = twins.squared_distances(rows.p.Y, rows.p.Y)
    np.testing.assert_allclose(out[off], expected[off], rtol=1e-3 if dtype is np.float32 else 1e-12)
