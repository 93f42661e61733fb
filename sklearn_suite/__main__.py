"""Runs scikit-learn's installed test files with its names meaning ours: ``python -m sklearn_suite [files]``.

Exit status 1 where a test fails that `reasons.toml` does not list, or one that it lists does not fail.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
REASONS = Path(__file__).with_name("reasons.toml")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sklearn_suite", description=__doc__)
    parser.add_argument("-n", dest="workers", default="2", help="processes (default: 2)")
    parser.add_argument("--keep", metavar="FILE", help="write what became of each test there")
    parser.add_argument("files", nargs="*", help="parts of paths; only test files that contain one are run")
    asked = parser.parse_args(arguments)
    files = [
        f for f in test_files(names_of_both()) if not asked.files or any(part in f for part in asked.files)
    ]
    outcomes = run(files, asked.workers)
    if asked.keep:
        Path(asked.keep).write_text(json.dumps(outcomes, indent=1))
    listed = {
        pattern: reason for pattern, reason in reasons(REASONS).items() if pattern.partition("::")[0] in files
    }
    text, good = told(files, outcomes, listed)
    print(text)
    return 0 if good else 1


def home() -> Path:
    """The folder that scikit-learn's package lies in."""
    return Path(importlib.util.find_spec("sklearn").origin).parents[1]


def names_of_both() -> list[str]:
    """What clinfa and scikit-learn both have, as "cluster.KMeans"."""
    from clinfa.patch import _pairs

    return [name for name, _ in _pairs()]


def test_files(names: list[str]) -> list[str]:
    """Test files, below `home`, of the modules that the names are in, if they mention one of them."""
    found = set()
    for module in {name.rpartition(".")[0] for name in names}:
        place = home() / "sklearn" / module.replace(".", "/")
        if place.is_dir():
            found.update(f for f in place.rglob("test_*.py") if f.parent.name == "tests")
        else:
            found.add(place.parent / "tests" / f"test_{place.name}.py")
    mention = re.compile(rf"\b({'|'.join({name.rpartition('.')[2] for name in names})})\b")
    return sorted(str(f.relative_to(home())) for f in found if mention.search(f.read_text("utf-8")))


def run(files: list[str], workers: str) -> dict[str, dict]:
    """What became of each test: its outcome, whether it uses what is ours, and the words of its failure."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "outcomes.json"
        command = [
            sys.executable, "-m", "pytest", "-c", os.devnull, f"--rootdir={home()}", "-p", "no:cacheprovider",
            "-p", "sklearn_suite.plugin", f"--outcomes={out}", "-n", workers, "-q", "--tb=short",
            "--disable-warnings", "--no-summary", *(str(home() / f) for f in files),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        if done.returncode > 1 and not out.exists():
            raise SystemExit(f"pytest ended with status {done.returncode}")
        return json.loads(out.read_text())


def reasons(path: Path) -> dict[str, str]:
    """Why a test may fail, by its id; a ``*`` in an id stands for anything."""
    out = {}
    for entry in tomllib.loads(path.read_text("utf-8")).get("because", []):
        for test in entry["tests"]:
            if test in out:
                raise SystemExit(f"{path.name} lists {test} twice")
            out[test] = entry["reason"]
    return out


def told(files: list[str], outcomes: dict[str, dict], listed: dict[str, str]) -> tuple[str, bool]:
    """The report, and whether all is as listed.

    A test that passes without using what is ours is not applicable, and so is one that is skipped. One that
    fails counts, whatever it uses.
    """
    patterns = {p: re.compile(re.escape(p).replace(r"\*", ".*")) for p in listed}
    counts = {file: Counter() for file in files}
    unlisted, seen, wrong = [], set(), []
    for test, what in outcomes.items():
        matched = [p for p, regex in patterns.items() if regex.fullmatch(test)]
        seen.update(matched)
        failed = what["outcome"] == "failed"
        if matched and not failed:
            wrong.append(f"{test}: {what['outcome']}")
        kind = "not applicable"
        if failed:
            kind = "listed" if matched else "failed"
        elif what["outcome"] == "passed" and what["uses ours"]:
            kind = "passed"
        if kind == "failed":
            unlisted.append(f"{test}\n    {what['words'].strip()[:600]}")
        counts[test.partition("::")[0]][kind] += 1
    wrong += [f"{pattern}: no such test" for pattern in listed if pattern not in seen]

    kinds = ("passed", "failed", "listed", "not applicable")
    width = max(map(len, files), default=0)
    lines = [f"{'':{width}}  passed  failed  listed  not applicable"]
    for file, count in {**counts, "all": sum(counts.values(), Counter())}.items():
        lines.append(f"{file:{width}}" + "".join(f"{count[k]:>{max(6, len(k)) + 2},}" for k in kinds))
    every = sum(counts.values(), Counter())
    ran = every["passed"] + every["failed"] + every["listed"]
    if ran:
        lines += [
            "",
            f"{every['passed']:,} of {ran:,} tests that use clinfa pass: {every['passed'] / ran:.2%}",
        ]
    by_reason = Counter(
        reason for test in outcomes for p, reason in listed.items() if patterns[p].fullmatch(test)
    )
    lines += [f"  {count:,} listed: {reason}" for reason, count in by_reason.most_common()]
    if unlisted:
        lines += ["", "Failed, and not listed in reasons.toml:", *unlisted]
    if wrong:
        lines += ["", "Listed in reasons.toml, and did not fail:", *wrong]
    return "\n".join(lines), not unlisted and not wrong


if __name__ == "__main__":
    sys.exit(main())
