"""Linear support vector machines: 200k x 50, text of twenty topics, and 150 rows.

Contenders get the same records and targets, C and tolerance. Quality is the primal objective, all models of a
case together, by one function for every contender.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import sparse

from benchmarks.case import Case, Data

SEED = 17


def contender(library: str, cls: str, **params) -> Callable:
    def run(data: Data, case: Case):
        make = getattr(importlib.import_module(f"{library}.svm"), cls)
        X, y = data["X"], data["y"]

        def fit():
            model = make(random_state=0, **params).fit(X, y)
            return np.column_stack([np.atleast_2d(model.coef_), model.intercept_])

        return fit

    run.__name__ = library
    return run


# --- data: scale shrinks n ------------------------------------------------------------------------


def clouds(scale: float, n: int, d: int) -> Data:
    """Two overlapping clouds, a twentieth of the labels wrong."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 200)
    y = rng.integers(2, size=n)
    X = rng.standard_normal((n, d)) @ (np.eye(d) + 0.3 * rng.standard_normal((d, d)) / np.sqrt(d))
    X += np.where(y, 0.5, -0.5)[:, None] * rng.standard_normal(d) * (np.arange(d) % 2)
    return {"X": X, "y": np.where(rng.random(n) < 0.05, 1 - y, y)}


def plane(scale: float, n: int, d: int) -> Data:
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 200)
    X = rng.standard_normal((n, d))
    return {"X": X, "y": X @ rng.standard_normal(d) + rng.standard_t(3, n)}


def text(scale: float, topics: int, words: int = 50_000, length: int = 100) -> Data:
    """Words by Zipf's law, one in twelve from the topic; logarithms of counts, by rarity, length 1."""
    rng = np.random.default_rng(SEED)
    n = max(round(20_000 * scale), 200)
    y = rng.integers(topics, size=n)
    often = 1 / np.arange(1, words + 1) ** 0.9
    found = rng.choice(words, size=(n, length), p=often / often.sum())
    own = rng.permutation(words)[: topics * 200].reshape(topics, 200)
    special = own[y[:, None], rng.integers(200, size=(n, length))]
    found = np.where(rng.random((n, length)) < 1 / 12, special, found)
    X = sparse.csr_matrix(
        (np.ones(n * length), found.ravel(), np.arange(0, n * length + 1, length)), (n, words)
    )
    X.sum_duplicates()
    rare = np.log(n / (1 + np.bincount(X.indices, minlength=words))) + 1
    X.data = (1 + np.log(X.data)) * rare[X.indices]
    size = np.sqrt(np.add.reduceat(X.data**2, X.indptr[:-1]))
    X.data /= np.repeat(size, np.diff(X.indptr))
    return {"X": X, "y": y}


def iris(scale: float) -> Data:
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return {"X": np.ascontiguousarray(X), "y": y}


def diabetes(scale: float) -> Data:
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return {"X": np.ascontiguousarray(X), "y": y}


# --- quality --------------------------------------------------------------------------------------


def objective(data: Data, result: np.ndarray, power: int, penalty: str, kind: str) -> float:
    X, y = data["X"], data["y"]
    total = 0.0
    for k, (*w, b) in enumerate(result):
        w = np.array(w)
        if kind == "numbers":
            lack = np.abs(X @ w + b - y)
        else:
            own = y == (k if len(result) > 1 else 1)
            lack = np.maximum(1 - np.where(own, 1, -1) * (X @ w + b), 0)
        total += np.abs(w).sum() + abs(b) if penalty == "l1" else (w @ w + b * b) / 2
        total += (lack**power).sum()
    return float(total)


# --- cases ----------------------------------------------------------------------------------------

GROUP = "linear support vector machines"


def case(name: str, make: Callable, cls: str = "LinearSVC", sure: bool = True, **more) -> Case:
    """`sure`: whether liblinear gets there; else it is given so many iterations as take about ten seconds."""
    params = more.pop("params", {})
    power = (
        1 if params.get("loss", "squared" if cls == "LinearSVC" else "linear") in ("hinge", "linear") else 2
    )
    kind = "numbers" if cls == "LinearSVR" else "classes"
    few = {} if sure else {"max_iter": 20}
    return Case(
        f"linear-svm-{name}",
        GROUP,
        make,
        (contender("clinfa", cls, **params), contender("sklearn", cls, **params | few)),
        partial(objective, power=power, penalty=params.get("penalty", "l2"), kind=kind),
        prepared=True,
        **more,
    )


TALL = partial(clouds, n=200_000, d=50)
CASES = (
    case("200kx50", TALL),
    case("200kx50-C100", TALL, params={"C": 100.0}),
    case("200kx50-hinge", TALL, params={"loss": "hinge"}, sure=False, note="scikit-learn: 20 iterations"),
    case("200kx50-l1", TALL, params={"penalty": "l1", "dual": False}),
    case("text-20", partial(text, topics=20)),
    case("text-20-hinge", partial(text, topics=20), params={"loss": "hinge"}),
    case("text-2", partial(text, topics=2)),
    case("regression-100kx50", partial(plane, n=100_000, d=50), "LinearSVR", sure=False),
    case("iris", iris, repeat=50, note="mean of 50 calls"),
    case("diabetes", diabetes, "LinearSVR", repeat=20, note="mean of 20 calls"),
    case("iris-hinge", iris, params={"loss": "hinge"}, repeat=20, note="mean of 20 calls"),
)
