"""Graphs of neighbours, and the rows of new records."""

import numpy as np
import pytest

from clinfa.affinity import Neighbourhood, symmetrised
from clinfa.neighbors import kneighbors_graph


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (7, 1), (7, 7), (80, 6)])
def test_graph_is_half_the_sum_of_links_both_ways(n, k, dtype):
    X = np.random.default_rng(0).standard_normal((n, 3)).astype(dtype)
    near = np.argsort(((X[:, None] - X.astype(float)) ** 2).sum(axis=2), axis=1)[:, :k]
    links = np.zeros((n, n))
    np.put_along_axis(links, near, 1, axis=1)
    graph = Neighbourhood.of(X, k).graph
    assert graph.dtype == dtype
    assert graph.has_sorted_indices
    np.testing.assert_array_equal(graph.toarray(), (links + links.T) / 2)


def test_symmetrised_is_the_mean_with_the_mirror():
    X = np.random.default_rng(1).standard_normal((50, 2))
    graph = kneighbors_graph(X, 4, mode="distance")
    np.testing.assert_array_equal(symmetrised(graph).toarray(), (graph + graph.T).toarray() / 2)


@pytest.mark.parametrize("k", [1, 2, 9])
def test_rows_of_the_fitted_records_are_those_of_the_graph(k):
    """(But for themselves: who stands where a record does has it as a neighbour.)"""
    X = np.random.default_rng(2).standard_normal((60, 3))
    near = Neighbourhood.of(X, k)
    rows, graph = near.rows(X).toarray(), near.graph.toarray()
    # Each is its own nearest, and takes the place of the last of its neighbours.
    others = ~np.eye(60, dtype=bool)
    last = np.argsort(((X[:, None] - X) ** 2).sum(axis=2), axis=1)[:, k - 1]
    expected = graph.copy()
    if k > 1:
        expected[np.arange(60), last] -= 0.5
    np.testing.assert_array_equal(rows[others], expected[others])


def test_a_new_record_is_linked_as_if_it_had_been_there():
    rng = np.random.default_rng(3)
    X, new = rng.standard_normal((70, 3)), rng.standard_normal((5, 3))
    rows = Neighbourhood.of(X, 8).rows(new).toarray()
    for i, record in enumerate(new):
        whole = Neighbourhood.of(np.vstack([X, record]), 8).graph.toarray()[-1, :-1]
        np.testing.assert_array_equal(rows[i], whole)
