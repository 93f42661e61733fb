"""Moments of classes, and posteriors, against extended precision."""

from itertools import pairwise

import numpy as np
import pytest

from clinfa._core import naive_bayes
from tests.cases import in_cases
from tests.kernels.helpers import cut, run
from tests.kernels.problems import REALS, ROWS, WEIGHTS, read_only, weights_of

FEATURES = [1, 2, 3, 7, 8, 9, 17, 64]
WIDE = np.longdouble
FAR = 2.0**100


def moments(X, codes, weights, shift, scale, k, stripes=1):
    """Weight, mean and squared deviations by stripe and class, without the padding."""
    bounds, d = cut(len(X), stripes), X.shape[1]
    parts = len(bounds) - 1
    mass = np.zeros((parts, k + 16))
    mean, spread = np.zeros((2, parts, k, d + 16))
    run(
        lambda cursor, limit: naive_bayes.class_moments(
            X, codes, weights, shift, scale, bounds, cursor, limit, mass, mean, spread
        ),
        bounds,
    )
    for padded, size in ((mass, k), (mean, d), (spread, d)):
        assert not padded[..., size:].any()
    return mass[:, :k], mean[..., :d], spread[..., :d]


def twin_moments(X, codes, weights, shift, scale, k):
    w = weights.astype(WIDE) if len(weights) else np.ones(len(X), WIDE)
    Y = (X.astype(WIDE) - shift) * scale
    mass, mean, spread = np.zeros(k, WIDE), *np.zeros((2, k, X.shape[1]), WIDE)
    for j in range(k):
        mine = codes == j
        mass[j] = w[mine].sum()
        if mass[j]:
            mean[j] = w[mine] @ Y[mine] / mass[j]
            spread[j] = w[mine] @ (Y[mine] - mean[j]) ** 2
    return mass, mean, spread


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weights", WEIGHTS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", [1, 3, 20])
def test_class_moments(dtype, weights, d, k):
    rng = np.random.default_rng(d)
    X = read_only((rng.standard_normal((130, d)) + 5).astype(dtype))
    codes, w = read_only(rng.integers(k, size=130), weights_of(weights, 130, rng))
    shift, scale = read_only(rng.standard_normal(d), np.ldexp(1.0, rng.integers(-3, 3, d)))
    for stripes in (1, 5):
        found = moments(X, codes, w, shift, scale, k, stripes)
        bounds = cut(130, stripes)
        for s, (lo, hi) in enumerate(pairwise(bounds)):
            true = twin_moments(X[lo:hi], codes[lo:hi], w[lo:hi], shift, scale, k)
            for part, exact in zip(found, true, strict=True):
                np.testing.assert_allclose(part[s], exact.astype(float), rtol=1e-13, atol=1e-13)


def test_moments_do_not_cancel():
    """Two groups far apart, each narrow: what lies between them costs no digit of their variances."""
    rng = np.random.default_rng(0)
    codes = np.arange(1000) % 2
    X = rng.integers(-8, 9, (1000, 3)) * 2.0**-40 + codes[:, None]
    _, _, spread = moments(X, codes, np.empty(0), np.zeros(3), np.ones(3), 2)
    _, _, exact = twin_moments(X, codes, np.empty(0), np.zeros(3), np.ones(3), 2)
    np.testing.assert_allclose(spread[0], exact.astype(float), rtol=1e-3)
    shifted = moments(X - codes[:, None], codes, np.empty(0), np.zeros(3), np.ones(3), 2)[2]
    np.testing.assert_allclose(shifted[0], exact.astype(float), rtol=1e-13)


def model(d, k, rng):
    """Shift, scale, panel and level of a model."""
    mean, sharpness = rng.standard_normal((k, d)), rng.random((k, d)) * 2
    panel = np.stack([sharpness, mean * sharpness], axis=-1)
    return read_only(rng.standard_normal(d), np.ldexp(1.0, rng.integers(-3, 3, d)), panel, rng.random(k))


def twin_joint(X, shift, scale, panel, level, reach=FAR):
    Y = np.clip((X.astype(WIDE) - shift) * scale, -reach, reach)
    away = Y[:, None] * panel[None, ..., 0] - panel[None, ..., 1]
    return level - (away**2).sum(axis=2) / 2


def posteriors(X, parts, what, reach=FAR, stripes=1):
    shift, scale, panel, level = parts
    bounds, k = cut(len(X), stripes), len(level)
    out = np.full((len(X), k), np.nan, X.dtype)
    scratch = np.full((X.shape[1] + k) * 16, np.nan)
    run(
        lambda cursor, limit: naive_bayes.posteriors(
            X, shift, scale, reach, panel, level, what, bounds, cursor, limit, scratch, out
        ),
        bounds,
    )
    return out


def most_likely(X, parts, reach=FAR, stripes=1):
    shift, scale, panel, level = parts
    bounds, out = cut(len(X), stripes), np.full(len(X), -9)
    scratch = np.full((X.shape[1] + len(level)) * 16, np.nan)
    run(
        lambda cursor, limit: naive_bayes.most_likely(
            X, shift, scale, reach, panel, level, bounds, cursor, limit, scratch, out
        ),
        bounds,
    )
    return out


@pytest.mark.parametrize("dtype", REALS)
@in_cases("d", FEATURES)
@pytest.mark.parametrize("k", [1, 2, 5, 17])
def test_posteriors(dtype, d, k):
    rng = np.random.default_rng(d)
    X = read_only(rng.standard_normal((max(ROWS), d)).astype(dtype))
    parts = model(d, k, rng)
    joint = twin_joint(X, *parts)
    top = joint.max(axis=1, keepdims=True)
    logs = joint - top - np.log(np.exp(joint - top).sum(axis=1, keepdims=True))
    close = {"rtol": 4 * np.finfo(dtype).eps, "atol": 1e-12 * max(1.0, float(-joint.min()))}
    close["atol"] = max(close["atol"], np.finfo(dtype).eps)
    for n in ROWS:
        for stripes in (1, 3):
            for what, exact in enumerate((joint, logs, np.exp(logs))):
                out = posteriors(X[:n], parts, what, stripes=stripes)
                np.testing.assert_allclose(out, exact[:n].astype(dtype), **close)
            assert np.array_equal(most_likely(X[:n], parts, stripes=stripes), joint[:n].argmax(axis=1))


@pytest.mark.parametrize("dtype", REALS)
def test_a_row_does_not_depend_on_its_neighbours(dtype):
    rng = np.random.default_rng(2)
    X, parts = rng.standard_normal((50, 7)).astype(dtype), model(7, 4, rng)
    for what in range(3):
        whole = posteriors(X, parts, what)
        for i in (0, 15, 16, 33, 49):
            assert np.array_equal(posteriors(X[i : i + 1], parts, what)[0], whole[i])


def test_equal_classes_tie_for_the_first():
    shift, scale, panel, level = model(3, 4, np.random.default_rng(1))
    panel, level = np.repeat(panel[:1], 4, axis=0), np.repeat(level[:1], 4)
    X = np.random.default_rng(3).standard_normal((40, 3))
    assert not most_likely(X, (shift, scale, panel, level)).any()
    assert (posteriors(X, (shift, scale, panel, level), 2) == 0.25).all()


def test_what_cannot_be_has_probability_zero():
    shift, scale, panel, level = model(3, 3, np.random.default_rng(1))
    level = np.array([-np.inf, 0.5, 0.5])
    X = np.random.default_rng(3).standard_normal((40, 3))
    P = posteriors(X, (shift, scale, panel, level), 2)
    assert not P[:, 0].any()
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    assert (posteriors(X, (shift, scale, panel, level), 1)[:, 0] == -np.inf).all()


def test_beyond_reach_all_is_equally_far():
    """Values that would overflow when squared count as the farthest that do not."""
    shift, scale, panel, level = model(3, 3, np.random.default_rng(1))
    huge = np.array([[1e308, -1e308, 1e308]])
    for what in range(3):
        out = posteriors(huge, (shift, scale, panel, level), what, reach=1e6)
        assert np.isfinite(out).all()
        near = (huge / 1e308 * 1e6) / scale + shift
        np.testing.assert_allclose(out, posteriors(near, (shift, scale, panel, level), what), rtol=1e-9)
