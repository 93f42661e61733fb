"""Records that stand for all that are like them.

Equal records with equal targets are one variable, whose C is the sum of theirs, and variables come in an
order that depends on their values alone. So a record of weight 2 is to the bit what the same record is that
stands there twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import columns
from clinfa.arrays import Table

__all__ = ["Distinct", "distinct"]

_FEW = 512  # records that one call puts in order


@dataclass(frozen=True)
class Distinct:
    """The different ones among the records that weigh something.

    Attributes
    ----------
    first : ndarray of shape (u,)
        A record of each kind.
    C, mass : ndarray of shape (u,)
        Sums over the records of a kind: of C, and of the weights.
    """

    first: np.ndarray
    C: np.ndarray
    mass: np.ndarray
    _kind: np.ndarray  # (n_active,)
    _active: np.ndarray  # (n_active,)
    _share: np.ndarray  # (n_active,) of its kind's C
    _n: int

    @property
    def whole(self) -> bool:
        """Whether no record was left out."""
        return len(self._active) == self._n

    def shared(self, b: np.ndarray) -> np.ndarray:
        """Coefficients of all n records, in the last axis, from those of the kinds."""
        out = np.zeros((*b.shape[:-1], self._n))
        out[..., self._active] = b[..., self._kind] * self._share
        return out


def distinct(
    table: Table, weights: np.ndarray, C: np.ndarray, targets: np.ndarray | None, merge: bool = True
) -> Distinct:
    """Find them.

    Parameters
    ----------
    table : Table
    weights : ndarray of shape (n,) or (0,)
    C : ndarray of shape (n,)
        Records where it is not above zero are left out.
    targets : ndarray of shape (n,) or None
        Records with different ones are different. Kinds come in the order of targets.
    merge : bool
        Whether equal records are one; otherwise each stands for itself, in the order of targets.
    """
    targets = np.zeros(table.n) if targets is None else targets
    if merge and table.n <= _FEW and not table.sparse:
        found = _few(table, weights, C, targets)
        return distinct(table, weights, C, targets, merge=False) if found is None else found
    active = (C > 0).nonzero()[0]
    own = targets[active]
    if not merge:
        active = active[np.argsort(own, kind="stable")]
        mass = weights[active] if len(weights) else np.ones(len(active))
        return Distinct(
            active, C[active], mass, np.arange(len(active)), active, np.ones(len(active)), table.n
        )
    keys = table.keys()[active]
    order = np.lexsort((keys, own))
    active, keys, own = active[order], keys[order], own[order]
    new = np.ones(len(active), bool)
    np.logical_or(keys[1:] != keys[:-1], own[1:] != own[:-1], out=new[1:])
    starts, kind = new.nonzero()[0], new.cumsum() - 1
    first = active[starts]
    if len(first) < len(active) and not _alike(table, active[~new], first[kind[~new]]):
        return distinct(table, weights, C, targets, merge=False)  # (two keys were equal by chance)
    mine = C[active]
    total = np.add.reduceat(mine, starts)
    mass = np.add.reduceat(weights[active], starts) if len(weights) else np.bincount(kind)
    return Distinct(first, total, mass.astype(np.float64), kind, active, mine / total[kind], table.n)


def _few(table: Table, weights: np.ndarray, C: np.ndarray, targets: np.ndarray) -> Distinct | None:
    """The same for a few dense records; None where two keys are equal by chance."""
    n = table.n
    places, numbers = np.empty((3, n), np.int64), np.empty((3, n))
    count, kinds = columns.kinds_pass(
        table.X, targets.astype(np.float64, copy=False), C, weights, np.empty(n, np.uint64), places, numbers
    )
    if kinds < 0:
        return None
    active, kind = places[:2, :count]
    total, mass = numbers[:2, :kinds]
    return Distinct(places[2, :kinds], total, mass, kind, active, numbers[2, :count], n)


def _alike(table: Table, some: np.ndarray, others: np.ndarray) -> bool:
    """Whether rows are equal, one by one."""
    step = 4096
    return all(
        np.array_equal(table.rows(some[i : i + step]), table.rows(others[i : i + step]))
        for i in range(0, len(some), step)
    )
