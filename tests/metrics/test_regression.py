"""Regression metrics: by hand, what must hold, and where numbers end."""

import math
import warnings

import numpy as np
import pytest

from clinfa import Dataset, config_context, metrics
from clinfa.errors import InvalidParameterError, UndefinedMetricWarning

TRUE, FOUND = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]
ERRORS = [
    metrics.mean_absolute_error,
    metrics.mean_absolute_percentage_error,
    metrics.mean_pinball_loss,
    metrics.mean_squared_error,
    metrics.mean_squared_log_error,
    metrics.median_absolute_error,
    metrics.root_mean_squared_error,
    metrics.root_mean_squared_log_error,
    metrics.symmetric_mean_absolute_percentage_error,
]
SCORES = [
    metrics.d2_absolute_error_score,
    metrics.d2_pinball_score,
    metrics.explained_variance_score,
    metrics.r2_score,
]
ONE_COLUMN = [
    metrics.d2_tweedie_score,
    metrics.max_error,
    metrics.mean_gamma_deviance,
    metrics.mean_poisson_deviance,
    metrics.mean_tweedie_deviance,
]
WEIGHTED = [f for f in ERRORS + SCORES + ONE_COLUMN if f is not metrics.max_error]


def close(value, wanted):
    return np.testing.assert_allclose(value, wanted, rtol=1e-14)


def numbers(n, t=None, *, seed=3):
    """Positive true values and predictions: every metric takes these."""
    rng = np.random.default_rng(seed)
    shape = n if t is None else (n, t)
    true = rng.gamma(2, size=shape) + 0.1
    return true, true * rng.uniform(0.5, 2, shape)


# By hand: errors are -1/2, 1/2, 0, 1 of values whose mean is 23/8


def test_by_hand():
    assert metrics.max_error(TRUE, FOUND) == 1
    assert metrics.mean_absolute_error(TRUE, FOUND) == 2 / 4
    assert metrics.mean_squared_error(TRUE, FOUND) == 1.5 / 4
    assert metrics.root_mean_squared_error(TRUE, FOUND) == math.sqrt(1.5 / 4)
    assert metrics.median_absolute_error(TRUE, FOUND) == 0.5
    close(metrics.mean_absolute_percentage_error(TRUE, FOUND), (1 / 6 + 1 + 0 + 1 / 7) / 4)
    close(metrics.symmetric_mean_absolute_percentage_error(TRUE, FOUND), 50 * (0.5 / 5.5 + 1 + 1 / 15))
    squares = sum((y - 23 / 8) ** 2 for y in TRUE)
    close(metrics.r2_score(TRUE, FOUND), 1 - 1.5 / squares)
    close(metrics.explained_variance_score(TRUE, FOUND), 1 - (1.5 - 4 * (1 / 4) ** 2) / squares)
    # above the prediction at 3 (by 1/2); below it at -0.5 (by 1/2) and at 7 (by 1)
    close(metrics.mean_pinball_loss(TRUE, FOUND, alpha=0.2), (0.2 * 0.5 + 0.8 * 1.5) / 4)
    # the median of the true values is 2.5: their distances are 0.5, 3, 0.5, 4.5
    close(metrics.d2_absolute_error_score(TRUE, FOUND), 1 - 2 / 8.5)


def test_logarithms_by_hand():
    e = math.e
    true, found = [e - 1, 0, e**2 - 1], [e**2 - 1, 0, e**2 - 1]
    close(metrics.mean_squared_log_error(true, found), 1 / 3)
    close(metrics.root_mean_squared_log_error(true, found), math.sqrt(1 / 3))


def test_deviances_by_hand():
    e = math.e
    close(metrics.mean_poisson_deviance([0, e], [1, 1]), (2 + 2 * (e - e + 1)) / 2)
    close(metrics.mean_gamma_deviance([1, e], [1, 1]), (0 + 2 * (-1 + e - 1)) / 2)
    close(metrics.mean_tweedie_deviance([4.0], [1.0], power=1.5), 2 * (2 / (-0.5 * 0.5) + 4 / 0.5 + 1 / 0.5))
    close(metrics.mean_tweedie_deviance([2.0], [1.0], power=3), 2 * ((1 / 2) / 2 + 2 / 2 * -1 * -1 - 1))
    close(metrics.mean_tweedie_deviance([-2.0], [1.0], power=-1), 2 * (0 + 2 / 2 + 1 / 3))
    assert metrics.mean_tweedie_deviance(TRUE, FOUND, power=0) == 1.5 / 4
    close(metrics.d2_tweedie_score(TRUE, FOUND), metrics.r2_score(TRUE, FOUND))
    deviance = metrics.mean_poisson_deviance
    close(
        metrics.d2_tweedie_score([1, 2, 6], [1, 3, 5], power=1),
        1 - deviance([1, 2, 6], [1, 3, 5]) / deviance([1, 2, 6], [3, 3, 3]),
    )


def test_the_value_linfa_checks():
    found, true = [0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.1, 0.2, 0.3, 0.4]
    value = metrics.symmetric_mean_absolute_percentage_error(true, found)
    close(value, 200 / 5 * (0.4 / 0.6 + 0.1 / 0.3 + 0.1 / 0.5 + 0.1 / 0.7 + 0.1 / 0.9))
    assert round(value, 4) == 58.1587


def test_percentages_at_zero():
    assert metrics.symmetric_mean_absolute_percentage_error([0, 0, 1, 1], [0, 2, 1, 1]) == 50
    assert metrics.mean_absolute_percentage_error([0.0], [1.0]) == 2.0**52
    assert metrics.mean_absolute_percentage_error([0.0], [0.0]) == 0


def test_columns():
    true, found = [[1, 2], [3, 4], [5, 9]], [[1, 1], [3, 5], [4, 9]]
    raw = metrics.mean_absolute_error(true, found, multioutput="raw_values")
    close(raw, [1 / 3, 2 / 3])
    close(metrics.mean_absolute_error(true, found), 1 / 2)
    close(metrics.mean_absolute_error(true, found, multioutput=[3, 1]), (3 / 3 + 2 / 3) / 4)
    r2 = [1 - 1 / 8, 1 - 2 / 26]
    close(metrics.r2_score(true, found, multioutput="raw_values"), r2)
    close(metrics.r2_score(true, found, multioutput="variance_weighted"), (8 * r2[0] + 26 * r2[1]) / 34)
    close(metrics.r2_score(true, found, multioutput=None), sum(r2) / 2)


@pytest.mark.parametrize("f", ERRORS + SCORES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("t", [1, 2, 7, 64, 128, 130])
def test_each_column_by_itself(f, t):
    true, found = numbers(37, t)
    raw = f(true, found, multioutput="raw_values")
    assert raw.shape == (t,)
    apart = [f(true[:, j], found[:, j]) for j in range(t)]
    np.testing.assert_allclose(raw, apart, rtol=1e-13, atol=1e-15)
    close(f(true, found), raw.mean())
    if t == 1:
        assert f(true, found) == f(true[:, 0], found) == f(true[:, 0], found[:, 0])


@pytest.mark.parametrize("f", WEIGHTED, ids=lambda f: f.__name__)
def test_weights_are_repetitions(f):
    true, found = numbers(50)
    times = np.arange(50) % 4
    again = np.repeat(np.arange(50), times)
    close(f(true, found, sample_weight=times), f(true[again], found[again]))
    close(f(true, found, sample_weight=np.full(50, 1e-200)), f(true, found))
    close(f(true, found, sample_weight=times * 1e300), f(true, found, sample_weight=times))


@pytest.mark.parametrize("f", [f for f in WEIGHTED if f is not metrics.median_absolute_error])
def test_perfect(f):
    true, _ = numbers(50)
    assert f(true, true) == (0 if f in ERRORS or "deviance" in f.__name__ else 1)


@pytest.mark.parametrize("share", [0.07, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_beats_the_quantile(share, weighted):
    true, _ = numbers(100)
    w = np.arange(100) % 5 if weighted else None
    for constant in np.quantile(true, [0, 0.06, 0.08, 0.2, 0.3, 0.49, 0.51, 0.89, 0.91, 1]):
        found = np.full(100, constant)
        assert metrics.d2_pinball_score(true, found, alpha=share, sample_weight=w) <= 1e-15


def test_the_ends_are_quantiles_too():
    true, _ = numbers(100)
    for share, constant in ((0, true.min()), (1, true.max())):
        found = np.full(100, constant)
        assert metrics.mean_pinball_loss(true, found, alpha=share) == 0
        assert metrics.d2_pinball_score(true, found, alpha=share) == 1
        assert metrics.d2_pinball_score(true, found + 0.5 - share, alpha=share) == 0


def test_the_median_is_the_middle():
    zeros = np.zeros(4)
    assert metrics.median_absolute_error(zeros, [1, 2, 4, 8]) == 3
    assert metrics.median_absolute_error(zeros[:3], [1, 2, 4]) == 2
    assert metrics.median_absolute_error(zeros, [1, 2, 4, 8], sample_weight=[1, 1, 1, 0]) == 2
    assert metrics.median_absolute_error(zeros, [1, 2, 4, 8], sample_weight=[1, 1, 0, 2]) == 5
    assert metrics.median_absolute_error(zeros, [1, 2, 4, 8], sample_weight=[0.1, 0.2, 0.3, 0]) == 3


def test_many_rows_are_cut_into_stripes_and_threads_change_nothing():
    true, found = numbers(600_000)
    whole = np.float64(true - found)
    close(metrics.mean_squared_error(true, found), math.fsum(whole**2) / 600_000)
    close(metrics.mean_absolute_error(true, found), math.fsum(np.abs(whole)) / 600_000)
    assert metrics.max_error(true, found) == np.abs(whole).max()
    for f in [metrics.r2_score, metrics.mean_poisson_deviance, metrics.explained_variance_score]:
        values = set()
        for count in (1, 2, 3):
            with config_context(n_threads=count):
                values.add(f(true, found))
        assert len(values) == 1


def test_float32_is_summed_in_double():
    true, found = (y.astype(np.float32) for y in numbers(1000))
    for f in (metrics.mean_squared_error, metrics.mean_poisson_deviance, metrics.r2_score):
        close(f(true, found), f(true.astype(float), found.astype(float)))
        close(f(true, found.astype(float)), f(true.astype(float), found.astype(float)))
    far = (np.arange(100) % 2 + 2**22).astype(np.float32)
    assert metrics.r2_score(far, far + 1) == -3
    assert metrics.d2_absolute_error_score(far, far + 1) == -1


# Where numbers end


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-200, 1e-160, 1e160, 1e200, 1e300])
@pytest.mark.parametrize("t", [1, 3])
def test_any_scale(size, t):
    # Powers of two, so that scaling rounds nothing unless numbers are subnormal.
    factor = 2.0 ** round(math.log2(size))
    true, found = (np.round(y * 64) for y in numbers(40, t))
    rtol = 1e-13
    for f in SCORES:
        np.testing.assert_allclose(f(true * factor, found * factor), f(true, found), rtol=rtol)
    for f in (
        metrics.root_mean_squared_error,
        metrics.mean_absolute_error,
        metrics.median_absolute_error,
        metrics.mean_pinball_loss,
    ):
        value = f(true * factor, found * factor)
        np.testing.assert_allclose(value, f(true, found) * factor, rtol=rtol, atol=1e-323)
    weighted = metrics.r2_score(true * factor, found * factor, multioutput="variance_weighted")
    np.testing.assert_allclose(weighted, metrics.r2_score(true, found, multioutput="variance_weighted"))


def test_columns_of_different_scales():
    true, found = numbers(40, 3)
    factors = 2.0 ** np.array([-700, 0, 700])
    raw = metrics.root_mean_squared_error(true, found, multioutput="raw_values")
    close(
        metrics.root_mean_squared_error(true * factors, found * factors, multioutput="raw_values"),
        raw * factors,
    )
    close(metrics.r2_score(true * factors, found * factors), metrics.r2_score(true, found))


def test_the_greatest_numbers():
    top = np.finfo(float).max
    assert metrics.mean_absolute_error([top, top], [0, 0]) == top
    assert metrics.median_absolute_error([top, top], [0, 0]) == top
    assert metrics.root_mean_squared_error([top, 0], [0, 0]) == pytest.approx(top / math.sqrt(2), rel=1e-14)
    assert metrics.mean_squared_error([top, 0], [0, 0]) == math.inf
    assert metrics.max_error([top], [-top]) == math.inf
    assert metrics.mean_absolute_percentage_error([top], [-top]) == 2
    assert metrics.symmetric_mean_absolute_percentage_error([top], [-top]) == 200
    assert metrics.r2_score([top, -top], [-top, top]) == -3
    assert metrics.explained_variance_score([top, -top], [0, 0]) == 0
    assert metrics.mean_squared_log_error([top], [top]) == 0
    close(metrics.mean_squared_log_error([top], [-1 + 2.0**-53]), (math.log(top) + 53 * math.log(2)) ** 2)


def test_offsets_do_not_cancel():
    true, found = (np.round(y * 1000) for y in numbers(100))
    for f in SCORES:
        close(f(true + 2.0**40, found + 2.0**40), f(true, found))


# Degenerate


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-300, 1 / 3e-7])
def test_constant_truth(value):
    true = np.full(10, value)
    wrong = true + np.arange(10) * max(value, 1)
    assert metrics.r2_score(true, wrong) == 0
    assert metrics.r2_score(true, true) == 1
    assert metrics.r2_score(true, wrong, force_finite=False) == -math.inf
    assert math.isnan(metrics.r2_score(true, true, force_finite=False))
    assert metrics.explained_variance_score(true, true + 1) == 1
    assert metrics.explained_variance_score(true, wrong) == 0
    assert metrics.d2_absolute_error_score(true, wrong) == 0
    assert metrics.d2_tweedie_score(true, wrong) == 0
    assert metrics.d2_tweedie_score(true, true) == 1
    if value:
        assert metrics.d2_tweedie_score(true, wrong, power=1.5) == 0
        assert metrics.d2_tweedie_score(true, true, power=2) == 1


@pytest.mark.parametrize("f", [*SCORES, metrics.d2_tweedie_score], ids=lambda f: f.__name__)
def test_one_sample_has_no_score(f):
    if f is metrics.explained_variance_score:
        assert f([1.0], [1.0]) == 1
        return
    with pytest.warns(UndefinedMetricWarning, match="score is not well-defined with less than two samples"):
        assert math.isnan(f([1.0], [1.0]))


@pytest.mark.parametrize("f", ERRORS + SCORES + ONE_COLUMN, ids=lambda f: f.__name__)
def test_refused(f):
    for true, found, words in (
        ([], [], "Found array with 0 sample"),
        ([1.0, 2.0], [1.0], r"inconsistent numbers of samples: \[2, 1\]"),
        ([1.0, math.nan], [1.0, 2.0], "y_true contains NaN"),
        ([1.0, 2.0], [1.0, math.inf], "y_pred contains infinity"),
        ([[1.0, 2.0]], [[1.0]], r"different number of output \(2!=1\)"),
        (np.ones((2, 2, 2)), np.ones((2, 2, 2)), "dimension"),
        (["a", "b"], [1.0, 2.0], "y_true must hold numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            f(true, found)


@pytest.mark.parametrize("f", ONE_COLUMN, ids=lambda f: f.__name__)
def test_one_column_only(f):
    with pytest.raises(ValueError, match="Multioutput not supported"):
        f(np.ones((3, 2)), np.ones((3, 2)))


@pytest.mark.parametrize("f", ERRORS + SCORES, ids=lambda f: f.__name__)
def test_refused_averages(f):
    two = np.ones((3, 2))
    with pytest.raises(InvalidParameterError, match="'multioutput' parameter of"):
        f(two, two, multioutput="mean")
    with pytest.raises(ValueError, match=r"equally many custom weights \(3\) as outputs \(2\)"):
        f(two, two, multioutput=[1, 2, 3])
    with pytest.raises(ValueError, match="only in multi-output cases"):
        f([1, 2], [1, 2], multioutput=[1])


@pytest.mark.parametrize("f", WEIGHTED, ids=lambda f: f.__name__)
def test_refused_weights(f):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        f([1, 2], [1, 3], sample_weight=[1])
    with pytest.raises(ValueError, match="at least one non-zero"):
        f([1, 2], [1, 3], sample_weight=[0, 0])
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        f([1, 2], [1, 3], sample_weight=[1, math.nan])


def test_weights_may_be_below_zero_but_not_cancel():
    assert metrics.mean_absolute_error([1, 2], [1, 3], sample_weight=[-1, 2]) == 2
    with pytest.raises(ZeroDivisionError, match="Weights sum to zero"):
        metrics.mean_absolute_error([1, 2], [1, 3], sample_weight=[-1, 1])


@pytest.mark.parametrize(
    ("power", "true", "found", "words"),
    [
        (-1, 1, 0, "strictly positive y_pred"),
        (1, -1, 1, "non-negative y and strictly positive y_pred"),
        (1.5, 0, 0, "non-negative y and strictly positive y_pred"),
        (2, 0, 1, "strictly positive y and y_pred"),
        (3, 1, 0, "strictly positive y and y_pred"),
    ],
)
def test_where_deviances_are_defined(power, true, found, words):
    for f in (metrics.mean_tweedie_deviance, metrics.d2_tweedie_score):
        with pytest.raises(ValueError, match=f"power={power} can only be used on {words}"):
            f([1, true], [1, found], power=power)


def test_refused_parameters():
    with pytest.raises(InvalidParameterError, match="'power' parameter of mean_tweedie_deviance"):
        metrics.mean_tweedie_deviance([1], [1], power=0.5)
    with pytest.raises(InvalidParameterError, match="'alpha' parameter of d2_pinball_score"):
        metrics.d2_pinball_score([1], [1], alpha=2)
    with pytest.raises(InvalidParameterError, match="'force_finite' parameter of r2_score"):
        metrics.r2_score([1], [1], force_finite="yes")


@pytest.mark.parametrize("name", ["mean_squared_log_error", "root_mean_squared_log_error"])
def test_where_logarithms_are_defined(name):
    title = name.replace("_", " ").title().replace("Log ", "Logarithmic ")
    for pair in (([-1, 1], [1, 1]), ([1, 1], [1, -2])):
        with pytest.raises(
            ValueError, match=f"^{title} cannot be used when targets contain values less than"
        ):
            getattr(metrics, name)(*pair)


def test_datasets_ints_and_bools_go_in():
    assert metrics.mean_absolute_error(Dataset([[1.0], [2.0]], targets=[1, 2]), np.array([1, 4])) == 1
    assert metrics.mean_squared_error([True, False], np.array([1, 2], np.uint8)) == 2
    big = np.arange(20).reshape(10, 2)[::-2, ::-1]
    assert metrics.mean_absolute_error(big, big[::-1]) == 9.6


def test_nothing_warns_about_arithmetic():
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        for f in ERRORS + SCORES:
            f([1e308, 0.0, 1e-310], [0.0, 1e308, 0.0])
        metrics.mean_poisson_deviance([1e-310, 1e308], [1e308, 1e-310])
        metrics.mean_gamma_deviance([1e-310, 1e308], [1e308, 1e-310])
        metrics.mean_tweedie_deviance([1e-310, 1e308], [1e308, 1e-310], power=3)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_bad_value_among_many(bad):
    for dtype in (np.float32, np.float64):
        for where in (0, 70_000, 299_999):
            true, found = np.ones(300_000, dtype), np.ones(300_000, dtype)
            found[where] = bad
            with pytest.raises(ValueError, match=r"y_pred contains (NaN|infinity)"):
                metrics.mean_squared_error(true, found)
            with pytest.raises(ValueError, match=r"y_true contains (NaN|infinity)"):
                metrics.mean_squared_error(found[::-1], true)
