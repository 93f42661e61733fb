"""`make_classification`: clusters on the corners of a hypercube, and columns that distract."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from clinfa.blas import matmul
from clinfa.datasets._common import (
    Floats,
    Ints,
    Seed,
    finite,
    flag,
    integer,
    per_item,
    real,
    shuffled,
)
from clinfa.datasets._shipped import ShippedDataset
from clinfa.rng import check_random_state


def make_classification(
    n_samples: int = 100,
    n_features: int = 20,
    *,
    n_informative: int = 2,
    n_redundant: int = 2,
    n_repeated: int = 0,
    n_classes: int = 2,
    n_clusters_per_class: int = 2,
    weights: Sequence[float] | ArrayLike | None = None,
    flip_y: float = 0.01,
    class_sep: float = 1.0,
    hypercube: bool = True,
    shift: float | ArrayLike | None = 0.0,
    scale: float | ArrayLike | None = 1.0,
    shuffle: bool = True,
    random_state: Seed = None,
    return_X_y: bool = True,
) -> tuple[Floats, Ints] | ShippedDataset:
    """Draw a classification problem in the manner of the Madelon data [1]_.

    Each class is a number of Gaussian clusters, every one sheared by its own random matrix and
    moved to its own corner of a hypercube. To these informative features come linear mixtures of
    them, copies of either, and noise.

    Parameters
    ----------
    n_samples : int, default=100
        The number of rows.
    n_features : int, default=20
        The number of columns. What is left over from the next three is noise.
    n_informative : int, default=2
        Dimensions of the hypercube; its ``2**n_informative`` corners must suffice for all
        clusters.
    n_redundant : int, default=2
        Columns that are random linear mixtures of the informative ones.
    n_repeated : int, default=0
        Columns that are copies of informative or redundant ones.
    n_classes : int, default=2
        The number of classes.
    n_clusters_per_class : int, default=2
        The number of clusters of each class.
    weights : array-like of shape (n_classes,) or (n_classes - 1,), default=None
        Share of each class, before `flip_y`; a last share that is left out is what remains to
        1. None makes all classes equal.
    flip_y : float, default=0.01
        Share of rows whose class is drawn anew at random, in [0, 1].
    class_sep : float, default=1.0
        Half the side of the hypercube.
    hypercube : bool, default=True
        Otherwise the corners are shrunk at random, by cluster and by column.
    shift : float, array-like of shape (n_features,) or None, default=0.0
        Added to every column. None draws it from [-class_sep, class_sep).
    scale : float, array-like of shape (n_features,) or None, default=1.0
        Multiplies every column, after the shift. None draws it from [1, 101).
    shuffle : bool, default=True
        Mix rows and columns. Otherwise the columns come as informative, redundant, repeated,
        noise, and the rows cluster by cluster.
    random_state : int, RandomState, Generator or None, default=None
        Source of the random numbers; an int gives the same arrays each time.
    return_X_y : bool, default=True
        Return two arrays; otherwise a dataset.

    Returns
    -------
    (X, y) : tuple of ndarray of shape (n_samples, n_features) and (n_samples,)
        The features and the class, 0 to ``n_classes - 1``, of each row.
    dataset : ShippedDataset
        With ``return_X_y=False``: the same as `records` and `targets`, and as entries ``X``,
        ``y``, ``feature_info`` (what each column is) and ``parameters`` (the arguments).

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind or out of range; the columns asked for are more than
        `n_features`; there are more clusters than corners; `weights` are negative or sum to more
        than 1 (scikit-learn cuts the last classes short then).

    References
    ----------
    .. [1] I. Guyon (2003). Design of experiments for the NIPS 2003 variable selection benchmark.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.datasets import make_classification
    >>> X, y = make_classification(200, 5, weights=[0.75], flip_y=0, random_state=11)
    >>> X.shape, np.bincount(y).tolist()
    ((200, 5), [150, 50])
    """
    arguments = dict(locals())  # the first statement, so that it holds the arguments only
    n_samples = integer("n_samples", n_samples, 1)
    n_features = integer("n_features", n_features, 1)
    n_informative = integer("n_informative", n_informative, 1)
    n_redundant = integer("n_redundant", n_redundant, 0)
    n_repeated = integer("n_repeated", n_repeated, 0)
    n_classes = integer("n_classes", n_classes, 1)
    n_clusters_per_class = integer("n_clusters_per_class", n_clusters_per_class, 1)
    flip_y = real("flip_y", flip_y, 0, 1)
    class_sep = real("class_sep", class_sep, 0, ends="()")
    hypercube, shuffle = flag("hypercube", hypercube), flag("shuffle", shuffle)
    return_X_y = flag("return_X_y", return_X_y)
    shift = None if shift is None else per_item("shift", shift, n_features, "feature")
    scale = None if scale is None else _scales(scale, n_features)
    shares = _class_shares(weights, n_classes)
    n_noise = n_features - n_informative - n_redundant - n_repeated
    if n_noise < 0:
        raise ValueError(
            f"n_features must be >= n_informative + n_redundant + n_repeated = "
            f"{n_features - n_noise}, got {n_features}."
        )
    n_clusters = n_classes * n_clusters_per_class
    if n_informative < math.log2(n_clusters):
        raise ValueError(
            f"n_informative must be large enough that n_classes * n_clusters_per_class = "
            f"{n_clusters} clusters have 2**n_informative corners, got {n_informative}."
        )
    rng = check_random_state(random_state)

    sizes = np.array(
        [int(n_samples * shares[k % n_classes] / n_clusters_per_class) for k in range(n_clusters)]
    )
    each, rest = divmod(n_samples - int(sizes.sum()), n_clusters)
    sizes += each  # what rounding (or shares that sum to less than 1) left over
    sizes[:rest] += 1
    y = np.repeat(np.arange(n_clusters, dtype=np.int64) % n_classes, sizes)

    corners = _corners(rng, n_clusters, n_informative) * (2 * class_sep) - class_sep
    if not hypercube:
        corners *= rng.uniform(size=(n_clusters, 1))
        corners *= rng.uniform(size=(1, n_informative))

    informative = rng.standard_normal((n_samples, n_informative))
    stop = 0
    for size, corner in zip(sizes, corners, strict=True):
        start, stop = stop, stop + size
        shear = 2 * rng.uniform(size=(n_informative, n_informative)) - 1
        informative[start:stop] = matmul(informative[start:stop], shear)
        informative[start:stop] += corner

    X = np.empty((n_samples, n_features))
    n_linear = n_informative + n_redundant
    X[:, :n_informative] = informative
    if n_redundant:
        mixture = 2 * rng.uniform(size=(n_informative, n_redundant)) - 1
        X[:, n_informative:n_linear] = matmul(informative, mixture)
    if n_repeated:
        source = ((n_linear - 1) * rng.uniform(size=n_repeated) + 0.5).astype(np.intp)
        X[:, n_linear : n_linear + n_repeated] = X[:, source]
    if n_noise:
        X[:, n_features - n_noise :] = rng.standard_normal((n_samples, n_noise))

    flipped = rng.uniform(size=n_samples) < flip_y
    y[flipped] = rng.randint(n_classes, size=np.count_nonzero(flipped))
    X += (2 * rng.uniform(size=n_features) - 1) * class_sep if shift is None else shift
    X *= 1 + 100 * rng.uniform(size=n_features) if scale is None else scale

    kinds = np.repeat(
        ["informative", "redundant", "repeated", "random"],
        [n_informative, n_redundant, n_repeated, n_noise],
    )
    if shuffle:
        X, y = shuffled(rng, X, y)
        order = rng.permutation(n_features)
        X, kinds = np.take(X, order, axis=1), kinds[order]
    if return_X_y:
        return X, y
    extras: dict[str, Any] = {
        "X": X,
        "y": y,
        "feature_info": kinds.tolist(),
        "parameters": arguments,
    }
    return ShippedDataset(X, y, description="Drawn by clinfa.datasets.make_classification.", extras=extras)


def _class_shares(weights: Any, n_classes: int) -> list[float]:
    """One share per class, as floats."""
    if weights is None:
        return [1.0 / n_classes] * n_classes
    shares: list[float] = finite("weights", weights, 1).tolist()
    if len(shares) == n_classes - 1:
        shares.append(1.0 - sum(shares))
    if len(shares) != n_classes:
        raise ValueError(
            f"weights must have n_classes = {n_classes} or {n_classes - 1} entries, got {len(shares)}."
        )
    # a sum that misses 1 by rounding is what users mean by 1
    if min(shares) < -1e-9 or sum(shares) > 1 + 1e-9:
        raise ValueError(f"weights must be >= 0 and sum to at most 1, got {weights!r}.")
    return [max(share, 0.0) for share in shares]


def _scales(scale: Any, n_features: int) -> Floats:
    """One positive factor per feature."""
    factors = per_item("scale", scale, n_features, "feature")
    if (factors <= 0).any():
        raise ValueError(f"scale must be > 0 throughout, got {factors.min()!s}.")
    return factors


def _corners(rng: np.random.RandomState, count: int, dimensions: int) -> Floats:
    """`count` different corners of the unit hypercube, one per row.

    The last 30 coordinates are the bits of numbers drawn without replacement, which keeps the
    corners apart; coordinates before them are free.
    """
    n_bits = min(dimensions, 30)
    free = rng.randint(2, size=(count, dimensions - n_bits)) if dimensions > n_bits else None
    numbers = _distinct(rng, 2**n_bits, count)
    bits = (numbers[:, None] >> np.arange(n_bits - 1, -1, -1)) & 1
    return np.hstack((bits,) if free is None else (free, bits)).astype(np.float64)


def _distinct(rng: np.random.RandomState, population: int, count: int) -> Ints:
    """`count` different integers below `population`; the method depends on their ratio.

    Which method is used where decides which numbers are drawn, so it is fixed by parity with
    scikit-learn. The loops run over clusters, of which there are few.
    """
    ratio = count / population
    if 0.01 < ratio < 0.99:
        return rng.permutation(population)[:count]
    if ratio <= 0.01:  # collisions are rare: draw until enough are different
        drawn: dict[int, None] = {}
        while len(drawn) < count:
            drawn[int(rng.randint(population))] = None
        return np.array(list(drawn), dtype=np.int64)
    chosen = np.arange(count, dtype=np.int64)  # nearly all: reservoir sampling, Vitter's R
    for candidate in range(count, population):
        slot = rng.randint(candidate + 1)
        if slot < count:
            chosen[slot] = candidate
    return chosen
