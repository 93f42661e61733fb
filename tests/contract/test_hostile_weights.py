"""Sample weights: what they mean, and which are refused."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from tests.cases import cases
from tests.contract.discover import CLASSES, each
from tests.contract.problems import groups, outputs, same_partition, sound, state, targets
from tests.contract.test_hostile_records import easy

WEIGHTED = [cls for cls in CLASSES if "sample_weight" in inspect.signature(cls.fit).parameters]
N = 60

REFUSED = {
    "all zero": np.zeros(N),
    "zero": 0,
    "one negative": np.r_[np.ones(N - 1), -1e-9],
    "all negative": -np.ones(N),
    "NaN": np.r_[np.nan, np.ones(N - 1)],
    "inf": np.r_[np.inf, np.ones(N - 1)],
    "-inf": np.r_[np.ones(N - 1), -np.inf],
    "NaN as a number": float("nan"),
    "too short": np.ones(N - 1),
    "too long": np.ones(N + 1),
    "none": [],
    "a column": np.ones((N, 1)),
    "a row": np.ones((1, N)),
    "a square": np.ones((N, N)),
    "complex": np.ones(N) * 1j,
    "words": ["heavy"] * N,
    "a word": "balanced",
    "bytes": np.full(N, b"1"),
    "dict": {0: 1.0},
    "dates": np.ones(N, "datetime64[D]"),
    "None inside": [None] + [1.0] * (N - 1),
    "masked": np.ma.array(np.ones(N), mask=np.arange(N) == 3),
    "sparse": sp.csr_array(np.ones((N, 1))),
    "pandas with NA": pd.Series([pd.NA] + [1.0] * (N - 1), dtype="Float64"),
    "pandas of words": pd.Series(["heavy"] * N),
    "frame": pd.DataFrame({"a": np.ones(N)}),
    "polars with null": pl.Series([None] + [1.0] * (N - 1)),
    "object": object(),
    "function": len,
    "too large": 10**400,
}

WHOLE = np.arange(N) % 3 + 1
SAME = {
    "ints": WHOLE,
    "int8": WHOLE.astype(np.int8),
    "uint64": WHOLE.astype(np.uint64),
    "float16": WHOLE.astype(np.float16),
    "float32": WHOLE.astype(np.float32),
    "longdouble": WHOLE.astype(np.longdouble),
    "objects": WHOLE.astype(object),
    "list": WHOLE.tolist(),
    "tuple": tuple(WHOLE.tolist()),
    "pandas": pd.Series(WHOLE),
    "pandas Int64": pd.Series(WHOLE, dtype="Int64"),
    "pandas with an index of its own": pd.Series(WHOLE, index=np.arange(N)[::-1]),
    "polars": pl.Series(WHOLE),
    "backwards": np.ascontiguousarray(WHOLE[::-1].astype(float))[::-1],
    "every other": np.repeat(WHOLE.astype(float), 2)[::2],
    "byte-swapped": WHOLE.astype(">f8"),
}


@each(WEIGHTED)
def test_refused(cls):
    X, which = groups(N)
    model = easy(cls)
    with cases() as case:
        for how, weights in REFUSED.items():
            if cls._absolute_weights and how.endswith("negative"):
                continue
            with case(how):
                with pytest.raises((ValueError, TypeError), match=r"\w"):
                    model.fit(X, targets(cls, which), sample_weight=weights)
                assert not model.__sklearn_is_fitted__()


@each(WEIGHTED)
def test_containers_change_no_bit(cls):
    X, which = groups(N)
    y = targets(cls, which)
    wanted = state(easy(cls).fit(X, y, sample_weight=WHOLE.astype(float)), X)
    with cases() as case:
        for how, weights in SAME.items():
            with case(how):
                assert state(easy(cls).fit(X, y, sample_weight=weights), X) == wanted


@each(WEIGHTED)
def test_read_only_weights_are_left_alone(cls):
    X, which = groups(N)
    w = WHOLE.astype(float)
    w.setflags(write=False)
    easy(cls).fit(X, targets(cls, which), sample_weight=w)
    np.testing.assert_array_equal(w, WHOLE)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_array])
@each(WEIGHTED)
@pytest.mark.filterwarnings("ignore:Solver terminated early:sklearn.exceptions.ConvergenceWarning")
def test_equal_weights_are_no_weights(cls, storage):
    if storage is sp.csr_array and not cls._sparse:
        return
    X, which = groups(N)
    X, y = storage(X), targets(cls, which)
    plain = easy(cls).fit(X, y)
    with cases() as case:
        for weight in (1.0, 3, 1e-300, 5e-324, 1e300, np.finfo(float).max, np.float32(2)):
            for weights in (weight, np.full(N, weight)):
                with case(weight, np.shape(weights)):
                    model = easy(cls).fit(X, y, sample_weight=weights)
                    if hasattr(model, "labels_") and not cls._absolute_weights:
                        assert same_partition(model.labels_, plain.labels_)
                    for name, value in outputs(model, X).items():
                        assert sound(name, value), name


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_array])
@each(WEIGHTED)
def test_a_row_without_weight_is_not_there(cls, storage):
    if storage is sp.csr_array and not cls._sparse:
        return
    X, which = groups(N)
    X[7] = 500  # would be a group of its own
    w = np.ones(N)
    w[7] = 0
    rest = np.delete(np.arange(N), 7)
    model = easy(cls).fit(storage(X), targets(cls, which), sample_weight=w)
    y = targets(cls, which)
    plain = easy(cls).fit(storage(X[rest]), None if y is None else y[rest])
    if hasattr(model, "labels_"):
        assert same_partition(model.labels_[rest], plain.labels_)
    for name, value in outputs(model, storage(X[rest])).items():
        np.testing.assert_allclose(value, getattr(plain, name)(storage(X[rest])), rtol=1e-9)


@each(WEIGHTED)
@pytest.mark.filterwarnings("ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning")
def test_few_rows_with_weight(cls):
    """Fewer rows that weigh anything than clusters to find: an answer or an error, no NaN."""
    X, which = groups(N)
    w = np.zeros(N)
    w[:2] = 1
    try:
        model = easy(cls).fit(X, targets(cls, which), sample_weight=w)
    except ValueError as error:
        said = str(error)
    else:
        said = "fitted"
        for name, value in outputs(model, X).items():
            # The logarithm of probability zero is what it is.
            assert not np.isnan(value).any() if name == "predict_log_proba" else np.isfinite(value).all()
    assert said
