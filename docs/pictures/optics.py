"""Draws the picture on the page about OPTICS from what its methods return."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clinfa.cluster import OPTICS

HERE = Path(__file__).parent


def groups():
    """Two half-moons, a dense ball, a loose one, and noise."""
    rng = np.random.default_rng(1)
    turn = rng.uniform(0, np.pi, (2, 300))
    upper = np.column_stack([np.cos(turn[0]), np.sin(turn[0])])
    lower = np.column_stack([1 - np.cos(turn[1]), 0.5 - np.sin(turn[1])])
    moons = np.vstack([upper, lower]) + rng.normal(0, 0.05, (600, 2))
    balls = [rng.normal((3.2, 1.2), 0.05, (200, 2)), rng.normal((3.6, -0.8), 0.35, (200, 2))]
    return np.vstack([moons, *balls, rng.uniform((-1.5, -2), (5, 2), (60, 2))])


def optics():
    X = groups()
    model = OPTICS(min_samples=20, xi=0.08, min_cluster_size=0.1).fit(X)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.4])
    colours = np.array([f"C{label % 10}" if label >= 0 else "0.75" for label in model.labels_])
    left.scatter(*X.T, c=colours, s=5)
    left.set(title="records, by cluster", aspect="equal", xticks=[], yticks=[])
    model.plot_reachability(right)
    right.set(title="the reachability plot: clusters are valleys")
    return figure


if __name__ == "__main__":
    optics().savefig(HERE / "optics.png", dpi=110)
