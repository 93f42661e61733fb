"""Kernels over scores and probabilities, each against a slow twin."""

import numpy as np
import pytest

from clinfa._core import ranking
from tests.kernels.helpers import cut, run
from tests.kernels.problems import read_only

SCORES = [np.float32, np.float64, np.int64]
REALS = [np.float32, np.float64]
RANGES = [1, 2, 8, ranking.range_limit()]
SIZES = [1, 2, 127, 128, 129, 700]


def some_scores(n, dtype, rng):
    """Whole numbers and halves, so that there are ties, of either sign, and zeros of either sign."""
    s = np.round(rng.standard_normal(n) * 4) / (1 if dtype == np.int64 else 2)
    s[::3] *= -1.0
    return read_only(s.astype(dtype))


def some_weights(n, kind, rng):
    return read_only(np.empty(0) if kind == "none" else rng.integers(0, 4, n) / 2)


def buckets(scores, positive, weights, splitters, stripes=1):
    bounds, n, width = cut(len(scores), stripes), len(scores), 2 * len(splitters) + 3
    bucket, bad = np.full(n, 255, np.uint8), np.full(len(bounds) - 1, 7.0)
    counts = np.full((len(bounds) - 1, width), -1, np.int64)
    run(
        lambda cursor, limit: ranking.bucket_pass(
            scores, positive, weights, splitters, bounds, cursor, limit, bucket, counts, bad
        ),
        bounds,
    )
    return bucket, counts, bad, bounds


def in_buckets(scores, positive, weights, ranges):
    """Scores dealt to ranges and classes, each sorted: what the passes over ranges see."""
    splitters = np.quantile(scores, np.arange(1, ranges) / ranges, method="lower").astype(scores.dtype)
    part = 2 * np.searchsorted(splitters, scores, side="right") + positive
    order = np.lexsort([scores, part])
    starts = np.searchsorted(part[order], np.arange(2 * ranges + 1))
    w = weights[order] if len(weights) else weights
    return read_only(scores[order]), read_only(w), read_only(starts)


def ranges_of(starts):
    return np.arange(len(starts) // 2 + 1)


@pytest.mark.parametrize("dtype", SCORES)
@pytest.mark.parametrize("ranges", RANGES)
@pytest.mark.parametrize("weights", ["none", "some"])
def test_buckets_and_their_scattering(dtype, ranges, weights):
    rng = np.random.default_rng(ranges)
    for n in SIZES:
        s, w = some_scores(n, dtype, rng), some_weights(n, weights, rng)
        positive = read_only(rng.integers(0, 2, n).astype(np.uint8))
        splitters = read_only(np.sort(rng.choice(s, ranges - 1)))
        expected = 2 * (s[:, None] >= splitters).sum(axis=1) + positive
        if len(w):
            expected[w == 0] = 2 * ranges
        for stripes in (1, 3):
            bucket, counts, bad, bounds = buckets(s, positive, w, splitters, stripes)
            assert np.array_equal(bucket, expected)
            assert not bad.any()
            for row, lo, hi in zip(counts, bounds, bounds[1:], strict=False):
                assert np.array_equal(row, np.bincount(expected[lo:hi], minlength=2 * ranges + 1))
            counts = counts[:, :-1]
            starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
            places = starts[:-1] + np.cumsum(counts, axis=0) - counts
            out = np.full(starts[-1], 99, dtype)
            out_w = np.full(starts[-1] if len(w) else 0, 99.0)
            run(
                lambda cursor, limit, a=(s, w, bucket, places, bounds), b=(out, out_w): ranking.scatter_pass(
                    *a, cursor, limit, *b
                ),
                bounds,
            )
            kept = np.flatnonzero(expected < 2 * ranges)
            order = kept[np.argsort(expected[kept], kind="stable")]
            assert np.array_equal(out, s[order])
            if len(w):
                assert np.array_equal(out_w, w[order])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_buckets_say_which_stripe_is_not_finite(dtype, value):
    good = np.linspace(-1, 1, 300).astype(dtype)
    for i in (0, 127, 128, 299):
        s = good.copy()
        s[i] = value
        _, _, bad, bounds = buckets(s, np.zeros(300, np.uint8), np.empty(0), good[:0], 3)
        assert np.array_equal(np.isnan(bad), (bounds[:-1] <= i) & (i < bounds[1:]))


@pytest.mark.parametrize("dtype", SCORES)
@pytest.mark.parametrize("ranges", RANGES)
def test_pairs(dtype, ranges):
    rng = np.random.default_rng(ranges)
    for n in SIZES:
        for share in (0, 0.1, 0.5, 1):
            positive = rng.random(n) < share
            s, _, starts = in_buckets(some_scores(n, dtype, rng), positive, np.empty(0), ranges)
            out = np.full(ranges, -1, np.int64)
            run(
                lambda cursor, limit, a=(s, starts), out=out: ranking.pairs_pass(*a, cursor, limit, out),
                ranges_of(starts),
            )
            for r in range(ranges):
                q, p = s[starts[2 * r] : starts[2 * r + 1]], s[starts[2 * r + 1] : starts[2 * r + 2]]
                assert out[r] == (q < p[:, None]).sum() + (q <= p[:, None]).sum()


@pytest.mark.parametrize("dtype", SCORES)
@pytest.mark.parametrize("ranges", RANGES)
@pytest.mark.parametrize("weights", ["none", "some"])
def test_curve_and_areas(dtype, ranges, weights):
    rng = np.random.default_rng(ranges)
    for n in SIZES:
        positive = rng.random(n) < 0.4
        w = some_weights(n, weights, rng)
        s, w, starts = in_buckets(some_scores(n, dtype, rng), positive, w, ranges)
        ones = w if len(w) else np.ones(n)
        t, fps, tps = np.full(n, 99, dtype), np.full(n, -1.0), np.full(n, -1.0)
        lengths = np.full(ranges, -1, np.int64)
        out = np.full((2, ranges), -1.0)
        above = rng.integers(0, 9, (ranges, 2)).astype(float)
        run(
            lambda cursor, limit, a=(s, w, starts), b=(t, fps, tps, lengths): ranking.curve_pass(
                *a, cursor, limit, *b
            ),
            ranges_of(starts),
        )
        for precision in (0, 1):
            run(
                lambda cursor, limit, a=(s, w, starts, above, precision), b=out[precision]: ranking.area_pass(
                    *a, cursor, limit, b
                ),
                ranges_of(starts),
            )
        for r in range(ranges):
            a, b, c = starts[2 * r : 2 * r + 3]
            steps = np.unique(s[a:c])[::-1]
            m = len(steps)
            fp = ((s[a:b] >= steps[:, None]) * ones[a:b]).sum(axis=1)
            tp = ((s[b:c] >= steps[:, None]) * ones[b:c]).sum(axis=1)
            assert lengths[r] == m
            assert np.array_equal(t[a : a + m], steps)
            assert np.array_equal(fps[a : a + m], fp)
            assert np.array_equal(tps[a : a + m], tp)
            dfp, dtp = np.diff(fp, prepend=0), np.diff(tp, prepend=0)
            fp, tp = fp + above[r, 0], tp + above[r, 1]
            assert np.isclose(out[0, r], (dfp * (tp - dtp / 2)).sum(), rtol=1e-13)
            total = np.where(tp + fp == 0, 1, tp + fp)
            assert np.isclose(out[1, r], (dtp * tp / total).sum(), rtol=1e-13)


@pytest.mark.parametrize("dtype", SCORES)
@pytest.mark.parametrize("m", [1, 2, 3, 50, 301])
def test_corners(dtype, m):
    rng = np.random.default_rng(m)
    x, y = (read_only(np.cumsum(rng.integers(0, 2, m)).astype(float)) for _ in "xy")
    t = read_only(np.arange(m)[::-1].astype(dtype))
    keep = np.ones(m, bool)
    keep[1:-1] = (np.diff(x, 2) != 0) | (np.diff(y, 2) != 0)
    for stripes in (1, 4):
        bounds = cut(m, stripes)
        out = np.full(m, -1.0), np.full(m, -1.0), np.full(m, 99, dtype)
        lengths = np.full(len(bounds) - 1, -1, np.int64)
        run(
            lambda cursor, limit, a=(x, y, t, bounds), b=(*out, lengths): ranking.corners_pass(
                *a, cursor, limit, *b
            ),
            bounds,
        )
        at = np.concatenate([np.arange(a, a + k) for a, k in zip(bounds, lengths, strict=False)])
        for found, given in zip(out, (x, y, t), strict=True):
            assert np.array_equal(found[at], given[keep])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("code", [np.uint8, np.int64])
@pytest.mark.parametrize("k", [1, 2, 3, 17])
@pytest.mark.parametrize("weights", ["none", "some"])
def test_probabilities(dtype, code, k, weights):
    rng = np.random.default_rng(k)
    n = 200
    p = rng.random((n, k))
    p[:, 0] /= k
    p = read_only((p if k == 1 else p / p.sum(axis=1, keepdims=True)).astype(dtype))
    codes = read_only(rng.integers(0, max(k, 2), n).astype(code))
    w = some_weights(n, weights, rng)
    each = np.column_stack([1 - p, p]).astype(float) if k == 1 else p.astype(float)
    truth = np.eye(max(k, 2))[codes]
    eps = np.finfo(dtype).eps
    losses = [-np.log(np.clip((each * truth).sum(axis=1), eps, 1 - eps)), ((each - truth) ** 2).sum(axis=1)]
    ones = w if len(w) else np.ones(n)
    for squared, stripes in ((0, 1), (1, 1), (0, 3), (1, 3)):
        bounds = cut(n, stripes)
        out = np.full((len(bounds) - 1, 16), 9.0)
        run(
            lambda cursor, limit, a=(p, codes, w, squared, 1e-3, bounds), out=out: ranking.probability_pass(
                *a, cursor, limit, out
            ),
            bounds,
        )
        # (1 - p of one column is rounded in float32.)
        tolerance = 1e-5 if dtype == np.float32 and k == 1 else 1e-13
        for row, lo, hi in zip(out, bounds, bounds[1:], strict=False):
            expected = (losses[squared][lo:hi] * ones[lo:hi]).sum()
            assert np.isclose(row[0], expected, rtol=tolerance)
            assert row[1:5].tolist() == [p[lo:hi].min(), p[lo:hi].max(), 0, 0]


@pytest.mark.parametrize("dtype", REALS)
def test_probabilities_that_are_none(dtype):
    p = np.full((6, 2), 0.5, dtype)
    p[1] = [0.25, 0.5]
    p[3] = [-0.5, 1.5]
    p[4, 0] = np.inf
    bounds, out = np.array([0, 3, 6]), np.full((2, 16), 9.0)
    codes = np.zeros(6, np.uint8)
    run(
        lambda cursor, limit: ranking.probability_pass(
            p, codes, np.empty(0), 1, 1e-3, bounds, cursor, limit, out
        ),
        bounds,
    )
    assert out[0, 1:5].tolist() == [0.25, 0.5, 0, 1]
    assert out[1, 1] == -0.5
    assert np.isnan(out[1, 3])
    assert out[1, 4] == 1
