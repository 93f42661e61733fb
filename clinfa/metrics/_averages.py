"""Scores of classes and their averages, from what `Counts` holds."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np

from clinfa.blas import one_thread
from clinfa.errors import UndefinedMetricWarning, twin
from clinfa.params import Rule

ZERO_DIVISION = Rule(
    "'warn', 0.0, 1.0 or nan",
    lambda v: (
        (isinstance(v, str) and v == "warn") or (isinstance(v, int | float) and (v in (0, 1) or v != v))
    ),
)
BETA = Rule("a float in [0, inf]", lambda v: isinstance(v, numbers.Real) and v >= 0)


def score_classes(
    metric: str,
    hits: np.ndarray,
    truth: np.ndarray,
    prediction: np.ndarray,
    *,
    average: str | None,
    zero_division: Any,
    beta: float = 1.0,
    warn: bool = True,
    weights: np.ndarray | None = None,
    stacklevel: int = 3,
) -> Any:
    """The score of each class (or row), or their average.

    Parameters
    ----------
    metric : {"precision", "recall", "f-score", "jaccard", "specificity"}
        For specificity, the arrays are of the rows without the label.
    hits, truth, prediction : ndarray of shape (k,)
    average : {"binary", "macro", "micro", "weighted", "samples"} or None
    zero_division : {"warn", 0.0, 1.0, nan}
        What 0 / 0 is; "warn" means 0.0 and a warning.
    beta : float
    warn : bool
        Whether "warn" is to be taken at its word.
    weights : ndarray of shape (k,) or None
        Of rows, for "samples".
    stacklevel : int
        Where the warning points to, from here.
    """
    if average == "micro":
        hits, truth, prediction = (np.array([some.sum()]) for some in (hits, truth, prediction))
    if metric == "f-score" and (beta == 0 or math.isinf(beta)):
        metric, warn = "recall" if beta else "precision", False
    if metric == "precision":
        above, below, lacking = hits, prediction, "predicted"
    elif metric == "recall":
        above, below, lacking = hits, truth, "true"
    elif metric == "specificity":
        above, below, lacking = hits, truth, "negative"
    elif metric == "f-score":
        above, below = (1 + beta * beta) * hits, beta * beta * truth + prediction
        lacking = "true nor predicted"
    else:
        above, below, lacking = hits, truth + prediction - hits, "true or predicted"
    undefined = below == 0
    if undefined.any():
        values = np.full(len(below), 0.0 if zero_division == "warn" else zero_division, np.float64)
        np.divide(above, below, out=values, where=~undefined)
        if zero_division == "warn" and warn:
            what, of = ("sample", "label") if average == "samples" else ("label", "sample")
            where = "due to" if len(values) == 1 else f"in {what}s with"
            warnings.warn(
                f"{metric.capitalize()} is ill-defined and being set to 0.0 {where} no {lacking} {of}s. "
                f"Use `zero_division` parameter to control this behavior.",
                twin(UndefinedMetricWarning),
                stacklevel=stacklevel,
            )
    else:
        values = above / below
    if average is None:
        return values
    return mean(values, truth if average == "weighted" else weights)


def mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """The mean of those that are numbers; the plain one where their weights add up to nothing."""
    if len(values) == 1:
        return float(values[0])
    known = ~np.isnan(values)
    if not known.all():
        values, weights = values[known], None if weights is None else weights[known]
    if not len(values):
        return math.nan
    total = 0 if weights is None else weights.sum()
    if total == 0:
        return float(values.sum() / len(values))
    return float((values * weights).sum() / total)


@one_thread()
def matthews(hits: np.ndarray, truth: np.ndarray, prediction: np.ndarray, total: float) -> float:
    """R_K of Gorodkin (2004); 0 where it is 0 / 0."""
    truth, prediction, total = truth.astype(float), prediction.astype(float), float(total)
    above = float(hits.sum()) * total - float(truth @ prediction)
    below = (total * total - float(truth @ truth)) * (total * total - float(prediction @ prediction))
    if below < 0:  # (weights of both signs)
        return math.nan
    return above / math.sqrt(below) if below else 0.0


def kappa(matrix: np.ndarray, weights: str | None) -> float | None:
    """Cohen's kappa of a matrix of counts; None where it is 0 / 0."""
    matrix = matrix.astype(np.float64)
    k, total = len(matrix), matrix.sum()
    if total == 0:
        return None
    expected = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / total
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    cost = (apart > 0) if weights is None else apart if weights == "linear" else apart**2
    by_chance = (cost * expected).sum()
    return None if by_chance == 0 else float(1 - (cost * matrix).sum() / by_chance)


def balanced_accuracy(hits: np.ndarray, truth: np.ndarray, adjusted: bool) -> float:
    """The mean recall of the classes that the truth has; `adjusted`: 0 for a guess, 1 for all right."""
    present = truth != 0
    share = hits[present] / truth[present]
    score = float(share.sum() / len(share)) if len(share) else math.nan
    if adjusted and len(share):
        chance = 1 / len(share)
        with np.errstate(all="ignore"):  # (of one class, guessing is always right)
            score = float((score - chance) / np.float64(1 - chance))
    return score
