"""Copies of a model give what it gives; float32 stays float32; a second fit changes nothing."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from tests.cases import cases, in_cases
from tests.contract.discover import build, each, each_variant, having
from tests.contract.problems import (
    METHODS,
    bits,
    cloud,
    first_call,
    groups,
    learned,
    many,
    outputs,
    state,
    targets,
)


def _by_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "old pickle": lambda model: pickle.loads(pickle.dumps(model, 2)),
    "joblib": _by_joblib,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


def _fitted(cls, dtype=np.float64, **params):
    X, which = groups(dtype=dtype)
    return build(cls, **params).fit(X, targets(cls, which)), X


@pytest.mark.filterwarnings("ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning")
@each_variant
def test_copy_is_the_same_model(cls, params):
    model, X = _fitted(cls, **params)
    wanted, how = state(model, X), bits(model.get_params())
    with cases() as case:
        for way, copied in COPIES.items():
            with case(way):
                again = copied(model)
                assert type(again) is cls
                assert state(again, X) == wanted
                assert bits(again.get_params()) == how
                assert repr(again) == repr(model)
    assert state(model, X) == wanted


@in_cases("way", COPIES)
@each()
def test_copy_of_an_unfitted_model(cls, way):
    again = COPIES[way](build(cls))
    assert not learned(again)
    assert bits(again.get_params()) == bits(build(cls).get_params())


@each_variant
def test_clone_is_unfitted_and_fits_alike(cls, params):
    model, X = _fitted(cls, **params)
    which = groups()[1]
    again = clone(model)
    assert not learned(again)
    assert state(again.fit(X, targets(cls, which)), X) == state(model, X)


@pytest.mark.parametrize("storage", ["dense", "csr"])
@each_variant
def test_second_fit_gives_the_same_bits(cls, params, storage):
    if storage == "csr" and not build(cls, **params)._sparse:
        return
    n = many(cls, 3000)
    X, y = cloud(n, 6, storage=storage), targets(cls, np.arange(n) % 3)
    model = build(cls, **params).fit(X, y)
    before = state(model, X)
    assert state(model.fit(X, y), X) == before


@each()
def test_fit_forgets_the_fit_before(cls):
    X, which = groups(d=5, k=4, seed=3)
    fresh = build(cls).fit(X, targets(cls, which))
    model, _ = _fitted(cls)
    assert state(model.fit(X, targets(cls, which)), X) == state(fresh, X)


def _floats(values):
    arrays = {name: v for name, v in values.items() if isinstance(v, np.ndarray) or sp.issparse(v)}
    return {name: v.dtype for name, v in arrays.items() if v.dtype.kind == "f"}


@in_cases("dtype", [np.float32, np.float64])
@in_cases("storage", ["dense", "csr"])
@each_variant
def test_dtype_is_kept(cls, params, storage, dtype):
    if storage == "csr" and not build(cls, **params)._sparse:
        return
    X = cloud(500, 6, dtype=dtype, storage=storage)
    y = targets(cls, np.arange(500) % 3)
    model = build(cls, **params).fit(X, y.astype(dtype) if cls._kind == "regressor" else y)
    public = {name: value for name, value in learned(model).items() if name[0] != "_"}
    seen = _floats(public) | _floats(outputs(model, X))
    # Who only remembers the records, or counts votes, has no numbers of its own.
    assert seen or cls._kind is None or "voting" in cls._rules
    assert set(seen.values()) <= {np.dtype(dtype)}, seen


@each()
def test_mixing_dtypes_of_fit_and_predict(cls):
    """Models fitted in one precision take records in the other, and say about the same."""
    easy = {"n_clusters": 3} if "n_clusters" in cls._rules else {}
    for dtype, other in ((np.float32, np.float64), (np.float64, np.float32)):
        model, X = _fitted(cls, dtype, **easy)
        for name, value in outputs(model, X).items():
            mixed = getattr(model, name)(X.astype(other))
            np.testing.assert_allclose(mixed, value, rtol=1e-4, atol=1e-4)


@each()
def test_parameters_are_not_changed_by_anything(cls):
    model = build(cls)
    before = {name: id(value) for name, value in model.get_params().items()}
    X, which = groups()
    outputs(model.fit(X, targets(cls, which)), X)
    assert {name: id(value) for name, value in model.get_params().items()} == before


@each()
def test_outputs_are_the_callers_own(cls):
    """Writing to what came out changes neither the model nor what comes out next."""
    model, X = _fitted(cls)
    before = state(model, X)
    for name in METHODS:
        if hasattr(model, name):
            getattr(model, name)(X)[...] = 0
    assert state(model, X) == before


@each(having("partial_fit"))
def test_learning_on_leaves_the_model_before_alone(cls):
    """`fit_with` makes a new model: the old one keeps all it knew, and can be built on again."""
    X, which = groups(300, seed=1)
    y = targets(cls, which)
    recipe = cls.params(**build(cls).get_params(deep=False))
    old = recipe.fit_with(None, X[:100], None if y is None else y[:100])
    before = state(old, X)
    one, two = (recipe.fit_with(old, X[100:], None if y is None else y[100:]) for _ in range(2))
    assert state(old, X) == before
    assert state(one, X) == state(two, X) != before


@each(having("partial_fit"))
def test_copies_learn_on_alike(cls):
    """All that learning on needs travels with a copy."""
    X, which = groups(300, seed=1)
    y = targets(cls, which)
    first = (X[:100], None if y is None else y[:100])
    rest = (X[100:], None if y is None else y[100:])
    model = build(cls).partial_fit(*first, **first_call(cls, which))
    copies = [copy_of(model) for way, copy_of in COPIES.items() if way != "copy"]
    model.partial_fit(*rest)
    for again in copies:
        assert state(again.partial_fit(*rest), X) == state(model, X)


@each(having("partial_fit"))
def test_refused_batch_changes_nothing(cls):
    X, which = groups()
    y = targets(cls, which)
    model = build(cls).partial_fit(X, y, **first_call(cls, which))
    before = state(model, X)
    for bad in (X[:, :2], X * np.nan, X[:0], X[:, 0], None):
        with pytest.raises((ValueError, TypeError)):
            model.partial_fit(bad, y)
    assert state(model, X) == before
