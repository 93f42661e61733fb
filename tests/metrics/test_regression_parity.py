"""Regression metrics against scikit-learn's."""

import numpy as np
import pytest
import sklearn.metrics

from clinfa import datasets, metrics
from clinfa.metrics import _explained, _regression

SHARED = sorted({*_explained.__all__, *_regression.__all__} & set(sklearn.metrics.__all__))
ONE_COLUMN = [n for n in SHARED if "deviance" in n or "tweedie" in n or n == "max_error"]
SEVERAL = sorted(set(SHARED) - set(ONE_COLUMN))


def both(name, *args, **how):
    ours, theirs = getattr(metrics, name)(*args, **how), getattr(sklearn.metrics, name)(*args, **how)
    # (Scores are differences from 1: what is left of them is compared on that scale.)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13 if "score" in name else 0)


def numbers(shape, rng):
    true = rng.gamma(2, size=shape) + 0.1
    return true, true * rng.uniform(0.5, 2, shape)


def test_all_but_one_are_scikit_learns():
    ours = {*_explained.__all__, *_regression.__all__}
    assert ours - set(SHARED) == {"symmetric_mean_absolute_percentage_error"}
    theirs = {n for n in sklearn.metrics.__all__ if n.endswith(("_error", "_loss", "_deviance"))}
    others = {"brier_score_loss", "coverage_error", "hamming_loss", "hinge_loss", "label_ranking_loss"}
    assert theirs - ours == others | {"log_loss", "zero_one_loss"}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("n", [2, 3, 10, 1001])
@pytest.mark.parametrize("seed", range(3))
def test_one_column(name, n, seed):
    rng = np.random.default_rng(seed)
    true, found = numbers(n, rng)
    both(name, true, found)
    if name != "max_error":
        both(name, true, found, sample_weight=rng.uniform(0.1, 3, n))
        both(name, true, found, sample_weight=rng.integers(1, 4, n))


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("t", [1, 2, 5])
def test_columns(name, t):
    rng = np.random.default_rng(t)
    true, found = numbers((50, t), rng)
    ways = ["raw_values", "uniform_average"]
    if name in ("r2_score", "explained_variance_score"):
        ways.append("variance_weighted")
    if t > 1:
        ways.append(rng.uniform(size=t))
    for way in ways:
        both(name, true, found, multioutput=way)
        both(name, true, found, multioutput=way, sample_weight=rng.uniform(size=50))


@pytest.mark.parametrize("alpha", [0, 0.05, 0.3, 0.5, 0.77, 1])
def test_pinball(alpha):
    true, found = numbers(200, np.random.default_rng(1))
    weights = np.random.default_rng(2).uniform(size=200)
    for w in (None, weights, np.arange(200) % 3):
        both("mean_pinball_loss", true, found, alpha=alpha, sample_weight=w)
        if 0 < alpha < 1:  # at the ends theirs divides by a loss that is zero
            both("d2_pinball_score", true, found, alpha=alpha, sample_weight=w)


@pytest.mark.parametrize("power", [-3, -0.5, 0, 1, 1.2, 1.5, 2, 2.5, 3])
def test_tweedie(power):
    rng = np.random.default_rng(5)
    true, found = numbers(300, rng)
    both("mean_tweedie_deviance", true, found, power=power)
    both("d2_tweedie_score", true, found, power=power, sample_weight=rng.uniform(size=300))
    if power < 2:
        true[::3] = 0
        both("mean_tweedie_deviance", true, found, power=power)
    if power <= 0:
        both("mean_tweedie_deviance", -true, found, power=power)


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("name", ["r2_score", "explained_variance_score"])
def test_constant_columns(name, force):
    true = np.array([[1.0, 2, 3], [1, 2, 4], [1, 2, 5]])
    found = np.array([[1.0, 2, 3], [1, 3, 4], [1, 2, 6]])
    for way in ("raw_values", "uniform_average", "variance_weighted"):
        with np.errstate(all="ignore"):
            both(name, true, found, force_finite=force, multioutput=way)
            both(name, true[:, :2], found[:, :2], force_finite=force, multioutput=way)


@pytest.mark.parametrize("name", SHARED)
def test_real_data(name):
    X, y = datasets.load_diabetes(return_X_y=True)
    both(name, y, np.full(len(y), y.mean()) + X[:, 2] * 900)


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize(
    "args",
    [
        ([1.0, 2.0], [1.0]),
        ([[1.0, 2.0]], [[1.0]]),
        (["a", "b"], ["a", "b"]),
        ([], []),
        ([np.nan, 1.0], [1.0, 1.0]),
        ([1.0, np.inf], [1.0, 1.0]),
        (3.0, 3.0),
        (None, [1.0]),
    ],
)
def test_what_theirs_refuses_ours_refuses(name, args):
    with pytest.raises((ValueError, TypeError)):
        getattr(sklearn.metrics, name)(*args)
    with pytest.raises((ValueError, TypeError)):
        getattr(metrics, name)(*args)
