"""SAMME: rounds by hand, what must be true of them, and scikit-learn's numbers."""

import numpy as np
import pytest
import sklearn.ensemble as theirs
import sklearn.naive_bayes
import sklearn.tree

from clinfa import Dataset
from clinfa.datasets import load_iris
from clinfa.ensemble import AdaBoostClassifier
from clinfa.naive_bayes import GaussianNB
from clinfa.neighbors import KNeighborsClassifier
from clinfa.tree import DecisionTreeClassifier


def _problem(n=500, d=6, k=2, seed=0):
    """Records without ties that no stump parts."""
    rng = np.random.default_rng(seed)
    X = (
        rng.standard_normal((n, d)).astype(np.float32).astype(np.float64)
    )  # (scikit-learn's trees see float32)
    return X, np.digitize((X[:, :3] ** 2).sum(axis=1), [2.4, 4.1][: k - 1])


TREES = {
    "stump": {"max_depth": 1},
    "entropy": {"max_depth": 1, "criterion": "entropy"},
    "deep": {"max_depth": 3, "min_samples_leaf": 25},
    "leaves": {"max_depth": 1, "min_samples_leaf": 40},
}


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_rounds_are_scikit_learns(k, tree):
    X, y = _problem(k=k)
    w = np.random.default_rng(1).random(len(X))
    given = {"n_estimators": 30, "learning_rate": 0.7}
    ours = AdaBoostClassifier(DecisionTreeClassifier(**tree), **given).fit(X, y, w)
    other = theirs.AdaBoostClassifier(sklearn.tree.DecisionTreeClassifier(**tree), **given).fit(X, y, w)
    assert len(ours.estimators_) == len(other.estimators_)
    for name in ("estimator_errors_", "estimator_weights_", "feature_importances_"):
        assert getattr(ours, name) == pytest.approx(getattr(other, name), rel=1e-10, abs=1e-12), name
    assert ours.decision_function(X) == pytest.approx(other.decision_function(X), rel=1e-10, abs=1e-12)
    assert ours.predict_proba(X) == pytest.approx(other.predict_proba(X), rel=1e-10)
    for a, b in zip(ours.staged_decision_function(X), other.staged_decision_function(X), strict=True):
        assert a == pytest.approx(b, rel=1e-10, abs=1e-12)
    assert list(ours.staged_score(X, y, w)) == pytest.approx(list(other.staged_score(X, y, w)), rel=1e-12)


def test_one_round_by_hand():
    # The stump 0 0 | 1 1 1 errs on the third of five records.
    X, y = np.arange(5.0)[:, None], np.array([0, 0, 1, 0, 1])
    stump = DecisionTreeClassifier(max_depth=1)
    model = AdaBoostClassifier(stump, n_estimators=1).fit(X, y)
    assert model.estimators_[0].tree_.threshold[0] == 1.5
    assert model.estimator_errors_[0] == pytest.approx(1 / 5)
    assert model.estimator_weights_[0] == pytest.approx(np.log(4))
    assert model.decision_function([[0.0], [4.0]]).tolist() == [-2.0, 2.0]
    # Then it weighs as much as all others together: 1/8 1/8 1/8 1/2 1/8, and the best cut is at 3.5.
    second = AdaBoostClassifier(stump, n_estimators=2).fit(X, y)
    assert second.estimators_[1].tree_.threshold[0] == 3.5
    assert second.estimator_errors_[1] == pytest.approx(1 / 8)


@pytest.mark.parametrize("learner", [GaussianNB(), sklearn.naive_bayes.GaussianNB()], ids=["ours", "theirs"])
def test_any_classifier(learner):
    X, y = _problem(k=3)
    labels = np.array(["c", "a", "b"])[y]
    model = AdaBoostClassifier(learner, n_estimators=5).fit(X, labels)
    other = theirs.AdaBoostClassifier(sklearn.naive_bayes.GaussianNB(), n_estimators=5).fit(X, labels)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.estimator_errors_ == pytest.approx(other.estimator_errors_, rel=1e-9)
    assert np.array_equal(model.predict(X), other.predict(X))
    assert all(len(est.classes_) == 3 for est in model.estimators_)
    with pytest.raises(AttributeError, match="feature_importances_"):
        _ = model.feature_importances_


def test_stumps_are_what_growing_trees_leads_to():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 30, (400, 4)).astype(float), rng.integers(0, 2, 400)
    X[rng.random(X.shape) < 0.1] = np.nan
    fast = AdaBoostClassifier(n_estimators=20).fit(X, y)
    # (So many leaves are no limit, but are no plain stump either.)
    grown = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1, max_leaf_nodes=9), n_estimators=20)
    grown.fit(X, y)
    assert fast.estimator_errors_ == pytest.approx(grown.estimator_errors_, rel=1e-10)
    for a, b in zip(fast.estimators_, grown.estimators_, strict=True):
        assert a.tree_.feature[0] == b.tree_.feature[0]
        assert a.tree_.threshold[0] == b.tree_.threshold[0]
        assert np.array_equal(a.tree_.missing_go_to_left, b.tree_.missing_go_to_left)


def test_each_model_errs_on_half_of_the_new_weights():
    # What SAMME with two classes is built on: under the weights after a round its model is worth nothing.
    X, y = _problem()
    model = AdaBoostClassifier(n_estimators=8).fit(X, y)
    w = np.full(len(X), 1 / len(X))
    for est, alpha, error in zip(
        model.estimators_, model.estimator_weights_, model.estimator_errors_, strict=True
    ):
        wrong = est.predict(X) != y
        assert w[wrong].sum() == pytest.approx(error, rel=1e-12)
        w *= np.exp(alpha * wrong)
        w /= w.sum()
        assert w[wrong].sum() == pytest.approx(0.5)


def test_training_error_is_below_its_bound():
    # Freund and Schapire: at most the product of 2 sqrt(e (1 - e)).
    X, y = _problem(n=2000)
    model = AdaBoostClassifier(n_estimators=60).fit(X, y)
    bound = np.prod(2 * np.sqrt(model.estimator_errors_ * (1 - model.estimator_errors_)))
    assert 1 - model.score(X, y) <= bound < 0.6


def test_a_perfect_model_ends_it():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 0, 1])
    model = AdaBoostClassifier().fit(X, y)
    assert len(model.estimators_) == 1
    assert model.estimator_weights_.tolist() == [1.0] + [0.0] * 49
    assert model.estimator_errors_.tolist() == [0.0] + [1.0] * 49
    assert model.predict(X).tolist() == [0, 0, 1]


def test_no_better_than_chance_ends_it():
    X, y = np.ones((4, 1)), np.array([0, 1, 0, 1])
    with pytest.raises(ValueError, match="worse than random"):
        AdaBoostClassifier().fit(X, y)


def test_one_class():
    model = AdaBoostClassifier().fit([[0.0], [1.0]], ["a", "a"])
    assert model.predict([[5.0]]).tolist() == ["a"]
    assert model.predict_proba([[5.0]]).tolist() == [[1.0]]
    assert model.decision_function([[5.0]]).tolist() == [[0.0]]


def test_weights_that_overflow_end_it():
    X, y = _problem()
    with pytest.warns(UserWarning, match="infinite values"):
        AdaBoostClassifier(learning_rate=1e4, n_estimators=30).fit(X, y)


def test_records_without_weight_are_not_there():
    X, y = _problem()
    w = (np.arange(len(X)) % 3 > 0).astype(float)
    a = AdaBoostClassifier(n_estimators=10).fit(X, y, w)
    b = AdaBoostClassifier(n_estimators=10).fit(X[w > 0], y[w > 0])
    assert np.array_equal(a.estimator_errors_, b.estimator_errors_)


def test_class_weights_of_the_tree_count():
    X, y = _problem()
    tree = {"max_depth": 1, "class_weight": {0: 5.0, 1: 1.0}}
    ours = AdaBoostClassifier(DecisionTreeClassifier(**tree), n_estimators=1).fit(X, y)
    other = theirs.AdaBoostClassifier(sklearn.tree.DecisionTreeClassifier(**tree), n_estimators=1).fit(X, y)
    assert ours.estimator_errors_ == pytest.approx(other.estimator_errors_)


def test_what_cannot_be_weighted_is_refused():
    with pytest.raises(ValueError, match="KNeighborsClassifier doesn't support sample_weight"):
        AdaBoostClassifier(KNeighborsClassifier()).fit(*_problem())


def test_recipes_and_datasets():
    iris = load_iris()
    model = AdaBoostClassifier(DecisionTreeClassifier.params(max_depth=2), n_estimators=5).fit(iris)
    assert np.array_equal(model.predict(iris).targets, model.predict(iris.records))
    assert list(model.staged_score(iris))[-1] == model.score(iris)
    weighted = Dataset(iris.records, iris.targets, weights=np.arange(150.0))
    assert list(model.staged_score(weighted))[-1] == pytest.approx(model.score(weighted))


def test_reports(caplog):
    with caplog.at_level("INFO", "clinfa"):
        AdaBoostClassifier(n_estimators=3, verbose=1).fit(*_problem())
    assert [text.split(",")[0] for text in caplog.messages] == [
        f"AdaBoostClassifier: round {i} of 3" for i in (1, 2, 3)
    ]
