"""What classification by kernel machines shares: one machine for each pair of classes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np

from clinfa.arrays import Table, is_dataset
from clinfa.blas import one_thread
from clinfa.class_weight import class_factors, class_weight_rule
from clinfa.errors import NotFittedError, twin
from clinfa.kinds import Classifier, OnlyIf
from clinfa.params import boolean, fitted, one_of, param, seed
from clinfa.svm._calibration import folds_of, sigmoid_of
from clinfa.svm._distinct import Distinct
from clinfa.svm._kernels import Shape, Source
from clinfa.svm._machine import Machine, MachineFit, dual_of
from clinfa.svm._smo import Batch, Problem, Solution
from clinfa.svm._votes import class_scores, coupled, of_pairs, pair_list, pairs_of, winners
from clinfa.targets import Labels, check_lengths
from clinfa.threads import jobs

__all__ = ["PairMachine"]

_SURE = 100.0  # what the exponent of a probability of one, or zero, is for
_SMALL = 1 << 18  # kernel values of all pairs, below which threads do not pay

Pair = tuple[np.ndarray, np.ndarray]  # the records of two classes


@dataclass(frozen=True, slots=True)
class ClassifierFit(MachineFit):
    """What fitting found."""

    class_weight: np.ndarray
    probA: np.ndarray
    probB: np.ndarray


def _has_probabilities(model: Any) -> None:
    if not (model.probability is True or len(model.__dict__.get("probA_", ()))):
        raise AttributeError("predict_proba is not available when probability=False")


class PairMachine(Machine, Classifier):
    """A machine for each pair of classes."""

    _alone: ClassVar[str] = "Invalid input"

    class_weight: Any = param(None, class_weight_rule())
    decision_function_shape: Literal["ovr", "ovo"] = param("ovr", one_of("ovo", "ovr"))
    break_ties: bool = param(False, boolean())
    probability: bool = param(False, boolean() | one_of("deprecated"))
    random_state: Any = param(None, seed())

    classes_: np.ndarray = fitted()
    class_weight_: np.ndarray = fitted()
    probA_: np.ndarray = fitted()
    probB_: np.ndarray = fitted()

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the classes.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; with "precomputed" their kernel. A Dataset's targets and weights are used unless
            others are given.
        y : array-like of shape (n_samples,), or Pr of shape (n_samples,) or (n_samples, n_classes)
            The label of each record: int, str or bool. Probabilities of True, or of each class, make a record
            count for every class with that share of its weight; then `predict_proba` is there too.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record; those that are not above zero are left out.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        given = X.targets if y is None and is_dataset(X) else y
        if not _are_probabilities(given):
            return super().fit(X, y, sample_weight)
        self._check_params()
        table, weights = self._read_fit(X, sample_weight)
        return self._fit_shares(table, np.asarray(given), weights)

    def _fit_shares(self, table: Table, shares: np.ndarray, weights: np.ndarray) -> Self:
        """Every record stands once for each class that it may be of."""
        check_lengths(table.X, shares)
        classes = np.array([False, True]) if shares.ndim == 1 else np.arange(shares.shape[1])
        shares = np.stack([1 - shares, shares], axis=1) if shares.ndim == 1 else shares
        if isinstance(self._kernel, str) and self._kernel == "precomputed":
            raise ValueError("Targets that are probabilities need records, not a precomputed kernel.")
        record, code = np.nonzero(shares)
        own = shares[record, code].astype(np.float64) * (weights[record] if len(weights) else 1.0)
        several = Table(table.part(record).X, table.names)
        found = self._fit(several, Labels(code, classes), own, probability=True)
        found = replace(found, support=record[found.support].astype(np.int32), shape_fit=(table.n, table.d))
        return self._publish(found, table, classes_=classes)

    def _problem(self, C: np.ndarray, first: int) -> Problem | float:
        """The problem of a pair: `first` records of one class, then those of the other; C for each.

        Or the sign of the class that always wins.
        """

    def _together(self, C: np.ndarray, ends: list[int]) -> Batch | None:
        """The problems of all pairs at once, where there is such a thing: a class goes from end to end."""

    def _finished(self, solution: Solution) -> tuple[np.ndarray, float]:
        """Coefficients and intercept, above zero for the first class of the pair."""

    def _fit(
        self, table: Table, labels: Labels, weights: np.ndarray, probability: bool = False
    ) -> ClassifierFit:
        k = labels.n_classes
        if k < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {k} class")
        factors = class_factors(self.class_weight, labels, np.maximum(weights, 0))
        C = factors[labels.codes]
        if len(weights):
            with np.errstate(over="ignore"):
                C *= weights
        records = self._distinct(table, weights, C, labels.codes)
        counts = np.bincount(labels.codes[records.first], minlength=k).tolist()
        if len(records.first) == max(counts):
            raise ValueError(f"{self._alone} - all samples with positive weights belong to the same class.")
        source, shape = self._source(table, records)
        ends = [0, *itertools.accumulate(counts)]
        size = sum((counts[i] + counts[j]) ** 2 for i, j in pair_list(k))
        threads, curves = k > 2 and size > _SMALL, probability or self.probability is True
        source = source.whole() if threads or curves else source
        together = self._together(records.C, ends) if source.small is not None and all(counts) else None
        sigmoids = np.empty((0, 2), table.dtype)
        if together is not None:
            solutions = self._solve(source, together)
        else:
            by_class = [np.arange(*some) for some in itertools.pairwise(ends)]
            pairs = [(by_class[i], by_class[j]) for i, j in pair_list(k)]
            solutions = self._solutions(source, pairs, records.C, threads)
            if curves:
                run = jobs if threads else map
                folds = folds_of(labels.codes[records.first], self.random_state)
                curve = run(lambda pair: self._sigmoid(source, pair, folds, records), pairs)
                sigmoids = np.array(list(curve), table.dtype)
        return self._assemble(table, labels, records, ends, solutions, sigmoids, factors, shape)

    def _sigmoid(
        self, source: Source, pair: Pair, folds: np.ndarray, records: Distinct
    ) -> tuple[float, float]:
        def fit(both: np.ndarray, first: int) -> tuple[np.ndarray, float]:
            (solution,) = self._solutions(source, [(both[:first], both[first:])], records.C)
            if isinstance(solution, float):
                return np.zeros(len(both)), solution
            return self._finished(solution)

        if not len(pair[0]) or not len(pair[1]):
            return 0.0, -_SURE if len(pair[0]) else _SURE
        return sigmoid_of(source, pair, folds, records.mass, fit)

    def _solutions(
        self, source: Source, pairs: list[Pair], C: np.ndarray, threads: bool = False
    ) -> list[Solution | float]:
        """What was found for each pair, or the sign of the class that always wins."""
        if threads:
            return [each for (each,) in jobs(lambda pair: self._solutions(source, [pair], C), pairs)]
        posed = [self._posed(pair, C) for pair in pairs]
        parts = [part for part in posed if not isinstance(part, float)]
        found = iter(self._solve(source, parts) if parts else [])
        return [part if isinstance(part, float) else next(found) for part in posed]

    def _posed(self, pair: Pair, C: np.ndarray) -> tuple[np.ndarray, Problem] | float:
        """The records of a pair and its problem, or the sign of the class that always wins."""
        if not len(pair[0]) or not len(pair[1]):
            return 1.0 if len(pair[0]) else -1.0  # all of the other weigh nothing
        both = np.concatenate(pair)
        problem = self._problem(C[both], len(pair[0]))
        return problem if isinstance(problem, float) else (both, problem)

    def _assemble(
        self,
        table: Table,
        labels: Labels,
        records: Distinct,
        ends: list[int],
        solutions: list[Solution | float],
        sigmoids: np.ndarray,
        factors: np.ndarray,
        shape: Shape,
    ) -> ClassifierFit:
        k = labels.n_classes
        dual = np.zeros((k - 1, len(records.first)))
        figures = np.zeros((4, len(solutions)))  # intercepts, steps, objectives, violations
        for p, ((i, j), found) in enumerate(zip(pair_list(k), solutions, strict=True)):
            if isinstance(found, float):
                figures[0, p] = found
                continue
            b, intercept = self._finished(found)
            count = ends[i + 1] - ends[i]
            dual[j - 1, ends[i] : ends[i + 1]] = b[:count]
            dual[i, ends[j] : ends[j + 1]] = b[count:]
            figures[:, p] = intercept, found.n_steps, found.objective, found.gap
        intercept, n_steps, objective, violation = figures
        if not (np.isfinite(dual).all() and np.isfinite(intercept).all()):
            raise ValueError(
                "The dual coefficients or intercepts are not finite. The input data may contain large values "
                "and need to be preprocessed."
            )
        dual = records.shared(dual)
        used = dual.any(axis=0).nonzero()[0]
        codes = labels.codes[used]
        order = codes.argsort(kind="stable")
        support = used[order]
        dual = dual[:, support]
        if k == 2:  # scikit-learn's: above zero for the second class
            dual, intercept = -dual, -intercept
        vectors, points = self._support_of(table, support)
        return ClassifierFit(
            support=support.astype(np.int32),
            support_vectors=vectors,
            n_support=np.bincount(codes, minlength=k).astype(np.int32),
            dual_coef=dual_of(dual, table),
            intercept=intercept.astype(table.dtype),
            n_iter=n_steps.astype(np.int32),
            fit_status=self._warn([some for some in solutions if isinstance(some, Solution)]),
            shape_fit=(table.n, table.d),
            objective=objective.astype(table.dtype),
            violation=violation.astype(table.dtype),
            _gamma=shape.plain_gamma,
            _shape=shape,
            _points=points,
            class_weight=factors.astype(table.dtype, copy=False),
            probA=sigmoids[:, 0].copy(),
            probB=sigmoids[:, 1].copy(),
        )

    def _decisions(self, table: Table) -> np.ndarray:
        """One function for each pair: shape (n,) of two classes, else (n, pairs)."""
        k = len(self.classes_)
        if k == 2:
            return self._one(table)
        dual = self.dual_coef_.toarray() if hasattr(self.dual_coef_, "toarray") else self.dual_coef_
        ends = np.concatenate([[0], np.cumsum(self.n_support_)])
        parts = [(slice(int(a), int(z)), dual[:, a:z].T) for a, z in itertools.pairwise(ends)]
        return of_pairs(self._sums(table, parts), self.intercept_).astype(self._type(table), copy=False)

    def _codes(self, table: Table) -> np.ndarray:
        if self.break_ties and self.decision_function_shape == "ovo":
            raise ValueError("break_ties must be False when decision_function_shape is 'ovo'")
        k, decisions = len(self.classes_), self._decisions(table)
        if k == 2:
            return (decisions > 0).astype(np.int64)
        return class_scores(decisions, k).argmax(axis=1) if self.break_ties else winners(decisions, k)

    def decision_function(self, X: Any) -> Any:
        """How clearly records belong to the classes.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            With "precomputed" the kernel between them and the fitted records.

        Returns
        -------
        decisions : ndarray of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_pairs)
            Of two classes one column, above zero for the second. Else, with "ovr", the pairs that a class
            wins and less than half a vote for how clearly; with "ovo", the function of each pair, above zero
            for its first class. A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        out, k = self._decisions(self._read_new(X)), len(self.classes_)
        if k > 2 and self.decision_function_shape == "ovr":
            out = class_scores(out, k).astype(out.dtype, copy=False)
        return X.with_targets(out) if is_dataset(X) else out

    @OnlyIf(_has_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """The probability of each class.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Within each pair of classes a logistic curve of its function, learned on held-out folds; all pairs
            agree with them best. They may favour another class than `predict`. A Dataset whose targets are
            these, as `clinfa.Pr`, where X is one.

        Raises
        ------
        AttributeError
            If `probability` is False, and the targets were no probabilities.
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        out = self._probabilities(self._read_new(X))
        if not is_dataset(X):
            return out
        from clinfa.dataset import Pr  # from a floor above: who passes a Dataset has loaded it

        return X.with_targets(Pr(out), [str(label) for label in self.classes_])

    @OnlyIf(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
            A Dataset with those targets where X is one.

        Raises
        ------
        AttributeError, NotFittedError, ValueError, TypeError
            As for `predict_proba`.
        """
        with np.errstate(divide="ignore"):
            out = np.log(self._probabilities(self._read_new(X)))
        return X.with_targets(out, [str(label) for label in self.classes_]) if is_dataset(X) else out

    def _probabilities(self, table: Table) -> np.ndarray:
        if not len(self.probA_):
            raise twin(NotFittedError)("predict_proba is not available when fitted with probability=False")
        k, decisions = len(self.classes_), self._decisions(table)
        if k == 2:
            decisions = -decisions.reshape(-1, 1)  # (here above zero for the first class)
        z = self.probA_.astype(np.float64) * decisions + self.probB_
        with np.errstate(over="ignore"):
            p = 1.0 / (1.0 + np.exp(z))
        dtype = self._type(table)
        if k == 2:
            return np.concatenate([p, 1 - p], axis=1).astype(dtype, copy=False)
        first, second = pairs_of(k)
        pairwise = np.zeros((len(p), k, k))
        pairwise[:, first, second], pairwise[:, second, first] = p, 1 - p
        return coupled(pairwise).astype(dtype, copy=False)

    @one_thread()
    def _weights(self) -> Any:
        if len(self.classes_) == 2:
            return super()._weights()
        k, rows = len(self.classes_), []
        ends = np.concatenate([[0], np.cumsum(self.n_support_)])
        for i, j in zip(*pairs_of(k), strict=True):
            one, other = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
            rows.append(
                self.dual_coef_[[j - 1], one] @ self.support_vectors_[one]
                + self.dual_coef_[[i], other] @ self.support_vectors_[other]
            )
        if hasattr(rows[0], "tocsr"):
            from scipy.sparse import vstack

            return vstack(rows).tocsr()
        return np.concatenate(rows)


def _are_probabilities(targets: Any) -> bool:
    return getattr(type(targets), "__module__", "") == "clinfa.dataset.pr"
