"""Shares of what varies that a prediction explains, and deviances: scikit-learn's functions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from clinfa._core import losses
from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.metrics._residuals import (
    AVERAGES,
    Residuals,
    averaged,
    column_weights,
    mean_loss,
    of_columns,
    quantiles,
    read_residuals,
)
from clinfa.params import between, boolean, none, one_of

__all__ = [
    "d2_absolute_error_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "explained_variance_score",
    "mean_gamma_deviance",
    "mean_pinball_loss",
    "mean_poisson_deviance",
    "mean_tweedie_deviance",
    "r2_score",
]

_SHARES = one_of("raw_values", "uniform_average", "variance_weighted") | of_columns
_SWITCH = boolean()
_ALPHA = between(0, 1)
_POWER = between(-math.inf, 0) | between(1)

Scaled = tuple[
    np.ndarray, np.ndarray
]  # a measure by column of differences, and what these were multiplied by


def _shares(missed: Scaled, whole: Scaled, degree: int, force_finite: bool = True) -> np.ndarray:
    """1 - missed / whole of every column, which grow by `degree` with the differences."""
    with np.errstate(all="ignore"):
        quotient = missed[0] / whole[0]
        for _ in range(degree):
            quotient = quotient * (whole[1] / missed[1])
        shares = 1 - quotient
    if force_finite:
        shares = np.where(whole[0] == 0, np.where(missed[0] == 0, 1.0, 0.0), shares)
    return shares


def _averaged_shares(shares: np.ndarray, whole: Scaled, multioutput: Any) -> Any:
    weights = column_weights(multioutput, len(shares))
    if isinstance(multioutput, str) and multioutput == "variance_weighted" and whole[0].any():
        variances, scale = whole
        weights = variances * (scale.min() / scale) ** 2  # (their ratios: none can overflow)
    return averaged(shares, multioutput, weights)


def _too_few(pair: Residuals, name: str) -> bool:
    if len(pair.y_true) > 1:
        return False
    warnings.warn(
        f"{name} score is not well-defined with less than two samples.",
        twin(UndefinedMetricWarning),
        stacklevel=3,
    )
    return True


def r2_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Coefficient of determination: 1 - sum of squared errors / sum of squared distances to the mean.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
    y_pred : array-like of the shape of y_true
    sample_weight : array-like of shape (n,), optional
    multioutput : {"raw_values", "uniform_average", "variance_weighted"}, None or array-like
        One value per column, their mean, their mean weighted by the variances of the columns, or their mean
        with these weights. None is "uniform_average".
    force_finite : bool
        Where the true values are constant, the score is 1 for a perfect prediction and 0 for any other; with
        False it is NaN and -inf.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        NaN for fewer than two samples, with a warning.

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import r2_score
    >>> r2_score([1, 2, 3, 4], [1, 2, 3, 5])
    0.8
    """
    (_SHARES | none()).check("multioutput", multioutput, "r2_score")
    _SWITCH.check("force_finite", force_finite, "r2_score")
    pair = read_residuals(y_true, y_pred, sample_weight, "r2_score")
    column_weights(multioutput, pair.t)
    if _too_few(pair, "R^2"):
        return math.nan
    whole = pair.against(pair.y_true[0]).scaled_variances()
    shares = _shares(pair.scaled_means(losses.SQUARED), whole, 2, force_finite)
    return _averaged_shares(shares, whole, multioutput)


def explained_variance_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Share of the true values' variance that is explained: `r2_score` but for a constant offset.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
    y_pred : array-like of the shape of y_true
    sample_weight : array-like of shape (n,), optional
    multioutput : {"raw_values", "uniform_average", "variance_weighted"} or array-like
        One value per column, their mean, their mean weighted by the variances of the columns, or their mean
        with these weights.
    force_finite : bool
        Where the true values are constant, the score is 1 for errors that are constant too and 0 for any
        others; with False it is NaN and -inf.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import explained_variance_score
    >>> explained_variance_score([1, 2, 3, 4], [11, 12, 13, 14])
    1.0
    """
    _SHARES.check("multioutput", multioutput, "explained_variance_score")
    _SWITCH.check("force_finite", force_finite, "explained_variance_score")
    pair = read_residuals(y_true, y_pred, sample_weight, "explained_variance_score")
    column_weights(multioutput, pair.t)
    whole = pair.against(pair.y_true[0]).scaled_variances()
    shares = _shares(pair.scaled_variances(), whole, 2, force_finite)
    return _averaged_shares(shares, whole, multioutput)


def mean_pinball_loss(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean loss of predicted quantiles: alpha (y_true - y_pred) above the prediction, 1 - alpha below.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
    y_pred : array-like of the shape of y_true
    sample_weight : array-like of shape (n,), optional
    alpha : float in [0, 1]
        Which quantile is predicted.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        One value per column, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles. Econometrica 46(1).

    Examples
    --------
    >>> from clinfa.metrics import mean_pinball_loss
    >>> mean_pinball_loss([1, 2, 3], [0, 2, 5], alpha=0.25)
    0.5833333333333334
    """
    _ALPHA.check("alpha", alpha, "mean_pinball_loss")
    return mean_loss(
        losses.PINBALL, "mean_pinball_loss", y_true, y_pred, sample_weight, multioutput, float(alpha)
    )


def d2_pinball_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """D^2 of the pinball loss: 1 - loss / loss of predicting the quantile of the true values for all.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
    y_pred : array-like of the shape of y_true
    sample_weight : array-like of shape (n,), optional
    alpha : float in [0, 1]
        Which quantile is predicted.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        One value per column, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        NaN for fewer than two samples, with a warning.

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    References
    ----------
    Koenker and Machado (1999), Goodness of fit and related inference processes for quantile regression.
    JASA 94.

    Examples
    --------
    >>> from clinfa.metrics import d2_pinball_score
    >>> d2_pinball_score([1, 2, 3], [1, 2, 4])
    0.5
    """
    return _d2_pinball("d2_pinball_score", y_true, y_pred, sample_weight, alpha, multioutput)


def d2_absolute_error_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """D^2 of absolute errors: 1 - their mean / mean distance to the median of the true values.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
    y_pred : array-like of the shape of y_true
    sample_weight : array-like of shape (n,), optional
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        One value per column, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        NaN for fewer than two samples, with a warning.

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import d2_absolute_error_score
    >>> d2_absolute_error_score([3, 1, 2, 6], [3, 1, 2, 4])
    0.6666666666666667
    """
    return _d2_pinball("d2_absolute_error_score", y_true, y_pred, sample_weight, 0.5, multioutput)


def _d2_pinball(
    owner: str, y_true: Any, y_pred: Any, sample_weight: Any, alpha: float, multioutput: Any
) -> Any:
    _ALPHA.check("alpha", alpha, owner)
    AVERAGES.check("multioutput", multioutput, owner)
    pair = read_residuals(y_true, y_pred, sample_weight, owner, signed=False)
    column_weights(multioutput, pair.t)
    if _too_few(pair, "D^2"):
        return math.nan
    whole = pair.against(quantiles(pair.y_true, pair.weights, alpha)).scaled_means(losses.PINBALL, alpha)
    return _averaged_shares(_shares(pair.scaled_means(losses.PINBALL, alpha), whole, 1), whole, multioutput)


def mean_tweedie_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0) -> float:
    """Mean deviance of Tweedie's family of distributions, whose variance is mean**power.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    power : float
        At most 0 or at least 1. Below 0 predictions must be positive, from 1 on true values must be at
        least 0 too, from 2 on positive. 0 is the squared error, 1 Poisson, 2 gamma, 3 inverse Gaussian.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If values are outside of what the power allows, there is more than one column, lengths differ, or a
        value is not finite.

    References
    ----------
    Jorgensen (1987), Exponential dispersion models. J. Royal Statistical Society B 49(2).

    Examples
    --------
    >>> from clinfa.metrics import mean_tweedie_deviance
    >>> round(mean_tweedie_deviance([2, 0, 1, 4], [0.5, 0.5, 2.0, 2.0], power=1), 6)
    1.426015
    """
    pair, power = _read_tweedie(y_true, y_pred, sample_weight, power, "mean_tweedie_deviance")
    return float(pair.means(*_kind_of(power))[0])


def mean_poisson_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean deviance of Poisson's distribution: `mean_tweedie_deviance` of power 1.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        At least 0.
    y_pred : array-like of shape (n,)
        Above 0.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If values are outside of these bounds, there is more than one column, lengths differ, or a value is
        not finite.

    Examples
    --------
    >>> from clinfa.metrics import mean_poisson_deviance
    >>> mean_poisson_deviance([0, 3], [1, 3])
    1.0
    """
    return mean_tweedie_deviance(y_true, y_pred, sample_weight=sample_weight, power=1)


def mean_gamma_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean deviance of the gamma distribution: `mean_tweedie_deviance` of power 2.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Above 0.
    y_pred : array-like of shape (n,)
        Above 0.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a value is not positive or not finite, there is more than one column, or lengths differ.

    Examples
    --------
    >>> from clinfa.metrics import mean_gamma_deviance
    >>> round(mean_gamma_deviance([2, 0.5, 1, 4], [0.5, 0.5, 2.0, 2.0]), 6)
    1.056853
    """
    return mean_tweedie_deviance(y_true, y_pred, sample_weight=sample_weight, power=2)


def d2_tweedie_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0) -> float:
    """D^2 of a Tweedie deviance: 1 - deviance / deviance of predicting the mean for all.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    power : float
        As in `mean_tweedie_deviance`.

    Returns
    -------
    float
        NaN for fewer than two samples, with a warning. Where the true values are constant, 1 for a perfect
        prediction and 0 for any other.

    Raises
    ------
    ValueError
        If values are outside of what the power allows, there is more than one column, lengths differ, or a
        value is not finite.

    References
    ----------
    Hastie, Tibshirani and Wainwright (2015), Statistical Learning with Sparsity. Equation 3.11.

    Examples
    --------
    >>> from clinfa.metrics import d2_tweedie_score
    >>> d2_tweedie_score([1, 2, 3, 4], [1, 2, 3, 5])
    0.8
    """
    pair, power = _read_tweedie(y_true, y_pred, sample_weight, power, "d2_tweedie_score")
    if _too_few(pair, "D^2"):
        return math.nan
    if power == 0:
        missed, whole = pair.scaled_means(losses.SQUARED), pair.against(pair.y_true[0]).scaled_variances()
        return float(_shares(missed, whole, 2)[0])
    first, one = pair.y_true[0].astype(np.float64), np.ones(1)
    mean = first + pair.against(pair.y_true[0]).sums(losses.SIGNED) / pair.total
    constant = bool((pair.y_true == pair.y_true[0]).all())  # rounding would leave something of a deviance
    whole = np.zeros(1) if constant else pair.against(mean).means(*_kind_of(power))
    return float(_shares((pair.means(*_kind_of(power)), one), (whole, one), 1)[0])


def _kind_of(power: float) -> tuple[int, float]:
    """The loss of a power, and its parameter."""
    return {0: losses.SQUARED, 1: losses.POISSON, 2: losses.GAMMA}.get(power, losses.TWEEDIE), power


def _read_tweedie(
    y_true: Any, y_pred: Any, sample_weight: Any, power: float, owner: str
) -> tuple[Residuals, float]:
    _POWER.check("power", power, owner)
    pair = read_residuals(y_true, y_pred, sample_weight, owner, single=True)
    least, low = pair.y_true.min(), pair.y_pred.min()
    if power >= 2 and (least <= 0 or low <= 0):
        needed = "strictly positive y and y_pred"
    elif 1 <= power < 2 and (least < 0 or low <= 0):
        needed = "non-negative y and strictly positive y_pred"
    elif power < 0 and low <= 0:
        needed = "strictly positive y_pred"
    else:
        return pair, float(power)
    raise ValueError(f"Mean Tweedie deviance error with power={power} can only be used on {needed}.")
