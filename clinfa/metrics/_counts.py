"""How often each pair of a true and a predicted label occurs: one look at the data, for all that follows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clinfa._core import labels as kernels
from clinfa.arrays import NO_WEIGHTS, is_dataset, is_sparse, read_weights
from clinfa.targets import (
    Column,
    as_array,
    check_lengths,
    check_mix,
    kind_of,
    label_column,
    number,
    range_of,
)
from clinfa.threads import stripes

_MOST = np.iinfo(np.int64).max
_SMALL = 4096  # places that the table of all pairs of a range may have, however few rows there are


class Counts(NamedTuple):
    """Rows by class, counted or weighed.

    Attributes
    ----------
    labels : ndarray of shape (k,)
    hits, truth, prediction : ndarray of shape (k,)
        Rows where both columns have the label, where the truth has it, where the prediction has it: int64, or
        float64 if rows are weighed.
    total : int or float
        All rows, also those of other labels.
    several : bool
        Whether a row may have several labels.
    """

    labels: np.ndarray
    hits: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    total: Any
    several: bool = False

    def part(self, labels: np.ndarray) -> Counts:
        """Those of some labels, in their order; zeros for a label that does not occur."""
        at = places(self.labels, labels)
        sums = [some[at] for some in (self.hits, self.truth, self.prediction)]
        if (at < 0).any():
            for some in sums:
                some[at < 0] = 0
        return Counts(labels, *sums, self.total)


def places(among: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Where each of `labels` is `among` others, -1 where it is not."""
    where = {label: i for i, label in enumerate(among.tolist())}
    return np.array([where.get(label, -1) for label in labels.tolist()], np.int64)


class NoLabelInTruth(ValueError):
    """None of the labels asked for is in the truth."""


def read_labels_to_count(labels: Any) -> np.ndarray | None:
    """Which labels a matrix is to have, each once."""
    if labels is None:
        return None
    labels = np.asarray(labels)
    if not labels.size:
        raise ValueError("'labels' should contain at least one label.")
    if labels.ndim != 1 or len(set(labels.tolist())) < len(labels):
        raise ValueError(f"'labels' must be one list of labels that differ, got {labels.tolist()}.")
    return labels


def read_pair(y_true: Any, y_pred: Any, owner: str) -> tuple[Column, Column] | None:
    """Two columns of labels, of one length and not empty; None if they are indicator matrices.

    Raises
    ------
    ValueError, TypeError
        If they are anything else, in scikit-learn's words.
    """
    truth = y_true if is_sparse(y_true) else as_array(y_true, "y_true")
    prediction = y_pred if is_sparse(y_pred) else as_array(y_pred, "y_pred")
    if truth.shape[:1] != prediction.shape[:1]:
        check_lengths(truth, prediction)
    if not truth.shape or not truth.shape[0]:
        raise ValueError(
            "Found empty input array (e.g., `y_true` or `y_pred`) while a minimum of 1 sample is required."
        )
    pair = {"y_true": truth, "y_pred": prediction}
    if not _is_column(truth) or not _is_column(prediction):
        if _common_kind(pair) == "multilabel-indicator":
            return None
        raise TypeError("Sparse input is only supported when targets are of multilabel type")
    try:
        columns = label_column(truth, owner, "y_true"), label_column(prediction, owner, "y_pred")
    except ValueError:
        _common_kind(pair)
        raise
    if columns[0].text != columns[1].text:
        check_mix(dict(zip(pair, columns)))
    return columns


def _is_column(y: Any) -> bool:
    return (y.ndim == 1 or y.shape[1:] == (1,)) and not is_sparse(y)


def _common_kind(pair: dict[str, Any]) -> str:
    kinds = [kind_of(y, role) for role, y in pair.items()]
    if set(kinds) == {"binary", "multiclass"}:
        return "multiclass"
    if kinds[0] != kinds[1]:
        raise ValueError(f"Classification metrics can't handle a mix of {kinds[0]} and {kinds[1]} targets")
    if kinds[0] not in ("binary", "multiclass", "multilabel-indicator"):
        raise ValueError(f"{kinds[0]} is not supported")
    return kinds[0]


def row_weights(sample_weight: Any, y_true: Any, n: int, owner: str) -> np.ndarray:
    """Weights (n,), any finite numbers; those of a Dataset of the truth where none are given; else (0,)."""
    if sample_weight is None and is_dataset(y_true):
        sample_weight = y_true.weights
    if sample_weight is None:
        return NO_WEIGHTS
    if hasattr(sample_weight, "__len__") and len(sample_weight) != n:
        check_lengths(range(n), range(n), sample_weight)
    return read_weights(sample_weight, n, owner, signed=True)


def count_pairs(
    truth: Column, prediction: Column, weights: np.ndarray, labels: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Labels (k,) and the matrix (k, k) of counts or weights: rows by truth, columns by prediction.

    Without `labels`, those that occur, sorted; rows with another label are left out.

    Raises
    ------
    NoLabelInTruth
        If none of `labels` is.
    """
    known, a, b, low, width = _aligned(truth, prediction)
    if known is None or _is_small(width, len(a)):
        known, matrix, rows, _ = _matrix(known, a, b, low, width, weights, truth, prediction)
        if labels is None:
            return known, matrix
        at = places(known, labels)
        _some_in_truth(rows[at[at >= 0]].any())
        chosen = matrix[np.ix_(at, at)]
        chosen[at < 0] = 0
        chosen[:, at < 0] = 0
        return labels, chosen
    if labels is None:
        labels = known
    else:
        at = places(labels, known)
        a, b = at[a], at[b]
        _some_in_truth((a >= 0).any())
        kept = (a >= 0) & (b >= 0)
        a, b, weights = a[kept], b[kept], weights[kept] if len(weights) else weights
    k = len(labels)
    matrix = np.bincount(a * k + b, weights if len(weights) else None, k * k)
    return labels, matrix.reshape(k, k)


def count_classes(truth: Column, prediction: Column, weights: np.ndarray) -> Counts:
    """Rows by class, without a matrix of all pairs where there are many classes."""
    known, a, b, low, width = _aligned(truth, prediction)
    if known is None or _is_small(width, len(a)):
        known, matrix, *sums = _matrix(known, a, b, low, width, weights, truth, prediction)
        if len(weights):
            return classes_of(known, matrix)
        return Counts(known, matrix.diagonal(), *sums, len(a))
    hit = a == b
    w, hit_w = (weights, weights[hit]) if len(weights) else (None, None)
    by_class = [np.bincount(a[hit], hit_w, width), np.bincount(a, w, width), np.bincount(b, w, width)]
    return Counts(known, *by_class, len(a) if w is None else w.sum())


def classes_of(labels: np.ndarray, matrix: np.ndarray) -> Counts:
    """The sums of a matrix by class."""
    truth = matrix.sum(axis=1)
    return Counts(labels, matrix.diagonal(), truth, matrix.sum(axis=0), truth.sum())


def _some_in_truth(some: bool) -> None:
    if not some:
        raise NoLabelInTruth("At least one label specified must be in y_true")


def _is_small(width: int, n: int) -> bool:
    return width * width <= max(_SMALL, n // 2)


def _aligned(truth: Column, prediction: Column) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, int, int]:
    """Both columns as integers from `low` to below `low + width`, and what these stand for.

    That is None where they stand for themselves, whether all of them occur or not.
    """
    a, b = truth.values, prediction.values
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        ranges = range_of(a), range_of(b)
        low = min(ranges[0][0], ranges[1][0])
        width = max(ranges[0][1], ranges[1][1]) - low + 1
        if _is_small(width, len(a)):
            if a.dtype != b.dtype:  # (kernels count modulo 2^64)
                a, b = a.astype(np.int64), b.astype(np.int64)
            return None, a, b, low, width
    known, (a, b) = number(truth, prediction)
    return known, a, b, 0, len(known)


def _matrix(
    known: np.ndarray | None,
    a: np.ndarray,
    b: np.ndarray,
    low: int,
    width: int,
    weights: np.ndarray,
    truth: Column,
    prediction: Column,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels that occur, their matrix, and how many rows each has in the truth and in the prediction."""
    n, size, shift = len(a), width * width, low % 2**64
    cut = stripes(n, 1.0)
    tables = np.zeros((cut.width(), size + 16), np.int64)
    cut.run(
        lambda cursor, limit, slot: kernels.pairs_pass(
            a, b, shift, width, cut.bounds, cursor, limit, tables[slot]
        )
    )
    counts = (tables[0] if len(tables) == 1 else tables.sum(axis=0))[:size].reshape(width, width)
    matrix = counts
    if len(weights):
        cut = stripes(n, 1.5, most=max(1, min(64, n // size)))
        sums = np.zeros((len(cut), size + 16))
        cut.run(
            lambda cursor, limit, slot: kernels.sums_pass(
                a, b, weights, shift, width, cut.bounds, cursor, limit, sums
            )
        )
        matrix = sums.sum(axis=0)[:size].reshape(width, width)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    if known is not None:
        return known, matrix, rows, columns
    occur = np.flatnonzero(rows + columns)
    if len(occur) < width:
        matrix, rows, columns = matrix[np.ix_(occur, occur)], rows[occur], columns[occur]
    high = low + width - 1
    labels = occur + low if high <= _MOST else occur.astype(np.uint64) + np.uint64(shift)
    return labels.astype(_common_type(truth.dtype, prediction.dtype, high)), matrix, rows, columns


def _common_type(one: np.dtype, other: np.dtype, high: int) -> np.dtype:
    if one == other:
        return one
    common = np.result_type(one, other)
    if common.kind == "f" and one.kind in "biu" and other.kind in "biu":
        return np.dtype(np.int64 if high <= _MOST else np.uint64)
    return common
