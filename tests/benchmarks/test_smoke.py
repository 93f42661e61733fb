"""The benchmark runner works, and its neutral figure is the figure that it claims to be."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from benchmarks.cases import CASES
from benchmarks.quality import inertia

ROOT = Path(__file__).parents[2]
CASE, SCALE = "odd-300kx7-k33-f64", 0.005


def within(X, centres):
    """Sum of squared distances to the nearest centre, the plain way."""
    return cdist(X, centres, "sqeuclidean").min(axis=1).sum()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Folder and raw figures of one tiny race, run as a user runs it."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    out = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-m", "benchmarks", "--cases", CASE, "--rounds", "1"]
    command += ["--contenders", "clinfa,sklearn", "--scale", str(SCALE), "--out", str(out)]
    command += ["--calm", "0"]  # (other tests keep the machine busy: it would wait in vain)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return out, json.loads((out / "latest.json").read_text())


def test_the_three_files_are_made(report):
    out, _ = report
    assert CASE in (out / "latest.md").read_text()
    assert (out / "latest.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "latest.json").stat().st_size > 0


@pytest.mark.parametrize("name", ["clinfa", "sklearn"])
def test_quality_equals_an_independent_calculation(report, name):
    from sklearn.cluster import KMeans

    case = CASES[CASE]
    told = report[1]["cases"][0]["contenders"][name]
    assert told["status"] == "ok", told
    data = case.make(SCALE)
    model = KMeans(33, init=data["C0"], n_init=1, max_iter=case.iterations, tol=0)
    expected = within(data["X"], model.fit(data["X"]).cluster_centers_)
    assert told["quality"] == pytest.approx(expected, rel=1e-9)
    assert len(told["seconds"]) == 1
    assert told["median"] > 0


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_inertia_is_the_plain_sum_for_dense_and_sparse(kind):
    rng = np.random.default_rng()
    X = rng.standard_normal((500, 6)) * (rng.random((500, 6)) < 0.5)
    centres = rng.standard_normal((7, 6)).astype(np.float32)
    assert inertia(kind(X), centres) == pytest.approx(within(X, centres), rel=1e-12)
    labels = rng.integers(7, size=500)
    assigned = ((X - centres[labels]) ** 2).sum()
    assert inertia(kind(X), centres, labels) == pytest.approx(assigned, rel=1e-12)


def test_inertia_of_centres_that_are_not_numbers_is_infinite():
    assert inertia(np.ones((3, 2)), np.full((1, 2), np.nan)) == np.inf
