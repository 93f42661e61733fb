"""Diffusion maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from clinfa.affinity import walk_pairs
from clinfa.arrays import Table, is_dataset, read_table
from clinfa.blas import matmul
from clinfa.kernels import Gaussian, Kernel, Method, Sparse
from clinfa.kinds import Transformer
from clinfa.params import at_least, between, fitted, function, instance, none, one_of, param, seed, shown

__all__ = ["DiffusionMap", "DiffusionMapFit"]


@dataclass(frozen=True, slots=True)
class DiffusionMapFit:
    """What fitting found."""

    eigenvalues: np.ndarray  # (n_components,)
    embedding: np.ndarray  # (n, n_components)
    _before: np.ndarray  # (n, n_components): the embedding of one step less
    _density: np.ndarray | None  # (n,): to the power of -alpha
    _kernel: Kernel | None  # None where affinities are precomputed


class DiffusionMap(Transformer):
    """Coordinates in which distance is how differently random walks go on: a diffusion map [1]_.

    A walker at one record goes to another with a probability proportional to their affinity, which a kernel
    gives. Coordinate j of a record is ``eigenvalue_j ** steps`` times its entry in the j-th right eigenvector
    of that walk; the constant eigenvector, which tells nothing, is left out.

    Parameters
    ----------
    n_components : int, default 2
        How many coordinates; less than there are records.
    steps : int, default 1
        Steps of the walk: details of less than so many steps fade.
    alpha : float, default 0.0
        How much of the records' density is taken out of the affinities: with 1, coordinates depend on the
        shape alone that records lie on; 1/2 gives the walk of a particle in the potential of their density; 0
        takes affinities as they are.
    kernel : kernel method, callable, "precomputed" or None, default None
        As for `clinfa.kernels.Kernel`; None is ``Gaussian(n_features)``. "precomputed": X is the symmetric
        matrix of affinities, dense or sparse. Not used where `fit` gets a `Kernel`.
    n_neighbors : int, optional
        Affinities of each record's nearest neighbours only, so many beside itself: ``Sparse(n_neighbors)``.
        By default all records are affine to all.
    eigen_tol : float or "auto", default "auto"
        Greatest norm of a residual at which the iteration stops.
    random_state : None, int, RandomState or Generator, default None
        Seeds the start of the iteration.

    Attributes
    ----------
    eigenvalues_ : ndarray of shape (n_components,)
        Of the walk, the greatest first; not raised to the power of `steps`.
    embedding_ : ndarray of shape (n_samples, n_components)
        The entry of each column that is greatest in size is positive.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    With all n - 1 coordinates, the squared distance of records i and j is, but for the factor ``sum(d)``, the
    distance ``sum_k (P^t_ik - P^t_jk)^2 / pi_k`` of where walks of t = `steps` steps from i and from j end,
    where P are the probabilities, d the sums of affinities of each record, and ``pi = d / sum(d)``.

    Where records fall into m parts without affinity, m - 1 coordinates have the eigenvalue 1 and tell the
    parts from each other. They are known without iteration.

    Pairs are ordered by value, so negative eigenvalues (of kernels that are not positive semi-definite, such
    as one of nearest neighbours) come last; an odd number of steps keeps their sign.

    `transform` is Nystroem's formula: the coordinates of a new record after t steps are the mean of those
    that the records it has an affinity to have after t - 1 steps. Of a fitted record that is what it has, if
    all are affine to all.

    References
    ----------
    .. [1] R. R. Coifman, S. Lafon, Diffusion maps, Applied and Computational Harmonic Analysis 21 (2006).

    Examples
    --------
    >>> from clinfa.kernels import Gaussian, Kernel, Method, Sparse
    >>> from clinfa.manifold import DiffusionMap
    >>> line = [[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]]
    >>> model = DiffusionMap(n_components=1, kernel=Gaussian(2.0)).fit(line)
    >>> [bool(x > 0) for x in model.embedding_[:, 0]] == [bool(x > 0) for x in model.transform(line)[:, 0]]
    True
    >>> recipe = DiffusionMap.params(n_components=1, steps=2)
    >>> recipe.fit(Kernel(line, method=Gaussian(2.0), kind=Sparse(2))).embedding().shape
    (6, 1)
    """

    _sparse = True

    n_components: int = param(2, at_least(1), positional=True)
    steps: int = param(1, at_least(1))
    alpha: float = param(0.0, between(0))
    kernel: Any = param(None, instance(Method) | function() | one_of("precomputed") | none())
    n_neighbors: int | None = param(None, at_least(1) | none())
    eigen_tol: Any = param("auto", between(0) | one_of("auto"))
    random_state: Any = param(None, seed())

    eigenvalues_: np.ndarray = fitted()
    embedding_: np.ndarray = fitted()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the coordinates of records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix, Dataset or Kernel
            Records of shape (n_samples, n_features), or a kernel of them. Affinities of shape (n_samples,
            n_samples) where the kernel is "precomputed".
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        kernel = X.records if is_dataset(X) else X
        if not isinstance(kernel, Kernel):
            return self._run_fit(X)
        self._check_params()
        given = kernel.matrix if kernel.X is None else kernel.X
        records = read_table(given, type(self).__name__, sparse=True)
        return self._publish(self._map(_matrix(kernel), None if kernel.X is None else kernel), records)

    def _fit(self, table: Table, weights: np.ndarray) -> DiffusionMapFit:
        X = table.as_matrix()
        if self.kernel == "precomputed":
            if table.n != table.d:
                raise ValueError(f"array must be 2-dimensional and square. shape = {X.shape}")
            if (apart := abs(X - X.T).max()) > 1e-10 * abs(X).max():
                raise ValueError(
                    f"Affinities must be symmetric; entries and their mirrors differ by {apart:g}."
                )
            return self._map(X, None)
        self._check_size(table.n)
        if self.n_neighbors is not None and self.n_neighbors >= table.n:
            raise ValueError(f"n_neighbors={shown(self.n_neighbors)} must be < n_samples={table.n}.")
        method = Gaussian(float(table.d)) if self.kernel is None else self.kernel
        kind = "auto" if self.n_neighbors is None else Sparse(int(self.n_neighbors))
        kernel = Kernel(X + 0, method, kind)  # (a copy of its own, without minus zeros)
        return self._map(_matrix(kernel), kernel)

    def _check_size(self, n: int) -> None:
        if self.n_components >= n:
            raise ValueError(f"n_components={shown(self.n_components)} must be < n_samples={n}.")

    def _map(self, W: Any, kernel: Kernel | None) -> DiffusionMapFit:
        self._check_size(W.shape[0])
        k, t, alpha = int(self.n_components), int(self.steps), float(self.alpha)
        tol = None if self.eigen_tol == "auto" else float(self.eigen_tol)
        found = walk_pairs(W, k + 1, loops=True, alpha=alpha, tol=tol, random_state=self.random_state)
        values, right = found.values[1:], found.vectors[:, 1:]
        # (What a step leaves of a vector with the eigenvalue 0 is rounding.)
        right = right * (np.abs(values) > 64 * np.finfo(W.dtype).eps)
        density = matmul(W, np.ones(W.shape[0])) ** -alpha if alpha else None
        before = right * _power(values, t - 1)
        return DiffusionMapFit(
            values.astype(W.dtype), (before * values).astype(W.dtype), before, density, kernel
        )

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, and the coordinates of the same records: `embedding_`."""
        return self._wrap(self.fit(X).embedding_, X)

    def transform(self, X: Any) -> Any:
        """The coordinates of new records, by Nystroem's formula.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_new, n_features)
            Of shape (n_new, n_samples) where the kernel is "precomputed": affinities to the records that were
            fitted.

        Returns
        -------
        coordinates : ndarray of shape (n_new, n_components)
            NaN for a record without affinity to any that was fitted. A dataframe on request (`set_output`), a
            Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`.
        """
        table = self._read_new(X)
        rows = table.as_matrix()
        if self._kernel is not None:
            rows = self._kernel.cross(rows)
        before, density = self._before, self._density
        if density is None:
            density = np.ones(len(before))
        with np.errstate(invalid="ignore"):
            out = matmul(rows, density[:, None] * before) / matmul(rows, density)[:, None]
        return self._wrap(out.astype(table.dtype), X)

    def embedding(self) -> np.ndarray:
        """The coordinates of the fitted records: `embedding_`."""
        self._check_fitted()
        return self.embedding_

    def eigvals(self) -> np.ndarray:
        """The eigenvalues that belong to the coordinates: `eigenvalues_`."""
        self._check_fitted()
        return self.eigenvalues_

    def estimate_clusters(self) -> int:
        """How many clusters the eigenvalues suggest: one more than there are above their mean."""
        return int((self.eigvals() > self.eigvals().mean()).sum()) + 1

    def _n_columns_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = tags.input_tags.positive_only = self.kernel == "precomputed"
        return tags


def _matrix(kernel: Kernel) -> Any:
    """What is stored of a kernel, or how it is applied where nothing is."""
    return kernel.as_linear_operator() if kernel.matrix is None else kernel.matrix


def _power(values: np.ndarray, t: int) -> np.ndarray:
    """Powers of numbers in [-1, 1]; t may be too great for a float."""
    return np.abs(values) ** float(min(t, 2**60)) * (np.sign(values) if t % 2 else 1.0)
