"""One contender in a process of its own: ``python -m benchmarks.worker CASE CONTENDER FOLDER``.

Loads the data, imports the library, says ``{"ready": ..}``, then obeys one word per line on
standard input and answers with one line of JSON: ``run`` makes one timed call (of
`Case.repeat` repetitions), ``result`` saves what the last one returned.
"""

import functools
import gc
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.case import Case, load
from benchmarks.cases import CASES


def main(case_name: str, contender: str, folder: str) -> None:
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to the log, not into the conversation

    def say(**reply) -> None:
        replies.write(json.dumps(reply) + "\n")

    try:
        serve(CASES[case_name], contender, Path(folder), say)
    except peers.Absent as error:
        say(absent=str(error))
    except Exception as error:
        traceback.print_exc()
        say(error=f"{type(error).__name__}: {error}"[:300])


def serve(case: Case, contender: str, folder: Path, say: Callable[..., None]) -> None:
    module, version = peers.load(contender)
    data = load(folder)
    function = case.functions[contender.removesuffix(peers.TUNED)]
    call = function(data, case) if case.prepared else functools.partial(function, data, case)
    say(ready=True, version=version, pools=pools(), isa=isa(module))
    answer = None
    for request in sys.stdin:
        if request.strip() == "run":
            answer = None
            gc.collect()
            begin = time.perf_counter()
            for _ in range(case.repeat):
                answer = call()
            seconds = (time.perf_counter() - begin) / case.repeat
            kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            say(seconds=seconds, max_rss_kib=kib)
        else:
            told = answer() if callable(answer) else answer
            result, iterations = told if isinstance(told, tuple) else (told, None)
            path = folder / "results" / f"{contender}.npy"
            np.save(path, result)
            say(path=str(path), pools=pools(), iterations=None if iterations is None else int(iterations))


def pools() -> list[dict]:
    """Thread pools of this process: BLAS (with its kernels) and OpenMP."""
    try:
        import threadpoolctl
    except ImportError:
        return []
    keys = ("internal_api", "version", "architecture", "num_threads")
    info = threadpoolctl.threadpool_info()
    return [{key: pool.get(key) for key in keys} | {"file": Path(pool["filepath"]).name} for pool in info]


def isa(module) -> str | None:
    """The instruction-set level of clinfa's kernels: the folder that they were loaded from."""
    if not module.__name__.startswith("clinfa"):
        return None
    folders = [Path(path).name for path in sys.modules["clinfa._core"].__path__]
    return next((name for name in folders if name.startswith("v")), "one level")


if __name__ == "__main__":
    main(*sys.argv[1:])
