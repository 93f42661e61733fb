"""``python -m clinfa demo``: real data and the deck's examples, told in a terminal and drawn in pictures.

One file for each thing shown: a function that finds out, which returns a frozen dataclass, and one
that tells. `charts` alone needs matplotlib.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path

from clinfa import __version__
from clinfa._demo import colours, rings, speed, tables

__all__ = ["Terminal", "run"]


class Terminal:
    """Text on stdout, and one passing line on stderr about what takes long.

    Parameters
    ----------
    progress : bool
        Whether to write that line. On a terminal each overwrites the one before it.
    """

    def __init__(self, progress: bool):
        self._progress, self._transient = progress, sys.stderr.isatty()

    def doing(self, what: str) -> None:
        """Say what is going on now."""
        if self._progress:
            print(f"\r\033[K{what} ..." if self._transient else f"{what} ...", file=sys.stderr, end="")
            print(end="" if self._transient else "\n", file=sys.stderr, flush=True)

    def say(self, *lines: str) -> None:
        """Print lines, in place of what was going on."""
        if self._progress and self._transient:
            print("\r\033[K", file=sys.stderr, end="", flush=True)
        print(*lines, sep="\n", flush=True)


def run(out: Path, *, quick: bool = False, progress: bool = False) -> list[Path]:
    """Show everything.

    Parameters
    ----------
    out : Path
        Folder for the pictures.
    quick : bool, default False
        Less data.
    progress : bool, default False
        Whether to say on stderr what is going on.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OSError
        If `out` is not a folder that can be written to.
    """
    from clinfa import _core
    from clinfa.config import thread_count

    _make_folder(out)
    start, terminal = time.perf_counter(), Terminal(progress)
    threads = thread_count()
    terminal.say(
        f"clinfa {__version__}: k-means on real data "
        f"(instructions {_core.level}, {threads} thread{'s' * (threads > 1)})"
    )

    starts = 2 if quick else 10
    terminal.say("", "1. Tables whose classes are known", *tables.INTRODUCTION)
    found = []
    for table in tables.shipped():
        terminal.doing(f"clustering {table.name}")
        found.append(tables.cluster(table, starts))
        terminal.say("", *tables.told(found[-1]))

    terminal.say("", "2. The colours of a picture")
    terminal.doing("reading a picture")
    picture = colours.read_picture(every=2 if quick else 1)
    quantised = []
    for k in colours.PALETTES:
        terminal.doing(f"choosing {k} colours")
        quantised.append(colours.quantise(picture, k))
    files = colours.write(picture, quantised, out)
    terminal.say("", *colours.told(picture, quantised, files))

    terminal.say("", "3. Rings within rings")
    diffused = rings.diffuse()
    terminal.say("", *rings.told(diffused))

    terminal.say("", "4. One million points, against the clock" if not quick else "4. Against the clock")
    race = speed.race(100_000 if quick else 1_000_000, 3, terminal.doing)
    terminal.say("", *speed.told(race))

    terminal.say("", "5. Pictures", "")
    if find_spec("matplotlib"):
        from clinfa._demo import charts

        terminal.doing("clustering digits with 2, 3, 4 ... clusters")
        elbow = tables.elbow(found[-1].table, 12 if quick else 20, starts)
        terminal.doing("drawing")
        files += charts.draw(found, elbow, picture, quantised, diffused, race, out)
    else:
        terminal.say("   The charts need matplotlib: pip install matplotlib (or clinfa[plot])", "")
    terminal.say(*(f"   {file}" for file in files), "", f"Done in {time.perf_counter() - start:.0f} s.")
    return files


def _make_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"--out {out} is a file; name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".writable").touch()
        (out / ".writable").unlink()
    except OSError as error:
        raise OSError(f"cannot write to the folder {out}: {error.strerror}") from error
