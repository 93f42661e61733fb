"""Pr: probabilities, known by their type and never outside of [0, 1]."""

from __future__ import annotations

from typing import Any, NoReturn, Self

import numpy as np

__all__ = ["Pr"]


class Pr(np.ndarray):
    """Probabilities: an array of float32 or float64 whose values lie in [0, 1].

    Targets of this type are probabilities; other floats are values, and ints, strs and bools are labels.
    The values are checked once, when the array is made; from then on it is read-only. Its slices are
    probabilities too; what is computed from it is an ordinary array.

    Parameters
    ----------
    values : float or array-like
        float32 stays float32; everything else becomes float64.

    Raises
    ------
    ValueError
        If a value lies outside of [0, 1] or is NaN; the message says which.

    Examples
    --------
    >>> from clinfa import Pr
    >>> Pr([0.25, 1.0])
    Pr([0.25, 1.  ])
    >>> Pr([0.25, 1.0]) * 2
    array([0.5, 2. ])
    >>> float(Pr.even())
    0.5
    >>> Pr(1.5)
    Traceback (most recent call last):
    ...
    ValueError: A probability lies in [0, 1], got 1.5.
    """

    def __new__(cls, values: Any) -> Self:
        if isinstance(values, cls):
            return values
        given = np.asarray(values)
        if given.dtype.kind not in "biuf":
            raise ValueError(f"Probabilities must be numbers, got an array of dtype {given.dtype}.")
        copied = np.array(given, np.float32 if given.dtype.str[1:] == "f4" else np.float64, order="C")
        good = (copied >= 0) & (copied <= 1)
        if not good.all():
            at = tuple(int(i) for i in np.argwhere(~good)[0])
            where = f" at index {at[0] if len(at) == 1 else at}" if at else ""
            raise ValueError(f"A probability lies in [0, 1], got {copied[at]}{where}.")
        copied.flags.writeable = False
        return copied.view(cls)

    @classmethod
    def even(cls) -> Self:
        """One half."""
        return cls(0.5)

    # What is computed from probabilities need not be one. (Indexing and reshaping yield probabilities.)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **how: Any) -> Any:
        if any(isinstance(out, Pr) for out in how.get("out", ())):
            self._refuse()
        return getattr(ufunc, method)(*(_plain(value) for value in inputs), **how)

    def __array_function__(self, function: Any, types: Any, args: Any, how: Any) -> Any:
        return function(*_each_plain(args), **_each_plain(how))

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        self._refuse()

    def copy(self, order: Any = "C") -> np.ndarray:  # type: ignore[override]
        """The values as an ordinary array, which may be written to."""
        return np.array(np.asarray(self), order=order)

    def astype(self, dtype: Any, *args: Any, **how: Any) -> np.ndarray:  # type: ignore[override]
        """The values in another type, as an ordinary array."""
        return np.asarray(self).astype(dtype, *args, **how)

    def _refuse(self) -> NoReturn:
        raise ValueError("Probabilities are read-only; .copy() gives an ordinary array.")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple:
        return Pr, (np.asarray(self),)


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, Pr) else value


def _each_plain(part: Any) -> Any:
    if isinstance(part, tuple | list):
        return type(part)(_each_plain(value) for value in part)
    if isinstance(part, dict):
        return {key: _each_plain(value) for key, value in part.items()}
    return _plain(part)
