"""How far two fits agree, and how good each is: by the kind of estimator and by what both have."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from clinfa.metrics import accuracy_score, adjusted_rand_score, r2_score

LABELS = "biuU"  # dtype kinds whose values are equal or not


def agreement(ours: dict[str, Any], theirs: dict[str, Any], kind: str | None) -> dict[str, dict[str, Any]]:
    """By attribute and method: what is measured, and its value.

    Parameters
    ----------
    ours, theirs : dict
        As from `_Inside.result`.
    kind : str or None
        As scikit-learn calls it: "clusterer", "classifier", "regressor".

    Returns
    -------
    dict
        "adjusted Rand" of the labels of a clusterer, "share equal" of any others, "relative difference" (the
        greatest, relative to the greatest value) of numbers, "shapes" where these differ.
    """
    mine, other = ours["fitted"] | ours["results"], theirs["fitted"] | theirs["results"]
    order = _same_clusters(mine, other) if kind == "clusterer" else None
    out = {}
    for name, a in mine.items():
        b = other.get(name)
        if kind in ("classifier", "regressor"):  # of others, numbers tell how good a fit is
            a, b = (np.asarray(x) if isinstance(x, float) else x for x in (a, b))
        if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray) or name == "feature_names_in_":
            continue
        are_labels = a.dtype.kind in LABELS and b.dtype.kind in LABELS
        if a.shape != b.shape:
            out[name] = {"what": "shapes", "value": f"{a.shape} and {b.shape}"}
        elif are_labels or (kind == "classifier" and name == "predict"):
            if kind == "clusterer" and a.ndim == 1:
                out[name] = {"what": "adjusted Rand", "value": float(adjusted_rand_score(a, b))}
            else:
                out[name] = {"what": "share equal", "value": float(np.mean(a == b)) if a.size else 1.0}
        elif a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
            if order is not None:
                a, b = _put_in_order(a, b, name in ours["results"], *order)
            out[name] = {"what": "relative difference", "value": relative_difference(a, b)}
    return out


def relative_difference(a: np.ndarray, b: np.ndarray) -> float:
    """The greatest difference, relative to the greatest value; infinite where NaN and infinity differ."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return 0.0
    if not (np.isfinite(a[~same]).all() and np.isfinite(b[~same]).all()):
        return float("inf")
    unit = max(np.abs(x[np.isfinite(x)]).max() for x in (a, b))
    return float(np.abs(a[~same] / unit - b[~same] / unit).max())


def _same_clusters(mine: dict[str, Any], other: dict[str, Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """Which cluster here is which there: numbers of both in the order that matches best."""
    for name in ("labels_", "predict"):
        a, b = mine.get(name), other.get(name)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape and a.size:
            k = int(max(a.max(), b.max())) + 1
            if min(a.min(), b.min()) < 0:  # noise, which is no cluster
                return None
            pairs = np.zeros((k, k), np.int64)
            np.add.at(pairs, (a, b), 1)
            return linear_sum_assignment(pairs, maximize=True)
    return None


def _put_in_order(
    a: np.ndarray, b: np.ndarray, is_result: bool, i: np.ndarray, j: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Clusters are numbered along the first axis of an attribute, and along the last of a result."""
    if is_result and a.ndim == 2 and a.shape[1] == len(i):
        return a[:, i], b[:, j]
    if not is_result and a.ndim and len(a) == len(i):
        return a[i], b[j]
    return a, b


def quality(answer: dict[str, Any], kind: str | None, y: np.ndarray | None, y_train: Any) -> dict[str, float]:
    """How good one fit is.

    A classifier by its accuracy and a regressor by its R2, both on the held-out rows; anything else by the
    numbers that its fit leaves behind, or by its own score where there are none. With targets, a
    clusterer also by how far it finds them.
    """
    predicted = answer["results"].get("predict")
    if kind == "classifier" and predicted is not None:
        return {"accuracy": float(accuracy_score(y, predicted))}
    if kind == "regressor" and predicted is not None:
        return {"R2": float(r2_score(y, predicted))}
    out = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in answer["fitted"].items()
        if name != "n_features_in_" and not isinstance(value, np.ndarray | bool | np.bool_ | None)
    }
    variance = answer["fitted"].get("explained_variance_")
    if isinstance(variance, np.ndarray):
        out["explained variance"] = float(variance.sum())
    if not any(isinstance(value, float) for value in out.values()) and answer["score"] is not None:
        out["score"] = answer["score"]
    labels = answer["fitted"].get("labels_")
    one_column = y_train is not None and y_train.ndim == 1 and y_train.dtype.kind in LABELS
    if kind == "clusterer" and labels is not None and one_column:
        out["adjusted Rand with the target"] = float(adjusted_rand_score(y_train, labels))
    return out
