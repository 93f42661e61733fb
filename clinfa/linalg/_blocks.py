"""Dense products of blocks: arrays with long columns and short rows, which subspace methods are made of.

Nothing is checked here: whoever calls has. Blocks are float32 or float64 arrays whose rows have no gaps in
them (rows themselves may lie apart, as in a slice of columns); both blocks of a product have one type.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clinfa import threads
from clinfa._core import blocks
from clinfa.threads import Stripes, stripes

__all__ = ["combined", "crossed", "moments"]

_NOTHING = np.empty(0)
_SIDE = 288  # columns whose packed chunks, and what is summed from them, stay in the second cache
_ROUND = 1 << 11  # rows between two looks at the next columns, where there are many
_MEMORY = 1 << 22  # numbers that the results of all places may take
_FEWEST = 1 << 11  # rows that pay for a place of their own


def crossed(
    A: np.ndarray,
    B: np.ndarray | None = None,
    *,
    shift: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Aᵀ B, summed in double.

    Products of float32 blocks are summed in float32 over a hundred rows and in double from there on; with a
    shift or weights they are made in double.

    Parameters
    ----------
    A : ndarray of shape (n, p)
    B : ndarray of shape (n, q) or None
        None for A itself: the result is symmetric to the last bit, at half the cost.
    shift : ndarray of shape (p,), optional
        Taken off the rows of A (and of B where that is A), in double.
    weights : ndarray of shape (n,), optional
        Of the rows.

    Returns
    -------
    ndarray of shape (p, q), float64
    """
    return _products(A, B, shift, weights, shift is not None or weights is not None)[0]


def moments(
    A: np.ndarray, shift: np.ndarray | None = None, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(A - shift)ᵀ (A - shift) and the column sums of A - shift, in one pass, all in double.

    Parameters
    ----------
    A : ndarray of shape (n, p)
    shift : ndarray of shape (p,), optional
    weights : ndarray of shape (n,), optional

    Returns
    -------
    products : ndarray of shape (p, p), float64
    sums : ndarray of shape (p,), float64
    """
    return _products(A, None, shift, weights, True)


def combined(
    A: np.ndarray,
    C: np.ndarray,
    *,
    shift: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """(A - shift) C + offset in the type of A, for a C that fits the cache.

    Parameters
    ----------
    A : ndarray of shape (n, d)
    C : ndarray of shape (d, m)
    shift : ndarray of shape (d,), optional
    offset : ndarray of shape (m,), optional
    out : ndarray of shape (n, m), optional
        Where to put the result: no part of A, or with a shift some of A's own columns.

    Returns
    -------
    ndarray of shape (n, m)
    """
    (n, d), m, dtype = A.shape, C.shape[1], A.dtype
    out = np.empty((n, m), dtype) if out is None else out
    if n == 0 or m == 0:
        return out
    if A.strides[1] != A.itemsize:
        A = np.ascontiguousarray(A)
    width = blocks.panel_width(dtype.itemsize)
    panels = -(-m // width)
    packed, start = np.zeros((panels, d, width), dtype), np.zeros((panels, width), dtype)
    for g in range(panels):
        part = C[:, g * width : (g + 1) * width]
        packed[g, :, : part.shape[1]] = part
    if offset is not None:
        start.reshape(-1)[:m] = offset
    chunk = max(8, min(64, 65536 // max(d, 1) // 8 * 8))
    cut = stripes(n, (d * -(-m // 8) * 0.2 + d + m) * dtype.itemsize / 8)
    off = _NOTHING if shift is None else np.ascontiguousarray(shift, np.float64)
    scratch = np.empty((cut.width(), chunk * d + 16 if len(off) else 0), dtype)
    cut.run(
        lambda cursor, limit, slot: blocks.combined_pass(
            A, off, packed, start, cut.bounds, cursor, limit, chunk, scratch, slot, out
        )
    )
    return out


@dataclass(frozen=True, slots=True)
class _Plan:
    """Who sums what: an item is a range of rows and a pair of ranges of columns."""

    places: int  # results that are summed apart, then together
    packed: int  # numbers in a packed chunk
    rounds: list[tuple[np.ndarray, int]]  # items that may run side by side, and how many one call may take
    small: bool


@lru_cache(64)
def _plan(
    n: int, p: int, q: int, symmetric: bool, weighted: bool, plain: bool, itemsize: int,
    serial_ns: int, stripe_ns: int, call_ns: int,
) -> _Plan:  # fmt: skip
    row_ns = p * q * (itemsize / 8) / (80 if symmetric else 40) + (p + q) / 2
    left = _ranges(p)
    right = left if symmetric else _ranges(q)
    pairs = [
        (*a, *b, _flags(a, b, symmetric, weighted, plain))
        for a in left
        for b in right
        if not symmetric or b <= a
    ]
    small = n * row_ns < serial_ns
    places = 1
    if not small:
        places = int(max(1, min(64, n * row_ns / stripe_ns, _MEMORY / (_up(p) * _up(q)), n / _FEWEST)))
    once = int(max(blocks.ROWS, call_ns * len(pairs) / row_ns))  # rows that an item may have
    if len(pairs) > 1:
        once = min(once, _ROUND)
    rounds = []
    for first in range(0, n, once * places):
        edges = first + (min(n, first + once * places) - first) * np.arange(places + 1) // places
        items = np.array(
            [
                (edges[i], edges[i + 1], a0, a1, b0, b1, i, flags)
                for i in range(places)
                for a0, a1, b0, b1, flags in pairs
            ],
            np.int64,
        )
        each = row_ns * (edges[-1] - first) / len(items)
        rounds.append((items, max(1, int(call_ns / max(each, 1.0)))))
    widest = max(b - a for a, b in left + right)
    return _Plan(places, blocks.packed_size(itemsize, widest), rounds, small)


def _ranges(columns: int) -> list[tuple[int, int]]:
    parts = -(-columns // _SIDE)
    step = _up(-(-columns // parts))
    return [(at, min(columns, at + step)) for at in range(0, columns, step)]


def _flags(a: tuple[int, int], b: tuple[int, int], symmetric: bool, weighted: bool, plain: bool) -> int:
    """As `blocks.crossed_pass` reads them."""
    diagonal = symmetric and a == b
    raw = plain and not symmetric
    return diagonal + 2 * (diagonal and not weighted) + (8 * raw or 4 * (b[0] == 0))


def _up(columns: int) -> int:
    return -(-columns // blocks.UNIT) * blocks.UNIT


def _products(
    A: np.ndarray, B: np.ndarray | None, shift: np.ndarray | None, weights: np.ndarray | None, wide: bool
) -> tuple[np.ndarray, np.ndarray]:
    (n, p), q = A.shape, A.shape[1] if B is None else B.shape[1]
    dtype = np.dtype(np.float64) if wide else A.dtype
    if n == 0 or p == 0 or q == 0:
        return np.zeros((p, q)), np.zeros(p)
    plain = shift is None and weights is None and dtype == A.dtype
    plan = _plan(
        *(n, p, q, B is None, weights is not None, plain, dtype.itemsize),
        *(threads.SERIAL_NS, threads.STRIPE_NS, threads.CALL_NS),
    )
    out, sums = np.zeros((plan.places, _up(p), _up(q))), np.zeros((plan.places, p))
    off = _NOTHING if shift is None else np.ascontiguousarray(shift, np.float64)
    w = _NOTHING if weights is None else np.ascontiguousarray(weights, np.float64)
    other = A if B is None else B
    for items, limit in plan.rounds:
        cut = Stripes(np.arange(len(items) + 1), limit, 1 if plan.small else 0)
        scratch = np.empty((cut.width(), 2 * plan.packed + 16), dtype)
        cut.run(
            lambda cursor, limit, slot, items=items, scratch=scratch: blocks.crossed_pass(
                A, other, off, w, items, cursor, limit, scratch, slot, out, sums
            )
        )
    whole = out[0] if plan.places == 1 else out.sum(axis=0)
    whole = np.ascontiguousarray(whole[:p, :q])
    if B is None:
        blocks.mirror(whole)
    return whole, sums.sum(axis=0)
