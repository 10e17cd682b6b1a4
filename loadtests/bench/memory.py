"""Memory of processes, from /proc. Linux only."""

from pathlib import Path


def memory_bytes(pid: int) -> int:
    """The process's proportional set size: what it has in memory, pages that it shares counted in part."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/smaps_rollup has no Pss")
