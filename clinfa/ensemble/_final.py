"""What a stack ends with where nothing else is asked for: a logistic and a ridge regression.

They are scikit-learn's defaults (LogisticRegression, RidgeCV), in the little that a stack needs of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import Table
from clinfa.blas import one_thread
from clinfa.errors import ConvergenceWarning, outside, twin
from clinfa.kinds import ProbabilisticClassifier, Regressor, one_column
from clinfa.params import at_least, fitted, param, positive
from clinfa.targets import Labels

__all__ = ["LogisticBlend", "RidgeBlend"]

_ALPHAS = (0.1, 1.0, 10.0)
_SLOPE = 1e-11  # of the mean loss: where to stop
_MOST = 1 << 26  # values of sparse records that are made dense
_ENOUGH = 1e-5  # and what is no reason to complain


def _dense(table: Table) -> np.ndarray:
    if not table.sparse:
        return table.X
    if table.n * table.d > _MOST:
        raise ValueError(
            f"Sparse records of shape {table.X.shape} are too many for the default final_estimator: give one "
            f"that takes sparse records."
        )
    return table.rows(np.arange(table.n))


@dataclass(frozen=True)
class Logistic:
    coef: np.ndarray
    intercept: np.ndarray
    n_iter: int


class LogisticBlend(ProbabilisticClassifier):
    """Logistic regression of the classes on what the models of a stack say.

    The likelihood of the classes, each record's with its weight, less half the squared norm of the
    coefficients over `C`, is greatest: one function of the records for two classes, else one for each.

    Parameters
    ----------
    C : float, default 1.0
        The inverse of the strength of the penalty.
    max_iter : int, default 100
        How many steps of Newton's method.

    Attributes
    ----------
    coef_ : ndarray of shape (n_functions, n_features)
    intercept_ : ndarray of shape (n_functions,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int

    Examples
    --------
    >>> from clinfa.ensemble._final import LogisticBlend
    >>> LogisticBlend().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).predict([[0.9], [2.1]])
    array([0, 1])
    """

    _sparse = True

    C: float = param(1.0, positive())
    max_iter: int = param(100, at_least(1))

    coef_: np.ndarray = fitted()
    intercept_: np.ndarray = fitted()
    classes_: np.ndarray = fitted()
    n_iter_: int = fitted()

    @one_thread()
    def _fit(self, table: Table, labels: Labels, weights: np.ndarray) -> Logistic:
        k = labels.n_classes
        if k < 2:
            raise ValueError(
                f"The stack needs samples of at least 2 classes, but the data contains {k} class."
            )
        target = np.zeros((table.n, k))
        target[np.arange(table.n), labels.codes] = 1
        problem = _problem(_dense(table), target[:, 1:] if k == 2 else target, weights, self.C)
        theta, steps, slope = _least(problem, int(self.max_iter))
        if slope > _ENOUGH:
            warnings.warn(
                f"The logistic regression that ends the stack did not converge in {steps} steps: scale the "
                f"records, or give another final_estimator.",
                twin(ConvergenceWarning),
                stacklevel=outside(),
            )
        theta = theta.astype(table.dtype)
        return Logistic(theta[:, :-1].copy(), theta[:, -1].copy(), steps)

    @one_thread()
    def decision_function(self, X: Any) -> np.ndarray:
        """The functions of the classes, or that of the second of two.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        scores = self._scores(self._read_new(X))
        return scores[:, 0] if scores.shape[1] == 1 else scores

    @one_thread()
    def _scores(self, table: Table) -> np.ndarray:
        return _dense(table) @ self.coef_.T.astype(table.dtype) + self.intercept_.astype(table.dtype)

    @one_thread()
    def _proba(self, table: Table) -> np.ndarray:
        P, _ = _softmax(self._scores(table))
        return np.hstack([1 - P, P]) if P.shape[1] == 1 else P

    def _log_proba(self, table: Table) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._proba(table))

    def _codes(self, table: Table) -> np.ndarray:
        return self._proba(table).argmax(axis=1)


@dataclass(frozen=True)
class _Problem:
    """Records with a column of ones, the functions' targets, shares that add up to one, the penalty."""

    X: np.ndarray
    target: np.ndarray
    w: np.ndarray
    penalty: np.ndarray  # of each column: the ones go free

    @one_thread()
    def loss(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The value at theta (functions, columns), its slope, and the probabilities there."""
        scores = self.X @ theta.T
        P, logs = _softmax(scores)
        value = self.w @ (logs - (scores * self.target).sum(axis=1)) + 0.5 * (self.penalty * theta**2).sum()
        return float(value), self._together(P - self.target, theta), P

    @one_thread()
    def bend(self, P: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The second derivative where the probabilities are P, times v."""
        turned = P * (self.X @ v.T)
        turned -= P * turned.sum(axis=1, keepdims=True)
        return self._together(turned, v)

    @one_thread()
    def _together(self, rows: np.ndarray, theta: np.ndarray) -> np.ndarray:
        out = (rows * self.w[:, None]).T @ self.X + self.penalty * theta
        # (All functions moved alike say the same: rounding must not add up that way.)
        return out - out.mean(axis=0) if len(out) > 1 else out


def _problem(X: np.ndarray, target: np.ndarray, weights: np.ndarray, C: float) -> _Problem:
    w = weights / weights.max() if len(weights) else np.ones(len(X))
    with np.errstate(over="ignore"):
        mass = np.clip(C * w.sum() * (weights.max() if len(weights) else 1.0), 1e-100, 1e100)
    penalty = np.full(X.shape[1] + 1, 1.0 / mass)
    penalty[-1] = 0
    return _Problem(np.hstack([X.astype(np.float64), np.ones((len(X), 1))]), target, w / w.sum(), penalty)


def _least(problem: _Problem, most: int) -> tuple[np.ndarray, int, float]:
    """Where the loss is least: Newton's method, its equations solved by conjugate gradients.

    Returns
    -------
    theta : ndarray of shape (functions, columns)
    steps : int
    slope : float
        The greatest partial derivative there.
    """
    theta = np.zeros((problem.target.shape[1], problem.X.shape[1]))
    value, slope, P = problem.loss(theta)
    for step in range(most):
        if np.abs(slope).max() <= _SLOPE:
            return theta, step, float(np.abs(slope).max())
        d = _conjugate(lambda v, P=P: problem.bend(P, v), -slope)
        size, fall = 1.0, float((d * slope).sum())
        if -fall <= 1e-15 * max(abs(value), 1e-3):  # less than the loss can show
            return theta + d, step + 1, float(np.abs(problem.loss(theta + d)[1]).max())
        while size > 1e-10:
            there = problem.loss(theta + size * d)
            if there[0] <= value + 1e-4 * size * fall:
                break
            size /= 2
        else:  # as low as rounding lets it be
            return theta, step, float(np.abs(slope).max())
        theta = theta + size * d
        value, slope, P = there
    return theta, most, float(np.abs(slope).max())


def _conjugate(bend: Callable[[np.ndarray], np.ndarray], b: np.ndarray) -> np.ndarray:
    """An approximate solution of bend(x) = b, the better the smaller b is."""
    x, r, d = np.zeros_like(b), b, b
    rr = start = float((r * r).sum())
    goal = start * min(0.01, start**0.5) ** 2
    for _ in range(3 * b.size):
        if rr <= goal:
            break
        Hd = bend(d)
        curve = float((d * Hd).sum())
        if curve <= 0:  # flat, up to rounding
            break
        x = x + rr / curve * d
        r = r - rr / curve * Hd
        rr, last = float((r * r).sum()), rr
        d = r + rr / last * d
    return x if x.any() else b


def _softmax(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes' probabilities (of one function: the second's), and the logarithm of the sum."""
    alone = scores.shape[1] == 1  # the function of the first of two classes is zero
    high = np.maximum(scores.max(axis=1), 0) if alone else scores.max(axis=1)
    e = np.exp(scores - high[:, None])
    total = e.sum(axis=1) + np.exp(-high) if alone else e.sum(axis=1)
    return e / total[:, None], np.log(total) + high


@dataclass(frozen=True)
class Ridge:
    coef: np.ndarray
    intercept: np.ndarray
    alpha: float


class RidgeBlend(Regressor):
    """Ridge regression on what the models of a stack predict.

    The penalty, of 0.1, 1 and 10, is that whose squared error is least where each record is left out in turn.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : ndarray of shape ()
    alpha_ : float

    References
    ----------
    R. Rifkin, R. Lippert (2007). Notes on regularized least squares. MIT-CSAIL-TR-2007-025.

    Examples
    --------
    >>> from clinfa.ensemble._final import RidgeBlend
    >>> RidgeBlend().fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]).alpha_
    0.1
    """

    _sparse = True

    coef_: np.ndarray = fitted()
    intercept_: np.ndarray = fitted()
    alpha_: float = fitted()

    def _read_targets(self, X: Any, y: Any, table: Table) -> np.ndarray:
        return one_column(super()._read_targets(X, y, table), y)

    @one_thread()
    def _fit(self, table: Table, y: np.ndarray, weights: np.ndarray) -> Ridge:
        X, y = _dense(table).astype(np.float64, copy=False), y.astype(np.float64, copy=False)
        heaviest = float(weights.max()) if len(weights) else 1.0
        w = weights / heaviest if len(weights) else np.ones(table.n)
        shares = w / w.sum()
        mean, middle = shares @ X, shares @ y
        root = np.sqrt(w)
        U, s, Vt = np.linalg.svd((X - mean) * root[:, None], full_matrices=False)
        z = (y - middle) * root
        turned, left = U.T @ z, U**2
        errors, coefs = [], []
        for alpha in _ALPHAS:
            with np.errstate(divide="ignore", over="ignore"):
                shrunk = 1 / (1 + (np.sqrt(np.divide(alpha, heaviest)) / s) ** 2)
            # (What a record's own target adds to its prediction: through the coefficients, and the mean.)
            own = left @ shrunk + shares
            rest = np.divide(z - U @ (shrunk * turned), 1 - own, out=np.zeros_like(z), where=own < 1)
            errors.append(float(rest @ rest))
            coefs.append(Vt.T @ np.divide(shrunk * turned, s, out=np.zeros_like(s), where=s > 0))
        best = int(np.argmin(errors))
        alpha, coef = _ALPHAS[best], coefs[best]
        dtype = np.result_type(table.dtype, np.float32)
        return Ridge(coef.astype(dtype), np.asarray(middle - mean @ coef, dtype), alpha)

    @one_thread()
    def _values(self, table: Table) -> np.ndarray:
        return _dense(table) @ self.coef_.astype(table.dtype) + self.intercept_.astype(table.dtype)
