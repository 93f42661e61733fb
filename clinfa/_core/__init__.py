"""The compiled kernels: one set per ISA level, of which `__path__` names the best for this CPU.

Each level's folder holds the same modules under the same names, so that `clinfa._core.kmeans` is
whichever was chosen, with no wrapper. `CLINFA_ISA` overrides the choice.
"""

import importlib
from pathlib import Path

_here = Path(__file__).parent
isa = importlib.import_module("clinfa._core.isa")  # before __path__ moves
built: list[str] = isa.built_in(_here)
level: str = isa.choose(built)
__path__ = [str(_here / level), str(_here)]
