"""NumPy's and SciPy's OpenBLAS on one thread.

How many threads OpenBLAS has changes the last bits of its results, and there is one number for the whole
process: a fit must not give other bits because another one, or anybody, changes it meanwhile. So whatever is
done by BLAS or LAPACK here is done inside `one_thread`, products of long vectors too. (Besides, OpenBLAS's
threads wait for more work in a busy loop, for some 30 ms after each call that had work for two, and whoever
runs threads of their own next, as every kernel here does, finds a processor taken.)
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from clinfa.threads import stripes

__all__ = ["inverse_covariance", "matmul", "one_thread"]

_lock = Lock()
_inside = 0
_before: dict[int, tuple[Callable[[int], None], int]] = {}  # what to put back, by id


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


_seen: tuple[int, list] = (0, [])


def _pools() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """All that are loaded: NumPy and SciPy may each bring one."""
    global _seen
    # (An extension module is listed when its library is there; a package, before it has been loaded.)
    loaded = ("scipy.linalg._fblas" in sys.modules) + 1
    if _seen[0] != loaded:
        maps = Path("/proc/self/maps")
        lines = maps.read_text().splitlines() if maps.exists() else []
        paths = {line.split(maxsplit=5)[5] for line in lines if "openblas" in line}
        _seen = loaded, [pool for path in sorted(paths) if (pool := _pool(path)) is not None]
    return _seen[1]


def _forget() -> None:
    """A child has none of its parent's threads, so nobody is inside."""
    global _lock, _inside
    for put, threads in _before.values():
        put(threads)
    _before.clear()
    _lock, _inside = Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenBLAS to one thread, in a block or (``@one_thread()``) in a whole function."""
    global _inside
    with _lock:
        _inside += 1
    try:
        with _lock:
            for get, put in _pools():
                if id(put) not in _before:  # (SciPy may have been loaded since the first came in)
                    _before[id(put)] = put, get()
                put(1)  # even where it was: somebody else may have changed it meanwhile
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for put, threads in _before.values():
                    put(threads)
                _before.clear()


@one_thread()
def matmul(A: Any, B: np.ndarray) -> np.ndarray:
    """A @ B; where that is much work for BLAS, by stripes of the rows of A on threads of ours."""
    dense = isinstance(A, np.ndarray) and A.ndim == 2
    cut = stripes(A.shape[0], B.size / 16 if dense else 0)
    if len(cut) == 1:
        return A @ B
    out = np.empty((len(A), *B.shape[1:]), np.result_type(A, B))
    tickets = count()

    def rows(cursor: np.ndarray, limit: int, slot: int) -> None:
        s = next(tickets)
        if s >= len(cut):
            cursor[0] = len(cut)
            return
        low, high = cut.bounds[s], cut.bounds[s + 1]
        np.matmul(A[low:high], B, out=out[low:high])

    cut.run(rows)
    return out


@one_thread()
def inverse_covariance(X: np.ndarray, V: Any = None) -> np.ndarray:
    """What Mahalanobis' distance takes from the records X, or from their covariance V."""
    return np.linalg.inv(np.atleast_2d(np.cov(X.T) if V is None else V)).T
