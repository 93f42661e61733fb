"""Orthonormal bases: blocks added to a basis, whatever their rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from clinfa.blas import one_thread
from clinfa.linalg._blocks import combined, crossed

__all__ = ["extend"]

_ROUNDS = 8  # two in nearly all cases


@one_thread()
def extend(
    basis: np.ndarray, held: int, rng: Any, scale: float = 0.0, *, rough: bool = False
) -> tuple[np.ndarray, np.ndarray, int]:
    """Make the columns of `basis` from `held` on orthonormal, and orthogonal to those before, in place.

    Block Gram-Schmidt, repeated until the products say that it is done. Both products of a round, with the
    columns held and among the new ones, come from one pass; the Gram matrix of what is left of the block is
    their difference, so the rounds do what a QR decomposition does without ever leaving long rows. Directions
    that nothing but rounding is left of are replaced by random ones.

    Parameters
    ----------
    basis : ndarray of shape (n, held + b)
        With held + b <= n, and the first `held` columns orthonormal.
    held : int
    rng : Generator or RandomState
        What replacements are drawn from.
    scale : float
        The size of what the block was computed from, in whose rounding directions drown.
    rough : bool
        Whether one round does, where the block is so well conditioned that it is orthonormal to a few digits
        then: all that a power iteration needs.

    Returns
    -------
    coefficients : ndarray of shape (held, b)
    factor : ndarray of shape (b, b)
        The block was ``basis[:, :held] @ coefficients + (what it is now) @ factor``.
    rank : int
        How many of the new directions are of the block; those after them are random.

    References
    ----------
    Carson, Lund, Rozložník & Thomas (2022), Block Gram-Schmidt algorithms and their stability properties
    (Pythagorean inner products). Fukaya, Kannan, Nakatsukasa, Yamamoto & Yanagisawa (2020), Shifted
    Cholesky QR.
    """
    n, width = basis.shape[0], basis.shape[1] - held
    eps = float(np.finfo(basis.dtype).eps)
    coefficients, factor = np.zeros((held, width)), np.eye(width)
    rank, first = width, 0
    for turn in range(_ROUNDS):
        known, block = basis[:, first : held + rank], basis[:, held : held + rank]
        products = crossed(known, block)
        along, gram = products[: held - first], products[held - first :]
        sizes = np.sqrt(np.diag(gram))
        if turn == 0:
            scale = max(scale, float(sizes.max(initial=0.0)))
        elif abs(along).max(initial=0.0) < 16 * eps and abs(gram - np.eye(rank)).max(initial=0.0) < 64 * eps:
            break
        found = sizes * np.linalg.norm(factor, axis=1) > 8 * eps * np.sqrt(width) * scale
        if not found.all():
            rank = int(found.sum())
            block[:, :rank] = block[:, found]
            factor = factor[found]
            known, block, sizes = basis[:, first : held + rank], basis[:, held : held + rank], sizes[found]
            along, gram = along[:, found], gram[np.ix_(found, found)]
        if rank == 0:
            break
        left = (gram - along.T @ along) / np.outer(sizes, sizes)
        values, vectors = scipy.linalg.eigh(left, check_finite=False)
        # What is left below this is not known well enough to be divided by: the next round sees it better.
        roots = np.sqrt(np.maximum(values, 64 * eps * width))
        # The symmetric root changes least; but columns must be eigenvectors for a lost one to show.
        back = vectors.T if values[0] > 0.01 else np.eye(rank)
        change = (vectors / roots) @ back / sizes[:, None]
        undo = back.T @ (vectors * roots).T * sizes
        mix = np.concatenate([-along @ change, change]).astype(basis.dtype, copy=False)
        block[:] = combined(known, mix)
        coefficients[first:] += along @ factor
        factor = undo @ factor
        if (abs(along) < 0.1 * sizes).all() and values[0] > 1e-4:
            # Nothing was cancelled: the block is as orthogonal to those before as rounding lets it be.
            first = held
            if (rough and values[0] > 1e5 * eps) or values[0] > 0.1:
                break
    if rank < width:
        basis[:, held + rank :] = rng.standard_normal((n, width - rank))
        extend(basis, held + rank, rng)
        factor = np.concatenate([factor, np.zeros((width - rank, width))])
    return coefficients, factor, rank
