"""How many components there are: Minka's estimate, and shares of the variance."""

from __future__ import annotations

from math import lgamma

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["for_share", "most_likely_rank"]


def for_share(ratio: np.ndarray, share: float) -> int:
    """How many components explain more than this share of the variance."""
    return min(int(np.searchsorted(np.cumsum(ratio), share, side="right")) + 1, len(ratio))


def most_likely_rank(variances: ArrayLike, n: int) -> int:
    """The number of components, from 1 to d - 1, under which records are most likely.

    Parameters
    ----------
    variances : array-like of shape (d,)
        Of all components, descending.
    n : int
        Records.

    References
    ----------
    .. [1] T. P. Minka, Automatic choice of dimensionality for PCA, NIPS 2000.
    """
    s = np.asarray(variances, np.float64)
    d = len(s)
    if d < 2 or not s[0] > 0:
        return 0
    tiny = np.finfo(np.float64).tiny
    ranks = np.arange(1, d)
    rest = np.maximum(np.cumsum(s[::-1])[-2::-1] / (d - ranks), 1e-15)  # mean variance left out
    logs = np.log(np.maximum(s, tiny))
    # log Γ summed over the volumes of the spheres that the axes lie on
    volumes = np.cumsum([lgamma((d - i + 1) / 2) - np.log(np.pi) * (d - i + 1) / 2 for i in ranks])
    prior = volumes - ranks * np.log(2.0)
    kept = -np.cumsum(logs)[:-1] * n / 2
    noise = -np.log(rest) * n * (d - ranks) / 2
    free = d * ranks - ranks * (ranks + 1) / 2
    # The curvature: pairs within the kept ones, and kept ones with the others. Equal variances have no
    # axes of their own; their difference counts as rounding.
    gap = np.log(np.maximum(s[:, None] - s[None, :], np.finfo(np.float64).eps * s[0]))
    inverse = 1 / np.maximum(s, tiny)
    within = gap + np.log(np.maximum(inverse[None, :] - inverse[:, None], tiny))
    upper, curvature = np.triu(np.ones((d, d), bool), 1), np.empty(d - 1)
    within_sums = np.cumsum(np.where(upper, within, 0).sum(axis=0))
    gaps_after = np.where(upper, gap, 0)[:, ::-1].cumsum(axis=1)[:, ::-1]
    for k in ranks:
        across = gaps_after[:k, k].sum()
        across += (d - k) * np.log(np.maximum(1 / rest[k - 1] - inverse[:k], tiny)).sum()
        curvature[k - 1] = within_sums[k - 1] + across + free[k - 1] * np.log(n)
    evidence = (
        prior + kept + noise + np.log(2 * np.pi) * (free + ranks) / 2 - curvature / 2 - ranks * np.log(n) / 2
    )
    evidence[s[:-1] < 1e-15] = -np.inf
    return int(np.argmax(evidence)) + 1
