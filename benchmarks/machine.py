"""What this machine is, and how fast it can multiply and read."""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks import peers, quiet

LONGER = 12  # times as long as before a turn: the wait for an idle machine before its limits are measured
READ_MIB = (16, 64, 256, 1024, 2048)  # caches may hold the small ones: a limit per data size


def describe() -> dict:
    """CPU, its x86-64 level, memory, load, versions."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    lines = dict(map(str.strip, line.split(":", 1)) for line in text.splitlines() if ":" in line)
    flags = set(lines.get("flags", "").split())
    return {
        "cpu": lines.get("model name", platform.processor() or platform.machine()),
        "cpu_family_model": [lines.get("cpu family"), lines.get("model")],
        "cores_visible": os.cpu_count(),
        "cores_used": peers.THREADS,
        "isa": isa_level(flags),
        "avx512f": "avx512f" in flags,
        "l3": lines.get("cache size"),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "load_average_at_start": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "when": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def isa_level(flags: set[str]) -> str:
    """The x86-64 level of a set of CPU flags."""
    if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags:
        return "x86-64-v4"
    return "x86-64-v3" if {"avx2", "fma", "bmi2"} <= flags else platform.machine()


def calibrate(size: int, tuned: bool, calm: float) -> dict:
    """Run this module as a worker; returns GFLOP/s by dtype and GB/s by MiB of data.

    ``"disturbed"`` says that others were busy meanwhile: then the limits are too low.
    """
    environment = os.environ | peers.environment(peers.TUNED if tuned else "")
    command = [sys.executable, "-m", "benchmarks.machine", str(size)]
    quiet.wait(LONGER * calm)
    begin, others, own = time.monotonic(), quiet.busy(), _children()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    if others is not None:
        others = quiet.busy() - others - (_children() - own)
    return json.loads(done.stdout) | {"disturbed": quiet.disturbed(others, time.monotonic() - begin)}


def limit_seconds(limits: dict, dtype: str, flops: float, moved: float, resident: int) -> float:
    """No method that does these flops and reads these bytes can be faster here.

    Parameters
    ----------
    flops, moved : float
        Operations, and bytes read, of the whole call.
    resident : int
        Bytes of the data itself: what a cache would have to hold.
    """
    sizes = {float(mib): gbs for mib, gbs in limits["read_gbs"].items()}
    mib = resident / 2**20
    fastest = max(gbs for size, gbs in sizes.items() if size >= min(mib, max(sizes)))
    return max(flops / (limits["gemm_gflops"][dtype] * 1e9), moved / (fastest * 1e9))


def gemm_gflops(size: int, dtype: str) -> float:
    """Best of a few square products."""
    a = np.random.default_rng(0).random((size, size)).astype(dtype)
    out = np.empty_like(a)
    best = min(_seconds(lambda: np.matmul(a, a, out=out)) for _ in range(5))
    return 2 * size**3 / best / 1e9


def read_gbs(mib: int) -> float:
    """Best of a few passes over an array, half of it on each thread, by two kinds of pass."""
    parts = np.array_split(np.ones(mib * 2**17), peers.THREADS)
    with ThreadPoolExecutor(peers.THREADS) as pool:
        best = min(
            _seconds(lambda reduce=reduce: list(pool.map(reduce, parts)))
            for _ in range(5)
            for reduce in (np.sum, np.max)
        )
    return mib * 2**20 / best / 1e9


def _children() -> float:
    """Processor seconds of the child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _seconds(call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    size = int(sys.argv[1])
    sizes = READ_MIB if size >= 4096 else READ_MIB[:3]
    gflops = {dtype: gemm_gflops(size, dtype) for dtype in ("float32", "float64")}
    print(json.dumps({"gemm_gflops": gflops, "read_gbs": {mib: read_gbs(mib) for mib in sizes}}))
