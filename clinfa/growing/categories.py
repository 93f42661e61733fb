"""Columns of categories: which they are, and what their values are numbered by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from clinfa.arrays import Table, column_names, is_dataset, is_sparse, read_table
from clinfa.names import categories_of

__all__ = ["Categories", "Sets", "read_categories"]

_MOST = 2**16  # values of a column: a split takes a bit for each


class Categories(NamedTuple):
    """Columns of categories, and their values.

    Attributes
    ----------
    columns : ndarray of shape (k,)
    values : tuple of k ndarrays
        The values of each that occur, rising, without NaN: their places are their codes.
    labels : tuple of k ndarrays or None
        What the values stand for where they are numbers of labels.
    """

    columns: np.ndarray
    values: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray | None, ...]

    @classmethod
    def of(cls, labels: dict[int, np.ndarray | None], values_of: Callable[[int], np.ndarray]) -> Categories:
        """Those of columns whose numbers stand for `labels`.

        Raises
        ------
        ValueError
            If a column has too many values.
        """
        columns, values = sorted(labels), []
        for f in columns:
            own = values_of(f)
            if len(own) > _MOST:
                raise ValueError(
                    f"Column {f} of X has {len(own)} categories. At most {_MOST} are allowed: leave it out "
                    f"of categorical_features."
                )
            values.append(own.astype(np.float64, copy=False))
        return cls(np.array(columns), tuple(values), tuple(labels[f] for f in columns))

    def same(self, other: Categories) -> bool:
        """Whether codes mean the same."""
        if self is other:
            return True

        def equal(a: np.ndarray | None, b: np.ndarray | None) -> bool:
            return a is b is None or (a is not None and b is not None and np.array_equal(a, b))

        return (
            equal(self.columns, other.columns)
            and all(map(equal, self.values, other.values))
            and all(map(equal, self.labels, other.labels))
        )

    def coded(self, X: np.ndarray) -> np.ndarray:
        """Records with codes in these columns; NaN for what is missing or was never seen."""
        out = X.copy()
        for f, known in zip(self.columns, self.values, strict=True):
            own = X[:, f]
            place = np.searchsorted(known, own)
            place[place == len(known)] = 0
            out[:, f] = np.where(known[place] == own, place, np.nan) if len(known) else np.nan
        return out

    def names(self, feature: int) -> np.ndarray:
        """What the codes of a column stand for."""
        at = int(np.flatnonzero(self.columns == feature)[0])
        values, labels = self.values[at], self.labels[at]
        return values if labels is None else labels[values.astype(np.int64)]


class Sets(NamedTuple):
    """Which categories go left, in the nodes of trees that divide some.

    Attributes
    ----------
    bits : ndarray of shape (words,), uint64
        A bit for each value of the column that a node divides; its threshold says where they begin.
    starts : ndarray of shape (trees + 1,)
        Where those of a tree begin.
    categories : Categories
    """

    bits: np.ndarray
    starts: np.ndarray
    categories: Categories

    @classmethod
    def joined(cls, several: list[Sets]) -> Sets:
        """Those of all trees, in order."""
        ends = np.cumsum([one.starts[-1] for one in several])
        starts = [one.starts[1:] + end - one.starts[-1] for one, end in zip(several, ends, strict=True)]
        bits = np.concatenate([one.bits for one in several])
        return cls(bits, np.concatenate([[0], *starts]), several[0].categories)

    def of_tree(self, t: int) -> Sets:
        """Those of one tree."""
        own = self.bits[self.starts[t] : self.starts[t + 1]]
        return Sets(own, np.array([0, len(own)]), self.categories)

    def left(self, feature: int, begin: int) -> np.ndarray:
        """Which categories of a column go left, by the bits of a single tree from `begin` on: a mask."""
        count = len(self.categories.names(feature))
        bits = self.bits[begin : begin + (count + 63) // 64]
        places = np.arange(count, dtype=np.uint64)
        return (bits[places // 64] >> (places % 64) & 1).astype(bool)


def read_categories(X: Any, owner: str, given: Any, **how: Any) -> Table:
    """Read records some of whose columns are of categories: numbers, or labels of any kind.

    Parameters
    ----------
    X : array-like, dataframe, sparse matrix or Dataset of shape (n, d)
    owner : str
    given : str, sequence or Categories
        Which columns: the parameter ``categorical_features``; or those that were learned.
    **how
        For `clinfa.arrays.read_table`.

    Returns
    -------
    table : Table
        `labels` tells the columns.

    Raises
    ------
    ValueError, TypeError
        If there are no such columns, if they hold what is no category, or as from `read_table`.
    """
    names = X.feature_names if is_dataset(X) else column_names(X)
    X = X.records if is_dataset(X) else X
    other = how.get("names") is not None and names is not None and list(names) != list(how["names"])
    if other or len(getattr(X, "shape", ())) != 2:
        array = X if other or is_sparse(X) or np.ndim(X) != 2 else np.asarray(X)
        if array is X:  # (which is wrong)
            return read_table(X, owner, given_names=names, **how)
        X = array if array.dtype.kind in "biuf" else np.asarray(X, object)
    if how.get("width", X.shape[1]) != X.shape[1]:  # (and whatever it holds)
        return read_table(X if is_sparse(X) else np.zeros(X.shape), owner, given_names=names, **how)
    known, empty = {}, set()
    if isinstance(given, Categories):
        known = dict(zip(given.columns.tolist(), given.labels, strict=True))
        empty = {f for f, values in zip(known, given.values, strict=True) if not len(values)}
        columns = list(known)
    elif isinstance(given, str):
        columns = [f for f in range(X.shape[1]) if _is_category(X, f)]
    else:
        mask = categories_of(given, [] if names is None else list(names), X.shape[1])
        columns = np.flatnonzero(mask).tolist()
    labels: dict[int, np.ndarray | None] = dict.fromkeys(columns)
    named = {f for f in columns if known.get(f) is not None}
    if named and is_sparse(X):
        raise TypeError(f"{owner} was fitted with columns of labels: X must be dense, got a sparse matrix.")
    if is_sparse(X) or (isinstance(X, np.ndarray) and X.dtype.kind in "biuf"):
        if not known and not is_sparse(X):
            named = {f for f in columns if _is_rounded(X[:, f])}
        apart = columns if named else []
    else:
        apart = columns
    if apart:
        written = {}
        for f in apart:
            values = _column(X, f)
            if f in empty:
                values = np.full(len(values), np.nan)
            elif f in named or (not known and (values.dtype.kind not in "biuf" or _is_rounded(values))):
                _check_numbers(values, known.get(f), f, owner)
                labels[f], values = _numbered(values, known.get(f), f)
            written[f] = values
        X = _with(X, written, owner)
    table = read_table(X, owner, given_names=names, **how)
    return Table(table.X, table.names, labels=labels)


def _is_rounded(values: np.ndarray) -> bool:
    """Whether integers are so large that float64 would make one of several: then they are labels."""
    if values.dtype.kind not in "iu" or values.itemsize < 8 or not len(values):
        return False
    return bool(int(values.max()) > 2**53 or int(values.min()) < -(2**53))


def _check_numbers(values: np.ndarray, labels: np.ndarray | None, f: int, owner: str) -> None:
    """Raise ValueError where a column of labels is one of numbers now."""
    if labels is None or values.dtype.kind not in "biuf" or np.isnan(values).all():
        return
    if not any(isinstance(v, int | float | np.number) for v in labels):
        raise ValueError(
            f"Column {f} of X held labels when {owner} was fitted, such as {labels[:1].tolist()}. "
            f"Got numbers: {values.dtype}."
        )


def _is_category(X: Any, f: int) -> bool:
    """Whether a dataframe says that a column is of categories."""
    if hasattr(X, "iloc"):
        kind = X.dtypes.iloc[f]
    elif hasattr(X, "schema"):  # pyarrow, or polars, whose schema has no fields
        kind = X.schema.field(f).type if hasattr(X.schema, "field") else X.dtypes[f]
    else:
        return False
    return str(kind).lower().startswith(("category", "categorical", "enum", "dictionary"))


def _column(X: Any, f: int) -> np.ndarray:
    """One column: numbers, or anything, with None for what is missing."""
    if hasattr(X, "iloc"):
        values = X.iloc[:, f].to_numpy()
        return values if values.dtype.kind in "biuf" else X.iloc[:, f].to_numpy(object, na_value=None)
    if hasattr(X, "schema"):
        own = X[:, f] if not hasattr(X.schema, "field") else X.column(f)
        values = np.array(own.to_list() if hasattr(own, "to_list") else own.to_pylist(), object)
        numbers = not any(isinstance(v, str) for v in values[:1])
        return own.to_numpy() if numbers and own.to_numpy().dtype.kind in "biuf" else values
    return X[:, f]


def _numbered(values: np.ndarray, labels: np.ndarray | None, f: int) -> tuple[np.ndarray, np.ndarray]:
    """The labels that occur, unless they are known, and their numbers; NaN for what is missing or unknown."""
    # (pandas's NA is neither true nor false.)
    given = [None if type(v).__name__ == "NAType" else v for v in values.tolist()]
    try:
        if labels is None:
            seen = {v for v in given if v is not None and v == v}
            try:
                ordered = sorted(seen)
            except TypeError:  # of several kinds
                ordered = sorted(seen, key=lambda v: (type(v).__name__, str(v)))
            labels = np.empty(len(ordered), object)
            labels[:] = ordered
        number = {label: float(i) for i, label in enumerate(labels)}
        return labels, np.fromiter((number.get(v, np.nan) for v in given), np.float32, len(given))
    except TypeError as error:
        raise TypeError(f"Column {f} of X holds something that cannot be a category: {error}.") from error


def _with(X: Any, written: dict[int, np.ndarray], owner: str) -> np.ndarray:
    """All columns as numbers, some of which are there already."""
    rest = [f for f in range(X.shape[1]) if f not in written]
    part = np.empty((X.shape[0], 0))
    if rest:
        if hasattr(X, "iloc"):
            part = X.iloc[:, rest]
        else:
            part = X.select(rest) if hasattr(getattr(X, "schema", None), "field") else X[:, rest]
        part = read_table(part, owner, finite=False).X
    out = np.empty(X.shape, np.result_type(part.dtype, *(values.dtype for values in written.values())))
    out[:, rest] = part
    for f, values in written.items():
        out[:, f] = values
    return out
