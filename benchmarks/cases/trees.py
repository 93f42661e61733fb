"""Single trees: large ones, for classes, for numbers and of columns of categories, and one of 150 records.

Quality is what a tree gets wrong of records held back: the share of wrong classes, or of variance that is
not explained. It is told, with the number of nodes, outside the clock.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Data
from benchmarks.peers import THREADS

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


KINDS, LEAVES = 200, 255  # categories of a column, and leaves where those are


def sorter(library: str) -> Callable:
    """A tree whose first five columns are of categories, where the library knows those."""

    def run(data: Data, case: Case):
        X, y, how = data["X"], data["y"], {}
        if library == "lightgbm":
            from lightgbm import LGBMRegressor

            plain = {"cat_smooth": 0, "cat_l2": 0, "max_cat_threshold": KINDS, "min_data_per_group": 1}
            model = LGBMRegressor(
                n_estimators=1, learning_rate=1, num_leaves=LEAVES, n_jobs=THREADS, verbosity=-1, **plain
            )
            how = {"categorical_feature": list(range(5))}
        else:
            cls = importlib.import_module(f"{library}.tree").DecisionTreeRegressor
            own = {"categorical_features": range(5)} if library == "clinfa" else {}
            model = cls(min_samples_leaf=20, max_leaf_nodes=LEAVES, random_state=0, **own)

        def fit() -> Callable:
            model.fit(X, y, **how)
            return lambda: (model.predict(data["T"]), 2 * LEAVES - 1)

        return fit

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


def effects(scale: float) -> Data:
    """Five columns of categories, each of an effect of its own, and five of numbers."""
    rng = np.random.default_rng(0)
    n, m = max(round(100_000 * scale), 200), max(round(HELD_BACK * scale), 200)
    X = np.concatenate([rng.integers(0, KINDS, (n + m, 5)), rng.standard_normal((n + m, 5))], axis=1)
    each = rng.standard_normal((5, KINDS))
    y = each[np.arange(5), X[:, :5].astype(int)].sum(axis=1) + X[:, 5] * (X[:, 0] % 2)
    return parted(X, y + 0.5 * rng.standard_normal(n + m), n)


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
    Case(
        "tree-categories-100kx10",
        "Trees",
        effects,
        tuple(sorter(library) for library in ("clinfa", "sklearn", "lightgbm")),
        unexplained,
        prepared=True,
        leeway=0.02,
        note=f"5 columns of {KINDS} categories (numbers to scikit-learn); {LEAVES} leaves; ¹ from 2 % on",
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
