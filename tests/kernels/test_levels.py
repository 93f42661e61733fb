"""Every instruction-set level that is built and runs on this CPU, each in its own process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clinfa import _core
from clinfa._core import isa

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RUNS = [level for level in _core.built if isa._NEEDS.get(level, set()) <= isa.cpu_features()]
OTHERS = [level for level in RUNS if level != _core.level] or RUNS

LEVELLED = ["assign", "bounds", "centres", "distances", "kdtree", "screen"]

FITS = """
import sys
import numpy as np
from clinfa.cluster import KMeans

rng, out = np.random.default_rng(7), {}
for dtype in ("float32", "float64"):
    for d, k in ((2, 3), (5, 8), (17, 13), (64, 30)):
        middles = 10 * rng.standard_normal((k, d)) + 20 * np.arange(k)[:, None]
        X = (middles[rng.integers(0, k, 3000)] + rng.standard_normal((3000, d))).astype(dtype)
        start = middles + 0.5
        for algorithm in ("lloyd", "elkan"):
            model = KMeans(k, init=start, algorithm=algorithm).fit(X)
            name = f"{dtype}-{d}-{k}-{algorithm}"
            out[name + "-labels"] = model.labels_
            out[name + "-centres"] = model.cluster_centers_
            out[name + "-inertia"] = model.inertia_
np.savez(sys.argv[1], **out)
"""


def python(level, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"CLINFA_ISA": level},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{level}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize("level", OTHERS)
def test_kernels(level):
    """The tests of what is written differently for each level; the rest is the compiler's affair."""
    files = [HERE / f"test_{name}.py" for name in LEVELLED]
    python(level, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files)


def test_labels_agree_between_levels(tmp_path):
    """The clusters lie apart, so that no rounding decides; centres differ by rounding only."""
    found = {}
    for level in RUNS:
        python(level, "-c", FITS, tmp_path / f"{level}.npz")
        with np.load(tmp_path / f"{level}.npz") as file:
            found[level] = dict(file)
    first = found[RUNS[0]]
    assert len(first) == 48
    for level in RUNS[1:]:
        for name, value in found[level].items():
            if name.endswith("labels"):
                assert np.array_equal(value, first[name]), (level, name)
            else:
                np.testing.assert_allclose(value, first[name], rtol=1e-5 if "float32" in name else 1e-12)
