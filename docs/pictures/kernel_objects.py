"""Draws kernel_objects.png: python docs/pictures/kernel_objects.py"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clinfa.datasets import load_iris
from clinfa.kernels import Gaussian, Kernel, Sparse

iris = load_iris()  # ordered by species, 50 flowers of each
dense = Kernel(iris, Gaussian(2.0))
near = Kernel(iris, Gaussian(2.0), Sparse(15))

figure = Figure(figsize=(8.6, 4.1), layout="constrained")
panels = figure.subplots(1, 2, sharey=True)
titles = ("dense: all 22 500 values", f"Sparse(15): {near.tocsr().nnz:,} values".replace(",", " "))
for axes, kernel, title in zip(panels, (dense, near), titles):
    values = np.ma.masked_equal(kernel.toarray(), 0)  # white: not stored
    drawn = axes.imshow(values, cmap="viridis_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title)
    axes.set_xticks([24.5, 74.5, 124.5], ["setosa", "versicolor", "virginica"])
    axes.set_yticks([24.5, 74.5, 124.5], ["setosa", "versicolor", "virginica"])
    axes.tick_params(length=0)
    for edge in (49.5, 99.5):
        axes.axhline(edge, color="0.6", linewidth=0.6)
        axes.axvline(edge, color="0.6", linewidth=0.6)
figure.colorbar(drawn, ax=panels, label="exp(-|x - y|² / 2)", shrink=0.85)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
