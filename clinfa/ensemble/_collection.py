"""Ensembles as sequences of their models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Collection"]


class Collection:
    """The models are in `estimators_`."""

    def __len__(self) -> int:
        return len(self.estimators_)

    def __getitem__(self, index: int) -> Any:
        return self.estimators_[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.estimators_)
