"""Metrics of rankings within rows: where the right class, the relevant labels or the gains stand."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from clinfa.arrays import is_sparse
from clinfa.blas import matmul
from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.metrics._scores import not_finite, read_scores, two_labels, weights_of
from clinfa.params import at_least, boolean, none, positive
from clinfa.targets import as_array, check_lengths, column, kind_of, read_labels_together

__all__ = [
    "coverage_error",
    "dcg_score",
    "label_ranking_average_precision_score",
    "label_ranking_loss",
    "ndcg_score",
    "top_k_accuracy_score",
]

_BLOCK = 1 << 18  # entries that are worked on at once: what is made on the way stays in a cache
_K, _LOG_BASE, _BOOLEAN = at_least(1), positive(), boolean()
_GAINS = ("multilabel-indicator", "continuous-multioutput", "multiclass-multioutput")


def _by_blocks(work: Callable[..., np.ndarray], *tables: np.ndarray) -> np.ndarray:
    """What `work` makes of some rows of all tables, for all rows."""
    n, k = tables[0].shape
    step = max(1, _BLOCK // max(k, 1))
    return np.concatenate([work(*(t[i : i + step] for t in tables)) for i in range(0, n, step)])


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(values, weights=weights if len(weights) else None))


def _descending(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The order of each row from the highest score, and for each place the first and last of its ties."""
    order = np.argsort(scores, axis=1)[:, ::-1]
    ranked = np.take_along_axis(scores, order, axis=1)
    n, k = scores.shape
    new = np.ones((n, k + 1), bool)
    new[:, 1:-1] = ranked[:, 1:] != ranked[:, :-1]
    places = np.arange(k)
    first = np.maximum.accumulate(np.where(new[:, :-1], places, 0), axis=1)
    last = np.minimum.accumulate(np.where(new[:, 1:], places, k)[:, ::-1], axis=1)[:, ::-1]
    return order, first, last


def _read_relevant(
    y_true: Any, y_score: Any, sample_weight: Any, owner: str, *, sparse: bool = True, binary: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which labels are relevant (n, k), scores (n, k), weights."""
    truth = y_true.toarray() if sparse and is_sparse(y_true) else as_array(y_true, "y_true")
    scores = _read_finite(y_score)
    check_lengths(truth, scores, sample_weight)
    if truth.shape != scores.shape:
        raise ValueError("y_true and y_score have different shape")
    kind = kind_of(truth, "y_true")
    if kind != "multilabel-indicator" and not (binary and kind == "binary" and truth.ndim == 2):
        raise ValueError(f"{kind} format is not supported")
    return truth != 0, scores, weights_of(y_true, sample_weight, len(truth), owner)


def _read_finite(y_score: Any, role: str = "y_score") -> np.ndarray:
    scores = read_scores(y_score, role)
    if not scores.size:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={scores.shape}) while a minimum of 1 is required."
        )
    if not np.isfinite(scores).all():
        not_finite(scores, role)
    return scores


def label_ranking_average_precision_score(y_true: Any, y_score: Any, *, sample_weight: Any = None) -> float:
    """The mean share of relevant labels among those ranked as high as one, over rows and relevant labels.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_samples, n_labels)
        Other than 0 where a label is relevant.
    y_score : array-like of shape (n_samples, n_labels)
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    float
        1 is the best. A row where no or every label is relevant counts as 1.

    Raises
    ------
    ValueError
        If shapes do not match, `y_true` is no indicator matrix, or a score is not finite.

    Examples
    --------
    >>> from clinfa.metrics import label_ranking_average_precision_score
    >>> label_ranking_average_precision_score([[1, 0, 0], [0, 0, 1]], [[0.75, 0.5, 1], [1, 0.5, 0.75]])
    0.5
    """
    relevant, scores, weights = _read_relevant(
        y_true, y_score, sample_weight, "label_ranking_average_precision_score", binary=True
    )

    def precision(relevant: np.ndarray, scores: np.ndarray) -> np.ndarray:
        order, _, last = _descending(scores)
        ranked = np.take_along_axis(relevant, order, axis=1)
        found = np.take_along_axis(np.cumsum(ranked, axis=1), last, axis=1)
        count = relevant.sum(axis=1)
        trivial = (count == 0) | (count == relevant.shape[1])
        return np.where(trivial, 1.0, (ranked * found / (last + 1)).sum(axis=1) / np.maximum(count, 1))

    return _mean(_by_blocks(precision, relevant, scores), weights)


def label_ranking_loss(y_true: Any, y_score: Any, *, sample_weight: Any = None) -> float:
    """The mean share of pairs of a relevant and an irrelevant label that are in the wrong order, or tied.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_samples, n_labels)
        Other than 0 where a label is relevant.
    y_score : array-like of shape (n_samples, n_labels)
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    float
        0 is the best. A row where no or every label is relevant counts as 0.

    Raises
    ------
    ValueError
        As for `label_ranking_average_precision_score`.

    References
    ----------
    G. Tsoumakas, I. Katakis, I. Vlahavas (2010). Mining multi-label data. In: Data Mining and Knowledge
    Discovery Handbook, 667-685. Springer.

    Examples
    --------
    >>> from clinfa.metrics import label_ranking_loss
    >>> label_ranking_loss([[1, 0, 0], [0, 0, 1]], [[0.75, 0.5, 1], [1, 0.5, 0.75]])
    0.5
    """
    relevant, scores, weights = _read_relevant(y_true, y_score, sample_weight, "label_ranking_loss")

    def wrong(relevant: np.ndarray, scores: np.ndarray) -> np.ndarray:
        order, first, _ = _descending(scores)
        ranked = np.take_along_axis(relevant, order, axis=1)
        count = relevant.sum(axis=1)
        above = np.take_along_axis(np.cumsum(ranked, axis=1) - ranked, first, axis=1)
        pairs = (~ranked * (count[:, None] - above)).sum(axis=1)
        return pairs / np.maximum(count * (relevant.shape[1] - count), 1)

    return _mean(_by_blocks(wrong, relevant, scores), weights)


def coverage_error(y_true: Any, y_score: Any, *, sample_weight: Any = None) -> float:
    """How far down the ranking one must go, on average, to meet every relevant label.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_labels)
        Other than 0 where a label is relevant.
    y_score : array-like of shape (n_samples, n_labels)
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    float
        Tied labels all count. A row without a relevant label counts as 0.

    Raises
    ------
    ValueError
        As for `label_ranking_average_precision_score`.

    References
    ----------
    G. Tsoumakas, I. Katakis, I. Vlahavas (2010). Mining multi-label data. In: Data Mining and Knowledge
    Discovery Handbook, 667-685. Springer.

    Examples
    --------
    >>> from clinfa.metrics import coverage_error
    >>> coverage_error([[1, 0, 0], [0, 1, 1]], [[1, 0, 0], [0, 1, 2]])
    1.5
    """
    for y in (y_true, y_score):
        if (dimensions := np.ndim(y)) != 2 and not is_sparse(y):
            raise ValueError(f"Expected 2D array, got {dimensions}D array instead.")
    relevant, scores, weights = _read_relevant(y_true, y_score, sample_weight, "coverage_error", sparse=False)
    greatest = np.iinfo(scores.dtype).max if scores.dtype.kind == "i" else np.inf
    lowest = np.min(scores, axis=1, where=relevant, initial=greatest, keepdims=True)
    return _mean((scores >= lowest).sum(axis=1) * relevant.any(axis=1), weights)


def dcg_score(
    y_true: Any,
    y_score: Any,
    *,
    k: int | None = None,
    log_base: float = 2,
    sample_weight: Any = None,
    ignore_ties: bool = False,
) -> float:
    """Discounted cumulative gain: the gains in the order of the scores, each divided by the log of its place.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_labels)
        Gains, or an indicator matrix.
    y_score : array-like of shape (n_samples, n_labels)
    k : int, optional
        Only the highest k count.
    log_base : float
        Of the logarithm; a greater one discounts less.
    sample_weight : array-like of shape (n_samples,), optional
    ignore_ties : bool
        Whether to take ties in any order, which is faster; else they share their gains evenly.

    Returns
    -------
    float
        The mean over rows.

    Raises
    ------
    ValueError
        If shapes do not match, or a value is not finite.

    References
    ----------
    K. Jarvelin, J. Kekalainen (2002). Cumulated gain-based evaluation of IR techniques. ACM Transactions on
    Information Systems 20(4), 422-446.
    F. McSherry, M. Najork (2008). Computing information retrieval performance measures efficiently in the
    presence of tied scores. European Conference on Information Retrieval, 414-421.

    Examples
    --------
    >>> from clinfa.metrics import dcg_score
    >>> round(dcg_score([[10, 0, 0, 1, 5]], [[0.1, 0.2, 0.3, 4, 70]]), 6)
    9.499458
    """
    _LOG_BASE.check("log_base", log_base, "dcg_score")
    gains, scores, weights = _read_gains(y_true, y_score, k, ignore_ties, sample_weight, "dcg_score")
    return _mean(_dcg(gains, scores, k, log_base, ignore_ties), weights)


def ndcg_score(
    y_true: Any, y_score: Any, *, k: int | None = None, sample_weight: Any = None, ignore_ties: bool = False
) -> float:
    """Discounted cumulative gain divided by the greatest that is possible: between 0 and 1.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_labels)
        Gains, at least 0.
    y_score : array-like of shape (n_samples, n_labels)
    k : int, optional
    sample_weight : array-like of shape (n_samples,), optional
    ignore_ties : bool
        As for `dcg_score`.

    Returns
    -------
    float
        The mean over rows. A row without gains counts as 0.

    Raises
    ------
    ValueError
        If a gain is negative, there is only one label, shapes do not match, or a value is not finite.

    References
    ----------
    K. Jarvelin, J. Kekalainen (2002). Cumulated gain-based evaluation of IR techniques. ACM Transactions on
    Information Systems 20(4), 422-446.

    Examples
    --------
    >>> from clinfa.metrics import ndcg_score
    >>> round(ndcg_score([[10, 0, 0, 1, 5]], [[0.1, 0.2, 0.3, 4, 70]]), 6)
    0.695694
    """
    gains = _read_finite(y_true, "y_true")
    if gains.min() < 0:
        raise ValueError("ndcg_score should not be used on negative y_true values.")
    if gains.ndim > 1 and gains.shape[1] <= 1:
        raise ValueError(
            f"Computing NDCG is only meaningful when there is more than 1 document. Got {gains.shape[1]} "
            f"instead."
        )
    gains, scores, weights = _read_gains(y_true, y_score, k, ignore_ties, sample_weight, "ndcg_score")
    gained = _dcg(gains, scores, k, 2, ignore_ties)
    possible = _dcg(gains, gains, k, 2, True)
    return _mean(np.divide(gained, possible, out=np.zeros(len(gained)), where=possible != 0), weights)


def _read_gains(
    y_true: Any, y_score: Any, k: int | None, ignore_ties: bool, sample_weight: Any, owner: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    (_K | none()).check("k", k, owner)
    _BOOLEAN.check("ignore_ties", ignore_ties, owner)
    gains, scores = _read_finite(y_true, "y_true"), _read_finite(y_score)
    check_lengths(gains, scores, sample_weight)
    kind = kind_of(gains, "y_true")
    if kind not in _GAINS:
        raise ValueError(f"Only {_GAINS} formats are supported. Got {kind} instead")
    if gains.shape != scores.shape:
        raise ValueError("y_true and y_score have different shape")
    return gains, scores, weights_of(y_true, sample_weight, len(gains), owner)


def _dcg(gains: np.ndarray, scores: np.ndarray, k: int | None, base: float, ignore_ties: bool) -> np.ndarray:
    discount = np.log(base) / np.log(np.arange(gains.shape[1]) + 2)
    discount[gains.shape[1] if k is None else k :] = 0
    upto = np.concatenate([[0], np.cumsum(discount)])

    def work(gains: np.ndarray, scores: np.ndarray) -> np.ndarray:
        if ignore_ties:
            order = np.argsort(scores, axis=1)[:, ::-1]
            return matmul(np.take_along_axis(gains, order, axis=1), discount)
        order, first, last = _descending(scores)
        shared = (upto[last + 1] - upto[first]) / (last + 1 - first)
        return (np.take_along_axis(gains, order, axis=1) * shared).sum(axis=1)

    return _by_blocks(work, gains, scores)


def top_k_accuracy_score(
    y_true: Any,
    y_score: Any,
    *,
    k: int = 2,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
) -> float:
    """How often the true label is among the k with the highest scores.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or Dataset
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes)
        Scores of the labels in their order; for two, those of the greater.
    k : int
    normalize : bool
        Whether to return a share, else a number of rows.
    sample_weight : array-like of shape (n_samples,), optional
    labels : array-like of shape (n_classes,), optional
        All labels, ascending, where not each occurs in `y_true`.

    Returns
    -------
    float
        Of tied scores that of the later label ranks higher.

    Raises
    ------
    ValueError
        If labels, shapes or lengths do not match, or a score is not finite.

    Examples
    --------
    >>> from clinfa.metrics import top_k_accuracy_score
    >>> scores = [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]]
    >>> top_k_accuracy_score([0, 1, 2, 2], scores, k=2)
    0.75
    """
    _K.check("k", k, "top_k_accuracy_score")
    _BOOLEAN.check("normalize", normalize, "top_k_accuracy_score")
    truth, scores = column(y_true, "y_true"), _read_finite(y_score)
    check_lengths(truth, scores, sample_weight)
    kind = "binary" if two_labels(truth) else kind_of(truth, "y_true")
    given = None if labels is None else column(labels, "labels")
    if kind == "binary" and given is not None and len(given) > 2:
        kind = "multiclass"
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"y type must be 'binary' or 'multiclass', got '{kind}' instead.")
    if kind == "binary":
        if scores.ndim == 2 and scores.shape[1] != 1:
            raise ValueError(
                f"`y_true` is binary while y_score is 2d with {scores.shape[1]} classes. If `y_true` does "
                f"not contain all the labels, `labels` must be provided."
            )
        scores = column(scores, "y_score")
    elif scores.ndim != 2:
        raise ValueError(
            f"`y_score` needs to be of shape `(n_samples, n_classes)`, since `y_true` contains multiple "
            f"classes. Got `y_score.shape={scores.shape}`."
        )
    weights = weights_of(y_true, sample_weight, len(truth), "top_k_accuracy_score")
    n_classes, codes = _top_k_codes(truth, given, scores.shape[1] if scores.ndim == 2 else 2)
    if k >= n_classes:
        warnings.warn(
            f"'k' ({k}) greater than or equal to 'n_classes' ({n_classes}) will result in a perfect score "
            f"and is therefore meaningless.",
            twin(UndefinedMetricWarning),
            stacklevel=2,
        )
        hits = np.ones(len(truth), bool)
    elif scores.ndim == 1:
        threshold = 0.5 if scores.min() >= 0 and scores.max() <= 1 else 0
        hits = (scores > threshold) == codes
    else:
        hits = _by_blocks(lambda scores, codes: _places(scores, codes) < k, scores, codes[:, None])
    if normalize:
        return _mean(hits, weights)
    return float(matmul(weights, hits) if len(weights) else np.count_nonzero(hits))


def _places(scores: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """How many labels of each row rank above that of the code; `codes` has shape (n, 1)."""
    own = np.take_along_axis(scores, codes, axis=1)
    later = np.arange(scores.shape[1]) > codes
    return ((scores > own) | ((scores == own) & later)).sum(axis=1)


def _top_k_codes(truth: np.ndarray, given: np.ndarray | None, k: int) -> tuple[int, np.ndarray]:
    if given is None:
        classes, (codes,) = read_labels_together({"y_true": truth}, "top_k_accuracy_score")
        if len(classes) != k:
            raise ValueError(
                f"Number of classes in 'y_true' ({len(classes)}) not equal to the number of classes in "
                f"'y_score' ({k}).You can provide a list of all known classes by assigning it to the "
                f"`labels` parameter."
            )
        return k, codes
    classes = np.unique(given)
    if len(classes) != len(given):
        raise ValueError("Parameter 'labels' must be unique.")
    if not np.array_equal(classes, given):
        raise ValueError("Parameter 'labels' must be ordered.")
    if len(classes) != k:
        raise ValueError(
            f"Number of given labels ({len(classes)}) not equal to the number of classes in 'y_score' ({k})."
        )
    classes, (codes,) = read_labels_together({"y_true": truth}, "top_k_accuracy_score", classes)
    if (codes < 0).any():
        raise ValueError("'y_true' contains labels not in parameter 'labels'.")
    return k, codes
