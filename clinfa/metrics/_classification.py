"""Scores of predicted labels under scikit-learn's names: accuracy, matrices, agreement.

Scores by class (precision, recall, F, Jaccard) are in `_set_wise.py`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.metrics._averages import balanced_accuracy, kappa, matthews
from clinfa.metrics._counts import (
    NoLabelInTruth,
    count_classes,
    count_pairs,
    read_labels_to_count,
    read_pair,
    row_weights,
)
from clinfa.metrics._indicators import read_counts, read_indicators
from clinfa.params import Rule, between, none, one_of
from clinfa.targets import Column

_NORMALIZE = one_of("true", "pred", "all") | none()
_COST = one_of("linear", "quadratic") | none()
_LR_POSITIVE, _LR_NEGATIVE = between(1), between(0, 1)


def _columns(y_true: Any, y_pred: Any, owner: str) -> tuple[Column, Column]:
    pair = read_pair(y_true, y_pred, owner)
    if pair is None:
        raise ValueError("multilabel-indicator is not supported")
    return pair


def _share(part: Any, total: Any) -> float:
    if total == 0:
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    return float(part / total)


def accuracy_score(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """Share of rows that are predicted right.

    Of several labels a row (indicator matrices), all must be right.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    normalize : bool
        False: their number, or the sum of their weights.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Examples
    --------
    >>> from clinfa.metrics import accuracy_score
    >>> accuracy_score([0, 2, 1, 3], [0, 1, 2, 3])
    0.5
    """
    right, total = _right_rows(y_true, y_pred, sample_weight, "accuracy_score")
    return _share(right, total) if normalize else float(right)


def zero_one_loss(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """Share of rows that are predicted wrong.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    normalize : bool
        False: their number, or the sum of their weights.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Examples
    --------
    >>> from clinfa.metrics import zero_one_loss
    >>> zero_one_loss([0, 2, 1, 3], [0, 1, 2, 3], normalize=False)
    2.0
    """
    right, total = _right_rows(y_true, y_pred, sample_weight, "zero_one_loss")
    return 1 - _share(right, total) if normalize else float(total - right)


def hamming_loss(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Share of labels that are predicted wrong.

    For one label a row, that is the share of wrong rows.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Examples
    --------
    >>> from clinfa.metrics import hamming_loss
    >>> hamming_loss([[0, 1], [1, 1]], [[0, 0], [1, 1]])
    0.25
    """
    pair = read_pair(y_true, y_pred, "hamming_loss")
    if pair is None:
        both = read_indicators(y_true, y_pred)
        n, k = both.shape
        weights = row_weights(sample_weight, y_true, n, "hamming_loss")
        return _share(both.differences(weights).sum(), k * (weights.sum() if len(weights) else n))
    weights = row_weights(sample_weight, y_true, len(pair[0].values), "hamming_loss")
    counts = count_classes(*pair, weights)
    return _share(counts.total - counts.hits.sum(), counts.total)


def _right_rows(y_true: Any, y_pred: Any, sample_weight: Any, owner: str) -> tuple[Any, Any]:
    """Right rows and all rows, counted or weighed."""
    pair = read_pair(y_true, y_pred, owner)
    if pair is None:
        both = read_indicators(y_true, y_pred)
        weights = row_weights(sample_weight, y_true, both.shape[0], owner)
        right = both.differences(weights[:0]) == 0
        return (weights[right].sum(), weights.sum()) if len(weights) else (right.sum(), len(right))
    counts = count_classes(*pair, row_weights(sample_weight, y_true, len(pair[0].values), owner))
    return counts.hits.sum(), counts.total


def balanced_accuracy_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, adjusted: bool = False
) -> float:
    """Mean of the recalls of all classes.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
    adjusted : bool
        True: 0 for what guessing yields and 1 for all right.

    Returns
    -------
    float

    References
    ----------
    K. H. Brodersen, C. S. Ong, K. E. Stephan, J. M. Buhmann, "The balanced accuracy and its posterior
    distribution", ICPR 2010.

    Examples
    --------
    >>> from clinfa.metrics import balanced_accuracy_score
    >>> balanced_accuracy_score([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1])
    0.625
    """
    pair = _columns(y_true, y_pred, "balanced_accuracy_score")
    weights = row_weights(sample_weight, y_true, len(pair[0].values), "balanced_accuracy_score")
    counts = count_classes(*pair, weights)
    if (counts.truth == 0).any():
        warnings.warn("y_pred contains classes not in y_true", UserWarning, stacklevel=2)
    return balanced_accuracy(counts.hits, counts.truth, adjusted)


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    normalize: str | None = None,
) -> np.ndarray:
    """Count how often each label was predicted for each true label.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels: int, str or bool.
    y_pred : array-like of shape (n,)
    labels : array-like of shape (k,), optional
        Which labels, and in which order; rows with others are left out. By default all that occur, sorted.
    sample_weight : array-like of shape (n,), optional
        Any finite numbers.
    normalize : {"true", "pred", "all"}, optional
        Divide by the sums of rows, by those of columns, or by the sum of all; 0 / 0 is 0.

    Returns
    -------
    ndarray of shape (k, k)
        Rows are true labels, columns are predicted ones: int64, or float64 if normalised or if weights are
        floats.

    Raises
    ------
    ValueError
        If the columns differ in length, are empty, are not labels, or none of `labels` is in y_true.

    Examples
    --------
    >>> from clinfa.metrics import confusion_matrix
    >>> confusion_matrix(["cat", "ant", "cat", "cat"], ["cat", "cat", "cat", "ant"])
    array([[0, 1],
           [1, 2]])
    """
    _NORMALIZE.check("normalize", normalize, "confusion_matrix")
    pair = _columns(y_true, y_pred, "confusion_matrix")
    weights = row_weights(sample_weight, y_true, len(pair[0].values), "confusion_matrix")
    _, matrix = count_pairs(*pair, weights, read_labels_to_count(labels))
    if sample_weight is not None and np.asarray(sample_weight).dtype.kind in "iub":
        if np.abs(matrix).max(initial=0) >= 2.0**63:
            raise ValueError("The sums of sample_weight are too large for int64: pass weights as floats.")
        matrix = matrix.astype(np.int64)
    if normalize is not None:
        over = {"true": {"axis": 1, "keepdims": True}, "pred": {"axis": 0, "keepdims": True}, "all": {}}
        with np.errstate(all="ignore"):
            matrix = np.nan_to_num(matrix / matrix.sum(**over[normalize]))
    if len(matrix) == 1:
        warnings.warn(
            "A single label was found in 'y_true' and 'y_pred'. For the confusion matrix to have the correct "
            "shape, use the 'labels' parameter to pass all known labels.",
            UserWarning,
            stacklevel=2,
        )
    return matrix


def multilabel_confusion_matrix(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    labels: Any = None,
    samplewise: bool = False,
) -> np.ndarray:
    """A matrix of one label against all others, for each label.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    sample_weight : array-like of shape (n,), optional
    labels : array-like, optional
        Which labels (columns of indicator matrices), and in which order.
    samplewise : bool
        A matrix for each row instead; for indicator matrices.

    Returns
    -------
    ndarray of shape (k, 2, 2) or (n, 2, 2)
        ``[[true negatives, false positives], [false negatives, true positives]]`` of each.

    Examples
    --------
    >>> from clinfa.metrics import multilabel_confusion_matrix
    >>> multilabel_confusion_matrix(["a", "b", "b"], ["a", "b", "a"])
    array([[[1, 1],
            [0, 1]],
    <BLANKLINE>
           [[1, 0],
            [1, 1]]])
    """
    counts, _ = read_counts(
        y_true, y_pred, "multilabel_confusion_matrix", labels, sample_weight, by_row=samplewise
    )
    hits, truth, prediction = counts.hits, counts.truth, counts.prediction
    quarters = [counts.total - truth - prediction + hits, prediction - hits, truth - hits, hits]
    return np.stack(quarters, axis=1).reshape(-1, 2, 2)


def matthews_corrcoef(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Correlation of true and predicted labels: 1 for all right, 0 for a guess.

    Parameters
    ----------
    y_true : array-like of shape (n,)
    y_pred : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float
        In [-1, 1]; 0 where one of the columns holds one label only.

    References
    ----------
    J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
    Computational Biology and Chemistry 28 (2004).

    Examples
    --------
    >>> from clinfa.metrics import matthews_corrcoef
    >>> round(matthews_corrcoef([1, 1, 1, 0], [1, 0, 1, 1]), 4)
    -0.3333
    """
    pair = _columns(y_true, y_pred, "matthews_corrcoef")
    weights = row_weights(sample_weight, y_true, len(pair[0].values), "matthews_corrcoef")
    counts = count_classes(*pair, weights)
    return matthews(counts.hits, counts.truth, counts.prediction, counts.total)


def cohen_kappa_score(
    y1: Any,
    y2: Any,
    *,
    labels: Any = None,
    weights: str | None = None,
    sample_weight: Any = None,
    replace_undefined_by: float = math.nan,
) -> float:
    """Agreement of two raters, beyond that by chance.

    Parameters
    ----------
    y1 : array-like of shape (n,)
    y2 : array-like of shape (n,)
    labels : array-like of shape (k,), optional
        Which labels, in the order that `weights` reckons with.
    weights : {"linear", "quadratic"}, optional
        How much worse it is when labels lie further apart; by default all differences are alike.
    sample_weight : array-like of shape (n,), optional
    replace_undefined_by : float
        What 0 / 0 is, with a warning: in [-1, 1], or nan.

    Returns
    -------
    float

    References
    ----------
    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
    (1960).

    Examples
    --------
    >>> from clinfa.metrics import cohen_kappa_score
    >>> cohen_kappa_score(["no", "yes", "yes", "no"], ["no", "yes", "no", "no"])
    0.5
    """
    owner = "cohen_kappa_score"
    _COST.check("weights", weights, owner)
    if not (isinstance(replace_undefined_by, float) and math.isnan(replace_undefined_by)):
        between(-1, 1).check("replace_undefined_by", replace_undefined_by, owner)
    pair = _columns(y1, y2, owner)
    row_w = row_weights(sample_weight, y1, len(pair[0].values), owner)
    try:
        _, matrix = count_pairs(*pair, row_w, read_labels_to_count(labels))
    except NoLabelInTruth as error:
        raise ValueError("At least one label in `labels` must be present in `y1`.") from error
    value = kappa(matrix, weights)
    if value is not None:
        return value
    if matrix.any():
        why = "`y1`, `y2` and `labels` have only one label in common."
    else:
        why = "`y2` contains no labels that are present in both `y1` and `labels`."
    warnings.warn(
        f"{why} `cohen_kappa_score` is undefined and set to the value defined by the `replace_undefined_by` "
        f"param, which is set to {replace_undefined_by}.",
        twin(UndefinedMetricWarning),
        stacklevel=2,
    )
    return replace_undefined_by


def class_likelihood_ratios(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    replace_undefined_by: Any = math.nan,
) -> tuple[float, float]:
    """How many times as likely a row is found positive (negative) if it is positive.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Two labels; the second of them is the positive one.
    y_pred : array-like of shape (n,)
    labels : array-like of shape (2,), optional
        The labels in that order.
    sample_weight : array-like of shape (n,), optional
    replace_undefined_by : nan, 1.0 or dict
        What is returned, with a warning, for a division by zero; the dictionary is ``{"LR+": value >= 1,
        "LR-": value in [0, 1]}``.

    Returns
    -------
    positive : float
        Sensitivity / (1 - specificity).
    negative : float
        (1 - sensitivity) / specificity.

    Examples
    --------
    >>> from clinfa.metrics import class_likelihood_ratios
    >>> class_likelihood_ratios([0, 1, 0, 1, 0], [1, 1, 0, 0, 0])
    (1.5, 0.75)
    """
    owner = "class_likelihood_ratios"
    instead_positive, instead_negative = _ratios_instead(replace_undefined_by)
    pair = _columns(y_true, y_pred, owner)
    weights = row_weights(sample_weight, y_true, len(pair[0].values), owner)
    known, matrix = count_pairs(*pair, weights)
    if len(known) > 2:
        raise ValueError(
            f"{owner} only supports binary classification problems, got targets of type: multiclass"
        )
    if labels is not None:
        _, matrix = count_pairs(*pair, weights, read_labels_to_count(labels))
    if len(matrix) != 2:
        raise ValueError(f"{owner} needs two labels, got {len(matrix)}: pass both as `labels`.")
    tn, fp, fn, tp = matrix.ravel().tolist()
    positives, negatives = tp + fn, tn + fp
    if positives == 0:
        _undefined_ratio(
            "No samples of the positive class are present in `y_true`. `positive_likelihood_ratio` and "
            "`negative_likelihood_ratio` are both set to `np.nan`."
        )
    if fp == 0:
        why = "No samples were predicted for the positive class and " if tp == 0 else ""
        what = "`positive_likelihood_ratio` is " + ("" if why else "ill-defined and ")
        _undefined_ratio(f"{why}{what}set to {_named(instead_positive)}.")
        positive = instead_positive
    else:
        positive = tp * negatives / (fp * positives) if positives else math.nan
    if tn == 0:
        _undefined_ratio(f"`negative_likelihood_ratio` is ill-defined and set to {_named(instead_negative)}.")
        negative = instead_negative
    else:
        negative = fn * negatives / (tn * positives) if positives else math.nan
    return float(positive), float(negative)


def _undefined_ratio(message: str) -> None:
    message += " Use the `replace_undefined_by` param to control this behavior."
    warnings.warn(message, twin(UndefinedMetricWarning), stacklevel=3)


def _named(value: float) -> str:
    return "`np.nan`" if math.isnan(value) else f"`{value}`"


def _ratios_instead(given: Any) -> tuple[float, float]:
    if isinstance(given, dict):
        positive, negative = given.get("LR+"), given.get("LR-")
        if (positive == math.inf or _fits(positive, _LR_POSITIVE)) and _fits(negative, _LR_NEGATIVE):
            return positive, negative
        raise ValueError(
            f"The dictionary passed as `replace_undefined_by` needs to be in the form `{{'LR+': value >= 1 "
            f"or nan, 'LR-': value in [0, 1] or nan}}`; got `{given}`."
        )
    if isinstance(given, int | float) and (given == 1 or math.isnan(given)):
        return given, given
    raise ValueError(
        f"The `replace_undefined_by` parameter of class_likelihood_ratios must be nan, 1.0 or a dictionary; "
        f"got `{given}`."
    )


def _fits(value: Any, rule: Rule) -> bool:
    return (isinstance(value, float) and math.isnan(value)) or rule.allows(value)
