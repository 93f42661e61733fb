"""What a case is: data, contenders as plain functions, a neutral quality figure, a cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

Data = dict[str, Any]  # arrays (dense, or CSR) by name; "X" is the data matrix


@dataclass(frozen=True)
class Case:
    """One race.

    A contender is a function ``(data, case) -> result`` or ``-> (result, iterations)``, or it returns
    a function without arguments that tells these: that is called outside the clock. Its name
    says which library it races (``clinfa_lloyd`` is listed as ``clinfa-lloyd``), its docstring
    is its footnote in the report. It imports its library inside, because every contender runs in
    a process of its own.
    """

    name: str
    group: str  # heading under which the report lists it
    make: Callable[[float], Data]  # scale in (0, 1] -> data; outside the clock
    contenders: tuple[Callable, ...]
    quality: Callable[[Data, np.ndarray], float]  # of a result; float64, the lower the better
    cost: Callable[[Data, "Case", int], tuple[float, float]] | None = None  # -> flops, bytes
    params: Mapping[str, Any] = field(default_factory=dict)
    linfa: str | None = None  # task for the Rust peer: "fit" or "predict"
    prepared: bool = False  # contenders return a function without arguments; only that is timed
    repeat: int = 1  # calls per round, for work of microseconds
    leeway: float = 1e-3  # a quality further than this from the best is marked: that time buys less
    note: str = ""

    @property
    def functions(self) -> dict[str, Callable]:
        """Contenders by the name that the report gives them."""
        return {f.__name__.replace("_", "-"): f for f in self.contenders}

    @property
    def iterations(self) -> int:
        """Iterations asked for; 1 where the word has no meaning."""
        return self.params.get("iterations", 1)


def matches(name: str, patterns: str) -> bool:
    """Whether a name fits one of the comma-separated globs."""
    return any(fnmatchcase(name, pattern.strip()) for pattern in patterns.split(","))


def save(data: Data, folder: Path) -> None:
    """Write data so that workers, in Python or not, can load it."""
    for name, array in data.items():
        if sparse.issparse(array):
            sparse.save_npz(folder / f"{name}.npz", array, compressed=False)
        else:
            np.save(folder / f"{name}.npy", array)


def load(folder: Path) -> Data:
    """Read what `save` wrote, into memory (no memory map: reading a disk is not the race)."""
    dense = {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}
    return dense | {path.stem: sparse.load_npz(path) for path in sorted(folder.glob("*.npz"))}
