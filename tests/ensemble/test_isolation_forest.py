"""Isolation forests: what must be true of scores, and that trees are scikit-learn's in law."""

import numpy as np
import pytest
import sklearn.ensemble as theirs

from clinfa import Dataset
from clinfa.ensemble import IsolationForest
from clinfa.errors import InvalidParameterError


def _cloud(n=300, d=3, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def test_planted_outliers_come_first():
    X = np.concatenate([_cloud(500), [[8.0, 0.0, 0.0], [0.0, -9.0, 0.0], [7.0, 7.0, 7.0]]])
    model = IsolationForest(random_state=0).fit(X)
    assert set(np.argsort(model.score_samples(X))[:3]) == {500, 501, 502}
    assert (model.predict(X[500:]) == -1).all()


def test_scores_by_hand():
    # Two records: every tree has one split, and both lie at depth 1 = c(2).
    model = IsolationForest(random_state=0).fit([[0.0], [1.0]])
    assert model.max_samples_ == 2
    assert model.score_samples([[0.0], [1.0], [50.0]]).tolist() == [-0.5] * 3
    # Of 0, 0 and 1 the first split parts 1 from the others: depths 1 and 1 + c(2) = 2, for c(3).
    model = IsolationForest(random_state=0).fit([[0.0], [0.0], [1.0]])
    usual = 2 * (np.log(2) + np.euler_gamma) - 4 / 3
    assert model.score_samples([[0.0], [1.0]]) == pytest.approx([-(2 ** (-2 / usual)), -(2 ** (-1 / usual))])


def test_one_record_and_equal_ones():
    one = IsolationForest(random_state=0).fit([[1.0, 2.0]])
    assert one.score_samples([[1.0, 2.0]]).tolist() == [-0.5]
    assert one.predict([[1.0, 2.0]]).tolist() == [1]
    equal = IsolationForest(random_state=0).fit(np.ones((50, 2)))
    assert equal.score_samples([[1.0, 1.0], [9.0, 9.0]]) == pytest.approx([-0.5, -0.5])
    assert all(tree.tree_.node_count == 1 for tree in equal.estimators_)


def test_uniform_records_have_usual_scores():
    X = np.random.default_rng(0).random((2000, 2))
    scores = IsolationForest(random_state=0).fit(X).score_samples(X)
    inside = (abs(X - 0.5) < 0.25).all(axis=1)
    assert (scores[inside] > -0.5).mean() > 0.95
    assert abs(np.median(scores) + 0.5) < 0.06


@pytest.mark.parametrize("contamination", [0.02, 0.1, 0.5])
def test_contamination_is_a_quantile(contamination):
    X = _cloud(200)
    model = IsolationForest(contamination=contamination, random_state=0).fit(X)
    assert model.offset_ == np.percentile(model.score_samples(X), 100 * contamination)
    assert (model.predict(X) == -1).sum() == round(200 * contamination)
    assert np.array_equal(model.predict(X), model.fit_predict(X))
    assert np.array_equal(model.decision_function(X), model.score_samples(X) - model.offset_)


@pytest.mark.parametrize(
    "params",
    [{}, {"max_samples": 64}, {"max_features": 2}, {"bootstrap": True, "max_samples": 16}],
    ids=["default", "samples", "columns", "bootstrap"],
)
def test_depths_are_scikit_learns_in_law(params):
    X = np.concatenate([_cloud(), [[5.0, 5.0, 5.0]]])
    trees = 400
    ours = IsolationForest(n_estimators=trees, random_state=0, **params).fit(X)
    other = theirs.IsolationForest(n_estimators=trees, random_state=0, **params).fit(X)
    assert ours.max_samples_ == other.max_samples_
    nodes = [[tree.tree_.node_count for tree in model.estimators_] for model in (ours, other)]
    spread = np.sqrt(sum(np.var(some) for some in nodes) / trees)
    if not params.get("bootstrap"):  # (a record drawn twice is two for us)
        assert abs(np.mean(nodes[0]) - np.mean(nodes[1])) < 5 * spread + 1e-9
    # A score's error: depths vary by about 2 from tree to tree, over c(256) = 10.2 or c(64) = 7.5.
    tolerance = 5 * np.log(2) * 0.6 * np.sqrt(2 / trees) * 2 / 7.5
    assert abs(ours.score_samples(X) - other.score_samples(X)).max() < tolerance
    assert abs((ours.score_samples(X) - other.score_samples(X)).mean()) < tolerance / 4


def test_gaps_are_scikit_learns_in_law():
    X = _cloud()
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    ours = IsolationForest(n_estimators=400, random_state=0).fit(X).score_samples(X)
    other = theirs.IsolationForest(n_estimators=400, random_state=0).fit(X).score_samples(X)
    assert abs(ours - other).max() < 5 * np.log(2) * 0.6 * np.sqrt(2 / 400) * 2 / 7.5


def test_trees_as_estimators():
    X = _cloud(100, 5)
    model = IsolationForest(n_estimators=7, max_features=2, random_state=0).fit(X)
    told = [
        tree.predict(X[:, columns])
        for tree, columns in zip(model.estimators_, model.estimators_features_, strict=True)
    ]
    usual = 2 * (np.log(99) + np.euler_gamma) - 2 * 99 / 100
    assert model.score_samples(X) == pytest.approx(-(2 ** (-np.mean(told, axis=0) / usual)), rel=1e-12)
    for tree, rows, columns in zip(
        model.estimators_, model.estimators_samples_, model.estimators_features_, strict=True
    ):
        counts = np.bincount(tree.apply(X[rows][:, columns]), minlength=tree.tree_.node_count)
        leaf = tree.tree_.children_left < 0
        assert np.array_equal(counts[leaf], tree.tree_.n_node_samples[leaf])


def test_warm_start_leads_to_the_same_forest():
    X = _cloud(80)
    grown = IsolationForest(n_estimators=4, random_state=3, warm_start=True, max_features=2).fit(X)
    grown.set_params(n_estimators=10).fit(X)
    at_once = IsolationForest(n_estimators=10, random_state=3, max_features=2).fit(X)
    assert np.array_equal(grown.score_samples(X), at_once.score_samples(X))
    assert all(map(np.array_equal, grown.estimators_samples_, at_once.estimators_samples_))
    with pytest.warns(UserWarning, match="does not fit new trees"):
        grown.fit(X)
    with pytest.raises(ValueError, match="n_estimators=3 must be larger"):
        grown.set_params(n_estimators=3).fit(X)
    with pytest.raises(ValueError, match="3 features"):
        grown.set_params(n_estimators=20).fit(X[:, :2])


def test_order_and_repetitions_make_no_difference():
    X, rng = _cloud(60), np.random.default_rng(5)
    weights = rng.integers(0, 4, 60)
    rows = rng.permutation(np.repeat(np.arange(60), weights))
    a = IsolationForest(random_state=0, max_samples=40).fit(X, sample_weight=weights)
    b = IsolationForest(random_state=0, max_samples=40).fit(X[rows])
    assert a.score_samples(X) == pytest.approx(b.score_samples(X), rel=1e-13)


def test_datasets():
    data = Dataset(_cloud(50), weights=np.arange(50.0))
    model = IsolationForest(random_state=0)
    assert np.array_equal(model.fit_predict(data).targets, model.predict(data.records))
    assert 0 not in set(np.concatenate(model.estimators_samples_))


def test_what_is_refused():
    X = _cloud(20)
    with pytest.warns(UserWarning, match=r"max_samples \(100\) is greater than the total"):
        assert IsolationForest(max_samples=100).fit(X).max_samples_ == 20
    with pytest.raises(ValueError, match="max_features must be <= n_features"):
        IsolationForest(max_features=4).fit(X)
    for bad in ({"contamination": 0.6}, {"max_samples": 0.0}, {"max_samples": "all"}, {"n_estimators": 0}):
        with pytest.raises(InvalidParameterError, match=next(iter(bad))):
            IsolationForest(**bad).fit(X)
