"""OpenBLAS on one thread.

OpenBLAS's threads wait for more work in a busy loop, for some 30 ms after each call that had work for two.
Whoever runs threads of their own next, as every kernel here does, finds a processor taken: an eigenproblem
of 1 ms makes the pass after it twice as long. And how many there are changes the last bits of its results,
which others of our fits may change meanwhile. So every factorisation here runs on one thread.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

__all__ = ["one_thread"]

_lock = Lock()
_inside = 0
_before: list[tuple[Callable[[int], None], int]] = []  # what to put back


@cache
def _pool(path: str) -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How many threads an OpenBLAS uses, and a way to change that."""
    try:
        library = ctypes.CDLL(path)
    except OSError:
        return None
    for prefix in ("scipy_", ""):
        for suffix in ("64_", ""):
            get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            put = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if get is not None and put is not None:
                return get, put
    return None


_seen = (0, [])


def _pools() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """All that are loaded: NumPy and SciPy may each bring one."""
    global _seen
    count = ("scipy.linalg" in sys.modules) + 1
    if _seen[0] != count:
        maps = Path("/proc/self/maps")
        lines = maps.read_text().splitlines() if maps.exists() else []
        paths = {line.split(maxsplit=5)[5] for line in lines if "openblas" in line}
        _seen = count, [pool for path in sorted(paths) if (pool := _pool(path)) is not None]
    return _seen[1]


def _forget() -> None:
    """A child has none of its parent's threads, so nobody is inside."""
    global _lock, _inside
    if _inside:
        for put, count in _before:
            put(count)
    _lock, _inside = Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenBLAS to one thread."""
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            _before[:] = [(put, get()) for get, put in _pools()]
            for put, _ in _before:
                put(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for put, count in _before:
                    put(count)
