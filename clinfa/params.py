"""Parameters: declared once, checked at `fit`, never changed.

A rule says what is allowed. Rules are joined by ``|``; each knows how to say itself in an error:

>>> from clinfa.params import at_least, one_of
>>> rule = at_least(1) | one_of("auto")
>>> rule.words
"an int >= 1 or 'auto'"
>>> rule.allows(0)
False
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from clinfa.errors import InvalidParameterError, twin

__all__ = [
    "Rule",
    "at_least",
    "between",
    "boolean",
    "fitted",
    "function",
    "instance",
    "matrix",
    "none",
    "one_of",
    "param",
    "positive",
    "seed",
    "vector",
]


class Rule:
    """What a parameter may be: a test and the words for it."""

    __slots__ = ("allows", "words")

    def __init__(self, words: str, allows: Callable[[Any], bool]):
        self.words = words
        self.allows = allows

    def __or__(self, other: Rule) -> Rule:
        mine, theirs = self.allows, other.allows
        return Rule(f"{self.words} or {other.words}", lambda v: mine(v) or theirs(v))

    def check(self, name: str, value: Any, owner: str) -> None:
        """Raise if `value` is not allowed for the parameter `name` of `owner`."""
        if not self.allows(value):
            raise twin(InvalidParameterError)(
                f"The {name!r} parameter of {owner} must be {self.words}. Got {shown(value)} instead."
            )


def shown(value: Any) -> str:
    """A value in an error message: whole where it is short, else what it is."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    try:
        text = repr(value)
    except Exception:  # an int of 5000 digits, a broken __repr__: the message must still come out
        return f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_int(value: Any) -> bool:
    return type(value) is int or (
        isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    )


def _is_real(value: Any) -> bool:
    return type(value) is float or (
        isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    )


def _has_float(value: Any) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


def at_least(low: int) -> Rule:
    """An int not below `low`."""
    return Rule(f"an int >= {low}", lambda v: _is_int(v) and v >= low)


def between(low: float, high: float = math.inf, *, closed: str = "both") -> Rule:
    """A real number in an interval; `closed` is "both", "left", "right" or "neither"."""
    left, right = closed in ("both", "left"), closed in ("both", "right") and high < math.inf
    words = f"a float in {'[' if left else '('}{low:g}, {high:g}{']' if right else ')'}"

    def inside(v: Any) -> bool:
        return (
            _is_real(v)
            and _has_float(v)
            and (v >= low if left else v > low)
            and (v <= high if right else v < high)
        )

    return Rule(words, inside)


def positive() -> Rule:
    """A finite real number above zero."""
    return between(0, closed="neither")


def one_of(*choices: str) -> Rule:
    """One of some strings."""
    words = ", ".join(map(repr, choices[:-1]))
    words = f"{words} or {choices[-1]!r}" if words else repr(choices[-1])
    return Rule(words, lambda v: isinstance(v, str) and v in choices)


def none() -> Rule:
    return Rule("None", lambda v: v is None)


def boolean() -> Rule:
    return Rule("a bool", lambda v: v is True or v is False or isinstance(v, np.bool_))


def function() -> Rule:
    return Rule("a callable", callable)


def matrix() -> Rule:
    """Something like a 2-D array; its shape is checked against the data at `fit`."""
    return Rule(
        "an array-like of shape (n_clusters, n_features)",
        lambda v: hasattr(v, "__array__") or isinstance(v, list | tuple) or hasattr(v, "tocsr"),
    )


def vector(size: str) -> Rule:
    """Something like a 1-D array; its length is checked against the data at `fit`."""
    return Rule(
        f"an array-like of shape ({size},)",
        lambda v: hasattr(v, "__array__") or isinstance(v, list | tuple),
    )


def instance(*classes: type) -> Rule:
    return Rule(" or ".join(c.__name__ for c in classes), lambda v: isinstance(v, classes))


def seed() -> Rule:
    """None, an int, a RandomState or a Generator."""
    return Rule(
        "None, an int in [0, 4294967295], a numpy RandomState or a numpy Generator",
        lambda v: (
            v is None
            or (_is_int(v) and 0 <= v <= 0xFFFFFFFF)
            or isinstance(v, np.random.RandomState | np.random.Generator)
        ),
    )


def verbosity() -> Rule:
    return Rule("an int >= 0 or a bool", lambda v: isinstance(v, numbers.Integral | np.bool_) and v >= 0)


def fitted() -> Any:
    """A field that `fit` sets: declared for readers and editors, no part of the constructor."""
    return dataclasses.field(init=False)


def param(default: Any, rule: Rule, *, positional: bool = False) -> Any:
    """A field of an estimator: its default, and what it may be.

    Stored untouched, checked at `fit`. Only `positional` ones may be given without their name.
    """
    return dataclasses.field(default=default, kw_only=not positional, metadata={"rule": rule})
