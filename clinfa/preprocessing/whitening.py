"""Whitening: records turned and stretched so that their columns are uncorrelated, each with variance 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import Table, is_dataset, read_table
from clinfa.blas import matmul, one_thread
from clinfa.kinds import Transformer
from clinfa.linalg._spectra import by_svd, projected
from clinfa.params import fitted, one_of, param

__all__ = ["Whitener", "WhitenerFit"]


@dataclass(frozen=True, slots=True)
class WhitenerFit:
    """What fitting found."""

    mean: np.ndarray  # (d,)
    whitening: np.ndarray  # (r, d)
    coloring: np.ndarray  # (d, r)
    rank: int


class Whitener(Transformer):
    """Whitening: (x - mean) Wᵀ with Wᵀ W the inverse of the covariance.

    The covariance of what comes out is the identity. Directions in which records do not vary are mapped to
    zero (Wᵀ W is the pseudo-inverse then, and the covariance of what comes out a projection); `rank_` tells
    how many others there are.

    Parameters
    ----------
    method : {"pca", "zca", "cholesky"}, default "pca"
        Which of all such W [1]_: "pca" has the principal axes as its rows, scaled, the one with the greatest
        variance first; "zca" is symmetric, and what comes out lies as near as possible to the records;
        "cholesky" is upper triangular with a positive diagonal.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
    whitening_ : ndarray of shape (n_features, n_features)
        W. With fewer records than features "pca" has a row for each record only.
    coloring_ : ndarray of shape (n_features, n_features)
        Its (pseudo-)inverse: the way back.
    rank_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] A. Kessy, A. Lewin and K. Strimmer, Optimal whitening and decorrelation, The American
    Statistician 72,
       2018.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.preprocessing import Whitener
    >>> white = Whitener("zca").fit_transform(load_iris().records)
    >>> np.allclose(np.cov(white, rowvar=False), np.eye(4), atol=1e-10)
    True
    """

    method: Literal["pca", "zca", "cholesky"] = param(
        "pca", one_of("pca", "zca", "cholesky"), positional=True
    )

    _looks_late = True

    mean_: np.ndarray = fitted()
    whitening_: np.ndarray = fitted()
    coloring_: np.ndarray = fitted()
    rank_: int = fitted()

    def _n_columns_out(self) -> int:
        return len(self.whitening_)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the mean and the covariance.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)
            The records. Weights of a Dataset are not used.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        self._check_params()
        table = self._read_fit(X, None)[0]
        return self._publish(self._fit(table), table)

    def _fit(self, table: Table) -> WhitenerFit:
        found, dtype = by_svd(table, "Whitener"), table.dtype
        singular, axes = found.singular, found.axes
        varies = singular > 10 * table.d * np.finfo(np.float64).eps * singular.max(initial=0.0)
        unit = np.sqrt(max(table.n - 1, 1))
        most = float(np.finfo(dtype).max)
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            # (Scaled before they are turned: what is tiny or huge never meets its square.)
            shrink = np.where(varies, unit / singular, 0.0)
            spread = np.where(varies, singular / unit, 0.0)
            there, back = shrink[:, None] * axes, axes.T * spread
            if self.method == "zca":
                there, back = matmul(axes.T, there), matmul(back, axes)
            elif self.method == "cholesky":
                with one_thread():
                    turn, there = np.linalg.qr(there)
                sign = np.where(np.diagonal(there) < 0, -1.0, 1.0)
                there, back = sign[:, None] * there, matmul(back, turn) * sign
            there = np.clip(np.ldexp(there, -found.exponent), -most, most)
            back = np.clip(np.ldexp(back, found.exponent), -most, most)
            return WhitenerFit(
                found.mean.astype(dtype),
                np.ascontiguousarray(there, dtype),
                np.ascontiguousarray(back, dtype),
                int(varies.sum()),
            )

    def transform(self, X: Any) -> Any:
        """Records, white.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        white : ndarray of shape (n_samples, n_features)
            A dataframe on request (`set_output`), a Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`.
        """
        table = self._read_new(X)
        return self._wrap(projected(table, self.mean_, self.whitening_.T, "Whitener"), X)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, then `transform` of the same records."""
        return self.fit(X).transform(X)

    def inverse_transform(self, X: Any) -> Any:
        """Records from white ones.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        records : ndarray of shape (n_samples, n_features)
            A Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; if X is not of that shape.
        """
        self._check_fitted()
        table = read_table(X.records if is_dataset(X) else X, "Whitener", width=len(self.whitening_))
        return self._turn_back(X, table, self.coloring_.T, self.mean_)
