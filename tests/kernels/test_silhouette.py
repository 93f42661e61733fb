"""Silhouette passes against NumPy, around every boundary of tiles and groups."""

import numpy as np
import pytest

from clinfa._core import kmeans, silhouette
from tests.cases import in_cases
from tests.kernels.helpers import cut, run
from tests.kernels.problems import FEATURES, REALS, read_only

PANEL = kmeans.panel_size()


def twin(D, codes, counts):
    """From all distances, of whole numbers: the sums are exact."""
    totals = np.stack([D[:, codes == c].sum(axis=1) for c in range(len(counts))], axis=1)
    own = np.arange(len(D)), codes[: len(D)]
    inside = totals[own] / np.maximum(counts[codes] - 1, 1)
    means = totals / counts
    means[own] = np.inf
    outside = means.min(axis=1)
    greatest = np.maximum(np.maximum(inside, outside), np.finfo(float).tiny)
    return np.where(counts[codes] == 1, 0, (outside - inside) / greatest)


def clusters(n, k, rng):
    codes = np.sort(np.r_[np.arange(k), rng.integers(k, size=n - k)]).astype(np.int32)
    return read_only(codes, np.bincount(codes))


def euclidean(X, codes, counts, stripes=1):
    n, d = X.shape
    tile = silhouette.tile_rows(X.itemsize)
    bounds = cut(-(-n // tile), stripes)
    padded = np.full((-(-n // PANEL) * PANEL, d), np.nan, X.dtype)
    padded[:n] = X
    panel = np.ascontiguousarray(padded.reshape(-1, PANEL, d).transpose(0, 2, 1)).ravel()
    scratch = np.full(tile * (d + PANEL) + 16, np.nan, X.dtype)
    sums, out = np.full(len(counts) * tile + 8, np.nan), np.full(n, np.nan)
    run(
        lambda cursor, limit: silhouette.euclidean_pass(
            X, panel, codes, counts, np.zeros(d, X.dtype), bounds, cursor, limit, scratch, sums, out
        ),
        bounds,
    )
    return out


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
def test_euclidean(dtype, d):
    rng = np.random.default_rng(d)
    for n in [3, 5, 6, 7, 31, 32, 33, 63, 64, 65, 130]:
        for k in {2, min(n - 1, 7), n - 1}:
            codes, counts = clusters(n, k, rng)
            X = read_only(rng.integers(-20, 20, (n, d)).astype(dtype))
            D = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2)).astype(float)
            for stripes in (1, 3):
                np.testing.assert_allclose(
                    euclidean(X, codes, counts, stripes), twin(D, codes, counts), 1e-12
                )


def test_tiles_have_the_size_that_scratch_is_made_for():
    assert silhouette.tile_rows(4) == 2 * silhouette.tile_rows(8)


def given(D, order, codes, counts, stripes):
    bounds, out, sums = cut(len(D), stripes), np.full(len(D), np.nan), np.full(len(counts), np.nan)
    run(
        lambda cursor, limit: silhouette.given_pass(
            D, order, codes, counts, bounds, cursor, limit, sums, out
        ),
        bounds,
    )
    return out


@pytest.mark.parametrize("n", [3, 10, 57])
def test_given(n):
    rng = np.random.default_rng(n)
    for k in {2, n // 2 + 1, n - 1}:
        codes, counts = clusters(n, k, rng)
        D = rng.integers(0, 100, (n, n)).astype(float)
        shuffled = rng.permutation(n)
        mixed = read_only(np.ascontiguousarray(D[:, shuffled]))
        order = np.argsort(shuffled)
        for stripes in (1, 4):
            out = given(mixed, order, codes, counts, stripes)
            np.testing.assert_allclose(out, twin(D, codes, counts), 1e-14)


def test_sums():
    rng = np.random.default_rng(0)
    codes, counts = clusters(40, 6, rng)
    D = rng.integers(0, 100, (40, 40)).astype(float)
    totals = np.stack([D[:, codes == c].sum(axis=1) for c in range(6)], axis=1)
    out = np.full(40, np.nan)
    silhouette.sums_pass(read_only(totals), codes, counts, out)
    np.testing.assert_allclose(out, twin(D, codes, counts), 1e-14)
    silhouette.sums_pass(np.zeros((40, 6)), codes, counts, out)
    assert not out.any()
