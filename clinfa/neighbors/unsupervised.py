"""Nearest neighbours without targets: who is near, and the graph of it."""

from __future__ import annotations

import numbers
from typing import Any, Literal, Self

import numpy as np
from scipy.sparse import csr_matrix

from clinfa.arrays import Table
from clinfa.neighbors._base import Neighbours, NeighboursFit, radius_rule
from clinfa.params import param, shown

__all__ = ["NearestNeighbors"]


class NearestNeighbors(Neighbours):
    """The records nearest to others, or within a radius of them.

    Nothing is approximate, and equal distances are told apart by the number of the record.
    Where a tree is searched, distances are computed in double precision, column after column [1]_.

    Parameters
    ----------
    n_neighbors : int, default 5
        How many `kneighbors` finds.
    radius : float, default 1.0
        How far `radius_neighbors` looks; records at exactly this distance count.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default "auto"
        Which metrics are allowed, as in scikit-learn. How records are searched depends on the metric:
        euclidean, sqeuclidean, manhattan, chebyshev and minkowski distances by a k-d tree with vectorised
        leaves, all others by blocks of distances. The result is the same.
    leaf_size : int, default 30
        Accepted for scikit-learn's sake; leaves have the size of the vectors of the processor.
    metric : str or callable, default "minkowski"
        The name of a distance, "precomputed" for a square matrix of distances, or a function of two records.
    p : float, default 2
        The exponent of "minkowski".
    metric_params : dict, optional
        Further arguments of the metric.
    n_jobs : int, optional
        Accepted for scikit-learn's sake; `clinfa.config_context` says how many threads there are.

    Attributes
    ----------
    effective_metric_ : str or callable
        "manhattan", "euclidean" or "chebyshev" where "minkowski" comes to that.
    effective_metric_params_ : dict
    n_samples_fit_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    The tree keeps a copy of the records. In other metrics the model refers to the records themselves.

    References
    ----------
    .. [1] J. H. Friedman, J. L. Bentley and R. A. Finkel, An algorithm for finding best matches in
       logarithmic expected time, ACM Transactions on Mathematical Software 3, 1977.

    Examples
    --------
    >>> from clinfa.neighbors import NearestNeighbors
    >>> model = NearestNeighbors(n_neighbors=2).fit([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    >>> distances, rows = model.kneighbors([[0.5, 0.0]])
    >>> rows
    array([[0, 1]])
    >>> model.kneighbors_graph().toarray()
    array([[0., 1., 1.],
           [1., 0., 1.],
           [1., 1., 0.]])
    """

    radius: Any = param(1.0, radius_rule())

    def fit(self, X: Any, y: Any = None) -> Self:
        """Take the records among which neighbours are looked for.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; a matrix of distances of shape (n_samples, n_samples) where the metric is
            "precomputed".
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

    def _fit(self, table: Table, weights: np.ndarray) -> NeighboursFit:
        return self._look(table)

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
        distances, rows = self._nearest(self._queries(X), n_neighbors)
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
        distances, rows = self._nearest(self._queries(X), n_neighbors)
        begin = np.arange(len(rows) + 1) * rows.shape[1]
        return self._graph(mode, distances.ravel(), rows.ravel(), begin)

    def radius_neighbors(
        self,
        X: Any = None,
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """The fitted records within a radius.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_queries, n_features), optional
            As for `kneighbors`.
        radius : float, optional
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
        begin, rows, distances = self._within(self._queries(X), radius, sort_results)
        rows = _split(rows, begin)
        return (_split(distances, begin), rows) if return_distance else rows

    def radius_neighbors_graph(
        self,
        X: Any = None,
        radius: float | None = None,
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
        begin, rows, distances = self._within(self._queries(X), radius, sort_results)
        return self._graph(mode, distances, rows, begin)

    def _within(
        self, Q: Table | None, radius: Any, by_distance: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        radius = self.radius if radius is None else radius
        if not isinstance(radius, numbers.Real) or not radius >= 0:
            raise ValueError(f"radius must be a number >= 0, got {shown(radius)}.")
        begin, rows, distances = self._search.within(Q, float(radius))
        if by_distance:
            order = np.lexsort((rows, distances, np.repeat(np.arange(len(begin) - 1), np.diff(begin))))
            rows, distances = rows[order], distances[order]
        return begin, rows, distances

    def _graph(self, mode: str, distances: np.ndarray, rows: np.ndarray, begin: np.ndarray) -> csr_matrix:
        data = distances if mode == "distance" else np.ones(len(rows))
        return csr_matrix((data, rows, begin), shape=(len(begin) - 1, self.n_samples_fit_))


def _check_mode(mode: Any) -> None:
    if mode not in ("connectivity", "distance"):
        raise ValueError(
            f'Unsupported mode, must be one of "connectivity", or "distance" but got "{mode}" instead'
        )


def _split(values: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """An array of arrays."""
    out = np.empty(len(begin) - 1, object)
    out[:] = np.split(values, begin[1:-1])
    return out
