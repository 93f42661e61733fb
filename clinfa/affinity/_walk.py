"""The random walk on a symmetric graph of affinity: its leading eigenpairs.

A walker at record i goes to record j with probability ``P_ij = W_ij / d_i``, where the degree ``d_i`` is the
sum of row i. P has the eigenvalues of the symmetric ``S = D^-1/2 W D^-1/2``, and its right eigenvectors are
``D^-1/2 v`` where the v are those of S. Each component of the graph has an eigenvalue 1 whose eigenvector of
S is ``sqrt(d)`` there and 0 elsewhere: these pairs are known exactly, without iteration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_matrix, diags_array, identity, issparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator

from clinfa.arrays import CSR
from clinfa.blas import matmul, one_thread
from clinfa.linalg import EigResult, lobpcg, truncated_eigh
from clinfa.rng import check_random_state

__all__ = ["Spectrum", "components", "laplacian_pairs", "walk_pairs"]

_FEW = 200  # records that LAPACK is best given at once
_MANY = 4096  # records from which on it pays to bring neighbours together first

Graph = np.ndarray | csr_matrix | LinearOperator


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Some eigenpairs that belong to a graph.

    Attributes
    ----------
    values : ndarray of shape (k,)
    vectors : ndarray of shape (n, k)
        The first is constant. The entry of each that is greatest in size is positive, the first if several
        are.
    converged : bool
    components : int
        Connected components of the graph, single records among them.
    """

    values: np.ndarray
    vectors: np.ndarray
    converged: bool
    components: int


def walk_pairs(W: Graph, k: int, *, loops: bool, alpha: float = 0.0, **how: Any) -> Spectrum:
    """Eigenpairs of the walk P: the constant vector's, then those of the greatest eigenvalues.

    Parameters
    ----------
    W : ndarray, CSR matrix or LinearOperator of shape (n, n)
        Symmetric. It is taken as connected where its entries cannot be seen.
    k : int
        At most n.
    loops : bool
        Whether a walker may stay where it is. If not, the diagonal counts as 0, and a record that is linked
        to nothing has a row of zeros in P.
    alpha : float
        W is divided by ``(q_i q_j)^alpha`` first, where the q are its row sums.
    **how
        `solver` (None, or one of scikit-learn's names); `tol` of the residuals' norms; `order`, in which
        records that are near to one another come together, which is quicker; `random_state`.

    Returns
    -------
    Spectrum
        Vectors of S, orthonormal, over the square roots of the degrees.

    Raises
    ------
    ValueError
        If a degree is negative, or 0 with `loops`, or not finite.
    """
    W, own = (_linked(W), False) if loops else (_without_loops(W), True)
    degrees, scale = _sums(W), 1.0
    if alpha:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            scale = _checked(degrees, loops) ** -alpha
            degrees = scale * matmul(W, scale)
        if not (np.isfinite(degrees) & (degrees > 0)).all():
            raise ValueError(f"alpha={alpha:g} is too great: sums of affinities leave what a float can hold.")
    degrees = _checked(degrees, loops)
    roots = np.sqrt(degrees)
    roots[degrees == 0] = 1
    S = _scaled(W, scale / roots, own)
    found = _pairs(S, S, degrees, 1.0, (-1.0, 1.0), k, how)
    return replace(found, vectors=_oriented(found.vectors / roots[:, None]))


def laplacian_pairs(W: Graph, k: int, **how: Any) -> Spectrum:
    """Eigenpairs of the Laplacian ``D - W``: the constant vector's, then those of the least eigenvalues.

    Arguments are as for `walk_pairs`; vectors are orthonormal.
    """
    W = _without_loops(W)
    degrees = _checked(_sums(W), loops=False)
    L = np.diag(degrees) - W if isinstance(W, np.ndarray) else (diags_array(degrees) - W).tocsr()
    top = 2.0 * float(degrees.max(initial=0))
    found = _pairs(W, L.astype(W.dtype), np.ones(len(degrees)), 0.0, (0.0, top), k, how)
    return replace(found, vectors=_oriented(found.vectors))


def _pairs(
    W: Graph,
    A: Graph,
    masses: np.ndarray,
    value: float,
    bounds: tuple[float, float],
    k: int,
    how: dict[str, Any],
) -> Spectrum:
    """Pairs of A: those known from the components, and those that have to be looked for."""
    label = components(W)
    known = _known(label, masses, k)
    c = known.shape[1]
    values, vectors, converged = np.full(c, value), known, True
    signed = not isinstance(W, LinearOperator) and (W.data if issparse(W) else W).min(initial=0) < 0
    missing = min(k - 1, len(label) - c) if signed else k - c  # (with negative affinities others may lead)
    if missing:
        largest = value == bounds[1]
        rest = _looked_for(A, missing, known, largest, None if signed else bounds, **how)
        values = np.concatenate([values, rest.values])
        vectors = np.concatenate([known, rest.vectors], axis=1)
        order = np.argsort(-values[1:] if largest else values[1:], kind="stable")[: k - 1] + 1
        order = np.concatenate([[0], order])
        values, vectors, converged = values[order], vectors[:, order], rest.converged
    return Spectrum(values, vectors, converged, int(label.max()) + 1)


def _looked_for(
    A: Graph,
    k: int,
    known: np.ndarray,
    largest: bool,
    bounds: tuple[float, float] | None,
    *,
    solver: str | None = None,
    tol: float | None = None,
    order: np.ndarray | None = None,
    start: np.ndarray | None = None,
    random_state: Any = None,
) -> EigResult:
    """Pairs of A at one end of its spectrum, orthogonal to the known vectors."""
    least = 100 * float(np.finfo(A.dtype).eps)
    if solver == "arpack" and not tol:
        tol = least
    elif tol is not None:
        tol = max(tol, least)
    if len(known) <= _FEW and not isinstance(A, LinearOperator):
        return _at_once(A.toarray() if issparse(A) else A, k, known, largest)
    if order is not None and issparse(A) and len(known) >= _MANY:
        A, known = _in_order(A, order), known[order]
        start = _coarse(A, k, known) if bounds == (-1.0, 1.0) else None
        found = _looked_for(
            A, k, known, largest, bounds, solver=solver, tol=tol, start=start, random_state=random_state
        )
        vectors = np.empty_like(found.vectors)
        vectors[order] = found.vectors
        return replace(found, vectors=vectors)
    if solver == "lobpcg":
        start = check_random_state(random_state).standard_normal((A.shape[0], k)).astype(A.dtype)
        return lobpcg(A, start, Y=known, tol=tol, largest=largest)
    how = {
        "largest": largest,
        "bounds": bounds,
        "tol": tol,
        "constraints": known,
        "random_state": random_state,
    }
    if not isinstance(A, np.ndarray):
        return truncated_eigh(A, k, start=start, **how)
    # Where eigenvalues crowd, LAPACK is done sooner: about so many iterations take as long as it does.
    patience = 5 + len(A) // 200

    def watch(iteration: int, values: np.ndarray, residuals: np.ndarray) -> None:
        if iteration > patience:
            raise _TooSlow

    try:
        return truncated_eigh(A, k, callback=watch, **how)
    except _TooSlow:
        return _at_once(A, k, known, largest)


class _TooSlow(Exception):
    """Iterating takes longer than solving the whole."""


@one_thread()
def _at_once(A: np.ndarray, k: int, known: np.ndarray, largest: bool) -> EigResult:
    """As `_looked_for`, by LAPACK; the known pairs are moved to the other end of the spectrum first."""
    n, away = len(A), 4.0 * float(np.abs(A).sum(axis=1).max())
    moved = A - (away if largest else -away) * (known @ known.T)
    values, vectors = eigh(moved, subset_by_index=(n - k, n - 1) if largest else (0, k - 1))
    if largest:
        values, vectors = values[::-1], vectors[:, ::-1]
    vectors = np.ascontiguousarray(vectors)
    norms = np.linalg.norm(A @ vectors - vectors * values, axis=0)
    return EigResult(values, vectors, norms, True, 0, "dense", 0.0, norms[None])


def _coarse(A: csr_matrix, k: int, known: np.ndarray) -> np.ndarray:
    """About k + 8 leading vectors of A, by those of a graph in which runs of records are one.

    On each run a vector is a multiple of the constant pair's, so that the pair is one of the small graph too.
    """
    n, run = len(known), 32
    first = np.arange(0, n, run)
    within = np.sqrt(np.add.reduceat(known[:, 0] ** 2, first))
    share = known[:, 0] / np.repeat(np.where(within > 0, within, 1), run)[:n]
    data = A.data * np.repeat(share, np.diff(A.indptr)) * share[A.indices]
    m = len(first)
    long = csr_matrix((data, A.indices // run, np.append(A.indptr[first], A.indptr[-1])), (m, m))
    small = long @ identity(m, A.dtype, "csr")  # (adds up what stands in one place, without sorting)
    small = 0.5 * (small + small.T)
    constraints = np.add.reduceat(known * share[:, None], first)
    wanted = min(k + 8, m - known.shape[1])
    found = truncated_eigh(small, wanted, bounds=(-1.0, 1.0), tol=1e-2, constraints=constraints)
    return share[:, None] * np.repeat(found.vectors, run, axis=0)[:n]


def _in_order(A: csr_matrix, order: np.ndarray) -> csr_matrix:
    """A with row and column i where order_i were."""
    place = np.empty(len(order), A.indices.dtype)
    place[order] = np.arange(len(order))
    part = CSR(A.data, A.indices, A.indptr, A.shape).part(order)
    return csr_matrix((part.data, place[part.indices], part.indptr), A.shape)


@one_thread()
def _known(label: np.ndarray, masses: np.ndarray, k: int) -> np.ndarray:
    """An orthonormal basis, or k vectors of it, of what is a multiple of the roots of masses on each
    component.

    The first vector is that multiple everywhere; each other one tells one component from the rest, large ones
    first. (The reflection that takes the first unit vector to the first of them takes others to others.)
    """
    mass = np.bincount(label, masses)
    heavy = np.argsort(-mass, kind="stable")
    heavy = heavy[mass[heavy] > 0]
    if not len(heavy):  # nothing is linked to anything
        return np.full((len(label), 1), len(label) ** -0.5)
    c = min(k, len(heavy))
    share = np.sqrt(mass[heavy] / mass.sum())
    normal = -share
    normal[0] = (share[1:] @ share[1:]) / (1 + share[0])
    basis = np.zeros((len(mass), c))
    basis[heavy[:c], np.arange(c)] = 1
    if len(heavy) > 1:
        basis[heavy] -= np.outer(normal, normal[:c] * (2 / (normal @ normal)))
        basis[heavy] /= np.sqrt(mass[heavy])[:, None]
    else:
        basis[heavy] /= np.sqrt(mass[heavy])
    return np.sqrt(masses)[:, None] * basis[label]


def components(W: Graph) -> np.ndarray:
    """The number of each record's connected component, numbered from 0."""
    if issparse(W):
        return connected_components(W, directed=True, connection="strong")[1]  # (symmetric: the same as weak)
    label = np.zeros(W.shape[0], np.int64)
    if isinstance(W, LinearOperator):
        return label
    label[:] = -1
    found = 0
    while (label < 0).any():
        front = np.flatnonzero(label < 0)[:1]
        while len(front):
            label[front] = found
            left = np.flatnonzero(label < 0)
            front = left[(W[np.ix_(front, left)] != 0).any(axis=0)]
        found += 1
    return label


def _oriented(vectors: np.ndarray) -> np.ndarray:
    size = np.abs(vectors)
    # (Within 1e-6 of the greatest, so that rounding does not choose among equals.)
    top = vectors[np.argmax(size >= (1 - 1e-6) * size.max(axis=0), axis=0), np.arange(vectors.shape[1])]
    return vectors * np.where(top < 0, -1, 1)


def _without_loops(W: Any) -> Any:
    if isinstance(W, np.ndarray):
        W = W.copy()
        np.fill_diagonal(W, 0)
        return W
    rows = np.repeat(np.arange(W.shape[0], dtype=W.indices.dtype), np.diff(W.indptr))
    kept = (rows != W.indices) & (W.data != 0)
    begin = np.concatenate([[0], np.cumsum(kept)])[W.indptr].astype(W.indptr.dtype)
    return csr_matrix((W.data[kept], W.indices[kept], begin), W.shape)


def _linked(W: Any) -> Any:
    """W without stored zeros, which link nothing."""
    if issparse(W) and not W.data.all():
        W = W.copy()
        W.eliminate_zeros()
    return W


def _sums(W: Graph) -> np.ndarray:
    return W.sum(axis=1, dtype=float) if isinstance(W, np.ndarray) else matmul(W, np.ones(W.shape[0]))


def _checked(degrees: np.ndarray, loops: bool) -> np.ndarray:
    bad = ~np.isfinite(degrees) | (degrees <= 0 if loops else degrees < 0)
    if bad.any():
        at = int(np.argmax(bad))
        why = "Negative values in data. " if degrees[at] < 0 else ""
        raise ValueError(
            f"{why}The affinities of record {at} sum to {degrees[at]:g}, one of {int(bad.sum())} such: "
            f"sums must be {'positive' if loops else '>= 0'} and finite."
        )
    return degrees


def _scaled(W: Graph, scale: np.ndarray, own: bool) -> Graph:
    """W with row i and column i times scale_i; a dense one in place where it is our own."""
    if isinstance(W, np.ndarray):
        S = np.multiply(W, scale[:, None].astype(W.dtype), out=W if own else None)
        S *= scale.astype(W.dtype)
        return S
    if issparse(W):
        scale = scale.astype(W.dtype)
        data = W.data * np.repeat(scale, np.diff(W.indptr))
        data *= scale[W.indices]
        return csr_matrix((data, W.indices, W.indptr), W.shape)
    column = scale[:, None]
    return LinearOperator(
        W.shape,
        lambda x: scale * W.matvec(scale * x.ravel()),
        matmat=lambda B: column * W.matmat(column * B),
        dtype=W.dtype,
    )
