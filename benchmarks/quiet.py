"""Whether somebody else was using the processor: a shared machine must not decide a race."""

import os
import time
from pathlib import Path

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
SHARE = 0.1  # of one core: what others may use before a time counts as disturbed
LEAST = 0.03  # seconds: below it the kernel's clock of 10 ms tells nothing


def busy(pid: int | None = None) -> float | None:
    """Processor seconds used so far by everything else than process `pid`; None off Linux."""
    try:
        # user, nice, system, (idle, iowait,) irq, softirq, steal
        ticks = [int(x) for x in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        used = sum(ticks) - ticks[3] - ticks[4]
        if pid is not None:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used -= int(fields[11]) + int(fields[12])
    except (OSError, ValueError, IndexError):
        return None
    return used * TICK


def disturbed(others: float | None, wall: float) -> bool:
    """Whether `others` seconds of other work within `wall` seconds are too many."""
    return others is not None and others > max(LEAST, SHARE * wall)


def wait(patience: float, sample: float = 0.2) -> None:
    """Sleep until the machine is idle (the threads of the last worker spin for a while too)."""
    end = time.monotonic() + patience
    while True:
        before = busy()
        time.sleep(sample)
        after = busy()
        if before is None or not disturbed(after - before, sample) or time.monotonic() > end:
            return
