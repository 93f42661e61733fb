"""What users see of HDBSCAN's condensed tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CondensedTree"]


@dataclass(frozen=True, slots=True)
class CondensedTree:
    """The clusters of all densities. Rows say what leaves which cluster, at which density (1 / distance).

    Attributes
    ----------
    parent : ndarray of shape (n_rows,), int64
        The cluster. The root is `n_samples`; greater numbers lie within lesser ones.
    child : ndarray of shape (n_rows,), int64
        What leaves it: a record, or, from `n_samples` on, a cluster.
    density : ndarray of shape (n_rows,)
    size : ndarray of shape (n_rows,), int64
        Records in what leaves.
    selected : ndarray of shape (n_clusters,), int64
        The clusters that have labels, in the order of those.
    """

    parent: np.ndarray
    child: np.ndarray
    density: np.ndarray
    size: np.ndarray
    selected: np.ndarray

    def plot(self, ax: Any = None) -> Any:
        """Draw the clusters as icicles: downwards the density grows, the width is the number of records left.

        Those that were selected are coloured as ``C0``, ``C1``, ... by label.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed: ``pip install clinfa[plot]`` brings it.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("Plots need matplotlib. Install it with: pip install clinfa[plot]") from error
        if ax is None:
            _, ax = plt.subplots(figsize=(6, 4), layout="constrained")
        order = np.lexsort((self.density, self.parent))
        parent, density, size = self.parent[order], self.density[order], self.size[order]
        finite = density[np.isfinite(density)]
        density = np.minimum(density, finite.max() if len(finite) else 1.0)
        within = self.child >= self.parent.min()
        birth = dict(zip(self.child[within].tolist(), self.density[within].tolist(), strict=True))
        colour = {int(c): f"C{label % 10}" for label, c in enumerate(self.selected)}
        for cluster, middle in self._middles().items():
            mine = slice(*np.searchsorted(parent, [cluster, cluster + 1]))
            left = np.concatenate([[0], np.cumsum(size[mine])])
            height = np.concatenate([[birth.get(cluster, 0.0)], np.repeat(density[mine], 2)])
            half = (left[-1] - np.concatenate([[0], np.repeat(left, 2)[1:-1]])) / 2
            ax.fill_betweenx(
                height, middle - half, middle + half, color=colour.get(cluster, "0.75"), linewidth=0
            )
        ax.set(ylabel="density (1 / distance)", xticks=[])
        ax.invert_yaxis()
        return ax

    def _middles(self) -> dict[int, float]:
        """Where each cluster stands: parts side by side, above their parent's middle."""
        root = int(self.parent.min())
        clusters = self.child >= root
        out = {root: 0.0}
        sizes = dict(zip(self.child[clusters].tolist(), self.size[clusters].tolist(), strict=True))
        parts: dict[int, list[int]] = {}
        for parent, child in zip(self.parent[clusters].tolist(), self.child[clusters].tolist(), strict=True):
            parts.setdefault(parent, []).append(child)
        for parent in sorted(parts):
            a, b = parts[parent]
            total = sizes[a] + sizes[b]
            out[a] = out[parent] - (total - sizes[a]) / 2
            out[b] = out[parent] + (total - sizes[b]) / 2
        return out
