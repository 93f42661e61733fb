"""What importing loads, and what the package holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import clinfa

PACKAGE = Path(clinfa.__file__).parent
HEAVY = {"sklearn", "scipy", "pandas", "polars", "pyarrow", "matplotlib", "joblib", "threadpoolctl"}


def loaded_by(code):
    """The modules that a fresh interpreter loads in `code`, beyond those of its own start."""
    program = (
        f"import json, sys; before = set(sys.modules)\n{code}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    return set(json.loads(done.stdout))


def roots(names):
    return {name.partition(".")[0] for name in names}


def test_import_loads_nothing_else():
    names = loaded_by("import clinfa")
    assert {name for name in names if name.startswith("clinfa")} == {"clinfa"}
    assert not roots(names) & (HEAVY | {"numpy", "concurrent", "asyncio", "logging", "inspect"})


def test_a_fit_loads_numpy_only():
    names = loaded_by(
        "from clinfa.cluster import KMeans\n"
        "KMeans(2, random_state=0).fit([[0.0], [1.0], [5.0]]).predict([[2.0]])"
    )
    assert "numpy" in names
    assert not roots(names) & HEAVY


@pytest.mark.parametrize("module", ["cluster", "datasets"])
def test_sub_modules_load_when_used(module):
    assert f"clinfa.{module}" not in loaded_by("import clinfa")
    assert f"clinfa.{module}" in loaded_by(f"import clinfa; clinfa.{module}")


def test_every_public_name_is_there():
    assert set(clinfa.__all__) == set(dir(clinfa))
    for name in clinfa.__all__:
        assert getattr(clinfa, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'clusters'"):
        clinfa.clusters


def test_package_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_version_is_that_of_the_project():
    import tomllib

    project = Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text("utf-8"))["project"]["version"] == clinfa.__version__
