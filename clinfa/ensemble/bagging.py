"""Bags: models of one kind, each fitted on rows and columns drawn at random, that predict together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.ensemble._bag import Bagging, Fitted
from clinfa.ensemble._named import align, tree
from clinfa.ensemble._out_of_bag import ClassesOutOfBag, ValuesOutOfBag, counted
from clinfa.kinds import OnlyIf, ProbabilisticClassifier, Regressor, one_column
from clinfa.many import share
from clinfa.params import fitted
from clinfa.recipes import answer
from clinfa.targets import Labels

__all__ = ["BaggingClassifier", "BaggingRegressor"]


def _decides(bag: Any) -> None:
    model = bag.__dict__["estimators_"][0] if bag.__sklearn_is_fitted__() else bag.estimator
    if not hasattr(model, "decision_function"):
        raise AttributeError(f"The models of this bag, {type(model).__name__}, have no decision_function.")


class BaggingClassifier(ClassesOutOfBag, Bagging, ProbabilisticClassifier):
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

    def _tree(self) -> Any:
        return tree("DecisionTreeClassifier")

    def _fit(self, table: Table, labels: Labels, weights: np.ndarray) -> Fitted:
        again = self.warm_start and self.__sklearn_is_fitted__()
        if again and not np.array_equal(labels.classes, self.classes_):
            raise ValueError(f"warm_start goes on with the classes {self.classes_}, got {labels.classes}.")
        fit = self._fit_bag(table, labels.codes, weights)
        if not self.oob_score:
            return fit
        k = labels.n_classes
        total, _ = self._out_of_bag(fit, table, lambda model, X: _probabilities(model, X, k))
        predicted = total.argmax(axis=1)
        sums = total.sum(axis=1, keepdims=True)
        told = np.divide(total, sums, out=np.full((table.n, k), np.nan), where=sums > 0)
        codes, predicted = labels.codes[counted(weights)], predicted[counted(weights)]
        if callable(self.oob_score):
            score = self.oob_score(labels.classes[codes], labels.classes[predicted])
        else:
            score = float((predicted == codes).mean())
        return replace(fit, _oob=(score, told))

    @property
    def n_classes_(self) -> int:
        """How many classes there are."""
        self._check_fitted()
        return len(self.classes_)

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


class BaggingRegressor(ValuesOutOfBag, Bagging, Regressor):
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
        which = counted(weights)
        score = float((self.oob_score if callable(self.oob_score) else r2_score)(y[which], told[which]))
        return replace(fit, _oob=(score, told))

    def _values(self, table: Table) -> np.ndarray:
        return self._mean(table, lambda model, X: answer(model, "predict", X))
