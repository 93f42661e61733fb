"""The union of a graph of neighbours with its transpose, against sets."""

import numpy as np
import pytest

from clinfa.kernels._graph import united


def twin(nearest):
    pairs = {(i, i) for i in range(len(nearest))}
    for i, row in enumerate(nearest):
        for j in row:
            pairs |= {(i, int(j)), (int(j), i)}
    return sorted(pairs)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (7, 3), (60, 1), (60, 16), (3000, 9)])
def test_union(n, k):
    rng = np.random.default_rng([n, k])
    nearest = np.array([rng.choice(n, k, replace=False) for _ in range(n)])
    indptr, indices = united(nearest)
    row = np.repeat(np.arange(n), np.diff(indptr))
    assert list(zip(row.tolist(), indices.tolist(), strict=True)) == twin(nearest)


def test_one_that_is_everybodys_neighbour_and_calls_cut_short(monkeypatch):
    from clinfa.kernels import _graph

    nearest = np.stack([np.zeros(500, int), np.arange(500)], axis=1)
    indptr, indices = united(nearest)
    assert indptr[1] == 500
    assert np.array_equal(indices[500:], np.stack([np.zeros(499), np.arange(1, 500)], axis=1).ravel())
    monkeypatch.setattr(_graph, "_ROWS", 7)
    again = united(nearest)
    assert all(np.array_equal(a, b) for a, b in zip(again, (indptr, indices), strict=True))
