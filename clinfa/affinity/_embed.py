"""Spectral embedding of a graph: what the estimator, the function and spectral clustering share."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse

from clinfa.affinity._neighbours import symmetrised
from clinfa.affinity._walk import Spectrum, laplacian_pairs, walk_pairs

__all__ = ["EIGEN_SOLVERS", "asymmetry", "embed", "mean_with_mirror"]

EIGEN_SOLVERS = ("arpack", "lobpcg", "amg")


def embed(
    W: Any,
    k: int,
    solver: str | None,
    tol: float | str,
    random_state: Any,
    *,
    normalised: bool = True,
    order: np.ndarray | None = None,
    stacklevel: int = 5,
) -> Spectrum:
    """The pairs of a symmetric graph of the least eigenvalues of its Laplacian, the constant vector's first.

    `values` are those of the walk where the Laplacian is normalised. Warns where the graph is not connected.
    """
    how = {
        "tol": None if tol == "auto" else float(tol),
        "solver": solver,
        "order": order,
        "random_state": random_state,
    }
    found = walk_pairs(W, k, loops=False, **how) if normalised else laplacian_pairs(W, k, **how)
    if found.components > 1:
        warnings.warn(
            "Graph is not fully connected, spectral embedding may not work as expected.",
            stacklevel=stacklevel,
        )
    return found


def mean_with_mirror(W: Any) -> Any:
    """A matrix, averaged with its transpose where it is not symmetric, with a warning."""
    if asymmetry(W) <= 1e-10:
        return W
    warnings.warn(
        "Array is not symmetric, and will be converted to symmetric by average with its transpose.",
        stacklevel=4,
    )
    return symmetrised(W) if issparse(W) else 0.5 * (W + W.T)


def asymmetry(W: Any) -> float:
    """The greatest difference of an entry and its mirror."""
    if issparse(W):
        return float(abs(W - W.T).max())
    rows = 256  # (at a time, so that nothing of the matrix's size is made)
    return max(
        float(np.abs(W[at : at + rows, at:] - W[at:, at : at + rows].T).max())
        for at in range(0, len(W), rows)
    )
