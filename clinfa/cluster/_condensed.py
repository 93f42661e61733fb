"""HDBSCAN's condensed tree: which clusters a single-linkage tree holds, and which of them to keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import condense as kernels
from clinfa.hierarchy import SingleLinkage, in_turn

__all__ = ["Condensed", "condense"]


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

    def choose(
        self, method: str, *, root_too: bool, epsilon: float = 0.0, most: int | None = None
    ) -> np.ndarray:
        """Which clusters to keep: shape (m,), uint8."""
        m = len(self.parent)
        chosen = np.zeros(m, np.uint8)
        if method == "eom":
            most = len(self.cluster) if most is None else most
            kernels.excess_of_mass(
                self.parent, self.members, self.stability, most, 0 if root_too else 1, np.zeros(m), chosen
            )
        else:
            chosen[:] = 1
            chosen[self.parent] = 0
            chosen[0] = 0
        self.name(chosen)  # (what lies within another is no longer chosen)
        if epsilon > 0 and not chosen[0]:
            up = np.empty(m, np.int64)
            kernels.merge_below(self.parent, self.birth, 1 / epsilon, root_too, up)
            dense = (chosen > 0) & (self.birth * epsilon > 1)
            chosen[dense] = 0
            chosen[up[dense]] = 1
            self.name(chosen)
        return chosen

    def name(self, chosen: np.ndarray) -> np.ndarray:
        """The label of the kept cluster in which each lies, -1 for none.

        In `chosen` what lies within another is cleared.
        """
        label = np.empty(len(self.parent), np.int64)
        kernels.name_clusters(self.parent, chosen, label)
        return label

    def label(self, chosen: np.ndarray, epsilon: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Label and strength of every point."""
        labels = self.name(chosen)[self.cluster].astype(np.int32)
        if chosen[0]:  # its points are those at least as dense as its densest own part
            labels[self.leaves < (1 / epsilon if epsilon > 0 else self.death[0])] = -1
        inside = labels >= 0
        death = self.death[np.flatnonzero(chosen)][labels[inside]]
        density = np.minimum(self.leaves[inside], death)
        strength = np.zeros(len(labels))
        strength[inside] = np.where(np.isinf(density), 1.0, density / np.where(np.isinf(density), 1.0, death))
        return labels, strength


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
