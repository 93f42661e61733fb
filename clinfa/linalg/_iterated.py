"""Pairs of a symmetric matrix on demand: Linfa's `TruncatedEig`."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np

from clinfa.linalg._eigen import prepared, solve
from clinfa.linalg._operators import as_operator
from clinfa.linalg._result import EigResult, warn_unless_converged

__all__ = ["TruncatedEig"]


class TruncatedEig:
    """Pairs from one end of a spectrum, as many as are asked for, one after the other.

    Parameters
    ----------
    A : array-like or sparse matrix of shape (n, n), LinearOperator, or callable
        Symmetric.
    largest : bool
        Whether the largest values come first, or the smallest.
    precision : float
        What the norms of A v - value v may be, as a part of about the norm of A.
    max_iter : int or None
        For each request; None stands for 2 n, as in Linfa, and at most 1000.
    constraints : array-like of shape (n, c), optional
        Pairs are sought among vectors orthogonal to these.
    preconditioner : like A, optional
        About the inverse of A.
    n : int, optional
        The size, where A is a callable.
    random_state : int, RandomState, Generator or None

    Raises
    ------
    ValueError
        If A is not square, not symmetric or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from itertools import islice
    >>> from clinfa.linalg import TruncatedEig
    >>> pairs = TruncatedEig(np.diag(np.arange(1.0, 11.0)))
    >>> [round(float(value), 6) for value, vector in islice(pairs, 3)]
    [10.0, 9.0, 8.0]
    >>> pairs.decompose(2).values
    array([10.,  9.])
    """

    def __init__(
        self,
        A: Any,
        *,
        largest: bool = True,
        precision: float = 1e-5,
        max_iter: int | None = None,
        constraints: Any = None,
        preconditioner: Any = None,
        n: int | None = None,
        random_state: Any = 0,
    ):
        if not precision > 0:
            raise ValueError(f"precision must be above 0, got {precision!r}.")
        self._A = as_operator(A, n=n)
        self._M = None
        if preconditioner is not None:
            self._M = as_operator(preconditioner, n=self._A.n, dtype=self._A.dtype, name="preconditioner")
        self._Y = prepared(constraints, self._A, "constraints")
        self._largest, self._precision, self._seed = largest, precision, random_state
        self._max_iter = min(2 * self._A.n, 1000) if max_iter is None else max_iter

    def decompose(self, num: int) -> EigResult:
        """The first pairs.

        Parameters
        ----------
        num : int
            How many; 0 gives none.

        Returns
        -------
        EigResult

        Raises
        ------
        ValueError
            If there are not so many.
        """
        if not isinstance(num, Integral) or isinstance(num, bool) or num < 0:
            raise ValueError(f"num must be an int of at least 0, got {num!r}.")
        return self._next(int(num), self._Y, None)[0]

    def __iter__(self) -> Iterator[tuple[Any, np.ndarray]]:
        """Value and vector of one pair after the other, until there are no more."""
        for found in self.in_steps(1):
            yield found.values[0], found.vectors[:, 0]

    def in_steps(self, size: int) -> Iterator[EigResult]:
        """The next `size` pairs, again and again; fewer at the end.

        Each request starts from what the one before it has seen of the pairs to come. It ends early where
        pairs do not converge.

        Parameters
        ----------
        size : int

        Yields
        ------
        EigResult
        """
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise ValueError(f"size must be an int of at least 1, got {size!r}.")
        Y, rest = self._Y, None
        while left := self._A.n - Y.shape[1]:
            found, rest = self._next(min(int(size), left), Y, rest)
            yield found
            if not found.converged:
                return
            Y = np.concatenate([Y, found.vectors], axis=1)

    def _next(self, k: int, Y: np.ndarray, start: np.ndarray | None) -> tuple[EigResult, np.ndarray | None]:
        A = self._A
        if k == 0:
            none = np.empty(0, A.dtype)
            empty = EigResult(
                none, np.empty((A.n, 0), A.dtype), none, True, 0, "dense", 0.0, np.empty((1, 0))
            )
            return empty, None
        start = np.empty((A.n, 0), A.dtype) if start is None else start
        found, rest = solve(
            A,
            start,
            k,
            M=self._M,
            Y=Y,
            precision=self._precision,
            max_iter=self._max_iter,
            largest=self._largest,
            filtered=self._M is None,
            random_state=self._seed,
        )
        return warn_unless_converged(found, "TruncatedEig"), rest
