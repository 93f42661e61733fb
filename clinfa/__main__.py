"""Command line: ``python -m clinfa demo`` and ``python -m clinfa info``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


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
    commands.add_parser(
        "info",
        help="versions, instruction-set level, BLAS, cores and threads",
        description="Prints what this installation is made of: paste it into a bug report.",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
