"""Reading one booking and the events around it, for the doors."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import orjson
from asyncpg import Pool

from barberpro.storage.snapshot import BOOKING, Json, ShopSnapshot, booking_of_row, born_of_row, load_shops, load_visits

_PATIENCE_SECONDS: Final = 5.0
"""How long a read may take, waiting for a connection included; then it counts as Postgres being away."""


@dataclass(frozen=True, slots=True)
class StoredBooking:
    """state: as it stands in events under `changes`. born: what no transition changes.

    changed_by: shopSeq of the last event that changed it.
    """

    state: Json
    born: Json
    changed_by: int


async def find_booking(pool: "Pool[Any]", booking_id: str) -> StoredBooking | None:
    """The booking's row. Raises what storage.postgres.Away lists."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        row = await pool.fetchrow(BOOKING, booking_id)
    return StoredBooking(booking_of_row(row), born_of_row(row), row["shop_seq"]) if row is not None else None


async def read_shop(pool: "Pool[Any]", shop_id: str) -> ShopSnapshot:
    """The live state of an existing shop at this moment. Raises what storage.postgres.Away lists."""
    async with (
        asyncio.timeout(_PATIENCE_SECONDS),
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        shop = (await load_shops(connection, [shop_id]))[shop_id]
        await load_visits(connection, shop)
        return shop


# The first token of a business day is a queue's earliest event of that day with anybody in its line: the turn of
# the day emptied it. That event is found by queue_events_token_once, and the range by the primary key. Of a day that is
# no longer kept, the range is what followed: whoever was in the chair then, or still in the line, left it later.
_AROUND: Final = """
    WITH own AS MATERIALIZED (
        SELECT shop_seq, barber_id, data FROM queue_events WHERE booking_id = $1
    ), lines AS MATERIALIZED (
        SELECT barber_id FROM own UNION SELECT $5
    ), first AS MATERIALIZED (
        SELECT min(e.shop_seq) AS shop_seq FROM lines JOIN queue_events e USING (barber_id)
        WHERE e.business_date = to_date($3, 'YYYY-MM-DD') AND e.token_allocated = 1
    )
    SELECT shop_seq, data FROM own WHERE shop_seq <= $4
    UNION ALL
    SELECT e.shop_seq, e.data FROM queue_events e
    WHERE e.shop_id = $2 AND e.shop_seq BETWEEN coalesce(
          (SELECT shop_seq FROM first),
          (SELECT c.shop_seq + 1 FROM checkpoints c
           WHERE c.shop_id = $2 AND c.business_date >= to_date($3, 'YYYY-MM-DD'))
      ) AND $4
      AND e.barber_id IN (SELECT barber_id FROM lines) AND e.booking_id IS DISTINCT FROM $1
    ORDER BY shop_seq
"""
_NO_END: Final = 2**63 - 1


async def events_around(pool: "Pool[Any]", shop_id: str, booking: StoredBooking) -> list[bytes]:
    """The events (JSON) from which the booking's places can be told, oldest first.

    Its own, and all of its business day in the queues that it was in, up to the last that could change its place.
    Raises what storage.postgres.Away lists.
    """
    # Only who waits is moved by what happens to others.
    until = _NO_END if booking.state["status"] == "waiting" else booking.changed_by
    async with asyncio.timeout(_PATIENCE_SECONDS):
        rows = await pool.fetch(
            _AROUND, booking.state["bookingId"], shop_id, booking.state.get("day"), until, booking.state["barberId"]
        )
    return [row["data"] for row in rows]


_OF_QUEUE: Final = "SELECT data FROM queue_events WHERE barber_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"


async def queue_events(pool: "Pool[Any]", barber_id: str, after: int, most: int) -> list[Json]:
    """The queue's kept events with a seq above `after`, oldest first. Raises what storage.postgres.Away lists."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        rows = await pool.fetch(_OF_QUEUE, barber_id, after, most)
    return [orjson.loads(row["data"]) for row in rows]


_TRIMMED: Final = """
    SELECT (c.state #>> ARRAY['queues', b.barber_id, '0', 'seq'])::bigint
    FROM barbers b JOIN checkpoints c USING (shop_id) WHERE b.barber_id = $1
"""


async def trimmed_seq(pool: "Pool[Any]", barber_id: str) -> int:
    """The seq of the queue's last event that is no longer kept; 0 when all are.

    Raises what storage.postgres.Away lists.
    """
    async with asyncio.timeout(_PATIENCE_SECONDS):
        return int(await pool.fetchval(_TRIMMED, barber_id) or 0)
