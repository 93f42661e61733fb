"""Draws neighbors.png: python docs/pictures/neighbors.py"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from clinfa.neighbors import NearestNeighbors

rng = np.random.default_rng(0)
angle = rng.uniform(0, np.pi, 150)
moon = np.stack([np.cos(angle), np.sin(angle)], axis=1)
X = np.vstack([moon, [1, 0.5] - moon]) + 0.08 * rng.standard_normal((300, 2))
places, radius = np.array([[-0.6, 0.3], [1.5, 0.9]]), 0.35
model = NearestNeighbors(n_neighbors=5, radius=radius).fit(X)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
for axis in axes:
    axis.scatter(*X.T, s=12, color="0.7", linewidths=0)
    axis.scatter(*places.T, marker="x", color="black", zorder=3)
    axis.set_aspect("equal")
for place, nearest, near in zip(
    places, model.kneighbors(places)[1], model.radius_neighbors(places)[1], strict=True
):
    for row in nearest:
        axes[0].plot(*np.stack([place, X[row]]).T, color="tab:blue", linewidth=1)
    axes[0].scatter(*X[nearest].T, s=18, color="tab:blue")
    axes[1].scatter(*X[near].T, s=18, color="tab:orange")
    axes[1].add_patch(plt.Circle(place, radius, fill=False, color="tab:orange"))
axes[0].set_title("the nearest five")
axes[1].set_title("within 0.35")
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
