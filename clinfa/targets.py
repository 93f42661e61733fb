"""The only reader of targets: labels (int, str, bool), numbers, indicator matrices.

Labels become codes 0 ... k - 1 into a sorted array of classes; numbers become float arrays. `kind_of` tells
them apart in scikit-learn's words. Error texts are scikit-learn's, because users search for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import is_dataset, is_sparse

__all__ = ["Labels", "column", "kind_of", "read_labels", "read_labels_together", "read_values"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels as codes.

    Attributes
    ----------
    codes : ndarray of shape (n,), intp
        ``classes[codes]`` are the labels.
    classes : ndarray of shape (k,)
        Sorted, each once, in the labels' own type.
    """

    codes: np.ndarray
    classes: np.ndarray

    @property
    def n_classes(self) -> int:
        return len(self.classes)


def as_array(y: Any, role: str) -> np.ndarray:
    """Targets as an array of 1 or 2 dimensions: those of a Dataset, a series, a frame, a list."""
    if is_dataset(y):
        if y.targets is None:
            raise ValueError(f"{role} is a Dataset without targets.")
        y = y.targets
    if isinstance(y, str) or not (isinstance(y, Sequence) or is_sparse(y) or hasattr(y, "__array__")):
        raise ValueError(f"Expected array-like (array or non-string sequence), got {y!r}")
    if is_sparse(y):
        raise TypeError(f"Sparse data was passed for {role}, but dense data is required.")
    if type(y) is not np.ndarray:
        try:
            y = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
        except ValueError as error:  # rows of different lengths
            raise ValueError(
                f"{role} must be one label or number per row, got rows of different lengths."
            ) from error
    if np.ma.isMaskedArray(y):
        raise ValueError(f"{role} has masked values: missing targets are not accepted.")
    if y.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{role} has dtype {y.dtype}.")
    if y.dtype.kind == "S" or (y.dtype == object and y.size and isinstance(y.flat[0], bytes)):
        raise TypeError(
            "Support for labels represented as bytes is not supported. Convert the labels to a string or "
            "integer format."
        )
    return y.view(np.ndarray)


def column(y: Any, role: str = "y") -> np.ndarray:
    """Targets of shape (n,) from (n,) or (n, 1).

    Raises
    ------
    ValueError
        If y has another shape.
    """
    y = as_array(y, role)
    if y.ndim == 1:
        return y
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    raise ValueError(f"{role} should be a 1d array, got an array of shape {y.shape} instead.")


def kind_of(y: Any, role: str = "y") -> str:
    """What targets are, in the words of scikit-learn's `type_of_target`.

    Returns
    -------
    {"binary", "multiclass", "continuous", "multilabel-indicator", "multiclass-multioutput", \
"continuous-multioutput", "unknown"}
    """
    if is_sparse(y):
        return "multilabel-indicator" if y.ndim == 2 and y.shape[1] > 1 else "unknown"
    y = as_array(y, role)
    if y.ndim not in (1, 2) or (y.ndim == 2 and not y.size):
        return "unknown"
    if not y.size:
        return "binary"
    if y.dtype == object and not isinstance(y.flat[0], str):
        return "unknown"
    several = y.ndim == 2 and y.shape[1] > 1
    whole = True
    if y.dtype.kind == "f":
        _finite(y, role)
        whole = bool((y == np.rint(y)).all())
        if not whole:
            return "continuous-multioutput" if several else "continuous"
    if several:
        if y.dtype.kind in "biuf" and len(np.unique(y)) <= 2:
            return "multilabel-indicator"
        return "multiclass-multioutput"
    return "binary" if len(_classes(y.ravel())) <= 2 else "multiclass"


def read_labels(y: Any, owner: str, role: str = "y") -> Labels:
    """Labels of one column.

    Raises
    ------
    ValueError, TypeError
        If y is not one column, is not finite, or is not made of labels.
    """
    classes, (codes,) = read_labels_together({role: y}, owner)
    return Labels(codes, classes)


def read_labels_together(
    targets: dict[str, Any], owner: str, classes: np.ndarray | None = None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Several columns of labels in one numbering.

    Parameters
    ----------
    targets : dict of str to array-like
        By the name that errors call them.
    owner : str
    classes : ndarray of shape (k,), optional
        Number these, in this order; by default all that occur, sorted. A label that is not among them
        gets the code -1.

    Returns
    -------
    classes : ndarray of shape (k,)
    codes : list of ndarray of shape (n,), intp
    """
    columns = {role: _checked(column(y, role), owner, role) for role, y in targets.items()}
    texts = {role: y.dtype.kind in "UO" for role, y in columns.items() if y.size}
    if len(set(texts.values())) > 1:
        raise ValueError(f"Mix of label input types (string and number): {', '.join(columns)}.")
    if classes is None:
        found = [_classes(y) for y in columns.values()]
        classes = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        return classes, [np.searchsorted(classes, y) for y in columns.values()]
    order = np.argsort(classes, kind="stable")
    ranked, codes = classes[order], []
    for y in columns.values():
        at = np.minimum(np.searchsorted(ranked, y), len(ranked) - 1)
        codes.append(np.where(ranked[at] == y, order[at], -1))
    return classes, codes


def read_values(y: Any, owner: str, role: str = "y") -> np.ndarray:
    """Numbers to be predicted: float32 or float64 of shape (n,) or (n, n_targets), finite.

    Raises
    ------
    ValueError, TypeError
        If y is not numbers, is not finite, or has more than two dimensions.
    """
    y = as_array(y, role)
    if y.ndim not in (1, 2):
        raise ValueError(f"{role} must have one or two dimensions, got shape {y.shape}.")
    if y.dtype not in (np.float32, np.float64):
        if y.dtype.kind in "UmM":
            raise ValueError(f"{role} must hold numbers for {owner}, got an array of dtype {y.dtype}.")
        y = y.astype(np.float64)
    _finite(y, role)
    return y.astype(y.dtype.newbyteorder("="), copy=False)


def _finite(y: np.ndarray, role: str) -> None:
    if not np.isfinite(y).all():
        what = "NaN" if np.isnan(y).any() else f"infinity or a value too large for {y.dtype!r}"
        raise ValueError(f"Input {role} contains {what}.")


def _checked(y: np.ndarray, owner: str, role: str) -> np.ndarray:
    if y.dtype.kind == "f":
        _finite(y, role)
        if (y != np.rint(y)).any():
            raise ValueError(
                f"Unknown label type: continuous. {owner} takes labels, and {role} holds numbers that are "
                f"not whole."
            )
    elif y.dtype == object:
        wrong = {type(v).__name__ for v in y if not isinstance(v, str)}
        if wrong:
            raise ValueError(
                f"Unknown label type: unknown. {role} must hold ints, strs or bools for {owner}; among its "
                f"objects there are {', '.join(sorted(wrong))}."
            )
    elif y.dtype.kind not in "biuU":
        raise ValueError(f"Unknown label type: {role} has dtype {y.dtype}; {owner} takes int, str or bool.")
    return y


def _classes(y: np.ndarray) -> np.ndarray:
    return np.unique(y)
