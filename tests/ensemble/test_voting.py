"""Votes: counted by hand, and as scikit-learn counts them."""

import numpy as np
import pandas as pd
import pytest
from sklearn import ensemble as theirs
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB as TheirNB
from sklearn.neighbors import KNeighborsClassifier as TheirKNN
from sklearn.neighbors import KNeighborsRegressor as TheirKNNRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from clinfa import Dataset, config_context
from clinfa.composing import ResidualChain
from clinfa.ensemble import VotingClassifier, VotingRegressor
from clinfa.errors import InvalidParameterError
from clinfa.naive_bayes import GaussianNB
from clinfa.neighbors import KNeighborsClassifier, KNeighborsRegressor
from clinfa.svm import LinearSVC

X, Y = load_iris(return_X_y=True)
DX, DY = load_diabetes(return_X_y=True)


class Says:
    """A classifier that has made up its mind."""

    def __init__(self, code=0, proba=None):
        self.code, self.proba = code, proba

    def get_params(self, deep=True):
        return {"code": self.code, "proba": self.proba}

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.code)

    def predict_proba(self, X):
        return np.tile(self.proba, (len(X), 1))

    _estimator_type = "classifier"


def said(codes, **how):
    parts = [(f"m{i}", Says(code)) for i, code in enumerate(codes)]
    return VotingClassifier(parts, **how).fit([[0.0], [1.0], [2.0]], ["a", "b", "c"]).predict([[9.0]])[0]


def test_most_votes_win_and_the_first_of_equals():
    assert said([2, 1, 2]) == "c"
    assert said([2, 1]) == "b"
    assert said([2, 1, 0]) == "a"


def test_votes_are_weighed():
    assert said([2, 1, 1], weights=[3, 1, 1]) == "c"
    assert said([2, 1, 1], weights=[2, 1, 1]) == "b"
    assert said([2, 1, 1], weights=[0, 0, 0.5]) == "b"


def test_soft_votes_are_mean_probabilities():
    parts = [("one", Says(proba=[0.6, 0.4])), ("two", Says(proba=[0.1, 0.9]))]
    model = VotingClassifier(parts, voting="soft", weights=[3, 1]).fit([[0.0], [1.0]], [5, 7])
    np.testing.assert_allclose(model.predict_proba([[3.0]]), [[0.475, 0.525]], rtol=1e-15)
    assert model.predict([[3.0]]) == [7]
    np.testing.assert_allclose(model.transform([[3.0]]), [[0.6, 0.4, 0.1, 0.9]])
    assert model.set_params(flatten_transform=False).transform([[3.0], [4.0]]).shape == (2, 2, 2)
    with pytest.raises(ValueError, match="flatten_transform"):
        model.get_feature_names_out()


def test_there_are_no_probabilities_of_hard_votes():
    model = VotingClassifier([("bayes", GaussianNB())]).fit(X, Y)
    with pytest.raises(AttributeError, match="voting='hard'"):
        model.predict_proba(X)
    assert hasattr(model.set_params(voting="soft"), "predict_proba")


def both(**how):
    parts = [("bayes", TheirNB()), ("near", TheirKNN()), ("far", TheirNB(var_smoothing=0.1))]
    return VotingClassifier(parts, **how).fit(X, Y), theirs.VotingClassifier(parts, **how).fit(X, Y)


@pytest.mark.parametrize("how", [{}, {"voting": "soft"}, {"weights": [1, 2, 1.5]}])
def test_as_scikit_learn(how):
    ours, reference = both(**how)
    np.testing.assert_array_equal(ours.predict(X), reference.predict(X))
    np.testing.assert_allclose(ours.transform(X), reference.transform(X), rtol=1e-12)
    assert ours.get_feature_names_out().tolist() == reference.get_feature_names_out().tolist()
    assert ours.get_params().keys() == reference.get_params().keys()


def test_regressors_as_scikit_learn():
    parts = [("line", LinearRegression()), ("near", TheirKNNRegressor())]
    for how in ({}, {"weights": [1, 3]}):
        ours = VotingRegressor(parts, **how).fit(DX, DY)
        reference = theirs.VotingRegressor(parts, **how).fit(DX, DY)
        np.testing.assert_allclose(ours.predict(DX), reference.predict(DX), rtol=1e-12)
        np.testing.assert_allclose(ours.transform(DX), reference.transform(DX), rtol=1e-12)
        assert ours.get_feature_names_out().tolist() == reference.get_feature_names_out().tolist()


def test_what_is_dropped_is_not_there():
    parts = [("bayes", GaussianNB()), ("near", KNeighborsClassifier()), ("line", LinearSVC())]
    model = VotingClassifier(parts, weights=[1, 5, 2]).set_params(near="drop").fit(X, Y)
    assert [type(m).__name__ for m in model.estimators_] == ["GaussianNB", "LinearSVC"]
    assert model.named_estimators_.near == "drop"
    assert model.get_feature_names_out().tolist() == ["votingclassifier_bayes", "votingclassifier_line"]
    rest = VotingClassifier([parts[0], parts[2]], weights=[1, 2]).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), rest.predict(X))


def test_parameters_by_name():
    model = VotingClassifier([("bayes", GaussianNB()), ("near", KNeighborsClassifier())])
    model.set_params(near__n_neighbors=3, bayes=GaussianNB(var_smoothing=0.5), weights=[1, 2])
    assert model.named_estimators.near.n_neighbors == 3
    assert model.get_params()["bayes__var_smoothing"] == 0.5
    assert model.weights == [1, 2]
    with pytest.raises(ValueError, match="Invalid parameter 'far'"):
        model.set_params(far__n_neighbors=3)
    with pytest.raises(ValueError, match="which has no parameters"):
        model.set_params(near="drop").set_params(near__n_neighbors=3)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], "non-empty list"),
        ([("a", GaussianNB()), ("a", GaussianNB())], "not unique"),
        ([("a__b", GaussianNB())], "must not contain __"),
        ([("weights", GaussianNB())], "conflict"),
        ([("a", "drop")], "dropped"),
        ([("a", KNeighborsRegressor())], "should be a classifier"),
        ([("a", GaussianNB)], "must be an estimator"),
        ([GaussianNB()], "non-empty list"),
    ],
)
def test_bad_lists(parts, words):
    with pytest.raises(ValueError, match=words):
        VotingClassifier(parts).fit(X, Y)


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [0, 0], [np.nan, 1], ["a", "b"]])
def test_bad_weights(weights):
    parts = [("bayes", GaussianNB()), ("near", KNeighborsClassifier())]
    with pytest.raises(ValueError, match="weights"):
        VotingClassifier(parts, weights=weights).fit(X, Y)


def test_nothing_is_made_of_nothing():
    with pytest.raises(InvalidParameterError, match="'estimators' parameter of VotingClassifier"):
        VotingClassifier().fit(X, Y)


def test_pipelines_see_the_columns_of_a_frame():
    frame = pd.DataFrame({"kind": np.array(["u", "v", "w"])[Y], "size": X[:, 0]})
    pipe = make_pipeline(make_column_transformer((OneHotEncoder(), ["kind"])), LogisticRegression())
    model = VotingClassifier([("pipe", pipe)]).fit(frame, Y)
    assert model.score(frame, Y) == 1
    assert model.n_features_in_ == 2


def test_recipes_and_datasets():
    data = Dataset(DX, DY, feature_names=[f"c{i}" for i in range(10)])
    parts = [
        ("near", KNeighborsRegressor.params(n_neighbors=9)),
        ("chain", ResidualChain(*near(5, 30), nu=0.5)),
    ]
    model = VotingRegressor(parts).fit(data)
    out = model.predict(data)
    assert isinstance(out, Dataset)
    np.testing.assert_array_equal(out.targets, model.predict(DX))
    assert model.feature_names_in_.tolist() == data.feature_names


def near(*counts):
    return [KNeighborsRegressor(k) for k in counts]


def test_weights_are_never_dropped():
    model = VotingClassifier([("bayes", GaussianNB()), ("near", KNeighborsClassifier())])
    with pytest.raises(TypeError, match="sample_weight"):
        model.fit(X, Y, sample_weight=np.ones(len(Y)))
    ours = VotingClassifier([("bayes", GaussianNB())]).fit(X, Y, sample_weight=1 + Y)
    np.testing.assert_array_equal(
        ours.estimators_[0].theta_, GaussianNB().fit(X, Y, sample_weight=1 + Y).theta_
    )


def test_any_number_of_classes():
    rng = np.random.RandomState(0)
    many = np.arange(3000) % 1500
    centres = rng.uniform(-100, 100, (1500, 3))[many]
    model = VotingClassifier([("near", TheirKNN(1)), ("also", TheirKNN(1))]).fit(centres, many)
    np.testing.assert_array_equal(model.predict(centres), many)


def test_scikit_learns_settings_reach_the_threads():
    import sklearn

    class Notes(GaussianNB):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(sklearn.get_config()["assume_finite"])
            return super().fit(X, y, sample_weight)

    seen, big = [], np.tile(X, (200, 1))
    parts = [(f"m{i}", Notes()) for i in range(4)]
    with config_context(n_threads=2), sklearn.config_context(assume_finite=True):
        VotingClassifier(parts).fit(big, np.tile(Y, 200))
    assert seen == [True] * 4
