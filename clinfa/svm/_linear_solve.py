"""Which algorithm solves a linear support vector machine: chosen by the shape of the records and the loss
alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clinfa.arrays import CSR, Table
from clinfa.blas import one_thread
from clinfa.svm._descent import Rows, descend, descend_classes, descend_columns, descend_jointly, descend_soon
from clinfa.svm._design import FEW, Design, SparseDesign, WideDesign
from clinfa.svm._interior import interior
from clinfa.svm._newton import newton, newton_l1
from clinfa.threads import jobs

__all__ = ["Records", "Settings", "Solution", "power_of_two", "solve_bands", "solve_classes"]

_NARROW = 1500  # columns (or rows) whose second moments are worth a factorisation in each step
_SMALL = 1 << 24  # numbers in sparse records of few columns that are made dense without a second thought
_LARGE = 1 << 20  # numbers in dense records that keep all threads busy with one class
_FEW = 300  # sparse records whose inner products are worth it, however many columns
_SURE = 1e-12  # of the objective, a duality gap at which nothing is left to be gained
_EPS = float(np.finfo(np.float64).eps)
_SOON = 100  # sweeps after which Newton's method takes over where the loss is squared
_SAFE = 1e-70, 1e70  # squares of numbers between these, and products of such, are in range
_LEAST_COST, _MOST_COST = 1e-250, 1e24  # in units where records are about 1: beyond, nothing changes


@dataclass(frozen=True, slots=True)
class Settings:
    """What the estimators' parameters ask of a solver."""

    penalty: str
    squared: bool
    tol: float
    max_iter: int
    seed: int


@dataclass(frozen=True, slots=True)
class Solution:
    """One row of `coef` and one number of `intercept` for each model."""

    coef: np.ndarray  # (k, d)
    intercept: np.ndarray  # (k,)
    n_iter: int
    converged: bool


class Records:
    """Records in the units and the form in which solvers work on them.

    Parameters
    ----------
    table : Table
    constant : float
        The last column of every record, by which the intercept is penalised; 0 for no intercept.
    weights : ndarray of shape (n,) or (0,)
        Records of weight 0 are left out.
    """

    def __init__(self, table: Table, constant: float, weights: np.ndarray):
        self.kept = np.flatnonzero(weights) if len(weights) and not weights.all() else None
        table = table if self.kept is None else table.part(self.kept)
        self.n, self.d = table.n, table.d
        self.weights = np.ones(self.n) if not len(weights) else self.take(weights)
        X, self.unit, most = _in_range(table, constant)
        self.constant = constant / self.unit
        self._dearest = _MOST_COST / max(most / self.unit, 1e-70) ** 2
        if isinstance(X, CSR) and _pays_dense(X):
            X = X.rows(np.arange(self.n))
        self.X = X
        self._narrow: tuple[Design, Callable[[np.ndarray], np.ndarray]] | None = None

    @property
    def wide(self) -> bool:
        """Whether they are too many both ways for second moments, or sparse."""
        n, d = self.X.shape
        return n > _FEW if isinstance(self.X, CSR) else min(n, d) > _NARROW

    @property
    def narrow(self) -> tuple[Design, Callable[[np.ndarray], np.ndarray]]:
        """What second-order methods see of them, and the way from the weights that these find."""
        # (No cached_property: all objects share its lock, which a process may be forked with.)
        if self._narrow is None:
            make = _of_few if isinstance(self.X, CSR) else _reduced
            self._narrow = make(self.X, self.constant)
        return self._narrow

    def take(self, values: np.ndarray) -> np.ndarray:
        """Those of the records that were kept."""
        return values if self.kept is None else values[self.kept]

    def costs(self, C: float, factor: np.ndarray | float, penalty: str) -> np.ndarray:
        """C times the weights, in the units of the records."""
        with np.errstate(over="ignore", under="ignore"):
            scaled = (C * self.unit) * (self.unit if penalty == "l2" else 1.0)
            return np.clip(scaled * factor * self.weights, _LEAST_COST, self._dearest)

    def solution(self, W: np.ndarray, n_iter: int, converged: bool, dtype: np.dtype) -> Solution:
        """Weights of shape (k, d + 1), or (k, d) without an intercept, in the units of the user."""
        coef = W[:, : self.d] / self.unit
        intercept = self.constant * W[:, self.d] if self.constant else np.zeros(len(W))
        with np.errstate(over="ignore", under="ignore"):
            return Solution(coef.astype(dtype), intercept.astype(dtype), n_iter, converged)


def power_of_two(most: float) -> float:
    """The unit in which `most` is about 1; 1 where numbers up to it, squared, are in range as they are."""
    return 1.0 if not most or _SAFE[0] < most < _SAFE[1] else float(np.ldexp(1.0, np.frexp(most)[1] - 1))


def _in_range(table: Table, constant: float) -> tuple[np.ndarray | CSR, float, float]:
    """Records in units in which squares of what they hold stay in range; the unit; their greatest value."""
    X = table.X
    values = X.data if isinstance(X, CSR) else X
    low, high = (Table(values.reshape(-1, 1)) if isinstance(X, CSR) else table).column_range
    most = max(float(high.max()), -float(low.min()), constant)
    unit = 1.0 if values.dtype == np.float32 else power_of_two(most)
    if unit == 1:
        return X, 1.0, most
    scaled = values / unit
    return (CSR(scaled, X.indices, X.indptr, X.shape) if isinstance(X, CSR) else scaled), unit, most


def _pays_dense(X: CSR) -> bool:
    n, d = X.shape
    return n * d <= _LARGE or (d <= _NARROW and n * d <= max(_SMALL, 6 * int(X.indptr[-1])))


def solve_bands(
    records: Records, bands: tuple[np.ndarray, np.ndarray], cost: np.ndarray, how: Settings
) -> tuple[np.ndarray, int, bool]:
    """One model: as `descend`, w of shape (1, d + 1) or (1, d)."""
    X, constant = records.X, records.constant
    if records.wide:
        rows = Rows.of(X, constant)
        relative = bool(np.isfinite(bands[0]).all())
        most = min(how.max_iter, _SOON) if how.squared else how.max_iter
        w, n_iter, converged = descend(rows, bands, cost, how.squared, how.tol, most, how.seed, relative)
        if not converged and most < how.max_iter:
            w, more, converged = newton(
                _wide_design(X, constant), bands, cost, how.tol, how.max_iter - most, w
            )
            n_iter += more
        return w[None], n_iter, converged
    design, back = records.narrow
    if not how.squared and design.n * design.width**2 <= FEW and not isinstance(X, CSR):
        soon = descend_soon(Rows.of(X, constant), bands, cost, min(how.tol**2, _SURE), how.max_iter)
        if soon is not None:
            return soon[0][None, : records.d + (constant > 0)], soon[1], True
    method = newton if how.squared else interior
    w, n_iter, converged = method(design, bands, cost, how.tol, how.max_iter)
    return back(w)[None], n_iter, converged


def _wide_design(X: np.ndarray | CSR, constant: float) -> WideDesign:
    return (SparseDesign if isinstance(X, CSR) else WideDesign)(X, constant)


@one_thread()
def _reduced(X: np.ndarray, constant: float) -> tuple[Design, Callable[[np.ndarray], np.ndarray]]:
    """Records in as many columns as there are of them, if they have more; and the way back for the weights.

    The best weights are sums of records; so any orthonormal basis of what these span will do.
    """
    n, d = X.shape
    if n >= d:
        return Design(X, constant), lambda w: w
    from scipy.linalg import qr

    whole = np.empty((d + (constant > 0), n))
    whole[:d] = X.T
    whole[d:] = constant
    Q, R = qr(whole, mode="economic", overwrite_a=True, check_finite=False)
    return Design(np.ascontiguousarray(R.T), 0.0), lambda w: Q @ w


@one_thread()
def _of_few(X: CSR, constant: float) -> tuple[Design, Callable[[np.ndarray], np.ndarray]]:
    """The same for sparse records, by the inner products of all pairs."""
    from scipy.linalg import eigh

    S = X.astype(np.float64).as_scipy()
    values, vectors = eigh((S @ S.T).toarray() + constant**2)
    kept = values > len(values) * _EPS * max(values[-1], 1e-300)
    if not kept.any():
        kept[-1], values[-1] = True, 1.0
        vectors[:, -1] = 0
    root = np.sqrt(values[kept])
    turn = vectors[:, kept] / root

    def back(w: np.ndarray) -> np.ndarray:
        beta = turn @ w
        return np.append(S.T @ beta, constant * beta.sum())

    return Design(np.ascontiguousarray(vectors[:, kept] * root), 0.0), back


def solve_classes(
    records: Records, codes: np.ndarray, C: float, factors: np.ndarray, how: Settings, joint: bool
) -> tuple[np.ndarray, int, bool]:
    """Every class against its rest, or all classes in one problem.

    Parameters
    ----------
    records : Records
    codes : ndarray of shape (n,), int64
        Numbers of the classes, of the records that were kept.
    C : float
    factors : ndarray of shape (k,)
        What C is multiplied by for the records of a class.
    how : Settings
    joint : bool

    Returns
    -------
    W : ndarray of shape (k, d + 1) or (k, d)
        One row, which tells the second class, where there are two and not `joint`.
    n_iter : int
    converged : bool
    """
    k, X = len(factors), records.X
    if joint:
        rows = Rows.of(X, records.constant)
        cost = records.costs(C, factors[codes], "l2")
        return descend_jointly(rows, codes, k, cost, how.tol, how.max_iter, how.seed)
    if k == 2:
        cost = records.costs(C, factors[codes], how.penalty)
        return _one_class(records, codes == 1, cost, how)
    # As LIBLINEAR has it, the factor of a class is for its own records where it stands against the rest.
    if how.penalty == "l2" and records.wide:
        unit = records.costs(C, 1.0, "l2")
        inside = np.maximum(factors, _LEAST_COST)
        most = min(how.max_iter, _SOON) if how.squared else how.max_iter
        W, n_iter, converged = descend_classes(
            *(Rows.of(X, records.constant), codes, unit, inside, np.ones(k)),
            *(how.squared, how.tol, most, how.seed),
        )
        if converged or most == how.max_iter:
            return W, n_iter, converged
        design = _wide_design(X, records.constant)

        def finish(c: int) -> tuple[np.ndarray, int, bool]:
            own = codes == c
            cost = unit * np.where(own, inside[c], 1.0)
            return newton(design, class_bands(own), cost, how.tol, how.max_iter - most, W[c])

        parts = [finish(c) for c in range(k)]
        return np.stack([p[0] for p in parts]), most + max(p[1] for p in parts), all(p[2] for p in parts)

    def one(c: int) -> tuple[np.ndarray, int, bool]:
        own = codes == c
        return _one_class(records, own, records.costs(C, np.where(own, factors[c], 1.0), how.penalty), how)

    # (Large dense records keep all threads busy with one class.)
    if how.penalty == "l2":
        records.narrow  # noqa: B018 (once, before threads ask for it)
    alone = not isinstance(X, CSR) and (k < 8 or X.size > _LARGE)
    parts = [one(c) for c in range(k)] if alone else list(jobs(one, range(k)))
    return np.concatenate([p[0] for p in parts]), max(p[1] for p in parts), all(p[2] for p in parts)


def class_bands(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From 1 upwards for the records that `own` says, from -1 downwards for others."""
    return np.where(own, 1.0, -np.inf), np.where(own, np.inf, -1.0)


def _one_class(
    records: Records, own: np.ndarray, cost: np.ndarray, how: Settings
) -> tuple[np.ndarray, int, bool]:
    """The class whose records `own` says against the rest."""
    bands = class_bands(own)
    if how.penalty == "l2":
        return solve_bands(records, bands, cost, how)
    # (So LIBLINEAR has it: the rarer the class, the more exact.)
    count = int(own.sum())
    tol = how.tol * max(min(count, len(own) - count), 1) / len(own)
    if isinstance(records.X, CSR) or records.d > _NARROW:
        rows = Rows.of(records.X, records.constant)
        w, n_iter, converged = descend_columns(
            rows, np.where(own, 1.0, -1.0), cost, tol, how.max_iter, how.seed
        )
    else:
        design = Design(records.X, records.constant)
        w, n_iter, converged = newton_l1(design, bands, cost, tol, how.max_iter, how.tol)
    return w[None], n_iter, converged
