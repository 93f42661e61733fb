"""The five problems as `solve` takes them.

All have the function ``f(x) = sum of b_i k(x_i, x) + intercept``, and signed coefficients b.
"""

from __future__ import annotations

from itertools import accumulate
from operator import add

import numpy as np

from clinfa.svm._smo import Batch, Problem, Solution

__all__ = [
    "c_classification",
    "c_classifications",
    "eps_regression",
    "novelty",
    "nu_classification",
    "nu_regression",
    "unscaled",
]

_NOTHING = 1e-10  # relative to the thresholds, a margin that rounding made


def c_classification(C: np.ndarray, first: int) -> Problem:
    """Minimise |w|²/2 + the sum of C_i max(0, 1 - y_i f(x_i)).

    Parameters
    ----------
    C : ndarray of shape (n,)
    first : int
        The first so many records are of the class with y = 1, the others of that with y = -1.
    """
    n = len(C)
    y = np.array([1.0, -1.0]).repeat([first, n - first])
    return Problem(*_c_limits(y, C), np.zeros(n), np.arange(n), n)


def c_classifications(C: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> Batch:
    """The same for many pairs of classes, each given by its records; C is of all records."""
    each = [records for pair in pairs for records in pair]
    sizes = [len(records) for records in each]
    records = np.concatenate(each)
    y = np.array([1.0, -1.0] * len(pairs)).repeat(sizes)
    last = list(accumulate(map(add, sizes[::2], sizes[1::2])))
    ends = list(zip([0, *last[:-1]], last, last, strict=True))
    return Batch(records, _c_limits(y, C[records]), np.zeros(len(y)), ends)


def _c_limits(y: np.ndarray, C: np.ndarray) -> np.ndarray:
    """v, low and high."""
    out = np.empty((3, len(y)))
    out[0] = y
    np.multiply(y, C, out=out[1])
    np.maximum(out[1], 0, out=out[2])
    np.minimum(out[1], 0, out=out[1])
    return out


def nu_classification(C: np.ndarray, first: int, nu: float) -> Problem:
    """Minimise |w|²/2 - nu rho + the mean of max(0, rho - y_i f(x_i)), weighted by C.

    `nu` is at most what the classes allow: twice the share of the lighter one.
    """
    n = len(C)
    half = nu * C.sum() / 2
    start = np.concatenate([_filled(C[:first], half), -_filled(C[first:], half)])
    low, high = np.zeros(n), np.zeros(n)
    high[:first], low[first:] = C[:first], -C[first:]
    return Problem(np.zeros(n), low, high, start, np.arange(n), first)


def unscaled(solution: Solution) -> tuple[np.ndarray, float]:
    """Coefficients and intercept of a nu-classification whose margin is one.

    Where the classes cannot be told apart there is no margin, and they stay as they are.
    """
    one, other = solution.thresholds
    margin = (other - one) / 2
    if not abs(margin) > _NOTHING * max(abs(one), abs(other)):
        margin = 1.0
    return solution.b / margin, float((one + other) / 2 / margin)


def novelty(C: np.ndarray, nu: float) -> Problem:
    """Minimise |w|²/2 - rho nu sum(C) + the sum of C_i max(0, rho - w·x_i)."""
    n = len(C)
    return Problem(np.zeros(n), np.zeros(n), C.copy(), _filled(C, nu * C.sum()), np.arange(n), n)


def eps_regression(y: np.ndarray, C: np.ndarray, epsilon: float) -> Problem:
    """Minimise |w|²/2 + the sum of C_i max(0, |y_i - f(x_i)| - epsilon): two variables for each record."""
    n = len(y)
    none = np.zeros(n)
    return Problem(
        np.concatenate([y - epsilon, y + epsilon]),
        np.concatenate([none, -C]),
        np.concatenate([C, none]),
        np.zeros(2 * n),
        np.tile(np.arange(n), 2),
        2 * n,
    )


def nu_regression(y: np.ndarray, C: np.ndarray, nu: float) -> Problem:
    """Minimise |w|²/2 + C (nu epsilon + the mean of max(0, |y_i - f(x_i)| - epsilon)), epsilon being free."""
    n = len(y)
    none, start = np.zeros(n), _filled(C, nu * C.sum() / 2)
    return Problem(
        np.concatenate([y, y]),
        np.concatenate([none, -C]),
        np.concatenate([C, none]),
        np.concatenate([start, -start]),
        np.tile(np.arange(n), 2),
        n,
    )


def _filled(most: np.ndarray, total: float) -> np.ndarray:
    """As much as fits in each place from the first on, until the total is reached."""
    before = np.concatenate([[0.0], np.cumsum(most)[:-1]])
    return np.clip(total - before, 0.0, most)
