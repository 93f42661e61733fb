"""Truncated singular value decomposition of records as they are: latent semantic analysis."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa._core import columns
from clinfa.arrays import NO_WEIGHTS, Table, is_dataset, read_table
from clinfa.blas import one_thread
from clinfa.errors import ConvergenceWarning, twin
from clinfa.kinds import Transformer
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._sides import Sides, sides
from clinfa.linalg._sparse import product
from clinfa.linalg._svd import leading_triplets
from clinfa.params import at_least, between, fitted, none, one_of, param, seed, shown

__all__ = ["TruncatedSVD", "TruncatedSVDFit"]


@dataclass(frozen=True, slots=True)
class TruncatedSVDFit:
    """What fitting found."""

    components: np.ndarray  # (k, d)
    explained_variance: np.ndarray  # (k,)
    explained_variance_ratio: np.ndarray  # (k,)
    singular_values: np.ndarray  # (k,)


class TruncatedSVD(Transformer):
    """The directions in which records, taken from the origin, are longest.

    Nothing is centred, so that sparse records stay sparse. On counts or tf-idf values of words this is
    latent semantic analysis.

    Parameters
    ----------
    n_components : int, default 2
        How many directions to find.
    algorithm : {"randomized", "krylov", "arpack"}, default "randomized"
        "randomized" is subspace iteration. "krylov" keeps all blocks of that iteration, and finds more in as
        many steps, for more memory. "arpack" goes on until all is found to `tol`, by block
        Golub-Kahan-Lanczos. Records with a short side are decomposed at once, exactly, whatever is asked for.
    n_iter : int, default 5
        Steps of "randomized" and "krylov".
    n_oversamples : int, default 10
        Columns beyond `n_components` that these two work with.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default "auto"
        For compatibility: blocks are made orthonormal wherever that is needed.
    random_state : None, int, RandomState or Generator, default None
        Of the vectors to start from.
    tol : float, default 0.0
        Of "arpack": residuals relative to the greatest singular value. 0 stands for 1e-12, or 2e-6 in
        float32.
    drop : float or None, default None
        Leave out directions whose singular value is at most `drop` times the greatest: then there may be
        fewer than `n_components`, as in Linfa. None keeps them, as zeros.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Orthonormal; the greatest entry of each is positive.
    explained_variance_ : ndarray of shape (n_components,)
        The variance of the records along each.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Its share of the variance of all columns.
    singular_values_ : ndarray of shape (n_components,)
        The lengths of the columns of what `transform` makes of the records, descending.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Warns
    -----
    ConvergenceWarning
        If "arpack" did not reach `tol`.

    References
    ----------
    Halko, Martinsson & Tropp (2011), Finding structure with randomness. Musco & Musco (2015), Randomized
    block Krylov methods. Baglama & Reichel (2006), Restarted block Lanczos bidiagonalization methods.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.decomposition import TruncatedSVD
    >>> X = np.array([[3.0, 2, 2], [2, 3, -2]])
    >>> model = TruncatedSVD(n_components=2).fit(X)
    >>> model.singular_values_.round(12).tolist()
    [5.0, 3.0]
    >>> model.transform(X).round(6).tolist()
    [[3.535534, 2.12132], [3.535534, -2.12132]]
    """

    _sparse = True

    n_components: int = param(2, at_least(1), positional=True)
    algorithm: Literal["randomized", "krylov", "arpack"] = param(
        "randomized", one_of("randomized", "krylov", "arpack")
    )
    n_iter: int = param(5, at_least(0))
    n_oversamples: int = param(10, at_least(1))
    power_iteration_normalizer: Literal["auto", "QR", "LU", "none"] = param(
        "auto", one_of("auto", "QR", "LU", "none")
    )
    random_state: Any = param(None, seed())
    tol: float = param(0.0, between(0))
    drop: float | None = param(None, between(0, 1, closed="left") | none())

    components_: np.ndarray = fitted()
    explained_variance_: np.ndarray = fitted()
    explained_variance_ratio_: np.ndarray = fitted()
    singular_values_: np.ndarray = fitted()

    def _n_columns_out(self) -> int:
        return len(self.components_)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the directions.

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
        self._learn(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, then `transform` of the same records, at no further cost."""
        return self._wrap(self._learn(X), X)

    def _learn(self, X: Any) -> np.ndarray:
        self._check_params()
        table = self._read_fit(X, None)[0]
        found, along = self._fit(table)
        self._publish(found, table)
        return along

    def _fit(self, table: Table) -> tuple[TruncatedSVDFit, np.ndarray]:
        n, d, k, dtype = table.n, table.d, self.n_components, table.dtype
        if k > d:
            raise ValueError(f"n_components({shown(k)}) must be <= n_features({d}). (n_samples={n}.)")
        if self.algorithm == "arpack" and k >= min(n, d) > 1:
            raise ValueError(
                f"n_components={k} must be below min(n_samples, n_features)={min(n, d)} for "
                f"algorithm='arpack'."
            )
        whole, scale = sides(table.X)
        tol = max(self.tol or (2e-6 if dtype == np.float32 else 1e-12), 16 * float(np.finfo(dtype).eps))
        found, method = leading_triplets(
            whole,
            min(k, n, d),
            {"arpack": "auto"}.get(self.algorithm, self.algorithm),
            n_oversamples=self.n_oversamples,
            n_iter=self.n_iter,
            tol=tol,
            random_state=self.random_state,
        )
        s = found.s
        if method == "lanczos" and (found.residuals > tol * s[0]).any():
            warnings.warn(
                f"TruncatedSVD: residuals are up to {found.residuals.max() / s[0]:.1e} of the greatest "
                f"singular value, above tol={tol:.1e}.",
                twin(ConvergenceWarning),
                stacklevel=4,
            )
        kept = np.ones(len(s), bool) if self.drop is None else s > self.drop * s[0]
        u, v = np.ascontiguousarray(found.u[:, kept]), np.ascontiguousarray(found.v[:, kept])
        # (What was found from the other side is exact on that side.)
        along = u * s[kept].astype(dtype) if n >= d else whole.times(v)
        with np.errstate(over="ignore", under="ignore"):
            variance, total = _variances(along), _total_variance(table, whole, scale)
            ratio = variance / total if total > 0 else np.zeros_like(variance)
            return (
                TruncatedSVDFit(
                    np.ascontiguousarray(v.T),
                    np.minimum(variance / scale / scale, np.finfo(dtype).max).astype(dtype),
                    ratio.astype(dtype),
                    (s[kept] / scale).astype(dtype),
                ),
                along if scale == 1 else along / dtype.type(scale),
            )

    def transform(self, X: Any) -> Any:
        """Records in terms of the directions.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        along : ndarray of shape (n_samples, n_components)
            A dataframe on request (`set_output`), a Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`.
        """
        table = self._read_new(X)
        turn = self.components_.T
        dtype = np.promote_types(table.dtype, turn.dtype)
        table = table if table.dtype == dtype else table.astype(dtype)
        turn = turn.astype(dtype, copy=False)
        times = product(table.X, np.ascontiguousarray(turn)) if table.sparse else combined(table.X, turn)
        return self._wrap(times, X)

    def inverse_transform(self, X: Any) -> Any:
        """Records from what they are in terms of the directions: the nearest to the original ones.

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
        table = read_table(X.records if is_dataset(X) else X, "TruncatedSVD")
        if table.d != len(self.components_):
            raise ValueError(
                f"X has {table.d} features, but TruncatedSVD has {len(self.components_)} components."
            )
        return self._turn_back(X, table, self.components_)


def _variances(block: np.ndarray) -> np.ndarray:
    """Of each column of a block."""
    mean = block.mean(axis=0, dtype=np.float64)
    return np.diag(crossed(block, shift=mean)) / len(block)


def _total_variance(table: Table, whole: Sides, scale: float) -> float:
    """Of all columns together, in units of what `whole` is."""
    n, X = table.n, table.X
    mean = whole.back(np.ones((n, 1), whole.dtype))[:, 0].astype(np.float64) / n
    if table.sparse:
        count = X.indptr[-1]
        expected = mean[X.indices[:count]]
        off = X.data[:count] * scale - expected
        # (Where nothing is stored, a record is off by the mean: of all places, less those that are stored.)
        with one_thread():
            return float((off @ off + max(n * (mean @ mean) - expected @ expected, 0.0)) / n)
    cut = table.stripes(0.5 * table.d)
    out = np.zeros((len(cut), 2, table.d + 16))
    X, shift = X if scale == 1 else X * X.dtype.type(scale), mean.astype(X.dtype)
    cut.run(
        lambda cursor, limit, slot: columns.moments_pass(
            X, NO_WEIGHTS, shift, 1.0, cut.bounds, cursor, limit, out
        )
    )
    first, second = out.sum(axis=0)[:, : table.d] / n
    return float((second - first**2).clip(0).sum())
