"""What an eigensolver found, and how it went."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clinfa.errors import ConvergenceWarning, twin

__all__ = ["EigResult", "warn_unless_converged"]


@dataclass(frozen=True, slots=True)
class EigResult:
    """Pairs of an eigenproblem. It unpacks into values and vectors.

    Attributes
    ----------
    values : ndarray of shape (k,)
        Descending where the largest were asked for, else ascending.
    vectors : ndarray of shape (n, k)
        Of norm 1, in the inner product of B where there is one.
    residuals : ndarray of shape (k,)
        Norms of A v - value B v.
    converged : bool
        Whether every residual is within the tolerance.
    n_iter : int
    method : str
        "lobpcg", "chebyshev" or "dense": what found them.
    tol : float
        The tolerance that residuals were held against.
    history : ndarray of shape (n_iter + 1, k)
        Residual norms before each iteration and after the last.
    """

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    converged: bool
    n_iter: int
    method: str
    tol: float
    history: np.ndarray

    def __iter__(self) -> Iterator[np.ndarray]:
        yield self.values
        yield self.vectors


def warn_unless_converged(result: EigResult, owner: str) -> EigResult:
    """A warning that says which residuals are too large."""
    if not result.converged:
        late = np.flatnonzero(result.residuals > result.tol)
        warnings.warn(
            f"{owner} stopped after {result.n_iter} iterations with {len(late)} of {len(result.values)} "
            f"pairs not converged: the greatest residual is {result.residuals.max():.1e}, the tolerance "
            f"{result.tol:.1e}. Allow more iterations, a larger tolerance, or give a preconditioner.",
            twin(ConvergenceWarning),
            stacklevel=4,
        )
    return result
