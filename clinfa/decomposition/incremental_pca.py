"""Principal component analysis of records that come in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from clinfa.arrays import Table, check_finite, is_dataset, is_sparse
from clinfa.blas import one_thread
from clinfa.decomposition._linear import LinearProjection
from clinfa.linalg._scatter import Scatter, power_below, scatter
from clinfa.linalg._spectra import Spectrum, by_covariance, signed
from clinfa.params import at_least, boolean, fitted, none, param, shown

__all__ = ["IncrementalPCA", "IncrementalPCAFit"]

_NARROW = 64  # columns whose products are always kept


@dataclass(frozen=True, slots=True)
class IncrementalPCAFit:
    """What was found so far."""

    components: np.ndarray  # (k, d)
    explained_variance: np.ndarray  # (k,)
    explained_variance_ratio: np.ndarray  # (k,)
    singular_values: np.ndarray  # (k,)
    mean: np.ndarray  # (d,)
    var: np.ndarray  # (d,)
    noise_variance: float
    n_components: int
    n_samples_seen: int
    batch_size: int
    _seen: Scatter | Leading


@dataclass(frozen=True, slots=True)
class Leading:
    """Records by their mean, the squares of each column about it, and their first axes."""

    spectrum: Spectrum
    squares: np.ndarray  # (d,) in units of 1


class IncrementalPCA(LinearProjection):
    """Principal component analysis, batch by batch.

    As long as batches have as many rows as there are columns (in `fit` they do), the products of columns are
    kept from batch to batch: what is learned is that of `PCA` on all records, and takes memory for n_features
    squared numbers. Smaller batches are merged with the components so far [1]_ [2]_, which takes memory for
    one batch and forgets what lies outside of them.

    Parameters
    ----------
    n_components : int or None, default None
        How many components to keep; all that the first batch has by default.
    whiten : bool, default False
        Whether `transform` divides by the standard deviation along each component.
    copy : bool, default True
        For compatibility: the data are never changed, and never copied either.
    batch_size : int or None, default None
        Rows of a batch of `fit`; 5 n_features by default.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Orthonormal axes, the one with the greatest variance first; the greatest entry of each is positive.
    explained_variance_, explained_variance_ratio_, singular_values_ : ndarray of shape (n_components,)
        As those of `PCA`, of all records seen.
    mean_, var_ : ndarray of shape (n_features,)
        Mean and variance (with n_samples_seen degrees of freedom) of the columns.
    noise_variance_ : float
        The mean variance along the axes that were left out.
    n_components_ : int
    n_samples_seen_ : int
    batch_size_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] D. Ross, J. Lim, R. Lin and M. Yang, Incremental learning for robust visual tracking, IJCV 77,
    2008. .. [2] A. Levy and M. Lindenbaum, Sequential Karhunen-Loeve basis extraction and its application
    to images,
       IEEE Trans. Image Process. 9, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.decomposition import PCA, IncrementalPCA
    >>> X = np.random.default_rng(0).standard_normal((1000, 5)) * [5, 4, 3, 2, 1]
    >>> model = IncrementalPCA(n_components=2)
    >>> for batch in np.split(X, 10):
    ...     model = model.partial_fit(batch)
    >>> np.allclose(model.components_, PCA(n_components=2).fit(X).components_)
    True
    """

    _sparse = True

    n_components: int | None = param(None, at_least(1) | none(), positional=True)
    whiten: bool = param(False, boolean())
    copy: bool = param(True, boolean())
    batch_size: int | None = param(None, at_least(1) | none())

    var_: np.ndarray = fitted()
    n_samples_seen_: int = fitted()
    batch_size_: int = fitted()

    def _count(self) -> int:
        return self.n_samples_seen_

    def _fit(self, table: Table) -> IncrementalPCAFit:
        n, d, size = table.n, table.d, int(self.batch_size or 5 * table.d)
        k = self._kept(min(size, n), d, None)
        if _all_products(min(size, n), k, d):
            return _result(scatter(table, "IncrementalPCA"), k, size, table.dtype)
        check_finite(table, "IncrementalPCA")
        seen, first = None, 0
        while first < n:
            last = n if n - first - size < k else first + size  # no batch with fewer rows than components
            rows = np.arange(first, min(last, n))
            seen = _merged(seen, table.X.rows(rows) if table.sparse else table.X[rows[0] : rows[-1] + 1], k)
            first = int(rows[-1]) + 1
        return _result(seen, k, size, table.dtype)

    def partial_fit(self, X: Any, y: Any = None, check_input: bool = True) -> Self:
        """Learn from one batch, going on from what is known already.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)
            The batch.
        y : ignored
        check_input : bool, default True
            For compatibility: the batch is always checked.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed, or do not match the batches before.
        """
        self._check_params()
        if is_sparse(X.records if is_dataset(X) else X):
            raise TypeError(
                "IncrementalPCA.partial_fit does not support sparse input. Either convert data to "
                "dense or use IncrementalPCA.fit to do so in batches."
            )
        begun = self.__sklearn_is_fitted__()
        table = self._read_new(X) if begun else self._read_fit(X, None)[0]
        seen = self._seen if begun else None
        k = self._kept(table.n, table.d, len(self.components_) if begun else None)
        if isinstance(seen, Scatter) or (seen is None and _all_products(table.n, k, table.d)):
            more = scatter(table, "IncrementalPCA")
            seen = more if seen is None else seen.joined(more)
        else:
            check_finite(table, "IncrementalPCA")
            seen = _merged(seen, table.X, k)
        dtype = self.components_.dtype if begun else table.dtype
        table = Table(table.X, self.__dict__.get("feature_names_in_") if begun else table.names)
        size = self.batch_size_ if begun else int(self.batch_size or 5 * table.d)
        return self._publish(_result(seen, k, size, dtype), table)

    def _kept(self, n: int, d: int, before: int | None) -> int:
        """How many components to keep, n being the rows of the batch."""
        k = self.n_components
        if k is None:
            return min(n, d) if before is None else before
        if k > d:
            raise ValueError(
                f"n_components={shown(k)} invalid for n_features={d}, need more rows than columns for "
                f"IncrementalPCA processing"
            )
        if before is None and k > n:
            raise ValueError(
                f"n_components={k} must be less or equal to the batch number of samples {n} for the "
                f"first partial_fit call."
            )
        if before is not None and before != k:
            raise ValueError(
                f"Number of input features has changed from {before} to {k} between calls to "
                f"partial_fit! Try setting n_components to a fixed value."
            )
        return int(k)


def _all_products(rows: int, k: int, d: int) -> bool:
    """Whether the products of all columns take no more than a batch and the components do."""
    return d <= max(_NARROW, rows + k)


def _merged(seen: Leading | None, batch: np.ndarray, k: int) -> Leading:
    """The first k axes of those before and of the rows of a batch."""
    b, X = len(batch), batch.astype(np.float64)
    exponent = power_below(X)
    if seen is not None:
        exponent = max(exponent, power_below(np.ldexp(seen.spectrum.singular, seen.spectrum.exponent)))
    X = np.ldexp(X, -exponent)
    mean = X.mean(axis=0)
    X -= mean
    n, squares = b, (X**2).sum(axis=0)
    rows, total = X, float(squares.sum())
    if seen is not None:
        old = seen.spectrum
        n = old.n + b
        before = np.ldexp(old.mean, -exponent)
        step = mean - before
        mean = before + step * (b / n)
        weight = np.sqrt(old.n * (b / n))
        singular = np.ldexp(old.singular, old.exponent - exponent)
        rows = np.vstack([singular[:, None] * old.axes, X, weight * step])
        squares = np.ldexp(seen.squares, -2 * exponent) + squares + (weight * step) ** 2
        total = float(squares.sum())
    with one_thread():
        _, turn = np.linalg.eigh(rows @ rows.T)
        turned = turn[:, ::-1][:, :k].T @ rows
        basis, factor = np.linalg.qr(turned.T)
        left, singular, _ = np.linalg.svd(factor)
        axes = signed((basis @ left).T)
    with np.errstate(over="ignore", under="ignore"):
        spectrum = Spectrum(n, np.ldexp(mean, exponent), singular, axes, total, exponent)
        return Leading(spectrum, np.ldexp(squares, 2 * exponent))


def _result(seen: Scatter | Leading, k: int, size: int, dtype: np.dtype) -> IncrementalPCAFit:
    if isinstance(seen, Scatter):
        found, exponent = by_covariance(seen, k), seen.exponent
        squares = np.diagonal(seen.products)
    else:
        found, exponent, squares = seen.spectrum, 0, seen.squares
    n, d, most = found.n, len(found.mean), float(np.finfo(dtype).max)
    kept = found.singular[:k] ** 2
    least, rest = min(n, d), max(found.total - float(kept.sum()), 0.0)
    with np.errstate(over="ignore", under="ignore"):
        noise = np.ldexp(rest / max(n - 1, 1) / max(least - k, 1), 2 * found.exponent) if k < least else 0.0
        return IncrementalPCAFit(
            np.ascontiguousarray(found.axes[:k], dtype),
            np.minimum(np.ldexp(kept / max(n - 1, 1), 2 * found.exponent), most).astype(dtype),
            (kept / (found.total or 1.0)).astype(dtype),
            np.minimum(np.ldexp(found.singular[:k], found.exponent), most).astype(dtype),
            found.mean.astype(dtype),
            np.minimum(np.ldexp(squares / n, 2 * exponent), most).astype(dtype),
            float(min(noise, most)),
            k,
            n,
            size,
            seen,
        )
