"""Principal axes of records: from their covariance, from the records themselves, or the first ones alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinfa._core import columns
from clinfa.arrays import CSR, NO_WEIGHTS, Table, all_finite, check_finite
from clinfa.blas import matmul, one_thread
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._scatter import LEAST, MOST, Scatter, middle, power_below, scatter
from clinfa.linalg._sparse import product
from clinfa.linalg._svd import truncated_svd
from clinfa.threads import stripes

__all__ = ["Spectrum", "by_covariance", "by_svd", "leading", "projected", "signed"]

_ROWS = 1 << 13  # rows that are turned together
_SHORT = 500  # rows or columns up to which all axes are found sooner than some
_FAR = 1e4  # squares of the mean, in terms of those about it, from which records are centred first
_FEW = 150  # columns up to which all eigenpairs are found as fast as some


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Singular values and right singular vectors of centred records, in descending order."""

    n: int
    mean: np.ndarray  # (d,)
    singular: np.ndarray  # (r,)    in units of 2**exponent
    axes: np.ndarray  # (r, d)
    total: float  # the sum of all squared singular values, in units of 4**exponent
    exponent: int = 0


def signed(axes: np.ndarray) -> np.ndarray:
    """Axes (rows) turned so that the greatest entry of each is positive."""
    if not axes.size:
        return axes
    greatest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return np.where(greatest < 0, -axes, axes)


def by_covariance(found: Scatter, k: int | None = None) -> Spectrum:
    """All axes, or the first k, from centred products: what is below 1e-8 of the greatest is lost."""
    d = len(found.mean)
    total = float(np.trace(found.products))
    if k is None or d <= _FEW or 3 * k > d or k == 0:
        with one_thread():
            squares, vectors = np.linalg.eigh(found.products)
    else:
        from scipy.linalg import eigh  # (here: importing it takes longer than a small fit)

        with one_thread():
            squares, vectors = eigh(found.products, subset_by_index=[d - k, d - 1], check_finite=False)
    singular = np.sqrt(np.maximum(squares[::-1], 0))
    return Spectrum(found.n, found.mean, singular, signed(vectors.T[::-1]), total, found.exponent)


def by_svd(table: Table, owner: str) -> Spectrum:
    """All axes, as accurate as the singular value decomposition of the centred records.

    Where there are more rows than columns the records are turned to the eigenvectors of their products
    first, which makes their columns nearly orthogonal. The products of these, scaled to a unit diagonal,
    are well conditioned: they tell the small singular values from the rounding of the great ones. (The idea
    of one-sided Jacobi and of preconditioned Cholesky-QR [1]_.)

    References
    ----------
    .. [1] T. Fukaya et al., Shifted Cholesky QR for computing the QR factorization of ill-conditioned
    matrices,
       SIAM J. Sci. Comput. 42, 2020.
    """
    if table.n < table.d:
        return _by_lapack(table, owner)
    found = scatter(table, owner)
    with one_thread():
        squares, turn = np.linalg.eigh(found.products)
    # Directions that are lost in the rounding of the greatest one get a scale that leaves them small.
    least = squares[-1] * table.d * np.finfo(np.float64).eps
    scale = 1 / np.sqrt(np.maximum(squares, least)) if squares[-1] > 0 else np.ones(table.d)
    mean = np.ldexp(found.mean, -found.exponent)
    products, sums = np.zeros((table.d, table.d)), np.zeros(table.d)
    for first in range(0, table.n, _ROWS):
        rows = np.ldexp(table.X[first : first + _ROWS].astype(np.float64, copy=False), -found.exponent)
        turned = combined(rows, turn * scale, shift=mean)
        products += crossed(turned)
        sums += turned.sum(axis=0)
    products -= np.outer(sums, sums / table.n)
    with one_thread():
        values, vectors = np.linalg.eigh(products)
        root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
        _, singular, axes = np.linalg.svd(root / scale)
        axes = axes @ turn.T
    total = float(matmul(singular, singular))
    return Spectrum(found.n, found.mean, singular, signed(axes), total, found.exponent)


def _by_lapack(table: Table, owner: str) -> Spectrum:
    check_finite(table, owner)
    exponent = power_below(table.X)
    X = np.ldexp(table.X.astype(np.float64), -exponent)
    mean = X.mean(axis=0)
    X -= mean
    with one_thread():
        _, singular, axes = np.linalg.svd(X, full_matrices=False)
    total = float(matmul(singular, singular))
    return Spectrum(table.n, np.ldexp(mean, exponent), singular, signed(axes), total, exponent)


def leading(table: Table, owner: str, k: int, random_state: Any, **how: Any) -> Spectrum:
    """The first k axes, by `truncated_svd` of the records less their mean; `how` is its other arguments.

    Where a side is so short that nothing is saved all axes are found.
    """
    short = min(table.n, table.d)
    if not table.sparse and (short <= _SHORT or _basis(k, **how) > short):
        wide = table.d > table.n
        return by_svd(table, owner) if wide or short <= _SHORT else by_covariance(scatter(table, owner), k)
    if table.sparse and _basis(k, **how) > short:
        how = {"method": "lanczos"}
    X, mean, total, exponent = _centre(table, owner)
    shift: np.ndarray | None = mean
    if not table.sparse and table.n * matmul(mean, mean) > _FAR * total:
        X, shift = (
            (X - mean).astype(X.dtype, copy=False),
            None,
        )  # (a product of the mean has no digits to spare)
    if table.sparse:
        X = X.as_scipy()
    with one_thread():
        found = truncated_svd(X, k, shift=shift, random_state=random_state, **how)
    mean = np.ldexp(mean, exponent)
    return Spectrum(table.n, mean, found.s.astype(np.float64), signed(found.vt), total, exponent)


def _basis(k: int, method: str, n_oversamples: int = 0, n_iter: int = 0, **_: Any) -> int:
    """Columns that a method keeps, at least."""
    return (k + n_oversamples) * (n_iter + 2) if method == "krylov" else k + 1


def _centre(table: Table, owner: str) -> tuple[np.ndarray | CSR, np.ndarray, float, int]:
    """Records in units of a power of two, their mean, the sum of all squares about it, and the exponent."""
    check = table.sparse
    if check:
        check_finite(table, owner)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        mean, total = _about_mean(table.X)
    if LEAST < total < MOST and np.isfinite(mean).all():
        return table.X, mean, total, 0
    if not check:
        check_finite(table, owner)
    values = table.X.data if table.sparse else table.X
    exponent = power_below(values)
    X: Any = np.ldexp(values.astype(np.float64), -exponent)
    if table.sparse:
        X = CSR(X, table.X.indices, table.X.indptr, table.X.shape)
    return X, *_about_mean(X), exponent


def _about_mean(X: np.ndarray | CSR) -> tuple[np.ndarray, float]:
    n, d = X.shape
    if isinstance(X, CSR):
        count = int(X.indptr[-1])
        values = X.data[:count].astype(np.float64)
        mean = np.bincount(X.indices[:count], weights=values, minlength=d) / n
        return mean, float(matmul(values, values) - n * matmul(mean, mean))
    shift, cut = middle(X).astype(X.dtype), stripes(n, 0.4 * d)
    sums = np.zeros((len(cut), 2, d + 16))
    cut.run(
        lambda cursor, limit, slot: columns.moments_pass(
            X, NO_WEIGHTS, shift, 1.0, cut.bounds, cursor, limit, sums
        )
    )
    first, second = sums[:, :, :d].sum(axis=0)
    return shift + first / n, float((second - first**2 / n).sum())


def projected(table: Table, mean: np.ndarray, turn: np.ndarray, owner: str) -> np.ndarray:
    """(X - mean) @ turn, in the wider of both types; X has not been looked at yet."""
    dtype = np.promote_types(table.dtype, turn.dtype)
    turn = turn.astype(dtype, copy=False)
    table = table if table.dtype == dtype else table.astype(dtype)
    if table.sparse:
        out = product(table.X, np.ascontiguousarray(turn)) if turn.size else np.zeros((table.n, 0), dtype)
        out -= matmul(mean, turn)
    else:
        out = combined(table.X, turn, shift=mean)
    if not out.size or not all_finite(out):  # whatever is not finite in X is not finite there
        check_finite(table, owner)
    return out
