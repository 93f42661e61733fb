"""The Rayleigh-Ritz kernels against NumPy and SciPy."""

import numpy as np
import pytest
import scipy.linalg

from clinfa._core import ritz
from tests.kernels.problems import REALS, read_only


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("out", REALS)
@pytest.mark.parametrize(("b", "width"), [(1, 1), (3, 8), (16, 16), (17, 24)])
def test_residuals(dtype, out, b, width):
    n, rng = 41, np.random.default_rng(b)
    wide = rng.normal(size=(2, n, 2 * b + 1)).astype(dtype)
    AX, BX, theta = wide[0, :, 1 : b + 1], wide[1, :, b:-1], rng.normal(size=b)
    bounds = np.array([0, 17, 17, n])
    R, squares = np.full((n, width), np.nan, out), np.full((3, max(b, 16)), np.nan)
    read_only(wide)
    ritz.residual_pass(AX, BX, theta, 0.25, bounds, np.zeros(1, np.int64), 2, R, squares)
    assert np.isnan(R[17:]).all()  # (it stops after `limit` stripes)
    ritz.residual_pass(AX, BX, theta, 0.25, bounds, np.full(1, 2), 9, R, squares)
    want = 0.25 * (AX - BX * theta.astype(np.float64))
    eps = np.finfo(out).eps
    assert np.allclose(R[:, :b], want, rtol=4 * eps, atol=4 * eps)
    assert (R[:, b:] == 0).all()
    assert np.allclose(squares[:, :b].sum(axis=0), (want**2).sum(axis=0), rtol=1e-12)


def gram(m, rank, rng):
    S = rng.normal(size=(60, rank)) @ rng.normal(size=(rank, m))
    return S, S.T @ S


@pytest.mark.parametrize(("m", "rank"), [(1, 1), (2, 1), (7, 7), (30, 30), (30, 11), (80, 60)])
def test_basis(m, rank):
    rng = np.random.default_rng(m + rank)
    S, G = gram(m, rank, rng)
    S, G = S * np.geomspace(1e-6, 1e6, m), G * np.outer(*2 * [np.geomspace(1e-6, 1e6, m)])
    T, order = np.full((m, m), np.nan), np.zeros(m, np.intc)
    found = ritz.basis(G, 1e-12, T, np.empty(m * m + 3 * m), order)
    assert found == rank
    basis = S @ T[:rank].T
    assert np.abs(basis.T @ basis - np.eye(rank)).max() < 1e-6
    assert (T[rank:] == 0).all()
    assert sorted(order) == list(range(1, m + 1))


def test_basis_of_nothing_but_zeros():
    T, order = np.full((3, 3), np.nan), np.zeros(3, np.intc)
    assert ritz.basis(np.zeros((3, 3)), 1e-12, T, np.empty(18), order) == 0
    assert (T == 0).all()


@pytest.mark.parametrize("m", [1, 2, 9, 48, 130])
def test_pairs(m):
    rng = np.random.default_rng(m)
    K = rng.normal(size=(m, m))
    K = K + K.T
    S = rng.normal(size=(2 * m, m)) * np.geomspace(1e-3, 1e3, m)
    M = S.T @ S
    want = scipy.linalg.eigh(K, M)[0]
    values, vectors = np.empty(m), np.empty((m, m))
    rank = ritz.pairs(
        K.copy(),
        M.copy(),
        1e-14,
        values,
        vectors,
        np.empty(3 * m * m + 9 * m + 1),
        np.empty(6 * m + 3, np.intc),
    )
    assert rank == m
    assert np.allclose(values, want, rtol=1e-8, atol=1e-8 * np.abs(want).max())
    assert np.abs(vectors @ M @ vectors.T - np.eye(m)).max() < 1e-8
    assert np.abs(vectors @ K @ vectors.T - np.diag(values)).max() < 1e-8 * np.abs(values).max()


def test_pairs_of_a_basis_with_dependent_vectors():
    """Values are those within the span, and none is made up."""
    m, rank, rng = 12, 7, np.random.default_rng(0)
    S, M = gram(m, rank, rng)
    A = np.diag(np.arange(60.0))
    K = S.T @ A @ S
    Q = scipy.linalg.orth(S)
    values, vectors = np.empty(m), np.empty((m, m))
    work, whole = np.empty(3 * m * m + 9 * m + 1), np.empty(6 * m + 3, np.intc)
    assert ritz.pairs(K, M, 1e-12, values, vectors, work, whole) == rank
    assert np.allclose(values[:rank], np.linalg.eigvalsh(Q.T @ A @ Q))
