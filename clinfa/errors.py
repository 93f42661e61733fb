"""The exceptions and warnings of clinfa, and how they meet scikit-learn's of the same names.

Code that catches `sklearn.exceptions.NotFittedError` has imported scikit-learn. So whenever that module
is loaded, what we raise is a subclass of both classes, and nothing of scikit-learn is ever imported here.
"""

from __future__ import annotations

import sys
from functools import cache

__all__ = [
    "ConvergenceWarning",
    "DataConversionWarning",
    "DataDimensionalityWarning",
    "InvalidParameterError",
    "NotFittedError",
    "UndefinedMetricWarning",
    "outside",
    "twin",
]


class NotFittedError(ValueError, AttributeError):
    """An estimator was used before `fit`."""


class InvalidParameterError(ValueError, TypeError):
    """A parameter has a value that is not allowed."""


class ConvergenceWarning(UserWarning):
    """An algorithm stopped before it got where it was asked to go."""


class DataConversionWarning(UserWarning):
    """Data were understood, but not in the form in which they came."""


class DataDimensionalityWarning(UserWarning):
    """The dimensions of the data do not fit what is to be done with them."""


class UndefinedMetricWarning(UserWarning):
    """A metric has no value on these data; the one returned is a convention."""


def outside() -> int:
    """The `stacklevel` at which a warning of the calling function points to who called clinfa."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "clinfa":
        level, frame = level + 1, frame.f_back
    return level


def twin(cls: type) -> type:
    """The class to raise for `cls`: a subclass of scikit-learn's too, where that is loaded."""
    theirs = getattr(sys.modules.get("sklearn.exceptions"), cls.__name__, None)
    return cls if theirs is None else _both(cls, theirs)


@cache
def _both(ours: type, theirs: type) -> type:
    body = {
        "__module__": ours.__module__,
        "__doc__": ours.__doc__,
        "__reduce__": lambda self: (_rebuild, (ours, self.args)),
    }
    return type(ours.__name__, (ours, theirs), body)


def _rebuild(cls: type, args: tuple) -> BaseException:
    """A twin has no name that pickle could find it by; its class of ours does."""
    return twin(cls)(*args)
