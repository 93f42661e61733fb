"""Threads: stripes fixed by the size of the problem, taken by however many threads there are.

A kernel gets the bounds of all stripes and a cursor. It takes the next stripe by an atomic add, works on
it without the GIL, and returns after `limit` of them, which is after about 30 ms; between those calls
Python can be interrupted. What a stripe yields goes to the stripe's own place, and the caller combines
those places in the order of the stripes. So the bits of a result never depend on the threads.

The calling thread works too; the others come from one pool of the process, started at first use.

Whole fits that have nothing to do with each other (the folds of a cross-validation) are `jobs`: they share
the threads out among them, and inside each the stripes above work on its share.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from clinfa.config import config_context, thread_count

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Stripes", "jobs", "singly", "stripes"]

# Nanoseconds of work. (Tests make all three a sixteenth: then a few records have the stripes of many.)
SERIAL_NS = 300_000  # below which it stays whole: handing work to a warm pool costs about 50 microseconds
STRIPE_NS = 250_000
CALL_NS = 30_000_000
_MOST_THREADS = 256

_stopped: ContextVar[Event | None] = ContextVar("clinfa_stopped", default=None)
_lock = Lock()
_pool: ThreadPoolExecutor | None = None


def _forget_pool() -> None:
    global _pool, _lock
    _pool, _lock = None, Lock()


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_forget_pool)


def _executor() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        with _lock:
            if _pool is None:
                from concurrent.futures import ThreadPoolExecutor  # small work never needs it

                _pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="clinfa")
    return _pool


class Stopped(BaseException):
    """Ends a job whose result nobody waits for any more."""


@dataclass(frozen=True, slots=True)
class Stripes:
    """Row ranges [bounds[s], bounds[s + 1]) that are worked on independently."""

    bounds: np.ndarray  # (stripes + 1,) int64
    limit: int  # stripes that one kernel call may take
    # Fixed when made: scratch is sized by it, whatever the settings become meanwhile.
    threads: int = 0

    def __post_init__(self) -> None:
        if not self.threads:
            count = len(self)
            object.__setattr__(self, "threads", 1 if count == 1 else min(thread_count(), count))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def width(self) -> int:
        """How many threads will work on them: scratch is made for so many."""
        return self.threads

    def run(self, kernel: Callable[[np.ndarray, int, int], object]) -> None:
        """Call `kernel(cursor, limit, slot)` on every thread until all stripes are taken.

        `cursor` holds the number of the next stripe; `slot` is the thread's own number below `width`,
        by which it finds scratch that nobody else touches.
        """
        n, limit = len(self), self.limit
        stopped = _stopped.get()
        if stopped is not None and stopped.is_set():
            raise Stopped
        cursor = np.zeros(1, np.int64)
        helpers = self.threads - 1
        if helpers <= 0:
            while cursor[0] < n:
                kernel(cursor, limit, 0)
            return

        # A worker lets go of its task some time after it has said to be done; what the kernel works on
        # must not live that long.
        held = [kernel]

        def work(slot: int) -> None:
            mine = held[0]
            while cursor[0] < n:
                mine(cursor, limit, slot)

        futures: list[Future] = []
        try:
            pool = _executor()
            futures.extend(pool.submit(work, slot) for slot in range(1, helpers + 1))
            work(0)
        finally:
            # After an interrupt, or an error in a kernel, nobody takes another stripe.
            if cursor[0] < n:
                cursor[0] = n
            for future in futures:
                future.cancel()
            try:
                for future in futures:
                    if not future.cancelled():
                        future.result()
            finally:
                held.clear()


def stripes(n: int, row_ns: float, *, most: int = 64) -> Stripes:
    """Cut n rows whose work costs about `row_ns` nanoseconds each.

    Parameters
    ----------
    n : int
        Rows.
    row_ns : float
        What a row costs on one core, as a function of the problem's size alone.
    most : int
        The greatest number of stripes that there is memory for (exceeded where a single kernel call
        would otherwise take too long to be interrupted).
    """
    total = n * row_ns
    count = 1 if total < SERIAL_NS else min(most, int(total / STRIPE_NS) + 1)
    count = max(1, min(max(count, int(total / CALL_NS) + 1), n))
    if count == 1:
        return _whole(n)
    bounds = np.arange(count + 1, dtype=np.int64) * n // count
    return Stripes(bounds, max(1, int(CALL_NS * count / max(total, 1.0))))


def singly(n: int, limit: int, threads: int) -> Stripes:
    """Each of n by itself; one call takes `limit` of them."""
    return _whole(1) if n == 1 else Stripes(np.arange(n + 1), limit, threads)


@lru_cache(maxsize=256)
def _whole(n: int) -> Stripes:
    """All rows in one stripe: fits of a few records ask for that more often than for anything else."""
    bounds = np.array([0, n])
    bounds.flags.writeable = False
    return Stripes(bounds, 1, 1)


def jobs(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    """The results of independent jobs, in their order, several worked on at a time.

    Each job sees ``n_threads`` as its share of the threads there are. No more jobs are begun than there are
    threads for and one result ahead, so that no more data lie about. When the caller stops early, or a job
    fails, those under way end at their next kernel call.

    Parameters
    ----------
    work : callable
        Called with one item, in a thread of the pool.
    items : iterable
    """
    threads = thread_count()
    waiting = iter(items)
    first = list(islice(waiting, threads))
    share = max(1, threads // max(len(first), 1))
    stopped = Event()

    def begin(item: Any) -> Future:
        def job() -> Any:
            _stopped.set(stopped)
            if stopped.is_set():
                raise Stopped
            with config_context(n_threads=share):
                return work(item)

        return _executor().submit(copy_context().run, job)

    running: list[Future] = []
    try:
        running.extend(begin(item) for item in first)
        while running:
            result = running[0].result()
            running.pop(0)
            running.extend(begin(item) for item in islice(waiting, 1))
            yield result
    finally:
        stopped.set()
        for future in running:
            future.cancel()
        for future in running:
            if not future.cancelled():
                future.exception()  # waits until it has ended
