"""Graphs of neighbours, straight from records."""

from __future__ import annotations

from typing import Any, Literal

from scipy.sparse import csr_matrix

from clinfa.neighbors._base import Neighbours
from clinfa.neighbors.unsupervised import NearestNeighbors
from clinfa.params import boolean, one_of

__all__ = ["kneighbors_graph", "radius_neighbors_graph"]


def kneighbors_graph(
    X: Any,
    n_neighbors: int,
    *,
    mode: Literal["connectivity", "distance"] = "connectivity",
    metric: Any = "minkowski",
    p: float = 2,
    metric_params: dict[str, Any] | None = None,
    include_self: bool | Literal["auto"] = False,
    n_jobs: int | None = None,
) -> csr_matrix:
    """The nearest records of each record, as a sparse matrix.

    Parameters
    ----------
    X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
        Or a fitted estimator of neighbours with these settings.
    n_neighbors : int
    mode : {"connectivity", "distance"}, default "connectivity"
        Whether entries are ones or distances.
    metric, p, metric_params, n_jobs
        As for `NearestNeighbors`.
    include_self : bool or "auto", default False
        Whether a record is its own first neighbour; "auto" where entries are ones.

    Returns
    -------
    graph : csr_matrix of shape (n_samples, n_samples)

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If an argument or the data are not allowed.

    Examples
    --------
    >>> from clinfa.neighbors import kneighbors_graph
    >>> kneighbors_graph([[0.0], [3.0], [1.0]], 1, mode="distance").toarray()
    array([[0., 0., 1.],
           [0., 0., 2.],
           [1., 0., 0.]])
    """
    if isinstance(X, Neighbours):
        model, X = _fitted(X, metric, p, metric_params)
    else:
        model = NearestNeighbors(metric=metric, p=p, metric_params=metric_params, n_jobs=n_jobs).fit(X)
    return model.kneighbors_graph(X if _with_self(include_self, mode) else None, n_neighbors, mode)


def radius_neighbors_graph(
    X: Any,
    radius: float,
    *,
    mode: Literal["connectivity", "distance"] = "connectivity",
    metric: Any = "minkowski",
    p: float = 2,
    metric_params: dict[str, Any] | None = None,
    include_self: bool | Literal["auto"] = False,
    n_jobs: int | None = None,
) -> csr_matrix:
    """The records within a radius of each record, as a sparse matrix.

    Parameters
    ----------
    X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
        Or a fitted estimator of neighbours with these settings.
    radius : float
    mode : {"connectivity", "distance"}, default "connectivity"
        Whether entries are ones or distances.
    metric, p, metric_params, n_jobs
        As for `NearestNeighbors`.
    include_self : bool or "auto", default False
        Whether a record is its own neighbour; "auto" where entries are ones.

    Returns
    -------
    graph : csr_matrix of shape (n_samples, n_samples)

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If an argument or the data are not allowed.

    Examples
    --------
    >>> from clinfa.neighbors import radius_neighbors_graph
    >>> radius_neighbors_graph([[0.0], [3.0], [1.0]], 1.5).toarray()
    array([[0., 0., 1.],
           [0., 0., 0.],
           [1., 0., 0.]])
    """
    if isinstance(X, Neighbours):
        model, X = _fitted(X, metric, p, metric_params)
    else:
        model = NearestNeighbors(metric=metric, p=p, metric_params=metric_params, n_jobs=n_jobs).fit(X)
    return model.radius_neighbors_graph(X if _with_self(include_self, mode) else None, radius, mode)


def _fitted(model: Neighbours, metric: Any, p: Any, metric_params: Any) -> tuple[Any, Any]:
    """A fitted estimator and its records."""
    model._check_fitted()
    for name, asked in (("metric", metric), ("p", p), ("metric_params", metric_params)):
        own = getattr(model, name)
        if own is not asked and own != asked:
            raise ValueError(f"Got {asked!r} for {name}, while the estimator has {own!r}.")
    return model, model._fit_X


def _with_self(include_self: Any, mode: str) -> bool:
    (boolean() | one_of("auto")).check("include_self", include_self, "a graph of neighbours")
    return mode == "connectivity" if include_self == "auto" else bool(include_self)
