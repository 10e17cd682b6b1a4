"""What can be done to a process and its children: they are made to stand still, and end as in a power cut."""

import asyncio
import os
import signal
from pathlib import Path

from barberpro.server.embedded.process import StoreProcess


def freeze(leader: int) -> list[int]:
    """Stops a process and its children (SIGSTOP); itself first, so that it makes no more. Returns them. Blocking."""
    stopped = [leader] if _told(leader, signal.SIGSTOP) else []
    try:
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return stopped
    return stopped + [pid for pid in map(int, children) if _told(pid, signal.SIGSTOP)]


def thaw(pids: list[int]) -> None:
    """They go on, those that are still there."""
    for pid in pids:
        _told(pid, signal.SIGCONT)


def _told(pid: int, number: signal.Signals) -> bool:
    """Whether the process was still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


async def cut_power(store: StoreProcess) -> None:
    """Ends a store as a power cut does: all of its processes at once, none of which may finish anything.

    When only the first of them is killed, the others may go on for a while, or hang.
    """
    leader = store.pid
    assert leader is not None
    for pid in reversed(await asyncio.to_thread(freeze, leader)):
        _told(pid, signal.SIGKILL)
    await store.kill()
