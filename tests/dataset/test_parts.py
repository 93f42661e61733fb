"""Rows and features of a dataset: what is taken, what is shared, and that weights and names come along."""

import itertools

import numpy as np
import pandas as pd
import pytest

from clinfa import Dataset
from clinfa.datasets import load_iris, load_linnerud
from tests.dataset.containers import CONTAINERS, NAMES, W, X, Y, values


@pytest.fixture(params=CONTAINERS)
def ds(request):
    return Dataset(CONTAINERS[request.param](), Y, W, NAMES, ["kind"], ["x", "y", "z"])


def same(part, which, features=slice(None)):
    """Records, targets, weights and names are those of the rows and features in question."""
    np.testing.assert_array_equal(values(part.records), X[which][:, features])
    np.testing.assert_array_equal(part.targets, Y[which])
    np.testing.assert_array_equal(part.weights, W[which])
    assert part.feature_names == list(np.array(NAMES)[features])
    assert part.target_names == ["kind"]
    assert part.class_names == ["x", "y", "z"]


def test_take(ds):
    same(ds.take(slice(2, 5)), slice(2, 5))
    same(ds.take(slice(7, 2)), slice(7, 2))
    same(ds.take(slice(None, None, 3)), slice(None, None, 3))
    same(ds.take(slice(-3, None)), slice(-3, None))
    same(ds.take([4, 4, 0]), [4, 4, 0])
    same(ds.take([-1]), [-1])
    same(ds.take(Y == 2), Y == 2)
    same(ds.take([]), [])


def test_a_slice_of_an_array_is_a_view():
    ds = Dataset(X, Y, W)
    part = ds.take(slice(2, 5))
    for name in ("records", "targets", "weights"):
        assert np.shares_memory(getattr(part, name), getattr(ds, name))
    assert np.shares_memory(ds.take_features([1, 2]).records, X)


@pytest.mark.parametrize(
    ("which", "text"),
    [
        ([10], "outside of the 10"),
        ([-11], "outside of the 10"),
        ([0.5], "row numbers"),
        ([[1, 2]], "column of row numbers"),
        (np.ones(9, bool), "10 records"),
        (["a"], "row numbers"),
    ],
)
def test_take_refuses(which, text):
    with pytest.raises(ValueError, match=text):
        Dataset(X).take(which)


def test_take_features(ds):
    same(ds.take_features([2, 0]), slice(None), [2, 0])
    same(ds.take_features(["b"]), slice(None), [1])
    for wrong in (["d"], [3], [-1]):
        with pytest.raises(ValueError, match="no feature"):
            ds.take_features(wrong)


def test_with_labels(ds):
    same(ds.with_labels([2, 1]), (Y == 1) | (Y == 2))
    assert len(ds.with_labels([9])) == 0
    two = Dataset(X, np.c_[Y, Y[::-1]])
    kept = two.with_labels([2])
    np.testing.assert_array_equal(kept.records, X[(Y == 2) | (Y[::-1] == 2)])


def test_iteration(ds):
    samples = list(ds.sample_iter())
    assert len(samples) == 10
    for i, (record, target) in enumerate(samples):
        np.testing.assert_array_equal(record, X[i])
        assert target == Y[i]
    for j, one in enumerate(ds.feature_iter()):
        same(one, slice(None), [j])
    assert [t for _, t in Dataset(X).sample_iter()] == [None] * 10


def test_target_iteration_keeps_names_and_kinds():
    linnerud = load_linnerud()
    targets = list(linnerud.target_iter())
    assert [one.target_names for one in targets] == [["Weight"], ["Waist"], ["Pulse"]]
    for j, one in enumerate(targets):
        assert one.targets.shape == (20,)
        np.testing.assert_array_equal(one.targets, linnerud.targets[:, j])
        assert one.feature_names == list(linnerud.feature_names)
    (only,) = Dataset(X, Y, target_names=["kind"]).target_iter()
    assert only.target_names == ["kind"]


def test_chunks(ds):
    assert [len(chunk) for chunk in ds.sample_chunks(4)] == [4, 4, 2]
    assert [len(chunk) for chunk in ds.sample_chunks(4, drop_last=True)] == [4, 4]
    assert [len(chunk) for chunk in ds.sample_chunks(99)] == [10]
    same(ds.sample_chunks(4)[-1], slice(8, 10))
    with pytest.raises(ValueError, match="'size' parameter"):
        ds.sample_chunks(0)


@pytest.mark.parametrize(
    ("n", "ratio", "first"), [(50, 0.25, 13), (100, 0.07, 7), (10, 0, 0), (10, 1, 10), (3, 0.5, 2)]
)
def test_the_first_part_is_rounded_up(n, ratio, first):
    one, two = Dataset(np.arange(n)[:, None]).split_with_ratio(ratio)
    assert (len(one), len(two)) == (first, n - first)


def test_split(ds):
    one, two = ds.split_with_ratio(0.35)
    same(one, slice(0, 4))
    same(two, slice(4, 10))
    one, two = ds.split_with_ratio(0.5, shuffled=True, random_state=3)
    ids = np.r_[values(one.records)[:, 0], values(two.records)[:, 0]] / 3
    assert sorted(ids) == list(range(10))
    same(one, ids[:5].astype(int))
    for wrong in (-0.1, 1.1, "half", None):
        with pytest.raises(ValueError, match=r"'ratio'.*\[0, 1\]"):
            ds.split_with_ratio(wrong)
    for name in ("shuffled", "stratified"):
        with pytest.raises(ValueError, match=f"'{name}' parameter"):
            ds.split_with_ratio(0.5, **{name: 1})


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.77])
def test_a_stratified_split_gives_each_label_its_share(ratio, shuffled):
    y = np.repeat([3, 1, 7], [50, 31, 19])[np.random.default_rng(8).permutation(100)]
    ds = Dataset(np.arange(100)[:, None], y)
    one, two = ds.split_with_ratio(ratio, stratified=True, shuffled=shuffled, random_state=5)
    assert len(one) == int(np.ceil(100 * ratio))
    assert sorted(np.r_[one.records[:, 0], two.records[:, 0]]) == list(range(100))
    for label, count in ((3, 50), (1, 31), (7, 19)):
        assert abs((one.targets == label).sum() - ratio * count) < 1.0 + 1e-9


def test_shuffle(ds):
    one = ds.shuffle(7)
    order = (values(one.records)[:, 0] / 3).astype(int)
    assert sorted(order) == list(range(10))
    assert order.tolist() != list(range(10))
    same(one, order)
    np.testing.assert_array_equal(values(ds.shuffle(7).records), values(one.records))


def test_bootstrap(ds):
    for drawn, which, features in ds.bootstrap(7, 2, random_state=4, times=20, indices=True):
        assert len(which) == 7
        assert len(features) == 2
        same(drawn, which, features)
    assert len(list(ds.bootstrap_samples(4, 0, times=3))) == 3
    assert next(ds.bootstrap_samples(40, 0)).n_samples == 40
    drawn, which, features = next(ds.bootstrap_features(5, 1, indices=True))
    assert which is None
    same(drawn, slice(None), features)


def test_bootstrap_draws_everything_alike():
    counts = np.zeros(10)
    for drawn in Dataset(np.arange(10)[:, None]).bootstrap_samples(10, 1, times=2000):
        counts += np.bincount(drawn.records[:, 0], minlength=10)
    # 20000 draws, 10 values: the standard deviation of a count is sqrt(20000 * 0.09) = 42
    assert np.abs(counts - 2000).max() < 5 * 42.5


def test_bootstrap_goes_on_without_end_and_takes_generators():
    ds = Dataset(X, Y)
    for source in (0, np.random.default_rng(0), np.random.RandomState(0), None):
        assert len(list(itertools.islice(ds.bootstrap(3, 2, source), 50))) == 50
    for how in ({"n_samples": 0}, {"n_features": -1}, {"times": -1}, {"n_samples": 2.5}):
        with pytest.raises(ValueError, match=f"'{next(iter(how))}' parameter"):
            ds.bootstrap(**how)
    with pytest.raises(ValueError, match="no records"):
        Dataset(X[:0]).bootstrap(3)


def test_map_targets(ds):
    mapped = ds.map_targets({0: "none", 1: "one", 2: "two"})
    assert mapped.targets.tolist() == [["none", "one", "two"][y] for y in Y]
    assert mapped.target_names == ["kind"]
    assert mapped.weights is ds.weights
    assert ds.map_targets(lambda y: y > 0).targets.dtype == bool
    two = Dataset(X, np.c_[Y, Y]).map_targets(lambda y: y + 0.5)
    np.testing.assert_array_equal(two.targets, np.c_[Y, Y] + 0.5)
    with pytest.raises(KeyError):
        ds.map_targets({0: "none"})
    assert len(Dataset(X[:0], Y[:0]).map_targets(lambda y: y).targets) == 0
    with pytest.raises(ValueError, match="no targets"):
        Dataset(X).map_targets(abs)
    with pytest.raises(ValueError, match="several types"):
        Dataset(X[:2], np.array(["a", None], object)).map_targets(str)


def test_into_single_target():
    ds = Dataset(X, Y[:, None], W, NAMES, ["kind"]).into_single_target()
    assert ds.targets.shape == (10,)
    assert ds.weights is not None
    assert ds.feature_names == NAMES
    assert ds.target_names == ["kind"]
    for wrong in (Dataset(X), Dataset(X, np.c_[Y, Y])):
        with pytest.raises(ValueError, match="one target"):
            wrong.into_single_target()


def test_one_vs_all(ds):
    pairs = list(ds.one_vs_all())
    assert [label for _, label in pairs] == [0, 1, 2]
    for one, label in pairs:
        assert one.records is ds.records
        assert one.weights is ds.weights
        assert one.feature_names == NAMES
        assert one.target_names == ["kind"]
        assert one.targets.dtype == bool
        np.testing.assert_array_equal(one.targets, label == Y)
    words = Dataset(X, np.array(["z", "y"] * 5)).one_vs_all()
    assert [label for _, label in words] == ["y", "z"]
    assert len(words) == 2


def test_one_vs_all_needs_labels_of_one_target():
    for wrong, text in (
        (Dataset(X), "one target, got 0"),
        (Dataset(X, np.c_[Y, Y]), "one target, got 2"),
        (Dataset(X, Y + 0.5), "Unknown label type"),
    ):
        with pytest.raises(ValueError, match=text):
            wrong.one_vs_all()


def test_labels_and_frequencies():
    ds = Dataset(X, Y, W)
    assert ds.labels().tolist() == [0, 1, 2]
    assert ds.label_count() == [{0: 5, 1: 3, 2: 2}]
    # rows 0 3 6 8 9 / 1 4 7 / 2 5, whose weights are their numbers plus 1
    assert ds.label_frequencies() == {0: 31.0, 1: 15.0, 2: 9.0}
    assert ds.frequencies().tolist() == [31.0, 15.0, 9.0]
    mask = np.arange(10) < 4
    assert ds.label_frequencies(mask) == {0: 5.0, 1: 2.0, 2: 3.0}
    assert Dataset(X, Y).frequencies().tolist() == [5.0, 3.0, 2.0]
    two = Dataset(X, np.c_[Y, np.full(10, 7)], W)
    assert two.labels().tolist() == [0, 1, 2, 7]
    assert two.label_count() == [{0: 5, 1: 3, 2: 2}, {7: 10}]
    assert two.label_frequencies() == {0: 31.0, 1: 15.0, 2: 9.0, 7: 55.0}
    for wrong in (np.ones(9, bool), np.ones(10)):
        with pytest.raises(ValueError, match="mask"):
            ds.frequencies(wrong)


def test_kinds_of_targets():
    kinds = {
        "label": [Y, Y.astype(np.int8), Y > 1, Y.astype(str), np.array(["a"] * 10, object)],
        "float": [Y * 1.5, (Y * 1.0).astype(np.float32)],
    }
    for kind, examples in kinds.items():
        for targets in examples:
            assert Dataset(X, targets).target_kind == kind
    assert Dataset(X).target_kind is None
    assert Dataset(X, pd.Series(Y)).target_kind == "label"


def test_copy_shares_nothing(ds):
    again = ds.copy()
    same(again, slice(None))
    if isinstance(ds.records, np.ndarray):
        assert not np.shares_memory(again.records, ds.records)
    assert not np.shares_memory(again.targets, ds.targets)


def test_weight_for():
    assert Dataset(X, weights=W).weight_for(3) == 4.0
    assert Dataset(X).weight_for(3) == 1.0


def test_derived_from_a_shipped_table():
    """What is cut from a shipped table keeps the names of columns and classes."""
    train, _ = load_iris().fold(5)[0]
    assert train.target_names == ["target"]
    assert list(train.class_names) == ["setosa", "versicolor", "virginica"]
