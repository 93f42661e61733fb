"""All that HDBSCAN finds, of which labels are one reading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa.arrays import Table
from clinfa.cluster._condensed import Condensed, Selection
from clinfa.cluster._condensed_tree import CondensedTree
from clinfa.cluster._mutual_reachability import Linked

__all__ = ["Hierarchy"]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    linked: Linked
    condensed: Condensed
    selection: Selection

    def label(self, cluster: np.ndarray, leaves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Label and strength of points that leave clusters at some density."""
        return self.condensed.label(self.selection, cluster, leaves)

    def attach(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Which cluster new records leave, and at which density."""
        point, height = self.linked.space.attach(table)
        with np.errstate(divide="ignore"):
            return self.condensed.attach(point, 1 / height)

    def condensed_tree(self, fine: np.ndarray) -> CondensedTree:
        """What users see of it. `fine` says which of their records are in here; the others leave first."""
        condensed, n = self.condensed, len(fine)
        clusters = np.arange(1, len(condensed.parent))
        parent, density = np.full(n, n), np.zeros(n)
        parent[fine], density[fine] = n + condensed.cluster, condensed.leaves
        parent = np.concatenate([parent, n + condensed.parent[clusters]])
        density = np.concatenate([density, condensed.birth[clusters]])
        order = np.argsort(parent, kind="stable")
        with np.errstate(over="ignore"):
            density = np.ldexp(density, -self.linked.power)  # in the unit of the records
        return CondensedTree(
            parent[order],
            np.concatenate([np.arange(n), n + clusters])[order],
            density[order],
            np.concatenate([np.ones(n, np.int64), condensed.members[clusters]])[order],
            n + self.selection.kept,
        )

    def merges(self, fine: np.ndarray) -> np.ndarray:
        """In SciPy's form: two nodes, their distance, how many points. The others come last, at infinity."""
        tree, n = self.linked.tree, len(fine)
        done = len(tree.heights)
        out = np.empty((n - 1, 4))
        named = np.concatenate([np.flatnonzero(fine), n + np.arange(done)])
        out[:done, :2], out[:done, 2], out[:done, 3] = named[tree.children], tree.heights, tree.sizes
        rest = np.arange(done, n - 1)
        out[rest, 0], out[rest, 1] = np.flatnonzero(~fine), n + rest - 1
        out[rest, 2], out[rest, 3] = np.inf, rest + 2
        return out
