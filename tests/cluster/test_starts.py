"""Where k-means starts: quality against scikit-learn's, what is drawn, starts given by a user."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import cluster as theirs

from clinfa.arrays import Table
from clinfa.cluster import KMeans, MiniBatchKMeans, _seeding, kmeans_plusplus
from clinfa.cluster._points import points
from clinfa.rng import WeightedRows
from tests.cluster.problems import blobs, inertia, sparse, squared, start, weights, whole

SEEDS = range(24)


def scores(fit):
    return np.array([fit(seed) for seed in SEEDS])


def not_worse(ours, others):
    """The means differ by no more than three standard errors of their difference."""
    error = np.sqrt(ours.var(ddof=1) / len(ours) + others.var(ddof=1) / len(others))
    return ours.mean() <= others.mean() + 3 * error


@pytest.mark.parametrize("spread", [1.0, 2.0])
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_quality_of_plus_plus(spread, kind):
    """The start itself, and what comes of it. Both sides are means over 24 seeds."""
    X = blobs(1500, 4, 20, spread=spread)
    rows = X if kind == "dense" else sparse(1500, 20)
    dense = X if kind == "dense" else rows.toarray()
    ours = scores(lambda s: inertia(dense, kmeans_plusplus(dense, 20, random_state=s)[0]))
    sklearns = scores(lambda s: inertia(dense, theirs.kmeans_plusplus(dense, 20, random_state=s)[0]))
    assert not_worse(ours, sklearns)
    ours = scores(lambda s: KMeans(20, random_state=s).fit(rows).inertia_)
    sklearns = scores(lambda s: theirs.KMeans(20, n_init=1, random_state=s).fit(rows).inertia_)
    assert ours.mean() <= 1.02 * sklearns.mean()
    assert not_worse(ours, sklearns)


@pytest.mark.parametrize("init", ["k-means||", "random"])
def test_quality_of_other_starts(init):
    """k-means|| is to be as good as scikit-learn's k-means++, random rows as its random rows."""
    X = blobs(1500, 4, 20, spread=2.0)
    their_init = "random" if init == "random" else "k-means++"
    ours = scores(lambda s: KMeans(20, init=init, n_init=1, random_state=s).fit(X).inertia_)
    sklearns = scores(lambda s: theirs.KMeans(20, init=their_init, n_init=1, random_state=s).fit(X).inertia_)
    assert not_worse(ours, sklearns)


def test_plus_plus_finds_separate_groups():
    """Groups this far apart are hit once each by any seed: a miss is less likely than 1e-6."""
    middles = 1e4 * np.arange(12)[:, None] * np.ones(3)
    X = np.repeat(middles, 20, axis=0) + blobs(240, 3)
    for seed in SEEDS:
        rows = kmeans_plusplus(X, 12, random_state=seed)[1]
        assert sorted(rows // 20) == list(range(12))
        for init in ("k-means++", "k-means||"):
            assert KMeans(12, init=init, random_state=seed).fit(X).inertia_ < 1e5


def test_more_trials_are_better():
    X = blobs(800, 2, 15)
    one, many = (
        scores(lambda s, t=t: inertia(X, kmeans_plusplus(X, 15, random_state=s, n_local_trials=t)[0]))
        for t in (1, 20)
    )
    assert many.mean() < one.mean()


def test_first_centre_is_drawn_by_weight():
    """Row i has weight i: how often it comes is within four standard deviations of that."""
    X, w = np.arange(5.0)[:, None], np.arange(5.0)
    state, draws = np.random.RandomState(0), 4000
    counts = np.bincount(
        [kmeans_plusplus(X, 1, sample_weight=w, random_state=state)[1][0] for _ in range(draws)],
        minlength=5,
    )
    expected = draws * w / 10
    assert counts[0] == 0
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all()


def test_random_rows_are_drawn_by_weight_without_repetition():
    X, w = np.arange(6.0)[:, None], np.array([0, 1, 1, 2, 4, 8.0])
    state, draws = np.random.default_rng(0), 3000
    p = points(Table(X), w)
    drawn = np.array([_seeding.random_rows(p, 3, state) for _ in range(draws)])
    assert all(len(set(rows)) == 3 for rows in drawn)
    assert 0 not in drawn
    expected = draws * w / 16
    assert (np.abs(np.bincount(drawn[:, 0], minlength=6) - expected) <= 4 * np.sqrt(expected)).all()


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_small_and_large_search_choose_the_same_rows(weighted, seed, kind):
    """One kernel call for all centres, or a pass for each: the same uniforms, the same rows."""
    X = whole(250, 40, seed=seed)
    w = np.round(weights(250) * 4) / 4 if weighted else np.empty(0)
    k, trials = 12, 4
    p, rows = points(Table(X), w), WeightedRows(Table(X).keys())
    small = _seeding._plus_plus_small(p, k, np.random.default_rng(seed), trials, rows)
    search = _seeding.Search(p, k, rows, trials)
    assert rows.buckets == 1
    if kind == "csr":
        chosen = kmeans_plusplus(
            sp.csr_array(X), k, sample_weight=w if weighted else None, n_local_trials=trials,
            random_state=np.random.default_rng(seed),
        )[1]  # fmt: skip
    else:
        assert p.n * k * trials * p.d >= 200_000  # so that this takes the large search
        chosen = _seeding.plus_plus(p, k, np.random.default_rng(seed), trials)
    assert np.array_equal(small, chosen)
    for row in chosen:
        there = p.rows(np.array([row]))
        search.best_of(there)
        search.choose(row, there)
    expected = squared(X, X[chosen]).min(axis=1) * p.frame.scale**2
    assert np.array_equal(search.closest, expected)
    total = (w if weighted else np.ones(250)) @ expected
    assert search.potential() == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_potential_is_kept_up_while_it_falls_by_orders(seed):
    """Groups within groups within groups: subtraction must not leave rounding behind."""
    rng = np.random.default_rng(seed)
    X = 1e6 * rng.integers(0, 3, (3000, 1)) + rng.integers(0, 3, (3000, 1)) + 1e-6 * rng.random((3000, 1))
    centres, rows = kmeans_plusplus(X, 40, random_state=seed)
    assert len(np.unique(rows)) == 40
    assert inertia(X, centres) < 3000 * 1e-13


# Starts that a user gives


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
def test_given_starts(estimator):
    X, first = blobs(300, 3, 4), start(blobs(300, 3, 4), 4)

    def function(X, k, random_state):
        assert isinstance(random_state, np.random.RandomState)
        return first[:k]

    forms = [
        first,
        first.tolist(),
        tuple(map(tuple, first)),
        np.asfortranarray(first),
        sp.csr_array(first),
    ]
    if estimator is KMeans:  # (a function may draw from what mini-batches draw from too)
        forms.append(function)
    seen = [estimator(4, init=form, n_init=1, random_state=0).fit(X).cluster_centers_ for form in forms]
    assert np.isfinite(estimator(4, init=function, n_init=1, random_state=0).fit(X).inertia_)
    for centres in seen[1:]:
        assert np.array_equal(centres, seen[0])


def test_function_is_called_for_every_start():
    X, calls = blobs(100, 2), []

    def function(X, k, random_state):
        calls.append(random_state.randint(1000))
        return X[:k]

    KMeans(3, init=function, n_init=4, random_state=0).fit(X)
    KMeans(3, init=function, random_state=0).fit(X)
    assert len(calls) == 4 + 10
    assert len(set(calls[:4])) > 1


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize(
    ("init", "text"),
    [
        (np.zeros((2, 3)), r"initial centers \(2, 3\) does not match the number of clusters 4"),
        (np.zeros((4, 2)), r"initial centers \(4, 2\) does not match the number of features"),
        ([1.0, 2, 3, 4], "Expected 2D array for init, got 1D array"),
        (np.full((4, 3), np.nan), "Input init contains NaN"),
        (lambda X, k, random_state: X[: k + 1], r"\(5, 3\) does not match the number of clusters"),
        (lambda X, k, random_state: X[:k, :2], r"\(4, 2\) does not match the number of features"),
        ("kmeans", r"'init' parameter of (MiniBatch)?KMeans must be 'k-means\+\+', 'k-means\|\|'"),
        (3, "'init' parameter"),
    ],
)  # fmt: skip
def test_wrong_starts(estimator, init, text):
    with pytest.raises(ValueError, match=text):
        estimator(4, init=init).fit(blobs(50, 3))


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
def test_an_array_is_tried_once(estimator):
    X = blobs(100, 2)
    with pytest.warns(RuntimeWarning, match=f"only one init in {estimator.__name__} instead of n_init=5"):
        estimator(3, init=X[:3], n_init=5).fit(X)
    assert np.isfinite(estimator(3, init=X[:3], n_init="auto").fit(X).inertia_)
    assert np.isfinite(estimator(3, init=X[:3], n_init=1).fit(X).inertia_)


@pytest.mark.parametrize(
    "how", [{"n_clusters": 0}, {"n_clusters": 2.5}, {"n_clusters": 3, "n_local_trials": 0}]
)
def test_plus_plus_names_what_is_wrong(how):
    name = "n_local_trials" if "n_local_trials" in how else "n_clusters"
    with pytest.raises(
        ValueError,
        match=f"'{name}' parameter of kmeans_plusplus must be an int >= 1. Got {how[name]}",
    ):
        kmeans_plusplus(blobs(50), **how)


def test_plus_plus_needs_as_many_rows_as_centres():
    with pytest.raises(ValueError, match=r"n_samples=3 should be >= n_clusters=4"):
        kmeans_plusplus(np.eye(3), 4)
    with pytest.raises(ValueError, match=r"length of x_squared_norms \(2,\) should be equal"):
        kmeans_plusplus(np.eye(3), 2, x_squared_norms=np.ones(2))


def test_a_function_sees_sparse_records_as_they_were_given():
    """A column that lies far from zero is moved inside; whoever chooses centres does not see that."""
    rng = np.random.default_rng(0)
    X = sp.csr_matrix(rng.standard_normal((60, 3)) + [1000, 0, 0])

    def first(records, k, random_state):
        return records[:k].toarray()

    made, given = (KMeans(3, init=init, n_init=1).fit(X) for init in (first, X[:3].toarray()))
    assert np.array_equal(made.cluster_centers_, given.cluster_centers_)
