"""Inside scikit-learn's own tools."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_clusterer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from clinfa.cluster import KMeans

X = np.random.RandomState(0).standard_normal((60, 3))
W = np.random.RandomState(1).uniform(0.1, 5, 60)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_pipeline():
    pipe = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    scaled = StandardScaler().fit_transform(X)
    alone = KMeans(3, random_state=0).fit(scaled)
    np.testing.assert_array_equal(pipe.predict(X), alone.labels_)
    np.testing.assert_array_equal(pipe.transform(X), alone.transform(scaled))
    assert pipe.score(X) == alone.score(scaled)
    assert is_clusterer(pipe)
    assert pipe[1:].get_feature_names_out(["a", "b", "c"]).tolist() == [
        "kmeans0",
        "kmeans1",
        "kmeans2",
    ]
    assert "KMeans" in pipe._repr_html_()
    check_is_fitted(pipe)


def test_pipeline_in_pandas():
    pipe = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).set_output(transform="pandas")
    assert pipe.fit_transform(X).columns.tolist() == ["kmeans0", "kmeans1", "kmeans2"]


def test_weights_by_the_name_of_the_step():
    pipe = Pipeline([("scale", StandardScaler()), ("km", KMeans(3, random_state=0))])
    pipe.fit(X, km__sample_weight=W)
    alone = KMeans(3, random_state=0).fit(StandardScaler().fit_transform(X), sample_weight=W)
    np.testing.assert_array_equal(pipe[-1].cluster_centers_, alone.cluster_centers_)


def test_grid_search():
    grid = GridSearchCV(
        KMeans(random_state=0), {"n_clusters": [2, 3, 5], "algorithm": ["lloyd", "elkan"]}, cv=3
    )
    grid.fit(X)
    assert grid.best_params_["n_clusters"] == 5
    assert grid.predict(X).shape == (60,)
    assert len(cross_val_score(KMeans(2), X)) == 5


def test_grid_search_in_processes():
    grid = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 3]}, cv=2, n_jobs=2).fit(X)
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()


def test_bad_value_in_a_grid_is_said():
    with pytest.raises(ValueError, match="'n_clusters' parameter of KMeans"):
        GridSearchCV(KMeans(), {"n_clusters": [0]}, error_score="raise").fit(X)


def test_union_clone_and_nested_parameters():
    union = FeatureUnion([("a", KMeans(2, random_state=0)), ("b", KMeans(3, random_state=0))])
    assert union.fit_transform(X).shape == (60, 5)
    again = clone(union).set_params(a__n_clusters=4)
    assert again.fit_transform(X).shape == (60, 7)
    assert union.get_params()["a__n_clusters"] == 2


def test_routing_in_a_pipeline(routing):
    model = KMeans(3, random_state=0).set_fit_request(sample_weight=True)
    pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
    pipe.fit(X, sample_weight=W)
    alone = KMeans(3, random_state=0).fit(StandardScaler().fit_transform(X), sample_weight=W)
    np.testing.assert_array_equal(pipe[-1].cluster_centers_, alone.cluster_centers_)


def test_routing_that_nobody_asked_for_is_an_error(routing):
    pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), KMeans(3))
    with pytest.raises(Exception, match=r"sample_weight.*not explicitly set"):
        pipe.fit(X, sample_weight=W)


def test_routing_by_another_name(routing):
    model = (
        KMeans(3, random_state=0).set_fit_request(sample_weight="mass").set_score_request(sample_weight=False)
    )
    grid = GridSearchCV(model, {"n_clusters": [3]}, cv=2).fit(X, mass=W)
    alone = KMeans(3, random_state=0).fit(X, sample_weight=W)
    np.testing.assert_array_equal(grid.best_estimator_.cluster_centers_, alone.cluster_centers_)


def test_requests_are_cloned_and_checked():
    model = KMeans().set_fit_request(sample_weight=True)
    request = clone(model).get_metadata_routing().fit.requests
    assert request == {"sample_weight": True}
    assert KMeans().get_metadata_routing().fit.requests == {"sample_weight": None}
    with pytest.raises(TypeError, match=r"Unexpected args.*nope"):
        model.set_fit_request(nope=True)


@pytest.mark.parametrize("bad", [3, 1.5, ["w"], "not an identifier"])
def test_bad_requests_are_refused(bad):
    with pytest.raises((ValueError, TypeError)):
        KMeans().set_fit_request(sample_weight=bad)
        KMeans().set_fit_request(sample_weight=bad).get_metadata_routing()
