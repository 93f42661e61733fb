"""Probabilities within each pair of classes, from held-out folds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clinfa.composing import Platt
from clinfa.rng import generator
from clinfa.svm._kernels import Source

__all__ = ["folds_of", "sigmoid_of"]

_FOLDS = 5


def folds_of(codes: np.ndarray, random_state: object) -> np.ndarray:
    """A fold for each record, as even as can be within each class."""
    rng = generator(0 if random_state is None else random_state)
    out = np.empty(len(codes), np.int64)
    for code in np.unique(codes):
        mine = np.flatnonzero(codes == code)
        out[rng.permutation(mine)] = np.arange(len(mine)) % _FOLDS
    return out


def sigmoid_of(
    source: Source,
    pair: tuple[np.ndarray, np.ndarray],
    folds: np.ndarray,
    mass: np.ndarray,
    fit: Callable[[np.ndarray, int], tuple[np.ndarray, float]],
) -> tuple[float, float]:
    """a and b such that the first class has the probability 1 / (1 + exp(a f + b)) where f is the function.

    Parameters
    ----------
    source : Source
    pair : pair of ndarray
        The records of both classes.
    folds : ndarray of shape (n,)
    mass : ndarray of shape (n,)
        What records weigh.
    fit : callable
        Coefficients and intercept for some records, the first so many of which are of the first class.
    """
    both = np.concatenate(pair)
    own, scores = folds[both], np.empty(len(both))
    for fold in range(_FOLDS):
        held = own == fold
        kept = both[~held]
        first = int(np.count_nonzero(~held[: len(pair[0])]))
        if not held.any():
            continue
        if first == 0 or first == len(kept):  # all that is left is of one class, or nothing is
            scores[held] = 0.0 if not len(kept) else 1.0 if first else -1.0
            continue
        b, intercept = fit(kept, first)
        used = np.flatnonzero(b)
        scores[held] = source.sums(both[held], kept[used], b[used]) + intercept
    model = Platt().fit(scores, np.arange(len(both)) < len(pair[0]), sample_weight=mass[both])
    return model.a, model.b
