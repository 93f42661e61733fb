"""Records in every shape and container: the right answer, or an error that says what is wrong."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.cases import cases, in_cases
from tests.contract import hostile
from tests.contract.discover import build, each, having, of_kind
from tests.contract.problems import (
    METHODS,
    bits,
    groups,
    learned,
    outputs,
    same_partition,
    sound,
    state,
    targets,
)

# What finds three groups of thirty, by class name; "n_clusters" goes without saying.
EASY = {
    "DBSCAN": {"eps": 3.0},
    "ExtraTreesClassifier": {"max_features": None},
    "LocalOutlierFactor": {"novelty": True},
    "OPTICS": {"min_samples": 7, "xi": 0.9},
    "RandomForestClassifier": {"bootstrap": False, "max_features": None},
    "RandomForestRegressor": {"bootstrap": False},
    "RadiusNeighborsClassifier": {"radius": 0.0, "outlier_label": "most_frequent"},
    "RadiusNeighborsRegressor": {"radius": 0.0},
    "SpectralClustering": {
        "n_clusters": 3,
        "affinity": "nearest_neighbors",
        "n_neighbors": 5,
    },  # (rbf knows one scale only)
    "TruncatedSVD": {"n_components": 1},  # no more than there are columns
}


def easy(cls, scale=1.0, **params):
    """For three groups, `scale` times as far apart as those of `groups`."""
    known = dict(EASY.get(cls.__name__, {"n_clusters": 3} if "n_clusters" in cls._rules else {}))
    if "eps" in known:
        known["eps"] *= abs(scale)
    if scale == 1:
        known.pop("affinity", None)
    return build(cls, **known, **params)


def _whole_numbers():
    X, which = groups(45)
    return np.abs(np.rint(X)), which


def _without_names(model, X):
    return _nameless(state(model, X))


def _nameless(value):
    """The state of a model, and of all inside it, but for the names of columns."""
    if isinstance(value, dict):
        return {name: _nameless(inner) for name, inner in value.items() if name != "feature_names_in_"}
    return [_nameless(inner) for inner in value] if isinstance(value, list) else value


def _same_as_plain(cls, X, y, ways):
    """Records in each way: what is learned of them, and what comes out for them, is that of X."""
    plain = easy(cls).fit(X, y)
    learned_plainly, out = _without_names(plain, X), outputs(plain, X)
    with cases() as case:
        for way, make in ways.items():
            with case(way):
                given = make(X.copy())
                model = easy(cls).fit(given, y)
                assert _without_names(model, X) == learned_plainly
                for name, value in outputs(model, given).items():
                    np.testing.assert_array_equal(value, out[name])
                if isinstance(given, np.ndarray):
                    kept = given.view(np.ndarray) if way == "subclass" else np.ma.getdata(given)
                    np.testing.assert_array_equal(kept, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each()
def test_layout_changes_no_bit(cls, dtype):
    X, which = groups(45, dtype=dtype)
    _same_as_plain(cls, X, targets(cls, which), hostile.LAYOUTS)


@each()
def test_numbers_are_taken_as_float64(cls):
    X, which = _whole_numbers()
    _same_as_plain(cls, X, targets(cls, which), hostile.NUMBERS)


BOOLS = {
    "array": np.asarray,
    "list": list,
    "pandas": pd.DataFrame,
    "pandas boolean": lambda X: pd.DataFrame(X).astype("boolean"),
    "polars": pl.DataFrame,
}


@each()
def test_booleans_are_zeros_and_ones(cls):
    X = np.random.RandomState(0).random_sample((60, 5)) < 0.5
    y = targets(cls, np.arange(60) % 3)
    plain = state(easy(cls).fit(X.astype(np.float64), y), X)
    with cases() as case:
        for name, way in BOOLS.items():
            with case(name):
                assert _without_names(easy(cls).fit(way(X), y), X) == plain


def _refused(cls):
    """What must be refused, by name."""
    return {way: make for way, make in hostile.REFUSED.items() if cls._finite or way not in hostile.MISSING}


@each()
def test_what_is_not_records_is_refused_by_fit(cls):
    X, which = _whole_numbers()
    with cases() as case:
        for way, make in _refused(cls).items():
            with case(way):
                model = easy(cls)
                with pytest.raises((ValueError, TypeError)) as caught:
                    model.fit(make(X), targets(cls, which))
                assert caught.type is not UnicodeDecodeError
                assert str(caught.value)
                assert not learned(model)


@each()
def test_what_is_not_records_is_refused_after_fit(cls):
    X, which = _whole_numbers()
    model = easy(cls).fit(X, targets(cls, which))
    before, known = state(model, X), bits(learned(model))
    with cases() as case:
        for way, make in _refused(cls).items():
            for name in METHODS:
                with case(way, name):
                    if hasattr(model, name) and way == "None" and hasattr(model, "n_samples_fit_"):
                        assert len(getattr(model, name)(None)) == len(X)  # neighbours: of the fitted records
                    elif hasattr(model, name):
                        with pytest.raises((ValueError, TypeError)):
                            getattr(model, name)(make(X))
                        assert bits(learned(model)) == known
    assert state(model, X) == before


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each()
def test_one_bad_value_anywhere_is_found(cls, dtype, bad):
    model = easy(cls).fit(groups(d=17, dtype=dtype)[0], targets(cls, groups(d=17)[1]))
    rng = np.random.RandomState(0)
    for _ in range(15):
        n = rng.randint(3, 70)
        if not cls._finite:
            n += 5
        X = groups(n, 17, dtype=dtype)[0]
        row = rng.randint(n)
        X[row, rng.randint(17)] = bad
        if not cls._finite:
            model = easy(cls).fit(X, targets(cls, np.arange(n) % 3))
            if hasattr(model, "labels_"):
                assert np.flatnonzero(model.labels_ < -1).tolist() == [row]
            for name, value in outputs(model, X).items():
                assert sound(name, value), name
            continue
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            easy(cls).fit(X, targets(cls, np.arange(n) % 3))
        for name in METHODS:
            if hasattr(model, name):
                with pytest.raises(ValueError, match=r"NaN|infinity"):
                    getattr(model, name)(X)


@pytest.mark.parametrize("frame", [pd.DataFrame, lambda X, columns: pl.DataFrame(X, schema=columns)])
@each()
def test_column_names_are_kept_and_compared(cls, frame):
    X, which = groups()
    names = ["b", "a", "ü"]
    model = easy(cls).fit(frame(X, columns=names), targets(cls, which))
    assert model.feature_names_in_.tolist() == names
    for wrong in (["a", "b", "ü"], ["b", "a", "c"], ["b", "a"]):
        for name in METHODS:
            if hasattr(model, name):
                with pytest.raises(ValueError, match="feature names should match"):
                    getattr(model, name)(frame(X[:, : len(wrong)], columns=wrong))
    model.fit(X, targets(cls, which))
    assert not hasattr(model, "feature_names_in_")


@in_cases("d", [1, 2, 500])
@in_cases("n", [1, 2, 3, 4, 5])
@each()
def test_few_rows(cls, n, d):
    """A fit, or an error that says how many rows there were."""
    X, which = groups(n, d)
    said = None
    try:
        values = outputs(build(cls).fit(X, targets(cls, which)), X)
    except ValueError as error:
        said = str(error)
    if said is None:
        for name, value in values.items():
            assert sound(name, value), name
    else:
        assert f"{n} sample" in said or f"n_samples={n}" in said.replace(" = ", "=") or "class" in said


SQUARES = ("var_",)
ENDLESS = ("reachability_", "core_distances_")  # infinite where nothing is reached
DULL = {
    "all rows equal": lambda X: np.repeat(X[:1], len(X), axis=0),
    "all zeros": np.zeros_like,
    "all minus zeros": lambda X: -np.zeros_like(X),
    "two different rows": lambda X: X[np.arange(len(X)) % 2],
    "a constant column": lambda X: np.hstack([X, np.ones((len(X), 1))]),
    "a huge constant column": lambda X: np.hstack([X, np.full((len(X), 1), 1e300)]),
    "a tiny constant column": lambda X: np.hstack([X, np.full((len(X), 1), 5e-324)]),
    "one column": lambda X: X[:, :1],
    "more columns than rows": lambda X: np.hstack([X[:7]] * 10),
    "largest and smallest": lambda X: np.where(X > 5, np.finfo(float).max, -np.finfo(float).max),
    "all of the largest": lambda X: np.full_like(X, np.finfo(float).max),
    "all denormal": lambda X: np.rint(X) * 5e-324,
    "one outlier of 1e300": lambda X: hostile._with(X, 1e300),
    "one denormal": lambda X: hostile._with(np.zeros_like(X), 5e-324),
    "random bits": lambda X: np.nan_to_num(
        np.random.RandomState(0).randint(0, 2**63, X.shape, np.int64).view(float),
        posinf=0,
        neginf=0,
    ),
}


@in_cases("way", DULL)
@each()
@pytest.mark.filterwarnings("ignore:Liblinear failed to converge:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning")
def test_dull_or_wild_values(cls, way):
    """All that comes out is finite (squares out of range are infinite, never NaN)."""
    X, which = groups(45)
    X = DULL[way](X)
    try:
        model = easy(cls).fit(X, targets(cls, which[: len(X)]))
    except ValueError as error:  # what boosting makes of models that know no better, as scikit-learn's does
        if "worse than random" not in str(error):
            raise
        return
    for name, value in (learned(model) | outputs(model, X)).items():
        if name in SQUARES + ENDLESS or isinstance(value, float):
            assert not np.isnan(value).any(), name
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.abs(X).max() < 1e308:
            assert sound(name, value), name


@each()
def test_minus_zero_is_zero(cls):
    X, which = _whole_numbers()
    y = targets(cls, which)
    negative = np.where(X == 0, -0.0, X)
    seen = [state(easy(cls).fit(given, y), X) for given in (negative, X)]
    if hasattr(cls, "kneighbors") or hasattr(cls, "radius_neighbors"):  # they keep the records as they are
        seen = [{name: value for name, value in one.items() if name[0] != "_"} for one in seen]
    assert seen[0] == seen[1]


@each()
def test_records_are_not_changed(cls):
    X, which = groups()
    before = X.tobytes()
    for name in [name for name in cls._rules if name.startswith("copy")]:
        model = easy(cls, **{name: False}).fit(X, targets(cls, which))
        outputs(model, X)
    outputs(easy(cls).fit(X, targets(cls, which)), X)
    assert X.tobytes() == before


@each(having("predict"))
def test_other_number_of_columns(cls):
    X, which = groups()
    model = easy(cls).fit(X, targets(cls, which))
    for wrong in (X[:, :2], np.hstack([X, X]), X[:, :0]):
        with pytest.raises(ValueError, match=r"feature"):
            model.predict(wrong)


@each(of_kind("clusterer"))
def test_groups_are_found(cls):
    X, which = groups()
    assert same_partition(easy(cls).fit(X).labels_, which)
