"""Coordinate descent: for records that are sparse, or wide in either direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clinfa._core import linear_dual, linear_l1
from clinfa.arrays import CSR
from clinfa.blas import one_thread
from clinfa.linalg._blocks import combined
from clinfa.linalg._sparse import product, transposed
from clinfa.threads import Stripes, jobs, stripes

__all__ = ["Rows", "descend", "descend_classes", "descend_columns", "descend_jointly", "descend_soon"]

_BUDGET = 15_000_000  # stored values that one kernel call looks at
_LANES = 8  # classes side by side
_LONGER = 5  # times as many sweeps as slopes needed, for the sake of the duality gap
_LOOK = 4  # sweeps between two looks at the duality gap, where a few of them may do
_FEW_SWEEPS = 24  # and how many
_HOPE, _FALL = 1e-3, 0.1  # what the gap may be at the first look, and what it has to fall by until the next
_VALUE_NS = 0.8  # of a stored value, in a product of rows and weights
_HUNDRED = 100  # sweeps that are one iteration where all classes are one problem


@dataclass(frozen=True)
class Rows:
    """Records as the kernels of coordinate descent read them.

    Attributes
    ----------
    data, indices, indptr : ndarray
        As CSR; the indices of dense records are those of one row.
    dense : bool
    constant : float
        The last column.
    shape : (int, int)
        Without that column.
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    dense: bool
    constant: float
    shape: tuple[int, int]

    @classmethod
    def of(cls, X: np.ndarray | CSR, constant: float) -> Rows:
        if isinstance(X, CSR):
            return cls(X.data, X.indices, X.indptr, False, constant, X.shape)
        n, d = X.shape
        return cls(X.reshape(-1), np.arange(d), d * np.arange(n + 1), True, constant, X.shape)

    @property
    def arrays(self) -> tuple:
        return self.data, self.indices, self.indptr, self.dense, self.constant

    def squares(self) -> np.ndarray:
        """Squared lengths of the rows."""
        cut, out = self.cut(self.shape[0]), np.empty(self.shape[0])
        cut.run(
            lambda cursor, limit, slot: linear_dual.squares_pass(
                self.data, self.indptr, self.constant, cut.bounds, cursor, limit, out
            )
        )
        return out

    def cut(self, count: int) -> Stripes:
        """Stripes of some rows."""
        return stripes(count, _VALUE_NS * self.data.size / self.shape[0] + 10)


class _Sweeps:
    """The order of rows or columns, which of them are worked on, and where a sweep stands."""

    def __init__(self, n: int, seed: int):
        self.order = np.arange(n)
        self.place = np.array([0, n, seed, 0])
        self.n = n

    def run(self, kernel: Callable) -> None:
        """One sweep: `kernel` is called with the budget, the order and the place until it is over."""
        self.place[0] = self.place[3] = 0
        while not self.place[3]:
            kernel(_BUDGET, self.order, self.place)

    def all_again(self) -> bool:
        """Work on all again; whether not all were."""
        fewer = self.place[1] < self.n
        self.place[1] = self.n
        return bool(fewer)


def descend(
    rows: Rows,
    bands: tuple[np.ndarray, np.ndarray],
    cost: np.ndarray,
    squared: bool,
    tol: float,
    max_iter: int,
    seed: int,
    relative: bool,
) -> tuple[np.ndarray, int, bool]:
    """Minimise |w|^2 / 2 + sum of cost times the distance, or its square, of a row's value from its band.

    Parameters
    ----------
    rows : Rows
    bands : two ndarrays of shape (n,)
        Least and greatest value without loss.
    cost : ndarray of shape (n,)
        Above 0.
    squared : bool
    tol : float
        How far from optimal a multiplier may be, in units of values; where `relative`, the sum of what they
        are in a sweep, by that of the first sweep.
    max_iter : int
        Sweeps.
    seed : int
        Of the order of the rows.
    relative : bool

    Returns
    -------
    w : ndarray of shape (d + 1,)
    n_iter : int
    converged : bool
    """
    n, d = rows.shape
    sweeps, terms = _Sweeps(n, seed), _terms(rows, bands, cost)
    beta, w, found = np.zeros(n), np.zeros(d + 1), np.zeros(2)
    reach, first = np.inf, None
    for n_iter in range(1, max_iter + 1):
        sweeps.run(
            lambda budget, order, place, reach=reach: linear_dual.band_descent(
                *rows.arrays, terms, squared, reach, budget, order, place, beta, w, found
            )
        )
        first = found[1] if first is None else first
        reach = found[0] if found[0] > 0 else np.inf
        worst, total = found
        if total <= tol * first if relative else 2 * worst <= tol:
            behind = np.sort(sweeps.order[sweeps.place[1] :])
            if len(behind):
                more = _violations(rows, terms, squared, behind, beta, w)
                worst, total = max(worst, more[0]), total + more[1]
            if total <= tol * first if relative else 2 * worst <= tol:
                return w, n_iter, True
            sweeps.all_again()
            reach = np.inf
    return w, max_iter, False


def _terms(rows: Rows, bands: tuple[np.ndarray, np.ndarray], cost: np.ndarray) -> np.ndarray:
    """What is asked of each row, side by side: its band, what it costs to lie outside, its squared length."""
    out = np.empty((len(cost), 4))
    out[:, 0], out[:, 1], out[:, 2], out[:, 3] = *bands, cost, rows.squares()
    return out


def _violations(
    rows: Rows,
    terms: np.ndarray,
    squared: bool,
    which: np.ndarray,
    beta: np.ndarray,
    w: np.ndarray,
) -> tuple[float, float]:
    """The greatest violation of some rows, and their sum."""
    cut = rows.cut(len(which))
    out = np.zeros((len(cut), 16))
    cut.run(
        lambda cursor, limit, slot: linear_dual.violations_pass(
            *(*rows.arrays, terms, squared, which, beta, w),
            *(cut.bounds, cursor, limit, out),
        )
    )
    return float(out[:, 0].max()), float(out[:, 1].sum())


def descend_soon(
    rows: Rows, bands: tuple[np.ndarray, np.ndarray], cost: np.ndarray, enough: float, max_iter: int
) -> tuple[np.ndarray, int] | None:
    """The same for losses that grow linearly, where a few sweeps find the optimum; None where they do not.

    They do where nearly all multipliers end at a bound. The order of the rows is always the same.

    Parameters
    ----------
    rows, bands, cost
        As for `descend`.
    enough : float
        What the duality gap is to be at most, by the objective.
    max_iter : int
        Sweeps.

    Returns
    -------
    w : ndarray of shape (d + 1,)
    n_iter : int
    """
    (n, d), (low, high) = rows.shape, bands
    X, sweeps, terms = rows.data.reshape(n, d), _Sweeps(n, 1), _terms(rows, bands, cost)
    beta, w, found = np.zeros(n), np.zeros(d + 1), np.zeros(2)
    reach, hopeful = np.inf, _HOPE
    for n_iter in range(1, min(_FEW_SWEEPS, max_iter) + 1):
        sweeps.run(
            lambda budget, order, place, reach=reach: linear_dual.band_descent(
                *rows.arrays, terms, False, reach, budget, order, place, beta, w, found
            )
        )
        reach = found[0] if found[0] > 0 else np.inf
        if n_iter % _LOOK:
            continue
        size = float(np.einsum("f,f->", w, w)) / 2
        u = np.einsum("if,f->i", X, w[:d]) + rows.constant * w[d]
        lost = float((cost * np.maximum(np.maximum(low - u, u - high), 0)).sum())
        gained = float((beta * np.where(beta > 0, low, np.where(beta < 0, high, 0))).sum())
        if lost + 2 * size - gained <= enough * (lost + size):
            return w, n_iter
        if lost + 2 * size - gained > hopeful * (lost + size):
            return None
        hopeful *= _FALL
        if not sweeps.place[1] or found[0] == 0:
            sweeps.all_again()
            reach = np.inf
    return None


def descend_classes(
    rows: Rows,
    codes: np.ndarray,
    weight: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    squared: bool,
    tol: float,
    max_iter: int,
    seed: int,
) -> tuple[np.ndarray, int, bool]:
    """Each class against its rest, eight of them side by side, such groups of classes in parallel.

    Parameters
    ----------
    rows : Rows
    codes : ndarray of shape (n,), int64
        Numbers of the classes.
    weight : ndarray of shape (n,)
        What costs are multiplied by.
    inside, outside : ndarray of shape (k,)
        Costs of rows that are of the class, and of others.
    squared, tol, max_iter, seed
        As for `descend`.

    Returns
    -------
    W : ndarray of shape (k, d + 1)
    n_iter : int
        The most of all classes.
    converged : bool
    """
    k, square = len(inside), rows.squares()
    count = -(-k // _LANES)
    groups = np.array_split(np.arange(k), count + count % 2 if count > 1 else 1)

    def one(classes: np.ndarray) -> tuple[np.ndarray, int, bool]:
        return _descend_group(
            *(rows, square, codes, weight, classes[0], inside[classes], outside[classes]),
            *(squared, tol, max_iter, seed),
        )

    parts = list(jobs(one, groups)) if len(groups) > 1 else [one(groups[0])]
    return np.concatenate([p[0] for p in parts]), max(p[1] for p in parts), all(p[2] for p in parts)


def _descend_group(
    rows: Rows,
    square: np.ndarray,
    codes: np.ndarray,
    weight: np.ndarray,
    start: int,
    inside: np.ndarray,
    outside: np.ndarray,
    squared: bool,
    tol: float,
    max_iter: int,
    seed: int,
) -> tuple[np.ndarray, int, bool]:
    (n, d), k = rows.shape, len(inside)
    sweeps = _Sweeps(n, seed)
    costs = np.ones((2, _LANES))
    costs[:, :k] = inside, outside
    live = np.where(np.arange(_LANES) < k, -1, 0)
    alpha, W, found = np.zeros((n, _LANES)), np.zeros((d + 1, _LANES)), np.zeros((2, _LANES))
    reach = np.full(_LANES, np.inf)
    for n_iter in range(1, max_iter + 1):
        sweeps.run(
            lambda budget, order, place, reach=reach: linear_dual.class_descent(
                *rows.arrays, square, codes, start, weight, *costs, squared, reach, live, budget, order,
                place, alpha, W, found,
            )
        )  # fmt: skip
        reach = np.where(found[0] > 0, found[0], np.inf)
        good = 2 * found[0] <= tol
        whole = sweeps.place[1] == n
        if whole:
            live[good] = 0
        if not live.any():
            return np.ascontiguousarray(W[:, :k].T), n_iter, True
        if good.all():
            sweeps.all_again()
            reach = np.full(_LANES, np.inf)
    return np.ascontiguousarray(W[:, :k].T), max_iter, False


def descend_jointly(
    rows: Rows, codes: np.ndarray, k: int, cost: np.ndarray, tol: float, max_iter: int, seed: int
) -> tuple[np.ndarray, int, bool]:
    """All classes at once: minimise |W|^2 / 2 + sum of cost times what a row's class lacks of 1 above the
    next.

    Parameters
    ----------
    rows : Rows
    codes : ndarray of shape (n,), int64
    k : int
        The number of classes.
    cost : ndarray of shape (n,)
    tol, max_iter, seed
        As for `descend`, and the duality gap is to be at most tol times the objective, if that can be had
        with some more sweeps; a hundred of them are one iteration, since most are over few records.

    Returns
    -------
    W : ndarray of shape (k, d + 1)
    n_iter : int
    converged : bool
    """
    n, d = rows.shape
    square, order = rows.squares(), np.arange(n)
    place = np.array([0, n, seed, 0, 0, 1])
    found = np.array([0.0, max(10 * tol, 1.0)])
    alpha, W, scratch = np.zeros((n, k)), np.zeros((d + 1, k)), np.empty(3 * k)
    most, slope_tol, converged = _HUNDRED * max_iter, tol, False
    while place[4] < most:
        linear_dual.joint_descent(
            *rows.arrays,
            square,
            codes,
            cost,
            slope_tol,
            most,
            _BUDGET,
            order,
            place,
            alpha,
            W,
            scratch,
            found,
        )
        if not place[3]:
            continue
        size = float((W**2).sum())
        objective = _joint_loss(rows, codes, cost, W) + size / 2
        if objective - (alpha[np.arange(n), codes].sum() - size / 2) <= tol * objective:
            return np.ascontiguousarray(W.T), -(-int(place[4]) // _HUNDRED), True
        # Slopes say little where costs are high: more is asked of them, for a while.
        most = most if converged else min(most, _LONGER * int(place[4]) + _HUNDRED)
        slope_tol, converged, place[3] = slope_tol / 4, True, 0
    return np.ascontiguousarray(W.T), -(-int(place[4]) // _HUNDRED), converged


@one_thread()
def _joint_loss(rows: Rows, codes: np.ndarray, cost: np.ndarray, W: np.ndarray) -> float:
    n, d = rows.shape
    dtype, last = rows.data.dtype, rows.constant * W[d]
    turn = np.ascontiguousarray(W[:d], dtype)
    if rows.dense:
        U = combined(rows.data.reshape(n, d), turn)
    else:
        U = product(CSR(rows.data, rows.indices, rows.indptr, rows.shape), turn)
    U = U + last
    own = U[np.arange(n), codes].copy()
    U += 1
    U[np.arange(n), codes] -= 1
    return float(cost @ (U.max(axis=1) - own))


def descend_columns(
    rows: Rows, sign: np.ndarray, cost: np.ndarray, tol: float, max_iter: int, seed: int
) -> tuple[np.ndarray, int, bool]:
    """Minimise |w|_1 + sum of cost times the squared hinge loss.

    Parameters
    ----------
    rows : Rows
    sign : ndarray of shape (n,)
        1 or -1: the side that a row should lie on.
    cost : ndarray of shape (n,)
    tol : float
        What the sum of all violations of optimality may be, relative to that of the first sweep.
    max_iter, seed
        As for `descend`.

    Returns
    -------
    w : ndarray of shape (d + 1,)
    n_iter : int
    converged : bool
    """
    (n, d), data = rows.shape, rows.data
    if rows.dense:
        columns = np.ascontiguousarray(data.reshape(n, d).T)
        extra = np.full((1, n), rows.constant, data.dtype)
        data = np.concatenate([columns, extra]).reshape(-1)
        indices, indptr = np.arange(n), n * np.arange(d + 2)
    else:
        turned = transposed(CSR(data, rows.indices, rows.indptr, rows.shape))
        count = int(turned.indptr[-1])
        data = np.concatenate([turned.data[:count], np.full(n, rows.constant, data.dtype)])
        indices = np.concatenate([turned.indices[:count], np.arange(n)]).astype(np.int64)
        indptr = np.append(turned.indptr, count + n).astype(np.int64)
    width = d + (rows.constant > 0)
    of = np.repeat(np.arange(d + 1), np.diff(indptr))
    weighed = cost[np.tile(indices, d + 1) if rows.dense else indices] * data.astype(np.float64) ** 2
    bound = np.bincount(of, weighed, d + 1)
    sweeps = _Sweeps(width, seed)
    lack, w, found = np.ones(n), np.zeros(d + 1), np.zeros(2)
    reach, first = np.inf, None
    for n_iter in range(1, max_iter + 1):
        sweeps.run(
            lambda budget, order, place, reach=reach: linear_l1.column_descent(
                data,
                indices,
                indptr,
                rows.dense,
                sign,
                cost,
                bound,
                reach,
                budget,
                order,
                place,
                lack,
                w,
                found,
            )
        )
        first = found[1] if first is None else first
        if found[1] <= tol * first:
            if not sweeps.all_again():
                return w, n_iter, True
            reach = np.inf
        else:
            reach = found[0] / n if found[0] > 0 else np.inf
    return w, max_iter, False
