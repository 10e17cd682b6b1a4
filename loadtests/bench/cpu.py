"""Processor time of processes, from /proc: on a busy machine it says more than rates do."""

import os
import time
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SCHEDULED: Final = 2
"""Which of a process's clocks: its processor time. Linux makes the clock's id of this and the pid."""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, of its children, and of those of them that have ended. Linux only."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in brackets may hold anything; the numbers come behind it.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        if int(stat.parent.name) == pid:
            total += own + children
        elif int(fields[1]) == pid:
            total += own
    return total / _TICKS


def own_cpu_seconds(pid: int) -> float:
    """User and system time of one process alone, without its children.

    The sum that /proc/<pid>/stat tells in whole hundredths, read from the process's own clock to the nanosecond.
    """
    return time.clock_gettime((~pid << 3) | _SCHEDULED)
