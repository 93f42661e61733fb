"""What finds neighbours: so many of them, or all within a radius."""

from __future__ import annotations

import numbers
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_matrix

from clinfa.arrays import Table
from clinfa.neighbors._base import Neighbours
from clinfa.params import Rule, at_least, between, none, param, shown

__all__ = ["KNeighbours", "RadiusNeighbours", "radius_rule"]


def radius_rule() -> Rule:
    return between(0) | Rule("infinity", lambda v: isinstance(v, float) and v == np.inf) | none()


class KNeighbours(Neighbours):
    """Looks for a number of nearest records."""

    n_neighbors: Any = param(5, at_least(1) | none(), positional=True)

    def kneighbors(
        self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """The nearest of the fitted records, the nearest first.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_queries, n_features), optional
            By default the fitted records, each of which is left out of its own neighbours. Of shape
            (n_queries, n_samples) where the metric is "precomputed".
        n_neighbors : int, optional
            That of the estimator by default.
        return_distance : bool, default True

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors)
            Only with `return_distance`.
        rows : ndarray of shape (n_queries, n_neighbors), int64

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If there are not so many records, or X is not like them.
        """
        distances, rows = self._nearest(self._read_new(X), n_neighbors)
        return (distances, rows) if return_distance else rows

    def kneighbors_graph(
        self,
        X: Any = None,
        n_neighbors: int | None = None,
        mode: Literal["connectivity", "distance"] = "connectivity",
    ) -> csr_matrix:
        """The nearest records as a sparse matrix.

        Parameters
        ----------
        X, n_neighbors
            As for `kneighbors`.
        mode : {"connectivity", "distance"}, default "connectivity"
            Whether entries are ones or distances.

        Returns
        -------
        graph : csr_matrix of shape (n_queries, n_samples)

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `kneighbors`.
        """
        _check_mode(mode)
        distances, rows = self._nearest(self._read_new(X), n_neighbors)
        begin = np.arange(len(rows) + 1) * rows.shape[1]
        return graph_of(begin, rows.ravel(), distances.ravel(), mode, self.n_samples_fit_)

    def _nearest(self, Q: Table | None, k: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Distances and rows of the k nearest."""
        k = self.n_neighbors if k is None else k
        if k is None:
            raise ValueError("n_neighbors is None: give it to kneighbors, or to the estimator.")
        if not isinstance(k, numbers.Integral):
            raise TypeError(f"n_neighbors does not take {type(k)} value, enter integer value")
        if k <= 0:
            raise ValueError(f"Expected n_neighbors > 0. Got {k}")
        own = Q is None
        if k > self.n_samples_fit_ - own:
            raise ValueError(
                f"Expected n_neighbors {'<' if own else '<='} n_samples_fit, but n_neighbors = {k}, "
                f"n_samples_fit = {self.n_samples_fit_}, n_samples = {self.n_samples_fit_ if own else Q.n}"
            )
        return self._search.nearest(Q, int(k))

    def _voters(self, Q: Table | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the neighbours of each query begin, their rows and their distances."""
        distances, rows = self._nearest(Q)
        return np.arange(len(rows) + 1) * rows.shape[1], rows.ravel(), distances.ravel()


class RadiusNeighbours(Neighbours):
    """Looks for all records within a radius."""

    radius: Any = param(1.0, radius_rule(), positional=True)

    def radius_neighbors(
        self,
        X: Any = None,
        radius: Any = None,
        return_distance: bool = True,
        sort_results: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """The fitted records within a radius.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_queries, n_features), optional
            As for `kneighbors`.
        radius : float or array-like of shape (n_queries,), optional
            That of the estimator by default.
        return_distance : bool, default True
        sort_results : bool, default False
            Whether the nearest come first; by default records come in their order.

        Returns
        -------
        distances : ndarray of shape (n_queries,) of arrays
            Only with `return_distance`.
        rows : ndarray of shape (n_queries,) of arrays

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If the radius is not allowed, or X is not like the fitted records.
        """
        if sort_results and not return_distance:
            raise ValueError("return_distance must be True if sort_results is True.")
        begin, rows, distances = self._within(self._read_new(X), radius, sort_results)
        rows = split(rows, begin)
        return (split(distances, begin), rows) if return_distance else rows

    def radius_neighbors_graph(
        self,
        X: Any = None,
        radius: Any = None,
        mode: Literal["connectivity", "distance"] = "connectivity",
        sort_results: bool = False,
    ) -> csr_matrix:
        """The records within a radius as a sparse matrix.

        Parameters
        ----------
        X, radius, sort_results
            As for `radius_neighbors`.
        mode : {"connectivity", "distance"}, default "connectivity"
            Whether entries are ones or distances.

        Returns
        -------
        graph : csr_matrix of shape (n_queries, n_samples)

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `radius_neighbors`.
        """
        _check_mode(mode)
        begin, rows, distances = self._within(self._read_new(X), radius, sort_results)
        return graph_of(begin, rows, distances, mode, self.n_samples_fit_)

    def _within(
        self, Q: Table | None, radius: Any, by_distance: bool | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Neighbours of each query by row or by distance; None: in any order, the same every time."""
        radius = self.radius if radius is None else radius
        most = np.asarray(radius, float) if isinstance(radius, np.ndarray | list | numbers.Real) else np.nan
        n = self.n_samples_fit_ if Q is None else Q.n
        if np.shape(most) not in ((), (n,)) or not np.all(most >= 0):
            raise ValueError(f"radius must be a number >= 0, or one for each query, got {shown(radius)}.")
        begin, rows, distances = self._search.within(Q, most, ordered=by_distance is False)
        if by_distance:
            order = np.lexsort((rows, distances, np.repeat(np.arange(len(begin) - 1), np.diff(begin))))
            rows, distances = rows[order], distances[order]
        return begin, rows, distances

    def _voters(self, Q: Table | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._within(Q, None, None)


def graph_of(begin: np.ndarray, rows: np.ndarray, distances: np.ndarray, mode: str, width: int) -> csr_matrix:
    """Neighbours as a sparse matrix of distances, or of ones."""
    data = distances if mode == "distance" else np.ones(len(rows))
    return csr_matrix((data, rows, begin), shape=(len(begin) - 1, width))


def _check_mode(mode: Any) -> None:
    if mode not in ("connectivity", "distance"):
        raise ValueError(
            f'Unsupported mode, must be one of "connectivity", or "distance" but got "{mode}" instead'
        )


def split(values: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """An array of arrays."""
    out = np.empty(len(begin) - 1, object)
    out[:] = np.split(values, begin[1:-1])
    return out
