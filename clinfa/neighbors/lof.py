"""Outliers by local density."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MethodType
from typing import Any, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.neighbors._base import NeighboursFit
from clinfa.neighbors._queries import KNeighbours
from clinfa.params import at_least, between, boolean, fitted, one_of, param, shown

__all__ = ["LocalOutlierFactor"]

_LEAST = 1e-10  # is added to every mean distance, as in scikit-learn: equal records are not infinitely dense
_ENTRIES = 1 << 20  # distances worked on at a time


class _Only:
    """A method that is there for one value of `novelty` only."""

    def __init__(self, function: Callable, novelty: bool, instead: str):
        functools.update_wrapper(self, function)
        self._function, self._novelty, self._instead = function, novelty, instead

    def __get__(self, instance: Any, owner: type | None = None) -> Callable:
        if instance is None:
            return self._function
        if bool(instance.novelty) != self._novelty:
            name = self._function.__name__
            why = AttributeError(f"{name} is not available when novelty={instance.novelty}, {self._instead}")
            raise AttributeError(f"This {type(instance).__name__!r} has no attribute {name!r}") from why
        return MethodType(self._function, instance)


def _only(novelty: bool, instead: str) -> Callable[[Callable], Any]:
    return lambda function: _Only(function, novelty, instead)


_NEW = (
    "use fit_predict or negative_outlier_factor_ for the training data. Use novelty=True if you want to use "
    "LOF for novelty detection and predict on new unseen data."
)
_OLD = "use novelty=False if you want to predict on the training set."


@dataclass(frozen=True, slots=True)
class Densities:
    """How dense it is around each record, in units of a power of two near the greatest distance."""

    unit: int
    reach: np.ndarray  # (n,)  distance to the last neighbour
    density: np.ndarray  # (n,)

    @classmethod
    def of(cls, distances: np.ndarray, rows: np.ndarray) -> Densities:
        """Those of records, from the distances and rows of their neighbours."""
        top = min(float(distances.max()), np.finfo(float).max)
        unit = max(int(np.frexp(top)[1]), -500)
        bare = cls(unit, _scaled(distances[:, -1], unit), np.empty(0))
        return replace(bare, density=1 / bare.mean_reach(distances, rows))

    def mean_reach(self, distances: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The mean over the neighbours of the distance, or of the neighbour's own reach if that is more."""
        out = np.empty(len(rows))
        step = max(1, _ENTRIES // rows.shape[1])
        for i in range(0, len(rows), step):
            part = slice(i, i + step)
            out[part] = np.maximum(_scaled(distances[part], self.unit), self.reach[rows[part]]).mean(axis=1)
        return out + max(float(np.ldexp(_LEAST, -self.unit)), 1e-300)

    def factor(self, distances: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How many times denser it is around the neighbours than here."""
        out = self.mean_reach(distances, rows)
        step = max(1, _ENTRIES // rows.shape[1])
        for i in range(0, len(rows), step):
            out[i : i + step] *= self.density[rows[i : i + step]].mean(axis=1)
        return out


def _scaled(distances: np.ndarray, unit: int) -> np.ndarray:
    with np.errstate(over="ignore"):  # infinitely far off is an answer
        return np.ldexp(np.minimum(distances, np.finfo(float).max), -unit)


@dataclass(frozen=True, slots=True)
class LocalOutlierFactorFit(NeighboursFit):
    """What fitting found."""

    negative_outlier_factor: np.ndarray
    n_neighbors: int
    offset: float
    _densities: Densities


class LocalOutlierFactor(KNeighbours):
    """How much less dense it is around a record than around its neighbours.

    The local outlier factor [1]_ is near 1 for a record among its like, and greater the more a record stands
    apart from those next to it, however dense these are.

    Parameters
    ----------
    n_neighbors : int, default 20
        How many records density is told from; all others where there are fewer.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default "auto"
        Which metrics are allowed, as for `NearestNeighbors`.
    leaf_size : int, default 30
        Accepted for scikit-learn's sake.
    metric : str or callable, default "minkowski"
        The name of a distance, "precomputed" for distances instead of records, or a function of two records.
    p : float, default 2
        The exponent of "minkowski".
    metric_params : dict, optional
        Further arguments of the metric.
    contamination : "auto" or float, default "auto"
        The share of outliers, in (0, 0.5], by which the threshold is set; "auto" sets it at a factor of 1.5.
    novelty : bool, default False
        False for looking for outliers among the fitted records, by `fit_predict`; True for telling whether
        new ones are like them, by `predict`, `decision_function` and `score_samples`.
    n_jobs : int, optional
        Accepted for scikit-learn's sake; `clinfa.config_context` says how many threads there are.

    Attributes
    ----------
    negative_outlier_factor_ : ndarray of shape (n_samples,)
        Minus the factor of each fitted record.
    n_neighbors_ : int
        How many neighbours there were.
    offset_ : float
        What is below is an outlier.
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

    Notes
    -----
    As in scikit-learn, 1e-10 is added to every mean distance: records nearer to each other than that count as
    equal. Where whole neighbourhoods are equal, factors are no measure of anything, which is warned of.

    References
    ----------
    .. [1] M. M. Breunig, H.-P. Kriegel, R. T. Ng and J. Sander, LOF: identifying density-based local
       outliers, ACM SIGMOD, 2000.

    Examples
    --------
    >>> from clinfa.neighbors import LocalOutlierFactor
    >>> model = LocalOutlierFactor(n_neighbors=2)
    >>> model.fit_predict([[-1.1], [0.2], [101.1], [0.3]])
    array([ 1,  1, -1,  1])
    >>> model.negative_outlier_factor_.round(3)
    array([ -0.982,  -1.037, -73.37 ,  -0.982])
    """

    _kind = "outlier_detector"

    n_neighbors: int = param(20, at_least(1), positional=True)
    contamination: Any = param("auto", one_of("auto") | between(0, 0.5, closed="right"))
    novelty: bool = param(False, boolean())

    negative_outlier_factor_: np.ndarray = fitted()
    n_neighbors_: int = fitted()
    offset_: float = fitted()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find how dense it is around each record.

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

    def _fit(self, table: Table, weights: np.ndarray) -> LocalOutlierFactorFit:
        if table.n < 2:
            raise ValueError(
                "Expected n_neighbors < n_samples_fit, but n_neighbors = 1, n_samples_fit = 1, n_samples = 1"
            )
        found = self._look(table)
        if self.n_neighbors > table.n:
            warnings.warn(
                f"n_neighbors ({shown(self.n_neighbors)}) is greater than the total number of samples "
                f"({table.n}). n_neighbors will be set to (n_samples - 1) for estimation.",
                stacklevel=4,
            )
        k = max(1, min(int(self.n_neighbors), table.n - 1))
        distances, rows = found._search.nearest(None, k)
        densities = Densities.of(distances, rows)
        with np.errstate(over="ignore"):
            factor = -densities.factor(distances, rows).astype(table.dtype)
        auto = isinstance(self.contamination, str)
        offset = -1.5 if auto else float(np.percentile(factor, 100.0 * self.contamination))
        if not self.novelty and factor.min() < -1e7 and not densities.reach.all():
            warnings.warn(
                "Duplicate values are leading to incorrect results. Increase the number of neighbors for "
                "more accurate results.",
                stacklevel=4,
            )
        return LocalOutlierFactorFit(
            *found.parts(),
            *(factor, k, offset, densities),
        )

    @_only(False, _OLD)
    def fit_predict(self, X: Any, y: Any = None) -> Any:
        """Tell outliers among the records from the others.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int64
            -1 for outliers, 1 for the others. A Dataset with those targets where X is one.

        Raises
        ------
        AttributeError
            Where `novelty` is True.
        ValueError, TypeError
            As from `fit`.
        """
        return _answer(X, _signs(self.fit(X).negative_outlier_factor_ - self.offset_))

    @_only(True, _NEW)
    def predict(self, X: Any = None) -> Any:
        """Tell whether records are like the fitted ones.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_queries, n_features), optional
            By default the fitted records, each of which is left out of its own neighbours.

        Returns
        -------
        labels : ndarray of shape (n_queries,), int64
            -1 for outliers, 1 for the others. A Dataset with those targets where X is one.

        Raises
        ------
        AttributeError
            Where `novelty` is False.
        NotFittedError, ValueError, TypeError
            Before `fit`, or if X is not like the fitted records.
        """
        return _answer(X, _signs(self._scores(X) - self.offset_))

    @_only(True, _NEW)
    def decision_function(self, X: Any) -> Any:
        """By how much each record is within the threshold.

        Parameters
        ----------
        X
            As for `predict`.

        Returns
        -------
        margins : ndarray of shape (n_queries,)
            `score_samples` less `offset_`: below zero for outliers.

        Raises
        ------
        AttributeError, NotFittedError, ValueError, TypeError
            As from `predict`.
        """
        return _answer(X, self._scores(X) - self.offset_)

    @_only(True, _NEW)
    def score_samples(self, X: Any) -> Any:
        """Minus the local outlier factor of each record among the fitted ones.

        Parameters
        ----------
        X
            As for `predict`.

        Returns
        -------
        scores : ndarray of shape (n_queries,)

        Raises
        ------
        AttributeError, NotFittedError, ValueError, TypeError
            As from `predict`.
        """
        return _answer(X, self._scores(X))

    def _scores(self, X: Any) -> np.ndarray:
        Q = self._read_new(X)
        if Q is None:
            return self.negative_outlier_factor_.copy()
        with np.errstate(over="ignore"):
            factor = self._densities.factor(*self._nearest(Q, self.n_neighbors_))
            return -factor.astype(Q.dtype)


def _signs(margins: np.ndarray) -> np.ndarray:
    return np.where(margins < 0, -1, 1)


def _answer(X: Any, values: np.ndarray) -> Any:
    return X.with_targets(values) if is_dataset(X) else values
