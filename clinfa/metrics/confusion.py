"""`ConfusionMatrix`: how often each label was predicted for each true one, and what follows from that."""

from __future__ import annotations

import math
import warnings
from itertools import combinations
from typing import Any

import numpy as np

from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.metrics._averages import BETA, ZERO_DIVISION, balanced_accuracy, kappa, matthews, score_classes
from clinfa.metrics._counts import (
    classes_of,
    count_pairs,
    places,
    read_labels_to_count,
    read_pair,
    row_weights,
)
from clinfa.metrics._report import report_of
from clinfa.metrics._tables import html_table, short_name, text_table
from clinfa.params import none, one_of
from clinfa.targets import merge_classes

__all__ = ["ConfusionMatrix"]

_AVERAGE = one_of("auto", "binary", "macro", "micro", "weighted") | none()
_OVER = one_of("truth", "prediction", "all")
_COST = one_of("linear", "quadratic") | none()


class ConfusionMatrix:
    """How often each label was predicted for each true label.

    Rows are true labels, columns are predicted ones.

    Parameters
    ----------
    truth : array-like of shape (n,) or Dataset
        Labels: int, str or bool; of a Dataset, its targets.
    prediction : array-like of shape (n,) or Dataset
    labels : array-like of shape (k,), optional
        Which labels, and in which order; rows with others are left out. By default all that occur, sorted.
    weights : array-like of shape (n,), optional
        Weights of rows; by default those of the truth, if that is a Dataset which has some.

    Attributes
    ----------
    counts : ndarray of shape (k, k)
        int64, or float64 if rows are weighed. Read-only.
    labels : ndarray of shape (k,)
        Read-only.

    Raises
    ------
    ValueError
        If the columns differ in length, are empty or are not labels.

    Notes
    -----
    Scores by class take an `average`: "binary" is the score of the `positive` label (by default the greater
    of two: True, 1), "macro" the mean of all labels, "weighted" that weighted by their share of the truth,
    "micro" that of all labels counted together, and None one score for each label. "auto" is "binary" where
    there are two labels (or `positive` is given) and "macro" otherwise. `zero_division` says what 0 / 0 is:
    "warn" (0.0, with a warning), 0.0, 1.0, or nan, which takes no part in means.

    Examples
    --------
    >>> from clinfa.metrics import ConfusionMatrix
    >>> cm = ConfusionMatrix([1, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1])
    >>> cm
    truth \\ prediction  0  1
    0                   2  0
    1                   1  3
    >>> cm.precision(), cm.recall()
    (1.0, 0.75)
    >>> print(cm + cm)
    truth \\ prediction  0  1
    0                   4  0
    1                   2  6
    """

    __slots__ = ("counts", "labels")

    def __init__(self, truth: Any, prediction: Any, *, labels: Any = None, weights: Any = None):
        pair = read_pair(truth, prediction, "ConfusionMatrix")
        if pair is None:
            raise ValueError(
                "multilabel-indicator is not supported: ConfusionMatrix takes one label a row. See "
                "multilabel_confusion_matrix."
            )
        row_w = row_weights(weights, truth, len(pair[0].values), "ConfusionMatrix")
        self._set(*count_pairs(*pair, row_w, read_labels_to_count(labels)))

    def _set(self, labels: np.ndarray, counts: np.ndarray) -> None:
        self.counts, self.labels = np.ascontiguousarray(counts), labels.copy()
        self.counts.flags.writeable = self.labels.flags.writeable = False

    @classmethod
    def from_counts(cls, counts: Any, labels: Any) -> ConfusionMatrix:
        """A matrix whose counts are known: rows truth, columns prediction.

        Parameters
        ----------
        counts : array-like of shape (k, k)
        labels : array-like of shape (k,)

        Returns
        -------
        ConfusionMatrix

        Raises
        ------
        ValueError
            If the counts are no square of finite numbers, or the labels do not fit.
        """
        counts, labels = np.array(counts), read_labels_to_count(labels)
        if counts.shape != (len(labels), len(labels)) or counts.dtype.kind not in "biuf":
            raise ValueError(
                f"counts must be numbers of shape {(len(labels), len(labels))}, one row and one column for "
                f"each of the labels, got shape {counts.shape} and dtype {counts.dtype}."
            )
        if not np.isfinite(counts).all():
            raise ValueError("Input counts contains NaN or infinity.")
        self = cls.__new__(cls)
        self._set(labels, counts.astype(np.float64 if counts.dtype.kind == "f" else np.int64))
        return self

    @property
    def n_classes(self) -> int:
        return len(self.labels)

    @property
    def total(self) -> int | float:
        """All rows, or the sum of their weights."""
        return self.counts.sum().item()

    @property
    def true_positives(self) -> np.ndarray:
        """Rows of each label that were predicted to have it."""
        return self.counts.diagonal()

    @property
    def false_positives(self) -> np.ndarray:
        """Rows of other labels that were predicted to have each."""
        return self.counts.sum(axis=0) - self.true_positives

    @property
    def false_negatives(self) -> np.ndarray:
        """Rows of each label that were predicted to have another."""
        return self.support - self.true_positives

    @property
    def true_negatives(self) -> np.ndarray:
        """Rows of other labels that were predicted to have another."""
        return self.total - self.support - self.false_positives

    @property
    def support(self) -> np.ndarray:
        """Rows of each label."""
        return self.counts.sum(axis=1)

    def normalize(self, over: str = "truth") -> np.ndarray:
        """Shares instead of counts; 0 where there is nothing to share.

        Parameters
        ----------
        over : {"truth", "prediction", "all"}
            Rows add up to one, columns do, or all does.

        Returns
        -------
        ndarray of shape (k, k)
        """
        _OVER.check("over", over, "ConfusionMatrix.normalize")
        axis = {"truth": 1, "prediction": 0, "all": None}[over]
        sums = self.counts.sum(axis=axis, keepdims=True)
        return np.divide(self.counts, sums, out=np.zeros(self.counts.shape), where=sums != 0)

    def accuracy(self) -> float:
        """Share of rows that are predicted right."""
        if self.total == 0:
            return self._nothing("accuracy")
        return float(self.true_positives.sum() / self.total)

    def precision(
        self, average: str | None = "auto", *, positive: Any = None, zero_division: Any = "warn"
    ) -> Any:
        """Share of right ones among the rows predicted to have a label (see Notes of the class)."""
        return self._score("precision", average, positive, zero_division)

    def recall(
        self, average: str | None = "auto", *, positive: Any = None, zero_division: Any = "warn"
    ) -> Any:
        """Share of found ones among the rows that have a label (see Notes of the class)."""
        return self._score("recall", average, positive, zero_division)

    def specificity(
        self, average: str | None = "auto", *, positive: Any = None, zero_division: Any = "warn"
    ) -> Any:
        """Share of rows recognised as without a label among those without (see Notes of the class)."""
        return self._score("specificity", average, positive, zero_division)

    def f_score(
        self,
        beta: float,
        average: str | None = "auto",
        *,
        positive: Any = None,
        zero_division: Any = "warn",
    ) -> Any:
        """Harmonic mean of precision and recall, which weighs `beta` times as much (see Notes of the class).

        Macro is the mean of the labels' own values.
        """
        BETA.check("beta", beta, "ConfusionMatrix.f_score")
        return self._score("f-score", average, positive, zero_division, beta)

    def f1_score(
        self, average: str | None = "auto", *, positive: Any = None, zero_division: Any = "warn"
    ) -> Any:
        """Harmonic mean of precision and recall (see Notes of the class)."""
        return self._score("f-score", average, positive, zero_division)

    def jaccard(
        self, average: str | None = "auto", *, positive: Any = None, zero_division: Any = "warn"
    ) -> Any:
        """Rows that have a label on both sides among those with it on either (see Notes of the class)."""
        return self._score("jaccard", average, positive, zero_division)

    def _score(
        self, metric: str, average: str | None, positive: Any, zero_division: Any, beta: float = 1.0
    ) -> Any:
        owner = f"ConfusionMatrix.{metric.replace('-', '_')}"
        _AVERAGE.check("average", average, owner)
        ZERO_DIVISION.check("zero_division", zero_division, owner)
        if average == "auto":
            average = "binary" if self.n_classes == 2 or positive is not None else "macro"
        of = classes_of(self.labels, self.counts)
        hits, truth, prediction = of.hits, of.truth, of.prediction
        if metric == "specificity":
            hits, truth, prediction = self.true_negatives, of.total - truth, of.total - prediction
        if average == "binary":
            at = [self._positive(positive)]
            hits, truth, prediction = hits[at], truth[at], prediction[at]
        elif positive is not None:
            raise ValueError(f"positive (set to {positive!r}) has no meaning for average={average!r}.")
        return score_classes(
            *(metric, hits, truth, prediction),
            average=average,
            zero_division=zero_division,
            beta=beta,
            stacklevel=4,
        )

    def _positive(self, label: Any) -> int:
        if label is None:
            if self.n_classes != 2:
                raise ValueError(
                    f"average='binary' takes the greater of two labels; of {self.n_classes} labels say which "
                    f"one is `positive`, or choose another average: 'macro', 'micro', 'weighted' or None."
                )
            label = max(self.labels.tolist())
        at = int(places(self.labels, np.array([label]))[0])
        if at < 0:
            raise ValueError(f"positive={label!r} is not a valid label. It should be one of {self.labels}.")
        return at

    def balanced_accuracy(self, *, adjusted: bool = False) -> float:
        """Mean recall of the labels that the truth has; `adjusted`: 0 for a guess, 1 for all right."""
        return balanced_accuracy(self.true_positives, self.support, adjusted)

    def mcc(self) -> float:
        """Matthews' correlation coefficient, of any number of labels; 0 where one side has one label only."""
        of = classes_of(self.labels, self.counts)
        return matthews(of.hits, of.truth, of.prediction, of.total)

    def cohen_kappa(self, weights: str | None = None) -> float:
        """Agreement beyond chance; `weights`: None, "linear" or "quadratic" in how far apart labels are."""
        _COST.check("weights", weights, "ConfusionMatrix.cohen_kappa")
        value = kappa(self.counts, weights)
        return self._nothing("Cohen's kappa") if value is None else value

    def _nothing(self, what: str) -> float:
        warnings.warn(
            f"{what} is ill-defined here (0 / 0) and set to nan.",
            twin(UndefinedMetricWarning),
            stacklevel=3,
        )
        return math.nan

    def split_one_vs_all(self) -> list[ConfusionMatrix]:
        """For each label, the matrix of having it: labels False and True."""
        quarters = [
            *(self.true_negatives, self.false_positives),
            *(self.false_negatives, self.true_positives),
        ]
        return [
            self.from_counts(np.reshape(four, (2, 2)), [False, True]) for four in np.stack(quarters, axis=1)
        ]

    def split_one_vs_one(self) -> list[ConfusionMatrix]:
        """For each of the k (k - 1) / 2 pairs of labels, the matrix of the rows with these on both sides."""
        pairs = (list(pair) for pair in combinations(range(self.n_classes), 2))
        return [self.from_counts(self.counts[np.ix_(pair, pair)], self.labels[pair]) for pair in pairs]

    def __add__(self, other: Any) -> ConfusionMatrix:
        """Both together, as of two folds: of the labels of both."""
        if isinstance(other, int) and other == 0:  # what `sum` begins with
            return self
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        labels = self.labels
        if not np.array_equal(labels, other.labels):
            if len({some.labels.dtype.kind in "UO" for some in (self, other)}) > 1:
                raise ValueError(
                    f"Mix of label input types (string and number): {self.labels} and {other.labels}."
                )
            labels = merge_classes([self.labels, other.labels])
        counts = np.zeros((len(labels),) * 2, np.result_type(self.counts, other.counts))
        for some in (self, other):
            at = places(labels, some.labels)
            counts[np.ix_(at, at)] += some.counts
        return self.from_counts(counts, labels)

    __radd__ = __add__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        return np.array_equal(self.labels, other.labels) and np.array_equal(self.counts, other.counts)

    __hash__ = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False and dtype is not None and np.dtype(dtype) != self.counts.dtype:
            raise ValueError(f"A copy is needed to make {dtype} of counts of dtype {self.counts.dtype}.")
        return self.counts.astype(dtype or self.counts.dtype, copy=bool(copy))

    def __reduce__(self) -> tuple:
        return self.from_counts, (self.counts, self.labels)

    def __repr__(self) -> str:
        return text_table(self.counts, self.labels)

    def _repr_html_(self) -> str:
        return html_table(self.counts, self.labels)

    def report(self, *, digits: int = 2, zero_division: Any = "warn") -> str:
        """Precision, recall, F1 and support of each label, and their averages, as text.

        Parameters
        ----------
        digits : int
            Decimals.
        zero_division : {"warn", 0.0, 1.0, nan}

        Returns
        -------
        str
        """
        ZERO_DIVISION.check("zero_division", zero_division, "ConfusionMatrix.report")
        counts = classes_of(self.labels, self.counts)
        return report_of(counts, self.labels, all_labels=True, zero_division=zero_division).as_text(digits)

    def plot(self, ax: Any = None, *, normalize: str | None = None) -> Any:
        """Draw the matrix: the darker a field, the more rows.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to; by default on a new figure.
        normalize : {"truth", "prediction", "all"}, optional
            Draw shares instead of counts.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        values = self.counts if normalize is None else self.normalize(normalize)
        if ax is None:
            try:
                from matplotlib import pyplot  # an extra, and slow to load
            except ImportError as error:
                raise ImportError(
                    "ConfusionMatrix.plot needs matplotlib: pip install clinfa[plot]"
                ) from error
            size = min(max(3.2, 1.4 + 0.6 * self.n_classes), 12)
            ax = pyplot.subplots(figsize=(size + 0.8, size), layout="constrained")[1]
        _draw(ax, values, [short_name(label) for label in self.labels])
        return ax


def _draw(ax: Any, values: np.ndarray, names: list[str]) -> None:
    k, most = len(names), max(values.max(), 0) or 1
    image = ax.imshow(values, cmap="Blues", vmin=min(values.min(), 0), vmax=most)
    ax.figure.colorbar(image, ax=ax, shrink=0.8)
    step = -(-k // 25)  # so many names have room
    ax.set_xticks(range(0, k, step), names[::step])
    ax.set_yticks(range(0, k, step), names[::step])
    if k > 6 or max(map(len, names)) > 6:
        ax.tick_params(axis="x", rotation=90)
    ax.set_xlabel("prediction")
    ax.set_ylabel("truth")
    if k > 20:  # numbers would not fit their fields
        return
    for i in range(k):
        for j in range(k):
            text = f"{values[i, j]:.2f}" if values[i, j] % 1 else f"{values[i, j]:.0f}"
            colour = "white" if values[i, j] > 0.55 * most else "black"
            ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=10 if k <= 10 else 7)
