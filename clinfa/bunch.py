"""A dict whose keys are attributes too."""

from __future__ import annotations

from typing import Any

__all__ = ["Bunch"]


class Bunch(dict):
    """Results by name, read as ``bunch["name"]`` or ``bunch.name``.

    Parameters
    ----------
    *given, **values
        What it holds, as for a dict.

    Examples
    --------
    >>> from clinfa.bunch import Bunch
    >>> Bunch(mean=3.5).mean
    3.5
    """

    def __init__(self, *given: Any, **values: Any):
        super().__init__(*given, **values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"There is no {name!r} here, but {', '.join(map(str, self))}.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *map(str, self)]

    def __reduce__(self) -> tuple:
        return type(self), (dict(self),)
