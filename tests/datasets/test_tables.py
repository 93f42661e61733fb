"""The shipped tables: every value against scikit-learn's, and how they are handed out."""

import copy
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets as theirs

import clinfa.datasets as ours
from clinfa.dataset import Dataset

SHAPES = {
    "load_iris": ((150, 4), (150,)),
    "load_wine": ((178, 13), (178,)),
    "load_breast_cancer": ((569, 30), (569,)),
    "load_digits": ((1797, 64), (1797,)),
    "load_diabetes": ((442, 10), (442,)),
    "load_linnerud": ((20, 3), (20, 3)),
}
CASES = [(name, {}) for name in SHAPES]
CASES += [("load_digits", {"n_class": n}) for n in (1, 2, 9)]
CASES += [("load_diabetes", {"scaled": False})]

each_case = pytest.mark.parametrize(("name", "options"), CASES)
each_loader = pytest.mark.parametrize("name", SHAPES)


@each_case
def test_values_are_scikit_learns_bit_for_bit(name, options):
    X, y = getattr(ours, name)(return_X_y=True, **options)
    want_X, want_y = getattr(theirs, name)(return_X_y=True, **options)
    np.testing.assert_array_equal(X, want_X, strict=True)
    np.testing.assert_array_equal(y, want_y, strict=True)
    for array in (X, y):
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.base is None


@each_loader
def test_shapes_as_documented(name):
    dataset = getattr(ours, name)()
    assert isinstance(dataset, Dataset)
    assert (dataset.records.shape, dataset.targets.shape) == SHAPES[name]
    assert dataset.weights is None


@each_case
def test_reads_like_scikit_learns_bunch(name, options):
    got, want = getattr(ours, name)(**options), getattr(theirs, name)(**options)
    np.testing.assert_array_equal(got.data, want.data)
    np.testing.assert_array_equal(got.target, want.target)
    assert list(got.feature_names) == list(want.feature_names)
    assert got.frame is None
    assert got["frame"] is None
    keys = got.keys()
    for key in keys:
        assert key in got
        assert got[key] is getattr(got, key)
    own = {"filename", "data_module", "data_filename", "target_filename"}  # of scikit-learn's files
    assert set(keys) == want.keys() - own | {"target_names"}  # it leaves these out at times
    assert dict(got).keys() == set(keys)


@each_loader
def test_type_of_feature_names_is_scikit_learns(name):
    # `names + ["target"]` works on a list, `names[mask]` on an array: users write both
    assert type(getattr(ours, name)().feature_names) is type(getattr(theirs, name)().feature_names)


@pytest.mark.parametrize("name", ["load_iris", "load_wine", "load_breast_cancer", "load_digits"])
def test_class_names_can_be_indexed_by_target(name):
    got, want = getattr(ours, name)(), getattr(theirs, name)()
    np.testing.assert_array_equal(got.target_names[got.target], want.target_names[want.target])
    assert got.class_names is got.target_names


def test_names_of_target_columns_where_there_are_no_classes():
    assert list(ours.load_linnerud().target_names) == ["Weight", "Waist", "Pulse"]
    assert list(ours.load_diabetes().target_names) == ["target"]
    assert ours.load_linnerud().class_names is None


@each_loader
def test_description_names_a_source_and_is_our_own(name):
    text, other = getattr(ours, name)().DESCR, getattr(theirs, name)().DESCR
    assert any(year in text for year in ("1936", "1988", "1995", "1998", "2004"))
    assert max(map(len, text.splitlines())) < 101
    sentences = [s.strip() for s in text.split("\n\n")[1].split(".") if len(s) > 40]
    assert not [s for s in sentences if " ".join(s.split()) in " ".join(other.split())]


@each_case
def test_pandas_objects_are_scikit_learns(name, options):
    got = getattr(ours, name)(as_frame=True, **options)
    want = getattr(theirs, name)(as_frame=True, **options)
    pd.testing.assert_frame_equal(got.frame, want.frame)
    pd.testing.assert_frame_equal(got.data, want.data)
    same = pd.testing.assert_series_equal if got.target.ndim == 1 else pd.testing.assert_frame_equal
    same(got.target, want.target)
    assert got.data is got["data"]
    assert isinstance(got.records, np.ndarray)  # the Dataset inside stays one of arrays
    X, y = getattr(ours, name)(return_X_y=True, as_frame=True, **options)
    pd.testing.assert_frame_equal(X, want.data)
    same(y, want.target)


def test_digits_are_images():
    digits = ours.load_digits(n_class=4)
    want = theirs.load_digits(n_class=4)
    np.testing.assert_array_equal(digits.images, want.images)
    assert np.shares_memory(digits.images, digits.data)
    assert digits.class_names.tolist() == [0, 1, 2, 3]
    assert set(digits.target) == {0, 1, 2, 3}


def test_scaled_diabetes_has_unit_columns():
    X, _ = ours.load_diabetes(return_X_y=True)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose((X**2).sum(axis=0), 1, rtol=1e-14)


def test_two_calls_share_nothing():
    first = ours.load_iris()
    first.data[:] = -1
    assert ours.load_iris().data.min() > 0


@each_loader
def test_what_is_derived_is_a_plain_dataset(name):
    dataset = getattr(ours, name)()
    columns = list(theirs.load_linnerud().target_names) if "linnerud" in name else ["target"]
    derived = dataset.with_weights(np.ones(len(dataset)))
    assert type(derived) is Dataset
    assert derived.target_names == columns  # names of columns here, never of classes
    assert derived.feature_names == list(dataset.feature_names)
    assert derived.records is dataset.records
    other = dataset.with_targets(np.zeros(len(dataset)))
    assert other.target_names == (columns if len(columns) == 1 else None)
    assert dataset.with_records(dataset.records[:, :1]).target_names == columns


@each_loader
def test_survives_pickle_and_copy(name):
    dataset = getattr(ours, name)()
    for twin in (pickle.loads(pickle.dumps(dataset)), copy.deepcopy(dataset), copy.copy(dataset)):
        assert list(twin.keys()) == list(dataset.keys())
        np.testing.assert_array_equal(twin.data, dataset.data)
        np.testing.assert_array_equal(twin.target, dataset.target)
        np.testing.assert_array_equal(twin.target_names, dataset.target_names)
        assert twin.DESCR == dataset.DESCR


def test_missing_entries():
    iris = ours.load_iris()
    assert "images" not in iris
    with pytest.raises(KeyError, match="images"):
        iris["images"]
    with pytest.raises(AttributeError, match="no attribute 'images'"):
        iris.images
    with pytest.raises(AttributeError):
        iris.data = None


@pytest.mark.parametrize("value", [0, 11, -3])
def test_n_class_out_of_range(value):
    with pytest.raises(ValueError, match=rf"n_class must be an integer in \[1, 10\], got {value}\."):
        ours.load_digits(n_class=value)


@pytest.mark.parametrize("value", [2.0, "3", None, True])
def test_n_class_of_the_wrong_kind(value):
    with pytest.raises(TypeError, match="n_class must be an integer"):
        ours.load_digits(n_class=value)


@each_loader
@pytest.mark.parametrize("option", ["return_X_y", "as_frame"])
def test_flags_must_be_bools(name, option):
    with pytest.raises(TypeError, match=f"{option} must be True or False, got 'yes'"):
        getattr(ours, name)(**{option: "yes"})


def test_scaled_must_be_a_bool():
    with pytest.raises(TypeError, match="scaled must be True or False, got 2"):
        ours.load_diabetes(scaled=2)


def test_missing_pandas_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install clinfa\[pandas\]"):
        ours.load_iris(as_frame=True)


def test_loading_imports_neither_pandas_nor_scikit_learn():
    code = (
        "import sys, clinfa.datasets as d\n"
        "d.load_iris(), d.load_digits(return_X_y=True), d.make_blobs()\n"
        "print([m for m in ('sklearn', 'pandas', 'polars', 'zipfile') if m in sys.modules])"
    )
    root = Path(ours.__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_loading_is_quick():
    def seconds():
        start = time.perf_counter()
        ours.load_iris()
        return time.perf_counter() - start

    assert min(seconds() for _ in range(20)) < 2e-3  # about 0.1 ms when nothing else runs
