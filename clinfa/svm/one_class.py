"""Novelty detection by a support vector machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.params import between, fitted, param
from clinfa.svm._machine import Machine, MachineFit
from clinfa.svm._problems import novelty

__all__ = ["OneClassSVM"]


@dataclass(frozen=True, slots=True)
class NoveltyFit(MachineFit):
    """What fitting found."""

    offset: np.ndarray  # (1,)


class OneClassSVM(Machine):
    """Tells records that are like those it has seen from others.

    The function is above zero where records are dense: it parts them from the origin of the kernel's space
    with the widest margin, a share `nu` of them left outside [1]_.

    Parameters
    ----------
    nu : float in (0, 1], default 0.5
        At most this share of the weight is left outside, and at least this share are support vectors.
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
    offset_ : ndarray of shape (1,)
        ``decision_function = score_samples - offset_``.
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
    .. [1] Bernhard Schölkopf, John C. Platt, John Shawe-Taylor, Alex J. Smola and Robert C. Williamson,
       Estimating the support of a high-dimensional distribution, Neural Computation 13, 2001.

    Examples
    --------
    >>> from clinfa.svm import OneClassSVM
    >>> model = OneClassSVM(nu=0.25, gamma="auto").fit([[0.0], [0.44], [0.45], [0.46], [1.0]])
    >>> model.predict([[0.45], [5.0]])
    array([ 1, -1])
    """

    _kind: ClassVar[str | None] = "outlier_detector"

    nu: float = param(0.5, between(0, 1, closed="right"))

    offset_: np.ndarray = fitted()

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn where records are dense.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; with "precomputed" their kernel.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record; those that are not above zero are left out.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        return self._run_fit(X, sample_weight)

    def _fit(self, table: Table, weights: np.ndarray) -> MachineFit:
        records = self._distinct(table, weights, weights if len(weights) else np.ones(table.n), None)
        source, shape = self._source(table, records)
        top = records.C.max()
        top = top if top > 1e10 else 1.0  # (the solution grows with the weights)
        problem = novelty(records.C / top, float(self.nu))
        solution = self._solve(source, [(np.arange(len(records.first)), problem)])[0]
        rho = float(solution.thresholds[0]) * top
        return self._single(
            table,
            records,
            solution.b * top,
            rho,
            solution,
            shape,
            NoveltyFit,
            offset=np.array([-rho], table.dtype),
        )

    def decision_function(self, X: Any) -> Any:
        """How far inside records lie: above zero for those like the fitted ones.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        out = self._one(self._read_new(X))
        return X.with_targets(out) if is_dataset(X) else out

    def score_samples(self, X: Any) -> Any:
        """`decision_function` before the offset is taken off.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        out = self._one(self._read_new(X)) + self.offset_[0]
        return X.with_targets(out) if is_dataset(X) else out

    def predict(self, X: Any) -> Any:
        """Whether records are like the fitted ones.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), int64
            1 for those, -1 for others. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X is not such records as were learned from.
        """
        out = np.where(self._one(self._read_new(X)) >= 0, 1, -1)
        return X.with_targets(out) if is_dataset(X) else out

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """`fit`, then `predict` of the same records.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            A Dataset with those targets where X is one.
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)
