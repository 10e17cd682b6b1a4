"""Faults at random moments, several at a time, drawn from a seed; and the calm after them."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aiohttp

from loadtests.faults.faults import FAULTS, Fault
from loadtests.faults.history import History
from loadtests.faults.servers import Server
from loadtests.faults.site import Site

MOST_AT_ONCE: Final = 3
_GAP_SECONDS: Final = 0.7
_LOOK_SECONDS: Final = 0.1
_STORES: Final = frozenset({"valkey", "postgres"})


class Storm:
    """Draws and does. done: how many faults so far."""

    def __init__(self, site: Site, history: History, seed: int, only: Sequence[str] = ()) -> None:
        """only: the names of the faults to draw from; all, when there are none."""
        self.done = 0
        self._site = site
        self._history = history
        self._dice = random.Random(seed)
        self._faults = [fault for fault in FAULTS if not only or fault.name in only]
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def rage(self, seconds: float) -> None:
        """Comes back when the last of them is healed. Raises what a fault could not do."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            while (left := until - loop.time()) > 0:
                self._begin(group)
                await asyncio.sleep(min(left, self._dice.expovariate(1 / _GAP_SECONDS)))

    def _begin(self, group: asyncio.TaskGroup) -> None:
        """A fault on something that nothing is being done to."""
        free = [server for server in self._site.servers if server.name not in self._busy]
        possible = [fault for fault in self._faults if self._is_possible(fault, free)]
        if not possible or len(self._tasks) >= MOST_AT_ONCE:
            return
        fault = self._dice.choices(possible, [fault.weight for fault in possible])[0]
        server = self._dice.choice(free or self._site.servers)
        takes = (fault.takes & _STORES) | ({server.name} if "server" in fault.takes else set())
        dice = random.Random(self._dice.random())
        self._busy |= takes
        task = group.create_task(self._do(fault, server, dice, takes))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _is_possible(self, fault: Fault, free: Sequence[Server]) -> bool:
        return not fault.takes & self._busy and ("server" not in fault.takes or bool(free))

    async def _do(self, fault: Fault, server: Server, dice: random.Random, takes: set[str] | frozenset[str]) -> None:
        self.done += 1
        number = self.done
        on = server.name if "server" in fault.takes else None
        self._history.write("fault", fault=number, name=fault.name, phase="begun", on=on)
        try:
            how = await fault.act(self._site, server, dice)
        finally:
            self._busy -= takes
        self._history.write("fault", fault=number, name=fault.name, phase="healed", on=on, how=how)


async def calm(
    site: Site, history: History, wrong: Callable[[float], Awaitable[list[str]]], patience: float
) -> float | None:
    """Waits until nothing is wrong any more, with nobody's help; the seconds that it took, or None if it never was.

    wrong: what is, given the time since which all has been healed. patience: in seconds.
    """
    since, last = history.now(), list[str]()
    async with aiohttp.ClientSession() as http:
        while True:
            found = [f"{server.name}: {why}" for server in site.servers if (why := await server.unready(http))]
            found += await wrong(since)
            took = history.now() - since
            if not found or took > patience:
                seconds = None if found else round(took, 3)
                history.write("calm", since=round(since, 6), seconds=seconds, wrong=found[:20], last=last[:20])
                return seconds
            last = found
            await asyncio.sleep(_LOOK_SECONDS)
