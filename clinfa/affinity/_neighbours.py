"""Graphs of nearest neighbours, and the rows that new records would have in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from clinfa.params import shown
from clinfa.spatial import Index

__all__ = ["Neighbourhood", "symmetrised"]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Records, each linked to its k nearest, among which it is itself.

    Attributes
    ----------
    index : Index
    k : int
    graph : csr_matrix of shape (n, n)
        1 where two records are neighbours of each other, 1/2 where only one is the other's.
    reach : ndarray of shape (n,)
        How far the last neighbour of each record is.
    """

    index: Index
    k: int
    graph: csr_matrix
    reach: np.ndarray

    @property
    def order(self) -> np.ndarray | None:
        """An order of the records in which those near each other come together."""
        return None if self.index.tree is None else self.index.tree.rows

    @classmethod
    def of(cls, X: np.ndarray, k: int) -> Neighbourhood:
        """The graph of dense records.

        Raises
        ------
        ValueError
            If there are less than k.
        """
        n = len(X)
        if k > n:
            raise ValueError(
                f"Expected n_neighbors <= n_samples_fit, but n_neighbors = {shown(k)}, n_samples_fit = {n}, "
                f"n_samples = {n}"
            )
        index = Index(X)
        far, near = index.nearest(None, k)
        links = linked(near, n, X.dtype)
        # (A little farther: its square must not be less than the squared distance that it is the root of.)
        return cls(index, k, symmetrised(links), far[:, -1] * (1 + 4 * np.finfo(X.dtype).eps))

    def rows(self, Q: np.ndarray) -> csr_matrix:
        """The rows that new records would have.

        They are linked to their k - 1 nearest, and by each record that is no farther from them than from its
        own last neighbour.
        """
        m, n = len(Q), len(self.reach)
        near = self.index.nearest(Q, min(self.k - 1, n))[1] if self.k > 1 else np.empty((m, 0), np.int64)
        begin, queries, _ = Index(Q).within(self.index.X, self.reach)
        theirs = csr_matrix((np.ones(len(queries)), queries, begin), (n, m))
        return 0.5 * (linked(near, n) + theirs.T.tocsr())


def linked(near: np.ndarray, n: int, dtype: type = np.float64) -> csr_matrix:
    """Ones at the columns that each row names, of n."""
    m, k = near.shape
    whole = np.int32 if m * k <= np.iinfo(np.int32).max else np.int64
    begin = np.arange(m + 1, dtype=whole) * k
    return csr_matrix((np.ones(m * k, dtype), near.ravel().astype(whole), begin), (m, n))


def symmetrised(graph: csr_matrix) -> csr_matrix:
    """Half the sum of a matrix and its transpose, rows in order."""
    turned = graph.T.tocsr()  # (a counting sort: its rows are in order)
    return 0.5 * (turned.T.tocsr() + turned)
