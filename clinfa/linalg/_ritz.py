"""Small eigenproblems of a basis, and orthonormal bases: what subspace methods do between two products."""

from __future__ import annotations

import numpy as np

from clinfa._core import ritz
from clinfa.blas import one_thread
from clinfa.linalg._blocks import combined, crossed
from clinfa.threads import stripes

__all__ = ["orthonormal", "residuals", "ritz_pairs", "spanning"]

_DROP = 1e-12  # a direction of which less than this part (squared) is new is rounding, not a direction


def ritz_pairs(K: np.ndarray, M: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs K c = value M c within what M tells apart.

    Parameters
    ----------
    K, M : ndarray of shape (m, m), float64
        Symmetric up to rounding.

    Returns
    -------
    values : ndarray of shape (rank,)
        Rising.
    vectors : ndarray of shape (m, rank)
        With vectorsᵀ M vectors = I.
    """
    m = len(K)
    values, vectors = np.empty(m), np.empty((m, m))
    K, M = (K + K.T) / 2, (M + M.T) / 2
    work, whole = np.empty(3 * m * m + 9 * m + 1), np.empty(6 * m + 3, np.intc)
    with one_thread():
        rank = max(ritz.pairs(K, M, _DROP, values, vectors, work, whole), 0)
    return values[:rank], vectors[:rank].T


def spanning(G: np.ndarray, drop: float = _DROP) -> np.ndarray:
    """Coefficients T of an orthonormal basis of vectors whose inner products are G.

    Parameters
    ----------
    G : ndarray of shape (m, m), float64
    drop : float
        A vector is left out of which less than this part (squared) is not in those before it.

    Returns
    -------
    ndarray of shape (m, rank)
        TᵀG T = I.
    """
    m = len(G)
    if m == 0:
        return np.empty((0, 0))
    T, order = np.empty((m, m)), np.empty(m, np.intc)
    with one_thread():
        rank = max(ritz.basis((G + G.T) / 2, drop, T, np.empty(m * m + 3 * m), order), 0)
    return T[:rank].T


def orthonormal(block: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns of a block, of as many columns as are independent.

    Parameters
    ----------
    block : ndarray of shape (n, k)

    Returns
    -------
    ndarray of shape (n, rank)
    """
    for _ in range(3):
        if not block.shape[1]:
            break
        G = crossed(block)
        if np.abs(G - np.eye(len(G))).max() < 64 * np.finfo(block.dtype).eps:
            break
        block = combined(block, spanning(G))
    return block


def residuals(
    AX: np.ndarray, BX: np.ndarray, theta: np.ndarray, out: np.ndarray, scale: float = 1.0
) -> np.ndarray:
    """(A X - B X theta) scale into `out`, and the norms of its columns.

    Parameters
    ----------
    AX, BX : ndarray of shape (n, b)
    theta : ndarray of shape (b,)
    out : ndarray of shape (n, at least b)
        float32 or float64. Columns beyond b are made 0.
    scale : float
        A power of two.

    Returns
    -------
    ndarray of shape (b,)
    """
    n, b = AX.shape
    cut = stripes(n, 1.0 * b)
    squares = np.zeros((len(cut), max(b, 16)))
    cut.run(
        lambda cursor, limit, slot: ritz.residual_pass(
            AX, BX, theta, scale, cut.bounds, cursor, limit, out, squares
        )
    )
    return np.sqrt(squares.sum(axis=0)[:b])
