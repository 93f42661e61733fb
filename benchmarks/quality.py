"""The one neutral figure per family, recomputed in float64 for every contender alike."""

import numpy as np
from scipy import sparse


def inertia(X, centres: np.ndarray, labels: np.ndarray | None = None) -> float:
    """Sum of squared distances of rows to their nearest (or labelled) centre, in float64.

    Parameters
    ----------
    X : ndarray or CSR matrix (n, d)
    centres : ndarray (k, d)
    labels : ndarray (n), optional
        Judge this assignment instead of the nearest centre.
    """
    centres = np.asarray(centres, dtype=np.float64)
    if not np.isfinite(centres).all():
        return float("inf")
    half_sq = 0.5 * np.einsum("kd,kd->k", centres, centres)
    rows = max(1, 2**22 // max(centres.shape))
    total = 0.0
    for start in range(0, X.shape[0], rows):
        block = X[start : start + rows].astype(np.float64)
        if labels is None:
            nearest = np.argmin(half_sq - block @ centres.T, axis=1)
        else:
            nearest = labels[start : start + rows]
        if sparse.issparse(block):  # |x|^2 - 2 x.c + |c|^2, each summed exactly enough in float64
            dots = block.multiply(_rows_at(centres, nearest, block)).sum()
            total += (block.data**2).sum() - 2.0 * dots + 2.0 * half_sq[nearest].sum()
        else:  # the difference itself: no cancellation
            block -= centres[nearest]
            total += np.einsum("nd,nd->", block, block)
    return float(total)


def _rows_at(centres: np.ndarray, nearest: np.ndarray, like: sparse.csr_matrix):
    """Centre coordinates where `like` has entries, as a CSR matrix of its pattern."""
    rows = np.repeat(nearest, np.diff(like.indptr))
    return sparse.csr_matrix((centres[rows, like.indices], like.indices, like.indptr), like.shape)
