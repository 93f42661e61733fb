"""Draws pca.png: python docs/pictures/pca.py"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clinfa._demo.charts import BLUE, GREY, ORANGE
from clinfa.datasets import load_digits
from clinfa.decomposition import PCA

digits = load_digits()
kind = np.asarray(digits.targets).ravel()
model = PCA().fit(digits)
places = model.transform(digits.records)
share = model.explained_variance_ratio_

figure = Figure(figsize=(9.6, 4.2), layout="constrained")
left, right = figure.subplots(1, 2)
left.scatter(places[:, 0], places[:, 1], s=7, c=kind, cmap="tab10", vmin=-0.5, vmax=9.5, linewidths=0)
for digit in range(10):
    left.annotate(
        str(digit),
        np.median(places[kind == digit, :2], axis=0),
        ha="center",
        va="center",
        weight="bold",
        bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": GREY, "linewidth": 0.6},
    )
left.set(
    title="1797 pictures of digits, 64 pixels each",
    xlabel=f"first component ({share[0]:.1%} of the variance)",
    ylabel=f"second component ({share[1]:.1%})",
)

number, together = np.arange(1, 65), share.cumsum()
enough = int((together <= 0.9).sum()) + 1
right.bar(number, share, color=BLUE, label="of each component")
right.plot(number, together, color=ORANGE, label="of all up to it")
right.plot(enough, together[enough - 1], "o", color=ORANGE)
right.annotate(
    f"{enough} components: {together[enough - 1]:.1%}",
    (enough, together[enough - 1]),
    (enough + 3, together[enough - 1] - 0.1),
)
right.set(title="share of the variance", xlabel="component", ylim=(0, 1.02))
right.legend(frameon=False, loc="center right")
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
