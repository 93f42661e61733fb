"""``python -m clinfa``: what it prints, what it writes, and how its errors read."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from sklearn.metrics import adjusted_rand_score

import clinfa
from clinfa import _demo
from clinfa._demo import colours, rings, speed, tables

HOME = str(Path(clinfa.__file__).parents[1])


def command(*arguments, cwd, **environment):
    """Run ``python -m clinfa`` away from the checkout, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "clinfa", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": HOME} | environment,
        timeout=120,
    )


def png_size(path):
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", head[16:])


# --- info and errors ------------------------------------------------------------------------------


def test_info(tmp_path):
    done = command("info", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert re.search(rf"^clinfa +{re.escape(clinfa.__version__)}$", done.stdout, re.M)
    assert re.search(r"^numpy +\d", done.stdout, re.M)


def test_help_names_every_option(tmp_path):
    assert {"demo", "info"} <= set(command("--help", cwd=tmp_path).stdout.split())
    told = command("demo", "--help", cwd=tmp_path).stdout
    assert all(option in told for option in ("--out DIR", "--quick", "--progress"))


def test_no_command_shows_the_help(tmp_path):
    done = command(cwd=tmp_path)
    assert done.returncode == 2
    assert "COMMAND" in done.stderr


def test_unknown_command(tmp_path):
    done = command("dmo", cwd=tmp_path)
    assert done.returncode == 2
    assert "invalid choice: 'dmo'" in done.stderr
    assert "Traceback" not in done.stderr


def test_out_that_is_a_file(tmp_path):
    (tmp_path / "here").touch()
    done = command("demo", "--out", "here", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "clinfa demo: --out here is a file; name a folder\n"


@pytest.mark.parametrize("what", ["info", "demo"])
def test_level_that_does_not_exist(what, tmp_path):
    done = command(what, cwd=tmp_path, CLINFA_ISA="v9")
    assert done.returncode == 1
    assert "CLINFA_ISA='v9' is not an ISA level" in done.stderr
    assert "Traceback" not in done.stderr


# --- the demo -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_demo_writes_what_it_says(tmp_path):
    done = command("demo", "--quick", "--progress", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = set(re.findall(r"^ +demo[/\\](\S+\.png)$", done.stdout, re.M))
    assert said == {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"iris.png", "digits.png", "colours.png", "rings.png", "speed.png", "picture.png"} <= said
    for name in said:
        width, height = png_size(tmp_path / "demo" / name)
        assert width >= 200
        assert height >= 200
        drawn = imread(tmp_path / "demo" / name)
        assert drawn[..., :3].std() > 0.02, f"{name} is blank"
    assert "round 3 of 3: scikit-learn ..." in done.stderr
    assert "times as long for the same result" in done.stdout


@pytest.fixture
def short(monkeypatch):
    """Let the race be short."""
    race = speed.race
    monkeypatch.setattr(speed, "race", lambda points, rounds, doing: race(2000, 1, doing))


def test_demo_without_extras_says_what_to_install(short, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(_demo, "find_spec", lambda name: None)
    monkeypatch.setattr(speed, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setitem(sys.modules, "matplotlib.cbook", None)
    files = _demo.run(tmp_path / "a" / "b", quick=True)
    told = capsys.readouterr()
    assert told.err == ""  # no terminal, no progress
    assert "pip install matplotlib" in told.out
    assert "pip install scikit-learn" in told.out
    assert "a generated picture" in told.out
    assert [file.name for file in files] == [
        "picture.png",
        "picture-64-colours.png",
        "picture-16-colours.png",
    ]


def test_demo_brings_each_ring_to_a_place_of_its_own():
    found = rings.diffuse()
    assert found.points.shape == found.places.shape == (500, 2)
    np.testing.assert_allclose(found.eigenvalues, 1, rtol=0, atol=1e-9)
    middles = np.array([found.places[found.ring == j].mean(axis=0) for j in range(3)])
    assert np.abs(found.places - middles[found.ring]).max() < 1e-6
    assert min(np.linalg.norm(middles[i] - middles[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 0.01
    assert "radius 10 to 13" in "\n".join(rings.told(found))


def test_demo_finds_the_known_flowers(capsys):
    iris = tables.cluster(next(tables.shipped()), starts=10)
    assert iris.counts.tolist() == [[50, 0, 0], [0, 48, 2], [0, 14, 36]]
    assert "setosa" in "\n".join(tables.told(iris))


@pytest.mark.parametrize(
    "counts", [[[5, 0], [0, 7]], [[3, 4], [5, 6]], [[10, 2, 0], [1, 0, 9]], [[4]], [[1, 1, 1]]]
)
def test_rand_index_is_scikit_learns(counts):
    counts = np.array(counts)
    rows, columns = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    assert tables.rand_index(counts) == pytest.approx(adjusted_rand_score(rows, columns))


@pytest.mark.parametrize("size", [(3, 4), (5, 7), (1, 1)])
@pytest.mark.parametrize("k", [0, 2, 16, 64])
def test_png_reads_back(size, k, tmp_path):
    rng = np.random.default_rng(size[1] + k)
    if k:
        palette = rng.integers(0, 256, (k, 3), dtype=np.uint8)
        indices = rng.integers(0, k, size, dtype=np.uint8)
        colours._write_png(tmp_path / "a.png", indices, palette)
        pixels = palette[indices]
    else:
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        colours._write_png(tmp_path / "a.png", pixels)
    back = imread(tmp_path / "a.png")
    assert (np.rint(back[..., :3] * 255) == pixels).all()


def test_quantised_error_is_what_was_lost():
    picture = colours.Picture("generated", colours._glass(40, 60))
    few = colours.quantise(picture, 16)
    lost = few.pixels.astype(float) - picture.pixels
    # the palette is rounded to whole numbers, the error is not
    assert few.error == pytest.approx(np.sqrt((lost**2).mean()), abs=0.5)
    assert colours.quantise(picture, 64).error < few.error
