"""Records with one column changed, in the container they came in."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.arrays import is_dataset, is_sparse
from clinfa.dataset._select import rows

__all__ = ["column", "copied", "filled", "names_of", "reordered", "tabular", "taken"]


def tabular(X: Any) -> Any:
    """Records as a dense array, or the pandas frame that they are.

    Raises
    ------
    ValueError, TypeError
        If they are sparse or have no rows and columns.
    """
    X = X.records if is_dataset(X) else X
    if is_sparse(X):
        raise TypeError("Sparse data was passed for X, but dense data is required here. Use '.toarray()'.")
    if hasattr(X, "iloc") and getattr(X, "ndim", 0) == 2:
        return X
    if np.ma.is_masked(X):
        raise ValueError("Masked values are missing values, which are not accepted. Fill them first.")
    out = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
    if out.ndim != 2 or not out.size:
        raise ValueError(f"Expected 2D array for X with rows and columns, got shape {out.shape} instead.")
    return out.view(np.ndarray)


def names_of(X: Any, source: Any, given: Any = None) -> list[str]:
    """Names of the columns of X: those given, its own, those of the dataset it is from, or x0, x1, ...

    Raises
    ------
    ValueError
        If a name comes twice, or they are not as many as there are columns.
    """
    if given is not None:
        names = list(given.tolist() if hasattr(given, "tolist") else given)
    elif is_dataset(source) and source.feature_names is not None:
        names = list(source.feature_names)
    else:
        names = list(X.columns) if hasattr(X, "columns") else [f"x{i}" for i in range(X.shape[1])]
    if len(set(names)) < len(names):
        raise ValueError("feature_names should not contain duplicates.")
    return names


def taken(X: Any, which: np.ndarray) -> Any:
    """Some rows."""
    return rows(X, which)


def copied(X: Any) -> Any:
    """Records whose columns may be changed."""
    return X.copy()


def column(X: Any, j: int) -> np.ndarray:
    """One column as an array."""
    return X.iloc[:, j].to_numpy() if hasattr(X, "iloc") else X[:, j]


def reordered(X: Any, into: Any, j: int, which: np.ndarray) -> None:
    """Set column j of `into` to that of X, in another order."""
    if hasattr(X, "iloc"):
        into.isetitem(j, X.iloc[which, j].array)
    else:
        np.take(X[:, j], which, out=into[:, j])


def filled(into: Any, j: int, value: Any) -> None:
    """Set all of column j of `into` to one value."""
    if hasattr(into, "iloc"):
        old = into.iloc[:, j]
        into.isetitem(j, type(old)([value] * len(old), index=old.index, dtype=_type(old.dtype, value)).array)
    else:
        into[:, j] = value


def _type(dtype: Any, value: Any) -> Any:
    """The type of a column that may have to hold a number that its own cannot."""
    whole = isinstance(dtype, np.dtype) and dtype.kind in "iub"
    return np.dtype(float) if whole and float(value) != int(value) else dtype
