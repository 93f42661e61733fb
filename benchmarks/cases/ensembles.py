"""Ensembles of trees: forests, boosted stumps, isolation; fits, predictions, and forests of 150 records.

Forests of XGBoost and LightGBM know values by 255 bins of each column; they grow here as deep as ours, on
the share of records that a bootstrap sample holds, without what else would keep them small. Quality is the
share of wrong classes, or of variance not explained, of records held back (told, with the nodes of all trees,
outside the clock); of isolation the share of pairs of an outlier and another that it ranks wrongly. Forests
are random: a quality may be some per cent off the best before it is marked.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Data
from benchmarks.cases.trees import NODES, classes, friedman, iris, told, unexplained, wrong
from benchmarks.peers import THREADS

DRAWN = 1 - np.exp(-1)  # the share of records in a bootstrap sample


def alike(library: str, cls: str, data: Data, trees: int) -> Any:
    """An unfitted model of a library: as it is, but for the number of trees and threads."""
    if library in ("xgboost", "lightgbm"):
        return binned(library, cls.removeprefix("RandomForest"), data, trees)
    make = getattr(importlib.import_module(f"{library}.ensemble"), cls)
    threads = {} if library == "clinfa" or cls.startswith("AdaBoost") else {"n_jobs": THREADS}
    return make(n_estimators=trees, random_state=0, **threads)


def binned(library: str, kind: str, data: Data, trees: int) -> Any:
    d = data["X"].shape[1]
    share = np.sqrt(d) // 1 / d if kind == "Classifier" else 1.0
    both = {"n_estimators": trees, "n_jobs": THREADS, "random_state": 0, "reg_lambda": 0, "subsample": DRAWN}
    module = importlib.import_module(library)
    if library == "xgboost":
        deep = {"max_depth": 0, "min_child_weight": 0, "tree_method": "hist"}
        return getattr(module, f"XGBRF{kind}")(**both, **deep, colsample_bynode=share)
    # (Best first, and slow with many leaves: so many are as good as all, in a third of the time.)
    deep = {"num_leaves": max(31, len(data["X"]) // 32), "min_child_samples": 1, "min_child_weight": 0}
    return getattr(module, f"LGBM{kind}")(
        boosting_type="rf", subsample_freq=1, feature_fraction_bynode=share, verbosity=-1, **both, **deep
    )


def learner(library: str, cls: str) -> Callable:
    """Nodes are told where a library has its trees at hand."""
    counts = library in ("clinfa", "sklearn") and not cls.startswith("AdaBoost")

    def run(data: Data, case: Case):
        def fit():
            model = alike(library, cls, data, case.params["trees"]).fit(data["X"], data["y"])
            return partial(told, model, data) if counts else partial(model.predict, data["T"])

        return fit

    run.__name__ = library
    return run


def predictor(library: str, cls: str) -> Callable:
    """Fits outside the clock."""

    def run(data: Data, case: Case):
        model = alike(library, cls, data, case.params["trees"]).fit(data["X"], data["y"])
        return partial(model.predict, data["T"])

    run.__name__ = library
    return run


def isolator(library: str, score: bool) -> Callable:
    def run(data: Data, case: Case):
        def fit():
            return alike(library, "IsolationForest", data, case.params["trees"]).fit(data["X"])

        if score:
            return partial(fit().score_samples, data["X"])
        return lambda: partial(fit().score_samples, data["X"])

    run.__name__ = library
    return run


def cloud(scale: float, n: int, d: int) -> Data:
    """Blobs, and outliers (`z`) farther from their centres."""
    rng = np.random.default_rng(0)
    n = max(round(n * scale), 500)
    z, spread = rng.random(n) < 0.02, rng.standard_normal((n, d))
    spread[z] *= 1.6
    X = rng.uniform(-4, 4, (5, d))[rng.integers(5, size=n)] + spread
    return {"X": X, "z": z}


def ranked_wrongly(data: Data, result: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(1 - roc_auc_score(~data["z"], result))


# --- cases ----------------------------------------------------------------------------------------

BINNED = ("xgboost", "lightgbm")
FOREST, EXTRA = ("clinfa", "sklearn", "sklearnex", *BINNED), ("clinfa", "sklearn", "sklearnex")
FITTED = f"{NODES}; ¹ from 5 % on"


def case(name: str, make: Callable, runs: list[Callable], quality: Callable, trees: int, **more) -> Case:
    more = {"leeway": 0.05, "note": "¹ from 5 % on"} | more
    params = {"trees": trees}
    return Case(name, "Ensembles", make, tuple(runs), quality, params=params, prepared=True, **more)


def fits(name: str, make: Callable, cls: str, libraries: tuple[str, ...], trees: int, **more) -> Case:
    quality = unexplained if cls.endswith("Regressor") else wrong
    runs = [learner(library, cls) for library in libraries]
    return case(name, make, runs, quality, trees, **{"note": FITTED} | more)


def predicts(name: str, make: Callable, cls: str, libraries: tuple[str, ...], trees: int, **more) -> Case:
    return case(name, make, [predictor(library, cls) for library in libraries], wrong, trees, **more)


LARGE = partial(classes, n=80_000)
CASES = (
    fits("forest-cls-80kx20-t100", LARGE, "RandomForestClassifier", FOREST, 100),
    fits("forest-reg-80kx20-t20", partial(friedman, n=80_000), "RandomForestRegressor", FOREST, 20),
    fits("extra-cls-80kx20-t100", LARGE, "ExtraTreesClassifier", EXTRA, 100),
    fits("extra-reg-80kx20-t20", partial(friedman, n=80_000), "ExtraTreesRegressor", EXTRA, 20),
    fits("adaboost-50kx20-s200", partial(classes, n=50_000), "AdaBoostClassifier", EXTRA[:2], 200),
    fits(
        "forest-iris", iris, "RandomForestClassifier", EXTRA[:2], 100, repeat=10, note=f"mean of 10; {NODES}"
    ),
    predicts(
        "forest-predict-80kx20-t100",
        partial(classes, n=80_000, held_back=80_000),
        "RandomForestClassifier",
        FOREST,
        100,
    ),
    predicts(
        "forest-predict-iris",
        iris,
        "RandomForestClassifier",
        EXTRA[:2],
        100,
        repeat=50,
        note="mean of 50 calls",
    ),
    *(
        case(
            f"isolation-{'score' if score else 'fit'}-100kx20",
            partial(cloud, n=100_000, d=20),
            [isolator(library, score) for library in EXTRA[:2]],
            ranked_wrongly,
            100,
            leeway=0.5,
            note="¹ from half more on",
        )
        for score in (False, True)
    ),
)
