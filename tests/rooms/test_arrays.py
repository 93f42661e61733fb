"""Reading: no copy where none is needed, no change of precision, names and errors."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

from clinfa import Dataset
from clinfa.arrays import is_sparse, read_table, read_weights


def _read(X, **how):
    return read_table(X, "Owner", **how)


def _data(dtype=np.float64):
    return np.arange(12.0).reshape(4, 3).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "way",
    [lambda X: X, lambda X: X[1:], lambda X: X.view(np.matrix), lambda X: pl.DataFrame(X[:, :1])],
)
def test_no_copy(way, dtype):
    X = _data(dtype)
    given = way(X)
    table = _read(given)
    assert table.dtype == dtype
    if isinstance(given, np.ndarray):
        assert np.shares_memory(table.X, X)


def test_no_copy_of_a_memory_map_or_read_only_data(tmp_path):
    X = np.memmap(tmp_path / "x", np.float64, "w+", shape=(4, 3))
    assert np.shares_memory(_read(X).X, X)
    X = _data()
    X.setflags(write=False)
    assert np.shares_memory(_read(X).X, X)


def test_no_copy_of_csr():
    X = sp.csr_array(_data())
    read = _read(X, sparse=True).X
    assert np.shares_memory(read.data, X.data)
    assert np.shares_memory(read.indices, X.indices)
    assert np.shares_memory(read.indptr, X.indptr)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4", ">f8", np.float16, np.int8, bool, object])
@pytest.mark.parametrize("way", [np.asarray, np.asfortranarray, pd.DataFrame, sp.csr_array])
def test_only_float32_stays_float32(way, dtype):
    if way is sp.csr_array and dtype in (object, np.float16, ">f4", ">f8"):
        return  # SciPy has none
    table = _read(way(_data(dtype)), sparse=True)
    assert table.dtype == (np.float32 if dtype in (np.float32, ">f4") else np.float64)
    assert table.dtype.isnative
    X = table.rows(np.arange(4)) if table.sparse else table.X
    assert X.flags.c_contiguous
    np.testing.assert_array_equal(X, _data() != 0 if dtype is bool else _data())


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(_data(np.float32), columns=["a", "b", "c"]),
        pd.DataFrame(_data(np.float32), columns=["a", "b", "c"]).astype("Float32"),
        pl.DataFrame(_data(np.float32), schema=["a", "b", "c"]),
        pa.table({name: _data(np.float32)[:, i].copy() for i, name in enumerate("abc")}),
    ],
    ids=["pandas", "pandas Float32", "polars", "arrow"],
)
def test_frames_of_float32_stay_so_and_have_names(frame):
    table = _read(frame)
    assert table.dtype == np.float32
    assert table.names.tolist() == ["a", "b", "c"]
    assert table.names.dtype == object


def test_names_are_all_strings_or_none():
    assert _read(pd.DataFrame(_data())).names is None
    assert _read(_data()).names is None
    with pytest.raises(TypeError, match="string names"):
        _read(pd.DataFrame(_data(), columns=["a", 1, 2]))


def test_names_are_compared_before_values():
    """The first thing that is wrong with another table is that it is another table."""
    names = np.array(["a", "b", "c"], dtype=object)
    with pytest.raises(ValueError, match="feature names should match"):
        _read(pd.DataFrame(_data() * np.nan, columns=["a", "b", "x"]), names=names, width=3)
    with pytest.raises(ValueError, match="same order"):
        _read(pd.DataFrame(_data(), columns=["b", "a", "c"]), names=names, width=3)


@pytest.mark.parametrize(
    ("X", "text"),
    [
        (np.ones(3), "Expected 2D array.*1D.*Reshape your data"),
        (np.ones((2, 2, 2)), "Expected 2D array.*3D"),
        (np.ones((0, 3)), "0 sample.*Owner"),
        (np.ones((3, 0)), "0 feature"),
        (np.ones((3, 2)) * 1j, "Complex data not supported"),
        (np.array([["a"]]), "numbers"),
        (np.array([[np.nan]]), "NaN.*\n.*Owner"),
        (np.array([[-np.inf]]), "infinity"),
    ],
)
def test_errors_say_what_is_wrong(X, text):
    with pytest.raises(ValueError, match=text):
        _read(X)


def test_sparse_only_where_welcome():
    with pytest.raises(TypeError, match=r"Sparse data.*Owner.*toarray"):
        _read(sp.csr_array(_data()))
    assert is_sparse(sp.coo_array(_data()))
    assert not is_sparse(_data())


def test_minimum_of_rows():
    with pytest.raises(ValueError, match=r"4 sample\(s\).*minimum of 5"):
        _read(_data(), min_rows=5)


@pytest.mark.parametrize("X", [np.asarray, sp.csr_array])
def test_keys_are_equal_for_equal_rows_only(X):
    rng = np.random.RandomState(0)
    rows = rng.randint(0, 3, (400, 5)).astype(float)
    rows[rows == 0] = np.where(rng.random_sample((rows == 0).sum()) < 0.5, 0.0, -0.0)
    keys = _read(X(rows), sparse=True).keys()
    _, content = np.unique(rows + 0.0, axis=0, return_inverse=True)
    assert len(set(zip(keys.tolist(), content.tolist(), strict=True))) == len(set(keys.tolist()))
    assert len(set(keys.tolist())) == content.max() + 1


@pytest.mark.parametrize("n", [1, 2, 5, 100_000])
def test_column_range(n):
    X = np.random.RandomState(0).standard_normal((n, 4))
    table = _read(X)
    np.testing.assert_array_equal(table.column_range, [X.min(axis=0), X.max(axis=0)])


def test_weights():
    assert len(read_weights(None, 3, "Owner")) == 0
    assert read_weights([1, 2, 3], 3, "Owner").dtype == np.float64
    np.testing.assert_array_equal(read_weights(2, 3, "Owner"), [2.0, 2.0, 2.0])
    given = np.ones(3)
    assert read_weights(given, 3, "Owner") is given
    with pytest.raises(ValueError, match=r"\(2,\).*expected \(3,\)"):
        read_weights([1, 2], 3, "Owner")
    with pytest.raises(ValueError, match=r"Negative.*sample_weight.*Owner"):
        read_weights([1, -1, 1], 3, "Owner")


def test_a_dataset_is_no_table():
    with pytest.raises((TypeError, ValueError)):
        _read(Dataset(_data()))
