"""Classes by the vote of neighbours."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from clinfa.arrays import Table, is_dataset, read_weights
from clinfa.kinds import Classifier
from clinfa.neighbors._base import Neighbours, NeighboursFit
from clinfa.neighbors._queries import KNeighbours, RadiusNeighbours
from clinfa.neighbors._votes import NO_WEIGHT, Weights, tally, weigh, weights_rule
from clinfa.params import Rule, fitted, none, param, shown
from clinfa.targets import as_array, check_lengths, read_labels, read_labels_together

__all__ = ["KNeighborsClassifier", "RadiusNeighborsClassifier"]

_VOTES = 1 << 22  # counted at a time


@dataclass(frozen=True, slots=True)
class VotersFit(NeighboursFit):
    """What fitting found."""

    classes: Any  # (k,), or a list of such for several targets
    outputs_2d: bool
    _codes: np.ndarray  # (n_targets, n)
    _known: list[np.ndarray]  # for each target, the labels that may be predicted
    _dtype: str


class _Voting(Neighbours, Classifier):
    """What classifying by neighbours has in common, whoever the neighbours are."""

    weights: Weights = param("uniform", weights_rule())

    classes_: Any = fitted()
    outputs_2d_: bool = fitted()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Take the records among which neighbours are looked for, and their labels.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The records; a matrix of distances of shape (n_samples, n_samples) where the metric is
            "precomputed". A Dataset's targets are used unless others are given; its weights are not.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The labels: int, str or bool.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed; the message names which, and what is.
        """
        self._check_params()
        table, _ = self._read_fit(X, None)
        columns = _several(X, y, table) or [self._read_targets(X, y, table)]
        return self._publish(self._fit(table, columns), table)

    def _fit(self, table: Table, columns: list[np.ndarray]) -> VotersFit:
        owner = type(self).__name__
        labels = [read_labels(column, owner) for column in columns]
        classes = [some.classes for some in labels]
        several = len(columns) > 1
        found = self._look(table)
        return VotersFit(
            *found.parts(),
            *(classes if several else classes[0], several, np.array([some.codes for some in labels])),
            *(classes, table.dtype.str),
        )

    def _votes(self, Q: Table | None) -> Any:
        """Where the voters of each query begin, their rows and their weights."""
        begin, rows, distances = self._voters(Q)
        return begin, rows, weigh(self.weights, begin, distances, self._width())

    def _width(self) -> int | None:
        """How many voters each query has, where that is always the same."""
        return None

    def _tallies(self, votes: Any, target: int) -> Any:
        """Counted votes, some queries at a time: the first of them, and shape (n_some, n_classes)."""
        begin, rows, weights = votes
        k = len(self._classes_of(target))
        step = max(1, _VOTES // k)
        for i in range(0, len(begin) - 1, step):
            part = begin[i : i + step + 1]
            own = slice(part[0], part[-1])
            some = None if weights is None else weights[own]
            yield i, self._counted(part - part[0], rows[own], some, target, k)

    def _counted(
        self, begin: np.ndarray, rows: np.ndarray, weights: np.ndarray | None, target: int, k: int
    ) -> np.ndarray:
        counts = tally(begin, rows, weights, self._codes[target], k)
        if weights is not None and not counts.any(axis=1).all():
            raise ValueError(NO_WEIGHT)
        return counts

    def _classes_of(self, target: int) -> np.ndarray:
        return self.classes_[target] if self.outputs_2d_ else self.classes_

    def _elected(self, counts: np.ndarray, target: int) -> np.ndarray:
        """Places among the labels that may be predicted: of equal votes the first."""
        return counts.argmax(axis=1)

    def _all_codes(self, Q: Table | None) -> list[np.ndarray]:
        """Which of the labels that may be predicted is, for each target."""
        votes = self._votes(Q)
        return [
            np.concatenate([self._elected(counts, j) for _, counts in self._tallies(votes, j)])
            for j in range(len(self._codes))
        ]

    def predict(self, X: Any) -> Any:
        """The class that most neighbours are of; of equally many the first.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_queries, n_features), or None
            None stands for the fitted records, each of which is left out of its own neighbours.

        Returns
        -------
        labels : ndarray of shape (n_queries,) or (n_queries, n_targets)
            A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If X is not such records as were learned from, or all neighbours of a record weigh nothing.
        """
        codes = self._all_codes(self._read_new(X))
        each = [known[some] for known, some in zip(self._known, codes, strict=True)]
        labels = np.stack(each, axis=1) if self.outputs_2d_ else each[0]
        return X.with_targets(labels, class_names=X.class_names) if is_dataset(X) else labels

    def predict_proba(self, X: Any) -> Any:
        """The share of each class in the votes.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_queries, n_features), or None
            None stands for the fitted records, each of which is left out of its own neighbours.

        Returns
        -------
        probabilities : ndarray of shape (n_queries, n_classes)
            Columns in the order of `classes_`; a list of such arrays where there are several targets. A
            Dataset whose targets are these, as `clinfa.Pr`, where X is one (a list of Datasets).

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        Q = self._read_new(X)
        votes = self._votes(Q)
        out = [self._shares(votes, j, self._dtype if Q is None else Q.dtype) for j in range(len(self._codes))]
        if is_dataset(X):
            from clinfa.dataset import Pr  # from a floor above: who passes a Dataset has loaded it

            out = [
                X.with_targets(Pr(some), [str(label) for label in self._classes_of(j)])
                for j, some in enumerate(out)
            ]
        return out if self.outputs_2d_ else out[0]

    def _shares(self, votes: Any, target: int, dtype: Any) -> np.ndarray:
        out = np.empty((len(votes[0]) - 1, len(self._classes_of(target))), dtype)
        for i, counts in self._tallies(votes, target):
            total = counts.sum(axis=1, keepdims=True)
            out[i : i + len(counts)] = counts / np.where(total == 0, 1, total)
        return out

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The share of records all of whose classes are predicted rightly.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_queries, n_features), or None
            A Dataset's targets and weights are used unless others are given. None stands for the fitted
            records, each of which is left out of its own neighbours.
        y : array-like of shape (n_queries,) or (n_queries, n_targets)
            The true labels.
        sample_weight : array-like of shape (n_queries,), optional

        Returns
        -------
        accuracy : float

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`, or if y are no labels.
        """
        Q = self._read_new(X)
        n = self.n_samples_fit_ if Q is None else Q.n
        owner = type(self).__name__
        table = Table(np.empty((n, 1))) if Q is None else Q
        columns = _several(X, y, table) or [self._read_targets(X, y, table)]
        if len(columns) != len(self._codes):
            raise ValueError(
                f"y has {len(columns)} target(s), but {owner} was fitted with {len(self._codes)}."
            )
        sample_weight = X.weights if is_dataset(X) and sample_weight is None else sample_weight
        weights = read_weights(sample_weight, n, owner)
        right = np.ones(n, bool)
        for column, known, codes in zip(columns, self._known, self._all_codes(Q), strict=True):
            right &= codes == read_labels_together({"y": column}, owner, known)[1][0]
        return float(np.average(right, weights=weights if len(weights) else None))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


def _several(X: Any, y: Any, table: Table) -> list[np.ndarray]:
    """The labels of several targets, each; none where there is but one."""
    given = as_array(X if y is None and is_dataset(X) else y, "y")
    if given.ndim != 2 or given.shape[1] < 2:
        return []
    check_lengths(table.X, given)
    return list(given.T)


class KNeighborsClassifier(KNeighbours, _Voting):
    """The class that most of the nearest records are of.

    Of classes with equally many votes the first in order wins. Nothing is approximate, and records at equal
    distances are told apart by their number [1]_.

    Parameters
    ----------
    n_neighbors : int, default 5
        How many records vote.
    weights : {"uniform", "distance"}, callable or None, default "uniform"
        What a vote counts: "uniform" (or None) one, "distance" one by the distance (where some neighbours are
        at no distance, only those count); or a function that is given the distances, of shape
        (n_queries, n_neighbors), and returns weights.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default "auto"
        Which metrics are allowed, as for `NearestNeighbors`.
    leaf_size : int, default 30
        Accepted for scikit-learn's sake.
    p : float, default 2
        The exponent of "minkowski".
    metric : str or callable, default "minkowski"
        The name of a distance, "precomputed" for distances instead of records, or a function of two records.
    metric_params : dict, optional
        Further arguments of the metric.
    n_jobs : int, optional
        Accepted for scikit-learn's sake; `clinfa.config_context` says how many threads there are.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; a list of such arrays where there are several targets.
    outputs_2d_ : bool
        Whether there are several targets.
    effective_metric_ : str or callable
    effective_metric_params_ : dict
    n_samples_fit_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] T. M. Cover and P. E. Hart, Nearest neighbor pattern classification, IEEE Transactions on
       Information Theory 13, 1967.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.neighbors import KNeighborsClassifier
    >>> iris = load_iris()
    >>> model = KNeighborsClassifier(n_neighbors=7).fit(iris)
    >>> round(model.score(None, iris), 2)
    0.97
    >>> model.predict_proba([[6.0, 2.8, 4.9, 1.7]]).round(2)
    array([[0.  , 0.14, 0.86]])
    """

    def _width(self) -> int | None:
        return self.n_neighbors


@dataclass(frozen=True, slots=True)
class RadiusVotersFit(VotersFit):
    outlier_label: list[Any] | None
    _outlier_place: list[int]  # for each target, which of the known labels that is


class RadiusNeighborsClassifier(RadiusNeighbours, _Voting):
    """The class that most of the records within a radius are of.

    Of classes with equally many votes the first in order wins [1]_.

    Parameters
    ----------
    radius : float, default 1.0
        How far the records that vote are at most.
    weights : {"uniform", "distance"}, callable or None, default "uniform"
        What a vote counts: "uniform" (or None) one, "distance" one by the distance (where some neighbours are
        at no distance, only those count); or a function that is given an array of arrays of distances and
        returns weights in the same form.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default "auto"
        Which metrics are allowed, as for `NearestNeighbors`.
    leaf_size : int, default 30
        Accepted for scikit-learn's sake.
    p : float, default 2
        The exponent of "minkowski".
    metric : str or callable, default "minkowski"
        The name of a distance, "precomputed" for distances instead of records, or a function of two records.
    outlier_label : int, str, array-like of shape (n_targets,) or None, default None
        The label of a record without neighbours: "most_frequent" for that of most records, one for all
        targets or one each. With None such a record is an error.
    metric_params : dict, optional
        Further arguments of the metric.
    n_jobs : int, optional
        Accepted for scikit-learn's sake; `clinfa.config_context` says how many threads there are.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; a list of such arrays where there are several targets.
    outlier_label_ : list or None
        The label for records without neighbours, for each target.
    outputs_2d_ : bool
        Whether there are several targets.
    effective_metric_ : str or callable
    effective_metric_params_ : dict
    n_samples_fit_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] E. Fix and J. L. Hodges, Discriminatory analysis: nonparametric discrimination, USAF School of
       Aviation Medicine, 1951.

    Examples
    --------
    >>> from clinfa.neighbors import RadiusNeighborsClassifier
    >>> model = RadiusNeighborsClassifier(1.0, outlier_label="most_frequent")
    >>> model.fit([[0.0], [1.0], [2.0], [3.0], [4.0]], ["a", "a", "b", "b", "b"]).predict([[0.4], [99.0]])
    array(['a', 'b'], dtype='<U1')
    """

    outlier_label: Any = param(
        None,
        none()
        | Rule("an int", lambda v: isinstance(v, int | np.integer | np.bool_))
        | Rule("a str", lambda v: isinstance(v, str))
        | Rule(
            "an array-like of shape (n_targets,)",
            lambda v: isinstance(v, list | tuple) or (isinstance(v, np.ndarray) and v.ndim > 0),
        ),
    )

    outlier_label_: list[Any] | None = fitted()

    def _fit(self, table: Table, columns: list[np.ndarray]) -> RadiusVotersFit:
        found = super()._fit(table, columns)
        labels = self._outlier_labels(found)
        known, places = found._known, [0] * len(columns)
        if labels is not None:
            known, places = map(list, zip(*map(_with_label, known, labels), strict=True))
        return RadiusVotersFit(
            *found.parts(),
            *(found.classes, found.outputs_2d, found._codes, known, found._dtype, labels, places),
        )

    def _outlier_labels(self, found: VotersFit) -> list[Any] | None:
        given = self.outlier_label
        if given is None:
            return None
        if isinstance(given, str) and given == "most_frequent":
            return [
                classes[np.bincount(codes).argmax()]
                for classes, codes in zip(found._known, found._codes, strict=True)
            ]
        if not isinstance(given, list | tuple | np.ndarray):
            return [given] * len(found._known)
        if len(given) != len(found._known):
            raise ValueError(
                f"The length of outlier_label: {shown(given)} is inconsistent with the output length: "
                f"{len(found._known)}"
            )
        return list(given)

    def _votes(self, Q: Table | None) -> Any:
        votes = super()._votes(Q)
        alone = np.flatnonzero(np.diff(votes[0]) == 0)
        if len(alone):
            if self.outlier_label_ is None:
                raise ValueError(
                    f"No neighbors found for test samples {alone!r}, you can try using larger radius, giving "
                    f"a label for outliers, or considering removing them from your dataset."
                )
            for j, label in enumerate(self.outlier_label_):
                if len(self._known[j]) > len(self._classes_of(j)):
                    warnings.warn(
                        f"Outlier label {label} is not in training classes. All class probabilities of "
                        f"outliers will be assigned with 0.",
                        stacklevel=3,
                    )
        return votes

    def _counted(
        self, begin: np.ndarray, rows: np.ndarray, weights: np.ndarray | None, target: int, k: int
    ) -> np.ndarray:
        counts = tally(begin, rows, weights, self._codes[target], k)
        if self.outlier_label_ is None:
            if not counts.any(axis=1).all():
                raise ValueError(NO_WEIGHT)
        elif self._outlier_place[target] < k:
            counts[np.diff(begin) == 0, self._outlier_place[target]] = 1
        return counts

    def _elected(self, counts: np.ndarray, target: int) -> np.ndarray:
        return np.where(counts.any(axis=1), counts.argmax(axis=1), self._outlier_place[target])


def _with_label(classes: np.ndarray, label: Any) -> tuple[np.ndarray, int]:
    """The classes and one more label, unless it is one of them; and its place."""
    if isinstance(label, list | tuple | dict | set | np.ndarray):
        raise TypeError(
            f"The outlier_label of classes {shown(classes)} is supposed to be a scalar, got {shown(label)}."
        )
    both = np.append(classes, label) if isinstance(label, str) == (classes.dtype.kind in "UO") else None
    if both is None or both.dtype.kind != classes.dtype.kind:
        raise TypeError(
            f"The dtype of outlier_label {shown(label)} is inconsistent with classes {shown(classes)} in y."
        )
    found = np.flatnonzero(classes == label)
    return (classes, int(found[0])) if len(found) else (both, len(classes))
