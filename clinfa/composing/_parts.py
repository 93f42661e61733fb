"""What composed models ask of the models inside them, whoever made those."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from clinfa.params import shown
from clinfa.recipes import answer

__all__ = ["common_width", "score_method", "scores"]


def common_width(models: Iterable[Any], where: str) -> int | None:
    """How many columns all models expect, where they know.

    Raises
    ------
    ValueError
        If they expect different numbers.
    """
    widths = sorted({m.n_features_in_ for m in models if hasattr(m, "n_features_in_")})
    if len(widths) > 1:
        raise ValueError(f"All models of {where} must be fitted on the same columns; theirs are {widths}.")
    return int(widths[0]) if widths else None


def score_method(model: Any, order: tuple[str, ...], where: str) -> str:
    """The first of some methods that a model has.

    Raises
    ------
    TypeError
        If it has none of them.
    """
    for method in order:
        if hasattr(model, method):
            return method
    raise TypeError(f"{where} has none of {', '.join(order)}: {shown(model)}.")


def scores(model: Any, method: str, X: Any, where: str) -> np.ndarray:
    """How strongly a model of two classes holds with the second of them (or with True), for each record.

    Raises
    ------
    ValueError
        If what it says are no such scores.
    """
    out = answer(model, method, X)
    if method == "predict_proba":
        return _of_true(out, getattr(model, "classes_", None), where)
    if out.ndim == 2 and out.shape[1] == 1:
        out = out[:, 0]
    if out.ndim != 1:
        raise ValueError(f"{where} must tell two classes apart, but its {method} has shape {out.shape}.")
    if out.dtype.kind != "f":
        raise ValueError(
            f"{where} predicts labels (dtype {out.dtype}); scores are wanted: predict_proba, "
            f"decision_function or a predict that returns floats."
        )
    return out


def _of_true(P: np.ndarray, classes: Any, where: str) -> np.ndarray:
    """The column of the second class; a model that was fitted on one class only knows True or False."""
    if P.ndim == 1:
        return P
    if P.shape[1] == 2:
        return P[:, 1]
    if P.shape[1] == 1 and classes is not None and np.asarray(classes).dtype.kind in "biu":
        return P[:, 0] if classes[0] else np.zeros_like(P[:, 0])
    raise ValueError(f"{where} must tell two classes apart, but its classes are {shown(classes)}.")
