"""Build: every .pyx is cythonised once, and its one C file is compiled once per ISA level.

CLINFA_LEVELS=host (default)  the baseline and the best level of this CPU: quick source installs
             =all             every level: for wheels that travel
             =v2,v4           those
CLINFA_DEBUG=1                every bounds check on, no optimisation that hides a fault
"""

import os
import platform
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
CORE = Path("clinfa/_core")
isa = runpy.run_path(str(ROOT / CORE / "isa.py"))
DEBUG = bool(int(os.environ.get("CLINFA_DEBUG", "0")))
SHARED = "clinfa._core._shared"  # Cython's own utility code, compiled once instead of in each kernel

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "cdivision": not DEBUG,
    "nonecheck": DEBUG,
    "freethreading_compatible": True,
}
FLAGS = ["-O1", "-g", "-DCLINFA_DEBUG"] if DEBUG else ["-O3", "-g0"]
# Never -ffast-math: linking with it changes the floating-point mode of the user's whole process.
FLAGS += ["-fno-math-errno", "-fno-trapping-math", "-Wno-unused-function", "-std=gnu11"]


def levels() -> list[str]:
    every = isa["levels_of"](platform.machine())
    asked = os.environ.get("CLINFA_LEVELS", "host")
    if asked == "all":
        return every
    if asked == "host":
        best = isa["best_here"](every)
        return [level for level in every if level in (every[0], best)]
    chosen = asked.split(",")
    if unknown := set(chosen) - set(every):
        raise SystemExit(f"CLINFA_LEVELS names {sorted(unknown)}; this architecture has {every}")
    return chosen


class BuildLevels(build_ext):
    """One build folder per level, so that object files of the same source do not meet."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def copy_extensions_to_source(self):
        for ext in self.extensions:
            Path(*ext.name.split(".")[:-1]).mkdir(exist_ok=True)
        super().copy_extensions_to_source()

    def build_extension(self, ext):
        here = BuildLevels(self.distribution)
        here.__dict__.update(self.__dict__)
        here.build_temp = os.path.join(self.build_temp, ext.name.split(".")[-2])
        build_ext.build_extension(here, ext)


def headers(source: str | Path) -> set[str]:
    """Our own headers that a C file includes, and that those include."""
    names = re.findall(r'#include "(\w+\.h)"', Path(source).read_text())
    own = {str(CORE / name) for name in names if (CORE / name).exists()}
    return own.union(*map(headers, own))


def extensions() -> list[Extension]:
    work = "build/cython-debug" if DEBUG else "build/cython"
    shared_c = Path(work) / CORE / "_shared.c"
    shared_c.parent.mkdir(parents=True, exist_ok=True)
    if not shared_c.exists():  # (it depends on Cython alone: `make clean` after changing that)
        subprocess.run([sys.executable, "-m", "cython", f"--generate-shared={shared_c}", "-M"], check=True)
    modules = [
        Extension(f"clinfa._core.{pyx.stem}", [str(pyx)], include_dirs=[str(CORE)])
        for pyx in sorted(CORE.glob("*.pyx"))
    ]
    done = cythonize(
        modules,
        build_dir=work,
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED,
        nthreads=0 if sys.platform == "win32" else os.cpu_count(),
    )
    sources = {module.name: module.sources[0] for module in done} | {SHARED: str(shared_c)}
    own_flags = {module.name: module.extra_compile_args for module in done} | {SHARED: []}
    return [
        Extension(
            name.replace("_core.", f"_core.{level}."),
            [source],
            include_dirs=[str(CORE), np.get_include()],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
            extra_compile_args=FLAGS + isa["compiler_flags"](level) + own_flags[name],
            depends=sorted(headers(source)),  # (of .pxd files Cython knows who reads them)
        )
        for level in levels()
        for name, source in sources.items()
    ]


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildLevels})
