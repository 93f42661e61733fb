"""The runner of scikit-learn's own tests: which files, what it counts, when it fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sklearn_suite import __main__ as suite

ROOT = Path(__file__).parents[2]
FILE = "a/test_b.py"


def outcome(what, uses_ours=True):
    return {"outcome": what, "uses ours": uses_ours, "words": "Error: because"}


def test_files_are_those_of_our_modules_that_mention_ours():
    found = suite.test_files(suite.names_of_both())
    assert "sklearn/cluster/tests/test_k_means.py" in found
    assert "sklearn/svm/tests/test_svm.py" in found
    assert not [file for file in found if file.startswith(("sklearn/gaussian_process", "sklearn/datasets"))]
    assert suite.test_files(["cluster.kmeans_plusplus"]) == ["sklearn/cluster/tests/test_k_means.py"]
    assert suite.test_files(["naive_bayes.GaussianNB"]) == ["sklearn/tests/test_naive_bayes.py"]


def test_counts():
    outcomes = {
        f"{FILE}::one": outcome("passed"),
        f"{FILE}::two": outcome("passed"),
        f"{FILE}::three": outcome("passed", uses_ours=False),
        f"{FILE}::four": outcome("skipped"),
        f"{FILE}::five[a]": outcome("failed"),
        f"{FILE}::five[b]": outcome("failed"),
    }
    text, good = suite.told([FILE], outcomes, {f"{FILE}::five[*]": "it is private"})
    assert good
    assert text.splitlines()[1].split() == [FILE, "2", "0", "2", "2"]
    assert "2 of 4 tests that use clinfa pass: 50.00%" in text
    assert "2 listed: it is private" in text


@pytest.mark.parametrize("uses_ours", [True, False])
def test_failure_that_is_not_listed(uses_ours):
    text, good = suite.told([FILE], {f"{FILE}::one": outcome("failed", uses_ours)}, {})
    assert not good
    assert f"{FILE}::one\n    Error: because" in text


@pytest.mark.parametrize("what", ["passed", "skipped"])
def test_listed_test_that_does_not_fail(what):
    outcomes = {f"{FILE}::one[1]": outcome("failed"), f"{FILE}::one[2]": outcome(what)}
    text, good = suite.told([FILE], outcomes, {f"{FILE}::one[*]": "why"})
    assert not good
    assert text.endswith(f"Listed in reasons.toml, and did not fail:\n{FILE}::one[2]: {what}")


def test_listed_test_that_does_not_exist():
    text, good = suite.told([FILE], {}, {f"{FILE}::gone": "why"})
    assert not good
    assert f"{FILE}::gone: no such test" in text


def test_reasons_file():
    listed = suite.reasons(suite.REASONS)
    assert all(test.startswith("sklearn/") and "::" in test and reason for test, reason in listed.items())


def test_a_test_listed_twice(tmp_path):
    path = tmp_path / "reasons.toml"
    path.write_text('[[because]]\nreason = "why"\ntests = ["a", "a"]\n')
    with pytest.raises(SystemExit, match="lists a twice"):
        suite.reasons(path)


def test_plugin_tells_what_uses_ours(tmp_path):
    """In a process of its own, on tests of every kind."""
    (tmp_path / "test_mine.py").write_text(
        "import pytest, sklearn.cluster\n"
        "from sklearn.base import clone\n"
        "from sklearn.cluster import KMeans, SpectralBiclustering, k_means\n"
        "made = KMeans(1, n_init=1)\n"
        "def test_makes(): KMeans()\n"
        "def test_fits(): made.fit([[1.0]])\n"
        "def test_clones(): clone(made)\n"
        "def test_calls(): k_means([[1.0]], 1)\n"
        "def test_makes_and_fails(): KMeans(); raise KeyError('x')\n"
        "def test_other(): SpectralBiclustering()\n"
        "def test_other_fails(): raise KeyError('y')\n"
        "def test_skips(): pytest.skip()\n"
        "@pytest.mark.xfail\n"
        "def test_expects(): raise KeyError\n"
        "@pytest.fixture\n"
        "def broken(): yield; raise OSError\n"
        "def test_ends_badly(broken): pass\n"
    )
    out = tmp_path / "outcomes.json"
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", f"--rootdir={tmp_path}", "-p"]
    command += ["sklearn_suite.plugin", "-p", "no:cacheprovider", f"--outcomes={out}", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    found = {
        name.partition("::test_")[2]: (what["outcome"], what["uses ours"])
        for name, what in json.loads(out.read_text()).items()
    }
    assert found == {
        "makes": ("passed", True),
        "fits": ("passed", True),
        "clones": ("passed", True),
        "calls": ("passed", True),
        "makes_and_fails": ("failed", True),
        "other": ("passed", False),
        "other_fails": ("failed", False),
        "skips": ("skipped", False),
        "expects": ("skipped", False),
        "ends_badly": ("failed", False),
    }
