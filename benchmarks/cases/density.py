"""DBSCAN: rings in the plane, blobs in three and ten dimensions, irises, and blobs so dense that lists of
neighbours fit in no memory.

Contenders get the same records. Quality is the share of 100 records whose label contradicts the definition,
as brute force finds it: a core record that is noise, is near noise, or is near a core one of another cluster.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 11
SAMPLE = 100


def contender(library: str, doc: str = "") -> Callable:
    def run(data: Data, case: Case):
        model = importlib.import_module(f"{library}.cluster").DBSCAN(**case.params, n_jobs=2)
        return model.fit(data["X"]).labels_

    run.__name__, run.__doc__ = library, doc
    return run


def dbscan(data: Data, case: Case):
    """By Y. Wang, Y. Gu and J. Shun, in C++ with threads of its own; euclidean, two to twenty columns."""
    import dbscan as library

    return library.DBSCAN(data["X"], **case.params)[0]


def rings(scale: float, n: int) -> Data:
    """Three noisy rings, and a tenth of the records anywhere."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 100)
    angle, radius = rng.uniform(0, 2 * np.pi, n), rng.integers(1, 4, n) + 0.08 * rng.standard_normal(n)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    anywhere = rng.random(n) < 0.1
    X[anywhere] = rng.uniform(-4, 4, (anywhere.sum(), 2))
    return {"X": X}


def blobs(scale: float, n: int, d: int, k: int) -> Data:
    """Gaussian blobs of deviation 1 in a box of side 20."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 100)
    centres = rng.uniform(-10, 10, (k, d))
    return {"X": centres[rng.integers(k, size=n)] + rng.standard_normal((n, d))}


def irises(scale: float) -> Data:
    from sklearn.datasets import load_iris

    return {"X": load_iris().data}


def contradictions(data: Data, labels: np.ndarray, eps: float, min_samples: int) -> float:
    X, wrong = data["X"], 0
    sample = np.random.default_rng(SEED).choice(len(X), min(SAMPLE, len(X)), replace=False)

    def near(i: int) -> np.ndarray:
        return np.flatnonzero(((X - X[i]) ** 2).sum(axis=1) <= eps * eps)

    for i in sample:
        around = near(i)
        if len(around) < min_samples:
            continue
        others = around[labels[around] != labels[i]][:20]
        wrong += bool((labels[around] < 0).any() or any(len(near(j)) >= min_samples for j in others))
    return wrong / len(sample)


CLINFA, SKLEARN = contender("clinfa"), contender("sklearn", "`n_jobs=2`.")
SKLEARNEX = contender("sklearnex", "Brute force.")


def race(name: str, make: Callable, eps: float, contenders: tuple, **how) -> Case:
    params = {"eps": eps, "min_samples": 10}
    return Case(
        name=f"dbscan-{name}",
        group="DBSCAN",
        make=make,
        contenders=contenders,
        quality=partial(contradictions, **params),
        params=params,
        note=f"eps {eps:g}, min_samples 10",
        **how,
    )


CASES = (
    race("rings-200kx2", partial(rings, n=200_000), 0.03, (CLINFA, dbscan, SKLEARN)),
    race("300kx3", partial(blobs, n=300_000, d=3, k=20), 0.25, (CLINFA, dbscan, SKLEARN)),
    race("50kx10", partial(blobs, n=50_000, d=10, k=10), 2.0, (CLINFA, dbscan, SKLEARN, SKLEARNEX)),
    race("iris", irises, 0.5, (CLINFA, dbscan, SKLEARN, SKLEARNEX), repeat=20),
    race("dense-1Mx3", partial(blobs, n=1_000_000, d=3, k=20), 1.0, (CLINFA, dbscan)),
)
