"""Mini-batch k-means: steps by hand, streams, quality, stopping, what is reported."""

import numpy as np
import pytest
import scipy.sparse as sp

from clinfa.cluster import KMeans, MiniBatchKMeans
from clinfa.errors import InvalidParameterError, NotFittedError
from tests.cluster.problems import between, blobs, inertia, separate, sparse, start, weights


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_by_hand(form, dtype):
    """Centres are running means of what was nearest when it came."""
    model = MiniBatchKMeans(2, init=[[0.0], [10]], reassignment_ratio=0)
    model.partial_fit(form(np.array([[2], [4], [11]], dtype)))
    assert model.cluster_centers_.ravel().tolist() == [3, 11]
    assert model.labels_.tolist() == [0, 0, 1]
    assert model.inertia_ == 2
    model.partial_fit(form(np.array([[6], [14]], dtype)), sample_weight=[1, 2])
    assert model.cluster_centers_.ravel().tolist() == [4, 13]
    assert model.labels_.tolist() == [0, 1]
    assert model.inertia_ == 4 + 2 * 1
    model.partial_fit(form(np.array([[8.5], [100]], dtype)), sample_weight=[1, 0])
    assert model.cluster_centers_.ravel().tolist() == [
        4 + 4.5 / 4,
        13,
    ]  # as near to 13 as to 4: a tie
    assert model.n_steps_ == 3


def test_a_tie_goes_to_the_lower_number():
    model = MiniBatchKMeans(2, init=[[0.0], [10]], reassignment_ratio=0).partial_fit([[5.0]])
    assert model.cluster_centers_.ravel().tolist() == [5, 10]


@pytest.mark.parametrize("d", [2, 10, 50])
@pytest.mark.parametrize("data", ["dense", "csr", "float32"])
def test_as_good_as_kmeans_on_groups(d, data):
    X = blobs(5000, d, 8, spread=1.5)
    rows = {"dense": X, "csr": sp.csr_array(X), "float32": X.astype(np.float32)}[data]
    best = min(KMeans(8, random_state=seed).fit(X).inertia_ for seed in range(5))
    found = min(MiniBatchKMeans(8, random_state=seed).fit(rows).inertia_ for seed in range(5))
    assert best * (1 - 1e-9) <= found <= 1.03 * best


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_as_good_as_kmeans_from_any_kind_of_start(init):
    """Means over seeds; three standard errors are granted on top of three per cent."""
    X = blobs(3000, 4, 8, spread=2)
    ours = np.array([MiniBatchKMeans(8, init=init, random_state=seed).fit(X).inertia_ for seed in range(20)])
    others = np.array(
        [KMeans(8, init=init, n_init=1, random_state=seed).fit(X).inertia_ for seed in range(20)]
    )
    error = np.sqrt((ours.var(ddof=1) + others.var(ddof=1)) / 20)
    assert ours.mean() <= 1.03 * others.mean() + 3 * error


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_a_stream(form):
    """k-means++ finds groups this far apart in the first batch; the rest sharpens the means."""
    X, _ = separate(6000, 5, 6)
    model = MiniBatchKMeans(6, random_state=0)
    for at in range(0, 6000, 300):
        model.partial_fit(form(X[at : at + 300]))
    assert model.n_steps_ == 20
    assert model.labels_.shape == (300,)
    expected = [X[i::6].mean(axis=0) for i in range(6)]
    order = model.predict(np.array(expected))
    np.testing.assert_allclose(model.cluster_centers_[order], expected, atol=1e-12)


def test_a_stream_of_single_records():
    X, middles = separate(300, 2, 3)
    model = MiniBatchKMeans(3, init=middles, reassignment_ratio=0)
    for row in X:
        model.partial_fit(row[None])
    expected = [X[i::3].mean(axis=0) for i in range(3)]
    np.testing.assert_allclose(model.cluster_centers_, expected, rtol=1e-12, atol=1e-12)
    assert model.n_steps_ == 300


def test_a_stream_keeps_the_type_of_its_first_batch():
    X = blobs(200, 3)
    model = MiniBatchKMeans(3, random_state=0).partial_fit(X.astype(np.float32))
    model.partial_fit(X)
    assert model.cluster_centers_.dtype == np.float32


def test_fit_begins_anew_and_partial_fit_goes_on():
    X = blobs(500, 3)
    model = MiniBatchKMeans(4, random_state=0).fit(X)
    again = MiniBatchKMeans(4, random_state=0).fit(X)
    before, steps = model.cluster_centers_.copy(), model.n_steps_
    assert np.array_equal(model.fit(X).cluster_centers_, before)
    assert again.partial_fit(X + 1).n_steps_ == steps + 1
    moved = np.abs(again.cluster_centers_ - before).max()
    assert 0 < moved < 1


def test_fit_with_leaves_the_model_alone():
    X = blobs(900, 3)
    recipe = MiniBatchKMeans.params(n_clusters=4, random_state=0)
    model = recipe.fit_with(None, X[:300])
    for at in (300, 600):
        before = model.cluster_centers_.copy()
        new = recipe.fit_with(model, X[at : at + 300])
        assert new is not model
        assert model.n_steps_ == new.n_steps_ - 1
        assert np.array_equal(model.cluster_centers_, before)
        assert not np.array_equal(new.cluster_centers_, before)
        model = new
    alone = MiniBatchKMeans(4, random_state=0)
    for at in range(0, 900, 300):
        alone.partial_fit(X[at : at + 300])
    assert np.array_equal(alone.cluster_centers_, model.cluster_centers_)
    branches = [recipe.fit_with(model, X[:300]) for _ in range(2)]
    assert np.array_equal(branches[0].cluster_centers_, branches[1].cluster_centers_)


def test_a_generator_passed_in_is_not_drawn_from_by_fit_with_of_another_branch():
    X = blobs(400, 2)
    model = MiniBatchKMeans.params(n_clusters=3, random_state=np.random.default_rng(0)).fit_with(None, X)
    state = model._random_state.bit_generator.state
    MiniBatchKMeans.params(n_clusters=3).fit_with(model, X)
    assert model._random_state.bit_generator.state == state


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_without_labels(weighted):
    X = blobs(3000, 3)
    w = weights(3000) if weighted else None
    model = MiniBatchKMeans(6, random_state=0, compute_labels=False).fit(X, sample_weight=w)
    assert not hasattr(model, "labels_")
    full = MiniBatchKMeans(6, random_state=0).fit(X, sample_weight=w)
    assert np.array_equal(model.cluster_centers_, full.cluster_centers_)
    assert model.inertia_ == pytest.approx(full.inertia_, rel=0.3)
    full.set_params(compute_labels=False).fit(X)
    assert not hasattr(full, "labels_")


def test_number_of_steps():
    X = blobs(1000, 3)
    how = {"random_state": 0, "max_no_improvement": None}
    for max_iter, batch_size, steps, passes in [
        (3, 100, 30, 3),
        (2, 300, 6, 2),
        (1, 5000, 1, 1),
        (5, 1000, 5, 5),
    ]:
        model = MiniBatchKMeans(4, max_iter=max_iter, batch_size=batch_size, **how).fit(X)
        assert (model.n_steps_, model.n_iter_) == (steps, passes)


def test_stopping():
    X = blobs(2000, 3)
    how = {"random_state": 0, "batch_size": 100}
    assert MiniBatchKMeans(4, max_no_improvement=0, **how).fit(X).n_steps_ == 2
    few, many = (MiniBatchKMeans(4, max_no_improvement=m, **how).fit(X).n_steps_ for m in (2, 50))
    assert 2 < few < many < 2000
    by_tol = MiniBatchKMeans(4, max_no_improvement=None, tol=1e-3, **how).fit(X).n_steps_
    assert 2 <= by_tol < MiniBatchKMeans(4, max_no_improvement=None, tol=1e-6, **how).fit(X).n_steps_ <= 2000


def test_small_init_size():
    X = blobs(500, 3)
    with pytest.warns(RuntimeWarning, match=r"init_size=2 should be larger than n_clusters=5"):
        model = MiniBatchKMeans(5, init_size=2, random_state=0).fit(X)
    assert len(np.unique(model.labels_)) == 5
    assert np.isfinite(MiniBatchKMeans(5, init_size=100_000, random_state=0).fit(X).inertia_)
    assert np.isfinite(MiniBatchKMeans(5, init_size=5, random_state=0).fit(X).inertia_)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_poor_centres_start_anew(form):
    """A centre far from everything is brought back, unless that is switched off."""
    X, middles = separate(600, 3, 4)
    lost = np.vstack([middles[:3], np.full((1, 3), 1e5)])
    model = MiniBatchKMeans(4, init=lost, random_state=0).fit(form(X))
    assert (np.abs(model.cluster_centers_) < 100).all()
    off = MiniBatchKMeans(4, init=lost, random_state=0, reassignment_ratio=0).fit(form(X))
    assert np.array_equal(off.cluster_centers_[3], lost[3])
    assert not (off.labels_ == 3).any()


def test_several_poor_centres_at_once():
    X = blobs(300, 2, 3)
    model = MiniBatchKMeans(40, init=np.vstack([X[:2], np.full((38, 2), 1e4)]), random_state=0, batch_size=30)
    model.fit(X)
    assert (np.abs(model.cluster_centers_) < 100).all()
    assert np.isfinite(model.inertia_)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 65, 10_000])
def test_any_size_of_batch(batch_size):
    X = blobs(200, 3, 4)
    model = MiniBatchKMeans(4, batch_size=batch_size, max_iter=5, random_state=0).fit(X)
    assert np.isfinite(model.cluster_centers_).all()
    assert model.inertia_ == pytest.approx(inertia(X, model.cluster_centers_), rel=1e-12)


def test_several_starts_are_judged():
    X = blobs(2000, 2, 12, spread=0.5)
    one, ten = (
        np.mean(
            [MiniBatchKMeans(12, init="random", n_init=m, random_state=s).fit(X).inertia_ for s in range(12)]
        )
        for m in (1, 10)
    )
    assert ten < one


def test_weights_are_chances():
    """Rows of weight zero are never seen; weights and repetitions lead to the same centres."""
    X, _ = separate(400, 3, 4)
    w = np.where(np.arange(400) % 4 == 3, 0, 1 + np.arange(400) % 3)
    how = {"random_state": 0, "batch_size": 50}
    by_weight = MiniBatchKMeans(3, **how).fit(X, sample_weight=w)
    repeated = MiniBatchKMeans(3, **how).fit(np.repeat(X, w, axis=0))
    np.testing.assert_allclose(by_weight.cluster_centers_, repeated.cluster_centers_, rtol=1e-12)
    assert by_weight.n_steps_ == repeated.n_steps_
    unseen = X[w == 0].mean(axis=0)
    assert (np.abs(by_weight.cluster_centers_ - unseen).max(axis=1) > 5).all()


def test_same_seed_same_result():
    X = sparse(600, 20)
    one, other = (MiniBatchKMeans(5, random_state=7).fit(X) for _ in range(2))
    assert np.array_equal(one.cluster_centers_, other.cluster_centers_)
    assert not np.array_equal(
        one.cluster_centers_, MiniBatchKMeans(5, random_state=8).fit(X).cluster_centers_
    )


def test_what_a_stream_may_not_be():
    X = blobs(50, 3)
    with pytest.raises(ValueError, match=r"n_samples=3 should be >= n_clusters=4"):
        MiniBatchKMeans(4).partial_fit(X[:3])
    assert MiniBatchKMeans(4, init=start(X, 4)).partial_fit(X[:1]).n_steps_ == 1
    model = MiniBatchKMeans(4, random_state=0).partial_fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but MiniBatchKMeans is expecting 3 features"):
        model.partial_fit(X[:, :2])
    with pytest.raises(ValueError, match="contains NaN"):
        model.partial_fit(np.full((2, 3), np.nan))
    with pytest.raises(NotFittedError, match="MiniBatchKMeans instance is not fitted yet"):
        MiniBatchKMeans().predict(X)
    before = model.cluster_centers_.copy()
    assert np.array_equal(model.partial_fit(before).cluster_centers_.shape, before.shape)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("n_clusters", 0, "an int >= 1"),
        ("batch_size", 0, "an int >= 1"),
        ("max_iter", 1.5, "an int >= 1"),
        ("max_no_improvement", -1, "an int >= 0 or None"),
        ("init_size", 0, "an int >= 1 or None"),
        ("n_init", "all", "an int >= 1 or 'auto'"),
        ("reassignment_ratio", -0.1, "a float in [0, inf)"),
        ("tol", -1, "a float in [0, inf)"),
        ("compute_labels", 1, "a bool"),
        ("random_state", -1, "None, an int in [0, 4294967295]"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_errors_name_parameter_value_and_what_is_allowed(name, value, allowed, method):
    with pytest.raises(InvalidParameterError) as caught:
        getattr(MiniBatchKMeans(**{name: value}), method)(blobs(50))
    text = str(caught.value)
    assert f"The {name!r} parameter of MiniBatchKMeans must be {allowed}" in text
    assert f"Got {value!r} instead." in text


def test_starts_from_between_rows_are_kept_where_no_step_moves_them():
    X = blobs(100, 2, 3)
    first = between(X, 3)
    model = MiniBatchKMeans(3, init=first, reassignment_ratio=0).partial_fit(X, sample_weight=np.eye(100)[0])
    moved = (model.cluster_centers_ != first).any(axis=1)
    assert moved.sum() == 1
