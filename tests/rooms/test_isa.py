"""The choice of instruction-set level."""

import os
import subprocess
import sys

import pytest

from clinfa import _core
from clinfa._core import isa

PRINT = """
import clinfa.cluster
from clinfa._core import kmeans, level
print(level, kmeans.__file__)
"""
RUNS = [level for level in _core.built if isa._NEEDS.get(level, set()) <= isa.cpu_features()]


def _python(code=PRINT, **env):
    return subprocess.run([sys.executable, "-c", code], env=os.environ | env, capture_output=True, text=True)


@pytest.mark.parametrize("level", _core.built)
def test_every_level_built_can_be_asked_for(level):
    needed = isa._NEEDS.get(level, set())
    done = _python(CLINFA_ISA=level)
    if needed <= isa.cpu_features():
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[0] == level
        assert f"/{level}/" in done.stdout
    else:
        assert "needs instructions that this CPU lacks" in done.stderr


@pytest.mark.parametrize("asked", ["v9", "avx512", "V3", "v3 ", "../v3", "native"])
def test_unknown_level(asked):
    done = _python(CLINFA_ISA=asked)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: CLINFA_ISA={asked!r} is not an ISA level of this architecture.")
    assert f"Available here: {', '.join(RUNS)}." in last


def test_empty_is_as_not_set():
    assert _python(CLINFA_ISA="").stdout.split()[0] == isa.best_here(_core.built)


ALL = ["v2", "v3", "v4"]


@pytest.fixture
def cpu(monkeypatch):
    def has(level):
        monkeypatch.setattr(
            isa, "cpu_features", lambda: set() if level is None else isa._NEEDS[level] | {"x"}
        )
        monkeypatch.setattr(isa.platform, "machine", lambda: "x86_64")
        monkeypatch.delenv("CLINFA_ISA", raising=False)

    return has


@pytest.mark.parametrize(
    ("built", "has", "chosen"),
    [
        (ALL, "v4", "v4"), (ALL, "v3", "v3"), (ALL, "v2", "v2"), (ALL, None, "v2"),
        (["v2", "v4"], "v3", "v2"), (["v2"], "v4", "v2"), (["v3"], None, "v3"),
    ],
)  # fmt: skip
def test_the_best_that_runs(cpu, built, has, chosen):
    cpu(has)
    assert isa.choose(built) == chosen


@pytest.mark.parametrize(
    ("built", "has", "asked", "why"),
    [
        (["v2", "v4"], "v4", "v3", r"'v3' was not built\. Available here: v2, v4\."),
        (
            ALL,
            "v3",
            "v4",
            r"'v4' needs instructions that this CPU lacks\. Available here: v2, v3\.",
        ),
        (
            ALL,
            "v2",
            "base",
            r"'base' is not an ISA level of this architecture\. Available here: v2\.",
        ),
    ],
)
def test_what_is_not_available_is_said(cpu, monkeypatch, built, has, asked, why):
    cpu(has)
    monkeypatch.setenv("CLINFA_ISA", asked)
    with pytest.raises(ImportError, match=why):
        isa.choose(built)


def test_nothing_built(cpu):
    cpu("v4")
    with pytest.raises(ImportError, match=r"missing.*make"):
        isa.choose([])


def test_other_architectures_have_one_level():
    assert isa.levels_of("aarch64") == ["base"]
    assert isa.levels_of("AMD64") == isa.levels_of("x86_64") == ALL
    assert isa.compiler_flags("base") == []
    assert isa.compiler_flags("v3") == ["-march=x86-64-v3"]


def test_levels_are_nested():
    assert isa._V2 < isa._V3 < isa._V4


def test_built_in_an_empty_folder(tmp_path):
    assert isa.built_in(tmp_path) == []
