"""Walks on graphs: eigenpairs against a dense solver, and what is known without one."""

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.sparse import block_diag, csr_array, csr_matrix
from scipy.sparse.linalg import aslinearoperator

from clinfa.affinity import components, laplacian_pairs, walk_pairs


def graph(n, seed=0, density=1.0):
    """A symmetric matrix of affinities in (0, 1], with a diagonal."""
    rng = np.random.default_rng(seed)
    W = rng.uniform(0.1, 1.0, (n, n)) * (rng.random((n, n)) < density)
    return np.triu(W) + np.triu(W, 1).T + np.eye(n)


def parts(*sizes):
    return block_diag([graph(n, seed=n) for n in sizes], format="csr")


def probabilities(W):
    W = W.toarray() if hasattr(W, "toarray") else W
    return W / W.sum(axis=1)[:, None]


@pytest.mark.parametrize("form", [np.asarray, csr_matrix, aslinearoperator])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_pairs_are_those_of_a_dense_solver(form, alpha):
    W = graph(40)
    q = W.sum(axis=1)
    scaled = W / np.outer(q, q) ** alpha
    d = scaled.sum(axis=1)
    values = eigh(scaled / np.sqrt(np.outer(d, d)), eigvals_only=True)[::-1]
    found = walk_pairs(form(W), 5, loops=True, alpha=alpha, tol=1e-10)
    np.testing.assert_allclose(found.values, values[:5], rtol=0, atol=1e-9)
    residuals = scaled / d[:, None] @ found.vectors - found.vectors * found.values
    assert np.abs(residuals).max() < 1e-8
    np.testing.assert_allclose((found.vectors.T * d) @ found.vectors, np.eye(5), rtol=0, atol=1e-9)
    assert found.values[0] == pytest.approx(1, abs=1e-12)
    assert np.ptp(found.vectors[:, 0]) < 1e-12


def test_without_loops_the_diagonal_does_not_matter():
    W = graph(30)
    bare = W - np.diag(np.diag(W))
    a, b = (walk_pairs(given, 3, loops=False, tol=1e-10) for given in (W, csr_matrix(bare)))
    np.testing.assert_allclose(a.vectors, b.vectors, rtol=0, atol=1e-9)
    assert np.abs(probabilities(bare) @ a.vectors - a.vectors * a.values).max() < 1e-8


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("dense", [False, True])
def test_each_part_has_an_eigenvalue_of_one(k, dense):
    W = parts(5, 9, 7)
    found = walk_pairs(W.toarray() if dense else W, k, loops=True, tol=1e-10)
    assert found.components == 3
    np.testing.assert_array_equal(found.values[:3], np.ones(min(k, 3)))
    assert (found.values[3:] < 1).all()
    np.testing.assert_allclose(probabilities(W) @ found.vectors, found.vectors * found.values, atol=1e-8)
    d = np.asarray(W.sum(axis=1)).ravel()
    np.testing.assert_allclose((found.vectors.T * d) @ found.vectors, np.eye(k), rtol=0, atol=1e-9)
    for part in (slice(0, 5), slice(5, 14), slice(14, 21)):  # constant on each part, in all parts the first
        assert np.ptp(found.vectors[part, : min(k, 3)], axis=0).max() < 1e-14
    assert np.ptp(found.vectors[:, 0]) < 1e-14


def test_two_parts_by_hand():
    """Parts of degree 2 and 6: the second vector is orthogonal to the constant, of length 1 in degrees."""
    W = csr_matrix(np.diag([1.0, 3.0]).repeat(2, axis=0).repeat(2, axis=1) / 2)
    found = walk_pairs(W, 2, loops=True)
    np.testing.assert_allclose(found.vectors[:, 0], 8**-0.5 * np.ones(4), rtol=1e-15)
    small, large = 3 / 24**0.5, -1 / 24**0.5  # 2 a + 6 b = 0, 2 a^2 + 6 b^2 = 1
    np.testing.assert_allclose(found.vectors[:, 1], [small, small, large, large], rtol=1e-15)


def test_who_is_linked_to_nothing_stays_at_zero():
    W = csr_matrix((21, 21)) + parts(5, 9, 7)
    W = block_diag([W, [[1.0]], [[0.0]]], format="csr")
    found = walk_pairs(W, 4, loops=False, tol=1e-10)
    assert found.components == 5
    np.testing.assert_array_equal(found.vectors[21:, 1:3], 0)
    np.testing.assert_allclose(found.vectors[21:, 3], 0, atol=1e-12)
    alone = walk_pairs(csr_matrix((3, 3)), 2, loops=False)
    assert np.ptp(alone.vectors[:, 0]) == 0


def test_stored_zeros_link_nothing():
    W = parts(4, 4)
    rows, columns = np.mgrid[:8, :8].reshape(2, -1)
    full = csr_matrix((W.toarray().ravel(), (rows, columns)), (8, 8))
    assert full.nnz == 64
    for loops in (True, False):
        assert walk_pairs(full, 2, loops=loops).components == 2


def test_negative_affinities_are_ordered_among_others():
    W = graph(12)
    W[0, 1] = W[1, 0] = -0.9
    d = W.sum(axis=1)
    values = eigh(W / np.sqrt(np.outer(d, d)), eigvals_only=True)[::-1]
    found = walk_pairs(W, 4, loops=True)
    others = np.delete(values, np.argmin(np.abs(values - 1)))
    np.testing.assert_allclose(found.values, [1, *others[:3]], rtol=0, atol=1e-9)


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_laplacian_pairs_are_those_of_a_dense_solver(form):
    W = graph(30)
    values = eigh(np.diag(W.sum(axis=1)) - W, eigvals_only=True)
    found = laplacian_pairs(form(W), 4, tol=1e-9)
    np.testing.assert_allclose(found.values, values[:4], rtol=0, atol=1e-8)
    assert np.ptp(found.vectors[:, 0]) < 1e-14
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(4), rtol=0, atol=1e-9)
    split = laplacian_pairs(form(parts(4, 3).toarray()), 2)
    np.testing.assert_array_equal(split.values, 0)
    weights = np.repeat([4, -3], [4, 3])
    np.testing.assert_allclose(split.vectors[:, 1] * weights, split.vectors[0, 1] * 4, rtol=1e-14)


@pytest.mark.parametrize("solver", ["arpack", "lobpcg", "amg"])
def test_every_solver_finds_the_same(solver):
    W = csr_matrix(graph(120, density=0.1))
    plain, other = (walk_pairs(W, 4, loops=True, tol=1e-9, solver=s, random_state=1) for s in (None, solver))
    np.testing.assert_allclose(other.values, plain.values, rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.vectors, plain.vectors, rtol=0, atol=1e-6)


def test_eigenvalues_that_crowd_are_left_to_lapack():
    """Pairs of records with weak links to the rest: hundreds of eigenvalues within 1e-3 of 1."""
    n = 260
    rng = np.random.default_rng(0)
    W = rng.uniform(0, 1e-5, (n, n))
    W = W + W.T + np.kron(np.eye(n // 2), np.ones((2, 2)))
    d = W.sum(axis=1)
    values = eigh(W / np.sqrt(np.outer(d, d)), eigvals_only=True)[::-1]
    assert values[100] > 1 - 0.004
    found = walk_pairs(W, 6, loops=True)
    np.testing.assert_allclose(found.values, values[:6], rtol=0, atol=1e-10)
    residuals = probabilities(W) @ found.vectors - found.vectors * found.values
    assert np.abs(residuals).max() < 1e-8
    np.testing.assert_allclose((found.vectors.T * d) @ found.vectors, np.eye(6), rtol=0, atol=1e-9)


@pytest.mark.parametrize("form", [np.asarray, csr_matrix, csr_array])
def test_components_are_numbered_by_their_first_record(form):
    W = np.zeros((6, 6))
    for i, j in ((0, 3), (3, 5), (1, 4)):
        W[i, j] = W[j, i] = 1
    label = components(form(W))
    assert [label.tolist().index(label[i]) for i in range(6)] == [0, 1, 2, 0, 1, 0]
    assert label.max() == 2


@pytest.mark.parametrize(
    ("entry", "loops", "words"),
    [(-5.0, True, "positive"), (-5.0, False, ">= 0"), (np.inf, True, "finite"), (0.0, True, "positive")],
)
def test_degrees_that_no_walk_has(entry, loops, words):
    W = np.zeros((3, 3))
    W[:2, :2] = 1
    W[0, 2] = W[2, 0] = W[2, 2] = entry
    with pytest.raises(ValueError, match=words):
        walk_pairs(W, 1, loops=loops)


def test_the_order_of_work_changes_nothing():
    """Three communities of a large graph, worked on one after the other."""
    n, rng = 4500, np.random.default_rng(0)
    community = rng.integers(0, 3, n)
    order = np.argsort(community, kind="stable")
    i = np.arange(n).repeat(8)
    inside = [rng.permutation(np.flatnonzero(community == c)) for c in range(3)]
    j = np.concatenate([rng.choice(inside[c], 8) for c in community])
    far = rng.random(len(j)) < 0.02
    j[far] = rng.integers(0, n, far.sum())
    W = csr_matrix((np.ones(len(i)), (i, j)), (n, n))
    W = W + W.T
    plain, ordered = (walk_pairs(W, 3, loops=False, tol=1e-7, order=o) for o in (None, order))
    np.testing.assert_allclose(ordered.values, plain.values, rtol=0, atol=1e-10)
    np.testing.assert_allclose(ordered.vectors, plain.vectors, rtol=0, atol=1e-6)


def test_an_order_of_work_where_there_are_parts_and_single_records():
    rng = np.random.default_rng(0)
    links = csr_matrix(
        (np.ones(16_000), (rng.integers(0, 2000, 16_000), rng.integers(0, 2000, 16_000))), (2000, 2000)
    )
    W = block_diag(
        [links + links.T, links[::-1][:, ::-1] + links[::-1][:, ::-1].T, csr_matrix((500, 500))], "csr"
    )
    plain, ordered = (walk_pairs(W, 4, loops=False, tol=1e-7, order=o) for o in (None, np.arange(4500)[::-1]))
    np.testing.assert_allclose(ordered.values, plain.values, rtol=0, atol=1e-10)
    d = np.asarray(W.sum(axis=1)).ravel() - W.diagonal()
    np.testing.assert_allclose((ordered.vectors.T * d) @ ordered.vectors, np.eye(4), rtol=0, atol=1e-7)
