"""Which rows and columns each model of a bag is fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa.growing.bags import Bags
from clinfa.params import shown

__all__ = ["Draws"]

_SEED = 2**31 - 1


@dataclass(frozen=True)
class Draws:
    """A plan of what is drawn; a seed makes a draw of it.

    Attributes
    ----------
    bags : Bags
        Of the rows.
    weights : ndarray of shape (n,) or (0,)
        Of the rows.
    replace : bool
        Whether a row may be drawn more than once.
    d, columns : int
        How many columns there are, and how many of them to draw.
    replace_columns : bool
        Whether a column may be.
    """

    bags: Bags
    weights: np.ndarray
    replace: bool
    d: int
    columns: int
    replace_columns: bool

    def __post_init__(self) -> None:
        bags = self.bags
        if not self.replace and bags.size > bags.total:
            raise ValueError(
                f"Effective max_samples={shown(bags.size)} must be <= n_samples={bags.total} to be able to "
                f"sample without replacement."
            )

    @property
    def along(self) -> bool:
        """Whether a row that is drawn takes its weight along: one that says how likely it is has done so."""
        return not (self.replace or self.bags.whole)

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
        if self.replace:
            return self.bags.counts(int(rng.integers(2**63))).astype(np.float64), which, own
        counts = self._once(rng)
        return counts * self.weights if self.along else counts, which, own

    def _once(self, rng: np.random.Generator) -> np.ndarray:
        """How often each row is drawn, of which none, or no repetition of one, is twice."""
        bags = self.bags
        drawn = rng.permutation(bags.total)[: bags.size]
        if bags.whole and len(bags.ends):
            drawn = np.searchsorted(bags.ends, drawn, side="right")
        return np.bincount(bags.order[drawn], minlength=bags.n).astype(np.float64)

    def _columns(self, rng: np.random.Generator) -> np.ndarray:
        if self.replace_columns:
            return rng.integers(self.d, size=self.columns)
        if self.columns == self.d:
            return np.arange(self.d)
        return np.sort(rng.permutation(self.d)[: self.columns])
