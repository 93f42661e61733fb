"""Brute force for the tree: feature by feature in double, every step rounded, as the kernels promise."""

import math

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


def reduced(Q, X, metric, p):
    """Reduced distances: shape (len(Q), len(X))."""
    total = np.zeros((len(Q), len(X)))
    for q, x in zip(Q.astype(float).T, X.astype(float).T, strict=True):
        t = abs(x[None] - q[:, None])
        if metric in ("euclidean", "sqeuclidean"):
            total += t * t
        elif metric == "manhattan":
            total += t
        elif metric == "chebyshev":
            total = np.maximum(total, t)
        else:
            total += _power(t, p).astype(float)
    return total


def root(far, metric, p):
    return np.sqrt(far) if metric == "euclidean" else far ** (1 / p) if metric == "minkowski" else far


def nearest(Q, X, k, metric="euclidean", p=2.0):
    far = reduced(Q, X, metric, p)
    rows = np.argsort(far, axis=1, kind="stable")[:, :k]
    return root(np.take_along_axis(far, rows, 1), metric, p), rows


def within(Q, X, radius, metric="euclidean", p=2.0):
    """Which points are within reach: shape (len(Q), len(X)), bool."""
    most = {"euclidean": radius * radius, "minkowski": np.float64(radius) ** p}.get(metric, radius)
    return reduced(Q, X, metric, p) <= np.reshape(most, (-1, 1))
