"""The only reader of targets: labels (int, str, bool), numbers, indicator matrices.

Labels become codes 0 ... k - 1 into a sorted array of classes; numbers become float arrays. `kind_of` tells
them apart in scikit-learn's words. Error texts are scikit-learn's, because users search for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from clinfa._core import labels as kernels
from clinfa.arrays import all_finite, is_dataset, is_sparse
from clinfa.threads import Stripes, stripes

__all__ = [
    "Column",
    "Labels",
    "check_finite",
    "check_lengths",
    "column",
    "kind_of",
    "label_column",
    "merge_classes",
    "number",
    "range_of",
    "read_labels",
    "read_labels_together",
    "read_values",
]

_FEW = 1000  # below that work is not cut up
_NARROW = 1024  # a range of so many values is looked up in a table, however few labels there are
_MOST_HASHED = 1 << 15  # with more different labels than that, sorting is faster


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels as codes.

    Attributes
    ----------
    codes : ndarray of shape (n,), int64
        ``classes[codes]`` are the labels.
    classes : ndarray of shape (k,)
        Sorted, each once, in the labels' own type.
    """

    codes: np.ndarray
    classes: np.ndarray

    @property
    def n_classes(self) -> int:
        return len(self.classes)


def as_array(y: Any, role: str) -> np.ndarray:
    """Targets as an array of 1 or 2 dimensions: those of a Dataset, a series, a frame, a list."""
    if type(y) is np.ndarray and y.dtype.kind in "biufU":
        return y
    if is_dataset(y):
        if y.targets is None:
            raise ValueError(f"{role} is a Dataset without targets.")
        y = y.targets
    if type(y) is not np.ndarray:
        if isinstance(y, str) or not (isinstance(y, Sequence) or is_sparse(y) or hasattr(y, "__array__")):
            raise ValueError(f"Expected array-like (array or non-string sequence), got {y!r}")
        if is_sparse(y):
            raise TypeError(f"Sparse data was passed for {role}, but dense data is required.")
        y = _series(y, role) if hasattr(y, "to_numpy") else y
        try:
            y = y if isinstance(y, np.ndarray) else np.asarray(y)
        except ValueError as error:  # rows of different lengths
            raise ValueError(
                f"{role} must be one label or number per row, got rows of different lengths."
            ) from error
        if np.ma.isMaskedArray(y):
            raise ValueError(f"{role} has masked values: missing targets are not accepted.")
    if y.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{role} has dtype {y.dtype}.")
    if y.dtype.kind == "S" or (y.dtype == object and y.size and isinstance(y.flat[0], bytes)):
        raise TypeError(
            "Support for labels represented as bytes is not supported. Convert the labels to a string or "
            "integer format."
        )
    return y if type(y) is np.ndarray else y.view(np.ndarray)


def _series(y: Any, role: str) -> np.ndarray:
    """A series or a frame as an array; pandas' types with a missing value of their own become plain ones."""
    dtype = getattr(y, "dtype", None)
    if dtype is None or isinstance(dtype, np.dtype) or not hasattr(y, "isna"):
        # (An Arrow array's own `to_numpy` refuses to copy, which strings need.)
        return np.asarray(y) if hasattr(y, "__array__") else y.to_numpy()
    if y.isna().any():
        raise ValueError(f"Input {role} contains NaN.")
    plain = getattr(dtype, "numpy_dtype", None)
    return y.to_numpy(dtype=plain) if isinstance(plain, np.dtype) else y.to_numpy()


def check_lengths(*arrays: Any) -> None:
    """Raise unless all arrays (None does not count) have the same length."""
    lengths = [a.shape[0] if hasattr(a, "shape") else len(a) for a in arrays if a is not None]
    if any(length != lengths[0] for length in lengths):
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {lengths}")


def column(y: Any, role: str = "y") -> np.ndarray:
    """Targets of shape (n,) from (n,) or (n, 1).

    Raises
    ------
    ValueError
        If y has another shape.
    """
    y = as_array(y, role)
    if y.ndim == 1:
        return y
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    raise ValueError(f"{role} should be a 1d array, got an array of shape {y.shape} instead.")


def kind_of(y: Any, role: str = "y") -> str:
    """What targets are, in the words of scikit-learn's `type_of_target`.

    Returns
    -------
    {"binary", "multiclass", "continuous", "multilabel-indicator", "multiclass-multioutput", \
"continuous-multioutput", "unknown"}
    """
    if is_sparse(y):
        values = _plain(y.tocsr().data, role)
        few = values is not None and len(set(_number(values, codes=False)[0].tolist()) | {0}) <= 2
    else:
        y = as_array(y, role)
        if y.ndim not in (1, 2) or (y.ndim == 2 and not y.size and (len(y) or y.shape[1] < 2)):
            return "unknown"
        if y.dtype == object and not all(issubclass(kind, str) for kind in set(map(type, y.flat))):
            return "unknown"
        values = _plain(y.ravel(), role)
        few = values is not None and len(_number(values, codes=False)[0]) <= 2
    several = y.ndim == 2 and y.shape[1] > 1
    if values is None:
        return "continuous-multioutput" if several else "continuous"
    if several:
        return "multilabel-indicator" if few and y.dtype.kind in "biuf" else "multiclass-multioutput"
    return "binary" if few else "multiclass"


def read_labels(y: Any, owner: str, role: str = "y") -> Labels:
    """Labels of one column.

    Raises
    ------
    ValueError, TypeError
        If y is not one column, is not finite, or is not made of labels.
    """
    classes, (codes,) = number(label_column(y, owner, role))
    return Labels(codes, classes)


def read_labels_together(
    targets: dict[str, Any], owner: str, classes: np.ndarray | None = None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Several columns of labels in one numbering.

    Parameters
    ----------
    targets : dict of str to array-like
        By the name that errors call them.
    owner : str
    classes : ndarray of shape (k,), optional
        Number these, in this order; by default all that occur, sorted. A label that is not among them
        gets the code -1.

    Returns
    -------
    classes : ndarray of shape (k,)
    codes : list of ndarray of shape (n,), int64
    """
    columns = {role: label_column(y, owner, role) for role, y in targets.items()}
    check_mix(columns)
    found, codes = number(*columns.values())
    if classes is None:
        return found, codes
    place = {label: i for i, label in enumerate(classes.tolist())}
    table = np.array([place.get(label, -1) for label in found.tolist()], np.int64)
    return classes, [_look_up(own, 0, table) if len(own) else own for own in codes]


def read_values(y: Any, owner: str, role: str = "y", *, finite: bool = True) -> np.ndarray:
    """Numbers to be predicted: float32 or float64 of shape (n,) or (n, n_targets).

    `finite=False` is for who sees from the result whether they are, and calls `check_finite` then.

    Raises
    ------
    ValueError, TypeError
        If y is not numbers, is not finite, or has more than two dimensions.
    """
    y = as_array(y, role)
    if y.ndim not in (1, 2):
        raise ValueError(f"{role} must have one or two dimensions, got shape {y.shape}.")
    if y.dtype.newbyteorder("=") not in (np.float32, np.float64):
        if y.dtype.kind in "UmM":
            raise ValueError(f"{role} must hold numbers for {owner}, got an array of dtype {y.dtype}.")
        y = y.astype(np.float64)
    if finite:
        check_finite(y, role)
    return y.astype(y.dtype.newbyteorder("="), copy=False)


def check_finite(y: np.ndarray, role: str) -> None:
    """Raise if a value is NaN or infinite."""
    long = y.size > 4096 and y.flags.c_contiguous and y.dtype in (np.float32, np.float64)
    if not (all_finite(y) if long else np.isfinite(y).all()):
        what = "NaN" if np.isnan(y).any() else f"infinity or a value too large for {y.dtype!r}"
        raise ValueError(f"Input {role} contains {what}.")


class Column(NamedTuple):
    """One column of labels.

    Attributes
    ----------
    values : ndarray of shape (n,)
        Whole numbers and bools as int8, uint8, int16, int32, int64 or uint64; strings as they are.
        C-contiguous, in native byte order.
    dtype : dtype
        The labels' own.
    """

    values: np.ndarray
    dtype: np.dtype

    @property
    def text(self) -> bool:
        return self.dtype.kind in "UO"


def label_column(y: Any, owner: str, role: str = "y") -> Column:
    """Check that y is one column of labels.

    Raises
    ------
    ValueError, TypeError
        If y is not one column, is not finite, or is not made of labels.
    """
    y = column(y, role)
    values = _plain(y, role)
    if values is None:
        raise ValueError(
            f"Unknown label type: continuous. {owner} takes labels, and {role} holds numbers that are not "
            f"whole (or not within 64 bits)."
        )
    kind = y.dtype.kind
    if kind == "O":
        wrong = sorted({t.__name__ for t in set(map(type, y.tolist())) if not issubclass(t, str)})
        if wrong:
            raise ValueError(
                f"Unknown label type: unknown. {role} must hold ints, strs or bools for {owner}; among its "
                f"objects there are {', '.join(wrong)}."
            )
    elif kind not in "biufU":
        raise ValueError(f"Unknown label type: {role} has dtype {y.dtype}; {owner} takes int, str or bool.")
    return Column(values, y.dtype)


def check_mix(columns: dict[str, Column]) -> None:
    """Raise if some columns hold strings and others numbers."""
    if len({c.text for c in columns.values() if len(c.values)}) > 1:
        shown = " and ".join(str(_number(c.values, codes=False)[0]) for c in columns.values())
        raise ValueError(f"Mix of label input types (string and number); {', '.join(columns)} hold {shown}.")


def _plain(y: np.ndarray, role: str) -> np.ndarray | None:
    """Labels (n,) as `Column.values`; None if they are numbers that are not whole."""
    kind = y.dtype.kind
    if kind == "f":
        with np.errstate(invalid="ignore"):
            whole = y.astype(np.int64)
        if (whole == y).all():
            return whole
        check_finite(y, role)
        return None
    if kind == "b":
        y = y.view(np.uint8)
    elif kind == "u" and y.dtype.itemsize in (2, 4):
        y = y.astype(np.int32 if y.dtype.itemsize == 2 else np.int64)
    return np.ascontiguousarray(y, y.dtype.newbyteorder("="))


def range_of(values: np.ndarray) -> tuple[int, int]:
    """The least and the greatest of some integers, of which there is at least one."""
    if len(values) < _FEW:
        return int(values.min()), int(values.max())
    cut = stripes(len(values), 0.1 * values.itemsize)
    out = np.empty((len(cut), 2), values.dtype)
    cut.run(lambda cursor, limit, slot: kernels.range_pass(values, cut.bounds, cursor, limit, out))
    return int(out[:, 0].min()), int(out[:, 1].max())


def number(*columns: Column) -> tuple[np.ndarray, list[np.ndarray]]:
    """Number labels: the classes of all columns, sorted, and their codes (int64) in each column."""
    if len(columns) == 1:
        classes, codes = _number(columns[0].values)
        return classes.astype(columns[0].dtype, copy=False), [codes]
    numbered = [_number(c.values) for c in columns]
    own = [classes.astype(c.dtype, copy=False) for (classes, _), c in zip(numbered, columns)]
    if all(some.dtype == own[0].dtype and np.array_equal(some, own[0]) for some in own[1:]):
        return own[0], [codes for _, codes in numbered]
    classes = merge_classes(own)
    same = [len(some) == len(classes) for some in own]
    return classes, [
        codes
        if whole or not len(codes)
        else _look_up(codes, 0, np.searchsorted(classes, some.astype(classes.dtype)))
        for whole, some, (_, codes) in zip(same, own, numbered)
    ]


def merge_classes(several: list[np.ndarray]) -> np.ndarray:
    """All labels of some arrays, sorted, each once."""
    kinds = {some.dtype for some in several}
    if len(kinds) == 1 or "U" in {kind.kind for kind in kinds}:
        return np.unique(np.concatenate(several))
    # (Python compares numbers exactly; a common numpy type may not hold int64 and uint64 alike.)
    labels = sorted(set(chain.from_iterable(some.tolist() for some in several)))
    common = np.result_type(*kinds)
    if common.kind == "f" and {kind.kind for kind in kinds} <= set("biu"):
        common = np.dtype(np.int64 if labels[0] < 0 else np.uint64)
        if labels[0] < 0 and labels[-1] > np.iinfo(np.int64).max:
            common = np.dtype(object)
    union = np.array(labels, common)
    return np.array(labels, object) if (union[1:] == union[:-1]).any() else union


def _number(values: np.ndarray, codes: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
    """The labels that occur, sorted, and the number of each row's label where that is asked for."""
    if not len(values):
        return values, np.empty(0, np.int64)
    kind = values.dtype.kind
    if kind == "O":  # (dict and map run in C)
        labels = values.tolist()
        place = {label: i for i, label in enumerate(sorted(dict.fromkeys(labels)))}
        classes = np.array(list(place), object)
        return classes, np.fromiter(map(place.__getitem__, labels), np.int64, len(labels)) if codes else None
    if len(values) >= _FEW:
        if kind in "iu":
            low, high = range_of(values)
            if high - low < max(_NARROW, len(values)):
                return _number_narrow(values, low, high - low + 1, codes)
        if kind in "iuU" and values.dtype.itemsize and values.dtype.itemsize % 4 == 0:
            found = _number_hashed(values, codes)
            if found is not None:
                return found
    elif kind in "iu":
        classes, places = np.empty(min(len(values), _NARROW), values.dtype), np.empty(len(values), np.int64)
        k = kernels.number_few(values, np.empty(_NARROW, np.int64), classes, places)
        if k > 0:
            return classes[:k].copy(), places if codes else None
    classes, inverse = np.unique(values, return_inverse=True)
    return classes, inverse.astype(np.int64, copy=False)


def _number_narrow(
    values: np.ndarray, low: int, width: int, codes: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    cut = stripes(len(values), 0.5)
    seen = np.zeros((cut.width(), width + 128), np.uint8)
    shift = low % 2**64
    cut.run(
        lambda cursor, limit, slot: kernels.seen_pass(values, shift, cut.bounds, cursor, limit, seen[slot])
    )
    occurs = seen[:, :width].any(axis=0)
    classes = np.flatnonzero(occurs).astype(values.dtype) + np.array(low, values.dtype)
    return classes, _look_up(values, shift, np.cumsum(occurs) - 1) if codes else None


def _number_hashed(values: np.ndarray, codes: bool) -> tuple[np.ndarray, np.ndarray | None] | None:
    """None if there are too many different labels."""
    n = len(values)
    rows = values.view(np.uint32).reshape(n, -1)
    cut = stripes(n, 2.0 + rows.shape[1])
    most = min(n, _MOST_HASHED)
    table = np.zeros((cut.width(), 2 << most.bit_length()), np.int32)
    firsts = np.empty((cut.width(), most), np.int64)
    found = np.zeros((cut.width(), 16), np.int64)
    owner, numbers = np.empty(len(cut), np.int64), np.empty(n, np.int64)
    cut.run(
        lambda cursor, limit, slot: kernels.number_pass(
            *(rows, cut.bounds, cursor, limit, slot),
            *(table[slot], firsts[slot], found[slot], owner, numbers),
        )
    )
    if found[:, 0].min() < 0:
        return None
    each = [values[some[:count]] for some, count in zip(firsts, found[:, 0])]
    classes = np.unique(np.concatenate(each))
    if not codes:
        return classes, None
    ranks = np.zeros((len(each), max(map(len, each))), np.int64)
    for rank, some in zip(ranks, each):
        rank[: len(some)] = np.searchsorted(classes, some)
    return classes, _look_up(numbers, 0, ranks, owner, cut, out=numbers)


def _look_up(
    values: np.ndarray,
    low: int,
    tables: np.ndarray,
    which: np.ndarray | None = None,
    cut: Stripes | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """``table[values - low]``; with several tables, `which` says that of each stripe of `cut`."""
    cut = cut or stripes(len(values), 0.7)
    which = np.zeros(len(cut), np.int64) if which is None else which
    out = np.empty(len(values), np.int64) if out is None else out
    tables = tables.reshape(-1, tables.shape[-1])
    cut.run(
        lambda cursor, limit, slot: kernels.codes_pass(
            values, low, tables, which, cut.bounds, cursor, limit, out
        )
    )
    return out
