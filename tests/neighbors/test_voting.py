"""Classes and numbers by neighbours: hand-worked, by the definition, and scikit-learn's."""

from contextlib import nullcontext

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.neighbors as theirs
from sklearn.datasets import load_diabetes, load_wine

import clinfa.neighbors as ours
from clinfa import Dataset, Pr
from clinfa.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)

LINE = [[0.0], [1.0], [2.0], [4.0]]
NAMES = [
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "RadiusNeighborsClassifier",
    "RadiusNeighborsRegressor",
]
WEIGHTS = {
    "uniform": "uniform",
    "distance": "distance",
    "None": None,
    "function": lambda far: np.array([np.exp(-np.asarray(f, float)) for f in far], far.dtype),
}


def pair(name, **params):
    if "outlier_label" in params and name != "RadiusNeighborsClassifier":
        del params["outlier_label"]
    return getattr(ours, name)(**params), getattr(theirs, name)(**params)


def data(name):
    """Standardised records and targets; of few values each, so that distances are equal now and then."""
    X, y = (load_wine if "Classifier" in name else load_diabetes)(return_X_y=True)
    return np.round((X - X.mean(axis=0)) / X.std(axis=0), 1)[:, :5], y


def test_votes_by_hand():
    model = KNeighborsClassifier(3).fit(LINE, ["b", "a", "b", "c"])
    assert model.predict([[0.9], [3.0], [9.0]]).tolist() == ["b", "a", "a"]  # of three ties the first
    shares = [[1 / 3, 2 / 3, 0], [1 / 3, 1 / 3, 1 / 3], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(
        model.predict_proba([[0.9], [3.0], [9.0]])[[0, 2]], [shares[0], shares[2]], 1e-15
    )


def test_weighted_votes_by_hand():
    model = KNeighborsClassifier(3, weights="distance").fit(LINE, [5, 5, 7, 7])
    # 0.5 from 2, 1.5 from 1, 1.5 from 4: 2/3 for the label 5, 2 + 2/3 for 7
    np.testing.assert_allclose(model.predict_proba([[2.5]]), [[0.2, 0.8]], 1e-15)
    assert model.predict_proba([[1.0]]).tolist() == [[1, 0]]  # nothing counts but what is there


def test_means_by_hand():
    y = [0.0, 1.0, 3.0, 10.0]
    assert KNeighborsRegressor(2).fit(LINE, y).predict([[0.4], [3.5]]).tolist() == [0.5, 6.5]
    model = KNeighborsRegressor(2, weights="distance").fit(LINE, y)
    assert model.predict([[0.25], [2.0]]).tolist() == [0.25, 3.0]
    model = RadiusNeighborsRegressor(1.0).fit(LINE, y)
    assert model.predict([[0.5], [3.0], [5.0]]).tolist() == [0.5, 6.5, 10.0]  # at exactly the radius: within
    with pytest.warns(UserWarning, match="One or more samples have no neighbors within specified radius"):
        assert np.isnan(model.predict([[9.0]])).all()


def test_without_themselves_by_hand():
    """None: each fitted record by the others."""
    assert KNeighborsClassifier(1).fit(LINE, list("abcd")).predict(None).tolist() == list("baac")[:1] + [
        "a",
        "b",
        "c",
    ]
    assert KNeighborsRegressor(1).fit(LINE, [1.0, 2.0, 3.0, 4.0]).predict(None).tolist() == [2, 1, 2, 3]
    model = RadiusNeighborsRegressor(1.0).fit(LINE[:3], [1.0, 2.0, 5.0])
    assert model.predict(None).tolist() == [2, 3, 2]
    assert model.score(None, [2.0, 3.0, 2.0]) == 1.0
    assert KNeighborsClassifier(1).fit(LINE, list("aabb")).score(None, list("aabb")) == 0.75


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("name", NAMES)
def test_scikit_learn_agrees(name, metric, weights):
    X, y = data(name)
    radius = {"euclidean": 1.53, "manhattan": 2.53, "cosine": 0.103}[metric]
    size = {"n_neighbors": 7} if name[0] == "K" else {"radius": radius, "outlier_label": "most_frequent"}
    mine, other = pair(name, metric=metric, weights=WEIGHTS[weights], algorithm="brute", **size)
    mine.fit(X[::2], y[::2]), other.fit(X[::2], y[::2])
    lonely = name == "RadiusNeighborsRegressor"
    with pytest.warns(UserWarning, match="no neighbors") if lonely else nullcontext():
        for Q in (X[1::2], None):
            clear = _clear(mine, Q, name)
            np.testing.assert_allclose(mine.predict(Q)[clear], other.predict(Q)[clear], 1e-12)
            if hasattr(mine, "predict_proba"):
                np.testing.assert_allclose(
                    mine.predict_proba(Q)[clear], other.predict_proba(Q)[clear], 1e-12, 1e-12
                )
                assert mine.score(Q, y[1::2]) == np.mean(mine.predict(Q) == y[1::2])


def _clear(model, Q, name):
    """Queries whose last neighbour is no tie: scikit-learn takes any of those."""
    if name[0] == "R":
        return slice(None)
    far = model.kneighbors(Q, model.n_neighbors + 1)[0]
    return np.diff(far[:, -2:])[:, 0] > 1e-9


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("name", NAMES)
def test_several_targets_are_one_after_another(name, weights):
    X, y = data(name)
    Y = np.stack([y, y[::-1], np.roll(y, 3)], axis=1)
    params = {} if name[0] == "K" else {"radius": 2.0, "outlier_label": "most_frequent"}
    model = pair(name, weights=weights, **params)[0].fit(X, Y)
    each = [pair(name, weights=weights, **params)[0].fit(X, column) for column in Y.T]
    assert np.array_equal(model.predict(X), np.stack([one.predict(X) for one in each], axis=1))
    if hasattr(model, "predict_proba"):
        assert model.outputs_2d_
        for a, b in zip(model.predict_proba(X), each, strict=True):
            assert np.array_equal(a, b.predict_proba(X))
        wrong = np.where(np.arange(len(Y))[:, None] % 2, Y, 99)
        assert model.score(X, wrong) == np.mean((model.predict(X) == wrong).all(axis=1))
        out = model.predict_proba(Dataset(X))
        assert [isinstance(one.targets, Pr) for one in out] == [True] * 3
        with pytest.raises(ValueError, match=r"y has 2 target\(s\), but .* was fitted with 3"):
            model.score(X, Y[:, :2])
    else:
        np.testing.assert_allclose(
            model.score(X, Y), np.mean([m.score(X, c) for m, c in zip(each, Y.T)]), 1e-13
        )
    assert model.predict(Dataset(X)).targets.shape == Y.shape


def test_strings_of_several_lengths():
    Y = np.array([["a", "long"], ["b", "longer"], ["b", "longest"], ["a", "long"]])
    assert KNeighborsClassifier(1).fit(LINE, Y).predict(LINE).tolist() == Y.tolist()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["dense", "csr", "lil"])
def test_precomputed(name, form):
    """Distances instead of records; a sparse graph holds only those of neighbours, zeros too."""
    X, y = data(name)
    X = X + np.linspace(0, 1e-3, X.size).reshape(X.shape)  # no ties
    Q = X[::3] + 0.01
    params = {"n_neighbors": 4} if name[0] == "K" else {"radius": 1.0, "outlier_label": "most_frequent"}
    plain = pair(name, **params)[0].fit(X, y)
    given = pair(name, metric="precomputed", **params)[0]
    if form == "dense":
        far = [np.sqrt(((a[:, None] - X) ** 2).sum(axis=2)) for a in (X, Q)]
    else:
        find = ours.NearestNeighbors(n_neighbors=5, radius=1.0).fit(X)
        find = find.kneighbors_graph if name[0] == "K" else find.radius_neighbors_graph
        far = [find(a, mode="distance").asformat(form) for a in (X, Q)]
    given.fit(far[0], y)
    lonely = name == "RadiusNeighborsRegressor"
    with pytest.warns(UserWarning, match="no neighbors") if lonely else nullcontext():
        np.testing.assert_allclose(given.predict(far[1]), plain.predict(Q), 1e-12)
        np.testing.assert_allclose(given.predict(None), plain.predict(None), 1e-12)


def test_graph_by_hand():
    """Stored zeros are neighbours; what is not stored is not."""
    graph = sp.csr_array((np.array([0.0, 2.0, 0.0, 1.0, 0.0]), [0, 1, 1, 0, 2], [0, 2, 4, 5]), shape=(3, 3))
    model = RadiusNeighborsClassifier(1.5, metric="precomputed", outlier_label=9).fit(graph, [4, 5, 6])
    assert model.predict(graph).tolist() == [4, 4, 6]
    with pytest.warns(UserWarning, match="Outlier label 9 is not in training classes"):
        assert model.predict(None).tolist() == [9, 4, 9]
    with pytest.raises(
        ValueError, match="2 neighbors per samples are required, but some samples have only 1"
    ):
        KNeighborsClassifier(2, metric="precomputed").fit(graph, [4, 5, 6]).predict(graph)


def test_outlier_labels():
    far = [[99.0], [1.0]]
    with pytest.raises(ValueError, match="No neighbors found for test samples array"):
        RadiusNeighborsClassifier().fit(LINE, [1, 1, 2, 2]).predict(far)
    most = RadiusNeighborsClassifier(outlier_label="most_frequent").fit(LINE, [2, 1, 2, 2])
    assert most.outlier_label_ == [2]
    assert most.predict(far).tolist() == [2, 2]
    assert most.predict_proba(far)[0].tolist() == [0, 1]
    one = RadiusNeighborsClassifier(outlier_label="a", radius=0.5).fit(LINE, list("aabb"))
    assert one.predict_proba(far).tolist() == [[1, 0], [1, 0]]
    other = RadiusNeighborsClassifier(outlier_label="none", radius=0.5).fit(LINE, list("aabb"))
    with pytest.warns(UserWarning, match="Outlier label none is not in training classes"):
        assert other.predict(far).tolist() == ["none", "a"]
    with pytest.warns(UserWarning, match="Outlier label none is not in training classes"):
        assert other.predict_proba(far).tolist() == [[0, 0], [1, 0]]
    with pytest.warns(UserWarning, match="Outlier label none is not in training classes"):
        assert other.score(far, ["none", "b"]) == 0.5
    two = RadiusNeighborsClassifier(outlier_label=[2, 4]).fit(LINE, [[1, 3], [1, 4], [2, 3], [2, 3]])
    assert two.predict(far[:1]).tolist() == [[2, 4]]


@pytest.mark.parametrize(
    ("label", "error", "said"),
    [
        ("a", TypeError, "dtype of outlier_label 'a' is inconsistent with classes"),
        ([1, 2], ValueError, r"length of outlier_label: \[1, 2\] is inconsistent with the output length: 1"),
        ([[1]], TypeError, "is supposed to be a scalar, got"),
        (2**70, TypeError, "inconsistent"),
    ],
)
def test_wrong_outlier_labels(label, error, said):
    with pytest.raises(error, match=said):
        RadiusNeighborsClassifier(outlier_label=label).fit(LINE, [1, 1, 2, 2])


@pytest.mark.parametrize("name", NAMES)
def test_weights_that_are_refused(name):
    model = getattr(ours, name)(weights=lambda far: far * 0).fit(LINE + LINE, [1, 2, 3, 4] * 2)
    with pytest.raises(ValueError, match="All neighbors of some sample is getting zero weights"):
        model.predict(LINE)
    model.set_params(weights=lambda far: far[:1, ...]).fit(LINE + LINE, [1, 2, 3, 4] * 2)
    with pytest.raises(ValueError, match="weights must return an array of the shape of the distances"):
        model.predict(LINE)


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e307])
def test_weights_by_distance_at_any_scale(scale):
    X, Q = np.array(LINE) * scale, np.array([[0.9], [3.5], [2.0]]) * scale
    y = [1.0, 2.0, 4.0, 8.0]
    plain = KNeighborsRegressor(3, weights="distance").fit(LINE, y).predict(Q / scale)
    np.testing.assert_allclose(KNeighborsRegressor(3, weights="distance").fit(X, y).predict(Q), plain, 1e-4)


def test_many_classes_are_counted_in_parts(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.random((500, 2)), rng.integers(0, 40, 500)
    whole = KNeighborsClassifier(9).fit(X, y)
    answers = whole.predict(X), whole.predict_proba(X)
    monkeypatch.setattr("clinfa.neighbors.classification._VOTES", 400)
    assert np.array_equal(whole.predict(X), answers[0])
    assert np.array_equal(whole.predict_proba(X), answers[1])


def test_predictions_are_the_definition():
    rng = np.random.default_rng(1)
    X, Q = rng.integers(0, 4, (200, 2)).astype(float), rng.integers(0, 4, (50, 2)).astype(float)
    y = rng.integers(0, 3, 200)
    far = ((Q[:, None] - X) ** 2).sum(axis=2)
    near = np.argsort(far, axis=1, kind="stable")[:, :6]  # ties by the number of the record
    votes = np.stack([(y[near] == c).sum(axis=1) for c in range(3)], axis=1)
    model = KNeighborsClassifier(6).fit(X, y)
    assert np.array_equal(model.predict(Q), votes.argmax(axis=1))
    assert np.array_equal(model.predict_proba(Q), votes / 6)
    within = far <= 1
    means = (within * y).sum(axis=1) / within.sum(axis=1)
    np.testing.assert_allclose(RadiusNeighborsRegressor(1.0).fit(X, y).predict(Q), means, 1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_of_numbers(dtype):
    X, y = np.array(LINE), np.array([1, 2, 3, 4])
    assert KNeighborsRegressor(1).fit(X, y).predict(X).dtype == np.float64
    assert KNeighborsRegressor(1).fit(X, y.astype(dtype)).predict(X).dtype == dtype
    assert KNeighborsRegressor(1).fit(X, y[:, None]).predict(X).shape == (4, 1)
    assert KNeighborsClassifier(1).fit(X.astype(dtype), y).predict_proba(X.astype(dtype)).dtype == dtype
    assert KNeighborsClassifier(1).fit(X.astype(dtype), y).predict_proba(None).dtype == dtype


def test_the_model_keeps_its_own_numbers():
    y = np.array([1.0, 2.0, 3.0, 4.0])
    model = KNeighborsRegressor(1).fit(LINE, y)
    y[:] = 0
    assert model.predict(LINE).tolist() == [1, 2, 3, 4]
