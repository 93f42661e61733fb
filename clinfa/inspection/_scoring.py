"""How good a model's predictions are: by the names that scikit-learn has for it, or by functions."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clinfa import metrics
from clinfa.params import shown
from clinfa.recipes import answer, kind_of_model

__all__ = ["Scoring"]

# By name: the function, whether more is better, what it is told of the predictions, its other arguments.
_CLASSES, _SCORES, _PROBABILITIES = "predict", "scores", "predict_proba"
_NAMED: dict[str, tuple[Callable, bool, str, dict]] = {
    "accuracy": (metrics.accuracy_score, True, _CLASSES, {}),
    "average_precision": (metrics.average_precision_score, True, _SCORES, {}),
    "balanced_accuracy": (metrics.balanced_accuracy_score, True, _CLASSES, {}),
    "d2_absolute_error_score": (metrics.d2_absolute_error_score, True, _CLASSES, {}),
    "d2_brier_score": (metrics.d2_brier_score, True, _PROBABILITIES, {}),
    "d2_log_loss_score": (metrics.d2_log_loss_score, True, _PROBABILITIES, {}),
    "explained_variance": (metrics.explained_variance_score, True, _CLASSES, {}),
    "matthews_corrcoef": (metrics.matthews_corrcoef, True, _CLASSES, {}),
    "neg_brier_score": (metrics.brier_score_loss, False, _PROBABILITIES, {}),
    "neg_log_loss": (metrics.log_loss, False, _PROBABILITIES, {}),
    "neg_max_error": (metrics.max_error, False, _CLASSES, {}),
    "neg_mean_absolute_error": (metrics.mean_absolute_error, False, _CLASSES, {}),
    "neg_mean_absolute_percentage_error": (metrics.mean_absolute_percentage_error, False, _CLASSES, {}),
    "neg_mean_gamma_deviance": (metrics.mean_gamma_deviance, False, _CLASSES, {}),
    "neg_mean_poisson_deviance": (metrics.mean_poisson_deviance, False, _CLASSES, {}),
    "neg_mean_squared_error": (metrics.mean_squared_error, False, _CLASSES, {}),
    "neg_mean_squared_log_error": (metrics.mean_squared_log_error, False, _CLASSES, {}),
    "neg_median_absolute_error": (metrics.median_absolute_error, False, _CLASSES, {}),
    "neg_root_mean_squared_error": (metrics.root_mean_squared_error, False, _CLASSES, {}),
    "neg_root_mean_squared_log_error": (metrics.root_mean_squared_log_error, False, _CLASSES, {}),
    "r2": (metrics.r2_score, True, _CLASSES, {}),
    "roc_auc": (metrics.roc_auc_score, True, _SCORES, {}),
    "roc_auc_ovo": (metrics.roc_auc_score, True, _PROBABILITIES, {"multi_class": "ovo"}),
    "roc_auc_ovo_weighted": (
        *(metrics.roc_auc_score, True, _PROBABILITIES),
        {"multi_class": "ovo", "average": "weighted"},
    ),
    "roc_auc_ovr": (metrics.roc_auc_score, True, _PROBABILITIES, {"multi_class": "ovr"}),
    "roc_auc_ovr_weighted": (
        *(metrics.roc_auc_score, True, _PROBABILITIES),
        {"multi_class": "ovr", "average": "weighted"},
    ),
    "top_k_accuracy": (metrics.top_k_accuracy_score, True, _SCORES, {}),
}
for _name, _function in (
    ("f1", metrics.f1_score),
    ("jaccard", metrics.jaccard_score),
    ("precision", metrics.precision_score),
    ("recall", metrics.recall_score),
):
    _NAMED[_name] = _function, True, _CLASSES, {"average": "binary"}
    for _average in ("macro", "micro", "samples", "weighted"):
        _NAMED[f"{_name}_{_average}"] = _function, True, _CLASSES, {"average": _average}
for _name in (
    *("adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score", "fowlkes_mallows_score"),
    *("homogeneity_score", "mutual_info_score", "normalized_mutual_info_score", "rand_score"),
    "v_measure_score",
):
    _NAMED[_name] = getattr(metrics, _name), True, _CLASSES, {}


@dataclass
class _Answers:
    """What a model says of some records, asked once however many scores want to know."""

    model: Any
    X: Any
    known: dict[str, np.ndarray] = field(default_factory=dict)

    def get(self, what: str) -> np.ndarray:
        if what not in self.known:
            self.known[what] = self._asked(what)
        return self.known[what]

    def _asked(self, what: str) -> np.ndarray:
        if what != _SCORES:
            out = answer(self.model, what, self.X)
            return out[:, 1] if what == _PROBABILITIES and out.ndim == 2 and out.shape[1] == 2 else out
        if kind_of_model(self.model) == "regressor":
            return self.get(_CLASSES)
        if hasattr(self.model, "decision_function"):
            return answer(self.model, "decision_function", self.X)
        return self.get(_PROBABILITIES)


class Scoring:
    """What `scoring` asks for.

    Parameters
    ----------
    model : fitted model
    scoring : str, callable, list of str, dict or None
        None is the model's own `score`.

    Attributes
    ----------
    several : bool
        Whether scores come by name.
    """

    def __init__(self, model: Any, scoring: Any):
        self.model = model
        self.several = isinstance(scoring, list | tuple | set | dict)
        if scoring is None and not hasattr(model, "score"):
            raise TypeError(
                f"If no scoring is specified, the estimator passed should have a 'score' method. The "
                f"estimator {model!r} does not."
            )
        if not self.several:
            self._parts = {"": _usual(model) if scoring is None else _checked(scoring)}
        elif not len(scoring):
            raise ValueError(f"scoring must name one score at least, got {scoring!r}.")
        elif isinstance(scoring, dict):
            self._parts = {name: _checked(one) for name, one in scoring.items()}
        else:
            if not all(isinstance(name, str) for name in scoring):
                raise ValueError(f"A list of scores must hold their names only, got {shown(scoring)}.")
            if len(set(scoring)) < len(scoring):
                raise ValueError(f"A list of scores must hold each name once, got {shown(scoring)}.")
            self._parts = {name: _checked(name) for name in scoring}

    def __call__(self, X: Any, y: Any, weights: np.ndarray | None) -> dict[str, float]:
        """Scores by name; the name of one score alone is empty.

        (A function may return several by name, too.)
        """
        how = {} if weights is None else {"sample_weight": weights}
        answers, out = _Answers(self.model, X), {}
        for name, part in self._parts.items():
            if part is None:
                out[name] = self.model.score(X, y, **how)
            elif callable(part):
                out[name] = part(self.model, X, y, **how)
            else:
                function, more, what, arguments = part
                score = function(y, answers.get(what), **arguments, **how)
                out[name] = score if more else -score
        only = out.get("") if not self.several else None
        return {str(name): float(value) for name, value in (only if isinstance(only, dict) else out).items()}


def _usual(model: Any) -> Any:
    """What the `score` of scikit-learn's classifiers and regressors measures, where they have no other."""
    for kind, name in (("ClassifierMixin", "accuracy"), ("RegressorMixin", "r2")):
        theirs = getattr(sys.modules.get("sklearn.base"), kind, None)
        if theirs is not None and getattr(type(model), "score", None) is theirs.score:
            return _NAMED[name]
    return None


def _checked(scoring: Any) -> Any:
    if scoring is None or callable(scoring):
        return scoring
    if scoring in _NAMED if isinstance(scoring, str) else False:
        return _NAMED[scoring]
    near = difflib.get_close_matches(str(scoring), _NAMED, 1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise ValueError(
        f"The 'scoring' parameter must be a callable, None, or the name of a score, got {shown(scoring)}. "
        f"{hint}Names are: {', '.join(sorted(_NAMED))}."
    )
