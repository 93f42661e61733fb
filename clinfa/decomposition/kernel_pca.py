"""Kernel principal component analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.arrays import Table, all_finite, is_dataset, read_table
from clinfa.blas import matmul, one_thread
from clinfa.decomposition._positive import positive_part
from clinfa.errors import NotFittedError, twin
from clinfa.kernels import Method
from clinfa.kinds import OnlyIf, Transformer
from clinfa.linalg import truncated_eigh
from clinfa.linalg._blocks import combined
from clinfa.metrics.pairwise import pairwise_kernels
from clinfa.params import (
    Rule,
    at_least,
    between,
    boolean,
    fitted,
    function,
    instance,
    none,
    one_of,
    param,
    seed,
)
from clinfa.preprocessing.kernel_centerer import centred, means
from clinfa.spatial import KernelRows

__all__ = ["KernelPCA", "KernelPCAFit"]

_KERNELS = ("linear", "poly", "rbf", "sigmoid", "cosine", "laplacian", "precomputed")
_SOLVERS = ("auto", "dense", "arpack", "randomized")
_FEW = 300  # records up to which all pairs are found sooner than some
_POSITIVE = ("linear", "rbf", "laplacian", "cosine")  # no eigenvalue is below zero
_SHARE = 12  # and one pair in so many beyond
_MAPPING = Rule("a dict", lambda v: isinstance(v, dict))
_REAL = Rule("a float", lambda v: isinstance(v, int | float | np.number) and not isinstance(v, bool))


@dataclass(frozen=True, slots=True)
class KernelPCAFit:
    """What fitting found."""

    eigenvalues: np.ndarray  # (k,)
    eigenvectors: np.ndarray  # (n, k)
    gamma: float
    X_fit: Any  # (n, d)
    _means: tuple[np.ndarray, float]  # of the kernel's columns, and of all its values
    _exponent: int  # of the power of two by which records are brought near one
    _roots: np.ndarray  # (k,) of the eigenvalues, of such records
    n_iter: int


def _learns_the_way_back(model: Any) -> None:
    if not model.fit_inverse_transform:
        raise twin(NotFittedError)(
            "The fit_inverse_transform parameter was not set to True when instantiating and hence the "
            "inverse transform is not available."
        )


class KernelPCA(Transformer):
    """Principal components in the space of a kernel.

    What `PCA` finds of records mapped into the kernel's space, by the eigenvectors of the centred kernel
    matrix [1]_. Few components of many records are found without the others.

    Parameters
    ----------
    n_components : int or None, default None
        How many; None: all whose eigenvalue is above zero.
    kernel : {"linear", "poly", "rbf", "sigmoid", "cosine", "laplacian", "precomputed"}, callable or Method, \
default "linear"
        "precomputed": the records are a kernel matrix. A `clinfa.kernels.Method` carries its own parameters.
    gamma : float or None, default None
        Of "poly", "rbf", "sigmoid" and "laplacian"; 1 / n_features by default.
    degree : float, default 3
        Of "poly".
    coef0 : float, default 1
        Of "poly" and "sigmoid".
    kernel_params : dict or None, default None
        Parameters of a callable.
    alpha : float, default 1.0
        Of the ridge regression that learns the way back [2]_.
    fit_inverse_transform : bool, default False
        Whether `inverse_transform` is learned.
    eigen_solver : {"auto", "dense", "arpack", "randomized"}, default "auto"
        "dense" finds the pairs by LAPACK; "arpack" finds the largest by ARPACK, to `tol`; "randomized" does
        the same to half the digits of the type, which is what components need. "auto" takes whichever is
        faster.
    tol : float, default 0
        Of "arpack": what an eigenvalue may be off by, relative; 0 is the precision of the type.
    max_iter : int or None, default None
        Of "arpack".
    iterated_power : int or "auto", default "auto"
        For compatibility: pairs are iterated until they are found.
    remove_zero_eig : bool, default False
        Whether components with an eigenvalue of zero are left out.
    random_state : None, int, RandomState or Generator, default None
        Of the vectors that "arpack" and "randomized" start from.
    copy_X : bool, default True
        Whether `X_fit_` is a copy. X is never changed.
    n_jobs : int or None, default None
        How many threads work on the kernel; None and numbers below 1: those of the settings.

    Attributes
    ----------
    eigenvalues_ : ndarray of shape (n_components,)
        Of the centred kernel, descending.
    eigenvectors_ : ndarray of shape (n_samples, n_components)
        Of norm 1; the entry of greatest magnitude of each is positive.
    gamma_ : float
    X_fit_ : ndarray or csr_matrix of shape (n_samples, n_features)
    dual_coef_ : ndarray of shape (n_samples, n_features)
        Of the way back, where that was learned.
    X_transformed_fit_ : ndarray of shape (n_samples, n_components)
        The components of the fitted records, where the way back was learned.
    n_iter_ : int
        Products with the kernel that ARPACK took; 1 where LAPACK found all pairs.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed, or the kernel has a significant eigenvalue
        below zero.

    References
    ----------
    .. [1] Bernhard Schölkopf, Alexander Smola and Klaus-Robert Müller, Kernel principal component analysis,
       ICANN 1997.
    .. [2] Gökhan H. Bakır, Jason Weston and Bernhard Schölkopf, Learning to find pre-images, NIPS 2003.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.decomposition import KernelPCA
    >>> model = KernelPCA(n_components=2, kernel="rbf", gamma=0.1)
    >>> model.fit_transform(load_iris().records).shape
    (150, 2)
    >>> model.eigenvalues_.round(2)
    array([45.2 , 12.07])
    """

    n_components: int | None = param(None, at_least(1) | none(), positional=True)
    kernel: Any = param("linear", one_of(*_KERNELS) | instance(Method) | function())
    gamma: float | None = param(None, between(0) | none())
    degree: float = param(3, between(0))
    coef0: float = param(1, _REAL)
    kernel_params: dict[str, Any] | None = param(None, _MAPPING | none())
    alpha: float = param(1.0, between(0))
    fit_inverse_transform: bool = param(False, boolean())
    eigen_solver: str = param("auto", one_of(*_SOLVERS))
    tol: float = param(0, between(0))
    max_iter: int | None = param(None, at_least(1) | none())
    iterated_power: int | Literal["auto"] = param("auto", at_least(0) | one_of("auto"))
    remove_zero_eig: bool = param(False, boolean())
    random_state: Any = param(None, seed())
    copy_X: bool = param(True, boolean())
    n_jobs: int | None = param(None, at_least(-(2**31)) | none())

    eigenvalues_: np.ndarray = fitted()
    eigenvectors_: np.ndarray = fitted()
    gamma_: float = fitted()
    X_fit_: Any = fitted()

    @property
    def _sparse(self) -> bool:
        return not isinstance(self.kernel, Method)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the components.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records, or with "precomputed" their kernel of shape (n_samples, n_samples).
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
        if self.fit_inverse_transform and isinstance(self.kernel, str) and self.kernel == "precomputed":
            raise ValueError("Cannot fit_inverse_transform with a precomputed kernel.")
        table = self._read_fit(X, None)[0]
        found = self._fit(table)
        back = self._way_back(found, table) if self.fit_inverse_transform else {}
        return self._publish(found, table, **back)

    def _fit(self, table: Table) -> KernelPCAFit:
        gamma = 1.0 / table.d if self.gamma is None else float(self.gamma)
        X = table.as_matrix()
        exponent = self._near_one(table)
        K = self._kernel_of(_times(X, exponent), None, gamma)
        if K.shape[0] != K.shape[1]:
            raise ValueError(
                f"Kernel matrix must be a square matrix. Input is a {K.shape[0]}x{K.shape[1]} matrix."
            )
        K = K.toarray() if hasattr(K, "toarray") else np.array(K) if K is X else K
        if self.copy_X:
            X = X.copy()
            values = X.data if table.sparse else X
            values += 0.0  # (-0 becomes 0)
        if not all_finite(K):
            raise ValueError(
                "The kernel has values that are not finite: the records are too far from the origin."
            )
        columns = means(K)
        values, vectors, n_iter = self._pairs(centred(K, *columns))
        values = positive_part(values)
        if self.remove_zero_eig or self.n_components is None:
            values, vectors = values[values > 0], vectors[:, values > 0]
        top = np.abs(vectors).argmax(axis=0) if vectors.size else np.empty(0, int)
        vectors *= np.where(vectors[top, np.arange(len(top))] < 0, -1, 1).astype(vectors.dtype)
        roots, most = np.sqrt(values), np.finfo(values.dtype).max
        with np.errstate(over="ignore", under="ignore"):
            values = np.minimum(np.ldexp(values, -2 * exponent), most)
        return KernelPCAFit(values, np.ascontiguousarray(vectors), gamma, X, columns, exponent, roots, n_iter)

    def _near_one(self, table: Table) -> int:
        """A linear kernel of what is near the ends of the range is that of records near one, scaled."""
        if not (isinstance(self.kernel, str) and self.kernel == "linear"):
            return 0
        top = float(np.abs(table.X.data if table.sparse else table.column_range).max(initial=0))
        room = 1e10 if table.dtype == np.float32 else 1e100
        return 0 if top == 0 or 1 / room < top < room else -int(np.frexp(top)[1])

    def _pairs(self, K: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
        """The greatest eigenvalues of a symmetric matrix, descending, their vectors, how many products."""
        n = len(K)
        k = n if self.n_components is None else min(n, int(self.n_components))
        solver = self.eigen_solver
        if solver == "auto":
            solver = "dense" if n <= _FEW or k * _SHARE > n else "arpack"
        if solver == "dense" or k == n:
            from scipy.linalg import eigh  # (a fifth of a second to load)

            with one_thread():
                values, vectors = eigh(K, subset_by_index=(n - k, n - 1), check_finite=False)
            return values[::-1], vectors[:, ::-1], 1
        with one_thread():
            size = float(np.linalg.norm(K))
        relative = 50 * float(np.finfo(K.dtype).eps)
        if solver == "randomized":
            relative = float(np.sqrt(np.finfo(K.dtype).eps))
        elif self.tol:
            relative = float(self.tol)
        found = truncated_eigh(
            K,
            k,
            bounds=(0.0, float(np.trace(K))) if self.kernel in _POSITIVE else None,
            tol=relative * size,
            max_iter=self.max_iter if solver == "arpack" else None,
            random_state=0 if self.random_state is None else self.random_state,
        )
        return found.values, found.vectors, max(found.n_iter, 1)

    def _kernel_of(self, X: Any, Y: Any, gamma: float) -> Any:
        """The kernel between records; Y are those of the fit, or None for X."""
        if isinstance(self.kernel, Method):
            points = self.kernel.records(Table(X if Y is None else Y))
            rows = KernelRows(points, self.kernel.function())
            return rows.rows(None if Y is None else self.kernel.records(Table(X)).X)
        if isinstance(self.kernel, str) and self.kernel == "precomputed":
            return X
        how = {"gamma": gamma, "degree": self.degree, "coef0": self.coef0}
        if callable(self.kernel):
            how = self.kernel_params or {}
        return pairwise_kernels(X, Y, self.kernel, filter_params=True, n_jobs=self.n_jobs, **how)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, then the components of the same records.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            A dataframe on request (`set_output`), a Dataset where X is one.
        """
        self.fit(X)
        return self._wrap(_times(self.eigenvectors_ * self._roots, -self._exponent), X)

    def transform(self, X: Any) -> Any:
        """The components of records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n, n_features)
            With "precomputed" the kernel between them and the fitted records.

        Returns
        -------
        ndarray of shape (n, n_components)
            A dataframe on request (`set_output`), a Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`.
        """
        table = self._read_new(X)
        dtype = self.eigenvectors_.dtype
        if not table.sparse and not hasattr(self.X_fit_, "tocsr") and table.dtype != dtype:
            table = table.astype(dtype)
        new = table.as_matrix()
        K = self._kernel_of(_times(new, self._exponent), _times(self.X_fit_, self._exponent), self.gamma_)
        K = K.toarray() if hasattr(K, "toarray") else np.array(K) if K is new else K
        scale = np.where(self._roots > 0, self._roots, np.inf).astype(dtype)
        out = combined(centred(K, *self._means), np.ascontiguousarray(self.eigenvectors_ / scale))
        return self._wrap(_times(out, -self._exponent), X)

    def _way_back(self, found: KernelPCAFit, table: Table) -> dict[str, np.ndarray]:
        """Ridge regression of the records on the kernel of their components."""
        from scipy.linalg import solve

        components = _times(found.eigenvectors * found._roots, -found._exponent)
        K = self._kernel_of(components, None, found.gamma)
        K.flat[:: len(K) + 1] += self.alpha
        records = table.rows(np.arange(table.n)) if table.sparse else table.X
        with one_thread():
            dual = solve(K, records, assume_a="pos")
        return {"dual_coef_": dual, "X_transformed_fit_": components}

    @OnlyIf(_learns_the_way_back)
    def inverse_transform(self, X: Any) -> Any:
        """Records from their components, by what ridge regression has learned.

        The mean of the records in the kernel's space is not known, so that with a linear kernel `PCA` is the
        better choice.

        Parameters
        ----------
        X : array-like or Dataset of shape (n, n_components)

        Returns
        -------
        ndarray of shape (n, n_features)
            A Dataset where X is one.

        Raises
        ------
        NotFittedError
            Before `fit`, or without `fit_inverse_transform`.
        ValueError, TypeError
            If X is not of that shape.
        """
        self._check_fitted()
        owner, known = type(self).__name__, self.X_transformed_fit_
        table = read_table(X.records if is_dataset(X) else X, owner)
        if table.d != known.shape[1]:
            raise ValueError(f"X has {table.d} features, but {owner} has {known.shape[1]} components.")
        K = self._kernel_of(table.astype(known.dtype).X, known, self.gamma_)
        out = matmul(K, self.dual_coef_)
        return X.with_records(out, self.__dict__.get("feature_names_in_")) if is_dataset(X) else out

    def _n_columns_out(self) -> int:
        return len(self.eigenvalues_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = isinstance(self.kernel, str) and self.kernel == "precomputed"
        return tags


def _times(X: Any, exponent: int) -> Any:
    """Records times a power of two."""
    if exponent == 0:
        return X
    with np.errstate(over="ignore", under="ignore"):
        if not hasattr(X, "tocsr"):
            return np.ldexp(X, exponent)
        return type(X)((np.ldexp(X.data, exponent), X.indices, X.indptr), shape=X.shape)
