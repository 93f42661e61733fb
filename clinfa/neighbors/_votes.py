"""What the neighbours of each query say: their weights, their votes, the mean of their numbers.

Neighbours come flat: those of query i stand at places ``begin[i]`` to ``begin[i + 1]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from clinfa.neighbors._queries import split
from clinfa.params import Rule, function, none, one_of

__all__ = ["NO_WEIGHT", "Weights", "averages", "tally", "weigh", "weights_rule"]

Weights = Literal["uniform", "distance"] | Callable | None
NO_WEIGHT = (
    "All neighbors of some sample is getting zero weights. Please modify 'weights' to avoid this case if you "
    "are using a user-defined function."
)


def weights_rule() -> Rule:
    return one_of("uniform", "distance") | function() | none()


def weigh(how: Any, begin: np.ndarray, distances: np.ndarray, width: int | None) -> np.ndarray | None:
    """The weight of each neighbour; None where all weigh the same.

    Parameters
    ----------
    how : {"uniform", "distance"}, callable or None
    begin, distances : ndarray
    width : int or None
        How many neighbours each query has, where all have the same number.

    Raises
    ------
    ValueError
        If a function returns something of another shape.
    """
    if how is None or isinstance(how, str):
        return _reciprocals(begin, distances) if how == "distance" else None
    if width is not None:
        given = distances.reshape(-1, width)
        weights = np.asarray(how(given), float)
        fits = weights.shape == given.shape
        weights = weights.ravel()
    else:
        each = [np.asarray(some, float) for some in how(split(distances, begin))]
        fits = [some.shape for some in each] == [(size,) for size in np.diff(begin)]
        weights = np.concatenate(each) if fits else None
    if not fits:
        raise ValueError("weights must return an array of the shape of the distances that it is given.")
    return weights


def _reciprocals(begin: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """One by the distance; where some are at no distance, or all infinitely far, those count alike.

    Distances are taken in units of a power of two near the least of each query, so that none overflows.
    """
    counts = np.diff(begin)
    some = counts > 0
    least = np.minimum.reduceat(distances, begin[:-1][some]) if some.any() else distances
    unit = np.repeat(-np.frexp(least)[1], counts[some])
    least = np.repeat(least, counts[some])
    with np.errstate(divide="ignore", over="ignore"):
        graded = 1 / np.ldexp(distances, unit)
    return np.where((least == 0) | np.isinf(least), distances == least, graded)


def tally(
    begin: np.ndarray, rows: np.ndarray, weights: np.ndarray | None, codes: np.ndarray, n_classes: int
) -> np.ndarray:
    """The votes for each class: shape (n_queries, n_classes)."""
    m = len(begin) - 1
    place = np.repeat(np.arange(m) * n_classes, np.diff(begin)) + codes[rows]
    return np.bincount(place, weights, m * n_classes).reshape(m, n_classes)


def averages(
    begin: np.ndarray, rows: np.ndarray, weights: np.ndarray | None, targets: np.ndarray
) -> np.ndarray:
    """The mean of the neighbours' numbers, shaped as targets are; NaN without neighbours."""
    m = len(begin) - 1
    query = np.repeat(np.arange(m), np.diff(begin))
    total = np.bincount(query, weights, m)
    if weights is not None and (total[np.diff(begin) > 0] == 0).any():
        raise ValueError(NO_WEIGHT)
    columns = targets.reshape(len(targets), -1).T
    out = np.empty((m, len(columns)), targets.dtype)
    with np.errstate(invalid="ignore"):
        for j, column in enumerate(columns):
            values = column[rows].astype(float)
            out[:, j] = np.bincount(query, values if weights is None else weights * values, m) / total
    return out.reshape(m, *targets.shape[1:])
