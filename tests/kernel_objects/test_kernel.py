"""Kernels as objects."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

import clinfa
from clinfa import Dataset
from clinfa.errors import InvalidParameterError
from clinfa.kernels import Cosine, Gaussian, Kernel, Laplacian, Linear, Method, Polynomial, Sigmoid, Sparse

METHODS = [Linear(), Gaussian(2.0), Polynomial(1.0, 2.0), Laplacian(3.0), Sigmoid(0.1, 0.5), Cosine()]
KINDS = ["dense", "operator", Sparse(5)]
PAIRS = np.array([0, 0.1, 1, 1.1, 2, 2.1, 3, 3.1])


def records(n, d=3, dtype=np.float64):
    return np.random.default_rng([n, d]).standard_normal((n, d)).astype(dtype)


def twin(method, x, y):
    """The value of two records, by its formula."""
    if isinstance(method, Linear):
        return x @ y
    if isinstance(method, Gaussian):
        return np.exp(-((x - y) ** 2).sum() / method.eps)
    if isinstance(method, Polynomial):
        return (x @ y + method.c) ** method.d
    if isinstance(method, Laplacian):
        return np.exp(-abs(x - y).sum() / method.eps)
    if isinstance(method, Sigmoid):
        return np.tanh(method.gamma * (x @ y) + method.c)
    return x @ y / np.sqrt((x @ x) * (y @ y))


def neighbours(X, k):
    """Who is joined with whom."""
    far = ((X[:, None] - X) ** 2).sum(axis=-1)
    near = np.zeros(far.shape, bool)
    near[np.arange(len(X))[:, None], np.argsort(far, axis=1, kind="stable")[:, : k + 1]] = True
    return near | near.T | np.eye(len(X), dtype=bool)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_every_value_is_the_formulas(method, kind, dtype):
    X = records(40, dtype=dtype)
    kernel = Kernel(X, method, kind)
    wanted = np.array([[twin(method, x, y) for y in X.astype(float)] for x in X.astype(float)])
    if isinstance(kind, Sparse):
        wanted *= neighbours(X, kind.k)
        assert kernel.matrix.nnz == neighbours(X, kind.k).sum()
    K = kernel.toarray()
    assert K.dtype == kernel.dtype == dtype
    assert_allclose(K, wanted, rtol=60 * np.finfo(dtype).eps, atol=20 * np.finfo(dtype).eps)
    assert_array_equal(K, K.T)
    assert_array_equal(kernel.tocsr().toarray(), K)
    assert_array_equal(np.asarray(kernel), K)
    assert_allclose(kernel.diagonal(), np.diag(K), rtol=8 * np.finfo(dtype).eps)
    assert_allclose(kernel.sum(), K.sum(axis=1), rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-5)
    assert_allclose(kernel.to_upper_triangle(), K[np.triu_indices(40, 1)])
    assert_allclose(kernel.column(7), K[:, 7], rtol=1e-6)
    assert_allclose(kernel[3:9:2], K[3:9:2], rtol=1e-6)
    assert_allclose(kernel[-1], K[-1], rtol=1e-6)
    for rhs in (records(40, 1, dtype)[:, 0], records(40, 7, dtype), records(40, 70, dtype)):
        got = kernel.dot(rhs)
        assert got.shape == rhs.shape and got.dtype == dtype
        assert_allclose(got, K.astype(float) @ rhs, rtol=1e-3 if dtype == np.float32 else 1e-10, atol=1e-4)
        assert_array_equal(kernel.as_linear_operator() @ rhs, kernel @ rhs)
    assert kernel.is_linear == isinstance(method, Linear)
    assert (kernel.size, kernel.shape, len(kernel)) == (40, (40, 40), 40)


def test_linfas_formulas():
    # Linfa's own test: (1, 1) and (5, 5), eps = 1
    assert Kernel([[1.0, 1.0], [5.0, 5.0]], Gaussian(1.0)).toarray()[0, 1] == pytest.approx(
        np.exp(-32), rel=1e-14
    )
    assert Kernel([[1.0, 2.0], [3.0, 1.0]], Polynomial(1.0, 2.0)).toarray()[0, 1] == 36
    assert Kernel([[1.0, 2.0], [3.0, 1.0]], Polynomial(0.5, 1.5)).toarray()[0, 1] == pytest.approx(5.5**1.5)


def test_entries_of_tight_pairs():
    X = np.repeat(PAIRS[:, None], 2, axis=1)
    assert Kernel(X, Gaussian(1.0), Sparse(1)).matrix.nnz == 16
    assert Kernel(X, Gaussian(1.0), Sparse(2)).matrix.nnz == 26


def test_equal_records():
    """Of five equal ones and two others each keeps itself, whoever its neighbours are."""
    X = np.array([[0.0]] * 5 + [[1.0], [3.0]])
    kernel = Kernel(X, Gaussian(1.0), Sparse(2))
    assert_array_equal(kernel.diagonal(), np.ones(7))
    K = kernel.toarray()
    assert_array_equal(K, K.T)
    assert (np.diff(kernel.matrix.indptr) >= 3).all()
    assert (kernel.toarray()[:5, :5][neighbours(X, 2)[:5, :5]] == 1).all()


def test_rows_are_sorted_and_entries_of_a_linear_kernel_may_be_zero():
    X = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    matrix = Kernel(X, Linear(), Sparse(2)).matrix
    assert matrix.nnz == 9
    again = csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
    assert again.has_sorted_indices


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_other_records(kind):
    X, Z = records(50), records(20, 3) + 0.1
    kernel = Kernel(X, Gaussian(2.0), kind)
    wanted = np.exp(-((Z[:, None] - X) ** 2).sum(axis=-1) / 2)
    got = kernel.cross(Z)
    if isinstance(kind, Sparse):
        assert (np.diff(got.indptr) == 5).all()
        far = np.sort(wanted, axis=1)[:, -5:-4]
        wanted = np.where(wanted >= far, wanted, 0)
        got = got.toarray()
    assert_allclose(got, wanted, rtol=1e-12)
    assert_allclose(Kernel(X, Cosine(), "operator").cross(X)[3], Kernel(X, Cosine()).toarray()[3], rtol=1e-14)
    with pytest.raises(ValueError, match="Z has 2 features, but Kernel is expecting 3"):
        kernel.cross(Z[:, :2])


def test_functions_of_two_records_are_asked_once_for_each_pair():
    calls = []

    def near(x, y):
        calls.append(1)
        return 1.0 / (1.0 + float(abs(x - y).sum()))

    X = records(12)
    dense, sparse = Kernel(X, near), Kernel(X, near, Sparse(3))
    assert len(calls) == 12 * 13 // 2 + (sparse.matrix.nnz - 12) // 2 + 12
    wanted = 1 / (1 + abs(X[:, None] - X).sum(axis=-1))
    assert_allclose(dense.toarray(), wanted)
    assert_allclose(sparse.toarray(), wanted * neighbours(X, 3))
    assert_allclose(dense.cross(X[:2]), wanted[:2])
    near_two = neighbours(X, 2)[:2] & (sparse.cross(X[:2]).toarray() > 0)
    assert_allclose(sparse.cross(X[:2]).toarray()[near_two], wanted[:2][near_two])
    assert (np.diff(sparse.cross(X[:2]).indptr) == 3).all()
    with pytest.raises(ValueError, match="needs a Method"):
        Kernel(X, near, "operator")


def test_a_matrix_that_is_given():
    K = np.array([[2.0, 1.0], [1.0, 3.0]])
    for given in (K, csr_matrix(K), K.tolist()):
        kernel = Kernel(given, "precomputed")
        assert_array_equal(kernel.toarray(), K)
        assert_array_equal(kernel.dot([1, 1]), [3, 4])
        assert_array_equal(kernel.sum(), [3, 4])
        assert kernel.X is None
        with pytest.raises(ValueError, match="has no records"):
            kernel.cross(K)
    for form in (np.asarray, csr_matrix):
        with pytest.raises(ValueError, match="must be symmetric"):
            Kernel(form([[1.0, 2.0], [3.0, 1.0]]), "precomputed")
    with pytest.raises(ValueError, match="must be a square matrix"):
        Kernel(np.ones((2, 3)), "precomputed")
    with pytest.raises(ValueError, match="stored as it is"):
        Kernel(K, "precomputed", Sparse(1))


def test_what_does_not_fit_is_not_stored():
    X = records(400)
    assert Kernel(X).kind == "dense"
    with clinfa.config_context(working_memory=1):
        kernel = Kernel(X)
    assert (kernel.kind, kernel.matrix) == ("operator", None)
    assert_allclose(kernel.dot(X), Kernel(X).toarray() @ X, rtol=1e-12)


def test_recipes():
    data = Dataset(records(30), targets=np.arange(30))
    recipe = Kernel.params(kind=Sparse(4), method=Gaussian(2.0))
    made = recipe.transform(data)
    assert isinstance(made.records, Kernel)
    assert (made.n_samples, made.n_features) == (30, 30)
    assert_array_equal(made.targets, data.targets)
    assert_array_equal(recipe.transform(data.records).toarray(), made.records.toarray())
    assert recipe.replace(kind="dense").transform(data.records).kind == "dense"
    with pytest.raises(AttributeError):
        recipe.kind = "dense"
    with pytest.raises(InvalidParameterError, match="'kind' parameter of KernelParams"):
        Kernel.params(kind=3).transform(data)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_pickles(kind):
    kernel = Kernel(records(30), Gaussian(2.0), kind)
    again = pickle.loads(pickle.dumps(kernel))
    assert_array_equal(again.toarray(), kernel.toarray())
    assert_array_equal(again.dot(np.ones(30)), kernel.dot(np.ones(30)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: Kernel(records(5), Gaussian(2.0), Sparse(5)),
            "k below the number of records, got k = 5 and 5",
        ),
        (lambda: Sparse(0), "'k' parameter of Sparse must be an int >= 1"),
        (lambda: Gaussian(0.0), "'eps' parameter of Gaussian"),
        (lambda: Laplacian(-1.0), "'eps' parameter of Laplacian"),
        (lambda: Polynomial(np.nan), "'c' parameter of Polynomial must be a finite float"),
        (lambda: Kernel(records(5), "rbf"), "'method' parameter of Kernel"),
        (lambda: Kernel(records(5), kind="sparse"), "'kind' parameter of Kernel"),
        (lambda: Kernel([[np.nan]]), "contains NaN"),
        (lambda: Kernel(records(5)).dot(np.ones(4)), "rhs must have 5 rows"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_more_refusals():
    with pytest.raises(IndexError, match="no record 5 among 5"):
        Kernel(records(5)).column(5)
    with pytest.raises(TypeError, match="is no kernel"):
        Kernel(records(5), Method())
    wide = csr_matrix((2, 1 << 28))
    with pytest.raises(ValueError, match="would not fit into working_memory"):
        Kernel(wide)


def test_sparse_records_and_one_record():
    X = records(20)
    X[abs(X) < 0.7] = 0
    assert_array_equal(Kernel(csr_matrix(X)).toarray(), Kernel(X).toarray())
    assert_array_equal(Kernel(X[:1]).toarray(), [[1.0]])
    assert_array_equal(Kernel(X[:1], kind="operator").dot([2.0]), [2.0])
