"""Runs cases: a process per contender, kept alive, taking turns round by round."""

import dataclasses
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from benchmarks import machine, peers, quiet
from benchmarks.case import Case, Data, matches, save

ROOT = Path(__file__).parent.parent
TRIES = 3  # calls in one turn until one is not disturbed


@dataclasses.dataclass
class Options:
    """What the command line asks for."""

    contenders: str = "*"
    rounds: int = 5
    scale: float = 1.0
    patience: float = 60.0  # seconds: one call that takes longer is given up
    calm: float = 5.0  # seconds: how long to wait before a turn for the machine to be idle


class Trouble(Exception):
    """A contender is out of the race; `status` and the message go to the report."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Worker:
    """One contender's process, and what was measured of it."""

    def __init__(self, case: Case, contender: str, data: Data, folder: Path, patience: float):
        self.name, self.patience = contender, patience
        self.seconds: list[float] = []
        self.disturbed: list[bool] = []
        self.peak_mib = self.iterations = self.warm_up = None
        self.log = (folder / "results" / f"{contender}.log").open("w+")
        self.process = subprocess.Popen(
            command(case, contender, data, folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=os.environ | peers.environment(contender),
            cwd=ROOT,
            text=True,
        )
        try:
            self.ready = self._answer(max(patience, 60.0))
        except Trouble:
            self.close()
            raise
        self.rss_kib = self._status("VmRSS")

    def turn(self, calm: float) -> None:
        """One round: a call that nobody disturbed, else the fastest of a few."""
        calls: list[tuple[bool, float]] = []
        while not calls or calls[-1][0]:
            quiet.wait(calm)
            calls.append(self.call())
            if len(calls) == TRIES or sum(seconds for _, seconds in calls) > self.patience / 2:
                break
        was_disturbed, seconds = min(calls)
        self.seconds.append(seconds)
        self.disturbed.append(was_disturbed)

    def call(self) -> tuple[bool, float]:
        """One timed call: whether others disturbed it, and its seconds; notes memory as well."""
        seen = self._reset_peak()
        begin, others = time.monotonic(), quiet.busy(self.process.pid)
        reply = self._ask("run")
        if others is not None:
            others = quiet.busy(self.process.pid) - others
        was_disturbed = quiet.disturbed(others, time.monotonic() - begin)
        peak = self._status("VmHWM") if seen else reply.get("max_rss_kib")
        if peak and self.rss_kib:
            self.peak_mib = max(self.peak_mib or 0.0, (peak - self.rss_kib) / 1024)
        return was_disturbed, reply["seconds"]

    def warm(self) -> None:
        """The first call, which does not count."""
        self.warm_up = self.call()[1]

    def result(self) -> tuple[np.ndarray, list]:
        """What the last call returned, and the thread pools that exist now."""
        reply = self._ask("result")
        self.iterations = reply.get("iterations")
        return np.load(reply["path"]), reply["pools"] or self.ready["pools"]

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):  # (it may have been killed)
            self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()

    def _ask(self, request: str) -> dict:
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Trouble("failed", self._last_words()) from None
        return self._answer(self.patience)

    def _answer(self, patience: float) -> dict:
        if not select.select([self.process.stdout], [], [], patience)[0]:
            raise Trouble("too slow", f"a call took over {patience:g} s")
        line = self.process.stdout.readline()
        reply = json.loads(line) if line else {"error": self._last_words()}
        for status, key in (("absent", "absent"), ("failed", "error")):
            if key in reply:
                raise Trouble(status, reply[key])
        return reply

    def _last_words(self) -> str:
        self.process.wait()
        self.log.seek(0)
        lines = self.log.read().split("\n")
        text = next((line for line in reversed(lines) if line.strip()), "no message")
        return f"ended with status {self.process.returncode}: {text}"[:300]

    def _reset_peak(self) -> bool:
        try:
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        except OSError:
            return False
        return True

    def _status(self, key: str) -> int | None:
        """A size in KiB from /proc, where there is one."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return None
        return next((int(x.split()[1]) for x in text.split("\n") if x.startswith(key)), None)


def command(case: Case, contender: str, data: Data, folder: Path) -> list[str]:
    """The program of a contender."""
    if contender != "linfa":
        return [sys.executable, "-m", "benchmarks.worker", case.name, contender, str(folder)]
    try:
        program = peers.linfa_program()
    except peers.Absent as error:
        raise Trouble("absent", str(error)) from error
    files = [str(folder / "X.npy"), str(folder / "C0.npy")]
    numbers = [str(case.iterations), str(case.repeat)]
    dtype = {"float32": "f32", "float64": "f64"}[data["X"].dtype.name]
    result = str(folder / "results" / "linfa.npy")
    return [str(program), case.linfa, dtype, *files, *numbers, result]


def names(case: Case, patterns: str, tuned: bool) -> list[str]:
    """Contenders of a case in the order of their turns."""
    found = []
    for name in case.functions:
        found.append(name)
        if tuned and peers.library(name) in peers.USES_OPENBLAS:
            found.append(name + peers.TUNED)
    if case.linfa:
        found.append("linfa")
    return [name for name in found if matches(name, patterns)]


def run(cases: Iterable[Case], options: Options) -> Iterable[dict]:
    """Race case by case; yields the report of each."""
    tuned = machine.describe()["avx512f"]
    same_kernels: set[str] = set()  # libraries whose BLAS picks the tuned kernels by itself
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="clinfa-bench-") as folder:
            yield run_case(case, options, tuned, same_kernels, Path(folder))


def run_case(case: Case, options: Options, tuned: bool, same_kernels: set[str], folder: Path) -> dict:
    """One race: start all, warm up all, then rounds in turn."""
    data = case.make(options.scale)
    (folder / "results").mkdir()
    save(data, folder)
    workers: dict[str, Worker] = {}
    out: dict[str, dict] = {}

    def attempt(name: str, action) -> None:
        """Do it, or take the contender out of the race."""
        try:
            action()
        except Trouble as trouble:
            out[name] = {"status": trouble.status, "reason": str(trouble)}
            if name in workers:
                workers.pop(name).close()

    def start(name: str) -> None:
        plain, library = name.removesuffix(peers.TUNED), peers.library(name)
        if name != plain and library not in same_kernels:
            worker = workers[name] = Worker(case, name, data, folder, options.patience)
            if plain in workers and kernels(worker) == kernels(workers[plain]):
                same_kernels.add(library)
        elif name == plain:
            workers[name] = Worker(case, name, data, folder, options.patience)
        if name != plain and library in same_kernels:
            raise Trouble("same", f"{plain} picks the same BLAS kernels by itself: run once")

    try:
        order = names(case, options.contenders, tuned)
        for name in order:
            attempt(name, lambda name=name: start(name))
        for name in list(workers):
            attempt(name, lambda name=name: workers[name].warm())
        for turn in range(options.rounds):
            for name, worker in list(workers.items()):
                if turn < rounds_for(worker, options):
                    attempt(name, lambda worker=worker: worker.turn(options.calm))
        for name, worker in list(workers.items()):
            attempt(name, lambda name=name, w=worker: out.update({name: measured(w, case, data)}))
    finally:
        for worker in workers.values():
            worker.close()
    return summary(case, data, {name: out[name] for name in order})


def rounds_for(worker: Worker, options: Options) -> int:
    """Fewer rounds for a contender that would use up twice the patience."""
    return min(options.rounds, max(1, int(2 * options.patience / max(worker.warm_up, 1e-9))))


def kernels(worker: Worker) -> list[tuple]:
    """Which BLAS kernels a process has picked."""
    return sorted((pool["file"], str(pool["architecture"])) for pool in worker.ready["pools"])


def measured(worker: Worker, case: Case, data: Data) -> dict:
    """The figures of one contender that stayed in the race."""
    result, pools = worker.result()
    return {
        "status": "ok",
        "median": statistics.median(worker.seconds),
        "min": min(worker.seconds),
        "seconds": worker.seconds,
        "disturbed": worker.disturbed,
        "warm_up": worker.warm_up,
        "peak_mib": worker.peak_mib,
        "rss_loaded_mib": worker.rss_kib and worker.rss_kib / 1024,
        "quality": case.quality(data, result),
        "iterations": worker.iterations,
        "version": worker.ready["version"],
        "isa": worker.ready.get("isa"),
        "environment": peers.environment(worker.name),
        "pools": pools,
    }


def summary(case: Case, data: Data, contenders: dict[str, dict]) -> dict:
    """What the report needs of one case, raw."""
    X = data["X"]
    told = [c["iterations"] for c in contenders.values() if c.get("iterations")]
    needed = min([case.iterations, *told]) if case.cost else None
    flops, moved = case.cost(data, case, needed) if case.cost else (None, None)
    notes = {name: " ".join((f.__doc__ or "").split()) for name, f in case.functions.items()}
    return {
        "name": case.name,
        "group": case.group,
        "note": case.note,
        "shape": list(X.shape),
        "dtype": X.dtype.name,
        "params": dict(case.params),
        "leeway": case.leeway,
        "resident_bytes": int(X.data.nbytes if hasattr(X, "indptr") else X.nbytes),
        "flops": flops,
        "bytes": moved,
        "iterations_needed": needed,
        "contender_notes": notes | ({"linfa": peers.LINFA_NOTE} if case.linfa else {}),
        "contenders": contenders,
    }
