"""Eigenproblems that are small enough for LAPACK."""

from __future__ import annotations

import numpy as np

from clinfa.blas import one_thread
from clinfa.linalg._blocks import crossed
from clinfa.linalg._result import EigResult
from clinfa.linalg._subspace import Problem

__all__ = ["dense_pairs"]


@one_thread()
def dense_pairs(problem: Problem, k: int, tol: float | None) -> EigResult:
    """k pairs of a problem whose matrices fit in memory.

    Parameters
    ----------
    problem : Problem
    k : int
        At most n less the number of constraints.
    tol : float or None
    """
    from scipy.linalg import LinAlgError, eigh, null_space

    A, B = problem.A.dense(), None if problem.B is None else problem.B.dense()
    n = len(A)
    A = (A + A.T) / 2
    Z = None
    if problem.Y.shape[1]:
        Z = null_space(problem.BY.astype(np.float64).T)
        inner = Z.T @ A @ Z, None if B is None else Z.T @ B @ Z
    else:
        inner = A, B
    m = len(inner[0])
    chosen = (m - k, m - 1) if problem.largest else (0, k - 1)
    try:
        values, vectors = eigh(*inner, subset_by_index=chosen)
    except LinAlgError as error:
        raise ValueError(
            "B must be positive definite, but is singular or has a negative value, to rounding."
        ) from error
    if problem.largest:
        values, vectors = values[::-1], vectors[:, ::-1]
    vectors = np.ascontiguousarray(vectors if Z is None else Z @ vectors)
    R = A @ vectors - (vectors if B is None else B @ vectors) * values
    if Z is not None:  # what constraints push against is no error
        Y, BY = problem.Y.astype(np.float64), problem.BY.astype(np.float64)
        R -= BY @ crossed(Y, R)
    scale = problem.A.scale
    norms = np.linalg.norm(R, axis=0) / scale
    norm = float(np.abs(values).max(initial=0.0)) / scale
    limit = (
        max(n, 10)
        * 1e2
        * np.finfo(problem.A.dtype).eps
        * max(norm, float(np.abs(A).max(initial=0.0)) / scale)
    )
    tol = limit if tol is None else max(tol, limit)
    dtype = problem.A.dtype
    return EigResult(
        (values / scale).astype(dtype),
        vectors.astype(dtype),
        norms,
        bool((norms <= tol).all()),
        0,
        "dense",
        tol,
        norms[None, :],
    )
