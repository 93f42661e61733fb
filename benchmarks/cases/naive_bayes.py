"""Gaussian naive Bayes: fitting, predicting classes and probabilities; large tables, and 150 rows.

Contenders get the same records and labels. Quality is how far means and variances lie from those of NumPy,
relative, or the share of wrong predictions, or the mean log loss.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 11
METHODS = ("fit", "predict", "predict_proba")


def contender(library: str, method: str) -> Callable:
    """Fits outside the clock where something else is timed."""

    def run(data: Data, case: Case):
        cls = importlib.import_module(f"{library}.naive_bayes").GaussianNB
        X, y = data["X"], data["y"]

        def fit():
            model = cls().fit(X, y)
            return np.stack([model.theta_, model.var_])

        return fit if method == "fit" else partial(getattr(cls().fit(X, y), method), X)

    run.__name__ = library
    return run


# --- data: scale shrinks n ------------------------------------------------------------------------


def overlapping(scale: float, n: int, d: int, k: int, dtype: str) -> Data:
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 20 * k)
    y = rng.integers(k, size=n)
    X = rng.standard_normal((n, d)) + 0.4 * y[:, None] * (np.arange(d) % 3)
    return {"X": X.astype(dtype), "y": y}


def iris(scale: float) -> Data:
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return {"X": np.ascontiguousarray(X), "y": y}


# --- quality --------------------------------------------------------------------------------------


def learned(data: Data, result: np.ndarray) -> float:
    X, y = data["X"].astype(np.float64), data["y"]
    groups = [X[y == label] for label in np.unique(y)]
    mean, var = (np.stack([function(g, axis=0) for g in groups]) for function in (np.mean, np.var))
    var += 1e-9 * X.var(axis=0).max()
    far = max(np.abs(result[0] - mean).max() / np.abs(mean).max(), (np.abs(result[1] - var) / var).max())
    return far if far > (1e-4 if data["X"].dtype == np.float32 else 1e-12) else 0.0


def wrong(data: Data, result: np.ndarray) -> float:
    return float(np.mean(result != data["y"]))


def lost(data: Data, result: np.ndarray) -> float:
    chosen = result[np.arange(len(result)), data["y"]].astype(np.float64)
    return float(-np.log(np.maximum(chosen, 1e-300)).mean())


# --- cases ----------------------------------------------------------------------------------------

GROUP = "Gaussian naive Bayes"
QUALITY = dict(zip(METHODS, (learned, wrong, lost), strict=True))


def case(name: str, make: Callable, method: str, **more) -> Case:
    both = tuple(contender(library, method) for library in ("clinfa", "sklearn"))
    return Case(f"gnb-{method}-{name}", GROUP, make, both, QUALITY[method], prepared=True, **more)


SHAPES = (
    ("1Mx10-k5-f64", 10**6, 10, 5, "float64"),
    ("1Mx10-k5-f32", 10**6, 10, 5, "float32"),
    ("100kx100-k5-f64", 10**5, 100, 5, "float64"),
    ("20kx784-k10-f64", 20000, 784, 10, "float64"),
)
CASES = (
    *(
        case(name, partial(overlapping, n=n, d=d, k=k, dtype=dtype), method)
        for name, n, d, k, dtype in SHAPES
        for method in METHODS
    ),
    *(case("iris", iris, method, repeat=50, note="mean of 50 calls") for method in METHODS),
)
