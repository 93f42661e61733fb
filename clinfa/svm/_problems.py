"""The five problems as `solve` takes them.

All have the function ``f(x) = sum of b_i k(x_i, x) + intercept``, and signed coefficients b.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    v, low, high = np.ones(n), np.zeros(n), np.zeros(n)
    v[first:], low[first:], high[:first] = -1.0, -C[first:], C[:first]
    return Problem(v, low, high, np.zeros(n), np.arange(n), n)


def c_classifications(C: np.ndarray, ends: list[int], pairs: Iterable[tuple[int, int]]) -> Batch:
    """The same for many pairs of classes, each of which has the records from one of the ends to the next."""
    n = len(C)
    limits, every = np.zeros((2, 3, n)), np.arange(n)
    limits[0, 0], limits[0, 2] = 1.0, C
    limits[1, 0], limits[1, 1] = -1.0, -C
    parts, records, places, begin = [], [], [], 0
    for i, j in pairs:
        one, other = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
        parts += [limits[0, :, one], limits[1, :, other]]
        records += [every[one], every[other]]
        end = begin + (one.stop - one.start) + (other.stop - other.start)
        places.append((begin, end, end))
        begin = end
    return Batch(np.concatenate(records), np.concatenate(parts, axis=1), np.zeros(begin), places)


def nu_classification(C: np.ndarray, first: int, nu: float) -> Problem:
    """Minimise |w|²/2 - nu rho + the mean of max(0, rho - y_i f(x_i)), weighted by C.

    `nu` is at most what the classes allow: twice the share of the lighter one.
    """
    n, half = len(C), nu * C.sum() / 2
    low, high, start = np.zeros(n), np.zeros(n), np.empty(n)
    low[first:], high[:first] = -C[first:], C[:first]
    start[:first] = _filled(high[:first], half)
    start[first:] = -_filled(C[first:], half)
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
    v, low, high = np.empty(2 * n), np.zeros(2 * n), np.zeros(2 * n)
    np.subtract(y, epsilon, out=v[:n])
    np.add(y, epsilon, out=v[n:])
    low[n:], high[:n] = -C, C
    return Problem(v, low, high, np.zeros(2 * n), _twice(n), 2 * n)


def nu_regression(y: np.ndarray, C: np.ndarray, nu: float) -> Problem:
    """Minimise |w|²/2 + C (nu epsilon + the mean of max(0, |y_i - f(x_i)| - epsilon)), epsilon being free."""
    n, start = len(y), _filled(C, nu * C.sum() / 2)
    low, high = np.zeros(2 * n), np.zeros(2 * n)
    low[n:], high[:n] = -C, C
    return Problem(np.concatenate([y, y]), low, high, np.concatenate([start, -start]), _twice(n), n)


def _twice(n: int) -> np.ndarray:
    """The records of two variables each."""
    every = np.arange(n)
    return np.concatenate([every, every])


def _filled(most: np.ndarray, total: float) -> np.ndarray:
    """As much as fits in each place from the first on, until the total is reached."""
    before = most.cumsum()
    before -= most
    return np.minimum(np.maximum(total - before, 0.0), most)
