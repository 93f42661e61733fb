"""The block method behind `lobpcg` and `truncated_eigh`.

One iteration looks for better pairs in the span of three blocks: X, the pairs so far; P, the part of them
that was new last time; W, where to go next. W is what tells LOBPCG (the preconditioned residuals) from a
Chebyshev-filtered subspace iteration (a polynomial of A times X).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from clinfa.blas import matmul, one_thread
from clinfa.linalg._blocks import combined, crossed
from clinfa.linalg._chebyshev import filtered, growth
from clinfa.linalg._operators import Operator
from clinfa.linalg._ritz import orthonormal, residuals, ritz_pairs, spanning

__all__ = ["Problem", "Search"]

_LIMIT = {4: 1e4, 8: 1e11}  # how far a filter may raise rounding noise against what is wanted
_FEWEST, _MOST = 8, 64  # degrees of a filter


@dataclass
class Problem:
    """A x = lambda B x, restricted to what is B-orthogonal to some vectors.

    Attributes
    ----------
    A : Operator
    B, M : Operator or None
        None for the identity.
    Y : ndarray of shape (n, c)
        B-orthonormal.
    BY : ndarray of shape (n, c)
    largest : bool
    """

    A: Operator
    B: Operator | None
    M: Operator | None
    Y: np.ndarray
    BY: np.ndarray
    largest: bool

    def project(self, block: np.ndarray) -> np.ndarray:
        """The block less its part in Y."""
        for _ in range(2 if self.Y.shape[1] else 0):
            block = block - combined(self.Y, crossed(self.BY, block))
        return block

    def basis(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A B-orthonormal basis of a block's columns less their parts in Y, and B times it."""
        block = orthonormal(self.project(block))
        if self.B is None:
            return block, block
        for _ in range(2):
            T = spanning(crossed(block, self.B(block)))
            if T.shape[1] < block.shape[1]:
                raise ArithmeticError("B is not positive on some vectors")
            block = self.project(combined(block, T))
        return block, self.B(block)


@dataclass
class Outcome:
    """Where a search ended. Values are those of the operator as it is applied (its scale included).

    Attributes
    ----------
    values : ndarray of shape (b,)
        The best first.
    vectors : ndarray of shape (n, b)
    residuals : ndarray of shape (b,)
    converged : bool
    n_iter : int
    history : list of ndarray of shape (wanted,)
        Residual norms before each iteration and after the last.
    """

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    converged: bool
    n_iter: int
    history: list[np.ndarray] = field(default_factory=list)


class Search:
    """Better and better pairs, from a start.

    Parameters
    ----------
    problem : Problem
    X : ndarray of shape (n, b)
        B-orthonormal start, orthogonal to the problem's Y.
    wanted : int
        How many of the b pairs must converge; the others help.
    bounds : (float, float) or None
        Of the spectrum, from which filters are made; None for LOBPCG's own directions.
    norm : float
        About the norm of A.
    """

    def __init__(
        self,
        problem: Problem,
        X: np.ndarray,
        wanted: int,
        bounds: tuple[float, float] | None,
        norm: float,
    ):
        self.problem, self.wanted, self.bounds, self.norm = problem, wanted, bounds, norm
        n, self.b = X.shape
        dtype = X.dtype
        # [X | P | W], and A and B times them.
        self.S, self.AS = np.empty((2, n, 3 * self.b), dtype)
        self.BS = self.S if problem.B is None else np.empty((n, 3 * self.b), dtype)
        self.p = 0  # columns of P
        # Made when first needed, by type.
        self._scratch: dict[np.dtype, np.ndarray] = {}
        self._cast: dict[np.dtype, tuple[np.ndarray, np.ndarray]] = {}
        self._narrow: Operator | None = None
        self._scale = float(np.ldexp(1.0, -int(np.frexp(norm)[1]))) if norm > 0 else 1.0
        self._begin(X)

    def _multiply(self, columns: slice) -> None:
        """A and B times some columns of S, by the operators themselves."""
        self.problem.A(self.S[:, columns], self.AS[:, columns])
        if self.problem.B is not None:
            self.problem.B(self.S[:, columns], self.BS[:, columns])

    @one_thread()
    def _rotate(self, K: np.ndarray, M: np.ndarray) -> None:
        """The best b pairs in the span of the first columns, of which K and M are the inner products with A
        and B.

        What is new in them becomes P.
        """
        m, b = len(M), self.b
        values, C = ritz_pairs(K, M)
        if self.problem.largest:
            values, C = values[::-1], C[:, ::-1]
        if len(values) < b:
            raise ArithmeticError(f"the basis of {m} vectors has rank {len(values)}, below {b}")
        self.theta, C = values[:b].copy(), C[:, :b]
        if m > b:
            new = C.copy()
            new[:b] = 0
            for _ in range(2):
                new -= C @ (C.T @ (M @ new))
                new = new @ spanning(new.T @ M @ new, 1e-10)
            C = np.concatenate([C, new], axis=1)
        self.p = C.shape[1] - b
        self.K, self.M = C.T @ K @ C, C.T @ M @ C
        in_place = np.zeros(m)
        for block in (self.S, self.AS) if self.problem.B is None else (self.S, self.AS, self.BS):
            combined(block[:, :m], C, shift=in_place, out=block[:, : C.shape[1]])

    def _begin(self, X: np.ndarray) -> None:
        """X alone, and its products by the operators themselves: rounding that has gathered is gone."""
        self.p = 0
        self.S[:, : self.b] = X
        self._multiply(slice(0, self.b))
        S, AS, BS = (block[:, : self.b] for block in (self.S, self.AS, self.BS))
        self._rotate(crossed(S, AS), crossed(S) if self.problem.B is None else crossed(S, BS))

    def run(
        self, tol: float, max_iter: int, watch: Callable[[int, np.ndarray, np.ndarray], None] | None = None
    ) -> Outcome:
        """Iterate until the residuals of the wanted pairs are at most `tol`.

        Parameters
        ----------
        tol : float
        max_iter : int
        watch : callable or None
            Called with the iteration, the values and the residual norms.
        """
        b, k, problem = self.b, self.wanted, self.problem
        history: list[np.ndarray] = []
        kind = self._plan()[0]
        fresh, n_iter, best, since = False, 0, np.inf, 0
        while True:
            R = self._room(kind)[0]
            norms = self._residuals(R)
            history.append(norms[:k])
            if watch is not None:
                watch(n_iter, self.theta[:k], norms[:k])
            worst = norms[:k].max(initial=0.0)
            if worst <= tol:
                if fresh:
                    break
                self._begin(problem.basis(np.ascontiguousarray(self.S[:, :b]))[0])
                history.pop()
                fresh = True
                continue
            since = 0 if worst < 0.9 * best else since + 1
            best = min(best, worst)
            floor = 1e3 * np.finfo(self.S.dtype).eps * self.norm
            if n_iter >= max_iter or (since > 10 and worst < floor):
                break
            n_iter += 1
            fresh = False
            self._step(R, norms, tol)
            kind = self._plan()[0]
        return Outcome(
            self.theta, np.ascontiguousarray(self.S[:, :b]), norms, bool(worst <= tol), n_iter, history
        )

    def _residuals(self, R: np.ndarray) -> np.ndarray:
        """A X - B X theta into R, scaled, less what the constraints push against; the norms, not scaled."""
        b, own = self.b, self.S.dtype
        if not self.problem.Y.shape[1]:
            return residuals(self.AS[:, :b], self.BS[:, :b], self.theta, R, self._scale) / self._scale
        full = R if R.dtype == own else self._room(own)[0]
        residuals(self.AS[:, :b], self.BS[:, :b], self.theta, full, self._scale)
        full -= combined(self.problem.BY, crossed(self.problem.Y, full))
        norms = np.sqrt(crossed(full).diagonal()[:b])
        if full is not R:
            R[:] = full
        return norms / self._scale

    def _constraints(self, kind: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """Y and B Y in some type."""
        if kind not in self._cast:
            self._cast[kind] = (self.problem.Y.astype(kind), self.problem.BY.astype(kind))
        return self._cast[kind]

    def _room(self, kind: np.dtype) -> np.ndarray:
        """Three blocks of padded columns: residuals, and two for the filter."""
        if kind not in self._scratch:
            width = -(-self.b // 8) * 8
            self._scratch[kind] = np.zeros((3, len(self.S), width), kind)
        return self._scratch[kind]

    def _plan(self) -> tuple[np.dtype, int, float]:
        """The filter: its type, its degree, and where the wanted part begins."""
        own = self.S.dtype
        if self.bounds is None:
            return own, 1, 0.0
        cut = self._cut()
        low, high = self._interval(cut)
        if not high > low:
            return own, 1, cut
        rates = growth(self.theta, low, high)
        most = float(rates.max())
        behind = float(rates[min(self.wanted, self.b) - 1])
        degree = int(min(max(3.5 / max(behind, 1e-3), _FEWEST), _MOST))
        narrow = np.dtype(np.float32)
        for kind in (narrow, own):
            allowed = int(np.log(_LIMIT[kind.itemsize]) / max(most - behind, 1e-3))
            if allowed >= min(degree, _FEWEST):
                break
        return kind, max(1, min(degree, allowed)), cut

    def _cut(self) -> float:
        """Where the unwanted part of the spectrum begins: at the last pair that is carried.

        Where that has the same value as the last one wanted, nothing would tell the two apart from what comes
        next: then a little beyond.
        """
        last, wanted = float(self.theta[-1]), float(self.theta[self.wanted - 1])
        width = abs(last - self.bounds[0 if self.problem.largest else 1])
        if abs(wanted - last) > 1e-5 * width:
            return last
        return last - 0.005 * width if self.problem.largest else last + 0.005 * width

    def _interval(self, cut: float) -> tuple[float, float]:
        low, high = self.bounds
        return (min(low, cut), cut) if self.problem.largest else (cut, max(high, cut))

    def _step(self, R: np.ndarray, norms: np.ndarray, tol: float) -> None:
        problem, b, p = self.problem, self.b, self.p
        kind, degree, cut = self._plan()
        if problem.M is not None or self.bounds is None or degree < 2:
            D = R[:, :b]
            if problem.M is not None:
                D = problem.M(np.ascontiguousarray(D))
        else:
            operator = problem.A
            if kind != self.S.dtype:
                if self._narrow is None:
                    self._narrow = problem.A.narrow(self._scale)
                operator = self._narrow
            theta = np.resize(self.theta, R.shape[1])
            theta[b:] = self.theta[0]
            low, high = self._interval(cut)
            by = self._scale if operator is self._narrow else 1.0
            D = filtered(
                operator,
                R,
                theta * by,
                low * by,
                high * by,
                degree,
                self._room(kind)[1:],
                self._constraints(kind)[0],
            )[:, :b]
        moving = np.flatnonzero(norms > 0.1 * tol)
        W = D if len(moving) == b else np.take(D, moving, axis=1)
        W = problem.project(W.astype(self.S.dtype)) if problem.Y.shape[1] else W
        m, w = b + p, W.shape[1]
        S, AS, BS = self.S, self.AS, self.BS
        S[:, m : m + w] = W
        for _ in range(3):
            here = slice(m, m + w)
            if problem.B is not None:
                problem.B(S[:, here], BS[:, here])
            G = crossed(S[:, : m + w], BS[:, here])
            over, inside = G[:m], G[m:] - matmul(G[:m].T, G[:m])
            T = spanning(inside, 1e-10)
            lost, w = inside.diagonal().min() < 1e-2 * G[m:].diagonal().max(), T.shape[1]
            C = np.concatenate([-matmul(over, T), T])
            combined(S[:, : len(C)], C, shift=np.zeros(len(C)), out=S[:, m : m + w])  # (in place)
            if w == 0 or not lost:
                break
        if w == 0:
            return
        self._multiply(slice(m, m + w))
        columns, every = slice(m, m + w), slice(0, m + w)
        K, M = np.zeros((2, m + w, m + w))
        K[:m, :m], M[:m, :m] = self.K, self.M
        for inner, other in ((K, AS), (M, BS)):
            edge = crossed(S[:, every], other[:, columns])
            inner[:, columns] = edge
            inner[columns] = edge.T
            inner[columns, columns] = (edge[m:] + edge[m:].T) / 2
        self._rotate(K, M)
