"""`Roc`: how well scores tell one class from the rest, at every threshold and over all."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.metrics._areas import area_of, precision_area
from clinfa.metrics._curves import precision_recall_points, rates, roc_points, with_infinity
from clinfa.metrics._scores import rank_rows, read_scores, two_labels, weights_of
from clinfa.params import between, none, shown
from clinfa.targets import check_lengths, column, read_labels

__all__ = ["Roc"]

_MAX_FPR = between(0, 1, closed="right") | none()


class Roc:
    """The receiver operating characteristic of scores.

    Parameters
    ----------
    truth : array-like of shape (n_samples,) or Dataset
        Labels: ints, strings or bools. More than two are told as `positive` against the rest.
    scores : array-like of shape (n_samples,) or (n_samples, n_classes), or Dataset
        The greater, the more like the positive class. Of several columns, which stand for the labels in their
        order, that of the positive class is taken.
    positive : label, optional
        The positive class; by default the greater of two labels: True, 1, the later in the alphabet.
    weights : array-like of shape (n_samples,), optional
        Any finite numbers. By default those of `truth`, if it is a Dataset.

    Attributes
    ----------
    positive : label
        The class that high scores stand for.
    thresholds : ndarray of shape (n_thresholds,)
        Those of `curve`: infinity, then every different score from the highest on.

    Raises
    ------
    ValueError
        If a score is not finite, the positive class or its column cannot be told, or lengths differ.

    References
    ----------
    T. Fawcett (2006). An introduction to ROC analysis. Pattern Recognition Letters 27(8), 861-874.

    Examples
    --------
    >>> from clinfa.metrics import Roc
    >>> roc = Roc([False, True, False, True, True, True], [0.1, 0.3, 0.5, 0.7, 0.8, 0.9])
    >>> roc
    Roc(4 positive, 2 negative, area under curve 0.875)
    >>> roc.area_under_curve()
    0.875
    >>> false_positive_rate, true_positive_rate = roc.curve()
    >>> print(false_positive_rate, true_positive_rate)
    [0.  0.  0.  0.  0.5 0.5 1. ] [0.   0.25 0.5  0.75 0.75 1.   1.  ]
    >>> roc.best_threshold()
    0.7
    """

    def __init__(self, truth: Any, scores: Any, *, positive: Any = None, weights: Any = None):
        labels = column(truth, "truth")
        if not len(labels):
            raise ValueError("truth has no rows: a ROC curve needs at least one.")
        classes, self.positive = _classes_and_positive(labels, positive)
        values = read_scores(scores, "scores")
        check_lengths(labels, values)
        if values.ndim == 2:
            values = _column_of(values, classes, self.positive)
        own = weights_of(truth, weights, len(labels), "Roc")
        # The rest is read from the ranks, so the scores themselves need not be kept.
        self._ranked = rank_rows(labels == self.positive, values, own, "scores")

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """The curve from (0, 0) to (1, 1), a point for each of `thresholds`.

        Returns
        -------
        false_positive_rate, true_positive_rate : ndarray of shape (n_thresholds,)
            Share of the negatives, and of the positives, whose score is at least the threshold. NaN, with an
            `UndefinedMetricWarning`, where there are none.
        """
        fps, tps, _ = self._ranked.curve()
        return rates(fps, tps)

    @property
    def thresholds(self) -> np.ndarray:
        return with_infinity(self._ranked.curve()[2])

    def area_under_curve(self, max_fpr: float | None = None) -> float:
        """The share of pairs of a negative and a positive that scores put in order, ties counted half.

        Parameters
        ----------
        max_fpr : float in (0, 1], optional
            Only the part of the curve up to this false positive rate, scaled so that guessing has 0.5 and
            a perfect score 1.

        Returns
        -------
        float
            NaN, with an `UndefinedMetricWarning`, where there is only one class.

        References
        ----------
        D. K. McClish (1989). Analyzing a portion of the ROC curve. Medical Decision Making 9(3), 190-195.
        """
        _MAX_FPR.check("max_fpr", max_fpr, "area_under_curve")
        return area_of(self._ranked, max_fpr, stacklevel=4)

    def precision_recall_curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Precision and recall at every threshold, as `clinfa.metrics.precision_recall_curve`.

        Returns
        -------
        precision, recall : ndarray of shape (n_thresholds + 1,)
            The last point, 1 and 0, has no threshold.
        thresholds : ndarray of shape (n_thresholds,)
            Rising.
        """
        fps, tps, thresholds = self._ranked.curve()
        precision, recall = precision_recall_points(fps[1:], tps[1:])
        return precision, recall, thresholds[::-1]

    def average_precision(self) -> float:
        """The mean of the precision at each threshold, weighted by the gain in recall.

        Returns
        -------
        float
            0, with a warning, where there are no positives.
        """
        return precision_area(self._ranked, stacklevel=4)

    def best_threshold(self) -> float:
        """The score from which on to say "positive" so that Youden's J is greatest; the highest of several.

        J is the true positive rate less the false positive rate: what is gained over guessing, if both kinds
        of error weigh the same.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If there is only one class.

        References
        ----------
        W. J. Youden (1950). Index for rating diagnostic tests. Cancer 3(1), 32-35.
        """
        fps, tps, thresholds = self._ranked.curve()
        if not (fps[-1] > 0 and tps[-1] > 0):
            raise ValueError("There is no best threshold: truth holds only one class with weight.")
        gain = tps[1:] / tps[-1] - fps[1:] / fps[-1]
        return thresholds[int(gain.argmax())].item()

    def plot(self, ax: Any = None) -> Any:
        """Draw the curve, and the diagonal that guessing would give.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed: ``pip install clinfa[plot]`` brings it.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("Plots need matplotlib. Install it with: pip install clinfa[plot]") from error
        if ax is None:
            _, ax = plt.subplots(figsize=(5, 5), layout="constrained")
        fps, tps, _ = roc_points(self._ranked, drop_intermediate=True)
        fpr, tpr = rates(fps, tps)
        ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, label="guessing")
        ax.plot(fpr, tpr, linewidth=2, label=f"area under curve {self.area_under_curve():.3f}")
        ax.set(
            xlabel="false positive rate",
            ylabel="true positive rate",
            title=f"ROC curve, positive: {self.positive}",
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
            aspect="equal",
        )
        ax.legend(loc="lower right")
        return ax

    def __repr__(self) -> str:
        negatives, positives = self._ranked.totals.sum(axis=0).tolist()
        told = f"{shown(positives)} positive, {shown(negatives)} negative"
        area = f"{area_of(self._ranked):.4g}" if positives > 0 and negatives > 0 else "undefined"
        return f"Roc({told}, area under curve {area})"


def _classes_and_positive(labels: np.ndarray, positive: Any) -> tuple[list, Any]:
    """The labels that columns of scores would stand for, ascending, and the positive one."""
    two = two_labels(labels)
    if labels.dtype == bool:
        classes = [False, True]
    else:
        classes = (read_labels(labels, "Roc", "truth").classes if two is None else two[0]).tolist()
    if positive is None:
        if len(classes) > 2:
            raise ValueError(f"truth has {len(classes)} classes: name one as `positive`, against the rest.")
        positive = 1 if classes in ([0], [-1]) else classes[-1]
    if positive not in classes:
        if len(classes) > 1:
            raise ValueError(f"positive={positive!r} is not among the labels in truth: {shown(classes)}.")
        classes = sorted([*classes, positive])
    return classes, positive


def _column_of(scores: np.ndarray, classes: list, positive: Any) -> np.ndarray:
    k = scores.shape[1]
    if k not in (1, len(classes)):
        raise ValueError(
            f"scores have {k} columns, and truth has the labels {shown(classes)}: which column is whose "
            f"cannot be told. Pass the column of the positive class alone."
        )
    return np.ascontiguousarray(scores[:, 0 if k == 1 else classes.index(positive)])
