"""Stacks: folds and finals as scikit-learn's, certificates of the finals, what goes between them."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import ensemble as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB as TheirNB
from sklearn.neighbors import KNeighborsClassifier as TheirKNN
from sklearn.neighbors import KNeighborsRegressor as TheirKNNRegressor
from sklearn.svm import LinearSVC as TheirLinearSVC

from clinfa.ensemble import StackingClassifier, StackingRegressor
from clinfa.ensemble._final import LogisticBlend, RidgeBlend
from clinfa.ensemble._folds import folds
from clinfa.errors import NotFittedError
from clinfa.naive_bayes import GaussianNB
from clinfa.neighbors import KNeighborsClassifier, KNeighborsRegressor
from clinfa.targets import read_labels

X, Y = load_iris(return_X_y=True)
CX, CY = load_breast_cancer(return_X_y=True)
CX /= CX.max(axis=0)
DX, DY = load_diabetes(return_X_y=True)
PARTS = [("bayes", TheirNB()), ("near", TheirKNN())]


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("y", [Y, CY, Y[::-1], np.array(list("zzaabbzzabab"))], ids=len)
def test_folds_are_scikit_learns(y, k):
    if np.unique(y, return_counts=True)[1].min() < k:
        k = 2
    labels = read_labels(y, "test")
    expected = list(StratifiedKFold(k).split(np.zeros((len(y), 1)), y))
    for (train, test), (their_train, their_test) in zip(
        folds(k, None, labels.codes, labels), expected, strict=True
    ):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(test, their_test)
    plain = folds(k, None, DY, None)
    for (_, test), (_, their_test) in zip(plain, KFold(k).split(DX), strict=True):
        np.testing.assert_array_equal(test, their_test)


def test_folds_of_rare_classes():
    labels = read_labels([0, 0, 0, 1], "test")
    with pytest.warns(UserWarning, match="only 1 members"):
        folds(3, None, labels.codes, labels)
    with pytest.raises(ValueError, match="n_splits=4"):
        folds(4, None, labels.codes, labels)
    with pytest.raises(ValueError, match="number of samples"):
        folds(9, None, np.zeros(4), None)
    for wrong in ([([0], [1])], [([0, 1], [2, 3]), ([2], [0, 1, 2])], [1, 2], [([0], [99])]):
        with pytest.raises(ValueError, match="cv"):
            folds(wrong, None, np.zeros(4), None)


@pytest.mark.parametrize("data", [(X, Y), (CX, CY)], ids=["iris", "cancer"])
@pytest.mark.parametrize("how", [{}, {"stack_method": "predict"}, {"cv": 3, "passthrough": True}])
def test_classifiers_as_scikit_learn(data, how):
    X, y = data
    final = LogisticRegression(max_iter=5000)
    ours = StackingClassifier(PARTS, final, **how).fit(X, y)
    reference = theirs.StackingClassifier(PARTS, final, **how).fit(X, y)
    np.testing.assert_allclose(ours.transform(X), reference.transform(X), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours.final_estimator_.coef_, reference.final_estimator_.coef_, rtol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), reference.predict(X))
    assert ours.get_feature_names_out().tolist() == reference.get_feature_names_out().tolist()
    assert ours.stack_method_ == reference.stack_method_


@pytest.mark.parametrize("how", [{}, {"passthrough": True, "cv": KFold(4, shuffle=True, random_state=0)}])
def test_regressors_as_scikit_learn(how):
    parts = [("line", LinearRegression()), ("near", TheirKNNRegressor())]
    for w in (None, np.linspace(0.5, 2, len(DY))):
        parts = parts[:1] if w is not None else parts
        ours = StackingRegressor(parts, **how).fit(DX, DY, sample_weight=w)
        weighted = {} if w is None else {"sample_weight": w}
        reference = theirs.StackingRegressor(parts, **how).fit(DX, DY, **weighted)
        np.testing.assert_allclose(ours.predict(DX), reference.predict(DX), rtol=1e-9)
        assert ours.final_estimator_.alpha_ == reference.final_estimator_.alpha_


def test_the_default_final_is_a_logistic_regression():
    exact = LogisticRegression(tol=1e-10, max_iter=10_000)
    ours = StackingClassifier(PARTS).fit(X, Y)
    reference = theirs.StackingClassifier(PARTS, exact).fit(X, Y)
    np.testing.assert_allclose(ours.predict_proba(X), reference.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(ours.decision_function(X), reference.decision_function(X), atol=1e-5)
    np.testing.assert_allclose(np.exp(ours.predict_log_proba(X)), ours.predict_proba(X), rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("data", [(X, Y), (CX, CY)], ids=["iris", "cancer"])
def test_logistic_certificate(data, weighted):
    """The slope of the penalised likelihood vanishes: it is concave, so that is its maximum."""
    X, y = data
    w = np.linspace(0.5, 2, len(y)) if weighted else np.ones(len(y))
    model = LogisticBlend().fit(X, y, sample_weight=w if weighted else None)
    P, hit = model.predict_proba(X), np.eye(len(model.classes_))[y]
    off = (hit - P)[:, 1:] if len(model.classes_) == 2 else hit - P
    np.testing.assert_allclose((off * w[:, None]).T @ X, model.coef_, atol=1e-7)
    np.testing.assert_allclose((off * w[:, None]).sum(axis=0), 0, atol=1e-7)


def test_ridge_leaves_each_record_out():
    """Fits without one record, one after another, give the errors that decide; then the weakest wins."""
    X, y = DX[:40, :3] * 10, DY[:40]
    errors = []
    for alpha in (0.1, 1.0, 10.0):
        miss = []
        for i in range(len(y)):
            rest = np.delete(np.arange(len(y)), i)
            middle, mean = X[rest].mean(axis=0), y[rest].mean()
            gram = (X[rest] - middle).T @ (X[rest] - middle) + alpha * np.eye(3)
            coef = np.linalg.solve(gram, (X[rest] - middle).T @ (y[rest] - mean))
            miss.append(y[i] - mean - (X[i] - middle) @ coef)
        errors.append(np.square(miss).sum())
    model = RidgeBlend().fit(X, y)
    assert model.alpha_ == [0.1, 1.0, 10.0][int(np.argmin(errors))]
    reference = RidgeCV(alphas=(0.1, 1.0, 10.0)).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-10)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, rtol=1e-10)


def test_models_that_are_fitted_already():
    parts = [("bayes", TheirNB().fit(X, Y)), ("near", KNeighborsClassifier().fit(X, Y))]
    ours = StackingClassifier(parts, cv="prefit").fit(X, Y)
    assert [model for _, model in parts] == ours.estimators_
    assert ours.score(X, Y) > 0.95
    with pytest.raises(NotFittedError, match="'new' in 'estimators'"):
        StackingClassifier([("new", GaussianNB())], cv="prefit").fit(X, Y)


def test_models_of_words_that_are_fitted_already():
    words = np.array(["few", "more", "most"])[Y]
    parts = [("line", TheirLinearSVC(random_state=0).fit(X, words)), ("bayes", GaussianNB().fit(X, words))]
    ours = StackingClassifier(parts, cv="prefit", stack_method="predict").fit(X, words)
    assert set(np.unique(ours.transform(X))) == {0, 1, 2}
    assert ours.score(X, words) > 0.95


def test_a_class_that_a_fold_has_not_met():
    y = np.r_[np.zeros(5, int), np.ones(5, int), 2]
    records = np.random.RandomState(0).standard_normal((11, 2)) + y[:, None] * 5
    with pytest.warns(UserWarning, match="least populated"):
        model = StackingClassifier([("bayes", TheirNB()), ("near", TheirKNN(1))]).fit(records, y)
    assert model.transform(records).shape == (11, 6)
    assert np.isfinite(model.predict_proba(records)).all()


def test_sparse_records_pass_through():
    dense = np.where(X > 3, X, 0)
    parts = [("near", KNeighborsClassifier())]
    ours = StackingClassifier(parts, passthrough=True).fit(sp.csr_array(dense), Y)
    out = ours.transform(sp.csr_array(dense))
    assert sp.issparse(out)
    plain = StackingClassifier(parts, passthrough=True).fit(dense, Y)
    np.testing.assert_allclose(out.toarray(), plain.transform(dense), rtol=1e-12)
    np.testing.assert_allclose(ours.predict_proba(sp.csr_array(dense)), plain.predict_proba(dense), rtol=1e-6)


def test_final_methods_follow_the_final_estimator():
    stack = StackingClassifier(PARTS, TheirLinearSVC())
    assert not hasattr(stack, "predict_proba")
    assert hasattr(stack.fit(X, Y), "decision_function")
    assert not hasattr(StackingClassifier(PARTS, GaussianNB()).fit(X, Y), "decision_function")


def test_what_is_refused():
    with pytest.raises(ValueError, match="'final_estimator' parameter should be a classifier"):
        StackingClassifier(PARTS, KNeighborsRegressor()).fit(X, Y)
    with pytest.raises(ValueError, match="does not implement the method decision_function"):
        StackingClassifier(PARTS, stack_method="decision_function").fit(X, Y)
    with pytest.raises(ValueError, match="should be a regressor"):
        StackingRegressor([("bayes", GaussianNB())]).fit(DX, DY)


def test_what_was_dropped_leaves_no_column():
    parts = [*PARTS, ("line", LogisticRegression())]
    model = StackingClassifier(parts).set_params(near="drop", line="drop").fit(CX, CY)
    assert model.transform(CX).shape == (len(CX), 1)
    assert model.get_feature_names_out().tolist() == ["stackingclassifier_bayes"]
    assert model.named_estimators_.near == "drop"
