"""Brute force for the tree: feature by feature in double, every step rounded, as the kernels promise."""

import math
from functools import lru_cache

import numpy as np

_power = np.frompyfunc(math.pow, 2, 1)  # the C library's, which the kernels call too
CASES = [
    ("euclidean", 2.0),
    ("sqeuclidean", 2.0),
    ("manhattan", 2.0),
    ("chebyshev", 2.0),
    ("minkowski", 1.0),
    ("minkowski", 3.0),
]


@lru_cache(1)  # tests ask for several numbers of neighbours, and radii, of the same points
def _reduced(q, x, d, metric, p):
    Q, X = (np.frombuffer(data).reshape(-1, d) for data in (q, x))
    total = np.zeros((len(Q), len(X)))
    for q, x in zip(Q.T, X.T, strict=True):
        t = abs(x[None] - q[:, None])
        if metric in ("euclidean", "sqeuclidean"):
            total += t * t
        elif metric == "manhattan":
            total += t
        elif metric == "chebyshev":
            total = np.maximum(total, t)
        else:
            total += _power(t, p).astype(float)
    total.setflags(write=False)
    return total, np.argsort(total, axis=1, kind="stable")


def _ordered(Q, X, metric, p):
    """Reduced distances, and the points in the order of theirs: both of shape (len(Q), len(X))."""
    return _reduced(Q.astype(float).tobytes(), X.astype(float).tobytes(), X.shape[1], metric, p)


def reduced(Q, X, metric, p):
    """Reduced distances: shape (len(Q), len(X))."""
    return _ordered(Q, X, metric, p)[0]


def root(far, metric, p):
    return np.sqrt(far) if metric == "euclidean" else far ** (1 / p) if metric == "minkowski" else far


def nearest(Q, X, k, metric="euclidean", p=2.0):
    far, order = _ordered(Q, X, metric, p)
    rows = order[:, :k]
    return root(np.take_along_axis(far, rows, 1), metric, p), rows


def within(Q, X, radius, metric="euclidean", p=2.0):
    """Which points are within reach: shape (len(Q), len(X)), bool."""
    most = {"euclidean": radius * radius, "minkowski": np.float64(radius) ** p}.get(metric, radius)
    return reduced(Q, X, metric, p) <= np.reshape(most, (-1, 1))
