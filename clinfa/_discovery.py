"""What this library has, found by looking: for the tools that work for all of it without a list."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import clinfa
from clinfa.base import Estimator

__all__ = ["estimators", "public_modules"]


def public_modules() -> Iterator[str]:
    """Paths below ``clinfa`` of all public modules, packages before what is in them; imports none."""
    return _below(Path(clinfa.__path__[0]), "")


def _below(folder: Path, prefix: str) -> Iterator[str]:
    for found in pkgutil.iter_modules([str(folder)]):
        if found.name[0] != "_":
            yield f"{prefix}{found.name}"
            if found.ispkg:
                yield from _below(folder / found.name, f"{prefix}{found.name}.")


def estimators() -> dict[str, type[Estimator]]:
    """Public concrete estimators, by the first path that exports them ("cluster.KMeans")."""
    out: dict[str, type[Estimator]] = {}
    for path in public_modules():
        module = importlib.import_module(f"clinfa.{path}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            concrete = inspect.isclass(thing) and issubclass(thing, Estimator) and hasattr(thing, "_fit")
            if concrete and thing not in out.values():
                out[f"{path}.{name}"] = thing
    return out
