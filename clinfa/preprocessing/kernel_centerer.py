"""Centring of kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from clinfa.arrays import Table
from clinfa.kinds import Transformer
from clinfa.params import fitted

__all__ = ["KernelCenterer", "centred"]

_VALUES = 1 << 17  # of a matrix, changed while the cache holds them


@dataclass(frozen=True, slots=True)
class KernelCentererFit:
    """What fitting found."""

    K_fit_rows: np.ndarray  # (n,)
    K_fit_all: float


class KernelCenterer(Transformer):
    """Centre a kernel matrix as if the records were centred in the kernel's space.

    With φ the records in that space, K = φφᵀ becomes the matrix of the products of φ - mean(φ), without φ
    ever being computed.

    Attributes
    ----------
    K_fit_rows_ : ndarray of shape (n_samples,)
        The mean of each column of the fitted kernel.
    K_fit_all_ : float
        The mean of all of its values.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the kernel had column names.

    Raises
    ------
    ValueError, TypeError
        From `fit`, if the matrix is not finite or not square.

    References
    ----------
    Bernhard Schölkopf, Alexander Smola and Klaus-Robert Müller (1998), Nonlinear component analysis as a
    kernel eigenvalue problem, Neural Computation 10(5).

    Examples
    --------
    >>> from clinfa.preprocessing import KernelCenterer
    >>> KernelCenterer().fit_transform([[9.0, 2.0, -2.0], [2.0, 14.0, -13.0], [-2.0, -13.0, 21.0]])
    array([[  5.,   0.,  -5.],
           [  0.,  14., -14.],
           [ -5., -14.,  19.]])
    """

    K_fit_rows_: np.ndarray = fitted()
    K_fit_all_: float = fitted()

    def fit(self, K: Any, y: Any = None) -> Self:
        """Find the means of a kernel.

        Parameters
        ----------
        K : array-like or Dataset of shape (n_samples, n_samples)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If the matrix is not finite or not square.
        """
        table = self._read_fit(K, None)[0]
        return self._publish(self._fit(table), table)

    def _fit(self, table: Table) -> KernelCentererFit:
        if table.n != table.d:
            raise ValueError(f"Kernel matrix must be a square matrix. Input is a {table.n}x{table.d} matrix.")
        rows, total = means(table.X)
        return KernelCentererFit(rows, total)

    def fit_transform(self, K: Any, y: Any = None) -> Any:
        """`fit`, then `transform` of the same kernel."""
        return self.fit(K).transform(K)

    def transform(self, K: Any, copy: bool = True) -> Any:
        """Centre a kernel between other records and those of the fitted one.

        Parameters
        ----------
        K : array-like or Dataset of shape (n, n_samples)
        copy : bool, default True
            Whether K is left as it is; if it is an array of floats.

        Returns
        -------
        ndarray of shape (n, n_samples)
            A Dataset where K is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for a kernel that does not match the fitted one.
        """
        X = self._read_new(K).X
        X = X.copy() if copy or not X.flags.writeable else X
        return self._wrap(centred(X, self.K_fit_rows_, self.K_fit_all_), K)

    def _n_columns_out(self) -> int:
        return len(self.K_fit_rows_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = True
        return tags


def means(K: np.ndarray) -> tuple[np.ndarray, float]:
    """The means of the columns, and of all values."""
    rows = (K.sum(axis=0, dtype=np.float64) / len(K)).astype(K.dtype)
    return rows, float(rows.mean(dtype=np.float64))


def centred(K: np.ndarray, rows: np.ndarray, total: float) -> np.ndarray:
    """K less the means of its rows and those of the fitted kernel's columns, in place."""
    less = (rows - total).astype(K.dtype)
    step = max(1, _VALUES // max(K.shape[1], 1))
    for i in range(0, len(K), step):
        part = K[i : i + step]
        own = part.mean(axis=1, dtype=np.float64).astype(K.dtype)
        part -= less
        part -= own[:, None]
    return K
