"""What all estimators of neighbours share: reading the metric, fitting, and looking for neighbours."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from clinfa.arrays import Table
from clinfa.base import Estimator
from clinfa.neighbors._given import Given, check_distances, check_format
from clinfa.neighbors._search import BOOLEAN, Search, search
from clinfa.neighbors._sphere import Sphere
from clinfa.params import Rule, at_least, between, fitted, function, instance, none, one_of, param

__all__ = ["VALID", "Neighbours", "NeighboursFit"]

_SAME = {
    "l1": "manhattan",
    "cityblock": "manhattan",
    "l2": "euclidean",
    "p": "minkowski",
    "infinity": "chebyshev",
}
_BY_BOX = ("euclidean", "manhattan", "chebyshev", "minkowski", *_SAME)
_BY_BALL = (
    *(*_BY_BOX, "braycurtis", "canberra", "hamming", "haversine", "mahalanobis", "seuclidean"),
    *(name for name in BOOLEAN if name != "yule"),
)
_METRICS = tuple(
    sorted({*_BY_BALL, "correlation", "cosine", "nan_euclidean", "precomputed", "sqeuclidean", "yule"})
)
VALID = {
    "kd_tree": _BY_BOX,
    "ball_tree": _BY_BALL,
    "brute": tuple(name for name in _METRICS if name not in ("p", "infinity")),
    "auto": _METRICS,
}
_OBJECT = Rule("a DistanceMetric", lambda v: hasattr(v, "pairwise") and hasattr(v, "rdist_to_dist"))
_INFINITE = Rule("infinity", lambda v: isinstance(v, float) and v == math.inf)


@dataclass(frozen=True, slots=True)
class NeighboursFit:
    """What fitting found."""

    effective_metric: Any
    effective_metric_params: dict[str, Any]
    n_samples_fit: int
    _search: Search
    _fit_X: np.ndarray | csr_matrix  # the records, by the name that scikit-learn's own tools (Isomap) know

    def parts(self) -> tuple[Any, ...]:
        """What those who found more have found, too."""
        return tuple(getattr(self, field.name) for field in fields(NeighboursFit))


class Neighbours(Estimator):
    """Finds the neighbours of records among those that were fitted."""

    _sparse = True

    algorithm: str = param("auto", one_of("auto", "ball_tree", "kd_tree", "brute"))
    leaf_size: int = param(30, at_least(1))
    metric: Any = param("minkowski", one_of(*_METRICS) | function() | _OBJECT)
    p: Any = param(2, between(0, closed="right") | _INFINITE | none())
    metric_params: Any = param(None, instance(dict) | none())
    n_jobs: Any = param(None, instance(int, np.integer) | none())

    effective_metric_: Any = fitted()
    effective_metric_params_: dict = fitted()
    n_samples_fit_: int = fitted()

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        if isinstance(self.metric, str) and self.metric == "precomputed":
            check_format(X)
        if isinstance(X, Neighbours):
            X._check_fitted()
            X = X._fit_X
        elif hasattr(X, "query_radius"):  # a tree, whose records these are
            X = np.asarray(X.data)
        table, weights = super()._read_fit(X, sample_weight)
        return self._without_infinity(table), weights

    def _without_infinity(self, table: Table) -> Table:
        if not self._finite and np.isinf(table.X.data if table.sparse else table.X).any():
            raise ValueError(f"Input X contains infinity or a value too large for {table.dtype!r}.")
        return table

    @property
    def _finite(self) -> bool:
        """Whether NaN is refused: not where it stands for what is missing."""
        return not (isinstance(self.metric, str) and self.metric == "nan_euclidean")

    def _look(self, table: Table) -> NeighboursFit:
        """Make records ready to be searched."""
        metric, params = self._effective()
        way = self._way(table, metric, params)
        return NeighboursFit(metric, params, table.n, way, table.as_matrix())

    def _way(self, table: Table, metric: Any, params: dict[str, Any]) -> Search:
        """How records are searched."""
        if metric == "precomputed":
            if table.n != table.d:
                raise ValueError(f"Precomputed matrix must be square. Input is a {table.n}x{table.d} matrix.")
            check_distances(table)
            return Given(Table(table.X))
        if metric == "haversine":
            if table.d != 2:
                raise ValueError("Haversine distance only valid in 2 dimensions")
            sphere = None if table.sparse else Sphere.of(table.X)
            if sphere is not None:
                return sphere
        return search(table, metric, params, brute=self.algorithm == "brute")

    def _effective(self) -> tuple[Any, dict[str, Any]]:
        """The metric by its plainest name, and its arguments."""
        metric, algorithm = self.metric, self.algorithm
        if not isinstance(metric, str):
            if algorithm == "kd_tree" and callable(metric):
                raise ValueError(
                    f"kd_tree does not support callable metric '{metric}'Function call overhead will result"
                    f"in very poor performance."
                )
            return metric, dict(self.metric_params or {})
        if metric not in VALID[algorithm]:
            raise ValueError(
                f"Metric '{metric}' not valid. Use sorted(sklearn.neighbors.VALID_METRICS['{algorithm}']) to "
                f"get valid options. Metric can also be a callable function."
            )
        params = dict(self.metric_params or {})
        if "p" in params and self.p is not None:
            warnings.warn(
                "Parameter p is found in metric_params. The corresponding parameter from __init__ is "
                "ignored.",
                SyntaxWarning,
                stacklevel=4,
            )
        metric = _SAME.get(metric, metric)
        if metric == "minkowski":
            p, w = params.pop("p", self.p), params.pop("w", None)
            p = 2.0 if p is None else float(p)
            if not p > 0:
                raise ValueError(f"p in metric_params must be greater than 0, got {p!r}.")
            if p < 1:
                if algorithm in ("kd_tree", "ball_tree"):
                    raise ValueError(
                        f'algorithm="{algorithm}" does not support 0 < p < 1 for the Minkowski metric. To '
                        f'resolve this problem either set p >= 1 or algorithm="brute".'
                    )
                warnings.warn(
                    "Mind that for 0 < p < 1, Minkowski metrics are not distance metrics. Continuing the "
                    "execution with `algorithm='brute'`.",
                    stacklevel=5,
                )
            if w is not None:
                if algorithm == "kd_tree":
                    raise ValueError(
                        "algorithm='kd_tree' is not valid for metric='minkowski' with a weight parameter "
                        "'w': try algorithm='ball_tree' or algorithm='brute' instead."
                    )
                return metric, {**params, "p": p, "w": np.asarray(w, float)}
            plain = {1.0: "manhattan", 2.0: "euclidean", math.inf: "chebyshev"}.get(p)
            return (plain, params) if plain else (metric, {**params, "p": p})
        return metric, params

    def _read_new(self, X: Any) -> Table | None:
        """Queries; None stands for the records that were fitted, each without itself."""
        self._check_fitted()
        if X is None:
            return None
        if self.effective_metric_ != "precomputed":
            return self._without_infinity(super()._read_new(X))
        check_format(X)
        table = super()._read_new(X)
        check_distances(table)
        return table

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = tags.input_tags.positive_only = self.metric == "precomputed"
        return tags
