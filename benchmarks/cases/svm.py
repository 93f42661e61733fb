"""Kernel machines: fits of all five kinds, predictions, real letters, and 150 rows.

Contenders get the same records, kernel and tolerance. Quality of a fit is the dual objective at the
coefficients, recomputed in float64 by one function for every contender: itself where it is minimised,
otherwise one over it. It is infinite where the coefficients are not allowed, or violate
optimality by more than ten times the tolerance.

Letters are those of the UCI repository where they are found: `apt-get install r-cran-mlbench`, or
CLINFA_LETTERS names a copy of its LetterRecognition.rda.
"""

import importlib
import lzma
import os
import struct
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.case import Case, Data

TOL = 1e-3
LETTERS = Path(os.environ.get("CLINFA_LETTERS", "/usr/lib/R/site-library/mlbench/data/LetterRecognition.rda"))


def contender(library: str, cls: str, predict: bool = False) -> Callable:
    """Fits outside the clock where predictions are timed."""
    doc = "A wheel of 2019, in single precision." if library == "thundersvm" else ""

    def run(data: Data, case: Case):
        home = importlib.import_module("thundersvm" if library == "thundersvm" else f"{library}.svm")
        model = getattr(home, cls)(kernel="rbf", gamma=float(data["gamma"]), tol=TOL, **case.params)
        given = (data["X"], data["y"]) if "y" in data else (data["X"],)

        def fit():
            model.fit(*given)
            coefficients = np.zeros((len(data["X"]), len(model.dual_coef_)))
            coefficients[model.support_] = model.dual_coef_.T
            return coefficients

        return partial(model.fit(*given).predict, data["Q"]) if predict else fit

    run.__name__, run.__doc__ = library, doc
    return run


# --- data: scale shrinks n ------------------------------------------------------------------------


def scaled(X: np.ndarray, **more: np.ndarray) -> Data:
    """Records, and the gamma that scikit-learn calls "scale"."""
    return {"X": X, "gamma": np.array(1 / (X.shape[1] * X.var())), **more}


def classes(scale: float, n: int, d: int, queries: int = 0) -> Data:
    """Two classes of two clusters each, a twentieth of the labels drawn anew."""
    from sklearn.datasets import make_classification

    n, m = max(round(n * scale), 200), max(round(queries * scale), 20) if queries else 0
    X, y = make_classification(n + m, d, n_informative=10, n_redundant=4, flip_y=0.05, random_state=0)
    return scaled(X[:n], y=y[:n], **({"Q": X[n:], "z": y[n:]} if m else {}))


def friedman(scale: float, n: int) -> Data:
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(max(round(n * scale), 200), noise=1.0, random_state=0)
    return scaled(X, y=y)


def cloud(scale: float, n: int, d: int) -> Data:
    """Five Gaussian blobs, and a tenth of the records anywhere."""
    rng = np.random.default_rng(0)
    n = max(round(n * scale), 200)
    X = rng.uniform(-4, 4, (5, d))[rng.integers(5, size=n)] + rng.standard_normal((n, d))
    anywhere = rng.random(n) < 0.1
    X[anywhere] = rng.uniform(-8, 8, (anywhere.sum(), d))
    return scaled(X)


def iris(scale: float) -> Data:
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return scaled(np.ascontiguousarray(X), y=y)


def letters(scale: float) -> Data:
    """The first 15,000 of 20,000 letters, standardised: 16 numbers each that tell a shape."""
    raw, n, columns = lzma.decompress(LETTERS.read_bytes()), 20_000, []
    mark = struct.pack(">i", n)
    at = raw.find(mark)
    while at >= 0:  # a column is its kind (13: integers, 14: doubles), its length, and its values
        kind = {13: ">i4", 14: ">f8"}[raw[at - 1]]
        columns.append(np.frombuffer(raw, kind, n, at + 4))
        at = raw.find(mark, at + 4 + columns[-1].nbytes)
    return standardised(np.column_stack(columns[1:]), columns[0] - 1, scale)


def letters_like(scale: float) -> Data:
    """A stand-in: 26 classes of three Gaussian clusters each, in whole numbers."""
    rng = np.random.default_rng(0)
    y = rng.integers(26, size=15_000)
    centres = rng.normal(7, 1.8, (26, 3, 16))
    X = centres[y, rng.integers(3, size=len(y))] + rng.normal(0, 1.4, (len(y), 16))
    return standardised(np.clip(X.round(), 0, 15), y, scale)


def standardised(X: np.ndarray, y: np.ndarray, scale: float) -> Data:
    n = max(round(15_000 * scale), 1000)
    X, y = X[:n].astype(np.float64), y[:n].astype(np.int64)
    return {"X": (X - X.mean(axis=0)) / X.std(axis=0), "y": y, "gamma": np.array(0.05)}


# --- quality --------------------------------------------------------------------------------------


def times(X: np.ndarray, gamma: float, b: np.ndarray) -> np.ndarray:
    """The kernel matrix of X times b."""
    used = np.flatnonzero(b)
    S, squares = X[used], np.square(X).sum(axis=1)
    out = np.empty(len(X))
    for i in range(0, len(X), 1024):
        part = slice(i, i + 1024)
        apart = squares[part, None] + squares[used] - 2 * X[part] @ S.T
        out[part] = np.exp(-gamma * np.maximum(apart, 0)) @ b[used]
    return out


def violation(g: np.ndarray, b: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """The greatest gradient of a coefficient that may grow less the least of one that may shrink.

    Infinite where a coefficient is out of its bounds.
    """
    near = 1e-5 * (high - low).max()
    if ((b < low - near) | (b > high + near)).any():
        return np.inf
    return g[b < high - near].max(initial=-np.inf) - g[b > low + near].min(initial=np.inf)


def judged(value: float, far: float, gaps: list[float]) -> float:
    """The value, if the sums of coefficients are what they have to be and optimality holds about."""
    return float(value) if far <= 1e-3 and max(gaps) <= 10 * TOL else np.inf


def svc(data: Data, result: np.ndarray, C: float, **_) -> float:
    """One machine for each pair of classes; objectives are added."""
    X, y, objective, gaps, far = data["X"], data["y"], 0.0, [], 0.0
    for i, j in combinations(range(result.shape[1] + 1), 2):
        both = np.flatnonzero((y == i) | (y == j))
        sign = np.where(y[both] == i, 1.0, -1.0)
        b = sign * np.abs(np.where(sign > 0, result[both, j - 1], result[both, i]))
        g = sign - times(X[both], data["gamma"], b)
        objective += 0.5 * b @ (sign + g)
        gaps.append(violation(g, b, np.minimum(sign * C, 0), np.maximum(sign * C, 0)))
        far = max(far, abs(b.sum()) / np.abs(b).sum())
    return judged(1 / objective, far, gaps)


def nu_svc(data: Data, result: np.ndarray, nu: float, **_) -> float:
    """Coefficients are given for a margin of one: they are scaled to the sum that they are to have."""
    sign = np.where(data["y"] > 0, 1.0, -1.0)
    b = sign * np.abs(result[:, 0]) * (nu * len(sign) / np.abs(result).sum())
    g = -times(data["X"], data["gamma"], b)
    gaps = [
        violation(g[own], b[own], np.minimum(sign[own], 0), np.maximum(sign[own], 0))
        for own in (sign > 0, sign < 0)
    ]
    return judged(-0.5 * b @ g, abs(b.sum()) / np.abs(b).sum(), gaps)


def one_class(data: Data, result: np.ndarray, nu: float, **_) -> float:
    b = result[:, 0]
    g = -times(data["X"], data["gamma"], b)
    gap = violation(g, b, np.zeros(len(b)), np.ones(len(b)))
    return judged(-0.5 * b @ g, abs(b.sum() / (nu * len(b)) - 1), [gap])


def svr(data: Data, result: np.ndarray, C: float, epsilon: float, **_) -> float:
    y, b = data["y"], result[:, 0]
    image, none = times(data["X"], data["gamma"], b), np.zeros(len(b))
    g = np.concatenate([y - epsilon - image, y + epsilon - image])
    parts = np.concatenate([np.maximum(b, 0), np.minimum(b, 0)])
    gap = violation(g, parts, np.concatenate([none, none - C]), np.concatenate([none + C, none]))
    objective = b @ (y - 0.5 * image) - epsilon * np.abs(b).sum()
    return judged(1 / objective, abs(b.sum()) / np.abs(b).sum(), [gap])


def nu_svr(data: Data, result: np.ndarray, C: float, nu: float, **_) -> float:
    y, b = data["y"], result[:, 0]
    image, none, total = times(data["X"], data["gamma"], b), np.zeros(len(b)), C * nu * len(b)
    gaps = [
        violation(y - image, np.maximum(b, 0), none, none + C),
        violation(y - image, np.minimum(b, 0), none - C, none),
    ]
    far = max(abs(b.sum()), abs(np.abs(b).sum() - total)) / total
    return judged(1 / (b @ (y - 0.5 * image)), far, gaps)


def wrong(data: Data, result: np.ndarray, **_) -> float:
    return float(np.mean(result != data["z"]))


# --- cases ----------------------------------------------------------------------------------------


def case(name: str, make: Callable, cls: str, quality: Callable, **more) -> Case:
    libraries = ["clinfa", "sklearn"]
    libraries += ["sklearnex"] * (cls != "OneClassSVM")  # it has none
    libraries += ["thundersvm"] * ("letters" not in name)  # its classes come in the order that it meets them
    params = more.pop("params", {})
    return Case(
        name=name,
        group="Support vector machines",
        make=make,
        contenders=tuple(contender(library, cls, quality is wrong) for library in libraries),
        quality=partial(quality, **params),
        params=params,
        prepared=True,
        **more,
    )


CASES = (
    case("svc-16kx20", partial(classes, n=16_000, d=20), "SVC", svc, params={"C": 1.0}),
    case("svc-8kx20-C100", partial(classes, n=8000, d=20), "SVC", svc, params={"C": 100.0}),
    case(
        "svc-60kx50",
        partial(classes, n=60_000, d=50),
        "SVC",
        svc,
        params={"C": 1.0, "cache_size": 500},
        note="cache_size 500",
    ),
    case("svc-letters", letters, "SVC", svc, params={"C": 10.0}, note="15,000 of UCI's letters, 26 classes")
    if LETTERS.exists()
    else case(
        "svc-letters-like",
        letters_like,
        "SVC",
        svc,
        params={"C": 10.0},
        note="26 classes of three clusters: no letters were found",
    ),
    case("svc-iris", iris, "SVC", svc, params={"C": 1.0}, repeat=50, note="mean of 50 calls"),
    case("nusvc-8kx20", partial(classes, n=8000, d=20), "NuSVC", nu_svc, params={"nu": 0.2}),
    case(
        "svr-8kx10",
        partial(friedman, n=8000),
        "SVR",
        svr,
        params={"C": 10.0, "epsilon": 0.1},
        note="Friedman 1",
    ),
    case(
        "nusvr-8kx10",
        partial(friedman, n=8000),
        "NuSVR",
        nu_svr,
        params={"C": 10.0, "nu": 0.5},
        note="Friedman 1",
    ),
    case("oneclass-20kx10", partial(cloud, n=20_000, d=10), "OneClassSVM", one_class, params={"nu": 0.1}),
    case(
        "svc-predict-20kx20",
        partial(classes, n=16_000, d=20, queries=20_000),
        "SVC",
        wrong,
        params={"C": 1.0},
        note="fitted on 16,000 others",
    ),
)
