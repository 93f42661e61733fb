"""Boosting of classifiers by weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import Table, is_dataset, read_weights
from clinfa.ensemble._boosting import Boosting, BoostingFit, ClassifierRounds, classes_told, is_tree, shares
from clinfa.errors import outside
from clinfa.growing.trees import Trees
from clinfa.kinds import ProbabilisticClassifier
from clinfa.params import fitted
from clinfa.recipes import takes_weights
from clinfa.reports import reporter
from clinfa.rng import generator, seeds
from clinfa.targets import Labels, read_labels_together
from clinfa.tree import DecisionTreeClassifier

__all__ = ["AdaBoostClassifier"]

_LEAST = np.finfo(np.float64).eps  # no record's weight falls below that share of the whole


@dataclass(frozen=True)
class Votes(BoostingFit):
    """With the number of classes, and trees whose leaves hold what they add to the decision."""

    n_classes: int
    _votes: Trees | None


class AdaBoostClassifier(Boosting, ProbabilisticClassifier):
    """Classifiers one after the other, each with more weight on what those before got wrong: SAMME [1]_ [2]_.

    Each votes by a weight that grows as its error falls.

    Parameters
    ----------
    estimator : estimator, optional
        A classifier of clinfa or scikit-learn, or a recipe (`Params`), whose `fit` takes sample weights; by
        default a tree of one split, ``DecisionTreeClassifier(max_depth=1)``.
    n_estimators : int, default 50
        The greatest number of rounds. There are fewer where a model makes no error, or errs no less than
        chance.
    learning_rate : float, default 1.0
        What the weights of the models are multiplied by.
    random_state : int, RandomState or Generator, optional
        What models that draw are seeded with.
    verbose : int, default 0
        Whether to report each round.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
    estimator_weights_ : ndarray of shape (n_estimators,)
        Zero for rounds that did not come to be.
    estimator_errors_ : ndarray of shape (n_estimators,)
        The weighted share of wrong answers; 1 for rounds that did not come to be.
    estimator_ : estimator
        What was fitted again and again.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_classes_ : int
    feature_importances_ : ndarray of shape (n_features,)
        Those of the models, on average by their weights; only where these have some.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed, or the first model errs no less than chance.

    Notes
    -----
    With our own trees the records are ranked once, and a tree of one split costs one walk along every column
    in a round. Records of weight zero are left out.

    References
    ----------
    .. [1] Y. Freund and R. Schapire, A decision-theoretic generalization of on-line learning and an
       application to boosting, Journal of Computer and System Sciences 55, 1997.
    .. [2] J. Zhu, H. Zou, S. Rosset and T. Hastie, Multi-class AdaBoost, Statistics and Its Interface 2,
       2009.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.ensemble import AdaBoostClassifier
    >>> iris = load_iris()
    >>> model = AdaBoostClassifier(n_estimators=20, random_state=0).fit(iris)
    >>> round(model.score(iris), 2)
    0.98
    >>> [round(score, 2) for score in model.staged_score(iris)][:3]
    [0.67, 0.66, 0.96]
    """

    n_classes_: int = fitted()

    def _tree(self) -> Any:
        return DecisionTreeClassifier(max_depth=1)

    def _fit(self, table: Table, labels: Labels, weights: np.ndarray) -> Votes:
        base = self._copy()
        if not takes_weights(base):
            raise ValueError(f"{type(base).__name__} doesn't support sample_weight.")
        weights = shares(weights, table.n)
        kept = np.flatnonzero(weights)
        if len(kept) < table.n:
            table, weights = table.part(kept), weights[kept]
            labels = Labels(labels.codes[kept], labels.classes)
        rounds, k, y = ClassifierRounds.of(base, table, labels), labels.n_classes, labels.codes
        source, report = generator(self.random_state), reporter(self.verbose)
        models: list[Any] = []
        alphas, errors = np.zeros(self.n_estimators), np.ones(self.n_estimators)
        for at in range(self.n_estimators):
            weights = np.maximum(weights, _LEAST)
            own = int(seeds(source, 1)[0] % (2**31 - 1))
            model, codes = rounds.fit(weights, own)
            wrong = codes != y
            error = float(weights[wrong].sum() / weights.sum())
            report("AdaBoostClassifier: round %d of %d, error %g", at + 1, self.n_estimators, error)
            if error <= 0:
                models.append(model)
                alphas[at], errors[at] = 1.0, 0.0
                break
            if error >= 1 - 1 / k:
                if not models:
                    raise ValueError(
                        "BaseClassifier in AdaBoostClassifier ensemble is worse than random, ensemble can "
                        "not be fit."
                    )
                break
            models.append(model)
            alphas[at] = float(self.learning_rate) * (np.log((1 - error) / error) + np.log(k - 1))
            errors[at] = error
            with np.errstate(over="ignore"):
                weights[wrong] *= np.exp(alphas[at])
                total = weights.sum()
            if not np.isfinite(total):
                warnings.warn(
                    f"Sample weights have reached infinite values, at iteration {at}, causing overflow. "
                    f"Iterations stopped. Try lowering the learning rate.",
                    stacklevel=outside(),
                )
                break
            weights /= total
        alphas, errors = alphas.astype(table.dtype), errors.astype(table.dtype)
        return Votes(models, alphas, errors, base, k, _voting(models, alphas, k))

    def _ballots(self, table: Table) -> Iterator[tuple[float, np.ndarray]]:
        """What each model adds to the decision, and its weight."""
        k = self.n_classes_
        for alpha, model in zip(self.estimator_weights_, self.estimators_, strict=False):
            ballot = _ballot(classes_told(model, table, self.classes_), k)
            yield float(alpha), float(alpha) * ballot

    def _decided(self, table: Table) -> np.ndarray:
        if self.n_classes_ == 1:
            return np.zeros((table.n, 1), table.dtype)
        if self._votes is not None:
            out = self._votes.means(table.X) * len(self._votes)
        else:
            out = sum(ballot for _, ballot in self._ballots(table))
        out = (out / self.estimator_weights_.sum()).astype(table.dtype, copy=False)
        return out[:, 0] if self.n_classes_ == 2 else out

    def _staged(self, table: Table) -> Iterator[np.ndarray]:
        total, out = 0.0, 0.0
        for alpha, ballot in self._ballots(table):
            total, out = total + alpha, out + ballot
            decision = (out / total).astype(table.dtype, copy=False)
            yield decision[:, 0] if self.n_classes_ == 2 else decision

    def _chosen(self, decision: np.ndarray) -> np.ndarray:
        return (decision > 0).astype(np.int64) if self.n_classes_ == 2 else decision.argmax(axis=1)

    def _likely(self, decision: np.ndarray) -> np.ndarray:
        """Probabilities of the classes: equation (15) of Zhu and others."""
        k = self.n_classes_
        if k == 1:
            return np.ones_like(decision)
        each = np.stack([-decision, decision], axis=1) / 2 if k == 2 else decision / (k - 1)
        each = np.exp(each - each.max(axis=1, keepdims=True))
        return each / each.sum(axis=1, keepdims=True)

    def _codes(self, table: Table) -> np.ndarray:
        return self._chosen(self._decided(table))

    def _proba(self, table: Table) -> np.ndarray:
        return self._likely(self._decided(table))

    def _log_proba(self, table: Table) -> np.ndarray:
        return np.log(self._proba(table))

    def decision_function(self, X: Any) -> np.ndarray:
        """The votes for the classes, by the weights of the models.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Returns
        -------
        votes : ndarray of shape (n_samples, n_classes) or (n_samples,)
            Between -1 / (n_classes - 1), where no model names the class, and 1, where all do. Of two classes
            the second's less the first's.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        return self._decided(self._read_new(X))

    def staged_decision_function(self, X: Any) -> Iterator[np.ndarray]:
        """The votes after each round.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Yields
        ------
        votes : ndarray of shape (n_samples, n_classes) or (n_samples,)
        """
        yield from self._staged(self._read_new(X))

    def staged_predict(self, X: Any) -> Iterator[np.ndarray]:
        """The most likely classes after each round.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Yields
        ------
        labels : ndarray of shape (n_samples,)
        """
        for decision in self._staged(self._read_new(X)):
            yield self.classes_[self._chosen(decision)]

    def staged_predict_proba(self, X: Any) -> Iterator[np.ndarray]:
        """The probability of each class after each round.

        Parameters
        ----------
        X : array-like, dataframe or Dataset of shape (n_samples, n_features)

        Yields
        ------
        probabilities : ndarray of shape (n_samples, n_classes)
        """
        for decision in self._staged(self._read_new(X)):
            yield self._likely(decision)

    def staged_score(self, X: Any, y: Any = None, sample_weight: Any = None) -> Iterator[float]:
        """The share of records whose class is predicted rightly after each round.

        Parameters
        ----------
        X, y, sample_weight
            As for `score`.

        Yields
        ------
        accuracy : float
        """
        table, owner = self._read_new(X), type(self).__name__
        truth = read_labels_together({"y": self._read_targets(X, y, table)}, owner, self.classes_)[1][0]
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        weights = read_weights(sample_weight, table.n, owner)
        for decision in self._staged(table):
            right = self._chosen(decision) == truth
            yield float(np.average(right, weights=weights if len(weights) else None))


def _ballot(codes: np.ndarray, k: int) -> np.ndarray:
    """What naming a class adds to the decision: shape (n, k); of two, the second less the first: (n, 1)."""
    if k == 2:
        return np.choose(codes + 1, [0.0, -2.0, 2.0])[:, None]
    return np.where(codes[:, None] == np.arange(k), 1.0, -1 / (k - 1) if k > 1 else 0.0)


def _voting(models: list[Any], alphas: np.ndarray, k: int) -> Trees | None:
    """All models in one, where they are our trees."""
    if not all(is_tree(model) for model in models):
        return None
    parts = []
    for alpha, model in zip(alphas, models, strict=False):
        trees = model._trees
        parts.append(trees.saying(float(alpha) * _ballot(trees.values.argmax(axis=1), k)))
    return Trees.joined(parts, len(parts))
