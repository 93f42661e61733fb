"""Growing trees: rules in, samples in, trees out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from clinfa.growing.growth import Growth, Room, Rules, Targets
from clinfa.growing.ranks import Ranks
from clinfa.growing.trees import Trees
from clinfa.growing.wide import WIDE, grow_wide
from clinfa.threads import jobs

__all__ = ["grow"]

_TOGETHER = 100_000  # samples that one call gets, unless a single tree has more


def grow(
    ranks: Ranks,
    targets: Targets,
    rules: Rules,
    seeds: np.ndarray,
    sample: Callable[[int], tuple[np.ndarray, np.ndarray | None]],
    size: int,
) -> Trees:
    """A tree for each seed: the same bits on any number of threads.

    Parameters
    ----------
    ranks : Ranks
    targets : Targets
    rules : Rules
    seeds : ndarray of shape (trees,), uint64
    sample : callable
        What the tree of a seed grows on: records, rising, of shape (m,), int32 (one that stands there twice
        counts as two); and their weights, none of them zero: float64, or uint32 where these are counts, whose
        sum is below 2**32, or None where all weigh one; the same for all trees.
    size : int
        About how many records that are.
    """
    together = max(1, _TOGETHER // max(size, 1))
    parts = [seeds[i : i + together] for i in range(0, len(seeds), together)]
    spare: list[Room] = []  # one for each thread, by and by
    crates: list[Room] = []  # what trees lie in until they are joined

    def work(part: np.ndarray) -> tuple[Trees, Room]:
        room, crate = _one_of(spare), _one_of(crates)
        growth = Growth(ranks, targets, rules, [sample(int(seed)) for seed in part], room)
        subtrees = growth.roots(part)
        wide = len(growth.rows) >= 2 * WIDE and not rules.max_leaf_nodes and ranks.stored is None
        if len(part) == 1 and wide:
            trees = growth.packed(crate, *grow_wide(growth, subtrees))
        else:
            trees = growth.packed(crate, *growth.grow(subtrees), subtrees["first"], subtrees["count"])
        spare.append(room)
        return trees, crate

    def harvest() -> Iterator[Trees]:
        for trees, crate in jobs(work, parts):
            yield trees
            crates.append(crate)

    return work(parts[0])[0] if len(parts) == 1 else Trees.joined(harvest(), len(parts))


def _one_of(rooms: list[Room]) -> Room:
    """One that nobody uses."""
    try:
        return rooms.pop()
    except IndexError:
        return Room()
