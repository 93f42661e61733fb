"""Curves over all thresholds of a score: scikit-learn's functions for two classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.metrics._ranked import Ranked, corners
from clinfa.metrics._scores import not_finite, positives, rank_rows, read_scores, weights_of
from clinfa.targets import check_lengths, column

__all__ = [
    "auc",
    "confusion_matrix_at_thresholds",
    "det_curve",
    "metric_at_thresholds",
    "precision_recall_curve",
    "roc_curve",
]


def ranked_rows(
    y_true: Any, y_score: Any, pos_label: Any, sample_weight: Any, owner: str
) -> tuple[Ranked, np.dtype]:
    """The rows of a problem of two classes in order, and the type that their thresholds have."""
    positive = positives(y_true, pos_label)
    given = column(y_score, "y_score")
    scores = read_scores(given)
    check_lengths(positive, scores, sample_weight)
    weights = weights_of(y_true, sample_weight, len(positive), owner)
    dtype = given.dtype if given.dtype.kind in "biuf" else scores.dtype
    return rank_rows(positive, scores, weights), dtype.newbyteorder("=")


def rates(fps: np.ndarray, tps: np.ndarray, stacklevel: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Counts as shares of the last; NaN, with a warning, where a class has no weight."""
    out = []
    for counts, missing, rate in ((fps, "negative", "false"), (tps, "positive", "true")):
        if counts[-1] > 0:
            out.append(counts / counts[-1])
        else:
            warnings.warn(
                f"No {missing} samples in y_true, {rate} positive value should be meaningless",
                twin(UndefinedMetricWarning),
                stacklevel=stacklevel,
            )
            out.append(np.full(len(counts), np.nan))
    return out[0], out[1]


def roc_points(ranked: Ranked, drop_intermediate: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts along the ROC curve, the origin first, and thresholds, of which the origin has none."""
    fps, tps, thresholds = ranked.curve()
    if drop_intermediate and len(thresholds) > 2:
        return corners(fps[1:], tps[1:], thresholds)
    return fps, tps, thresholds


def precision_recall_points(
    fps: np.ndarray, tps: np.ndarray, stacklevel: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall from the lowest threshold on, ending at precision 1 and recall 0."""
    m = len(tps)
    precision, recall = np.zeros(m + 1), np.zeros(m + 1)
    predicted = (fps + tps)[::-1]
    np.divide(tps[::-1], predicted, out=precision[:m], where=predicted != 0)
    precision[m] = 1
    if tps[-1] == 0:
        warnings.warn(
            "No positive class found in y_true, recall is set to one for all thresholds.",
            UserWarning,
            stacklevel=stacklevel,
        )
        recall[:m] = 1
    else:
        np.divide(tps[::-1], tps[-1], out=recall[:m])
    return precision, recall


def _where_tps_change(fps: np.ndarray, tps: np.ndarray, *thresholds: np.ndarray) -> tuple[np.ndarray, ...]:
    """A curve without the points whose neighbours on both sides have as many true positives."""
    if len(tps) <= 2:
        return fps, tps, *thresholds
    steps = np.diff(tps) != 0
    keep = np.concatenate([[True], steps[:-1] | steps[1:], [True]])
    return tuple(values[keep] for values in (fps, tps, *thresholds))


def roc_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The receiver operating characteristic: what share of either class each threshold lets through.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or Dataset
        Two labels, or more if `pos_label` names one. A Dataset's weights are taken where none are given.
    y_score : array-like of shape (n_samples,)
        The greater, the more like the positive class.
    pos_label : int, float, bool or str, optional
        The positive label; 1 where the labels are 0 and 1, or -1 and 1.
    sample_weight : array-like of shape (n_samples,), optional
    drop_intermediate : bool
        Whether to leave out points that lie between their neighbours on a straight line.

    Returns
    -------
    fpr, tpr : ndarray of shape (n_thresholds,)
        Share of the negatives, and of the positives, whose score is at least the threshold.
    thresholds : ndarray of shape (n_thresholds,)
        Falling. The first is infinite: there nothing is called positive.

    Raises
    ------
    ValueError
        If the labels are not two and none is named, a score is not finite, or lengths differ.

    References
    ----------
    T. Fawcett (2006). An introduction to ROC analysis. Pattern Recognition Letters 27(8), 861-874.

    Examples
    --------
    >>> from clinfa.metrics import roc_curve
    >>> fpr, tpr, thresholds = roc_curve([False, True, False, True], [0.1, 0.4, 0.35, 0.8])
    >>> print(fpr, tpr, thresholds)
    [0. 0. 0. 1.] [0.  0.5 1.  1. ] [inf 0.8 0.4 0.1]
    """
    ranked, _ = ranked_rows(y_true, y_score, pos_label, sample_weight, "roc_curve")
    fps, tps, thresholds = roc_points(ranked, drop_intermediate)
    fpr, tpr = rates(fps, tps)
    return fpr, tpr, with_infinity(thresholds)


def with_infinity(thresholds: np.ndarray) -> np.ndarray:
    """Thresholds as float64 after one that no score reaches."""
    out = np.empty(len(thresholds) + 1)
    out[0] = np.inf
    out[1:] = thresholds
    return out


def precision_recall_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision and recall at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or Dataset
    y_score : array-like of shape (n_samples,)
    pos_label : int, float, bool or str, optional
    sample_weight : array-like of shape (n_samples,), optional
        As for `roc_curve`.
    drop_intermediate : bool
        Whether to leave out thresholds between two others with the same recall.

    Returns
    -------
    precision, recall : ndarray of shape (n_thresholds + 1,)
        Of "positive where the score is at least the threshold"; the last point, 1 and 0, has no threshold.
    thresholds : ndarray of shape (n_thresholds,)
        Rising.

    Raises
    ------
    ValueError
        As for `roc_curve`.

    Examples
    --------
    >>> from clinfa.metrics import precision_recall_curve
    >>> precision, recall, thresholds = precision_recall_curve([0, 1, 0, 1], [0.1, 0.4, 0.45, 0.8])
    >>> print(recall, thresholds)
    [1.  1.  0.5 0.5 0. ] [0.1  0.4  0.45 0.8 ]
    """
    ranked, dtype = ranked_rows(y_true, y_score, pos_label, sample_weight, "precision_recall_curve")
    fps, tps, thresholds = ranked.curve()
    fps, tps = fps[1:], tps[1:]
    if drop_intermediate:
        fps, tps, thresholds = _where_tps_change(fps, tps, thresholds)
    precision, recall = precision_recall_points(fps, tps)
    return precision, recall, thresholds[::-1].astype(dtype, copy=False)


def det_curve(
    y_true: Any,
    y_score: Any,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detection error trade-off: both kinds of error at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or Dataset
    y_score : array-like of shape (n_samples,)
    pos_label : int, float, bool or str, optional
    sample_weight : array-like of shape (n_samples,), optional
        As for `roc_curve`.
    drop_intermediate : bool
        Whether to leave out thresholds between two others with as many true positives.

    Returns
    -------
    fpr, fnr : ndarray of shape (n_thresholds,)
        Share of the negatives that reach the threshold, and of the positives that do not.
    thresholds : ndarray of shape (n_thresholds,)
        Rising, from the last at which every positive is found to the first that no negative reaches.

    Raises
    ------
    ValueError
        If there are not exactly two classes; else as for `roc_curve`.

    Examples
    --------
    >>> from clinfa.metrics import det_curve
    >>> fpr, fnr, thresholds = det_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> print(fpr, fnr, thresholds)
    [0.5 0.5 0. ] [0.  0.5 0.5] [0.35 0.4  0.8 ]
    """
    ranked, _ = ranked_rows(y_true, y_score, pos_label, sample_weight, "det_curve")
    fps, tps, thresholds = ranked.curve()
    thresholds = with_infinity(thresholds)
    if drop_intermediate:
        fps, tps, thresholds = _where_tps_change(fps, tps, thresholds)
    if len(np.unique(column(y_true, "y_true"))) != 2:
        raise ValueError(
            "Only one class is present in y_true. Detection error tradeoff curve is not defined in that case."
        )
    first = max(int(np.searchsorted(fps, fps[0], side="right")) - 1, 0)
    part = slice(first, int(np.searchsorted(tps, tps[-1])) + 1)
    fnr = (tps[-1] - tps[part]) / tps[-1]
    return fps[part][::-1] / fps[-1], fnr[::-1], thresholds[part][::-1]


def confusion_matrix_at_thresholds(
    y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The four counts of a binary confusion matrix at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or Dataset
    y_score : array-like of shape (n_samples,)
    pos_label : int, float, bool or str, optional
    sample_weight : array-like of shape (n_samples,), optional
        As for `roc_curve`.

    Returns
    -------
    tns, fps, fns, tps : ndarray of shape (n_thresholds,)
        True negatives, false positives, false negatives, true positives, as sums of weights.
    thresholds : ndarray of shape (n_thresholds,)
        The different scores, falling.

    Raises
    ------
    ValueError
        As for `roc_curve`.

    Examples
    --------
    >>> from clinfa.metrics import confusion_matrix_at_thresholds
    >>> tns, fps, fns, tps, thresholds = confusion_matrix_at_thresholds([0, 1, 1], [0.2, 0.2, 0.9])
    >>> print(tns, fps, fns, tps, thresholds)
    [1. 0.] [0. 1.] [1. 0.] [1. 2.] [0.9 0.2]
    """
    ranked, dtype = ranked_rows(y_true, y_score, pos_label, sample_weight, "confusion_matrix_at_thresholds")
    fps, tps, thresholds = ranked.curve()
    fps, tps = fps[1:], tps[1:]
    return fps[-1] - fps, fps, tps[-1] - tps, tps, thresholds.astype(dtype, copy=False)


def metric_at_thresholds(
    y_true: Any,
    y_score: Any,
    metric_func: Callable[..., Any],
    *,
    sample_weight: Any = None,
    metric_params: Mapping[str, Any] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Any metric of predictions, at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or Dataset
    y_score : array-like of shape (n_samples,)
    metric_func : callable
        Called as ``metric_func(y_true, y_pred, **metric_params)`` with predictions 0 and 1, and with
        `sample_weight` where there is one.
    sample_weight : array-like of shape (n_samples,), optional
        Rows of weight 0 are left out.
    metric_params : mapping, optional

    Returns
    -------
    metric_values : ndarray of shape (n_thresholds,) or (n_thresholds, n_values)
    thresholds : ndarray of shape (n_thresholds,)
        The different scores, falling.

    Raises
    ------
    ValueError
        If a score is not finite or lengths differ.

    Examples
    --------
    >>> from clinfa.metrics import metric_at_thresholds
    >>> def accuracy(truth, prediction):
    ...     return (truth == prediction).mean()
    >>> values, thresholds = metric_at_thresholds([0, 1, 0, 1], [0.1, 0.6, 0.3, 0.9], accuracy)
    >>> print(values, thresholds)
    [0.75 1.   0.75 0.5 ] [0.9 0.6 0.3 0.1]
    """
    truth, scores = column(y_true, "y_true"), column(y_score, "y_score")
    check_lengths(truth, scores)
    weights = weights_of(y_true, sample_weight, len(truth), "metric_at_thresholds")
    if not np.isfinite(read_scores(scores)).all():
        not_finite(scores, "y_score")
    how = dict(metric_params or {})
    if len(weights):
        kept = np.flatnonzero(weights)
        truth, scores, weights = truth[kept], scores[kept], weights[kept]
    order = len(scores) - 1 - np.argsort(scores[::-1], kind="stable")[::-1]
    truth, scores = truth[order], scores[order]
    if len(weights):
        how["sample_weight"] = weights[order]
    thresholds = np.unique(scores)[::-1]
    values = [metric_func(truth, (scores >= t).astype(np.int32), **how) for t in thresholds]
    return np.asarray(values), thresholds


def auc(x: Any, y: Any) -> float:
    """The area under a curve given by points, by the trapezoidal rule.

    Parameters
    ----------
    x : array-like of shape (n,)
        Rising or falling throughout.
    y : array-like of shape (n,)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two points, or `x` both rises and falls.

    Examples
    --------
    >>> from clinfa.metrics import auc
    >>> auc([0, 0.5, 1], [0, 1, 1])
    0.75
    """
    x, y = column(x, "x"), column(y, "y")
    check_lengths(x, y)
    if len(x) < 2:
        raise ValueError(f"At least 2 points are needed to compute area under curve, but x.shape = {x.shape}")
    steps = np.diff(x)
    direction = 1
    if (steps < 0).any():
        if not (steps <= 0).all():
            raise ValueError(f"x is neither increasing nor decreasing : {x}.")
        direction = -1
    return float(direction * (steps * ((y[1:] + y[:-1]) / 2)).sum())
