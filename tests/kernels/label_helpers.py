"""The calls of the kernels in `clinfa._core.labels`, as in `helpers`."""

import numpy as np

from clinfa._core import labels
from tests.kernels.helpers import cut, run


def label_range(y, stripes=1):
    """Least and greatest by stripe: (stripes, 2)."""
    bounds = cut(len(y), stripes)
    out = np.full((len(bounds) - 1, 2), 77, y.dtype)
    run(lambda cursor, limit: labels.range_pass(y, bounds, cursor, limit, out), bounds)
    return out


def seen(y, low, width, stripes=1):
    bounds, out = cut(len(y), stripes), np.zeros(width, np.uint8)
    run(lambda cursor, limit: labels.seen_pass(y, low % 2**64, bounds, cursor, limit, out), bounds)
    return out


def codes(y, low, tables, stripes=1):
    """Codes, where stripes take turns with the tables, and the table of each row."""
    bounds, out = cut(len(y), stripes), np.full(len(y), 77)
    which = np.arange(len(bounds) - 1) % len(tables)
    run(
        lambda cursor, limit: labels.codes_pass(y, low % 2**64, tables, which, bounds, cursor, limit, out),
        bounds,
    )
    return out, np.repeat(which, np.diff(bounds))


def pairs(a, b, low, width, stripes=1):
    bounds, out = cut(len(a), stripes), np.zeros(width * width, np.int64)
    run(
        lambda cursor, limit: labels.pairs_pass(a, b, low % 2**64, width, bounds, cursor, limit, out),
        bounds,
    )
    return out


def sums(a, b, weights, low, width, stripes=1):
    """Sums of weights by stripe, with five places to spare: (stripes, width * width + 5)."""
    bounds = cut(len(a), stripes)
    out = np.zeros((len(bounds) - 1, width * width + 5))
    run(
        lambda cursor, limit: labels.sums_pass(a, b, weights, low % 2**64, width, bounds, cursor, limit, out),
        bounds,
    )
    return out


def numbers(rows, stripes, most, size, slot=5):
    """How many, the row where each was met first, the slot of each stripe, and the number of each row."""
    bounds = cut(len(rows), stripes)
    table, firsts = np.zeros(size, np.int32), np.full(most, -1)
    found, owner = np.zeros(1, np.int64), np.full(len(bounds) - 1, -1)
    out = np.full(len(rows), -1)
    run(
        lambda cursor, limit: labels.number_pass(
            rows, bounds, cursor, limit, slot, table, firsts, found, owner, out
        ),
        bounds,
    )
    return found[0], firsts, owner, out
