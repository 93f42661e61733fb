"""Areas under curves, by class and on average: `roc_auc_score` and `average_precision_score`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from clinfa.arrays import NO_WEIGHTS, is_dataset
from clinfa.blas import matmul
from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.metrics._curves import auc, precision_recall_points, rates, roc_points
from clinfa.metrics._ranked import Ranked
from clinfa.metrics._scores import (
    not_finite,
    positives,
    rank_rows,
    read_scores,
    two_labels,
    weights_of,
)
from clinfa.params import between, none, one_of
from clinfa.targets import as_array, check_lengths, column, kind_of, read_labels_together

__all__ = ["average_precision_score", "roc_auc_score"]

_AVERAGE = one_of("macro", "micro", "samples", "weighted") | none()
_MAX_FPR = between(0, 1, closed="right") | none()
_MULTI_CLASS = one_of("raise", "ovr", "ovo")

# How well one class is told from the rest: (positive, scores, weights) -> a number.
Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def roc_auc_score(
    y_true: Any,
    y_score: Any,
    *,
    average: str | None = "macro",
    sample_weight: Any = None,
    max_fpr: float | None = None,
    multi_class: str = "raise",
    labels: Any = None,
) -> float | np.ndarray:
    """The area under the ROC curve: how often a positive scores higher than a negative, ties counted half.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes), or Dataset
        Labels, or an indicator matrix. A Dataset's weights are taken where none are given.
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes)
        For two classes scores of the greater label; for more, probabilities in the order of the labels; for
        an indicator matrix one score each.
    average : {"macro", "micro", "weighted", "samples"} or None
        What becomes of the areas of several classes: their mean, one area of all entries together, the mean
        weighted by how often each class occurs, the mean over rows, or nothing.
    sample_weight : array-like of shape (n_samples,), optional
    max_fpr : float in (0, 1], optional
        Only the part of the curve below this share of false positives counts, scaled so that guessing
        has 0.5 and a perfect score 1 (McClish). Two classes only.
    multi_class : {"raise", "ovr", "ovo"}
        With more than two labels: each class against the rest, or each against each other (Hand & Till).
    labels : array-like of shape (n_classes,), optional
        The labels that the columns of `y_score` stand for, ascending; by default those in `y_true`.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        NaN, with an `UndefinedMetricWarning`, where only one class is present.

    Raises
    ------
    ValueError
        If a score is not finite, probabilities do not sum to one, or shapes, lengths or labels do not match.

    References
    ----------
    T. Fawcett (2006). An introduction to ROC analysis. Pattern Recognition Letters 27(8), 861-874.
    D. K. McClish (1989). Analyzing a portion of the ROC curve. Medical Decision Making 9(3), 190-195.
    D. J. Hand, R. J. Till (2001). A simple generalisation of the area under the ROC curve for multiple class
    classification problems. Machine Learning 45(2), 171-186.

    Examples
    --------
    >>> from clinfa.metrics import roc_auc_score
    >>> roc_auc_score([False, True, False, True, True, True], [0.1, 0.3, 0.5, 0.7, 0.8, 0.9])
    0.875
    """
    _AVERAGE.check("average", average, "roc_auc_score")
    _MAX_FPR.check("max_fpr", max_fpr, "roc_auc_score")
    _MULTI_CLASS.check("multi_class", multi_class, "roc_auc_score")
    truth, scores = _read(y_true, y_score, "roc_auc_score")
    two = two_labels(truth)
    kind = "binary" if two else kind_of(truth, "y_true")
    several = kind == "multiclass" or (two and scores.ndim == 2 and scores.shape[1] > 2)
    if several:
        if max_fpr is not None and max_fpr != 1:
            raise ValueError(
                f"Partial AUC computation not available in multiclass setting, 'max_fpr' must be set to "
                f"`None`, received `max_fpr={max_fpr}` instead"
            )
        if multi_class == "raise":
            raise ValueError("multi_class must be in ('ovo', 'ovr')")
        classes, codes = _class_columns(truth, scores, labels)
        if multi_class == "ovo":
            weighted = sample_weight is not None or (is_dataset(y_true) and y_true.weights is not None)
            return _one_against_one(codes, scores, average, weighted)
    check_lengths(truth, scores, sample_weight)
    weights = weights_of(y_true, sample_weight, len(truth), "roc_auc_score")
    if several:
        if average == "samples":
            raise ValueError(
                "average must be one of ('micro', 'macro', 'weighted', None) for multiclass problems"
            )
        return _averaged(_auc, _indicator(codes, len(classes)), scores, average, weights)
    measure = partial(_auc, max_fpr=max_fpr)
    if two:
        positive = two[1] if len(two[0]) == 2 else np.zeros(len(truth), bool)
        return measure(positive, column(scores, "y_score"), weights)
    if kind != "multilabel-indicator":
        raise ValueError(f"{kind} format is not supported")
    return _averaged(measure, truth != 0, scores, average, weights)


def average_precision_score(
    y_true: Any,
    y_score: Any,
    *,
    average: str | None = "macro",
    pos_label: Any = 1,
    sample_weight: Any = None,
) -> float | np.ndarray:
    """Average precision: the mean of the precision at each threshold, weighted by the gain in recall.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes), or Dataset
        Labels, or an indicator matrix. A Dataset's weights are taken where none are given.
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes)
    average : {"macro", "micro", "weighted", "samples"} or None
        As for `roc_auc_score`.
    pos_label : int, float, bool or str
        The positive one of two labels.
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    float or ndarray of shape (n_classes,)
        0, with a warning, where no row is positive.

    Raises
    ------
    ValueError
        If a score is not finite, `pos_label` is not among the labels, or shapes or lengths do not match.

    Examples
    --------
    >>> from clinfa.metrics import average_precision_score
    >>> average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    0.8333333333333333
    """
    _AVERAGE.check("average", average, "average_precision_score")
    truth, scores = _read(y_true, y_score, "average_precision_score")
    check_lengths(truth, scores, sample_weight)
    weights = weights_of(y_true, sample_weight, len(truth), "average_precision_score")
    two = two_labels(truth)
    kind = "binary" if two else kind_of(truth, "y_true")
    if two:
        if len(two[0]) == 2 and pos_label not in two[0].tolist():
            raise ValueError(f"pos_label={pos_label} is not a valid label. It should be one of {two[0]}")
        return _average_precision(positives(truth, pos_label), column(scores, "y_score"), weights)
    if kind not in ("multilabel-indicator", "multiclass"):
        raise ValueError(f"{kind} format is not supported")
    if pos_label != 1:
        raise ValueError(
            f"Parameter pos_label is fixed to 1 for {kind} y_true. Do not set pos_label or set pos_label to "
            f"1."
        )
    indicator = truth != 0
    if kind == "multiclass":
        classes, (codes,) = read_labels_together({"y_true": truth}, "average_precision_score")
        if scores.shape != (len(truth), len(classes)):
            raise _needs_columns(scores)
        indicator = _indicator(codes, len(classes))
    return _averaged(_average_precision, indicator, scores, average, weights)


def _read(y_true: Any, y_score: Any, owner: str) -> tuple[np.ndarray, np.ndarray]:
    truth, scores = as_array(y_true, "y_true"), read_scores(y_score)
    if truth.ndim == 2 and truth.shape[1] == 1:
        truth = truth[:, 0]
    for y in (truth, scores):
        if not y.size:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={y.shape}) while a minimum of 1 is required by {owner}."
            )
    check_lengths(truth, scores)
    return truth, scores


def _auc(
    positive: np.ndarray,
    scores: np.ndarray,
    weights: np.ndarray = NO_WEIGHTS,
    max_fpr: float | None = None,
) -> float:
    if np.count_nonzero(positive) in (0, len(positive)):
        if not np.isfinite(scores).all():
            not_finite(scores, "y_score")
        warnings.warn(
            "Only one class is present in y_true. ROC AUC score is not defined in that case.",
            twin(UndefinedMetricWarning),
            stacklevel=3,
        )
        return np.nan
    return area_of(rank_rows(positive, scores, weights), max_fpr)


def area_of(ranked: Ranked, max_fpr: float | None = None, stacklevel: int = 5) -> float:
    """The area under the ROC curve, or McClish's standardised part of it up to `max_fpr`."""
    if max_fpr is None or max_fpr == 1:
        whole = (ranked.weights >= 0).all() and (ranked.totals.sum(axis=0) > 0).all()
        if whole:
            return ranked.area()
    fps, tps, _ = roc_points(ranked, drop_intermediate=True)
    fpr, tpr = rates(fps, tps, stacklevel)
    if max_fpr is None or max_fpr == 1 or np.isnan(fpr[-1] + tpr[-1]):
        return auc(fpr, tpr)
    stop = int(np.searchsorted(fpr, max_fpr, "right"))
    edge = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
    part = auc(np.append(fpr[:stop], max_fpr), np.append(tpr[:stop], edge))
    guessing = max_fpr**2 / 2
    return 0.5 * (1 + (part - guessing) / (max_fpr - guessing))


def _average_precision(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    return precision_area(rank_rows(positive, scores, weights))


def precision_area(ranked: Ranked, stacklevel: int = 5) -> float:
    """Average precision."""
    if (ranked.weights >= 0).all() and ranked.totals[:, 1].sum() > 0:
        return ranked.average_precision()
    fps, tps, _ = ranked.curve()
    precision, recall = precision_recall_points(fps[1:], tps[1:], stacklevel)
    return max(0.0, float(-(np.diff(recall) * precision[:-1]).sum()))


def _indicator(codes: np.ndarray, k: int) -> np.ndarray:
    """Shape (n, k), each column in one piece of memory."""
    return np.equal(codes, np.arange(k)[:, None]).T


def _averaged(
    measure: Measure, indicator: np.ndarray, scores: np.ndarray, average: str | None, weights: np.ndarray
) -> float | np.ndarray:
    """A measure of each column, or each row, of an indicator matrix, and what `average` makes of these."""
    if scores.shape != indicator.shape:
        raise ValueError(f"y_true and y_score have different shape: {indicator.shape} and {scores.shape}")
    n, k = indicator.shape
    if average == "micro":
        return measure(indicator.ravel(), scores.ravel(), np.repeat(weights, k))
    if average == "samples":
        indicator = np.ascontiguousarray(indicator)
        each = np.array([measure(indicator[i], scores[i], NO_WEIGHTS) for i in range(n)])
        shares = weights if len(weights) else None
        if shares is not None:
            each[shares == 0] = 0
        return float(np.average(each, weights=shares))
    shares = None
    if average == "weighted":
        shares = matmul(weights, indicator) if len(weights) else indicator.sum(axis=0)
        if np.isclose(shares.sum(), 0):
            return 0.0
    each = np.array(
        [
            measure(np.ascontiguousarray(indicator[:, c]), np.ascontiguousarray(scores[:, c]), weights)
            for c in range(k)
        ]
    )
    if average is None:
        return each
    if shares is not None:
        each[shares == 0] = 0
    return float(np.average(each, weights=shares))


def _one_against_one(codes: np.ndarray, scores: np.ndarray, average: str | None, weighted: bool) -> float:
    if average is None:  # (scikit-learn's class of error, which is a RuntimeError)
        raise NotImplementedError("average=None is not implemented for multi_class='ovo'.")
    if average not in ("macro", "weighted"):
        raise ValueError("average must be one of ('macro', 'weighted', None) for multiclass problems")
    if weighted:
        raise ValueError(
            "sample_weight is not supported for multiclass one-vs-one ROC AUC, 'sample_weight' must be None "
            "in this case."
        )
    rows = {c: np.flatnonzero(codes == c) for c in np.unique(codes).tolist()}
    pairs, shares = [], []
    for a, b in combinations(rows, 2):
        own, other = rows[a], rows[b]
        is_own = np.arange(len(own) + len(other)) < len(own)
        both = np.concatenate([own, other])
        by_own, by_other = _auc(is_own, scores[both, a]), _auc(~is_own, scores[both, b])
        pairs.append((by_own + by_other) / 2)
        shares.append(len(both))
    return float(np.average(pairs, weights=shares if average == "weighted" else None))


def _needs_columns(scores: np.ndarray) -> ValueError:
    return ValueError(
        f"`y_score` needs to be of shape `(n_samples, n_classes)`, since `y_true` contains multiple classes. "
        f"Got `y_score.shape={scores.shape}`."
    )


def _class_columns(truth: np.ndarray, scores: np.ndarray, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """The classes that the columns of probabilities stand for, and the number of each row's own."""
    if scores.ndim != 2:
        raise _needs_columns(scores)
    if not np.allclose(1, scores.sum(axis=1)):
        raise ValueError(
            "Target scores need to be probabilities for multiclass roc_auc, i.e. they should sum up to 1.0 "
            "over classes"
        )
    k = scores.shape[1]
    if labels is None:
        classes, (codes,) = read_labels_together({"y_true": truth}, "roc_auc_score")
        if len(classes) != k:
            raise ValueError("Number of classes in y_true not equal to the number of columns in 'y_score'")
        return classes, codes
    given = column(labels, "labels")
    classes = np.unique(given)
    if len(classes) != len(given):
        raise ValueError("Parameter 'labels' must be unique")
    if not np.array_equal(classes, given):
        raise ValueError("Parameter 'labels' must be ordered")
    if len(classes) != k:
        raise ValueError(
            f"Number of given labels, {len(classes)}, not equal to the number of columns in 'y_score', {k}"
        )
    classes, (codes,) = read_labels_together({"y_true": truth}, "roc_auc_score", classes)
    if (codes < 0).any():
        raise ValueError("'y_true' contains labels not in parameter 'labels'")
    return classes, codes
