"""Dataset: what it holds, what it refuses, and how it goes through an estimator."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from clinfa import Dataset
from clinfa.cluster import KMeans

X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 0, 0, 1, 1, 1])


def test_what_it_holds():
    ds = Dataset(X, Y, np.ones(6), ["a", "b"], ["kind"])
    assert ds.records is X
    assert ds.targets is Y
    assert (len(ds), ds.n_samples, ds.n_features, ds.n_targets) == (6, 6, 2, 1)
    assert ds.feature_names == ["a", "b"]
    assert ds.target_names == ["kind"]
    records, targets = ds
    assert records is X
    assert targets is Y
    assert repr(ds) == "Dataset(6 samples, 2 features, 1 target, weighted)"
    assert repr(Dataset(X[:1, :1])) == "Dataset(1 sample, 1 feature)"


def test_lists_become_arrays_and_frames_stay():
    assert isinstance(Dataset(X.tolist()).records, np.ndarray)
    for frame in (pd.DataFrame(X, columns=["a", "b"]), pl.DataFrame(X, schema=["a", "b"])):
        assert Dataset(frame).records is frame
        assert Dataset(frame).feature_names == ["a", "b"]
    assert Dataset(sp.csr_array(X)).n_samples == 6
    assert Dataset(X, pd.Series(Y)).n_targets == 1
    assert Dataset(X, np.c_[Y, Y]).n_targets == 2
    assert Dataset(X).n_targets == 0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"records": X[:, 0]}, "two dimensions"),
        ({"records": 3}, "two dimensions"),
        ({"records": "text"}, "two dimensions"),
        ({"targets": Y[:5]}, "targets.*6 records"),
        ({"targets": 1}, "targets.*6 records"),
        ({"weights": np.ones(7)}, "weights.*6 records"),
        ({"weights": 2.0}, "weights.*6 records"),
        ({"weights": np.ones((6, 2))}, "weights"),
        ({"feature_names": ["a"]}, "feature_names.*1 names for 2"),
        ({"feature_names": "ab"}, "sequence of strings"),
        ({"feature_names": [1, 2]}, "sequence of strings"),
        ({"target_names": ["a", "b"]}, "target_names"),
        ({"target_names": ["a"], "targets": None}, "target_names"),
    ],
)
def test_refused(wrong, text):
    with pytest.raises(ValueError, match=text):
        Dataset(**{"records": X, "targets": Y} | wrong)


def test_no_dataset_in_a_dataset():
    with pytest.raises(TypeError, match="Dataset"):
        Dataset(Dataset(X))


def test_with_leaves_the_old_one_alone():
    ds = Dataset(X, Y, np.ones(6), ["a", "b"], ["kind"])
    other = ds.with_records(X + 1)
    assert other.feature_names == ["a", "b"]
    assert other.targets is Y
    assert other.weights is ds.weights
    assert ds.with_records(np.ones((6, 3))).feature_names is None
    assert ds.with_records(np.ones((6, 3)), ["x", "y", "z"]).feature_names == ["x", "y", "z"]
    assert ds.with_records(pd.DataFrame(X, columns=["p", "q"])).feature_names == ["p", "q"]
    assert ds.with_targets(1 - Y).targets.tolist() == (1 - Y).tolist()
    assert ds.with_targets(Y, ["new"]).target_names == ["new"]
    assert ds.with_weights(None).weights is None
    assert ds.records is X
    assert ds.feature_names == ["a", "b"]
    with pytest.raises(ValueError, match=r"6 records|5"):
        ds.with_records(X[:5])


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda ds: pickle.loads(pickle.dumps(ds))])
def test_copies(way):
    ds = Dataset(X, Y, np.ones(6), ["a", "b"], ["kind"])
    again = way(ds)
    assert repr(again) == repr(ds)
    np.testing.assert_array_equal(again.records, X)
    assert again.feature_names == ["a", "b"]


@pytest.mark.parametrize(
    "records",
    [X, pd.DataFrame(X, columns=["a", "b"]), pl.DataFrame(X, schema=["a", "b"]), sp.csr_array(X)],
)
def test_through_kmeans(records):
    ds = Dataset(records, Y, feature_names=["a", "b"], target_names=["kind"])
    model = KMeans(2, random_state=0).fit(ds)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    plain = KMeans(2, random_state=0).fit(records)
    np.testing.assert_array_equal(model.cluster_centers_, plain.cluster_centers_)
    said = model.predict(ds)
    assert isinstance(said, Dataset)
    assert said.records is ds.records
    np.testing.assert_array_equal(said.targets, plain.labels_)
    far = model.transform(ds)
    assert isinstance(far, Dataset)
    assert far.feature_names == ["kmeans0", "kmeans1"]
    assert far.targets is ds.targets
    np.testing.assert_array_equal(far.records, plain.transform(records))
    assert isinstance(KMeans(2).fit_transform(ds), Dataset)
    assert isinstance(KMeans(2).fit_predict(ds), Dataset)
    assert model.score(ds) == plain.score(records)


def test_its_weights_count():
    w = np.array([1.0, 5, 1, 1, 1, 1])
    weighted = KMeans(2, random_state=0).fit(Dataset(X, weights=w))
    same = KMeans(2, random_state=0).fit(X, sample_weight=w)
    np.testing.assert_array_equal(weighted.cluster_centers_, same.cluster_centers_)
    assert weighted.score(Dataset(X, weights=w)) == same.score(X, sample_weight=w)
    over = KMeans(2, random_state=0).fit(Dataset(X, weights=w), sample_weight=np.ones(6))
    assert over.inertia_ == KMeans(2, random_state=0).fit(X).inertia_


def test_names_are_compared():
    """Names that a Dataset carries are held to what was fitted, as a dataframe's are."""
    model = KMeans(2, random_state=0).fit(Dataset(X, feature_names=["a", "b"]))
    for wrong in (
        Dataset(X, feature_names=["b", "a"]),
        Dataset(pd.DataFrame(X, columns=["a", "c"])),
    ):
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(wrong)
    model.predict(Dataset(X))


def test_names_of_a_dataset_go_before_those_of_its_records():
    """Fit, predict and transform agree on which names count."""
    ds = Dataset(pd.DataFrame(X, columns=["a", "b"]), feature_names=["x", "y"])
    model = KMeans(2, random_state=0).fit(ds)
    assert model.feature_names_in_.tolist() == ["x", "y"]
    assert model.predict(ds).targets.tolist() == model.labels_.tolist()
