"""The calls of the kernels in `clinfa._core.columns`, as in `helpers`."""

import numpy as np

from clinfa._core import columns
from tests.kernels.helpers import cut, run


def column_range(X, stripes=1):
    """Least, greatest, and 0 or NaN, of every column by stripe: (stripes, 3, d)."""
    bounds = cut(len(X), stripes)
    out = np.full((len(bounds) - 1, 3, X.shape[1]), np.inf)
    run(lambda cursor, limit: columns.range_pass(X, bounds, cursor, limit, out), bounds)
    return out


def finite(values, stripes=1):
    bounds = cut(len(values), stripes)
    out = np.full(len(bounds) - 1, np.inf)
    run(lambda cursor, limit: columns.finite_pass(values, bounds, cursor, limit, out), bounds)
    return out


def moments(p, stripes=1):
    """Sums of w y and w y^2 by column: (2, d)."""
    bounds = cut(len(p.X), stripes)
    out = np.zeros((len(bounds) - 1, 2, p.X.shape[1] + 16))
    run(
        lambda cursor, limit: columns.moments_pass(
            p.X, p.weights, p.shift, p.scale, bounds, cursor, limit, out
        ),
        bounds,
    )
    return out.sum(axis=0)[:, : p.X.shape[1]]


def keys(X, stripes=1):
    bounds, out = cut(len(X), stripes), np.zeros(len(X), np.uint64)
    run(lambda cursor, limit: columns.keys_pass(X, bounds, cursor, limit, out), bounds)
    return out


def keys_csr(csr, stripes=1):
    n = len(csr.p.X)
    bounds, out = cut(n, stripes), np.zeros(n, np.uint64)
    run(lambda cursor, limit: columns.keys_pass_csr(*csr.arrays, bounds, cursor, limit, out), bounds)
    return out


def kinds(X, targets, C, weights):
    """Rows in order, their kinds, the first of each kind, sums of C and weights, shares; None if unlike."""
    n = len(X)
    places, numbers = np.full((3, n), -7), np.full((3, n), np.nan)
    keys = np.zeros(n, np.uint64)
    count, kinds = columns.kinds_pass(X, targets, C, weights, keys, places, numbers)
    if kinds < 0:
        return None
    return (*places[:2, :count], places[2, :kinds], *numbers[:2, :kinds], numbers[2, :count])


def choose_frame(low, high, dtype):
    """Shift and scale for columns that lie between `low` and `high`."""
    shift = np.full(len(low), np.nan, dtype)
    scale = columns.choose_frame(np.array([low, high], float), shift)
    return shift, scale
