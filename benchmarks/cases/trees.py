"""Single trees: large ones, for classes and for numbers, and one of 150 records.

Quality is what a tree gets wrong of records held back: the share of wrong classes, or of variance that is
not explained. It is told, with the number of nodes, outside the clock.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Data

HELD_BACK = 20_000
NODES = "it.: nodes"


def told(model: Any, data: Data) -> tuple[np.ndarray, int]:
    """What a fitted tree, or forest, says of the records held back; how many nodes it has."""
    trees = getattr(model, "estimators_", [model])
    return model.predict(data["T"]), sum(tree.tree_.node_count for tree in trees)


def contender(library: str, cls: str) -> Callable:
    def run(data: Data, case: Case):
        make = partial(getattr(importlib.import_module(f"{library}.tree"), cls), random_state=0)
        return lambda: partial(told, make().fit(data["X"], data["y"]), data)

    run.__name__ = library
    return run


# --- data: scale shrinks n ------------------------------------------------------------------------


def parted(X: np.ndarray, y: np.ndarray, n: int) -> Data:
    return {"X": X[:n], "y": y[:n], "T": X[n:], "z": y[n:]}


def classes(scale: float, n: int, d: int = 20, held_back: int = HELD_BACK) -> Data:
    """Two classes of two clusters each, a tenth of the labels drawn anew."""
    from sklearn.datasets import make_classification

    n, m = max(round(n * scale), 200), max(round(held_back * scale), 200)
    return parted(*make_classification(n + m, d, n_informative=10, flip_y=0.1, random_state=0), n)


def friedman(scale: float, n: int, d: int = 20) -> Data:
    """Friedman's first function of five columns, and fifteen that say nothing."""
    from sklearn.datasets import make_friedman1

    n, m = max(round(n * scale), 200), max(round(HELD_BACK * scale), 200)
    return parted(*make_friedman1(n + m, d, noise=1.0, random_state=0), n)


def iris(scale: float) -> Data:
    """Judged on the flowers that it learns."""
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    X = np.ascontiguousarray(X)
    return {"X": X, "y": y, "T": X, "z": y}


# --- quality --------------------------------------------------------------------------------------


def wrong(data: Data, result: np.ndarray) -> float:
    return float(np.mean(result != data["z"]))


def unexplained(data: Data, result: np.ndarray) -> float:
    return float(np.square(result - data["z"]).mean() / data["z"].var())


# --- cases ----------------------------------------------------------------------------------------


def case(name: str, make: Callable, cls: str, quality: Callable, note: str = NODES, **more) -> Case:
    both = tuple(contender(library, cls) for library in ("clinfa", "sklearn"))
    return Case(name, "Trees", make, both, quality, prepared=True, note=note, **more)


CASES = (
    # Which of equally good splits is taken differs, and what follows from that.
    case(
        "tree-cls-160kx20",
        partial(classes, n=160_000),
        "DecisionTreeClassifier",
        wrong,
        leeway=0.02,
        note=f"{NODES}; ¹ from 2 % on",
    ),
    case(
        "tree-reg-160kx20",
        partial(friedman, n=160_000),
        "DecisionTreeRegressor",
        unexplained,
        leeway=0.02,
        note=f"{NODES}; ¹ from 2 % on",
    ),
    case(
        "tree-iris",
        iris,
        "DecisionTreeClassifier",
        wrong,
        repeat=50,
        note=f"mean of 50 calls; {NODES}",
    ),
)
