"""Which pairs of records a sparse kernel keeps."""

from __future__ import annotations

import numpy as np

from clinfa._core import union
from clinfa.threads import stripes

__all__ = ["united"]

_ROWS = 1_000_000  # neighbours that one call goes through
_MOST = 2**31 - 1


def united(nearest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of which one is a neighbour of the other, and each record with itself.

    Parameters
    ----------
    nearest : ndarray of shape (n, k)
        Rows of the neighbours of each record; whether it is among them makes no difference.

    Returns
    -------
    indptr : ndarray of shape (n + 1,), int32
    indices : ndarray of shape (nnz,), int32
        Ascending in each row.
    """
    n, k = nearest.shape
    if n * (2 * k + 1) > _MOST:
        raise ValueError(f"{n} records with {k} neighbours each have more pairs than can be numbered.")
    near = np.sort(nearest.astype(np.int32), axis=1)
    starts, back = np.zeros(n + 1, np.int64), np.empty(n * k, np.int32)
    step = max(1, _ROWS // k)
    for begin in range(0, n, step):
        union.count_pass(near, begin, min(begin + step, n), starts)
    np.cumsum(starts, out=starts)
    place = starts[:-1].copy()
    for begin in range(0, n, step):
        union.turn_pass(near, begin, min(begin + step, n), place, back)
    cut = stripes(n, 5.0 * k)
    counts, none = np.zeros(n + 1, np.int64), np.empty(0, np.int32)
    cut.run(
        lambda cursor, limit, slot: union.union_pass(
            near, starts, back, cut.bounds, cursor, limit, counts, none, none
        )
    )
    indptr = np.cumsum(counts).astype(np.int32)
    indices = np.empty(int(indptr[-1]), np.int32)
    cut.run(
        lambda cursor, limit, slot: union.union_pass(
            near, starts, back, cut.bounds, cursor, limit, counts, indptr, indices
        )
    )
    return indptr, indices
