"""Votes of different models: the class that most name, or the mean of what they predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from clinfa.bunch import Bunch
from clinfa.ensemble._named import Named, Raw, align, weights_or_none
from clinfa.kinds import OnlyIf, ProbabilisticClassifier, Regressor, one_column
from clinfa.many import share, side_by_side
from clinfa.params import at_least, boolean, fitted, none, one_of, param, vector, verbosity
from clinfa.recipes import answer, fit_copy
from clinfa.reports import reporter
from clinfa.targets import Labels

__all__ = ["VotingClassifier", "VotingRegressor"]

_COUNTS = 1 << 22  # votes are counted for so many pairs of a record and a class at a time


@dataclass(frozen=True)
class Result:
    estimators: list[Any]
    named_estimators: Bunch


class _Voting(Named):
    weights: Any = param(None, vector("n_estimators") | none())
    n_jobs: int | None = param(None, at_least(-(2**31)) | none())
    verbose: int = param(False, verbosity())

    estimators_: list[Any] = fitted()
    named_estimators_: Bunch = fitted()

    def _fit_parts(self, raw: Raw, y: np.ndarray, weights: np.ndarray) -> Result:
        parts, w = self._parts(), weights_or_none(weights)
        self._shares(len(parts))
        report = reporter(self.verbose)

        def work(at: int) -> Any:
            model = fit_copy(parts[at][1], raw.X, y, w)
            report("%s: %s (%d of %d) is fitted", type(self).__name__, parts[at][0], at + 1, len(parts))
            return model

        with share(self.n_jobs):
            models = list(side_by_side(work, range(len(parts)), raw.size, [part for _, part in parts]))
        return Result(models, self._all_named(models))

    def _shares(self, count: int) -> np.ndarray:
        """The weight of each model that was not dropped."""
        if self.weights is None:
            return np.ones(count)
        w = np.asarray(self.weights)
        if w.shape != (len(self.estimators),):
            raise ValueError(
                f"Number of `estimators` and weights must be equal; got {len(w) if w.ndim else 1} weights, "
                f"{len(self.estimators)} estimators"
            )
        if w.dtype.kind not in "biuf" or not np.isfinite(w).all():
            raise ValueError(f"weights must be finite numbers, got {self.weights!r}.")
        w = w[[not (isinstance(part, str) and part == "drop") for _, part in self.estimators]].astype(float)
        if not w.sum():
            raise ValueError(f"weights must not add up to zero, got {self.weights!r}.")
        return w

    def _mean(self, answers: list[np.ndarray]) -> np.ndarray:
        """The weighted mean of what the models say."""
        w = self._shares(len(answers))
        out = np.zeros(answers[0].shape)
        for one, weight in zip(answers, w, strict=True):
            out += weight * one
        return (out / w.sum()).astype(np.result_type(*answers, np.float32), copy=False)

    def _ask(self, raw: Raw, method: str) -> list[np.ndarray]:
        with share(self.n_jobs):
            models = self.estimators_
            return list(side_by_side(lambda m: answer(m, method, raw.X), models, raw.size, models))

    def _labels_of_columns(self) -> list[str]:
        own = type(self).__name__.lower()
        return [
            f"{own}_{name}" for name, model in self.named_estimators_.items() if not isinstance(model, str)
        ]


def _soft(model: Any) -> None:
    if not (isinstance(model.voting, str) and model.voting == "soft"):
        raise AttributeError(
            f"This {type(model).__name__!r} has no attribute 'predict_proba': there are no probabilities "
            f"where voting={model.voting!r}."
        )


class VotingClassifier(_Voting, ProbabilisticClassifier):
    """Different classifiers, which vote on the class of a record.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Classifiers of clinfa or scikit-learn, or recipes (`Params`), with their names. They stay as they are:
        copies are fitted. "drop" in place of one leaves it out.
    voting : {"hard", "soft"}, default "hard"
        "hard": the class that most predict, the first of several. "soft": the class whose mean probability is
        greatest.
    weights : array-like of shape (n_estimators,), optional
        How much the vote, or the probability, of each counts.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    flatten_transform : bool, default True
        Whether `transform` returns soft votes as a table: one column for each model and class.
    verbose : bool or int, default False
        Whether to report each fit.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
        Fitted on the numbers of the classes, 0 to n_classes - 1.
    named_estimators_ : Bunch
        The same by name.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records have names.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.ensemble import VotingClassifier
    >>> from clinfa.naive_bayes import GaussianNB
    >>> from clinfa.neighbors import KNeighborsClassifier
    >>> votes = VotingClassifier([("bayes", GaussianNB()), ("near", KNeighborsClassifier())], voting="soft")
    >>> votes.fit(load_iris()).predict_proba([[6.0, 2.8, 4.9, 1.7]]).round(2)
    array([[0.  , 0.34, 0.66]])
    """

    _part_kinds: ClassVar[tuple[str, ...]] = ("classifier",)

    voting: Literal["hard", "soft"] = param("hard", one_of("hard", "soft"))
    flatten_transform: bool = param(True, boolean())

    classes_: np.ndarray = fitted()

    def _fit(self, raw: Any, labels: Labels, weights: np.ndarray) -> Result:
        return self._fit_parts(raw, labels.codes, weights)

    def _codes(self, raw: Any) -> np.ndarray:
        if self.voting == "soft":
            return self._proba(raw).argmax(axis=1)
        votes = self._ask(raw, "predict")
        w, k = self._shares(len(votes)), len(self.classes_)
        out = np.empty(raw.n, np.int64)
        step = max(1, _COUNTS // k)
        for low in range(0, raw.n, step):
            rows = np.arange(min(step, raw.n - low))
            counts = np.zeros((len(rows), k))
            for vote, weight in zip(votes, w, strict=True):
                counts[rows, vote[low : low + step]] += weight
            out[low : low + step] = counts.argmax(axis=1)
        return out

    def _each_proba(self, raw: Any) -> list[np.ndarray]:
        k = len(self.classes_)
        each = zip(self._ask(raw, "predict_proba"), self.estimators_, strict=True)
        return [align(P, getattr(model, "classes_", ()), k) for P, model in each]

    def _proba(self, raw: Any) -> np.ndarray:
        return self._mean(self._each_proba(raw))

    def _log_proba(self, raw: Any) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._proba(raw))

    predict_proba = OnlyIf(_soft)(ProbabilisticClassifier.predict_proba)
    predict_log_proba = OnlyIf(_soft)(ProbabilisticClassifier.predict_log_proba)

    def transform(self, X: Any) -> Any:
        """What each classifier says of each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        said : ndarray
            Hard votes: numbers of classes, of shape (n_samples, n_estimators). Soft votes: probabilities, of
            shape (n_samples, n_estimators * n_classes) or, without `flatten_transform`, (n_estimators,
            n_samples, n_classes). A Dataset with those records where X is one.
        """
        raw = self._read_new(X)
        if self.voting == "hard":
            return self._wrap(np.stack(self._ask(raw, "predict"), axis=1), X)
        each = self._each_proba(raw)
        return self._wrap(np.hstack(each), X) if self.flatten_transform else np.stack(each)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, optional
            Only checked against the names seen in `fit`.

        Returns
        -------
        ndarray of str

        Raises
        ------
        ValueError
            Where what it returns is no table.
        """
        self._check_names_in(input_features)
        names = self._labels_of_columns()
        if self.voting == "soft":
            if not self.flatten_transform:
                raise ValueError(
                    "get_feature_names_out is not supported when `voting='soft'` and "
                    "`flatten_transform=False`"
                )
            names = [f"{name}{i}" for name in names for i in range(len(self.classes_))]
        return np.asarray(names, dtype=object)


class VotingRegressor(_Voting, Regressor):
    """Different regressors, whose mean is predicted.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Regressors of clinfa or scikit-learn, or recipes (`Params`), with their names. They stay as they are:
        copies are fitted. "drop" in place of one leaves it out.
    weights : array-like of shape (n_estimators,), optional
        How much each counts in the mean.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    verbose : bool or int, default False
        Whether to report each fit.

    Attributes
    ----------
    estimators_ : list of fitted regressors
    named_estimators_ : Bunch
        The same by name.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records have names.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> from clinfa.ensemble import VotingRegressor
    >>> from clinfa.neighbors import KNeighborsRegressor
    >>> near = [(f"near{k}", KNeighborsRegressor(k)) for k in (5, 25)]
    >>> round(VotingRegressor(near, weights=[1, 2]).fit(load_diabetes()).score(load_diabetes()), 2)
    0.55
    """

    _part_kinds: ClassVar[tuple[str, ...]] = ("regressor",)

    def _read_targets(self, X: Any, y: Any, table: Any) -> np.ndarray:
        return one_column(super()._read_targets(X, y, table), y)

    def _fit(self, raw: Any, y: np.ndarray, weights: np.ndarray) -> Result:
        return self._fit_parts(raw, y, weights)

    def _values(self, raw: Any) -> np.ndarray:
        return self._mean([np.reshape(one, raw.n) for one in self._ask(raw, "predict")])

    def transform(self, X: Any) -> Any:
        """What each regressor predicts for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        values : ndarray of shape (n_samples, n_estimators)
            A Dataset with those records where X is one.
        """
        raw = self._read_new(X)
        return self._wrap(np.stack([v.reshape(raw.n) for v in self._ask(raw, "predict")], axis=1), X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, optional
            Only checked against the names seen in `fit`.

        Returns
        -------
        ndarray of str
        """
        self._check_names_in(input_features)
        return np.asarray(self._labels_of_columns(), dtype=object)
