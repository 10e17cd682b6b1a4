"""Trimming: events and audit entries that are older than they are kept go, a day of a shop at a time.

What goes is checked on its way out: its events are folded from the shop's checkpoint on, and only a day in which
nothing is wrong goes. One transaction moves the checkpoint to the end of the day and deletes its events; so a trim that
is cut off anywhere has done whole steps, and the next one goes on. Every node looks once in a while, and one trims at a
time. Commits wait for none of it: it takes no lock of theirs, and rests as long as it works.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import Any, Final

import structlog
from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

from barberpro.queue.history import History, booking_difference
from barberpro.storage.checkpoints import (
    due_shops,
    goes_before,
    load_checkpoint,
    oldest_days,
    take_turn,
    trim_audit,
    trim_events,
)
from barberpro.storage.postgres import Away
from barberpro.storage.snapshot import bookings_of
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_ROWS_AT_ONCE: Final = 50
"""A fold of so many holds the loop up for about a millisecond."""
_FIRST_LOOK: Final = 0.05
"""Of the time between two looks; a part of that at random, so that nodes that start at once do not look at once."""
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days; 0: for ever."""

    events: int = 0
    audit: int = 0


EVERYTHING: Final = Kept()


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a shop did. problems: why its next day may not go; nothing went then."""

    shop_id: str
    events: int
    problems: list[str]


class Trimmer:
    """One a node. `await round()` does all that is due."""

    def __init__(self, pool: "Pool[Any]", kept: Kept, every: float = 3600.0, at_once: int = 1000) -> None:
        """every: seconds between two looks. at_once: a step ends with the day in which it reaches so many events."""
        self._pool = pool
        self._kept = kept
        self._every = every
        self._at_once = at_once
        self._task: asyncio.Task[None] | None = None
        self.events = 0
        """How many events have gone here; audit_entries likewise. Figures for operators, as the two below."""
        self.audit_entries = 0
        self.oldest_days = 0
        """How old the oldest event is that is kept, at the last look."""
        self.refused = 0
        """Shops whose next day did not go at the last look, because something is wrong with it."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="trimmer")

    async def close(self) -> None:
        """A step that is under way is undone, and done again by whoever trims next."""
        await end([self._task])

    async def _run(self) -> None:
        await asyncio.sleep(self._every * _FIRST_LOOK * random.random())  # noqa: S311 - no secret
        while True:
            try:
                await self.round()
            except Away as error:
                log.info("trimmer_waits", problem=repr(error))
            except Exception:
                log.exception("trim_failed")
            await asyncio.sleep(self._every)

    async def round(self, told: Callable[[Step], None] = lambda _: None) -> None:
        """Lets everything go that is not kept any more. told: of each step. Raises what the stores raise."""
        steps: list[Step] = []
        if self._kept.events:
            before = await goes_before(self._pool, self._kept.events)
            for shop_id in await due_shops(self._pool, before):
                steps += await self.shop(shop_id, before, told)
        entries = await self._audit() if self._kept.audit else 0
        self.refused = sum(bool(step.problems) for step in steps)
        self.oldest_days = await oldest_days(self._pool)
        if steps or entries:
            log.info(
                "trimmed",
                events=sum(step.events for step in steps),
                shops=len({step.shop_id for step in steps if step.events}),
                audit_entries=entries,
                oldest_days=self.oldest_days,
            )

    async def shop(self, shop_id: str, before: date, told: Callable[[Step], None] = lambda _: None) -> list[Step]:
        """Lets the shop's days before that one go. Raises what Postgres raises."""
        steps: list[Step] = []
        while not steps or steps[-1].events:
            began = perf_counter()
            async with self._pool.acquire() as connection, connection.transaction():
                step = await _step(connection, shop_id, before, self._at_once)
            self.events += step.events
            if step.problems:
                log.error("trim_refused", shop_id=shop_id, problems=step.problems[:_SHOWN])
            if step.events or step.problems:
                told(step)
            steps.append(step)
            await asyncio.sleep(perf_counter() - began)
        return steps

    async def _audit(self) -> int:
        total = 0
        while gone := await trim_audit(self._pool, self._kept.audit):
            self.audit_entries += gone
            total += gone
        return total


async def _step(connection: "PoolConnectionProxy[Any]", shop_id: str, before: date, at_once: int) -> Step:
    """Lets the shop's next days before that one go, so many events and the rest of their day. In a transaction."""
    await take_turn(connection)
    checkpoint = await load_checkpoint(connection, shop_id)
    history = History.after(shop_id, checkpoint)
    day: date | None = None

    def until(row: Any) -> bool:  # noqa: ANN401 - asyncpg's Record
        nonlocal day
        of_row = date.fromisoformat(row["day"])
        enough = history.state.shop_seq - checkpoint.shop_seq >= at_once
        if of_row >= before or (enough and day is not None and of_row > day):
            return True
        day = of_row
        return False

    await history.read(connection, _ROWS_AT_ONCE, until)
    problems = history.found + await _rows_differ(connection, history)
    if problems or history.state.shop_seq == checkpoint.shop_seq:
        return Step(shop_id, 0, problems)
    state, shop_seq = history.checkpoint(), history.state.shop_seq
    return Step(shop_id, await trim_events(connection, shop_id, checkpoint.shop_seq, shop_seq, state), [])


async def _rows_differ(connection: "PoolConnectionProxy[Any]", history: History) -> list[str]:
    """Whether the rows of the bookings that ended say the same as the events that are about to go."""
    ended = {booking["bookingId"]: (booking, shop_seq) for booking, shop_seq in history.ended()}
    names, found = list(ended), []
    for first in range(0, len(names), _ROWS_AT_ONCE):
        rows = await bookings_of(connection, names[first : first + _ROWS_AT_ONCE])
        for name in names[first : first + _ROWS_AT_ONCE]:
            found += booking_difference(name, ended[name], rows.get(name))
    return found
