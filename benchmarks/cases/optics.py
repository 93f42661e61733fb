"""OPTICS: the order of all records, at any radius and within one, and its clusters.

Contenders get the same records. Quality is the mean reachability of what was reached: that of the order's own
definition, so it is the same where orders are.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 5


def contender(library: str) -> Callable:
    def run(data: Data, case: Case):
        model = importlib.import_module(f"{library}.cluster").OPTICS(max_eps=case.params["max_eps"])
        return model.fit(data["X"]).reachability_

    run.__name__ = library
    return run


def blobs(scale: float, n: int, d: int) -> Data:
    """Twelve Gaussian blobs of deviation 1 in a box of side 20."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 60)
    centres = rng.uniform(-10, 10, (12, d))
    return {"X": centres[rng.integers(12, size=n)] + rng.standard_normal((n, d))}


def mean_reachability(data: Data, reachability: np.ndarray) -> float:
    return float(reachability[np.isfinite(reachability)].mean())


CASES = tuple(
    Case(
        name=f"optics-{n // 1000}kx{d}-{short}",
        group="OPTICS",
        make=partial(blobs, n=n, d=d),
        contenders=(contender("clinfa"), contender("sklearn")),
        quality=mean_reachability,
        params={"max_eps": max_eps},
        note="defaults otherwise; xi extraction included",
    )
    for n, d, max_eps, short in ((10_000, 3, np.inf, "any"), (30_000, 2, 0.5, "within"))
)
