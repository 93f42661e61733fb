"""Draws the picture on the page about clustering by density, from what DBSCAN finds."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clinfa.cluster import DBSCAN
from clinfa.datasets import load_iris, make_moons

HERE = Path(__file__).parent
# Okabe and Ito's colours, which the colour-blind can tell apart too.
COLOURS = np.array(["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"])
GREY = "#999999"


def panel(axes, X, model, title):
    """Core points filled, border points hollow, noise as crosses."""
    model.fit(X)
    core = np.isin(np.arange(len(X)), model.core_sample_indices_)
    labels = model.labels_
    colours = COLOURS[labels % len(COLOURS)]
    border, noise = ~core & (labels >= 0), labels < 0
    axes.scatter(*X[core].T, s=16, c=colours[core], label="core")
    axes.scatter(*X[border].T, s=18, facecolors="white", edgecolors=colours[border], lw=1.2, label="border")
    axes.scatter(*X[noise].T, s=20, c=GREY, marker="x", lw=1, label="noise")
    axes.set_title(title, fontsize="medium")


def main():
    figure = Figure(figsize=(9.5, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    moons, _ = make_moons(400, noise=0.09, random_state=1)
    panel(left, moons, DBSCAN(eps=0.15, min_samples=8), "Two moons: eps=0.15, min_samples=8")
    petals = np.asarray(load_iris().records)[:, 2:]
    panel(right, petals, DBSCAN(eps=0.3, min_samples=8), "Iris petals (cm): eps=0.3, min_samples=8")
    right.set_xlabel("length")
    right.set_ylabel("width")
    left.legend(frameon=False, fontsize="small", loc="lower left")
    figure.savefig(HERE / "dbscan.png", dpi=120)


if __name__ == "__main__":
    main()
