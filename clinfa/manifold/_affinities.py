"""Ways to measure affinity: a symmetric `matrix` of the fitted records, and `rows`, those of new records to
them.

Records are those of a `Table`. No entry for a record and itself is looked at, so rows may hold anything
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, issparse

from clinfa.affinity import Neighbourhood, symmetrised
from clinfa.arrays import CSR, Table, read_table
from clinfa.metrics.pairwise import rbf_kernel
from clinfa.neighbors import NearestNeighbors

__all__ = ["Affinity", "ByDistances", "ByKernel", "ByNeighbours", "Given", "by_neighbours", "like"]


class Affinity:
    """What each way has."""

    matrix: Any

    def order(self) -> np.ndarray | None:
        """An order of the records in which those near each other come together, where it is known."""
        return None

    def fitted(self) -> Table | None:
        """The fitted records, where they are at hand: a copy, without minus zeros."""
        return None

    def rows(self, table: Table) -> Any:
        """The affinities of m new records to the n fitted ones: shape (m, n)."""
        raise ValueError(
            "There is no telling how near new records are to those fitted: affinity is a function of all "
            "records. Use 'precomputed', and pass what it gives."
        )


@dataclass(frozen=True)
class Given(Affinity):
    """By the user: a matrix, or a function of all records; its rows only where `square`."""

    matrix: Any
    square: bool

    def rows(self, table: Table) -> Any:
        return table.as_matrix() if self.square else super().rows(table)


@dataclass(frozen=True)
class ByKernel(Affinity):
    """The Gaussian of distances."""

    records: Table
    gamma: float
    matrix: np.ndarray

    @classmethod
    def of(cls, table: Table, gamma: float) -> ByKernel:
        return cls(_own(table), gamma, rbf_kernel(table.as_matrix(), gamma=gamma))

    def fitted(self) -> Table:
        return self.records

    def rows(self, table: Table) -> np.ndarray:
        return rbf_kernel(like(self.records, table).as_matrix(), self.records.as_matrix(), gamma=self.gamma)


@dataclass(frozen=True)
class ByNeighbours(Affinity):
    """Links to nearest neighbours, of dense records."""

    near: Neighbourhood

    @property
    def matrix(self) -> csr_matrix:
        return self.near.graph

    def order(self) -> np.ndarray | None:
        return self.near.order

    def fitted(self) -> Table:
        return Table(self.near.index.X)

    def rows(self, table: Table) -> csr_matrix:
        return self.near.rows(like(self.fitted(), table).X)


@dataclass(frozen=True)
class BySparse(Affinity):
    """Links to nearest neighbours, of sparse records."""

    records: Table
    k: int
    reach: np.ndarray
    matrix: csr_matrix

    def fitted(self) -> Table:
        return self.records

    def rows(self, table: Table) -> csr_matrix:
        Q, X = like(self.records, table).as_matrix(), self.records.as_matrix()
        theirs = NearestNeighbors().fit(Q).radius_neighbors_graph(X, radius=self.reach).T.tocsr()
        if self.k == 1:
            return 0.5 * theirs
        return 0.5 * (NearestNeighbors(n_neighbors=self.k - 1).fit(X).kneighbors_graph(Q) + theirs)


@dataclass(frozen=True)
class ByDistances(Affinity):
    """Links to nearest neighbours by distances that the user gives, all or those of some neighbours."""

    k: int
    reach: np.ndarray
    matrix: csr_matrix

    @classmethod
    def of(cls, table: Table, k: int) -> ByDistances:
        D = table.as_matrix()
        model = NearestNeighbors(n_neighbors=k, metric="precomputed").fit(D)
        return cls(k, model.kneighbors(D)[0][:, -1], symmetrised(model.kneighbors_graph(D)))

    def rows(self, table: Table) -> csr_matrix:
        D = table.as_matrix()
        if not issparse(D):
            D = csr_matrix(
                (D.ravel(), np.tile(np.arange(table.d), table.n), np.arange(table.n + 1) * table.d), D.shape
            )
        theirs = csr_matrix(((D.data <= self.reach[D.indices]).astype(float), D.indices, D.indptr), D.shape)
        if self.k == 1:
            return 0.5 * theirs
        near = NearestNeighbors(n_neighbors=self.k - 1, metric="precomputed")
        near.fit(csr_matrix((table.d, table.d)))
        return 0.5 * (near.kneighbors_graph(D) + theirs)


def by_neighbours(table: Table, k: int) -> ByNeighbours | BySparse:
    """Links of each record to its k nearest, among which it is itself.

    Raises
    ------
    ValueError
        If there are not so many records.
    """
    if not table.sparse:
        return ByNeighbours(Neighbourhood.of(_own(table).X, k))
    X = table.as_matrix()
    model = NearestNeighbors(n_neighbors=k).fit(X)
    links = symmetrised(model.kneighbors_graph(X)).astype(table.dtype)
    return BySparse(_own(table), k, model.kneighbors(X)[0][:, -1], links)


def like(records: Table, table: Table) -> Table:
    """A table, dense or sparse as the records are, in a type that holds both."""
    dtype = np.result_type(records.dtype, table.dtype)
    if table.sparse and not records.sparse:
        table = Table(table.rows(np.arange(table.n)))
    elif records.sparse and not table.sparse:
        table = read_table(csr_matrix(table.X), "transform", sparse=True)
    return table if table.dtype == dtype else table.astype(dtype)


def _own(table: Table) -> Table:
    """A copy, without minus zeros."""
    X = table.X
    return Table(CSR(X.data + 0, X.indices, X.indptr, X.shape) if isinstance(X, CSR) else X + 0)
