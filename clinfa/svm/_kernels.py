"""What the parameter `kernel` of a support vector machine means for given records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clinfa.arrays import CSR, Table, all_finite
from clinfa.kernels import Kernel, KernelParams, Method, Sparse
from clinfa.linalg._blocks import combined
from clinfa.params import Rule, function, instance, one_of
from clinfa.spatial import Function, KernelRows
from clinfa.svm._rows import Few, Rows, Stored, applied, lazily_made, rows_of

__all__ = ["FEW", "KERNEL", "Shape", "Source", "kernel_sums", "shape_of", "source_of"]

FEW = 512  # records whose kernel is kept, in double
_SMALL = 1 << 20  # and how many values they may have
_LONG = 16  # columns from which all rows are made at once

_WHOLE = Rule(
    "a Kernel or its params, of a Method and not sparse",
    lambda v: (
        isinstance(v, Kernel | KernelParams)
        and isinstance(v.method, Method)
        and not isinstance(v.kind, Sparse)
    ),
)
KERNEL: Rule = (
    one_of("linear", "poly", "rbf", "sigmoid", "precomputed") | instance(Method) | _WHOLE | function()
)


@dataclass(frozen=True)
class Shape:
    """A kernel's parameters, for records times a power of two.

    Attributes
    ----------
    exponent : int
        Records are multiplied by 2 to the power of it, which brings those near the ends of the range near
        one.
    gamma : float
        For such records.
    coef0, degree : float
    """

    exponent: int
    gamma: float
    coef0: float
    degree: float

    @property
    def plain_gamma(self) -> float:
        """For the records as they are; 0 or infinity where that is beyond the range."""
        if self.exponent == 0:
            return self.gamma
        with np.errstate(over="ignore", under="ignore"):
            return float(np.ldexp(self.gamma, 2 * self.exponent))

    def scaled(self, table: Table) -> Table:
        """Records times the power of two."""
        if self.exponent == 0:
            return table
        X = table.X
        most = np.sqrt(np.finfo(table.dtype).max) / 8
        values = X.data if table.sparse else X
        with np.errstate(over="ignore", under="ignore"):
            values = np.clip(np.ldexp(values, self.exponent), -most, most)
        return Table(CSR(values, X.indices, X.indptr, X.shape) if table.sparse else values)


def shape_of(kernel: Any, gamma: Any, coef0: Any, degree: Any, table: Table, mass: np.ndarray) -> Shape:
    """What the parameters mean for some records, which weigh `mass`."""
    rest = float(coef0), float(degree)
    if not isinstance(kernel, str) or kernel in ("linear", "precomputed"):
        return Shape(0, 0.0, *rest)
    exponent = _near_one(table)
    if isinstance(gamma, str) and gamma == "scale":
        return Shape(exponent, _over_variance(Shape(exponent, 0.0, *rest).scaled(table), mass), *rest)
    with np.errstate(over="ignore", under="ignore"):
        own = 1.0 / table.d if isinstance(gamma, str) else float(gamma)
        return Shape(exponent, float(np.ldexp(own, -2 * exponent)), *rest)


def _near_one(table: Table) -> int:
    values = table.X.data[: int(table.X.indptr[-1])] if table.sparse else table.column_range
    top = float(np.abs(values).max(initial=0))
    room = 1e8 if table.dtype == np.float32 else 1e75
    return 0 if top == 0 or 1 / room < top < room else -int(np.frexp(top)[1])


def _over_variance(table: Table, mass: np.ndarray) -> float:
    """One over the number of columns times the variance of all values."""
    size = float(mass.sum()) * table.d
    if table.sparse:
        X = table.X
        count = int(X.indptr[-1])
        row = np.repeat(np.arange(table.n), np.diff(X.indptr))
        there = X.data[:count] != 0
        values, own = X.data[:count][there].astype(np.float64, copy=False), mass[row[there]]
        mean = float((own * values).sum()) / size
        variance = (
            float((own * np.square(values - mean)).sum()) + (size - float(own.sum())) * mean**2
        ) / size
    else:
        X = table.X.astype(np.float64, copy=False)
        mean = float(np.einsum("i,ij->", mass, X)) / size
        apart = X - mean
        variance = float(np.einsum("i,ij,ij->", mass, apart, apart)) / size
    scale = table.d * variance
    return 1.0 / scale if scale > 0 else 1.0


@dataclass(frozen=True)
class Source:
    """A kernel and the records that it is of.

    Attributes
    ----------
    X : ndarray of shape (n, d), CSR, or the matrix of shape (n, n)
    function : Function or None
        None where X is the matrix itself.
    small : Table or None
        The records, where they are so few that the solver makes their rows itself.
    spare : list of ndarray
        Memory that the problems of a fit hand on.
    """

    X: Any
    function: Function | None
    small: Table | None = None
    spare: list[np.ndarray] = field(default_factory=list)

    def whole(self) -> Source:
        """The same with its matrix, where records are few."""
        return self if self.small is None else Source(KernelRows(self.small, self.function).rows(), None)

    def few(self) -> Few:
        """All values, where records are few or the matrix is there."""
        return Few(self.X) if self.small is None else Few.computed(self.small, self.function)

    def rows(self, which: np.ndarray) -> Rows:
        """The kernel between some records."""
        whole = len(which) == self.X.shape[0] and bool((which[1:] > which[:-1]).all())
        if self.function is None:
            return Stored(self.X if whole else self.X[np.ix_(which, which)])
        if whole:
            return rows_of(self.X, self.function, self.spare)
        X = self.X.part(which) if isinstance(self.X, CSR) else self.X[which]
        return rows_of(X, self.function, self.spare)

    def sums(self, new: np.ndarray, which: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """Kernel values between some records and others, times coefficients: shape (n_new,)."""
        column = coefficients.reshape(-1, 1)
        if self.function is None:
            return combined(self.X[np.ix_(new, which)].astype(np.float64), column)[:, 0]
        X, points = (self.X.part(some) if isinstance(self.X, CSR) else self.X[some] for some in (new, which))
        return applied(X, points, self.function, column)[:, 0]


def source_of(kernel: Any, some: Table, table: Table, which: np.ndarray, shape: Shape) -> Source:
    """The kernel of fitted records: of some of them, whose places among all are `which`.

    Raises
    ------
    ValueError, TypeError
        If a matrix that is given, or that a callable returns, is not square or not finite.
    """
    made = _function(kernel, shape)
    if made is not None:
        some = _records(kernel, some, shape)
        if some.n <= FEW and some.n * some.d <= _SMALL:
            some = Table(some.rows(np.arange(some.n))) if some.sparse else some
            some = some if some.dtype == np.float64 else some.astype(np.float64)
            source = Source(some.X, made, some)
            return source if some.d < _LONG and lazily_made(made) else source.whole()
        return Source(some.X, made)
    if callable(kernel):
        matrix = _called(kernel, table, table)
    elif table.sparse:
        raise TypeError("Sparse precomputed kernels are not supported.")
    elif table.n != table.d:
        raise ValueError(
            f"Precomputed matrix must be a square matrix. Input is a {table.n}x{table.d} matrix."
        )
    else:
        matrix = table.X
    in_order = len(which) == table.n and bool((which[1:] > which[:-1]).all())
    return Source(matrix if in_order else matrix[np.ix_(which, which)], None)


def _records(kernel: Any, table: Table, shape: Shape) -> Table:
    """Records as the kernel's function takes them."""
    return kernel.records(table) if isinstance(kernel, Method) else shape.scaled(table)


def _function(kernel: Any, shape: Shape) -> Function | None:
    if isinstance(kernel, Method):
        return kernel.function()
    if not isinstance(kernel, str) or kernel == "precomputed":
        return None
    if kernel == "linear":
        return Function("inner")
    if kernel == "rbf":
        return Function("squared", "decay", shape.gamma)
    if kernel == "poly":
        return Function("inner", "power", shape.gamma, shape.coef0, shape.degree)
    return Function("inner", "tangent", shape.gamma, shape.coef0)


def _called(kernel: Callable[[Any, Any], Any], new: Table, fitted: Table) -> np.ndarray:
    values = kernel(new.as_matrix(), fitted.as_matrix())
    values = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    if values.shape != (new.n, fitted.n):
        raise ValueError(
            f"The kernel must return an array of shape {(new.n, fitted.n)}, got shape {values.shape}."
        )
    values = np.ascontiguousarray(values, np.float64)
    if not all_finite(values):
        raise ValueError("The kernel returned values that are not finite.")
    return values


def kernel_sums(
    kernel: Any, shape: Shape, new: Table, points: Table, support: np.ndarray, parts: Any
) -> list[np.ndarray]:
    """For each of some blocks of coefficients: K(new, its support vectors) @ coefficients.

    Parameters
    ----------
    kernel
        As the estimator was given it.
    shape : Shape
    new : Table
    points : Table
        The support vectors; all fitted records where the kernel is a callable.
    support : ndarray of shape (m,)
        Their places among the fitted records.
    parts : sequence of (slice, ndarray of shape (some, k))
        Which support vectors, and their coefficients.
    """
    made = _function(kernel, shape)
    if made is None:
        K = new.X if not callable(kernel) else _called(kernel, new, points)
        return [_times(K, support[which], coefficients) for which, coefficients in parts]
    new, points = _records(kernel, new, shape), _records(kernel, points, shape)
    if new.sparse != points.sparse:
        new, points = _same_kind(new, points)
    dtype = np.promote_types(new.dtype, points.dtype)
    X, S = (some.X.astype(dtype) if some.dtype != dtype else some.X for some in (new, points))
    out = []
    for which, coefficients in parts:
        rows = np.arange(which.start, which.stop)
        own = S.part(rows) if isinstance(S, CSR) else S[which]
        out.append(applied(X, own, made, coefficients))
    return out


def _times(K: np.ndarray, columns: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    return combined(K[:, columns].astype(np.float64), np.ascontiguousarray(coefficients, np.float64))


def _same_kind(new: Table, points: Table) -> tuple[Table, Table]:
    """Both in CSR."""
    from scipy.sparse import csr_matrix

    def sparse(table: Table) -> Table:
        if table.sparse:
            return table
        X = csr_matrix(table.X)
        return Table(CSR(X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64), X.shape))

    return sparse(new), sparse(points)
