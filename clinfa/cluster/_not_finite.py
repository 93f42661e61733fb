"""Records that are not finite: set aside, and put back with values of their own."""

from __future__ import annotations

import numpy as np

from clinfa.arrays import Table

__all__ = ["INFINITE", "LABELS", "among", "finite_only"]

LABELS = INFINITE, MISSING = -2, -3  # scikit-learn's
_MOST_DENSE = 1 << 31  # bytes that sparse records may take when made dense


def finite_only(table: Table) -> tuple[Table, np.ndarray | None]:
    """The finite records, dense; and by record 0 or, where it is not finite, its label (None: all are)."""
    if table.sparse:
        if table.n * table.d * table.dtype.itemsize > _MOST_DENSE:
            raise ValueError(
                f"Sparse records of shape {(table.n, table.d)} would take more than 2 GiB when made dense, "
                f"which HDBSCAN must do. Reduce their number of features first."
            )
        table = Table(table.rows(np.arange(table.n)), table.names)
    if np.isfinite(table.column_range).all():
        return table, None
    bad = np.where(np.isfinite(table.X).all(axis=1), 0, INFINITE)
    bad[np.isnan(table.X).any(axis=1)] = MISSING
    return table.part(np.flatnonzero(bad == 0)), bad


def among(bad: np.ndarray | None, values: np.ndarray, of_bad: tuple) -> np.ndarray:
    """Values of all records, from those of the finite ones, and what stands for infinite and missing ones."""
    if bad is None:
        return values
    infinite, missing = of_bad
    out = np.empty((len(bad), *values.shape[1:]), values.dtype)
    out[bad == 0], out[bad == INFINITE], out[bad == MISSING] = values, infinite, missing
    return out
