"""Nearest points, points within a radius: by a tree where the metric allows, else by blocks of distances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from clinfa.arrays import Table
from clinfa.blas import inverse_covariance, matmul
from clinfa.spatial import METRICS, Index

__all__ = ["BOOLEAN", "Blocks", "Indexed", "Search", "search"]

_ENTRIES = 1 << 20  # distances, or values made dense, at a time
_MOST_DENSE = 1 << 26  # values of a sparse matrix that the tree may hold
BOOLEAN = ("dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule")

Found = tuple[np.ndarray, np.ndarray, np.ndarray]


class Search:
    """What both ways can do. Without queries each record is one, and is left out of its own neighbours."""

    def nearest(self, Q: Table | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Distances and rows of the k nearest records of each query, ties by row."""
        if Q is not None:
            return self._nearest(Q, k)
        distances, rows = self._nearest(Q, k + 1)
        others = rows != np.arange(len(rows))[:, None]
        others[others.all(axis=1), k] = False  # so many equal records come before
        return distances[others].reshape(-1, k), rows[others].reshape(-1, k)

    def within(self, Q: Table | None, radius: float | np.ndarray, *, ordered: bool = True) -> Found:
        """Where the records of each query begin, their rows (ascending, if `ordered`) and their distances."""
        begin, rows, distances = self._within(Q, radius)
        if Q is None:
            others = rows != np.repeat(np.arange(len(begin) - 1), np.diff(begin))
            rows, distances = rows[others], distances[others]
            begin = np.append(0, np.cumsum(others))[begin]
        if ordered and len(rows):
            graph = csr_matrix((distances, rows, begin), shape=(len(begin) - 1, int(rows.max()) + 1))
            graph.sort_indices()
            rows, distances = graph.indices.astype(np.int64), graph.data
        return begin, rows, distances


@dataclass(frozen=True)
class Indexed(Search):
    index: Index

    def _nearest(self, Q: Table | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        return self.index.nearest(None if Q is None else _dense(Q), k)

    def _within(self, Q: Table | None, radius: float | np.ndarray) -> Found:
        return self.index.within(None if Q is None else _dense(Q), radius)


@dataclass(frozen=True)
class Angles(Indexed):
    """Cosine distances, which are half the squared distances of records of length one."""

    width: int

    def _nearest(self, Q: Table | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        units, zero = self._units(Q)
        distances, rows = self.index.nearest(units, k)
        distances[zero], rows[zero] = 2, np.arange(k)
        return distances / 2, rows

    def _within(self, Q: Table | None, radius: float | np.ndarray) -> Found:
        units, zero = self._units(Q)
        radius = np.broadcast_to(2.0 * np.asarray(radius), len(zero))
        begin, rows, distances = self.index.within(units, np.where(zero, 5.0, radius))
        far = np.repeat(zero, np.diff(begin))
        distances[far] = 2
        keep = distances <= np.repeat(radius, np.diff(begin))
        return np.append(0, np.cumsum(keep))[begin], rows[keep], distances[keep] / 2

    def _units(self, Q: Table | None) -> tuple[np.ndarray | None, np.ndarray]:
        """Queries of length one, and which are zeros: those have no angle to anything."""
        if Q is None:
            return None, ~self.index.X[:, : self.width].any(axis=1)
        units = np.zeros((Q.n, self.index.X.shape[1]))
        units[:, : Q.d] = _unit(_dense(Q))
        return units, ~units.any(axis=1)


@dataclass(frozen=True)
class Blocks(Search):
    table: Table
    metric: Any
    params: dict[str, Any]

    def distances(self, Q: Table) -> Iterator[tuple[int, np.ndarray]]:
        """Blocks of distances to all records, each with the number of its first query."""
        if self.metric == "precomputed":
            yield 0, Q.X
            return
        if callable(self.metric) and self.table.sparse and Q.sparse:
            yield from _of_sparse(self.metric, self.params, Q, self.table)
            return
        far = _metric(self.metric, self.params)
        n, d = self.table.n, max(self.table.d, 1)
        high, wide = max(1, _ENTRIES // max(n, d)), max(1, _ENTRIES // d) if self.table.sparse else n
        for i in range(0, Q.n, high):
            q = _block(Q, i, i + high)
            parts = [far(q, _block(self.table, j, j + wide)) for j in range(0, n, wide)]
            yield i, parts[0] if len(parts) == 1 else np.hstack(parts)

    def _nearest(self, Q: Table | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        Q = self.table if Q is None else Q
        distances, rows = np.empty((Q.n, k)), np.empty((Q.n, k), np.int64)
        for i, far in self.distances(Q):
            key = np.where(np.isnan(far), np.inf, far)  # what has no distance is farthest
            last = np.partition(key, k - 1, axis=1)[:, k - 1 : k]
            query, row = np.nonzero(key <= last)
            order = np.lexsort((row, key[query, row], query))
            first = np.searchsorted(query, np.arange(len(far)))
            row = row[order[first[:, None] + np.arange(k)]]
            rows[i : i + len(far)] = row
            distances[i : i + len(far)] = np.take_along_axis(far, row, 1)
        return distances, rows

    def _within(self, Q: Table | None, radius: float | np.ndarray) -> Found:
        Q = self.table if Q is None else Q
        counts, rows, distances = [np.zeros(1, np.int64)], [], []
        most = np.broadcast_to(radius, Q.n)
        for i, far in self.distances(Q):
            near = far <= most[i : i + len(far), None]
            counts.append(near.sum(axis=1))
            rows.append(np.nonzero(near)[1])
            distances.append(far[near])
        return np.cumsum(np.concatenate(counts)), np.concatenate(rows), np.concatenate(distances)


def search(table: Table, metric: Any, params: dict[str, Any], *, brute: bool = False) -> Search:
    """The way to search some records.

    Parameters
    ----------
    table : Table
    metric : str or callable
    params : dict
        Arguments of the metric: of "minkowski" p and perhaps w.
    brute : bool
        Whether no tree may be built where there is a way without one.
    """
    table = Table(table.X)
    by_tree = isinstance(metric, str) and metric in METRICS and params.get("w") is None
    dense = not table.sparse or table.n * table.d <= _MOST_DENSE
    if by_tree and params.get("p", 2) >= 1 and dense:
        brute = brute and METRICS[metric] == 0
        return Indexed(Index(_dense(table), metric, float(params.get("p", 2)), brute=brute))
    if isinstance(metric, str) and metric == "cosine" and dense:
        units = _unit(_dense(table))
        zeros = ~units.any(axis=1)
        if zeros.any():  # they are as far from every other record as what is at right angles
            units = np.column_stack([units, zeros])
        return Angles(Index(units, "sqeuclidean"), table.d)
    if metric == "seuclidean" and "V" not in params:
        params = {"V": np.var(_dense(table), axis=0, ddof=1), **params}
    if metric == "mahalanobis" and ("V" in params or "VI" not in params):
        params = {"VI": inverse_covariance(_dense(table), params.get("V"))}
    return Blocks(table, metric, params)


def _dense(table: Table) -> np.ndarray:
    return table.rows(np.arange(table.n)) if table.sparse else table.X


def _block(table: Table, begin: int, end: int) -> np.ndarray:
    end = min(end, table.n)
    return table.rows(np.arange(begin, end)) if table.sparse else table.X[begin:end]


def _metric(metric: Any, params: dict[str, Any]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of two blocks of records."""
    if metric == "cosine":
        return _cosine
    if metric == "haversine":
        return _haversine
    if metric == "nan_euclidean":
        return _nan_euclidean
    if hasattr(metric, "pairwise"):
        return lambda Q, X: metric.pairwise(np.asarray(Q, float), np.asarray(X, float))
    from scipy.spatial.distance import cdist  # (half a second to load, needed by few)

    name = {"manhattan": "cityblock", "l1": "cityblock", "l2": "euclidean"}.get(metric, metric)
    if metric in BOOLEAN:
        return lambda Q, X: cdist(Q != 0, X != 0, name, **params)
    return lambda Q, X: cdist(Q, X, name, **params)


def _of_sparse(
    metric: Callable, params: dict[str, Any], Q: Table, X: Table
) -> Iterator[tuple[int, np.ndarray]]:
    """Query by query, by a function of two sparse rows."""
    queries, records = (
        [csr_matrix((t.X.data[a:b], t.X.indices[a:b], [0, b - a]), (1, t.d)) for a, b in pairwise(t.X.indptr)]
        for t in (Q, X)
    )
    for i, query in enumerate(queries):
        yield i, np.array([[metric(query, record, **params) for record in records]], float)


def _cosine(Q: np.ndarray, X: np.ndarray) -> np.ndarray:
    """One minus the cosine; 1 from a record of zeros."""
    return np.clip(1 - matmul(_unit(Q), _unit(X).T), 0, 2)


def _unit(X: np.ndarray) -> np.ndarray:
    X = X.astype(float)
    top = abs(X).max(axis=1, keepdims=True)
    X = np.ldexp(X, -np.frexp(top)[1])  # so that no square overflows
    length = np.sqrt((X * X).sum(axis=1, keepdims=True))
    return X / np.where(length == 0, 1, length)


def _nan_euclidean(Q: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Over the columns that neither record lacks, scaled up to all; NaN where there is none."""
    total, present = np.zeros((2, len(Q), len(X)))
    for q, x in zip(Q.T.astype(float), X.T.astype(float), strict=True):
        square = (q[:, None] - x) ** 2
        there = ~np.isnan(square)
        total += np.where(there, square, 0)
        present += there
    return np.sqrt(total * Q.shape[1] / np.where(present, present, np.nan))


def _haversine(Q: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The angle between two places, given as latitude and longitude in radians."""
    Q, X = Q.astype(float)[:, None], X.astype(float)
    half = np.sin((Q - X) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(half[..., 0] + np.cos(Q[..., 0]) * np.cos(X[:, 0]) * half[..., 1]))
