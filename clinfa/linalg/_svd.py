"""Truncated singular value decompositions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clinfa.blas import one_thread
from clinfa.errors import ConvergenceWarning, twin
from clinfa.linalg._bases import extend
from clinfa.linalg._blocks import combined
from clinfa.linalg._golub_kahan import Triplets, golub_kahan, subspace_iteration
from clinfa.linalg._sides import Sides, sides
from clinfa.rng import generator

__all__ = ["SvdResult", "svds", "truncated_svd"]

_METHODS = ("auto", "dense", "randomized", "krylov", "lanczos")
_DENSE = 96  # a side so short is decomposed at once
_MOST_MEMORY = 1 << 31


@dataclass(frozen=True, slots=True)
class SvdResult:
    """What `truncated_svd` found.

    Attributes
    ----------
    u : ndarray of shape (n, k)
    s : ndarray of shape (k,)
        Descending.
    vt : ndarray of shape (k, m)
        The entry of greatest size in each row is positive.
    residuals : ndarray of shape (k,)
        The norms of A v - s u and of its counterpart for the transpose, whichever is greater.
    converged : bool
        Whether all residuals are at most `tol` times the greatest singular value.
    n_iter : int
        Restarts of "lanczos", steps of "randomized" and "krylov"; 0 for "dense".
    method : str
        What was run.
    """

    u: np.ndarray
    s: np.ndarray
    vt: np.ndarray
    residuals: np.ndarray
    converged: bool
    n_iter: int
    method: str


def truncated_svd(
    A: Any,
    k: int,
    *,
    method: str = "auto",
    n_oversamples: int = 10,
    n_iter: int = 4,
    tol: float | None = None,
    max_iter: int = 100,
    shift: np.ndarray | None = None,
    drop: float | None = None,
    random_state: Any = None,
) -> SvdResult:
    """The k greatest singular values of a matrix and their vectors.

    Parameters
    ----------
    A : ndarray, scipy.sparse matrix or scipy.sparse.linalg.LinearOperator of shape (n, m)
        In float32 or float64; whole numbers become float64. It is neither copied nor changed, nor is AᵀA ever
        formed: small singular values keep their digits. A sparse matrix is held transposed, too.
    k : int
        From 1 to min(n, m).
    method : {"auto", "dense", "randomized", "krylov", "lanczos"}
        "lanczos" (block Golub-Kahan-Lanczos, thick restarts) goes on until residuals are below `tol`.
        "randomized" (subspace iteration) and "krylov" (Musco & Musco: all blocks of the iteration, not only
        the last) do `n_iter` steps, and "krylov" gets more out of each, for more memory. "dense" is LAPACK.
        "auto" is "dense" where a side is short or `k` is a large share of it, else "lanczos".
    n_oversamples : int
        Columns beyond k that "randomized" and "krylov" work with.
    n_iter : int
        Steps of "randomized" and "krylov".
    tol : float, optional
        Greatest residual, relative to the greatest singular value. By default 1e-10, or 1e-5 in float32.
    max_iter : int
        Restarts of "lanczos".
    shift : ndarray of shape (m,), optional
        Taken off every row, without making a sparse A dense: the column means, for principal components.
    drop : float, optional
        Leave out singular values at most `drop` times the greatest, so that fewer than k may come back. By
        default k come back, those beyond the rank as zeros (to rounding), with orthonormal vectors.
    random_state : int, RandomState, Generator or None
        Of the block that all but "dense" start from.

    Returns
    -------
    SvdResult

    Raises
    ------
    ValueError, TypeError
        If A is not a finite real matrix, or a parameter is not allowed.

    Warns
    -----
    ConvergenceWarning
        If "lanczos" did not reach `tol` after `max_iter` restarts.

    References
    ----------
    Golub, Luk & Overton (1981); Baglama & Reichel (2006); Halko, Martinsson & Tropp (2011), Finding
    structure with randomness; Musco & Musco (2015), Randomized block Krylov methods for stronger and faster
    approximate singular value decomposition.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.linalg import truncated_svd
    >>> found = truncated_svd(np.array([[3.0, 2, 2], [2, 3, -2]]), 2)
    >>> found.s.round(12).tolist(), found.converged
    ([5.0, 3.0], True)
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {_METHODS}, got {method!r}.")
    whole, scale = sides(A, shift)
    n, m = whole.shape
    for name, value, low, high in (
        ("k", k, 1, min(n, m)),
        ("n_oversamples", n_oversamples, 0, None),
        ("n_iter", n_iter, 0, None),
        ("max_iter", max_iter, 1, None),
    ):
        if not isinstance(value, int | np.integer) or value < low or (high is not None and value > high):
            reach = f">= {low}" if high is None else f"between {low} and min(n, m) = {high}"
            raise ValueError(f"{name} must be an int {reach}, got {value!r}.")
    if tol is None:
        tol = 1e-5 if whole.dtype == np.float32 else 1e-10
    if not tol >= 0:
        raise ValueError(f"tol must be at least 0, got {tol!r}.")
    found, method = leading_triplets(
        whole,
        k,
        method,
        n_oversamples=n_oversamples,
        n_iter=n_iter,
        tol=tol,
        max_iter=max_iter,
        random_state=random_state,
    )
    if found.residuals is None:
        off = (
            whole.back(found.u) - found.v * found.s.astype(found.v.dtype)
            if n >= m
            else whole.times(found.v) - found.u * found.s.astype(found.v.dtype)
        )
        found = replace(found, residuals=np.sqrt(np.einsum("ij,ij->j", off, off, dtype=np.float64)))
    found = replace(found, residuals=np.maximum(found.residuals, np.finfo(whole.dtype).eps * found.s[0]))
    converged = bool((found.residuals <= max(tol, _floor(whole)) * found.s[0]).all())
    if method == "lanczos" and not converged:
        warnings.warn(
            f"truncated_svd: residuals are up to {found.residuals.max() / found.s[0]:.1e} of the greatest "
            f"singular value after {max_iter} restarts; tol is {tol:.1e}. Increase max_iter, or tol.",
            twin(ConvergenceWarning),
            stacklevel=2,
        )
    u, v, s = found.u, found.v, found.s
    kept = slice(None) if drop is None else s > drop * s[0]
    dtype = whole.dtype
    with np.errstate(over="ignore"):
        return SvdResult(
            np.ascontiguousarray(u[:, kept]),
            (s[kept] / scale).astype(dtype),
            np.ascontiguousarray(v[:, kept].T),
            found.residuals[kept] / scale,
            converged,
            found.n_iter,
            method,
        )


def _floor(A: Sides) -> float:
    """What rounding leaves of a residual, whatever is asked for."""
    return 16 * float(np.finfo(A.dtype).eps)


def _choose(method: str, short: int, long: int, k: int, n_oversamples: int, n_iter: int) -> str:
    """The method that will be run: blocks must fit into the short side."""
    width = {"randomized": k + n_oversamples, "krylov": (k + n_oversamples) * (n_iter + 3)}.get(
        method, 4 * k + 32
    )
    if method != "dense" and (width > short or (method == "auto" and short <= _DENSE)):
        if method == "krylov" and k + n_oversamples <= short:
            return method
        if 8 * short * long <= _MOST_MEMORY or method in ("randomized", "krylov"):
            return "dense"
    return "lanczos" if method == "auto" else method


def leading_triplets(
    A: Sides,
    k: int,
    method: str,
    *,
    n_oversamples: int,
    n_iter: int,
    tol: float,
    max_iter: int = 100,
    random_state: Any = None,
) -> tuple[Triplets, str]:
    """The triplets of A, the entry of greatest size in each column of v positive, and by which method.

    Residuals are None where they are not known. On the longer side they are rounding.
    """
    n, m = A.shape
    method = _choose(method, min(n, m), max(n, m), k, n_oversamples, n_iter)
    rng = generator(random_state)
    found = _decompose(A if n >= m else A.transpose(), k, method, n_oversamples, n_iter, tol, max_iter, rng)
    u, v = (found.u, found.v) if n >= m else (found.v, found.u)
    greatest = v[abs(v).argmax(axis=0), range(k)]
    signs = np.where(greatest < 0, -1, 1).astype(v.dtype)
    return replace(found, u=u * signs, v=v * signs), method


def _decompose(
    A: Sides, k: int, method: str, n_oversamples: int, n_iter: int, tol: float, max_iter: int, rng: Any
) -> Triplets:
    """The triplets of A, which has no more columns than rows, by one of the methods."""
    width, short = k + n_oversamples, A.shape[1]
    if method == "randomized":
        return subspace_iteration(A, k, width=width, n_iter=n_iter, careful=False, rng=rng)
    if method == "krylov":
        steps = min(n_iter + 2, short // width - 1)
        if steps > 0:
            return golub_kahan(A, k, block=width, most=steps * width, tol=0.0, max_iter=1, rng=rng)
    if method == "lanczos":
        block = max(1, min(16, short // 8))
        most = min(2 * k + 4 * block, short - block) // block * block
        if most >= k + block:
            return golub_kahan(
                A, k, block=block, most=most, tol=max(tol, _floor(A)), max_iter=max_iter, rng=rng
            )
    return _at_once(A, k, rng)


def _at_once(A: Sides, k: int, rng: Any) -> Triplets:
    """By LAPACK, of a triangle where there are many rows: LAPACK would not come back for long."""
    dense = A.dense()
    n, m = dense.shape
    tall = n >= 2 * m
    triangle = extend(dense, 0, rng)[1] if tall else dense
    with one_thread():
        u, s, vt = np.linalg.svd(triangle, full_matrices=False)
    u = combined(dense, u[:, :k]) if tall else u[:, :k]
    return Triplets(u.astype(A.dtype), s[:k], vt[:k].T.astype(A.dtype), None, 0)


def svds(
    A: Any,
    k: int = 6,
    *,
    tol: float = 0,
    maxiter: int | None = None,
    return_singular_vectors: bool | str = True,
    random_state: Any = None,
) -> Any:
    """The k greatest singular values and vectors, under SciPy's name and in its order.

    Parameters
    ----------
    A : ndarray, scipy.sparse matrix or scipy.sparse.linalg.LinearOperator of shape (n, m)
    k : int
    tol : float
        0 for the default of `truncated_svd`.
    maxiter : int, optional
        Restarts.
    return_singular_vectors : bool or {"u", "vh"}
        Whether to return vectors; "u" and "vh" return those of one side, None for the other.
    random_state : int, RandomState, Generator or None

    Returns
    -------
    u : ndarray of shape (n, k)
    s : ndarray of shape (k,)
        Ascending. Alone if `return_singular_vectors` is False.
    vh : ndarray of shape (k, m)

    Raises
    ------
    ValueError, TypeError
        As `truncated_svd`.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.linalg import svds
    >>> svds(np.diag([1.0, 2, 3]), k=2, return_singular_vectors=False).round(12).tolist()
    [2.0, 3.0]
    """
    found = truncated_svd(A, k, tol=tol or None, max_iter=maxiter or 100, random_state=random_state)
    u, s, vh = found.u[:, ::-1], found.s[::-1], found.vt[::-1]
    if not return_singular_vectors:
        return s
    return None if return_singular_vectors == "vh" else u, s, None if return_singular_vectors == "u" else vh
