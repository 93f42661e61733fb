"""Mean and variance of every column in every class, in a frame that keeps them exact.

Each column has a shift and a power of two of its own, so that its values lie within [-1, 1] as
``(x - shift) * 2 ** -exponent``: neither large offsets nor extreme scales cost a digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import naive_bayes
from clinfa.arrays import Table

__all__ = ["ColumnFrame", "Moments"]

_MOST_BYTES = 2**26  # for what the stripes yield


@dataclass(frozen=True, slots=True)
class ColumnFrame:
    """A shift and a power of two for each column."""

    reach: np.ndarray  # (2, d)  least and greatest value that it was made for
    shift: np.ndarray  # (d,)
    exponent: np.ndarray  # (d,)

    @classmethod
    def around(cls, reach: np.ndarray) -> ColumnFrame:
        low, high = reach
        half, middle = high / 2 - low / 2, high / 2 + low / 2
        with np.errstate(over="ignore", invalid="ignore"):
            # Differences to a multiple of a power of two above the width are exact; beyond 2^53 steps every
            # number is one.
            grid = np.ldexp(1.0, np.frexp(half)[1] + 2)
            shift = np.where(np.abs(middle) < 9e15 * grid, np.rint(middle / grid) * grid, middle)
        shift = np.where(half == 0, middle, np.where(half < 1e300, shift, 0.0))
        extent = np.maximum(np.abs(high - shift), np.abs(low - shift))
        exponent = np.maximum(np.frexp(extent)[1], -1020)
        # What is constant here may vary elsewhere, at the scale of the others.
        exponent[extent == 0] = exponent[extent.argmax()] if extent.any() else 0
        return cls(reach, shift, exponent)

    def covering(self, reach: np.ndarray) -> ColumnFrame:
        """A frame for what this one was made for, and more."""
        low, high = np.minimum(self.reach[0], reach[0]), np.maximum(self.reach[1], reach[1])
        return ColumnFrame.around(np.array([low, high]))

    @property
    def scale(self) -> np.ndarray:
        return np.ldexp(1.0, -self.exponent)


@dataclass(frozen=True, slots=True)
class Moments:
    """Weight, mean and sum of squared deviations of each class, in a frame."""

    frame: ColumnFrame
    unit: int  # weights are held as w * 2 ** -unit
    mass: np.ndarray  # (k,)
    mean: np.ndarray  # (k, d)    zero where nothing was seen
    spread: np.ndarray  # (k, d)

    @classmethod
    def of(
        cls, table: Table, codes: np.ndarray, k: int, weights: np.ndarray, frame: ColumnFrame | None = None
    ) -> Moments:
        """Those of some records; `codes` is the class of each."""
        frame = frame or ColumnFrame.around(table.column_range)
        unit = int(np.frexp(weights.max())[1]) if len(weights) else 0
        weights = np.ldexp(weights, -unit)
        d = table.d
        cut = table.stripes(1.2 * d + 8, most=max(1, min(64, _MOST_BYTES // (16 * k * (d + 16)))))
        mass = np.zeros((len(cut), k + 16))
        mean, spread = np.zeros((2, len(cut), k, d + 16))
        scale = frame.scale
        cut.run(
            lambda cursor, limit, slot: naive_bayes.class_moments(
                table.X, codes, weights, frame.shift, scale, cut.bounds, cursor, limit, mass, mean, spread
            )
        )
        return cls(frame, unit, *_combined(mass[:, :k], mean[..., :d], spread[..., :d]))

    def joined(self, other: Moments) -> Moments:
        """Of what both have seen, in the frame of the other."""
        unit = max(self.unit, other.unit)
        old, new = self.frame, other.frame
        step = old.exponent - new.exponent
        mean = np.ldexp(self.mean, step) + np.ldexp(old.shift - new.shift, -new.exponent)
        masses = np.ldexp(self.mass, self.unit - unit), np.ldexp(other.mass, other.unit - unit)
        spreads = (
            np.ldexp(self.spread, 2 * step + self.unit - unit),
            np.ldexp(other.spread, other.unit - unit),
        )
        together = _combined(np.array(masses), np.array([mean, other.mean]), np.array(spreads))
        return Moments(new, unit, *together)

    @property
    def variance(self) -> np.ndarray:
        """Of each class: shape (k, d), in squared units of the frame; zero where nothing was seen."""
        return self.spread / np.where(self.mass > 0, self.mass, 1.0)[:, None]

    @property
    def overall_variance(self) -> np.ndarray:
        """Of all records together: shape (d,)."""
        mass, _, spread = _combined(self.mass[:, None], self.mean[:, None], self.spread[:, None])
        return spread[0] / mass[0]


def _combined(mass: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, ...]:
    """Moments of parts as those of the whole (Chan, Golub & LeVeque 1983): parts along the first axis."""
    if len(mass) == 1:
        return mass[0].copy(), mean[0].copy(), spread[0].copy()
    total = mass.sum(axis=0)
    share = (mass / np.where(total > 0, total, 1.0))[..., None]
    middle = (share * mean).sum(axis=0)
    return total, middle, (spread + mass[..., None] * (mean - middle) ** 2).sum(axis=0)
