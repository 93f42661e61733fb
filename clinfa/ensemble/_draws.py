"""Which rows and columns each model of a bag is fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import Table
from clinfa.params import shown

__all__ = ["Draws"]

_MOST = 1000  # draws per row; a weight above that is no number of repetitions any more
_SEED = 2**31 - 1


@dataclass(frozen=True)
class Draws:
    """A plan of what is drawn; a seed makes a draw of it.

    Rows are drawn along an order that depends on what they and their targets contain, by their cumulative
    weight, so that a row of weight 2 and one that stands there twice lead to the same models.

    Attributes
    ----------
    n : int
        Rows.
    order : ndarray of shape (m,)
        The rows that weigh anything.
    ends : ndarray of shape (m,) or (0,)
        Their weights added up in that order; empty where all weigh one.
    factors : ndarray of shape (n,) or (0,)
        Weights that a drawn row takes along.
    size : int
        How many rows to draw.
    replace : bool
    d, columns : int
        How many columns there are, and how many of them to draw.
    replace_columns : bool
    """

    n: int
    order: np.ndarray
    ends: np.ndarray
    factors: np.ndarray
    size: int
    replace: bool
    d: int
    columns: int
    replace_columns: bool

    @classmethod
    def planned(
        cls,
        table: Table,
        y: np.ndarray,
        weights: np.ndarray,
        *,
        max_samples: Any,
        replace: bool,
        **columns: Any,
    ) -> Draws:
        """Count what there is to draw from.

        Weights that are all whole are numbers of repetitions, of which there are as many rows as their sum;
        of others there are as many as there are rows that weigh anything.

        Raises
        ------
        ValueError
            If more is asked for than there is.
        """
        order, ends, factors = np.arange(table.n), np.empty(0), np.empty(0)
        total = table.n
        keys = table.keys() ^ _keys(y) * np.uint64(0x9E3779B97F4A7C15)
        if len(weights):
            order = np.flatnonzero(weights)
            some = weights[order]
            total = len(order)
            # (Small ones first: a sum out of range is no number of rows.)
            whole = some.max() <= _MOST * total and (some == np.rint(some)).all()
            if whole and some.sum() <= _MOST * total:
                total = int(some.sum())
            elif not replace:
                factors = weights
        order = order[np.argsort(keys[order], kind="stable")]
        if len(weights) and not len(factors):
            ends = np.cumsum(weights[order] / (1.0 if total > len(order) else weights.max()))
        size = total
        if max_samples is not None:
            given = float(max_samples) if not isinstance(max_samples, int | np.integer) else None
            size = int(max_samples) if given is None else max(1, int(round(given * total, 9)))
        if not replace and size > total:
            raise ValueError(
                f"Effective max_samples={shown(size)} must be <= n_samples={total} to be able to sample "
                f"without replacement."
            )
        if size > _MOST * total:
            raise ValueError(f"max_samples must be <= {_MOST} * n_samples, got {shown(size)} of {total}.")
        return cls(table.n, order, ends, factors, size, replace, **columns)

    def of(self, seed: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, int]:
        """How often each row is drawn, which columns are, and a seed for the model itself.

        Returns
        -------
        counts : ndarray of shape (n,)
            The weights that a model is to be fitted with.
        columns : ndarray of shape (columns,)
        seed : int
        """
        rng = np.random.Generator(np.random.PCG64(seed))
        own = int(rng.integers(_SEED))
        which = self._columns(rng)
        if len(self.factors):
            counts = np.zeros(self.n)
            drawn = self.order[rng.permutation(len(self.order))[: self.size]]
            counts[drawn] = self.factors[drawn]
            return counts, which, own
        if self.replace:
            u = rng.random(self.size)
            at = u * (self.ends[-1] if len(self.ends) else len(self.order))
        else:
            at = rng.permutation(int(self.ends[-1]) if len(self.ends) else len(self.order))[: self.size]
        if len(self.ends):
            place = np.minimum(np.searchsorted(self.ends, at, side="right"), len(self.order) - 1)
        else:
            place = at.astype(np.int64, copy=False)
        return np.bincount(self.order[place], minlength=self.n).astype(np.float64), which, own

    def _columns(self, rng: np.random.Generator) -> np.ndarray:
        if self.replace_columns:
            return rng.integers(self.d, size=self.columns)
        if self.columns == self.d:
            return np.arange(self.d)
        return np.sort(rng.permutation(self.d)[: self.columns])


def _keys(y: np.ndarray) -> np.ndarray:
    """A number for each target, equal for equal ones."""
    columns = np.ascontiguousarray(y.reshape(len(y), -1), np.float64)
    return Table(columns).keys()
