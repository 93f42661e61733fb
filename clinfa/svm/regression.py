"""Support vector regression."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.arrays import Table
from clinfa.kinds import Regressor, one_column
from clinfa.params import between, param
from clinfa.svm._machine import COST, MOST, Machine, MachineFit
from clinfa.svm._problems import eps_regression, nu_regression
from clinfa.svm._smo import Problem

__all__ = ["SVR", "NuSVR"]


class _Tube(Machine, Regressor):
    """A machine that fits numbers to within a tube."""

    C: float = param(1.0, COST)

    def _problem(self, y: np.ndarray, C: np.ndarray) -> Problem:
        """The problem of some records."""

    def _read_targets(self, X: Any, y: Any, table: Table) -> np.ndarray:
        return one_column(super()._read_targets(X, y, table), y)

    def _fit(self, table: Table, targets: np.ndarray, weights: np.ndarray) -> MachineFit:
        with np.errstate(over="ignore"):
            C = min(float(self.C), MOST) * (weights if len(weights) else np.ones(table.n))
        records = self._distinct(table, weights, C, targets)
        source, shape = self._source(table, records)
        y, n = targets[records.first].astype(np.float64, copy=False), len(records.first)
        solution = self._solve(source, [(np.arange(n), self._problem(y, records.C))])[0]
        b = solution.b[:n] + solution.b[n:]
        middle = float(solution.thresholds[0] + solution.thresholds[-1]) / 2
        return self._single(table, records, b, middle, solution, shape)

    def _values(self, table: Table) -> np.ndarray:
        return self._one(table)


class SVR(_Tube):
    """Support vector regression: the flattest function within `epsilon` of the targets.

    It minimises ``|w|² / 2 + C * sum of max(0, |y - f(x)| - epsilon)`` in the space of a kernel [1]_.

    Parameters
    ----------
    C : float, default 1.0
        What a unit of weight outside of the tube costs: the greater, the less regular.
    epsilon : float, default 0.1
        Half the width of the tube, in units of y.
    kernel, degree, gamma, coef0, shrinking, tol, cache_size, verbose, max_iter
        As for `SVC`.

    Attributes
    ----------
    support_ : ndarray of shape (n_support_vectors,), int32
    support_vectors_ : ndarray or csr_matrix of shape (n_support_vectors, n_features)
    n_support_ : ndarray of shape (1,), int32
    dual_coef_ : ndarray or csr_matrix of shape (1, n_support_vectors)
    coef_ : ndarray or csr_matrix of shape (1, n_features)
        With a linear kernel only.
    intercept_ : ndarray of shape (1,)
    n_iter_ : int
        Steps of two variables.
    objective_, violation_, fit_status_, shape_fit_, n_features_in_, feature_names_in_
        As for `SVC`.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] Alex J. Smola and Bernhard Schölkopf, A tutorial on support vector regression, Statistics and
       Computing 14, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.svm import SVR
    >>> X = np.linspace(0, 6, 50).reshape(-1, 1)
    >>> model = SVR(C=10.0, epsilon=0.05).fit(X, np.sin(X[:, 0]))
    >>> bool(abs(model.predict(X) - np.sin(X[:, 0])).max() < 0.06)
    True
    """

    epsilon: float = param(0.1, between(0))

    def _problem(self, y: np.ndarray, C: np.ndarray) -> Problem:
        return eps_regression(y, C, float(self.epsilon))


class NuSVR(_Tube):
    """Support vector regression where `nu` says how many records may lie outside of the tube.

    Parameters
    ----------
    nu : float in (0, 1], default 0.5
        At most this share of the weight lies outside of the tube, whose width follows from it, and at least
        this share are support vectors [1]_.
    C : float, default 1.0
    kernel, degree, gamma, coef0, shrinking, tol, cache_size, verbose, max_iter
        As for `SVC`.

    Attributes
    ----------
    support_, support_vectors_, n_support_, dual_coef_, coef_, intercept_, n_iter_, objective_, violation_, \
fit_status_, shape_fit_, n_features_in_, feature_names_in_
        As for `SVR`.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] Bernhard Schölkopf, Alex J. Smola, Robert C. Williamson and Peter L. Bartlett, New support vector
       algorithms, Neural Computation 12, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.svm import NuSVR
    >>> X = np.linspace(0, 6, 50).reshape(-1, 1)
    >>> model = NuSVR(nu=0.3, C=10.0).fit(X, np.sin(X[:, 0]))
    >>> bool(abs(model.predict(X) - np.sin(X[:, 0])).max() < 0.05)
    True
    """

    nu: float = param(0.5, between(0, 1, closed="right"))

    def _problem(self, y: np.ndarray, C: np.ndarray) -> Problem:
        return nu_regression(y, C, float(self.nu))
