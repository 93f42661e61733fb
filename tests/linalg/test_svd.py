"""Truncated singular value decompositions against LAPACK on dense twins."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

import clinfa
from clinfa.errors import ConvergenceWarning
from clinfa.linalg import svds, truncated_svd
from clinfa.linalg._bases import extend

METHODS = ["dense", "randomized", "krylov", "lanczos"]
REALS = [np.float64, np.float32]


def orthonormal(n, k, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, k)))[0]


def made_of(values, n, m, dtype=np.float64):
    """A matrix with these singular values."""
    return (orthonormal(n, len(values)) * values @ orthonormal(m, len(values), 1).T).astype(dtype)


def dense(A):
    return (A.toarray() if sp.issparse(A) else np.asarray(A)).astype(np.float64)


def certify(found, A, s=None, *, rounding=None):
    """Triplets of A to `rounding`: orthonormal, A v = s u, Aᵀ u = s v, and the singular values wanted."""
    D = dense(A)
    u, vt, k = found.u.astype(float), found.vt.astype(float), len(found.s)
    rounding = rounding or (1e-12 if found.u.dtype == np.float64 else 1e-5)
    assert found.u.dtype == found.s.dtype == found.vt.dtype
    assert abs(u.T @ u - np.eye(k)).max() < rounding
    assert abs(vt @ vt.T - np.eye(k)).max() < rounding
    s = np.linalg.svd(D, compute_uv=False)[:k] if s is None else np.asarray(s)
    top = s[0] if s[0] > 0 else 1.0
    assert abs(found.s - s).max() <= rounding * top
    off = np.maximum(
        np.linalg.norm(D @ vt.T - u * found.s, axis=0), np.linalg.norm(D.T @ u - vt.T * found.s, axis=0)
    )
    assert (off <= found.residuals * (1 + rounding) + rounding * top).all()
    assert found.vt[range(k), abs(found.vt).argmax(axis=1)].min() > 0
    return off.max() / top


@pytest.mark.parametrize("method", METHODS)
def test_by_hand(method):
    found = truncated_svd([[3, 2, 2], [2, 3, -2]], 2, method=method, random_state=0)
    certify(found, np.array([[3, 2, 2], [2, 3, -2]]), [5, 3])
    assert found.converged and found.method == "dense"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", REALS)
def test_fast_decay_is_found_by_all(method, dtype):
    values = 2.0 ** -np.arange(60)
    A = made_of(values, 300, 200, dtype)
    found = truncated_svd(A, 8, method=method, random_state=0)
    certify(found, A, values[:8])
    assert found.converged and found.method == method


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "C", "F", "operator"])
@pytest.mark.parametrize("shape", [(300, 170), (170, 300)])
def test_to_convergence_whatever_it_is_stored_as(dtype, form, shape):
    A = sp.random(*shape, 0.1, format="csr", dtype=dtype, random_state=np.random.default_rng(0))
    given = {
        "C": A.toarray(),
        "F": np.asfortranarray(A.toarray()),
        "operator": aslinearoperator(A),
        "csr": A,
        "csc": A.tocsc(),
        "coo": A.tocoo(),
    }[form]
    found = truncated_svd(given, 4, method="lanczos", random_state=0)
    assert found.method == "lanczos" and found.converged and found.n_iter > 1
    assert certify(found, A) < (1e-9 if dtype == np.float64 else 1e-4)


def test_steps_of_the_block_krylov_method_get_more():
    A = np.random.default_rng(0).standard_normal((400, 300))
    best = np.linalg.svd(A, compute_uv=False)[:5]
    got = [truncated_svd(A, 5, method=m, random_state=0) for m in ("randomized", "krylov")]
    assert best.sum() > got[1].s.sum() > got[0].s.sum() > 0.9 * best.sum()
    for found in got:
        certify(found, A, found.s)
        assert not found.converged


def test_small_singular_values_keep_their_digits():
    """The Gram matrix of these would know the last of them to no digit."""
    values = 10.0 ** -np.arange(0, 13, 0.5)
    A = made_of(values, 400, 250)
    for method in ("randomized", "lanczos"):
        found = truncated_svd(A, 20, method=method, random_state=0)
        np.testing.assert_allclose(found.s, values[:20], rtol=0, atol=1e-14)
        np.testing.assert_allclose(found.s, values[:20], rtol=1e-4)
        certify(found, A, values[:20])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", REALS)
def test_a_rank_below_k(method, dtype):
    values = np.array([5.0, 5, 5, 3, 3, 1])
    A = made_of(values, 260, 210, dtype)
    found = truncated_svd(A, 9, method=method, random_state=0)
    certify(found, A, [*values, 0, 0, 0])
    assert found.converged
    fewer = truncated_svd(A, 9, method=method, drop=1e-4, random_state=0)
    certify(fewer, A, values)


@pytest.mark.parametrize("method", METHODS)
def test_zeros(method):
    A = sp.csr_matrix((150, 120))
    found = truncated_svd(A, 3, method=method, random_state=0)
    certify(found, A, [0, 0, 0])
    assert found.converged


def test_many_equal_values_and_empty_rows():
    """More equal ones than a block has columns."""
    A = sp.diags_array(np.repeat([2.0, 1, 0], [40, 100, 160])).tocsr()
    found = truncated_svd(A, 50, method="lanczos", random_state=0)
    certify(found, A, np.repeat([2.0, 1], [40, 10]))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 5), (150, 4)])
def test_all_of_them(shape):
    A = np.random.default_rng(0).standard_normal(shape)
    found = truncated_svd(A, min(shape), random_state=0)
    certify(found, A)
    np.testing.assert_allclose(found.u * found.s @ found.vt, A, atol=1e-13)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("exponent", [-120, 120])
def test_huge_and_tiny_numbers(dtype, exponent):
    scale = 2.0 ** (exponent * (8 if dtype == np.float64 else 1))
    A = sp.random(200, 180, 0.1, format="csr", random_state=np.random.default_rng(0)).astype(dtype)
    want = truncated_svd(A, 3, random_state=0)
    for given in (A * dtype(scale), (A * dtype(scale)).toarray()):
        found = truncated_svd(given, 3, random_state=0)
        np.testing.assert_allclose(found.s / scale, want.s, rtol=1e-4 if dtype == np.float32 else 1e-9)
        assert found.converged and np.isfinite(found.u).all()
    found = truncated_svd(aslinearoperator(A * dtype(scale)), 3, random_state=0)
    np.testing.assert_allclose(found.s / scale, want.s, rtol=1e-4 if dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix, lambda A: A.toarray(), np.asfortranarray])
@pytest.mark.parametrize("method", ["randomized", "lanczos"])
def test_centring_without_centring(make, method):
    rng = np.random.default_rng(0)
    A = sp.random(300, 200, 0.2, format="csr", random_state=rng)
    A.data += 3
    A = A if make is not np.asfortranarray else A.toarray()
    means = np.asarray(A.mean(axis=0)).ravel()
    for given, centred in ((make(A), dense(A) - means), (make(A).T, None)):
        if centred is None:
            shift = rng.standard_normal(300)
            centred = dense(A).T - shift
        else:
            shift = means
        found = truncated_svd(given, 3, shift=shift, method=method, n_iter=30, tol=1e-9, random_state=0)
        assert certify(found, centred, rounding=1e-6) < 1e-3


def test_duplicates_and_any_order():
    A = sp.csr_matrix((np.array([1.0, 2, 3, 4]), np.array([2, 0, 2, 1]), np.array([0, 3, 4])), shape=(2, 3))
    certify(truncated_svd(A, 2), np.array([[2.0, 0, 4], [0, 4, 0]]))


def test_the_same_bits_on_any_threads():
    A = sp.random(3000, 2000, 0.02, format="csr", random_state=np.random.default_rng(0))
    for method in ("randomized", "lanczos"):
        found = []
        for threads in (1, 2, 3):
            with clinfa.config_context(n_threads=threads):
                found.append(truncated_svd(A, 5, method=method, tol=1e-3, random_state=0))
        for other in found[1:]:
            assert np.array_equal(other.u, found[0].u) and np.array_equal(other.s, found[0].s)


def test_what_did_not_converge_says_so():
    A = np.random.default_rng(0).standard_normal((500, 400))
    with pytest.warns(ConvergenceWarning, match="Increase max_iter"):
        found = truncated_svd(A, 5, method="lanczos", max_iter=1, random_state=0)
    assert not found.converged
    certify(found, A, found.s)


def test_under_the_name_of_scipy():
    A = sp.random(200, 150, 0.1, format="csr", random_state=np.random.default_rng(0))
    u, s, vh = svds(A, k=4, random_state=0)
    want = np.linalg.svd(A.toarray(), compute_uv=False)[:4][::-1]
    np.testing.assert_allclose(s, want, rtol=1e-10)
    np.testing.assert_allclose(A @ vh.T, u * s, atol=1e-10)
    np.testing.assert_array_equal(svds(A, k=4, return_singular_vectors=False, random_state=0), s)
    assert svds(A, k=4, return_singular_vectors="u", random_state=0)[2] is None
    assert svds(A, k=4, return_singular_vectors="vh", random_state=0)[0] is None


def test_bad_input():
    A = np.eye(4)
    for bad, words in ((np.nan, "NaN"), (np.inf, "infinity")):
        spoilt = A.copy()
        spoilt[1, 2] = bad
        for given in (spoilt, sp.csr_matrix(spoilt), aslinearoperator(spoilt)):
            with pytest.raises(ValueError, match=f"A contains {words}|A contains NaN"):
                truncated_svd(given, 2)
    for k in (0, 5, 1.5):
        with pytest.raises(ValueError, match="k must be an int between 1 and"):
            truncated_svd(A, k)
    with pytest.raises(ValueError, match="method must be one of"):
        truncated_svd(A, 1, method="fast")
    with pytest.raises(ValueError, match="tol must be"):
        truncated_svd(A, 1, tol=-1)
    with pytest.raises(ValueError, match="shift must have shape"):
        truncated_svd(A, 1, shift=np.zeros(3))
    with pytest.raises(ValueError, match="two dimensions"):
        truncated_svd(np.ones(3), 1)
    with pytest.raises(ValueError, match="at least one row"):
        truncated_svd(np.ones((0, 3)), 1)
    for given in (A * 1j, sp.csr_matrix(A * 1j), aslinearoperator(A * 1j)):
        with pytest.raises(TypeError, match="real numbers"):
            truncated_svd(given, 1)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("held", [0, 20])
@pytest.mark.parametrize("kind", ["plain", "graded", "near", "rank 5", "zeros", "within"])
def test_a_block_added_to_a_basis(dtype, held, kind):
    n, b = 400, 12
    rng = np.random.default_rng(0)
    V, W = orthonormal(n, held) if held else np.empty((n, 0)), rng.standard_normal((n, b))
    powers = 10.0 ** -np.arange(b)
    W = {
        "plain": W,
        "graded": W * powers,
        "near": W[:, :1] + W * powers,
        "rank 5": W[:, :5] @ rng.standard_normal((5, b)),
        "zeros": W * 0,
        "within": V @ rng.standard_normal((held, b)),
    }[kind]
    basis = np.concatenate([V, W], axis=1).astype(dtype)
    V, W = basis[:, :held].astype(float), basis[:, held:].astype(float)
    along, factor, rank = extend(basis, held, rng)
    eps = float(np.finfo(dtype).eps)
    assert abs(basis.astype(float).T @ basis - np.eye(held + b)).max() < 500 * eps
    assert abs(V @ along + basis[:, held:] @ factor - W).max() < 100 * eps * max(abs(W).max(), 1)
    assert not factor[rank:].any()
    if kind != "graded" and kind != "near":
        assert rank == {"plain": b, "rank 5": 5, "zeros": 0, "within": 0}[kind]
