"""Middles of clusters whose records belong to them more or less firmly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from clinfa.arrays import Table
from clinfa.blas import matmul
from clinfa.cluster._mutual_reachability import distances, on_tree

__all__ = ["centroids", "medoids"]

_SAFE = {np.dtype(np.float32): 40, np.dtype(np.float64): 300}  # squares of 2^this are far from the limits
_BLOCK = 1 << 20  # distances at a time


def centroids(table: Table, labels: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """The weighted mean of each cluster: shape (k, d)."""
    X, power = _scaled(table)
    out = np.empty((labels.max() + 1, table.d), table.dtype)
    for j in range(len(out)):
        mine = np.flatnonzero(labels == j)
        out[j] = np.ldexp(np.average(X[mine], axis=0, weights=strength[mine]), power)
    return out


def medoids(
    table: Table,
    labels: np.ndarray,
    strength: np.ndarray,
    metric: str | Callable,
    params: Mapping[str, Any],
) -> np.ndarray:
    """The record of each cluster with the least weighted sum of distances to the others: shape (k, d)."""
    X = _scaled(table)[0] if on_tree(metric, params) else table.X
    out = np.empty((labels.max() + 1, table.d), table.dtype)
    for j in range(len(out)):
        mine = np.flatnonzero(labels == j)
        data, rows = X[mine], max(1, _BLOCK // len(mine))
        sums = [
            matmul(distances(data[i : i + rows], data, metric, params), strength[mine])
            for i in range(0, len(mine), rows)
        ]
        out[j] = table.X[mine[np.argmin(np.concatenate(sums))]]
    return out


def _scaled(table: Table) -> tuple[np.ndarray, int]:
    """Records, divided by a power of two where their squares would overflow or vanish; the power."""
    most = float(np.abs(table.column_range).max())
    power = int(np.frexp(most)[1])
    if most == 0 or abs(power) <= _SAFE[table.dtype]:
        return table.X, 0
    return np.ldexp(table.X, -power), power
