"""Command line: ``python -m benchmarks [--cases GLOB] [--contenders GLOB] [--rounds N] ...``."""

import argparse
import dataclasses
import os
import signal
import sys
from pathlib import Path

from benchmarks import machine, peers, report, runner
from benchmarks.case import matches
from benchmarks.cases import CASES

RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments ask for; returns an exit status."""
    asked = parse(arguments)
    cases = [case for name, case in CASES.items() if matches(name, asked.cases)]
    if not cases:
        print(f"no case matches {asked.cases!r}; see --list", file=sys.stderr)
        return 2
    if asked.list:
        for case in cases:
            print(f"{case.name:32} {' '.join(runner.names(case, asked.contenders, tuned=False))}")
        return 0
    options = runner.Options(asked.contenders, asked.rounds, asked.scale, asked.patience, asked.calm)
    for ended in (signal.SIGINT, signal.SIGTERM):  # also in the background: report what there is
        signal.signal(ended, signal.default_int_handler)
    if hasattr(os, "sched_setaffinity"):  # workers inherit it: everyone has the same two cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: peers.THREADS])
    described = machine.describe()
    limits = machine.calibrate(4096 if asked.scale >= 1 else 512, described["avx512f"], asked.calm)
    raw = {
        "machine": described,
        "limits": limits,
        "options": dataclasses.asdict(options),
        "versions": {},
        "cases": [],
    }
    try:
        for result in runner.run(cases, options):
            raw["cases"].append(result)
            print(line(result), file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("stopped; the report has the cases so far", file=sys.stderr)
    raw["versions"] = versions(raw["cases"])
    raw["machine"]["load_average_at_end"] = os.getloadavg()
    for path in report.write(raw, asked.out):
        print(path)
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--cases", default="*", metavar="GLOB", help="comma-separated; default all")
    add("--contenders", default="*", metavar="GLOB", help="comma-separated, like 'clinfa*,faiss*'")
    add("--rounds", type=int, default=5, help="timed rounds (default 5)")
    add("--scale", type=float, default=1.0, help="shrink n, for smoke tests (default 1)")
    add("--patience", type=float, default=60.0, metavar="S", help="give up on longer calls (60)")
    add("--calm", type=float, default=5.0, metavar="S", help="wait so long for an idle machine (5)")
    add("--out", type=Path, default=RESULTS, help="folder of the report (benchmarks/results)")
    add("--list", action="store_true", help="list cases and contenders")
    return parser.parse_args(arguments)


def line(case: dict) -> str:
    """A case in one line, for whoever waits."""
    times = [
        f"{name} {c['median']:.3g}{report.noise(c)}" if c["status"] == "ok" else f"{name}: {c['status']}"
        for name, c in case["contenders"].items()
        if c["status"] != "same"
    ]
    return f"{case['name']}: " + " · ".join(times)


def versions(cases: list[dict]) -> dict[str, str]:
    """Version (and ISA level) by library, as the workers told."""
    found = {}
    for case in cases:
        for name, c in case["contenders"].items():
            if c["status"] == "ok":
                level = f" ({c['isa']})" if c["isa"] else ""
                found[peers.library(name)] = f"{c['version']}{level}"
    return found


if __name__ == "__main__":
    sys.exit(main())
