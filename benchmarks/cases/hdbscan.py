"""HDBSCAN: whole fits, and the spanning tree alone of a library that has nothing more.

Contenders get the same records. Quality is one less the agreement (adjusted Rand index) with the blobs that
records were drawn from; `quitefastmst` gives no labels: what stands there is the total weight of its tree.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 7


def contender(library: str, module: str) -> Callable:
    def run(data: Data, case: Case):
        model = importlib.import_module(module).HDBSCAN(min_cluster_size=10, min_samples=5)
        return np.asarray(model.fit_predict(data["X"]))

    run.__name__ = library
    return run


def sklearn(data: Data, case: Case):
    """Its distances are of a k-d tree, its spanning tree is Prim's: squared time."""
    from sklearn.cluster import HDBSCAN

    return HDBSCAN(min_cluster_size=10, min_samples=5, copy=True).fit_predict(data["X"])


def quitefastmst(data: Data, case: Case):
    """Only the spanning tree: no hierarchy, no clusters. (4 neighbours, since a point is not its own.)"""
    import quitefastmst as library

    return library.mst_euclid(data["X"], 4)[0]


def blobs(scale: float, n: int, d: int) -> Data:
    """Twenty Gaussian blobs of deviation 1 in a box of side 20."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 100)
    centres, which = rng.uniform(-10, 10, (20, d)), rng.integers(20, size=n)
    return {"X": centres[which] + rng.standard_normal((n, d)), "which": which}


def disagreement(data: Data, result: np.ndarray) -> float:
    from sklearn.metrics import adjusted_rand_score

    if result.dtype.kind == "f":
        return float(result.sum())
    kept = result >= 0
    return 1 - float(adjusted_rand_score(data["which"][kept], result[kept]))


FAST = (
    contender("clinfa", "clinfa.cluster"),
    contender("hdbscanrs", "hdbscan_rs"),
    contender("fasthdbscan", "fast_hdbscan"),
    quitefastmst,
)
CASES = tuple(
    Case(
        name=f"hdbscan-{n // 1000}kx{d}",
        group="HDBSCAN",
        make=partial(blobs, n=n, d=d),
        contenders=contenders,
        quality=disagreement,
        note="min_cluster_size 10, min_samples 5",
    )
    for n, d, contenders in (
        (200_000, 2, FAST),
        (100_000, 5, FAST),
        (20_000, 2, (FAST[0], sklearn, *FAST[1:])),
    )
)
