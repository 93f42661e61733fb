"""The order of OPTICS: by a tree for the metrics that it knows, row by row of distances for all others."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import optics
from clinfa.arrays import CSR, Table, is_dataset, read_table
from clinfa.blas import inverse_covariance, matmul
from clinfa.errors import DataConversionWarning, twin
from clinfa.spatial import Tree
from clinfa.threads import stripes

__all__ = ["BOOLEAN", "CDIST", "TREE", "Reachability", "reachability", "read_points"]

# How a reduced distance becomes a distance: as in _core/optics.pyx.
_ROOT, _SAME, _POWER, _HALF = range(4)
# The tree's metric, and the form.
TREE = {
    "euclidean": ("euclidean", _ROOT),
    "l2": ("euclidean", _ROOT),
    "sqeuclidean": ("euclidean", _SAME),
    "manhattan": ("manhattan", _SAME),
    "l1": ("manhattan", _SAME),
    "cityblock": ("manhattan", _SAME),
    "chebyshev": ("chebyshev", _SAME),
    "cosine": ("euclidean", _HALF),
}
BOOLEAN = ("dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule")
CDIST = ("braycurtis", "canberra", "correlation", "hamming", "mahalanobis", "seuclidean", *BOOLEAN)
_MOST_INSERTED = 256  # neighbours that are found by insertion; more by selection among all distances
_CALL_LEAVES = 400_000  # in one call of the walk: some 20 ms
_BLOCK = 1 << 21  # distances held at a time
_MOST_DENSE = 1 << 31  # bytes that sparse records may take when made dense
_SMALL = -20  # exponent of values that rounding to 15 decimals would leave too little of


@dataclass(frozen=True, slots=True)
class Reachability:
    """The graph of OPTICS; arrays by record, but for `ordering`."""

    ordering: np.ndarray  # (n,) int64
    core_distances: np.ndarray  # (n,)
    reachability: np.ndarray  # (n,)
    predecessor: np.ndarray  # (n,) int64


def read_points(X: Any, metric: Any, owner: str) -> Table:
    """Records, or distances; CSR only where the metric is "precomputed".

    Raises
    ------
    ValueError, TypeError
        If they are not allowed, or CSR records are too many to be made dense.
    """
    given_names = X.feature_names if is_dataset(X) else None
    X = X.records if is_dataset(X) else X
    is_boolean = getattr(X, "dtype", None) == np.dtype(bool)
    table = read_table(X, owner, sparse=True, given_names=given_names)
    if metric in BOOLEAN and not is_boolean:
        warnings.warn(
            f"Data will be converted to boolean for metric {metric}, to avoid this warning, you may convert "
            f"the data prior to calling fit.",
            twin(DataConversionWarning),
            stacklevel=4,
        )
    if metric != "precomputed" and table.sparse:
        if table.n * table.d * 8 > _MOST_DENSE:
            raise ValueError(
                f"Sparse records of shape {(table.n, table.d)} would take more than 2 GiB when made dense, "
                f"which {owner} must do. Reduce their number of features first."
            )
        table = Table(table.rows(np.arange(table.n)), table.names)
    if metric == "precomputed":
        if table.n != table.d:
            raise ValueError(
                f"Precomputed matrix must be square: distances of each record to each. Got shape "
                f"{(table.n, table.d)}."
            )
        if (table.X.data if table.sparse else table.X).min() < 0:
            raise ValueError("Negative values in data passed to a precomputed distance matrix.")
    return table


def reachability(
    table: Table, k: int, max_eps: float, metric: Any, p: float, metric_params: Mapping[str, Any] | None
) -> Reachability:
    """The graph of `read_points`; k is the number of records that make a core point, itself among them."""
    table = table if table.dtype == np.float64 else table.astype(np.float64)
    params = dict(metric_params or {})
    if metric == "minkowski":
        p = float(params.pop("p", p))
        if not params:
            metric = {1.0: "manhattan", 2.0: "euclidean", np.inf: "chebyshev"}.get(p, "minkowski")
        else:
            params["p"] = p
    known = isinstance(metric, str) and metric in (*TREE, "minkowski") and not params
    if known and (metric != "cosine" or table.X.any(axis=1).all()):  # zero has no direction
        return _by_tree(table, k, max_eps, *TREE.get(metric, ("minkowski", _POWER)), p)
    return _by_rows(_rows(table.X, metric, params), table.n, k, max_eps)


# By a tree


def _by_tree(table: Table, k: int, max_eps: float, metric: str, form: int, p: float) -> Reachability:
    X, unit = table.X, 0
    if form == _HALF:
        # (By powers of two first: squares might overflow or vanish.)
        X = np.ldexp(X, -np.frexp(np.abs(X).max(axis=1, keepdims=True))[1])
        X = X / np.sqrt((X * X).sum(axis=1, keepdims=True))
    else:
        # Columns that are constant say nothing, but might set the unit.
        low, high = table.column_range
        X = X[:, low < high] if (low < high).any() else np.zeros((table.n, 1))
        X = np.ascontiguousarray(X)
        power = max(p, 2.0) if metric == "minkowski" else 2.0
        unit = int(np.frexp(np.abs(X).max())[1])
        unit = 0 if max(_SMALL, -700 / power) <= unit <= 900 / power else unit
        X = np.ldexp(X, -unit) if unit else X
    # Squares that are distances have a square for a unit.
    unit *= 2 if (metric, form) == ("euclidean", _SAME) else 1
    with np.errstate(over="ignore", under="ignore"):
        most = float(np.ldexp(np.float64(max_eps), -unit))
        within = float({_ROOT: np.square, _POWER: lambda x: x**p, _HALF: lambda x: 2 * x}.get(form, float)(
            np.float64(most)
        ))  # fmt: skip
    tree = Tree.build(X, metric, p)  # (has no other scale than X: see `unit`)
    core = _core_distances(tree, X, k, form, most)
    found = _walk(tree, X, core, form, within)
    if unit:
        with np.errstate(over="ignore", under="ignore"):
            for values in (found.core_distances, found.reachability):
                np.ldexp(values, unit, out=values)
    return found


def _core_distances(tree: Tree, X: np.ndarray, k: int, form: int, most: float) -> np.ndarray:
    n, core = tree.n, np.empty(tree.n)
    size = max(1, _BLOCK // (k if k <= _MOST_INSERTED else tree.names.size))
    for begin in range(0, n, size):
        rows = tree.rows[begin : begin + size]  # in the tree's order, so that they are near one another
        if k <= _MOST_INSERTED:
            far = _nearest(tree, X[rows], k)[:, -1]
        else:
            far = np.partition(_all_distances(tree, X[rows]), k - 1, axis=1)[:, k - 1]
        some = np.empty(len(rows))
        optics.core_pass(np.ascontiguousarray(far), form, tree.p, most, some)
        core[rows] = some
    return core


def _nearest(tree: Tree, Q: np.ndarray, k: int) -> np.ndarray:
    """Reduced distances, whose bits the walk will meet again."""
    far, nearest = np.empty((len(Q), k)), np.empty((len(Q), k), np.int64)
    tree.put_nearest(Q, far, nearest, np.arange(len(Q), dtype=np.int32))
    return far


def _all_distances(tree: Tree, Q: np.ndarray) -> np.ndarray:
    out = np.empty((len(Q), *tree.names.shape))
    cut = stripes(len(Q), tree.names.size * (1.0 * tree.d + 1))
    cut.run(
        lambda cursor, limit, slot: optics.distances_pass(
            Q, tree.points, tree.metric, tree.p, cut.bounds, cursor, limit, out
        )
    )
    return out.reshape(len(Q), -1)


def _walk(tree: Tree, X: np.ndarray, core: np.ndarray, form: int, within: float) -> Reachability:
    n, parts = tree.n, 1 + tree.boxes.shape[0] * tree.boxes.shape[3]
    place, source = np.empty(n, np.int32), np.full(tree.names.shape, -1, np.int32)
    open, bar = np.empty(tree.names.shape), np.empty(tree.names.shape)
    worst, best = np.full(parts, -np.inf), np.full(parts, np.inf)
    first = np.full(parts, 2**31 - 1, np.int32)
    most = optics.bound(tree.d, tree.p, within)
    optics.begin(tree.names, tree.levels, most, open, bar, place, worst, best, first)
    ordering, predecessor, reached = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    taken = 0
    while taken < n:
        taken = optics.walk(
            X, tree.points, tree.names, tree.boxes, tree.levels, tree.metric, form, tree.p, within,
            core, place, open, bar, source, worst, best, first,
            taken, _CALL_LEAVES, ordering, reached, predecessor,
        )  # fmt: skip
    return Reachability(ordering, core, reached, predecessor)


# Row by row


def _rows(X: Any, metric: Any, params: dict[str, Any]) -> Callable[[int, int], np.ndarray]:
    """What gives the distances of some consecutive records to all."""
    if metric == "precomputed":
        return _sparse_rows(X) if isinstance(X, CSR) else lambda begin, end: X[begin:end]
    if metric == "cosine" and not params:
        size = np.frexp(np.abs(X).max(axis=1, keepdims=True))[1]
        X = np.ldexp(X, -size)
        length = np.sqrt((X * X).sum(axis=1, keepdims=True))
        X = X / np.where(length > 0, length, 1.0)
        return lambda begin, end: _cosines(X, begin, end)
    if metric == "seuclidean":
        params.setdefault("V", np.var(X, axis=0, ddof=1))
    if metric == "mahalanobis" and "VI" not in params:
        params["VI"] = inverse_covariance(X, params.pop("V", None))
    if metric in BOOLEAN:
        X = X != 0
    if isinstance(metric, str):
        metric = {"l1": "cityblock", "manhattan": "cityblock", "l2": "euclidean"}.get(metric, metric)

    from scipy.spatial.distance import cdist  # (half a second to load, needed by few)

    def rows(begin: int, end: int) -> np.ndarray:
        far = cdist(X[begin:end], X, metric, **params)
        if np.isnan(far).any():
            raise ValueError(f"metric={metric!r} gave NaN for some records of X.")
        return far

    return rows


def _cosines(X: np.ndarray, begin: int, end: int) -> np.ndarray:
    """Where some records are zero: those are at distance 1 from all others."""
    far = np.clip(1 - matmul(X[begin:end], X.T), 0, 2)
    far[np.arange(end - begin), np.arange(begin, end)] = 0
    return far


def _sparse_rows(X: CSR) -> Callable[[int, int], np.ndarray]:
    """What is not stored is no neighbour; each record is its own."""

    def rows(begin: int, end: int) -> np.ndarray:
        far = np.full((end - begin, X.shape[1]), np.inf)
        far[np.arange(end - begin), np.arange(begin, end)] = 0
        for i in range(begin, end):
            stored = slice(X.indptr[i], X.indptr[i + 1])
            far[i - begin, X.indices[stored]] = X.data[stored]
        return far

    return rows


def _by_rows(rows: Callable[[int, int], np.ndarray], n: int, k: int, max_eps: float) -> Reachability:
    core = np.empty(n)
    size = max(1, _BLOCK // n)
    for begin in range(0, n, size):
        end = min(begin + size, n)
        far = rows(begin, end)
        few = np.isfinite(far).sum(axis=1).min()
        if few < k:
            raise ValueError(
                f"{k} neighbors are required for each samples, but some samples have only {few} neighbors in "
                f"precomputed graph matrix. Decrease number of neighbors or recompute the graph with more "
                f"neighbors."
            )
        core[begin:end] = np.partition(far, k - 1, axis=1)[:, k - 1]
    core[core > max_eps] = np.inf
    core = np.around(core, 15)
    reached, predecessor = np.full(n, np.inf), np.full(n, -1, np.int64)
    ordering, waiting = np.empty(n, np.int64), np.arange(n)
    for taken in range(n):
        at = np.argmin(reached[waiting])
        row = ordering[taken] = waiting[at]
        waiting = np.delete(waiting, at)
        if core[row] < np.inf:
            far = rows(row, row + 1)[0, waiting]
            near = np.around(np.maximum(far, core[row]), 15)
            lower = (near < reached[waiting]) & (far <= max_eps)
            reached[waiting[lower]] = near[lower]
            predecessor[waiting[lower]] = row
    return Reachability(ordering, core, reached, predecessor)
