"""Records down trees: a few by nodes of sixteen bytes, many by nodes of eight that are made for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from clinfa._core import crowd, descent
from clinfa.threads import stripes

if TYPE_CHECKING:
    from clinfa.growing.trees import Trees

__all__ = ["send", "slim"]

_NO_BITS = np.empty(0, np.uint64)
_STEP_NS, _SLIM_NS = 1.5, 2.0  # down one node; make one of eight bytes
_HELD = 4096  # records at least, where there are many, for all of which the trees are read once
# Nodes of eight bytes pay from so many records on, and so many more by the nodes of a tree. A column costs as
# much as a sixteenth of a tree; trees that hardly divide anything have nothing to gain.
_MANY, _BY_NODES, _COLUMNS, _BUSHY = 128, 0.2, 16, 8


def slim(trees: Trees, n: int) -> tuple[np.ndarray, int] | None:
    """Nodes of eight bytes, where n records pay for them; and the bit where right children begin."""
    count, nodes, d = len(trees), len(trees.nodes), trees.n_features
    shift = 3 + max(1, (d - 1).bit_length())
    pays = n > _MANY + _BY_NODES * nodes / count and d <= _COLUMNS * count and nodes >= _BUSHY * count
    if not pays or trees.sets is not None or np.diff(trees.starts).max() > 1 << max(0, 32 - shift):
        return None
    out, cut = np.empty(nodes, np.uint64), stripes(count, _SLIM_NS * nodes / count)
    cut.run(
        lambda cursor, limit, slot: crowd.slim_pass(
            trees.nodes, trees.starts, shift, out, cut.bounds, cursor, limit
        )
    )
    return out, shift


def send(kernel: str, trees: Trees, X: np.ndarray, out: np.ndarray, *given: Any) -> None:
    """Send dense records down all trees: a kernel that both ways down have writes what comes of it."""
    n, row_ns, many = len(X), _STEP_NS * float(trees.depths.sum() + len(trees)), slim(trees, len(X))
    if many is None:
        cut, sets = stripes(n, row_ns, most=max(32, n // _HELD)), trees.sets
        bits = (_NO_BITS, trees.starts) if sets is None else (sets.bits, sets.starts)
        run, told = getattr(descent, kernel), (X, trees.nodes, trees.starts, trees.depths, *bits, *given, out)
        cut.run(lambda cursor, limit, slot: run(*told, cut.bounds, cursor, limit))
        return
    cut = stripes(n, row_ns / 2, most=max(16, n // (2 * _HELD)))
    held, size = crowd.room(int(np.diff(cut.bounds).max()), trees.n_features)
    room = np.empty((cut.width(), size), np.float32)
    run, told = getattr(crowd, kernel), (X, trees.nodes, *many, trees.starts, trees.depths, held)
    cut.run(lambda cursor, limit, slot: run(*told, room[slot], *given, out, cut.bounds, cursor, limit))
