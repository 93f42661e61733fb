"""Boosting of regressors by weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.ensemble._boosting import Boosting, BoostingFit, RegressorRounds, is_tree, shares, values_told
from clinfa.growing.bags import Bags
from clinfa.growing.categories import Sets
from clinfa.growing.trees import Trees
from clinfa.kinds import Regressor, one_column
from clinfa.params import one_of, param
from clinfa.reports import reporter
from clinfa.rng import generator, seeds
from clinfa.tree import DecisionTreeRegressor

__all__ = ["AdaBoostRegressor"]

_LEAST = np.finfo(np.float64).eps  # no record's weight falls below that share of the whole
_TOGETHER = 1 << 21  # predictions of which medians are taken together


@dataclass(frozen=True)
class Medians(BoostingFit):
    """With what to answer in, and all trees in one, where the models are trees."""

    _dtype: str
    _trees: Trees | None


class AdaBoostRegressor(Boosting, Regressor):
    """Regressors one after the other, each on more of what those before did badly on: AdaBoost.R2 [1]_.

    What is predicted is the median of what all say, by weights that grow as errors fall.

    Parameters
    ----------
    estimator : estimator, optional
        A regressor of clinfa or scikit-learn, or a recipe (`Params`); by default
        ``DecisionTreeRegressor(max_depth=3)``.
    n_estimators : int, default 50
        The greatest number of rounds. There are fewer where a model makes no error, or its average loss
        reaches a half.
    learning_rate : float, default 1.0
        What the weights of the models are multiplied by.
    loss : {"linear", "square", "exponential"}, default "linear"
        What an error counts, as a share of the greatest one: itself, its square, or one less its exponential.
    random_state : int, RandomState or Generator, optional
        What records are drawn with, and models seeded.
    verbose : int, default 0
        Whether to report each round.

    Attributes
    ----------
    estimators_ : list of fitted regressors
    estimator_weights_ : ndarray of shape (n_estimators,)
        Zero for rounds that did not come to be.
    estimator_errors_ : ndarray of shape (n_estimators,)
        The average loss; 1 for rounds that did not come to be.
    estimator_ : estimator
        What was fitted again and again.
    feature_importances_ : ndarray of shape (n_features,)
        Those of the models, on average by their weights; only where these have some.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    With our own trees the records are ranked once for all rounds. Records are drawn along an order that
    depends on what they contain: a record of weight 2 and one that stands there twice lead to the same model.
    Weights that are all whole numbers are numbers of repetitions; as many records are drawn as their sum.

    References
    ----------
    .. [1] H. Drucker, Improving regressors using boosting techniques, ICML 1997.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> from clinfa.ensemble import AdaBoostRegressor
    >>> diabetes = load_diabetes()
    >>> model = AdaBoostRegressor(random_state=0).fit(diabetes)
    >>> round(model.score(diabetes), 1)
    0.6
    """

    loss: Literal["linear", "square", "exponential"] = param(
        "linear", one_of("linear", "square", "exponential")
    )

    def _tree(self) -> Any:
        return DecisionTreeRegressor(max_depth=3)

    def _read_targets(self, X: Any, y: Any, table: Table) -> np.ndarray:
        return one_column(super()._read_targets(X, y, table), y)

    def _fit(self, table: Table, y: np.ndarray, weights: np.ndarray) -> Medians:
        base, dtype = self._copy(), np.promote_types(table.dtype, y.dtype)
        plan = Bags.of(table, y, weights)
        weights = shares(weights, table.n)
        there = weights > 0
        rounds = RegressorRounds.of(base, table, y)
        source, report = generator(self.random_state), reporter(self.verbose)
        models: list[Any] = []
        alphas, errors = np.zeros(self.n_estimators), np.ones(self.n_estimators)
        for at in range(self.n_estimators):
            weights = np.where(there, np.maximum(weights, _LEAST), 0.0)
            own = int(seeds(source, 1)[0] % (2**31 - 1))
            model, said = rounds.fit(_drawn(source, plan.order, weights, plan.size), own)
            loss = self._loss(np.abs(said - y), there)
            error = float((weights * loss).sum())
            report("AdaBoostRegressor: round %d of %d, loss %g", at + 1, self.n_estimators, error)
            if error >= 0.5 and models:
                break
            models.append(model)
            if error >= 0.5:
                break
            if error <= 0:
                alphas[at], errors[at] = 1.0, 0.0
                break
            beta = error / (1 - error)
            alphas[at], errors[at] = float(self.learning_rate) * np.log(1 / beta), error
            weights *= beta ** ((1 - loss) * float(self.learning_rate))
            total = weights.sum()
            if not total > 0:
                break
            weights /= total
        trees = (
            Trees.joined((m._trees.spelt_out() for m in models), len(models))
            if all(is_tree(m) for m in models) and _comparable([m._trees.sets for m in models])
            else None
        )
        return Medians(models, alphas.astype(dtype), errors.astype(dtype), base, dtype.str, trees)

    def _loss(self, error: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Of each record, between 0 and 1."""
        most = error[there].max()
        share = np.where(there, error / most if most > 0 else error, 0.0)
        if self.loss == "square":
            return share**2
        return 1 - np.exp(-share) if self.loss == "exponential" else share

    def _said(self, table: Table) -> np.ndarray:
        """What each model predicts: shape (n, models)."""
        if self._trees is None:
            return np.stack([values_told(model, table) for model in self.estimators_], axis=1)
        return self._trees.values[self._trees.leaves(table.X) + self._trees.starts[:-1], 0]

    def _values(self, table: Table) -> np.ndarray:
        return self._medians(self._said(table), table)

    def _medians(self, said: np.ndarray, table: Table) -> np.ndarray:
        out = _medians(said, self.estimator_weights_.astype(np.float64))
        return out.astype(np.promote_types(table.dtype, self._dtype), copy=False)

    def staged_predict(self, X: Any) -> Iterator[np.ndarray]:
        """The predictions after each round.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Yields
        ------
        values : ndarray of shape (n_samples,)
        """
        table = self._read_new(X)
        said = self._said(table)
        for count in range(1, said.shape[1] + 1):
            yield self._medians(said[:, :count], table)

    def staged_score(self, X: Any, y: Any = None, sample_weight: Any = None) -> Iterator[float]:
        """The share of the targets' variance that predictions explain after each round.

        Parameters
        ----------
        X, y, sample_weight
            As for `score`.

        Yields
        ------
        r2 : float
        """
        from clinfa.metrics import r2_score

        truth = X if y is None else y
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        for said in self.staged_predict(X):
            yield float(r2_score(truth, said, sample_weight=sample_weight))


def _drawn(source: Any, order: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """Rows drawn with replacement by their weights, rising; each as often as it was drawn."""
    ends = np.cumsum(weights[order])
    steps = np.cumsum(source.standard_exponential(size + 1))  # (uniform numbers, but in order)
    places = np.searchsorted(ends, steps[:-1] * (ends[-1] / steps[-1]), side="right")
    counts = np.bincount(order[np.minimum(places, len(order) - 1)], minlength=len(weights))
    return np.repeat(np.arange(len(weights)), counts)


def _medians(said: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted median of each row."""
    n, count = said.shape
    out, step = np.empty(n), max(1, _TOGETHER // count)
    for i in range(0, n, step):
        some = said[i : i + step]
        order = np.argsort(some, axis=1, kind="stable")
        passed = np.cumsum(weights[order], axis=1)
        middle = (passed >= 0.5 * passed[:, -1:]).argmax(axis=1)[:, None]
        out[i : i + step] = np.take_along_axis(some, np.take_along_axis(order, middle, 1), 1)[:, 0]
    return out


def _comparable(several: list[Sets | None]) -> bool:
    """Whether codes of categories mean the same to all trees."""
    first = several[0]
    return all(s is first or (s and first and s.categories.same(first.categories)) for s in several)
