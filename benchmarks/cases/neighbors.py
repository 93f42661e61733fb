"""Nearest neighbours: building the index and asking it, and what is made of neighbours.

Contenders get the same records and return distances to the k nearest, a record's own among them; quality is
their mean. (faiss would take minutes over 500k x 3, trees
over 64 columns.) Of classes it is the share that is wrong, of outlier
factors their mean.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 11


def nearest(library: str, module: str) -> Callable:
    """The k nearest by a library with scikit-learn's interface."""

    def run(data: Data, case: Case):
        model = importlib.import_module(module).NearestNeighbors(n_neighbors=case.params["k"], n_jobs=2)
        return model.fit(data["X"]).kneighbors(data["Q"])[0]

    run.__name__ = library
    return run


def pykdtree(data: Data, case: Case):
    """A k-d tree in C, with OpenMP."""
    from pykdtree.kdtree import KDTree

    return KDTree(data["X"]).query(data["Q"], k=case.params["k"])[0]


def quitefastmst(data: Data, case: Case):
    """A k-d tree in C++, with OpenMP."""
    import quitefastmst as library

    return library.knn_euclid(data["X"], k=case.params["k"], Y=data["Q"])[0]


def faiss(data: Data, case: Case):
    """Brute force in float32, by matrix products: distances have a few digits less."""
    import faiss as library

    index = library.IndexFlatL2(data["X"].shape[1])
    index.add(np.ascontiguousarray(data["X"], np.float32))
    squares = index.search(np.ascontiguousarray(data["Q"], np.float32), case.params["k"])[0]
    return np.sqrt(np.maximum(squares, 0))


def fit_predict(library: str, module: str) -> Callable:
    def run(data: Data, case: Case):
        model = importlib.import_module(module).KNeighborsClassifier(n_neighbors=5)
        return model.fit(data["X"], data["y"]).predict(data["X"])

    run.__name__ = library
    return run


def factors(library: str, module: str) -> Callable:
    def run(data: Data, case: Case):
        model = importlib.import_module(module).LocalOutlierFactor(n_neighbors=20, n_jobs=2)
        return model.fit(data["X"]).negative_outlier_factor_

    run.__name__ = library
    return run


def blobs(scale: float, n: int, d: int, queries: int = 0) -> Data:
    """Twenty Gaussian blobs of deviation 1 in a box of side 20; the records themselves are asked of."""
    rng = np.random.default_rng(SEED)
    n, m = max(round(n * scale), 200), max(round(queries * scale), 20) if queries else 0
    centres = rng.uniform(-10, 10, (20, d))
    both = centres[rng.integers(20, size=n + m)] + rng.standard_normal((n + m, d))
    return {"X": both[:n], "Q": both[n:] if m else both[:n]}


def normal(scale: float, n: int, d: int, queries: int = 0, dtype: type = np.float64) -> Data:
    """One Gaussian: nothing for a tree to hold on to where there are many columns."""
    rng = np.random.default_rng(SEED)
    n, m = max(round(n * scale), 200), max(round(queries * scale), 20) if queries else 0
    both = rng.standard_normal((n + m, d)).astype(dtype)
    return {"X": both[:n], "Q": both[n:] if m else both[:n]}


def iris(scale: float) -> Data:
    from clinfa.datasets import load_iris

    data = load_iris()
    return {"X": data.records, "y": np.asarray(data.targets).ravel()}


def mean(data: Data, result: np.ndarray) -> float:
    return float(np.mean(result, dtype=np.float64))


def wrong(data: Data, result: np.ndarray) -> float:
    return float(np.mean(result != data["y"]))


def minus_mean(data: Data, result: np.ndarray) -> float:
    return -mean(data, result)


MODULES = (
    ("clinfa", "clinfa.neighbors"),
    ("sklearn", "sklearn.neighbors"),
    ("sklearnex", "sklearnex.neighbors"),
)
OURS, *THEIRS = (nearest(*names) for names in MODULES)
TREES = (pykdtree, quitefastmst)
RACES = (
    ("500kx3-200k", partial(normal, n=500_000, d=3, queries=200_000), "one Gaussian, 200,000 queries"),
    ("100kx8-blobs", partial(blobs, n=100_000, d=8), "blobs, of themselves"),
    ("100kx8", partial(normal, n=100_000, d=8), "one Gaussian, of itself"),
    ("100kx16-blobs", partial(blobs, n=100_000, d=16), "blobs, of themselves"),
    ("100kx16", partial(normal, n=100_000, d=16), "one Gaussian, of itself"),
    (
        "50kx64-f32-20k",
        partial(normal, n=50_000, d=64, queries=20_000, dtype=np.float32),
        "one Gaussian in float32, 20,000 queries",
    ),
)
CASES = (
    *(
        Case(
            name=f"neighbors-{name}",
            group="Nearest neighbours",
            make=make,
            contenders=(
                OURS,
                *(() if "x64" in name else TREES),
                *(() if "x3" in name else (faiss,)),
                *THEIRS,
            ),
            quality=mean,
            params={"k": 10},
            note=f"{note}; 10 nearest, index and queries",
        )
        for name, make, note in RACES
    ),
    Case(
        name="neighbors-iris",
        group="Nearest neighbours",
        make=iris,
        contenders=tuple(fit_predict(*names) for names in MODULES),
        quality=wrong,
        repeat=50,
        note="KNeighborsClassifier, fit and predict",
    ),
    Case(
        name="lof-100kx5",
        group="Nearest neighbours",
        make=partial(blobs, n=100_000, d=5),
        contenders=tuple(factors(*names) for names in MODULES),
        quality=minus_mean,
        note="LocalOutlierFactor, 20 neighbours",
    ),
)
