"""Eigenpairs: certificates against the matrix itself, values against LAPACK."""

from functools import cache
from itertools import islice

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from clinfa import config_context
from clinfa.errors import ConvergenceWarning
from clinfa.linalg import EigResult, TruncatedEig, lobpcg, truncated_eigh

RNG = np.random.default_rng(5)
N = 420
Q = np.linalg.qr(RNG.normal(size=(N, N)))[0]


@cache
def grid_values():
    return np.linalg.eigvalsh(grid().toarray())[::-1]


def with_spectrum(values):
    A = (Q * values) @ Q.T
    return (A + A.T) / 2


def grid(m=30, seed=0):
    """Laplacian of a grid plus a random diagonal."""
    T = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    extra = sp.diags_array(np.random.default_rng(seed).random(m * m))
    return (sp.kron(T, sp.eye_array(m)) + sp.kron(sp.eye_array(m), T) + extra).tocsr()


def certify(A, found, tol, B=None, Y=None):
    """Pairs are pairs, orthonormal, and keep the constraints."""
    V = found.vectors.astype(np.float64)
    BV = V if B is None else B @ V
    R = A @ V - BV * found.values
    precision = 1e-10 if found.vectors.dtype == np.float64 else 1e-5
    if Y is not None:
        orthonormal = scipy.linalg.orth(Y if B is None else B @ Y)
        R -= orthonormal @ (orthonormal.T @ R)
        assert np.abs(Y.T @ BV).max() < precision * np.abs(Y).max() * len(Y) ** 0.5
    assert found.converged
    assert np.linalg.norm(R, axis=0).max() <= 1.01 * tol
    assert np.allclose(np.linalg.norm(R, axis=0), found.residuals, atol=max(tol * 0.02, 1e-12))
    assert np.abs(V.T @ BV - np.eye(V.shape[1])).max() < precision


SPECTRA = {
    "spread": np.linspace(-1, 1, N),
    "clustered": np.concatenate([1 - 1e-6 * np.arange(8), np.linspace(-1, 0.5, N - 8)]),
    "repeated": np.concatenate([np.full(12, 2.0), np.linspace(0, 1, N - 12)]),
    "low rank": np.concatenate([[3, 2, 1], np.zeros(N - 3)]),
    "zero": np.zeros(N),
    "identity": np.ones(N),
    "dominated": np.concatenate([[1e4, 1e2], np.linspace(0, 1, N - 2)]),
    "negative": np.linspace(-2, -1, N),
}


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("name", SPECTRA)
def test_every_kind_of_spectrum(name, largest):
    A, values = with_spectrum(SPECTRA[name]), np.sort(SPECTRA[name])
    size = max(np.abs(values).max(), 1)
    found = truncated_eigh(A, 6, largest=largest, tol=1e-8 * size)
    certify(A, found, 1e-8 * size)
    want = values[::-1][:6] if largest else values[:6]
    assert np.allclose(found.values, want, rtol=0, atol=1e-8 * size)


OPERATORS = {
    "array": lambda A: A.toarray(),
    "csr": lambda A: A,
    "csr64": lambda A: sp.csr_array((A.data, A.indices.astype(np.int64), A.indptr.astype(np.int64)), A.shape),
    "coo": lambda A: A.tocoo(),
    "operator": aslinearoperator,
    "function": lambda A: lambda block: A @ block,
    "fortran": lambda A: np.asfortranarray(A.toarray()),
}


@pytest.mark.parametrize("kind", OPERATORS)
@pytest.mark.parametrize("filtered", [True, False])
def test_every_kind_of_operator(kind, filtered):
    A = grid()
    X = np.random.default_rng(1).normal(size=(900, 4))
    found = lobpcg(OPERATORS[kind](A), X, tol=1e-7, filtered=filtered)
    assert found.method == ("chebyshev" if filtered else "lobpcg")
    certify(A, found, 1e-7)
    assert np.allclose(found.values, grid_values()[:4])
    assert found.history.shape == (found.n_iter + 1, 4)
    assert np.allclose(found.history[-1], found.residuals)


def test_integers_that_stand_for_reals():
    A = sp.csr_array(np.diag(np.arange(1, 301)))
    assert np.allclose(truncated_eigh(A, 3).values, [300, 299, 298])


@pytest.mark.parametrize("kind", ["array", "csr"])
def test_single_precision_stays_single(kind):
    A = grid().astype(np.float32)
    A = A.toarray() if kind == "array" else A
    found = lobpcg(A, np.random.default_rng(1).normal(size=(900, 4)).astype(np.float32))
    assert found.values.dtype == found.vectors.dtype == np.float32
    certify(A.astype(np.float64), found, found.tol)
    assert np.allclose(found.values, grid_values()[:4], atol=1e-4)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
@pytest.mark.parametrize("stored", [np.asarray, sp.csr_array])
def test_scales(scale, stored):
    values = np.linspace(-1, 1, N)
    found = truncated_eigh(stored(with_spectrum(values) * scale), 3, tol=1e-9 * scale)
    assert found.converged
    assert np.allclose(found.values / scale, values[::-1][:3])


def test_the_reference_of_linfa():
    """The checks that Linfa's own tests make."""
    A = np.diag(np.arange(1.0, 21.0))
    X = np.random.default_rng(0).random((20, 3))
    assert np.allclose(lobpcg(A, X).values, [20, 19, 18])
    assert np.allclose(lobpcg(A, X, largest=False).values, [1, 2, 3])
    found = lobpcg(np.diag(np.arange(1.0, 11.0)), X[:10, :1], Y=np.eye(10)[:, :2], largest=False)
    assert np.allclose(found.values, 3)
    big = np.diag(np.arange(50.0, -49.0, -1.0).repeat(5)[:495])
    assert np.allclose(lobpcg(big, np.random.default_rng(0).random((495, 10))).values, [50] * 5 + [49] * 5)


@pytest.mark.parametrize("n", [60, N])
@pytest.mark.parametrize("filtered", [True, False])
def test_constraints_of_any_kind(n, filtered):
    """Neither orthonormal, nor independent, nor made of eigenvectors (Linfa: orthonormal ones only)."""
    A = with_spectrum(np.linspace(-1, 1, N))[:n, :n]
    Y = RNG.normal(size=(n, 3)) * [1, 100, 1e-3]
    Y = np.column_stack([Y, Y[:, 0] - 2 * Y[:, 1], np.zeros(n)])
    found = lobpcg(A, RNG.normal(size=(n, 4)), Y=Y, tol=1e-8, filtered=filtered)
    certify(A, found, 1e-8, Y=Y)
    Z = scipy.linalg.null_space(Y[:, :3].T)
    assert np.allclose(found.values, np.linalg.eigvalsh(Z.T @ A @ Z)[::-1][:4], atol=1e-10)


@pytest.mark.parametrize("n", [60, N])
@pytest.mark.parametrize("constrained", [True, False])
def test_generalised(n, constrained):
    A = with_spectrum(np.linspace(-1, 1, N))[:n, :n]
    B = with_spectrum(np.linspace(1, 3, N)[::-1])[:n, :n]
    Y = RNG.normal(size=(n, 2)) if constrained else None
    found = lobpcg(A, RNG.normal(size=(n, 4)), B=sp.csr_array(B), Y=Y, tol=1e-8)
    certify(A, found, 1e-8, B, Y)
    if constrained:
        Z = scipy.linalg.null_space((B @ Y).T)
        want = scipy.linalg.eigh(Z.T @ A @ Z, Z.T @ B @ Z)[0]
    else:
        want = scipy.linalg.eigh(A, B)[0]
    assert np.allclose(found.values, want[::-1][:4])


def test_a_preconditioner_helps():
    d = np.arange(1.0, 2001.0) ** 1.5
    A, X = sp.diags_array(d).tocsr(), np.random.default_rng(0).normal(size=(2000, 4))
    found = lobpcg(A, X, M=sp.diags_array(1 / d).tocsr(), largest=False, tol=1e-7)
    certify(A, found, 1e-7)
    assert np.allclose(found.values, d[:4])
    with pytest.warns(ConvergenceWarning):
        plain = lobpcg(A, X, largest=False, tol=1e-7, filtered=False, maxiter=2 * found.n_iter)
    assert plain.residuals.max() > 10 * found.residuals.max()
    # (and with both a preconditioner and B)
    B = sp.diags_array(np.full(2000, 2.0)).tocsr()
    found = lobpcg(A, X, B=B, M=sp.diags_array(1 / d).tocsr(), largest=False, tol=1e-7)
    certify(A, found, 1e-7, B)


def test_disconnected_graphs_have_a_repeated_value():
    """A graph of five parts: the value 1 five times, its vectors constant on each part."""
    part = sp.csr_array(np.ones((80, 80)) / 80)
    other = grid(9)
    other = other / np.abs(other).sum(axis=1).max()
    A = sp.block_diag([part] * 5 + [other]).tocsr()
    found = truncated_eigh(A, 6, bounds=(-1, 1), tol=1e-9)
    certify(A, found, 1e-9)
    assert np.allclose(found.values[:5], 1, atol=1e-12)
    for start in range(0, 400, 80):
        assert np.ptp(found.vectors[start : start + 80, :5], axis=0).max() < 1e-8


def test_a_start_of_any_kind():
    """Zero, repeated and huge columns are replaced or scaled; an invariant start does not mislead."""
    A = with_spectrum(np.linspace(-1, 1, N))
    x = RNG.normal(size=N)
    X = np.column_stack([x, 2 * x, np.zeros(N), x * 1e300, 1e-300 * RNG.normal(size=N)])
    found = lobpcg(A, X, tol=1e-8)
    certify(A, found, 1e-8)
    assert np.allclose(found.values, np.linspace(1, -1, N)[:5])
    worst = Q[:, :3]  # the three least values' vectors
    assert np.allclose(lobpcg(A, worst, tol=1e-8).values, np.linspace(1, -1, N)[:3])


@pytest.mark.parametrize("k", [1, 79, 80])
def test_blocks_as_large_as_the_matrix(k):
    A = with_spectrum(np.linspace(-1, 1, N))[:80, :80]
    found = truncated_eigh(A, k)
    assert found.method == "dense"
    certify(A, found, 1e-12)
    assert np.allclose(found.values, np.linalg.eigvalsh(A)[::-1][:k])


def test_running_out_of_iterations_is_said():
    A = grid()
    with pytest.warns(ConvergenceWarning, match=r"2 iterations with \d of 4 pairs not converged"):
        found = lobpcg(
            A, np.random.default_rng(0).normal(size=(900, 4)), tol=1e-12, maxiter=2, filtered=False
        )
    assert not found.converged
    assert found.n_iter == 2
    R = A @ found.vectors - found.vectors * found.values
    assert np.allclose(np.linalg.norm(R, axis=0), found.residuals)


def test_pairs_that_crowd_go_to_lapack_unless_told_otherwise():
    A = with_spectrum(np.concatenate([np.geomspace(1e-9, 1, N - 1), [0]]))
    found = truncated_eigh(A, 6, largest=False, tol=1e-11)
    assert found.method == "dense"
    certify(A, found, found.tol)
    with pytest.warns(ConvergenceWarning):
        assert truncated_eigh(A, 6, largest=False, tol=1e-11, max_iter=20).method == "chebyshev"


def test_a_value_that_occurs_more_often_than_there_are_vectors():
    """Nothing in the block tells the wanted part from what comes next."""
    values = np.concatenate([[6, 5, 5], np.full(60, 4.0), np.linspace(3, -6, N - 63)])
    found = truncated_eigh(with_spectrum(values), 7, tol=1e-8, max_iter=25)
    certify(with_spectrum(values), found, 1e-8)
    assert np.allclose(found.values, values[:7])


def test_a_tolerance_below_the_precision_ends():
    A = grid()
    with pytest.warns(ConvergenceWarning):
        found = truncated_eigh(A, 4, tol=0.0, max_iter=10_000)
    assert found.n_iter < 200
    assert found.residuals.max() < 1e-11


def test_the_same_bits_on_any_number_of_threads():
    A = grid(60)
    results = []
    for threads in (1, 2, 3, 8):
        with config_context(n_threads=threads):
            results.append(truncated_eigh(A, 5, tol=1e-8))
    for other in results[1:]:
        assert np.array_equal(other.values, results[0].values)
        assert np.array_equal(other.vectors, results[0].vectors)


def test_callback_sees_every_iteration():
    seen = []
    found = truncated_eigh(grid(), 3, callback=lambda i, values, norms: seen.append((i, norms.max())))
    assert [i for i, _ in seen][: found.n_iter + 1] == sorted(i for i, _ in seen)[: found.n_iter + 1]
    assert seen[-1][1] <= found.tol < seen[0][1]


class Interrupt(Exception):
    pass


def test_an_error_in_a_function_passes_through():
    def fail(block):
        raise Interrupt

    with pytest.raises(Interrupt):
        truncated_eigh(LinearOperator((300, 300), matvec=fail, matmat=fail, dtype=float), 2)


NAN = np.eye(300)
NAN[0, 0] = np.nan
SKEW = np.eye(300)
SKEW[0, 1] = 1


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: truncated_eigh(np.ones((3, 4)), 1), r"A must be square, got shape \(3, 4\)"),
        (lambda: truncated_eigh(NAN, 1), "Input A contains NaN"),
        (lambda: truncated_eigh(SKEW, 1), "A must be symmetric"),
        (lambda: truncated_eigh(sp.csr_array(SKEW), 1), "A must be symmetric"),
        (lambda: truncated_eigh(lambda block: SKEW @ block, 1, n=300), "A must be symmetric"),
        (lambda: truncated_eigh(lambda block: NAN @ block, 1, n=300), "A gave NaN"),
        (lambda: truncated_eigh(lambda block: block[:, :1], 1, n=300), "must map a block of shape"),
        (lambda: truncated_eigh(lambda block: block, 1), "pass n"),
        (lambda: truncated_eigh(np.eye(5) * 1j, 1), "Complex"),
        (lambda: truncated_eigh(np.eye(5), 0), "k must be an int of at least 1, got 0"),
        (lambda: truncated_eigh(np.eye(5), 6), "6 pairs were asked for, there are 5"),
        (lambda: truncated_eigh(np.eye(5), 5, constraints=np.eye(5)[:, :1]), "there are 4"),
        (lambda: truncated_eigh(np.eye(5), 1, constraints=np.eye(4)), "constraints must have 5 rows"),
        (lambda: truncated_eigh(np.eye(5), 1, tol=-1.0), "tol must be"),
        (lambda: truncated_eigh(np.eye(5), 1, bounds=(1, 0)), "bounds must be"),
        (lambda: lobpcg(np.eye(5), np.ones((4, 1))), r"A must have shape \(4, 4\)"),
        (lambda: lobpcg(np.eye(5), np.ones((5, 0))), "at least one column"),
        (lambda: lobpcg(np.eye(5), np.full((5, 1), np.inf)), "X contains NaN or infinity"),
        (lambda: lobpcg(np.eye(5), np.ones((5, 1)), B=SKEW[:5, :5]), "B must be symmetric"),
        (lambda: lobpcg(np.eye(5), np.ones((5, 1)), B=-np.eye(5)), "B must be positive definite"),
        (lambda: lobpcg(np.eye(5), np.ones((5, 1)), B=np.zeros((5, 5))), "B must be positive definite"),
        (lambda: lobpcg(np.eye(300), np.ones((300, 1)), B=-np.eye(300)), "B must be positive definite"),
        (
            lambda: lobpcg(np.eye(300), np.ones((300, 1)), B=np.diag(np.arange(300.0)), maxiter=100),
            "B must be positive definite",
        ),
        (lambda: lobpcg(np.eye(5), np.ones((5, 1)), B=np.eye(5), filtered=True), "filtered must be"),
        (lambda: TruncatedEig(np.eye(5)).decompose(-1), "num must be"),
        (lambda: TruncatedEig(np.eye(5), precision=0), "precision must be"),
    ],
)
def test_what_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


class TestTruncatedEig:
    @pytest.mark.parametrize("n", [40, N])
    def test_one_pair_after_the_other(self, n):
        A = with_spectrum(np.linspace(-1, 1, N))[:n, :n]
        pairs = list(islice(TruncatedEig(A, precision=1e-9), 6))
        want = np.linalg.eigvalsh(A)[::-1][:6]
        assert np.allclose([value for value, _ in pairs], want)
        V = np.stack([vector for _, vector in pairs], axis=1)
        assert np.abs(V.T @ V - np.eye(6)).max() < 1e-10
        assert np.linalg.norm(A @ V - V * want, axis=0).max() < 1e-7

    def test_steps_end_with_the_matrix(self):
        A = np.diag(np.arange(7.0))
        steps = list(TruncatedEig(A, largest=False).in_steps(3))
        assert [len(found.values) for found in steps] == [3, 3, 1]
        assert np.allclose(np.concatenate([found.values for found in steps]), np.arange(7))

    def test_none_at_all(self):
        found = TruncatedEig(np.eye(4)).decompose(0)
        assert isinstance(found, EigResult)
        assert found.converged
        assert found.vectors.shape == (4, 0)

    def test_orthogonal_to_what_is_given(self):
        A = np.diag(np.arange(300.0))
        pairs = TruncatedEig(A, constraints=np.eye(300)[:, -2:], precision=1e-8)
        assert np.allclose([value for value, _ in islice(pairs, 2)], [297, 296])

    def test_a_preconditioner(self):
        d = np.arange(1.0, 401.0)
        pairs = TruncatedEig(np.diag(d), largest=False, preconditioner=np.diag(1 / d), precision=1e-9)
        assert np.allclose(pairs.decompose(3).values, [1, 2, 3])
