"""Mini-batch k-means."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from clinfa._core import kmeans
from clinfa.arrays import NO_WEIGHTS, Table, is_dataset, read_weights
from clinfa.cluster._assignment import Assignment, nearest
from clinfa.cluster._points import Frame, Points, SparsePoints, points
from clinfa.cluster.kmeans import CentroidModel, Init, count_starts, start_centres
from clinfa.params import (
    at_least,
    between,
    boolean,
    fitted,
    function,
    matrix,
    none,
    one_of,
    param,
    seed,
    shown,
    verbosity,
)
from clinfa.reports import reporter
from clinfa.rng import generator

__all__ = ["MiniBatchFit", "MiniBatchKMeans"]


@dataclass(frozen=True, slots=True)
class MiniBatchFit:
    """What fitting found."""

    cluster_centers: np.ndarray  # (k, d)
    inertia: float
    n_iter: int
    n_steps: int
    _counts: np.ndarray  # (k,) weight that each centre has seen
    _frame: Frame
    _random_state: np.random.RandomState
    _since_reassign: float


class MiniBatchKMeans(CentroidModel):
    """K-means on small random batches, or on data that arrive piece by piece.

    Every centre is the running mean of the records that were nearest to it when they were seen [1]_. Much
    less work than `KMeans` on many records, at a slightly higher inertia.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "k-means||", "random"}, array or callable, default "k-means++"
        Where to start: as for `KMeans`, on `init_size` records drawn at random.
    max_iter : int, default 100
        Most passes over the data, counted in records drawn.
    batch_size : int, default 1024
        Records in a batch.
    verbose : int, default 0
        Above 0, every step is reported to the logger "clinfa".
    compute_labels : bool, default True
        Whether to label all records at the end.
    random_state : None, int, RandomState or Generator, default None
    tol : float, default 0.0
        Stop when the squared steps of all centres add up to at most `tol` times the mean variance.
    max_no_improvement : int or None, default 10
        Stop after so many batches in which the smoothed inertia did not fall; None never does.
    init_size : int or None, default None
        Records to choose a start from; 3 * batch_size by default.
    n_init : "auto" or int, default "auto"
        Starts to try on a sample, of which the best is used. "auto" is 1 for k-means++, k-means|| and
        arrays, else 3.
    reassignment_ratio : float, default 0.01
        Centres that have seen less than this share of the busiest one's weight start anew from a record
        of the batch.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
    labels_ : ndarray of shape (n_samples,), int32
        With `compute_labels`.
    inertia_ : float
        Weighted sum of squared distances to the nearest centre, in squared units of X; without
        `compute_labels` an estimate from the last batches.
    n_iter_ : int
        Passes over the data.
    n_steps_ : int
        Batches seen.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    Batches are drawn in the space of weights: a record of weight 2 is drawn as often as two records.

    References
    ----------
    .. [1] D. Sculley, Web-scale k-means clustering, WWW 2010.

    Examples
    --------
    >>> from clinfa.cluster import MiniBatchKMeans
    >>> from clinfa.datasets import make_blobs
    >>> X, _ = make_blobs(3000, centers=[[-5, 0], [5, 0]], random_state=0)
    >>> model = MiniBatchKMeans(2, random_state=0).fit(X)
    >>> sorted(model.cluster_centers_[:, 0].round().tolist())
    [-5.0, 5.0]
    """

    n_clusters: int = param(8, at_least(1), positional=True)
    init: Init = param("k-means++", one_of("k-means++", "k-means||", "random") | matrix() | function())
    max_iter: int = param(100, at_least(1))
    batch_size: int = param(1024, at_least(1))
    verbose: int = param(0, verbosity())
    compute_labels: bool = param(True, boolean())
    random_state: Any = param(None, seed())
    tol: float = param(0.0, between(0))
    max_no_improvement: int | None = param(10, at_least(0) | none())
    init_size: int | None = param(None, at_least(1) | none())
    n_init: int | Literal["auto"] = param("auto", at_least(1) | one_of("auto"))
    reassignment_ratio: float = param(0.01, between(0))

    n_steps_: int = fitted()

    def _fit(self, table: Table, weights: np.ndarray) -> MiniBatchFit:
        k, most_passes = int(self.n_clusters), int(self.max_iter)
        if table.n < k:
            raise ValueError(f"n_samples={table.n} should be >= n_clusters={shown(k)}.")
        p = points(table, weights)
        rng = generator(self.random_state)
        total = p.total_weight()
        # Integer weights stand for repeated rows, and the size of a batch must not tell them apart.
        as_counts = total >= (np.count_nonzero(weights) if len(weights) else p.n)
        batch_size = int(self.batch_size)
        if as_counts:
            batch_size = min(batch_size, int(min(total, 2**62)))
        rows = p.canonical
        draw = rows.sampler(p.weights)
        state = _Batches(p, self._start(p, rng, draw, batch_size, total), self.reassignment_ratio)
        tol = self.tol * p.mean_variance() if self.tol else 0.0

        n_steps = max(most_passes, most_passes * int(min(total, 2**62)) // batch_size)
        say = reporter(self.verbose)
        smoothed = best = None
        no_improvement = 0
        for step in range(1, n_steps + 1):
            inertia, moved = state.step(draw(rng.random(batch_size)), NO_WEIGHTS, rng)
            inertia /= batch_size
            say("Mini-batch step %d of %d: mean inertia %g", step, n_steps, inertia)
            if step == 1:  # seen by centres that have not moved yet
                continue
            share = min(1.0, 2.0 * batch_size / (total + 1))
            smoothed = inertia if smoothed is None else smoothed * (1 - share) + inertia * share
            if tol and moved <= tol:
                break
            no_improvement = 0 if best is None or smoothed < best else no_improvement + 1
            best = smoothed if best is None else min(best, smoothed)
            if self.max_no_improvement is not None and no_improvement >= self.max_no_improvement:
                break
        estimate = p.in_units((smoothed if smoothed is not None else inertia) * total)
        return state.result(step, -int(-step * batch_size // total), estimate, rng)

    def _run_fit(self, X: Any, sample_weight: Any = None) -> Self:
        self._check_params()
        table, weights = self._read_fit(X, sample_weight)
        result = self._fit(table, weights)
        return self._finish(result, table, weights)

    def _finish(self, result: MiniBatchFit, table: Table, weights: np.ndarray) -> Self:
        """Publish, with the labels of all records where they are wanted."""
        labels = inertia = None
        if self.compute_labels:
            p = points(table, weights, result._frame)
            centres = p.frame.enter(result.cluster_centers)
            labels = nearest(p, centres)
            inertia = p.distances(centres, labels)[0]
        if labels is None:
            self.__dict__.pop("labels_", None)
            return self._publish(result, table)
        return self._publish(result, table, labels_=labels, inertia_=inertia)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """`fit`, then `predict` of the same records, also without `compute_labels`."""
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def _start(
        self, p: Points, rng: np.random.RandomState, draw: Any, batch_size: int, total: float
    ) -> np.ndarray:
        """The best of some starts, each from its own sample, judged on a common one."""
        k = int(self.n_clusters)
        size = int(self.init_size or max(3 * batch_size, 3 * k))
        if size < k:
            warnings.warn(
                f"init_size={size} should be larger than n_clusters={k}. Setting it to "
                f"min(3*n_clusters, n_samples)",
                RuntimeWarning,
                stacklevel=5,
            )
            size = 3 * k

        def sample() -> Points:
            return p.part(draw(rng.random(size))) if size < total else p

        starts = count_starts(self, "MiniBatchKMeans", 3)
        if starts == 1:
            return start_centres(self, sample(), rng)
        judge, best, least = sample(), None, np.inf
        for _ in range(starts):
            centres = start_centres(self, sample(), rng)
            inertia = judge.distances(centres, nearest(judge, centres))[0]
            if best is None or inertia < least:
                best, least = centres, inertia
        return best

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn from one batch, going on from what is known already.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            The batch. The first one must hold at least `n_clusters` records, unless `init` is an array.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not allowed, or do not match the batches before.
        """
        self._check_params()
        first = not self.__sklearn_is_fitted__()
        table, weights = self._read_fit(X, sample_weight) if first else self._read_more(X, sample_weight)
        if first:
            p = points(table, weights)
            if p.n < self.n_clusters and (isinstance(self.init, str) or callable(self.init)):
                raise ValueError(f"n_samples={p.n} should be >= n_clusters={shown(self.n_clusters)}.")
            rng = generator(self.random_state)
            state = _Batches(p, start_centres(self, p, rng), self.reassignment_ratio)
            steps = 0
        else:
            if table.dtype != self.cluster_centers_.dtype:
                table = table.astype(self.cluster_centers_.dtype)
            p = points(table, weights, self._frame.reaching(table))
            rng = self._random_state
            state = _Batches(p, p.frame.enter(self.cluster_centers_), self.reassignment_ratio)
            state.mass = self._counts.copy()
            state.since = self._since_reassign
            steps = self.n_steps_
        inertia, _ = state.step(np.arange(p.n), weights, rng)
        result = state.result(steps + 1, steps + 1, p.in_units(inertia), rng)
        return self._finish(result, table, weights)

    def _read_more(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        table = self._read_new(X)
        if sample_weight is None and is_dataset(X):
            sample_weight = X.weights
        names = self.__dict__.get("feature_names_in_")
        return Table(table.X, names), read_weights(sample_weight, table.n, type(self).__name__)


class _Batches:
    """Centres, and the weight that each has seen, from batch to batch."""

    def __init__(self, p: Points, centres: np.ndarray, ratio: float):
        self.p, self.centres, self.ratio = p, np.array(centres, order="C"), ratio
        k, d = centres.shape
        self.mass = np.zeros(k)
        self.since = 0.0
        self._packed = p.empty_pack(k)
        self._scratch = np.empty(2 * 64 * d + 32, p.dtype)
        self._sums = np.empty((k, d + 1))

    def step(self, rows: np.ndarray, weights: np.ndarray, rng: np.random.RandomState) -> tuple[float, float]:
        """Learn from some rows; returns their inertia before, and the sum of the squared steps."""
        self.since += len(rows)
        reassign = self.since >= 10 * len(self.mass) or not self.mass.all()
        if isinstance(self.p, SparsePoints):
            out = self._sparse_step(rows, weights)
        else:
            labels = np.empty(len(rows), np.int32)
            out = kmeans.batch_step(
                self.p.X, self.p.frame.shift, self.p.frame.scale, rows, weights, self.centres, self.mass,
                *self._packed, self._scratch, self._sums, labels,
            )  # fmt: skip
        if reassign:
            self.since = 0.0
            if self.ratio > 0:
                self._reassign(rows, rng)
        return out

    def _sparse_step(self, rows: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
        part = self.p.part(rows)
        part.weights = weights
        state = Assignment(part, len(self.mass), False)
        state.assign(self.centres)
        inertia = part.squared(self.centres, state.labels)
        total = state.add_up()
        seen = total[:, -2] > 0
        old = self.centres[seen].astype(np.float64)
        new = (old * self.mass[seen, None] + total[seen, :-2]) / (self.mass[seen] + total[seen, -2])[:, None]
        self.centres[seen] = new
        self.mass += total[:, -2]
        return inertia, float(((new - old) ** 2).sum())

    def _reassign(self, rows: np.ndarray, rng: np.random.RandomState) -> None:
        """Let centres that have seen next to nothing start anew from rows of the batch."""
        poor = self.mass < self.ratio * self.mass.max()
        most = max(1, len(rows) // 2) if len(rows) > 1 else 0
        if poor.sum() > most:
            poor[np.argsort(self.mass, kind="stable")[most:]] = False
        count = int(poor.sum())
        if not count:
            return
        chosen = rows[rng.permutation(len(rows))[:count]]
        self.centres[poor] = self.p.rows(chosen)
        # Their old weight would hold them fast; none at all would bring them back here at once.
        self.mass[poor] = self.mass[~poor].min() if not poor.all() else self.mass.min()

    def result(self, steps: int, passes: int, inertia: float, rng: np.random.RandomState) -> MiniBatchFit:
        frame = self.p.frame
        return MiniBatchFit(
            frame.leave(self.centres), inertia, passes, steps, self.mass, frame, rng, self.since
        )
