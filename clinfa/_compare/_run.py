"""The comparison: understand what is asked, let two processes take turns, put their answers side by side."""

from __future__ import annotations

import argparse
import ast
import csv
import difflib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import clinfa
from clinfa._compare import _data, _judge, _report
from clinfa._compare._contender import Contender
from clinfa._compare._refusal import Refusal
from clinfa._discovery import estimators

OTHERS = {"sklearn": "scikit-learn", "sklearnex": "scikit-learn-intelex"}  # module: what pip calls it
LABELS = {"clinfa": "clinfa", "sklearn": "scikit-learn", "sklearnex": "sklearnex"}
_ROUND = 0.02  # seconds that a round lasts at least
_PAUSE = 0.02  # seconds after which the other's idle threads no longer spin


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Compare, print the report, write it where that is asked for, and return it.

    Raises
    ------
    Refusal
        If the comparison cannot be made.
    """
    path, cls = find(asked.estimator)
    params = parse(asked.param or [])
    if importlib.util.find_spec(asked.against) is None:
        raise Refusal(
            f"{OTHERS[asked.against]} is not installed, so there is nothing to compare with: "
            f"pip install {OTHERS[asked.against]}."
        )
    supervised = _supervised(cls)
    name = asked.data or ("diabetes" if cls._kind == "regressor" else "iris")
    dataset = _data.read(name, asked.target, next(csv.reader([asked.features])) if asked.features else None)
    if supervised and dataset.targets is None:
        columns = f" Columns: {', '.join(dataset.feature_names)}." if dataset.feature_names else ""
        raise Refusal(
            f"{cls.__name__} learns from targets: name the column that holds them with --target.{columns}"
        )
    share = asked.test_size if asked.test_size is not None else 0.25 if supervised else 0.0
    data = _data.split(name, dataset, share)
    with tempfile.TemporaryDirectory(prefix="clinfa-compare-") as folder:
        _save(data, Path(folder))
        with (
            Contender("clinfa", "clinfa", path, Path(folder)) as ours,
            Contender(LABELS[asked.against], asked.against, path, Path(folder)) as theirs,
        ):
            report = _measure(asked, path, cls, params, data, supervised, ours, theirs)
    if asked.json:
        Path(asked.json).write_text(json.dumps(report, indent=2) + "\n")
    print(_report.told(report))
    return report


def find(name: str) -> tuple[str, type]:
    """An estimator and its path, by its name with or without the module, in any case of letters.

    Raises
    ------
    Refusal
        If there is none.
    """
    every = estimators()
    asked = name.lower().removeprefix("clinfa.").removeprefix("sklearn.")
    for path, cls in every.items():
        if asked in (path.lower(), cls.__name__.lower()):
            return path, cls
    names = {cls.__name__.lower(): cls.__name__ for cls in every.values()}
    near = difflib.get_close_matches(asked.rpartition(".")[2], names, 1)
    hint = f" Did you mean {names[near[0]]}?" if near else ""
    raise Refusal(f"clinfa has no estimator {name}.{hint} It has: {', '.join(sorted(names.values()))}.")


def parse(given: list[str]) -> dict[str, Any]:
    """Parameters from ``name=value``: Python's literals, anything else as text.

    Raises
    ------
    Refusal
        If one has no ``=`` or comes twice.
    """
    out: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise Refusal(f"--param {text}: write it as name=value.")
        if name.strip() in out:
            raise Refusal(f"--param {name.strip()} is given twice.")
        try:
            out[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            out[name.strip()] = value.strip()
    return out


def _supervised(cls: type) -> bool:
    y = inspect.signature(cls.fit).parameters.get("y")
    return cls._kind in ("classifier", "regressor") or (y is not None and y.default is y.empty)


def _save(data: _data.Data, folder: Path) -> None:
    for part, value in zip(("X", "y", "X_test", "y_test"), (*data.train, *data.test), strict=True):
        if value is not None:
            value = np.asarray(value)
            np.save(folder / f"{part}.npy", value.astype(str) if value.dtype == object else value)


def _measure(
    asked: argparse.Namespace, path: str, cls: type, params: dict[str, Any], data: _data.Data,
    supervised: bool, ours: Contender, theirs: Contender,
) -> dict[str, Any]:  # fmt: skip
    both = (ours, theirs)
    _progress("loading")
    mine, other = (contender.ask("load")["defaults"] for contender in both)
    if other is None:
        raise Refusal(f"{theirs.label} has no {path}.")
    _check_names(cls, params, mine, other, theirs.label)
    if "random_state" in mine and "random_state" in other:
        params = params | {"random_state": params.get("random_state", 0)}
    notes = [*_busy(), *_different_defaults(mine, other, params, theirs.label)]
    _progress("first fit")
    first = [contender.ask("start", params, supervised) for contender in both]
    operations = [name for name in first[0] if name in first[1]]
    seconds = _take_turns(both, operations, first, asked.rounds)
    _progress("what they found")
    answers = [contender.ask("result", operations[1:], {}) for contender in both]
    for contender, answer in zip(both, answers, strict=True):
        notes += [f"{contender.label} warns: {text}" for text in answer["said"]]
    start = _common_start(cls, params, mine, other, data.train[0])
    same_start = None if start is None else _from(both, operations[1:], start)
    if "random_state" in params:
        notes.append(
            f"Each library draws its own random numbers (random_state={params['random_state']!r} for both): "
            + ("results may differ by chance." if same_start is None else "time and quality are of "
               "different starts, agreement is of fits from the same one.")
        )  # fmt: skip
    _progress("")
    judged = [_judge.quality(answer, cls._kind, data.test[1], data.train[1]) for answer in answers]
    return {
        "estimator": path,
        "params": {name: _jsonable(value) for name, value in params.items()},
        "versions": {
            "clinfa": clinfa.__version__,
            theirs.label: importlib.metadata.version(OTHERS[asked.against]),
        },
        "cores": os.cpu_count(),
        "rounds": asked.rounds,
        "data": data.told(),
        "seconds": seconds,
        "peak memory": {
            name: {c.label: took[name][1] for c, took in zip(both, first, strict=True)} for name in operations
        },
        "quality": _side_by_side(both, judged),
        "agreement": _judge.agreement(*(same_start or answers), cls._kind),
        "agreement is of": same_start and "both from the same start",
        "notes": notes,
    }


def _busy() -> list[str]:
    load, cores = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0, os.cpu_count() or 1
    if load < 0.3 * cores:
        return []
    return [f"Other programs are busy here (load average {load:.1f} on {cores} cores): times are disturbed."]


def _different_defaults(
    mine: dict[str, str], other: dict[str, str], params: dict[str, Any], label: str
) -> list[str]:
    shared = [name for name in mine if name in other and name not in params]
    told = [f"{name} {mine[name]} and {other[name]}" for name in shared if mine[name] != other[name]]
    return [f"Defaults that differ (clinfa's and {label}'s): {', '.join(told)}."] if told else []


def _from(
    both: tuple[Contender, Contender], methods: list[str], start: dict[str, Any]
) -> list[dict[str, Any]] | None:
    """Results of fits from the same start; None if one of the two takes no such start after all."""
    try:
        return [contender.ask("result", methods, start) for contender in both]
    except Refusal:
        return None


def _check_names(
    cls: type, params: dict[str, Any], mine: dict[str, str], other: dict[str, str], label: str
) -> None:
    for name in params:
        if name in mine and name in other:
            continue
        if name in mine:
            raise Refusal(f"{label}'s {cls.__name__} has no parameter {name!r}; clinfa's has.")
        if name in other:
            raise Refusal(f"clinfa's {cls.__name__} has no parameter {name!r}; {label}'s has.")
        near = difflib.get_close_matches(name, mine, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise Refusal(f"{cls.__name__} has no parameter {name!r}.{hint} It has: {', '.join(mine)}.")


def _take_turns(
    both: tuple[Contender, Contender],
    operations: list[str],
    first: list[dict[str, tuple[float, int | None]]],
    rounds: int,
) -> dict[str, dict[str, list[float]]]:
    """Seconds by operation, library and round."""
    out = {name: {contender.label: [] for contender in both} for name in operations}
    for turn in range(rounds):
        for name in operations:
            for contender, took in zip(both, first, strict=True):
                _progress(f"round {turn + 1} of {rounds}: {name}, {contender.label}")
                number = min(max(1, int(np.ceil(_ROUND / max(took[name][0], 1e-9)))), 1000)
                time.sleep(_PAUSE)
                out[name][contender.label].append(contender.ask("time", name, number))
    return out


def _common_start(
    cls: type, params: dict[str, Any], mine: dict[str, str], other: dict[str, str], X: np.ndarray
) -> dict[str, Any] | None:
    """Parameters that give both the same start, where both take one and the user has given none."""
    takes_one = all("init" in names and "n_clusters" in names for names in (mine, other))
    if not takes_one or not isinstance(params.get("init", ""), str):
        return None
    k = params.get("n_clusters", cls().n_clusters)
    rows = np.random.RandomState(0).permutation(len(X))[:k]
    return {"init": np.array(X[rows], np.float64)} | ({"n_init": 1} if "n_init" in mine else {})


def _side_by_side(
    both: tuple[Contender, Contender], found: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    return {
        name: {contender.label: values[name] for contender, values in zip(both, found, strict=True)}
        for name in found[0]
        if name in found[1]
    }


def _jsonable(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | None) else repr(value)


def _progress(text: str) -> None:
    """One line on a terminal, which the next one replaces."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
