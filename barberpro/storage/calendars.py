"""Calendars of barbers, and the appointments that stand in them, as Postgres holds them."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args

import orjson
from asyncpg import Pool

from barberpro.protocol.shops import Day
from barberpro.storage.postgres import AnyConnection

Json = dict[str, Any]

_PATIENCE_SECONDS: Final = 5.0
_READ: Final = "SELECT document, revision FROM calendars WHERE barber_id = $1"
_LOCK: Final = "SELECT 1 FROM barbers WHERE barber_id = $1 FOR NO KEY UPDATE"
_WRITE: Final = """
    INSERT INTO calendars AS c (barber_id, document, revision) VALUES ($1, $2::text::jsonb, $3)
    ON CONFLICT (barber_id) DO UPDATE SET
        document = excluded.document, revision = excluded.revision, changed_at = now()
"""
# Of bookings in the words of bookings_never_overlap, whose index this is read from.
_WITH_APPOINTMENTS: Final = """
    SELECT c.document, c.revision, (
        SELECT jsonb_agg(jsonb_build_array(
            b.booking_id, (extract(epoch FROM b.appointment_at) * 1000)::bigint, b.duration_minutes, b.customer_name
        ) ORDER BY b.appointment_at)
        FROM bookings b
        WHERE b.barber_id = $1 AND appointment_span(b.appointment_at, b.duration_minutes) && tstzrange($2, $3)
          AND b.appointment_at IS NOT NULL AND b.joined_at IS NULL AND b.ended_at IS NULL
    ) AS appointments
    FROM (VALUES ($1)) AS one (barber_id) LEFT JOIN calendars c USING (barber_id)
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """document: {shifts?, breaks, exceptions, daysOff}. revision: 0 while the barber has none of their own."""

    document: Json
    revision: int


@dataclass(frozen=True, slots=True)
class Booked:
    """An appointment that has not checked in."""

    booking_id: str
    at: datetime
    minutes: int
    customer_name: str | None

    @property
    def ends(self) -> datetime:
        return self.at + timedelta(minutes=self.minutes)


async def read_calendar(reader: "AnyConnection | Pool[Any]", barber_id: str) -> Kept:
    """The barber's calendar; an empty one while there is none. Raises what storage.postgres.Away lists."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        return _kept(await reader.fetchrow(_READ, barber_id))


async def read_with_appointments(
    pool: "Pool[Any]", barber_id: str, since: datetime, until: datetime | None = None
) -> tuple[Kept, list[Booked]]:
    """The calendar, and the appointments that take any time of [since, until), the earliest first.

    until: None for all to come. Raises what storage.postgres.Away lists.
    """
    async with asyncio.timeout(_PATIENCE_SECONDS):
        row = await pool.fetchrow(_WITH_APPOINTMENTS, barber_id, since, until)
    assert row is not None  # noqa: S101 - it is of one barber, calendar or not
    appointments = [
        Booked(booking_id, datetime.fromtimestamp(millis / 1000, UTC), minutes, name)
        for booking_id, millis, minutes, name in orjson.loads(row["appointments"] or "[]")
    ]
    return _kept(row), appointments


async def lock_calendar(connection: AnyConnection, barber_id: str) -> Kept:
    """As `read_calendar`; nobody else changes it until the transaction ends."""
    await connection.execute(_LOCK, barber_id)
    return await read_calendar(connection, barber_id)


async def write_calendar(connection: AnyConnection, barber_id: str, kept: Kept) -> None:
    await connection.execute(_WRITE, barber_id, orjson.dumps(kept.document).decode(), kept.revision)


def _kept(row: Any) -> Kept:  # noqa: ANN401 - asyncpg's Record, or None
    if row is None or row["revision"] is None:
        return Kept({"shifts": None, "breaks": {day: [] for day in get_args(Day)}, "exceptions": [], "daysOff": []}, 0)
    return Kept(orjson.loads(row["document"]), row["revision"])
