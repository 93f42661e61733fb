"""Graphs of neighbours: scikit-learn's."""

import numpy as np
import pytest
from sklearn import neighbors as theirs

from clinfa import neighbors


@pytest.mark.parametrize("include_self", [True, False, "auto"])
@pytest.mark.parametrize("mode", ["connectivity", "distance"])
@pytest.mark.parametrize("metric", ["minkowski", "manhattan", "cosine"])
def test_scikit_learn_agrees(metric, mode, include_self):
    X = np.random.default_rng(0).standard_normal((80, 3))
    how = {"metric": metric, "mode": mode, "include_self": include_self}
    for name, reach in (("kneighbors_graph", 4), ("radius_neighbors_graph", 0.4)):
        mine, other = (getattr(home, name)(X, reach, **how) for home in (neighbors, theirs))
        assert mine.nnz == other.nnz
        assert abs(mine - other).max() < 1e-7  # (their cosine of a record with itself is not quite 0)


def test_what_is_refused():
    for graph in (neighbors.kneighbors_graph, neighbors.radius_neighbors_graph):
        with pytest.raises(ValueError, match="include_self"):
            graph([[0.0], [1.0]], 1, include_self="yes")
        with pytest.raises(ValueError, match=r"n_neighbors|radius"):
            graph([[0.0], [1.0]], -1)
        with pytest.raises(ValueError, match="Unsupported mode"):
            graph([[0.0], [1.0]], 1, mode="x")
