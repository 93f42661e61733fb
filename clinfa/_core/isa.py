"""Which instruction-set levels there are, and which of them this CPU runs.

Plain standard library, because `setup.py` runs this file before anything is built. The choice looks
at CPU features only, never at the vendor.
"""

import os
import platform
import sys
from pathlib import Path

# The x86-64 psABI's micro-architecture levels, as /proc/cpuinfo spells their features.
_V2 = {"cx16", "sse4_2", "ssse3", "popcnt"}
_V3 = _V2 | {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
_NEEDS = {"v2": _V2, "v3": _V3, "v4": _V4}


def levels_of(machine: str) -> list[str]:
    """The levels of an architecture, lowest first."""
    return list(_NEEDS) if machine.lower() in ("x86_64", "amd64") else ["base"]


def compiler_flags(level: str) -> list[str]:
    if level == "base":
        return []
    # 512-bit vectors for the loops that the compiler vectorises too: ours are long enough to gain.
    return [f"-march=x86-64-{level}"] + (["-mprefer-vector-width=512"] if level == "v4" else [])


def cpu_features() -> set[str]:
    """This CPU's features in /proc/cpuinfo's spelling; empty where nothing tells them."""
    if sys.platform == "linux":
        try:
            with open("/proc/cpuinfo") as info:
                for line in info:
                    if line.startswith("flags"):
                        return set(line.split(":", 1)[1].split())
        except OSError:
            pass
    elif sys.platform == "darwin":
        import subprocess  # here, because importing it costs more than the rest of this file

        names = ["machdep.cpu.features", "machdep.cpu.leaf7_features"]
        out = subprocess.run(["/usr/sbin/sysctl", "-n", *names], capture_output=True, text=True)  # noqa: S603
        spelled = {"sse4.2": "sse4_2", "avx1.0": "avx"}
        return {spelled.get(f, f) for f in out.stdout.lower().split()}
    elif sys.platform == "win32":
        import ctypes

        # IsProcessorFeaturePresent: 40 AVX2, 41 AVX-512F. Windows 11 itself needs SSE4.2.
        present = ctypes.windll.kernel32.IsProcessorFeaturePresent
        return _V4 if present(41) else _V3 if present(40) else _V2
    return set()


def best_here(built: list[str]) -> str:
    """The highest of the levels in `built` (lowest first) that this CPU has."""
    features = cpu_features()
    able = [level for level in built if _NEEDS.get(level, set()) <= features]
    return able[-1] if able else built[0]


def built_in(core: Path) -> list[str]:
    """The levels that a folder holds all kernels of, lowest first; a stale half of a set does not count."""
    every = levels_of(platform.machine())
    held = {level: {f.name.split(".")[0] for f in (core / level).glob("*.*")} for level in every}
    whole = set().union(*held.values())
    return [level for level in every if whole and held[level] == whole]


def choose(built: list[str]) -> str:
    """The level to import from: the best that is built and runs here, or what CLINFA_ISA names."""
    every = levels_of(platform.machine())
    if not built:
        raise ImportError(
            "clinfa's compiled kernels are missing. From a checkout, run `make` or `pip install -e .`; "
            "otherwise reinstall clinfa."
        )
    asked = os.environ.get("CLINFA_ISA")
    if not asked:
        return best_here(built)
    features = cpu_features()
    runs = [level for level in built if _NEEDS.get(level, set()) <= features] or built[:1]
    if asked not in runs:
        why = (
            "was not built"
            if asked in every and asked not in built
            else "needs instructions that this CPU lacks"
            if asked in every
            else "is not an ISA level of this architecture"
        )
        raise ImportError(f"CLINFA_ISA={asked!r} {why}. Available here: {', '.join(runs)}.")
    return asked
