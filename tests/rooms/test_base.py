"""Estimator and Params: parameters, how they show themselves, output forms."""

import copy
import pickle
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest

from clinfa import Params
from clinfa.cluster import KMeans
from clinfa.errors import InvalidParameterError, NotFittedError

X = np.random.RandomState(0).standard_normal((40, 3))


def test_constructor():
    assert KMeans(3).n_clusters == 3
    with pytest.raises(TypeError, match="positional"):
        KMeans(3, "random")
    with pytest.raises(TypeError, match="n_cluster"):
        KMeans(n_cluster=3)


def test_set_params():
    model = KMeans()
    assert model.set_params(n_clusters=2, tol=0.1) is model
    assert (model.n_clusters, model.tol) == (2, 0.1)
    with pytest.raises(
        ValueError,
        match=r"Invalid parameter 'nope' for estimator KMeans.*Valid parameters.*n_clusters",
    ):
        model.set_params(nope=1)
    with pytest.raises(ValueError, match="nope"):
        model.set_params(tol=0.5, nope=1)
    assert model.tol == 0.1
    with pytest.raises((ValueError, AttributeError), match="tol"):
        model.set_params(tol__inner=3)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (KMeans(), "KMeans()"),
        (KMeans(8), "KMeans()"),
        (KMeans(3, tol=0.0), "KMeans(n_clusters=3, tol=0.0)"),
        (KMeans(init=np.eye(2)), "KMeans(init=array([[1., 0.],\n       [0., 1.]]))"),
        (KMeans(init=np.zeros((50, 9))), "KMeans(init=an array of shape (50, 9))"),
        (KMeans(n_clusters=8.0), "KMeans(n_clusters=8.0)"),
        (KMeans(n_clusters=True), "KMeans(n_clusters=True)"),
    ],
)
def test_repr(model, text):
    assert repr(model) == text


@pytest.mark.parametrize("value", [np.nan, [], {}, object(), pd.DataFrame(X), "x" * 9999, np.array(["a"])])
def test_repr_of_anything(value):
    for model in (KMeans(init=value), KMeans(tol=value)):
        assert repr(model).startswith("KMeans(")
        assert len(repr(model)) < 300
        model._repr_html_()


def test_html_is_escaped():
    model = KMeans(init="<script>alert('&')</script>")
    assert "<script>" not in model._repr_html_()
    assert "&lt;script&gt;" in model._repr_html_()
    assert set(model._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_html_of_a_fitted_model():
    unfitted, fitted = KMeans(3)._repr_html_(), KMeans(3).fit(X)._repr_html_()
    assert "not fitted" in unfitted
    assert "not fitted" not in fitted
    assert "cluster_centers_" in fitted
    assert "float64 array of shape (3, 3)" in fitted


def test_fitted_attributes_appear_with_fit():
    model = KMeans(2)
    with pytest.raises(AttributeError):
        model.cluster_centers_
    assert not model.__sklearn_is_fitted__()
    model.fit(X)
    assert model.__sklearn_is_fitted__()
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("method", ["predict", "transform", "score", "get_feature_names_out"])
def test_unfitted(method):
    model = KMeans()
    with pytest.raises(NotFittedError):
        getattr(model, method)(*([] if "names" in method else [X]))


def test_failed_fit_leaves_nothing_or_the_old():
    model = KMeans(50)
    with pytest.raises(ValueError, match="n_samples=40"):
        model.fit(X)
    assert not model.__sklearn_is_fitted__()
    model.set_params(n_clusters=2).fit(X)
    before = model.cluster_centers_
    with pytest.raises(ValueError, match="n_samples=1"):
        model.fit(X[:1, :2])
    assert model.cluster_centers_ is before
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("form", ["arrow", "", 3, "DataFrame"])
def test_set_output_refuses(form):
    with pytest.raises(ValueError, match=r"default.*pandas.*polars"):
        KMeans().set_output(transform=form)


def test_set_output():
    model = KMeans(2, random_state=0).fit(X)
    plain = model.transform(X)
    assert model.set_output(transform="pandas") is model
    frame = pd.DataFrame(X, index=[f"r{i}" for i in range(40)])
    out = KMeans(2, random_state=0).set_output(transform="pandas").fit_transform(frame)
    assert out.index.equals(frame.index)
    assert out.columns.tolist() == ["kmeans0", "kmeans1"]
    np.testing.assert_array_equal(model.transform(X).to_numpy(), plain)
    assert isinstance(model.set_output(transform=None).transform(X), pd.DataFrame)
    assert isinstance(model.set_output(transform="polars").transform(X), pl.DataFrame)
    assert isinstance(model.set_output(transform="default").transform(X), np.ndarray)


class TestParams:
    def test_names_are_checked_at_once_and_values_by_check(self):
        with pytest.raises(TypeError, match="nope"):
            KMeans.params(nope=1)
        recipe = KMeans.params(n_clusters=0)
        with pytest.raises(InvalidParameterError, match="'n_clusters' parameter of KMeans"):
            recipe.check()
        with pytest.raises(InvalidParameterError):
            recipe.fit(X)
        good = KMeans.params(n_clusters=3)
        assert good.check() is good

    def test_immutable(self):
        recipe = KMeans.params(n_clusters=3)
        with pytest.raises(AttributeError, match="immutable"):
            recipe.n_clusters = 4
        with pytest.raises(AttributeError):
            recipe._params = {}
        with pytest.raises(AttributeError):
            del recipe._params
        given = {"n_clusters": 3}
        held = Params(KMeans, given)
        given["n_clusters"] = 5
        assert held.n_clusters == recipe.n_clusters == 3

    def test_reads_parameters(self):
        recipe = KMeans.params(n_clusters=3)
        assert recipe.tol == 1e-4
        with pytest.raises(AttributeError, match="no parameter 'nope'"):
            recipe.nope

    def test_every_fit_is_a_new_model(self):
        recipe = KMeans.params(n_clusters=3, random_state=0)
        one, two = recipe.fit(X), recipe.fit(X)
        assert one is not two
        np.testing.assert_array_equal(one.cluster_centers_, two.cluster_centers_)
        weighted = recipe.fit(X, sample_weight=np.arange(40.0))
        assert weighted.inertia_ != one.inertia_

    def test_a_random_state_object_is_shared_by_intent_only(self):
        """An array or a state inside a recipe is not changed by fitting a model from it twice."""
        start = X[:3].copy()
        recipe = KMeans.params(n_clusters=3, init=start)
        recipe.fit(X)
        np.testing.assert_array_equal(start, X[:3])

    def test_replace(self):
        recipe = KMeans.params(n_clusters=3)
        other = recipe.replace(tol=0.5, n_clusters=4)
        assert (other.n_clusters, other.tol, recipe.n_clusters) == (4, 0.5, 3)
        with pytest.raises(TypeError, match="nope"):
            recipe.replace(nope=1)

    def test_repr_equality_hash(self):
        assert repr(KMeans.params(n_clusters=3)) == "KMeans.params(n_clusters=3)"
        assert KMeans.params(n_clusters=3) == KMeans.params(n_clusters=3)
        assert KMeans.params(n_clusters=3) != KMeans.params(n_clusters=4)
        assert hash(KMeans.params(n_clusters=3)) == hash(KMeans.params(n_clusters=3))
        big = [KMeans.params(init=np.full((50, 3), v)) for v in (0.0, 1.0)]
        assert big[0] != big[1]

    @pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
    def test_copies(self, way):
        recipe = KMeans.params(n_clusters=3, random_state=0)
        again = way(recipe)
        assert again == recipe
        np.testing.assert_array_equal(again.fit(X).labels_, recipe.fit(X).labels_)

    def test_fit_with_needs_partial_fit(self):
        with pytest.raises(TypeError, match="KMeans cannot be fitted step by step"):
            KMeans.params(n_clusters=3).fit_with(None, X)

    def test_many_threads_fit_from_one(self):
        recipe, out = KMeans.params(n_clusters=3, random_state=0), []
        threads = [threading.Thread(target=lambda: out.append(recipe.fit(X))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({model.cluster_centers_.tobytes() for model in out}) == 1
        assert len({id(model) for model in out}) == 8
