"""Scores by class under scikit-learn's names: precision, recall, F, Jaccard, and their report."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from clinfa.metrics._averages import BETA, ZERO_DIVISION, score_classes
from clinfa.metrics._counts import Counts
from clinfa.metrics._indicators import read_counts
from clinfa.metrics._report import report_of
from clinfa.params import at_least, none, one_of

_AVERAGE = one_of("binary", "macro", "micro", "samples", "weighted") | none()


def precision_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Share of right ones among the rows predicted to have a label.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    labels : array-like, optional
        Which labels (columns of indicator matrices) take part, and in which order.
    pos_label : int, float, bool or str
        The label that is meant with ``average="binary"``.
    average : {"binary", "macro", "micro", "weighted", "samples"} or None
        "binary": that of `pos_label`. "macro": the mean of all labels. "weighted": weighted by how many rows
        of the truth have them. "micro": of all labels counted together. "samples": the mean of all rows of
        indicator matrices. None: one for each label.
    sample_weight : array-like of shape (n,), optional
        Any finite numbers.
    zero_division : {"warn", 0.0, 1.0, nan}
        What 0 / 0 is. "warn" is 0.0 with an `UndefinedMetricWarning`; nan takes no part in means.

    Returns
    -------
    float, or ndarray of shape (k,) if average is None

    Raises
    ------
    ValueError
        If the columns differ in length, are empty or not labels, or if "binary" is asked of more than two
        labels.

    Examples
    --------
    >>> from clinfa.metrics import precision_score
    >>> precision_score([1, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1])
    1.0
    """
    return _score(
        "precision",
        "precision_score",
        y_true,
        y_pred,
        labels,
        pos_label,
        average,
        sample_weight,
        zero_division,
    )


def recall_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Share of found ones among the rows that have a label.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    labels : array-like, optional
        Which labels (columns of indicator matrices) take part, and in which order.
    pos_label : int, float, bool or str
        The label that is meant with ``average="binary"``.
    average : {"binary", "macro", "micro", "weighted", "samples"} or None
        "binary": that of `pos_label`. "macro": the mean of all labels. "weighted": weighted by how many rows
        of the truth have them. "micro": of all labels counted together. "samples": the mean of all rows of
        indicator matrices. None: one for each label.
    sample_weight : array-like of shape (n,), optional
        Any finite numbers.
    zero_division : {"warn", 0.0, 1.0, nan}
        What 0 / 0 is. "warn" is 0.0 with an `UndefinedMetricWarning`; nan takes no part in means.

    Returns
    -------
    float, or ndarray of shape (k,) if average is None

    Raises
    ------
    ValueError
        If the columns differ in length, are empty or not labels, or if "binary" is asked of more than two
        labels.

    Examples
    --------
    >>> from clinfa.metrics import recall_score
    >>> recall_score([1, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1])
    0.75
    """
    return _score(
        "recall", "recall_score", y_true, y_pred, labels, pos_label, average, sample_weight, zero_division
    )


def f1_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Harmonic mean of precision and recall.

    The macro average is the mean of the labels' own, not that of averaged precisions and recalls.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    labels : array-like, optional
        Which labels (columns of indicator matrices) take part, and in which order.
    pos_label : int, float, bool or str
        The label that is meant with ``average="binary"``.
    average : {"binary", "macro", "micro", "weighted", "samples"} or None
        "binary": that of `pos_label`. "macro": the mean of all labels. "weighted": weighted by how many rows
        of the truth have them. "micro": of all labels counted together. "samples": the mean of all rows of
        indicator matrices. None: one for each label.
    sample_weight : array-like of shape (n,), optional
        Any finite numbers.
    zero_division : {"warn", 0.0, 1.0, nan}
        What 0 / 0 is. "warn" is 0.0 with an `UndefinedMetricWarning`; nan takes no part in means.

    Returns
    -------
    float, or ndarray of shape (k,) if average is None

    Raises
    ------
    ValueError
        If the columns differ in length, are empty or not labels, or if "binary" is asked of more than two
        labels.

    Examples
    --------
    >>> from clinfa.metrics import f1_score
    >>> round(f1_score([0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2], average="macro"), 4)
    0.8222
    """
    return _score(
        "f-score", "f1_score", y_true, y_pred, labels, pos_label, average, sample_weight, zero_division
    )


def jaccard_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Rows where truth and prediction have a label, among those where either has.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    labels : array-like, optional
        Which labels (columns of indicator matrices) take part, and in which order.
    pos_label : int, float, bool or str
        The label that is meant with ``average="binary"``.
    average : {"binary", "macro", "micro", "weighted", "samples"} or None
        "binary": that of `pos_label`. "macro": the mean of all labels. "weighted": weighted by how many rows
        of the truth have them. "micro": of all labels counted together. "samples": the mean of all rows of
        indicator matrices. None: one for each label.
    sample_weight : array-like of shape (n,), optional
        Any finite numbers.
    zero_division : {"warn", 0.0, 1.0, nan}
        What 0 / 0 is. "warn" is 0.0 with an `UndefinedMetricWarning`; nan takes no part in means.

    Returns
    -------
    float, or ndarray of shape (k,) if average is None

    Raises
    ------
    ValueError
        If the columns differ in length, are empty or not labels, or if "binary" is asked of more than two
        labels.

    Examples
    --------
    >>> from clinfa.metrics import jaccard_score
    >>> jaccard_score([0, 1, 1, 1], [1, 1, 1, 0])
    0.5
    """
    return _score(
        "jaccard", "jaccard_score", y_true, y_pred, labels, pos_label, average, sample_weight, zero_division
    )


def fbeta_score(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Weighted harmonic mean of precision and recall.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    beta : float
        How many times as much recall matters: 0 is precision, inf is recall.
    labels, pos_label, average, sample_weight, zero_division
        As in `f1_score`.

    Returns
    -------
    float, or ndarray of shape (k,) if average is None

    References
    ----------
    C. J. van Rijsbergen, "Information Retrieval", 2nd edition, chapter 7 (1979).

    Examples
    --------
    >>> from clinfa.metrics import fbeta_score
    >>> round(fbeta_score([1, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1], beta=2), 4)
    0.7895
    """
    BETA.check("beta", beta, "fbeta_score")
    return _score(
        *("f-score", "fbeta_score", y_true, y_pred, labels, pos_label, average, sample_weight),
        *(zero_division, beta),
    )


def precision_recall_fscore_support(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float = 1.0,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = None,
    warn_for: Collection[str] = ("precision", "recall", "f-score"),
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> tuple[Any, Any, Any, np.ndarray | None]:
    """Precision, recall, F and support by label, or their averages, from one look at the data.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    beta : float
        How many times as much recall matters in F.
    labels, pos_label, average, sample_weight, zero_division
        As in `f1_score`.
    warn_for : collection of {"precision", "recall", "f-score"}
        Which of them warn of 0 / 0.

    Returns
    -------
    precision, recall, fscore : float, or ndarray of shape (k,) if average is None
    support : ndarray of shape (k,) or None
        How many rows of the truth (or what weight of them) have each label, if average is None.

    Examples
    --------
    >>> from clinfa.metrics import precision_recall_fscore_support
    >>> precision_recall_fscore_support([0, 0, 1, 1], [0, 1, 1, 1], average="micro")
    (0.75, 0.75, 0.75, None)
    """
    owner = "precision_recall_fscore_support"
    BETA.check("beta", beta, owner)
    counts, weights = _counts(owner, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)
    scores = (
        score_classes(
            *(metric, counts.hits, counts.truth, counts.prediction),
            average=average,
            zero_division=zero_division,
            beta=beta,
            warn=metric in warn_for,
            weights=weights,
            stacklevel=4,
        )
        for metric in ("precision", "recall", "f-score")
    )
    return *scores, counts.truth if average is None else None


def _score(
    metric: str,
    owner: str,
    y_true: Any,
    y_pred: Any,
    labels: Any,
    pos_label: Any,
    average: str | None,
    sample_weight: Any,
    zero_division: Any,
    beta: float = 1.0,
) -> Any:
    counts, weights = _counts(owner, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)
    return score_classes(
        *(metric, counts.hits, counts.truth, counts.prediction),
        average=average,
        zero_division=zero_division,
        beta=beta,
        weights=weights,
        stacklevel=4,
    )


def _counts(
    owner: str,
    y_true: Any,
    y_pred: Any,
    labels: Any,
    pos_label: Any,
    average: str | None,
    sample_weight: Any,
    zero_division: Any,
) -> tuple[Counts, np.ndarray | None]:
    """What the average asked for is taken over, and the weights of rows if these are rows."""
    _AVERAGE.check("average", average, owner)
    ZERO_DIVISION.check("zero_division", zero_division, owner)
    if average != "binary" and pos_label not in (None, 1):
        warnings.warn(
            f"Note that pos_label (set to {pos_label!r}) is ignored when average != 'binary' (got "
            f"{average!r}). You may use labels=[pos_label] to specify a single positive class.",
            UserWarning,
            stacklevel=4,
        )
    by_row = average == "samples"
    if average != "binary":
        counts, weights = read_counts(y_true, y_pred, owner, labels, sample_weight, by_row=by_row)
        return counts, weights if by_row and len(weights) else None
    counts, _ = read_counts(y_true, y_pred, owner, None, sample_weight)
    kind = "multilabel-indicator" if counts.several else "binary" if len(counts.labels) <= 2 else "multiclass"
    if kind != "binary":
        others = [None, "micro", "macro", "weighted"] + ["samples"] * counts.several
        raise ValueError(
            f"Target is {kind} but average='binary'. Please choose another average setting, "
            f"one of {others!r}."
        )
    present = counts.labels.tolist()
    if pos_label in present:
        at = present.index(pos_label)
        one = slice(at, at + 1)
        sums = counts.hits[one], counts.truth[one], counts.prediction[one]
        return Counts(counts.labels[one], *sums, counts.total), None
    if len(present) == 2:
        raise ValueError(f"pos_label={pos_label} is not a valid label. It should be one of {counts.labels}")
    return counts.part(np.array([pos_label])), None


def classification_report(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    target_names: Sequence[str] | None = None,
    sample_weight: Any = None,
    digits: int = 2,
    output_dict: bool = False,
    zero_division: Any = "warn",
) -> Any:
    """Precision, recall, F1 and support of each label, and their averages, as text or as a dictionary.

    Parameters
    ----------
    y_true : array-like of shape (n,), or indicator matrix of shape (n, k)
    y_pred : array-like of shape (n,), or indicator matrix of shape (n, k)
    labels : array-like, optional
        Which labels, and in which order.
    target_names : sequence of str, optional
        What to call them, in the same order.
    sample_weight : array-like of shape (n,), optional
    digits : int
        Decimals in the text.
    output_dict : bool
        True: a dictionary by label, then by score.
    zero_division : {"warn", 0.0, 1.0, nan}
        As in `f1_score`.

    Returns
    -------
    str or dict

    Examples
    --------
    >>> from clinfa.metrics import classification_report
    >>> print(classification_report([0, 1, 1, 1], [0, 1, 1, 0], target_names=["no", "yes"]))
                  precision    recall  f1-score   support
    <BLANKLINE>
              no       0.50      1.00      0.67         1
             yes       1.00      0.67      0.80         3
    <BLANKLINE>
        accuracy                           0.75         4
       macro avg       0.75      0.83      0.73         4
    weighted avg       0.88      0.75      0.77         4
    <BLANKLINE>
    """
    owner = "classification_report"
    ZERO_DIVISION.check("zero_division", zero_division, owner)
    at_least(0).check("digits", digits, owner)
    counts, _ = read_counts(y_true, y_pred, owner, None, sample_weight)
    wanted = counts.labels if labels is None else np.asarray(labels)
    if target_names is not None and len(target_names) != len(wanted):
        if labels is None:
            raise ValueError(
                f"Number of classes, {len(wanted)}, does not match size of target_names, "
                f"{len(target_names)}. Try specifying the labels parameter"
            )
        warnings.warn(
            f"labels size, {len(wanted)}, does not match size of target_names, {len(target_names)}",
            UserWarning,
            stacklevel=2,
        )
    rows = None
    if counts.several:
        rows = read_counts(y_true, y_pred, owner, labels, sample_weight, by_row=True)
    report = report_of(
        counts if labels is None else counts.part(wanted),
        names=wanted if target_names is None else target_names,
        all_labels=not counts.several and set(counts.labels.tolist()) <= set(wanted.tolist()),
        rows=rows,
        zero_division=zero_division,
    )
    return report.as_dict() if output_dict else report.as_text(digits)
