"""DBSCAN against the definition, worked by brute force, by hand, and against scikit-learn."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN as Theirs
from sklearn.cluster import dbscan as theirs

import clinfa
from clinfa.cluster import DBSCAN, dbscan

METRICS = {"euclidean": 2, "manhattan": 1, "chebyshev": np.inf, "minkowski": 3}


def by_definition(X, eps, need, metric="euclidean", weights=None, p=3):
    """Core points, and labels as numbered by a scan over the rows."""
    apart = np.abs(X[:, None].astype(float) - X[None].astype(float))
    if metric == "chebyshev":
        near = apart.max(axis=2) <= eps
    else:
        power = METRICS[metric] if metric != "minkowski" else p
        near = np.add.accumulate(apart**power if power != 2 else apart * apart, axis=2)[..., -1] <= eps**power
    weights = np.ones(len(X)) if weights is None else weights
    core = near @ weights >= need
    labels, clusters = np.full(len(X), -1), 0
    for seed in np.flatnonzero(core):
        if labels[seed] >= 0:
            continue
        waiting = [seed]
        while waiting:
            i = waiting.pop()
            if labels[i] < 0:
                labels[i] = clusters
                if core[i]:
                    waiting.extend(np.flatnonzero(near[i] & (labels < 0)))
        clusters += 1
    return np.flatnonzero(core), labels


def check(X, eps, need, metric="euclidean", weights=None, p=None):
    model = DBSCAN(eps, min_samples=need, metric=metric, p=p).fit(X, sample_weight=weights)
    core, labels = by_definition(X, eps, need, metric, weights, p or 2)
    np.testing.assert_array_equal(model.core_sample_indices_, core)
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_array_equal(model.components_, X[core])
    return model


def rings(n, rng):
    angle, radius = rng.uniform(0, 2 * np.pi, n), rng.integers(1, 4, n) + 0.08 * rng.standard_normal(n)
    return np.c_[radius * np.cos(angle), radius * np.sin(angle)]


def test_by_hand():
    """Three in a row of which the middle one is core; a pair; one alone."""
    X = np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [20.0]])
    model = DBSCAN(1, min_samples=3).fit(X)
    np.testing.assert_array_equal(model.core_sample_indices_, [1])
    np.testing.assert_array_equal(model.labels_, [0, 0, 0, -1, -1, -1])
    np.testing.assert_array_equal(DBSCAN(1, min_samples=2).fit(X).labels_, [0, 0, 0, 1, 1, -1])
    np.testing.assert_array_equal(DBSCAN(1, min_samples=1).fit(X).labels_, [0, 0, 0, 1, 1, 2])


def test_a_border_point_joins_the_cluster_numbered_first():
    """Row 0 lies between two clusters, nearer to the one that is numbered second."""
    left, right = [[-1.0], [-1.1], [-1.2], [-1.3]], [[0.9], [1.3], [1.5], [1.6]]
    X = np.array([[0.0], *left, *right])
    model = DBSCAN(1, min_samples=4).fit(X)
    np.testing.assert_array_equal(model.labels_, [0] * 5 + [1] * 4)
    assert 0 not in model.core_sample_indices_
    np.testing.assert_array_equal(model.predict(X), [1] + [0] * 4 + [1] * 4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "d"), [(1, 1), (15, 2), (16, 3), (17, 1), (129, 2), (300, 5), (500, 2)])
def test_definition(n, d, metric, dtype):
    X = np.random.default_rng(n + d).standard_normal((n, d)).astype(dtype)
    for eps in (0.05, 0.3, 1.0, 6.0):
        for need in (2, 6, 200):
            check(X, eps, need, metric, p=3 if metric == "minkowski" else None)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("step", [1, 0.1, 1 / 3])
def test_lattices_have_many_points_at_exactly_eps(step, metric):
    """What rounding does at the boundary is what plain sums in double do."""
    X = np.stack(np.meshgrid(np.arange(13), np.arange(11), np.arange(3)), axis=-1).reshape(-1, 3) * step
    X = X[np.random.default_rng(0).random(len(X)) < 0.6]
    for steps in (1, np.sqrt(2), np.sqrt(3), 2, np.sqrt(5), 3):
        for need in (3, 5, 9):
            check(X, steps * step, need, metric, p=3 if metric == "minkowski" else None)


@pytest.mark.parametrize("n", [2, 16, 40, 700])
def test_equal_points(n):
    X = np.full((n, 3), 0.1)
    assert set(check(X, 1e-9, n).labels_) == {0}
    assert set(check(X, 1e-9, n + 1).labels_) == {-1}


def test_duplicates_and_lines():
    rng = np.random.default_rng(4)
    X = np.repeat(rng.standard_normal((60, 2)), rng.integers(1, 30, 60), axis=0)
    for need in (2, 12, 25, 60):
        check(X, 0.3, need)
    line = np.c_[np.arange(300) * 0.25, np.arange(300) * 0.5][rng.permutation(300)]
    for eps in (0.5, 0.25 * np.sqrt(5), 0.6, 2.0):
        check(line, eps, 3)


@pytest.mark.parametrize("scale", [1e300, 1e160, 1e-160, 1e-300, 1e-310])
@pytest.mark.parametrize("metric", METRICS)
def test_scale_changes_nothing(scale, metric):
    """(A power of two, so that the data are the same.)"""
    scale = 2.0 ** np.round(np.log2(scale))
    X = np.round(rings(300, np.random.default_rng(1)), 3)
    X = np.round(X * 1024) / 1024  # digits that are still there when the values are denormal
    plain = DBSCAN(0.25, min_samples=5, metric=metric, p=3).fit(X)
    moved = DBSCAN(0.25 * scale, min_samples=5, metric=metric, p=3).fit(X * scale)
    np.testing.assert_array_equal(moved.labels_, plain.labels_)
    np.testing.assert_array_equal(moved.core_sample_indices_, plain.core_sample_indices_)
    np.testing.assert_array_equal(moved.predict(X * scale), plain.predict(X))


@pytest.mark.parametrize("eps", [1e-200, 5e-324, 1e200, np.finfo(float).max])
def test_eps_of_any_size(eps):
    X = np.random.default_rng(0).standard_normal((100, 2)).round(1)
    check(X, min(eps, 1e150), 3)
    tiny = DBSCAN(eps, min_samples=2).fit(X * 1e-150)
    np.testing.assert_array_equal(tiny.labels_, DBSCAN(min(eps, 1.0) * 1e150, min_samples=2).fit(X).labels_)


def test_a_constant_column_however_great():
    X = rings(300, np.random.default_rng(1))
    wide = np.hstack([np.full((300, 1), 1e300), X])
    plain, model = DBSCAN(0.2).fit(X), DBSCAN(0.2).fit(wide)
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    np.testing.assert_array_equal(model.predict(wide), plain.predict(X))
    assert set(model.predict(wide + [-1e300, 0, 0])) == {-1}


def test_weights():
    rng = np.random.default_rng(7)
    X = rng.standard_normal((500, 2))
    whole = rng.integers(-2, 4, 500).astype(float)
    for need in (1, 4, 9):
        check(X, 0.3, need, weights=whole)
        check(X, 0.3, need, weights=np.maximum(whole, 0))
        check(X, 2.0, 40 * need, weights=whole)
        other = Theirs(eps=0.3, min_samples=need).fit(X, sample_weight=whole)
        np.testing.assert_array_equal(
            DBSCAN(0.3, min_samples=need).fit(X, sample_weight=whole).labels_, other.labels_
        )
    # A record of weight 3 counts as three, and its copies have its label.
    counts = rng.integers(1, 4, 500)
    model, copies = DBSCAN(0.2).fit(X, sample_weight=counts), DBSCAN(0.2).fit(np.repeat(X, counts, axis=0))
    np.testing.assert_array_equal(np.repeat(model.labels_, counts), copies.labels_)


def test_the_order_of_rows_matters_to_numbers_only():
    X = rings(2000, np.random.default_rng(3))
    turn = np.random.default_rng(4).permutation(len(X))
    one, two = DBSCAN(0.1, min_samples=8).fit(X), DBSCAN(0.1, min_samples=8).fit(X[turn])
    core = np.isin(np.arange(len(X)), one.core_sample_indices_)
    np.testing.assert_array_equal(core[turn], np.isin(np.arange(len(X)), two.core_sample_indices_))
    pairs = set(zip(one.labels_[turn][core[turn]], two.labels_[core[turn]], strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) > 1
    np.testing.assert_array_equal(one.labels_[turn] < 0, two.labels_ < 0)


def _shape(name, rng, n, d):
    if name == "uniform":
        return rng.random((n, d))
    if name == "groups":
        return rng.standard_normal((5, d))[rng.integers(0, 5, n)] * 3 + 0.3 * rng.standard_normal((n, d))
    if name == "copies":
        return rng.integers(0, 6, (n, d)) / 4
    if name == "one direction":
        return rng.standard_normal((n, 1)) * np.arange(1, d + 1)
    return rng.standard_cauchy((n, d)).astype(np.float32)  # far outliers


@pytest.mark.parametrize("d", [1, 2, 3, 8])
@pytest.mark.parametrize("shape", ["uniform", "groups", "copies", "one direction", "outliers"])
def test_scikit_learn_on_many_shapes(shape, d):
    rng = np.random.default_rng(d)
    for n in (7, 90, 1100):
        X = _shape(shape, rng, n, d)
        scale = np.quantile(np.abs(X[:1] - X[1:]).max(axis=1), 0.3) + 1e-3
        for eps in (0.1 * scale, scale, 10 * scale):
            for need in (1, 2, 7, 60):
                # (A k-d tree: scikit-learn's brute force rounds distances otherwise.)
                other = Theirs(eps=eps, min_samples=need, algorithm="kd_tree").fit(X)
                mine = DBSCAN(eps, min_samples=need).fit(X)
                np.testing.assert_array_equal(mine.labels_, other.labels_)
                np.testing.assert_array_equal(mine.core_sample_indices_, other.core_sample_indices_)


@pytest.mark.parametrize("d", [2, 3, 10])
def test_any_number_of_threads(d):
    rng = np.random.default_rng(d)
    X = np.vstack([rng.standard_normal((2500, d)) * 0.3, rng.uniform(-3, 3, (2500, d))])
    eps = {2: 0.05, 3: 0.2, 10: 1.1}[d]
    seen = []
    for count in (1, 2, 3, 8):
        with clinfa.config_context(n_threads=count):
            seen.append(DBSCAN(eps, min_samples=8).fit(X).labels_)
    for labels in seen[1:]:
        np.testing.assert_array_equal(labels, seen[0])
    np.testing.assert_array_equal(DBSCAN(eps, min_samples=8, n_jobs=2).fit(X).labels_, seen[0])
    np.testing.assert_array_equal(Theirs(eps=eps, min_samples=8, algorithm="kd_tree").fit(X).labels_, seen[0])


@pytest.mark.parametrize(
    "metric", ["cosine", "sqeuclidean", "hamming", "canberra", "seuclidean", "mahalanobis"]
)
def test_other_metrics_as_scikit_learn(metric):
    X = np.random.default_rng(2).integers(1, 6, (300, 4)) + 0.25 * np.arange(4)
    for eps in (0.013, 0.26, 0.51, 1.3):
        how = {"V": np.var(X, axis=0, ddof=1)} if metric == "seuclidean" else None
        core, labels = theirs(X, eps, min_samples=4, metric=metric, metric_params=how, algorithm="brute")
        mine = dbscan(X, eps, min_samples=4, metric=metric)
        np.testing.assert_array_equal(mine[0], core)
        np.testing.assert_array_equal(mine[1], labels)


def test_functions_haversine_and_minkowski_with_weights():
    X = np.random.default_rng(3).uniform(-1, 1, (200, 2))
    plain = DBSCAN(0.15).fit(X)
    for model in (
        DBSCAN(0.15, metric=lambda a, b: np.sqrt(((a - b) ** 2).sum())),
        DBSCAN(0.15, metric="minkowski", metric_params={"p": 2}),
        DBSCAN(0.15, metric="minkowski", metric_params={"p": 2, "w": np.ones(2)}),
    ):
        np.testing.assert_array_equal(model.fit(X).labels_, plain.labels_)
        np.testing.assert_array_equal(model.predict(X[:50] + 0.01), plain.predict(X[:50] + 0.01))
    model, other = DBSCAN(0.1, metric="haversine").fit(X), Theirs(eps=0.1, metric="haversine").fit(X)
    np.testing.assert_array_equal(model.labels_, other.labels_)


def test_precomputed():
    rng = np.random.default_rng(5)
    X, new = rings(400, rng), rings(50, rng)
    D = cdist(X, X)
    plain, model = DBSCAN(0.2).fit(X), DBSCAN(0.2, metric="precomputed").fit(D)
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    np.testing.assert_array_equal(model.predict(cdist(new, X)), plain.predict(new))
    near = sp.csr_matrix(np.where((D <= 0.3) & (D > 0), D, 0))
    model = DBSCAN(0.2, metric="precomputed").fit(near)
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    np.testing.assert_array_equal(Theirs(eps=0.2, metric="precomputed").fit(near).labels_, plain.labels_)
    with pytest.raises(ValueError, match="must be square"):
        model.fit(D[:, :3])
    with pytest.raises(ValueError, match="cannot be added to"):
        model.partial_fit(D)


def test_predict_is_the_nearest_core_point():
    rng = np.random.default_rng(6)
    X, new = rings(900, rng), rng.uniform(-4, 4, (700, 2))
    model = DBSCAN(0.2, min_samples=6).fit(X)
    far = cdist(new, model.components_)
    core_labels = model.labels_[model.core_sample_indices_]
    expected = np.where(far.min(axis=1) <= 0.2, core_labels[far.argmin(axis=1)], -1)
    assert len(set(expected)) > 2
    np.testing.assert_array_equal(model.predict(new), expected)
    np.testing.assert_array_equal(model.predict(model.components_), core_labels)
    np.testing.assert_array_equal(DBSCAN(1e-3).fit(X).predict(new), -1)  # no core points at all


def test_predict_takes_what_is_at_exactly_eps():
    """0.3 - 0.2 is a little less than 0.1 in double, and 0.4 - 0.3 a little more."""
    model = DBSCAN(0.1, min_samples=1).fit([[0.3]])
    np.testing.assert_array_equal(model.predict([[0.2], [0.4], [0.5]]), [0, -1, -1])


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
def test_partial_fit_is_a_fit_on_everything(storage, weighted):
    rng = np.random.default_rng(8)
    X = rings(600, rng)
    w = rng.uniform(0, 2, 600)
    whole = DBSCAN(0.2).fit(storage(X), sample_weight=np.r_[np.ones(200), w[200:]] if weighted else None)
    model = DBSCAN(0.2).fit(storage(X[:200]))
    for part in (slice(200, 201), slice(201, 600)):
        model.partial_fit(storage(X[part]), sample_weight=w[part] if weighted else None)
    np.testing.assert_array_equal(model.labels_, whole.labels_)
    np.testing.assert_array_equal(model.core_sample_indices_, whole.core_sample_indices_)
    np.testing.assert_array_equal(model.predict(storage(X + 0.05)), whole.predict(storage(X + 0.05)))


def test_learning_on_does_not_look_at_the_callers_array_again():
    X = rings(300, np.random.default_rng(9))
    model = DBSCAN(0.3).fit(X[:150])
    kept, X[:150] = X.copy(), 0
    np.testing.assert_array_equal(model.partial_fit(kept[150:]).labels_, DBSCAN(0.3).fit(kept).labels_)


def test_memory_is_linear():
    """All points are neighbours of each other: lists of them would take 3 GB; 100 bytes a record are 2 MB."""
    import tracemalloc

    X = np.random.default_rng(0).uniform(0, 1, (20_000, 3))
    tracemalloc.start()
    try:
        labels = DBSCAN(2.0, min_samples=10).fit(X).labels_
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert set(labels) == {0}
    assert peak < 20_000 * 110  # three values in the tree and among the components, names, sets, labels


def test_words():
    X = np.zeros((4, 2))
    for bad, word in (
        ({"eps": 0}, "eps"),
        ({"min_samples": 0}, "min_samples"),
        ({"metric": "blah"}, "metric"),
        ({"algorithm": "blah"}, "algorithm"),
        ({"leaf_size": -1}, "leaf_size"),
        ({"p": -1}, "p"),
    ):
        with pytest.raises(ValueError, match=f"The '{word}' parameter of DBSCAN must be"):
            DBSCAN(**bad).fit(X)
    with pytest.raises(ValueError, match="p must be above 0"):
        DBSCAN(metric="minkowski", p=0).fit(X)
    with pytest.raises(ValueError, match="only valid in 2 dimensions"):
        DBSCAN(metric="haversine").fit(np.zeros((4, 3)))
