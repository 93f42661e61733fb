"""Records as users really pass them. Each way: what comes in, and the plain array that is meant."""

from __future__ import annotations

import decimal
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse as sp


def _unaligned(X):
    path = Path(tempfile.mkdtemp()) / "data"
    path.write_bytes(b"x" + X.tobytes())
    return np.memmap(path, X.dtype, "r", offset=1, shape=X.shape)


def _memmap(X):
    path = Path(tempfile.mkdtemp()) / "data"
    path.write_bytes(X.tobytes())
    return np.memmap(path, X.dtype, "r", shape=X.shape)


def _read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


class OnlyArray:
    """Nothing but `__array__`."""

    def __init__(self, X):
        self._X = X

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._X, dtype)


class Sub(np.ndarray):
    """An array that counts wrong when it is indexed."""

    def __getitem__(self, key):
        return np.asarray(super().__getitem__(key)) + 1


# The values keep their bits: what is learned must be the same as from the plain array.
LAYOUTS = {
    "plain": lambda X: X,
    "F order": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "rows backwards": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "columns backwards": lambda X: np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "part of a wider array": lambda X: np.hstack([X, X])[:, : X.shape[1]],
    "read-only": _read_only,
    "memory map": _memmap,
    "unaligned memory map": _unaligned,
    "byte-swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "subclass": lambda X: X.view(Sub),
    "matrix": lambda X: X.view(np.matrix),
    "masked array without masks": np.ma.array,
    "only __array__": OnlyArray,
    "field of a record": lambda X: np.rec.fromarrays([X, X], names="a,b").a,
    "polars": lambda X: pl.DataFrame(X),
    "pandas": lambda X: pd.DataFrame(X),
    "pandas with names": lambda X: pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])]),
    "pandas with equal names": lambda X: pd.DataFrame(X, columns=["c"] * X.shape[1]),
    "pandas with tuples as names": lambda X: pd.DataFrame(
        X, columns=pd.MultiIndex.from_product([["a"], range(X.shape[1])])
    ),
    "pandas with a column each": lambda X: pd.DataFrame({f"c{i}": c for i, c in enumerate(X.T)}),
    "arrow": lambda X: pa.table({f"c{i}": np.ascontiguousarray(c) for i, c in enumerate(X.T)}),
    "arrow in chunks": lambda X: pa.concat_tables(
        [
            pa.table({f"c{i}": np.ascontiguousarray(c) for i, c in enumerate(part.T)})
            for part in (X[:7], X[7:])
        ]
    ),
    "arrow batch": lambda X: pa.RecordBatch.from_arrays(
        [pa.array(np.ascontiguousarray(c)) for c in X.T], [f"c{i}" for i in range(X.shape[1])]
    ),
}

# What a float64 array of the same values would give (the values are small whole numbers).
NUMBERS = {
    "float16": lambda X: X.astype(np.float16),
    "longdouble": lambda X: X.astype(np.longdouble),
    "int8": lambda X: X.astype(np.int8),
    "int64": lambda X: X.astype(np.int64),
    "uint64": lambda X: X.astype(np.uint64),
    "big-endian int": lambda X: X.astype(">i4"),
    "object": lambda X: X.astype(object),
    "decimals": lambda X: np.array([[decimal.Decimal(v) for v in row] for row in X.tolist()]),
    "lists": lambda X: X.tolist(),
    "tuples": lambda X: tuple(map(tuple, X.tolist())),
    "list of arrays": list,
    "list of ints": lambda X: X.astype(int).tolist(),
    "pandas ints": lambda X: pd.DataFrame(X.astype(np.int32)),
    "pandas Int64": lambda X: pd.DataFrame(X).astype("Int64"),
    "pandas Float64": lambda X: pd.DataFrame(X).astype("Float64"),
    "pandas arrow": lambda X: pd.DataFrame(X).astype("double[pyarrow]"),
    "pandas some Int64": lambda X: pd.DataFrame(X).astype({0: "Int64"}),
    "pandas object": lambda X: pd.DataFrame(X).astype(object),
    "pandas sparse": lambda X: pd.DataFrame(X).astype(pd.SparseDtype("float64", 0.0)),
    "pandas categories of numbers": lambda X: pd.DataFrame(X).astype("category"),
    "polars ints": lambda X: pl.DataFrame(X.astype(np.int64)),
    "polars decimals": lambda X: pl.DataFrame(X).cast(pl.Decimal(10, 2)),
    "polars mixed": lambda X: pl.DataFrame(X).with_columns(pl.col("column_0").cast(pl.Int8)),
    "arrow ints": lambda X: pa.table({f"c{i}": c.astype(np.int32) for i, c in enumerate(X.T)}),
}


def _with(X, value, row=3, column=1):
    X = X.copy()
    X[row, column] = value
    return X


def _frame_with(X, value, dtype=None):
    frame = pd.DataFrame(X, dtype=dtype)
    frame.iloc[3, 1] = value
    return frame


# Values that are missing or infinite: refused but by estimators whose `_finite` is False.
MISSING = {
    "NaN": lambda X: _with(X, np.nan),
    "inf": lambda X: _with(X, np.inf),
    "-inf": lambda X: _with(X, -np.inf),
    "inf and -inf": lambda X: _with(_with(X, np.inf), -np.inf, 4),
    "inf in the last place": lambda X: _with(X, np.inf, -1, -1),
    "all NaN": lambda X: np.full_like(X, np.nan),
    "NaN in float32": lambda X: _with(X.astype(np.float32), np.nan),
    "NaN in float16": lambda X: _with(X.astype(np.float16), np.nan),
    "NaN in object": lambda X: _with(X.astype(object), np.nan),
    "None in object": lambda X: _with(X.astype(object), None),
    "too large for float64": lambda X: _with(X.astype(np.longdouble), np.longdouble("1e4000")),
    "pandas with NaN": lambda X: _frame_with(X, np.nan),
    "pandas Int64 with NA": lambda X: _frame_with(X, pd.NA, "Int64"),
    "pandas Float64 with NA": lambda X: _frame_with(X, pd.NA, "Float64"),
    "pandas arrow with NA": lambda X: _frame_with(X, pd.NA, "double[pyarrow]"),
    "pandas boolean with NA": lambda X: _frame_with(X > 0, pd.NA, "boolean"),
    "polars with null": lambda X: pl.DataFrame({"a": [1.0, None, 2.0], "b": [1.0, 2.0, 3.0]}),
    "polars ints with null": lambda X: pl.DataFrame({"a": [1, None, 2], "b": [1, 2, 3]}),
    "arrow with null": lambda X: pa.table({"a": [1.0, None, 2.0], "b": [1.0, 2.0, 3.0]}),
    "arrow ints with null": lambda X: pa.table({"a": [1, None, 2], "b": [1, 2, 3]}),
}

# Not records: a ValueError or a TypeError.
REFUSED = MISSING | {
    "pd.NA in object": lambda X: _with(X.astype(object), pd.NA),
    "too large an int": lambda X: _with(X.astype(object), 10**400),
    "words": lambda X: X.astype(str),
    "other words": lambda X: np.full(X.shape, "many"),
    "words in object": lambda X: _with(X.astype(object), "many"),
    "bytes": lambda X: X.astype("S8"),
    "dates": lambda X: X.astype("datetime64[D]"),
    "time spans": lambda X: X.astype("timedelta64[s]"),
    "complex": lambda X: X + 1j,
    "complex in object": lambda X: _with(X.astype(object), 1j),
    "masked values": lambda X: np.ma.array(X, mask=np.arange(X.size).reshape(X.shape) == 5),
    "structured": lambda X: np.zeros(len(X), [("a", float), ("b", float)]),
    "structured 2-D": lambda X: np.zeros(X.shape, [("a", float), ("b", float)]),
    "1-D": lambda X: X[:, 0],
    "0-D": lambda X: np.array(1.0),
    "3-D": lambda X: X[:, :, None],
    "None": lambda X: None,
    "number": lambda X: 3.5,
    "text": lambda X: "records",
    "dict": lambda X: {"a": X[:, 0]},
    "set": lambda X: set(X[:, 0]),
    "generator": lambda X: (row for row in X),
    "class": lambda X: np.ndarray,
    "ragged": lambda X: [[1.0, 2.0], [3.0]],
    "empty list": lambda X: [],
    "list of empty lists": lambda X: [[], []],
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "nothing": lambda X: np.empty((0, 0)),
    "pandas without rows": lambda X: pd.DataFrame(X).iloc[:0],
    "pandas without columns": lambda X: pd.DataFrame(index=range(5)),
    "pandas series": lambda X: pd.Series(X[:, 0]),
    "pandas with words": lambda X: pd.DataFrame(X).assign(word="many"),
    "pandas categories of words": lambda X: pd.DataFrame(X).assign(word="many").astype("category"),
    "pandas with dates": lambda X: pd.DataFrame(X).assign(day=pd.Timestamp("2024-01-01")),
    "pandas all dates": lambda X: pd.DataFrame(X.astype("datetime64[s]")),
    "pandas time spans": lambda X: pd.DataFrame(X.astype("timedelta64[s]")),
    "pandas with complex": lambda X: pd.DataFrame(X + 1j),
    "pandas names of mixed types": lambda X: pd.DataFrame(X).rename(columns={0: "a"}),
    "polars with words": lambda X: pl.DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]}),
    "polars lists": lambda X: pl.DataFrame({"a": [[1.0, 2.0], [1.0]]}),
    "polars lazy": lambda X: pl.DataFrame(X).lazy(),
    "polars series": lambda X: pl.Series(X[:, 0]),
    "arrow with words": lambda X: pa.table({"a": ["x", "y"], "b": [1.0, 2.0]}),
    "arrow column": lambda X: pa.array(X[:, 0]),
    "sparse vector": lambda X: sp.coo_array(X[:, 0]),
}


def corrupt(kind: str):
    """A sparse matrix of shape (6, 4) whose insides contradict each other."""
    X = sp.random_array((6, 4), density=0.6, format="csr", rng=np.random.default_rng(0))
    X.sort_indices()
    layout, _, what = kind.partition(": ")
    X = X.asformat(layout)
    huge = 2**31 - 1 if what.endswith("huge") else 10
    if layout in ("csr", "csc", "bsr"):
        if layout == "bsr":
            X = X.tobsr((1, 1))
        if what.startswith("index"):
            X.indices[2] = -1 if what.endswith("negative") else huge
        elif what.startswith("last pointer"):
            X.indptr[-1] = 0 if what.endswith("zero") else max(huge, len(X.indices) + 1)
        elif what.startswith("pointer"):
            large = huge if what.endswith("huge") else len(X.indices)  # more than the next one
            X.indptr[2] = -5 if what.endswith("negative") else large
        elif what == "first pointer":
            X.indptr[0] = 1
        elif what == "few pointers":
            X.indptr = X.indptr[:-2]
        elif what == "few indices":
            X.indices = X.indices[:-3]
        elif what == "few values":
            X.data = X.data[:-3]
        elif what == "wrong shape":
            X._shape = (6, 1000) if layout == "csc" else (1000, 4)
    elif layout == "coo":
        X.coords = tuple(c.copy() for c in X.coords)
        X.coords[0 if "row" in what else 1][1] = -7 if what.endswith("negative") else huge
    elif layout == "lil":
        X.rows[1] = [77]
        X.data[1] = [1.0]
    elif layout == "dia":
        X.offsets = X.offsets[:1]
    return X


_COMPRESSED = [
    "index negative", "index large", "index huge", "last pointer zero", "last pointer large",
    "last pointer huge", "pointer negative", "pointer large", "pointer huge", "first pointer",
    "few pointers", "few indices", "few values", "wrong shape",
]  # fmt: skip
CORRUPT = [f"{layout}: {what}" for layout in ("csr", "csc", "bsr") for what in _COMPRESSED] + [
    "coo: row negative", "coo: row large", "coo: row huge", "coo: column negative",
    "coo: column large", "coo: column huge", "lil: column large", "dia: few offsets",
]  # fmt: skip
