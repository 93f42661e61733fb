"""Random projections: fewer columns, distances nearly kept."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, Self

import numpy as np
import scipy.linalg
import scipy.sparse

from clinfa.arrays import CSR, Table, is_dataset, is_sparse, read_table
from clinfa.blas import one_thread
from clinfa.errors import DataDimensionalityWarning, twin
from clinfa.kinds import Transformer
from clinfa.linalg._blocks import combined
from clinfa.linalg._sparse import product, times_transposed
from clinfa.params import at_least, between, boolean, fitted, one_of, param, seed, shown
from clinfa.rng import generator
from clinfa.threads import stripes

__all__ = ["GaussianRandomProjection", "SparseRandomProjection", "johnson_lindenstrauss_min_dim"]


def johnson_lindenstrauss_min_dim(n_samples: Any, *, eps: Any = 0.1) -> Any:
    """How many random directions keep all distances among some records.

    With 4 log(n) / (eps^2 / 2 - eps^3 / 3) of them, a random projection changes no squared distance between
    two of n records by more than a factor of 1 - eps to 1 + eps, with good probability; whatever the records
    are, and however many columns they have.

    Parameters
    ----------
    n_samples : int or array-like of int
        At least 1.
    eps : float or array-like of float
        Between 0 and 1, both excluded.

    Returns
    -------
    int or ndarray of int

    Raises
    ------
    ValueError
        If an argument is not in that range.

    References
    ----------
    Dasgupta & Gupta (2003), An elementary proof of a theorem of Johnson and Lindenstrauss.

    Examples
    --------
    >>> from clinfa.random_projection import johnson_lindenstrauss_min_dim
    >>> int(johnson_lindenstrauss_min_dim(1_000_000, eps=0.5))
    663
    >>> johnson_lindenstrauss_min_dim([10_000, 100_000, 1_000_000]).tolist()
    [7894, 9868, 11841]
    """
    eps, n_samples = np.asarray(eps, np.float64), np.asarray(n_samples)
    if not ((eps > 0) & (eps < 1)).all():
        raise ValueError(f"The JL bound is defined for eps in ]0, 1[, got {eps!r}")
    if not (n_samples > 0).all():
        raise ValueError(f"The JL bound is defined for n_samples greater than zero, got {n_samples!r}")
    return (4 * np.log(n_samples) / (eps**2 / 2 - eps**3 / 3)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class ProjectionFit:
    """What was drawn."""

    components: Any  # (k, d)
    n_components: int


@dataclass(frozen=True, slots=True)
class SparseProjectionFit:
    """What was drawn, and how many of it are not zero."""

    components: Any
    n_components: int
    density: float


class _RandomProjection(Transformer):
    """What both kinds share."""

    _sparse = True

    components_: Any = fitted()
    n_components_: int = fitted()
    inverse_components_: np.ndarray = fitted()

    def _n_columns_out(self) -> int:
        return self.n_components_

    def fit(self, X: Any, y: Any = None) -> Self:
        """Draw a projection for records of this shape.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            Only its shape matters, and its type: float32 records get a float32 projection.
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
        """`fit`, then `transform` of the same records."""
        return self._wrap(self._project(self._learn(X)), X)

    def _learn(self, X: Any) -> Table:
        self._check_params()
        table = self._read_fit(X, None)[0]
        found, more = self._fit(table), {}
        if self.compute_inverse_components:
            more["inverse_components_"] = _inverse(found.components)
        else:
            self.__dict__.pop("inverse_components_", None)
        self._publish(found, table, **more)
        return table

    def _size(self, table: Table) -> int:
        n, d, k = table.n, table.d, self.n_components
        if k == "auto":
            k = int(johnson_lindenstrauss_min_dim(n, eps=self.eps))
            if k <= 0:
                raise ValueError(
                    f"eps={self.eps:f} and n_samples={n} lead to a target dimension of {k} which is invalid"
                )
            if k > d:
                raise ValueError(
                    f"eps={self.eps:f} and n_samples={n} lead to a target dimension of {k} which is larger "
                    f"than the original space with n_features={d}"
                )
        elif k > d + 10**6:
            raise ValueError(f"n_components={shown(k)} is too many for n_features={d}: at most 10**6 more.")
        elif k > d:
            warnings.warn(
                f"The number of components is higher than the number of features: n_features < n_components "
                f"({d} < {k}). The dimensionality of the problem will not be reduced.",
                twin(DataDimensionalityWarning),
                stacklevel=5,
            )
        return int(k)

    def transform(self, X: Any) -> Any:
        """Project records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        projected : ndarray of shape (n_samples, n_components)
            A sparse matrix where both the records and the projection are sparse, unless dense output is asked
            for. A dataframe on request (`set_output`), a Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`.
        """
        return self._wrap(self._project(self._read_new(X)), X)

    def _project(self, table: Table) -> Any:
        components = self.components_
        dtype = np.promote_types(table.dtype, components.dtype)
        table = table if table.dtype == dtype else table.astype(dtype)
        components = components.astype(dtype, copy=False)
        if not is_sparse(components):
            turn = components.T
            return product(table.X, np.ascontiguousarray(turn)) if table.sparse else combined(table.X, turn)
        if not table.sparse:
            return times_transposed(table.X, components)
        return _sparse_product(table.X, components.T.tocsr(), self.dense_output)

    def inverse_transform(self, X: Any) -> Any:
        """Records whose projections these are: of all such, the shortest.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_components)

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
        owner = type(self).__name__
        table = read_table(X.records if is_dataset(X) else X, owner, sparse=True)
        if table.d != self.n_components_:
            raise ValueError(f"X has {table.d} features, but {owner} has {self.n_components_} components.")
        back = self.__dict__.get("inverse_components_")
        back = (_inverse(self.components_) if back is None else back).T
        return self._turn_back(X, table, back)


class GaussianRandomProjection(_RandomProjection):
    """Project records on random directions, drawn from the normal distribution.

    Entries are drawn with variance 1 / n_components, so that squared distances keep their size. (In Linfa it
    is 1 / n_features, and they do not.)

    Parameters
    ----------
    n_components : int or "auto", default "auto"
        How many directions; "auto" is `johnson_lindenstrauss_min_dim` of the records for `eps`.
    eps : float, default 0.1
        How much squared distances may change, for "auto".
    compute_inverse_components : bool, default False
        Whether `fit` computes what `inverse_transform` needs; else each call does.
    random_state : None, int, RandomState or Generator, default None

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
    n_components_ : int
    inverse_components_ : ndarray of shape (n_features, n_components)
        The pseudo-inverse of `components_`, if asked for.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.random_projection import GaussianRandomProjection
    >>> X = np.random.default_rng(0).random((25, 3000))
    >>> GaussianRandomProjection(random_state=0).fit_transform(X).shape
    (25, 2759)
    """

    n_components: int | Literal["auto"] = param("auto", at_least(1) | one_of("auto"), positional=True)
    eps: float = param(0.1, between(0, closed="neither"))
    compute_inverse_components: bool = param(False, boolean())
    random_state: Any = param(None, seed())

    def _fit(self, table: Table) -> ProjectionFit:
        k = self._size(table)
        drawn = generator(self.random_state).standard_normal((k, table.d))
        drawn *= 1 / np.sqrt(k)
        return ProjectionFit(drawn.astype(table.dtype, copy=False), k)


class SparseRandomProjection(_RandomProjection):
    """Project records on random directions that are zero in most columns.

    Entries are zero but for a share `density`, where they are 1 / sqrt(density n_components) with either
    sign, so that squared distances keep their size. (In Linfa they are larger by sqrt(n_components), and
    distances are not kept.)

    Parameters
    ----------
    n_components : int or "auto", default "auto"
        How many directions; "auto" is `johnson_lindenstrauss_min_dim` of the records for `eps`.
    density : float or "auto", default "auto"
        The share of entries that are not zero; "auto" is 1 / sqrt(n_features).
    eps : float, default 0.1
        How much squared distances may change, for "auto" components.
    dense_output : bool, default False
        Whether projections of sparse records are arrays.
    compute_inverse_components : bool, default False
        Whether `fit` computes what `inverse_transform` needs; else each call does.
    random_state : None, int, RandomState or Generator, default None

    Attributes
    ----------
    components_ : scipy.sparse CSR matrix of shape (n_components, n_features)
        An ndarray where the density is 1.
    n_components_ : int
    density_ : float
    inverse_components_ : ndarray of shape (n_features, n_components)
        The pseudo-inverse of `components_`, if asked for.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    Achlioptas (2003), Database-friendly random projections. Li, Hastie & Church (2006), Very sparse random
    projections.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.random_projection import SparseRandomProjection
    >>> X = np.random.default_rng(0).random((25, 3000))
    >>> model = SparseRandomProjection(random_state=0).fit(X)
    >>> model.transform(X).shape, round(model.density_, 4)
    ((25, 2759), 0.0183)
    """

    n_components: int | Literal["auto"] = param("auto", at_least(1) | one_of("auto"), positional=True)
    density: float | Literal["auto"] = param("auto", between(0, 1, closed="right") | one_of("auto"))
    eps: float = param(0.1, between(0, closed="neither"))
    dense_output: bool = param(False, boolean())
    compute_inverse_components: bool = param(False, boolean())
    random_state: Any = param(None, seed())

    density_: float = fitted()

    def _fit(self, table: Table) -> SparseProjectionFit:
        k, d = self._size(table), table.d
        density = float(1 / np.sqrt(d) if self.density == "auto" else self.density)
        rng = generator(self.random_state)
        places = _chosen(rng, k * d, density)
        values = np.where(rng.random(len(places)) < 0.5, -1.0, 1.0) / np.sqrt(density * k)
        values = values.astype(table.dtype)
        if density == 1:
            return SparseProjectionFit(values.reshape(k, d), k, 1.0)
        starts = np.searchsorted(places, np.arange(k + 1) * d)
        index = np.int32 if max(d, len(places)) < 2**31 else np.int64
        components = _scipy(CSR(values, (places % d).astype(index), starts.astype(index), (k, d)))
        return SparseProjectionFit(components, k, density)


def _chosen(rng: Any, n: int, share: float) -> np.ndarray:
    """Numbers below n, each of them with the same probability, ascending."""
    if share == 1:
        return np.arange(n)
    found, last = [], -1
    while last < n:
        # (The distance from one to the next has the geometric distribution.)
        count = int((n - last) * share * 1.05) + 64
        steps = np.minimum(rng.geometric(share, count), n + 1)
        found.append(last + np.cumsum(steps))
        last = int(found[-1][-1])
    places = np.concatenate(found)
    return places[: np.searchsorted(places, n)]


@one_thread()
def _inverse(components: Any) -> np.ndarray:
    """The pseudo-inverse."""
    dense = components.toarray() if is_sparse(components) else components
    return scipy.linalg.pinv(dense, check_finite=False)


def _sparse_product(X: CSR, turned: Any, dense: bool) -> Any:
    """X @ turned by SciPy, in stripes of rows."""
    (n, d), k = X.shape, turned.shape[1]
    each = X.indptr[-1] / max(n, 1) * turned.nnz / d
    cut = stripes(n, 20 + 6 * each + (k if dense else 0))
    out = np.empty((n, k), turned.dtype) if dense else None
    parts: list[Any] = [None] * len(cut)
    tickets = count()

    def rows(cursor: np.ndarray, limit: int, slot: int) -> None:
        s = next(tickets)
        if s >= len(cut):
            cursor[0] = len(cut)
            return
        low, high = cut.bounds[s], cut.bounds[s + 1]
        first, last = X.indptr[low], X.indptr[high]
        taken = X.indptr[low : high + 1] - first
        part = CSR(X.data[first:last], X.indices[first:last], taken, (high - low, d))
        found = _scipy(part) @ turned
        if out is None:
            parts[s] = found
        else:
            found.toarray(out=out[low:high])

    cut.run(rows)
    if out is not None:
        return out
    return parts[0] if len(parts) == 1 else scipy.sparse.vstack(parts, format="csr")


def _scipy(X: CSR) -> Any:
    """As a matrix of scipy's, of the kind that scikit-learn is set to return where it is loaded."""
    end = X.indptr[-1]
    theirs = sys.modules.get("sklearn")
    arrays = theirs is not None and theirs.get_config().get("sparse_interface") == "sparray"
    make = scipy.sparse.csr_array if arrays else scipy.sparse.csr_matrix
    return make((X.data[:end], X.indices[:end], X.indptr), shape=X.shape)
