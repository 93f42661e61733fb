"""Chebyshev filters: polynomials of a matrix that are small on the unwanted part of its spectrum.

With T_m scaled so that p(theta) = 1, the filtered block p(A) X has all that is unwanted in X divided by as
much as a polynomial of degree m can. What is computed is the difference D = p(A) X - X p(theta), which
follows the same three-term recurrence, driven by the residuals R = A X - X theta: it is small when X is
nearly right, so single precision serves it to the last digits of a double block. Column j of D is scaled
with T_m at the greatest theta.
"""

from __future__ import annotations

import numpy as np

from clinfa.blas import one_thread
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._operators import Operator

__all__ = ["filtered", "growth", "spectrum_bounds"]


def growth(theta: np.ndarray, low: float, high: float) -> np.ndarray:
    """log of what each degree multiplies the part at theta by, against that in [low, high]."""
    reach = np.abs((theta - (low + high) / 2) / ((high - low) / 2))
    return np.arccosh(np.maximum(reach, 1.0))


def filtered(
    operator: Operator,
    R: np.ndarray,
    theta: np.ndarray,
    low: float,
    high: float,
    degree: int,
    scratch: np.ndarray,
    Y: np.ndarray,
) -> np.ndarray:
    """p(A) X - X p(theta), up to a factor for each column.

    Parameters
    ----------
    operator : Operator
    R : ndarray of shape (n, b)
        Residuals A X - X theta; b may be padded.
    theta : ndarray of shape (b,)
    low, high : float
        The interval on which p is small; theta lies beyond one end of it.
    degree : int
        At least 1.
    scratch : ndarray of shape (2, n, b)
        Of R's type. The result is one of the two.
    Y : ndarray of shape (n, c)
        Orthonormal constraints, of R's type: the polynomial is one of A restricted to what is orthogonal to
        them.

    Returns
    -------
    ndarray of shape (n, b)
    """
    half, centre = (high - low) / 2, (high + low) / 2
    reach = (theta - centre) / half
    top = reach[np.argmax(np.abs(reach))]
    # sigma = T_i(top) / T_{i+1}(top) keeps everything at most 1; at_theta is T_i(reach) / T_i(top).
    sigma = 1 / top
    previous, current = scratch
    previous[:] = 0
    np.multiply(R, R.dtype.type(sigma / half), out=current)
    before, at_theta = np.ones_like(reach), reach * sigma
    for _ in range(degree - 1):
        next_sigma = 1 / (2 * top - sigma)
        alpha, beta = 2 * next_sigma / half, -sigma * next_sigma
        gain = (alpha * at_theta).astype(R.dtype)
        previous = operator.recur(current, alpha, centre, beta, gain, R, previous)
        if Y.shape[1]:
            previous -= combined(Y, crossed(Y, previous))
        previous, current = current, previous
        before, at_theta = at_theta, 2 * next_sigma * reach * at_theta + beta * before
        sigma = next_sigma
    return current


def spectrum_bounds(operator: Operator, start: np.ndarray, steps: int = 12) -> tuple[float, float]:
    """Bounds of the spectrum by a few steps of Lanczos: safe but for rare starts (Zhou & Li, 2011).

    Parameters
    ----------
    operator : Operator
    start : ndarray of shape (n, 1)
    steps : int
    """
    v = start / start.dtype.type(_norm(start))
    before, beta = np.zeros_like(v), 0.0
    diagonal, beside = [], []
    for _ in range(min(steps, operator.n)):
        w = operator(v) - beta * before
        alpha = float(crossed(w, v)[0, 0])
        w -= alpha * v
        diagonal.append(alpha)
        beta = _norm(w)
        beside.append(beta)
        if beta <= 1e-6 * max(abs(alpha), beside[0]):
            break
        before, v = v, w / w.dtype.type(beta)
    T = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    with one_thread():
        values = np.linalg.eigvalsh(T)
    return float(values[0] - beta), float(values[-1] + beta)


def _norm(v: np.ndarray) -> float:
    return float(np.sqrt(crossed(v)[0, 0]))
