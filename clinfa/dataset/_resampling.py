"""Which rows go where: folds, splits and bootstraps, as row numbers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Generic, TypeVar, overload

import numpy as np

from clinfa.rng import generator

__all__ = ["Parts", "draw", "fold_rows", "permutation", "split_rows"]

T = TypeVar("T")


class Parts(Sequence[T], Generic[T]):
    """Parts of a dataset, each made when it is asked for.

    Parameters
    ----------
    length : int
        How many there are.
    make : callable
        Makes the part of a number.
    words : str, default="parts"
        What they are.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> folds = load_iris().fold(5)
    >>> folds
    <5 folds (train, valid)>
    >>> train, valid = folds[0]
    >>> len(train), len(valid)
    (120, 30)
    """

    def __init__(self, length: int, make: Callable[[int], T], words: str = "parts"):
        self._length, self._make, self._words = length, make, words

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._make(i) for i in range(self._length)[at]]
        return self._make(range(self._length)[at])

    def __iter__(self) -> Iterator[T]:
        return map(self._make, range(self._length))

    def __repr__(self) -> str:
        return f"<{self._length} {self._words}>"


def permutation(n: int, random_state: Any) -> np.ndarray:
    """The numbers below n in random order."""
    return generator(random_state).permutation(n)


def draw(n: int, count: int, source: Any) -> np.ndarray:
    """`count` numbers below n, each as likely, with replacement, from a generator of either kind."""
    integers = source.integers if hasattr(source, "integers") else source.randint
    return integers(0, n, size=count).astype(np.int64)


def fold_rows(
    n: int, k: int, shuffled: bool, strata: np.ndarray | None, random_state: Any
) -> list[tuple[np.ndarray | slice, ...]]:
    """Rows to train on and rows to validate on, for each of k folds.

    Validation rows lie side by side where nothing is shuffled or stratified: then they are a slice. The
    first n mod k folds have one row more than the others.
    """
    if strata is None and not shuffled:
        edges = [i * (n // k) + min(i, n % k) for i in range(k + 1)]
        return [(_without(n, low, high), slice(low, high)) for low, high in pairwise(edges)]
    fold = np.empty(n, np.int64)
    fold[_order(n, shuffled, strata, random_state)] = np.arange(n) % k
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(k)]


def _without(n: int, low: int, high: int) -> np.ndarray | slice:
    if low == 0:
        return slice(high, n)
    return slice(0, low) if high == n else np.r_[0:low, high:n]


def _order(n: int, shuffled: bool, strata: np.ndarray | None, random_state: Any) -> np.ndarray:
    """Rows as they are dealt out: those of one stratum side by side, in random order if asked for."""
    order = permutation(n, random_state) if shuffled else np.arange(n)
    return order if strata is None else order[np.argsort(strata[order], kind="stable")]


def split_rows(
    n: int, ratio: float, shuffled: bool, strata: np.ndarray | None, random_state: Any
) -> tuple[np.ndarray | slice, np.ndarray | slice]:
    """Rows of the first part, ceil(n * ratio) of them, and of the second."""
    size = math.ceil(round(n * ratio, 9))  # (0.07 * 100 is not to be 8)
    if strata is None and not shuffled:
        return slice(0, size), slice(size, n)
    order = _order(n, shuffled, strata, random_state)
    if strata is None:
        return order[:size], order[size:]
    # Of every run of rows in the order of strata the same share: no stratum is off by more than one row.
    first = np.diff(np.arange(n + 1) * size // n).astype(bool)
    return np.sort(order[first]), np.sort(order[~first])


def warn_of_rare(counts: np.ndarray, k: int) -> None:
    """Say so if some stratum cannot be in every fold."""
    if counts.min() < k:
        warnings.warn(
            f"The least frequent target occurs {counts.min()} times, which is less than k={k}: some folds "
            f"will lack it.",
            UserWarning,
            stacklevel=4,
        )
