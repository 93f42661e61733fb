"""One library in a process of its own: loads the data, then does what it is told, and answers."""

from __future__ import annotations

import ctypes
import gc
import importlib
import multiprocessing
import os
import sys
import time
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from clinfa._compare._refusal import Refusal

METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples", "kneighbors")
_WARM_UP = 200  # rows
_PROCESSES = multiprocessing.get_context("spawn")  # neither library finds what the other has left behind


class Contender:
    """What one library's process is asked, from outside."""

    def __init__(self, label: str, library: str, path: str, folder: Path):
        self.label, self.path = label, path
        self._pipe, there = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_serve, args=(there, library, path, folder), daemon=True)
        self._process.start()
        there.close()

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()

    def ask(self, what: str, *arguments: Any) -> Any:
        """What `_Inside` answers to the question of that name.

        Raises
        ------
        Refusal
            If it raised an error, or the process died.
        """
        try:
            self._pipe.send((what, arguments))
            good, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(1)
            raise Refusal(
                f"the process of {self.label} died (status {self._process.exitcode}): out of memory?"
            ) from error
        if not good:
            raise Refusal(f"{self.label}'s {self.path.rpartition('.')[2]}: {answer}")
        return answer


def _serve(pipe: Connection, library: str, path: str, folder: Path) -> None:
    os.dup2(2, 1)  # what a library prints is no part of the report
    inside = _Inside(library, path, folder)
    while True:
        try:
            what, arguments = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send((True, getattr(inside, what)(*arguments)))
        except KeyboardInterrupt:
            return
        except Exception as error:  # any: whatever goes wrong here is told there
            pipe.send((False, _words(error)))


def _words(error: Exception) -> str:
    """An error in one line."""
    text = " ".join(str(error).split("\n\n")[0].split())
    if isinstance(error, ValueError | TypeError | ImportError) and text:
        return text
    return f"{type(error).__name__}: {text}"


class _Inside:
    """What one library's process can answer."""

    def __init__(self, library: str, path: str, folder: Path):
        self.library, self.path, self.folder = library, path, folder
        self.said: dict[str, None] = {}

    def load(self) -> dict[str, Any]:
        """Import and read; the version, and each parameter's default as text. None: no such estimator."""
        module, _, name = self.path.rpartition(".")
        importlib.import_module(self.library)
        try:
            self.cls = getattr(importlib.import_module(f"{self.library}.{module}"), name)
        except (AttributeError, ModuleNotFoundError):
            return {"defaults": None}
        self.X, self.y, self.X_test, self.y_test = (
            np.load(file) if (file := self.folder / f"{part}.npy").exists() else None
            for part in ("X", "y", "X_test", "y_test")
        )
        warnings.simplefilter("always")
        warnings.showwarning = self._warned
        return {"defaults": {name: repr(v) for name, v in self.cls().get_params(deep=False).items()}}

    def _warned(self, message: Warning, category: type, *where: Any, **more: Any) -> None:
        text = " ".join(str(message).split())
        self.said.setdefault(f"{category.__name__}: {text}")

    def start(self, params: dict[str, Any], supervised: bool) -> dict[str, Any]:
        """Run each operation once, warmed up on a few rows, and say what it took.

        Returns
        -------
        dict
            By operation: seconds, and bytes of peak memory above what was there before (None where the
            system does not tell).
        """
        self.params, self.supervised = params, supervised
        with suppress(Exception):  # too few rows, perhaps; what is wrong will be heard from all of them
            few = self.cls(**params).fit(self.X[:_WARM_UP], *self._targets(_WARM_UP))
            for method in METHODS:
                if hasattr(few, method):
                    getattr(few, method)(self.X[:_WARM_UP])
        self.said.clear()
        first = {"fit": self._watched("fit")}
        for method in METHODS:
            if hasattr(self.model, method):
                first[method] = self._watched(method)
        return first

    def _targets(self, rows: int | None = None) -> tuple[np.ndarray, ...]:
        return (self.y[:rows],) if self.supervised else ()

    def _watched(self, operation: str) -> tuple[float, int | None]:
        before = _memory_now()
        seconds = self.time(operation, 1)
        after = _memory_peak()
        return seconds, None if before is None or after is None else max(after - before, 0)

    def time(self, operation: str, number: int) -> float:
        """Seconds of one call, from `number` of them."""
        answer = None
        begin = time.perf_counter()
        for _ in range(number):
            if operation == "fit":
                self.model = self.cls(**self.params).fit(self.X, *self._targets())
            else:
                answer = getattr(self.model, operation)(self.X_test)
        seconds = (time.perf_counter() - begin) / number
        del answer
        return seconds

    def result(self, methods: list[str], changes: dict[str, Any]) -> dict[str, Any]:
        """What a fit yields, with some parameters changed: fitted attributes, results, warnings."""
        if changes:
            self.model = self.cls(**self.params | changes).fit(self.X, *self._targets())
        said = list(self.said)
        fitted = {}
        for name in dir(self.model):
            if name.endswith("_") and name[0] != "_" and not name.endswith("__"):
                with suppress(Exception):  # a property may have nothing to tell of this fit
                    fitted[name] = _plain(getattr(self.model, name))
        results = {}
        for method in methods:
            answer = getattr(self.model, method)(self.X_test)
            # (Of distances and rows the distances: rows may differ where distances are equal.)
            results[method] = _plain(answer[0] if isinstance(answer, tuple) else answer)
        score = None
        if hasattr(self.model, "score"):
            score = float(self.model.score(self.X_test, *((self.y_test,) if self.supervised else ())))
        return {"fitted": fitted, "results": results, "score": score, "said": said}


def _plain(value: Any) -> Any:
    """Arrays and scalars, as far as they can be compared; else None."""
    if isinstance(value, bool | int | float | np.generic):
        return value
    value = np.asarray(value) if isinstance(value, np.ndarray) else None
    if value is not None and value.dtype == object:
        return value.astype(str) if all(isinstance(v, str) for v in value.ravel()) else None
    return value


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}")


def _memory_now() -> int | None:
    """Bytes of this process; the peak is counted from here, as far as the system lets us."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)  # what is free goes back, lest what comes next find it there
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return _max_rss()


def _memory_peak() -> int | None:
    try:
        return _status("VmHWM")
    except OSError:
        return _max_rss()


def _max_rss() -> int | None:
    """The peak since the process began: all that other systems tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
