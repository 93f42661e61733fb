"""The deck's table again: a million points, against scikit-learn where that is installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

from clinfa.cluster import KMeans
from clinfa.datasets import make_blobs

__all__ = ["DECK", "Race", "race", "told"]

DECK = {"Linfa": 476.2, "scikit-learn": 604.7}  # milliseconds, from the deck, on its machine
FEATURES, CLUSTERS, ITERATIONS = 10, 10, 30


@dataclass(frozen=True)
class Race:
    """Seconds of every round by library, and what they found."""

    points: int
    seconds: dict[str, list[float]]
    inertia: dict[str, float]
    iterations: dict[str, int]
    equal_labels: int | None  # None where clinfa ran alone

    @property
    def ratio(self) -> float | None:
        """How many times as fast as scikit-learn clinfa is, by medians."""
        theirs = self.seconds.get("scikit-learn")
        return median(theirs) / median(self.seconds["clinfa"]) if theirs else None


def race(points: int, rounds: int, doing: Callable[[str], None]) -> Race:
    """Fit the same data from the same start, each library in turn.

    Parameters
    ----------
    points, rounds : int
    doing : callable
        Told what is going on.
    """
    doing(f"making {points:,} points")
    # Wide enough to overlap: on separate blobs everyone is done after a few iterations.
    X, _ = make_blobs(points, FEATURES, centers=CLUSTERS, cluster_std=4.0, random_state=1)
    start = X[np.random.RandomState(0).choice(points, CLUSTERS, replace=False)]
    libraries: dict[str, Any] = {"clinfa": KMeans}
    if find_spec("sklearn"):
        doing("loading scikit-learn")
        from sklearn.cluster import KMeans as TheirKMeans

        libraries["scikit-learn"] = TheirKMeans
    seconds: dict[str, list[float]] = {name: [] for name in libraries}
    models: dict[str, Any] = {}
    for number in range(rounds):
        for name, cls in libraries.items():
            doing(f"round {number + 1} of {rounds}: {name}")
            model = cls(CLUSTERS, init=start, n_init=1, max_iter=ITERATIONS, tol=0)
            begin = time.perf_counter()
            models[name] = model.fit(X)
            seconds[name].append(time.perf_counter() - begin)
    equal = None
    if len(models) > 1:
        equal = int((models["clinfa"].labels_ == models["scikit-learn"].labels_).sum())
    return Race(
        points,
        seconds,
        {name: float(model.inertia_) for name, model in models.items()},
        {name: int(model.n_iter_) for name, model in models.items()},
        equal,
    )


def told(race: Race) -> Iterator[str]:
    """The race in words, and the deck's own figures beside it."""
    rounds = len(race.seconds["clinfa"])
    done = " and ".join(sorted({str(n) for n in race.iterations.values()}))
    yield (
        f"   {race.points:,} points, {FEATURES} features, k = {CLUSTERS}, float64; the same start, "
        f"{done} iterations;"
    )
    yield f"   {rounds} rounds in turn, median (least to most):"
    yield ""
    for name, times in race.seconds.items():
        ms = sorted(1000 * t for t in times)
        yield f"     {name:<14}{median(ms):>8.1f} ms  ({ms[0]:.0f} to {ms[-1]:.0f})"
    yield ""
    if race.ratio is None:
        yield "   scikit-learn is not installed, so clinfa ran alone: pip install scikit-learn"
        yield "   (or clinfa[compare]) for the comparison."
    else:
        ours, theirs = race.inertia.values()
        yield f"   scikit-learn took {race.ratio:.1f} times as long for the same result:"
        yield f"   {race.equal_labels:,} of {race.points:,} labels are equal, and the two"
        yield f"   inertias differ by {abs(ours / theirs - 1):.0e} of their value."
    deck = ", ".join(f"{name} {ms} ms" for name, ms in DECK.items())
    yield ""
    yield f"   The deck's table, measured on its own machine and data: {deck},"
    yield f"   a ratio of {DECK['scikit-learn'] / DECK['Linfa']:.2f}. Only ratios can be compared."
