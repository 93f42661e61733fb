"""Some pairs of a symmetric eigenproblem: `lobpcg` from a start, `truncated_eigh` by whatever is fastest."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np

from clinfa.linalg._blocks import crossed
from clinfa.linalg._chebyshev import spectrum_bounds
from clinfa.linalg._dense import dense_pairs
from clinfa.linalg._operators import Operator, as_operator
from clinfa.linalg._result import EigResult, warn_unless_converged
from clinfa.linalg._subspace import Problem, Search
from clinfa.rng import generator

__all__ = ["lobpcg", "prepared", "solve", "truncated_eigh"]

_SMALL = 200  # rows of a problem that LAPACK solves at once
_MEDIUM = 2000  # rows of one that LAPACK takes over if nothing else converges
_SHARE = 5  # of n that the block may be at most; beyond, LAPACK is quicker and surer

Watch = Callable[[int, np.ndarray, np.ndarray], None]


def lobpcg(
    A: Any,
    X: Any,
    B: Any = None,
    M: Any = None,
    Y: Any = None,
    tol: float | None = None,
    maxiter: int = 500,
    largest: bool = True,
    *,
    bounds: tuple[float, float] | None = None,
    filtered: bool | None = None,
    callback: Watch | None = None,
) -> EigResult:
    """Pairs A v = value B v at one end of the spectrum, by a locally optimal block method.

    Where neither B nor M is given, the directions in which it looks are a Chebyshev polynomial of A applied
    to the pairs, which takes far fewer iterations than residuals do; `filtered=False` is LOBPCG by the book.
    A few vectors more than were asked for help those that were.

    Parameters
    ----------
    A : array-like or sparse matrix of shape (n, n), LinearOperator, or callable
        Symmetric. A callable takes a block of shape (n, m) and gives A times it.
    X : array-like of shape (n, k)
        The start, and by its columns how many pairs are wanted. Columns that depend on others, or on Y, are
        replaced by random ones. With float32 X and A all is done in single precision.
    B : like A, optional
        Symmetric and positive definite.
    M : like A, optional
        The preconditioner: about the inverse of A (less a shift), symmetric and positive definite.
    Y : array-like of shape (n, c), optional
        Constraints of any rank: pairs are sought among vectors that are orthogonal to B Y.
    tol : float or None
        Of the norms of A v - value B v. None stands for the root of the precision, times about the norm of A.
    maxiter : int
    largest : bool
        Whether the largest values are wanted, or the smallest.
    bounds : (float, float) or None
        Numbers between which all values lie, where these are known; otherwise a dozen products estimate them.
    filtered : bool or None
        Whether to use a Chebyshev filter; None: wherever there is neither B nor M.
    callback : callable or None
        Called before each iteration with its number, the values and the norms of the residuals.

    Returns
    -------
    EigResult
        It unpacks into values and vectors. Problems of up to 200 rows, or fewer than five times the columns
        of X, are solved by LAPACK, and `method` says so.

    Raises
    ------
    ValueError
        If A, B or M is not square, not symmetric or not finite; if B is not positive definite; if shapes do
        not match; if k is above n less the rank of Y.

    Warns
    -----
    ConvergenceWarning
        If `maxiter` iterations, or the precision, do not suffice.

    References
    ----------
    .. [1] A. V. Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block preconditioned
       conjugate gradient method", SIAM Journal on Scientific Computing 23 (2001).
    .. [2] U. Hetmaniuk and R. Lehoucq, "Basis selection in LOBPCG", Journal of Computational Physics 218
       (2006).
    .. [3] Y. Zhou and Y. Saad, "A Chebyshev-Davidson algorithm for large symmetric eigenproblems", SIAM
       Journal on Matrix Analysis and Applications 29 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.linalg import lobpcg
    >>> A = np.diag(np.arange(1.0, 401.0))
    >>> values, vectors = lobpcg(A, np.random.default_rng(0).normal(size=(400, 3)))
    >>> values.round(6)
    array([400., 399., 398.])
    """
    start = _block(X, "X")
    if not start.shape[1]:
        raise ValueError(f"X must have at least one column, got shape {start.shape}.")
    n = len(start)
    A = as_operator(A, n=n, dtype=_common(A, start))
    start = start.astype(A.dtype, copy=False)
    if B is not None:
        B = as_operator(B, n=n, dtype=A.dtype, name="B")
    if M is not None:
        M = as_operator(M, n=n, dtype=A.dtype, name="M")
    if filtered is None:
        filtered = B is None and M is None
    elif filtered and (B is not None or M is not None):
        raise ValueError("filtered must be False or None where B or M is given, got True.")
    Y = prepared(Y, A, "Y")
    found, _ = solve(
        A,
        start,
        start.shape[1],
        B=B,
        M=M,
        Y=Y,
        tol=tol,
        max_iter=maxiter,
        largest=largest,
        bounds=bounds,
        filtered=bool(filtered),
        callback=callback,
    )
    return warn_unless_converged(found, "lobpcg")


def truncated_eigh(
    A: Any,
    k: int,
    *,
    largest: bool = True,
    bounds: tuple[float, float] | None = None,
    tol: float | None = None,
    max_iter: int | None = None,
    start: Any = None,
    constraints: Any = None,
    n: int | None = None,
    random_state: Any = 0,
    callback: Watch | None = None,
) -> EigResult:
    """The k pairs at one end of a symmetric matrix's spectrum, by whatever is fastest.

    Parameters
    ----------
    A : array-like or sparse matrix of shape (n, n), LinearOperator, or callable
        Symmetric. A callable takes a block of shape (n, m) and gives A times it.
    k : int
    largest : bool
        Whether the largest values are wanted, or the smallest.
    bounds : (float, float) or None
        Numbers between which all values lie, where these are known.
    tol : float or None
        Of the norms of A v - value v. None stands for the root of the precision, times about the norm of A.
    max_iter : int or None
        None stands for 500; up to 2000 rows, for 100 and then LAPACK.
    start : array-like of shape (n, m), optional
        Vectors to start from, of any number.
    constraints : array-like of shape (n, c), optional
        Pairs are sought among vectors orthogonal to these.
    n : int, optional
        The size, where A is a callable.
    random_state : int, RandomState, Generator or None
        For the rest of the start.
    callback : callable or None
        Called before each iteration with its number, the values and the norms of the residuals.

    Returns
    -------
    EigResult

    Raises
    ------
    ValueError
        If A is not square, not symmetric or not finite, or k is below 1 or above n less the number of
        constraints.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` iterations, or the precision, do not suffice.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.linalg import truncated_eigh
    >>> truncated_eigh(np.diag([1.0, 5.0, 3.0]), 2).values
    array([5., 3.])
    """
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be an int of at least 1, got {k!r}.")
    if start is not None:
        start = _block(start, "start")
        n = len(start) if n is None else n
    A = as_operator(A, n=n)
    if start is None:
        start = np.empty((A.n, 0), A.dtype)
    elif len(start) != A.n:
        raise ValueError(f"start must have {A.n} rows as A has, got shape {start.shape}.")
    found, _ = solve(
        A,
        start.astype(A.dtype, copy=False),
        int(k),
        Y=prepared(constraints, A, "constraints"),
        tol=tol,
        max_iter=max_iter,
        largest=largest,
        bounds=bounds,
        filtered=True,
        callback=callback,
        random_state=random_state,
    )
    return warn_unless_converged(found, "truncated_eigh")


def solve(
    A: Operator,
    start: np.ndarray,
    k: int,
    *,
    Y: np.ndarray,
    B: Operator | None = None,
    M: Operator | None = None,
    tol: float | None = None,
    precision: float | None = None,
    max_iter: int | None = None,
    largest: bool = True,
    bounds: tuple[float, float] | None = None,
    filtered: bool = True,
    callback: Watch | None = None,
    random_state: Any = 0,
) -> tuple[EigResult, np.ndarray | None]:
    """k pairs, and what has been seen of those that come after them.

    Parameters are those of `lobpcg`, read; without a tolerance residuals may be `precision` times the norm
    of A. Where nobody has said how long to go on, LAPACK takes over what does not converge, if it fits.
    """
    n, dtype = A.n, A.dtype
    own_end = max_iter is None and n <= _MEDIUM
    if max_iter is None:
        max_iter = 100 if own_end else 500
    _check(tol, max_iter, bounds)
    none = np.empty((n, 0), dtype)
    problem = Problem(A, B, M, none, none, largest)
    try:
        problem.Y, problem.BY = problem.basis(_scaled(Y))
    except ArithmeticError as error:
        raise _indefinite(B) from error
    free = n - problem.Y.shape[1]
    if k > free:
        raise ValueError(
            f"{k} pairs were asked for, there are {free} (n = {n} rows, {n - free} constraints)."
        )
    if n <= _SMALL or _SHARE * (k + problem.Y.shape[1]) > n:
        return dense_pairs(problem, k, tol), None
    # A few more vectors than pairs: how fast a pair converges depends on the first value that is left out.
    b = min(-(-(k + max(3, k // 4)) // 8) * 8, n // _SHARE)
    rng = generator(random_state)
    if filtered:
        if bounds is None:
            bounds = spectrum_bounds(A, rng.standard_normal((n, 1)).astype(dtype))
        else:
            bounds = (bounds[0] * A.scale, bounds[1] * A.scale)
    norm = max(map(abs, bounds)) if filtered else _norm(A, rng.standard_normal((n, 2)).astype(dtype))
    if tol is None:
        limit = (float(np.sqrt(np.finfo(dtype).eps)) if precision is None else precision) * norm
    else:
        limit = tol * A.scale
    watch = None
    if callback is not None:
        watch = lambda i, values, norms: callback(i, values / A.scale, norms / A.scale)  # noqa: E731
    try:
        X = _start(problem, start, b, rng)
        end = Search(problem, X, k, bounds if filtered else None, norm).run(limit, max_iter, watch)
    except ArithmeticError as error:
        raise _indefinite(B) from error
    if B is not None and not np.abs(end.values[:k]).max() * _norm(B, X) < 1e10 * norm:
        raise _indefinite(B)
    if own_end and not end.converged:
        return dense_pairs(problem, k, tol), None
    found = EigResult(
        end.values[:k].astype(dtype) / dtype.type(A.scale),
        np.ascontiguousarray(end.vectors[:, :k]),
        end.residuals[:k] / A.scale,
        end.converged,
        end.n_iter,
        "chebyshev" if filtered else "lobpcg",
        limit / A.scale,
        np.array(end.history) / A.scale,
    )
    return found, end.vectors[:, k:]


def prepared(block: Any, A: Operator, name: str) -> np.ndarray:
    """A block of vectors that go with A, or none."""
    if block is None:
        return np.empty((A.n, 0), A.dtype)
    block = _block(block, name)
    if len(block) != A.n:
        raise ValueError(f"{name} must have {A.n} rows as A has, got shape {block.shape}.")
    return block.astype(A.dtype, copy=False)


def _check(tol: float | None, max_iter: int, bounds: tuple[float, float] | None) -> None:
    if tol is not None and not (isinstance(tol, Real) and tol >= 0 and np.isfinite(tol)):
        raise ValueError(f"tol must be a finite number of at least 0, or None, got {tol!r}.")
    if not isinstance(max_iter, Integral) or max_iter < 0:
        raise ValueError(f"The number of iterations must be an int of at least 0, got {max_iter!r}.")
    if bounds is not None and not (len(bounds) == 2 and np.isfinite(bounds).all() and bounds[0] <= bounds[1]):
        raise ValueError(f"bounds must be two finite numbers, the lower one first, got {bounds!r}.")


def _block(X: Any, name: str) -> np.ndarray:
    X = np.asarray(X)
    if X.ndim == 1:
        X = X[:, None]
    if X.ndim != 2:
        raise ValueError(f"{name} must have one or two dimensions, got shape {X.shape}.")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got dtype {X.dtype}.")
    X = np.ascontiguousarray(X, np.float32 if X.dtype == np.float32 else np.float64)
    if not np.isfinite(X).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return X


def _common(A: Any, X: np.ndarray) -> Any:
    """Single precision where both are."""
    own = getattr(A, "dtype", X.dtype)
    return np.float32 if own == np.float32 == X.dtype else np.float64


def _scaled(X: np.ndarray) -> np.ndarray:
    """Columns of a size whose squares are finite."""
    if not X.size:
        return X
    _, exponent = np.frexp(np.abs(X).max(axis=0))
    return np.ldexp(X, -exponent)


def _start(problem: Problem, given: np.ndarray, b: int, rng: Any) -> np.ndarray:
    """b vectors, B-orthonormal and orthogonal to the constraints: what was given, then random ones."""
    X, _ = problem.basis(_scaled(given)[:, :b])
    while X.shape[1] < b:
        more = rng.standard_normal((problem.A.n, b - X.shape[1])).astype(X.dtype)
        X, _ = problem.basis(np.concatenate([X, more], axis=1))
    return X


def _norm(A: Operator, X: np.ndarray) -> float:
    """About the norm of A, from what it does to some vectors."""
    return float(np.sqrt(crossed(A(X)).diagonal().max() / max(crossed(X).diagonal().max(), 1e-300)))


def _indefinite(B: Operator | None) -> ValueError:
    if B is None:
        return ValueError(
            "A could not be decomposed: its products are not those of a finite symmetric matrix."
        )
    return ValueError("B must be positive definite, but is singular or has a negative value, to rounding.")
