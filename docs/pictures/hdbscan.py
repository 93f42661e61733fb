"""Draws the picture on the page about HDBSCAN: clusters of two shapes, and their condensed trees."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clinfa.cluster import HDBSCAN

HERE = Path(__file__).parent


def moons():
    """Two half-moons of different density, and noise."""
    rng = np.random.default_rng(1)
    turn, other = rng.uniform(0, np.pi, 500), rng.uniform(0, np.pi, 200)
    upper = np.column_stack([np.cos(turn), np.sin(turn)]) + rng.normal(0, 0.05, (500, 2))
    lower = np.column_stack([1 - np.cos(other), 0.4 - np.sin(other)]) + rng.normal(0, 0.08, (200, 2))
    return np.vstack([upper, lower, rng.uniform((-1.5, -1.2), (2.5, 1.5), (60, 2))])


def balls():
    """Balls from very dense to very loose, two of which touch, and noise."""
    rng = np.random.default_rng(2)
    dense = [rng.normal(middle, 0.08, (150, 2)) for middle in ((0, 0), (0.5, 0.3))]
    loose = [rng.normal((2.5, 0.3), 0.25, (200, 2)), rng.normal((1.2, 2.6), 0.5, (250, 2))]
    return np.vstack([*dense, *loose, rng.uniform((-1, -1), (3.5, 4), (60, 2))])


def hdbscan():
    figure = Figure(figsize=(9, 6), layout="constrained")
    for row, X in zip(figure.subplots(2, 2, width_ratios=[1.2, 1]), (moons(), balls()), strict=True):
        model = HDBSCAN(min_cluster_size=30, min_samples=10).fit(X)
        colours = np.array([f"C{label % 10}" if label >= 0 else "0.75" for label in model.labels_])
        row[0].scatter(*X.T, c=colours, s=2 + 10 * model.probabilities_)
        row[0].set(
            title="records, larger where they belong more firmly", aspect="equal", xticks=[], yticks=[]
        )
        model.condensed_tree_.plot(row[1])
        row[1].set(title="the condensed tree")
    return figure


if __name__ == "__main__":
    hdbscan().savefig(HERE / "hdbscan.png", dpi=110)
