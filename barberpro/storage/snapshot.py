"""The durable state of shops, read from Postgres in one consistent view, in the words of the engine's events.

The same rows make a view's first state, a rebuilt shard in Redis, and one side of `barberpro check`.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson
from asyncpg.pool import PoolConnectionProxy

Json = dict[str, Any]

VISITS_KEPT: Final = 50
"""So many of a barber's completed visits tell how fast they work; older ones are not looked at."""


class Visit(NamedTuple):
    """A completed booking's time in the chair. Times in ms; minutes: the planned ones. Sorts by when it ended."""

    ended_at: int
    started_at: int
    minutes: int


@dataclass(slots=True)
class ShopSnapshot:
    """queues and bookings as they stand in events (`queue` and `changes`); born: by booking id.

    touched: each queue's last event, as (its shopSeq, when in ms). visits: each barber's last ones, in no order; only
    `load_visits` fills them in.
    """

    shop_id: str
    epoch: int
    shop_seq: int
    link: str
    queues: dict[str, Json] = field(default_factory=dict)
    touched: dict[str, tuple[int, int]] = field(default_factory=dict)
    bookings: dict[str, Json] = field(default_factory=dict)
    born: dict[str, Json] = field(default_factory=dict)
    visits: dict[str, list[Visit]] = field(default_factory=lambda: defaultdict(list))


_MARKS: Final = "SELECT shop_id, epoch, shop_seq, link FROM watermarks WHERE shop_id = ANY ($1::text[])"
_QUEUES: Final = """
    SELECT q.*, to_char(q.business_date, 'YYYY-MM-DD') AS day,
           (extract(epoch FROM q.grace_due_at) * 1000)::bigint AS grace_due_ms,
           (extract(epoch FROM q.updated_at) * 1000)::bigint AS updated_ms
    FROM queues q WHERE q.shop_id = ANY ($1::text[])
"""
COLUMNS: Final = """
    b.*, to_char(b.business_date, 'YYYY-MM-DD') AS day,
    (extract(epoch FROM b.appointment_at) * 1000)::bigint AS appointment_ms,
    (extract(epoch FROM b.joined_at) * 1000)::bigint AS joined_ms,
    (extract(epoch FROM b.called_at) * 1000)::bigint AS called_ms,
    (extract(epoch FROM b.started_at) * 1000)::bigint AS started_ms,
    (extract(epoch FROM b.ended_at) * 1000)::bigint AS ended_ms,
    (extract(epoch FROM b.created_at) * 1000)::bigint AS created_ms
"""
# A skipped booking ends with its business day.
_LIVE: Final = f"""
    SELECT {COLUMNS} FROM bookings b WHERE b.shop_id = ANY ($1::text[]) AND b.ended_at IS NULL
"""  # noqa: S608 - built from constants
BOOKING: Final = f"SELECT {COLUMNS} FROM bookings b WHERE b.booking_id = $1"  # noqa: S608 - as above

_BOOKINGS: Final = f"SELECT {COLUMNS} FROM bookings b WHERE b.booking_id = ANY ($1::text[])"  # noqa: S608 - as above


def _present(values: Json) -> Json:
    return {key: value for key, value in values.items() if value is not None}


def queue_of_row(row: Any) -> Json:  # noqa: ANN401 - asyncpg's Record
    return _present(
        {
            "status": row["status"],
            "seq": row["seq"],
            "day": row["day"],
            "lastToken": row["last_token"],
            "completed": row["completed"],
            "cancelled": row["cancelled"],
            "pauseReason": row["pause_reason"],
            "graceFor": row["grace_for"],
            "graceDueAt": row["grace_due_ms"],
        }
    )


def booking_of_row(row: Any) -> Json:  # noqa: ANN401 - asyncpg's Record
    """A booking as it stands in an event under `changes`."""
    return _present(
        {
            "bookingId": row["booking_id"],
            "barberId": row["barber_id"],
            "customerId": row["customer_id"],
            "minutes": row["duration_minutes"],
            "status": row["status"],
            "day": row["day"],
            "token": row["token_number"],
            "rank": row["rank"],
            "skips": row["skip_count"],
            "appointmentAt": row["appointment_ms"],
            "joinedAt": row["joined_ms"],
            "calledAt": row["called_ms"],
            "startedAt": row["started_ms"],
            "endedAt": row["ended_ms"],
            "endReason": row["end_reason"],
            "cancelledBy": row["cancelled_by"],
            "payment": orjson.loads(row["payment"]) if row["payment"] else None,
        }
    )


def born_of_row(row: Any) -> Json:  # noqa: ANN401 - asyncpg's Record
    """What a booking was born with: what no transition changes."""
    return _present(
        {
            "bookingId": row["booking_id"],
            "kind": row["kind"],
            "customerId": row["customer_id"],
            "customerName": row["customer_name"],
            "phoneSealed": row["phone_sealed"],
            "services": orjson.loads(row["services"]),
            "durationMinutes": row["duration_minutes"],
            "totalPrice": str(row["total_price"]),
            "currency": row["currency"],
            "notes": row["notes"],
            "createdAt": row["created_ms"],
        }
    )


async def load_shops(connection: "PoolConnectionProxy[Any]", shop_ids: list[str]) -> dict[str, ShopSnapshot]:
    """The live state of shops, by id. Call it inside a REPEATABLE READ transaction, or under a lock."""
    shops = {
        row["shop_id"]: ShopSnapshot(row["shop_id"], row["epoch"], row["shop_seq"], row["link"])
        for row in await connection.fetch(_MARKS, shop_ids)
    }
    for row in await connection.fetch(_QUEUES, shop_ids):
        shop = shops[row["shop_id"]]
        shop.queues[row["barber_id"]] = queue_of_row(row)
        shop.touched[row["barber_id"]] = (row["shop_seq"], row["updated_ms"])
    for row in await connection.fetch(_LIVE, shop_ids):
        shop = shops[row["shop_id"]]
        booking = booking_of_row(row)
        shop.bookings[booking["bookingId"]] = booking
        shop.born[booking["bookingId"]] = born_of_row(row)
        if booking["status"] in {"serving", "next"}:
            shop.queues[booking["barberId"]][booking["status"]] = booking["bookingId"]
    return shops


# An imported visit tells nothing of the pace when nobody knows when it began.
_VISITS: Final = """
    SELECT q.barber_id, v.minutes, (extract(epoch FROM v.started_at) * 1000)::bigint AS started_ms,
           (extract(epoch FROM v.ended_at) * 1000)::bigint AS ended_ms
    FROM queues q CROSS JOIN LATERAL (
        SELECT b.duration_minutes AS minutes, b.started_at, b.ended_at FROM bookings b
        WHERE b.barber_id = q.barber_id AND b.ended_at IS NOT NULL AND b.status = 'completed'
          AND b.started_at IS NOT NULL
        ORDER BY b.ended_at DESC, b.started_at DESC, b.duration_minutes DESC LIMIT $2
    ) v WHERE q.shop_id = $1
"""


async def load_visits(connection: "PoolConnectionProxy[Any]", shop: ShopSnapshot) -> None:
    """Fills in the visits of the shop's barbers that ended last. Call it in the transaction of `load_shops`."""
    for row in await connection.fetch(_VISITS, shop.shop_id, VISITS_KEPT):
        shop.visits[row["barber_id"]].append(Visit(row["ended_ms"], row["started_ms"], row["minutes"]))


async def bookings_of(connection: "PoolConnectionProxy[Any]", booking_ids: list[str]) -> dict[str, tuple[Json, int]]:
    """Bookings as they stand in events under `changes`, each with the last event that changed it, by id."""
    rows = await connection.fetch(_BOOKINGS, booking_ids)
    return {row["booking_id"]: (booking_of_row(row), row["shop_seq"]) for row in rows}


# From the shop's last event back, one by one, until they are too old: what a shop did before then is not looked at.
_COMMANDS: Final = """
    WITH RECURSIVE recent AS (
        SELECT w.shop_id, w.shop_seq + 1 AS shop_seq, NULL::timestamptz AS at, NULL::jsonb AS command, '' AS link
        FROM watermarks w WHERE w.shop_id = ANY ($1::text[])
        UNION ALL
        SELECT r.shop_id, e.* FROM recent r CROSS JOIN LATERAL (
            SELECT e.shop_seq, e.at, e.data -> 'command', e.data ->> 'link' FROM queue_events e
            WHERE e.shop_id = r.shop_id AND e.shop_seq = r.shop_seq - 1 LIMIT 1
        ) e WHERE e.at > now() - interval '25 hours'
    )
    SELECT shop_id, command ->> 'id' AS command_id, command ->> 'digest' AS digest, shop_seq, link,
           (extract(epoch FROM at) * 1000)::bigint AS at_ms
    FROM recent WHERE command IS NOT NULL
"""


async def load_commands(connection: "PoolConnectionProxy[Any]", shop_ids: list[str]) -> dict[str, list[Json]]:
    """The commands that are still remembered, by shop. An hour more than needed: Redis's clock decides."""
    commands: dict[str, list[Json]] = defaultdict(list)
    for row in await connection.fetch(_COMMANDS, shop_ids):
        commands[row["shop_id"]].append(
            {
                "id": row["command_id"],
                "digest": row["digest"],
                "shopSeq": row["shop_seq"],
                "link": row["link"],
                "at": row["at_ms"],
            }
        )
    return commands


EVENTS_AFTER: Final = f"""
    SELECT e.data AS event, e.type, {COLUMNS}
    FROM queue_events e LEFT JOIN bookings b ON b.booking_id = e.booking_id AND e.type IN ('join', 'schedule')
    WHERE e.shop_id = $1 AND e.shop_seq > $2 ORDER BY e.shop_seq LIMIT $3
"""  # noqa: S608 - built from constants


async def events_after(
    connection: "PoolConnectionProxy[Any]", shop_id: str, shop_seq: int, most: int = 1000
) -> list[tuple[Json, Json | None]]:
    """The shop's next events after shop_seq, each with what its booking was born with (or None).

    What was committed together comes together: no state between the parts of a transfer is one to be shown.
    """
    rows = await connection.fetch(EVENTS_AFTER, shop_id, shop_seq, most)
    told = [(orjson.loads(row["event"]), born_of_row(row) if row["booking_id"] is not None else None) for row in rows]
    while told and "through" in told[-1][0]:
        told.pop()
    return told


_LAST_EVENTS: Final = """
    SELECT data FROM queue_events WHERE shop_id = $1 AND shop_seq > $2 ORDER BY shop_seq
"""


async def last_events(connection: "PoolConnectionProxy[Any]", shop_id: str, since: int) -> list[Json]:
    """The shop's events after `since`, without what their bookings were born with."""
    return [orjson.loads(row["data"]) for row in await connection.fetch(_LAST_EVENTS, shop_id, since)]


async def tokens_of(connection: "PoolConnectionProxy[Any]", booking_ids: list[str]) -> dict[str, int]:
    rows = await connection.fetch(
        "SELECT booking_id, token_number FROM bookings WHERE booking_id = ANY ($1::text[])", booking_ids
    )
    return {row["booking_id"]: row["token_number"] for row in rows}
