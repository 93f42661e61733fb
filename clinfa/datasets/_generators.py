"""Synthetic tables: blobs, rings, moons, a swiss roll, regression problems.

With the same integer `random_state` every generator returns the values that scikit-learn's
generator of the same name returns: it draws the same numbers in the same order.
That order is part of each function's contract, so a draw must not be moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from clinfa.blas import matmul, one_thread
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
from clinfa.rng import check_random_state


def make_blobs(
    n_samples: int | Sequence[int] = 100,
    n_features: int = 2,
    *,
    centers: int | ArrayLike | None = None,
    cluster_std: float | Sequence[float] = 1.0,
    center_box: tuple[float, float] = (-10.0, 10.0),
    shuffle: bool = True,
    random_state: Seed = None,
    return_centers: bool = False,
) -> tuple[Floats, Ints] | tuple[Floats, Ints, Floats]:
    """Draw round Gaussian clusters.

    Parameters
    ----------
    n_samples : int or sequence of int, default=100
        The number of points in all, spread evenly over the clusters (the first ones take what
        is left over); or the number of points of each cluster.
    n_features : int, default=2
        The number of columns. Not used when `centers` is an array.
    centers : int or array-like of shape (n_centers, n_features), default=None
        How many clusters, or where they lie. None means 3, or one per entry of `n_samples`.
    cluster_std : float or sequence of float, default=1.0
        Standard deviation of every cluster, or of each one.
    center_box : (float, float), default=(-10.0, 10.0)
        Range from which every coordinate of a random centre is drawn.
    shuffle : bool, default=True
        Mix the rows; otherwise they come cluster by cluster.
    random_state : int, RandomState, Generator or None, default=None
        Source of the random numbers; an int gives the same arrays each time.
    return_centers : bool, default=False
        Return the centres too.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The points.
    y : ndarray of shape (n_samples,)
        The cluster of each point.
    centers : ndarray of shape (n_centers, n_features)
        The centres; only with `return_centers`.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind, out of range, or of a length that does not fit.

    Examples
    --------
    >>> from clinfa.datasets import make_blobs
    >>> X, y = make_blobs([3, 2], centers=[[0, 0], [9, 9]], shuffle=False, random_state=7)
    >>> X.shape, y.tolist()
    ((5, 2), [0, 0, 0, 1, 1])
    """
    shuffle, return_centers = flag("shuffle", shuffle), flag("return_centers", return_centers)
    n_features = integer("n_features", n_features, 1)
    box = finite("center_box", center_box, 1)
    if len(box) != 2 or box[0] > box[1]:
        raise ValueError(f"center_box must be (low, high) with low <= high, got {center_box!r}.")
    rng = check_random_state(random_state)

    if isinstance(n_samples, Integral):
        total, counts = integer("n_samples", n_samples, 1), None
    else:
        total, counts = 0, _counts(n_samples)
    if counts is not None and isinstance(centers, Integral):
        raise ValueError(f"centers must be an array or None when n_samples is a sequence, got {centers!r}.")
    if centers is None:
        centers = 3 if counts is None else len(counts)
    if isinstance(centers, Integral):
        middles = rng.uniform(*box, size=(integer("centers", centers, 1), n_features))
    else:
        middles = finite("centers", centers, 2)
        if middles.size == 0:
            raise ValueError(f"centers must not be empty, got shape {middles.shape}.")
    n_centers = len(middles)
    if counts is None:
        counts = np.full(n_centers, total // n_centers)
        counts[: total % n_centers] += 1
    elif len(counts) != n_centers:
        raise ValueError(f"n_samples must have one entry per center, got {len(counts)} for {n_centers}.")
    spreads = per_item("cluster_std", cluster_std, n_centers, "center", low=0)

    y = np.repeat(np.arange(n_centers, dtype=np.int64), counts)
    X = rng.normal(middles[y], spreads[y, None])
    if shuffle:
        X, y = shuffled(rng, X, y)
    return (X, y, middles) if return_centers else (X, y)


def make_circles(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: Seed = None,
    factor: float = 0.8,
) -> tuple[Floats, Ints]:
    """Place points on two rings, one inside the other.

    Parameters
    ----------
    n_samples : int or (int, int), default=100
        The number of points in all (an odd one goes to the inner ring), or of the outer and of
        the inner ring.
    shuffle : bool, default=True
        Mix the rows; otherwise the outer ring comes first.
    noise : float, default=None
        Standard deviation of Gaussian noise added to each coordinate. None adds none.
    random_state : int, RandomState, Generator or None, default=None
        Source of the random numbers; an int gives the same arrays each time.
    factor : float, default=0.8
        Radius of the inner ring, in [0, 1); the outer radius is 1.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        The points.
    y : ndarray of shape (n_samples,)
        0 on the outer ring, 1 on the inner one.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.datasets import make_circles
    >>> X, y = make_circles(6, factor=0.5, random_state=0)
    >>> bool(np.allclose(np.hypot(X[:, 0], X[:, 1]), np.where(y == 0, 1.0, 0.5)))
    True
    """
    n_outer, n_inner = _halves(n_samples, low=0)
    factor = real("factor", factor, 0, 1, ends="[)")
    outer = np.linspace(0, 2 * np.pi, n_outer, endpoint=False)
    inner = np.linspace(0, 2 * np.pi, n_inner, endpoint=False)
    return _two_curves(
        np.column_stack((np.cos(outer), np.sin(outer))),
        np.column_stack((np.cos(inner), np.sin(inner))) * factor,
        shuffle=shuffle,
        noise=noise,
        random_state=random_state,
    )


def make_moons(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: Seed = None,
) -> tuple[Floats, Ints]:
    """Place points on two half circles that reach into each other.

    Parameters
    ----------
    n_samples : int or (int, int), default=100
        The number of points in all (an odd one goes to the lower moon), or of the upper and of
        the lower moon.
    shuffle : bool, default=True
        Mix the rows; otherwise the upper moon comes first.
    noise : float, default=None
        Standard deviation of Gaussian noise added to each coordinate. None adds none.
    random_state : int, RandomState, Generator or None, default=None
        Source of the random numbers; an int gives the same arrays each time.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        The points.
    y : ndarray of shape (n_samples,)
        0 on the upper moon, 1 on the lower one.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind or out of range.

    Examples
    --------
    >>> from clinfa.datasets import make_moons
    >>> X, y = make_moons(4, shuffle=False)
    >>> X.round(12).tolist(), y.tolist()
    ([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]], [0, 0, 1, 1])
    """
    n_outer, n_inner = _halves(n_samples, low=1)
    outer, inner = np.linspace(0, np.pi, n_outer), np.linspace(0, np.pi, n_inner)
    return _two_curves(
        np.column_stack((np.cos(outer), np.sin(outer))),
        # not 0.5 - sin: that rounds differently in the last bit
        np.column_stack((1 - np.cos(inner), 1 - np.sin(inner) - 0.5)),
        shuffle=shuffle,
        noise=noise,
        random_state=random_state,
    )


def make_swiss_roll(
    n_samples: int = 100,
    *,
    noise: float = 0.0,
    random_state: Seed = None,
    hole: bool = False,
) -> tuple[Floats, Floats]:
    """Draw points from a rectangle rolled up in space [1]_.

    Parameters
    ----------
    n_samples : int, default=100
        The number of points.
    noise : float, default=0.0
        Standard deviation of Gaussian noise added to each coordinate.
    random_state : int, RandomState, Generator or None, default=None
        Source of the random numbers; an int gives the same arrays each time.
    hole : bool, default=False
        Leave the middle ninth of the rectangle empty.

    Returns
    -------
    X : ndarray of shape (n_samples, 3)
        The points: ``(t cos t, h, t sin t)`` with ``h`` uniform in [0, 21].
    t : ndarray of shape (n_samples,)
        Position along the spiral, uniform in [1.5 pi, 4.5 pi].

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind or out of range.

    References
    ----------
    .. [1] J. B. Tenenbaum, V. de Silva, J. C. Langford (2000). A global geometric framework for
       nonlinear dimensionality reduction. Science 290, 2319-2323.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.datasets import make_swiss_roll
    >>> X, t = make_swiss_roll(50, random_state=3)
    >>> X.shape, bool(np.allclose(np.hypot(X[:, 0], X[:, 2]), t))
    ((50, 3), True)
    """
    n_samples = integer("n_samples", n_samples, 1)
    noise = real("noise", noise, 0)
    hole = flag("hole", hole)
    rng = check_random_state(random_state)
    if hole:
        # a 3 x 3 grid of cells, pi by 7 each, without the one in the middle (number 4)
        cell = rng.randint(8, size=n_samples)
        cell += cell >= 4
        within = rng.uniform(size=(2, n_samples))
        t = np.pi * (1.5 + cell // 3) + within[0] * np.pi
        height = cell % 3 * 7 + within[1] * 7
    else:
        t = 1.5 * np.pi * (1 + 2 * rng.uniform(size=n_samples))
        height = 21 * rng.uniform(size=n_samples)
    X = np.column_stack((t * np.cos(t), height, t * np.sin(t)))
    X += noise * rng.standard_normal((3, n_samples)).T
    return X, t


def make_regression(
    n_samples: int = 100,
    n_features: int = 100,
    *,
    n_informative: int = 10,
    n_targets: int = 1,
    bias: float = 0.0,
    effective_rank: int | None = None,
    tail_strength: float = 0.5,
    noise: float = 0.0,
    shuffle: bool = True,
    coef: bool = False,
    random_state: Seed = None,
) -> tuple[Floats, Floats] | tuple[Floats, Floats, Floats]:
    """Draw a linear regression problem whose coefficients are known.

    ``y = X @ coef + bias + noise``, where only `n_informative` rows of ``coef`` are not zero.

    Parameters
    ----------
    n_samples, n_features : int, default=100
        The shape of ``X``.
    n_informative : int, default=10
        The number of features with an effect, each uniform in [0, 100); at most `n_features`
        of them are used.
    n_targets : int, default=1
        The number of target columns.
    bias : float, default=0.0
        Added to every target.
    effective_rank : int, default=None
        None draws ``X`` from the standard normal distribution. Otherwise its singular values
        fall off as a bell of this width on top of a slowly falling tail.
    tail_strength : float, default=0.5
        Share of that tail, in [0, 1].
    noise : float, default=0.0
        Standard deviation of Gaussian noise on the targets.
    shuffle : bool, default=True
        Mix rows and columns; otherwise the informative features come first.
    coef : bool, default=False
        Return the coefficients too.
    random_state : int, RandomState, Generator or None, default=None
        Source of the random numbers; an int gives the same arrays each time.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The features.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The targets; one-dimensional for one target.
    coef : ndarray of shape (n_features,) or (n_features, n_targets)
        The coefficients; only with ``coef=True``.

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind or out of range.

    Notes
    -----
    The shapes hold for one sample and for one feature too, where scikit-learn drops an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.datasets import make_regression
    >>> X, y, w = make_regression(20, 5, n_informative=2, bias=3.0, coef=True, random_state=1)
    >>> X.shape, int(np.count_nonzero(w)), bool(np.allclose(y, X @ w + 3.0))
    ((20, 5), 2, True)
    """
    n_samples = integer("n_samples", n_samples, 1)
    n_features = integer("n_features", n_features, 1)
    n_informative = min(integer("n_informative", n_informative, 0), n_features)
    n_targets = integer("n_targets", n_targets, 1)
    bias, noise = real("bias", bias), real("noise", noise, 0)
    tail_strength = real("tail_strength", tail_strength, 0, 1)
    shuffle, coef = flag("shuffle", shuffle), flag("coef", coef)
    if effective_rank is not None:
        effective_rank = integer("effective_rank", effective_rank, 1)
    rng = check_random_state(random_state)

    if effective_rank is None:
        X = rng.standard_normal((n_samples, n_features))
    else:
        X = _low_rank(rng, n_samples, n_features, effective_rank, tail_strength)
    weights = np.zeros((n_features, n_targets))
    weights[:n_informative] = 100 * rng.uniform(size=(n_informative, n_targets))
    y = matmul(X, weights) + bias
    if noise > 0:
        y += noise * rng.standard_normal(y.shape)
    if shuffle:
        X, y = shuffled(rng, X, y)
        order = rng.permutation(n_features)
        X, weights = np.take(X, order, axis=1), weights[order]
    if n_targets == 1:
        y, weights = y[:, 0], weights[:, 0]
    return (X, y, weights) if coef else (X, y)


def _counts(n_samples: Sequence[int]) -> Ints:
    """Points per cluster."""
    counts = np.asarray(n_samples)
    if counts.ndim != 1 or len(counts) == 0 or counts.dtype.kind not in "iu" or counts.min() < 0:
        raise ValueError(
            f"n_samples must be an integer >= 1 or a non-empty sequence of integers >= 0, got {n_samples!r}."
        )
    return counts.astype(np.int64)


def _halves(n_samples: int | tuple[int, int], low: int) -> tuple[int, int]:
    """Points of the first and of the second curve."""
    if isinstance(n_samples, Integral):
        n_samples = integer("n_samples", n_samples, low)
        return n_samples // 2, n_samples - n_samples // 2
    if not isinstance(n_samples, tuple | list) or len(n_samples) != 2:
        raise ValueError(f"n_samples must be an integer >= {low} or a pair of integers, got {n_samples!r}.")
    return integer("n_samples[0]", n_samples[0], 0), integer("n_samples[1]", n_samples[1], 0)


def _two_curves(
    first: Floats, second: Floats, *, shuffle: bool, noise: float | None, random_state: Seed
) -> tuple[Floats, Ints]:
    """Two sets of points as one labelled table, mixed, then blurred."""
    shuffle = flag("shuffle", shuffle)
    noise = None if noise is None else real("noise", noise, 0)
    rng = check_random_state(random_state)
    X = np.concatenate((first, second))
    y = np.repeat(np.arange(2, dtype=np.int64), (len(first), len(second)))
    if shuffle:
        X, y = shuffled(rng, X, y)
    if noise is not None:
        X += noise * rng.standard_normal(X.shape)
    return X, y


@one_thread()
def _low_rank(
    rng: np.random.RandomState,
    n_samples: int,
    n_features: int,
    effective_rank: int,
    tail_strength: float,
) -> Floats:
    """U diag(s) V' with random orthonormal U, V and a bell-shaped spectrum plus a tail."""
    rank = min(n_samples, n_features)
    left = np.linalg.qr(rng.standard_normal((n_samples, rank)))[0]
    right = np.linalg.qr(rng.standard_normal((n_features, rank)))[0]
    position = np.arange(rank) / effective_rank
    bell = (1 - tail_strength) * np.exp(-(position**2))
    tail = tail_strength * np.exp(-0.1 * position)
    return (left * (bell + tail)) @ right.T
