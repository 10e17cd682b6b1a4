"""Faults at random moments, several at a time, drawn from a seed; and the calm after them."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from loadtests.faults.faults import FAULTS, Fault
from loadtests.faults.history import History
from loadtests.faults.servers import Server
from loadtests.faults.site import Site

MOST_AT_ONCE: Final = 3
_GAP_SECONDS: Final = 0.35
_LOOK_SECONDS: Final = 0.1
_STORES: Final = frozenset({"valkey", "postgres"})


@dataclass(frozen=True, slots=True)
class _Draw:
    """What happens next: a fault, the server that it is done to if it is about one, and the pause after it."""

    fault: Fault
    server: Server
    dice: random.Random
    pause: float

    @property
    def takes(self) -> frozenset[str]:
        """What it has for itself meanwhile: stores, and this server."""
        return (self.fault.takes & _STORES) | ({self.server.name} if "server" in self.fault.takes else set())


class Storm:
    """Draws and does. done: how many faults so far."""

    def __init__(self, site: Site, history: History, seed: int, only: Sequence[str] = ()) -> None:
        """only: the names of the faults to draw from; all, when there are none."""
        self.done = 0
        self._site = site
        self._history = history
        self._draws = self._draw(random.Random(seed), [fault for fault in FAULTS if not only or fault.name in only])
        self._next = next(self._draws)
        self._busy: list[frozenset[str]] = []
        self._healed = asyncio.Condition()

    def _draw(self, dice: random.Random, faults: Sequence[Fault]) -> Iterator[_Draw]:
        """The same ones in the same order for a seed: what a run is like has no part in it."""
        weights = [fault.weight for fault in faults]
        while True:
            fault, server = dice.choices(faults, weights)[0], dice.choice(self._site.servers)
            yield _Draw(fault, server, random.Random(dice.random()), dice.expovariate(1 / _GAP_SECONDS))

    async def rage(self, seconds: float) -> None:
        """Comes back when the last of them is healed. Raises what a fault could not do."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            while loop.time() < until and await self._is_free(until):
                drawn, self._next = self._next, next(self._draws)
                self._busy.append(drawn.takes)
                group.create_task(self._do(drawn))
                await asyncio.sleep(min(max(0.0, until - loop.time()), drawn.pause))

    async def _is_free(self, until: float) -> bool:
        """Waits until nothing is being done to what the next one takes; it is the next storm's when time is over."""

        def free() -> bool:
            return len(self._busy) < MOST_AT_ONCE and not any(takes & self._next.takes for takes in self._busy)

        try:
            async with asyncio.timeout_at(until), self._healed:
                return await self._healed.wait_for(free)
        except TimeoutError:
            return False

    async def _do(self, drawn: _Draw) -> None:
        self.done += 1
        number, name = self.done, drawn.fault.name
        on = drawn.server.name if "server" in drawn.fault.takes else None
        self._history.write("fault", fault=number, name=name, phase="begun", on=on)
        try:
            how = await drawn.fault.act(self._site, drawn.server, drawn.dice)
        finally:
            async with self._healed:
                self._busy.remove(drawn.takes)
                self._healed.notify_all()
        self._history.write("fault", fault=number, name=name, phase="healed", on=on, how=how)


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
