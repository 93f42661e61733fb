"""Columns of categories: labels in any container, how they are written, what is refused."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csc_array, csr_matrix

from clinfa.ensemble import RandomForestClassifier
from clinfa.errors import InvalidParameterError
from clinfa.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    export_graphviz,
    export_text,
    export_tikz,
)
from tests.tree.tables import COLOURS, paints, records

# Labels of any kind


def as_pandas(frame):
    return frame


def as_typed(frame):
    return frame.astype({"colour": "category"})


def as_polars(frame):
    return pl.from_pandas(frame)


def as_enum(frame):
    return pl.from_pandas(frame).with_columns(pl.col("colour").cast(pl.Enum(COLOURS[::-1])))


def as_arrow(frame):
    return pa.Table.from_pandas(frame)


def as_dictionary(frame):
    return pa.Table.from_pandas(frame.astype({"colour": "category"}))


def as_objects(frame):
    return frame.to_numpy(object)


def as_rows(frame):
    return frame.to_numpy(object).tolist()


MADE = [as_pandas, as_typed, as_polars, as_enum, as_arrow, as_dictionary, as_objects, as_rows]


@pytest.mark.parametrize("made", MADE)
def test_labels_in_any_container(made):
    frame, y = paints()
    codes = np.c_[frame["size"], pd.Categorical(frame["colour"], COLOURS).codes.astype(float)]
    codes[codes[:, 1] < 0, 1] = np.nan
    plain = DecisionTreeClassifier(categorical_features=[1]).fit(codes, y)
    X = made(frame)
    model = DecisionTreeClassifier(categorical_features=[1]).fit(X, y)
    np.testing.assert_array_equal(model.tree_.nodes, plain.tree_.nodes)
    np.testing.assert_array_equal(model.tree_.sets.bits, plain.tree_.sets.bits)
    np.testing.assert_array_equal(model.predict(X), plain.predict(codes))
    assert set(model.tree_.left_categories(0)) <= set(COLOURS)
    assert model.is_categorical_.tolist() == [False, True]
    if made in (as_typed, as_enum, as_dictionary):
        typed = DecisionTreeClassifier(categorical_features="from_dtype").fit(X, y)
        np.testing.assert_array_equal(typed.tree_.nodes, plain.tree_.nodes)
    if made not in (as_objects, as_rows):
        named = RandomForestClassifier(5, categorical_features=["colour"], random_state=0).fit(X, y)
        assert named.feature_names_in_.tolist() == ["size", "colour"]
        assert named.score(X, y) > 0.9


def test_numbers_that_a_frame_calls_categories():
    frame = pd.DataFrame({"a": pd.Categorical([7, 3, 5, 7, 3, 5, None, 7]), "b": np.arange(8.0)})
    y = np.array([1, 1, 0, 1, 1, 0, 0, 1])
    model = DecisionTreeClassifier(categorical_features="from_dtype").fit(frame, y)
    assert model.is_categorical_.tolist() == [True, False]
    assert sorted(model.tree_.left_categories(0).tolist()) in ([5.0], [3.0, 7.0])
    np.testing.assert_array_equal(model.predict(frame), y)
    assert (
        DecisionTreeClassifier(categorical_features="from_dtype")
        .fit(frame.to_numpy(float), y)
        .is_categorical_
        is None
    )


def test_labels_of_several_kinds_and_unknown_ones():
    X = np.array([["a"], [1], [True], ["b"], [None], [np.nan], [(1, 2)]] * 3, object)
    y = np.array([0, 1, 1, 0, 1, 1, 0] * 3)
    model = DecisionTreeClassifier(categorical_features=[0]).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), y)
    np.testing.assert_array_equal(model.predict([["never"], [None]]), model.predict([[np.nan], [np.nan]]))


def test_sparse_records():
    X, signal = records(300, gaps=False)
    X[:, 0] *= X[:, 0] > 20
    model = DecisionTreeRegressor(categorical_features=[0, 1]).fit(X, signal)
    for made in (csr_matrix, csc_array):
        sparse = DecisionTreeRegressor(categorical_features=[0, 1]).fit(made(X), signal)
        np.testing.assert_array_equal(sparse.tree_.nodes, model.tree_.nodes)
        np.testing.assert_array_equal(sparse.predict(made(X)), model.predict(X))


@pytest.mark.parametrize("made", [np.array, csr_matrix])
def test_a_sparse_or_dense_column_without_any_value(made):
    X = np.c_[np.full(6, np.nan), np.arange(6.0)]
    model = DecisionTreeRegressor(categorical_features=[0]).fit(made(X), np.arange(6.0))
    np.testing.assert_array_equal(model.predict(made(X)), np.arange(6.0))


def test_large_integers_are_labels():
    ids = (2**60 + np.arange(6))[np.tile(np.arange(6), 4)]
    y = np.tile([0, 1, 1, 0, 1, 0], 4)
    for X in (ids[:, None], pd.DataFrame({"id": ids}), pl.DataFrame({"id": ids})):
        model = DecisionTreeClassifier(categorical_features=[0]).fit(X, y)
        np.testing.assert_array_equal(model.predict(X), y)
        assert set(model.tree_.left_categories(0)) < set(ids.tolist())


def test_gaps_of_every_kind_and_columns_of_nothing_else():
    X = np.array([["a", 1.0], [pd.NA, 2.0], [None, 3.0], ["b", 4.0]], object)
    y = [0, 1, 1, 0]
    model = DecisionTreeClassifier(categorical_features=[0], max_depth=1).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), y)
    X[:, 0] = None
    model = DecisionTreeClassifier(categorical_features=[0]).fit(X, y)
    for new in (X, [["a", 1.0], ["b", 2.0], ["c", 3.0], ["d", 4.0]], np.arange(8.0).reshape(2, 4).T):
        assert len(model.predict(new)) == 4


def test_float32_stays_float32():
    frame, y = paints()
    model = DecisionTreeClassifier(categorical_features=["colour"]).fit(frame.astype({"size": np.float32}), y)
    assert model.predict_proba(frame.astype({"size": np.float32})).dtype == np.float32
    assert model.predict_proba(frame).dtype == np.float64


# What is written of it


def test_rules_are_written_as_sets():
    frame, y = paints()
    frame = frame.fillna({"colour": "grey"}).replace({"colour": {"grey": "{gr_ey}"}})
    model = DecisionTreeClassifier(max_depth=1, categorical_features=["colour"]).fit(frame, y)
    text = export_text(model, feature_names=list(frame))
    assert re.search(r"^\|--- colour (not )?in \{red, teal\}$", text, re.MULTILINE)
    assert text.count("{red, teal}") == 2 and text.count("not in") == 1
    assert re.search(r'label="x\[1\] (not )?in \{red, teal\}\\n', export_graphviz(model))
    assert re.search(r"Var\(\$1\$\) (not )?in \\\{red, teal\\\}", export_tikz(model))
    other = DecisionTreeClassifier(max_depth=1, categorical_features=["colour"]).fit(
        frame, frame["colour"] == "{gr_ey}"
    )
    assert r"\{\{gr\_ey\}\}" in export_tikz(other)


def test_long_sets_and_gaps_are_told():
    X = np.r_[np.arange(60.0), [np.nan] * 9][:, None]
    y = np.r_[np.arange(60) % 2, [1] * 9]
    text = export_text(DecisionTreeClassifier(categorical_features=[0]).fit(X, y))
    assert "feature_0 in {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, ... 18 more}" in text
    assert "or NaN" in text
    ids = np.tile(np.arange(1234567.0, 1234573.0), 5)[:, None]
    text = export_text(DecisionTreeClassifier(categorical_features=[0]).fit(ids, ids[:, 0] % 2))
    assert "{1234567, 1234569, 1234571}" in text or "{1234568, 1234570, 1234572}" in text


# What is refused


def test_what_does_not_go_together():
    X, signal = records(50)
    for error, how, words in [
        (ValueError, {"categorical_features": [4]}, r"all features must be in \[0, 3\], got 4"),
        (ValueError, {"categorical_features": ["a"]}, "'a' not in feature_names"),
        (ValueError, {"categorical_features": [True]}, "should be of shape"),
        (ValueError, {"categorical_features": []}, "Use `None` instead"),
        (InvalidParameterError, {"categorical_features": "a"}, "must be an array-like of bool, int or str"),
        (ValueError, {"categorical_features": [0], "criterion": "absolute_error"}, "absolute_error"),
        (ValueError, {"categorical_features": [0], "monotonic_cst": [1, 0, 0, 0]}, r"columns \[0\]"),
    ]:
        with pytest.raises(error, match=words):
            DecisionTreeRegressor(**how).fit(X, signal)
    bounded = DecisionTreeRegressor(categorical_features=[0], monotonic_cst=[0, 0, 1, 0]).fit(X, signal)
    line = np.tile(X[0], (30, 1))
    line[:, 2] = np.linspace(-3, 3, 30)
    assert (np.diff(bounded.predict(line)) >= 0).all()


def test_what_is_no_category():
    X = np.array([[[1], 2.0], [[3], 4.0]], object)
    with pytest.raises(TypeError, match="Column 0 of X holds something that cannot be a category"):
        DecisionTreeRegressor(categorical_features=[0]).fit(X, [0.0, 1.0])
    frame, y = paints()
    with pytest.raises(ValueError, match="could not convert string to float"):
        DecisionTreeClassifier(categorical_features=["size"]).fit(frame, y)
    model = DecisionTreeClassifier(categorical_features=["colour"]).fit(frame, y)
    with pytest.raises(ValueError, match=r"Column 1 of X held labels .* such as \['blue'\]. Got numbers"):
        model.predict(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["colour", "size"]])
    for narrow in (frame[["size"]].to_numpy(object), csr_matrix((10**6, 10**6))):
        with pytest.raises(ValueError, match=r"X has \d+ features, but"):
            model.predict(narrow)
    for flat in ([1.0, 2.0], pd.Series([1.0]), np.zeros((2, 2, 2)), None, "ab"):
        with pytest.raises(ValueError, match="Expected 2D array"):
            DecisionTreeClassifier(categorical_features=[0]).fit(flat, y)
        with pytest.raises(ValueError, match="Expected 2D array"):
            model.predict(flat)
