"""The parameters that trees and forests share, and what they come to for a table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from clinfa.base import Estimator
from clinfa.growing.growth import Rules
from clinfa.params import Rule, at_least, between, none, one_of, param, seed, shown

__all__ = ["CATEGORIES", "COLUMNS", "Growing", "columns_of", "monotonic_of"]

COLUMNS = at_least(1) | between(0, 1, closed="right") | one_of("sqrt", "log2") | none()


CATEGORIES = (
    Rule(
        "an array-like of bool, int or str, of shape (k,)",
        lambda v: not isinstance(v, str) and np.ndim(v) == 1,
    )
    | one_of("from_dtype")
    | none()
)


def _share(low: int) -> Rule:
    """A count of at least `low`, or a share of the records, which no int is."""
    share = between(0, 1, closed="right" if low > 1 else "neither")
    return at_least(low) | Rule(
        share.words, lambda v: not isinstance(v, int | np.integer) and share.allows(v)
    )


def _sequence() -> Rule:
    return Rule("an array-like of -1, 0 or 1, of shape (n_features,)", lambda v: np.ndim(v) == 1)


class Growing(Estimator):
    """Parameters that say when a node is divided."""

    max_depth: int | None = param(None, at_least(1) | none())
    min_samples_split: int | float = param(2, _share(2))
    min_samples_leaf: int | float = param(1, _share(1))
    min_weight_fraction_leaf: float = param(0.0, between(0, 0.5))
    max_features: Any = param(None, COLUMNS)
    max_leaf_nodes: int | None = param(None, at_least(2) | none())
    min_impurity_decrease: float = param(0.0, between(0))
    ccp_alpha: float = param(0.0, between(0))
    monotonic_cst: Any = param(None, _sequence() | none())
    categorical_features: Any = param(None, CATEGORIES)
    random_state: Any = param(None, seed())

    def _rules_for(self, n: int, d: int, criterion: str, random: bool, monotonic: np.ndarray | None) -> Rules:
        leaf = min(_count(self.min_samples_leaf, n), n + 1)
        return Rules(
            criterion="squared_error" if criterion == "friedman_mse" else criterion,
            random=random,
            max_features=columns_of(self.max_features, d),
            max_depth=self.max_depth,
            min_samples_split=max(2, min(_count(self.min_samples_split, n), n + 1), 2 * leaf),
            min_samples_leaf=leaf,
            min_weight_fraction_leaf=float(self.min_weight_fraction_leaf),
            max_leaf_nodes=None if self.max_leaf_nodes is None else min(self.max_leaf_nodes, max(n, 2)),
            min_impurity_decrease=float(self.min_impurity_decrease),
            monotonic=monotonic,
        )


def _count(value: Any, n: int) -> int:
    """A number of records, given as such or as a share."""
    return int(value) if isinstance(value, int | np.integer) else math.ceil(value * n)


def columns_of(value: Any, d: int) -> int:
    """How many columns are tried in a node."""
    if value is None:
        return d
    if value == "sqrt":
        return max(1, int(math.sqrt(d)))
    if value == "log2":
        return max(1, int(math.log2(d)))
    return min(d, int(value)) if isinstance(value, int | np.integer) else max(1, int(value * d))


def monotonic_of(given: Any, d: int, n_classes: np.ndarray, classes: bool) -> np.ndarray | None:
    """Constraints as the kernels take them; None where there are none.

    Raises
    ------
    ValueError
        If they do not fit the columns, or the targets.
    """
    if given is None:
        return None
    cst = np.asarray(given)
    if len(n_classes) > 1:
        kind = "classification" if classes else "regression"
        raise ValueError(
            f"Monotonicity constraints are not supported with multiple output {kind}: monotonic_cst must be "
            f"None."
        )
    if n_classes[0] > 2:
        raise ValueError(
            "Monotonicity constraints are not supported with multiclass classification: monotonic_cst must "
            "be None."
        )
    if cst.shape != (d,):
        raise ValueError(f"monotonic_cst has shape {len(cst)} but the input data X has {d} features.")
    if cst.dtype.kind not in "iuf" or not np.isin(cst, (-1, 0, 1)).all():
        values = sorted(set(cst.tolist()), key=repr)
        raise ValueError(
            f"monotonic_cst must be None or an array-like of -1, 0 or 1, but got {shown(values)}"
        )
    return cst.astype(np.int8) if cst.any() else None
