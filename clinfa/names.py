"""Which columns a user means: by number, by name, by a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clinfa.params import shown

__all__ = ["categories_of", "columns_of"]


def columns_of(features: Sequence[Any], names: list[str], d: int, owner: str = "features") -> list[int]:
    """Numbers of columns; `owner` is what the argument is called.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    out = []
    values = np.asarray(features)
    if values.dtype.kind == "b":
        if values.shape != (d,):
            raise ValueError(f"A mask in {owner} must have {d} entries, got {len(values)}.")
        return np.flatnonzero(values).tolist()
    for feature in features:
        if isinstance(feature, str):
            if feature not in names:
                raise ValueError(f"Feature {feature!r} not in feature_names: {owner} must name columns of X.")
            out.append(names.index(feature))
        elif isinstance(feature, int | np.integer):
            if not 0 <= feature < d:
                raise ValueError(f"all features must be in [0, {d - 1}], got {feature} in {owner}.")
            out.append(int(feature))
        else:
            raise ValueError(f"{owner} must be ints or strings, got {shown(feature)}.")
    if not out:
        raise ValueError(f"{owner} is empty: name one column at least.")
    return out


def categories_of(given: Any, names: list[str], d: int) -> np.ndarray:
    """Which columns are categories: a mask."""
    out = np.zeros(d, bool)
    if given is None:
        return out
    mixed = not hasattr(given, "dtype") and any(isinstance(one, str) for one in given)
    given = np.asarray(given, object if mixed else None)
    if not given.size:
        raise ValueError(
            "Passing an empty list (`[]`) to `categorical_features` is not supported. Use `None` instead to "
            "indicate that there are no categorical features."
        )
    if given.dtype.kind == "b" and given.size != d:
        raise ValueError(
            f"When `categorical_features` is a boolean array-like, the array should be of shape "
            f"(n_features,). Got {given.size} elements while `X` contains {d} features."
        )
    if given.dtype.kind not in "biuOU":
        raise ValueError(
            f"Expected `categorical_features` to be an array-like of boolean, integer, or string. Got "
            f"{given.dtype} instead."
        )
    out[
        given if given.dtype.kind == "b" else columns_of(given.tolist(), names, d, "categorical_features")
    ] = True
    return out
