"""Settings: how many threads, how much working memory, what `transform` returns.

`set_config` changes them for the process; `config_context` for the block of the calling thread alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from clinfa.params import at_least, none, one_of

__all__ = ["config_context", "get_config", "output_format", "set_config", "thread_count"]

_ALLOWED = {
    "n_threads": at_least(1) | none(),
    "working_memory": at_least(1),
    "transform_output": one_of("default", "pandas", "polars"),
}
_process: dict[str, Any] = {
    "n_threads": None,
    "working_memory": 1024,
    "transform_output": "default",
}
_context: ContextVar[dict[str, Any] | None] = ContextVar("clinfa_config", default=None)


def get_config() -> dict[str, Any]:
    """The settings in force here.

    Returns
    -------
    dict
        ``n_threads`` (None: every core this process may use), ``working_memory`` (MiB that a method may
        take beyond its input and output), ``transform_output`` ("default", "pandas" or "polars").

    Examples
    --------
    >>> import clinfa
    >>> clinfa.get_config()["transform_output"]
    'default'
    """
    return _process | (_context.get() or {})


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    for name, value in settings.items():
        if name not in _ALLOWED:
            raise TypeError(f"{name!r} is not a setting of clinfa. Settings: {', '.join(_ALLOWED)}.")
        _ALLOWED[name].check(name, value, "clinfa.config_context")
    return settings


def set_config(**settings: Any) -> None:
    """Change settings for the whole process.

    Parameters
    ----------
    n_threads : int or None
        Threads that one call may use. None means every core that this process may use; the
        environment variable CLINFA_NUM_THREADS then lowers it. Results do not depend on it.
    working_memory : int
        MiB that a method may take beyond its input and output, where it can do with less: silhouettes of
        other than Euclidean distances are computed in blocks of rows that fit.
    transform_output : {"default", "pandas", "polars"}
        What `transform` returns.

    Raises
    ------
    TypeError, InvalidParameterError
        If a name is not a setting, or its value not allowed.

    Examples
    --------
    >>> import clinfa
    >>> clinfa.set_config(n_threads=None)
    """
    _process.update(_checked(settings))


@contextmanager
def config_context(**settings: Any) -> Iterator[None]:
    """Settings for one block, seen by the calling thread (or asyncio task) alone.

    Parameters
    ----------
    **settings
        As for `set_config`.

    Examples
    --------
    >>> import clinfa
    >>> with clinfa.config_context(n_threads=1):
    ...     clinfa.get_config()["n_threads"]
    1
    """
    token = _context.set((_context.get() or {}) | _checked(settings))
    try:
        yield
    finally:
        _context.reset(token)


def _get(name: str) -> Any:
    inner = _context.get()
    return inner[name] if inner and name in inner else _process[name]


def thread_count() -> int:
    """How many threads a call may use here."""
    return _get("n_threads") or _default_threads()


def output_format() -> str:
    return _get("transform_output")


@cache
def _default_threads() -> int:
    asked = os.environ.get("CLINFA_NUM_THREADS", "")
    cores = _cores()
    return min(int(asked), cores) if asked.isdigit() and int(asked) > 0 else cores


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
