"""The charts of the demo. The only file of clinfa that imports matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from clinfa._demo.colours import Picture, Quantised
from clinfa._demo.rings import RINGS, Diffused
from clinfa._demo.speed import CLUSTERS, DECK, FEATURES, ITERATIONS, Race
from clinfa._demo.tables import Elbow, Found

__all__ = ["draw"]

# Okabe and Ito's colours, which the colour-blind can tell apart too.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#7f7f7f"


def draw(
    found: Sequence[Found],
    elbow: Elbow,
    picture: Picture,
    quantised: Sequence[Quantised],
    diffused: Diffused,
    race: Race,
    out: Path,
) -> list[Path]:
    """Write all charts; returns their files."""
    charts = {
        "iris.png": iris(found[0]),
        "digits.png": digits(found[-1], elbow),
        "colours.png": colours(picture, quantised),
        "rings.png": rings(diffused),
        "speed.png": speed(race),
    }
    files = []
    for name, figure in charts.items():
        files.append(out / name)
        figure.savefig(files[-1], dpi=130)  # Agg: no window system is needed
    return files


def iris(found: Found) -> Figure:
    """Petals by cluster beside petals by species."""
    t = found.table
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    length, width = t.records[:, 2], t.records[:, 3]
    clusters = [f"cluster {j} ({n})" for j, n in enumerate(found.counts.sum(axis=0))]
    species = [f"{name} ({n})" for name, n in zip(t.class_names, found.counts.sum(axis=1))]
    for axes, groups, names, title in (
        (left, found.labels, clusters, "What k-means found"),
        (right, t.classes, species, "What the flowers are"),
    ):
        for j, (name, colour, marker) in enumerate(zip(names, (BLUE, ORANGE, GREEN), "osD")):
            mine = groups == j
            axes.scatter(length[mine], width[mine], 32, colour, marker, alpha=0.65, linewidths=0, label=name)
        axes.set(xlabel="petal length (cm)", title=title)
        _quiet(axes)
    left.scatter(
        found.centres[:, 2],
        found.centres[:, 3],
        130,
        "black",
        "X",
        edgecolors="white",
        label="centres",
    )
    left.set_ylabel("petal width (cm)")
    for axes in (left, right):
        axes.legend(loc="upper left", frameon=False)
    figure.suptitle(f"Iris: 150 flowers, k-means on all 4 measurements, adjusted Rand {found.agreement:.2f}")
    return figure


def digits(found: Found, elbow: Elbow) -> Figure:
    """Inertia by number of clusters, and what the centres of ten look like."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.55])
    axes = left.subplots()
    thousands = np.array(elbow.inertias) / 1000
    axes.plot(elbow.ks, thousands, "o-", color=BLUE, markersize=4)
    if 10 in elbow.ks:
        at = elbow.ks.index(10)
        axes.plot(10, thousands[at], "o", color=ORANGE, markersize=9)
        axes.annotate(
            "10 classes",
            (10, thousands[at]),
            xytext=(12, 14),
            textcoords="offset points",
            color="#9a6a00",
        )
    axes.set(xlabel="number of clusters k", ylabel="inertia (thousands)")
    axes.set_xticks(range(2, elbow.ks[-1] + 1, 2))
    axes.set_ylim(0, None)
    _quiet(axes)
    left.suptitle("Digits: inertia falls without a sharp bend", fontsize="medium")
    grid = right.subplots(2, 5)
    for j, cell in enumerate(grid.flat):
        counts = found.counts[:, j]
        digit = found.table.class_names[int(counts.argmax())]
        cell.imshow(found.centres[j].reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        cell.set_title(f"{100 * counts.max() / counts.sum():.0f}% are {digit}", fontsize="small")
        cell.set(xticks=[], yticks=[])
    right.suptitle(
        f"The centres of 10 clusters (adjusted Rand index {found.agreement:.2f})", fontsize="medium"
    )
    return figure


def colours(picture: Picture, quantised: Sequence[Quantised]) -> Figure:
    """The picture, and each quantised form above its palette."""
    height, width, _ = picture.pixels.shape
    columns = 1 + len(quantised)
    each = 4.6
    figure = Figure(figsize=(each * columns, each * height / width + 0.75), layout="constrained")
    grid = figure.subplots(2, columns, height_ratios=[each * height / width, 0.35])
    for axes in grid.flat:
        axes.set_axis_off()
    name = picture.source.split(",")[0]
    distinct = len(np.unique(picture.pixels.reshape(-1, 3), axis=0))
    grid[0, 0].imshow(picture.pixels)
    grid[0, 0].set_title(f"{name}: {distinct:,} colours")
    for j, q in enumerate(quantised, 1):
        grid[0, j].imshow(q.pixels)
        grid[0, j].set_title(f"{len(q.palette)} colours, error {q.error:.1f} of 255")
        shares = np.bincount(q.indices.ravel(), minlength=len(q.palette)) / q.indices.size
        left = np.cumsum(shares) - shares
        grid[1, j].bar(left, 1, shares, color=q.palette / 255, align="edge", linewidth=0)
        grid[1, j].set(xlim=(0, 1), ylim=(0, 1))
    grid[1, 0].text(
        0.98,
        0.5,
        "palette, by share of the pixels",
        ha="right",
        va="center",
        transform=grid[1, 0].transAxes,
    )
    return figure


def rings(found: Diffused) -> Figure:
    """Points, and where they come to."""
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for j, ((inner, outer), colour) in enumerate(zip(RINGS, (BLUE, ORANGE, GREEN))):
        mine = found.ring == j
        left.scatter(*found.points[mine].T, 14, colour, linewidths=0, label=f"radius {inner} to {outer}")
        right.scatter(*found.places[mine].T, 120, colour, alpha=0.5, linewidths=0)
        right.annotate(
            f"{mine.sum()} points", found.places[mine].mean(axis=0), (11, 4), textcoords="offset points"
        )
    left.set(title=f"{len(found.points)} points", aspect="equal", ylim=(-25, 32))
    left.legend(
        loc="upper center", ncols=3, frameon=False, fontsize="small", handletextpad=0, columnspacing=0.8
    )
    right.set(title="Their diffusion map", xlabel="first coordinate", ylabel="second coordinate")
    right.margins(0.3)
    for axes in (left, right):
        _quiet(axes)
    return figure


def speed(race: Race) -> Figure:
    """Times of this run, and the deck's beside them on an axis of their own."""
    figure = Figure(figsize=(11, 3.1), layout="constrained")
    here, deck = figure.subplots(1, 2, width_ratios=[1.4, 1])
    _bars(here, {name: [1000 * t for t in s] for name, s in race.seconds.items()}, (BLUE, ORANGE))
    what = f"{race.points:,} x {FEATURES}, k = {CLUSTERS}, {ITERATIONS} iterations, this machine"
    here.set_title(what + (f": 1 to {race.ratio:.1f}" if race.ratio else ""), fontsize="medium")
    _bars(deck, {name: [ms] for name, ms in DECK.items()}, (GREY, GREY))
    told = f"the deck's table, its machine and data: 1 to {DECK['scikit-learn'] / DECK['Linfa']:.2f}"
    deck.set_title(told, fontsize="medium")
    figure.suptitle("k-means on a million points: time of one fit, shorter is better")
    if race.points < 1_000_000:
        figure.suptitle("k-means: time of one fit, shorter is better")
    return figure


def _bars(axes: Any, times: dict[str, list[float]], colours: Sequence[str]) -> None:
    """A bar to each median, a tick for every single time, the median in figures beyond both."""
    for at, (each, colour) in enumerate(zip(times.values(), colours)):
        axes.barh(at, median(each), 0.6, color=colour)
        if len(each) > 1:
            axes.plot(each, [at] * len(each), "|", color="black", markersize=14)
        axes.annotate(
            f"{median(each):.0f} ms",
            (max(each), at),
            (8, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(range(len(times)), list(times))
    axes.set_xlim(0, 1.25 * max(max(each) for each in times.values()))
    axes.set_ylim(len(times) - 0.5, -0.5)
    axes.set_xlabel("milliseconds" + (" (ticks: single rounds)" if len(each) > 1 else ""))
    _quiet(axes)


def _quiet(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
