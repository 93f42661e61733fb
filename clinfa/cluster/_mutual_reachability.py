"""From records, or their distances, to the single-linkage tree of mutual reachability."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clinfa.arrays import CSR, Table, all_finite
from clinfa.hierarchy import (
    SingleLinkage,
    SpanningTree,
    nearest_places,
    single_linkage,
    spanning_tree,
    spanning_tree_dense,
    spanning_tree_sparse,
)
from clinfa.params import between
from clinfa.spatial import Tree

__all__ = ["BALL", "MATRICES", "TREES", "Linked", "distances", "link", "on_tree"]

# Metrics that are searched on a tree, and what the tree calls them.
TREES = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
    "minkowski": "minkowski",
    "p": "minkowski",
}
_BOOLEAN = ("dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule")
# Those that scikit-learn's ball trees know beside them.
BALL = (
    *("braycurtis", "canberra", "hamming", "haversine", "mahalanobis", "pyfunc", "seuclidean"),
    *("sokalmichener", *_BOOLEAN[:-1]),
)
MATRICES = (*BALL, "correlation", "cosine", "sqeuclidean", "yule")
_SCIPY = TREES | dict.fromkeys(("manhattan", "cityblock", "l1"), "cityblock")
_SCIPY["sokalmichener"] = "rogerstanimoto"  # the same distance
_ENTRIES = 1 << 20  # distances at a time


@dataclass(frozen=True, slots=True)
class Linked:
    """A single-linkage tree, and its heights times a power of two: as they were before, so that densities,
    which are one over them, neither vanish nor overflow."""

    tree: SingleLinkage
    heights: np.ndarray
    power: int


def link(table: Table, metric: str | Callable, params: Mapping[str, Any], k: int, alpha: float) -> Linked:
    """The single-linkage tree of mutual reachability.

    Parameters
    ----------
    table : Table
        Finite records; or a symmetric matrix of distances, dense or CSR.
    metric, params
        The metric and its arguments.
    k : int
        A point's core distance is that of its k-th nearest, itself among them.
    alpha : float
        What distances are divided by, but not core distances.
    """
    power = 0
    if metric == "pyfunc" and not callable(params.get("func")):
        raise ValueError('metric="pyfunc" needs a callable "func" in metric_params.')
    if on_tree(metric, params):
        X = _varying(table)
        points = Tree.build(X, TREES[metric], _p(params))
        points, X = points.ready(X[points.rows])
        far, near = nearest_places(points, X, k)
        edges = spanning_tree(points, X, far[:, k - 1] * alpha**points.power, far, near)
        power, heights = -points.shift, replace(points, shift=0).distances(edges.weights) / alpha
    else:
        edges = (
            _from_sparse(table.X, k, alpha, params)
            if table.sparse
            else _from_matrix(table, metric, params, k, alpha)
        )
        heights = edges.weights / alpha
    with np.errstate(over="ignore"):  # (a distance of two finite points may be infinite)
        return Linked(single_linkage(edges, np.ldexp(heights, power)), heights, power)


def on_tree(metric: str | Callable, params: Mapping[str, Any]) -> bool:
    """Whether the metric is one of the tree's."""
    return isinstance(metric, str) and metric in TREES and set(params) <= {"p"}


def _p(params: Mapping[str, Any]) -> float:
    """p of the Minkowski metrics."""
    p = params.get("p", 2.0)
    if not between(1).allows(p):
        raise ValueError(f"p in metric_params must be a float >= 1, got {p!r}.")
    return float(p)


def _varying(table: Table) -> np.ndarray:
    """Records without columns of one value, next to which the others might vanish."""
    low, high = table.column_range
    varies = low < high
    varies[0] |= not varies.any()
    return table.X if varies.all() else np.ascontiguousarray(table.X[:, varies])


def _from_matrix(
    table: Table, metric: str | Callable, params: Mapping[str, Any], k: int, alpha: float
) -> SpanningTree:
    if metric == "precomputed":
        D = table.X.astype(np.float64, copy=False)
        if np.isnan(D).any():
            raise ValueError("np.nan values found in precomputed-dense")
        _check_square(D)
        for some in _blocks(D):
            if not np.allclose(D[some], D[:, some].T):
                raise _asymmetric()
        if D.min() < 0:
            raise ValueError("Distances in a precomputed matrix must not be negative.")
    else:
        D = distances(table.X, table.X, metric, _learned(table.X, metric, params))
        np.fill_diagonal(D, 0.0)
    core = [np.partition(D[some], k - 1, axis=1)[:, k - 1] for some in _blocks(D)]
    tree = spanning_tree_dense(D, np.concatenate(core) * alpha)
    if metric == "precomputed" and np.isinf(tree.weights).any():
        warnings.warn(
            "The minimum spanning tree contains edge weights with value infinity. Potentially, you are "
            "missing too many distances in the initial distance matrix for the given neighborhood size.",
            UserWarning,
            stacklevel=6,
        )
    return tree


def _from_sparse(D: CSR, k: int, alpha: float, params: Mapping[str, Any]) -> SpanningTree:
    """Of the distances that are stored: a record is among its own nearest only where that one is, too."""
    from scipy.sparse import csr_array  # (who passes a sparse matrix has loaded it)

    _check_square(D)
    if not all_finite(D.data):
        raise ValueError("Input X contains NaN or infinity. In a sparse matrix, leave out missing distances.")
    n, count = D.shape[0], np.diff(D.indptr)
    row = np.repeat(np.arange(n), count)
    stored = D.data[: D.indptr[-1]].astype(np.float64)
    column = D.indices[: D.indptr[-1]]
    M = csr_array((stored, column, D.indptr), D.shape)
    if len(stored) and abs(M - M.T).max() > 1e-8 + 1e-5 * abs(stored).max():
        raise _asymmetric()
    if (stored < 0).any():
        raise ValueError("Distances in a precomputed matrix must not be negative.")
    if count.min() < k:
        raise ValueError(
            f"There exists points with fewer than {k} neighbors. Ensure your distance matrix has non-zero "
            f"values for at least `min_sample`={k} neighbors for each points (i.e. K-nn graph)."
        )
    ascending = stored[np.lexsort((stored, row))]
    core = ascending[D.indptr[:-1] + k - 1] * alpha
    return spanning_tree_sparse(row, column, stored, core)


def _check_square(D: np.ndarray | CSR) -> None:
    if D.shape[0] != D.shape[1]:
        raise ValueError(
            f"The precomputed distance matrix is expected to be symmetric, however it has shape {D.shape}. "
            f"Please verify that the distance matrix was constructed correctly."
        )


def _asymmetric() -> ValueError:
    return ValueError(
        "The precomputed distance matrix is expected to be symmetric, however its values appear to be "
        "asymmetric. Please verify that the distance matrix was constructed correctly."
    )


def _learned(X: np.ndarray, metric: str | Callable, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of the metric, with those that it takes from the records."""
    if metric == "seuclidean" and "V" not in params:
        return {**params, "V": np.var(X, axis=0, ddof=1, dtype=np.float64)}
    if metric == "mahalanobis" and "VI" not in params:
        V = params["V"] if "V" in params else np.atleast_2d(np.cov(X.astype(np.float64).T))
        return {"VI": np.linalg.inv(V).T}
    return params


def distances(A: np.ndarray, B: np.ndarray, metric: str | Callable, params: Mapping[str, Any]) -> np.ndarray:
    """All distances from A to B, in double precision.

    Raises
    ------
    ValueError
        If one is not finite.
    """
    from scipy.spatial.distance import cdist  # a quarter of a second that the trees do not need

    A, B = A.astype(np.float64), B.astype(np.float64)
    if metric == "pyfunc":
        metric, params = params["func"], {k: v for k, v in params.items() if k != "func"}
    name = _SCIPY.get(metric, metric) if isinstance(metric, str) else metric
    if name in _BOOLEAN:
        A, B = A != 0, B != 0
    D = np.empty((len(A), len(B)))
    for some in _blocks(D):
        if name == "haversine":
            D[some] = _haversine(A[some], B)
        else:
            D[some] = cdist(A[some], B, name, **params)
        if not np.isfinite(D[some]).all():
            raise ValueError(f"The metric {metric!r} gave distances of these records that are not finite.")
    return np.maximum(D, 0.0, out=D)


def _blocks(D: np.ndarray) -> Iterator[slice]:
    """Rows at a time, between which Ctrl-C is heard."""
    rows = max(1, _ENTRIES // D.shape[1])
    for begin in range(0, len(D), rows):
        yield slice(begin, begin + rows)


def _haversine(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """The angle between two places, given as latitude and longitude in radians."""
    if A.shape[1] != 2:
        raise ValueError(
            f"The metric 'haversine' needs 2 features, latitude and longitude, got {A.shape[1]}."
        )
    half = np.sin((A[:, None] - B) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(half[..., 0] + np.cos(A[:, :1]) * np.cos(B[:, 0]) * half[..., 1]))
