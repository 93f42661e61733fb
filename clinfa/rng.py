"""Random numbers: seeds, and draws in the space of weights.

A row of weight 2 and a row that stands there twice must lead to the same model, in whatever order rows
come. So rows are drawn along a canonical order that depends on what they contain, by their cumulative
weight in that order, never by their number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clinfa._core import seeding

__all__ = ["WeightedRows", "check_random_state", "generator", "seeds"]


def check_random_state(seed: object) -> np.random.RandomState:
    """A RandomState from any seed.

    None is NumPy's own, which `numpy.random.seed` seeds; an int seeds a new one; a RandomState is itself;
    a Generator seeds a new one.

    Raises
    ------
    ValueError
        If `seed` is none of those.

    Examples
    --------
    >>> from clinfa.rng import check_random_state
    >>> int(check_random_state(0).randint(100))
    44
    """
    if seed is None:
        return np.random.mtrand._rand  # the one that np.random.seed seeds, as scikit-learn
    if isinstance(seed, np.random.RandomState):
        return seed
    if isinstance(seed, np.random.Generator):
        return np.random.RandomState(seed.integers(0, 2**32, dtype=np.uint32))
    if _is_seed(seed):
        return np.random.RandomState(int(seed))
    raise ValueError(
        f"random_state must be None, an int in [0, 4294967295], a numpy RandomState or a numpy Generator. "
        f"Got {seed!r} instead."
    )


def _is_seed(seed: object) -> bool:
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    return whole and 0 <= seed <= 0xFFFFFFFF


def generator(seed: object) -> np.random.Generator | np.random.RandomState:
    """What our own algorithms draw from: `seed` itself where it is a generator of either kind.

    An int seeds a PCG64, which costs a tenth of what seeding a RandomState does; a fit on a small table
    would feel the difference.
    """
    if _is_seed(seed):
        return np.random.Generator(np.random.PCG64(int(seed)))
    return seed if isinstance(seed, np.random.Generator) else check_random_state(seed)


def seeds(source: np.random.Generator | np.random.RandomState, count: int) -> np.ndarray:
    """So many seeds for what draws by itself: shape (count,), uint64."""
    if isinstance(source, np.random.Generator):
        return source.integers(2**63, size=count).astype(np.uint64)
    return source.randint(2**63 - 1, size=count, dtype=np.int64).astype(np.uint64)


_ONES = np.empty(0)


class WeightedRows:
    """Draws rows with probability proportional to a weight that may change between draws.

    Rows stand in canonical order in buckets of a few hundred. Whoever changes the weights keeps the
    mass of each bucket (one pass in order of memory), so that a draw looks into one bucket only.

    Parameters
    ----------
    keys : ndarray of shape (n,), uint64
        Equal for equal rows.
    """

    SIZE = 256

    def __init__(self, keys: np.ndarray):
        n = len(keys)
        self.order = np.argsort(keys, kind="stable" if n < 2048 else None)
        self.buckets = -(-n // self.SIZE)
        self.bucket = np.empty(n, np.int32)
        if self.buckets == 1:
            self.bucket.fill(0)
        else:
            ranks = np.arange(n) // self.SIZE
            self.bucket[self.order] = ranks.astype(np.int32)

    def mass(self, weights: np.ndarray) -> np.ndarray:
        """The mass of every bucket under `weights`."""
        if not len(weights):
            sizes = np.full(self.buckets, float(self.SIZE))
            sizes[-1] = len(self.order) - self.SIZE * (self.buckets - 1)
            return sizes
        return np.bincount(self.bucket, weights, self.buckets)

    def draw(
        self,
        mass: np.ndarray,
        uniforms: np.ndarray,
        weights: np.ndarray = _ONES,
        factor: np.ndarray = _ONES,
    ) -> np.ndarray:
        """One row for each number in [0, 1).

        Parameters
        ----------
        mass : ndarray of shape (buckets,)
        uniforms : ndarray of shape (m,)
        weights, factor : ndarray of shape (n,)
            The weight of a row is the product of the two; an empty array stands for ones.

        Returns
        -------
        ndarray of shape (m,), int64
        """
        ends = np.cumsum(mass)
        out = np.empty(len(uniforms), np.int64)
        seeding.draw_rows(self.order, self.SIZE, ends, uniforms * ends[-1], weights, factor, out)
        return out

    def sampler(self, weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """A function from numbers in [0, 1) to rows, for many draws with the same weights."""
        order, n = self.order, len(self.order)
        if not len(weights):
            return lambda uniforms: order[(uniforms * n).astype(np.int64)]
        ends = np.cumsum(weights[order])
        last = int(np.searchsorted(ends, ends[-1], side="left"))
        return lambda uniforms: order[
            np.minimum(np.searchsorted(ends, uniforms * ends[-1], side="right"), last)
        ]
