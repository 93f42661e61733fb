"""What classes weigh."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.params import Rule, instance, none, one_of
from clinfa.targets import Labels

__all__ = ["class_factors", "class_weight_rule"]


def class_weight_rule() -> Rule:
    return instance(dict) | one_of("balanced") | none()


def class_factors(class_weight: Any, labels: Labels, weights: np.ndarray) -> np.ndarray:
    """What C is multiplied by for the records of each class: shape (k,).

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Factors by label, 1 for labels that it does not name; "balanced" makes all classes weigh the same.
    labels : Labels
    weights : ndarray of shape (n,) or (0,)

    Raises
    ------
    ValueError
        If a factor is no number of at least 0, or some of the names are no labels.
    """
    k = labels.n_classes
    if class_weight is None or len(class_weight) == 0:
        return np.ones(k)
    if isinstance(class_weight, str):
        mass = np.bincount(labels.codes, weights if len(weights) else None, k)
        with np.errstate(divide="ignore", over="ignore"):
            factors = mass.sum() / (np.count_nonzero(mass) * mass)
        return np.where(mass > 0, factors, 1.0)
    known = labels.classes.tolist()
    missing = [label for label in known if label not in class_weight]
    if missing and k - len(missing) != len(class_weight):
        raise ValueError(f"The classes, {missing}, are not in class_weight")
    try:
        factors = np.array([float(class_weight.get(label, 1.0)) for label in known])
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"class_weight must hold numbers, got {class_weight!r}.") from error
    if not (np.isfinite(factors) & (factors >= 0)).all():
        raise ValueError(f"class_weight must hold finite numbers >= 0, got {class_weight!r}.")
    return factors
