"""What was done in a time: visits, no-shows, waits; of a barber, a shop, or all of them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from asyncpg import Pool

from barberpro.storage.searching import Conditions, searched
from barberpro.storage.snapshot import VISITS_KEPT, Visit

_PATIENCE_SECONDS: Final = 5.0

MISSED: Final = """(status = 'skipped' AND coalesce(end_reason, '') IN ('no_show', 'grace_expired')
    OR status = 'cancelled' AND coalesce(cancelled_by = 'system' AND end_reason = 'missed', false))"""
"""A booking whose customer did not come (storage/no_shows.py)."""

_TURNED: Final = "(status = 'skipped' OR coalesce(end_reason = 'day_ended' AND cancelled_by = 'system', false))"
"""What the turn of the business day ended: a moment after the day that it is of."""
_LATE: Final = timedelta(days=7)
"""By so much a turn may come later than its midnight: no server may have been there."""
TIMED: Final = "status = 'completed' AND started_at IS NOT NULL"
"""A visit of which it is known how long it took: of an imported one nobody may have told."""

# Found by bookings_ended, barber by barber.
_DONE: Final = f"""
    SELECT CASE WHEN {_TURNED} THEN business_date - {{first}}::date
                ELSE width_bucket(ended_at, {{bounds}}::timestamptz[]) - 1 END AS day,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'completed' AND kind = 'appointment') AS appointments,
           count(*) FILTER (WHERE {TIMED}) AS timed,
           count(*) FILTER (WHERE {MISSED}) AS no_shows,
           count(*) FILTER (WHERE status = 'cancelled' AND NOT {MISSED}) AS cancelled,
           coalesce(sum(extract(epoch FROM ended_at - started_at)) FILTER (WHERE status = 'completed'), 0)::float8
               AS service_seconds,
           coalesce(sum(duration_minutes) FILTER (WHERE {TIMED}), 0)::bigint AS planned_minutes,
           coalesce(sum(extract(epoch FROM started_at - joined_at)) FILTER (WHERE status = 'completed'), 0)::float8
               AS waited_seconds
    FROM barbers JOIN bookings USING (barber_id)
    WHERE {{whose}} AND ended_at >= {{since}} AND ended_at < {{late}}
      AND CASE WHEN {_TURNED} THEN business_date BETWEEN {{first}}::date AND {{last}}::date
               ELSE ended_at < {{until}} END
    GROUP BY 1
"""  # noqa: S608 - fixed words


@dataclass(frozen=True, slots=True)
class Done:
    """What ended on a day, or by its turn. day: its number in the period, from 0.

    The seconds and minutes: of those `timed`, which are completed and known to have begun, all together.
    """

    day: int
    completed: int
    appointments: int
    timed: int
    no_shows: int
    cancelled: int
    service_seconds: float
    planned_minutes: int
    waited_seconds: float


async def done(
    pool: "Pool[Any]",
    first: date,
    bounds: Sequence[datetime],
    *,
    barber_id: str | None = None,
    shop_id: str | None = None,
) -> list[Done]:
    """By day, between the first and the last bound. Of a barber, a shop, or all. Raises what postgres.Away lists.

    first: the day that begins with the first bound.
    """
    where = Conditions()
    whose = Conditions(where.values)
    if barber_id is not None:
        whose.add("barbers.barber_id = {}", barber_id)
    if shop_id is not None:
        whose.add("barbers.shop_id = {}", shop_id)
    named = {
        name: where.argument(value)
        for name, value in (
            ("first", first),
            ("last", first + timedelta(days=len(bounds) - 2)),
            ("since", bounds[0]),
            ("until", bounds[-1]),
            ("late", bounds[-1] + _LATE),
        )
    }
    query = _DONE.format(bounds=where.argument(list(bounds)), whose=whose, **named)
    return [Done(**row) for row in await searched(pool, query, where.values)]


# The day's first token is found by queue_events_token_once; what came before it, nobody waited in.
_EVENTS: Final = """
    SELECT e.barber_id, e.data FROM unnest($1::text[]) AS b (barber_id) CROSS JOIN LATERAL (
        SELECT barber_id, seq, data FROM queue_events WHERE barber_id = b.barber_id AND at < $3 AND seq >= (
            SELECT seq FROM queue_events
            WHERE barber_id = b.barber_id AND business_date >= $2 AND token_allocated IS NOT NULL
            ORDER BY business_date, token_allocated LIMIT 1
        )
    ) e ORDER BY e.barber_id, e.seq
"""
_TRIMMED: Final = """
    SELECT barber_id FROM barbers JOIN checkpoints c USING (shop_id)
    WHERE barber_id = ANY($1::text[]) AND c.business_date >= $2
"""
_VISITS: Final = f"""
    SELECT v.* FROM unnest($1::text[]) AS b (barber_id) CROSS JOIN LATERAL (
        SELECT barber_id, (extract(epoch FROM ended_at) * 1000)::bigint AS ended_at,
               (extract(epoch FROM started_at) * 1000)::bigint AS started_at, duration_minutes AS minutes
        FROM bookings WHERE barber_id = b.barber_id AND ended_at < $2 AND {TIMED}
        ORDER BY ended_at DESC, started_at DESC, duration_minutes DESC LIMIT $3
    ) v
"""  # noqa: S608 - fixed words


@dataclass(frozen=True, slots=True)
class LineRecord:
    """The events (JSON) of a queue in a time, oldest first, and the barber's last visits before it.

    complete: whether all of its events are still kept.
    """

    events: list[bytes]
    visits: list[Visit]
    complete: bool


async def records_of_lines(
    pool: "Pool[Any]", barber_ids: Iterable[str], first: date, since: datetime, until: datetime
) -> dict[str, LineRecord]:
    """By barber. first: the day of the shop that begins at `since`. Raises what storage.postgres.Away lists."""
    named = list(barber_ids)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        events = await pool.fetch(_EVENTS, named, first, until)
        visits = await pool.fetch(_VISITS, named, since, VISITS_KEPT)
        trimmed = {row["barber_id"] for row in await pool.fetch(_TRIMMED, named, first)}
    records = {barber_id: LineRecord([], [], barber_id not in trimmed) for barber_id in named}
    for row in events:
        records[row["barber_id"]].events.append(row["data"])
    for row in visits:
        records[row["barber_id"]].visits.append(Visit(row["ended_at"], row["started_at"], row["minutes"]))
    return records


# What goes on now: the live bookings by bookings_live, and the lines themselves.
_NOW: Final = """
    SELECT (SELECT count(*) FROM bookings b WHERE b.ended_at IS NULL AND b.status IN ('waiting', 'next')
            AND ($1::text IS NULL OR b.shop_id = $1)) AS waiting,
           (SELECT count(*) FROM bookings b WHERE b.ended_at IS NULL AND b.status = 'serving'
            AND ($1::text IS NULL OR b.shop_id = $1)) AS serving,
           (SELECT count(*) FROM bookings b WHERE b.ended_at IS NULL AND b.status = 'scheduled'
            AND ($1::text IS NULL OR b.shop_id = $1)) AS scheduled,
           (SELECT count(*) FROM queues q WHERE q.status = 'open' AND ($1::text IS NULL OR q.shop_id = $1))
            AS open_queues,
           (SELECT count(*) FROM barbers r WHERE r.active AND ($1::text IS NULL OR r.shop_id = $1)) AS barbers,
           (SELECT count(*) FROM shops s WHERE $1::text IS NULL OR s.shop_id = $1) AS shops
"""


@dataclass(frozen=True, slots=True)
class Now:
    waiting: int
    serving: int
    scheduled: int
    open_queues: int
    barbers: int
    shops: int


async def now(pool: "Pool[Any]", shop_id: str | None) -> Now:
    """What goes on in a shop, or in all of them. Raises what storage.postgres.Away lists."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        [row] = await pool.fetch(_NOW, shop_id)
    return Now(**row)
