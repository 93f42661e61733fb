"""Command line: ``python -m clinfa demo``, ``compare`` and ``info``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.

    Returns
    -------
    int
        Exit status: 0, or 1 if something is missing or cannot be written, 2 for a usage error.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        if asked.command == "info":
            from clinfa.versions import show_versions

            show_versions()
        elif asked.command == "compare":
            return _compare(asked)
        else:
            from clinfa._demo import run

            run(asked.out, quick=asked.quick, progress=asked.progress or sys.stderr.isatty())
    except (ImportError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # whoever read the output has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        print(f"clinfa {asked.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nclinfa {asked.command}: stopped", file=sys.stderr)
        return 130
    return 0


def _compare(asked: argparse.Namespace) -> int:
    from clinfa._compare import Refusal, run

    try:
        run(asked)
    except Refusal as error:
        print(f"clinfa compare: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clinfa", description="Classical machine learning with C-level hot loops."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="k-means on real data: what it finds, how fast, and pictures of it",
        description=(
            "Clusters the tables that ship with clinfa and the colours of a picture, times one "
            "million points against scikit-learn where that is installed, and writes pictures "
            "(the charts among them need matplotlib). Takes well under a minute."
        ),
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("demo"),
        metavar="DIR",
        help="folder for the pictures, made if it is not there (default: ./demo)",
    )
    demo.add_argument("--quick", action="store_true", help="less data: a few seconds")
    demo.add_argument(
        "--progress",
        action="store_true",
        help="say on stderr what is going on, even where that is no terminal",
    )
    _add_compare(commands)
    commands.add_parser(
        "info",
        help="versions, instruction-set level, BLAS, cores and threads",
        description="Prints what this installation is made of: paste it into a bug report.",
    )
    return parser


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="an estimator here and in scikit-learn: time, memory, agreement, quality",
        description=(
            "Fits an estimator of clinfa and scikit-learn's of the same name on the same data with the "
            "same parameters, each in a process of its own, and puts time, peak memory, quality and "
            "agreement side by side."
        ),
    )
    compare.add_argument("estimator", metavar="ESTIMATOR", help="its name, as KMeans or cluster.KMeans")
    compare.add_argument(
        "data",
        nargs="?",
        metavar="DATA",
        help="a .csv, .tsv, .txt (or .gz of these), .parquet or .npy file, or a table that ships with "
        "clinfa, like iris (default: one that suits the estimator)",
    )
    compare.add_argument("--target", metavar="COLUMN", help="the column to predict, by name or number")
    compare.add_argument(
        "--features", metavar="A,B,...", help="the columns to learn from (default: all others)"
    )
    compare.add_argument(
        "--param",
        action="append",
        metavar="NAME=VALUE",
        help="a parameter for both, as often as needed",
    )
    compare.add_argument(
        "--against", choices=("sklearn", "sklearnex"), default="sklearn", help="(default: sklearn)"
    )
    compare.add_argument(
        "--rounds", type=_at_least_one, default=5, metavar="N", help="rounds to time (default: 5)"
    )
    compare.add_argument(
        "--test-size",
        type=_share,
        metavar="SHARE",
        help="share of the rows to hold out and predict (default: 0.25 where targets are learnt, else 0)",
    )
    compare.add_argument("--json", metavar="FILE", help="write all figures there too")


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an int >= 1, got {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be a number in [0, 1), got {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
