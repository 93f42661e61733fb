"""What linear support vector machines see of their records: products with a dense matrix, its last column
constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa._core import linear_svm
from clinfa.arrays import CSR
from clinfa.blas import one_thread
from clinfa.linalg._blocks import moments
from clinfa.linalg._sparse import SparseOperator, transposed
from clinfa.threads import stripes

__all__ = ["FEW", "WORK", "Design", "SparseDesign", "WideDesign", "band_losses", "factorised"]

# Products of entries in one iteration where a kernel does whole ones, and in one call of it.
FEW, WORK = 1 << 18, 1 << 24
_PART = 0.5  # rows that weigh anything are taken out where their share is below that
_MEMORY = 1 << 22  # numbers in rows that are taken out at a time
_CHUNK = 256  # rows that are squared at a time
_MOST_STEPS = 300  # of conjugate gradients


class Design:
    """Dense records and a column of constants, never put together.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    constant : float
        What stands in the last column; 0 for no such column.
    """

    def __init__(self, X: np.ndarray, constant: float):
        self.X, self.constant = X, constant
        self.n, self.d = X.shape
        self.width = self.d + (constant > 0)
        self._cut = stripes(self.n, 0.2 * self.d + 3)

    def values(self, w: np.ndarray) -> np.ndarray:
        """The rows times w."""
        cut, X, out, w = self._cut, self.X, np.empty(self.n), np.ascontiguousarray(w)
        own = w[: self.d]
        offset = self.constant * w[self.d] if self.constant else 0.0
        cut.run(
            lambda cursor, limit, slot: linear_svm.values_pass(X, own, offset, cut.bounds, cursor, limit, out)
        )
        return out

    def sums(self, G: np.ndarray) -> np.ndarray:
        """The rows summed with the weights in each row of G: shape (k, width)."""
        k = len(G)
        cut, X = stripes(self.n, 0.2 * k * self.d + 3), self.X
        out = np.zeros((len(cut), k, self.d + 17))
        cut.run(lambda cursor, limit, slot: linear_svm.sums_pass(X, G, cut.bounds, cursor, limit, out))
        total = out[0] if len(cut) == 1 else out.sum(axis=0)
        total = total[:, : self.width]
        if self.constant:
            total[:, self.d] *= self.constant
        return np.ascontiguousarray(total)

    def step(self, weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Newton's step: -(I + second moments under `weights`)^-1 times the gradient."""
        H = self.crossed(weights)
        H.flat[:: len(H) + 1] += 1
        return -factorised(H)(gradient)

    def crossed(self, weights: np.ndarray) -> np.ndarray:
        """The matrix of second moments of the rows under weights of at least 0."""
        kept = np.flatnonzero(weights)
        step = max(1, _MEMORY // self.d)
        if self.d < 32 or len(kept) > _PART * self.n:
            products, sums = moments(self.X, weights=weights)
        else:
            products, sums = np.zeros((self.d, self.d)), np.zeros(self.d)
            for at in range(0, len(kept), step):
                some = kept[at : at + step]
                more = moments(self.X[some], weights=weights[some])
                products += more[0]
                sums += more[1]
        if not self.constant:
            return products
        out = np.empty((self.width, self.width))
        out[:-1, :-1] = products
        out[-1, :-1] = out[:-1, -1] = self.constant * sums
        out[-1, -1] = self.constant**2 * weights.sum()
        return out


class WideDesign(Design):
    """Dense records whose second moments are too many to look at."""

    @one_thread()
    def step(self, weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """As `Design.step`, by conjugate gradients, to a precision that grows as the gradient falls."""
        length = float(np.linalg.norm(gradient))
        self._first = max(self._first, length)
        enough = min(0.1, float(np.sqrt(length / self._first))) * length
        diagonal = 1 + self.squares(weights)
        x, r = np.zeros_like(gradient), gradient.copy()
        z = r / diagonal
        p, rz = z, float(r @ z)
        for _ in range(_MOST_STEPS):
            Hp = p + self.sums((weights * self.values(p))[None])[0]
            t = rz / float(p @ Hp)
            x += t * p
            r -= t * Hp
            if np.linalg.norm(r) <= enough:
                break
            z = r / diagonal
            before, rz = rz, float(r @ z)
            p = z + (rz / before) * p
        return -x

    _first = 0.0

    @one_thread()
    def squares(self, weights: np.ndarray) -> np.ndarray:
        """The diagonal of `crossed`."""
        out = np.zeros(self.width)
        for at in range(0, self.n, _CHUNK):
            some = slice(at, at + _CHUNK)
            out[: self.d] += weights[some] @ self.X[some].astype(np.float64) ** 2
        out[self.d :] = self.constant**2 * weights.sum()
        return out


class SparseDesign(WideDesign):
    """CSR records and a column of constants."""

    def __init__(self, X: CSR, constant: float):
        self.X, self.constant = X, constant
        self.n, self.d = X.shape
        self.width = self.d + (constant > 0)
        X = X.astype(np.float64)
        self._rows, self._columns = SparseOperator(X), SparseOperator(transposed(X))
        self._squares = SparseOperator(transposed(CSR(X.data**2, X.indices, X.indptr, X.shape)))

    def values(self, w: np.ndarray) -> np.ndarray:
        """The rows times w."""
        out = self._rows(np.ascontiguousarray(w[: self.d]))
        return out + self.constant * w[self.d] if self.constant else out

    def sums(self, G: np.ndarray) -> np.ndarray:
        """The rows summed with the weights in each row of G: shape (k, width)."""
        return np.stack([np.append(self._columns(g), self._last(g)) for g in G])

    def _last(self, g: np.ndarray) -> np.ndarray:
        return np.full(self.width - self.d, self.constant * g.sum())

    def squares(self, weights: np.ndarray) -> np.ndarray:
        """The diagonal of the matrix of second moments."""
        return np.append(self._squares(weights), self.constant * self._last(weights))


@one_thread()
def factorised(H: np.ndarray) -> Any:
    """A function that solves with H, symmetric and positive definite up to rounding."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    top, ridge = float(H.diagonal().max()), 0.0
    while True:
        try:
            factor = cho_factor(H, lower=True, check_finite=False)
            return lambda right: cho_solve(factor, right.T, check_finite=False).T
        except LinAlgError:
            # Rounding has made it indefinite: what is added is no more than rounding.
            more = max(10 * ridge, 1e-15 * top)
            H = H + (more - ridge) * np.eye(len(H))
            ridge = more


def band_losses(
    u: np.ndarray,
    du: np.ndarray,
    t: float,
    bands: Any,
    cost: np.ndarray,
    out: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Squared losses at u + t du, and their first and second derivatives by t.

    Parameters
    ----------
    u, du : ndarray of shape (n,)
        With `out`, u is moved there.
    t : float
    bands : (low, high)
        Bounds between which nothing is lost.
    cost : ndarray of shape (n,)
    out : two ndarrays of shape (n,), optional
        Where derivatives of each loss by its value go.

    Returns
    -------
    ndarray of shape (3,)
    """
    cut = stripes(len(u), 3.0)
    sums = np.empty((len(cut), 16))
    g, h = (u, u) if out is None else out
    cut.run(
        lambda cursor, limit, slot: linear_svm.band_pass(
            u, du, t, out is not None, *bands, cost, cut.bounds, cursor, limit, g, h, sums
        )
    )
    return sums[:, :3].sum(axis=0)
