"""What eigensolvers multiply blocks by: arrays, CSR, operators and functions, under one interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from clinfa.arrays import CSR, is_sparse, read_table
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._sparse import SparseOperator

__all__ = ["Operator", "as_operator"]

# Beyond these, squares of the entries would leave the type: what is stored is scaled by a power of two first.
_SAFE = {4: (1e-10, 1e10), 8: (1e-70, 1e70)}


class Operator:
    """A symmetric matrix of shape (n, n), known by what it does to a block.

    Parameters
    ----------
    n : int
    dtype : dtype
        Of blocks: float32 or float64.
    apply : callable or None
        From a C-contiguous block to its product, a block of the same shape and type.
    scale : float
        The power of two by which the matrix that was given has been multiplied.
    stored : ndarray, CSR or None
        The matrix, where that is what was given; then `apply` is not needed.
    """

    def __init__(
        self,
        n: int,
        dtype: np.dtype,
        apply: Callable[[np.ndarray], np.ndarray] | None,
        scale: float = 1.0,
        stored: np.ndarray | CSR | None = None,
    ):
        self.n, self.dtype, self.scale = n, np.dtype(dtype), scale
        self._apply, self._stored = apply, stored
        self._sparse = SparseOperator(stored) if isinstance(stored, CSR) else None

    def __call__(self, block: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """A times a block, both of which may be slices of the columns of wider arrays."""
        if self._sparse is not None:
            return self._sparse(block, out)
        if isinstance(self._stored, np.ndarray):
            return combined(self._stored, block, out=out)
        product = self._apply(np.ascontiguousarray(block))
        if out is None:
            return product
        out[:] = product
        return out

    def narrow(self, scale: float) -> Operator:
        """This times a power of two, in single precision where that is cheaper to apply."""
        stored = self._stored
        if stored is None:
            return Operator(self.n, self.dtype, lambda block: scale * self(block))
        if isinstance(stored, CSR):
            few = CSR(_narrowed(stored.data, scale), stored.indices, stored.indptr, stored.shape)
            return Operator(self.n, np.float32, None, 1.0, few)
        return Operator(self.n, np.float32, None, 1.0, _narrowed(stored, scale))

    def recur(
        self,
        block: np.ndarray,
        alpha: float,
        centre: float,
        beta: float,
        gain: np.ndarray,
        term: np.ndarray,
        out: np.ndarray,
    ) -> np.ndarray:
        """alpha (A block - centre block) + beta out + gain term, put where `out` is."""
        if self._sparse is not None:
            return self._sparse.affine(
                block, alpha=alpha, centre=centre, beta=beta, other=out, gain=gain, term=term, out=out
            )
        product = self(block)
        out *= beta
        out += alpha * product
        out -= (alpha * centre) * block
        out += gain * term
        return out

    def dense(self) -> np.ndarray:
        """All of it, as float64."""
        if isinstance(self._stored, np.ndarray):
            return self._stored.astype(np.float64)
        return np.concatenate(
            [self(np.eye(self.n, dtype=self.dtype)[:, at : at + 64]) for at in range(0, self.n, 64)], axis=1
        ).astype(np.float64)


def _narrowed(values: np.ndarray, scale: float) -> np.ndarray:
    """In single precision; 0 where only denormal products would come of it, which are very slow."""
    few = (values * scale).astype(np.float32)
    few[np.abs(few) < 1e-20] = 0
    return few


def as_operator(A: Any, *, n: int | None = None, dtype: Any = None, name: str = "A") -> Operator:
    """An operator from whatever was given.

    Parameters
    ----------
    A : array-like or sparse matrix of shape (n, n), LinearOperator, Operator or callable
        A callable takes a block of shape (n, k) and gives one.
    n : int or None
        The size, which a callable does not tell.
    dtype : dtype or None
        Of blocks; None for that of A.
    name : str
        For error messages.

    Raises
    ------
    ValueError
        If A is not square, not symmetric, not finite, or of another size than n.
    TypeError
        If A is none of those.
    """
    if isinstance(A, Operator):
        return A
    shape = getattr(A, "shape", None)
    if is_sparse(A) or isinstance(A, CSR) or not (callable(A) or hasattr(A, "matmat")):
        operator = _stored(A, dtype, name)
    else:
        if shape is None and n is None:
            raise ValueError(f"{name} is a function, which does not tell its size: pass n.")
        shape = (n, n) if shape is None else tuple(shape)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"{name} must be square, got shape {shape}.")
        own = getattr(A, "dtype", None)
        if own is not None and np.dtype(own).kind == "c":
            raise ValueError(f"Complex data not supported\n{name} has dtype {own}.")
        kind = np.float32 if (dtype or own) == np.float32 else np.float64
        operator = Operator(int(shape[0]), np.dtype(kind), _asked(A, name))
    if n is not None and operator.n != n:
        raise ValueError(f"{name} must have shape {(n, n)}, got {(operator.n, operator.n)}.")
    _check_symmetric(operator, name)
    return operator


def _stored(A: Any, dtype: Any, name: str) -> Operator:
    X = A if isinstance(A, CSR) else read_table(A, "an eigenproblem", sparse=True, role=name).X
    if X.shape[0] != X.shape[1]:
        raise ValueError(f"{name} must be square, got shape {X.shape}.")
    if dtype is not None and X.dtype != dtype:
        X = X.astype(dtype)
    values = X.data[: int(X.indptr[-1])] if isinstance(X, CSR) else X
    most = float(max(values.max(), -values.min())) if values.size else 0.0
    low, high = _SAFE[X.dtype.itemsize]
    scale = 1.0
    if most and not low < most < high:
        # (In two steps: the power itself may leave the type.)
        half = -np.frexp(most)[1] // 2
        scale = float(np.ldexp(1.0, 2 * half))
        first, second = X.dtype.type(np.ldexp(1.0, half)), X.dtype.type(np.ldexp(1.0, half))
        if isinstance(X, CSR):
            X = CSR(X.data * first * second, X.indices, X.indptr, X.shape)
        else:
            X = X * first * second
    return Operator(X.shape[0], X.dtype, None, scale, X)


def _asked(A: Any, name: str) -> Callable[[np.ndarray], np.ndarray]:
    """A user's operator or function, what comes from it checked."""
    ask = A.matmat if hasattr(A, "matmat") else A

    def apply(block: np.ndarray) -> np.ndarray:
        product = np.asarray(ask(block))
        if product.shape != block.shape:
            raise ValueError(
                f"{name} must map a block of shape {block.shape} to one of that shape, got {product.shape}."
            )
        if product.dtype.kind == "c":
            raise ValueError(f"Complex data not supported\n{name} gave dtype {product.dtype}.")
        if not np.isfinite(product).all():
            raise ValueError(f"{name} gave NaN or infinity for a finite block.")
        return np.ascontiguousarray(product, block.dtype)

    return apply


def _check_symmetric(operator: Operator, name: str) -> None:
    """Two ways round: uᵀ(A v) = vᵀ(A u) for some u, v that nobody could have chosen A for."""
    rng = np.random.Generator(np.random.PCG64(0x5EED))
    U = rng.standard_normal((operator.n, 4)).astype(operator.dtype)
    AU = operator(U)
    H = crossed(U, AU)
    size = np.sqrt(crossed(AU).diagonal() * operator.n)
    difference = np.abs(H - H.T) / np.maximum(np.maximum(size, size[:, None]), np.finfo(np.float64).tiny)
    if (difference > 1e4 * np.finfo(operator.dtype).eps).any():
        raise ValueError(
            f"{name} must be symmetric: for two random vectors u and v, u'{name}v and v'{name}u differ by "
            f"{difference.max():.1e} of their size."
        )
