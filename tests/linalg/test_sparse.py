"""Sparse matrices times blocks."""

import numpy as np
import pytest
import scipy.sparse as sp

import clinfa
from clinfa.arrays import CSR
from clinfa.linalg import _sparse
from clinfa.linalg._sparse import SparseOperator, product, transposed, transposed_product


def random_csr(n, m, share=0.1, dtype=np.float64, seed=0):
    return sp.random(n, m, share, format="csr", dtype=dtype, random_state=np.random.default_rng(seed))


def block_of(n, k, dtype=np.float64, seed=1):
    return np.random.default_rng(seed).standard_normal((n, k)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("k", [1, 3, 20, 130])
def test_products(dtype, index, k):
    A = random_csr(700, 500, dtype=dtype)
    A.indices, A.indptr = A.indices.astype(index), A.indptr.astype(index)
    X, Y = block_of(500, k, dtype), block_of(700, k, dtype)
    for got, want in ((product(A, X), A.toarray() @ X), (transposed_product(A, Y), A.toarray().T @ Y)):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=1e2 * np.finfo(dtype).eps)


def test_vectors_operators_and_our_own_csr():
    A = random_csr(40, 30)
    x, out = block_of(30, 1)[:, 0], np.empty((40, 2))
    assert product(A, x).shape == (40,)
    np.testing.assert_allclose(product(A, x), A @ x, atol=1e-14)
    ours = CSR(A.data, A.indices, A.indptr, A.shape)
    X = np.stack([x, -x], axis=1)
    assert SparseOperator(ours)(X, out) is out
    np.testing.assert_allclose(out, A @ X, atol=1e-14)
    np.testing.assert_allclose(product(A, np.asfortranarray(X.astype(np.float32))), A @ X, atol=1e-6)


def test_the_affine_form_in_place():
    A = random_csr(50, 50)
    X, Z = block_of(50, 6), block_of(50, 6, seed=2)
    want = 0.5 * (A @ X - 0.25 * X) - 2 * Z
    got = SparseOperator(A).affine(X, alpha=0.5, centre=0.25, beta=-2, other=Z, out=Z)
    assert got is Z
    np.testing.assert_allclose(Z, want, atol=1e-14)


def test_duplicates_add_up_in_any_order():
    A = sp.csr_matrix((np.array([1.0, 2, 3]), np.array([2, 0, 2]), np.array([0, 3, 3])), shape=(2, 3))
    assert product(A, np.eye(3)).tolist() == [[2, 0, 4], [0, 0, 0]]
    assert transposed_product(A, np.eye(2)).tolist() == [[2, 0], [0, 0], [4, 0]]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (5, 7), (1, 1)])
def test_nothing_stored(shape):
    A = sp.csr_matrix(shape)
    assert np.array_equal(product(A, np.ones((shape[1], 2))), np.zeros((shape[0], 2)))
    assert np.array_equal(transposed_product(A, np.ones((shape[0], 2))), np.zeros((shape[1], 2)))
    assert product(A, np.ones((shape[1], 0))).shape == (shape[0], 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_longer_than_a_stripe_and_the_same_bits_on_any_threads(dtype, monkeypatch):
    monkeypatch.setattr(_sparse, "_LONG", 1000)
    rng = np.random.default_rng(0)
    A = random_csr(2000, 3000, 0.005, dtype)
    full = sp.csr_matrix(rng.standard_normal((2, 3000)).astype(dtype))
    A = sp.vstack([full[:1], A[:700], full[1:], A[700:]], format="csr")
    X, Z = block_of(3000, 40, dtype), block_of(2002, 40, dtype)
    op, results = SparseOperator(A), []
    for threads in (1, 2, 3, 8):
        with clinfa.config_context(n_threads=threads):
            results.append((op(X), op.affine(X, alpha=2, beta=1, other=Z), transposed_product(A, Z)))
    for more in results[1:]:
        for one, two in zip(results[0], more, strict=True):
            assert np.array_equal(one, two)
    atol = 3e3 * np.finfo(dtype).eps  # (some rows have 3000 terms)
    np.testing.assert_allclose(results[0][0], A @ X, rtol=0, atol=atol)
    np.testing.assert_allclose(results[0][1], 2 * (A @ X) + Z, rtol=0, atol=2 * atol)
    np.testing.assert_allclose(results[0][2], A.T @ Z, rtol=0, atol=atol)


def test_the_transpose_is_sorted():
    A = random_csr(300, 40, 0.5)
    got, want = transposed(A), A.T.tocsr()
    assert got.shape == (40, 300)
    assert np.array_equal(got.indptr, want.indptr)
    assert np.array_equal(got.indices, want.indices)
    assert np.array_equal(got.data, want.data)


def test_whole_numbers_become_float64():
    assert product(sp.csr_matrix([[1, 2]]), np.ones((2, 1))).tolist() == [[3.0]]


def test_what_does_not_fit_is_refused():
    A = random_csr(4, 3)
    with pytest.raises(ValueError, match="block must have 3 rows"):
        product(A, np.ones((4, 2)))
    with pytest.raises(ValueError, match="out must be C-contiguous"):
        product(A, np.ones((3, 2)), np.empty((4, 2), np.float32))
    with pytest.raises(ValueError, match="centre must be 0"):
        SparseOperator(A).affine(np.ones((3, 2)), centre=1.0)
    with pytest.raises(ValueError, match="other must have shape"):
        SparseOperator(A).affine(np.ones((3, 2)), other=np.ones((3, 2)))
    with pytest.raises(TypeError, match="matrix must be CSR"):
        product(A.tocsc(), np.ones((3, 2)))
    with pytest.raises(TypeError, match="real numbers"):
        product(A.astype(complex), np.ones((3, 2)))
    broken = A.copy()
    broken.indices = np.full(len(A.indices) + 1, 7, np.int32)
    broken.data, broken.indptr = np.ones(1), np.array([0, 1, 1, 1, 1], np.int32)
    with pytest.raises(ValueError, match="indices point outside"):
        product(broken, np.ones((3, 2)))
    broken.indptr = np.array([0, 2, 1, 1, 1], np.int32)
    with pytest.raises(ValueError, match="indptr does not fit"):
        product(broken, np.ones((3, 2)))
