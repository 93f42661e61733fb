"""Estimators with a seed, data for any kind of them, and ways to compare what comes out.

Processes of their own import this: it loads little.
"""

from __future__ import annotations

import dataclasses
import functools
import mmap
import os
import pickle
import select
import signal
import sys
import traceback

import numpy as np
import scipy.sparse as sp

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
)


def groups(n=90, d=3, k=3, *, dtype=np.float64, spread=0.1, seed=0):
    """Well separated groups: records, and which group each belongs to."""
    rng = np.random.RandomState(seed)
    which = np.arange(n) % k
    middles = np.zeros((k, d))
    middles[:, 0] = 10.0 * np.arange(k)
    middles[:, -1] -= 7.0 * (np.arange(k) % 2)
    return (middles[which] + spread * rng.standard_normal((n, d))).astype(dtype), which


def cloud(n, d, k=8, *, dtype=np.float64, storage="dense", seed=0):
    """Overlapping groups, many rows; about three quarters zeros where they are sparse."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((k, d))[rng.randint(k, size=n)] * 3 + rng.standard_normal((n, d))
    if storage == "dense":
        return X.astype(dtype)
    X[rng.random_sample(X.shape) < 0.75] = 0
    return sp.csr_matrix(X.astype(dtype))


def few(cls: type) -> dict:
    """For those whose default is more components than the records here have columns."""
    return {"n_components": 1} if getattr(cls(), "n_components", None) == "auto" else {}


# Seconds are dear: few models, and quick ones, will do.
_ENSEMBLES = ("Bagging", "Stacking", "Stagewise", "Voting")


@functools.cache
def needed(cls: type) -> dict:
    """What models made of models are made of: nothing for others."""
    name = cls.__name__.removesuffix("Classifier").removesuffix("Regressor")
    if name not in _ENSEMBLES:
        return {}
    if cls._kind == "classifier":
        from clinfa.naive_bayes import GaussianNB

        models = [GaussianNB(), GaussianNB(var_smoothing=0.1)]
    else:
        from clinfa.svm import LinearSVR

        smooth = {"loss": "squared_epsilon_insensitive", "dual": False}
        models = [LinearSVR(**smooth), LinearSVR(C=0.1, **smooth)]
    if name == "Bagging":
        return {"estimator": models[0]}
    if name == "Stagewise":
        return {"estimator": models[0], "n_estimators": 3, "learning_rate": 1.0}
    folds = {"cv": 2} if name == "Stacking" else {}
    return {"estimators": [("first", models[0]), ("second", models[1])]} | folds


# All that some find by default takes too long, by class name.
FOREST = {"n_estimators": 15}
FEWER = {
    "ExtraTreesClassifier": FOREST,
    "ExtraTreesRegressor": FOREST,
    "KernelPCA": {"n_components": 3},
    "RandomForestClassifier": FOREST,
    "RandomForestRegressor": FOREST,
}


def build(cls: type, /, **params):
    """An estimator with a fixed seed, where it has one."""
    params = FEWER.get(cls.__name__, {}) | needed(cls) | params
    if "random_state" in cls._rules:
        params = {"random_state": 0, **params}
    return cls(**few(cls) | params)


# Estimators whose cost grows faster than the number of records: how many are enough, by name. Where stripes
# are short (conftest.py) every pass that threads share is cut into four or more of so many.
ENOUGH = {
    "AdaBoostClassifier": 4_000,
    "AdaBoostRegressor": 4_000,
    "BaggingClassifier": 10_000,
    "BaggingRegressor": 10_000,
    "DBSCAN": 3_750,
    "DecisionTreeRegressor": 5_000,
    "DiffusionMap": 250,
    "ExtraTreeRegressor": 5_000,
    "ExtraTreesClassifier": 2_000,
    "ExtraTreesRegressor": 1_000,
    "HDBSCAN": 1_250,
    "KNeighborsClassifier": 2_500,
    "KNeighborsRegressor": 2_500,
    "KernelPCA": 600,
    "LocalOutlierFactor": 2_500,
    "NuSVC": 500,
    "NuSVR": 600,
    "OPTICS": 750,
    "OneClassSVM": 750,
    "RadiusNeighborsClassifier": 1_000,
    "RadiusNeighborsRegressor": 1_000,
    "RandomForestClassifier": 2_000,
    "RandomForestRegressor": 1_000,
    "SVC": 500,
    "SVR": 600,
    "SpectralClustering": 300,
    "SpectralEmbedding": 500,
    "StackingClassifier": 10_000,
    "StackingRegressor": 10_000,
}


def many(cls, n, times=1):
    """n records, or fewer where they would take too long: so many `times` what is enough."""
    return min(n, times * ENOUGH.get(cls.__name__, n))


def targets(cls, which):
    """Targets that suit a kind of estimator (None where it takes none)."""
    if cls._kind == "regressor":
        return which * 2.0 + np.sin(np.arange(len(which))) + 1
    return which if cls._kind == "classifier" else None


def first_call(cls, which) -> dict:
    """What the first `partial_fit` must be told beside the batch."""
    return {"classes": np.unique(which)} if cls._kind == "classifier" else {}


def weights(n, seed=1):
    return np.random.RandomState(seed).uniform(0.5, 2.0, n)


def learned(model) -> dict:
    """All that `fit` left behind."""
    return {name: value for name, value in vars(model).items() if name not in model._rules}


def whole(value):
    """An output as an array, whether it is sparse or not."""
    return value.toarray() if sp.issparse(value) else np.asarray(value)


def outputs(model, X) -> dict:
    return {name: getattr(model, name)(X) for name in METHODS if hasattr(model, name)}


def sound(name, value):
    """Whether an output holds numbers: finite ones, but for the logarithm of a probability of zero."""
    value = whole(value)
    return bool((np.isfinite(value) | ((value == -np.inf) & (name == "predict_log_proba"))).all())


def bits(value):
    """Something that is equal exactly where every bit of the value is."""
    if isinstance(value, dict):
        return {name: bits(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [bits(inner) for inner in value]
    if hasattr(value, "_rules"):  # a model inside another: what it was told, and what it has learned
        return [type(value).__name__, bits(vars(value))]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__] + [
            bits(getattr(value, field.name)) for field in dataclasses.fields(value)
        ]
    if sp.issparse(value):
        return bits([value.format, value.shape, value.data, value.indices, value.indptr])
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, np.ndarray):
        return value.shape, [repr(inner) for inner in value.ravel()]
    if isinstance(value, np.random.RandomState):
        return bits(value.get_state())
    if isinstance(value, np.random.Generator):
        return bits(value.bit_generator.state)
    if isinstance(value, float | np.floating):
        return type(value).__name__, np.float64(value).tobytes()
    if isinstance(value, int | str | bytes | bool | np.generic | np.dtype) or value is None:
        return value
    if type(value).__module__.startswith("clinfa."):  # what is pickled of it
        return [type(value).__name__, bits(value.__getstate__())]
    raise AssertionError(f"no bits of a {type(value)}")


def state(model, X=None) -> dict:
    """The bits of what was learned, and of what comes out for X."""
    return bits(learned(model) | ({} if X is None else outputs(model, X)))


def same_partition(a, b) -> bool:
    """Whether two labellings group alike, whatever the labels are called."""
    pairs = set(zip(np.asarray(a).tolist(), np.asarray(b).tolist(), strict=True))
    return len(pairs) == len({p for p, _ in pairs}) == len({q for _, q in pairs})


def in_child(work, limit=20):
    """What `work()` returns in a forked process: a crash or a hang there becomes an error here."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(read)
            signal.alarm(limit)
            try:
                answer = True, work()
            except BaseException:
                answer = False, traceback.format_exc()
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        heard = select.select([pipe], [], [], limit + 5)[0]
        text = pipe.read() if heard else b""
    if not heard:
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        raise AssertionError(f"the child died of {signal.Signals(os.WTERMSIG(status)).name}")
    sys.stdout.flush()
    good, value = pickle.loads(text)
    assert good, value
    return value


def each_in_child(works, limit=20):
    """What each of `works` returns, by name, all in one forked process; an error says which it was at."""
    at = mmap.mmap(-1, 1000)

    def work():
        out = {}
        for name, one in works.items():
            at[:] = name.encode()[:1000].ljust(1000)
            signal.alarm(limit)
            out[name] = one()
        return out

    try:
        return in_child(work, limit * len(works))
    except AssertionError as error:
        error.add_note(f"at {at[:].decode().strip()}")
        raise
