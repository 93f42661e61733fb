"""The pass that sums losses, against NumPy."""

import numpy as np
import pytest

from clinfa._core import losses
from tests.kernels.helpers import cut, run
from tests.kernels.problems import REALS, WEIGHTS, read_only, weights_of

ROWS = [1, 2, 3, 63, 64, 127, 128, 129, 300]
COLUMNS = [1, 2, 3, 63, 64, 65, 127, 128, 129, 257]


def sums(a, b, w, kind, parameter=0.0, scale=None, offset=None, stripes=1):
    t, bounds = a.shape[1], cut(len(a), stripes)
    scale = np.ones(t) if scale is None else scale
    offset = np.zeros(t) if offset is None else offset
    out = np.full((len(bounds) - 1, t + 3), np.nan)
    run(
        lambda cursor, limit: losses.losses_pass(
            a, b, w, kind, parameter, scale, offset, bounds, cursor, limit, out
        ),
        bounds,
    )
    assert np.isnan(out[:, t:]).all()
    return out[:, :t].max(axis=0) if kind == losses.GREATEST else out[:, :t].sum(axis=0)


def tweedie(a, b, p):
    return 2 * (a ** (2 - p) / ((1 - p) * (2 - p)) - a * b ** (1 - p) / (1 - p) + b ** (2 - p) / (2 - p))


TWINS = {
    losses.SIGNED: lambda a, b, d, p: d,
    losses.ABSOLUTE: lambda a, b, d, p: np.abs(d),
    losses.SQUARED: lambda a, b, d, p: d**2,
    losses.PINBALL: lambda a, b, d, p: np.where(d >= 0, p * d, (p - 1) * d),
    losses.LOG_SQUARED: lambda a, b, d, p: (np.log1p(a) - np.log1p(b)) ** 2,
    losses.RELATIVE: lambda a, b, d, p: np.abs(a - b) / a,
    losses.SYMMETRIC: lambda a, b, d, p: np.abs(a - b) / (a + b),
    losses.POISSON: lambda a, b, d, p: 2 * (a * np.log(a / b) - a + b),
    losses.GAMMA: lambda a, b, d, p: 2 * (np.log(b / a) + a / b - 1),
    losses.TWEEDIE: lambda a, b, d, p: tweedie(a, b, p),
}
PARAMETERS = {losses.PINBALL: 0.3, losses.TWEEDIE: 1.5}


def pair(n, t, dtype, *, alone=False):
    rng = np.random.default_rng(n * 1000 + t)
    b = rng.uniform(0.5, 3, (1 if alone else n, t)).astype(dtype)
    return read_only(rng.uniform(0.5, 3, (n, t)).astype(dtype), b)


def twin(kind, a, b, w, scale, offset):
    a, b = a.astype(float), np.broadcast_to(b.astype(float), a.shape)
    each = TWINS[kind](a, b, (a - b) * scale - offset, PARAMETERS.get(kind, 0.0))
    each = each if len(w) == 0 else each * w[:, None]
    return each.sum(axis=0), np.abs(each).sum(axis=0)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_sums(dtype, kind, weights):
    for n, t in [(n, t) for n in ROWS for t in (1, 3)] + [(7, t) for t in COLUMNS]:
        for alone in (False, True):
            a, b = pair(n, t, dtype, alone=alone)
            w = weights_of(weights, n, np.random.default_rng(n))
            wanted, size = twin(kind, a, b, w, 1, 0)
            for stripes in (1, 3):
                found = sums(a, b, w, kind, PARAMETERS.get(kind, 0.0), stripes=stripes)
                np.testing.assert_array_less(np.abs(found - wanted), 1e-12 * size + 1e-300)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("kind", [losses.SIGNED, losses.ABSOLUTE, losses.SQUARED, losses.PINBALL])
def test_scale_and_offset_by_column(dtype, kind):
    for t in COLUMNS:
        a, b = pair(40, t, dtype)
        scale, offset = 2.0 ** (np.arange(t) % 7 - 3), np.arange(t) / 8
        wanted, size = twin(kind, a, b, np.empty(0), scale, offset)
        found = sums(a, b, np.empty(0), kind, PARAMETERS.get(kind, 0.0), scale, offset)
        np.testing.assert_array_less(np.abs(found - wanted), 1e-13 * size)


@pytest.mark.parametrize("dtype", REALS)
def test_greatest_minds_no_weights(dtype):
    for n, t in [(n, 2) for n in ROWS] + [(9, t) for t in COLUMNS]:
        a, b = pair(n, t, dtype)
        wanted = np.abs(a.astype(float) - b).max(axis=0)
        for stripes in (1, 4):
            assert np.array_equal(sums(a, b, np.zeros(n), losses.GREATEST, stripes=stripes), wanted)


def test_scales_come_where_nothing_overflows():
    top, least = np.finfo(float).max, 2.0**-1074
    a, b = np.array([[top, least]]), np.array([[-top, 0.0]])
    scale = np.array([2.0**-1020, 2.0**1020])
    assert sums(a, b, np.empty(0), losses.ABSOLUTE, scale=scale).tolist() == [
        2 * (top * 2.0**-1020),
        2.0**-54,
    ]


def test_one_logarithm_does_for_two():
    a, b = (
        np.array([[1e300], [1e-300], [1e308], [-1 + 2.0**-53], [1e-9]]),
        np.array([[1e-300], [1e300], [-1 + 2.0**-53], [1e308], [0.0]]),
    )
    for i in range(5):
        wanted = (np.log1p(a[i]) - np.log1p(b[i])) ** 2
        np.testing.assert_allclose(
            sums(a[i : i + 1], b[i : i + 1], np.empty(0), losses.LOG_SQUARED), wanted, 1e-14
        )


def each(a, b, kind):
    """The loss of each pair."""
    return np.array(
        [sums(a[i : i + 1, None], b[i : i + 1, None], np.empty(0), kind)[0] for i in range(len(a))]
    )


def test_logarithms_of_every_size():
    # steps across several powers of two, and to both ends
    a = np.concatenate([2.0 ** np.arange(-1070, 1024, 7), np.linspace(0.3, 5, 200), [0.0, 1.0]])
    np.testing.assert_allclose(each(a, 0 * a, losses.LOG_SQUARED), np.log1p(a) ** 2, 1e-15)
    near = 2.0 ** -np.arange(1, 54) - 1
    np.testing.assert_allclose(each(near, 0 * near, losses.LOG_SQUARED), np.log1p(near) ** 2, 1e-15)
    np.testing.assert_allclose(each(0 * near, near, losses.LOG_SQUARED), np.log1p(near) ** 2, 1e-15)
    a = a[(a > 1e-300) & (a < 1e300)]
    np.testing.assert_allclose(each(a, 1 + 0 * a, losses.POISSON) / 2, a * np.log(a) - a + 1, 1e-13, 1e-15)
    assert each(np.zeros(1), np.array([3.0]), losses.POISSON) == 6
    assert each(np.array([1e-320]), np.array([1e10]), losses.POISSON) == 2e10
    small = np.array([1e-320, 5e-324])
    np.testing.assert_allclose(each(small, 1 + 0 * small, losses.GAMMA), 2 * (-np.log(small) - 1), 1e-15)
