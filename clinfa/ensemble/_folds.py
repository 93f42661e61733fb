"""Which rows models are fitted on, and on which others they are asked: scikit-learn's folds."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from itertools import chain, pairwise
from typing import Any

import numpy as np

from clinfa.dataset._resampling import fold_rows
from clinfa.errors import outside
from clinfa.params import Rule, at_least, none, one_of, shown
from clinfa.targets import Labels

__all__ = ["cv_rule", "folds"]


def _splits(value: Any) -> bool:
    return not isinstance(value, type | str | bytes) and (
        hasattr(value, "split") or (isinstance(value, Iterable) and not hasattr(value, "fit"))
    )


def cv_rule() -> Rule:
    """A number of folds, a splitter as scikit-learn's, (train, test) pairs, or fitted models."""
    return at_least(2) | one_of("prefit") | Rule("a splitter or an iterable of splits", _splits) | none()


def folds(cv: Any, X: Any, y: np.ndarray, labels: Labels | None) -> list[tuple[Any, np.ndarray]]:
    """Rows to fit on and rows to ask of, for each fold; each row is asked once.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None is 5. A number of folds is stratified by the classes, where there are any.
    X : records
        What a splitter is shown.
    y : ndarray of shape (n,)
    labels : Labels or None

    Raises
    ------
    ValueError
        If there are fewer rows than folds, or the folds are no partition of the rows.
    """
    n = len(y)
    if cv is None or isinstance(cv, int | np.integer):
        k = 5 if cv is None else int(cv)
        if k > n:
            raise ValueError(
                f"Cannot have number of splits n_splits={shown(k)} (cv) greater than the number of samples: "
                f"n_samples={n}."
            )
        where = _stratified(labels, k) if labels is not None else None
        if where is None:
            return [(train, np.arange(n)[test]) for train, test in fold_rows(n, k, False, None, None)]
        return [(np.flatnonzero(where != i), np.flatnonzero(where == i)) for i in range(k)]
    if hasattr(cv, "split"):
        cv = cv.split(X, y)
    try:
        out = [(_rows(train, n), _rows(test, n)) for train, test in cv]
    except (TypeError, ValueError, IndexError) as error:
        raise ValueError(
            f"cv must yield pairs of row numbers (train, test), got {shown(cv)}: {error}"
        ) from error
    seen = np.sort(np.fromiter(chain.from_iterable(test for _, test in out), np.int64))
    if not np.array_equal(seen, np.arange(n)):
        raise ValueError("The test rows of cv must be a partition: each row once, in one of the folds.")
    return out


def _rows(which: Any, n: int) -> np.ndarray:
    return np.arange(n)[np.asarray(which)]


def _stratified(labels: Labels, k: int) -> np.ndarray:
    """The fold of each row: of every class as many in each as there can be.

    The rows of a class go, in their order, to the folds that rows of the class have when all rows are sorted
    by class (classes as they first occur) and dealt out one by one.
    """
    counts = np.bincount(labels.codes, minlength=labels.n_classes)
    if counts.max() < k:
        raise ValueError(f"n_splits={k} (cv) cannot be greater than the number of members in each class.")
    least = counts[counts > 0].min()
    if least < k:
        warnings.warn(
            f"The least populated class in y has only {least} members, which is less than n_splits={k}.",
            UserWarning,
            stacklevel=outside(),
        )
    present, first = np.unique(labels.codes, return_index=True)
    turns = present[np.argsort(first)]
    rank = np.empty(labels.n_classes, np.int64)
    rank[turns] = np.arange(len(turns))
    order = np.argsort(rank[labels.codes], kind="stable")
    ends = np.concatenate([[0], np.cumsum(counts[turns])])
    dealt = [np.sort(np.arange(low, high) % k) for low, high in pairwise(ends)]
    out = np.empty(len(order), np.int64)
    out[order] = np.concatenate(dealt)
    return out
