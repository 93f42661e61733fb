"""What linear support vector machines minimise, and how far from the minimum something is, by NumPy alone."""

from __future__ import annotations

import numpy as np
from scipy.optimize import lsq_linear


def wide(X, scaling=1.0):
    """Records with the column of constants that stands for the intercept."""
    X = np.asarray(X, dtype=float)
    return np.column_stack([X, np.full(len(X), scaling)]) if scaling else X


def weights_of(model, scaling=1.0):
    """The weights of every model, the last one that of the column of constants."""
    coef = np.atleast_2d(model.coef_)
    return np.column_stack([coef, np.asarray(model.intercept_) / scaling]) if scaling else coef


def outside(u, low, high):
    """How far values lie outside of their bands."""
    return np.maximum(np.maximum(low - u, u - high), 0)


def class_bands(own):
    """The bands of a class's records and of the rest."""
    return np.where(own, 1.0, -np.inf), np.where(own, np.inf, -1.0)


def objective(A, w, low, high, cost, power, penalty="l2"):
    size = np.abs(w).sum() if penalty == "l1" else w @ w / 2
    return size + (cost * outside(A @ w, low, high) ** power).sum()


def joint_objective(A, W, codes, cost):
    """Crammer and Singer's."""
    U = A @ W.T
    rows = np.arange(len(A))
    rival = U + 1
    rival[rows, codes] -= 1
    return (W**2).sum() / 2 + (cost * (rival.max(axis=1) - U[rows, codes])).sum()


def gap(A, w, low, high, cost, power):
    """The objective at w less a lower bound of what it can be: the dual's value at multipliers that suit w.

    Any multipliers within their bounds give a lower bound.
    """
    u = A @ w
    if power == 2:
        beta = 2 * cost * (np.maximum(low - u, 0) - np.maximum(u - high, 0))
        curved = beta**2 / (4 * cost)
    else:
        near = 1e-5 * (1 + np.abs(u))
        beta = np.where(u < low, cost, np.where(u > high, -cost, 0.0))
        free = (np.abs(u - low) < near) | (np.abs(u - high) < near)
        if free.any():
            least = np.where(np.abs(u - high) < near, -cost, 0.0)[free]
            most = np.where(np.abs(u - low) < near, cost, 0.0)[free]
            rest = w - np.where(free, 0.0, beta) @ A
            size = np.abs(A[free]).max()
            found = lsq_linear(A[free].T / size, rest / size, (least / 1.0, most), tol=1e-14)
            beta[free] = np.clip(found.x, least, most)
        curved = 0.0
    edge = np.where(beta > 0, low, high)
    gain = np.where(beta == 0, 0.0, beta * np.where(np.isfinite(edge), edge, 0.0))
    back = beta @ A
    return objective(A, w, low, high, cost, power) - (gain - curved).sum() + back @ back / 2


def l1_violation(A, w, low, high, cost):
    """How far 0 is from the subgradients of the L1-penalised objective, summed over the coordinates."""
    u = A @ w
    gradient = -2 * (cost * (np.maximum(low - u, 0) - np.maximum(u - high, 0))) @ A
    return np.where(w == 0, np.maximum(np.abs(gradient) - 1, 0), np.abs(gradient + np.sign(w))).sum()
