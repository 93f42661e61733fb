"""How compact clusters are and how far apart, by their centres: scikit-learn's functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import columns, distances, kmeans
from clinfa.arrays import NO_WEIGHTS
from clinfa.blas import matmul
from clinfa.metrics._silhouette import Clusters, clusters_of, read_clusters
from clinfa.threads import stripes

__all__ = ["calinski_harabasz_score", "davies_bouldin_score"]


def _spreads(data: Clusters) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the clusters, and every row's squared distance to its own.

    In the frame of the data: shifted and brought near one, which changes no quotient of distances.
    """
    X, d, k = data.table.X, data.table.d, len(data.counts)
    shift = np.empty(d, X.dtype)
    scale = columns.choose_frame(data.table.column_range, shift)
    width = k * (d + 2)
    cut = stripes(data.table.n, 0.8 * d + 4, most=max(1, min(64, (1 << 23) // width)))
    sums = np.zeros((len(cut), width))
    cut.run(
        lambda cursor, limit, slot: kmeans.stripe_sums_pass(
            X, shift, scale, NO_WEIGHTS, data.codes, cut.bounds, cursor, limit, sums
        )
    )
    centres = sums.sum(axis=0).reshape(k, d + 2)[:, :d] / data.counts[:, None]
    narrow, own, total = centres.astype(X.dtype), np.empty(data.table.n, X.dtype), np.empty(len(cut))
    cut.run(
        lambda cursor, limit, slot: distances.distances_pass(
            X, shift, scale, narrow, NO_WEIGHTS, data.codes, cut.bounds, cursor, limit, total, own
        )
    )
    own = own.astype(np.float64)
    own[own <= _nothing(X.dtype) ** 2] = 0
    return centres, own


def _nothing(dtype: Any) -> float:
    """What distances of data brought near one may be by rounding alone."""
    return 8 * float(np.finfo(dtype).eps)


def calinski_harabasz_score(X: Any, labels: Any) -> float:
    """Dispersion between the clusters over that within them, each by its degrees of freedom.

    Parameters
    ----------
    X : array-like of shape (n, d)
    labels : array-like of shape (n,)
        Ints, strings or bools.

    Returns
    -------
    float
        At least 0, the higher the better; 1 where all rows are at their centres.

    Raises
    ------
    ValueError
        If there are fewer than 2 clusters or as many as rows, X is not finite, or lengths differ.

    References
    ----------
    Calinski and Harabasz (1974), A dendrite method for cluster analysis. Communications in Statistics 3(1).

    Examples
    --------
    >>> from clinfa.metrics import calinski_harabasz_score
    >>> calinski_harabasz_score([[0], [2], [10], [12]], [0, 0, 1, 1])
    50.0
    """
    data = clusters_of(*read_clusters(X, labels, "calinski_harabasz_score"))
    centres, own = _spreads(data)
    n, k = data.table.n, len(data.counts)
    within = float(own.sum())
    if within == 0:
        return 1.0
    middle = centres[0] + matmul(data.counts, centres - centres[0]) / n
    between = float(matmul(data.counts, ((centres - middle) ** 2).sum(axis=1)))
    return between * (n - k) / (within * (k - 1))


def davies_bouldin_score(X: Any, labels: Any) -> float:
    """Mean over the clusters of how much each is like the one most like it.

    Two clusters are as alike as the mean distances of their rows to their centres, together, are large
    against the distance of the centres.

    Parameters
    ----------
    X : array-like of shape (n, d)
    labels : array-like of shape (n,)
        Ints, strings or bools.

    Returns
    -------
    float
        At least 0, the lower the better; 0 where all rows are at their centres, or all centres are one point.

    Raises
    ------
    ValueError
        If there are fewer than 2 clusters or as many as rows, X is not finite, or lengths differ.

    References
    ----------
    Davies and Bouldin (1979), A cluster separation measure. IEEE Trans. Pattern Anal. Mach. Intell. 1(2).

    Examples
    --------
    >>> from clinfa.metrics import davies_bouldin_score
    >>> davies_bouldin_score([[0], [2], [10], [12]], [0, 0, 1, 1])
    0.2
    """
    data = clusters_of(*read_clusters(X, labels, "davies_bouldin_score"))
    centres, own = _spreads(data)
    from scipy.spatial.distance import cdist  # importing it is slow

    spread = np.bincount(data.codes, np.sqrt(own)) / data.counts
    worst = np.empty(len(centres))
    for lo in range(0, len(centres), 256):
        apart = cdist(centres[lo : lo + 256], centres)
        apart[apart <= _nothing(np.float64)] = np.inf
        worst[lo : lo + 256] = ((spread[lo : lo + 256, None] + spread) / apart).max(axis=1)
    return float(worst.mean())
