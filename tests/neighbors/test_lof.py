"""Local outlier factors: hand-worked, invariant, by the definition, and scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import is_outlier_detector
from sklearn.datasets import load_wine
from sklearn.neighbors import LocalOutlierFactor as Theirs

from clinfa import Dataset
from clinfa.neighbors import LocalOutlierFactor, NearestNeighbors


def records():
    X = load_wine().data
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X[::2], X[1::2]


def test_by_hand():
    """0, 1 and 3 on a line, one neighbour each: 0 and 1 each other's, 3's is 1."""
    model = LocalOutlierFactor(1).fit([[0.0], [1.0], [3.0]])
    # reachable within max(1, 1), max(1, 1), max(2, 1): densities 1, 1, 1/2
    np.testing.assert_allclose(model.negative_outlier_factor_, [-1, -1, -2], 1e-9)
    assert (model.n_neighbors_, model.offset_, model.n_samples_fit_) == (1, -1.5, 3)
    assert LocalOutlierFactor(1).fit_predict([[0.0], [1.0], [3.0]]).tolist() == [1, 1, -1]
    new = LocalOutlierFactor(1, novelty=True).fit([[0.0], [1.0], [3.0]])
    # 5 is reached within max(2, reach of 3 = 2), and its neighbour 3 has density 1/2; 1/2 within max(1/2, 1)
    np.testing.assert_allclose(new.score_samples([[5.0], [0.5]]), [-1, -1], 1e-9)
    np.testing.assert_allclose(new.decision_function([[5.0], [9.0]]), [0.5, 1.5 - 6 / 2], 1e-9)
    assert new.predict([[5.0], [9.0]]).tolist() == [1, -1]
    assert new.predict().tolist() == [1, 1, -1]


def definition(X, k):
    """Breunig et al., definitions 3 to 7, loop by loop; with scikit-learn's 1e-10."""
    far = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, :k]
    reach = np.sort(far, axis=1)[:, k - 1]
    density = [1 / (np.mean([max(reach[o], far[i, o]) for o in near[i]]) + 1e-10) for i in range(len(X))]
    return np.array([np.mean([density[o] for o in near[i]]) / density[i] for i in range(len(X))])


@pytest.mark.parametrize("k", [1, 2, 7, 59])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_definition(k, dtype):
    X = np.random.default_rng(k).standard_normal((60, 3)).astype(dtype)
    model = LocalOutlierFactor(k).fit(X)
    assert model.negative_outlier_factor_.dtype == dtype
    eps = 1e-13 if dtype == np.float64 else 1e-7
    np.testing.assert_allclose(-model.negative_outlier_factor_, definition(X.astype(float), k), eps)


@pytest.mark.parametrize("contamination", ["auto", 0.07, 0.5])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_scikit_learn_agrees(metric, contamination):
    X, Q = records()
    for novelty in (False, True):
        mine, theirs = (
            cls(9, metric=metric, contamination=contamination, novelty=novelty).fit(X)
            for cls in (LocalOutlierFactor, Theirs)
        )
        np.testing.assert_allclose(mine.negative_outlier_factor_, theirs.negative_outlier_factor_, 1e-12)
        assert mine.offset_ == pytest.approx(theirs.offset_, rel=1e-12)
    for name in ("score_samples", "decision_function"):
        np.testing.assert_allclose(getattr(mine, name)(Q), getattr(theirs, name)(Q), 1e-11, 1e-12)
    assert np.array_equal(mine.predict(Q), theirs.predict(Q))
    labels = [
        c(9, metric=metric, contamination=contamination).fit_predict(X) for c in (LocalOutlierFactor, Theirs)
    ]
    assert np.array_equal(*labels)


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**900])
def test_scale_changes_nothing(scale):
    X, Q = records()
    plain, scaled = (LocalOutlierFactor(novelty=True).fit(a) for a in (X, X * scale))
    np.testing.assert_allclose(scaled.negative_outlier_factor_, plain.negative_outlier_factor_, 1e-3)
    np.testing.assert_allclose(scaled.score_samples(Q * scale), plain.score_samples(Q), 1e-3)
    assert np.array_equal(scaled.predict(Q * scale), plain.predict(Q))


def test_an_even_grid_has_no_outliers():
    """Inside of a grid every neighbourhood is like any other: the factor is exactly 1."""
    X = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    factor = -LocalOutlierFactor(4).fit(X).negative_outlier_factor_.reshape(9, 9)
    np.testing.assert_allclose(factor[3:-3, 3:-3], 1.0, 1e-15)


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_matrix])
def test_sparse_and_precomputed_are_dense(form):
    X, Q = records()
    X[X < 0.3] = 0
    plain = LocalOutlierFactor(5, novelty=True).fit(X)
    assert np.array_equal(
        LocalOutlierFactor(5).fit(form(X)).negative_outlier_factor_, plain.negative_outlier_factor_
    )
    find = NearestNeighbors(n_neighbors=6).fit(X)
    graph = find.kneighbors_graph(X, mode="distance").asformat(form(X).format)
    given = LocalOutlierFactor(5, metric="precomputed", novelty=True).fit(graph)
    np.testing.assert_allclose(given.negative_outlier_factor_, plain.negative_outlier_factor_, 1e-12)
    near = find.kneighbors_graph(Q, mode="distance")
    np.testing.assert_allclose(given.score_samples(near), plain.score_samples(Q), 1e-12)


def test_equal_records():
    X = np.r_[np.zeros((30, 2)), [[1.0, 1.0]]]
    with pytest.warns(UserWarning, match="Duplicate values are leading to incorrect results"):
        model = LocalOutlierFactor(5).fit(X)
    assert model.negative_outlier_factor_[:30].tolist() == [-1.0] * 30
    assert np.isfinite(model.negative_outlier_factor_).all()
    LocalOutlierFactor(5, novelty=True).fit(X)
    LocalOutlierFactor(5).fit(np.zeros((30, 2)))


def test_more_neighbours_than_there_are():
    X = records()[0][:9]
    with pytest.warns(
        UserWarning, match=r"n_neighbors \(20\) is greater than the total number of samples \(9\)"
    ):
        model = LocalOutlierFactor().fit(X)
    assert model.n_neighbors_ == 8
    np.testing.assert_allclose(-model.negative_outlier_factor_, definition(X, 8), 1e-13)
    with pytest.raises(ValueError, match="Expected n_neighbors < n_samples_fit"):
        LocalOutlierFactor().fit(X[:1])


def test_methods_come_and_go():
    X, _ = records()
    old, new = LocalOutlierFactor().fit(X), LocalOutlierFactor(novelty=True).fit(X)
    for name in ("predict", "decision_function", "score_samples"):
        assert hasattr(new, name)
        assert not hasattr(old, name)
        with pytest.raises(AttributeError, match=f"no attribute '{name}'") as raised:
            getattr(old, name)
        assert f"{name} is not available when novelty=False" in str(raised.value.__cause__)
    assert not hasattr(new, "fit_predict")
    with pytest.raises(AttributeError, match="no attribute 'fit_predict'"):
        new.fit_predict(X)
    assert LocalOutlierFactor.predict.__doc__
    assert is_outlier_detector(old)


def test_datasets():
    X, Q = records()
    labels = LocalOutlierFactor().fit_predict(Dataset(X))
    assert labels.targets.tolist() == LocalOutlierFactor().fit_predict(X).tolist()
    model = LocalOutlierFactor(novelty=True).fit(Dataset(X))
    assert np.array_equal(model.score_samples(Dataset(Q)).targets, model.score_samples(Q))
