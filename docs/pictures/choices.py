"""Draws the picture on the page that says which clustering to choose: the same two shapes, seen by four."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clinfa.cluster import DBSCAN, HDBSCAN, OPTICS, KMeans
from clinfa.datasets import make_blobs, make_moons

HERE = Path(__file__).parent


def moons():
    """Two half-moons and noise."""
    X, _ = make_moons(500, noise=0.06, random_state=0)
    return np.vstack([X, np.random.default_rng(0).uniform((-1.5, -1), (2.5, 1.5), (40, 2))])


def unequal():
    """Three round groups: two dense ones near each other, one loose."""
    X, _ = make_blobs(
        [150, 150, 250], centers=[(0, 0), (1.2, 0), (5, 1)], cluster_std=[0.18, 0.18, 1.1], random_state=1
    )
    return np.vstack([X, np.random.default_rng(1).uniform((-2, -4), (9, 5), (40, 2))])


SHAPES = [
    ("half-moons", moons(), 2, 0.14),
    ("groups of unequal density", unequal(), 3, 0.32),
]


def choices():
    figure = Figure(figsize=(10, 5), layout="constrained")
    for row, (name, X, k, eps) in zip(figure.subplots(2, 4), SHAPES, strict=True):
        models = {
            f"KMeans({k})": KMeans(k, random_state=0),
            f"DBSCAN(eps={eps})": DBSCAN(eps=eps, min_samples=8),
            "OPTICS(xi=0.05)": OPTICS(min_samples=20, xi=0.05, min_cluster_size=0.15),
            "HDBSCAN(25)": HDBSCAN(min_cluster_size=25, min_samples=8),
        }
        for axes, (title, model) in zip(row, models.items(), strict=True):
            labels = model.fit(X).labels_
            axes.scatter(*X.T, c=[f"C{label % 10}" if label >= 0 else "0.75" for label in labels], s=5)
            axes.set(title=title, aspect="equal", xticks=[], yticks=[])
        row[0].set_ylabel(name)
    return figure


if __name__ == "__main__":
    choices().savefig(HERE / "choices.png", dpi=110)
