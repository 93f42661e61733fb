"""Graphs of neighbours: scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import neighbors as theirs

from clinfa import neighbors
from clinfa.neighbors import NearestNeighbors, kneighbors_graph, radius_neighbors_graph


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


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_of_a_fitted_estimator(form):
    X = form(np.array([[0.0, 0], [3, 0], [1, 1], [7, 2]]))
    model = NearestNeighbors(p=1).fit(X)
    for include in (True, False):
        how = {"p": 1, "mode": "distance", "include_self": include}
        assert (kneighbors_graph(model, 2, **how) != kneighbors_graph(X, 2, **how)).nnz == 0
        assert (radius_neighbors_graph(model, 2.5, **how) != radius_neighbors_graph(X, 2.5, **how)).nnz == 0
    with pytest.raises(ValueError, match="Got 2 for p, while the estimator has 1"):
        kneighbors_graph(model, 2)
    again = NearestNeighbors(p=1).fit(model)
    assert np.array_equal(again.kneighbors(n_neighbors=2)[0], model.kneighbors(n_neighbors=2)[0])
