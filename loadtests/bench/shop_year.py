"""A year of one busy shop, in minutes: each day is played through the engine as today, and then made to be of its date.

What a day leaves is thus what the engine leaves: events, bookings and queues by the real commit function, keys by the
real scripts. Then its rows are moved to their date, and what Redis remembers of its commands becomes yesterday's, in
the place of the day before: so the real scripts turn the next day. Vacuum runs each week, as autovacuum would in time.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import orjson

from barberpro.protocol.actors import SYSTEM
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import parse_command
from barberpro.protocol.errors import BarberProError
from barberpro.queue.trim import EVERYTHING, Trimmer
from barberpro.server.node import Node
from loadtests.bench.floor import Floor
from loadtests.bench.loop import Loading
from loadtests.bench.ours import VIA, Chair, Ours, command_id

BARBERS: Final = 5
_LENGTH: Final = 6
_CUSTOMERS: Final = 200
_CALLERS: Final = 16
_DAY_SECONDS: Final = 86_400
_WEEK: Final = 7

_EVENTS: Final = """
    UPDATE queue_events SET business_date = $3, at = at - $4::interval, data = jsonb_set(
        replace(data::text, format('"day": "%s"', business_date), format('"day": "%s"', $3::date))::jsonb,
        '{at}', to_jsonb((data ->> 'at')::bigint - (extract(epoch FROM $4::interval) * 1000)::bigint))
    WHERE shop_id = $1 AND shop_seq > $2
"""
# Its turn has also ended bookings of the day before, which stay of their day.
_BOOKINGS: Final = """
    UPDATE bookings SET business_date = $3 WHERE shop_id = $1 AND shop_seq > $2 AND business_date > $3
"""
_QUEUES: Final = "UPDATE queues SET business_date = $2 WHERE shop_id = $1"
_LAST: Final = "SELECT shop_seq FROM watermarks WHERE shop_id = $1"


@dataclass(slots=True)
class ShopYear:
    """days: how many there are; the last of them is today. kept: days of events that stay; None: all."""

    node: Node
    chairs: list[Chair]
    days: int
    kept: int | None
    number: int = 0
    """The day that was played last, from 1."""
    _begun: int = 0
    """The shop's last event before it."""

    @property
    def shop_id(self) -> str:
        return self.chairs[0].shop_id

    async def play(self, steps: int) -> None:
        """The next day, of so many transitions in the mix of P1; in the end the shop closes, its chairs empty."""
        if self.number:
            await self._becomes_history()
            self._begun = await self.node.pool.fetchval(_LAST, self.shop_id)
        self.number += 1
        await self._all(type="open")
        floor, ours = Floor(1, BARBERS, _LENGTH, _CUSTOMERS, self.number), Ours(self.node, self.chairs, _CUSTOMERS)
        loading, left = Loading(floor, ours.run), iter(range(steps))

        async def caller() -> None:
            for _ in left:
                await loading.step()

        await asyncio.gather(*(caller() for _ in range(_CALLERS)))
        await self._all(type="close", waiting="cancel")
        await self._all(type="complete")

    async def _all(self, **fields: str) -> None:
        """For each queue; where it is not possible, as with an empty chair, nothing is to be done."""
        for chair in self.chairs:
            command = parse_command({"commandId": command_id(), "barberId": chair.barber_id, **fields})
            try:
                await self.node.engine.submit(SYSTEM, command, VIA)
            except BarberProError as refusal:
                if refusal.code is not ErrorCode.INVALID_TRANSITION:
                    raise

    async def _becomes_history(self) -> None:
        today = datetime.now(UTC).date()
        ago = self.days - self.number
        await self._rows_of(today - timedelta(days=ago), timedelta(days=ago))
        await self._memory_of(today - timedelta(days=ago))
        if self.kept is not None:
            before = today - timedelta(days=ago + self.kept)
            for step in await Trimmer(self.node.pool, EVERYTHING).shop(self.shop_id, before):
                assert not step.problems, step.problems
        if self.number % _WEEK == 0:
            for table in ("queue_events", "bookings", "queues", "checkpoints"):
                await self.node.pool.execute(f"VACUUM {table}", timeout=60)

    async def _rows_of(self, day: date, ago: timedelta) -> None:
        pool = self.node.pool
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("ALTER TABLE queue_events DISABLE TRIGGER USER")
            await connection.execute(_EVENTS, self.shop_id, self._begun, day, ago)
            await connection.execute(_BOOKINGS, self.shop_id, self._begun, day)
            await connection.execute(_QUEUES, self.shop_id, day)
            await connection.execute("ALTER TABLE queue_events ENABLE TRIGGER USER")

    async def _memory_of(self, day: date) -> None:
        """The queues are of that day; today's commands become yesterday's."""
        shard = self.node.keys.shard_of(self.shop_id)
        redis = self.node.redis.of(shard)
        epoch = await redis.get(self.node.keys.epoch(shard))
        root = self.node.keys.generation(shard, int(epoch or 0))
        fields: Any = await redis.hgetall(f"{root}shop:{self.shop_id}")
        for name, text in fields.items():
            if name.startswith((b"q:", b"b:")):
                known = {**orjson.loads(text), "day": day.isoformat()}
                known.pop("dayEnds", None)
                await redis.hset(f"{root}shop:{self.shop_id}", name, orjson.dumps(known))
        today = int(datetime.now(UTC).timestamp()) // _DAY_SECONDS
        key = f"{root}commands:{self.shop_id}:"
        if await redis.exists(f"{key}{today}"):
            await redis.rename(f"{key}{today}", f"{key}{today - 1}")
