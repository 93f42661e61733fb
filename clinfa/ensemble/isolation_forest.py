"""Outliers are isolated by few random splits."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.base import Estimator
from clinfa.ensemble._collection import Collection
from clinfa.ensemble._isolation import Draws, average_path, grow
from clinfa.errors import outside
from clinfa.growing.trees import COLUMN, LEAF, Trees
from clinfa.many import share
from clinfa.params import (
    Rule,
    at_least,
    between,
    boolean,
    fitted,
    none,
    one_of,
    param,
    seed,
    shown,
    verbosity,
)
from clinfa.reports import reporter
from clinfa.rng import generator, seeds
from clinfa.tree import ExtraTreeRegressor
from clinfa.tree._single import TreeFit

__all__ = ["IsolationForest"]

_TOGETHER = 1 << 20  # records that are drawn at a time


def _share() -> Rule:
    share = between(0, 1, closed="right")
    return at_least(1) | Rule(share.words, lambda v: not isinstance(v, int | np.integer) and share.allows(v))


@dataclass(frozen=True)
class Isolated:
    """What a fit leaves."""

    max_samples: int
    offset: float
    _trees: Trees
    _columns: np.ndarray  # (trees, c) int32
    _draws: Draws
    _start: int
    _replace: bool


class IsolationForest(Collection, Estimator):
    """Trees of random splits, in which outliers are alone after few of them [1]_.

    A tree grows on a sample of the records: a column is drawn, and a threshold uniformly between the least
    and the greatest value, until every record is alone or the tree is as deep as balanced ones of that size
    are. The score of a record is ``-2 ** -(depth / usual)``, from how deep it comes to lie on average.

    Parameters
    ----------
    n_estimators : int, default 100
        How many trees.
    max_samples : "auto", int or float, default "auto"
        How many records each tree grows on: at most 256 by default; a float is a share of all.
    contamination : "auto" or float, default "auto"
        The share of the records that `predict` calls outliers, in (0, 0.5]; by default those whose score is
        below -0.5.
    max_features : int or float, default 1.0
        How many columns each tree may look at; a float is a share.
    bootstrap : bool, default False
        Whether a record may be drawn more than once.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    random_state : int, RandomState or Generator, optional
        What samples, columns and thresholds are drawn with.
    verbose : int, default 0
        Whether to report progress.
    warm_start : bool, default False
        Whether a fit keeps the trees of the one before and adds to them.

    Attributes
    ----------
    estimators_ : list of ExtraTreeRegressor
        The trees, made when asked for; what they predict is how deep a record lies.
    estimators_samples_ : list of ndarray
        The records that each tree grew on.
    estimators_features_ : list of ndarray
        The columns that each tree may look at.
    estimator_ : ExtraTreeRegressor
        What the trees are.
    max_samples_ : int
        How many records each tree grew on.
    offset_ : float
        `decision_function` is the score less this.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    NaN is a value that is missing: a split sends what is missing to either side by chance, and where all that
    is known is equal, away from it. Weights are how probable it is that a record is drawn; where all are
    whole numbers, they count repetitions. A record drawn twice counts as two that are equal.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting and Z.-H. Zhou, Isolation forest, ICDM 2008.
    .. [2] F. T. Liu, K. M. Ting and Z.-H. Zhou, Isolation-based anomaly detection, ACM Transactions on
       Knowledge Discovery from Data 6, 2012.

    Examples
    --------
    >>> from clinfa.ensemble import IsolationForest
    >>> model = IsolationForest(random_state=0).fit([[-1.1], [0.3], [0.5], [100.0]])
    >>> model.predict([[0.1], [0.0], [90.0]])
    array([ 1,  1, -1])
    """

    _kind = "outlier_detector"
    _finite = False  # NaN is a value that is missing, and infinity a very large one

    n_estimators: int = param(100, at_least(1))
    max_samples: Any = param("auto", one_of("auto") | _share())
    contamination: Any = param("auto", one_of("auto") | between(0, 0.5, closed="right"))
    max_features: int | float = param(1.0, _share())
    bootstrap: bool = param(False, boolean())
    n_jobs: int | None = param(None, at_least(-(2**31)) | none())
    random_state: Any = param(None, seed())
    verbose: int = param(0, verbosity())
    warm_start: bool = param(False, boolean())

    max_samples_: int = fitted()
    offset_: float = fitted()

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Grow the trees.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)
            The records; NaN is a missing value.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            How probable it is that a record is drawn; whole numbers count repetitions.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        return self._run_fit(X, sample_weight)

    def _fit(self, table: Table, weights: np.ndarray) -> Isolated:
        draws, d = Draws.of(table, weights), table.d
        size = self._size(draws.total)
        whole = isinstance(self.max_features, int | np.integer)
        width = int(self.max_features) if whole else max(1, int(self.max_features * d))
        if width > d:
            raise ValueError(f"max_features must be <= n_features, got {shown(width)} of {d}.")
        before = self._before(table)
        start = self._start if before else int(generator(self.random_state).random() * 2.0**53)
        have = len(before[0]) if before else 0
        source = np.random.Generator(np.random.PCG64(start))
        own = seeds(source, self.n_estimators)[have:]
        columns = _columns(own, d, width)
        report, parts = reporter(self.verbose), list(before[:1])
        step = max(1, _TOGETHER // size)
        deepest = math.ceil(math.log2(max(size, 2)))
        with share(self.n_jobs):
            for i in range(0, len(own), step):
                some = own[i : i + step]
                rows = draws.rows(some, size, bool(self.bootstrap))
                parts.append(grow(table.X, rows, columns[i : i + step], some, deepest))
                report("IsolationForest: %d of %d trees", have + i + len(some), self.n_estimators)
            trees = Trees.joined(parts, len(parts))
            if before:
                columns = np.concatenate([before[1], columns])
            offset = -0.5
            if not isinstance(self.contamination, str):
                scores = _scores(trees, table.X, size)
                offset = float(np.percentile(scores, 100.0 * self.contamination))
        return Isolated(size, offset, trees, columns, draws, start, bool(self.bootstrap))

    def _size(self, total: int) -> int:
        """How many records to draw for a tree."""
        given = self.max_samples
        if isinstance(given, str):
            return min(256, total)
        if not isinstance(given, int | np.integer):
            return max(1, int(given * total))
        if given > total:
            warnings.warn(
                f"max_samples ({shown(given)}) is greater than the total number of samples ({total}). "
                f"max_samples will be set to n_samples for estimation.",
                stacklevel=outside(),
            )
        return int(min(given, total))

    def _before(self, table: Table) -> tuple[Any, ...]:
        """Trees to keep, and their columns."""
        if not (self.warm_start and self.__sklearn_is_fitted__()):
            return ()
        have = len(self._trees)
        if table.d != self.n_features_in_:
            raise ValueError(
                f"warm_start goes on with records of {self.n_features_in_} features, these have {table.d}."
            )
        if self.n_estimators < have:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to len(estimators_)={have} when "
                f"warm_start==True"
            )
        if self.n_estimators == have:
            warnings.warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.",
                stacklevel=outside(),
            )
        return self._trees, self._columns

    def score_samples(self, X: Any) -> np.ndarray:
        """The scores of records: the lower, the more they are outliers.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Between -1 and 0; -0.5 for records as deep as is usual.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X is not such records as were learned from.
        """
        table = self._read_new(X)
        with share(self.n_jobs):
            return _scores(self._trees, table.X, self.max_samples_)

    def decision_function(self, X: Any) -> np.ndarray:
        """The scores less `offset_`: below zero for outliers.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `score_samples`.
        """
        scores = self.score_samples(X)
        return scores - scores.dtype.type(self.offset_)

    def predict(self, X: Any) -> Any:
        """Tell outliers from the others.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int64
            -1 for outliers, 1 for the others. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `score_samples`.
        """
        labels = np.where(self.decision_function(X) < 0, -1, 1)
        return X.with_targets(labels) if is_dataset(X) else labels

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Grow the trees, and tell outliers among the records from the others.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int64
            -1 for outliers, 1 for the others. A Dataset with those targets where X is one.

        Raises
        ------
        ValueError, TypeError
            As from `fit`.
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)

    @property
    def estimator_(self) -> ExtraTreeRegressor:
        """What the trees are."""
        self._check_fitted()
        return ExtraTreeRegressor(max_features=1, max_depth=math.ceil(math.log2(max(self.max_samples_, 2))))

    @property
    def estimators_(self) -> list[ExtraTreeRegressor]:
        """The trees, made when asked for; what they predict is how deep a record lies."""
        base, out = self.estimator_, []
        for tree, columns, own in zip(self._trees, self._columns, self._seeds(), strict=True):
            nodes = tree.nodes.copy()
            column, bits = nodes["feature"] & COLUMN, nodes["feature"] & ~np.uint32(COLUMN)
            leaf = bits >= LEAF
            nodes["feature"] = np.where(leaf, bits, np.searchsorted(columns, column).astype(np.uint32) | bits)
            missing = tree.missing[columns]
            trees = replace(tree.together, nodes=nodes, n_features=len(columns), missing=missing)
            model = ExtraTreeRegressor(**base.get_params() | {"random_state": int(own % 2**32)})
            fit = TreeFit(trees[0], 1, trees)
            model.__dict__.update(
                tree_=fit.tree,
                _trees=fit._trees,
                max_features_=1,
                n_outputs_=1,
                n_features_in_=len(columns),
                _dtype="<f8",
            )
            out.append(model)
        return out

    @property
    def estimators_features_(self) -> list[np.ndarray]:
        """The columns that each tree may look at."""
        self._check_fitted()
        return [columns.astype(np.int64) for columns in self._columns]

    @property
    def estimators_samples_(self) -> list[np.ndarray]:
        """The records that each tree grew on, as often as they were drawn."""
        self._check_fitted()
        each = (
            self._draws.rows(self._seeds()[t : t + 1], self.max_samples_, self._replace)
            for t in self._numbers
        )
        return [np.sort(rows[0]).astype(np.int64) for rows in each]

    @property
    def _numbers(self) -> range:
        return range(len(self._trees))

    def _seeds(self) -> np.ndarray:
        return seeds(np.random.Generator(np.random.PCG64(self._start)), len(self._trees))


def _columns(own: np.ndarray, d: int, width: int) -> np.ndarray:
    """What each tree may look at, rising."""
    out = np.tile(np.arange(width, dtype=np.int32), (len(own), 1))
    if width < d:
        for columns, one in zip(out, own, strict=True):
            columns[:] = np.sort(np.random.Generator(np.random.PCG64(int(one))).permutation(d)[:width])
    return out


def _scores(trees: Trees, X: np.ndarray, size: int) -> np.ndarray:
    usual = float(average_path(np.array(size)))
    scores = -(2.0 ** -(trees.means(X)[:, 0] / usual if usual else np.ones(len(X))))
    return scores.astype(X.dtype, copy=False)
