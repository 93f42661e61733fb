"""Losses of predicted probabilities and of decision values: scikit-learn's functions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import ranking
from clinfa.blas import matmul
from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.metrics._scores import (
    not_finite,
    positives,
    read_scores,
    two_labels,
    weights_of,
)
from clinfa.params import boolean, one_of
from clinfa.targets import as_array, check_lengths, column, kind_of, read_labels_together
from clinfa.threads import stripes

__all__ = ["brier_score_loss", "d2_brier_score", "d2_log_loss_score", "hinge_loss", "log_loss"]

_SCALE_BY_HALF = boolean() | one_of("auto")


@dataclass(frozen=True, slots=True)
class Forecast:
    """Probabilities, and what came true.

    Attributes
    ----------
    p : ndarray of shape (n, k)
        One column holds the probability of the second of two classes.
    truth : ndarray of shape (n,) or (n, k)
        The number of each row's class, or an indicator matrix.
    weights : ndarray of shape (n,) or (0,)
    """

    p: np.ndarray
    truth: np.ndarray
    weights: np.ndarray

    @property
    def n_classes(self) -> int:
        return max(self.p.shape[1], 2)

    def loss(self, squared: bool) -> float:
        """The sum of the rows' losses: squared distance to the truth, or -log of the truth's probability.

        Raises
        ------
        ValueError
            If probabilities are not finite or not in [0, 1].
        """
        n, k = self.p.shape
        cut = stripes(n, 8.0 + k)
        out = np.empty((len(cut), 16))
        tolerance = np.sqrt(np.finfo(self.p.dtype).eps)
        codes = self.truth if self.truth.ndim == 1 else np.zeros(n, np.uint8)
        cut.run(
            lambda cursor, limit, slot: ranking.probability_pass(
                self.p, codes, self.weights, squared, tolerance, cut.bounds, cursor, limit, out
            )
        )
        if out[:, 3].any():
            not_finite(self.p, "y_proba")
        if (high := out[:, 2].max()) > 1:
            raise ValueError(f"y_prob contains values greater than 1: {high}")
        if (low := out[:, 1].min()) < 0:
            raise ValueError(
                f"y_prob contains values {'less' if k == 1 and squared else 'lower'} than 0: {low}"
            )
        if out[:, 4].any():
            warnings.warn(
                "The y_prob values do not sum to one. Make sure to pass probabilities.",
                UserWarning,
                stacklevel=3,
            )
        return float(out[:, 0].sum()) if self.truth.ndim == 1 else self._loss_of_indicator(squared)

    def _loss_of_indicator(self, squared: bool) -> float:
        """The same where a row may have several classes, or none."""
        if squared:
            losses = ((self.truth - self.p) ** 2).sum(axis=1)
        else:
            losses = -(self.truth * np.log(_clipped(self.p))).sum(axis=1)
        return float(matmul(losses, self.weights) if len(self.weights) else losses.sum())

    def frequencies(self, absent: bool = False) -> np.ndarray:
        """The weight of the rows of each class, or of those not of it: shape (k,)."""
        weights = self.weights if len(self.weights) else None
        if self.truth.ndim == 2:
            which = self.truth == 0 if absent else self.truth
            return which.sum(axis=0) if weights is None else matmul(weights, which)
        counts = np.bincount(self.truth, weights, minlength=self.n_classes)
        if absent:  # (added up, not subtracted: exactly 0 where no other class occurs)
            return np.array([np.delete(counts, c).sum() for c in range(len(counts))])
        return counts

    @property
    def total(self) -> float:
        total = float(self.weights.sum()) if len(self.weights) else len(self.p)
        if total == 0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        return total


def _clipped(p: np.ndarray) -> np.ndarray:
    eps = np.finfo(p.dtype).eps
    return np.clip(p, eps, 1 - eps)


def _read_probabilities(y_proba: Any, owner: str) -> np.ndarray:
    p = read_scores(y_proba, "y_proba")
    p = p.astype(np.float64) if p.dtype.kind == "i" else p
    if not p.size:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={p.shape}) while a minimum of 1 is required by {owner}."
        )
    return p.reshape(len(p), -1)


def _forecast(y_true: Any, y_proba: Any, sample_weight: Any, labels: Any, owner: str) -> Forecast:
    """Probabilities of each class, in the order of labels."""
    p, truth = _read_probabilities(y_proba, owner), as_array(y_true, "y_true")
    check_lengths(p, truth, sample_weight)
    weights = weights_of(y_true, sample_weight, len(p), owner)
    if truth.ndim == 2 and truth.shape[1] > 1:
        if labels is not None or kind_of(truth) != "multilabel-indicator":
            raise ValueError("Multioutput target data is not supported with label binarization")
        classes, codes = np.arange(truth.shape[1]), (truth != 0).astype(np.uint8)
    else:
        classes, codes = _codes(column(truth, "y_true"), labels, owner)
    k = max(p.shape[1], 2)
    if len(classes) != k:
        if labels is None:
            raise ValueError(
                f"y_true and y_prob contain different number of classes: {len(classes)} vs {k}. Please "
                f"provide the true labels explicitly through the labels argument. "
                f"Classes found in y_true: {classes}"
            )
        raise ValueError(
            f"The number of classes in labels is different from that in y_prob. Classes found in labels: "
            f"{classes}"
        )
    return Forecast(p, codes, weights)


def _codes(truth: np.ndarray, labels: Any, owner: str) -> tuple[np.ndarray, np.ndarray]:
    if labels is None:
        two = two_labels(truth)
        if two is None:
            classes, (codes,) = read_labels_together({"y_true": truth}, owner)
            return classes, codes
        classes, last = two
        if len(classes) == 1:
            raise ValueError(
                f"y_true contains only one label ({classes[0]}). Please provide the list of all expected "
                f"class labels explicitly through the labels argument."
            )
        return classes, last.view(np.uint8)
    given = column(labels, "labels")
    classes = np.unique(given)
    if len(classes) == 1:
        raise ValueError(f"The labels array needs to contain at least two labels, got {classes}.")
    if not np.array_equal(classes, given):
        warnings.warn(
            f"Labels passed were {labels}. But this function assumes labels are ordered lexicographically. "
            f"Pass the ordered labels={classes.tolist()} and ensure that the columns of y_prob "
            f"correspond to this ordering.",
            UserWarning,
            stacklevel=4,
        )
    classes, (codes,) = read_labels_together({"y_true": truth}, owner, classes)
    if (codes < 0).any():
        unknown = set(truth[codes < 0].tolist())
        raise ValueError(f"y_true contains values {unknown} not belonging to the passed labels {labels}.")
    return classes, codes


def _binary_forecast(
    y_true: Any, y_proba: Any, sample_weight: Any, pos_label: Any, labels: Any, owner: str
) -> Forecast:
    """Probabilities of one label, or of each class if there are several columns."""
    p = _read_probabilities(y_proba, owner)
    if p.shape[1] > 1:
        return _forecast(y_true, p, sample_weight, labels, owner)
    truth = column(y_true, "y_true")
    check_lengths(p, truth, sample_weight)
    weights = weights_of(y_true, sample_weight, len(p), owner)
    two = two_labels(truth)
    if two is None:
        raise ValueError(
            f"The type of the target inferred from y_true is {kind_of(truth, 'y_true')} but should be binary "
            f"according to the shape of y_prob."
        )
    classes = two[0]
    if pos_label is None and classes.dtype.kind not in "UO" and classes.tolist() not in ([0], [-1]):
        pos_label = classes[-1]
    return Forecast(p, positives(truth, pos_label).view(np.uint8), weights)


def log_loss(
    y_true: Any,
    y_proba: Any = None,
    *,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = "deprecated",
) -> float:
    """Log loss, or cross-entropy: the mean of -log of the probability that was given to what came true.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes), or Dataset
        Labels, or an indicator matrix. A Dataset's weights are taken where none are given.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Probabilities of the labels in their order; one column: of the greater of two. They are clipped to
        [eps, 1 - eps] of their type.
    normalize : bool
        Whether to return the mean, else the sum.
    sample_weight : array-like of shape (n_samples,), optional
    labels : array-like of shape (n_classes,), optional
        All labels, where not each occurs in `y_true`.
    y_pred : array-like
        The old name of `y_proba`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If probabilities are not in [0, 1], or labels, shapes or lengths do not match.

    References
    ----------
    C. M. Bishop (2006). Pattern Recognition and Machine Learning. Springer, p. 209.

    Examples
    --------
    >>> from clinfa.metrics import log_loss
    >>> round(log_loss(["spam", "ham", "ham", "spam"], [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]), 6)
    0.216162
    """
    y_proba = _renamed(y_proba, y_pred)
    forecast = _forecast(y_true, y_proba, sample_weight, labels, "log_loss")
    loss = forecast.loss(squared=False)
    return loss / forecast.total if normalize else loss


def brier_score_loss(
    y_true: Any,
    y_proba: Any,
    *,
    sample_weight: Any = None,
    pos_label: Any = None,
    labels: Any = None,
    scale_by_half: bool | str = "auto",
) -> float:
    """The Brier score: the mean squared distance between probabilities and what came true.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes), or Dataset
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Probabilities of the labels in their order; one column: of `pos_label`.
    sample_weight : array-like of shape (n_samples,), optional
    pos_label : int, float, bool or str, optional
        The label that one column of probabilities speaks of; must be given if labels are strings.
    labels : array-like of shape (n_classes,), optional
        All labels, where not each occurs in `y_true`.
    scale_by_half : bool or "auto"
        Whether to halve, so that the greatest value is 1; "auto" does so for two classes.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As for `log_loss`.

    References
    ----------
    G. W. Brier (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review
    78(1), 1-3.

    Examples
    --------
    >>> from clinfa.metrics import brier_score_loss
    >>> round(brier_score_loss([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]), 6)
    0.0375
    """
    _SCALE_BY_HALF.check("scale_by_half", scale_by_half, "brier_score_loss")
    forecast = _binary_forecast(y_true, y_proba, sample_weight, pos_label, labels, "brier_score_loss")
    score = forecast.loss(squared=True) / forecast.total
    halve = forecast.n_classes < 3 if scale_by_half == "auto" else scale_by_half
    return score / 2 if halve else score


def d2_log_loss_score(
    y_true: Any,
    y_proba: Any = None,
    *,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = "deprecated",
) -> float:
    """The share of log loss that is explained: 1 for a perfect forecast, 0 for always giving the frequencies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes), or Dataset
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
    sample_weight : array-like of shape (n_samples,), optional
    labels : array-like of shape (n_classes,), optional
    y_pred : array-like
        As for `log_loss`.

    Returns
    -------
    float
        NaN, with a warning, for fewer than two rows.

    Raises
    ------
    ValueError
        As for `log_loss`.

    Examples
    --------
    >>> from clinfa.metrics import d2_log_loss_score
    >>> d2_log_loss_score([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5])
    0.0
    """
    y_proba = _renamed(y_proba, y_pred)
    if _too_few(y_true, y_proba, sample_weight):
        return np.nan
    forecast = _forecast(y_true, y_proba, sample_weight, labels, "d2_log_loss_score")
    loss, counts = forecast.loss(squared=False), forecast.frequencies()
    constant = -(counts * np.log(_clipped(counts / forecast.total))).sum()
    return float(1 - loss / constant)


def d2_brier_score(
    y_true: Any, y_proba: Any, *, sample_weight: Any = None, pos_label: Any = None, labels: Any = None
) -> float:
    """The share of the Brier score that is explained: 1 for a perfect forecast, 0 for giving the frequencies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes), or Dataset
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
    sample_weight : array-like of shape (n_samples,), optional
    pos_label : int, float, bool or str, optional
    labels : array-like of shape (n_classes,), optional
        As for `brier_score_loss`.

    Returns
    -------
    float
        NaN, with a warning, for fewer than two rows; not finite if only one class occurs.

    Raises
    ------
    ValueError
        As for `log_loss`.

    Examples
    --------
    >>> from clinfa.metrics import d2_brier_score
    >>> round(d2_brier_score([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]), 6)
    0.85
    """
    if _too_few(y_true, y_proba, sample_weight):
        return np.nan
    forecast = _binary_forecast(y_true, y_proba, sample_weight, pos_label, labels, "d2_brier_score")
    loss, counts = forecast.loss(squared=True), forecast.frequencies()
    constant = matmul(counts, forecast.frequencies(absent=True)) / forecast.total
    return float(1 - np.float64(loss) / constant)


def _renamed(y_proba: Any, y_pred: Any) -> Any:
    if isinstance(y_pred, str) and y_pred == "deprecated":
        return y_proba
    if y_proba is not None:
        raise ValueError(
            "Cannot use both `y_pred` and `y_proba`. `y_pred` is deprecated, use `y_proba` instead."
        )
    warnings.warn(
        "`y_pred` was renamed to `y_proba` in version 1.9 and will be removed in 1.11. Use `y_proba` "
        "instead.",
        FutureWarning,
        stacklevel=3,
    )
    return y_pred


def _too_few(y_true: Any, y_proba: Any, sample_weight: Any) -> bool:
    p, truth = as_array(y_proba, "y_proba"), as_array(y_true, "y_true")
    check_lengths(p, truth, sample_weight)
    if len(p) < 2:
        warnings.warn(
            "D^2 score is not well-defined with less than two samples.",
            twin(UndefinedMetricWarning),
            stacklevel=3,
        )
    return len(p) < 2


def hinge_loss(y_true: Any, pred_decision: Any, *, labels: Any = None, sample_weight: Any = None) -> float:
    """The mean hinge loss: how far decision values fall short of a margin of 1.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or Dataset
        A Dataset's weights are taken where none are given.
    pred_decision : array-like of shape (n_samples,) or (n_samples, n_classes)
        Decision values: of the greater of two labels, or of each label in their order.
    labels : array-like of shape (n_classes,), optional
        All labels, where not each occurs in `y_true`.
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a value is not finite, or labels, shapes or lengths do not match.

    References
    ----------
    K. Crammer, Y. Singer (2001). On the algorithmic implementation of multiclass kernel-based vector
    machines. Journal of Machine Learning Research 2, 265-292.

    Examples
    --------
    >>> from clinfa.metrics import hinge_loss
    >>> hinge_loss([-1, 1, 1], [-2.5, 2.0, 0.25])
    0.25
    """
    truth, decision = column(y_true, "y_true"), read_scores(pred_decision, "pred_decision")
    check_lengths(truth, decision, sample_weight)
    weights = weights_of(y_true, sample_weight, len(truth), "hinge_loss")
    if not np.isfinite(decision).all():
        not_finite(decision, "pred_decision")
    given = None if labels is None else np.unique(column(labels, "labels"))
    classes, (codes,) = read_labels_together({"y_true": truth}, "hinge_loss", given)
    if (codes < 0).any():
        raise ValueError(f"y_true contains labels that are not in labels={labels!r}.")
    if len(classes) > 2:
        margin = _margins(codes, decision, len(classes), labels)
    else:
        margin = np.where(codes == 1, 1, -1) * column(decision, "pred_decision")
    losses = np.maximum(1 - margin, 0)
    return float(np.average(losses, weights=weights if len(weights) else None))


def _margins(codes: np.ndarray, decision: np.ndarray, k: int, labels: Any) -> np.ndarray:
    """By how much the own class's value exceeds the greatest of the others."""
    wanted = f"must be (n_samples, n_classes), that is ({len(codes)}, {k}). Got: {decision.shape}"
    if decision.ndim == 1:
        # ("arraywith" is in scikit-learn's text.)
        raise ValueError(
            f"The shape of pred_decision cannot be 1d arraywith a multiclass target. pred_decision shape "
            f"{wanted}"
        )
    if decision.shape[1] != k:
        if labels is None:
            raise ValueError("Please include all labels in y_true or pass labels as third argument")
        raise ValueError(
            f"The shape of pred_decision is not consistent with the number of classes. With a multiclass "
            f"target, pred_decision shape {wanted}"
        )
    others = decision.astype(np.result_type(decision, np.float32))
    rows = np.arange(len(codes))
    others[rows, codes] = -np.inf
    return decision[rows, codes] - others.max(axis=1)
