"""What trees and forests have in common as estimators: reading targets, predicting."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from clinfa.arrays import Table, is_dataset, read_weights
from clinfa.class_weight import class_factors
from clinfa.growing.categories import read_categories
from clinfa.growing.growth import Rules, Targets
from clinfa.growing.ranks import Ranks
from clinfa.growing.settings import Growing, monotonic_of
from clinfa.kinds import ProbabilisticClassifier, Regressor
from clinfa.names import categories_of
from clinfa.params import Rule, fitted, instance, none, one_of, param, shown
from clinfa.targets import Labels, as_array, check_finite, check_lengths, read_labels, read_labels_together

__all__ = ["Grown", "TreeClassifier", "TreeRegressor"]


class Grown(Growing):
    """Looks into the trees; a concrete class publishes them as `_trees`."""

    _sparse = True
    _finite = False  # NaN is a value that is missing, and infinity a very large one

    n_outputs_: int = fitted()

    @property
    def _random(self) -> bool:
        """Whether thresholds are drawn."""
        return False

    def _means(self, table: Table) -> np.ndarray:
        """What leaves say, on average over the trees."""
        return self._trees.means(table.X)

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        given = self.categorical_features
        if given is None:
            return super()._read_fit(X, sample_weight)
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        table = read_categories(X, type(self).__name__, given, sparse=True, finite=False)
        return table, read_weights(sample_weight, table.n, type(self).__name__)

    def _read_new(self, X: Any) -> Table:
        self._check_fitted()
        if self._trees.sets is None:
            return super()._read_new(X)
        names = self.__dict__.get("feature_names_in_")
        how = {"sparse": True, "finite": False, "names": names, "width": self.n_features_in_}
        return read_categories(X, type(self).__name__, self._trees.sets.categories, **how)

    @property
    def is_categorical_(self) -> np.ndarray | None:
        """Which columns are of categories, as a mask of shape (n_features,); None where none are."""
        self._check_fitted()
        if self._trees.sets is None:
            return None
        out = np.zeros(self.n_features_in_, bool)
        out[self._trees.sets.categories.columns] = True
        return out

    def _prepare(
        self, table: Table, targets: Targets, criterion: str, *, thin: bool = True
    ) -> tuple[Ranks, Rules]:
        classes = targets.classes
        monotonic = monotonic_of(self.monotonic_cst, table.d, targets.n_classes, classes)
        labels = table.labels
        if labels is None and self.categorical_features is not None:  # read on behalf of another
            mask = categories_of(self.categorical_features, [], table.d)
            labels = dict.fromkeys(np.flatnonzero(mask).tolist())
        if labels:
            self._check_categories(labels, criterion, monotonic)
        rules = self._rules_for(table.n, table.d, criterion, self._random, monotonic)
        ranked = targets.y if criterion == "absolute_error" else None
        return Ranks.of(table.X, y=ranked, random=self._random, labels=labels, thin=thin), rules

    def _check_categories(self, labels: dict[int, Any], criterion: str, monotonic: np.ndarray | None) -> None:
        """Raise ValueError where other parameters do not go with categories."""
        if criterion == "absolute_error" and not self._random:
            raise ValueError(
                "categorical_features must be None with criterion='absolute_error' and best splits: "
                "categories are ordered by their means, which that criterion does not go by."
            )
        if monotonic is not None and monotonic[list(labels)].any():
            raise ValueError(
                "Categorical features cannot have monotonic constraints: monotonic_cst must be 0 for "
                f"columns {[f for f in labels if monotonic[f]]}."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class TreeClassifier(Grown, ProbabilisticClassifier):
    """Classes from shares in leaves.

    A concrete class writes ``_fit(table, targets, labels, weights)``, which returns what is published.
    """

    class_weight: Any = param(
        None,
        instance(dict)
        | one_of("balanced")
        | Rule("a list of dicts, one for each target", lambda v: isinstance(v, list))
        | none(),
    )

    classes_: Any = fitted()
    n_classes_: Any = fitted()

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the classes.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; NaN is a missing value. A Dataset's targets and weights are used unless others are
            given.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The label of each record: int, str or bool.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record, at least 0.

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
        owner = type(self).__name__
        columns = _several(X, y, table) or [self._read_targets(X, y, table)]
        labels = [read_labels(column, owner) for column in columns]
        weights = self._class_weights(labels, weights)
        codes = np.empty((table.n, len(labels)))
        for o, some in enumerate(labels):
            codes[:, o] = some.codes
        targets = Targets(codes, np.array([some.n_classes for some in labels]), True)
        several = len(labels) > 1
        learned = {
            "classes_": [some.classes for some in labels] if several else labels[0].classes,
            "n_classes_": [some.n_classes for some in labels] if several else labels[0].n_classes,
            "n_outputs_": len(labels),
        }
        return self._publish(self._fit(table, targets, labels, weights), table, **learned)

    def _class_weights(self, labels: list[Labels], weights: np.ndarray) -> np.ndarray:
        """Weights of records, times those of their classes."""
        given = self.class_weight
        if given is None:
            return weights
        return with_class_weights(given, labels, weights)

    def _classes_of(self, output: int) -> np.ndarray:
        return self.classes_[output] if self.n_outputs_ > 1 else self.classes_

    def _shares(self, table: Table) -> list[np.ndarray]:
        """Probabilities for each target: shape (n, n_classes)."""
        means = self._means(table).astype(table.dtype, copy=False)
        return np.split(means, np.cumsum(self._trees.n_classes)[:-1], axis=1)

    def _proba(self, table: Table) -> np.ndarray:
        return self._shares(table)[0]

    def _codes(self, table: Table) -> np.ndarray:
        return self._proba(table).argmax(axis=1)

    def predict(self, X: Any) -> Any:
        """The most likely class of each record; of equally likely ones the first.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X is not such records as were learned from.
        """
        self._check_fitted()
        if self.n_outputs_ == 1:
            return super().predict(X)
        shares = self._shares(self._read_new(X))
        labels = np.stack([self.classes_[o][share.argmax(axis=1)] for o, share in enumerate(shares)], axis=1)
        return X.with_targets(labels) if is_dataset(X) else labels

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`; a list of such arrays where there are several targets. A
            Dataset whose targets are these, as `clinfa.Pr`, where X is one (a list of Datasets).

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        self._check_fitted()
        if self.n_outputs_ == 1:
            return super().predict_proba(X)
        shares = self._shares(self._read_new(X))
        if not is_dataset(X):
            return shares
        from clinfa.dataset import Pr  # from a floor above: who passes a Dataset has loaded it

        return [
            X.with_targets(Pr(share), [str(label) for label in self.classes_[o]])
            for o, share in enumerate(shares)
        ]

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of the probability of each class, for each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
            A list of such arrays where there are several targets; Datasets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        self._check_fitted()
        if self.n_outputs_ == 1:
            return super().predict_log_proba(X)
        with np.errstate(divide="ignore"):
            out = [np.log(share) for share in self._shares(self._read_new(X))]
        return [X.with_targets(some) for some in out] if is_dataset(X) else out

    def _log_proba(self, table: Table) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._proba(table))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The share of records all of whose classes are predicted rightly.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            A Dataset's targets and weights are used unless others are given.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
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
        self._check_fitted()
        if self.n_outputs_ == 1:
            return super().score(X, y, sample_weight)
        table, owner = self._read_new(X), type(self).__name__
        columns = _several(X, y, table)
        if len(columns) != self.n_outputs_:
            raise ValueError(
                f"y has {max(len(columns), 1)} target(s), but {owner} was fitted with {self.n_outputs_}."
            )
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        weights = read_weights(sample_weight, table.n, owner)
        right = np.ones(table.n, bool)
        for column, known, share in zip(columns, self.classes_, self._shares(table), strict=True):
            right &= share.argmax(axis=1) == read_labels_together({"y": column}, owner, known)[1][0]
        return float(np.average(right, weights=weights if len(weights) else None))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class TreeRegressor(Grown, Regressor):
    """Numbers from means in leaves.

    A concrete class writes ``_fit(table, targets, weights)``, which returns what is published.
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn what numbers belong to records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; NaN is a missing value. A Dataset's targets and weights are used unless others are
            given.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The numbers.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record, at least 0.

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
        given = self._read_targets(X, y, table)
        check_finite(given, "y")
        values = np.asarray(given, np.float64).reshape(table.n, -1)
        if getattr(self, "criterion", None) == "poisson":
            if (values < 0).any():
                raise ValueError(
                    "Some value(s) of y are negative which is not allowed for Poisson regression."
                )
            if values.sum() <= 0:
                raise ValueError(
                    "Sum of y is not strictly positive which is necessary for Poisson regression."
                )
        outputs = values.shape[1]
        targets = Targets(np.ascontiguousarray(values), np.ones(outputs, np.int64), False)
        learned = {"n_outputs_": outputs, "_dtype": given.dtype.str}
        return self._publish(self._fit(table, targets, weights), table, **learned)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.criterion == "poisson"
        return tags

    def _values(self, table: Table) -> np.ndarray:
        out = self._means(table).astype(np.promote_types(table.dtype, self._dtype), copy=False)
        return out[:, 0] if self.n_outputs_ == 1 else out


def with_class_weights(given: Any, labels: list[Labels], weights: np.ndarray) -> np.ndarray:
    """Weights of records, times those of their classes in each target.

    Raises
    ------
    ValueError
        If the weights are not for these targets.
    """
    if isinstance(given, list):
        if len(labels) == 1:
            raise ValueError(
                "For a single target, class_weight must be a dict, 'balanced' or None, not a list."
            )
        if len(given) != len(labels):
            raise ValueError(
                f"For multi-output, number of elements in class_weight should match number of outputs. "
                f"Got {len(given)} for {len(labels)}."
            )
    elif isinstance(given, dict) and len(labels) > 1:
        raise ValueError(
            "For several targets, class_weight must be a list of dicts, one for each, 'balanced' or None. "
            f"Got {shown(given)}."
        )
    n = len(labels[0].codes)
    out = weights.copy() if len(weights) else np.ones(n)
    for o, own in enumerate(labels):
        out *= class_factors(given[o] if isinstance(given, list) else given, own, weights)[own.codes]
    if not (out > 0).any():
        raise ValueError("All records weigh nothing: class_weight and sample_weight leave none.")
    return out


def _several(X: Any, y: Any, table: Table) -> list[np.ndarray]:
    """The labels of several targets, each; none where there is but one."""
    given = as_array(X if y is None and is_dataset(X) else y, "y")
    if given.ndim != 2 or given.shape[1] < 2:
        return []
    check_lengths(table.X, given)
    return list(given.T)
