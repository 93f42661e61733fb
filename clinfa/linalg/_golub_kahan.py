"""Block Golub-Kahan-Lanczos bidiagonalisation with thick restarts, and subspace iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from clinfa.blas import matmul, one_thread
from clinfa.linalg._bases import extend
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._sides import Sides

__all__ = ["Triplets", "golub_kahan", "subspace_iteration"]


@dataclass(frozen=True, slots=True)
class Triplets:
    """Singular triplets, and how far they are from such."""

    u: np.ndarray  # (n, k)
    s: np.ndarray  # (k,) descending
    v: np.ndarray  # (m, k)
    residuals: np.ndarray | None  # (k,) of the transpose; those of A are rounding; None: not known
    n_iter: int


def golub_kahan(
    A: Sides, k: int, *, block: int, most: int, tol: float, max_iter: int, rng: Any, careful: bool = False
) -> Triplets:
    """The k greatest singular triplets of A, which has no more columns than rows.

    A V = U B and Aᵀ U = V Bᵀ + (next block) K hold to rounding at all times; the singular value
    decomposition of the small B gives the triplets, K their residuals. AᵀA is never formed, so small
    singular values are as accurate as those of A itself. V is kept orthonormal. So is U then, by its
    recurrence alone (Simon & Zha), unless B is nearly singular; where it shows that it is not, all is done
    again with U kept orthonormal, too.

    Parameters
    ----------
    A : Sides of shape (n, m)
    k : int
    block : int
        Columns that are multiplied together.
    most : int
        Columns of the bases when they are cut back; most + block <= m.
    tol : float
        Residuals relative to the greatest singular value.
    max_iter : int
        How many times the bases may be filled.
    rng : Generator or RandomState
    careful : bool
        Whether to keep U orthonormal, whatever it takes.

    References
    ----------
    Golub, Luk & Overton (1981), A block Lanczos method for computing the singular values and corresponding
    singular vectors of a matrix. Simon & Zha (2000), Low-rank matrix approximation using the Lanczos
    bidiagonalization process. Baglama & Reichel (2006), Restarted block Lanczos bidiagonalization methods.
    """
    n, m = A.shape
    eps = float(np.finfo(A.dtype).eps)
    V, U = np.empty((m, most + block), A.dtype), np.empty((n, most), A.dtype)
    B, held, scale, n_iter = np.zeros((most, most)), 0, 0.0, 0
    expected = np.zeros((0, block))
    V[:, :block] = rng.standard_normal((m, block))
    extend(V[:, :block], 0, rng)
    while True:
        low = 0
        while held + block <= most:
            end = held + block
            U[:, held:end] = A.times(V[:, held:end])
            if held:  # (what is known beforehand is taken off first: then a round of Gram-Schmidt does)
                U[:, held:end] -= combined(U[:, low:held], expected.astype(A.dtype))
                B[low:held, held:end] = expected
            along, within, rank = extend(U[:, low:end], held - low, rng, scale)
            if rank < block and not careful:
                break
            B[low:held, held:end] += along
            B[held:end, held:end] = within
            with one_thread():
                scale = max(scale, float(np.linalg.norm(within)), float(np.linalg.norm(along)))
            V[:, end : end + block] = A.back(U[:, held:end])
            V[:, end : end + block] -= combined(V[:, held:end], within.T.astype(A.dtype))
            _, coupling, _ = extend(V[:, : end + block], end, rng, scale)
            expected = np.zeros((end, block))
            expected[held:] = coupling.T
            low, held = 0 if careful else held, end
            expected = expected[low:]
        if not careful and (
            held + block <= most or abs(crossed(U[:, :held]) - np.eye(held)).max() > np.sqrt(held) * 64 * eps
        ):
            return golub_kahan(
                A, k, block=block, most=most, tol=tol, max_iter=max_iter, rng=rng, careful=True
            )
        n_iter += 1
        with one_thread():
            left, s, right = scipy.linalg.svd(B[:held, :held], check_finite=False)
        residuals = np.linalg.norm(matmul(coupling, left[held - block : held, :k]), axis=0)
        if n_iter == max_iter or (residuals <= tol * s[0]).all():
            break
        keep = min(held - block, k + (held - k) // 3)
        U[:, :keep] = combined(U[:, :held], left[:, :keep].astype(A.dtype))
        V[:, :keep] = combined(V[:, :held], right[:keep].T.astype(A.dtype))
        V[:, keep : keep + block] = V[:, held : held + block]
        B[:] = 0
        B[range(keep), range(keep)] = s[:keep]
        expected = matmul(coupling, left[held - block : held, :keep]).T
        held = keep
    u = combined(U[:, :held], left[:, :k].astype(A.dtype))
    v = combined(V[:, :held], right[:k].T.astype(A.dtype))
    return Triplets(u, s[:k], v, residuals, n_iter)


def subspace_iteration(A: Sides, k: int, *, width: int, n_iter: int, careful: bool, rng: Any) -> Triplets:
    """The k greatest singular triplets of A in the space that n_iter + 1 steps of AᵀA lead a block to.

    Parameters
    ----------
    A : Sides of shape (n, m)
    k : int
    width : int
        Columns of the block, at least k.
    n_iter : int
    careful : bool
        Whether the block is made orthonormal between A and Aᵀ too; done anyway where it shows to be needed.
    rng : Generator or RandomState

    References
    ----------
    Halko, Martinsson & Tropp (2011), Finding structure with randomness.
    """
    eps = float(np.finfo(A.dtype).eps)
    V = rng.standard_normal((A.shape[1], width)).astype(A.dtype, copy=False)
    for step in range(n_iter + 1):
        W = A.times(V)
        if careful:
            extend(W, 0, rng, rough=True)
        V = A.back(W)
        _, factor, rank = extend(V, 0, rng, rough=step < n_iter)
        sizes = np.linalg.norm(factor, axis=1)
        if not careful and (rank < width or sizes.min() < np.sqrt(eps) * sizes.max()):
            # AᵀA squares the ratio of the greatest singular value to the least: what was lost is got back.
            careful = True
            extend(W, 0, rng)
            V = A.back(W)
            extend(V, 0, rng)
    W = A.times(V)
    _, factor, _ = extend(W, 0, rng)
    with one_thread():
        left, s, right = scipy.linalg.svd(factor, check_finite=False)
    u = combined(W, left[:, :k].astype(A.dtype))
    v = combined(V, right[:k].T.astype(A.dtype))
    return Triplets(u, s[:k], v, None, n_iter)
