"""From one function for each pair of classes to scores and probabilities of the classes."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np

from clinfa.blas import one_thread
from clinfa.linalg._blocks import combined

__all__ = ["class_scores", "coupled", "of_pairs", "pair_list", "pairs_of", "winners"]


@lru_cache(maxsize=8)
def pairs_of(k: int) -> tuple[np.ndarray, np.ndarray]:
    """The first and the second class of each pair, in scikit-learn's order; read-only."""
    first, second = np.triu_indices(k, 1)
    first.flags.writeable = second.flags.writeable = False
    return first, second


@lru_cache(maxsize=8)
def pair_list(k: int) -> tuple[tuple[int, int], ...]:
    """The same, pair by pair."""
    return tuple(combinations(range(k), 2))


def of_pairs(sums: list[np.ndarray], intercept: np.ndarray) -> np.ndarray:
    """The functions of all pairs from what the support vectors of each class add to those of its pairs.

    Parameters
    ----------
    sums : list of ndarray of shape (n, k - 1)
        For each class, its part in the pairs with the other classes, in their order.
    intercept : ndarray of shape (pairs,)

    Returns
    -------
    ndarray of shape (n, pairs)
        Above zero for the first class of the pair.
    """
    first, second = pairs_of(len(sums))
    every = np.stack(sums)
    return every[first, :, second - 1].T + every[second, :, first].T + intercept


def _signs(k: int) -> np.ndarray:
    """For each pair, +1 for its first class and -1 for its second."""
    first, second = pairs_of(k)
    out = np.zeros((len(first), k))
    out[np.arange(len(first)), first] = 1
    out[np.arange(len(first)), second] = -1
    return out


def _votes(decisions: np.ndarray, k: int) -> np.ndarray:
    won, signs = (decisions > 0).astype(np.float64, order="C"), _signs(k)
    return combined(won, signs) + (signs < 0).sum(axis=0)


def winners(decisions: np.ndarray, k: int) -> np.ndarray:
    """The class that wins most pairs; of equally many the first."""
    return _votes(decisions, k).argmax(axis=1)


def class_scores(decisions: np.ndarray, k: int) -> np.ndarray:
    """Votes, and less than half a vote for how clearly they were won: shape (n, k)."""
    total = combined(decisions.astype(np.float64, copy=False), _signs(k))
    # (A third keeps the sum of confidences from making up for a vote.)
    return _votes(decisions, k) + total / (3 * (np.abs(total) + 1))


@one_thread()
def coupled(pairwise: np.ndarray) -> np.ndarray:
    """Probabilities of the classes that agree best with those within each pair [1]_.

    Parameters
    ----------
    pairwise : ndarray of shape (n, k, k)
        ``pairwise[:, i, j]`` is the probability of class i where it is i or j.

    Returns
    -------
    ndarray of shape (n, k)

    References
    ----------
    .. [1] Ting-Fan Wu, Chih-Jen Lin and Ruby C. Weng, Probability estimates for multi-class classification by
       pairwise coupling, JMLR 5, 2004: the second method, whose minimum solves one linear system.
    """
    n, k, _ = pairwise.shape
    r = np.clip(pairwise, 1e-7, 1 - 1e-7)
    r[:, np.arange(k), np.arange(k)] = 0
    system = np.zeros((n, k + 1, k + 1))
    system[:, :k, :k] = -np.swapaxes(r, 1, 2) * r
    system[:, np.arange(k), np.arange(k)] = np.square(r).sum(axis=1)
    system[:, :k, k] = system[:, k, :k] = 1
    right = np.zeros((n, k + 1, 1))
    right[:, k] = 1
    p = np.clip(np.linalg.solve(system, right)[:, :k, 0], 0, 1)
    return p / p.sum(axis=1, keepdims=True)
