"""HDBSCAN's condensed tree: which clusters a single-linkage tree holds, and which of them to keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import condense as kernels
from clinfa.hierarchy import SingleLinkage, in_turn
from clinfa.threads import stripes

__all__ = ["Condensed", "Selection", "condense"]

_ENTRIES = 1 << 20  # of a matrix, at a time


@dataclass(frozen=True, slots=True)
class Selection:
    """Which clusters of a condensed tree are kept; none lies within another."""

    kept: np.ndarray  # (k,) int64
    label: np.ndarray  # (m,) int64: of the kept one that each cluster is or lies in, -1 for none
    epsilon: float  # clusters that part at a smaller distance were kept together


@dataclass(frozen=True, slots=True)
class Condensed:
    """Clusters, parents before children, the root first; a density is 1 / distance."""

    cluster: np.ndarray  # (n,) in which each point last was
    leaves: np.ndarray  # (n,) density at which it left it
    parent: np.ndarray  # (m,)
    birth: np.ndarray  # (m,) density at which it split off
    members: np.ndarray  # (m,)
    death: np.ndarray  # (m,) the greatest density at which a part left
    stability: np.ndarray  # (m,)

    def select(
        self, method: str, *, root_too: bool, epsilon: float = 0.0, most: int | None = None
    ) -> Selection:
        """Which clusters to keep: the best by excess of mass ("eom"), or the smallest ("leaf").

        Parameters
        ----------
        method : str
        root_too : bool
            Whether all points may be one cluster.
        epsilon : float
            Distance below which clusters are not parted.
        most : int or None
            How many points a cluster may have, with "eom".
        """
        m = len(self.parent)
        chosen, label = np.zeros(m, np.uint8), np.empty(m, np.int64)
        if method == "eom":
            most = len(self.cluster) if most is None else most
            kernels.excess_of_mass(
                self.parent, self.members, self.stability, most, 0 if root_too else 1, np.zeros(m), chosen
            )
        else:
            chosen[:] = 1
            chosen[self.parent] = 0
            chosen[0] = 0
        kernels.name_clusters(self.parent, chosen, label)  # (and what lies within another is given up)
        if epsilon > 0 and not chosen[0]:
            up = np.empty(m, np.int64)
            kernels.merge_below(self.parent, self.birth, 1 / epsilon, root_too, up)
            dense = (chosen > 0) & (self.birth * epsilon > 1)
            chosen[dense] = 0
            chosen[up[dense]] = 1
            kernels.name_clusters(self.parent, chosen, label)
        return Selection(np.flatnonzero(chosen), label, epsilon)

    def label(
        self, selection: Selection, cluster: np.ndarray, leaves: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Label and strength of points that leave clusters at some density."""
        labels = selection.label[cluster].astype(np.int32)
        if selection.label[0] >= 0:  # the root's points are those at least as dense as its densest own part
            labels[leaves < (1 / selection.epsilon if selection.epsilon > 0 else self.death[0])] = -1
        inside, strength = labels >= 0, np.zeros(len(labels))
        strength[inside] = _share(leaves[inside], self.death[selection.kept][labels[inside]])
        return labels, strength

    def attach(self, points: np.ndarray, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which cluster new points leave, and at which density, that hang on these by such densities."""
        leaves, cluster = np.minimum(self.leaves[points], density), self.cluster[points]
        cut = stripes(len(points), 20.0)
        cut.run(
            lambda cursor, limit, slot: kernels.climb_pass(
                *(self.parent, self.birth, leaves, cut.bounds, cursor, limit, cluster)
            )
        )
        return cluster, leaves

    def memberships(self, selection: Selection, cluster: np.ndarray, leaves: np.ndarray) -> np.ndarray:
        """How firmly such points are bound to each kept cluster: shape (n, k)."""
        kept = selection.kept
        meet, step = np.zeros((len(self.parent), len(kept))), max(1, _ENTRIES // len(self.parent))
        for begin in range(0, len(kept), step):
            end = min(begin + step, len(kept))
            kernels.meet_clusters(self.parent, self.birth, selection.label, kept, begin, end, meet)
        out = np.empty((len(cluster), len(kept)))
        for begin in range(0, len(out), step := max(1, _ENTRIES // max(len(kept), 1))):
            some = slice(begin, begin + step)
            bound = np.minimum(meet[cluster[some]], leaves[some, None])
            share = _share(bound, self.death[kept]).max(axis=1, initial=0, keepdims=True)
            endless = np.isinf(bound)
            bound = np.where(endless.any(axis=1, keepdims=True), endless, bound)
            total = bound.sum(axis=1, keepdims=True)
            out[some] = bound * (share / np.where(total > 0, total, 1))
        return out

    def outliers(self) -> np.ndarray:
        """By point, one less the share of the greatest density that its last cluster reaches."""
        deepest = self.death.copy()
        kernels.deepest_clusters(self.parent, deepest)
        return 1 - _share(self.leaves, deepest[self.cluster])


def _share(density: np.ndarray, death: np.ndarray) -> np.ndarray:
    """The share of a cluster's greatest density that another reaches; 1 where that is infinite, or both 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.minimum(density, death) / death
    return np.where(np.isinf(density) | (death == 0), 1.0, share)


def condense(linkage: SingleLinkage, heights: np.ndarray, least: int) -> Condensed:
    """The condensed tree.

    Parameters
    ----------
    linkage : SingleLinkage
    heights : ndarray of shape (n - 1,)
        Those of `linkage` in a unit in which their inverses are finite.
    least : int
        A part of fewer points is no cluster.
    """
    n = len(heights) + 1
    room = 2 * (n // least) + 2
    cluster, leaves = np.zeros(2 * n - 1, np.int64), np.full(2 * n - 1, -1.0)
    parent, members = np.zeros(room, np.int64), np.zeros(room, np.int64)
    birth, death, stability = np.zeros(room), np.zeros(room), np.zeros(room)
    members[0] = n
    found = np.ones(1, np.int64)
    cut = in_turn(n - 1, 60.0)
    cut.run(
        lambda cursor, limit, slot: kernels.condense_pass(
            linkage.children,
            heights,
            linkage.sizes,
            least,
            cut.bounds,
            cursor,
            limit,
            cluster,
            leaves,
            parent,
            birth,
            members,
            death,
            stability,
            found,
        )
    )
    m = int(found[0])
    return Condensed(cluster[:n], leaves[:n], parent[:m], birth[:m], members[:m], death[:m], stability[:m])
