"""How far predicted numbers lie from the true ones: scikit-learn's regression errors, and Linfa's."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import losses
from clinfa.metrics._residuals import AVERAGES, averaged, column_weights, mean_loss, quantiles, read_residuals

__all__ = [
    "max_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_log_error",
    "median_absolute_error",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
    "symmetric_mean_absolute_percentage_error",
]


def max_error(y_true: Any, y_pred: Any) -> float:
    """Greatest absolute error.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_pred : array-like of shape (n,)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there is more than one column, lengths differ, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import max_error
    >>> max_error([3, 2, 7, 1], [4, 2, 7, 1])
    1.0
    """
    return float(read_residuals(y_true, y_pred, None, "max_error", single=True).sums(losses.GREATEST)[0])


def mean_absolute_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of absolute errors.

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

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import mean_absolute_error
    >>> mean_absolute_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.5
    """
    return mean_loss(losses.ABSOLUTE, "mean_absolute_error", y_true, y_pred, sample_weight, multioutput)


def mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of squared errors.

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
        inf where it is beyond float64.

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import mean_squared_error
    >>> mean_squared_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.375
    """
    return mean_loss(losses.SQUARED, "mean_squared_error", y_true, y_pred, sample_weight, multioutput)


def root_mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Root of the mean of squared errors, by column.

    Errors whose squares overflow or vanish have a root all the same.

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

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import root_mean_squared_error
    >>> round(root_mean_squared_error([0, 0, 0, 0], [3e200, 4e200, 0, 0]) / 1e200, 12)
    2.5
    """
    AVERAGES.check("multioutput", multioutput, "root_mean_squared_error")
    pair = read_residuals(y_true, y_pred, sample_weight, "root_mean_squared_error")
    weights = column_weights(multioutput, pair.t)
    means, scale = pair.scaled_means(losses.SQUARED)
    return averaged(np.sqrt(means) / scale, multioutput, weights)


def mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of the squares of log(1 + y_true) - log(1 + y_pred).

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
        Above -1, like the predictions.
    y_pred : array-like of the shape of y_true
    sample_weight : array-like of shape (n,), optional
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        One value per column, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        If a value is -1 or below, shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import mean_squared_log_error
    >>> round(mean_squared_log_error([3, 5, 2.5, 7], [2.5, 5, 4, 8]), 6)
    0.03973
    """
    means, weights = _log_errors("mean_squared_log_error", y_true, y_pred, sample_weight, multioutput)
    return averaged(means, multioutput, weights)


def root_mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Root of the mean of the squares of log(1 + y_true) - log(1 + y_pred), by column.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
        Above -1, like the predictions.
    y_pred : array-like of the shape of y_true
    sample_weight : array-like of shape (n,), optional
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        One value per column, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        If a value is -1 or below, shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import root_mean_squared_log_error
    >>> round(root_mean_squared_log_error([3, 5, 2.5, 7], [2.5, 5, 4, 8]), 6)
    0.199324
    """
    means, weights = _log_errors("root_mean_squared_log_error", y_true, y_pred, sample_weight, multioutput)
    return averaged(np.sqrt(means), multioutput, weights)


def _log_errors(
    owner: str, y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    AVERAGES.check("multioutput", multioutput, owner)
    pair = read_residuals(y_true, y_pred, sample_weight, owner)
    weights = column_weights(multioutput, pair.t)
    if pair.y_true.min() <= -1 or pair.y_pred.min() <= -1:
        name = owner.replace("_", " ").title().replace("Log ", "Logarithmic ")
        raise ValueError(f"{name} cannot be used when targets contain values less than or equal to -1.")
    return pair.means(losses.LOG_SQUARED), weights


def mean_absolute_percentage_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of |y_true - y_pred| / |y_true|: 1 is a hundred per cent.

    A true value nearer to zero than 2.2e-16 counts as that.

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

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import mean_absolute_percentage_error
    >>> mean_absolute_percentage_error([2, 4, 8], [3, 4, 4])
    0.3333333333333333
    """
    owner = "mean_absolute_percentage_error"
    return mean_loss(losses.RELATIVE, owner, y_true, y_pred, sample_weight, multioutput)


def symmetric_mean_absolute_percentage_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of 200 |y_true - y_pred| / (|y_true| + |y_pred|): from 0 to 200.

    Two zeros count as no error. Linfa's metric; scikit-learn has none.

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

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    References
    ----------
    Makridakis (1993), Accuracy measures: theoretical and practical concerns. Int. J. Forecasting 9(4).

    Examples
    --------
    >>> from clinfa.metrics import symmetric_mean_absolute_percentage_error
    >>> symmetric_mean_absolute_percentage_error([1, 0, 5, 2], [3, 0, 5, 2])
    25.0
    """
    owner = "symmetric_mean_absolute_percentage_error"
    AVERAGES.check("multioutput", multioutput, owner)
    pair = read_residuals(y_true, y_pred, sample_weight, owner)
    weights = column_weights(multioutput, pair.t)
    return averaged(200 * pair.means(losses.SYMMETRIC), multioutput, weights)


def median_absolute_error(
    y_true: Any, y_pred: Any, *, multioutput: Any = "uniform_average", sample_weight: Any = None
) -> Any:
    """Median of absolute errors.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_outputs)
    y_pred : array-like of the shape of y_true
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        One value per column, their mean, or their mean with these weights.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        If shapes differ, there is no sample, or a value is not finite.

    Examples
    --------
    >>> from clinfa.metrics import median_absolute_error
    >>> median_absolute_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 9])
    0.5
    """
    AVERAGES.check("multioutput", multioutput, "median_absolute_error")
    pair = read_residuals(y_true, y_pred, sample_weight, "median_absolute_error", signed=False)
    weights = column_weights(multioutput, pair.t)
    with np.errstate(over="ignore"):
        errors = np.subtract(pair.y_true, pair.y_pred, dtype=np.float64)
    return averaged(quantiles(np.abs(errors, out=errors), pair.weights, 0.5), multioutput, weights)
