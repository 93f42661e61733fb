"""What growing a tree needs to know of the columns: their ranks, or for cuts at random their values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clinfa._core import ranks
from clinfa.arrays import CSR
from clinfa.growing.categories import Categories
from clinfa.growing.sparse import Stored, rank_sparse, ranks_stored, values_stored, within
from clinfa.threads import stripes

__all__ = ["Ranks"]

_VALUE_NS = 20.0  # sorting, by value
_THIN = 3  # sparse records stay so where they store less than this share of all values: one of three


class Ranks(NamedTuple):
    """Integer codes of the values of every column, in order.

    Attributes
    ----------
    X : ndarray or scipy.sparse.csr_matrix of shape (n, d)
        The values; for cuts at random with the codes of categories.
    columns : ndarray of shape (d, n), uint16 or uint32
        0 for the least value of a column; NaN has the code that is the number of values. For cuts at random
        the values themselves, float32 or float64, or of categories the codes.
    n_values : ndarray of shape (d,), int64
        Distinct values of each column; zeros where those do not matter.
    missing : ndarray of shape (d,), uint8
        Whether a column has NaN.
    targets : ndarray of shape (outputs, n), uint32, or None
        Codes of the targets, for absolute errors.
    n_targets : ndarray of shape (outputs,), int64, or None
    categories : Categories or None
        Which columns are of categories, and what their codes stand for.
    stored : Stored or None
        With sparse records that stay so, `columns` are of shape (1, stored): what each column stores.
    """

    X: Any
    columns: np.ndarray
    n_values: np.ndarray
    missing: np.ndarray
    targets: np.ndarray | None = None
    n_targets: np.ndarray | None = None
    categories: Categories | None = None
    stored: Stored | None = None

    @classmethod
    def of(
        cls,
        X: np.ndarray | CSR,
        *,
        y: np.ndarray | None = None,
        random: bool = False,
        labels: dict[int, np.ndarray | None] | None = None,
        thin: bool = False,
    ) -> Ranks:
        """Of records of shape (n, d), and of targets of shape (n, outputs) where those matter.

        `labels` are columns of categories, and what the numbers in them stand for. `thin` keeps sparse
        records without any so, where they store few values.
        """
        targets, n_targets, _ = (None,) * 3 if y is None else _rank(y, np.uint32)
        sparse, dtype = isinstance(X, CSR), np.uint16 if X.shape[0] < 2**16 else np.uint32
        if sparse and thin and not labels and _THIN * int(X.indptr[-1]) < X.shape[0] * X.shape[1]:
            X = X.as_scipy()
            columns, n_values, missing, stored = values_stored(X) if random else ranks_stored(X, dtype)
            return cls(X, columns, n_values, missing, targets, n_targets, stored=stored)
        if not random:
            X = X.as_scipy() if sparse else X
            ranked = rank_sparse(X, dtype) if sparse else _rank(X, dtype)
            out = cls(X, *ranked, targets, n_targets)
            return out._replace(categories=Categories.of(labels, out._values)) if labels else out
        if sparse:  # values to draw between are looked at again and again
            X = X.rows(np.arange(X.shape[0]))
        n_values, categories = np.zeros(X.shape[1], np.int64), None
        if labels:
            categories = Categories.of(labels, lambda f: np.unique(X[~np.isnan(X[:, f]), f]))
            n_values[categories.columns] = [len(values) for values in categories.values]
            X = categories.coded(X)
        X = within(X)
        columns = np.array(X.T, order="C")
        missing = np.isnan(columns).any(axis=1).astype(np.uint8)
        return cls(X, columns, n_values, missing, targets, n_targets, categories)

    def _values(self, f: int) -> np.ndarray:
        """What the ranks of a column stand for."""
        count = int(self.n_values[f])
        if not count:  # (SciPy wants some places)
            return np.empty(0)
        some = np.empty(count + 1, np.int64)
        some[self.columns[f]] = np.arange(self.n)  # a record of each; NaN's is the last
        return np.asarray(self.X[some[:count], np.full(count, f)], np.float64).ravel()

    @property
    def records(self) -> np.ndarray:
        """X again where columns are values; nothing otherwise."""
        there = self.stored is None and self.columns.dtype == self.X.dtype
        return self.X if there else self.columns[:0].reshape(0, self.d)

    @property
    def n(self) -> int:
        return self.X.shape[0]

    @property
    def d(self) -> int:
        return self.X.shape[1]


def _rank(X: np.ndarray, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, d = X.shape
    codes, n_values, missing = np.empty((d, n), dtype), np.empty(d, np.int64), np.empty(d, np.uint8)
    cut = stripes(d, n * _VALUE_NS)
    rooms = np.empty((cut.width(), ranks.room(n)), np.uint8)
    cut.run(
        lambda cursor, limit, slot: ranks.rank_pass(
            X, codes, n_values, missing, rooms, cut.bounds, cursor, limit, slot
        )
    )
    return codes, n_values, missing
