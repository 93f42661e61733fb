"""Two sets of records, and the matrix of a function of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa import spatial
from clinfa.arrays import Table, is_dataset, is_sparse, read_table
from clinfa.blas import matmul
from clinfa.config import config_context, get_config
from clinfa.errors import DataConversionWarning, twin
from clinfa.spatial import Function, KernelRows, finished

__all__ = ["Pair", "by_callable", "matrix", "products", "read_pair", "share", "unit_rows"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Records X and Y, of one type; `own` where they are the same."""

    X: Table
    Y: Table
    own: bool

    @property
    def sparse(self) -> bool:
        return self.X.sparse or self.Y.sparse

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.n, self.Y.n


def read_pair(
    X: Any, Y: Any, owner: str, *, sparse: bool = True, finite: bool = True, paired: bool = False
) -> Pair:
    """Read and check two sets of records for `owner`; Y may be None, for X.

    Raises
    ------
    ValueError, TypeError
        If one is no such thing, or they have not as many columns (`paired`: not the same shape).
    """
    own = Y is None or Y is X
    a = read_table(_records(X), owner, sparse=sparse, finite=finite)
    b = a if own else read_table(_records(Y), owner, sparse=sparse, finite=finite, role="Y")
    if paired and a.X.shape != b.X.shape:
        raise ValueError(
            f"X and Y should be of same shape. They were respectively {a.X.shape!r} and {b.X.shape!r} long."
        )
    if a.d != b.d:
        raise ValueError(
            f"Incompatible dimension for X and Y matrices: X.shape[1] == {a.d} while Y.shape[1] == {b.d}"
        )
    if a.dtype != b.dtype:
        a, b = a.astype(np.float64), b.astype(np.float64)
    return Pair(a, b, own)


def _records(X: Any) -> Any:
    return X.records if is_dataset(X) else X


def share(n_jobs: int | None) -> Any:
    """A context in which so many threads work; None and numbers below 1 change nothing."""
    return config_context(**({"n_threads": int(n_jobs)} if n_jobs is not None and n_jobs > 0 else {}))


def matrix(pair: Pair, function: Function) -> np.ndarray:
    """The value of a function for each record of X with each of Y: shape (n, m)."""
    if pair.sparse and function.measure == "inner":
        return finished(np.ascontiguousarray(dense(products(pair))), function)
    X, Y = _dense(pair.X), None if pair.own else _dense(pair.Y)
    return KernelRows(X if Y is None else Y, function).rows(None if Y is None else X.X)


def _dense(table: Table) -> Table:
    return Table(table.rows(np.arange(table.n))) if table.sparse else table


def fits_dense(pair: Pair) -> bool:
    """Whether sparse records may be made dense."""
    values = sum(t.n * t.d for t in ((pair.X,) if pair.own else (pair.X, pair.Y)) if t.sparse)
    return values * pair.X.dtype.itemsize <= get_config()["working_memory"] << 20


def products(pair: Pair) -> Any:
    """Inner products where some records are sparse: a matrix of SciPy's where all are."""
    if pair.Y.sparse:
        return pair.X.as_matrix() @ pair.Y.as_matrix().T
    return (pair.X.as_matrix() @ pair.Y.X.T.copy()) if pair.X.sparse else matmul(pair.X.X, pair.Y.X.T)


def dense(values: Any) -> np.ndarray:
    return values.toarray() if is_sparse(values) else np.asarray(values)


def unit_rows(pair: Pair) -> Pair:
    """The same records with length one; those of zeros stay."""
    X = spatial.unit_rows(pair.X)
    return Pair(X, X if pair.own else spatial.unit_rows(pair.Y), pair.own)


def by_callable(
    X: Any, Y: Any, metric: Callable, owner: str, *, finite: bool = True, **kwds: Any
) -> np.ndarray:
    """The matrix of a function of two records, called for each pair; once for each where X is Y."""
    own = Y is None or Y is X
    X = _any_records(X, finite)
    Y = X if own else _any_records(Y, finite)
    a, b = [[r[[i]] if is_sparse(r) else r[i] for i in range(r.shape[0])] for r in (X, Y)]
    single = all(getattr(r, "dtype", None) == np.float32 for r in (X, Y))
    out = np.empty((len(a), len(b)), np.float32 if single else np.float64)
    for i, x in enumerate(a):
        for j in range(i if own else 0, len(b)):
            out[i, j] = metric(x, b[j], **kwds)
            if own:
                out[j, i] = out[i, j]
    return out


def _any_records(X: Any, finite: bool) -> Any:
    """Records for a user's own function, which may be whatever it understands."""
    X = _records(X)
    if is_sparse(X):
        return X.tocsr()
    X = X if isinstance(X, np.ndarray) else np.asarray(X.to_numpy() if hasattr(X, "to_numpy") else X)
    if X.ndim == 0:
        raise ValueError(f"Expected an array of records, got a scalar array instead:\narray={X}.")
    if finite and X.dtype.kind == "f" and not np.isfinite(X).all():
        raise ValueError(f"Input contains {'NaN' if np.isnan(X).any() else 'infinity'}.")
    return X


def to_boolean(pair: tuple[Any, Any], metric: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Records of truth values, with a warning where they were something else."""
    X, Y = (None if v is None else np.asarray(_records(v)) for v in pair)
    if X.dtype != np.bool_ or (Y is not None and Y.dtype != np.bool_):
        warnings.warn(
            f"Data was converted to boolean for metric {metric}", twin(DataConversionWarning), stacklevel=4
        )
    return X != 0, None if Y is None else Y != 0
