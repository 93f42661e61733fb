"""The libraries that race: module, distribution, environment; and the build of the Rust peer."""

import functools
import importlib
import importlib.metadata
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

THREADS = 2
MODULES = {
    "clinfa": "clinfa.cluster",
    "sklearn": "sklearn.cluster",
    "sklearnex": "sklearnex.cluster",
    "faiss": "faiss",
    "superkmeans": "superkmeans",
    "hdbscanrs": "hdbscan_rs",
    "fasthdbscan": "fast_hdbscan",
    "quitefastmst": "quitefastmst",
    "pykdtree": "pykdtree.kdtree",
    "dbscan": "dbscan",
    "thundersvm": "thundersvm",
    "scipy": "scipy.sparse.linalg",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
}
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "sklearnex": "scikit-learn-intelex",
    "faiss": "faiss-cpu",
    "hdbscanrs": "hdbscan-rs",
    "fasthdbscan": "fast-hdbscan",
    "thundersvm": "thundersvm-cpu",
    "xgboost": "xgboost-cpu",
}
USES_OPENBLAS = {"sklearn", "faiss", "scipy", "superkmeans"}
TUNED = "@t"  # suffix of a contender that runs with the AVX-512 kernels of its OpenBLAS
LINFA_CRATE = Path(__file__).parent / "linfa_peer"
LINFA_NOTE = (
    "Rust, `linfa_peer/`, native code. Its update counts the old centre as one more point of the "
    "cluster (m_k-means), so its centres differ a little; it does not tell its iterations."
)


class Absent(Exception):
    """A contender that cannot run here; the message says why."""


def library(contender: str) -> str:
    """``"clinfa-lloyd" -> "clinfa"``, ``"faiss@t" -> "faiss"``."""
    return contender.removesuffix(TUNED).split("-")[0]


def environment(contender: str) -> dict[str, str]:
    """Thread counts for every runtime, and the BLAS kernels of a tuned contender."""
    names = ("OMP", "OPENBLAS", "MKL", "RAYON", "NUMBA", "BLIS")
    settings = {f"{name}_NUM_THREADS": str(THREADS) for name in names}
    if contender.endswith(TUNED):
        settings["OPENBLAS_CORETYPE"] = "SkylakeX"
    return settings


def load(contender: str) -> tuple[ModuleType, str]:
    """Import the library of a contender; also its version."""
    name = library(contender)
    try:
        module = importlib.import_module(MODULES[name])
    except ImportError as error:
        raise Absent(f"{type(error).__name__}: {error}") from error
    try:
        version = importlib.metadata.version(DISTRIBUTIONS.get(name, name))
    except importlib.metadata.PackageNotFoundError:
        version = getattr(importlib.import_module(name), "__version__", "in place")
    return module, version


@functools.cache
def linfa_program() -> Path:
    """Build the Rust peer (seconds when it is built already); its path."""
    cargo = shutil.which("cargo", path=f"{os.environ.get('PATH', '')}:{Path.home()}/.cargo/bin")
    if cargo is None:
        raise Absent("cargo is not installed")
    command = [cargo, "build", "--release", "--locked", "--quiet"]
    built = subprocess.run(command, cwd=LINFA_CRATE, capture_output=True, text=True)
    if built.returncode:
        raise Absent("cargo build failed: " + " ".join(built.stderr.split())[:300])
    return LINFA_CRATE / "target" / "release" / "linfa_peer"
