"""What long work says of itself: lines to the logger "clinfa", shown where nobody else shows them."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["reporter"]


def reporter(verbose: int) -> Callable[..., None]:
    """A function like `logging.Logger.info` that says nothing unless `verbose` is above 0.

    Lines go to the logger "clinfa". If neither it nor the root logger has a handler, one that writes to
    stderr is added to it, so that `verbose=1` is all that a user needs.
    """
    if not verbose:
        return _silent
    import logging  # here, because most fits say nothing and importing it is not free

    log = logging.getLogger("clinfa")
    if not log.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("[clinfa] %(message)s"))
        log.addHandler(handler)
    if log.level == logging.NOTSET or log.level > logging.INFO:
        log.setLevel(logging.INFO)
    return log.info


def _silent(message: str, *values: object) -> None:
    """Say nothing."""
