"""Bags: models of one kind, each fitted on rows and columns drawn at random, that predict together."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import CSR, Table, is_dataset, read_table, read_weights
from clinfa.base import Estimator
from clinfa.ensemble._draws import Draws
from clinfa.ensemble._named import align, estimator_rule, seeded, tree
from clinfa.errors import outside
from clinfa.kinds import OnlyIf, ProbabilisticClassifier, Regressor, one_column
from clinfa.many import share, side_by_side
from clinfa.params import (
    Rule,
    at_least,
    between,
    boolean,
    fitted,
    function,
    none,
    param,
    seed,
    shown,
    verbosity,
)
from clinfa.recipes import Recipe, answer, kind_of_model, takes, takes_weights, unfitted_copy
from clinfa.reports import reporter
from clinfa.rng import generator
from clinfa.targets import Labels

__all__ = ["BaggingClassifier", "BaggingRegressor"]


def _share() -> Rule:
    return at_least(1) | Rule(
        between(0, 1, closed="right").words,
        lambda v: not isinstance(v, int | np.integer) and between(0, 1, closed="right").allows(v),
    )


@dataclass(frozen=True)
class Fitted:
    """What a fit leaves: the models, what they were fitted on, and what they say of the rest."""

    estimators: list[Any]
    estimators_features: list[np.ndarray]
    estimator: Any
    _draws: Draws
    _start: int


@dataclass(frozen=True)
class ClassesOutOfBag(Fitted):
    n_classes: int
    oob_score: float
    oob_decision_function: np.ndarray


@dataclass(frozen=True)
class Classes(Fitted):
    n_classes: int


@dataclass(frozen=True)
class ValuesOutOfBag(Fitted):
    oob_score: float
    oob_prediction: np.ndarray


class _Bagging(Estimator):
    estimator: Any = param(None, estimator_rule() | none(), positional=True)
    n_estimators: int = param(10, at_least(1), positional=True)
    max_samples: int | float | None = param(None, _share() | none())
    max_features: int | float = param(1.0, _share())
    bootstrap: bool = param(True, boolean())
    bootstrap_features: bool = param(False, boolean())
    oob_score: bool | Callable = param(False, boolean() | function())
    warm_start: bool = param(False, boolean())
    n_jobs: int | None = param(None, at_least(-(2**31)) | none())
    random_state: Any = param(None, seed())
    verbose: int = param(0, verbosity())

    estimators_: list[Any] = fitted()
    estimators_features_: list[np.ndarray] = fitted()
    estimator_: Any = fitted()

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        table = self._read(X)
        return table, read_weights(sample_weight, table.n, type(self).__name__)

    def _read_new(self, X: Any) -> Table:
        self._check_fitted()
        return self._read(X, names=self.__dict__.get("feature_names_in_"), width=self.n_features_in_)

    def _read(self, X: Any, **expected: Any) -> Table:
        """Records; whether they may be sparse or have gaps is for the models to say.

        (A model that does not say sees for itself, but not the columns that it does not get.)
        """
        given, base = is_dataset(X), self._tree() if self.estimator is None else self.estimator
        sparse, gaps = takes(base) or (True, True)
        names = X.feature_names if given else None
        records, owner = X.records if given else X, type(self).__name__
        return read_table(records, owner, sparse=sparse, finite=not gaps, given_names=names, **expected)

    def _base(self) -> Any:
        """What is fitted again and again."""
        base = self._tree() if self.estimator is None else self.estimator
        if kind_of_model(base) != self._kind and not isinstance(base, Recipe):
            raise ValueError(
                f"The 'estimator' parameter of {type(self).__name__} must be a {self._kind}, got {base}."
            )
        return base

    def _fit_bag(self, table: Table, y: np.ndarray, weights: np.ndarray) -> Fitted:
        base = self._base()
        whole = isinstance(self.max_features, int | np.integer)
        columns = int(self.max_features) if whole else max(1, int(self.max_features * table.d))
        if columns > table.d:
            raise ValueError(f"max_features must be <= n_features, got {shown(columns)} of {table.d}.")
        if self.oob_score and not self.bootstrap:
            raise ValueError("Out of bag estimation only available if bootstrap=True (oob_score)")
        if self.oob_score and self.warm_start:
            raise ValueError("Out of bag estimate only available if warm_start=False (oob_score)")
        draws = Draws.planned(
            *(table, y, weights),
            max_samples=self.max_samples,
            replace=bool(self.bootstrap),
            d=table.d,
            columns=columns,
            replace_columns=bool(self.bootstrap_features),
        )
        before = self._before(table)
        # (Every model has a seed of its own, whichever fit it is from.)
        start = self._start if before else int(generator(self.random_state).random() * 2.0**53)
        items = range(len(before), self.n_estimators)
        report, weighted = reporter(self.verbose), takes_weights(unfitted_copy(base))

        def work(at: int) -> tuple[Any, np.ndarray]:
            counts, which, own = draws.of((start, at))
            model = seeded(unfitted_copy(base), own)
            out = _fit_on(model, _columns(table, which), y, counts, weighted)
            report("%s: model %d of %d is fitted", type(self).__name__, at + 1, self.n_estimators)
            return out, which

        with share(self.n_jobs):
            done = list(side_by_side(work, items, table.n * table.d, [base]))
        return Fitted(
            before + [model for model, _ in done],
            (self.estimators_features_[:] if before else []) + [which for _, which in done],
            base if isinstance(base, Recipe) else unfitted_copy(base),
            draws,
            start,
        )

    def _before(self, table: Table) -> list[Any]:
        """Models to keep."""
        if not (self.warm_start and self.__sklearn_is_fitted__()):
            return []
        have = len(self.estimators_)
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
                UserWarning,
                stacklevel=outside(),
            )
        return list(self.estimators_)

    @property
    def estimators_samples_(self) -> list[np.ndarray]:
        """The rows that each model was fitted on, ascending, each as often as it was drawn."""
        self._check_fitted()
        every = (self._draws.of((self._start, at))[0] for at in range(len(self.estimators_)))
        if len(self._draws.factors):
            return [np.flatnonzero(counts) for counts in every]
        return [np.repeat(np.arange(self._draws.n), counts.astype(np.int64)) for counts in every]

    def _said(self, table: Table, ask: Callable[[Any, Any], np.ndarray]) -> Iterator[np.ndarray]:
        """What each model says, in their order."""

        def work(at: int) -> np.ndarray:
            return ask(self.estimators_[at], _columns(table, self.estimators_features_[at]))

        return side_by_side(work, range(len(self.estimators_)), table.n * table.d, self.estimators_[:1])

    def _mean(self, table: Table, ask: Callable[[Any, Any], np.ndarray]) -> np.ndarray:
        total, dtype = 0.0, np.dtype(np.float32)
        with share(self.n_jobs):
            for out in self._said(table, ask):
                dtype = np.result_type(dtype, out)
                total = total + out.astype(np.float64, copy=False)
        return (total / len(self.estimators_)).astype(dtype, copy=False)

    def _out_of_bag(
        self, fit: Fitted, table: Table, ask: Callable[[Any, Any], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The sum of what models say of rows that they have not seen, and how many say something."""

        def work(at: int) -> tuple[np.ndarray, np.ndarray]:
            counts, which, _ = fit._draws.of((fit._start, at))
            rest = np.flatnonzero(counts == 0)
            some = _columns(table.part(rest), which) if len(rest) else None
            return rest, ask(fit.estimators[at], some) if len(rest) else np.empty(0)

        total, times = np.zeros(0), np.zeros(table.n)
        with share(self.n_jobs):
            for rest, out in side_by_side(
                work, range(len(fit.estimators)), table.n * table.d, [fit.estimator]
            ):
                if not len(rest):
                    continue
                if not len(total):
                    total = np.zeros((table.n, *out.shape[1:]))
                total[rest] += out
                times[rest] += 1
        if not times.all():
            warnings.warn(
                "Some inputs do not have OOB scores. This probably means too few estimators were used to "
                "compute any reliable oob estimates.",
                UserWarning,
                stacklevel=outside(),
            )
        return total if len(total) else np.zeros((table.n, 1)), times

    def _takes(self) -> tuple[bool, bool]:
        return takes(self._tree() if self.estimator is None else self.estimator) or (False, False)


def _fit_on(model: Any, X: Any, y: np.ndarray, counts: np.ndarray, weighted: bool) -> Any:
    """Fit on rows as often as `counts` says: by weights, where `fit` takes them."""
    which = np.flatnonzero(counts)
    own = counts[which]
    if (own == 1).all():
        return model.fit(_rows(X, which), y[which])
    if weighted:
        return model.fit(_rows(X, which), y[which], sample_weight=own)
    if (own != np.rint(own)).any():
        raise TypeError(
            f"The data have sample weights, but {type(model).__name__}.fit takes no sample_weight."
        )
    which = np.repeat(which, own.astype(np.int64))
    return model.fit(_rows(X, which), y[which])


def _rows(X: Any, which: np.ndarray) -> Any:
    return X if len(which) == X.shape[0] and (np.diff(which) == 1).all() else X[which]


def _columns(table: Table, which: np.ndarray) -> Any:
    """The records, or some of their columns, as models take them."""
    X = table.X
    if isinstance(X, CSR):
        import scipy.sparse as sp

        count = X.indptr[-1]
        X = sp.csr_matrix((X.data[:count], X.indices[:count], X.indptr), shape=X.shape)
    if len(which) == table.d and (which == np.arange(table.d)).all():
        return X
    return X[:, which]


def _decides(bag: Any) -> None:
    model = bag.__dict__["estimators_"][0] if bag.__sklearn_is_fitted__() else bag.estimator
    if not hasattr(model, "decision_function"):
        raise AttributeError(f"The models of this bag, {type(model).__name__}, have no decision_function.")


class BaggingClassifier(_Bagging, ProbabilisticClassifier):
    """Classifiers of one kind, each fitted on records drawn at random; their mean probability decides.

    Parameters
    ----------
    estimator : estimator, optional
        A classifier of clinfa or scikit-learn, or a recipe (`Params`); by default a decision tree.
    n_estimators : int, default 10
    max_samples : int or float, optional
        How many rows to draw for each, or their share; by default as many as there are. Weights that are all
        whole numbers count as repetitions of rows.
    max_features : int or float, default 1.0
        How many columns to draw for each, or their share.
    bootstrap : bool, default True
        Whether a row may be drawn more than once.
    bootstrap_features : bool, default False
        Whether a column may be.
    oob_score : bool or callable, default False
        Whether to measure how well records are told by the models that have not seen them: by the share of
        right answers, or by a function of (true labels, predicted labels).
    warm_start : bool, default False
        Whether a fit keeps the models of the one before and adds to them.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    random_state : int, RandomState or Generator, optional
    verbose : int, default 0
        Whether to report each fit.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
        Fitted on the numbers of the classes.
    estimators_samples_ : list of ndarray
        The rows that each was fitted on.
    estimators_features_ : list of ndarray
        The columns that each was fitted on.
    estimator_ : estimator
        What was fitted again and again.
    classes_ : ndarray of shape (n_classes,)
    n_classes_ : int
    oob_score_ : float
        With `oob_score`.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        With `oob_score`: the mean probabilities; NaN for records that every model has seen.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records have names.

    References
    ----------
    L. Breiman (1996). Bagging predictors. Machine Learning 24(2), 123-140.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.ensemble import BaggingClassifier
    >>> from clinfa.neighbors import KNeighborsClassifier
    >>> bag = BaggingClassifier(KNeighborsClassifier(), 20, max_features=0.5, random_state=0)
    >>> bag.fit(load_iris()).predict([[6.0, 2.8, 4.9, 1.7]])
    array([2])
    """

    classes_: np.ndarray = fitted()
    n_classes_: int = fitted()

    def _tree(self) -> Any:
        return tree("DecisionTreeClassifier")

    def _fit(self, table: Table, labels: Labels, weights: np.ndarray) -> Fitted:
        again = self.warm_start and self.__sklearn_is_fitted__()
        if again and not np.array_equal(labels.classes, self.classes_):
            raise ValueError(f"warm_start goes on with the classes {self.classes_}, got {labels.classes}.")
        fit = self._fit_bag(table, labels.codes, weights)
        base = {name: getattr(fit, name) for name in Fitted.__dataclass_fields__}
        k = labels.n_classes
        if not self.oob_score:
            return Classes(**base, n_classes=k)
        total, _ = self._out_of_bag(fit, table, lambda model, X: _probabilities(model, X, k))
        predicted = total.argmax(axis=1)
        sums = total.sum(axis=1, keepdims=True)
        told = np.divide(total, sums, out=np.full((table.n, k), np.nan), where=sums > 0)
        if callable(self.oob_score):
            score = self.oob_score(labels.classes[labels.codes], labels.classes[predicted])
        else:
            score = float((predicted == labels.codes).mean())
        return ClassesOutOfBag(**base, n_classes=k, oob_score=score, oob_decision_function=told)

    def _codes(self, table: Table) -> np.ndarray:
        return self._proba(table).argmax(axis=1)

    def _proba(self, table: Table) -> np.ndarray:
        k = self.n_classes_
        return self._mean(table, lambda model, X: _probabilities(model, X, k))

    def _log_proba(self, table: Table) -> np.ndarray:
        if not all(hasattr(model, "predict_log_proba") for model in self.estimators_):
            with np.errstate(divide="ignore"):
                return np.log(self._proba(table))
        k, total = self.n_classes_, -np.inf

        def ask(model: Any, X: Any) -> np.ndarray:
            return align(answer(model, "predict_log_proba", X), model.classes_, k, -np.inf)

        with share(self.n_jobs):
            for out in self._said(table, ask):
                total = np.logaddexp(total, out)
        return total - out.dtype.type(np.log(len(self.estimators_)))

    @OnlyIf(_decides)
    def decision_function(self, X: Any) -> Any:
        """The mean of what the models' own say.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            A Dataset with those targets where X is one.
        """
        out = self._mean(self._read_new(X), lambda model, some: answer(model, "decision_function", some))
        return X.with_targets(out) if is_dataset(X) else out


def _probabilities(model: Any, X: Any, k: int) -> np.ndarray:
    """Probabilities of all classes: votes, where a model has none. It knows the numbers of the classes."""
    if hasattr(model, "predict_proba"):
        return align(answer(model, "predict_proba", X), model.classes_, k)
    return np.eye(k)[answer(model, "predict", X).astype(np.int64)]


class BaggingRegressor(_Bagging, Regressor):
    """Regressors of one kind, each fitted on records drawn at random, whose mean is predicted.

    Parameters
    ----------
    estimator : estimator, optional
        A regressor of clinfa or scikit-learn, or a recipe (`Params`); by default a decision tree.
    n_estimators : int, default 10
    max_samples : int or float, optional
        How many rows to draw for each, or their share; by default as many as there are. Weights that are all
        whole numbers count as repetitions of rows.
    max_features : int or float, default 1.0
        How many columns to draw for each, or their share.
    bootstrap : bool, default True
        Whether a row may be drawn more than once.
    bootstrap_features : bool, default False
        Whether a column may be.
    oob_score : bool or callable, default False
        Whether to measure how well records are told by the models that have not seen them: by R squared, or
        by a function of (targets, predictions).
    warm_start : bool, default False
        Whether a fit keeps the models of the one before and adds to them.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    random_state : int, RandomState or Generator, optional
    verbose : int, default 0
        Whether to report each fit.

    Attributes
    ----------
    estimators_ : list of fitted regressors
    estimators_samples_ : list of ndarray
        The rows that each was fitted on.
    estimators_features_ : list of ndarray
        The columns that each was fitted on.
    estimator_ : estimator
        What was fitted again and again.
    oob_score_ : float
        With `oob_score`.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        With `oob_score`; zero for records that every model has seen.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records have names.

    References
    ----------
    L. Breiman (1996). Bagging predictors. Machine Learning 24(2), 123-140.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> from clinfa.ensemble import BaggingRegressor
    >>> from clinfa.neighbors import KNeighborsRegressor
    >>> bag = BaggingRegressor(KNeighborsRegressor(10), 30, oob_score=True, random_state=0)
    >>> round(bag.fit(load_diabetes()).oob_score_, 1)
    0.4
    """

    def _tree(self) -> Any:
        return tree("DecisionTreeRegressor")

    def _read_targets(self, X: Any, y: Any, table: Table) -> np.ndarray:
        given = super()._read_targets(X, y, table)
        return given if given.ndim == 2 and given.shape[1] > 1 else one_column(given, y)

    def _fit(self, table: Table, y: np.ndarray, weights: np.ndarray) -> Fitted:
        fit = self._fit_bag(table, y, weights)
        if not self.oob_score:
            return fit
        from clinfa.metrics import r2_score

        total, times = self._out_of_bag(fit, table, lambda model, X: answer(model, "predict", X))
        told = total.reshape(y.shape) / np.maximum(times, 1).reshape(-1, *[1] * (y.ndim - 1))
        score = self.oob_score(y, told) if callable(self.oob_score) else float(r2_score(y, told))
        base = {name: getattr(fit, name) for name in Fitted.__dataclass_fields__}
        return ValuesOutOfBag(**base, oob_score=score, oob_prediction=told)

    def _values(self, table: Table) -> np.ndarray:
        return self._mean(table, lambda model, X: answer(model, "predict", X))
