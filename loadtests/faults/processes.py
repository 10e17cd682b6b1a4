"""What can be done to a process and its children: they are made to stand still, and end as in a power cut."""

import asyncio
import os
import signal
from pathlib import Path

from barberpro.server.embedded.process import StoreProcess


def freeze(leader: int) -> list[int]:
    """Stops a process and its children (SIGSTOP); itself first, so that it makes no more. Returns them. Blocking."""
    os.kill(leader, signal.SIGSTOP)
    try:
        children = [int(pid) for pid in Path(f"/proc/{leader}/task/{leader}/children").read_text().split()]
        for pid in children:
            os.kill(pid, signal.SIGSTOP)
    except (FileNotFoundError, ProcessLookupError):  # a child that has ended meanwhile, or the process itself
        children = []
    return [leader, *children]


def thaw(pids: list[int]) -> None:
    """They go on, those that are still there."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            continue


async def cut_power(store: StoreProcess) -> None:
    """Ends a store as a power cut does: all of its processes at once, none of which may finish anything.

    When only the first of them is killed, the others may go on for a while, or hang.
    """
    leader = store.pid
    assert leader is not None
    for pid in reversed(await asyncio.to_thread(freeze, leader)):
        os.kill(pid, signal.SIGKILL)
    await store.kill()
