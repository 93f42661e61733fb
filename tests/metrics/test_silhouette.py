"""Silhouettes: by hand, against sums in long double, what must hold, corner cases, scikit-learn."""

import math

import numpy as np
import pytest
import scipy.sparse
import sklearn.metrics
from scipy.spatial.distance import cdist

from clinfa import Dataset, config_context, datasets, metrics
from clinfa.errors import DataConversionWarning, InvalidParameterError

METRICS = [
    "euclidean",
    "sqeuclidean",
    "cosine",
    "manhattan",
    "chebyshev",
    "canberra",
    "braycurtis",
    "correlation",
]
LINE, SIDES = [[0.0], [1.0], [9.0], [11.0]], [0, 0, 1, 1]


def clustered(n, d, k, dtype=np.float64, *, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(k), rng.integers(k, size=n - k)]
    return (rng.normal(size=(n, d)) + 2 * rng.normal(size=(k, d))[labels]).astype(dtype), labels


def slow(D, labels):
    """Silhouettes from all distances, in the words of the definition."""
    out = []
    for i, own in enumerate(labels):
        mates = [j for j in range(len(labels)) if labels[j] == own and j != i]
        if not mates:
            out.append(0.0)
            continue
        a = sum(D[i, j] for j in mates) / len(mates)
        b = min(D[i, labels == c].sum() / (labels == c).sum() for c in set(labels) - {own})
        out.append(float((b - a) / max(a, b)) if max(a, b) else 0.0)
    return np.array(out)


def exact_distances(X, power=1):
    X = X.astype(np.longdouble)
    squares = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    return np.sqrt(squares) if power == 1 else squares


# By hand


def test_by_hand():
    wanted = [(10 - 1) / 10, (9 - 1) / 9, (8.5 - 2) / 8.5, (10.5 - 2) / 10.5]
    np.testing.assert_allclose(metrics.silhouette_samples(LINE, SIDES), wanted, 1e-15)
    assert metrics.silhouette_score(LINE, SIDES) == pytest.approx(np.mean(wanted), rel=1e-15)
    squares = [
        1 - 1 / ((81 + 121) / 2),
        1 - 1 / ((64 + 100) / 2),
        1 - 4 / ((81 + 64) / 2),
        1 - 4 / ((121 + 100) / 2),
    ]
    np.testing.assert_allclose(metrics.silhouette_samples(LINE, SIDES, metric="sqeuclidean"), squares, 1e-15)


def test_a_cluster_of_one_scores_nothing():
    assert metrics.silhouette_samples([[0.0], [1.0], [5.0]], ["a", "a", "b"]).tolist() == [0.8, 0.75, 0]


def test_equal_rows():
    for metric in ("euclidean", "sqeuclidean", "manhattan"):
        found = metrics.silhouette_samples(np.full((6, 2), 0.1), [0, 0, 0, 1, 1, 1], metric=metric)
        assert found.tolist() == [0] * 6
        apart = np.repeat([[0.1, 0.3], [0.7, 1 / 3]], 3, axis=0)
        assert metrics.silhouette_samples(apart, [0, 0, 0, 1, 1, 1], metric=metric).tolist() == [1] * 6


def test_centre_scores_by_hand():
    square = [[0, 0], [0, 2], [10, 0], [10, 2]]
    # centres (0, 1) and (10, 1): within 4, between 4 * 25
    assert metrics.calinski_harabasz_score(square, SIDES) == pytest.approx(100 / 1 / (4 / 2), rel=1e-14)
    assert metrics.davies_bouldin_score(square, SIDES) == pytest.approx((1 + 1) / 10, rel=1e-14)
    # a third cluster at (0, 7), of one row: 1/6 of the first two thirds, 1/6, 2/10
    three = metrics.davies_bouldin_score([*square, [0, 7]], [*SIDES, 2])
    assert three == pytest.approx((2 / 10 + 2 / 10 + 1 / 6) / 3, rel=1e-14)


# Against sums over all pairs in long double


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(3, 1, 2), (33, 2, 5), (65, 3, 2), (130, 17, 4), (90, 100, 88)])
def test_sums_in_long_double(dtype, n, d, k):
    X, labels = clustered(n, d, k, dtype)
    rtol = 1e-13 if dtype == np.float64 else 2e-6
    for metric, power in (("euclidean", 1), ("sqeuclidean", 2)):
        found = metrics.silhouette_samples(X, labels, metric=metric)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, slow(exact_distances(X, power), labels), rtol, rtol)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
def test_near_rows_far_from_the_origin(metric):
    rng = np.random.default_rng(1)
    labels = np.arange(40) % 4
    # steps of 2^-12 at 2^20, and clusters that are tight against their distances
    X = 2.0**20 + rng.integers(-8, 8, (40, 3)) / 2**12 + 1000.0 * labels[:, None]
    wanted = slow(exact_distances(X, 1 if metric == "euclidean" else 2), labels)
    found = metrics.silhouette_samples(X, labels, metric=metric)
    # (1 - silhouette is a quotient of distances of 1e-4 and 1e3: it must have its digits)
    np.testing.assert_allclose(1 - found, 1 - wanted, 1e-9 if metric == "euclidean" else 1e-3, 1e-15)


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e170, 1e300])
def test_any_scale(size):
    X, labels = clustered(50, 3, 4)
    factor = 2.0 ** round(math.log2(size))
    for metric in ("euclidean", "sqeuclidean", "cosine"):
        np.testing.assert_allclose(
            metrics.silhouette_samples(X * factor, labels, metric=metric),
            metrics.silhouette_samples(X, labels, metric=metric),
            1e-12,
        )
    for f in (metrics.davies_bouldin_score, metrics.calinski_harabasz_score):
        np.testing.assert_allclose(f(X * factor, labels), f(X, labels), 1e-12)
        np.testing.assert_allclose(f(X + 2.0**30, labels), f(X, labels), 1e-6)


# What must hold


@pytest.mark.parametrize("metric", METRICS)
def test_order_and_names_do_not_matter(metric):
    X, labels = clustered(70, 4, 5)
    found = metrics.silhouette_samples(X, labels, metric=metric)
    assert np.abs(found).max() <= 1
    rng = np.random.default_rng(2)
    order, names = rng.permutation(70), np.array(list("vwxyz"))[rng.permutation(5)]
    again = metrics.silhouette_samples(X[order], names[labels[order]], metric=metric)
    np.testing.assert_allclose(again, found[order], 1e-12, 1e-14)


def test_rows_do_not_know_their_neighbours():
    X, labels = clustered(600, 6, 7)
    D = cdist(X, X)
    for metric in ("euclidean", "precomputed"):
        given = X if metric == "euclidean" else D
        values = set()
        for count in (1, 2, 3):
            with config_context(n_threads=count):
                values.add(metrics.silhouette_samples(given, labels, metric=metric).tobytes())
        assert len(values) == 1


def test_little_memory_is_many_blocks():
    X, labels = clustered(400, 5, 4)
    for metric in METRICS:
        found = metrics.silhouette_samples(X, labels, metric=metric)
        with config_context(working_memory=1):
            again = metrics.silhouette_samples(X, labels, metric=metric)
        np.testing.assert_allclose(again, found, 1e-13)


def test_memory_does_not_grow_with_pairs():
    import tracemalloc

    X, labels = clustered(6000, 2, 3000)
    tracemalloc.start()
    try:
        metrics.silhouette_samples(X, labels)
        assert tracemalloc.get_traced_memory()[1] < 6000 * 3000  # a byte for each row and cluster
    finally:
        tracemalloc.stop()


def test_a_sample_is_those_rows():
    X, labels = clustered(80, 3, 4)
    which = np.random.RandomState(5).permutation(80)[:30]
    wanted = metrics.silhouette_score(X[which], labels[which])
    assert metrics.silhouette_score(X, labels, sample_size=30, random_state=5) == wanted
    for given in (cdist(X, X), scipy.sparse.csr_matrix(cdist(X, X))):
        found = metrics.silhouette_score(given, labels, metric="precomputed", sample_size=30, random_state=5)
        np.testing.assert_allclose(found, wanted, 1e-13)
    # a cluster that the sample misses altogether
    labels[labels == 3], labels[3] = 2, 3
    assert 3 not in labels[which]
    found = metrics.silhouette_score(X, labels, sample_size=30, random_state=5)
    assert found == metrics.silhouette_score(X[which], labels[which])


# Corner cases


@pytest.mark.parametrize(
    "f", [metrics.silhouette_samples, metrics.silhouette_score, metrics.davies_bouldin_score,
          metrics.calinski_harabasz_score], ids=lambda f: f.__name__,
)  # fmt: skip
def test_refused(f):
    X = np.arange(8.0).reshape(4, 2)
    for labels, count in (([0, 0, 0, 0], 1), ([0, 1, 2, 3], 4)):
        with pytest.raises(
            ValueError, match=f"^Number of labels is {count}. Valid values are 2 to n_samples - 1"
        ):
            f(X, labels)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[4, 3\]"):
        f(X, [0, 1, 1])
    with pytest.raises(ValueError, match="X contains NaN"):
        f(X * math.nan, SIDES)
    with pytest.raises(ValueError, match="0 sample"):
        f(X[:0], [])
    with pytest.raises(ValueError, match="Expected 2D array"):
        f(X[0], [0, 1])
    with pytest.raises(ValueError, match="labels holds numbers that are not whole"):
        f(X, [0.5, 1, 1, 1])


def test_refused_parameters():
    with pytest.raises(InvalidParameterError, match="'metric' parameter of silhouette_samples"):
        metrics.silhouette_samples(LINE, SIDES, metric="hyperbolic")
    with pytest.raises(InvalidParameterError, match="'sample_size' parameter of silhouette_score"):
        metrics.silhouette_score(LINE, SIDES, sample_size=0)
    with pytest.raises(InvalidParameterError, match="'random_state' parameter of silhouette_score"):
        metrics.silhouette_score(LINE, SIDES, random_state="x")
    with pytest.raises(TypeError, match="takes no parameters, got p"):
        metrics.silhouette_score(LINE, SIDES, p=3)
    with pytest.raises(TypeError, match="do not support sparse"):
        metrics.silhouette_score(scipy.sparse.csr_matrix(LINE), SIDES, metric="chebyshev")
    for f in (metrics.davies_bouldin_score, metrics.calinski_harabasz_score):
        with pytest.raises(TypeError, match="dense data is required"):
            f(scipy.sparse.csr_matrix(LINE), SIDES)


def test_precomputed_is_looked_at():
    D = cdist(LINE, LINE)
    np.testing.assert_allclose(
        metrics.silhouette_samples(D, SIDES, metric="precomputed"),
        metrics.silhouette_samples(LINE, SIDES),
        1e-15,
    )
    assert metrics.silhouette_score(D.astype(int), SIDES, metric="precomputed") == metrics.silhouette_score(
        D, SIDES, metric="precomputed"
    )
    with pytest.raises(ValueError, match="non-zero elements on the diagonal"):
        metrics.silhouette_score(D + np.eye(4), SIDES, metric="precomputed")
    with pytest.raises(ValueError, match="Precomputed metric requires shape"):
        metrics.silhouette_score(D[:, :3], SIDES, metric="precomputed")


def test_rows_at_their_centres():
    X, labels = np.repeat([[0.1, 0.7], [0.3, 0.2], [1 / 3, 1e-3]], 7, axis=0), np.repeat([0, 1, 2], 7)
    for dtype in (np.float32, np.float64):
        assert metrics.calinski_harabasz_score(X.astype(dtype), labels) == 1
        assert metrics.davies_bouldin_score(X.astype(dtype), labels) == 0
    # all centres in one point
    ring = [[1.0, 0], [-1, 0], [0, 2], [0, -2]]
    assert metrics.davies_bouldin_score(ring, SIDES) == 0
    assert metrics.calinski_harabasz_score(ring, SIDES) == 0


def test_other_inputs():
    X, labels = clustered(30, 3, 3)
    wanted = metrics.silhouette_score(X, labels)
    assert metrics.silhouette_score(Dataset(X), labels) == wanted
    assert metrics.silhouette_score(X[::-1][::-1].tolist(), labels.astype(str)) == wanted
    assert metrics.silhouette_score(np.asfortranarray(X), labels) == wanted
    whole = np.random.default_rng(0).integers(0, 9, (20, 2))
    assert metrics.silhouette_score(whole, whole[:, 0] > 4) == metrics.silhouette_score(
        whole * 1.0, whole[:, 0] > 4
    )
    before = X.copy()
    metrics.silhouette_samples(X, labels, metric="cosine")
    assert np.array_equal(X, before)


# Against scikit-learn


@pytest.mark.parametrize(
    "metric", [*METRICS, "l1", "l2", "cityblock", "minkowski", "seuclidean", "mahalanobis"]
)
def test_parity(metric):
    for n, d, k in ((30, 2, 3), (300, 5, 7), (100, 20, 60)):
        X, labels = clustered(n, d, k)
        if metric == "correlation" and d == 2:
            continue  # all correlations of two values are 1 or -1, their distances 0 or 2 and rounding
        how = {"p": 1.5} if metric == "minkowski" else {}
        theirs = sklearn.metrics.silhouette_samples(X, labels, metric=metric, **how)
        ours = metrics.silhouette_samples(X, labels, metric=metric, **how)
        np.testing.assert_allclose(ours, theirs, 1e-12, 1e-12)
        score = metrics.silhouette_score(X, labels, metric=metric, sample_size=n - 2, random_state=3, **how)
        wanted = sklearn.metrics.silhouette_score(
            X, labels, metric=metric, sample_size=n - 2, random_state=3, **how
        )
        assert score == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize("metric", ["hamming", "jaccard", "dice", "russellrao", "yule"])
def test_parity_of_truth_values(metric):
    X = np.random.default_rng(0).random((60, 9)) < 0.4
    labels = np.arange(60) % 3
    theirs = sklearn.metrics.silhouette_samples(X, labels, metric=metric)
    np.testing.assert_allclose(metrics.silhouette_samples(X, labels, metric=metric), theirs, 1e-12, 1e-13)


def test_truth_values_from_numbers():
    X = np.random.default_rng(0).integers(0, 2, (60, 9))
    with pytest.warns(DataConversionWarning, match="converted to boolean for metric jaccard"):
        found = metrics.silhouette_samples(X, np.arange(60) % 3, metric="jaccard")
    assert np.array_equal(found, metrics.silhouette_samples(X == 1, np.arange(60) % 3, metric="jaccard"))


def test_a_callable():
    X, labels = clustered(40, 3, 3)
    ours = metrics.silhouette_samples(X, labels, metric=lambda x, y: np.abs(x - y).max())
    np.testing.assert_allclose(ours, metrics.silhouette_samples(X, labels, metric="chebyshev"), 1e-13)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cosine", "manhattan"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse(metric, dtype):
    X, labels = clustered(90, 30, 4, dtype)
    X[np.random.default_rng(1).random(X.shape) < 0.7] = 0
    X[5] = X[6] = X[7] = 0
    labels[5], labels[6] = labels[7], labels[8]
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    wanted = metrics.silhouette_samples(X, labels, metric=metric)
    theirs = sklearn.metrics.silhouette_samples(X.astype(float), labels, metric=metric)
    np.testing.assert_allclose(wanted, theirs, rtol, rtol)
    for make in (scipy.sparse.csr_matrix, scipy.sparse.csc_array, scipy.sparse.coo_matrix):
        np.testing.assert_allclose(
            metrics.silhouette_samples(make(X), labels, metric=metric), wanted, rtol, rtol
        )


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cosine"])
def test_sparse_rows_too_wide_to_unfold(metric):
    X = scipy.sparse.random_array((80, 40_000), density=2e-3, rng=np.random.default_rng(0), format="csr")
    X.data += 0.5
    X = scipy.sparse.vstack([X, X[:5] * 0]).tocsr()
    labels = np.arange(85) % 4
    with config_context(working_memory=1):
        found = metrics.silhouette_samples(X, labels, metric=metric)
    np.testing.assert_allclose(found, metrics.silhouette_samples(X, labels, metric=metric), 1e-10, 1e-12)


@pytest.mark.parametrize("name", ["davies_bouldin_score", "calinski_harabasz_score"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_centre_scores_parity(name, dtype):
    for n, d, k in ((5, 1, 2), (30, 2, 3), (3000, 5, 7), (100, 20, 60), (1000, 3, 600)):
        X, labels = clustered(n, d, k, dtype)
        theirs = getattr(sklearn.metrics, name)(X.astype(float), labels)
        # (Theirs are from inner products, which leaves half the digits where a row is near its centre.)
        exact = name == "calinski_harabasz_score" and dtype == np.float64
        np.testing.assert_allclose(getattr(metrics, name)(X, labels), theirs, 1e-12 if exact else 1e-6)


def test_davies_bouldin_in_long_double():
    for n, d, k in ((5, 1, 2), (30, 2, 3), (100, 20, 60), (300, 3, 200)):
        X, labels = clustered(n, d, k)
        parts = [X[labels == c].astype(np.longdouble) for c in range(k)]
        centres = np.array([part.mean(axis=0) for part in parts])
        spread = np.array(
            [np.sqrt(((p - c) ** 2).sum(axis=1)).mean() for p, c in zip(parts, centres, strict=True)]
        )
        apart = exact_distances(centres)
        np.fill_diagonal(apart, np.inf)
        wanted = ((spread[:, None] + spread) / apart).max(axis=1).mean()
        assert metrics.davies_bouldin_score(X, labels) == pytest.approx(float(wanted), rel=1e-13)


@pytest.mark.parametrize("name", ["silhouette_score", "davies_bouldin_score", "calinski_harabasz_score"])
@pytest.mark.parametrize("table", ["iris", "wine", "breast_cancer"])
def test_real_data(name, table):
    X, y = getattr(datasets, f"load_{table}")(return_X_y=True)
    np.testing.assert_allclose(getattr(metrics, name)(X, y), getattr(sklearn.metrics, name)(X, y), 1e-12)
