"""Squared losses in the primal: Newton's method, and with an L1 penalty a model that Newton's method
minimises.

The loss is quadratic in pieces: once a step changes nobody's piece, it ends at the minimum.
"""

from __future__ import annotations

import numpy as np

from clinfa._core import linear_l1, linear_small
from clinfa.blas import one_thread
from clinfa.svm._design import FEW, WORK, Design, WideDesign, band_losses

__all__ = ["newton", "newton_l1"]

_BUDGET = 20_000_000  # entries of a model that are looked at in one call
_SWEEPS = 200  # over a model
_ROUNDING = 1e-12  # of the violation at w = 0
_SEARCHES = 40  # of a line


@one_thread()
def newton(
    design: Design,
    bands: tuple[np.ndarray, np.ndarray],
    cost: np.ndarray,
    tol: float,
    max_iter: int,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, int, bool]:
    """Minimise |w|^2 / 2 + sum of cost times the squared distance of a row's value from its band.

    Parameters
    ----------
    design : Design
    bands : two ndarrays of shape (n,)
        Least and greatest value without loss.
    cost : ndarray of shape (n,)
    tol : float
        The duality gap, which is half of the squared gradient, is to be at most tol^2 times the objective,
        and times what that has fallen by: so w is off by tol, relative.
    max_iter : int
    start : ndarray, optional
        Where to begin; what follows the design's width is not looked at.

    Returns
    -------
    w : ndarray of shape (design.width,)
    n_iter : int
    converged : bool
    """
    w, u = np.zeros(design.width), np.zeros(design.n)
    if design.n * design.width**2 <= FEW and not isinstance(design, WideDesign):
        state = _small(design, bands, cost, tol, max_iter, w, u)
        if state[1] != 2:
            return w, int(state[0]), bool(state[1])
        w, u = np.zeros(design.width), np.zeros(design.n)
    pieces = np.empty(design.n), np.empty(design.n)
    first = loss = band_losses(u, u, 0.0, bands, cost, pieces)[0]
    if start is not None:
        w = start[: design.width]
        u = design.values(w)
        loss = band_losses(u, u, 0.0, bands, cost, pieces)[0]
    for n_iter in range(max_iter + 1):
        gradient = w + design.sums(pieces[0][None])[0]
        objective, gap = loss + w @ w / 2, gradient @ gradient / 2
        if gap <= tol**2 * min(objective, first - objective + gap):
            return w, n_iter, True
        if n_iter == max_iter:
            break
        dw = design.step(pieces[1], gradient)
        du = design.values(dw)
        t = _search(w, dw, u, du, bands, cost)
        w = w + t * dw
        loss = band_losses(u, du, t, bands, cost, pieces)[0]
        if t == 0 or loss + w @ w / 2 >= objective:  # no digits are left
            return w, n_iter + 1, True
    return w, max_iter, False


def _small(
    design: Design,
    bands: tuple[np.ndarray, np.ndarray],
    cost: np.ndarray,
    tol: float,
    max_iter: int,
    w: np.ndarray,
    u: np.ndarray,
) -> np.ndarray:
    """The same in a kernel, which moves w and u; its state (see `linear_small.newton_steps`)."""
    n, m = design.n, design.width
    once = max(1, WORK // (n * m * m))
    first = float(band_losses(u, u, 0.0, bands, cost)[0])
    H, scratch, state = np.empty((m, m)), np.empty((2, n + 2 * m)), np.zeros(2, np.int64)
    while True:
        steps = min(once, max_iter - int(state[0]))
        linear_small.newton_steps(
            design.X, design.constant, *bands, cost, tol**2, steps, w, u, H, scratch, first, state
        )
        if state[1] or state[0] >= max_iter:
            return state


@one_thread()
def _search(
    w: np.ndarray,
    dw: np.ndarray,
    u: np.ndarray,
    du: np.ndarray,
    bands: tuple[np.ndarray, np.ndarray],
    cost: np.ndarray,
) -> float:
    """The t that minimises the objective at w + t dw, near enough, by Newton's method between bounds."""
    along, length = float(w @ dw), float(dw @ dw)
    slope = along + band_losses(u, du, 0.0, bands, cost)[1]
    if not slope < 0:
        return 0.0
    low, high, t, enough = 0.0, np.inf, 1.0, -0.01 * slope
    for _ in range(_SEARCHES):
        _, slope, bend = band_losses(u, du, t, bands, cost)
        slope += along + t * length
        if abs(slope) <= enough:
            break
        low, high = (t, high) if slope < 0 else (low, t)
        t -= slope / (bend + length)
        if not low < t < high:
            t = (low + high) / 2 if high < np.inf else 2 * low
    return t


@one_thread()
def newton_l1(
    design: Design,
    bands: tuple[np.ndarray, np.ndarray],
    cost: np.ndarray,
    tol: float,
    max_iter: int,
    precise: float,
) -> tuple[np.ndarray, int, bool]:
    """Minimise |w|_1 + sum of cost times the squared distance of a row's value from its band.

    Arguments and results are those of `newton`; `tol` is what the sum of all violations of optimality may
    be, relative to that at w = 0, and `precise` what it may be: the penalty's slopes are 1, so that the
    objective is off by no more than twice that, relative.
    """
    w, u = np.zeros(design.width), np.zeros(design.n)
    pieces = np.empty(design.n), np.empty(design.n)
    loss, first = band_losses(u, u, 0.0, bands, cost, pieces)[0], None
    for n_iter in range(max_iter + 1):
        gradient = design.sums(pieces[0][None])[0]
        violation = _violation(w, gradient)
        first = violation if first is None else first
        if violation <= min(tol * first, max(precise, _ROUNDING * first)):
            return w, n_iter, True
        if n_iter == max_iter:
            break
        v = _model_minimum(design.crossed(pieces[1]), w, gradient, 0.01 * violation)
        dw = v - w
        du = design.values(dw)
        objective = loss + np.abs(w).sum()
        fall = gradient @ dw + np.abs(v).sum() - np.abs(w).sum()
        t = 1.0
        while t > 1e-10:
            now = band_losses(u, du, t, bands, cost)[0] + np.abs(w + t * dw).sum()
            if now <= objective + 1e-4 * t * fall:
                break
            t /= 2
        else:  # no digits are left
            return w, n_iter + 1, True
        w = v if t == 1 else w + t * dw
        loss = band_losses(u, du, t, bands, cost, pieces)[0]
        if now >= objective:
            return w, n_iter + 1, True
    return w, max_iter, False


def _violation(w: np.ndarray, gradient: np.ndarray) -> float:
    """How far 0 is from the subgradients of the objective, summed over the coordinates."""
    away = np.abs(gradient + np.sign(w))
    return float(np.where(w == 0, np.maximum(np.abs(gradient) - 1, 0), away).sum())


def _model_minimum(H: np.ndarray, w: np.ndarray, gradient: np.ndarray, enough: float) -> np.ndarray:
    v, slope, found = w.copy(), gradient.copy(), np.full(1, np.inf)
    least = 1e-12 * float(H.diagonal().max())
    for _ in range(max(1, _SWEEPS * len(w) ** 2 // _BUDGET)):
        linear_l1.model_descent(H, least, min(_BUDGET, _SWEEPS * H.size), enough, slope, v, found)
        if found[0] <= enough:
            break
    return v
