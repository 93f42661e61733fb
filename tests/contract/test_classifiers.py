"""Labels of every type and container, and what classifiers do with them."""

import decimal
import inspect

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from sklearn.base import is_classifier
from sklearn.exceptions import DataConversionWarning

from clinfa import Dataset, Pr
from tests.cases import in_cases
from tests.contract.discover import build, each, having, of_kind
from tests.contract.problems import bits, groups, learned, outputs, sound, weights
from tests.contract.test_hostile_records import easy
from tests.contract.test_hostile_scales import by_move, moved

CLASSIFIERS = of_kind("classifier")
# Where C and the intercept's penalty are in units of the records, these must be in units that suit them:
# tests/svm/test_linear_by_hand.py shows that in any such units the model is the same.
IN_UNITS = {"LinearSVC"}
ANY_SCALE = [cls for cls in CLASSIFIERS if cls.__name__ not in IN_UNITS]
PROBABLE = [cls for cls in having("predict_proba") if cls._kind == "classifier"]
N = 45

# By name: three classes in ascending order.
LABELS = {
    "ints": np.array([0, 1, 2]),
    "negative ints": np.array([-5, -1, 3]),
    "int8": np.array([-128, 0, 127], np.int8),
    "uint64": np.array([0, 2**63, 2**64 - 1], np.uint64),
    "int64": np.array([-(2**63), 0, 2**63 - 1]),
    "whole floats": np.array([0.0, 1.0, 7.0]),
    "float32": np.array([-1.0, 0.0, 1.0], np.float32),
    "strs": np.array(["a", "ab", "ü"]),
    "strs as objects": np.array(["a", "ab", "ü"], object),
}
CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "Series": pd.Series,
    "Series with an index of its own": lambda y: pd.Series(y, index=np.arange(len(y))[::-1]),
    "polars": lambda y: pl.Series(y.tolist()),
    "arrow": lambda y: pa.array(y.tolist()),
    "arrow in chunks": lambda y: pa.chunked_array([y[:7].tolist(), y[7:].tolist()]),
    "pandas Int64, string": lambda y: pd.Series(y.tolist()).convert_dtypes(),
    "pandas arrow": lambda y: pd.Series(y.tolist()).convert_dtypes(dtype_backend="pyarrow"),
    "pandas categories": lambda y: pd.Series(y).astype("category"),
    "every other": lambda y: np.repeat(y, 2)[::2],
    "backwards": lambda y: np.ascontiguousarray(y[::-1])[::-1],
    "byte-swapped": lambda y: y.astype(y.dtype.newbyteorder()),
}


@in_cases("which", LABELS)
@each(CLASSIFIERS)
def test_labels_keep_their_type(cls, which):
    X, codes = groups(N)
    classes = LABELS[which]
    model = build(cls).fit(X, classes[codes])
    assert model.classes_.dtype == classes.dtype
    assert model.classes_.tolist() == classes.tolist()
    predicted = model.predict(X)
    assert predicted.dtype == classes.dtype
    assert predicted.tolist() == classes[codes].tolist()
    assert model.score(X, classes[codes]) == 1.0
    for name, value in outputs(model, X).items():
        if name != "predict":
            assert bits(value) == bits(outputs(build(cls).fit(X, codes), X)[name])


@each(CLASSIFIERS)
def test_bools(cls):
    X, codes = groups(N, k=2)
    model = build(cls).fit(X, codes == 1)
    assert model.classes_.tolist() == [False, True]
    assert model.predict(X).dtype == bool
    assert model.score(X, (codes == 1).tolist()) == 1.0


@in_cases("which", ["ints", "whole floats", "strs"])
@in_cases("way", CONTAINERS)
@each(CLASSIFIERS)
def test_containers_of_labels(cls, way, which):
    X, codes = groups(N)
    y = LABELS[which][codes]
    model = build(cls).fit(X, CONTAINERS[way](y))
    assert model.classes_.tolist() == LABELS[which].tolist()
    assert model.predict(X).tolist() == y.tolist()
    assert model.score(X, CONTAINERS[way](y)) == 1.0


REFUSED = {
    "None": None,
    "nothing": [],
    "too short": np.arange(N - 1) % 3,
    "too long": np.arange(N + 1) % 3,
    "a number": 3,
    "text": "abc" * 15,
    "not whole": np.arange(N) / 7,
    "NaN": np.r_[np.nan, np.ones(N - 1)],
    "inf": np.r_[np.inf, np.ones(N - 1)],
    "None inside": [None] + [1] * (N - 1),
    "None among strs": [None] + ["a"] * (N - 1),
    "strs and ints": np.array(["a", 1, 2] * 15, object),
    "decimals": np.array([decimal.Decimal(i % 3) for i in range(N)]),
    "objects": [object()] * N,
    "bytes": np.array([b"a", b"b", b"c"] * 15),
    "complex": np.ones(N) * 1j,
    "dates": np.zeros(N, "datetime64[D]"),
    "two columns": np.zeros((N, 2), int),
    "a row": np.zeros((1, N), int),
    "3-D": np.zeros((N, 1, 1), int),
    "sparse": sp.csr_array(np.ones((N, 1))),
    "masked": np.ma.array(np.arange(N) % 3, mask=np.arange(N) == 3),
    "ragged": [[1]] * (N - 1) + [[1, 2]],
    "dict": {0: 1},
    "set": set(range(N)),
    "Series with NA": pd.Series([pd.NA] + [1] * (N - 1), dtype="Int64"),
    "a dataset without targets": Dataset(np.ones((N, 1))),
}


@in_cases("how", REFUSED)
@each(CLASSIFIERS)
def test_refused_labels(cls, how):
    X, codes = groups(N)
    model = build(cls)
    if how == "two columns" and model.__sklearn_tags__().target_tags.multi_output:
        assert model.fit(X, REFUSED[how]).predict(X).shape == (N, 2)
        return
    with pytest.raises((ValueError, TypeError), match=r"\w{3}"):
        model.fit(X, REFUSED[how])
    assert not learned(model)
    model.fit(X, codes)
    before = bits(learned(model))
    with pytest.raises((ValueError, TypeError), match=r"\w{3}"):
        model.fit(X, REFUSED[how])
    with pytest.raises((ValueError, TypeError), match=r"\w{3}"):
        model.score(X, REFUSED[how])
    assert bits(learned(model)) == before


@each(CLASSIFIERS)
def test_a_column_of_labels_is_warned_about(cls):
    X, codes = groups(N)
    with pytest.warns(DataConversionWarning, match="column-vector y") as seen:
        model = build(cls).fit(X, codes[:, None])
    assert seen[0].filename == __file__
    assert model.predict(X).shape == (N,)


@each(CLASSIFIERS)
def test_a_dataset_goes_in_and_comes_out(cls):
    X, codes = groups(N)
    w = weights(N)
    names = np.array(["x", "y", "z"])[codes]
    data = Dataset(X, names[:, None], w, ["a", "b", "c"], ["kind"])
    model = build(cls).fit(data)
    weighted = {"sample_weight": w} if "sample_weight" in inspect.signature(cls.fit).parameters else {}
    plain = build(cls).fit(pd.DataFrame(X, columns=["a", "b", "c"]), names, **weighted)
    assert bits(learned(model)) == bits(learned(plain))
    out = model.predict(data)
    assert out.targets.tolist() == names.tolist()
    assert out.records is X
    assert out.target_names == ["kind"]
    assert out.weights.tolist() == w.tolist()
    assert is_classifier(model)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(Dataset(X, feature_names=["a", "c", "b"]))


@each(PROBABLE)
def test_probabilities_of_a_dataset(cls):
    X, codes = groups(N)
    model = build(cls).fit(X, codes + 5)
    out = model.predict_proba(Dataset(X))
    assert isinstance(out.targets, Pr)
    assert out.target_names == ["5", "6", "7"]
    assert np.array_equal(out.targets, model.predict_proba(X))
    if hasattr(model, "predict_log_proba"):
        logs = model.predict_log_proba(Dataset(X))
        assert np.array_equal(logs.targets, model.predict_log_proba(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each(PROBABLE)
def test_probabilities_add_up(cls, dtype):
    X, codes = groups(300, spread=6.0, dtype=dtype)
    model = build(cls).fit(X, codes)
    P = model.predict_proba(X)
    eps = np.finfo(dtype).eps
    assert (P >= 0).all()
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=4 * eps)
    np.testing.assert_array_equal(model.predict(X), P.argmax(axis=1))
    if hasattr(model, "predict_log_proba"):
        np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), P, rtol=1e3 * eps, atol=eps)


@each(CLASSIFIERS)
def test_score_is_the_weighted_share(cls):
    X, codes = groups(N)
    w = weights(N)
    model = build(cls).fit(X, codes)
    wrong = codes.copy()
    wrong[:9] = 99  # a label that was never learned is never right
    right = codes == wrong
    assert model.score(X, wrong) == 36 / 45
    assert model.score(X, wrong, sample_weight=w) == pytest.approx(w[right].sum() / w.sum(), rel=1e-14)
    assert model.score(Dataset(X, wrong, w)) == model.score(X, wrong, sample_weight=w)
    assert model.score(Dataset(X, wrong, w), codes, np.ones(N)) == 1.0


@each(CLASSIFIERS)
def test_one_class(cls):
    X, _ = groups(N)
    try:
        model = build(cls).fit(X, ["same"] * N)
    except ValueError as error:
        said = str(error)
        assert "class" in said
    else:
        assert model.predict(X).tolist() == ["same"] * N


@pytest.mark.parametrize("d", [2, 3, 40])
@by_move
@each(ANY_SCALE)
def test_groups_are_told_apart_at_any_scale(cls, case, d):
    dtype, move = case
    X, codes = moved(dtype, move, d=d)
    model = easy(cls).fit(X, codes)
    np.testing.assert_array_equal(model.predict(X), codes)
    np.testing.assert_array_equal([model.predict(row[None])[0] for row in X[:9]], codes[:9])
    for name, value in outputs(model, X).items():
        assert sound(name, value), name


@pytest.mark.parametrize("factor", [1e-300, 1e-30, 1e30, 1e300])
@each(CLASSIFIERS)
def test_records_nothing_like_those_learned(cls, factor):
    """However far off, an answer: no NaN."""
    X, codes = groups(N)
    model = easy(cls).fit(X / factor, codes)
    for far in (X * min(factor, 1e307), np.full_like(X, np.finfo(float).max), -np.full_like(X, 1e300)):
        for value in outputs(model, far).values():
            assert not np.isnan(value).any()
