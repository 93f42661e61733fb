"""What holds of any result, on any data: certificates of optimality, and monotone descent."""

import numpy as np
import pytest

from clinfa.cluster import KMeans, MiniBatchKMeans
from tests.cluster.problems import (
    assert_consistent,
    assert_means,
    blobs,
    inertia,
    sparse,
    start,
    weights,
)

CASES = [
    pytest.param(lambda: blobs(600, 3), 6, id="blobs"),
    pytest.param(lambda: blobs(4000, 17, 10, spread=3), 25, id="cloud"),
    pytest.param(lambda: blobs(300, 100, 4), 13, id="long-rows"),
    pytest.param(lambda: blobs(400, 1, 3), 7, id="one-column"),
    pytest.param(lambda: blobs(500, 4) + 1e6, 5, id="off-the-origin"),
]


@pytest.mark.parametrize(("data", "k"), CASES)
@pytest.mark.parametrize("algorithm", ["auto", "lloyd", "elkan"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_converged(data, k, algorithm, weighted):
    X = data()
    w = weights(len(X)) if weighted else None
    model = KMeans(k, algorithm=algorithm, tol=0, random_state=0, max_iter=1000).fit(X, sample_weight=w)
    assert model.n_iter_ < 1000
    assert_consistent(model, X, w)
    assert_means(model, X, w)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_converged_sparse(weighted, dtype):
    X = sparse(dtype=dtype)
    w = weights(X.shape[0]) if weighted else None
    model = KMeans(7, tol=0, random_state=0, max_iter=1000).fit(X, sample_weight=w)
    rtol = 1e-12 if dtype is np.float64 else 1e-5
    assert_consistent(model, X.toarray(), w, rtol)
    assert_means(model, X.toarray(), w, rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["auto", "lloyd", "elkan"])
def test_stopped_early(dtype, algorithm):
    """Labels and inertia belong to the centres that are published, converged or not."""
    X = blobs(2000, 6, 10, spread=3, dtype=dtype)
    for how in ({"max_iter": 1}, {"max_iter": 4}, {"tol": 0.01}):
        model = KMeans(12, init=start(X, 12), algorithm=algorithm, **how).fit(X)
        assert_consistent(model, X, rtol=1e-12 if dtype is np.float64 else 1e-5)
        assert np.array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("algorithm", ["auto", "lloyd", "elkan"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_inertia_falls_in_every_iteration(algorithm, weighted):
    X = blobs(1500, 5, 10, spread=3)
    w = weights(1500) if weighted else None
    first, seen = start(X, 9), []
    for max_iter in range(1, 12):
        model = KMeans(9, init=first, max_iter=max_iter, tol=0, algorithm=algorithm).fit(X, sample_weight=w)
        assert model.n_iter_ == max_iter
        seen.append(model.inertia_)
    assert seen[0] < inertia(X, first, w)
    assert (np.diff(seen) < 0).all()


def test_more_starts_are_never_worse():
    X = blobs(400, 2, 12, spread=2)
    state = np.random.RandomState(5)
    singles = [KMeans(12, init="random", n_init=1, random_state=state).fit(X).inertia_ for _ in range(6)]
    several = KMeans(12, init="random", n_init=6, random_state=np.random.RandomState(5)).fit(X)
    assert several.inertia_ == min(singles)
    assert max(singles) > min(singles)


def test_tol_is_relative_to_the_variance():
    """The same stopping point in any units."""
    X = blobs(2000, 3, 8, spread=3)
    first = start(X, 8)
    found = {KMeans(8, init=first * unit, tol=1e-3).fit(X * unit).n_iter_ for unit in (2.0**-30, 1, 2.0**40)}
    exact = KMeans(8, init=first, tol=0).fit(X).n_iter_
    assert len(found) == 1
    assert found.pop() < exact


@pytest.mark.parametrize("data", [blobs, sparse])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_mini_batches_tell_one_story(data, weighted):
    X = data(3000, 8)
    w = weights(3000) if weighted else None
    model = MiniBatchKMeans(6, random_state=0, batch_size=200).fit(X, sample_weight=w)
    dense = X if isinstance(X, np.ndarray) else X.toarray()
    assert_consistent(model, dense, w)
    assert np.array_equal(model.predict(X), model.labels_)
