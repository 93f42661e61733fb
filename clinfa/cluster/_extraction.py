"""Clusters from the reachability plot of OPTICS: cut at one height, or between steep slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import optics
from clinfa.cluster._reachability import Reachability

__all__ = ["cut", "plot_arrays", "steep"]

_CALL_WORK = 10_000_000  # steps of extraction in one call: some 30 ms
_ROOM = 4096  # clusters that one call may find


def plot_arrays(reachability: Any, ordering: Any) -> tuple[np.ndarray, np.ndarray]:
    """Reachability and ordering, checked.

    Raises
    ------
    ValueError
        If they are not those of some records.
    """
    reach, order = np.asarray(reachability, float), np.asarray(ordering)
    if reach.ndim != 1 or np.isnan(reach).any() or (reach < 0).any():
        raise ValueError("reachability must be one number >= 0, or inf, for each record.")
    n = len(reach)
    if (
        order.shape != (n,)
        or order.dtype.kind not in "iu"
        or not np.array_equal(np.sort(order), np.arange(n))
    ):
        raise ValueError(f"ordering must hold each of the rows 0 to {n - 1} once.")
    return reach, order.astype(np.int64)


def cut(reach: np.ndarray, core: np.ndarray, order: np.ndarray, eps: float) -> np.ndarray:
    """Labels where the plot is cut at `eps`."""
    labels = np.empty(len(reach), np.int32)
    far, dense = reach > eps, core <= eps
    labels[order] = np.cumsum((far & dense)[order]) - 1
    labels[far & ~dense] = -1
    return labels


def steep(
    found: Reachability, k: int, fewest: int, xi: float, correct: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and all clusters between steep slopes: k flat records end a slope, `fewest` make a cluster."""
    n, order = len(found.ordering), found.ordering
    plot = np.append(found.reachability[order], np.inf)
    place = np.full(n + 1, -1, np.int64)  # the last is for those without a predecessor
    place[order] = np.arange(n)
    rest = 1.0 - float(xi)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = plot[:-1] / plot[1:]
        slopes = np.flatnonzero((ratio <= rest) | (ratio >= np.divide(1.0, rest)))
    m = len(slopes)
    state, between_ = np.zeros(optics.XI_STATE, np.int64), np.zeros(1)
    state[3] = -1  # no steep up area is under way
    area, highest = np.empty((m + 1, 2), np.int64), np.empty(m + 1)
    room, clusters = np.empty((_ROOM, 2), np.int64), [np.empty((0, 2), np.int64)]
    while state[0] < m:
        count = optics.xi_pass(
            plot, place[found.predecessor[order]], slopes, rest, k, fewest, bool(correct), _CALL_WORK,
            state, between_, area, highest, room,
        )  # fmt: skip
        clusters.append(room[:count].copy())
    hierarchy = np.concatenate(clusters)
    in_order, given = np.full(n, -1, np.int32), np.zeros(1, np.int64)
    begin = 0
    while begin < len(hierarchy):
        begin = optics.label_pass(hierarchy, begin, _CALL_WORK, given, in_order)
    labels = np.empty(n, np.int32)
    labels[order] = in_order
    return labels, hierarchy
