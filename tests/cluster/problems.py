"""Data, and what is true of every good clustering, by brute force in double."""

import numpy as np
import scipy.sparse as sp

from clinfa.threads import Stripes


def blobs(n=600, d=3, k=6, *, spread=1.0, seed=0, dtype=np.float64):
    """Round groups around random middles; with the default spread they overlap."""
    rng = np.random.default_rng([n, d, k, seed])
    middles = 4 * rng.standard_normal((k, d))
    return (middles[rng.integers(0, k, n)] + spread * rng.standard_normal((n, d))).astype(dtype)


def separate(n=400, d=4, k=6, *, seed=0):
    """Groups far apart, and a row of each: any sound method finds them from there."""
    rng = np.random.default_rng([n, d, k, seed])
    middles = 20.0 * np.arange(k)[:, None] * rng.choice([-1.0, 1.0], (k, d))
    X = middles[np.arange(n) % k] + rng.uniform(-1, 1, (n, d))
    return np.round(X * 256) / 256, np.round(middles)


def whole(n=200, d=3, *, reach=20, seed=0):
    """Whole numbers: sums are exact in any order."""
    return np.random.default_rng([n, d, seed]).integers(-reach, reach + 1, (n, d)).astype(float)


def sparse(n=500, d=30, *, seed=0, dtype=np.float64):
    """CSR in which 8 of 10 values are zero."""
    rng = np.random.default_rng([n, d, seed])
    X = (blobs(n, d, 5, seed=seed) + 3) * (rng.random((n, d)) < 0.2)
    return sp.csr_array(X.astype(dtype))


def start(X, k, seed=0):
    """Different rows of X."""
    rows = np.unique(X, axis=0)
    return rows[np.random.default_rng(seed).permutation(len(rows))[:k]]


def between(X, k, seed=0):
    """Near different rows of X, in general position.

    On a lattice such as iris' tenths, rows would be as far from one row as from another, and
    rounding would decide.
    """
    return start(X, k, seed) + 0.05 * X.std(axis=0) * np.random.default_rng(seed).standard_normal(
        (k, X.shape[1])
    )


def weights(n, seed=0):
    return np.random.default_rng([n, seed]).uniform(0.2, 3.0, n)


def squared(X, centres, dtype=np.float64):
    """Squared distances of all points to all centres, by differences."""
    X = np.asarray(X, dtype)
    return np.stack([((X - c) ** 2).sum(axis=1) for c in np.asarray(centres, dtype)], axis=1)


def inertia(X, centres, w=None):
    return float(
        np.average(squared(X, centres).min(axis=1), weights=w) * (len(X) if w is None else np.sum(w))
    )


def assert_consistent(model, X, w=None, rtol=1e-12):
    """Labels, centres and inertia tell one story: each point is at its nearest centre."""
    distances = squared(X, model.cluster_centers_)
    mine = distances[np.arange(len(X)), model.labels_]
    extent = (np.asarray(X, np.float64) ** 2).sum(axis=1).max()
    assert (mine <= distances.min(axis=1) + rtol * extent).all()
    np.testing.assert_allclose(model.inertia_, inertia(X, model.cluster_centers_, w), rtol=rtol)


def assert_means(model, X, w=None, rtol=1e-12):
    """Each centre is the weighted mean of its points."""
    X = np.asarray(X, np.float64)
    w = np.ones(len(X)) if w is None else w
    for j, centre in enumerate(model.cluster_centers_):
        mine = (model.labels_ == j) & (w > 0)
        assert mine.any()
        np.testing.assert_allclose(centre, np.average(X[mine], axis=0, weights=w[mine]), rtol=rtol, atol=rtol)


def assert_same_bits(one, other):
    for name in ("labels_", "cluster_centers_"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes(), name
    assert one.inertia_ == other.inertia_
    assert one.n_iter_ == other.n_iter_


def count_stripes(monkeypatch):
    """A list that gets the number of stripes of every pass from now on."""
    seen, run = [], Stripes.run

    def spy(self, kernel):
        seen.append(len(self))
        return run(self, kernel)

    monkeypatch.setattr(Stripes, "run", spy)
    return seen
