"""What metrics of scores read: which rows are positive, their scores, their weights."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from clinfa.arrays import is_dataset, read_weights
from clinfa.metrics._ranked import Ranked, rank
from clinfa.targets import as_array, column, kind_of

__all__ = [
    "not_finite",
    "positives",
    "rank_rows",
    "read_scores",
    "two_labels",
    "weights_of",
]


def two_labels(y: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The only one or two labels of a column, ascending, and where the last of them stands.

    None where there are more, or where the values are no labels.
    """
    kind = y.dtype.kind
    if y.ndim != 1 or kind not in "biufUO" or (kind == "O" and not isinstance(y[0], str)):
        return None
    first = y == y[0]
    other = int(first.argmin())
    if first[other]:
        classes, last = y[:1], first
    else:
        last = y == y[other]
        if kind == "O" and not isinstance(y[other], str):
            return None
        if np.count_nonzero(first) + np.count_nonzero(last) < len(y):
            return None
        classes = y[[0, other]]
        if classes[0] > classes[1]:
            classes, last = classes[::-1], first
    if kind == "f" and not (np.isfinite(classes).all() and (classes == np.rint(classes)).all()):
        return None
    return classes, last


def positives(y_true: Any, pos_label: Any, role: str = "y_true") -> np.ndarray:
    """Where the positive label stands: shape (n,), bool.

    Raises
    ------
    ValueError
        If there are more labels than two and none is named, or which is positive cannot be told.
    """
    y = as_array(y_true, role)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if not y.size:
        raise ValueError(f"Found array with 0 sample(s) (shape={y.shape}) while a minimum of 1 is required.")
    two = two_labels(y)
    if two is None:
        kind = kind_of(y, role)
        if kind != "multiclass" or pos_label is None:
            raise ValueError(f"{kind} format is not supported")
        return np.asarray(y == pos_label)
    classes, last = two
    if pos_label is None:
        usual = classes.dtype.kind not in "UO" and classes.tolist() in ([0, 1], [-1, 1], [0], [-1], [1])
        if not usual:
            told = ", ".join(map(repr, classes.tolist()))
            raise ValueError(
                f"{role} takes value in {{{told}}} and pos_label is not specified: either make {role} take "
                f"value in {{0, 1}} or {{-1, 1}} or pass pos_label explicitly."
            )
        pos_label = 1
    if classes[-1] == pos_label:
        return last
    return ~last if len(classes) == 2 and classes[0] == pos_label else np.zeros(len(y), bool)


def read_scores(y_score: Any, role: str = "y_score") -> np.ndarray:
    """Scores in order of memory, as float32, float64 or int64: shape (n,) or (n, k).

    Whether they are finite is seen when they are ranked.
    """
    s = as_array(y_score, role)
    if s.ndim not in (1, 2):
        raise ValueError(f"{role} must have one or two dimensions, got shape {s.shape}.")
    kind, size = s.dtype.kind, s.dtype.itemsize
    if kind in "SUVmM":
        raise ValueError(f"{role} must hold numbers, got an array of dtype {s.dtype}.")
    if kind in "biu":  # kept whole: neighbours beyond 2^53 would become ties
        if s.dtype == np.uint64 and s.size and s.max() > np.iinfo(np.int64).max:
            raise ValueError(f"{role} has integers above 2^63 - 1. Pass it as float64.")
        return np.ascontiguousarray(s, np.int64)
    try:
        return np.ascontiguousarray(s, np.float32 if kind == "f" and size <= 4 else np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{role} must hold numbers: {error}") from error


def weights_of(y_true: Any, sample_weight: Any, n: int, owner: str) -> np.ndarray:
    """Sample weights, or else those of the Dataset that holds the truth; any finite numbers."""
    if sample_weight is None and is_dataset(y_true):
        sample_weight = y_true.weights
    if sample_weight is not None and np.ndim(sample_weight):
        sample_weight = column(sample_weight, "sample_weight")
    return read_weights(sample_weight, n, owner, signed=True)


def rank_rows(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray, role: str = "y_score") -> Ranked:
    """Rows in the order of their scores.

    Raises
    ------
    ValueError
        If a score is not finite.
    """
    ranked = rank(positive, scores, weights)
    return not_finite(scores, role) if ranked is None else ranked


def not_finite(values: np.ndarray, role: str) -> NoReturn:
    """Say what is wrong with values of which one is not finite."""
    if np.isnan(values).any():
        raise ValueError(f"Input {role} contains NaN.")
    raise ValueError(f"Input {role} contains infinity or a value too large for {values.dtype!r}.")
