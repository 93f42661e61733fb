"""Kernel values as the solver asks for them: a small block, and sums of rows that are never stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from clinfa._core import smo
from clinfa.arrays import CSR, Table
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._sparse import product, transposed_product
from clinfa.spatial import Function, KernelRows
from clinfa.spatial._kernel_rows import finished
from clinfa.threads import stripes

__all__ = ["Few", "Rows", "Sparse", "Stored", "Tiles", "applied", "in_lanes", "lazily_made", "rows_of"]

_SINGLE = float(np.finfo(np.float32).eps)
_MOST_NOISE = 2e-5  # relative, of a value in single precision
_INNER = Function("inner")
_FAR = 100.0  # how much farther than from their middle records may be from the origin, squared
_WIDE = 64  # sparse records that are made dense at a time
_FILLED = 0.2  # share of values that are not zero from which CSR is slower than an array


class Rows(Protocol):
    """The kernel matrix K of n records.

    Attributes
    ----------
    n : int
    diagonal : ndarray of shape (n,), float64
    noise : float
        What a value of `block` and `add` is off by, typically and absolute.
    """

    n: int
    diagonal: np.ndarray
    noise: float

    def block(self, which: np.ndarray) -> np.ndarray:
        """K between some records: shape (q, q), float32 or float64, C-contiguous."""

    def add(self, which: np.ndarray, coefficients: np.ndarray, total: np.ndarray) -> None:
        """Add ``K[:, which] @ coefficients`` to `total`, float64 of shape (n,)."""

    def exact(self, which: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """``K[:, which] @ coefficients`` in double precision, shape (n,)."""

    def sharpen(self) -> None:
        """Compute in double from now on, where that was not so and can be."""


class Tiles:
    """Dense records, whose kernel is computed tile by tile.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    function : Function
    spare : list of ndarray
        Memory that one problem may take from another.
    """

    def __init__(self, X: np.ndarray, function: Function, spare: list[np.ndarray]):
        self.X, self.function, self.n, self.spare = X, function, len(X), spare
        self.near, self.noise, self.diagonal = _prepared(X, function)

    def block(self, which: np.ndarray) -> np.ndarray:
        return KernelRows(Table(self.near[which]), self.function).rows()

    def sharpen(self) -> None:
        """Compute in double from now on."""
        if self.near.dtype == np.float32:
            self.near = self.X.astype(np.float64)
            self.noise *= float(np.finfo(np.float64).eps) / _SINGLE

    def lazy(self, which: np.ndarray) -> KernelRows | None:
        """Records in tiles, for a kernel that computes rows as it needs them; None where it cannot."""
        if not lazily_made(self.function):
            return None
        return KernelRows(Table(self.near[which]), self.function)

    def add(self, which: np.ndarray, coefficients: np.ndarray, total: np.ndarray) -> None:
        total += applied(self.near, self.near[which], self.function, coefficients.reshape(-1, 1))[:, 0]

    def exact(self, which: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        X = self.X.astype(np.float64, copy=False)
        return applied(X, X[which], self.function, coefficients.reshape(-1, 1))[:, 0]


class Sparse:
    """Records in CSR, whose kernel is a function of inner products.

    Parameters
    ----------
    X : CSR of shape (n, d)
    function : Function
        Of "inner" or "squared".
    """

    def __init__(self, X: CSR, function: Function):
        self.X, self.function, self.n = X, function, X.shape[0]
        squares = _squares(X)
        self.diagonal = (
            np.ones(self.n) if function.measure == "squared" else finished(squares.copy(), function)
        )
        top = float(np.abs(self.diagonal).max(initial=0))
        self.noise = 8 * max(function.degree, 1) * float(np.finfo(X.dtype).eps) * top

    def block(self, which: np.ndarray) -> np.ndarray:
        part = self.X.part(which)
        out = np.empty((len(which), len(which)), self.X.dtype)
        for begin, some in _sparse_values(part, part, self.function):
            out[:, begin : begin + some.shape[1]] = some
        return out

    def add(self, which: np.ndarray, coefficients: np.ndarray, total: np.ndarray) -> None:
        total += applied(self.X, self.X.part(which), self.function, coefficients.reshape(-1, 1))[:, 0]

    def sharpen(self) -> None:
        if self.X.dtype == np.float32:
            self.X = self.X.astype(np.float64)
            self.noise *= float(np.finfo(np.float64).eps) / _SINGLE

    def exact(self, which: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        X = self.X if self.X.dtype == np.float64 else self.X.astype(np.float64)
        return applied(X, X.part(which), self.function, coefficients.reshape(-1, 1))[:, 0]


@dataclass(frozen=True)
class Stored:
    """A matrix that is there already.

    Attributes
    ----------
    matrix : ndarray of shape (n, n), C-contiguous
    """

    matrix: np.ndarray

    @property
    def n(self) -> int:
        return len(self.matrix)

    @property
    def diagonal(self) -> np.ndarray:
        return self.matrix.diagonal().astype(np.float64)

    @property
    def noise(self) -> float:
        return 0.0

    def block(self, which: np.ndarray) -> np.ndarray:
        return self.matrix[np.ix_(which, which)]

    def add(self, which: np.ndarray, coefficients: np.ndarray, total: np.ndarray) -> None:
        K, which = self.matrix, np.ascontiguousarray(which, np.int64)
        cut = stripes(self.n, 0.15 * len(which) + 1)
        cut.run(
            lambda cursor, limit, slot: smo.add_rows_pass(
                K, which, coefficients, cut.bounds, cursor, limit, total
            )
        )

    def exact(self, which: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        total = np.zeros(self.n)
        self.add(which, coefficients, total)
        return total

    def sharpen(self) -> None:
        """(It is as it was given.)"""


class Few:
    """All values between a few records, for the kernel that solves small problems one after another."""

    def __init__(self, matrix: np.ndarray):
        n = len(matrix)
        self.dtype = matrix.dtype
        self.diagonal = matrix.diagonal().astype(np.float64)
        nothing = np.empty((1, 1), matrix.dtype), np.empty(16, matrix.dtype), False, 0, 1.0, 0.0, 1.0
        self.arrays = (*nothing, self.diagonal, np.arange(n, dtype=np.int32), np.array([n]), matrix)

    @classmethod
    def computed(cls, table: Table, function: Function) -> Few:
        """Of dense records whose rows are made when they are asked for: `lazily_made` of this function."""
        few, n, rows = cls.__new__(cls), table.n, KernelRows(table, function)
        few.dtype, few.diagonal = table.dtype, np.empty(n)
        kept = np.full(n, -1, np.int32), np.zeros(1, np.int64), np.empty((n, n), table.dtype)
        few.arrays = (*in_lanes(rows), few.diagonal, *kept)
        return few


def lazily_made(function: Function) -> bool:
    """Whether single rows of this function can be made by the solver."""
    return function.measure in ("inner", "squared")


def in_lanes(rows: KernelRows) -> tuple:
    """Records and function as the solver makes rows of them."""
    X = np.ascontiguousarray(rows.Y - rows.shift)
    return X, rows.tiles, rows.function.measure == "squared", *rows.function.codes[1:]


def rows_of(X: np.ndarray | CSR, function: Function, spare: list[np.ndarray] | None = None) -> Rows:
    """The kernel of some records; `spare` is memory that their problem may take and give back."""
    if isinstance(X, CSR):
        n, d = X.shape
        if int(X.indptr[-1]) < _FILLED * n * d and function.measure in ("inner", "squared"):
            return Sparse(X, function)
        X = X.rows(np.arange(n))
    return Tiles(X, function, [] if spare is None else spare)


def applied(
    X: np.ndarray | CSR, points: np.ndarray | CSR, function: Function, coefficients: np.ndarray
) -> np.ndarray:
    """K(X, points) @ coefficients, where K is never stored.

    Parameters
    ----------
    X : of shape (n, d)
    points : of shape (m, d), of the same kind and type
    function : Function
    coefficients : ndarray of shape (m, k)

    Returns
    -------
    ndarray of shape (n, k), float64
    """
    coefficients = np.ascontiguousarray(coefficients)
    if not len(coefficients):
        return np.zeros((X.shape[0], coefficients.shape[1]))
    if function == _INNER and isinstance(X, CSR):
        turn = transposed_product(points.astype(np.float64), coefficients)
        return product(X.astype(np.float64), turn)
    if function == _INNER:
        turn = crossed(points.astype(np.float64, copy=False), coefficients.astype(np.float64, copy=False))
        return combined(X.astype(np.float64, copy=False), turn)
    if isinstance(X, CSR):
        total = np.zeros((X.shape[0], coefficients.shape[1]))
        for begin, some in _sparse_values(X, points, function):
            part = coefficients[begin : begin + some.shape[1]].astype(some.dtype)
            total += combined(some, part)
        return total
    rows = KernelRows(Table(points), function)
    return rows.dot(coefficients.astype(X.dtype, copy=False), X).astype(np.float64, copy=False)


def _sparse_values(X: CSR, points: CSR, function: Function) -> Iterator[tuple[int, np.ndarray]]:
    """K(X, points), some columns at a time: the first of them, and shape (n, some)."""
    rows, columns = _squares(X), _squares(points)
    for begin in range(0, points.shape[0], _WIDE):
        some = np.arange(begin, min(begin + _WIDE, points.shape[0]))
        values = product(X, np.ascontiguousarray(points.rows(some).T))
        if function.measure == "squared":
            values *= -2
            values += rows[:, None].astype(values.dtype)
            values += columns[some].astype(values.dtype)
            np.maximum(values, 0, out=values)
        yield begin, finished(values, function)


def _prepared(X: np.ndarray, function: Function) -> tuple[np.ndarray, float, np.ndarray]:
    """Records in single precision where that will do, what a value is off by then, and the diagonal."""
    if function.measure in ("squared", "city") and function.shape == "decay":
        return *_decaying(X, function), np.ones(len(X))
    every = np.arange(len(X) + 1)
    diagonal = KernelRows(Table(X), function).entries(every, every[:-1]).astype(np.float64)
    return *_growing(X, function), diagonal


def _decaying(X: np.ndarray, function: Function) -> tuple[np.ndarray, float]:
    """Of a kernel that falls from one with the distance: records about their middle."""
    if X.dtype == np.float32 and function.measure == "squared":
        return X, 0.5 * _SINGLE
    centre = X.mean(axis=0, dtype=np.float64)
    top = np.abs(X - centre).max(axis=0, initial=0)
    if function.measure == "squared":
        reach = float(np.sqrt((top**2).sum()))
        stretch = np.sqrt(function.gamma) * reach
    else:
        reach = float(top.sum())
        stretch = function.gamma * reach
    noise = _SINGLE * (0.5 + stretch / 8)
    if noise < _MOST_NOISE and 1e-15 < reach < 1e15:
        return (X - centre).astype(np.float32), noise
    return X, 8 * float(np.finfo(X.dtype).eps)


def _growing(X: np.ndarray, function: Function) -> tuple[np.ndarray, float]:
    """Of a kernel whose values grow with the records' lengths."""
    degree = max(function.degree, 1.0)
    with np.errstate(over="ignore"):
        square = float(np.einsum("ij,ij->i", X, X, dtype=np.float64).max(initial=0))
        spread = float(X.var(axis=0, dtype=np.float64).sum())
        top = np.float64(max(abs(function.gamma) * square + abs(function.coef), 1e-300))
        most = top**degree if function.shape == "power" else top
    least = 1e-25 if function.shape != "tangent" else 0.0
    if least < most < 1e25 and 1e-20 < square < min(1e20, _FAR * spread):
        return X.astype(np.float32, copy=False), 8 * degree * _SINGLE * most
    return X.astype(np.float64, copy=False), 8 * degree * float(np.finfo(np.float64).eps) * most


def _squares(X: CSR) -> np.ndarray:
    """Squared norms of the rows of CSR, in double."""
    count = int(X.indptr[-1])
    sums = np.concatenate([[0.0], np.cumsum(np.square(X.data[:count], dtype=np.float64))])
    return np.diff(sums[X.indptr])
