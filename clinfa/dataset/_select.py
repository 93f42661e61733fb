"""Some rows, or some columns, of whatever records, targets and weights are stored in.

A slice gives a view wherever the container has views; row numbers give a copy.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from clinfa.arrays import is_sparse

__all__ = ["columns", "is_frame", "rows"]

Which = slice | np.ndarray


def is_frame(value: Any) -> bool:
    """Whether it is a table with named columns: pandas, polars or pyarrow."""
    return hasattr(value, "columns")


def rows(value: Any, which: Which) -> Any:
    """Some rows: a slice, or an array of row numbers."""
    if value is None or isinstance(value, np.ndarray):
        return None if value is None else value[which]
    if is_sparse(value):
        return value.tocsr()[which]
    if hasattr(value, "iloc"):
        return value.iloc[which]
    if _is_arrow(value):
        if not isinstance(which, slice):
            return value.take(which)
        return value.slice(which.start, which.stop - which.start)
    return value[which]  # polars


def columns(value: Any, which: np.ndarray) -> Any:
    """Some columns, by an array of column numbers."""
    if hasattr(value, "iloc"):
        return value.iloc[:, which]
    if _is_arrow(value):
        return value.select([int(i) for i in which])
    if is_sparse(value):
        return value.tocsc()[:, which].tocsr()
    if type(value).__module__.startswith("polars"):
        # (A frame cannot have two columns of one name; drawn ones may come twice.)
        return value[:, which] if len(np.unique(which)) == len(which) else value.to_numpy()[:, which]
    if len(which) and np.array_equal(which, np.arange(which[0], which[0] + len(which))):
        return value[:, which[0] : which[0] + len(which)]
    return value[:, which]


def _is_arrow(value: Any) -> bool:
    module = sys.modules.get("pyarrow")
    return module is not None and isinstance(
        value, module.Table | module.RecordBatch | module.Array | module.ChunkedArray
    )
