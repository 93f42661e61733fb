"""Fits and predictions of many models, or of one model many times, side by side where that pays."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from clinfa.base import Estimator, Params
from clinfa.config import config_context, thread_count
from clinfa.threads import jobs

__all__ = ["share", "side_by_side"]

# Of records with fewer values than that the first fit is timed, and the rest is done as it was where it took
# less time than that: Python's own lock makes threads of short calls slower than one thread.
_OURS = 20_000, 0.004  # values, seconds
_THEIRS = 1_000_000, 0.05  # others hold the lock longer
_MANY = 1 << 20


def share(n_jobs: int | None) -> Any:
    """A block in which there are `n_jobs` threads; as many as there are for None and below 1."""
    return config_context(
        **({"n_threads": min(int(n_jobs), _MANY)} if n_jobs is not None and n_jobs > 0 else {})
    )


def side_by_side(
    work: Callable[[Any], Any], items: Sequence[Any], size: int, models: Iterable[Any]
) -> Iterator[Any]:
    """``work(item)`` of each item, in their order, on as many threads as there are where that pays.

    What scikit-learn's settings are in the calling thread, they are in those too.

    Parameters
    ----------
    work : callable
    items : sequence
    size : int
        How many values each works on.
    models : iterable
        What works: whether that is all clinfa's.
    """
    done = 0
    if thread_count() == 1 or len(items) <= 1:
        yield from map(work, items)
        return
    few, soon = _OURS if all(isinstance(model, Estimator | Params) for model in models) else _THEIRS
    if size < few:
        start = time.perf_counter()
        yield work(items[0])
        done = 1
        if time.perf_counter() - start < soon:
            yield from map(work, items[1:])
            return
    yield from jobs(_in_the_same_settings(work), items[done:])


def _in_the_same_settings(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    theirs = sys.modules.get("sklearn")
    if theirs is None or not hasattr(theirs, "config_context"):
        return work
    settings = theirs.get_config()

    def run(item: Any) -> Any:
        with theirs.config_context(**settings) if theirs.get_config() != settings else nullcontext():
            return work(item)

    return run
