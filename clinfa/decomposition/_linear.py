"""What every model made of principal components can do with records."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from clinfa.arrays import Table, is_dataset, read_table
from clinfa.blas import one_thread
from clinfa.kinds import Transformer
from clinfa.linalg._spectra import projected
from clinfa.params import fitted

__all__ = ["LinearProjection"]


class LinearProjection(Transformer):
    """Records to components and back, and the Gaussian that the components describe."""

    _looks_late = True

    components_: np.ndarray = fitted()
    explained_variance_: np.ndarray = fitted()
    explained_variance_ratio_: np.ndarray = fitted()
    singular_values_: np.ndarray = fitted()
    mean_: np.ndarray = fitted()
    noise_variance_: float = fitted()
    n_components_: int = fitted()

    def _n_columns_out(self) -> int:
        return len(self.components_)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the principal components.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
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
        self._read_and_fit(X)
        return self

    def _read_and_fit(self, X: Any) -> Table:
        self._check_params()
        table = self._read_fit(X, None)[0]
        self._publish(self._fit(table), table)
        return table

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, then `transform` of the same records."""
        return self._wrap(self._project(self._read_and_fit(X)), X)

    def transform(self, X: Any) -> Any:
        """The components of records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        components : ndarray of shape (n_samples, n_components)
            A dataframe on request (`set_output`), a Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`.
        """
        return self._wrap(self._project(self._read_new(X)), X)

    def _project(self, table: Table) -> np.ndarray:
        turn = self.components_.T / self._spread() if self.whiten else self.components_.T
        return projected(table, self.mean_, turn, type(self).__name__)

    def _spread(self) -> np.ndarray:
        """The standard deviation along each component; along those that have none, next to none."""
        wide = self.singular_values_.astype(np.float64) / np.sqrt(max(self._count() - 1, 1))
        least = np.finfo(self.components_.dtype).eps * wide.max(initial=0.0)
        return np.maximum(wide, least if least > 0 else 1.0).astype(self.components_.dtype)

    def inverse_transform(self, X: Any) -> Any:
        """Records from their components: the nearest to the original ones that the components can tell.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_components)

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
        owner, k = type(self).__name__, len(self.components_)
        table = read_table(X.records if is_dataset(X) else X, owner)
        if table.d != k:
            raise ValueError(f"X has {table.d} features, but {owner} has {k} components.")
        back = self._spread()[:, None] * self.components_ if self.whiten else self.components_
        return self._turn_back(X, table, back, self.mean_)

    # The Gaussian of probabilistic PCA (Tipping & Bishop 1999)

    def _excess(self) -> np.ndarray:
        """What the variance along each component has beyond the noise."""
        return np.maximum(self.explained_variance_ - self.components_.dtype.type(self.noise_variance_), 0)

    @one_thread()
    def get_covariance(self) -> np.ndarray:
        """The covariance of the model: that along the components, and the noise in all directions.

        Returns
        -------
        covariance : ndarray of shape (n_features, n_features)
        """
        self._check_fitted()
        out = (self.components_.T * self._excess()) @ self.components_
        out.flat[:: len(out) + 1] += self.noise_variance_
        return out

    def get_precision(self) -> np.ndarray:
        """The inverse of the covariance of the model.

        A variance that is lost in the rounding of the greatest one counts as that rounding.

        Returns
        -------
        precision : ndarray of shape (n_features, n_features)
        """
        self._check_fitted()
        return self._power(-1.0)[0]

    @one_thread()
    def _power(self, power: float) -> tuple[np.ndarray, float]:
        """A power of the covariance, and the logarithm of its determinant."""
        axes, noise = self.components_.astype(np.float64), float(self.noise_variance_)
        k, d = axes.shape
        with np.errstate(all="ignore"):
            along = noise + self._excess().astype(np.float64)
            least = np.finfo(self.components_.dtype).eps * max(along.max(initial=0.0), noise)
            least = least if least > 0 else 1.0
            along, noise = np.maximum(along, least), max(noise, least)
            if k == d:
                out = (axes.T * along**power) @ axes
                level = np.log(along).sum()
            else:
                out = (axes.T * (along**power - noise**power)) @ axes
                out.flat[:: d + 1] += noise**power
                level = np.log(along).sum() + (d - k) * np.log(noise)
        return out.astype(self.components_.dtype), float(level)

    def score_samples(self, X: Any) -> np.ndarray:
        """The log-likelihood of each record under the model.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `transform`.
        """
        table = self._read_new(X)
        root, level = self._power(-0.5)
        out = projected(table, self.mean_, root, type(self).__name__)
        constant = out.dtype.type(table.d * np.log(2 * np.pi) + level)
        return -0.5 * (np.einsum("ij,ij->i", out, out) + constant)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean log-likelihood of records under the model.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        float
        """
        return float(np.mean(self.score_samples(X)))
