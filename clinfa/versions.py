"""What this installation is made of."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["show_versions", "versions"]

_OTHERS = ("numpy", "scipy", "scikit-learn", "pandas", "polars", "pyarrow", "matplotlib")


def versions() -> dict[str, Any]:
    """Versions, ISA level, BLAS, cores and threads, as a dict of plain values."""
    import numpy as np

    import clinfa
    from clinfa import _core
    from clinfa.config import thread_count

    out: dict[str, Any] = {
        "clinfa": clinfa.__version__,
        "isa_level": _core.level,
        "isa_levels_built": _core.built,
        "cores": os.cpu_count(),
        "threads": thread_count(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
    }
    for name in _OTHERS:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = None
    blas = np.show_config(mode="dicts")["Build Dependencies"].get("blas", {})
    out["blas"] = f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    return out


def show_versions() -> None:
    """Print versions, ISA level, BLAS, cores and threads: paste it into a bug report.

    Examples
    --------
    >>> import clinfa
    >>> clinfa.show_versions()  # doctest: +ELLIPSIS
    clinfa            ...
    """
    for name, value in versions().items():
        text = ", ".join(value) if isinstance(value, list) else "not installed" if value is None else value
        print(f"{name:<18}{text}")
