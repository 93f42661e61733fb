"""Nearest neighbours without targets: who is near, and the graph of it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from clinfa.arrays import Table
from clinfa.neighbors._base import NeighboursFit
from clinfa.neighbors._queries import KNeighbours, RadiusNeighbours, radius_rule
from clinfa.params import param

__all__ = ["NearestNeighbors"]


class NearestNeighbors(KNeighbours, RadiusNeighbours):
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
