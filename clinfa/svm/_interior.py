"""Losses that grow linearly: an interior-point method whose systems are as small as there are columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clinfa._core import linear_small, linear_svm
from clinfa.blas import one_thread
from clinfa.svm._design import FEW, WORK, Design, factorised
from clinfa.threads import Stripes, stripes

__all__ = ["interior"]

_STAY = 0.995  # of the way to the boundary that a step may go
_STUCK = 12  # iterations in which products have not halved
_ROUNDING = 1e-13  # of the objective: products below it, all together, tell nothing any more
_NOTHING = 1e-30  # costs that are less than this share of the greatest


class _Point:
    """Multipliers, room and slack of every side that asks for something: see `linear_svm.interior_pass`."""

    def __init__(self, bands: tuple[np.ndarray, np.ndarray], cost: np.ndarray):
        low, high = bands
        if (np.isfinite(low) & np.isfinite(high)).any():
            self.sign = np.stack([np.ones_like(low), -np.ones_like(low)])
            self.goal = np.stack([low, -high])
        else:
            below = np.isfinite(low)
            self.sign = np.where(below, 1.0, -1.0)[None]
            self.goal = np.where(below, low, -high)[None]
        self.cost, self.n = cost, len(cost)
        unit = float(np.abs(self.goal).mean())
        self.alpha = np.tile(cost / 2, (len(self.sign), 1))
        self.room = np.maximum(-self.goal, 0) + unit
        self.slack = np.maximum(self.goal, 0) + unit
        self.cut = stripes(self.n, 25.0 * len(self.sign))

    def run(self, kernel: Callable, before: tuple, out: tuple) -> np.ndarray:
        """Call a kernel on all stripes; what it sums, by stripe."""
        cut: Stripes = self.cut
        sums = np.empty((len(cut), 16))
        state = self.sign, self.goal, self.cost, self.alpha, self.room, self.slack
        cut.run(lambda cursor, limit, slot: kernel(*before, *state, cut.bounds, cursor, limit, *out, sums))
        return sums

    def loss(self) -> float:
        """What is lost at w = 0."""
        return float((self.cost * np.maximum(self.goal, 0)).sum())

    def move(self, t: float, change: np.ndarray) -> None:
        for array, step in zip((self.alpha, self.room, self.slack), change):
            step *= t
            array += step


@one_thread()
def interior(
    design: Design, bands: tuple[np.ndarray, np.ndarray], cost: np.ndarray, tol: float, max_iter: int
) -> tuple[np.ndarray, int, bool]:
    """Minimise |w|^2 / 2 + sum of cost times the distance of a row's value from its band.

    Mehrotra's predictor and corrector on the dual, as Ferris and Munson have it.

    Parameters
    ----------
    design : Design
    bands : two ndarrays of shape (n,)
        Least and greatest value without loss.
    cost : ndarray of shape (n,)
        Above 0.
    tol : float
        The duality gap is to be at most tol^2 times the objective, and times what that has fallen by: so w
        is off by tol, relative.
    max_iter : int

    Returns
    -------
    w : ndarray of shape (design.width,)
    n_iter : int
    converged : bool
    """
    felt = cost > _NOTHING * cost.max()
    if not felt.all():
        bands, cost = (bands[0][felt], bands[1][felt]), cost[felt]
        design = Design(design.X[felt], design.constant)
    point = _Point(bands, cost)
    w, u = np.zeros(design.width), np.zeros(design.n)
    if not (point.goal > 0).any():
        return w, 0, True
    least = max(tol**2, _ROUNDING)
    if design.n * design.width**2 <= FEW:
        small = _small(point, design, tol, least, max_iter)
        if small is not None:
            return small
        point = _Point(bands, cost)
    theta, right = np.empty(point.n), np.empty((3, point.n))
    over, change = np.empty((1, point.n)), np.empty((3, *point.goal.shape))
    best, best_w, bound, apart, since = np.inf, w, -np.inf, 1.0, 0
    gap, lowest, first = np.inf, np.inf, point.loss()
    for n_iter in range(max_iter + 1):
        loss, gain, product = point.run(linear_svm.interior_pass, (u,), (theta, right))[:, :3].sum(axis=0)
        sums = design.sums(right)
        objective = float(loss + w @ w / 2)
        dual = float(gain - sums[0] @ sums[0] / 2)
        if objective < best:
            best, best_w = objective, w
        bound = max(bound, dual)
        # Where costs are huge, rounding of the values alone may be dear; slacks know better.
        inner = product if apart < 1e-9 else np.inf
        now = min(best - bound, inner)
        gap = min(gap, now)
        since, lowest = (0, product) if product < 0.5 * lowest else (since + 1, lowest)
        size = max(best if best - bound <= inner else abs(dual) + product, 1e-300)
        if gap <= least * min(size, first - bound):
            return w if inner <= best - bound else best_w, n_iter, True
        if product <= _ROUNDING * size:  # no digits are left
            return w, n_iter, True
        if n_iter == max_iter or since > _STUCK or not product > 0:
            break
        H = design.crossed(theta)
        H.flat[:: len(H) + 1] += 1
        backwards = factorised(H)
        affine = design.values(backwards(sums[0] + sums[1] - w))
        found = point.run(linear_svm.interior_probe, (u, affine), (over,))
        t = min(1.0, float(found[:, 0].min()))
        left = max((1 - t) * product + t * t * float(found[:, 1].sum()), 0.0)
        target = (left / product) ** 3 * product / (2 * point.goal.size)
        dw = backwards(sums[0] + sums[1] + target * sums[2] + design.sums(over)[0] - w)
        du = design.values(dw)
        found = point.run(linear_svm.interior_step, (u, affine, du, target), (change,))
        t = min(1.0, _STAY * float(found[:, 0].min()))
        w = w + t * dw
        u += t * du
        point.move(t, change)
        apart *= 1 - t
    return best_w, n_iter, n_iter < max_iter and gap <= tol * size


def _small(
    point: _Point, design: Design, tol: float, least: float, max_iter: int
) -> tuple[np.ndarray, int, bool] | None:
    """The same in a kernel, for a few records; None where its factorisation is not up to it."""
    n, m = design.n, design.width
    once = max(1, WORK // (n * m * m))
    w, u, H, sums, values = (
        np.zeros((2, m)),
        np.zeros(n),
        np.empty((m, m)),
        np.empty((5, m)),
        np.empty((2, n)),
    )
    change, marks, state = (
        np.empty((3, *point.goal.shape)),
        np.array([np.inf, -np.inf, 1, np.inf, point.loss(), np.inf]),
        np.zeros(3, np.int64),
    )
    while True:
        linear_small.interior_steps(
            design.X, design.constant, point.sign, point.goal, point.cost, least,
            min(once, max_iter - int(state[0])), point.alpha, point.room, point.slack, w, u, H, sums, values,
            change, marks, state,
        )  # fmt: skip
        if state[1] == 2:
            return None
        if state[1] or state[0] >= max_iter:
            return w[1], int(state[0]), bool(state[1] == 1 or (state[1] == 3 and marks[3] <= tol))
