"""Spectral embedding, also known as Laplacian eigenmaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa.affinity import EIGEN_SOLVERS, embed, mean_with_mirror
from clinfa.arrays import Table, read_table
from clinfa.blas import matmul
from clinfa.kinds import Transformer
from clinfa.manifold._affinities import Affinity, ByDistances, ByKernel, Given, by_neighbours, like
from clinfa.params import (
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
    shown,
)

__all__ = ["SpectralEmbedding", "SpectralEmbeddingFit", "spectral_embedding"]

_AFFINITIES = ("nearest_neighbors", "rbf", "precomputed", "precomputed_nearest_neighbors")


@dataclass(frozen=True, slots=True)
class SpectralEmbeddingFit:
    """What fitting found."""

    embedding: np.ndarray  # (n, n_components)
    affinity_matrix: Any  # (n, n)
    eigenvalues: np.ndarray  # (n_components,)
    n_neighbors: int | None
    gamma: float | None
    _affinity: Affinity


class SpectralEmbedding(Transformer):
    """Coordinates that keep together what affinity holds together: Laplacian eigenmaps [1]_.

    Records are joined to a graph by their affinity. The coordinates are eigenvectors of its normalised
    Laplacian that belong to the least eigenvalues, divided by the square roots of the degrees; the constant
    one is left out. Where the graph falls into parts, the first coordinates tell the parts from each other.

    Parameters
    ----------
    n_components : int, default 2
        How many coordinates; less than there are records.
    affinity : str or callable, default "nearest_neighbors"
        By "nearest_neighbors": 1 where two records are among each other's nearest, 1/2 where only one is.
        "rbf" is ``exp(-gamma |x - y|^2)``. With "precomputed", X is the matrix of affinities. With
        "precomputed_nearest_neighbors", X are distances, all or, sparse, those of enough neighbours. A
        function takes X and returns the matrix.
    gamma : float, optional
        For "rbf"; 1 / n_features by default.
    random_state : None, int, RandomState or Generator, default None
        Seeds the start of the iteration.
    eigen_solver : {None, "arpack", "lobpcg", "amg"}, default None
        None and "amg": clinfa's solver, which knows the bounds of the spectrum; nothing has to be installed
        for "amg". "arpack": the same to the precision of the type. "lobpcg": `clinfa.linalg.lobpcg`.
    eigen_tol : float or "auto", default "auto"
        Greatest norm of a residual of the normalised matrix at which the iteration stops.
    n_neighbors : int, optional
        For the affinities by neighbours; a record is one of its own. A tenth of the records by default, at
        least 1.
    n_jobs : int, optional
        For compatibility: see `clinfa.config_context` for threads.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components)
        The entry of each column that is greatest in size is positive.
    affinity_matrix_ : ndarray or csr_matrix of shape (n_samples, n_samples)
    eigenvalues_ : ndarray of shape (n_components,)
        Of the normalised Laplacian, ascending.
    n_neighbors_ : int or None
        For the affinities by neighbours.
    gamma_ : float or None
        For "rbf".
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    `transform` extends the eigenvectors by Nystroem's formula [2]_: a new record gets the mean of the
    coordinates of those it has an affinity to, over 1 minus the eigenvalue. By neighbours, it is linked to
    those that it would be linked to if it had been there. A record that is one of those fitted gets the
    coordinates that it has.

    A record that is linked to nothing but itself has the coordinates 0.

    References
    ----------
    .. [1] M. Belkin, P. Niyogi, Laplacian eigenmaps for dimensionality reduction and data representation,
       Neural Computation 15 (2003).
    .. [2] Y. Bengio et al., Out-of-sample extensions for LLE, Isomap, MDS, eigenmaps, and spectral
       clustering, NIPS 2003.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.manifold import SpectralEmbedding
    >>> model = SpectralEmbedding(n_components=2, affinity="rbf").fit(load_iris())
    >>> model.embedding_.shape
    (150, 2)
    >>> model.transform([[5.0, 3.5, 1.5, 0.2]]).shape
    (1, 2)
    """

    _sparse = True

    n_components: int = param(2, at_least(1), positional=True)
    affinity: str | Callable = param("nearest_neighbors", one_of(*_AFFINITIES) | function())
    gamma: float | None = param(None, between(0) | none())
    random_state: Any = param(None, seed())
    eigen_solver: str | None = param(None, one_of(*EIGEN_SOLVERS) | none())
    eigen_tol: float | str = param("auto", between(0) | one_of("auto"))
    n_neighbors: int | None = param(None, at_least(1) | none())
    n_jobs: int | None = param(None, instance(int, np.integer) | none())

    embedding_: np.ndarray = fitted()
    affinity_matrix_: Any = fitted()
    eigenvalues_: np.ndarray = fitted()
    n_neighbors_: int | None = fitted()
    gamma_: float | None = fitted()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the coordinates of records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            Of shape (n_samples, n_samples) where the affinity is precomputed.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        return self._run_fit(X)

    def _fit(self, table: Table, weights: np.ndarray) -> SpectralEmbeddingFit:
        n, d, k = table.n, table.d, int(self.n_components)
        if k >= n:
            raise ValueError(f"n_components={shown(k)} must be < n_samples={n}.")
        kind, neighbours, gamma = self.affinity, None, None
        affinity: Affinity
        if kind in ("precomputed", "precomputed_nearest_neighbors") and n != d:
            raise ValueError(f"array must be 2-dimensional and square. shape = {(n, d)}")
        if callable(kind):
            matrix = read_table(kind(table.as_matrix()), type(self).__name__, sparse=True, role="affinity")
            affinity = Given(matrix.as_matrix(), square=False)
            if matrix.X.shape != (n, n):
                raise ValueError(f"affinity must return a matrix of shape {(n, n)}, got {matrix.X.shape}.")
        elif kind == "precomputed":
            affinity = Given(table.as_matrix(), square=True)
        elif kind == "rbf":
            gamma = 1.0 / d if self.gamma is None else float(self.gamma)
            affinity = ByKernel.of(table, gamma)
        else:
            neighbours = max(n // 10, 1) if self.n_neighbors is None else int(self.n_neighbors)
            affinity = (by_neighbours if kind == "nearest_neighbors" else ByDistances.of)(table, neighbours)
        W = affinity.matrix
        if isinstance(affinity, Given):
            W = mean_with_mirror(W)
        found = embed(W, k + 1, self.eigen_solver, self.eigen_tol, self.random_state, order=affinity.order())
        values, embedding = 1 - found.values[1:], found.vectors[:, 1:].astype(table.dtype)
        return SpectralEmbeddingFit(
            embedding, affinity.matrix, values.astype(table.dtype), neighbours, gamma, affinity
        )

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, and the coordinates of the same records: `embedding_`."""
        return self._wrap(self.fit(X).embedding_, X)

    def transform(self, X: Any) -> Any:
        """The coordinates of new records, by Nystroem's formula.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_new, n_features)
            Of shape (n_new, n_samples) where the affinity is precomputed: affinities, or distances, to the
            records that were fitted.

        Returns
        -------
        coordinates : ndarray of shape (n_new, n_components)
            0 for a record without affinity to any that was fitted. A dataframe on request (`set_output`), a
            Dataset where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`; where affinity is a function.
        """
        table = self._read_new(X)
        rows = self._affinity.rows(table)
        walk = 1 - self.eigenvalues_
        means = matmul(rows, self.embedding_.astype(float))
        with np.errstate(divide="ignore", invalid="ignore"):
            out = means / np.asarray(rows.sum(axis=1)).reshape(-1, 1) / walk
        out[:, np.abs(walk) <= np.finfo(float).eps * len(self.embedding_)] = 0
        out[~np.isfinite(out)] = 0
        if (records := self._affinity.fitted()) is not None:
            known, which = _found_again(table, records)
            out[known] = self.embedding_[which]
        return self._wrap(out.astype(np.result_type(table.dtype, self.embedding_), copy=False), X)

    def _n_columns_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.affinity in ("precomputed", "precomputed_nearest_neighbors")
        tags.input_tags.positive_only = self.affinity == "precomputed"
        return tags


def spectral_embedding(
    adjacency: Any,
    *,
    n_components: int = 8,
    eigen_solver: Literal["arpack", "lobpcg", "amg"] | None = None,
    random_state: Any = None,
    eigen_tol: float | Literal["auto"] = "auto",
    norm_laplacian: bool = True,
    drop_first: bool = True,
) -> np.ndarray:
    """Spectral embedding of a graph, as a function.

    Parameters
    ----------
    adjacency : array-like or sparse matrix of shape (n_samples, n_samples)
        Affinities. Where it is not symmetric, it and its transpose are averaged, with a warning.
    n_components : int, default 8
    eigen_solver, random_state, eigen_tol
        As for `SpectralEmbedding`.
    norm_laplacian : bool, default True
        Whether the Laplacian is normalised by the degrees.
    drop_first : bool, default True
        Whether the constant vector is left out.

    Returns
    -------
    embedding : ndarray of shape (n_samples, n_components)

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If an argument is not allowed.

    Examples
    --------
    >>> from clinfa.manifold import spectral_embedding
    >>> path = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> spectral_embedding(path, n_components=1).round(3) + 0
    array([[ 0.707],
           [ 0.   ],
           [-0.707]])
    """
    owner = "spectral_embedding"
    at_least(1).check("n_components", n_components, owner)
    (one_of(*EIGEN_SOLVERS) | none()).check("eigen_solver", eigen_solver, owner)
    seed().check("random_state", random_state, owner)
    (between(0) | one_of("auto")).check("eigen_tol", eigen_tol, owner)
    boolean().check("norm_laplacian", norm_laplacian, owner)
    boolean().check("drop_first", drop_first, owner)
    W = read_table(adjacency, owner, sparse=True, role="adjacency").as_matrix()
    n, k = W.shape[0], int(n_components) + bool(drop_first)
    if n != W.shape[1]:
        raise ValueError(f"array must be 2-dimensional and square. shape = {W.shape}")
    if k > n:
        raise ValueError(
            f"n_components={shown(n_components)} must be {'<' if drop_first else '<='} n_samples={n}."
        )
    W = mean_with_mirror(W)
    found = embed(W, k, eigen_solver, eigen_tol, random_state, normalised=norm_laplacian)
    return found.vectors[:, int(drop_first) :].astype(W.dtype, copy=False)


def _found_again(table: Table, records: Table) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of a table equal one of the records, and which."""
    table = like(records, table)
    if table.dtype != records.dtype:
        records = records.astype(table.dtype)
    keys = records.keys()
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys[order], mine := table.keys()), len(order) - 1)
    which = order[at]
    maybe = np.flatnonzero(keys[which] == mine)
    same = maybe[(table.rows(maybe) == records.rows(which[maybe])).all(axis=1)]
    return same, which[same]
