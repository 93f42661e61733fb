"""Rows, weights and centres for the kernels: exact ones and such as in life."""

from dataclasses import dataclass, field

import numpy as np

from tests.kernels import twins

REALS = [np.float32, np.float64]
INDICES = [np.int32, np.int64]
# Around every boundary: 2 or 4 features are transposed at once, 4 or 6 centres make a group, and
# 8, 16, 32 or 64 points a tile.
FEATURES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64, 100]
CENTRES = [1, 2, 5, 6, 7, 12, 13, 25, 64]
ROWS = [1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 127, 129, 1000]
WEIGHTS = ["none", "ones", "zeros", "fractions"]
NO_WEIGHTS = np.empty(0)


def read_only(*arrays):
    for array in arrays:
        array.flags.writeable = False
    return arrays if len(arrays) > 1 else arrays[0]


def weights_of(kind, n, rng):
    if kind == "none":
        return NO_WEIGHTS
    if kind == "ones":
        return np.ones(n)
    if kind == "zeros":
        w = rng.integers(0, 3, n).astype(float)
        w[rng.integers(n)] = 1
        return w
    return rng.integers(1, 9, n) / 4  # exact in either type


@dataclass
class Problem:
    """Rows in a frame; read-only, as a user's memory map may be."""

    X: np.ndarray
    shift: np.ndarray
    scale: float
    weights: np.ndarray = field(default_factory=lambda: NO_WEIGHTS)

    def __post_init__(self):
        read_only(self.X, self.shift, self.weights)

    @property
    def Y(self):
        """The points themselves, without the rounding that the frame of a float32 brings."""
        return twins.enter(self.X, self.shift, self.scale)

    @property
    def points(self):
        """The points as kernels hold them."""
        return ((self.X - self.shift) * self.X.dtype.type(self.scale)).astype(self.X.dtype)

    @property
    def noise(self):
        return noise(self.X.dtype, self.X.shape[1])


def noise(dtype, d):
    return (d + 8) * float(np.finfo(dtype).eps) / 2


def whole_numbers(n, d, dtype, rng, weights="none", reach=4):
    """Points with whole coordinates: sums and products are exact in either type."""
    shift = rng.integers(-8, 9, d).astype(dtype)
    X = (rng.integers(-reach, reach + 1, (n, d)) * 2 + shift).astype(dtype)
    return Problem(X, shift, 0.5, weights_of(weights, n, rng))


def real_numbers(n, d, dtype, rng, weights="none", centre=3.0):
    """Points in general position, off the origin."""
    X = (rng.standard_normal((n, d)) + centre).astype(dtype)
    return Problem(X, np.full(d, centre, dtype), 0.25, weights_of(weights, n, rng))


def whole_centres(k, d, dtype, rng, reach=4):
    return rng.integers(-reach, reach + 1, (k, d)).astype(dtype)


@dataclass
class Csr:
    """The same rows as a dense problem without shift, their non-zero values stored."""

    p: Problem
    index: type = np.int32
    explicit_zeros: bool = False

    def __post_init__(self):
        X = self.p.X
        assert not self.p.shift.any()
        stored = (X != 0) | (self.explicit_zeros & (np.arange(X.size).reshape(X.shape) % 3 == 0))
        self.data = np.append(X[stored], X.dtype.type(np.nan))  # what lies behind the last row is nobody's
        self.indices = np.append(np.nonzero(stored)[1], -7).astype(self.index)
        self.indptr = np.concatenate([[0], np.cumsum(stored.sum(axis=1))]).astype(self.index)
        self.weights = self.p.weights
        read_only(self.data, self.indices, self.indptr)

    @property
    def arrays(self):
        return self.data, self.indices, self.indptr
