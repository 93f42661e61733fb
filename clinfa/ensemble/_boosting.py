"""What boosting fits in each round: any model, or a tree whose columns were sorted once for all rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import CSR, Table, is_dataset, read_table, read_weights
from clinfa.base import Estimator
from clinfa.ensemble._collection import Collection
from clinfa.ensemble._named import estimator_rule, fit_on, seeded, with_columns
from clinfa.ensemble._stumps import Sorted
from clinfa.growing.growth import Targets
from clinfa.params import at_least, fitted, none, param, positive, seed, verbosity
from clinfa.recipes import answer, kind_of_model, takes, unfitted_copy
from clinfa.targets import Labels
from clinfa.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from clinfa.tree._single import TreeFit

__all__ = [
    "Boosting",
    "BoostingFit",
    "ClassifierRounds",
    "RegressorRounds",
    "classes_told",
    "is_tree",
    "shares",
    "values_told",
]

_TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)


@dataclass(frozen=True)
class BoostingFit:
    """What a fit leaves."""

    estimators: list[Any]
    estimator_weights: np.ndarray
    estimator_errors: np.ndarray
    estimator: Any


class Boosting(Collection, Estimator):
    """Parameters and attributes of both kinds; a concrete class names its `_tree`."""

    _finite = False  # (trees take NaN; what other models make of it, `_read` asks them)

    estimator: Any = param(None, estimator_rule() | none(), positional=True)
    n_estimators: int = param(50, at_least(1))
    learning_rate: float = param(1.0, positive())
    random_state: Any = param(None, seed())
    verbose: int = param(0, verbosity())

    estimators_: list[Any] = fitted()
    estimator_weights_: np.ndarray = fitted()
    estimator_errors_: np.ndarray = fitted()
    estimator_: Any = fitted()

    def _tree(self) -> Any:
        """What is boosted where nothing else is given."""

    def _base(self) -> Any:
        return self._tree() if self.estimator is None else self.estimator

    def _copy(self) -> Any:
        """What is fitted again and again."""
        base = unfitted_copy(self._base())
        if kind_of_model(base) not in (self._kind, None):
            raise ValueError(
                f"The 'estimator' parameter of {type(self).__name__} must be a {self._kind}, got {base}."
            )
        return base

    def _takes(self) -> tuple[bool, bool]:
        return takes(self._base()) or (False, False)

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        table = self._read(X)
        return table, read_weights(sample_weight, table.n, type(self).__name__)

    def _read_new(self, X: Any) -> Table:
        self._check_fitted()
        return self._read(X, names=self.__dict__.get("feature_names_in_"), width=self.n_features_in_)

    def _read(self, X: Any, **expected: Any) -> Table:
        """Records; whether they may be sparse or have gaps is for the models to say."""
        given = is_dataset(X)
        sparse, gaps = takes(self._base()) or (True, True)
        names = X.feature_names if given else None
        records, owner = X.records if given else X, type(self).__name__
        return read_table(records, owner, sparse=sparse, finite=not gaps, given_names=names, **expected)

    @property
    def feature_importances_(self) -> np.ndarray:
        """The importances that the models give to each column, on average by their weights."""
        self._check_fitted()
        if not all(hasattr(model, "feature_importances_") for model in self.estimators_):
            raise AttributeError(
                "Unable to compute feature importances since estimator does not have a "
                "feature_importances_ attribute"
            )
        each = np.stack([model.feature_importances_ for model in self.estimators_])
        weights = self.estimator_weights_[: len(each)]
        return (weights[:, None] * each).sum(axis=0) / weights.sum()


def records(table: Table) -> Any:
    """Records that have been read, as models of any house take them."""
    X = table.X
    if not isinstance(X, CSR):
        return X
    import scipy.sparse as sp

    count = X.indptr[-1]
    return sp.csr_matrix((X.data[:count], X.indices[:count], X.indptr), shape=X.shape)


def is_tree(model: Any) -> bool:
    """Whether it is one of our trees, and of no class derived from theirs."""
    return type(model) in _TREES


def classes_told(model: Any, table: Table, classes: np.ndarray) -> np.ndarray:
    """The class that a model gives each record, as its place in `classes`; -1 for what is none of them."""
    if is_tree(model):
        codes = model._codes(table)
        return (
            codes if len(model.classes_) == len(classes) else np.searchsorted(classes, model.classes_)[codes]
        )
    said = answer(model, "predict", records(table))
    places = np.minimum(np.searchsorted(classes, said), len(classes) - 1)
    return np.where(classes[places] == said, places, -1)


def values_told(model: Any, table: Table) -> np.ndarray:
    """The number that a model predicts for each record."""
    if is_tree(model):
        return model._trees.means(table.X)[:, 0]
    return np.asarray(answer(model, "predict", records(table)), np.float64).reshape(table.n)


def shares(weights: np.ndarray, n: int) -> np.ndarray:
    """Weights of which the sum is 1."""
    if not len(weights):
        return np.full(n, 1 / n)
    weights = weights / weights.max()  # (so that the sum is in range)
    return weights / weights.sum()


class ClassifierRounds:
    """Fits copies of a classifier under weights that change from round to round."""

    def __init__(self, base: Any, table: Table, labels: Labels):
        self.base, self.table, self.labels = base, table, labels

    @staticmethod
    def of(base: Any, table: Table, labels: Labels) -> ClassifierRounds:
        """In the quickest way there is for such models."""
        base = with_columns(unfitted_copy(base), table)
        if not is_tree(base):
            return ClassifierRounds(base, table, labels)
        base._check_params()
        return TreeRounds(base, table, labels)

    def fit(self, weights: np.ndarray, own: int) -> tuple[Any, np.ndarray]:
        """A model with a seed of its own, and the classes that it gives the records, as numbers.

        Parameters
        ----------
        weights : ndarray of shape (n,)
            Above zero.
        own : int
        """
        model = seeded(unfitted_copy(self.base), own)
        y = self.labels.classes[self.labels.codes]
        model = fit_on(model, records(self.table), y, sample_weight=weights)
        return model, classes_told(model, self.table, self.labels.classes)


class TreeRounds(ClassifierRounds):
    """Grows trees on ranks of the records that are made once."""

    def __init__(self, base: Any, table: Table, labels: Labels):
        super().__init__(base, table, labels)
        y, k = labels.codes, labels.n_classes
        self.targets = Targets(y[:, None].astype(np.float64), np.array([k]), True)
        plain = {"max_depth": 1, "criterion": base.criterion, "random_state": base.random_state}
        stump = type(base) is DecisionTreeClassifier and base._changed().items() <= plain.items()
        measured = k == 2 or base.criterion == "gini"
        stump = stump and base.max_depth == 1 and measured
        self.ranks, self.rules = base._prepare(table, self.targets, base.criterion, thin=not stump)
        self.sorted = Sorted.of(self.ranks, y, k, base.criterion) if stump else None

    def fit(self, weights: np.ndarray, own: int) -> tuple[Any, np.ndarray]:
        model = seeded(unfitted_copy(self.base), own)
        if self.sorted is not None:
            tree, codes = self.sorted.stump(weights)
            found = TreeFit(tree, self.rules.max_features, tree.together)
        else:
            weights = model._class_weights([self.labels], weights)
            found = model._grown_on(self.ranks, self.rules, self.targets, weights, float(model.ccp_alpha))
            codes = None
        learned = {"classes_": self.labels.classes, "n_classes_": self.labels.n_classes, "n_outputs_": 1}
        model._publish(found, self.table, **learned)
        return model, classes_told(model, self.table, self.labels.classes) if codes is None else codes


class RegressorRounds:
    """Fits copies of a regressor on records drawn anew for each round."""

    def __init__(self, base: Any, table: Table, y: np.ndarray):
        self.base, self.table, self.y = base, table, y

    @staticmethod
    def of(base: Any, table: Table, y: np.ndarray) -> RegressorRounds:
        """In the quickest way there is for such models."""
        base = with_columns(unfitted_copy(base), table)
        if not is_tree(base) or base.criterion == "poisson":  # (which has its own demands on what was drawn)
            return RegressorRounds(base, table, y)
        base._check_params()
        return RegressionTreeRounds(base, table, y)

    def fit(self, rows: np.ndarray, own: int) -> tuple[Any, np.ndarray]:
        """A model with a seed of its own, and the numbers that it predicts for all records.

        Parameters
        ----------
        rows : ndarray of shape (m,)
            What was drawn, rising; each as often as it was.
        own : int
        """
        model = fit_on(seeded(unfitted_copy(self.base), own), records(self.table)[rows], self.y[rows])
        return model, values_told(model, self.table)


class RegressionTreeRounds(RegressorRounds):
    """Grows trees on ranks of the records that are made once."""

    def __init__(self, base: Any, table: Table, y: np.ndarray):
        super().__init__(base, table, y)
        self.targets = Targets(np.ascontiguousarray(y[:, None], np.float64), np.ones(1, np.int64), False)
        self.ranks, self.rules = base._prepare(table, self.targets, base.criterion)

    def fit(self, rows: np.ndarray, own: int) -> tuple[Any, np.ndarray]:
        model = seeded(unfitted_copy(self.base), own)
        rows = rows.astype(np.int32)
        found = model._grown_from(self.ranks, self.rules, self.targets, rows, None, float(model.ccp_alpha))
        model._publish(found, self.table, n_outputs_=1, _dtype=self.y.dtype.str)
        return model, values_told(model, self.table)
