"""Folds: every row validated once, sizes, strata, and cross-validation over them."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier

import clinfa
from clinfa import Dataset
from clinfa.cluster import KMeans
from clinfa.datasets import load_diabetes, load_iris, load_linnerud


def numbered(n, **more):
    return Dataset(np.arange(float(n))[:, None], **more)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(("n", "k"), [(10, 2), (10, 3), (7, 7), (101, 12), (2, 2)])
def test_every_row_is_validated_once(n, k, shuffled):
    ds = numbered(n, weights=np.arange(n) + 1.0, feature_names=["f"])
    folds = ds.fold(k, shuffled=shuffled, random_state=1)
    assert len(folds) == k
    seen = []
    for train, valid in folds:
        assert sorted(np.r_[train.records[:, 0], valid.records[:, 0]]) == list(range(n))
        for part in (train, valid):
            np.testing.assert_array_equal(part.weights, part.records[:, 0] + 1)
            assert part.feature_names == ["f"]
        seen += valid.records[:, 0].tolist()
    assert sorted(seen) == list(range(n))
    assert [len(valid) for _, valid in folds] == [n // k + (i < n % k) for i in range(k)]


def test_plain_folds_are_consecutive_and_share_memory():
    ds = numbered(7)
    folds = ds.fold(3)
    assert [valid.records[:, 0].tolist() for _, valid in folds] == [[0, 1, 2], [3, 4], [5, 6]]
    assert all(np.shares_memory(valid.records, ds.records) for _, valid in folds)
    assert np.shares_memory(folds[0][0].records, ds.records)
    assert np.shares_memory(folds[-1][0].records, ds.records)


def test_shuffled_folds_depend_on_the_seed_alone():
    ds = numbered(30)

    def validated(seed):
        return [valid.records[:, 0].tolist() for _, valid in ds.fold(4, shuffled=True, random_state=seed)]

    assert validated(5) == validated(5)
    assert validated(5) != validated(6)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("labels", [[0, 1, 2], ["b", "a", "c"], [True, False, True]])
def test_stratified(labels, shuffled):
    y = np.array(labels)[np.random.default_rng(3).integers(0, 3, 200)]
    ds = numbered(200, targets=y)
    counts = [
        [(valid.targets == label).sum() for label in np.unique(y)]
        for _, valid in ds.fold(7, stratified=True, shuffled=shuffled, random_state=2)
    ]
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert np.ptp(np.sum(counts, axis=1)) <= 1
    assert np.sum(counts) == 200


def test_stratified_by_several_targets_at_once():
    y = np.c_[np.arange(40) % 2, np.arange(40) // 20]
    for _, valid in numbered(40, targets=y).fold(5, stratified=True):
        pairs, counts = np.unique(valid.targets, axis=0, return_counts=True)
        assert len(pairs) == 4
        assert (counts == 2).all()


def test_a_rare_label_is_told():
    y = np.r_[np.zeros(9, int), 1]
    with pytest.warns(UserWarning, match=r"1 times, which is less than k=3"):
        numbered(10, targets=y).fold(3, stratified=True)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"k": 1}, "'k' parameter"),
        ({"k": 0}, "'k' parameter"),
        ({"k": 2.0}, "'k' parameter"),
        ({"k": 6}, "k=6 folds need as many records; there are 5"),
        ({"k": 2, "stratified": True}, "no targets"),
        ({"k": 2, "shuffled": "yes"}, "'shuffled' parameter"),
    ],
)
def test_refused(how, text):
    with pytest.raises(ValueError, match=text):
        numbered(5).fold(**how)


def test_no_strata_of_floats():
    with pytest.raises(ValueError, match="not whole"):
        numbered(5, targets=np.arange(5) + 0.5).fold(2, stratified=True)


def test_folds_are_a_sequence():
    folds = numbered(10).fold(5)
    assert len(folds[1:3]) == 2
    assert folds[-1][1].records[:, 0].tolist() == [8, 9]
    with pytest.raises(IndexError):
        folds[5]
    assert repr(folds) == "<5 folds (train, valid)>"


# Cross-validation


def squared_error(prediction, truth):
    return prediction.mean_squared_error(truth)


def by_hand(ds, k, model):
    """Mean over folds of the mean squared error, with scikit-learn's model on plain arrays."""
    edges = [i * (len(ds) // k) + min(i, len(ds) % k) for i in range(k + 1)]
    errors = []
    for low, high in pairwise(edges):
        rest = np.r_[0:low, high : len(ds)]
        model.fit(ds.records[rest], ds.targets[rest])
        errors.append(((model.predict(ds.records[low:high]) - ds.targets[low:high]) ** 2).mean(axis=0))
    return np.mean(errors, axis=0)


def test_cross_validate_by_hand():
    ds = load_diabetes()
    found = ds.cross_validate(4, [LinearRegression(), Ridge(0.1)], squared_error)
    assert found.folds.shape == (2, 4)
    np.testing.assert_allclose(
        found, [by_hand(ds, 4, LinearRegression()), by_hand(ds, 4, Ridge(0.1))], rtol=1e-10
    )
    np.testing.assert_allclose(found.mean, found.folds.mean(axis=1))
    assert "LinearRegression()" in str(found)
    assert isinstance(found.best(), LinearRegression | Ridge)


def test_several_targets():
    ds = load_linnerud()
    found = ds.cross_validate(5, [LinearRegression()], squared_error)
    assert found.mean.shape == (1, 3)
    np.testing.assert_allclose(found.mean[0], by_hand(ds, 5, LinearRegression()), rtol=1e-10)


def test_the_recipe_stays_unfitted_and_one_will_do():
    prototype = KNeighborsClassifier(3)
    found = load_iris().cross_validate(
        5, prototype, lambda said, true: said.confusion_matrix(true).accuracy(), stratified=True
    )
    assert not hasattr(prototype, "classes_")
    assert found.mean.shape == (1,)
    assert found.mean[0] > 0.9


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_bits_on_any_number_of_threads(threads):
    recipes = [KMeans.params(n_clusters=k, random_state=0) for k in (2, 3, 5)]

    def spread(said, true):
        return float(np.bincount(said.targets) @ np.arange(1, 1 + said.targets.max() + 1))

    with clinfa.config_context(n_threads=threads):
        found = load_iris().cross_validate(6, recipes, spread, shuffled=True, random_state=3)
    with clinfa.config_context(n_threads=1):
        again = load_iris().cross_validate(6, recipes, spread, shuffled=True, random_state=3)
    np.testing.assert_array_equal(found.folds, again.folds)


def test_iter_fold():
    ds = load_iris().shuffle(1)
    pairs = list(ds.iter_fold(4, KMeans.params(n_clusters=3, random_state=0)))
    assert [len(valid) for _, valid in pairs] == [38, 38, 37, 37]
    for (model, valid), (train, same) in zip(pairs, ds.fold(4)):
        np.testing.assert_array_equal(valid.records, same.records)
        np.testing.assert_array_equal(
            model.cluster_centers_, KMeans(3, random_state=0).fit(train).cluster_centers_
        )
    assert [model for model, _ in ds.iter_fold(4, len)] == [112, 112, 113, 113]
    assert sorted(len(valid) for _, valid in ds.iter_fold(4, len, shuffled=True)) == [37, 37, 38, 38]


def test_what_fails_is_raised():
    ds = load_iris()
    with pytest.raises(ValueError, match="n_clusters"):
        ds.cross_validate(3, KMeans.params(n_clusters=0), lambda *_: 0.0)
    with pytest.raises(ZeroDivisionError):
        ds.cross_validate(3, KMeans.params(n_clusters=2), lambda *_: 1 / 0)
    with pytest.raises(ValueError, match="evaluate must return a number"):
        ds.cross_validate(3, KMeans.params(n_clusters=2), lambda *_: np.ones((2, 2)))
    with pytest.raises(ValueError, match="recipes is empty"):
        ds.cross_validate(3, [], lambda *_: 0.0)
    with pytest.raises(TypeError, match="recipe"):
        ds.cross_validate(3, ["KMeans"], lambda *_: 0.0)


def test_weights_are_not_dropped_silently():
    ds = load_iris()
    weighted = ds.with_weights(np.ones(150))
    with pytest.raises(TypeError, match="weight"):
        weighted.cross_validate(3, KNeighborsClassifier(), lambda *_: 0.0)
