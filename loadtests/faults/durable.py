"""What Postgres holds at the end of a run: each shop's events, played again, and whether the rows agree.

With `track_commit_timestamp` on, Postgres says when it kept each event, by its own clock; the checks are sharper then.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

from loadtests.faults.finding import Finding
from loadtests.faults.history import Json
from loadtests.faults.replay import Replay
from loadtests.faults.rows import rows_differ

_AT_ONCE: Final = 500
_SHOPS: Final = "SELECT shop_id FROM watermarks ORDER BY shop_id"
_EVENTS: Final = "SELECT data, {committed} AS committed FROM queue_events WHERE shop_id = $1 ORDER BY shop_seq"
_COMMITTED: Final = "extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8"
_WATERMARK: Final = """
    SELECT jsonb_build_object('shopSeq', w.shop_seq, 'link', w.link, 'epoch', w.epoch, 'capacity', s.queue_capacity)
    FROM watermarks w JOIN shops s USING (shop_id) WHERE w.shop_id = $1
"""
_QUEUES: Final = """
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'barberId', barber_id, 'status', status, 'seq', seq, 'day', business_date, 'lastToken', last_token,
        'completed', completed, 'cancelled', cancelled, 'pauseReason', pause_reason, 'graceFor', grace_for,
        'graceDueAt', (extract(epoch FROM grace_due_at) * 1000)::bigint, 'shopSeq', shop_seq))
    FROM queues WHERE shop_id = $1
"""
_BOOKINGS: Final = """
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'bookingId', booking_id, 'barberId', barber_id, 'customerId', customer_id, 'minutes', duration_minutes,
        'status', status, 'day', business_date, 'token', token_number, 'rank', rank, 'skips', skip_count,
        'appointmentAt', (extract(epoch FROM appointment_at) * 1000)::bigint,
        'joinedAt', (extract(epoch FROM joined_at) * 1000)::bigint,
        'calledAt', (extract(epoch FROM called_at) * 1000)::bigint,
        'startedAt', (extract(epoch FROM started_at) * 1000)::bigint,
        'endedAt', (extract(epoch FROM ended_at) * 1000)::bigint,
        'endReason', end_reason, 'cancelledBy', cancelled_by, 'payment', payment, 'shopSeq', shop_seq))
    FROM bookings WHERE shop_id = $1
"""


@dataclass(slots=True)
class Durable:
    """shops: by id. broken: what the rows say against the events. timed: whether commits have their times."""

    shops: dict[str, Replay] = field(default_factory=dict)
    broken: list[Finding] = field(default_factory=list)
    timed: bool = False


async def read_durable(pool: "Pool[Any]", shop_ids: Iterable[str] | None = None) -> Durable:
    """Of the shops, all of them when None. Raises what Postgres raises while it is away."""
    durable = Durable()
    async with pool.acquire() as connection:
        durable.timed = await connection.fetchval("SHOW track_commit_timestamp") == "on"
        shops = shop_ids if shop_ids is not None else [row["shop_id"] for row in await connection.fetch(_SHOPS)]
        for shop_id in shops:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await _read_shop(connection, durable, shop_id)
    return durable


async def _read_shop(connection: "PoolConnectionProxy[Any]", durable: Durable, shop_id: str) -> None:
    replay = durable.shops[shop_id] = Replay(shop_id)
    async for event, committed in events_of(connection, shop_id, timed=durable.timed):
        replay.apply(event, committed)
    watermark = orjson.loads(await connection.fetchval(_WATERMARK, shop_id))
    replay.capacity = watermark["capacity"]
    queues = [orjson.loads(row[0]) for row in await connection.fetch(_QUEUES, shop_id)]
    bookings = [orjson.loads(row[0]) async for row in connection.cursor(_BOOKINGS, shop_id, prefetch=_AT_ONCE)]
    durable.broken += rows_differ(replay, queues, bookings, watermark)


async def events_of(
    connection: "PoolConnectionProxy[Any]", shop_id: str, *, timed: bool
) -> AsyncIterator[tuple[Json, float | None]]:
    """A shop's events in the order of shopSeq, each with when it was committed. Call it inside a transaction."""
    query = _EVENTS.format(committed=_COMMITTED if timed else "NULL::float8")
    async for row in connection.cursor(query, shop_id, prefetch=_AT_ONCE):
        yield orjson.loads(row["data"]), row["committed"]
