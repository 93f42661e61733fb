"""One large tree on all threads."""

from __future__ import annotations

import numpy as np

from clinfa._core import split
from clinfa.growing.growth import RECORD, SUBTREE, Growth
from clinfa.threads import singly, thread_count

__all__ = ["WIDE", "grow_wide"]

WIDE = 16_384  # records of a node that the threads search together
_COLUMNS = 4  # of such a node that one of them searches at a time
_VALUE_NS = 4.0  # a look at a value
_CALL_NS = 3e7  # one kernel call
_HELD = 2  # rooms of all threads together, in sizes of the columns


def grow_wide(growth: Growth, roots: np.ndarray) -> tuple[np.ndarray, ...]:
    """Wide nodes, of which there are few, level by level; then what is below them, each subtree by a thread.

    Which nodes those are depends on their size alone, so the tree is the same on any number of threads.

    Returns
    -------
    nodes, values, firsts, counts
        As `Growth.packed` wants them.
    """
    tops, told, ties, small, hung = [], [], [], [], []
    level, links, count = roots, np.array([[-1, 0]]), 0  # (links: a parent, and the side)
    while len(level):
        wide = level["end"] - level["begin"] >= WIDE
        small.append(level[~wide])
        hung.append(links[~wide])
        level, links = level[wide], links[wide]
        if not len(level):
            break
        nodes, values, sides, divided = _divided(growth, level)
        tops.append(nodes)
        told.append(values)
        ties.append(links)
        parents = count + np.flatnonzero(divided)
        count += len(level)
        level = sides[divided].ravel()
        links = np.stack([np.repeat(parents, 2), np.tile([0, 1], len(parents))], axis=1)
    nodes, values, subtrees = np.concatenate(tops), np.concatenate(told), np.concatenate(small)
    _tie(nodes, np.concatenate(ties), np.arange(count))
    if len(subtrees):
        found, given = growth.grow(subtrees, min(thread_count(), len(subtrees)))
        starts = count + np.cumsum(subtrees["count"]) - subtrees["count"]
        _tie(nodes, np.concatenate(hung), starts)
        own = [slice(b, b + k) for b, k in zip(subtrees["first"], subtrees["count"], strict=True)]
        below = [found[piece] for piece in own]
        for some, start in zip(below, starts, strict=True):
            inner = some["left"] >= 0
            some["left"][inner] += np.int32(start)
            some["right"][inner] += np.int32(start)
        nodes = np.concatenate([nodes, *below])
        values = np.concatenate([values, *(given[piece] for piece in own)])
    return nodes, values, np.zeros(1, np.int64), np.array([len(nodes)])


def _tie(nodes: np.ndarray, links: np.ndarray, places: np.ndarray) -> None:
    """Tell parents where their children are."""
    for side, name in enumerate(("left", "right")):
        own = (links[:, 1] == side) & (links[:, 0] >= 0)
        nodes[name][links[own, 0]] = places[own]


def _divided(growth: Growth, level: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Search wide nodes and divide them: records, values, both sides, and which are divided."""
    d, rules = growth.ranks.d, growth.rules
    step = _COLUMNS if rules.max_features >= d else d
    cuts = np.arange(0, d, step)
    tasks = np.empty((len(level), len(cuts), 3), np.int64)
    tasks[..., 0] = np.arange(len(level))[:, None]
    tasks[..., 1], tasks[..., 2] = cuts, np.minimum(cuts + step, d)
    tasks = tasks.reshape(-1, 3)
    m = int((level["end"] - level["begin"]).max())
    room = split.room(growth.plan, m, growth.codes)
    columns, *sample = growth.data()
    threads = min(thread_count(), len(tasks), max(1, _HELD * columns.nbytes // room))
    kernel = growth.prepare(threads, m)
    splits = np.empty((len(tasks), split.SPLIT_BYTES), np.uint8)
    nodes, values = np.empty(len(tasks), RECORD), np.empty((len(tasks), growth.width))
    limit = max(1, int(_CALL_NS / (m * min(step, rules.max_features) * _VALUE_NS)))
    cut = singly(len(tasks), limit, threads)
    cut.run(
        lambda cursor, limit, slot: split.seek_pass(
            *(growth.plan, columns, *sample, level, tasks, splits, nodes, values, *kernel),
            *(cut.bounds, cursor, limit, slot),
        )
    )
    firsts = np.arange(len(level) + 1) * len(cuts)
    sides, divided = np.empty((len(level), 2), SUBTREE), np.empty(len(level), np.uint8)
    cut = singly(len(level), limit, min(threads, len(level)))
    cut.run(
        lambda cursor, limit, slot: split.part_pass(
            *(growth.plan, columns, *sample, level, firsts, splits, nodes, sides, divided, *kernel),
            *(cut.bounds, cursor, limit, slot),
        )
    )
    return nodes[firsts[:-1]], values[firsts[:-1]], sides, divided.astype(bool)
