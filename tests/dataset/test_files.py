"""Datasets from files and dataframes: what is read, and what is said when it cannot be."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from clinfa import Dataset
from clinfa.datasets import load_iris

TEXT = "a,b,kind,w\n1,2.5,x,1\n3,-4e2,y,2\n5,6,x,0.5\n"
RECORDS = [[1, 2.5], [3, -400], [5, 6]]


@pytest.fixture
def write(tmp_path):
    def make(text, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def test_targets_and_weights_are_named(write):
    ds = Dataset.from_csv(write(TEXT), target="kind", weights="w")
    assert ds.records.tolist() == RECORDS
    assert ds.records.dtype == np.float64
    assert ds.feature_names == ["a", "b"]
    assert ds.targets.tolist() == ["x", "y", "x"]
    assert ds.target_names == ["kind"]
    assert ds.weights.tolist() == [1, 2, 0.5]


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace(",", " | "),
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        TEXT.rstrip("\n"),
        TEXT + "\n\n",
        TEXT.replace("x", '"x"').replace("a,", '"a",'),
        gzip.compress(TEXT.encode(), mtime=0),  # (a time would make two workers see two tests)
    ],
)
def test_forms_of_text(write, text):
    ds = Dataset.from_csv(write(text), target="kind", weights="w")
    assert ds.records.tolist() == RECORDS
    assert ds.targets.tolist() == ["x", "y", "x"]
    assert ds.feature_names == ["a", "b"]


def test_quoted_fields_hold_anything(write):
    ds = Dataset.from_csv(write('a,"b, ""c""",k\n1,"2","p, q"\n3,4,"r\ns"\n'), target="k")
    assert ds.feature_names == ["a", 'b, "c"']
    assert ds.records.tolist() == [[1, 2], [3, 4]]
    assert ds.targets.tolist() == ["p, q", "r\ns"]


def test_numbers_alone(write):
    ds = Dataset.from_csv(write("a,b,y\n1,2,0\n3,4,1\n"), target="y")
    assert ds.targets.dtype == np.int64
    assert Dataset.from_csv(write("a,y\n1,0.5\n3,1\n"), target="y").targets.tolist() == [0.5, 1]
    ds = Dataset.from_csv(write("1,2\n3,4\n"))
    assert ds.records.tolist() == [[1, 2], [3, 4]]
    assert ds.feature_names == ["column0", "column1"]
    assert Dataset.from_csv(write("1,2\n3,4\n"), target=-1).targets.tolist() == [2, 4]
    assert len(Dataset.from_csv(write("1,2\n3,4\n"), header=True)) == 1
    assert Dataset.from_csv(write("7\n8\n")).records.tolist() == [[7], [8]]


def test_gaps_are_nan(write):
    ds = Dataset.from_csv(write("a,b\n1,\n,4\nnan,inf\n"))
    np.testing.assert_array_equal(ds.records, [[1, np.nan], [np.nan, 4], [np.nan, np.inf]])


def test_several_targets_and_chosen_features(write):
    ds = Dataset.from_csv(write(TEXT), target=["b", "w"], features=["a"])
    assert ds.targets.tolist() == [[2.5, 1], [-400, 2], [6, 0.5]]
    assert ds.target_names == ["b", "w"]
    assert ds.feature_names == ["a"]
    assert Dataset.from_csv(write(TEXT), features=["w", "a"]).records.tolist() == [[1, 1], [2, 3], [0.5, 5]]


@pytest.mark.parametrize(
    ("text", "how", "said"),
    [
        (TEXT, {}, r"Column 'kind' .* does not hold numbers \('x' in its first record\)"),
        (TEXT, {"target": "sort"}, r"target='sort'.*no such column.*a, b, kind, w"),
        (TEXT, {"target": 4}, "target=4.*no such column"),
        (TEXT, {"target": "w", "weights": "kind"}, "Column 'kind'.*does not hold numbers"),
        (TEXT, {"target": "kind", "features": ["z"]}, "features='z'"),
        (TEXT, {"delimiter": ", "}, "delimiter must be one character"),
        ("a\n1\n", {"target": "a"}, "no column besides"),
        ("", {}, "is empty"),
        (" \n\n", {}, "is empty"),
        ("a,b\n", {}, "a header and no records"),
        ("a,a\n1,2\n", {}, "several columns of the name 'a'"),
        ("a,b\n1,2\n3\n", {}, "line 3: 1 fields where there are 2"),
        ("a,b\n1,2,3\n", {}, "line 2: 3 fields where there are 2"),
        (b"a,b\n\xff\xfe,1\n", {}, "not UTF-8"),
        (b"\x1f\x8b\x08\x00", {}, "not UTF-8 text"),
        (b"a\0b\n", {}, "zero bytes"),
    ],
)
def test_what_cannot_be_read(write, text, how, said):
    with pytest.raises(ValueError, match=said):
        Dataset.from_csv(write(text), **how)


@pytest.mark.parametrize("read", [Dataset.from_csv, Dataset.from_parquet])
def test_no_file(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="no file"):
        read(tmp_path / "none")
    with pytest.raises(IsADirectoryError, match="folder"):
        read(tmp_path)


def test_what_was_written_is_read(tmp_path):
    iris = load_iris(as_frame=True).frame
    iris.to_csv(tmp_path / "iris.csv", index=False)
    ds = Dataset.from_csv(tmp_path / "iris.csv", target="target")
    np.testing.assert_array_equal(ds.records, iris.iloc[:, :4])
    np.testing.assert_array_equal(ds.targets, iris["target"])
    assert ds.feature_names == list(iris.columns[:4])


def test_parquet(tmp_path):
    table = pa.table(
        {
            "a": [1, 2, 3],
            "f": pa.array([0.5, 1.5, 2.5], pa.float32()),
            "gap": [1.0, None, 3.0],
            "flag": [True, False, True],
            "kind": ["x", "y", "x"],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    ds = Dataset.from_parquet(tmp_path / "t.parquet", target="kind", weights="f")
    np.testing.assert_array_equal(ds.records, [[1, 1, 1], [2, np.nan, 0], [3, 3, 1]])
    assert ds.targets.tolist() == ["x", "y", "x"]
    assert ds.weights.tolist() == [0.5, 1.5, 2.5]
    only = Dataset.from_parquet(tmp_path / "t.parquet", features=["f"], target="flag")
    assert only.records.dtype == np.float32
    assert only.targets.dtype == bool
    with pytest.raises(ValueError, match="Column 'kind'"):
        Dataset.from_parquet(tmp_path / "t.parquet")
    (tmp_path / "no.parquet").write_text("text")
    with pytest.raises(ValueError, match="not a Parquet file"):
        Dataset.from_parquet(tmp_path / "no.parquet")


def test_parquet_needs_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"clinfa\[parquet\]"):
        Dataset.from_parquet(tmp_path / "t.parquet")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames(make):
    frame = make({"a": [1.0, 3], "k": ["x", "y"], "b": [2.0, 4], "w": [1.0, 2]})
    ds = Dataset.from_frame(frame, target="k", weights="w")
    assert ds.feature_names == ["a", "b"]
    assert np.asarray(ds.targets).tolist() == ["x", "y"]
    assert ds.weights.tolist() == [1, 2]
    assert ds.target_names == ["k"]
    two = Dataset.from_frame(frame, target=["b", "w"])
    assert two.targets.tolist() == [[2, 1], [4, 2]]
    assert Dataset.from_frame(frame).n_features == 4
    with pytest.raises(ValueError, match="target='z'"):
        Dataset.from_frame(frame, target="z")
    with pytest.raises(ValueError, match="weights='z'"):
        Dataset.from_frame(frame, weights="z")


def test_a_frame_is_a_frame():
    with pytest.raises(ValueError, match="dataframe, got a ndarray"):
        Dataset.from_frame(np.ones((2, 2)))
