"""DBSCAN: clusters of any shape, in linear memory; labels for new records, and learning from more of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from clinfa.arrays import CSR, Table, is_dataset, read_table, read_weights
from clinfa.blas import inverse_covariance
from clinfa.cluster._neighbourhoods import (
    Clusters,
    Space,
    block_clusters,
    distances,
    nearest_in_blocks,
    tree_clusters,
)
from clinfa.config import config_context
from clinfa.kinds import Clusterer
from clinfa.params import Rule, at_least, between, fitted, function, instance, none, one_of, param, positive
from clinfa.spatial import Tree

__all__ = ["DBSCAN", "DBSCANFit", "dbscan"]

_METRICS = (
    "braycurtis",
    "canberra",
    "chebyshev",
    "cityblock",
    "correlation",
    "cosine",
    "dice",
    "euclidean",
    "hamming",
    "haversine",
    "infinity",
    "jaccard",
    "l1",
    "l2",
    "mahalanobis",
    "manhattan",
    "minkowski",
    "precomputed",
    "rogerstanimoto",
    "russellrao",
    "seuclidean",
    "sokalsneath",
    "sqeuclidean",
    "yule",
)


@dataclass(frozen=True, slots=True)
class DBSCANFit:
    """What fitting found."""

    labels: np.ndarray  # (n,) int64
    core_sample_indices: np.ndarray  # (n_core,) int64
    components: Any  # (n_core, d), or CSR as SciPy has it
    _rest: Any  # the other records, for `partial_fit`; None for a matrix of distances
    _weights: np.ndarray  # (n,) or (0,)
    _space: Space | None
    _tree: Tree | None


class DBSCAN(Clusterer):
    """Clusters are where records lie densely, of whatever shape; what lies apart is noise.

    A record is a core point if records of a total weight of at least `min_samples`, itself among them, lie
    within `eps` of it (`eps` included). Core points within `eps` of each other share a cluster; another
    record within `eps` of a core point borders on its cluster, the one with the least number where there are
    several; the others are noise [1]_. No list of neighbours is ever made: memory is linear in the number of
    records, and time hardly depends on how many neighbours they have.

    Parameters
    ----------
    eps : float, default 0.5
        How far neighbours may be apart.
    min_samples : int, default 5
        The least number (or total weight) of records around a core point, itself included.
    metric : str or callable, default "euclidean"
        "euclidean", "l2", "sqeuclidean", "manhattan", "l1", "cityblock", "chebyshev", "infinity", "minkowski"
        and "cosine" are searched in a tree. "haversine", "precomputed", those of
        `scipy.spatial.distance.cdist`, and functions of two records take all distances, a block at a time.
        With "precomputed" X is the square matrix of distances; in a sparse one only stored entries are
        neighbours.
    metric_params : dict or None, default None
        Further arguments of the metric.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default "auto"
        As in scikit-learn. Labels do not depend on it, and neither does the method here.
    leaf_size : int, default 30
        As in scikit-learn, to no effect: leaves are as large as the processor's vectors want them.
    p : float or None, default None
        The power of "minkowski"; None is 2.
    n_jobs : int or None, default None
        Most threads; None or a negative number leaves that to `clinfa.set_config`.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int64
        Clusters are numbered in the order of their first core points; -1 is noise.
    core_sample_indices_ : ndarray of shape (n_core_samples,), int64
    components_ : ndarray or sparse matrix of shape (n_core_samples, n_features)
        The core points.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the records had column names.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        From `fit`, if a parameter or the data are not allowed.

    Notes
    -----
    Weights are absolute: a record of weight `min_samples` is a core point by itself, and one of negative
    weight can keep its neighbours from being core points. Sparse records are made dense for the tree.

    References
    ----------
    .. [1] M. Ester, H.-P. Kriegel, J. Sander and X. Xu, A density-based algorithm for discovering clusters
       in large spatial databases with noise, KDD 1996.

    Examples
    --------
    >>> from clinfa.cluster import DBSCAN
    >>> model = DBSCAN(eps=1.5, min_samples=2).fit([[0, 0], [1, 0], [2, 0], [9, 9], [9, 8], [40, 0]])
    >>> model.labels_
    array([ 0,  0,  0,  1,  1, -1])
    >>> model.predict([[2.5, 1], [20, 20]])
    array([ 0, -1])
    >>> model.partial_fit([[40, 1], [3, 0]]).labels_
    array([0, 0, 0, 1, 1, 2, 2, 0])
    """

    _sparse: ClassVar[bool] = True
    _absolute_weights: ClassVar[bool] = True

    eps: float = param(0.5, positive(), positional=True)
    min_samples: int = param(5, at_least(1))
    metric: str | Callable = param("euclidean", one_of(*_METRICS) | function())
    metric_params: dict | None = param(None, instance(dict) | none())
    algorithm: str = param("auto", one_of("auto", "ball_tree", "kd_tree", "brute"))
    leaf_size: int = param(30, at_least(1))
    p: float | None = param(None, between(0) | none())
    n_jobs: int | None = param(
        None, Rule("an int", lambda v: isinstance(v, int | np.integer) and not isinstance(v, bool)) | none()
    )

    labels_: np.ndarray = fitted()
    core_sample_indices_: np.ndarray = fitted()

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        owner = type(self).__name__
        given = is_dataset(X)
        if given:
            sample_weight = X.weights if sample_weight is None else sample_weight
        table = read_table(
            X.records if given else X,
            owner,
            sparse=self._sparse,
            given_names=X.feature_names if given else None,
        )
        if self.metric == "precomputed" and table.n != table.d:
            raise ValueError(f"Precomputed matrix must be square. Input is a {table.n}x{table.d} matrix.")
        return table, read_weights(sample_weight, table.n, owner, signed=True)

    def _fit(self, table: Table, weights: np.ndarray) -> DBSCANFit:
        n_jobs = self.n_jobs
        with config_context(**({"n_threads": int(n_jobs)} if n_jobs is not None and n_jobs > 0 else {})):
            found, space = self._clusters(table, weights)
        core = np.flatnonzero(found.core)
        return DBSCANFit(
            labels=found.labels,
            core_sample_indices=core,
            components=_given(table, core),
            _rest=None if self.metric == "precomputed" else _given(table, np.flatnonzero(~found.core)),
            _weights=weights.copy(),
            _space=space,
            _tree=found.tree,
        )

    def _clusters(self, table: Table, weights: np.ndarray) -> tuple[Clusters, Space | None]:
        eps, need = float(self.eps), float(min(int(self.min_samples), 2**1000))
        if self.metric == "precomputed":
            return block_clusters(table.n, lambda some: _stored(table, some), eps, weights, need), None
        X = table.rows(np.arange(table.n)) if table.sparse else table.X
        params = dict(self.metric_params or {})
        if "p" in params and self.p is not None:
            warnings.warn(
                "Parameter p is found in metric_params. The corresponding parameter from __init__ "
                "is ignored.",
                SyntaxWarning,
                stacklevel=5,
            )
        p = params.pop("p", self.p) if self.metric == "minkowski" else self.p
        if self.metric == "minkowski" and p == 0:
            raise ValueError("p must be above 0 for the metric 'minkowski', got 0.")
        space = None if params else Space.of(self.metric, p, eps, X)
        if space is not None:
            return tree_clusters(space.points(X), space, weights, need), space
        X = X.astype(np.float64, copy=False)
        between = distances(self.metric, self._metric_arguments(X))
        return block_clusters(table.n, lambda some: between(X[some], X), eps, weights, need), None

    def _metric_arguments(self, X: np.ndarray) -> dict[str, Any]:
        """What `cdist` must be told, from all records rather than from a block of them."""
        params = dict(self.metric_params or {})
        if self.metric == "minkowski":
            params.setdefault("p", 2.0 if self.p is None else float(self.p))
        if self.metric == "seuclidean":
            params.setdefault("V", np.var(X, axis=0, ddof=1))
        if self.metric == "mahalanobis" and "VI" not in params:
            params["VI"] = inverse_covariance(X)
        if self.metric == "haversine" and X.shape[1] != 2:
            raise ValueError("Haversine distance only valid in 2 dimensions")
        return params

    def predict(self, X: Any) -> Any:
        """The cluster of the nearest core point, or -1 where none is within `eps`.

        Core points get their own cluster. A record that borders on two clusters gets the nearer one here, and
        the one with the lesser number in `labels_`.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
            With metric "precomputed": distances to all records that were fitted.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int64
            A Dataset with those targets where X is one.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Before `fit`, or if X is not such records as were fitted.
        """
        table = self._read_new(X)
        core, labels = self.core_sample_indices_, np.full(table.n, -1, np.int64)
        if len(core):
            inside, nearest = self._nearest_core(table)
            labels[inside] = self.labels_[nearest[inside]]
        return X.with_targets(labels) if is_dataset(X) else labels

    def _nearest_core(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Whether a core point is within reach of each record, and the row of the nearest."""
        core, space = self.core_sample_indices_, self._space
        if space is not None:
            nearest = space.nearest(self._tree, table.rows(np.arange(table.n)) if table.sparse else table.X)
            return nearest >= 0, nearest
        if self.metric == "precomputed":
            rows_of = lambda some: _stored(table, some, diagonal=False)[:, core]  # noqa: E731
        else:
            records = _dense(self._records()).astype(np.float64, copy=False)
            between = distances(self.metric, self._metric_arguments(records))
            X = table.rows(np.arange(table.n)) if table.sparse else table.X
            X, points = X.astype(np.float64, copy=False), records[core]
            rows_of = lambda some: between(X[some], points)  # noqa: E731
        far, nearest = nearest_in_blocks(table.n, rows_of, len(core))
        return far <= float(self.eps), core[nearest]

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn from more records: exactly as if all had been fitted together, those from before first.

        A new record can make core points of old ones and join clusters, so `labels_` covers all records seen
        so far, and clusters may be numbered anew.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As for `fit`; with metric "precomputed", which says nothing of how old and new records are apart.
        """
        self._check_params()
        if self.metric == "precomputed":
            raise ValueError(
                "partial_fit needs records: a precomputed matrix of distances cannot be added to."
            )
        if not self.__sklearn_is_fitted__():
            return self.fit(X, sample_weight=sample_weight)
        new = self._read_new(X)
        if is_dataset(X) and sample_weight is None:
            sample_weight = X.weights
        weights, old = read_weights(sample_weight, new.n, type(self).__name__, signed=True), self._weights
        if len(weights) or len(old):
            weights = np.concatenate(
                [
                    old if len(old) else np.ones(len(self.labels_)),
                    weights if len(weights) else np.ones(new.n),
                ]
            )
        both = self._joined(new)
        return self._publish(self._fit(both, weights), both)

    def _records(self) -> Any:
        """All records that were learned from, in their order."""
        core, n = self.core_sample_indices_, len(self.labels_)
        others = np.ones(n, bool)
        others[core] = False
        place = np.empty(n, np.int64)
        place[core], place[others] = np.arange(len(core)), np.arange(len(core), n)
        if isinstance(self._rest, np.ndarray):
            return np.concatenate([self.components_, self._rest]).take(place, axis=0)
        from scipy import sparse

        return sparse.vstack([self.components_, self._rest], format="csr")[place]

    def _joined(self, new: Table) -> Table:
        """All records: those from before, then the new ones."""
        names, records = self.__dict__.get("feature_names_in_"), self._records()
        if isinstance(records, np.ndarray) or not new.sparse:
            X = np.concatenate([_dense(records), new.rows(np.arange(new.n)) if new.sparse else new.X])
            return Table(X, names)
        from scipy import sparse

        both = sparse.vstack([records, _given(new, np.arange(new.n))], format="csr")
        return Table(read_table(both, type(self).__name__, sparse=True).X, names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags


def _given(table: Table, rows: np.ndarray) -> Any:
    """Some records as a user knows them: an array, or SciPy's CSR; zeros have no sign."""
    if not isinstance(table.X, CSR):
        out = table.X.take(rows, axis=0)
        out += 0
        return out
    out = table.X.part(rows).as_scipy()
    out.data += 0
    return out


def _dense(records: Any) -> np.ndarray:
    return records if isinstance(records, np.ndarray) else records.toarray()


def _stored(table: Table, rows: np.ndarray, diagonal: bool = True) -> np.ndarray:
    """Rows of a matrix of distances: what a sparse one does not store is infinitely far, but from itself."""
    if not table.sparse:
        return table.X[rows]
    part = table.X.part(rows)
    count, block = int(part.indptr[-1]), np.full(part.shape, np.inf)
    at = np.arange(len(rows))
    if diagonal:
        block[at, rows] = 0
    block[np.repeat(at, np.diff(part.indptr)), part.indices[:count]] = part.data[:count]
    return block


def dbscan(
    X: Any,
    eps: float = 0.5,
    *,
    min_samples: int = 5,
    metric: str | Callable = "minkowski",
    metric_params: dict | None = None,
    algorithm: str = "auto",
    leaf_size: int = 30,
    p: float | None = 2,
    sample_weight: Any = None,
    n_jobs: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """DBSCAN as a function.

    Parameters
    ----------
    X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
        Or a square matrix of distances, with metric "precomputed".
    eps, min_samples, metric, metric_params, algorithm, leaf_size, p, n_jobs
        As for `DBSCAN`.
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    core_samples : ndarray of shape (n_core_samples,), int64
        The rows of core points.
    labels : ndarray of shape (n_samples,), int64
        -1 is noise.

    Raises
    ------
    InvalidParameterError, ValueError, TypeError
        If a parameter or the data are not allowed.

    Examples
    --------
    >>> from clinfa.cluster import dbscan
    >>> dbscan([[0.0], [1.0], [2.0], [9.0]], eps=1, min_samples=3)
    (array([1]), array([ 0,  0,  0, -1]))
    """
    model = DBSCAN(
        eps,
        min_samples=min_samples,
        metric=metric,
        metric_params=metric_params,
        algorithm=algorithm,
        leaf_size=leaf_size,
        p=p,
        n_jobs=n_jobs,
    ).fit(X, sample_weight=sample_weight)
    return model.core_sample_indices_, model.labels_
