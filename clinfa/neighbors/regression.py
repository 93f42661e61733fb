"""Numbers by the mean of neighbours."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from clinfa.arrays import Table
from clinfa.kinds import Regressor
from clinfa.neighbors._base import Neighbours, NeighboursFit
from clinfa.neighbors._queries import KNeighbours, RadiusNeighbours
from clinfa.neighbors._votes import Weights, averages, weigh, weights_rule
from clinfa.params import param

__all__ = ["KNeighborsRegressor", "RadiusNeighborsRegressor"]


@dataclass(frozen=True, slots=True)
class AveragesFit(NeighboursFit):
    """What fitting found."""

    _targets: np.ndarray


class _Averaging(Neighbours, Regressor):
    """What predicting numbers by neighbours has in common, whoever the neighbours are.

    Where records are expected, None stands for the fitted ones, each of which is left out of its own
    neighbours.
    """

    weights: Weights = param("uniform", weights_rule())

    def fit(self, X: Any, y: Any = None) -> Self:
        """Take the records among which neighbours are looked for, and their numbers.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; a matrix of distances of shape (n_samples, n_samples) where the metric is
            "precomputed". A Dataset's targets are used unless others are given; its weights are not.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The numbers.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        self._check_params()
        table, _ = self._read_fit(X, None)
        return self._publish(self._fit(table, self._read_targets(X, y, table)), table)

    def _fit(self, table: Table, targets: np.ndarray) -> AveragesFit:
        found = self._look(table)
        return AveragesFit(
            *found.parts(),
            targets.copy(),
        )

    def _values(self, Q: Table | None) -> np.ndarray:
        begin, rows, distances = self._voters(Q)
        return averages(begin, rows, weigh(self.weights, begin, distances, self._width()), self._targets)

    def _width(self) -> int | None:
        """How many neighbours each query has, where that is always the same."""
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class KNeighborsRegressor(KNeighbours, _Averaging):
    """The mean of what belongs to the nearest records.

    Nothing is approximate, and records at equal distances are told apart by their number [1]_. Where records
    are expected, None stands for the fitted ones, each of which is left out of its own neighbours.

    Parameters
    ----------
    n_neighbors : int, default 5
        Of how many records the mean is taken.
    weights : {"uniform", "distance"}, callable or None, default "uniform"
        "uniform" (or None) for the plain mean, "distance" for weights of one by the distance (where some
        neighbours are at no distance, only those count); or a function that is given the distances, of shape
        (n_queries, n_neighbors), and returns weights.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default "auto"
        Which metrics are allowed, as for `NearestNeighbors`.
    leaf_size : int, default 30
        Accepted for scikit-learn's sake.
    p : float, default 2
        The exponent of "minkowski".
    metric : str or callable, default "minkowski"
        The name of a distance, "precomputed" for distances instead of records, or a function of two records.
    metric_params : dict, optional
        Further arguments of the metric.
    n_jobs : int, optional
        Accepted for scikit-learn's sake; `clinfa.config_context` says how many threads there are.

    Attributes
    ----------
    effective_metric_ : str or callable
    effective_metric_params_ : dict
    n_samples_fit_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] N. S. Altman, An introduction to kernel and nearest-neighbor nonparametric regression, The American
       Statistician 46, 1992.

    Examples
    --------
    >>> from clinfa.neighbors import KNeighborsRegressor
    >>> model = KNeighborsRegressor(n_neighbors=2).fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0])
    >>> model.predict([[1.5], [0.1]])
    array([0.5, 0. ])
    """

    def _width(self) -> int | None:
        return self.n_neighbors


class RadiusNeighborsRegressor(RadiusNeighbours, _Averaging):
    """The mean of what belongs to the records within a radius.

    For a record without neighbours that is NaN, with a warning [1]_. Where records are expected, None stands
    for the fitted ones, each of which is left out of its own neighbours.

    Parameters
    ----------
    radius : float, default 1.0
        How far the records are at most of which the mean is taken.
    weights : {"uniform", "distance"}, callable or None, default "uniform"
        "uniform" (or None) for the plain mean, "distance" for weights of one by the distance (where some
        neighbours are at no distance, only those count); or a function that is given an array of arrays of
        distances and returns weights in the same form.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default "auto"
        Which metrics are allowed, as for `NearestNeighbors`.
    leaf_size : int, default 30
        Accepted for scikit-learn's sake.
    p : float, default 2
        The exponent of "minkowski".
    metric : str or callable, default "minkowski"
        The name of a distance, "precomputed" for distances instead of records, or a function of two records.
    metric_params : dict, optional
        Further arguments of the metric.
    n_jobs : int, optional
        Accepted for scikit-learn's sake; `clinfa.config_context` says how many threads there are.

    Attributes
    ----------
    effective_metric_ : str or callable
    effective_metric_params_ : dict
    n_samples_fit_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] E. A. Nadaraya, On estimating regression, Theory of Probability and Its Applications 9, 1964.

    Examples
    --------
    >>> from clinfa.neighbors import RadiusNeighborsRegressor
    >>> model = RadiusNeighborsRegressor(radius=1.0).fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0])
    >>> model.predict([[1.5], [0.1]])
    array([0.5, 0. ])
    """

    def _values(self, Q: Table | None) -> np.ndarray:
        values = super()._values(Q)
        if np.isnan(values).any():
            warnings.warn(
                "One or more samples have no neighbors within specified radius; predicting NaN.", stacklevel=3
            )
        return values
