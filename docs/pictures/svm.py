"""Draws svm.png: python docs/pictures/svm.py"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clinfa.datasets import make_moons
from clinfa.svm import SVC

X, moon = make_moons(200, noise=0.2, random_state=0)
(left, low), (right, high) = X.min(axis=0) - 0.4, X.max(axis=0) + 0.4
across, up = np.linspace(left, right, 300), np.linspace(low, high, 200)
places = np.stack(np.meshgrid(across, up), axis=-1)

figure = Figure(figsize=(8.6, 3.6), layout="constrained")
for axes, C in zip(figure.subplots(1, 2, sharey=True), (0.3, 30.0)):
    model = SVC(C=C).fit(X, moon)
    values = model.decision_function(places.reshape(-1, 2)).reshape(places.shape[:2])
    axes.contourf(across, up, values, levels=(-99, 0, 99), colors=("#dbe9f6", "#fde3cf"))
    axes.contour(
        across,
        up,
        values,
        levels=(-1, 0, 1),
        colors="0.25",
        linewidths=(1, 2.2, 1),
        linestyles=("dashed", "solid", "dashed"),
    )
    axes.scatter(*X.T, s=14, c=np.where(moon, "#c65a11", "#1f5a99"))
    axes.scatter(*X[model.support_].T, s=60, facecolors="none", edgecolors="0.1", linewidths=0.8)
    axes.set_title(f"C = {C:g}: {len(model.support_)} support vectors of {len(X)} records")
    axes.set_xticks([])
    axes.set_yticks([])
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
