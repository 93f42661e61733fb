"""Draws neighbors_uses.png: python docs/pictures/neighbors_uses.py"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from clinfa.datasets import load_iris
from clinfa.neighbors import KNeighborsClassifier, LocalOutlierFactor

iris = load_iris()
petals, kinds = iris.records[:, 2:], np.asarray(iris.targets).ravel()
COLOURS = ListedColormap(["tab:blue", "tab:orange", "tab:green"])

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
x, y = np.meshgrid(np.linspace(0.5, 7.4, 300), np.linspace(-0.2, 2.9, 300))
model = KNeighborsClassifier(n_neighbors=9).fit(petals, kinds)
regions = model.predict(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
left.pcolormesh(x, y, regions, cmap=COLOURS, alpha=0.2, shading="auto", rasterized=True)
left.scatter(*petals.T, c=kinds, cmap=COLOURS, s=14, edgecolors="white", linewidths=0.4)
left.set_xlabel("petal length (cm)")
left.set_ylabel("petal width (cm)")
left.set_title("KNeighborsClassifier, 9 neighbours")

# The picture of the paper: a dense and a loose group, and what belongs to neither.
rng = np.random.default_rng(4)
X = np.vstack(
    [
        rng.uniform([2.9, 0.5], [3.5, 1.1], (150, 2)),
        rng.uniform([-1.5, -1.2], [1.3, 1.6], (150, 2)),
        [[2.3, 0.9], [3.2, 1.6], [2.6, -0.9]],
    ]
)
model = LocalOutlierFactor(n_neighbors=20)
outliers = model.fit_predict(X) < 0
factor = -model.negative_outlier_factor_
right.scatter(*X.T, s=8, color="0.35", linewidths=0)
right.scatter(
    *X[outliers].T,
    s=120 * (factor[outliers] - 1),
    facecolors="none",
    edgecolors="tab:red",
)
right.margins(0.12)
right.set_aspect("equal")
right.set_title("LocalOutlierFactor, 20 neighbours")
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
