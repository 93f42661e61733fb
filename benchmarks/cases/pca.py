"""Principal components: fitting tall, large and small tables, whole and in batches; transforming.

Contenders get the same records. Quality of a fit is the share of the variance that its axes leave
unexplained (the axes are made orthonormal first), that of a transform the share that lies outside of what
comes out.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 17


def contender(library: str, name: str, method: str, **params) -> Callable:
    """Fits outside the clock where something else is timed."""

    def run(data: Data, case: Case):
        cls = getattr(importlib.import_module(f"{library}.decomposition"), name)
        X, k = data["X"], case.params["k"]
        if method == "transform":
            return partial(cls(n_components=k, **params).fit(X).transform, X)
        return lambda: cls(n_components=k, **params).fit(X).components_

    run.__name__ = f"{library}_{'_'.join(map(str, params.values()))}".strip("_")
    return run


# --- data: scale shrinks n ------------------------------------------------------------------------


def falling(scale: float, n: int, d: int, dtype: str) -> Data:
    """Deviations that fall to a twentieth, along axes turned at random, off the origin."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 2 * d)
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    X = (rng.standard_normal((n, d)) * np.linspace(1, 0.05, d) ** 2) @ turn
    return {"X": (X + 1).astype(dtype)}


def iris(scale: float) -> Data:
    from sklearn.datasets import load_iris

    return {"X": np.ascontiguousarray(load_iris().data)}


# --- quality --------------------------------------------------------------------------------------


def unexplained(data: Data, result: np.ndarray) -> float:
    X = data["X"].astype(np.float64)
    X -= X.mean(axis=0)
    axes = np.linalg.qr(result.T.astype(np.float64))[0]
    return float(1 - np.square(X @ axes).sum() / np.square(X).sum())


def outside(data: Data, result: np.ndarray) -> float:
    X = data["X"].astype(np.float64)
    left = np.square(result.astype(np.float64) - result.mean(axis=0)).sum()
    return float(1 - left / np.square(X - X.mean(axis=0)).sum())


# --- cases ----------------------------------------------------------------------------------------

GROUP = "Principal components"
LIBRARIES = ("clinfa", "sklearn", "sklearnex")


def fit(name: str, make: Callable, k: int, **more) -> Case:
    all_of_them = tuple(contender(library, "PCA", "fit") for library in LIBRARIES)
    full = tuple(contender(library, "PCA", "fit", svd_solver="full") for library in ("clinfa", "sklearn"))
    if name.startswith("10k"):  # all axes of that are no race
        full = ()
    return Case(
        f"pca-fit-{name}",
        GROUP,
        make,
        all_of_them + full,
        unexplained,
        params={"k": k},
        prepared=True,
        **more,
    )


SHAPES = (
    ("200kx100-k10-f64", 200_000, 100, 10, "float64"),
    ("200kx100-k10-f32", 200_000, 100, 10, "float32"),
    ("1Mx64-k16-f64", 10**6, 64, 16, "float64"),
    ("10kx2000-k20-f64", 10_000, 2000, 20, "float64"),
)
BOTH = ("clinfa", "sklearn")
CASES = (
    *(fit(name, partial(falling, n=n, d=d, dtype=dtype), k) for name, n, d, k, dtype in SHAPES),
    fit("iris-k2", iris, 2, repeat=50, note="mean of 50 calls"),
    *(
        Case(
            f"pca-transform-{name}",
            GROUP,
            partial(falling, n=n, d=d, dtype=dtype),
            tuple(contender(library, "PCA", "transform") for library in BOTH),
            outside,
            params={"k": k},
            prepared=True,
        )
        for name, n, d, k, dtype in SHAPES[:2]
    ),
    Case(
        "pca-batches-50kx100-k10-f64",
        GROUP,
        partial(falling, n=50_000, d=100, dtype="float64"),
        tuple(contender(library, "IncrementalPCA", "fit") for library in BOTH),
        unexplained,
        params={"k": 10},
        prepared=True,
    ),
)
