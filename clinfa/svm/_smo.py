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
from clinfa.svm._rows import Few, Rows, Tiles, in_lanes

__all__ = ["Batch", "NotFinite", "Problem", "Solution", "solve", "solve_few"]

_LANES = smo.LANES
_BLOCK = 1024  # variables that are optimised at a time, at first
_MOST_BLOCK = 4096
_INNER = 0.1  # a block is optimised until its gap is so much of the whole one
_STEP_NS = 0.6  # of a step, for each variable of the block
_CALL_NS = 30_000_000
_CALL_STEPS = int(_CALL_NS / _STEP_NS)
_MOST_STEPS = 1 << 62
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
class Batch:
    """Small problems of one kernel, one after another, for `solve_few`.

    Attributes
    ----------
    records : ndarray of shape (m,), int64
        Whose row of the kernel belongs to each variable.
    limits : ndarray of shape (3, m)
        Their v, low and high.
    start : ndarray of shape (m,)
    ends : list of (int, int, int)
        The first variable of each problem, the first of its second group, and the one after its last.
    """

    records: np.ndarray
    limits: np.ndarray
    start: np.ndarray
    ends: list[tuple[int, int, int]]

    @classmethod
    def of(cls, parts: Sequence[tuple[np.ndarray, Problem]]) -> Batch:
        """Problems, each with the rows that its records are."""
        ends, begin, limits = [], 0, np.empty((3, sum(len(p.v) for _, p in parts)))
        for _, p in parts:
            end = begin + len(p.v)
            limits[0, begin:end], limits[1, begin:end], limits[2, begin:end] = p.v, p.low, p.high
            ends.append((begin, begin + p.split, end))
            begin = end
        records = np.concatenate([which[p.records] for which, p in parts])
        return cls(records, limits, np.concatenate([p.start for _, p in parts]), ends)


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


def solve_few(rows: Few, batch: Batch, tol: float, *, max_iter: int = -1) -> list[Solution]:
    """The same for small problems, all in one call."""
    count, b, ends = len(batch.ends), batch.start.copy(), np.array(batch.ends)
    most = max(_padded(split - begin) + _padded(end - split) for begin, split, end in batch.ends)
    block, state = np.empty(most * most, rows.dtype), np.empty(7 * most)
    scratch = block, np.empty(most, np.int32), np.empty(most, np.int64), state
    place, steps, found = np.zeros(3, np.int64), np.zeros(count, np.int64), np.empty((count, 4))
    problems = ends, batch.records, batch.limits, b, tol, _steps(max_iter, most), _CALL_STEPS
    while place[0] < count:
        smo.problems_pass(*rows.arrays, *problems, place, *scratch, found, steps)
    _check(float(np.abs(rows.diagonal).max()))
    solutions = []
    for (begin, split, end), figures, n_steps in zip(batch.ends, found, steps.tolist(), strict=True):
        gap, _, _, objective = figures.tolist()
        _check(gap)
        _check(abs(objective))  # (steps pass by gradients that are no numbers; the objective does not)
        thresholds = figures[1:2] if split == end else figures[1:3]
        solutions.append(Solution(b[begin:end], thresholds, objective, max(gap, 0.0), n_steps, gap <= tol))
    return solutions


def _steps(max_iter: int, m: int) -> int:
    """How many steps may be done."""
    return min(max_iter, _MOST_STEPS) if max_iter >= 0 else max(min(10_000_000, 10_000 * m), 100 * m)


class NotFinite(ValueError):
    """Values of the kernel are not: `args` is one of them, or what came of them."""


def _check(value: float) -> None:
    if not value < np.inf:
        raise NotFinite(value)


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
        at, split, width = self._places(block)
        padded = np.full(width, block[0])
        padded[at] = block
        K, state = self.rows.block(p.records[padded]), self._state(block, at, width)
        state[6] = K.diagonal()
        tol = self.tol if whole else max(_INNER * gap, 0.5 * self.tol)
        most = max(1, int(_CALL_NS / (_STEP_NS * width)))
        if self._steps_on(lambda asked: smo.steps_pass(K, split, state, tol, asked), most, tol, K):
            self.left = 0  # rounding swallows steps: there is nothing to be gained
        after = state[3, at]
        change = after - self.b[block]
        self.b[block] = after
        changed = np.flatnonzero(change)
        self._move(block[changed], change[changed])
        if not whole:
            self._remember(block, changed)

    def _optimise_lazily(self) -> bool:
        """Steps on all variables, each of a record of its own, with rows computed as they are needed.

        False where that is no way to go: too many rows are needed, or the kernel is of another kind.
        """
        p, every = self.problem, np.arange(len(self.b))
        at, split, width = self._places(every)
        padded = np.zeros(width, np.int64)
        padded[at] = every
        rows = self.rows.lazy(p.records[padded])
        if rows is None:
            self.lazily = False
            return False
        state = self._state(every, at, width)
        state[6, at] = self.rows.diagonal[p.records]
        room, kept = self._room(width, rows.Y.dtype)
        slot, used, lanes = np.full(width, -1, np.int32), np.zeros(1, np.int64), in_lanes(rows)
        # (In the worst case every step needs two new rows.)
        most = max(1, int(_CALL_NS / ((_STEP_NS + 0.3 * rows.d) * width)))
        if self._steps_on(
            lambda asked: smo.lazy_pass(*lanes, split, state, self.tol, asked, slot, used, kept),
            *(most, self.tol, kept),
        ):
            self.lazily = used[0] < len(kept)  # else there is no room for another row
            self.left = 0 if self.lazily else self.left
        if self.lazily:  # (else blocks need the room)
            self.rows.spare.append(room)
        after = state[3, at]
        self.spread += float(np.square(after - self.b).sum())
        self.b, self.total[p.records] = after, p.v - state[0, at]
        return True

    def _places(self, block: np.ndarray) -> tuple[np.ndarray, int, int]:
        """Where variables stand if groups begin at whole vectors, where the second begins, and the width."""
        first = int(np.count_nonzero(block < self.problem.split))
        split, at = _padded(first), np.arange(len(block))
        at[first:] += split - first
        return at, split, split + _padded(len(block) - first)

    def _state(self, block: np.ndarray, at: np.ndarray, width: int) -> np.ndarray:
        """As `smo.steps_pass` takes it, but for the diagonal."""
        p, state, b = self.problem, np.zeros((7, width)), self.b[block]
        low, high = p.low[block], p.high[block]
        state[1], state[2] = -np.inf, np.inf
        state[0, at], state[3, at], state[4, at], state[5, at] = self.g[block], b, low, high
        state[1, at[b < high]] = state[2, at[b > low]] = 0.0
        return state

    def _room(self, width: int, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """Memory for as many rows as are allowed, what another problem has left if it did, and as rows."""
        slots = max(2, int(min(width, self.memory / (width * dtype.itemsize))))
        size = slots * width * dtype.itemsize
        room = self.rows.spare.pop() if self.rows.spare else np.empty(0, np.uint8)
        room = room if len(room) >= size else np.empty(size, np.uint8)
        return room, room[:size].view(dtype).reshape(slots, width)

    def _steps_on(
        self, call: Callable[[int], tuple[int, float]], most: int, tol: float, rows: np.ndarray
    ) -> bool:
        """Calls of up to `most` steps until the gap is small; whether one did fewer, and it is not."""
        steps, left = 0, np.inf
        while left > tol and self.left > 0 and not self._stalls(rows, steps):
            asked = min(most, self.left)
            done, left = call(asked)
            steps += done
            self.n_steps += done
            self.left -= done
            if done < asked and left > tol:
                return True
        return False

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

    def _remember(self, block: np.ndarray, changed: np.ndarray) -> None:
        """Who is to stay in the next block: free variables before others that changed, before the rest."""
        b, p = self.b[block], self.problem
        rank = np.zeros(len(block), np.int8)
        rank[changed] = 1
        rank[(b > p.low[block]) & (b < p.high[block])] = 2
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
