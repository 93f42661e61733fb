"""Silhouettes: how much nearer rows lie to their own cluster than to the next one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import columns, kmeans, silhouette
from clinfa.arrays import Table, is_dataset, read_table
from clinfa.blas import inverse_covariance
from clinfa.config import get_config
from clinfa.errors import DataConversionWarning, twin
from clinfa.params import at_least, function, none, one_of, seed
from clinfa.rng import check_random_state
from clinfa.targets import check_lengths, read_labels
from clinfa.threads import stripes

__all__ = ["silhouette_samples", "silhouette_score"]

_SAME = {"l2": "euclidean", "l1": "cityblock", "manhattan": "cityblock", "nan_euclidean": "euclidean"}
_TRUTH = ("dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule")
_METRIC = function() | one_of(
    "euclidean",
    "sqeuclidean",
    "cosine",
    "precomputed",
    *_SAME,
    "cityblock",
    "braycurtis",
    "canberra",
    "chebyshev",
    "correlation",
    "hamming",
    "mahalanobis",
    "minkowski",
    "seuclidean",
    *_TRUTH,
)
_SAMPLE = at_least(1) | none()
_SEED = seed()


@dataclass(frozen=True, slots=True)
class Clusters:
    """Rows and the clusters they belong to."""

    table: Table
    codes: np.ndarray  # (n,) int32
    counts: np.ndarray  # (k,) int64, at least 1

    def order(self) -> np.ndarray:
        """The rows by cluster: shape (n,), int64."""
        # (16 bits are sorted by counting.)
        codes = self.codes.astype(np.uint16) if len(self.counts) < 65536 else self.codes
        return np.argsort(codes, kind="stable")


def read_clusters(X: Any, labels: Any, owner: str, *, sparse: bool = False) -> tuple[Table, np.ndarray]:
    """Checked rows, and the code of every row's cluster."""
    table = read_table(X.records if is_dataset(X) else X, owner, sparse=sparse)
    y = read_labels(labels, owner, "labels").codes
    check_lengths(table.X, y)
    return table, y


def clusters_of(table: Table, codes: np.ndarray) -> Clusters:
    """Rows by cluster.

    Raises
    ------
    ValueError
        If there is one cluster, or as many as rows.
    """
    counts = np.bincount(codes)
    present = counts > 0  # (a sample may have left some out)
    k = int(present.sum())
    if not 1 < k < table.n:
        raise ValueError(f"Number of labels is {k}. Valid values are 2 to n_samples - 1 (inclusive)")
    numbers = (np.cumsum(present) - 1).astype(np.int32)
    return Clusters(table, numbers[codes], counts[present])


def silhouette_samples(X: Any, labels: Any, *, metric: Any = "euclidean", **kwds: Any) -> np.ndarray:
    """Silhouette of every row: (b - a) / max(a, b).

    a is the mean distance to the other rows of the own cluster, b that to the rows of the cluster for which
    it is least. Euclidean distances are never kept: memory is that of two copies of X, and k
    values per thread.

    Parameters
    ----------
    X : array-like or CSR matrix of shape (n, d), or (n, n) with metric="precomputed"
    labels : array-like of shape (n,)
        Ints, strings or bools.
    metric : str or callable
        "euclidean", "sqeuclidean", "cosine", "manhattan", "precomputed", or a name that
        `scipy.spatial.distance.cdist` knows; a callable takes two rows. With "sqeuclidean" and "cosine" the
        cost grows with n k instead of n squared.
    **kwds
        Parameters of the metric, for `cdist`.

    Returns
    -------
    ndarray of shape (n,)
        From -1 to 1; 0 for a row that is alone in its cluster. Of the type of X.

    Raises
    ------
    ValueError
        If there are fewer than 2 clusters or as many as rows, X is not finite, or lengths differ.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
    J. Comput. Appl. Math. 20.

    Examples
    --------
    >>> from clinfa.metrics import silhouette_samples
    >>> silhouette_samples([[0.0], [1.0], [9.0]], [0, 0, 1]).round(3)
    array([0.889, 0.875, 0.   ])
    """
    _METRIC.check("metric", metric, "silhouette_samples")
    table, codes = read_clusters(X, labels, "silhouette_samples", sparse=True)
    return _samples(table, codes, metric, kwds, getattr(X, "dtype", None))


def silhouette_score(
    X: Any,
    labels: Any,
    *,
    metric: Any = "euclidean",
    sample_size: int | None = None,
    random_state: Any = None,
    **kwds: Any,
) -> float:
    """Mean silhouette of all rows, or of a sample.

    Parameters
    ----------
    X : array-like or CSR matrix of shape (n, d), or (n, n) with metric="precomputed"
    labels : array-like of shape (n,)
        Ints, strings or bools.
    metric : str or callable
        As in `silhouette_samples`.
    sample_size : int, optional
        How many rows to draw; both a and b are then over these rows alone.
    random_state : None, int, RandomState or Generator
        What to draw them with.
    **kwds
        Parameters of the metric, for `cdist`.

    Returns
    -------
    float
        From -1 to 1.

    Raises
    ------
    ValueError
        If there are fewer than 2 clusters or as many as rows, X is not finite, or lengths differ.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
    J. Comput. Appl. Math. 20.

    Examples
    --------
    >>> from clinfa import datasets
    >>> from clinfa.metrics import silhouette_score
    >>> X, y = datasets.load_iris(return_X_y=True)
    >>> round(silhouette_score(X, y), 4)
    0.5035
    """
    for name, value, rule in (
        ("metric", metric, _METRIC),
        ("sample_size", sample_size, _SAMPLE),
        ("random_state", random_state, _SEED),
    ):
        rule.check(name, value, "silhouette_score")
    table, codes = read_clusters(X, labels, "silhouette_score", sparse=True)
    if sample_size is not None:
        which = check_random_state(random_state).permutation(table.n)[:sample_size]
        table, codes = table.part(which), codes[which]
        if metric == "precomputed":
            table = Table(np.ascontiguousarray(_dense(table, slice(None))[:, which]))
    return float(_samples(table, codes, metric, kwds, getattr(X, "dtype", None)).mean(dtype=np.float64))


def _samples(
    table: Table, codes: np.ndarray, metric: Any, kwds: dict[str, Any], dtype: np.dtype | None
) -> np.ndarray:
    data = clusters_of(table, codes)
    metric = metric if callable(metric) else _SAME.get(metric, metric)
    if metric in ("euclidean", "sqeuclidean", "cosine", "precomputed") and kwds:
        raise TypeError(f"metric={metric!r} takes no parameters, got {', '.join(sorted(kwds))}.")
    if metric == "precomputed":
        values = _precomputed(data)
    elif table.sparse and not _fits(table) and metric in ("euclidean", "sqeuclidean", "cosine"):
        values = _by_products(data, metric)
    elif metric == "euclidean":
        values = _euclidean(data)
    elif metric in ("sqeuclidean", "cosine"):
        values = _by_centres(data, metric)
    elif table.sparse and metric != "cityblock":
        raise TypeError("scipy distance metrics do not support sparse matrices.")
    else:
        values = _by_cdist(data, metric, kwds, dtype)
    return values.astype(table.dtype, copy=False)


def _budget() -> int:
    """Bytes to work in."""
    return get_config()["working_memory"] << 20


def _fits(table: Table) -> bool:
    """Whether two copies of sparse rows, as dense ones, may be made."""
    return 2 * table.n * table.d * table.dtype.itemsize <= _budget()


def _dense(table: Table, which: Any) -> np.ndarray:
    """Some rows, dense."""
    if table.sparse:
        return table.rows(np.arange(table.n)[which])
    return table.X[which]


def _in_frame(data: Clusters, order: np.ndarray) -> np.ndarray:
    """Rows in this order, shifted and brought near one, where squares neither overflow nor vanish.

    Silhouettes of distances that all have another factor are the same.
    """
    rows = _dense(data.table, order)
    reach = Table(rows).column_range if data.table.sparse else data.table.column_range
    shift = np.empty(data.table.d, rows.dtype)
    scale = columns.choose_frame(reach, shift)
    np.subtract(rows, shift, out=rows)
    np.multiply(rows, rows.dtype.type(scale), out=rows)
    return rows


def _euclidean(data: Clusters) -> np.ndarray:
    order = data.order()
    rows = _in_frame(data, order)
    (n, d), k = rows.shape, len(data.counts)
    group, tile = kmeans.panel_size(), silhouette.tile_rows(rows.itemsize)
    padded = np.zeros((-(-n // group) * group, d), rows.dtype)
    padded[:n] = rows
    panel = np.ascontiguousarray(padded.reshape(-1, group, d).transpose(0, 2, 1)).ravel()
    del padded
    # A pair costs a root and 1.5 d multiply-adds.
    cut = stripes(-(-n // tile), tile * n * (0.05 * d + 0.4) * rows.dtype.itemsize / 8)
    scratch = np.empty((cut.width(), tile * (d + group) + 16), rows.dtype)
    sums = np.empty((cut.width(), k * tile + 8))
    found = np.empty(n)
    codes, origin = data.codes[order], np.zeros(d, rows.dtype)
    cut.run(
        lambda cursor, limit, slot: silhouette.euclidean_pass(
            rows,
            panel,
            codes,
            data.counts,
            origin,
            cut.bounds,
            cursor,
            limit,
            scratch[slot],
            sums[slot],
            found,
        )
    )
    out = np.empty(n)
    out[order] = found
    return out


def _by_centres(data: Clusters, metric: str) -> np.ndarray:
    """Sums of squared distances from the centres: those to the rows of a cluster sum to n |x - centre|^2 + W.

    W is the sum of squared distances of the cluster's rows to the centre, so nothing cancels.
    """
    order = data.order()
    if metric == "cosine":
        rows = _unit_rows(_dense(data.table, order))
    else:
        rows = _in_frame(data, order).astype(np.float64, copy=False)
    counts, codes = data.counts, data.codes[order]
    starts = np.cumsum(counts) - counts
    first = rows[starts]
    centres = first + np.add.reduceat(rows - first[codes], starts) / counts[:, None]
    apart = rows - centres[codes]
    within = np.add.reduceat(np.einsum("ij,ij->i", apart, apart), starts)
    found, step = np.empty(len(rows)), _chunk(len(counts) * 3)
    from scipy.spatial.distance import cdist  # importing it is slow

    empty = ~rows.any(axis=1) & (metric == "cosine")
    empties = np.add.reduceat(empty, starts, dtype=int)
    for lo in range(0, len(rows), step):
        part, own = rows[lo : lo + step], codes[lo : lo + step]
        totals = cdist(part, centres, "sqeuclidean") * counts + within
        if empties.any():
            _mend_for_zeros(totals, own, empty[lo : lo + step], empties, counts)
        silhouette.sums_pass(totals, own, counts, found[lo : lo + step])
    out = np.empty(len(rows))
    out[order] = found
    return out


def _unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of length one; rows of zeros stay."""
    rows = rows.astype(np.float64)
    rows /= np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.finfo(float).tiny)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    length[length == 0] = 1
    rows /= length[:, None]
    return rows


def _mend_for_zeros(
    totals: np.ndarray, own: np.ndarray, empty: np.ndarray, empties: np.ndarray, counts: np.ndarray
) -> None:
    """From sums of |x - y|^2 to those of 2 (1 - cos). A row of zeros is at distance 1 from all but itself."""
    totals[~empty] += empties
    totals[empty] += counts + empties
    totals[empty, own[empty]] -= 2


def _by_products(data: Clusters, metric: str) -> np.ndarray:
    """Sparse rows that would not fit as dense ones: distances from inner products, in blocks of rows."""
    from scipy.sparse import csr_matrix  # importing it is slow

    X = data.table.X
    rows = csr_matrix((X.data.astype(np.float64), X.indices, X.indptr), shape=X.shape)
    squares = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
    if metric == "cosine":
        length = np.sqrt(np.where(squares > 0, squares, 1))
        rows = csr_matrix(
            (rows.data / np.repeat(length, np.diff(rows.indptr)), rows.indices, rows.indptr), rows.shape
        )
    turned = rows.T.tocsc()

    def distances(lo: int, hi: int) -> np.ndarray:
        D = (rows[lo:hi] @ turned).toarray()
        if metric == "cosine":
            np.subtract(1, D, out=D)
        else:
            D *= -2
            D += squares[lo:hi, None]
            D += squares
        np.maximum(D, 0, out=D)
        D[np.arange(hi - lo), np.arange(lo, hi)] = 0
        return np.sqrt(D, out=D) if metric == "euclidean" else D

    return _by_blocks(data, distances)


def _by_cdist(data: Clusters, metric: Any, kwds: dict[str, Any], dtype: np.dtype | None) -> np.ndarray:
    from scipy.spatial.distance import cdist  # importing it is slow

    rows = _dense(data.table, slice(None)).astype(np.float64, copy=False)
    if metric in _TRUTH:
        if dtype != np.bool_:
            warnings.warn(
                f"Data was converted to boolean for metric {metric}",
                twin(DataConversionWarning),
                stacklevel=4,
            )
        rows = rows != 0
    if metric == "seuclidean":  # (of all rows, not of those that happen to be in a block)
        kwds = {"V": rows.var(axis=0, ddof=1)} | kwds
    elif metric == "mahalanobis":
        kwds = {"VI": inverse_covariance(rows)} | kwds

    def distances(lo: int, hi: int) -> np.ndarray:
        D = np.asarray(cdist(rows[lo:hi], rows, metric, **kwds), np.float64)
        D[np.arange(hi - lo), np.arange(lo, hi)] = (
            0  # (that of some metrics is not, and a is over the others)
        )
        return D

    return _by_blocks(data, distances)


def _precomputed(data: Clusters) -> np.ndarray:
    table = data.table
    if table.n != table.d:
        raise ValueError(
            f"Precomputed metric requires shape (n_queries, n_indexed). Got {(table.n, table.d)} "
            f"for {table.n} indexed."
        )

    def distances(lo: int, hi: int) -> np.ndarray:
        D = _dense(table, slice(lo, hi))
        if np.abs(D[np.arange(hi - lo), np.arange(lo, hi)]).max() > 100 * np.finfo(table.dtype).eps:
            raise ValueError(
                "The precomputed distance matrix contains non-zero elements on the diagonal. Use "
                "np.fill_diagonal(X, 0)."
            )
        return D.astype(np.float64, copy=False)

    return _by_blocks(data, distances)


def _chunk(width: int) -> int:
    """How many rows of so many values fit into a part of the working memory."""
    return max(1, min(_budget() // 4, 1 << 25) // (8 * width))


def _by_blocks(data: Clusters, distances: Any) -> np.ndarray:
    """Silhouettes from the distances of rows [lo, hi) to all rows, some rows at a time."""
    n = data.table.n
    out, step, order = np.empty(n), _chunk(n), data.order()
    for lo in range(0, n, step):
        D = np.ascontiguousarray(distances(lo, min(lo + step, n)))
        codes, found = data.codes[lo : lo + step], out[lo : lo + step]
        cut = stripes(len(D), 1.5 * n)
        sums = np.empty((cut.width(), len(data.counts) + 16))
        cut.run(
            lambda cursor, limit, slot, D=D, codes=codes, found=found, cut=cut, sums=sums: (
                silhouette.given_pass(
                    D, order, codes, data.counts, cut.bounds, cursor, limit, sums[slot], found
                )
            )
        )
    return out
