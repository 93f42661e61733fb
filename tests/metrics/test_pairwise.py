"""Kernels and distances between all pairs of records."""

import numpy as np
import pytest
import sklearn.metrics.pairwise as theirs
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

import clinfa
import clinfa.metrics.pairwise as ours
from clinfa import Dataset
from clinfa.errors import DataConversionWarning, InvalidParameterError

X = np.array([[0.0, 0.0], [3.0, 4.0], [-1.0, 2.0], [3.0, 4.0]])
Y = np.array([[1.0, 1.0], [0.0, 2.0]])


def records(n, d, seed=0):
    return np.random.default_rng([seed, n, d]).standard_normal((n, d))


# By hand


def test_kernels_by_hand():
    assert_array_equal(ours.linear_kernel(X, Y), [[0, 0], [7, 8], [1, 4], [7, 8]])
    got = ours.polynomial_kernel(X, Y, degree=2, gamma=2, coef0=1)
    assert_array_equal(got, [[1, 1], [225, 289], [9, 81], [225, 289]])
    assert_allclose(ours.polynomial_kernel(X[1:2], Y, degree=1.5, gamma=1, coef0=1), [[8**1.5, 27.0]])
    assert_allclose(ours.sigmoid_kernel(X[2:3], Y, gamma=0.5, coef0=-1), np.tanh([[-0.5, 1.0]]))
    assert_allclose(ours.rbf_kernel(X[:2], Y, gamma=0.5), np.exp([[-1, -2], [-6.5, -6.5]]))
    assert_allclose(ours.laplacian_kernel(X[:2], Y), np.exp([[-1, -1], [-2.5, -2.5]]))
    assert_allclose(ours.cosine_similarity(X, Y[1:]), [[0], [0.8], [2 / 5**0.5], [0.8]])
    H = np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
    assert_array_equal(ours.additive_chi2_kernel(H, H), [[0, -4], [-4, 0]])
    assert_allclose(ours.chi2_kernel(H, gamma=0.5), np.exp([[0, -2], [-2, 0]]))


def test_distances_by_hand():
    assert_array_equal(ours.euclidean_distances(X[:2], X), [[0, 5, 5**0.5, 5], [5, 0, 20**0.5, 0]])
    assert_array_equal(ours.euclidean_distances(X[:1], X, squared=True), [[0, 25, 5, 25]])
    assert_array_equal(ours.manhattan_distances(X[:2], Y), [[2, 2], [5, 5]])
    assert_allclose(ours.cosine_distances(X[:2], Y[1:]), [[1], [0.2]])
    assert_array_equal(np.diag(ours.cosine_distances(X)), np.zeros(4))
    quarter = ours.haversine_distances([[0, 0], [np.pi / 2, 0]], [[0, np.pi / 2], [0, np.pi]])
    assert_allclose(quarter, [[np.pi / 2, np.pi], [np.pi / 2, np.pi / 2]])
    assert_array_equal(ours.paired_euclidean_distances(X[:2], [[3, 4], [3, 5]]), [5, 1])
    assert_array_equal(ours.paired_manhattan_distances(X[:2], [[3, 4], [3, 5]]), [7, 1])
    assert_allclose(ours.paired_cosine_distances(X[1:3], [[0, 2], [-2, 4]]), [0.2, 0], atol=1e-15)


def test_missing_values_by_hand():
    A = np.array([[3.0, np.nan, 0.0, 0.0], [np.nan, 1.0, np.nan, np.nan]])
    got = ours.nan_euclidean_distances(A, [[1.0, 5.0, np.nan, 2.0]])
    assert_array_equal(got, [[4.0], [8.0]])  # sqrt(4/2 (4 + 4)), sqrt(4/1 16)
    assert np.isnan(ours.nan_euclidean_distances(A)[0, 1])
    assert_array_equal(
        ours.nan_euclidean_distances([[-1.0, 2.0]], [[5.0, 4.0]], missing_values=-1.0), [[8**0.5]]
    )
    with pytest.raises(ValueError, match="contains infinity"):
        ours.nan_euclidean_distances([[np.inf, 1.0]])
    with pytest.raises(ValueError, match="contains NaN"):
        ours.nan_euclidean_distances([[np.nan, 1.0]], missing_values=-1.0)


# Exactness


@pytest.mark.parametrize("d", [1, 9, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gaussian_kernel_is_exact_wherever_the_records_lie(dtype, d):
    eps = np.finfo(dtype).eps
    base = np.round(records(60, d) * 64) / 64
    A = np.concatenate([base, base[:7] + 2.0**-7]).astype(dtype)
    K = ours.rbf_kernel(A, gamma=0.25)
    assert (np.diag(K) == 1).all()
    assert_array_equal(K, K.T)
    wide = A.astype(np.longdouble)
    wanted = np.exp(-0.25 * ((wide[:, None] - wide) ** 2).sum(axis=-1))
    assert_allclose(K, wanted.astype(np.float64), rtol=500 * eps)
    moved = A + dtype(512)
    assert_allclose(ours.rbf_kernel(moved, gamma=0.25), K, rtol=500 * eps)


def test_records_beside_which_others_vanish():
    A = np.array([[1e-3], [2e-3], [1e12]])
    assert_allclose(ours.euclidean_distances(A)[0, 1], 1e-3, rtol=1e-13)
    B = np.tile(A, (1, 64))
    assert_allclose(ours.euclidean_distances(B)[0, 1], 8e-3, rtol=1e-13)
    huge = np.full((2, 20), 1e200)
    assert_array_equal(ours.euclidean_distances(huge), np.zeros((2, 2)))
    assert_allclose(ours.cosine_similarity(huge), np.ones((2, 2)))
    assert_allclose(ours.cosine_similarity(huge / 1e190 / 1e190), np.ones((2, 2)))


def test_nothing_is_far_from_itself_in_any_order():
    A = records(150, 30)
    for function in (ours.euclidean_distances, ours.manhattan_distances):
        D = function(A)
        assert (np.diag(D) == 0).all()
        assert_array_equal(D, D.T)
        assert_array_equal(D[40:60, 3:20], function(A[40:60], A[3:20]))


# As scikit-learn

METRICS = [
    "cityblock",
    "cosine",
    "euclidean",
    "l1",
    "l2",
    "manhattan",
    "nan_euclidean",
    "braycurtis",
    "canberra",
]
METRICS += ["chebyshev", "correlation", "mahalanobis", "minkowski", "seuclidean", "sqeuclidean"]


@pytest.mark.parametrize("form", [np.asarray, csr_array])
@pytest.mark.parametrize("name", ["linear", "poly", "sigmoid", "rbf", "laplacian", "cosine"])
def test_kernels_agree_with_scikit_learns(name, form):
    A, B = records(60, 7), records(40, 7, 1)
    A[abs(A) < 0.5] = 0
    got = ours.pairwise_kernels(form(A), form(B), metric=name)
    assert_allclose(got, theirs.pairwise_kernels(A, B, metric=name), rtol=1e-12, atol=1e-13)
    assert_allclose(ours.pairwise_kernels(form(A), B, metric=name), got, rtol=1e-12, atol=1e-13)
    single = ours.pairwise_kernels(form(A.astype(np.float32)), form(B.astype(np.float32)), metric=name)
    assert single.dtype == np.float32
    assert_allclose(single, got, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", METRICS)
def test_distances_agree_with_scikit_learns(name):
    A, B = records(40, 5), records(30, 5, 1)
    assert_allclose(
        ours.pairwise_distances(A, metric=name),
        theirs.pairwise_distances(A, metric=name),
        rtol=1e-9,
        atol=1e-14,
    )
    if name not in ("seuclidean", "mahalanobis"):
        wanted = theirs.pairwise_distances(A, B, metric=name)
        assert_allclose(ours.pairwise_distances(A, B, metric=name), wanted, rtol=1e-12)
    else:
        with pytest.raises(ValueError, match="is required"):
            ours.pairwise_distances(A, B, metric=name)


def test_truth_values():
    A = records(20, 6) > 0
    assert_allclose(
        ours.pairwise_distances(A, metric="jaccard"), theirs.pairwise_distances(A, metric="jaccard")
    )
    with pytest.warns(DataConversionWarning, match="converted to boolean for metric dice"):
        assert_allclose(
            ours.pairwise_distances(A * 2.0, metric="dice"), theirs.pairwise_distances(A, metric="dice")
        )


@pytest.mark.parametrize("d", [30, 3000])
@pytest.mark.parametrize("name", ["euclidean", "l1", "cosine"])
def test_sparse_records_made_dense_or_not(name, d):
    A, B = records(30, d), records(20, d, 1)
    A[abs(A) < 2.2], B[abs(B) < 2.2] = 0, 0
    wanted = theirs.pairwise_distances(A, B, metric=name)
    for a, b in ((csr_array(A), csr_array(B)), (csr_array(A), B), (A, csr_array(B))):
        assert_allclose(ours.pairwise_distances(a, b, metric=name), wanted, rtol=1e-10)
    D = ours.pairwise_distances(csr_array(A), metric=name)
    assert_allclose(D, theirs.pairwise_distances(A, metric=name), rtol=1e-10, atol=1e-12)
    single = ours.pairwise_distances(csr_array(A.astype(np.float32)), metric=name)
    assert single.dtype == np.float32
    assert_allclose(single, D, rtol=1e-4, atol=1e-5)


def test_sparse_output_on_request():
    A = csr_array([[1.0, 0.0], [0.0, 2.0]])
    for function in (ours.linear_kernel, ours.cosine_similarity):
        out = function(A, dense_output=False)
        assert out.format == "csr"
        assert_array_equal(out.toarray(), function(A))


# Forms


def test_functions_of_two_records():
    calls = []

    def longest(a, b):
        calls.append(1)
        return float(max(abs(a - b)))

    assert_array_equal(
        ours.pairwise_distances(X, Y, metric=longest), ours.pairwise_distances(X, Y, "chebyshev")
    )
    calls.clear()
    D = ours.pairwise_kernels(X, metric=longest)
    assert len(calls) == 10  # once for each pair, and for each record with itself
    assert_array_equal(D, D.T)
    shared = ours.pairwise_distances(["ab", "abc"], ["b", ""], metric=lambda a, b: len(set(a) & set(b)))
    assert_array_equal(shared, [[1, 0], [1, 0]])
    assert_array_equal(ours.paired_distances(X, X[::-1], metric=longest), [4, 4, 4, 4])
    overlap = ours.pairwise_kernels(csr_array(X), metric=lambda a, b: (a @ b.T).sum())
    assert_array_equal(overlap, X @ X.T)


def test_datasets_lists_and_what_is_given():
    assert_array_equal(ours.linear_kernel(Dataset(X), Dataset(Y)), X @ Y.T)
    assert_array_equal(ours.linear_kernel(X.tolist()), X @ X.T)
    K = np.array([[1.0, 2.0], [2.0, 5.0]])
    assert_array_equal(ours.pairwise_kernels(K, metric="precomputed"), K)
    with pytest.raises(ValueError, match="Precomputed metric requires shape"):
        ours.pairwise_distances(X, metric="precomputed")
    with pytest.raises(ValueError, match="non-negative"):
        ours.pairwise_distances(-K, metric="precomputed")


def test_norms_that_are_known():
    norms = (X * X).sum(axis=1)
    got = ours.euclidean_distances(X, X_norm_squared=norms, Y_norm_squared=norms)
    assert_allclose(got, ours.euclidean_distances(X))
    zeros = ours.euclidean_distances(X, Y, X_norm_squared=np.zeros(4), Y_norm_squared=np.zeros(2))
    assert_array_equal(zeros, np.zeros((4, 2)))  # they are believed
    with pytest.raises(ValueError, match="Incompatible dimensions for Y of shape"):
        ours.euclidean_distances(X, Y, Y_norm_squared=np.zeros(3))


def test_parameters_that_a_kernel_does_not_have():
    got = ours.pairwise_kernels(X, metric="rbf", filter_params=True, gamma=0.5, degree=3)
    assert_array_equal(got, ours.rbf_kernel(X, gamma=0.5))
    with pytest.raises(TypeError):
        ours.pairwise_kernels(X, metric="rbf", degree=3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ours.rbf_kernel(X, records(3, 3)), "Incompatible dimension for X and Y matrices"),
        (lambda: ours.rbf_kernel(X, gamma=-1.0), "'gamma' parameter of rbf_kernel"),
        (lambda: ours.chi2_kernel(X), "X contains negative values"),
        (lambda: ours.linear_kernel([[np.nan]]), "contains NaN"),
        (lambda: ours.linear_kernel([1.0]), "Expected 2D array"),
        (lambda: ours.haversine_distances(records(3, 3)), "only valid in 2 dimensions"),
        (lambda: ours.paired_distances(X, Y), "should be of same shape"),
        (lambda: ours.pairwise_distances(X, metric="far"), "'metric' parameter of pairwise_distances"),
        (lambda: ours.pairwise_kernels(X, metric=3), "'metric' parameter of pairwise_kernels"),
        (lambda: ours.pairwise_distances_argmin(X, Y, axis=2), "axis must be 0 or 1"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
    assert issubclass(InvalidParameterError, ValueError)


def test_sparse_records_where_scipy_takes_none():
    with pytest.raises(TypeError, match="do not support sparse"):
        ours.pairwise_distances(csr_array(X), metric="canberra")


# In pieces


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan", "seuclidean", "mahalanobis"])
def test_pieces_are_the_whole(metric):
    A = records(50, 4)
    pieces = list(ours.pairwise_distances_chunked(A, metric=metric, working_memory=50 * 8 * 7 / 2**20))
    assert [len(p) for p in pieces] == [7] * 7 + [1]
    assert_allclose(np.vstack(pieces), ours.pairwise_distances(A, metric=metric), rtol=1e-12)


def test_pieces_reduced():
    A = records(20, 2)
    made = ours.pairwise_distances_chunked(
        A, working_memory=0, reduce_func=lambda D, at: (D.min(axis=1), np.full(len(D), at))
    )
    least, begin = (np.concatenate(v) for v in zip(*made, strict=True))
    assert_array_equal(least, np.zeros(20))
    assert_array_equal(begin, np.arange(20))
    with pytest.raises(ValueError, match="Expected same length as input: 20"):
        next(ours.pairwise_distances_chunked(A, reduce_func=lambda D, at: D[1:]))
    with pytest.raises(TypeError, match="Expected sequence"):
        next(ours.pairwise_distances_chunked(A, reduce_func=lambda D, at: 1.0))


@pytest.mark.parametrize(
    "metric", ["euclidean", "sqeuclidean", "manhattan", "chebyshev", "cosine", "canberra"]
)
def test_the_nearest(metric):
    A, B = records(60, 3), np.round(records(40, 3, 1))
    D = ours.pairwise_distances(A, B, metric=metric)
    rows, far = ours.pairwise_distances_argmin_min(A, B, metric=metric)
    assert_array_equal(rows, D.argmin(axis=1))
    assert_allclose(far, D.min(axis=1), rtol=1e-12)
    assert_array_equal(ours.pairwise_distances_argmin(A, B, axis=0, metric=metric), D.argmin(axis=0))


def test_n_jobs_changes_no_bit():
    A = records(300, 20)
    with clinfa.config_context(n_threads=1):
        K = ours.pairwise_kernels(A, metric="rbf")
    assert_array_equal(ours.pairwise_kernels(A, metric="rbf", n_jobs=2), K)
    assert_array_equal(ours.pairwise_distances(A, n_jobs=2), ours.pairwise_distances(A, n_jobs=1))
