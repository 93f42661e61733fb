"""Draws the pictures on the page about Dataset from what its methods return."""

from pathlib import Path

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from clinfa import Dataset

HERE = Path(__file__).parent
# Okabe and Ito's colours, which the colour-blind can tell apart too.
BLUE, ORANGE, GREEN, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#56B4E9", "#dddddd"

rows = np.arange(24.0)[:, None]
labels = np.repeat(["a", "b", "c"], [12, 8, 4])
ds = Dataset(np.hstack([rows, rows]), labels)


def grid(axes, cells, colours, title, rows_are):
    """Cells with thin white gaps, one row of the picture for each row of `cells`."""
    axes.pcolormesh(
        cells[::-1], cmap=ListedColormap(colours), vmin=0, vmax=len(colours) - 1, edgecolor="w", lw=1.5
    )
    axes.set_title(title, fontsize="medium")
    axes.set_yticks(np.arange(len(cells)) + 0.5, rows_are[::-1])
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def fold():
    """Which rows each of four folds validates, dealt out in three ways."""
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    ways = {
        "ds.fold(4): consecutive rows are validated together": {},
        "ds.fold(4, shuffled=True): rows are dealt out at random": {"shuffled": True, "random_state": 3},
        "ds.fold(4, stratified=True): each part has every label's share": {"stratified": True},
    }
    for axes, (title, how) in zip(figure.subplots(3, 1), ways.items(), strict=True):
        cells = np.zeros((5, 24))
        cells[0] = [2 + "abc".index(label) for label in labels]
        for i, (_, valid) in enumerate(ds.fold(4, **how)):
            cells[i + 1, valid.records[:, 0].astype(int)] = 1
        grid(axes, cells, [SKY, ORANGE, "#555555", "#8c8c8c", "#c0c0c0"], title, ["label", *"0123"])
        axes.set_ylabel("fold")
        for i, label in enumerate(labels):
            axes.text(i + 0.5, 4.5, label, ha="center", va="center", color="white", fontsize="small")
    figure.legend(
        handles=[Patch(color=SKY, label="train"), Patch(color=ORANGE, label="valid")],
        loc="outside lower center",
        ncols=2,
        frameon=False,
    )
    return figure


def one_vs_all():
    """The labels, and the targets of the three datasets made from them."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.subplots()
    cells = np.zeros((4, 24))
    cells[0] = [2 + "abc".index(label) for label in labels]
    names = ["targets"]
    for i, (part, label) in enumerate(ds.one_vs_all()):
        cells[i + 1] = part.targets
        names.append(f"label {label!r}")
    title = "ds.one_vs_all(): the same records three times, each time with another question"
    grid(axes, cells, [GREY, GREEN, "#555555", "#8c8c8c", "#b0b0b0"], title, names)
    for i, label in enumerate(labels):
        axes.text(i + 0.5, 3.5, label, ha="center", va="center", color="white", fontsize="small")
    figure.legend(
        handles=[Patch(color=GREEN, label="True"), Patch(color=GREY, label="False")],
        loc="outside lower center",
        ncols=2,
        frameon=False,
    )
    return figure


def bootstrap():
    """How often each of twelve rows and six features was drawn, three times over."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    table = Dataset(np.arange(72.0).reshape(12, 6), feature_names=list("abcdef"))
    draws = table.bootstrap(8, 4, random_state=1, times=3, indices=True)
    panels = figure.subplots(1, 3, sharey=True)
    most = 4
    for at, (axes, (_, which, features)) in enumerate(zip(panels, draws, strict=True)):
        times = np.outer(np.bincount(which, minlength=12), np.bincount(features, minlength=6))
        shades = [GREY, *(ListedColormap(["#9ecae1", "#6baed6", "#3182bd", "#08519c"]).colors)]
        grid(axes, np.minimum(times, most), shades, f"draw {at}", list(range(12)))
        axes.set_xticks(np.arange(6) + 0.5, list("abcdef"))
        for i, j in np.argwhere(times > 0):
            axes.text(j + 0.5, 11.5 - i, times[i, j], ha="center", va="center", color="w", fontsize="small")
    panels[0].set_ylabel("row")
    figure.supxlabel("feature")
    figure.suptitle(
        "ds.bootstrap(8, 4): 8 rows and 4 features drawn with replacement; how often each cell is there",
        fontsize="medium",
    )
    return figure


if __name__ == "__main__":
    for draw in (fold, one_vs_all, bootstrap):
        draw().savefig(HERE / f"{draw.__name__}.png", dpi=110)
        print(HERE / f"{draw.__name__}.png")
