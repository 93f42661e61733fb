"""Stacks: a model that learns from what other models say of records that they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import is_dataset, read_table
from clinfa.bunch import Bunch
from clinfa.dataset._select import rows
from clinfa.ensemble._final import LogisticBlend, RidgeBlend
from clinfa.ensemble._folds import cv_rule, folds
from clinfa.ensemble._named import Named, Raw, align, estimator_rule, weights_or_none
from clinfa.kinds import OnlyIf, ProbabilisticClassifier, Regressor, one_column
from clinfa.many import share, side_by_side
from clinfa.params import at_least, boolean, fitted, none, one_of, param, verbosity
from clinfa.recipes import Recipe, answer, check_fitted, fit_copy, kind_of_model
from clinfa.reports import reporter
from clinfa.targets import Labels

__all__ = ["StackingClassifier", "StackingRegressor"]

_AUTO = ("predict_proba", "decision_function", "predict")


@dataclass(frozen=True)
class Result:
    estimators: list[Any]
    named_estimators: Bunch
    final_estimator: Any
    stack_method: list[str]
    _widths: list[int]


class _Stacking(Named):
    final_estimator: Any = param(None, estimator_rule() | none(), positional=True)
    cv: Any = param(None, cv_rule())
    n_jobs: int | None = param(None, at_least(-(2**31)) | none())
    passthrough: bool = param(False, boolean())
    verbose: int = param(0, verbosity())

    estimators_: list[Any] = fitted()
    named_estimators_: Bunch = fitted()
    final_estimator_: Any = fitted()
    stack_method_: list[str] = fitted()

    def _fit_stack(self, raw: Raw, y: np.ndarray, labels: Labels | None, weights: np.ndarray) -> Result:
        parts, final = self._parts(), self._final()
        if self.cv is None or isinstance(self.cv, int | np.integer):
            raw, y, labels, weights = _weighing(raw, y, labels, weights)
        w = weights_or_none(weights)
        with share(self.n_jobs):
            if isinstance(self.cv, str):
                models = [part for _, part in parts]
                for name, model in parts:
                    check_fitted(model, f"{name!r} in 'estimators' (cv='prefit')")
                methods = [self._method(name, model) for name, model in parts]
                said = self._each(raw, models, methods, labels)
            else:
                models, methods, said = self._held_out(parts, raw, y, labels, w)
        meta, widths = self._joined(said, methods, raw)
        last = fit_copy(final, meta, y, w)
        return Result(models, self._all_named(models), last, methods, widths)

    def _held_out(
        self, parts: list[tuple[str, Any]], raw: Raw, y: np.ndarray, labels: Labels | None, w: Any
    ) -> tuple[list[Any], list[str], list[np.ndarray]]:
        """Models of all rows, what they are asked, and what models of other rows say of each row."""
        records = raw.X.records if is_dataset(raw.X) else raw.X
        report, only = reporter(self.verbose), [part for _, part in parts]

        def whole(named: tuple[str, Any]) -> Any:
            model = fit_copy(named[1], raw.X, y, w)
            report("%s: %s is fitted", type(self).__name__, named[0])
            return model

        # (Before the records are cut: whoever refuses them knows best why.)
        models = list(side_by_side(whole, parts, raw.size, only))
        methods = [self._method(name, model) for (name, _), model in zip(parts, models, strict=True)]
        cut = folds(self.cv, records, y, labels)

        def part_of(item: tuple[int, int]) -> np.ndarray:
            (train, test), at = cut[item[0]], item[1]
            model = fit_copy(only[at], rows(records, train), y[train], None if w is None else w[train])
            return self._one(model, methods[at], rows(records, test), labels)

        items = [(fold, at) for fold in range(len(cut)) for at in range(len(parts))]
        each = list(side_by_side(part_of, items, raw.size, only))
        said = []
        for at in range(len(parts)):
            pieces = each[at :: len(parts)]
            out = np.empty((raw.n, *pieces[0].shape[1:]), np.result_type(*pieces))
            for (_, test), piece in zip(cut, pieces, strict=True):
                out[test] = piece
            said.append(out)
        return models, methods, said

    def _method(self, name: str, model: Any) -> str:
        asked = getattr(self, "stack_method", "predict")
        for method in _AUTO if asked == "auto" else (asked,):
            if hasattr(model, method):
                return method
        raise ValueError(f"Underlying estimator {name} does not implement the method {asked} (stack_method).")

    def _one(self, model: Any, method: str, X: Any, labels: Labels | None) -> np.ndarray:
        """What a model says, with a column for each class whichever of them it has met."""
        out = answer(model, method, X)
        if out.dtype.kind in "UO":  # one that was fitted before, on the labels themselves
            out = np.searchsorted(np.asarray(model.classes_), out)
        if labels is None or out.ndim == 1 or method == "predict":
            return out
        known = getattr(model, "classes_", ())
        if len(known) and np.asarray(known).dtype.kind in "UO":
            known = np.searchsorted(labels.classes, known)
        return align(out, known, labels.n_classes, 0.0 if method == "predict_proba" else out.min())

    def _each(
        self, raw: Raw, models: list[Any], methods: list[str], labels: Labels | None
    ) -> list[np.ndarray]:
        asked = list(zip(models, methods, strict=True))
        return list(side_by_side(lambda one: self._one(*one, raw.X, labels), asked, raw.size, models))

    def _joined(self, said: list[np.ndarray], methods: list[str], raw: Raw) -> tuple[Any, list[int]]:
        """What all models say as one table, and how many columns are of each."""
        columns = []
        for out, method in zip(said, methods, strict=True):
            if out.ndim == 1:
                out = out[:, None]
            elif method == "predict_proba" and out.shape[1] == 2:  # the other column says the same
                out = out[:, 1:]
            columns.append(out)
        widths = [out.shape[1] for out in columns]
        if not self.passthrough:
            return np.hstack(columns), widths
        X = raw.X.records if is_dataset(raw.X) else raw.X
        table = read_table(X, type(self).__name__, sparse=True, finite=False)
        if not table.sparse:
            return np.hstack([*columns, table.X]), widths
        import scipy.sparse as sp

        return sp.hstack([*map(sp.csr_array, columns), X.tocsr()], format="csr"), widths

    def _meta(self, raw: Raw, labels: Labels | None) -> Any:
        with share(self.n_jobs):
            said = self._each(raw, self.estimators_, self.stack_method_, labels)
        return self._joined(said, self.stack_method_, raw)[0]

    def _known(self) -> Labels | None:
        """The classes that were learned."""
        return None

    def _final(self) -> Any:
        """What the stack ends with."""
        final = self._default() if self.final_estimator is None else self.final_estimator
        if kind_of_model(final) != self._kind and not isinstance(final, Recipe):
            raise ValueError(f"'final_estimator' parameter should be a {self._kind}. Got {final}")
        return final

    def transform(self, X: Any) -> Any:
        """What the models say of records: what the final one learns from.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        said : ndarray of shape (n_samples, n_columns)
            The columns of each model side by side; those of the records too with `passthrough`. A sparse
            matrix where those are. A Dataset with those records where X is one.
        """
        out = self._meta(self._read_new(X), self._known())
        return self._wrap(out, X) if isinstance(out, np.ndarray) else out

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the columns of the records; only checked without `passthrough`.

        Returns
        -------
        ndarray of str
        """
        known = self._check_names_in(input_features)
        own, names = type(self).__name__.lower(), []
        parts = [name for name, part in self.named_estimators_.items() if not isinstance(part, str)]
        for name, width in zip(parts, self._widths, strict=True):
            names += [f"{own}_{name}"] if width == 1 else [f"{own}_{name}{i}" for i in range(width)]
        return np.asarray([*names, *known] if self.passthrough else names, dtype=object)


def _weighing(
    raw: Raw, y: np.ndarray, labels: Labels | None, weights: np.ndarray
) -> tuple[Raw, np.ndarray, Labels | None, np.ndarray]:
    """Without the rows that weigh nothing: they must not count where rows are dealt out to folds."""
    if not len(weights) or weights.all():
        return raw, y, labels, weights
    which = np.flatnonzero(weights)
    X = raw.X.take(which) if is_dataset(raw.X) else rows(raw.X, which)
    labels = None if labels is None else Labels(labels.codes[which], labels.classes)
    return replace(raw, X=X, n=len(which)), y[which], labels, weights[which]


def _has(method: str) -> Callable[[Any], None]:
    def check(model: Any) -> None:
        final = model.__dict__.get("final_estimator_", model.final_estimator)
        final = model._default() if final is None else final
        if not hasattr(final, method):
            raise AttributeError(
                f"This {type(model).__name__!r} has no attribute {method!r}: its final estimator, "
                f"{type(final).__name__}, has none."
            )

    return check


class StackingClassifier(_Stacking, ProbabilisticClassifier):
    """A classifier that learns from what other models say.

    Each model says something of each record that it was not fitted on, by cross-validation; from that the
    final classifier learns. In `predict` models of all records say it.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Models of clinfa or scikit-learn, or recipes (`Params`), with their names. They stay as they are:
        copies are fitted. "drop" in place of one leaves it out. Regressors see the numbers of the classes.
    final_estimator : estimator, optional
        A classifier; by default a logistic regression, as scikit-learn's with its defaults.
    cv : int, splitter, iterable or "prefit", optional
        How many folds, stratified and not shuffled (5 by default); who splits, as scikit-learn's splitters;
        or pairs of row numbers. "prefit": the models are fitted already, and are taken as they are.
    stack_method : {"auto", "predict_proba", "decision_function", "predict"}, default "auto"
        What the models are asked; "auto" is the first of these that a model has.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    passthrough : bool, default False
        Whether the final classifier sees the records too.
    verbose : int, default 0
        Whether to report each fit.

    Attributes
    ----------
    estimators_ : list of fitted models
        Fitted on the numbers of the classes, 0 to n_classes - 1.
    named_estimators_ : Bunch
        The same by name.
    final_estimator_ : fitted classifier
    stack_method_ : list of str
        What each model is asked.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records have names.

    References
    ----------
    D. H. Wolpert (1992). Stacked generalization. Neural Networks 5(2), 241-259.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.ensemble import StackingClassifier
    >>> from clinfa.naive_bayes import GaussianNB
    >>> from clinfa.neighbors import KNeighborsClassifier
    >>> stack = StackingClassifier([("bayes", GaussianNB()), ("near", KNeighborsClassifier())])
    >>> round(stack.fit(load_iris()).score(load_iris()), 2)
    0.97
    """

    stack_method: str = param("auto", one_of("auto", "predict_proba", "decision_function", "predict"))

    classes_: np.ndarray = fitted()

    def _default(self) -> Any:
        return LogisticBlend()

    def _fit(self, raw: Any, labels: Labels, weights: np.ndarray) -> Result:
        return self._fit_stack(raw, labels.codes, labels, weights)

    def _known(self) -> Labels:
        return Labels(np.empty(0, np.int64), self.classes_)

    def _codes(self, raw: Any) -> np.ndarray:
        return answer(self.final_estimator_, "predict", self._meta(raw, self._known()))

    def _proba(self, raw: Any) -> np.ndarray:
        P = answer(self.final_estimator_, "predict_proba", self._meta(raw, self._known()))
        return align(P, getattr(self.final_estimator_, "classes_", ()), len(self.classes_))

    def _log_proba(self, raw: Any) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._proba(raw))

    predict_proba = OnlyIf(_has("predict_proba"))(ProbabilisticClassifier.predict_proba)
    predict_log_proba = OnlyIf(_has("predict_proba"))(ProbabilisticClassifier.predict_log_proba)

    @OnlyIf(_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        """What the final classifier's own says.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            A Dataset with those targets where X is one.
        """
        raw = self._read_new(X)
        out = answer(self.final_estimator_, "decision_function", self._meta(raw, self._known()))
        return X.with_targets(out) if is_dataset(X) else out


class StackingRegressor(_Stacking, Regressor):
    """A regressor that learns from what other regressors predict.

    Each predicts the records that it was not fitted on, by cross-validation; from that the final regressor
    learns. In `predict` models of all records predict.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Regressors of clinfa or scikit-learn, or recipes (`Params`), with their names. They stay as they are:
        copies are fitted. "drop" in place of one leaves it out.
    final_estimator : estimator, optional
        A regressor; by default a ridge regression whose penalty, of 0.1, 1 and 10, is the best by
        leaving each record out, as scikit-learn's RidgeCV.
    cv : int, splitter, iterable or "prefit", optional
        How many folds, not shuffled (5 by default); who splits, as scikit-learn's splitters; or pairs of
        row numbers. "prefit": the models are fitted already, and are taken as they are.
    n_jobs : int, optional
        Threads; all there are by default and below 1. Results do not depend on it.
    passthrough : bool, default False
        Whether the final regressor sees the records too.
    verbose : int, default 0
        Whether to report each fit.

    Attributes
    ----------
    estimators_ : list of fitted regressors
    named_estimators_ : Bunch
        The same by name.
    final_estimator_ : fitted regressor
    stack_method_ : list of str
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records have names.

    References
    ----------
    L. Breiman (1996). Stacked regressions. Machine Learning 24(1), 49-64.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> from clinfa.ensemble import StackingRegressor
    >>> from clinfa.neighbors import KNeighborsRegressor
    >>> near = [(f"near{k}", KNeighborsRegressor(k)) for k in (5, 25)]
    >>> round(StackingRegressor(near).fit(load_diabetes()).score(load_diabetes()), 2)
    0.54
    """

    _part_kinds: ClassVar[tuple[str, ...]] = ("regressor",)

    def _read_targets(self, X: Any, y: Any, table: Any) -> np.ndarray:
        return one_column(super()._read_targets(X, y, table), y)

    def _default(self) -> Any:
        return RidgeBlend()

    def _fit(self, raw: Any, y: np.ndarray, weights: np.ndarray) -> Result:
        return self._fit_stack(raw, y, None, weights)

    def _values(self, raw: Any) -> np.ndarray:
        return np.reshape(answer(self.final_estimator_, "predict", self._meta(raw, None)), raw.n)
