"""The kinds of estimators: what each kind can do beyond what all of them can."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from clinfa import config
from clinfa.arrays import Table, is_dataset, read_weights
from clinfa.base import Estimator
from clinfa.errors import DataConversionWarning, outside, twin
from clinfa.targets import as_array, check_lengths, column, read_labels, read_labels_together, read_values

__all__ = [
    "Classifier",
    "Clusterer",
    "OnlyIf",
    "ProbabilisticClassifier",
    "Regressor",
    "Transformer",
    "one_column",
]


class OnlyIf:
    """A method that is there where a condition holds; elsewhere asking for it raises what that raises.

    Parameters
    ----------
    check : callable
        Called with the estimator; raises an AttributeError where the method is not to be had.
    """

    def __init__(self, check: Callable[[Any], None]):
        self.check = check

    def __call__(self, method: Callable) -> Any:
        return _Conditional(self.check, method)


class _Conditional:
    def __init__(self, check: Callable[[Any], None], method: Callable):
        self.check, self.method = check, method
        self.__doc__ = method.__doc__

    def __get__(self, model: Any, cls: type) -> Any:
        if model is None:
            return self.method
        self.check(model)
        return self.method.__get__(model, cls)


def one_column(given: np.ndarray, y: Any) -> np.ndarray:
    """Targets of shape (n,), with a warning where y was passed as a column."""
    if given.ndim == 2 and given.shape[1] == 1 and y is not None and not is_dataset(y):
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of y to "
            "(n_samples,), for example using ravel().",
            twin(DataConversionWarning),
            stacklevel=outside(),
        )
    return column(given)


class Clusterer(Estimator):
    """Groups records: `fit`, `labels_`, `fit_predict`."""

    _kind = "clusterer"

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find clusters.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record, at least 0. A record of weight 2 counts as if it stood there twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        return self._run_fit(X, sample_weight)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Find clusters and return the label of each record.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            A Dataset with those targets where X is one.
        """
        labels = self.fit(X, sample_weight=sample_weight).labels_
        return X.with_targets(labels) if is_dataset(X) else labels


class Classifier(Estimator):
    """Tells which class records belong to: `fit`, `classes_`, `predict`, `score`.

    A concrete class writes ``_fit(table, labels, weights)``, and ``_codes(table)``: the number of the class
    of each record.
    """

    _kind = "classifier"

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the classes.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records. A Dataset's targets and weights are used unless others are given.
        y : array-like of shape (n_samples,)
            The label of each record: int, str or bool.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record, at least 0. A record of weight 2 counts as if it stood there twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        self._check_params()
        table, weights = self._read_fit(X, sample_weight)
        labels = read_labels(self._read_targets(X, y, table), type(self).__name__)
        return self._publish(self._fit(table, labels, weights), table, classes_=labels.classes)

    def _read_targets(self, X: Any, y: Any, table: Table) -> np.ndarray:
        """One target for each record, given as y or as those of a Dataset."""
        given = as_array(X if y is None and is_dataset(X) else y, "y")
        given = one_column(given, y)
        check_lengths(table.X, given)
        return given

    def predict(self, X: Any) -> Any:
        """The most likely class of each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            In the type of the labels that were learned. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X is not such records as were learned from.
        """
        codes = self._codes(self._read_new(X))
        labels = self.classes_[codes]
        return X.with_targets(labels, class_names=X.class_names) if is_dataset(X) else labels

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The share of records whose class is predicted rightly.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            A Dataset's targets and weights are used unless others are given.
        y : array-like of shape (n_samples,)
            The true labels.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        accuracy : float

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`, or if y are no labels.
        """
        table = self._read_new(X)
        owner = type(self).__name__
        truth = {"y": self._read_targets(X, y, table)}
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        weights = read_weights(sample_weight, table.n, owner)
        right = self._codes(table) == read_labels_together(truth, owner, self.classes_)[1][0]
        return float(np.average(right, weights=weights if len(weights) else None))


class ProbabilisticClassifier(Classifier):
    """A classifier that gives probabilities.

    A concrete class writes ``_proba(table)`` and ``_log_proba(table)``, too.
    """

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`. A Dataset whose targets are these, as `clinfa.Pr`, where X is
            one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        out = self._proba(self._read_new(X))
        if not is_dataset(X):
            return out
        from clinfa.dataset import Pr  # from a floor above: who passes a Dataset has loaded it

        return X.with_targets(Pr(out), self._class_names())

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of the probability of each class, for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        out = self._log_proba(self._read_new(X))
        return X.with_targets(out, self._class_names()) if is_dataset(X) else out

    def _class_names(self) -> list[str]:
        return [str(label) for label in self.classes_]


class Regressor(Estimator):
    """Predicts numbers: `fit`, `predict`, `score`.

    A concrete class writes ``_fit(table, targets, weights)``, and ``_values(table)``: predictions of shape
    (n,) where the targets were, else (n, n_targets).
    """

    _kind = "regressor"

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn what numbers belong to records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records. A Dataset's targets and weights are used unless others are given.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The numbers.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record, at least 0. A record of weight 2 counts as if it stood there twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        self._check_params()
        table, weights = self._read_fit(X, sample_weight)
        return self._publish(self._fit(table, self._read_targets(X, y, table), weights), table)

    def _read_targets(self, X: Any, y: Any, table: Table) -> np.ndarray:
        """Numbers for each record, given as y or as the targets of a Dataset."""
        given = read_values(X if y is None and is_dataset(X) else y, type(self).__name__)
        check_lengths(table.X, given)
        return given

    def predict(self, X: Any) -> Any:
        """The numbers expected for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_targets)
            A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X is not such records as were learned from.
        """
        values = self._values(self._read_new(X))
        return X.with_targets(values) if is_dataset(X) else values

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The share of the targets' variance that predictions explain: `clinfa.metrics.r2_score`.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            A Dataset's targets and weights are used unless others are given.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The true numbers.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        r2 : float
            1 for perfect predictions, 0 for what predicting the mean would give; the mean over the targets.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`, or if y are no such numbers.
        """
        from clinfa.metrics import r2_score  # from a floor above, loaded by those who score

        predicted = self._values(self._read_new(X))
        truth = X if y is None and is_dataset(X) else y
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        return float(r2_score(truth, predicted, sample_weight=sample_weight))


class Transformer(Estimator):
    """Turns records into other records: `transform`, names of what comes out, dataframes on request."""

    def set_output(self, *, transform: str | None = None) -> Self:
        """What `transform` returns: "default" (arrays), "pandas" or "polars"; None changes nothing.

        Raises
        ------
        ValueError
            If `transform` is something else.
        """
        if transform is not None:
            if transform not in ("default", "pandas", "polars"):
                raise ValueError(
                    f"transform must be 'default', 'pandas', 'polars' or None, got {transform!r}."
                )
            self._sklearn_output_config = {"transform": transform}
        return self

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
        self._check_fitted()
        if input_features is not None:
            given = np.asarray(input_features, dtype=object)
            known = self.__dict__.get("feature_names_in_")
            if known is not None and not np.array_equal(known, given):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(given) != self.n_features_in_:
                raise ValueError(
                    f"input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(given)}"
                )
        prefix = type(self).__name__.lower()
        return np.asarray([f"{prefix}{i}" for i in range(self._n_columns_out())], dtype=object)

    def _turn_back(self, X: Any, table: Table, turn: np.ndarray, offset: np.ndarray | None = None) -> Any:
        """Records from what `transform` made of them: table @ turn + offset (none if sparse), as X is."""
        from clinfa.linalg._blocks import combined  # (these load SciPy)
        from clinfa.linalg._sparse import product

        dtype = np.promote_types(table.dtype, turn.dtype)
        table = table if table.dtype == dtype else table.astype(dtype)
        turn = turn.astype(dtype, copy=False)
        if table.sparse:
            out = product(table.X, np.ascontiguousarray(turn))
        else:
            out = combined(table.X, turn, offset=offset)
        return X.with_records(out, self.__dict__.get("feature_names_in_")) if is_dataset(X) else out

    def _wrap(self, out: np.ndarray, X: Any) -> Any:
        """The result of `transform` in the form that was asked for."""
        if is_dataset(X):
            return X.with_records(out, feature_names=self.get_feature_names_out())
        form = self.__dict__.get("_sklearn_output_config", {}).get("transform")
        if form is None:
            form = config.output_format()
            theirs = sys.modules.get("sklearn")
            if form == "default" and theirs is not None:
                form = theirs.get_config()["transform_output"]
        if form == "pandas":
            import pandas as pd

            index = X.index if isinstance(X, pd.DataFrame | pd.Series) else None
            return pd.DataFrame(out, columns=self.get_feature_names_out(), index=index)
        if form == "polars":
            import polars as pl

            return pl.DataFrame(out, schema=list(self.get_feature_names_out()), orient="row")
        return out
