"""K-means."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from clinfa.arrays import NO_WEIGHTS, Table, is_dataset, read_table, read_weights
from clinfa.cluster._assignment import Assignment, nearest
from clinfa.cluster._points import Frame, Points, points
from clinfa.cluster._seeding import plus_plus, random_rows, scalable
from clinfa.errors import ConvergenceWarning, twin
from clinfa.kinds import Clusterer, Transformer
from clinfa.params import (
    at_least,
    between,
    boolean,
    fitted,
    function,
    matrix,
    one_of,
    param,
    seed,
    shown,
    verbosity,
)
from clinfa.reports import reporter
from clinfa.rng import check_random_state, generator

__all__ = ["KMeans", "KMeansFit", "k_means", "kmeans_plusplus"]

Init = Literal["k-means++", "k-means||", "random"] | np.ndarray | Callable[..., np.ndarray]
_BOUNDED = {"auto": None, "lloyd": False, "elkan": True, "hamerly": True}


@dataclass(frozen=True, slots=True)
class KMeansFit:
    """What fitting found."""

    cluster_centers: np.ndarray  # (k, d)
    labels: np.ndarray  # (n,) int32
    inertia: float
    n_iter: int
    _frame: Frame  # the units in which distances were taken: predict takes them in the same


class CentroidModel(Clusterer, Transformer):
    """What every model made of centres can do with new records."""

    _sparse = True

    cluster_centers_: np.ndarray = fitted()
    labels_: np.ndarray = fitted()
    inertia_: float = fitted()
    n_iter_: int = fitted()

    def _n_columns_out(self) -> int:
        return len(self.cluster_centers_)

    def _new_points(self, X: Any) -> tuple[Points, np.ndarray]:
        table = self._read_new(X)
        centres = np.asarray(self.cluster_centers_)
        if table.dtype != centres.dtype:
            table = table.astype(np.promote_types(table.dtype, centres.dtype))
        frame = self._frame.reaching(table)
        p = points(table, NO_WEIGHTS, frame)
        return p, frame.enter(centres)

    def predict(self, X: Any) -> Any:
        """The nearest centre of each record.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`; for records that do not match those of `fit`.
        """
        p, centres = self._new_points(X)
        labels = nearest(p, centres)
        return X.with_targets(labels) if is_dataset(X) else labels

    def transform(self, X: Any) -> Any:
        """The distance of each record to every centre.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        distances : ndarray of shape (n_samples, n_clusters)
            Euclidean, in the units of X. A dataframe on request (`set_output`), a Dataset where X is one.
        """
        p, centres = self._new_points(X)
        return self._wrap(p.to_all(centres), X)

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """`fit`, then `transform` of the same records."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the inertia of records: the weighted sum of their squared distances to the nearest centre.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        float
        """
        self._check_fitted()
        if is_dataset(X) and sample_weight is None:
            sample_weight = X.weights
        p, centres = self._new_points(X)
        weights = read_weights(sample_weight, p.n, type(self).__name__)
        p = points(p.table, weights, p.frame)
        return -p.distances(centres, nearest(p, centres))[0]


class KMeans(CentroidModel):
    """K-means clustering.

    Splits records into `n_clusters` groups so that the sum of squared distances to the groups' means is
    small, by Lloyd's iteration. The result is the same, to the bit, on any number of threads.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "k-means||", "random"}, array or callable, default "k-means++"
        Where to start: greedy k-means++ [2]_; k-means|| [3]_, which looks at the data a few times only;
        rows at random; the centres themselves, of shape (n_clusters, n_features); or a function of
        ``(X, n_clusters, random_state)`` that returns them.
    n_init : "auto" or int, default "auto"
        How many starts; the best result is kept. "auto" is 1 for k-means++, k-means|| and arrays, else 10.
    max_iter : int, default 300
        Most iterations of one start.
    tol : float, default 1e-4
        A start is done when the squared steps of all centres add up to at most `tol` times the mean
        variance of the features. It is also done when no label changes.
    verbose : int, default 0
        Above 0, each start is reported to the logger "clinfa"; above 1, each iteration.
    random_state : None, int, RandomState or Generator, default None
        The same int gives the same result on every machine of the same instruction set.
    copy_x : bool, default True
        For compatibility: the data are never changed, and never copied either.
    algorithm : {"auto", "lloyd", "elkan", "hamerly"}, default "auto"
        All find the same clusters. "lloyd" looks at every centre in each iteration. "elkan" and
        "hamerly" skip by the triangle inequality what cannot change [4]_ [5]_, with one lower bound for
        each point, so that memory stays proportional to the number of records. "auto" does so while it
        pays.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
    labels_ : ndarray of shape (n_samples,), int32
    inertia_ : float
        Weighted sum of squared distances of the records to their centres, in squared units of X.
    n_iter_ : int
        Iterations of the best start.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    References
    ----------
    .. [1] S. Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28 (1982).
    .. [2] D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.
    .. [3] B. Bahmani et al., Scalable k-means++, VLDB 2012.
    .. [4] C. Elkan, Using the triangle inequality to accelerate k-means, ICML 2003.
    .. [5] G. Hamerly, Making k-means even faster, SDM 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.cluster import KMeans
    >>> X = np.array([[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> model = KMeans(n_clusters=2, random_state=0).fit(X)
    >>> model.cluster_centers_[np.argsort(model.cluster_centers_[:, 0])]
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> bool(model.predict([[0, 0]]) != model.predict([[12, 3]]))
    True
    """

    n_clusters: int = param(8, at_least(1), positional=True)
    init: Init = param("k-means++", one_of("k-means++", "k-means||", "random") | matrix() | function())
    n_init: int | Literal["auto"] = param("auto", at_least(1) | one_of("auto"))
    max_iter: int = param(300, at_least(1))
    tol: float = param(1e-4, between(0))
    verbose: int = param(0, verbosity())
    random_state: Any = param(None, seed())
    copy_x: bool = param(True, boolean())
    algorithm: Literal["auto", "lloyd", "elkan", "hamerly"] = param("auto", one_of(*_BOUNDED))

    def _fit(self, table: Table, weights: np.ndarray) -> KMeansFit:
        k = int(self.n_clusters)
        if table.n < k:
            raise ValueError(f"n_samples={table.n} should be >= n_clusters={shown(k)}.")
        if k == 1 and _BOUNDED[self.algorithm]:
            warnings.warn(
                f"algorithm={self.algorithm!r} doesn't make sense for a single cluster: there is no bound to "
                f"keep.",
                RuntimeWarning,
                stacklevel=4,
            )
        p = points(table, weights)
        rng = generator(self.random_state)
        starts = count_starts(self, "KMeans", 10)
        say = reporter(self.verbose)
        tol = self.tol * p.mean_variance() if self.tol else 0.0
        best = None
        for start in range(starts):
            run = lloyd(
                p, start_centres(self, p, rng), int(self.max_iter), tol, _BOUNDED[self.algorithm],
                self.verbose,
            )  # fmt: skip
            say(
                "KMeans start %d of %d: inertia %g after %d iterations",
                start + 1, starts, run.inertia, run.n_iter,
            )  # fmt: skip
            if best is None or run.inertia < best.inertia:
                best = run
        found = np.count_nonzero(np.bincount(best.labels))
        if found < k:
            warnings.warn(
                f"Number of distinct clusters ({found}) found smaller than n_clusters ({k}). Possibly due "
                f"to duplicate points in X.",
                twin(ConvergenceWarning),
                stacklevel=4,
            )
        return best


def lloyd(
    p: Points,
    centres: np.ndarray,
    max_iter: int,
    tol: float,
    bounded: bool | None,
    verbose: int = 0,
) -> KMeansFit:
    """Lloyd's iteration from `centres` (in the frame's units) until it stands still."""
    state = Assignment(p, len(centres), bounded)
    moves, n_iter, small = 0, 0, state.small() and verbose < 2
    say = reporter(verbose > 1)
    while n_iter < max_iter:
        if small:
            steps, changed, moved, step, worn, is_empty = state.steps(centres, tol, max_iter - n_iter)
            n_iter += steps
        else:
            changed = moved = state.assign(centres)
            n_iter += 1
        moves += moved
        empty = ()
        if not small or is_empty:
            total = state.total if small else state.add_up()
            empty = np.flatnonzero(~((total[:, -1] > 0) & (total[:, -2] > 0)))
            if len(empty):
                total = _relocate(p, state, centres, total.copy(), empty)
            step, worn = state.move(centres, total)
        say("Iteration %d: %d labels changed, centres moved by %g", n_iter, changed, step**0.5)
        still = changed == 0
        if still or step <= tol:
            break
    if moves > p.n and worn > 100 and not len(empty):
        step, _ = state.move(centres, state.add_up_afresh())
        still = still and step <= p.noise**2 * len(centres)
    # What is published is what predict starts from.
    found = p.frame.leave(centres)
    centres = p.frame.enter(found)
    if not still:
        state.assign(centres)
    inertia, _ = p.distances(centres, state.labels)
    return KMeansFit(found, state.labels, inertia, n_iter, p.frame)


def _relocate(
    p: Points, state: Assignment, centres: np.ndarray, total: np.ndarray, empty: np.ndarray
) -> np.ndarray:
    """Give each empty cluster one of the points that lie farthest from their centres."""
    _, squared = p.distances(centres, state.labels, each=True)
    if len(p.weights):
        squared[p.weights == 0] = 0
    if not squared.max() > 0:
        return total
    far = np.argsort(-squared, kind="stable")[: len(empty)]
    rows = p.rows(far).astype(np.float64)
    for j, i, x in zip(empty, far, rows, strict=True):
        w = p.weights[i] if len(p.weights) else 1.0
        old = state.labels[i]
        total[old, :-2] -= w * x
        total[old, -2:] -= w, 1
        total[j, :-2] = w * x
        total[j, -2:] = w, 1
    return total


def start_centres(model: Any, p: Points, rng: np.random.RandomState) -> np.ndarray:
    """The centres of one start, in the frame's units."""
    init, k = model.init, int(model.n_clusters)
    if isinstance(init, str):
        if init == "k-means++":
            return p.rows(plus_plus(p, k, rng))
        if init == "k-means||":
            return scalable(p, k, rng)
        return p.rows(random_rows(p, k, rng))
    if callable(init):
        init = init(p.table.as_matrix(), k, random_state=check_random_state(rng))
    given = read_table(init, type(model).__name__, sparse=True, role="init")
    if given.n != k:
        raise ValueError(
            f"The shape of the initial centers {given.X.shape} does not match the number of clusters {k}."
        )
    if given.d != p.d:
        raise ValueError(
            f"The shape of the initial centers {given.X.shape} does not match the number of features "
            f"of the data {p.d}."
        )
    with np.errstate(over="ignore"):  # (centres may be given far outside of the data)
        return p.frame.enter(given.rows(np.arange(k)).astype(np.float64))


def count_starts(model: Any, owner: str, by_default: int) -> int:
    given = not isinstance(model.init, str) and not callable(model.init)
    if model.n_init == "auto":
        return 1 if given or model.init in ("k-means++", "k-means||") else by_default
    if given and model.n_init != 1:
        warnings.warn(
            f"Explicit initial center position passed: performing only one init in {owner} instead of "
            f"n_init={model.n_init}.",
            RuntimeWarning,
            stacklevel=5,
        )
        return 1
    return int(model.n_init)


def k_means(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: Any = None,
    init: Init = "k-means++",
    n_init: int | Literal["auto"] = "auto",
    max_iter: int = 300,
    verbose: int = False,
    tol: float = 1e-4,
    random_state: Any = None,
    copy_x: bool = True,
    algorithm: str = "auto",
    return_n_iter: bool = False,
) -> tuple:
    """K-means as a function.

    Parameters
    ----------
    X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
    n_clusters, init, n_init, max_iter, verbose, tol, random_state, copy_x, algorithm
        As for `KMeans`.
    sample_weight : array-like of shape (n_samples,), optional
    return_n_iter : bool, default False
        Whether to return the number of iterations too.

    Returns
    -------
    centroids : ndarray of shape (n_clusters, n_features)
    labels : ndarray of shape (n_samples,), int32
    inertia : float
    n_iter : int
        Only with `return_n_iter`.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        As `KMeans.fit`.

    Examples
    --------
    >>> from clinfa.cluster import k_means
    >>> centroids, labels, inertia = k_means([[0.0], [1], [9], [10]], 2, random_state=0)
    >>> inertia
    1.0
    """
    model = KMeans(
        n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        verbose=verbose,
        tol=tol,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
    ).fit(X, sample_weight=sample_weight)
    out = (model.cluster_centers_, model.labels_, model.inertia_)
    return (*out, model.n_iter_) if return_n_iter else out


def kmeans_plusplus(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: Any = None,
    x_squared_norms: Any = None,
    random_state: Any = None,
    n_local_trials: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose centres by greedy k-means++ [1]_.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
    n_clusters : int
        How many centres.
    sample_weight : array-like of shape (n_samples,), optional
    x_squared_norms : array-like of shape (n_samples,), optional
        For compatibility; its length is checked, and it is not needed.
    random_state : None, int, RandomState or Generator
    n_local_trials : int, optional
        Rows tried for each centre, the best of which is taken; 2 + log(n_clusters) by default.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
    indices : ndarray of shape (n_clusters,), int64
        Their row numbers.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If an argument is not allowed, or there are fewer rows than centres.

    References
    ----------
    .. [1] D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.

    Examples
    --------
    >>> from clinfa.cluster import kmeans_plusplus
    >>> centers, indices = kmeans_plusplus([[0.0], [1], [9], [10]], 2, random_state=0)
    >>> centers.shape
    (2, 1)
    """
    owner = "kmeans_plusplus"
    at_least(1).check("n_clusters", n_clusters, owner)
    if n_local_trials is not None:
        at_least(1).check("n_local_trials", n_local_trials, owner)
    table = read_table(X, owner, sparse=True)
    weights = read_weights(sample_weight, table.n, owner)
    if table.n < n_clusters:
        raise ValueError(f"n_samples={table.n} should be >= n_clusters={shown(n_clusters)}.")
    if x_squared_norms is not None and np.shape(x_squared_norms) != (table.n,):
        raise ValueError(
            f"The length of x_squared_norms {np.shape(x_squared_norms)} should be equal to the length "
            f"of n_samples {table.n}."
        )
    rng = generator(random_state)
    indices = plus_plus(points(table, weights), n_clusters, rng, n_local_trials)
    return table.rows(indices), indices
