"""Truth and prediction side by side, and weighted means of the losses between them.

Every regression metric is a weighted mean of losses by column, from one pass of `losses_pass`. Sums are
double whatever the data are; where one overflows or vanishes, the pass is repeated on
differences brought near one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clinfa._core import losses
from clinfa.arrays import NO_WEIGHTS, read_weights
from clinfa.params import Rule, one_of
from clinfa.targets import check_finite, read_values
from clinfa.threads import stripes

__all__ = ["AVERAGES", "Residuals", "averaged", "column_weights", "mean_loss", "of_columns", "read_residuals"]

of_columns = Rule("an array-like", lambda v: not isinstance(v, str) and hasattr(v, "__len__"))
AVERAGES = one_of("raw_values", "uniform_average") | of_columns
# What a value costs on one core, in nanoseconds.
_NS = {losses.LOG_SQUARED: 5.0, losses.POISSON: 2.5, losses.GAMMA: 2.5, losses.TWEEDIE: 30.0}
# By which power of a scale a loss grows with the differences.
_DEGREE = {losses.ABSOLUTE: 1, losses.PINBALL: 1, losses.SQUARED: 2}
# Losses whose sum is finite only where all values are: looking for NaN beforehand costs as much as the sum.
_TELLING = (losses.ABSOLUTE, losses.SQUARED)


@dataclass(frozen=True, slots=True)
class Residuals:
    """Truth and prediction, side by side; a prediction of one row stands for the same everywhere."""

    y_true: np.ndarray  # (n, t)
    y_pred: np.ndarray  # (n, t) or (1, t), of the same dtype
    weights: np.ndarray  # (n,) or (0,) for ones
    total: float  # of the weights

    @property
    def t(self) -> int:
        return self.y_true.shape[1]

    def sums(
        self,
        kind: int,
        parameter: float = 0.0,
        scale: np.ndarray | None = None,
        offset: np.ndarray | None = None,
    ) -> np.ndarray:
        """The weighted sum of the losses of every column, or the greatest: shape (t,)."""
        n, t = self.y_true.shape
        scale = np.ones(t) if scale is None else scale
        offset = np.zeros(t) if offset is None else offset
        cut = stripes(n, _NS.get(kind, 1.0) * t + 1)
        out = np.empty((len(cut), t + 16 if len(cut) > 1 else t))  # 128 bytes keep stripes apart
        cut.run(
            lambda cursor, limit, slot: losses.losses_pass(
                self.y_true,
                self.y_pred,
                self.weights,
                kind,
                parameter,
                scale,
                offset,
                cut.bounds,
                cursor,
                limit,
                out,
            )
        )
        if len(cut) == 1:
            return out[0]
        with np.errstate(over="ignore", invalid="ignore"):
            return out[:, :t].max(axis=0) if kind == losses.GREATEST else out[:, :t].sum(axis=0)

    def near_one(self) -> np.ndarray:
        """For every column the power of two that brings its greatest difference near one."""
        greatest = self.sums(losses.GREATEST)
        exponent = np.frexp(greatest)[1]
        if not np.isfinite(greatest).all():
            quarters = self.sums(losses.GREATEST, scale=np.full(self.t, 0.25))
            exponent = np.where(np.isfinite(greatest), exponent, np.frexp(quarters)[1] + 2)
        return np.ldexp(1.0, np.clip(-exponent, -1020, 1020))

    def scaled_means(self, kind: int, parameter: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """The mean loss by column of the scaled differences, and the scale."""
        scale = np.ones(self.t)
        means = self.sums(kind, parameter, scale) / self.total
        if _safe(means):
            return means, scale
        for role in ("y_true", "y_pred"):
            check_finite(getattr(self, role), role)
        scale = self.near_one()
        return self.sums(kind, parameter, scale) / self.total, scale

    def means(self, kind: int, parameter: float = 0.0) -> np.ndarray:
        """The mean loss by column: shape (t,)."""
        if kind not in _DEGREE:
            return self.sums(kind, parameter) / self.total
        means, scale = self.scaled_means(kind, parameter)
        with np.errstate(over="ignore", under="ignore"):
            for _ in range(_DEGREE[kind]):  # (the square of a scale may overflow where the quotient does not)
                means = means / scale
        return means

    def scaled_variances(self) -> tuple[np.ndarray, np.ndarray]:
        """The variance by column of the scaled differences, exactly 0 where all are equal, and the scale."""
        scale = np.ones(self.t)
        variances = self._variances(scale)
        if _safe(variances):
            return variances, scale
        scale = self.near_one()
        return self._variances(scale), scale

    def _variances(self, scale: np.ndarray) -> np.ndarray:
        inner, outer = np.minimum(scale, 1), np.maximum(scale, 1)
        with np.errstate(over="ignore", invalid="ignore"):
            some = (self.y_true[0] * inner - self.y_pred[0] * inner) * outer
            some = some + self.sums(losses.SIGNED, scale=scale, offset=some) / self.total
        return self.sums(losses.SQUARED, scale=scale, offset=some) / self.total

    def against(self, row: np.ndarray) -> Residuals:
        """The same truth against one prediction for all, unrounded."""
        truth, row = self.y_true, row.reshape(1, -1)
        narrow = row.astype(truth.dtype)
        if (narrow != row).any():
            truth = truth.astype(np.float64)
        return replace(self, y_true=truth, y_pred=row if truth.dtype == row.dtype else narrow)


def _safe(means: np.ndarray) -> bool:
    """Whether neither overflow nor underflow can have touched a sum of squares."""
    return bool(means.min() > 1e-280 and means.max() < 1e280)  # (False for NaN)


def read_residuals(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    owner: str,
    *,
    single: bool = False,
    signed: bool = True,
    finite: bool = True,
) -> Residuals:
    """Checked truth, prediction and weights.

    `single` allows one column, `signed` weights below zero; `finite` is as in `read_values`.
    """
    a = read_values(y_true, owner, "y_true", finite=finite)
    b = read_values(y_pred, owner, "y_pred", finite=finite)
    lengths = [len(a), len(b)] + ([len(sample_weight)] if hasattr(sample_weight, "__len__") else [])
    if len(set(lengths)) > 1:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {lengths}")
    if not len(a):
        raise ValueError(
            f"Found array with 0 sample(s) (shape={a.shape}) while a minimum of 1 is required by {owner}."
        )
    a, b = (y[:, None] if y.ndim == 1 else y for y in (a, b))
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"y_true and y_pred have different number of output ({a.shape[1]}!={b.shape[1]})")
    if not a.shape[1]:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={a.shape}) while a minimum of 1 is required by {owner}."
        )
    if single and a.shape[1] > 1:
        raise ValueError(f"Multioutput not supported in {owner}")
    dtype = a.dtype if a.dtype == b.dtype else np.float64
    a, b = np.ascontiguousarray(a, dtype), np.ascontiguousarray(b, dtype)
    if sample_weight is None:
        return Residuals(a, b, NO_WEIGHTS, float(len(a)))
    weights = read_weights(sample_weight, len(a), owner, signed=signed)
    top = float(np.abs(weights).max())
    if not 1e-100 < top < 1e100:  # (all that matters is their ratios)
        weights = np.ldexp(weights, -np.frexp(top)[1])
    total = float(weights.sum())
    if total == 0:
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    return Residuals(a, b, weights, total)


def column_weights(multioutput: Any, t: int) -> np.ndarray | None:
    """Checked weights of the columns, or None for a word."""
    if multioutput is None or isinstance(multioutput, str):
        return None
    given = read_values(multioutput, "multioutput", "multioutput")
    if t == 1:
        raise ValueError("Custom weights are useful only in multi-output cases.")
    if given.shape != (t,):
        raise ValueError(f"There must be equally many custom weights ({len(given)}) as outputs ({t}).")
    return given


def averaged(values: np.ndarray, multioutput: Any, weights: np.ndarray | None) -> Any:
    if isinstance(multioutput, str) and multioutput == "raw_values":
        return values
    if len(values) == 1:
        return float(values[0])
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.average(values, weights=weights))


def mean_loss(
    kind: int,
    owner: str,
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    multioutput: Any,
    parameter: float = 0.0,
) -> Any:
    AVERAGES.check("multioutput", multioutput, owner)
    pair = read_residuals(y_true, y_pred, sample_weight, owner, finite=kind not in _TELLING)
    weights = column_weights(multioutput, pair.t)
    return averaged(pair.means(kind, parameter), multioutput, weights)


def quantiles(values: np.ndarray, weights: np.ndarray, share: float) -> np.ndarray:
    """The weighted quantile of every column: shape (t,).

    It is the middle of all values below which no more than `share` of the weight lies, and above which no
    more than the rest.
    """
    if len(weights):
        return np.array([_weighted_quantile(column, weights, share) for column in values.T])
    n = len(values)
    position = share * n
    whole = round(position)
    if abs(position - whole) <= 4 * n * np.finfo(float).eps and 0 < whole < n:
        low, high = np.partition(values, [whole - 1, whole], axis=0)[whole - 1 : whole + 1].astype(float)
        return low / 2 + high / 2
    at = min(max(int(np.ceil(position)) - 1, 0), n - 1)
    return np.partition(values, at, axis=0)[at].astype(float)


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    there = np.flatnonzero(weights)
    order = there[np.argsort(values[there])]
    below = np.cumsum(weights[order])
    position = share * below[-1]
    rounding = 4 * len(order) * np.finfo(float).eps * below[-1]
    at = min(int(np.searchsorted(below, position - rounding)), len(order) - 1)
    low = float(values[order[at]])
    if position > 0 and abs(below[at] - position) <= rounding and at + 1 < len(order):
        return low / 2 + float(values[order[at + 1]]) / 2
    return low
