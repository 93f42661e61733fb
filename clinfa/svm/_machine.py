"""What all kernel machines share: their parameters, what they publish, and sums over support vectors."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from clinfa.arrays import CSR, Table, is_dataset, read_table, read_weights
from clinfa.base import Estimator
from clinfa.blas import one_thread
from clinfa.errors import ConvergenceWarning, outside, twin
from clinfa.kernels import Kernel, KernelParams, Method
from clinfa.params import Rule, at_least, between, boolean, fitted, one_of, param, positive, shown, verbosity
from clinfa.reports import reporter
from clinfa.svm._distinct import Distinct, distinct
from clinfa.svm._kernels import FEW, KERNEL, Shape, Source, kernel_sums, shape_of, source_of
from clinfa.svm._smo import Batch, NotFinite, Problem, Solution, solve, solve_few

__all__ = ["COST", "MOST", "Machine", "MachineFit", "dual_of"]

MOST = 1e100  # what a greater C comes to
COST = positive() | Rule("inf", lambda v: isinstance(v, float | np.floating) and v == np.inf)


@dataclass(frozen=True, slots=True)
class MachineFit:
    """What fitting found."""

    support: np.ndarray  # (m,) int32
    support_vectors: Any  # (m, d), ndarray or csr_matrix; (0, 0) where the kernel was given
    n_support: np.ndarray  # int32
    dual_coef: Any  # (machines of a class, m)
    intercept: np.ndarray
    n_iter: Any
    fit_status: int
    shape_fit: tuple[int, int]
    objective: np.ndarray
    violation: np.ndarray
    _gamma: float
    _shape: Shape
    _points: Table  # the support vectors, or all records where the kernel is a callable


class Machine(Estimator):
    """What all kernel machines share.

    A concrete class says which problems it solves, and publishes a `MachineFit`.
    """

    _absolute_weights: ClassVar[bool] = True  # C is for each unit of weight

    kernel: Any = param("rbf", KERNEL)
    degree: float = param(3, between(0))
    gamma: float | Literal["scale", "auto"] = param("scale", between(0) | one_of("scale", "auto"))
    coef0: float = param(0.0, between(-np.inf, closed="neither"))
    tol: float = param(1e-3, positive())
    shrinking: bool = param(True, boolean())
    cache_size: float = param(200, positive())
    verbose: int = param(False, verbosity())
    max_iter: int = param(-1, at_least(-1))

    support_: np.ndarray = fitted()
    support_vectors_: Any = fitted()
    n_support_: np.ndarray = fitted()
    dual_coef_: Any = fitted()
    intercept_: np.ndarray = fitted()
    fit_status_: int = fitted()
    shape_fit_: tuple[int, int] = fitted()
    objective_: np.ndarray = fitted()
    violation_: np.ndarray = fitted()

    @property
    def _kernel(self) -> Any:
        """The kernel of two records, where a whole one or a recipe was given."""
        return self.kernel.method if isinstance(self.kernel, Kernel | KernelParams) else self.kernel

    @property
    def _sparse(self) -> bool:
        return not _is_method(self._kernel)

    def _read_fit(self, X: Any, sample_weight: Any) -> tuple[Table, np.ndarray]:
        owner, given = type(self).__name__, is_dataset(X)
        if given:
            sample_weight = X.weights if sample_weight is None else sample_weight
        table = read_table(
            X.records if given else X,
            owner,
            sparse=self._sparse,
            given_names=X.feature_names if given else None,
        )
        return table, read_weights(sample_weight, table.n, owner, signed=True)

    def _source(self, table: Table, records: Distinct) -> tuple[Source, Shape]:
        some = table.part(records.first, spanning=records.whole)
        shape = shape_of(self._kernel, self.gamma, self.coef0, self.degree, some, records.mass)
        return source_of(self._kernel, some, table, records.first, shape), shape

    def _solve(self, source: Source, parts: Sequence[tuple[np.ndarray, Problem]] | Batch) -> list[Solution]:
        """The solutions of some problems, each of which is of some of the kernel's records."""
        try:
            return self._solve_all(source, parts)
        except NotFinite as error:
            names = ("gamma", "coef0", "degree") if isinstance(self._kernel, str) else ()
            given = ", ".join(f"{name}={shown(getattr(self, name))}" for name in ("kernel", *names))
            raise ValueError(
                f"The kernel of these records is not finite (found: {error.args[0]}). It has {given}: scale "
                f"the records or choose other parameters."
            ) from error

    def _solve_all(
        self, source: Source, parts: Sequence[tuple[np.ndarray, Problem]] | Batch
    ) -> list[Solution]:
        how: dict[str, Any] = {"tol": float(self.tol), "max_iter": int(self.max_iter)}
        if isinstance(parts, Batch):
            return solve_few(source.few(), parts, **how)
        few = source.function is None and max(len(p.v) for _, p in parts) <= 2 * FEW
        if few or source.small is not None:
            return solve_few(source.few(), Batch.of(parts), **how)
        how["memory"] = float(self.cache_size) * 1e6
        how["report"] = reporter(self.verbose) if self.verbose else None
        return [solve(source.rows(which), problem, **how) for which, problem in parts]

    def _warn(self, solutions: list[Solution]) -> int:
        """Say what did not converge; 1 if something did not."""
        if all(some.converged for some in solutions):
            return 0
        worst = max(some.gap for some in solutions)
        warnings.warn(
            f"Solver terminated early (max_iter={self.max_iter}).  Consider pre-processing your data with "
            f"StandardScaler or MinMaxScaler. (Optimality is violated by {worst:.2g}, to be at most "
            f"tol={self.tol:g}.)",
            twin(ConvergenceWarning),
            stacklevel=outside(),
        )
        return 1

    def _support_of(self, table: Table, support: np.ndarray) -> tuple[Any, Table]:
        """The support vectors as they are published, and what predictions need."""
        if callable(self._kernel) and not _is_method(self._kernel):
            return np.empty((0, 0), table.dtype), Table(_copy(table.X))
        if isinstance(self._kernel, str) and self._kernel == "precomputed":
            return np.empty((0, 0), table.dtype), Table(np.empty((0, table.d), table.dtype))
        points = Table(table.part(support).X)
        if not points.sparse:
            np.add(points.X, 0.0, out=points.X)  # (-0 becomes 0)
        return points.as_matrix(), points

    def _distinct(
        self, table: Table, weights: np.ndarray, C: np.ndarray, kinds: np.ndarray | None
    ) -> Distinct:
        top = C.max()
        if not top > 0:
            raise ValueError("Invalid input - all samples have zero or negative weights.")
        C = np.minimum(C, MOST) if top > MOST else C
        if len(weights):
            top = weights.max()
            weights = weights / top if top > MOST else weights  # (sums of them stay within the range)
        given = (
            not (isinstance(self._kernel, str) or _is_method(self._kernel)) or self._kernel == "precomputed"
        )
        return distinct(table, weights, C, kinds, merge=not given)

    def _single(
        self,
        table: Table,
        records: Distinct,
        b: np.ndarray,
        intercept: float,
        solution: Solution,
        shape: Shape,
        kind: type[MachineFit] = MachineFit,
        **more: np.ndarray,
    ) -> MachineFit:
        """What is published where there is one machine: as `kind`, whose own fields are `more`."""
        dual = records.shared(b)
        (support,) = dual.nonzero()
        vectors, points = self._support_of(table, support)
        return kind(
            support=support.astype(np.int32),
            support_vectors=vectors,
            n_support=np.array([len(support)], np.int32),
            dual_coef=dual_of(dual[support].reshape(1, -1), table),
            intercept=np.array([intercept], table.dtype),
            n_iter=solution.n_steps,
            fit_status=self._warn([solution]),
            shape_fit=(table.n, table.d),
            objective=np.array([solution.objective], table.dtype),
            violation=np.array([solution.gap], table.dtype),
            _gamma=shape.plain_gamma,
            _shape=shape,
            _points=points,
            **more,
        )

    def _sums(self, new: Table, parts: list[tuple[slice, np.ndarray]]) -> list[np.ndarray]:
        """Kernel values with some support vectors times some coefficients."""
        return kernel_sums(self._kernel, self._shape, new, self._points, self.support_, parts)

    def _one(self, new: Table) -> np.ndarray:
        """The one function of a machine that has but one: shape (n,)."""
        out = self._sums(new, [(slice(0, len(self.support_)), _dense(self.dual_coef_).T)])[0][:, 0]
        return (out + self.intercept_[0]).astype(self._type(new), copy=False)

    def _type(self, new: Table) -> np.dtype:
        """What comes out for some records."""
        return np.promote_types(self.intercept_.dtype, new.dtype)

    @property
    def coef_(self) -> Any:
        """Weights of the columns, where the kernel is linear: shape (n_machines, n_features), read-only."""
        if not (isinstance(self._kernel, str) and self._kernel == "linear"):
            raise AttributeError("coef_ is only available when using a linear kernel")
        self._check_fitted()
        out = self._weights()
        (out.data if hasattr(out, "tocsr") else out).flags.writeable = False
        return out

    @one_thread()
    def _weights(self) -> Any:
        out = self.dual_coef_ @ self.support_vectors_
        return out if hasattr(out, "tocsr") else np.ascontiguousarray(out)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        given = isinstance(self._kernel, str) and self._kernel == "precomputed"
        tags.input_tags.pairwise = given
        tags.input_tags.sparse = self._sparse and not given
        return tags


def dual_of(coefficients: np.ndarray, table: Table) -> Any:
    """Dual coefficients as they are published: sparse where the records are."""
    coefficients = coefficients.astype(table.dtype, copy=False)
    if not table.sparse:
        return coefficients
    from scipy.sparse import csr_matrix

    k, m = coefficients.shape
    return csr_matrix(
        (
            coefficients.ravel(),
            np.tile(np.arange(m, dtype=np.int32), k),
            np.arange(k + 1, dtype=np.int32) * m,
        ),
        (k, m),
    )


def _dense(coefficients: Any) -> np.ndarray:
    return coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients


def _copy(X: Any) -> Any:
    return CSR(X.data.copy(), X.indices.copy(), X.indptr.copy(), X.shape) if isinstance(X, CSR) else X.copy()


def _is_method(kernel: Any) -> bool:
    return isinstance(kernel, Method)
