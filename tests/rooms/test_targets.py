"""targets.py: labels as codes, whatever they are and however many, and what targets are called."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.utils.multiclass import type_of_target

from clinfa import Dataset, config_context
from clinfa.targets import (
    check_lengths,
    column,
    kind_of,
    merge_classes,
    range_of,
    read_labels,
    read_labels_together,
    read_values,
)

RNG = np.random.default_rng(0)
SIZES = [1, 2, 999, 1000, 5000]  # numpy counts few labels, kernels many
I8, I64, U64 = np.iinfo(np.int8), np.iinfo(np.int64), np.iinfo(np.uint64)


def words(n, count=5, length=3):
    return np.array([f"{i:0{length}d}" for i in range(count)])[RNG.integers(0, count, n)]


LABELS = {
    "narrow": lambda n: RNG.integers(-3, 9, n),
    "as many as rows": lambda n: RNG.integers(0, n, n),
    "extremes of int8": lambda n: RNG.choice([I8.min, -1, I8.max], n).astype(np.int8),
    "extremes of int64": lambda n: RNG.choice([I64.min, -1, 0, I64.max], n),
    "high uint64": lambda n: RNG.choice(np.array([2**63 - 1, 2**63, U64.max], np.uint64), n),
    "top of uint64": lambda n: np.uint64(U64.max) - RNG.integers(0, 9, n).astype(np.uint64),
    "bottom of int64": lambda n: I64.min + RNG.integers(0, 9, n),
    "far apart": lambda n: RNG.integers(0, 9, n) * 10**12,
    "all different, far apart": lambda n: RNG.permutation(n) * 10**12,
    "int32, far apart": lambda n: (RNG.integers(-9, 9, n) * 10**8).astype(np.int32),
    "uint16": lambda n: RNG.integers(0, 2**16, n).astype(np.uint16),
    "uint32": lambda n: RNG.integers(2**32 - 9, 2**32, n).astype(np.uint32),
    "int16": lambda n: RNG.integers(-5, 5, n).astype(np.int16),
    "big-endian": lambda n: RNG.integers(-5, 5, n).astype(">i4"),
    "bools": lambda n: RNG.random(n) < 0.5,
    "one": lambda n: np.full(n, 7),
    "floats": lambda n: RNG.integers(-3, 3, n).astype(np.float32),
    "float16": lambda n: RNG.integers(-3, 3, n).astype(np.float16),
    "great floats": lambda n: RNG.choice([-(2.0**63), 0.0, 2.0**62], n),
    "words": words,
    "long words": lambda n: words(n, length=40),
    "words, big-endian": lambda n: words(n).astype(">U5"),
    "objects": lambda n: words(n).astype(object),
    "every other": lambda n: RNG.integers(0, 9, 2 * n)[::2],
}


@pytest.mark.parametrize("case", LABELS)
@pytest.mark.parametrize("n", SIZES)
def test_codes_and_classes(case, n):
    y = LABELS[case](n)
    labels = read_labels(y, "Test")
    classes, codes = np.unique(y, return_inverse=True)
    assert labels.classes.tolist() == classes.tolist()
    assert labels.classes.dtype == y.dtype.newbyteorder("=") or y.dtype.byteorder == ">"
    assert labels.codes.dtype == np.int64
    assert np.array_equal(labels.codes, codes)
    assert labels.n_classes == len(classes)


def test_more_labels_than_are_hashed():
    y = RNG.permutation(40_000) * 10**12
    labels = read_labels(y, "Test")
    assert np.array_equal(labels.classes, np.arange(40_000) * 10**12)
    assert np.array_equal(labels.classes[labels.codes], y)


@pytest.mark.parametrize("case", ["narrow", "far apart", "words"])
def test_the_same_codes_on_any_number_of_threads(case):
    y = LABELS[case](600_000)
    bits = set()
    for threads in (1, 2, 3):
        with config_context(n_threads=threads):
            labels = read_labels(y, "Test")
        bits.add((labels.codes.tobytes(), labels.classes.tobytes()))
    assert len(bits) == 1
    assert np.array_equal(labels.classes[labels.codes], y)


@pytest.mark.parametrize("n", [3, 2000])
def test_one_numbering_of_several_columns(n):
    y = [np.resize(some, n) for some in ([5, 3, 3], [4, 5, 4], [3, 3, 5])]
    classes, codes = read_labels_together(dict(zip("abc", y)), "Test")
    assert classes.tolist() == [3, 4, 5]
    for some, numbers in zip(y, codes):
        assert np.array_equal(classes[numbers], some)
    classes, codes = read_labels_together({"y": y[0]}, "Test", classes=np.array([9, 5]))
    assert classes.tolist() == [9, 5]
    assert codes[0][:3].tolist() == [1, -1, -1]
    _, codes = read_labels_together({"y": []}, "Test", classes=np.array([9, 5]))
    assert codes[0].tolist() == []


@pytest.mark.parametrize(
    ("one", "other", "union", "dtype"),
    [
        (np.array([True, False]), np.array([2, 1]), [0, 1, 2], np.int64),
        (np.array([1], np.int8), np.array([300], np.int16), [1, 300], np.int16),
        (np.array([-1]), np.array([5], np.uint64), [-1, 5], np.int64),
        (np.array([1]), np.array([U64.max], np.uint64), [1, U64.max], np.uint64),
        (np.array([-1]), np.array([U64.max], np.uint64), [-1, U64.max], object),
        (np.array([1, 2]), np.array([2.0, 3.0]), [1, 2, 3], np.float64),
        # Neighbours that are one number in float64 stay two labels.
        (np.array([2**53, 2**53 + 1]), np.array([0.0]), [0, 2**53, 2**53 + 1], object),
        (np.array(["b"]), np.array(["abc"], object), ["abc", "b"], object),
        (np.array(["b"]), np.array(["abc"]), ["abc", "b"], "<U3"),
    ],
)
def test_labels_of_two_types(one, other, union, dtype):
    merged = merge_classes([np.unique(one), np.unique(other)])
    assert merged.tolist() == union
    assert merged.dtype == dtype
    classes, (a, b) = read_labels_together({"one": one, "other": other}, "Test")
    assert classes.tolist() == union
    assert classes[a].tolist() == one.tolist()
    assert classes[b].tolist() == other.tolist()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64])
@pytest.mark.parametrize("n", [1, 3, 5000])
def test_range(dtype, n):
    info = np.iinfo(dtype)
    y = np.full(n, 5, dtype)
    assert range_of(y) == (5, 5)
    y[n // 2] = info.max
    y[-1] = info.min
    assert range_of(y) == (info.min, info.max if n > 1 else info.min)


KINDS = {
    "two ints": [0, 1, 1],
    "one int": [3],
    "far apart": [0, 10**12],
    "three far apart": [0, 10**12, -(10**12)],
    "three ints": [0, 1, 2],
    "bools": [True, False],
    "words": ["a", "b", "c"],
    "objects": np.array(["a", "b"], object),
    "not text": np.array([1, 2], object),
    "whole floats": [0.0, 1.0, 5.0],
    "floats": [0.5, 1.0],
    "column": [[0], [1]],
    "indicators": [[0, 1], [1, 1]],
    "indicators of other numbers": [[2, 3], [3, 3]],
    "indicators of floats": [[0.0, 1.0], [1.0, 1.0]],
    "several outputs": [[0, 2], [1, 1]],
    "several outputs of words": np.array([["a", "b"], ["c", "a"]]),
    "several numbers": [[0.5, 2], [1, 1]],
    "empty": [],
    "empty matrix": np.empty((0, 2)),
    "empty column": np.empty((0, 1)),
    "no columns": np.empty((2, 0)),
    "three dimensions": np.zeros((2, 2, 2)),
    "sparse": csr_array([[0, 1], [1, 1]]),
    "sparse without zeros": csr_array([[1, 1], [1, 1]]),
    "sparse and empty": csr_array((2, 2)),
    "sparse column": csr_array([[0], [1]]),
}


@pytest.mark.parametrize("case", KINDS)
@pytest.mark.parametrize("times", [1, 1500])
def test_what_targets_are_called(case, times):
    y = KINDS[case]
    if times > 1 and isinstance(y, list):
        y = y * times
    assert kind_of(y) == type_of_target(y)


def test_whole_numbers_beyond_64_bits_are_no_labels():
    assert kind_of([0.0, 1e300]) == "continuous"  # (where scikit-learn says so, it warns of a cast)


def test_sparse_matrices_of_three_numbers():
    # (scikit-learn says "binary" of these, but takes them nowhere)
    assert kind_of(csr_array([[0], [1], [2]])) == "multiclass"
    assert kind_of(csr_array([[0, 2], [1, 1]])) == "multiclass-multioutput"
    assert kind_of(csr_array([[0, 0.5], [1, 1]])) == "continuous-multioutput"


def test_where_targets_may_lie():
    expected = [1, 2, 2]
    frame = pd.DataFrame({"y": expected})
    for y in (
        *(expected, tuple(expected), np.array(expected), np.array([expected]).T),
        *(frame["y"], frame, frame["y"].astype("Int64"), frame["y"].astype("category")),
        *(pl.Series(expected), Dataset(np.zeros((3, 1)), expected)),
    ):
        assert read_labels(y, "Test").classes.tolist() == [1, 2]
        assert column(y).tolist() == expected


REFUSED = [
    (None, ValueError, "Expected array-like"),
    ("text", ValueError, "Expected array-like"),
    ([[1, 2], [3, 4]], ValueError, "y should be a 1d array, got an array of shape \\(2, 2\\)"),
    ([[1], [2, 3]], ValueError, "rows of different lengths"),
    ([0.5, 1], ValueError, "Unknown label type: continuous"),
    ([1e300, 1], ValueError, "not within 64 bits"),
    ([np.nan, 1], ValueError, "Input y contains NaN"),
    ([np.inf, 1], ValueError, "Input y contains infinity"),
    (np.array([1, "a"], object), ValueError, "among its objects there are int"),
    (np.array(["a", None], object), ValueError, "among its objects there are NoneType"),
    (np.array(["2020"], "M8[D]"), ValueError, "y has dtype datetime64"),
    ([1j, 2], ValueError, "Complex data not supported"),
    ([b"a", b"b"], TypeError, "represented as bytes"),
    (np.ma.masked_array([1, 2], [True, False]), ValueError, "masked values"),
    (csr_array([[1], [2]]), TypeError, "Sparse data was passed for y"),
    (pd.Series([1, None], dtype="Int64"), ValueError, "Input y contains NaN"),
    (pd.Series(["a", None], dtype="string"), ValueError, "Input y contains NaN"),
    (Dataset(np.zeros((2, 1))), ValueError, "y is a Dataset without targets"),
]


@pytest.mark.parametrize(("y", "error", "said"), REFUSED)
def test_what_are_no_labels(y, error, said):
    with pytest.raises(error, match=said):
        read_labels(y, "Test")


def test_text_and_numbers_do_not_mix():
    with pytest.raises(ValueError, match=r"Mix of label input types \(string and number\)"):
        read_labels_together({"a": [1, 2], "b": ["1", "2"]}, "Test")


def test_lengths():
    check_lengths([1, 2], None, np.zeros((2, 3)), csr_array((2, 5)))
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[2, 3\]"):
        check_lengths([1, 2], None, np.zeros((3, 3)))


def test_values():
    assert read_values([1, 2], "Test").dtype == np.float64
    assert read_values(np.array([1, 2], ">f4"), "Test").dtype == np.float32
    assert read_values([[1, 2], [3, 4]], "Test").shape == (2, 2)
    for y, said in (
        ([[[1.0]]], "one or two dimensions"),
        (["a"], "must hold numbers"),
        ([np.nan], "Input y contains NaN"),
        ([np.inf], "Input y contains infinity"),
    ):
        with pytest.raises(ValueError, match=said):
            read_values(y, "Test")


@pytest.mark.parametrize("mixed", [["a", None], [None, "a"], ["a", 1], ["a", 1.5, "b"]])
def test_objects_that_are_not_all_strings_are_no_known_kind(mixed):
    y = np.array(mixed, dtype=object)
    assert kind_of(y) == "unknown"
    with pytest.raises(ValueError, match="Unknown label type"):
        read_labels(y, "f")
