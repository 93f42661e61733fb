"""Search where distances come from the user: a matrix, or a sparse graph of those who are neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import CSR, Table, is_sparse
from clinfa.neighbors._search import Blocks, Found, Search

__all__ = ["Given", "check_distances", "check_format"]


@dataclass(frozen=True)
class Given(Search):
    """Distances to all records; in a sparse graph only stored values, zeros too, are those of neighbours."""

    table: Table

    def _nearest(self, Q: Table | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        Q = self.table if Q is None else Q
        if not Q.sparse:
            return Blocks(self.table, "precomputed", {})._nearest(Q, k)
        begin, rows, distances = _by_distance(Q.X)
        few = int(np.diff(begin).min())
        if few < k:
            raise ValueError(
                f"{k} neighbors per samples are required, but some samples have only {few} neighbors in "
                f"precomputed graph matrix. Decrease number of neighbors used or recompute the graph with "
                f"more neighbors."
            )
        first = begin[:-1, None] + np.arange(k)
        return distances[first], rows[first]

    def _within(self, Q: Table | None, radius: float | np.ndarray) -> Found:
        Q = self.table if Q is None else Q
        if not Q.sparse:
            return Blocks(self.table, "precomputed", {})._within(Q, radius)
        begin, rows, distances = _by_distance(Q.X)
        near = distances <= np.repeat(np.broadcast_to(radius, Q.n), np.diff(begin))
        return np.append(0, np.cumsum(near))[begin], rows[near], distances[near]


def _by_distance(graph: CSR) -> Found:
    """Where each row begins, its columns and its values: the least first, equal ones by column."""
    begin = graph.indptr.astype(np.int64)
    rows, distances = graph.indices[: begin[-1]].astype(np.int64), graph.data[: begin[-1]].astype(float)
    order = np.lexsort((rows, distances, np.repeat(np.arange(len(begin) - 1), np.diff(begin))))
    return begin, rows[order], distances[order]


def check_format(X: Any) -> None:
    """Raise if X is of a sparse format that does not tell stored zeros from others."""
    if is_sparse(X) and X.format not in ("csr", "csc", "coo", "lil"):
        raise TypeError(
            f"Sparse matrix in {X.format!r} format is not supported due to its handling of explicit zeros"
        )


def check_distances(table: Table) -> None:
    """Raise if a distance is negative."""
    if (table.X.data if table.sparse else table.column_range[0]).min() < 0:
        raise ValueError("Negative values in data passed to precomputed distance matrix.")
