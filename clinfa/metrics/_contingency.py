"""Which true class and which cluster rows share: the table that all scores against a truth are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import contingency as kernel
from clinfa.arrays import NO_WEIGHTS
from clinfa.metrics._counts import count_pairs
from clinfa.params import between, boolean, none
from clinfa.targets import as_array, check_lengths, label_column, number, range_of
from clinfa.threads import stripes

__all__ = ["Contingency", "contingency_matrix", "pair_confusion_matrix", "pair_counts", "read_contingency"]


@dataclass(frozen=True, slots=True)
class Contingency:
    """Counts of rows by true class and cluster, without the cells that are empty.

    Attributes
    ----------
    rows, columns, counts : ndarray of shape (n_cells,)
        Sorted by row, then by column; counts are above 0.
    row_sums, column_sums : ndarray of shape (n_classes,), (n_clusters,)
    """

    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray
    row_sums: np.ndarray
    column_sums: np.ndarray

    @property
    def n(self) -> int:
        return int(self.row_sums.sum())

    @property
    def pure(self) -> bool:
        """Whether every cluster lies within one class."""
        return len(self.counts) == len(self.column_sums)

    @property
    def complete(self) -> bool:
        """Whether every class lies within one cluster."""
        return len(self.counts) == len(self.row_sums)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.row_sums), len(self.column_sums)

    def information(self) -> float:
        """Mutual information of rows and columns, in nats."""
        if min(self.shape) <= 1:
            return 0.0
        n = float(self.n)
        ratio = (self.counts * n) / (self.row_sums[self.rows] * self.column_sums[self.columns].astype(float))
        shares = self.counts / n * np.log(ratio)
        shares[np.abs(shares) < np.finfo(float).eps] = 0
        return max(float(shares.sum()), 0.0)

    def expected_information(self) -> float:
        """What the mutual information is on average if rows are dealt to clusters of these sizes at random.

        Clusters of equal size are counted together, so many small clusters cost as little as few large ones.
        """
        n = float(self.n)
        (a, a_times), (b, b_times) = (
            np.unique(sums, return_counts=True) for sums in (self.row_sums, self.column_sums)
        )
        a, b = a.astype(float), b.astype(float)
        terms = 20 * np.sqrt(a).mean() * np.sqrt(b).mean() / np.sqrt(n)
        cut = stripes(len(a) * len(b), 50 + 10 * terms)
        out = np.empty((len(cut), 17))  # 128 bytes keep stripes apart
        counts = a_times.astype(float), b_times.astype(float)
        cut.run(
            lambda cursor, limit, slot: kernel.expected_pass(
                a, counts[0], b, counts[1], n, cut.bounds, cursor, limit, out
            )
        )
        return float(out[:, 0].sum()) / n


def entropy(sums: np.ndarray) -> float:
    """Entropy of a partition with parts of these sizes, in nats; 1 for no rows at all, as in scikit-learn."""
    if len(sums) <= 1:
        return 1.0 - len(sums)
    n = float(sums.sum())
    return float((sums / n * np.log(n / sums)).sum())


def _one_column(labels: Any, role: str) -> np.ndarray:
    labels = as_array(labels, role)
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise ValueError(f"{role} must be 1D: shape is {labels.shape}")
    return labels


def read_contingency(labels_true: Any, labels_pred: Any, owner: str) -> Contingency:
    """The table of two labellings of the same rows."""
    true, found = (
        label_column(_one_column(labels_true, "labels_true"), owner, "labels_true"),
        label_column(_one_column(labels_pred, "labels_pred"), owner, "labels_pred"),
    )
    n = len(true.values)
    check_lengths(true.values, found.values)
    if not n:
        none_at_all = np.empty(0, np.int64)
        return Contingency(*[none_at_all] * 5)
    if _few_in_common(true.values, found.values, n):
        table = count_pairs(true, found, NO_WEIGHTS)[1]
        table = table[table.any(axis=1)][:, table.any(axis=0)]
        rows, columns = np.nonzero(table)
        return Contingency(rows, columns, table[rows, columns], table.sum(axis=1), table.sum(axis=0))
    (classes, (a,)), (clusters, (b,)) = number(true), number(found)
    shape = len(classes), len(clusters)
    keys = a * shape[1] + b  # (no overflow: both numbers are at most that of rows)
    if shape[0] * shape[1] <= 4 * n + 1024:
        table = np.bincount(keys, minlength=shape[0] * shape[1])
        cells = np.flatnonzero(table)
        counts = table[cells]
    else:
        cells, counts = np.unique(keys, return_counts=True)
    return _of_cells(cells // shape[1], cells % shape[1], counts, shape)


def _few_in_common(a: np.ndarray, b: np.ndarray, n: int) -> bool:
    """Whether both are integers of one range that is so small that a table of all pairs is cheap."""
    if a.dtype.kind not in "iu" or b.dtype.kind not in "iu":
        return False
    ranges = range_of(a), range_of(b)
    width = max(high for _, high in ranges) - min(low for low, _ in ranges) + 1
    return width * width <= max(1024, n // 2)


def _of_cells(
    rows: np.ndarray, columns: np.ndarray, counts: np.ndarray, shape: tuple[int, int]
) -> Contingency:
    row_sums, column_sums = np.zeros(shape[0], np.int64), np.zeros(shape[1], np.int64)
    np.add.at(row_sums, rows, counts)
    np.add.at(column_sums, columns, counts)
    return Contingency(rows, columns, counts, row_sums, column_sums)


def of_matrix(matrix: Any) -> Contingency:
    """The table of a contingency matrix, dense or sparse."""
    if hasattr(matrix, "tocoo"):
        cells = matrix.tocsr().tocoo()
        cells.sum_duplicates()
        rows, columns, counts, shape = cells.row, cells.col, cells.data, cells.shape
    else:
        dense = np.asarray(matrix)
        if dense.ndim != 2:
            raise ValueError(f"contingency must have two dimensions, got shape {dense.shape}.")
        rows, columns = np.nonzero(dense)
        counts, shape = dense[rows, columns], dense.shape
    if counts.dtype.kind not in "buif" or not (counts == np.rint(counts)).all() or (counts < 0).any():
        raise ValueError("contingency must hold numbers of rows: whole and not below 0.")
    there = counts > 0
    table = _of_cells(rows[there], columns[there], counts[there].astype(np.int64), shape)
    if not there.any():
        raise ValueError("contingency must count at least one row.")
    return table


_EPS = between(0) | none()
_SWITCH = boolean()


def contingency_matrix(
    labels_true: Any,
    labels_pred: Any,
    *,
    eps: float | None = None,
    sparse: bool = False,
    dtype: Any = np.int64,
) -> Any:
    """How many rows of each true class lie in each cluster.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Ints, strings or bools.
    labels_pred : array-like of shape (n,)
    eps : float, optional
        Added to every count, which makes them floats.
    sparse : bool
        Whether to return a CSR matrix.
    dtype : dtype
        Of the counts.

    Returns
    -------
    ndarray or scipy.sparse.csr_matrix of shape (n_classes, n_clusters)
        Classes and clusters are sorted by label.

    Raises
    ------
    ValueError
        If lengths differ, labels are not labels, or both `eps` and `sparse` are given.

    Examples
    --------
    >>> from clinfa.metrics.cluster import contingency_matrix
    >>> contingency_matrix(["a", "a", "b", "b"], [0, 1, 1, 1])
    array([[1, 1],
           [0, 2]])
    """
    _EPS.check("eps", eps, "contingency_matrix")
    _SWITCH.check("sparse", sparse, "contingency_matrix")
    if eps is not None and sparse:
        raise ValueError("Cannot set 'eps' when sparse=True")
    table = read_contingency(labels_true, labels_pred, "contingency_matrix")
    if sparse:
        from scipy.sparse import csr_matrix  # who asks for one needs it; importing it is slow

        return csr_matrix((table.counts.astype(dtype), (table.rows, table.columns)), shape=table.shape)
    out = np.zeros(table.shape, dtype)
    out[table.rows, table.columns] = table.counts
    return out if eps is None else out + eps


def pair_counts(table: Contingency) -> tuple[int, int, int, int]:
    """Ordered pairs of rows: apart in both, together in the clustering alone, in truth alone, in both.

    Ints of Python, which cannot overflow.
    """
    n = table.n
    both, true, found = (
        int((counts * counts).sum()) for counts in (table.counts, table.row_sums, table.column_sums)
    )
    return n * n - true - found + both, found - both, true - both, both - n


def pair_confusion_matrix(labels_true: Any, labels_pred: Any) -> np.ndarray:
    """How many pairs of rows two clusterings agree on.

    Every pair is counted twice, once in either order.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
    labels_pred : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (2, 2), int64
        ``C[i, j]``: pairs that are together in `labels_true` if i is 1, and in `labels_pred` if j is 1.

    Raises
    ------
    ValueError
        If lengths differ or labels are not labels.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions. Journal of Classification 2.

    Examples
    --------
    >>> from clinfa.metrics.cluster import pair_confusion_matrix
    >>> pair_confusion_matrix([0, 0, 1, 1], [0, 0, 1, 2])
    array([[8, 0],
           [2, 2]])
    """
    table = read_contingency(labels_true, labels_pred, "pair_confusion_matrix")
    return np.array(pair_counts(table), np.int64).reshape(2, 2)
