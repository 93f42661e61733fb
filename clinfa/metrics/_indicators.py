"""Indicator matrices: several labels a row, one column for each label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa.arrays import is_sparse
from clinfa.blas import matmul
from clinfa.metrics._counts import Counts, count_classes, read_pair, row_weights
from clinfa.targets import as_array


@dataclass(frozen=True, slots=True)
class Indicators:
    """Two indicator matrices of shape (n, k): both dense, or both CSR."""

    truth: Any
    prediction: Any

    @property
    def shape(self) -> tuple[int, int]:
        return self.truth.shape

    def part(self, columns: np.ndarray) -> Indicators:
        return Indicators(self.truth[:, columns], self.prediction[:, columns])

    def counts(self, weights: np.ndarray, *, by_row: bool = False) -> Counts:
        """Entries by label, or by row; each weighed by its row."""
        if is_sparse(self.truth):
            both = self.truth.multiply(self.prediction).tocsr()
        else:
            both = (self.truth != 0) & (self.prediction != 0)
        sums = (_count(some, weights, by_row) for some in (both, self.truth, self.prediction))
        n, k = self.shape
        if by_row:
            return Counts(np.arange(n), *sums, k * weights if len(weights) else k, several=True)
        return Counts(np.arange(k), *sums, weights.sum() if len(weights) else n, several=True)

    def differences(self, weights: np.ndarray) -> np.ndarray:
        """How many entries of each row differ, weighed by row."""
        differ = self.truth != self.prediction
        return _count(differ.tocsr() if is_sparse(differ) else differ, weights, True)


def read_indicators(y_true: Any, y_pred: Any) -> Indicators:
    """Two matrices that `read_pair` has found to be indicators.

    Raises
    ------
    ValueError
        If they have different numbers of columns.
    """
    pair = [y if is_sparse(y) else as_array(y, "y") for y in (y_true, y_pred)]
    if pair[0].shape[1] != pair[1].shape[1]:
        raise ValueError("Multi-label binary indicator input with different numbers of labels")
    if any(is_sparse(y) for y in pair):
        from scipy.sparse import csr_array  # dense matrices do not need it

        pair = [csr_array(y, copy=True) for y in pair]
        for y in pair:
            y.sum_duplicates()
            y.eliminate_zeros()
    return Indicators(*pair)


def read_counts(
    y_true: Any, y_pred: Any, owner: str, labels: Any, sample_weight: Any, *, by_row: bool = False
) -> tuple[Counts, np.ndarray]:
    """Counts by label of whatever `y_true` and `y_pred` are, or by row of indicator matrices; row weights."""
    pair = read_pair(y_true, y_pred, owner)
    if pair is not None:
        weights = row_weights(sample_weight, y_true, len(pair[0].values), owner)
        if by_row:
            raise ValueError("Samplewise metrics are not available outside of multilabel classification.")
        counts = count_classes(*pair, weights)
        return counts if labels is None else counts.part(np.asarray(labels)), weights
    both = read_indicators(y_true, y_pred)
    weights = row_weights(sample_weight, y_true, both.shape[0], owner)
    if labels is not None:
        labels, last = np.asarray(labels), both.shape[1] - 1
        for wrong, words in ((labels > last, f"> {last}"), (labels < 0, "< 0")):
            if wrong.any():
                raise ValueError(
                    f"All labels must be in [0, n labels) for multilabel targets. Got "
                    f"{labels[wrong][0]} {words}"
                )
        both = both.part(labels)
    return both.counts(weights, by_row=by_row), weights


def _count(some: Any, weights: np.ndarray, by_row: bool) -> np.ndarray:
    """Entries that are not zero: by label, or by row."""
    if is_sparse(some):
        some.eliminate_zeros()
        each = np.diff(some.indptr).astype(np.int64)
        if not by_row:
            w = np.repeat(weights, each) if len(weights) else None
            return np.bincount(some.indices, w, some.shape[1])
    elif by_row:
        each = np.count_nonzero(some, axis=1)
    else:
        return matmul(weights, some != 0) if len(weights) else np.count_nonzero(some, axis=0)
    return each * weights if len(weights) else each
