"""What loaders and generators share: checks of arguments, and one shuffle.

Each check returns a plain value; its error names the argument, what is allowed and what was given.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# a string, because naming the classes would load numpy.random (14 ms), which no loader needs
Seed: TypeAlias = "int | np.random.RandomState | np.random.Generator | None"


def flag(name: str, value: Any) -> bool:
    """`value` as a bool; 0 and 1 are refused, as in scikit-learn."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as an int in [low, high]; a bool is not an integer here."""
    allowed = f"an integer >= {low}" if high is None else f"an integer in [{low}, {high}]"
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be {allowed}, got {value!r}.")
    number = int(value)
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name} must be {allowed}, got {number}.")
    return number


def real(name: str, value: Any, low: float = -math.inf, high: float = math.inf, *, ends: str = "[]") -> float:
    """`value` as a finite float in the interval; `ends` are its brackets, "[]" or "(]" ..."""
    if high < math.inf:
        allowed = f"a number in {ends[0]}{low}, {high}{ends[1]}"
    elif low > -math.inf:
        allowed = f"a finite number {'>=' if ends[0] == '[' else '>'} {low}"
    else:
        allowed = "a finite number"
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be {allowed}, got {value!r}.")
    number = float(value)
    above = number >= low if ends[0] == "[" else number > low
    below = number <= high if ends[1] == "]" else number < high
    if not (math.isfinite(number) and above and below):
        raise ValueError(f"{name} must be {allowed}, got {number!r}.")
    return number


def finite(name: str, value: Any, ndim: int) -> Floats:
    """`value` as a float64 array of `ndim` axes without NaN or infinity."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold numbers, got {value!r}.") from error
    if array.ndim != ndim:
        raise ValueError(f"{name} must be {ndim}-dimensional, got {array.ndim} dimension(s).")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity.")
    return array


def per_item(name: str, value: Any, count: int, item: str, low: float = -math.inf) -> Floats:
    """`value`, one number or `count` of them, as `count` finite float64 >= low."""
    if isinstance(value, Real):
        return np.full(count, real(name, value, low))
    array = finite(name, value, 1)
    if len(array) != count:
        raise ValueError(f"{name} must have one entry per {item}, got {len(array)} for {count}.")
    if (array < low).any():
        raise ValueError(f"{name} must be >= {low} throughout, got {array.min()!s}.")
    return array


def shuffled(rng: np.random.RandomState, X: Floats, y: NDArray[Any]) -> tuple[Floats, NDArray[Any]]:
    """Rows of both in one random order, as C-contiguous copies."""
    order = rng.permutation(len(X))
    return np.take(X, order, axis=0), np.take(y, order, axis=0)
