"""Principal component analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from clinfa.arrays import Table, is_dataset, is_sparse
from clinfa.decomposition._dimension import for_share, most_likely_rank
from clinfa.decomposition._linear import LinearProjection
from clinfa.linalg._scatter import scatter
from clinfa.linalg._spectra import Spectrum, by_covariance, by_svd, leading
from clinfa.params import at_least, between, boolean, fitted, none, one_of, param, seed, shown

__all__ = ["PCA", "PCAFit"]

_SOLVERS = ("auto", "full", "covariance_eigh", "arpack", "randomized")
_SMALL = 2e7  # n d min(n, d) up to which accuracy costs nothing that anybody feels
_SHARP = 1e-3  # singular values above this share of the greatest have ten digits from products, too
_DENSE = 1000  # columns (or rows) up to which all their products are found sooner than some directions


@dataclass(frozen=True, slots=True)
class PCAFit:
    """What fitting found."""

    components: np.ndarray  # (k, d)
    explained_variance: np.ndarray  # (k,)
    explained_variance_ratio: np.ndarray  # (k,)
    singular_values: np.ndarray  # (k,)
    mean: np.ndarray  # (d,)
    noise_variance: float
    n_components: int
    n_samples: int


class PCA(LinearProjection):
    """Principal component analysis.

    The orthogonal axes along which centred records vary most, and records in their terms. Nothing is
    scaled, and no centred copy of the records is made.

    Parameters
    ----------
    n_components : int, float, "mle" or None, default None
        How many components to keep: a number; so many that they explain more than a share of the variance,
        for a float between 0 and 1; as many as are most likely [1]_, for "mle"; all by default (one fewer
        with "arpack").
    copy : bool, default True
        For compatibility: the data are never changed, and never copied either.
    whiten : bool, default False
        Whether `transform` divides by the standard deviation along each component.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized"}, default "auto"
        "covariance_eigh" finds all axes from the products of columns, in one pass over the records;
        components whose standard deviation is below 1e-8 of the greatest are lost in its rounding. "full"
        is as accurate as the singular value decomposition of the records, in two passes. "arpack" finds the
        first components to `tol`, "randomized" nearly, without the products of all columns. "auto" takes
        "full" for small data, else what is fastest for the shape.
    tol : float, default 0.0
        Of "arpack"; 0 is the precision of the type.
    iterated_power : int or "auto", default "auto"
        Iterations of "randomized".
    n_oversamples : int, default 10
        Extra random vectors of "randomized".
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default "auto"
        For compatibility: vectors are always made orthonormal.
    random_state : None, int, RandomState or Generator, default None
        Of the vectors that "arpack" and "randomized" start from.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Orthonormal axes, the one with the greatest variance first; the greatest entry of each is positive.
    explained_variance_ : ndarray of shape (n_components,)
        Variance along each axis, with n_samples - 1 degrees of freedom.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Its share of the variance of all columns.
    singular_values_ : ndarray of shape (n_components,)
        Of the centred records.
    mean_ : ndarray of shape (n_features,)
    n_components_ : int
    n_samples_ : int
    noise_variance_ : float
        The mean variance along the axes that were left out [2]_.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] T. P. Minka, Automatic choice of dimensionality for PCA, NIPS 2000.
    .. [2] M. E. Tipping and C. M. Bishop, Probabilistic principal component analysis, J. R. Statist. Soc. B
    61,
       1999.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.decomposition import PCA
    >>> X = np.array([[-1.0, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> model = PCA(n_components=1).fit(X)
    >>> model.explained_variance_ratio_.round(4)
    array([0.9924])
    >>> model.transform(X[:2]).round(3)
    array([[-1.383],
           [-2.222]])
    """

    n_components: int | float | Literal["mle"] | None = param(
        None, at_least(0) | between(0, 1, closed="neither") | one_of("mle") | none(), positional=True
    )
    copy: bool = param(True, boolean())
    whiten: bool = param(False, boolean())
    svd_solver: Literal["auto", "full", "covariance_eigh", "arpack", "randomized"] = param(
        "auto", one_of(*_SOLVERS)
    )
    tol: float = param(0.0, between(0))
    iterated_power: int | Literal["auto"] = param("auto", at_least(0) | one_of("auto"))
    n_oversamples: int = param(10, at_least(1))
    power_iteration_normalizer: Literal["auto", "QR", "LU", "none"] = param(
        "auto", one_of("auto", "QR", "LU", "none")
    )
    random_state: Any = param(None, seed())

    n_samples_: int = fitted()

    @property
    def _sparse(self) -> bool:
        return self.svd_solver in ("auto", "arpack", "covariance_eigh")

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        if not self._sparse and is_sparse(X.records if is_dataset(X) else X):
            raise TypeError(
                f'PCA only support sparse inputs with the "arpack" and "covariance_eigh" solvers, while '
                f'"{self.svd_solver}" was passed. See TruncatedSVD for a possible alternative.'
            )
        return super()._read_fit(X, sample_weight)

    def _count(self) -> int:
        return self.n_samples_

    def _fit(self, table: Table) -> PCAFit:
        solver, k = self._plan(table)
        if solver == "covariance_eigh":
            some = int(k) if isinstance(k, int | np.integer) else None
            found = by_covariance(scatter(table, "PCA"), some)
        elif solver == "full":
            if table.sparse:  # (which are wide: their axes take as much memory as they do dense)
                table = Table(table.rows(np.arange(table.n)))
            found = None
            if self.svd_solver == "auto" and table.n >= table.d:
                found = by_covariance(scatter(table, "PCA"))
            if found is None or not found.singular[-1] > _SHARP * found.singular[0]:
                found = by_svd(table, "PCA")
        else:
            found = self._leading(table, int(k), solver)
        return _result(found, k, table)

    def _plan(self, table: Table) -> tuple[str, Any]:
        """Which way to go, and for how many components."""
        k, solver, (n, d) = self.n_components, self.svd_solver, (table.n, table.d)
        least = min(n, d)
        if solver == "auto":
            solver = self._fastest(table)
        if k is None:
            k = least - 1 if solver == "arpack" else least
        if solver in ("full", "covariance_eigh"):
            if k == "mle":
                if n < d:
                    raise ValueError("n_components='mle' is only supported if n_samples >= n_features")
            elif not 0 <= k <= least:
                raise ValueError(
                    f"n_components={shown(k)} must be between 0 and min(n_samples, n_features)={least} with "
                    f"svd_solver={solver!r}"
                )
            return solver, k
        if isinstance(k, str):
            raise ValueError(f"n_components={shown(k)} cannot be a string with svd_solver='{solver}'")
        if not 1 <= k <= least:
            raise ValueError(
                f"n_components={shown(k)} must be between 1 and min(n_samples, n_features)={least} with "
                f"svd_solver='{solver}' (n_samples={n}, n_features={d})"
            )
        if solver == "arpack" and k == least:
            raise ValueError(
                f"n_components={shown(k)} must be strictly less than min(n_samples, n_features)={least} with "
                f"svd_solver='{solver}' (n_samples={n}, n_features={d})"
            )
        return solver, k

    def _fastest(self, table: Table) -> str:
        """What "auto" is: exact wherever scikit-learn's is."""
        k, (n, d) = self.n_components, (table.n, table.d)
        least = min(n, d)
        few = isinstance(k, int | np.integer) and 1 <= k < 0.8 * least
        if table.sparse:
            if few and d > _DENSE:
                return "arpack"
            return "full" if d > max(n, _DENSE) else "covariance_eigh"
        if n * d * least <= _SMALL or (n < d and not few):
            return "full"
        return "randomized" if few and least > _DENSE else "covariance_eigh"

    def _leading(self, table: Table, k: int, solver: str) -> Spectrum:
        if solver == "arpack":
            # (In double the default is finer than what the singular values need, so that vectors are sharp.)
            finest = 1e-6 if table.dtype == np.float32 else 1e-12
            how = {"method": "lanczos", "tol": max(float(self.tol), finest)}
        else:
            steps = self.iterated_power
            if steps == "auto":
                steps = 5 if k < 0.1 * min(table.n, table.d) else 4
            how = {"method": "krylov", "n_iter": int(steps), "n_oversamples": int(self.n_oversamples)}
        return leading(table, "PCA", k, self.random_state, **how)


def _result(found: Spectrum, k: Any, table: Table) -> PCAFit:
    """The first k components, in the units and the type of the records.

    A single record varies by nothing, and where nothing varies every share is zero. What is too great for
    the type is the greatest number there is.
    """
    n, dtype, least = found.n, table.dtype, min(table.n, table.d)
    most, squares = float(np.finfo(dtype).max), found.singular**2
    with np.errstate(over="ignore", under="ignore"):
        variance = np.minimum(np.ldexp(squares / max(n - 1, 1), 2 * found.exponent), most)
        ratio = squares / (found.total or 1.0)
        if k == "mle":
            k = most_likely_rank(variance, n)
        elif isinstance(k, float):
            k = for_share(ratio, k)
        k = int(k)
        if k == least:
            noise = 0.0
        elif len(squares) >= least:
            noise = float(np.mean(variance[k:least]))
        else:
            rest = max(found.total - float(squares[:k].sum()), 0.0) / max(n - 1, 1) / (least - k)
            noise = min(float(np.ldexp(rest, 2 * found.exponent)), most)
        return PCAFit(
            np.ascontiguousarray(found.axes[:k], dtype),
            variance[:k].astype(dtype),
            ratio[:k].astype(dtype),
            np.minimum(np.ldexp(found.singular[:k], found.exponent), most).astype(dtype),
            found.mean.astype(dtype),
            noise,
            k,
            n,
        )
