"""fit_copy and predict_on: what is fitted is a copy, weights arrive or are refused, Datasets come back."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clinfa import Dataset
from clinfa.cluster import KMeans, MiniBatchKMeans
from clinfa.recipes import fit_copy, predict_on, unfitted_copy

X = np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [11.0]])
Y = np.array([0, 0, 0, 1, 1, 1])
W = np.array([1.0, 2.0, 0.0, 1.0, 1.0, 3.0])


def vanilla(value):
    """What a comparison by == understands."""
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(value).items()}


@pytest.mark.parametrize(
    "recipe",
    [
        KMeans.params(n_clusters=2, random_state=0),
        KMeans(2, random_state=0),
        KMeans(1).fit(X[:3]).set_params(n_clusters=2, random_state=0),
        TheirKMeans(2, random_state=0),
        TheirKMeans(1).fit(X[:3]).set_params(n_clusters=2, random_state=0),
    ],
    ids=["params", "estimator", "fitted", "theirs", "theirs-fitted"],
)
def test_a_copy_is_fitted(recipe):
    before = None if hasattr(recipe, "replace") else vanilla(recipe)
    one, two = fit_copy(recipe, X), fit_copy(recipe, X, sample_weight=W)
    assert one is not two
    assert sorted(one.cluster_centers_.ravel().tolist()) == [1.0, 10.0]
    # (0 + 2 * 1) / 3 and (9 + 10 + 3 * 11) / 5
    np.testing.assert_allclose(sorted(two.cluster_centers_.ravel()), [2 / 3, 52 / 5], rtol=1e-14)
    if before is not None:
        assert vanilla(recipe) == before
        assert isinstance(one, type(recipe))


def test_values_of_parameters_are_copied():
    start = np.array([[0.0], [10.0]])
    rng = np.random.RandomState(3)
    recipe = KMeans(2, init=start, random_state=rng)
    copy = unfitted_copy(recipe)
    assert copy.init is not start
    assert copy.random_state is not rng
    assert fit_copy(recipe, X).cluster_centers_.tolist() == [[1.0], [10.0]]
    assert np.random.RandomState(3).random_sample() == rng.random_sample()


def test_settings_beside_the_parameters_are_kept():
    recipe = KMeans(2).set_output(transform="pandas").set_fit_request(sample_weight=True)
    copy = unfitted_copy(recipe.fit(X))
    assert isinstance(copy.fit(X).transform(X), pd.DataFrame)
    assert copy.get_metadata_routing().fit.requests == {"sample_weight": True}
    copy.set_fit_request(sample_weight=False)
    assert recipe.get_metadata_routing().fit.requests == {"sample_weight": True}


def test_a_pipeline_of_both_houses():
    recipe = make_pipeline(StandardScaler(), KMeans(2, random_state=0))
    model = fit_copy(recipe, Dataset(X))
    assert model.n_features_in_ == 1
    assert not hasattr(recipe[-1], "labels_")


@pytest.mark.parametrize("own", [True, False], ids=["clinfa", "sklearn"])
def test_a_dataset_brings_its_targets_and_weights(own):
    recipe = KMeans(1) if own else TheirKMeans(1)
    weighted = fit_copy(recipe, Dataset(X, Y, W))
    np.testing.assert_allclose(weighted.cluster_centers_, [[W @ X[:, 0] / W.sum()]], rtol=1e-14)
    other = fit_copy(recipe, Dataset(X, Y, W), sample_weight=np.ones(6))
    np.testing.assert_allclose(other.cluster_centers_, [[X.mean()]], rtol=1e-14)


def test_targets():
    data = Dataset(X, 2 * X[:, 0] + 1)
    np.testing.assert_allclose(fit_copy(LinearRegression(), data).coef_, [2.0], rtol=1e-12)
    np.testing.assert_allclose(fit_copy(LinearRegression(), data, X[:, 0]).coef_, [1.0], rtol=1e-12)


def test_weights_are_never_dropped():
    with pytest.raises(TypeError, match=r"KNeighborsClassifier\.fit takes no sample_weight.*with_weights"):
        fit_copy(KNeighborsClassifier(), Dataset(X, Y, W))
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    with pytest.raises(TypeError, match=r"Pipeline\.fit takes no sample_weight"):
        fit_copy(pipe, X, Y, W)
    assert fit_copy(KNeighborsClassifier(1), Dataset(X, Y, W).with_weights(None)).n_samples_fit_ == 6


def test_weights_go_through_a_pipeline_with_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        steps = StandardScaler().set_fit_request(sample_weight=False), LinearRegression()
        pipe = make_pipeline(steps[0], steps[1].set_fit_request(sample_weight=True))
        y = np.array([0.0, 1.0, 7.0, 9.0, 10.0, 11.0])  # only the row of weight zero is off the line
        assert fit_copy(pipe, Dataset(X, y, W)).predict([[5.0]]) == pytest.approx(5.0, rel=1e-12)
        assert fit_copy(pipe, Dataset(X, y)).predict([[5.0]]) != pytest.approx(5.0, rel=1e-3)


@pytest.mark.parametrize("wrong", [None, 3, "KMeans", [KMeans(2)], object(), np.ones(3)])
def test_not_a_recipe(wrong):
    with pytest.raises(TypeError, match="recipe must be an estimator"):
        fit_copy(wrong, X)


@pytest.mark.parametrize("cls", [KMeans, MiniBatchKMeans, TheirKMeans])
def test_a_class_is_not_a_recipe(cls):
    with pytest.raises(TypeError, match=rf"Pass {cls.__name__}\(\)"):
        fit_copy(cls, X)


@pytest.mark.parametrize("model", [KMeans(2, random_state=0), TheirKMeans(2, random_state=0)])
def test_predictions_on_a_dataset(model):
    data = Dataset(X, Y, W, ["a"], ["kind"])
    model.fit(X)
    out = predict_on(model, data)
    assert out.records is X
    assert out.targets.tolist() == model.predict(X).tolist()
    assert out.weights.tolist() == W.tolist()
    assert out.feature_names == ["a"]
    assert data.targets is Y


def test_other_methods():
    model = LogisticRegression().fit(X, Y)
    out = predict_on(model, Dataset(X, Y), "predict_proba")
    np.testing.assert_array_equal(out.targets, model.predict_proba(X))
    with pytest.raises(TypeError, match="KMeans has no method 'predict_proba'"):
        predict_on(KMeans(2).fit(X), Dataset(X), "predict_proba")
    with pytest.raises(TypeError, match="dataset must be a Dataset, got an array"):
        predict_on(model, X)
