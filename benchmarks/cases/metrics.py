"""Metrics: labels, scores, numbers and clusterings of millions of rows, and of 150.

Every contender gets the same arrays. Quality is how far the result lies from one that is calculated
here in another way, relative; what is within rounding (1e-12) counts as 0.
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 31
SOME = 997  # of a curve of millions of points every so many are compared


def metric(function: str, *names: str, **how) -> Callable:
    """A maker of contenders: calls `function` of a library's `metrics` on the data of these names."""

    def contender(library: str) -> Callable:
        def run(data: Data, case: Case):
            call = getattr(importlib.import_module(f"{library}.metrics"), function)
            result = call(*(data[name] for name in names if name != "w"), **how, **_weights(data, names))
            if isinstance(result, tuple):
                return np.array([part[::SOME] for part in result])
            return np.asarray(result, dtype=np.float64)

        run.__name__ = library
        return run

    return contender


def _weights(data: Data, names: tuple[str, ...]) -> dict:
    return {"sample_weight": data["w"]} if "w" in names else {}


# --- data: scale shrinks n ------------------------------------------------------------------------


def labelled(scale: float, n: int, k: int, dtype: str = "int64", wrong: float = 0.3) -> Data:
    """Labels, and predictions of which a share is drawn anew."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 100)
    true = rng.integers(k, size=n)
    said = np.where(rng.random(n) < wrong, rng.integers(k, size=n), true)
    if dtype == "str":
        words = np.array([f"class {i}" for i in range(k)])
        return {"X": words[true], "said": words[said]}
    return {"X": true.astype(dtype), "said": said.astype(dtype)}


def scored(scale: float, n: int, dtype: str = "float64", levels: int = 0) -> Data:
    """Binary labels and scores of two overlapping classes; `levels` rounds them so that many tie."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 100)
    true = (rng.random(n) < 0.3).astype(np.int64)
    scores = rng.normal(size=n) + true
    if levels:
        scores = np.rint(scores * levels) / levels
    return {"X": true, "scores": scores.astype(dtype), "w": rng.integers(1, 5, n).astype(float)}


def probable(scale: float, n: int, k: int) -> Data:
    """Labels and a probability for each class."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 100)
    true = rng.integers(k, size=n)
    p = rng.random((n, k)) + 0.05
    p[np.arange(n), true] += 1
    return {"X": true, "scores": p / p.sum(axis=1, keepdims=True)}


def numbers(scale: float, n: int) -> Data:
    rng = np.random.default_rng(SEED)
    true = rng.normal(5, 2, max(round(n * scale), 100))
    return {"X": true, "said": true + rng.normal(size=len(true))}


def clustered(scale: float, n: int, d: int, k: int, dtype: str = "float64") -> Data:
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 5 * k)
    labels = rng.integers(k, size=n)
    return {"X": (rng.normal(size=(k, d)) * 2)[labels].astype(dtype) + rng.normal(size=(n, d)).astype(dtype),
            "labels": labels}  # fmt: skip


# --- quality --------------------------------------------------------------------------------------


def off(result: np.ndarray, expected) -> float:
    expected = np.asarray(expected, dtype=np.float64)
    far = np.abs(result - expected).max() / np.abs(expected).max()
    return float(far) if far > 1e-12 else 0.0


def counted(data: Data, result: np.ndarray) -> float:
    true, said = (np.unique(data[name], return_inverse=True)[1] for name in ("X", "said"))
    counts = np.bincount(true * (said.max() + 1) + said).reshape(true.max() + 1, said.max() + 1)
    return off(result, counts)


def shared(data: Data, result: np.ndarray) -> float:
    return off(result, np.mean(data["X"] == data["said"]))


def ranked(data: Data, result: np.ndarray) -> float:
    """The area by the rank sum of Mann and Whitney."""
    from scipy.stats import rankdata

    positive = data["X"] == 1
    count = int(positive.sum())
    total = rankdata(data["scores"])[positive].sum() - count * (count + 1) / 2
    return off(result, total / (count * (len(positive) - count)))


def ranked_repeated(data: Data, result: np.ndarray) -> float:
    """The same where a weight is a repetition."""
    times = data["w"].astype(int)
    return ranked({name: np.repeat(data[name], times) for name in ("X", "scores")}, result)


def curved(data: Data, result: np.ndarray) -> float:
    """Some points of the whole curve, from sorting once more."""
    order = np.argsort(-data["scores"], kind="stable")
    scores, true = data["scores"][order], data["X"][order]
    last = np.r_[np.flatnonzero(np.diff(scores)), len(scores) - 1]
    rights = np.cumsum(true)[last]
    wrongs = 1 + last - rights
    curve = [np.r_[0, wrongs / wrongs[-1]], np.r_[0, rights / rights[-1]], np.r_[0, scores[last]]]
    return off(np.where(np.isinf(result), 0, result), np.array([part[::SOME] for part in curve]))


def lost(data: Data, result: np.ndarray) -> float:
    chosen = data["scores"][np.arange(len(data["X"])), data["X"]]
    return off(result, -np.log(chosen).mean())


def squared(data: Data, result: np.ndarray) -> float:
    return off(result, np.mean((data["X"] - data["said"]) ** 2))


def determined(data: Data, result: np.ndarray) -> float:
    true, said = data["X"], data["said"]
    return off(result, 1 - ((true - said) ** 2).sum() / ((true - true.mean()) ** 2).sum())


def separated(data: Data, result: np.ndarray) -> float:
    """The mean silhouette from all distances, some rows at a time; single precision within 1e-6."""
    X, labels = data["X"].astype(np.float64), data["labels"]
    sizes = np.bincount(labels)
    members = np.eye(len(sizes))[labels]
    square, total = (X * X).sum(axis=1), 0.0
    for start in range(0, len(X), 500):
        own = labels[start : start + 500]
        at = np.arange(len(own))
        far = np.sqrt(
            np.maximum(square[start : start + 500, None] + square - 2 * X[start : start + 500] @ X.T, 0)
        )
        far[at, start + at] = 0
        sums = far @ members
        a = sums[at, own] / (sizes[own] - 1)
        means = sums / sizes
        means[at, own] = np.inf
        b = means.min(axis=1)
        total += ((b - a) / np.maximum(a, b)).sum()
    far = off(result, total / len(X))
    return far if far > (1e-6 if data["X"].dtype == np.float32 else 1e-9) else 0.0


def unjudged(data: Data, result: np.ndarray) -> float:
    """Against scikit-learn's own, which needs no faith here: tests compare it with the definition."""
    from sklearn.metrics import adjusted_mutual_info_score

    far = off(result, adjusted_mutual_info_score(data["X"], data["said"]))
    return far if far > 1e-9 else 0.0


# --- cases ----------------------------------------------------------------------------------------

LABELS, SCORES, NUMBERS, CLUSTERS, SMALL = (
    f"Metrics: {what}" for what in ("labels", "scores", "numbers", "clusterings", "150 rows")
)
BOTH, PEERS = ("clinfa", "sklearn"), ("clinfa", "sklearn", "sklearnex")


def case(name: str, group: str, make, contender: Callable, quality, libraries=BOTH, **more) -> Case:
    return Case(name, group, make, tuple(contender(library) for library in libraries), quality, **more)


M5 = 5 * 10**6
pairs = metric("confusion_matrix", "X", "said")
area = metric("roc_auc_score", "X", "scores")
weighted_area = metric("roc_auc_score", "X", "scores", "w")
whole_curve = metric("roc_curve", "X", "scores", drop_intermediate=False)
accuracy = metric("accuracy_score", "X", "said")
log_loss = metric("log_loss", "X", "scores")
mse = metric("mean_squared_error", "X", "said")
silhouette = metric("silhouette_score", "X", "labels")
ami = metric("adjusted_mutual_info_score", "X", "said")

CASES = (
    case("confusion-5M-k10", LABELS, partial(labelled, n=M5, k=10), pairs, counted),
    case("confusion-5M-k10-int8", LABELS, partial(labelled, n=M5, k=10, dtype="int8"), pairs, counted),
    case("confusion-5M-k1000", LABELS, partial(labelled, n=M5, k=1000), pairs, counted),
    case("confusion-1M-k10-str", LABELS, partial(labelled, n=10**6, k=10, dtype="str"), pairs, counted),
    case("accuracy-5M", LABELS, partial(labelled, n=M5, k=10), accuracy, shared),
    case("auc-5M-f64", SCORES, partial(scored, n=M5), area, ranked, PEERS),
    case("auc-5M-f32", SCORES, partial(scored, n=M5, dtype="float32"), area, ranked, PEERS),
    case("auc-5M-ties", SCORES, partial(scored, n=M5, levels=50), area, ranked, PEERS),
    case("auc-5M-weighted", SCORES, partial(scored, n=M5), weighted_area, ranked_repeated, PEERS),
    case("roc-curve-5M", SCORES, partial(scored, n=M5), whole_curve, curved),
    case("log-loss-2Mx10", SCORES, partial(probable, n=2 * 10**6, k=10), log_loss, lost),
    case("mse-5M", NUMBERS, partial(numbers, n=M5), mse, squared),
    case("r2-5M", NUMBERS, partial(numbers, n=M5), metric("r2_score", "X", "said"), determined),
    case("silhouette-20kx10-f64", CLUSTERS, partial(clustered, n=20000, d=10, k=8), silhouette, separated),
    case("silhouette-10kx100-f32", CLUSTERS, partial(clustered, n=10000, d=100, k=20, dtype="float32"),
         silhouette, separated),
    case("ami-1M-k100", CLUSTERS, partial(labelled, n=10**6, k=100), ami, unjudged),
    case("accuracy-150", SMALL, partial(labelled, n=150, k=3), accuracy, shared, repeat=500),
    case("auc-150", SMALL, partial(scored, n=150), area, ranked, PEERS, repeat=500),
    case("mse-150", SMALL, partial(numbers, n=150), mse, squared, repeat=500),
)  # fmt: skip
