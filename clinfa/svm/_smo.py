"""Sequential minimal optimisation by blocks: one solver for all five support vector problems.

    maximise  v'b - b'K b / 2   with  low <= b <= high  and the sum of b fixed in one or two groups of
    variables

A block of variables, those that violate optimality most and those that were free last, is optimised by steps
of two variables in a small matrix of kernel values [1]_ [2]_. What has changed then moves the gradient of all
variables; the kernel values that this takes are computed on all threads and forgotten (docs/kernels.md,
"SMO"). No row of the kernel is ever stored.

References
----------
.. [1] John C. Platt, Fast training of support vector machines using sequential minimal optimization, in:
   Advances in Kernel Methods, MIT Press 1999.
.. [2] Rong-En Fan, Pai-Hsuen Chen and Chih-Jen Lin, Working set selection using second order information for
   training support vector machines, JMLR 6, 2005.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clinfa._core import smo
from clinfa.svm._rows import Few, Rows, Tiles

__all__ = ["Problem", "Solution", "solve", "solve_few"]

_LANES = smo.LANES
_BLOCK = 1024  # variables that are optimised at a time, at first
_MOST_BLOCK = 4096
_INNER = 0.1  # a block is optimised until its gap is so much of the whole one
_STEP_NS = 0.6  # of a step, for each variable of the block
_CALL_NS = 30_000_000
_CALL_STEPS = int(_CALL_NS / _STEP_NS)
_SAFE = 4.0  # how much larger than what rounding is expected to change it may be
_SHARE = 0.1  # of the tolerance, that rounding may be without a second look
_LOOKS = 30
_SHARP = 3  # of these, from which on all is computed in double
_STALL, _CALM = (
    50,
    10_000,
)  # steps in single precision, for each variable and at least, before that is doubted
_LAZY = 2048  # variables up to which rows are computed one by one, and kept


@dataclass(frozen=True)
class Problem:
    """A problem for `solve`.

    Attributes
    ----------
    v, low, high, start : ndarray of shape (m,), float64
        `start` keeps the sums that are fixed.
    records : ndarray of shape (m,), int64
        Whose row of the kernel belongs to each variable.
    split : int
        The variables before it are one group, those from it on another; m where there is one group.
    """

    v: np.ndarray
    low: np.ndarray
    high: np.ndarray
    start: np.ndarray
    records: np.ndarray
    split: int

    @property
    def groups(self) -> list[slice]:
        m = len(self.v)
        return [slice(0, self.split), slice(self.split, m)] if self.split < m else [slice(0, m)]


@dataclass(frozen=True)
class Solution:
    """What `solve` found.

    Attributes
    ----------
    b : ndarray of shape (m,)
    thresholds : ndarray of shape (groups,)
        The gradient of the free variables of each group.
    objective : float
        v'b - b'K b / 2.
    gap : float
        The greatest gradient of a variable that may grow less the least of one that may shrink, in the worse
        group: the greatest violation of optimality.
    n_steps : int
    converged : bool
    """

    b: np.ndarray
    thresholds: np.ndarray
    objective: float
    gap: float
    n_steps: int
    converged: bool


def solve(
    rows: Rows,
    problem: Problem,
    tol: float,
    *,
    max_iter: int = -1,
    memory: float = 200e6,
    report: Callable[..., None] | None = None,
) -> Solution:
    """Optimise until the gap is at most `tol`.

    Parameters
    ----------
    rows : Rows
    problem : Problem
    tol : float
    max_iter : int
        Most steps of two variables; -1 for as many as it takes (up to ten millions, or a hundred for each
        variable).
    memory : float
        Bytes that blocks may take.
    report : callable, optional
        As `logging.Logger.info`.
    """
    return _Run(rows, problem, tol, max_iter, memory, report).run()


def solve_few(
    rows: Few, parts: Sequence[tuple[np.ndarray, Problem]], tol: float, *, max_iter: int = -1
) -> list[Solution]:
    """The same for small problems, all in one call.

    Parameters
    ----------
    rows : Few
        Whose values of a record with itself are finite where they are there already.
    parts : sequence of (ndarray of shape (k,), Problem)
        The rows that a problem's records are, and the problem.
    """
    problems = [p for _, p in parts]
    ends = np.zeros((len(parts), 3), np.int64)
    ends[:, 2] = np.cumsum([len(p.v) for p in problems])
    ends[1:, 0] = ends[:-1, 2]
    ends[:, 1] = ends[:, 0] + [p.split for p in problems]
    records = np.concatenate([which[p.records] for which, p in parts])
    limits = np.concatenate([(p.v, p.low, p.high) for p in problems], axis=1)
    b = np.concatenate([p.start for p in problems])
    most = max(_padded(p.split) + _padded(len(p.v) - p.split) for p in problems)
    block, state = np.empty(most * most, rows.dtype), np.empty(7 * most)
    scratch = block, np.empty(most, np.int32), np.empty(most, np.int64), state
    place, steps = np.zeros(3, np.int64), np.zeros(len(parts), np.int64)
    found = np.empty((len(parts), 4))
    allowed = _steps(max_iter, max(len(p.v) for p in problems))
    while place[0] < len(parts):
        smo.problems_pass(
            *rows.arrays, ends, records, limits, b, tol, allowed, _CALL_STEPS, place, *scratch, found, steps
        )
    _check(float(np.abs(rows.diagonal).max()))
    solutions = []
    for (begin, split, end), (gap, one, other, objective), n_steps in zip(
        ends.tolist(), found.tolist(), steps.tolist(), strict=True
    ):
        _check(gap)
        _check(abs(objective))  # (steps pass by gradients that are no numbers; the objective does not)
        thresholds = np.array([one] if split == end else [one, other])
        solutions.append(Solution(b[begin:end], thresholds, objective, max(gap, 0.0), n_steps, gap <= tol))
    return solutions


def _steps(max_iter: int, m: int) -> int:
    """How many steps may be done."""
    return max_iter if max_iter >= 0 else max(min(10_000_000, 10_000 * m), 100 * m)


def _check(value: float) -> None:
    if not value < np.inf:
        raise ValueError("The kernel has values that are not finite for these records.")


class _Run:
    """The state of one optimisation."""

    def __init__(
        self,
        rows: Rows,
        problem: Problem,
        tol: float,
        max_iter: int,
        memory: float,
        report: Callable[..., None] | None,
    ):
        m = len(problem.v)
        self.rows, self.problem, self.tol, self.report = rows, problem, tol, report
        self.memory = memory
        self.left = _steps(max_iter, m)
        self.b = problem.start.copy()
        self.total = np.zeros(rows.n)  # K b
        self.spread = 0.0  # squares of all changes since `total` was exact
        self.n_steps = 0
        self.recent = np.empty(0, np.int64)
        self.lazily = m == rows.n and m <= _LAZY and isinstance(rows, Tiles)
        # (The block in both layouts, and a little more.)
        self.most = max(4 * _LANES, min(_MOST_BLOCK, int(np.sqrt(memory / 16))))
        self.size = min(_BLOCK, self.most)
        started = np.flatnonzero(self.b)
        if len(started):
            self._move(started, self.b[started])

    def run(self) -> Solution:
        looks = 0
        while True:
            if np.isinf(self.spread):
                self._refresh()
            gap = self._look()
            _check(gap)
            if self.report is not None:
                self.report("step %d: gap %.3g", self.n_steps, gap)
            if gap > self.tol and self.left > 0:
                if not (self.lazily and self._optimise_lazily()):
                    self._optimise(self._block(), gap)
            elif self._noise() <= _SHARE * self.tol or looks == _LOOKS:
                return self._solution(gap)
            else:
                self._refresh()
                looks += 1
                if looks == _SHARP:  # what single precision finds does not hold in double
                    self.rows.sharpen()

    def _look(self) -> float:
        """The gradient, who may grow and shrink with it, and the gap."""
        p = self.problem
        self.g = p.v - self.total[p.records]
        self.up = np.where(self.b < p.high, self.g, -np.inf)
        self.down = np.where(self.b > p.low, self.g, np.inf)
        self.ends = [(self.up[group].max(), self.down[group].min()) for group in p.groups]
        with np.errstate(invalid="ignore"):
            return float(np.max([most - least for most, least in self.ends]))

    def _noise(self) -> float:
        return _SAFE * self.rows.noise * float(np.sqrt(self.spread))

    def _refresh(self) -> None:
        records, weights = self._support()
        self.total = self.rows.exact(records, weights) if len(records) else np.zeros(self.rows.n)
        self.spread = 0.0

    def _support(self) -> tuple[np.ndarray, np.ndarray]:
        sums = np.bincount(self.problem.records, self.b, self.rows.n)
        records = np.flatnonzero(sums)
        return records, sums[records]

    def _block(self) -> np.ndarray:
        """The variables to optimise: the last that were free, and those that violate optimality most."""
        m = len(self.b)
        if m <= self.size:
            return np.arange(m)
        kept = self.recent[-(self.size // 2) :]
        inside = np.zeros(m, bool)
        inside[kept] = True
        parts = [kept]
        room = (self.size - len(kept)) // (2 * len(self.ends))
        for group, (most, least) in zip(self.problem.groups, self.ends, strict=True):
            for key, limit in ((-self.up[group], -least), (self.down[group], most)):
                key = np.where(inside[group], np.inf, key)
                some = np.argpartition(key, room - 1)[:room] if room < len(key) else np.arange(len(key))
                some = group.start + some[key[some] < limit]
                inside[some] = True
                parts.append(some)
        block = np.concatenate(parts)
        split = self.problem.split
        return block if split == m else np.concatenate([block[block < split], block[block >= split]])

    def _optimise(self, block: np.ndarray, gap: float) -> None:
        """Steps within a block, and what they mean for all."""
        p, whole = self.problem, len(block) == len(self.b)
        first = int(np.count_nonzero(block < p.split))
        split, width = _padded(first), _padded(first) + _padded(len(block) - first)
        at = np.arange(len(block))
        at[first:] += split - first
        padded = np.full(width, block[0])
        padded[at] = block
        K = self.rows.block(p.records[padded])
        state = np.zeros((7, width))
        state[1], state[2] = -np.inf, np.inf
        before, low, high = self.b[block], p.low[block], p.high[block]
        state[0, at], state[3, at], state[4, at], state[5, at] = self.g[block], before, low, high
        state[1, at[before < high]] = state[2, at[before > low]] = 0.0
        state[6] = K.diagonal()
        tol = self.tol if whole else max(_INNER * gap, 0.5 * self.tol)
        most, left = max(1, int(_CALL_NS / (_STEP_NS * width))), np.inf
        steps = 0
        while left > tol and self.left > 0:
            if self._stalls(K, steps):
                break
            asked = min(most, self.left)
            done, left = smo.steps_pass(K, split, state, tol, asked)
            steps += done
            self.left -= done
            if done < asked and left > tol:  # a step that rounding swallows: there is nothing to be gained
                self.left = 0
        self.n_steps += steps
        after = state[3, at]
        self.b[block] = after
        changed = np.flatnonzero(after != before)
        self._move(block[changed], (after - before)[changed])
        if not whole:
            self._remember(block, after, changed, low, high)

    def _optimise_lazily(self) -> bool:
        """Steps on all variables, each of a record of its own, with rows computed as they are needed.

        False where that is no way to go: too many rows are needed, or the kernel is of another kind.
        """
        p, m = self.problem, len(self.b)
        width = _padded(p.split) + _padded(m - p.split)
        at = np.arange(m)
        at[p.split :] += _padded(p.split) - p.split
        padded = np.zeros(width, np.int64)
        padded[at] = np.arange(m)
        lazy = self.rows.lazy(p.records[padded])
        if lazy is None:
            self.lazily = False
            return False
        state = np.zeros((7, width))
        state[1], state[2] = -np.inf, np.inf
        state[0, at], state[3, at], state[4, at], state[5, at] = self.g, self.b, p.low, p.high
        state[1, at[self.b < p.high]] = state[2, at[self.b > p.low]] = 0.0
        state[6, at] = self.rows.diagonal[p.records]
        slots = max(2, int(min(width, self.memory / (width * lazy.Y.itemsize))))
        size = slots * width * lazy.Y.itemsize
        spare = self.rows.spare.pop() if self.rows.spare else np.empty(0, np.uint8)
        spare = spare if len(spare) >= size else np.empty(size, np.uint8)
        kept = spare[:size].view(lazy.Y.dtype).reshape(slots, width)
        slot, used = np.full(width, -1, np.int32), np.zeros(1, np.int64)
        X = np.ascontiguousarray(lazy.Y - lazy.shift)
        how = lazy.function.codes[1:]
        squared, split = lazy.function.measure == "squared", _padded(p.split) if p.split < m else width
        # (In the worst case every step needs two new rows.)
        most, left = max(1, int(_CALL_NS / ((_STEP_NS + 0.3 * X.shape[1]) * width))), np.inf
        steps = 0
        while left > self.tol and self.left > 0:
            if self._stalls(kept, steps):
                break
            asked = min(most, self.left)
            done, left = smo.lazy_pass(
                *(X, lazy.tiles, squared, *how, split, state, self.tol, asked, slot, used, kept)
            )
            steps += done
            self.n_steps, self.left = self.n_steps + done, self.left - done
            if done < asked and left > self.tol:
                self.lazily = used[0] < slots  # else there is no room for another row
                self.left = 0 if self.lazily else self.left
                break
        if self.lazily:  # (else blocks need the room)
            self.rows.spare.append(spare)
        after = state[3, at]
        self.spread += float(np.square(after - self.b).sum())
        self.b, self.total[p.records] = after, p.v - state[0, at]
        return True

    def _stalls(self, K: np.ndarray, steps: int) -> bool:
        """Whether rounding may be what keeps steps in single precision from an end; then double is next."""
        if K.dtype == np.float64 or steps < _STALL * K.shape[1] + _CALM:
            return False
        self.rows.sharpen()
        self.spread = np.inf
        return True

    def _move(self, variables: np.ndarray, changes: np.ndarray) -> None:
        """Add K times the changes of some variables to `total`."""
        if not len(variables):
            return
        records = self.problem.records[variables]
        if len(self.b) > self.rows.n:  # two variables may have one record
            records, places = np.unique(records, return_inverse=True)
            changes = np.bincount(places, changes)
        self.rows.add(records, changes, self.total)
        self.spread += float(np.square(changes).sum())

    def _remember(
        self, block: np.ndarray, b: np.ndarray, changed: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> None:
        """Who is to stay in the next block: free variables before others that changed, before the rest."""
        rank = np.zeros(len(block), np.int8)
        rank[changed] = 1
        rank[(b > low) & (b < high)] = 2
        self.recent = block[np.argsort(rank, kind="stable")]
        if np.count_nonzero(rank == 2) > self.size // 2:
            self.size = min(2 * self.size, self.most)

    def _solution(self, gap: float) -> Solution:
        p = self.problem
        free = (self.b > p.low) & (self.b < p.high)
        thresholds = np.empty(len(self.ends))
        for i, (group, (most, least)) in enumerate(zip(p.groups, self.ends, strict=True)):
            inner = self.g[group][free[group]]
            if len(inner):
                thresholds[i] = inner.mean()
            else:
                ends = [end for end in (most, least) if np.isfinite(end)]
                thresholds[i] = sum(ends) / max(len(ends), 1)
        objective = float(0.5 * (self.b * (p.v + self.g)).sum())
        return Solution(self.b, thresholds, objective, max(gap, 0.0), self.n_steps, gap <= self.tol)


def _padded(n: int) -> int:
    return -(-n // _LANES) * _LANES
