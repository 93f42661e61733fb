"""Ranks of the values of every column: all that growing a tree needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import ranks
from clinfa.threads import stripes

__all__ = ["Ranks"]

_VALUE_NS = 20.0  # sorting, by value


@dataclass(frozen=True, slots=True)
class Ranks:
    """Integer codes of the values of every column, in order.

    Attributes
    ----------
    X : ndarray of shape (n, d)
        The values.
    codes : ndarray of shape (d, n) or (d + outputs, n), uint16 or uint32
        0 for the least value of a column; NaN has the code that is the number of values. For absolute errors
        those of the targets follow.
    n_values : ndarray of shape (d,) or (d + outputs,), int64
        Distinct values of each column.
    missing : ndarray of shape (d,), uint8
        Whether a column has NaN.
    values : ndarray of shape (d, n), or None
        The distinct values of each column, for random splits.
    """

    X: np.ndarray
    codes: np.ndarray
    n_values: np.ndarray
    missing: np.ndarray
    values: np.ndarray | None

    @classmethod
    def of(cls, X: np.ndarray, *, y: np.ndarray | None = None, values: bool = False) -> Ranks:
        """Of records of shape (n, d), and of targets of shape (n, outputs) where those matter."""
        n, d = X.shape
        columns = d + (0 if y is None else y.shape[1])
        codes = np.empty((columns, n), np.uint16 if n < 2**16 else np.uint32)
        n_values, missing = np.empty(columns, np.int64), np.empty(columns, np.uint8)
        distinct = np.empty((d, n) if values else (0, 0))
        _rank(X, codes, 0, n_values, missing, distinct)
        if y is not None:
            _rank(y, codes, d, n_values, missing, np.empty((0, 0)))
        if values:  # half-way between two values there has to be a number
            most = np.finfo(np.float64).max
            np.clip(distinct, -most, most, out=distinct)
        return cls(X, codes, n_values, missing[:d], distinct if values else None)

    @property
    def n(self) -> int:
        return len(self.X)

    @property
    def d(self) -> int:
        return self.X.shape[1]


def _rank(
    X: np.ndarray,
    codes: np.ndarray,
    first: int,
    n_values: np.ndarray,
    missing: np.ndarray,
    values: np.ndarray,
) -> None:
    n, d = X.shape
    cut = stripes(d, n * _VALUE_NS)
    rooms = np.empty((cut.width(), ranks.room(n)), np.uint8)
    cut.run(
        lambda cursor, limit, slot: ranks.rank_pass(
            X, codes, first, n_values, missing, values, rooms, cut.bounds, cursor, limit, slot
        )
    )
