"""From records, or their distances, to the single-linkage tree of mutual reachability."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from clinfa.arrays import CSR, Table, all_finite
from clinfa.blas import inverse_covariance
from clinfa.hierarchy import (
    SingleLinkage,
    SpanningTree,
    reduced_nearest,
    single_linkage,
    spanning_tree,
    spanning_tree_dense,
    spanning_tree_sparse,
)
from clinfa.params import between
from clinfa.spatial import Tree

__all__ = ["BALL", "MATRICES", "TREES", "Linked", "MatrixSpace", "TreeSpace", "distances", "link", "on_tree"]

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
_KEPT = 16  # neighbours of each record that the spanning tree is told


@dataclass(frozen=True, slots=True)
class TreeSpace:
    """Records on a tree, and how new ones attach to them."""

    tree: Tree
    middle: np.ndarray  # (d,) what was subtracted: the value of columns that have but one, zero of others
    core: np.ndarray  # (n,) reduced core distances times alpha, by row
    k: int
    alpha: float
    given: ClassVar[bool] = False

    def heights(self, reduced: np.ndarray) -> np.ndarray:
        """Distances over alpha, in the unit of the tree."""
        return replace(self.tree, shift=0).distances(reduced) / self.alpha

    def attach(self, Q: Table) -> tuple[np.ndarray, np.ndarray]:
        """As `MatrixSpace.attach`: by twice as many neighbours, until no further one can be cheaper."""
        tree, X = self.tree.ready(_moved(Q, self.middle))
        core, shift = self.core, tree.shift - self.tree.shift
        if shift:  # (records far greater than those of the tree)
            core = tree.reduced(self.tree.distances(core))
        row, weight = np.empty(Q.n, np.int64), np.empty(Q.n)
        waiting, count = np.arange(Q.n), min(2 * self.k, tree.n)
        while len(waiting):
            left = []
            for some in _blocks(len(waiting), count):
                asked = waiting[some]
                far, near = reduced_nearest(tree, np.ascontiguousarray(X[asked]), count)
                own = far[:, self.k - 1 : self.k] * self.alpha**tree.power
                weights = np.maximum(np.maximum(far, own), core[near])
                best = weights.argmin(axis=1)  # the nearest of the cheapest, for they come in this order
                at = np.arange(len(asked))
                row[asked], weight[asked] = near[at, best], weights[at, best]
                if count < tree.n:
                    left.append(asked[far[:, -1] < weight[asked]])
            waiting, count = np.concatenate([waiting[:0], *left]), min(2 * count, tree.n)
        return row, np.ldexp(replace(self, tree=tree).heights(weight), -shift)


@dataclass(frozen=True, slots=True)
class MatrixSpace:
    """Records whose distances are all looked at, or distances alone, and how new ones attach to them."""

    X: np.ndarray  # (n, d); without records where distances were given
    metric: str | Callable
    params: Mapping[str, Any]
    core: np.ndarray  # (n,) core distances times alpha
    k: int
    alpha: float

    @property
    def given(self) -> bool:
        """Whether distances are passed, not records."""
        return self.metric == "precomputed"

    def attach(self, Q: Table) -> tuple[np.ndarray, np.ndarray]:
        """The record that each new one attaches to, by the least mutual reachability, and at which height.

        Of equal ones the nearest is taken, then the one of the least row.
        """
        row, weight = np.empty(Q.n, np.int64), np.empty(Q.n)
        for some in _blocks(Q.n, len(self.core)):
            if self.metric == "precomputed":
                D = Q.X[some].astype(np.float64)
            else:
                D = distances(Q.X[some], self.X, self.metric, self.params)
            own = np.partition(D, self.k - 1, axis=1)[:, self.k - 1 : self.k] * self.alpha
            weights = np.maximum(np.maximum(D, own), self.core)
            weight[some] = weights.min(axis=1)
            row[some] = np.where(weights == weight[some, None], D, np.inf).argmin(axis=1)
        return row, weight / self.alpha


@dataclass(frozen=True, slots=True)
class Linked:
    """A single-linkage tree, and its heights times a power of two: as they were before, so that densities,
    which are one over them, neither vanish nor overflow."""

    tree: SingleLinkage
    heights: np.ndarray
    power: int
    space: TreeSpace | MatrixSpace | None  # None where only some distances are known


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
    if metric == "pyfunc" and not callable(params.get("func")):
        raise ValueError('metric="pyfunc" needs a callable "func" in metric_params.')
    if on_tree(metric, params):
        edges, space = _from_tree(table, metric, params, k, alpha)
        power, heights = -space.tree.shift, space.heights(edges.weights)
    elif table.sparse:
        edges, space = _from_sparse(table.X, k, alpha), None
        power, heights = 0, edges.weights / alpha
    else:
        edges, space = _from_matrix(table, metric, params, k, alpha)
        power, heights = 0, edges.weights / alpha
    with np.errstate(over="ignore"):  # (a distance of two finite points may be infinite)
        return Linked(single_linkage(edges, np.ldexp(heights, power)), heights, power, space)


def on_tree(metric: str | Callable, params: Mapping[str, Any]) -> bool:
    """Whether the metric is one of the tree's."""
    return isinstance(metric, str) and metric in TREES and set(params) <= {"p"}


def _p(params: Mapping[str, Any]) -> float:
    """p of the Minkowski metrics."""
    p = params.get("p", 2.0)
    if not between(1).allows(p):
        raise ValueError(f"p in metric_params must be a float >= 1, got {p!r}.")
    return float(p)


def _from_tree(
    table: Table, metric: str, params: Mapping[str, Any], k: int, alpha: float
) -> tuple[SpanningTree, TreeSpace]:
    low, high = table.column_range
    middle = np.where(low < high, 0.0, low)  # (next to a great constant the others might vanish)
    X = _moved(table, middle)
    tree = Tree.build(X, TREES[metric], _p(params))
    tree, X = tree.ready(X[tree.rows])
    if k <= _KEPT:
        far, near = reduced_nearest(tree, X, k)
        core = far[:, k - 1] * alpha**tree.power
    else:  # (all neighbours of all records might not find room)
        core, far, near = np.empty(len(X)), np.empty((len(X), _KEPT)), np.empty((len(X), _KEPT), np.int64)
        for some in _blocks(len(X), k):
            found, rows = reduced_nearest(tree, X[some], k)
            core[some], far[some], near[some] = found[:, -1], found[:, :_KEPT], rows[:, :_KEPT]
        core *= alpha**tree.power
    edges = spanning_tree(tree, X, core, far, near)
    by_row = np.empty_like(core)
    by_row[tree.rows] = core
    return edges, TreeSpace(tree, middle, by_row, k, alpha)


def _moved(table: Table, middle: np.ndarray) -> np.ndarray:
    return table.X - middle.astype(table.dtype) if middle.any() else table.X


def _from_matrix(
    table: Table, metric: str | Callable, params: Mapping[str, Any], k: int, alpha: float
) -> tuple[SpanningTree, MatrixSpace]:
    params = _learned(table.X, metric, params)
    if metric == "precomputed":
        D = table.X.astype(np.float64, copy=False)
        if np.isnan(D).any():
            raise ValueError("np.nan values found in precomputed-dense")
        _check_square(D)
        for some in _blocks(*D.shape):
            if not np.allclose(D[some], D[:, some].T):
                raise _asymmetric()
        if D.min() < 0:
            raise ValueError("Distances in a precomputed matrix must not be negative.")
    else:
        D = distances(table.X, table.X, metric, params)
        np.fill_diagonal(D, 0.0)
    core = (
        np.concatenate([np.partition(D[some], k - 1, axis=1)[:, k - 1] for some in _blocks(*D.shape)]) * alpha
    )
    tree = spanning_tree_dense(D, core)
    if metric == "precomputed" and np.isinf(tree.weights).any():
        warnings.warn(
            "The minimum spanning tree contains edge weights with value infinity. Potentially, you are "
            "missing too many distances in the initial distance matrix for the given neighborhood size.",
            UserWarning,
            stacklevel=7,
        )
    X = table.X[:0] if metric == "precomputed" else table.X
    return tree, MatrixSpace(X, metric, params, core, k, alpha)


def _from_sparse(D: CSR, k: int, alpha: float) -> SpanningTree:
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
        return {"VI": inverse_covariance(X.astype(np.float64), params.get("V"))}
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
    for some in _blocks(*D.shape):
        if name == "haversine":
            D[some] = _haversine(A[some], B)
        else:
            D[some] = cdist(A[some], B, name, **params)
        if not np.isfinite(D[some]).all():
            raise ValueError(f"The metric {metric!r} gave distances of these records that are not finite.")
    return np.maximum(D, 0.0, out=D)


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    """Rows at a time, between which Ctrl-C is heard."""
    step = max(1, _ENTRIES // columns)
    for begin in range(0, rows, step):
        yield slice(begin, begin + step)


def _haversine(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """The angle between two places, given as latitude and longitude in radians."""
    if A.shape[1] != 2:
        raise ValueError(
            f"The metric 'haversine' needs 2 features, latitude and longitude, got {A.shape[1]}."
        )
    half = np.sin((A[:, None] - B) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(half[..., 0] + np.cos(A[:, :1]) * np.cos(B[:, 0]) * half[..., 1]))
