"""scikit-learn's names made to mean clinfa's: in a program, in a block, or for a whole script.

``python -m clinfa.patch script.py [arguments]`` runs a script so, and ``python -m clinfa.patch -m module`` a
module; neither needs a change.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import runpy
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from clinfa._discovery import public_modules

__all__ = ["patch_sklearn", "unpatch_sklearn"]

_DATA = ("datasets",)  # tables and generators compute nothing that could be faster

# Modules that reach into private parts of scikit-learn's trees (gradient boosting, embeddings by trees), and
# the one where pickles of these look for them: here the names of trees stay its own.
_NEEDS_ITS_TREES = (
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._iforest",
    "sklearn.tree._classes",
)

_lock = threading.RLock()
_lasting: list[Patch] = []  # asked for by calls
_within: list[Patch] = []  # asked for by `with` blocks that have not ended
_applied: dict[Any, Any] = {}  # scikit-learn's object -> ours, where names mean ours at the moment


class Patch:
    """What one call of `patch_sklearn` asked for; as a context manager, until the block ends."""

    def __init__(self, pairs: dict[Any, Any], names: list[str]):
        self._pairs = pairs
        self.names = names

    def __enter__(self) -> Patch:
        with _lock:
            if self in _lasting:
                _lasting.remove(self)
            _within.append(self)
            _apply()
        return self

    def __exit__(self, *error: object) -> None:
        with _lock:
            if self in _within:  # (not where `unpatch_sklearn` was called in the block)
                _within.remove(self)
                _apply()

    def __repr__(self) -> str:
        return f"<clinfa in place of scikit-learn's {', '.join(self.names)}>"


def patch_sklearn(only: Sequence[str] | None = None) -> Patch:
    """Let scikit-learn's names mean clinfa's estimators and functions, wherever both exist.

    Sets them in scikit-learn's public modules, in the private ones behind them, in all of its modules that
    are loaded and in its scorers, so that scikit-learn's own tools use them too. It makes no difference
    whether scikit-learn was imported before. Calling it twice is the same as calling it once.

    Parameters
    ----------
    only : sequence of str, optional
        What to replace: names ("KMeans"), names with their module ("cluster.KMeans") or whole modules
        ("cluster"). By default everything but `datasets`.

    Returns
    -------
    Patch
        A context manager, for ``with patch_sklearn(): ...``: the names are given back when the block
        ends, unless an outer block or an earlier call wants them. Its `names` say what was replaced.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.
    ValueError
        If `only` names something that clinfa and scikit-learn do not both have.

    Notes
    -----
    A name that your code has bound already (``from sklearn.cluster import KMeans``) stays what it was: patch
    first. Models made before stay scikit-learn's, and are no instances of what the name means now.
    Estimators that need private parts of scikit-learn's trees, such as gradient boosting, keep these.

    Examples
    --------
    >>> import clinfa, sklearn.cluster
    >>> with clinfa.patch_sklearn():
    ...     print(sklearn.cluster.KMeans.__module__)
    clinfa.cluster.kmeans
    >>> print(sklearn.cluster.KMeans.__module__)
    sklearn.cluster._kmeans
    """
    with _lock:
        pairs = dict(_pairs())
        names = list(pairs) if only is None else _chosen(only, list(pairs))
        patch = Patch(dict(pairs[name] for name in names), names)
        _lasting.append(patch)
        _apply()
    return patch


def unpatch_sklearn() -> None:
    """Give scikit-learn its names back, whoever took them.

    Examples
    --------
    >>> import clinfa, sklearn.cluster
    >>> patch = clinfa.patch_sklearn(only=["KMeans"])
    >>> sklearn.cluster.KMeans is clinfa.cluster.KMeans
    True
    >>> clinfa.unpatch_sklearn()
    >>> sklearn.cluster.KMeans is clinfa.cluster.KMeans
    False
    """
    with _lock:
        _lasting.clear()
        _within.clear()
        _apply()


def _pairs() -> Iterator[tuple[str, tuple[Any, Any]]]:
    """What both libraries have, by name ("cluster.KMeans"): scikit-learn's object, and ours."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "patch_sklearn needs scikit-learn, which is not installed: pip install scikit-learn."
        ) from error
    theirs_of = {id(ours): theirs for theirs, ours in _applied.items()}
    for path in public_modules():
        if path in _DATA or not _exists(f"sklearn.{path}"):
            continue
        module = importlib.import_module(f"clinfa.{path}")
        counterpart = importlib.import_module(f"sklearn.{path}")
        for name in getattr(module, "__all__", ()):
            ours, theirs = getattr(module, name), getattr(counterpart, name, None)
            theirs = theirs_of.get(id(theirs), theirs)
            same_kind = inspect.isclass(ours) == inspect.isclass(theirs)
            if callable(ours) and callable(theirs) and same_kind:
                yield f"{path}.{name}", (theirs, ours)


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # what stands before the last dot is missing, or no package
        return False


def _chosen(only: Sequence[str], known: list[str]) -> list[str]:
    if isinstance(only, str):
        raise ValueError(f"only must be a sequence of names, got the string {only!r}: write [{only!r}].")
    out = []
    for asked in only:
        name = str(asked).removeprefix("sklearn.")
        found = [k for k in known if name in (k, k.rpartition(".")[2]) or k.startswith(f"{name}.")]
        if not found:
            every = sorted({part for k in known for part in (k, *k.rsplit(".", 1))})
            near = difflib.get_close_matches(name, every, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"only names {asked!r}, which clinfa and scikit-learn do not both have.{hint}")
        out += [k for k in found if k not in out]
    return out


def _apply() -> None:
    """Make the names mean what all that are still wanted ask for together."""
    wanted: dict[Any, Any] = {}
    for patch in (*_lasting, *_within):
        wanted |= patch._pairs
    swaps = {id(theirs): ours for theirs, ours in wanted.items() if theirs not in _applied}
    swaps |= {id(ours): theirs for theirs, ours in _applied.items() if theirs not in wanted}
    if swaps:
        _swap(swaps)
    _applied.clear()
    _applied.update(wanted)


def _swap(swaps: dict[int, Any]) -> None:
    """Put other objects, by the id of the old one, into all of scikit-learn's modules and scorers."""
    for name, module in list(sys.modules.items()):
        if name == "sklearn" or name.startswith("sklearn."):
            space = getattr(module, "__dict__", {})
            keeps = name in _NEEDS_ITS_TREES
            tables = [value for value in space.values() if type(value) is dict and value is not space]
            for table in (space, *tables):  # (a table of choices may hold what is replaced, too)
                for key, value in list(table.items()):
                    if id(value) in swaps and not (keeps and _is_tree(value)):
                        table[key] = swaps[id(value)]
    scorers = getattr(sys.modules.get("sklearn.metrics._scorer"), "_SCORERS", {})
    for scorer in scorers.values():
        scorer._score_func = swaps.get(id(scorer._score_func), scorer._score_func)


def _is_tree(value: Any) -> bool:
    return getattr(value, "__module__", "").startswith("sklearn.tree.")


_USAGE = """\
usage: python -m clinfa.patch [--only NAME,NAME] script.py [arguments]
       python -m clinfa.patch [--only NAME,NAME] -m module [arguments]

Runs a script or a module with scikit-learn's names meaning clinfa's, wherever both exist.
--only: names ("KMeans"), names with their module ("cluster.KMeans") or modules ("cluster").
"""


def main(arguments: list[str]) -> int:
    """Run what the command line names under the patch.

    Returns
    -------
    int
        Exit status: 0, or 1 if something is missing, 2 for a usage error.
    """
    rest, only = list(arguments), None
    if rest and rest[0] in ("-h", "--help"):
        print(_USAGE, end="")
        return 0
    if rest and rest[0].startswith("--only"):
        value = rest.pop(0).removeprefix("--only").removeprefix("=") or (rest.pop(0) if rest else "")
        only = [name.strip() for name in value.split(",") if name.strip()]
    as_module = bool(rest) and rest[0] == "-m"
    if as_module:
        del rest[0]
    if not rest or rest[0].startswith("-") or only == []:
        print(_USAGE, end="", file=sys.stderr)
        return 2
    try:
        if not as_module and not Path(rest[0]).exists():
            raise FileNotFoundError(f"there is no file {rest[0]}")
        if as_module and not _exists(rest[0]):
            raise ModuleNotFoundError(f"there is no module {rest[0]}")
        patch_sklearn(only)
    except (ImportError, OSError, ValueError) as error:
        print(f"clinfa.patch: {error}", file=sys.stderr)
        return 1
    sys.argv[:] = rest
    if as_module:
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(rest[0]).resolve().parent)
        runpy.run_path(rest[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    from clinfa.patch import main as run  # the module that scripts will import, not this copy of it

    sys.exit(run(sys.argv[1:]))
