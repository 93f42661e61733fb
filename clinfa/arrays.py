"""The only reader of what a user passes: arrays, lists, dataframes, sparse matrices, memory maps, datasets.

It yields a `Table`: C-contiguous float32 or float64 in native byte order (or CSR of those), finite, with
no copy where none is needed and never a silent change from float32 to float64. Error texts are
scikit-learn's, because users search for them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from clinfa._core import columns
from clinfa.threads import Stripes, stripes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = [
    "CSR",
    "NO_WEIGHTS",
    "Table",
    "all_finite",
    "check_finite",
    "is_dataset",
    "is_sparse",
    "read_table",
    "read_weights",
]

NO_WEIGHTS = np.empty(0)  # what kernels take for "every weight is one"


@dataclass(frozen=True, slots=True)
class CSR:
    """A compressed sparse row matrix whose indices are known to be in range."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, int]

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    def astype(self, dtype: np.dtype) -> CSR:
        return CSR(self.data.astype(dtype), self.indices, self.indptr, self.shape)

    def part(self, which: np.ndarray) -> CSR:
        """Some rows."""
        start, lengths = self.indptr[which], self.indptr[which + 1] - self.indptr[which]
        indptr = np.zeros(len(which) + 1, self.indptr.dtype)
        np.cumsum(lengths, out=indptr[1:])
        at = np.arange(max(int(indptr[-1]), 1)) + np.resize(
            np.repeat(start - indptr[:-1], lengths), max(int(indptr[-1]), 1)
        )
        return CSR(self.data[at], self.indices[at], indptr, (len(which), self.shape[1]))

    def rows(self, which: np.ndarray) -> np.ndarray:
        """Some rows, dense."""
        part = self.part(which)
        out = np.zeros(part.shape, self.dtype)
        count = part.indptr[-1]
        row = np.repeat(np.arange(len(which)), np.diff(part.indptr))
        out[row, part.indices[:count]] = part.data[:count]
        return out

    def as_scipy(self) -> csr_matrix:
        """The same as SciPy has it, without a copy."""
        from scipy.sparse import csr_matrix  # (loading it takes a while, and who passes one has done so)

        count = int(self.indptr[-1])
        return csr_matrix((self.data[:count], self.indices[:count], self.indptr), shape=self.shape)


@dataclass(frozen=True)
class Table:
    """Checked records.

    Attributes
    ----------
    X : ndarray of shape (n, d) or CSR
    names : ndarray of str or None
        Column names, where what was passed has them.
    labels : dict or None
        Columns of categories, where an estimator asks for those, and what the numbers in them stand for (None
        where they are what was passed).
    """

    X: np.ndarray | CSR
    names: np.ndarray | None = None
    _range: np.ndarray | None = field(default=None, repr=False, compare=False)
    labels: dict[int, np.ndarray | None] | None = None

    @property
    def n(self) -> int:
        return self.X.shape[0]

    @property
    def d(self) -> int:
        return self.X.shape[1]

    @property
    def dtype(self) -> np.dtype:
        return self.X.dtype

    @property
    def sparse(self) -> bool:
        return isinstance(self.X, CSR)

    def stripes(self, row_ns: float, **how: Any) -> Stripes:
        return stripes(self.n, row_ns, **how)

    @property
    def column_range(self) -> np.ndarray:
        """The least and the greatest value of every column of dense records: shape (2, d).

        NaN where a value is not finite.
        """
        if self._range is None:
            object.__setattr__(self, "_range", self._look_for_range())
        return self._range

    def _look_for_range(self) -> np.ndarray:
        X = self.X
        cut = self.stripes(0.15 * self.d + 1)
        out = np.empty((len(cut), 3, self.d))
        cut.run(lambda cursor, limit, slot: columns.range_pass(X, cut.bounds, cursor, limit, out))
        if len(cut) == 1:
            return out[0, :2] + out[0, 2]
        return np.stack([out[:, 0].min(axis=0), out[:, 1].max(axis=0)]) + out[:, 2].sum(axis=0)

    def keys(self) -> np.ndarray:
        """A number for every row, equal for equal rows: shape (n,), uint64."""
        X, out = self.X, np.empty(self.n, np.uint64)
        if self.sparse:
            cut = self.stripes(2.0 * len(X.data) / max(self.n, 1) + 4)
            cut.run(
                lambda cursor, limit, slot: columns.keys_pass_csr(
                    X.data, X.indices, X.indptr, cut.bounds, cursor, limit, out
                )
            )
        else:
            cut = self.stripes(2.0 * self.d + 4)
            cut.run(lambda cursor, limit, slot: columns.keys_pass(X, cut.bounds, cursor, limit, out))
        return out

    def rows(self, which: np.ndarray) -> np.ndarray:
        """Some rows, dense and in memory of their own."""
        return self.X.rows(which) if self.sparse else self.X[which]

    def part(self, which: np.ndarray, spanning: bool = False) -> Table:
        """Some rows as a table; `spanning`: every value occurs in them, so that their range is known."""
        known = self._range if spanning else None
        return Table(self.X.part(which) if self.sparse else self.X[which], self.names, known)

    def as_matrix(self) -> np.ndarray | csr_matrix:
        """The records as NumPy or SciPy has them, without a copy."""
        return self.X.as_scipy() if self.sparse else self.X

    def astype(self, dtype: np.dtype) -> Table:
        return Table(self.X.astype(dtype), self.names)


def is_dataset(X: object) -> bool:
    """Whether X is a `clinfa.Dataset`, which lives on a floor above this one."""
    return getattr(X, "_is_clinfa_dataset", False)


def is_sparse(X: object) -> bool:
    module = sys.modules.get("scipy.sparse")  # who passes a sparse matrix has loaded it
    return module is not None and module.issparse(X)


def read_table(
    X: object,
    owner: str,
    *,
    sparse: bool = False,
    finite: bool = True,
    min_rows: int = 1,
    names: np.ndarray | None = None,
    width: int | None = None,
    given_names: Sequence[str] | None = None,
    role: str = "X",
) -> Table:
    """Read and check records.

    Parameters
    ----------
    X : array-like, dataframe or sparse matrix of shape (n, d)
    owner : str
        The estimator or function on whose behalf, for error messages.
    sparse : bool
        Whether CSR is welcome.
    finite : bool
        Whether NaN and infinity are refused.
    min_rows : int
        How many rows there must be.
    names, width : ndarray of str or None, int or None
        Column names and number that a fitted estimator expects.
    given_names : sequence of str or None
        Names that came beside X, as in a Dataset.

    Raises
    ------
    ValueError, TypeError
        If X is not such a thing, is empty, not finite, or not what was fitted.
    """
    found = None
    if given_names is not None:
        found = np.asarray(given_names, dtype=object)
    elif type(X) is not np.ndarray:
        found = column_names(X)
    if width is not None and found is not None and names is not None:
        _match_names(found, names)
    if is_sparse(X):
        table = Table(_read_csr(X, owner, sparse, role), found)
    else:
        table = Table(_read_dense(X, role), found)
    n, d = table.X.shape
    if n < min_rows:
        raise ValueError(
            f"Found array with {n} sample(s) (shape={(n, d)}) while a minimum of {min_rows} is "
            f"required by {owner}."
        )
    if d < 1:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={(n, d)}) while a minimum of 1 is required by {owner}."
        )
    if finite:
        check_finite(table, owner, role)
    if width is not None and d != width:
        raise ValueError(f"{role} has {d} features, but {owner} is expecting {width} features as input.")
    return table


def check_finite(table: Table, owner: str, role: str = "X") -> None:
    """Raise ValueError where a value of a table is NaN or infinite."""
    if table.sparse:
        if not all_finite(table.X.data):
            _complain(table.X.data, owner, role)
    elif not np.isfinite(table.column_range).all():
        # (One look at the data tells both whether they are finite and where they lie.)
        _complain(table.X, owner, role)


def all_finite(values: np.ndarray) -> bool:
    """Whether no value is NaN or infinite: of a C-contiguous float32 or float64 array of any shape."""
    values = values.reshape(-1)
    cut = stripes(len(values), 0.3)
    out = np.zeros(len(cut))
    cut.run(lambda cursor, limit, slot: columns.finite_pass(values, cut.bounds, cursor, limit, out))
    return bool((out == 0).all())


def _complain(values: np.ndarray, owner: str, role: str) -> None:
    if np.isnan(values).any():
        raise ValueError(f"Input {role} contains NaN.\n{owner} does not accept missing values (NaN).")
    raise ValueError(f"Input {role} contains infinity or a value too large for {values.dtype!r}.")


def _read_dense(X: object, role: str) -> np.ndarray:
    if type(X) is not np.ndarray:
        X = _as_array(X)
    if X.ndim != 2:
        hint = (
            " Reshape your data either using array.reshape(-1, 1) if your data has a single feature "
            "or array.reshape(1, -1) if it contains a single sample."
            if X.ndim < 2
            else ""
        )
        raise ValueError(f"Expected 2D array for {role}, got {X.ndim}D array instead.{hint}")
    return _as_real(X, role)


def _as_array(X: object) -> np.ndarray:
    if hasattr(X, "to_numpy") and hasattr(X, "dtypes"):  # pandas, whose own missing value numpy does not know
        kinds = _nullable(X)
        if not kinds:
            return X.to_numpy()
        return X.to_numpy(dtype=np.float32 if kinds == {"f4"} else np.float64, na_value=np.nan)
    if np.ma.isMaskedArray(X) and np.ma.is_masked(X):
        raise ValueError("Masked values are missing values, which are not accepted. Fill them first.")
    with np.errstate(all="ignore"):
        array = np.asarray(X)
    return array.view(np.ndarray) if isinstance(array, np.memmap | np.matrix) else array


def _nullable(frame: Any) -> set[str]:
    """The kinds of all columns, as "f4", if one of them is of a pandas type that numpy does not know."""
    dtypes = frame.dtypes
    each = dtypes if isinstance(dtypes, list | tuple) else getattr(dtypes, "values", [dtypes])
    own = [getattr(t, "numpy_dtype", t) for t in each]
    if all(isinstance(t, np.dtype) for t in each) or not all(getattr(t, "kind", "O") in "iufb" for t in own):
        return set()
    return {f"{t.kind}{t.itemsize}" for t in own if isinstance(t, np.dtype)}


def _as_real(X: np.ndarray, role: str) -> np.ndarray:
    kind = X.dtype.kind
    native = X.dtype.newbyteorder("=")
    if native not in (np.float32, np.float64):
        if kind == "c":
            raise ValueError(f"Complex data not supported\n{role} has dtype {X.dtype}.")
        if kind in "USVmM":
            raise ValueError(
                f"{role} must hold numbers, got an array of dtype {X.dtype}. Encode it as numbers first."
            )
        try:
            with np.errstate(over="ignore"):
                X = X.astype(np.float64)  # numpy's own errors say what could not be converted
        except OverflowError as error:
            raise ValueError(f"Input {role} contains a value too large for float64.") from error
    elif X.dtype != native:
        X = X.astype(native)
    if not (X.flags.c_contiguous and X.flags.aligned):
        X = np.array(X, order="C", copy=True)
    return X


def _read_csr(X: Any, owner: str, welcome: bool, role: str) -> CSR:
    if not welcome:
        raise TypeError(
            f"Sparse data was passed for {role}, but dense data is required by {owner}. "
            f"Use '.toarray()' to convert to a dense numpy array."
        )
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array for {role}, got a sparse array of {X.ndim} dimension(s) instead."
        )
    try:
        if not _is_sound(X):
            raise ValueError("its indices point outside of it")
        given, X = X, X.tocsr()
        if X is not given and not _is_sound(X):
            raise ValueError("its indices point outside of it")
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"{role} is not a valid {X.format} matrix of shape {X.shape}: {error}.") from error
    if X.data.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{role} has dtype {X.data.dtype}.")
    count = int(X.indptr[-1])
    data, indices, indptr = X.data[:count], X.indices[:count], X.indptr
    rises = indices[1:] > indices[:-1]
    starts = indptr[(indptr > 0) & (indptr < count)]
    rises[starts - 1] = True
    if not rises.all():  # (what the matrix says of itself may be out of date)
        X = type(X)((data.copy(), indices.copy(), indptr.copy()), shape=X.shape)
        X.has_canonical_format = X.has_sorted_indices = False
        X.sum_duplicates()
        data, indices, indptr = X.data, X.indices, X.indptr
    index = np.int32 if indptr.dtype == indices.dtype == np.int32 else np.int64
    data, indices = _as_real(data, role), np.ascontiguousarray(indices, index)
    if not len(data):  # kernels take the address of the first value
        data, indices = np.zeros(1, data.dtype), np.zeros(1, index)
    return CSR(data, indices, np.ascontiguousarray(indptr, index), X.shape)


def _is_sound(X: Any) -> bool:
    """Whether converting a sparse matrix, or reading a CSR one, stays within its arrays."""
    rows, cols = X.shape
    if X.format in ("csr", "csc", "bsr"):
        if X.format == "bsr":
            _, height, breadth = X.data.shape
            rows, cols = rows // height, cols // breadth
        major, minor = (cols, rows) if X.format == "csc" else (rows, cols)
        return (
            len(X.indptr) == major + 1
            and X.indptr[0] == 0
            and X.indptr[-1] <= min(len(X.indices), len(X.data))
            and bool((np.diff(X.indptr) >= 0).all())
            and _within(X.indices[: X.indptr[-1]], minor)
        )
    if X.format == "coo":
        row, col = X.row, X.col
        return len(row) == len(col) == len(X.data) and _within(row, rows) and _within(col, cols)
    if X.format == "dia":
        return X.data.ndim == 2 and len(X.offsets) == X.data.shape[0]
    if X.format == "lil":
        return len(X.rows) == len(X.data) == rows and all(
            len(r) == len(v) and (not r or (min(r) >= 0 and max(r) < cols))
            for r, v in zip(X.rows, X.data, strict=True)
        )
    if X.format == "dok":
        return all(0 <= i < rows and 0 <= j < cols for i, j in X.keys())  # noqa: SIM118 (iterating X densifies)
    return True


def _within(indices: np.ndarray, size: int) -> bool:
    return not len(indices) or (indices.min() >= 0 and indices.max() < size)


def column_names(X: object) -> np.ndarray | None:
    """The column names of a dataframe or table, if all of them are strings."""
    if hasattr(X, "collect") and hasattr(X, "collect_schema"):
        raise TypeError(f"X is a {type(X).__name__}, which has not been computed yet. Pass X.collect().")
    names = getattr(X, "columns", None)
    if names is not None and hasattr(X, "column_names"):  # pyarrow's `columns` are the data
        names = X.column_names
    if names is None or callable(names) or not hasattr(names, "__len__"):
        return None
    names = list(names)
    kinds = sorted({type(name).__qualname__ for name in names})
    if kinds == ["str"] or all(isinstance(name, str) for name in names):
        return np.asarray(names, dtype=object) if names else None
    if "str" in kinds:
        raise TypeError(
            f"Feature names are only supported if all input features have string names, but your input "
            f"has {kinds} as feature name / column name types. If you want feature names to be stored "
            f"and validated, you must convert them all to strings, by using X.columns = "
            f"X.columns.astype(str) for example."
        )
    return None


def _match_names(found: np.ndarray, fitted: np.ndarray) -> None:
    if len(found) == len(fitted) and (found == fitted).all():
        return
    text = "The feature names should match those that were passed during fit.\n"
    unseen = sorted(set(found) - set(fitted))
    missing = sorted(set(fitted) - set(found))
    for title, some in (
        ("Feature names unseen at fit time", unseen),
        ("Feature names seen at fit time, yet now missing", missing),
    ):
        if some:
            more = "- ...\n" if len(some) > 5 else ""
            text += f"{title}:\n" + "".join(f"- {name}\n" for name in some[:5]) + more
    if not unseen and not missing:
        text += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(text)


def read_weights(sample_weight: object, n: int, owner: str, *, signed: bool = False) -> np.ndarray:
    """Sample weights as float64 of shape (n,), or an empty array for None.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), number or None
    n : int
    owner : str
    signed : bool
        Whether weights below zero are welcome, as in scores of predictions.

    Raises
    ------
    ValueError
        If the shape is not (n,), a weight is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return NO_WEIGHTS
    if isinstance(sample_weight, int | float | np.number):
        sample_weight = np.full(n, sample_weight)
    raw = _as_array(sample_weight)
    if raw.dtype.kind == "c":
        raise ValueError("Complex data not supported\nsample_weight is complex.")
    if raw.dtype.kind in "USVmM":
        raise ValueError(f"sample_weight must hold numbers, got an array of dtype {raw.dtype}.")
    try:
        with np.errstate(over="ignore"):
            w = np.ascontiguousarray(raw, dtype=np.float64)
    except OverflowError as error:
        raise ValueError("Input sample_weight contains a value too large for float64.") from error
    if w.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {w.ndim}D array. Expected either a scalar value "
            f"or a 1D array of length {n}."
        )
    if w.shape != (n,):
        raise ValueError(f"sample_weight.shape == {w.shape}, expected {(n,)}!")
    if not np.isfinite(w).all():
        what = "NaN" if np.isnan(w).any() else f"infinity or a value too large for {w.dtype!r}"
        raise ValueError(f"Input sample_weight contains {what}.")
    if not signed and (w < 0).any():
        raise ValueError(
            f"Negative values in data passed to `sample_weight` of {owner}: weights must be >= 0."
        )
    if not w.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return w
