"""Playing the day: everybody on the floor, and everybody home again."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any, Final

from barberpro.server.simulate.barber import BarberActor
from barberpro.server.simulate.customer import Crowd
from barberpro.server.simulate.floor import Floor
from barberpro.server.simulate.scenario import HOUR, plan_day
from barberpro.server.simulate.screen import show
from barberpro.server.simulate.summary import SimulateOptions, SimulationSummary
from barberpro.server.simulate.view import show_day

_OVERTIME: Final = 4 * HOUR
"""How long after closing time the barbers may go on; then the lights go out."""


async def simulate(options: SimulateOptions) -> SimulationSummary:
    """Play one day against a running server, and return what came of it.

    Ends when the barbers have emptied their lines, or when `options.until` is set.
    A server that is away is waited for; what cannot go on is counted in `errors`.
    """
    floor = Floor(options, plan_day(options.shop, options.day_hours, options.seed, options.busy))
    day = asyncio.create_task(_day(floor))
    floor.summary.stopped = not await _either(day, options.until or asyncio.Event())
    if not floor.summary.stopped:
        day.result()  # raises what went wrong in here
    floor.summary.simulated_hours = round(floor.clock.now / HOUR, 2)
    floor.summary.left_waiting = sum(len(state["waiting"]) + bool(state["next"]) for state in floor.queues.values())
    return floor.summary


async def _day(floor: Floor) -> None:
    async with asyncio.TaskGroup() as background:
        tasks = [background.create_task(work) for work in (show(floor), show_day(floor))]
        try:
            await _work(floor)
        finally:
            for task in tasks:
                task.cancel()


async def _work(floor: Floor) -> None:
    """Barbers and customers; returns when the barbers have gone home."""
    barbers = {barber.barber_id: BarberActor(barber, floor) for barber in floor.options.shop.barbers}
    async with asyncio.TaskGroup() as group:
        crowd = group.create_task(_customers(Crowd(floor, barbers)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(floor.clock.real(floor.plan.length + _OVERTIME)):
                await _all(actor.work() for actor in barbers.values())
        crowd.cancel()


async def _customers(crowd: Crowd) -> None:
    async with asyncio.TaskGroup() as group:
        await crowd.come(group)


async def _all(works: Iterator[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work)


async def _either(day: asyncio.Task[None], stop: asyncio.Event) -> bool:
    """Whether the day ended by itself; when told to stop first, it is ended, cleanly."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((day, stopping), return_when=asyncio.FIRST_COMPLETED)
        return day.done()
    finally:
        stopping.cancel()
        day.cancel()
        await asyncio.gather(day, stopping, return_exceptions=True)
