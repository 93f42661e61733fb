"""Draws the two pictures on the page about diffusion maps, those of the deck."""

from pathlib import Path

from matplotlib.figure import Figure

from clinfa._demo.charts import BLUE, GREEN, ORANGE
from clinfa._demo.rings import RINGS, diffuse

HERE = Path(__file__).parent


def main():
    found = diffuse()
    for name, points, size in (("rings", found.points, 14), ("diffusion", found.places, 120)):
        figure = Figure(figsize=(4.8, 4.4), layout="constrained")
        axes = figure.subplots()
        for j, ((inner, outer), colour) in enumerate(zip(RINGS, (BLUE, ORANGE, GREEN))):
            mine = points[found.ring == j]
            axes.scatter(*mine.T, size, colour, linewidths=0, label=f"radius {inner} to {outer}")
            if name == "diffusion":
                axes.annotate(f"{len(mine)} points", mine.mean(axis=0), (11, 4), textcoords="offset points")
        if name == "rings":
            axes.set(aspect="equal", ylim=(-25, 31))
            axes.legend(
                loc="upper center",
                ncols=3,
                frameon=False,
                fontsize="small",
                handletextpad=0,
                columnspacing=0.8,
            )
        else:
            axes.set(xlabel="first coordinate", ylabel="second coordinate")
            axes.margins(0.3)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(HERE / f"{name}.png", dpi=120)


if __name__ == "__main__":
    main()
