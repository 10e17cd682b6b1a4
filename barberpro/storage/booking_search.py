"""Searching bookings: those that have not ended first, then the others, the last ended first.

By the indexes that the engine needs anyway: bookings_live, and bookings_ended barber by barber. So a search without a
shop looks at each barber once; but one for a customer or a booking goes by theirs.
"""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from asyncpg import Pool

from barberpro.protocol.states import BookingStatus
from barberpro.storage.searching import Conditions, searched

FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for the end of what has not ended."""
_LONG_AGO: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST_ID: Final = "zzzz"
"""Behind every id of a booking."""
# Asked for only without an end to the time: `until` is FAR then.
_LIVE: Final = """
    SELECT *, {until}::timestamptz AS sorted_at FROM bookings
    WHERE ended_at IS NULL AND {exactly} AND ({until}, booking_id) < ({at}, {ref})
    ORDER BY booking_id DESC LIMIT {most}
"""
_ENDED: Final = """
    SELECT b.* FROM barbers r CROSS JOIN LATERAL (
        SELECT *, ended_at AS sorted_at FROM bookings
        WHERE barber_id = r.barber_id AND ended_at >= {since} AND ended_at < {until} AND {exactly}
          AND (ended_at, booking_id) < ({at}, {ref})
        ORDER BY ended_at DESC, booking_id DESC LIMIT {most}
    ) b WHERE {whose}
"""
_ENDED_OF_FEW: Final = """
    SELECT *, ended_at AS sorted_at FROM bookings
    WHERE ended_at >= {since} AND ended_at < {until} AND {exactly} AND (ended_at, booking_id) < ({at}, {ref})
"""
_PAGE: Final = """
    SELECT {columns}, s.name AS shop_name, r.name AS barber_name, p.paid FROM (
        SELECT * FROM ({found}) f ORDER BY sorted_at DESC, booking_id DESC LIMIT {most}
    ) b CROSS JOIN LATERAL (
        SELECT coalesce(sum(m.amount), 0) AS paid FROM payment_ledger m WHERE m.booking_id = b.booking_id
    ) p JOIN shops s USING (shop_id) JOIN barbers r ON r.barber_id = b.barber_id
    ORDER BY sorted_at DESC, booking_id DESC
"""


@dataclass(frozen=True, slots=True)
class WantedBookings:
    """What is searched for, all of it at once.

    since, until: when it ended; until leaves out what has not. after: where the page before ended
    (sorted_at, booking_id).
    """

    booking_id: str | None = None
    shop_id: str | None = None
    barber_id: str | None = None
    customer_id: str | None = None
    status: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class FoundBooking:
    """paid: for services and tips together. sorted_at: when it ended, or FAR."""

    booking_id: str
    shop_id: str
    barber_id: str
    customer_id: str | None
    customer_name: str | None
    kind: str
    status: BookingStatus
    token_number: int | None
    business_date: date | None
    total_price: Decimal
    currency: str
    duration_minutes: int
    created_at: datetime
    appointment_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    cancelled_by: str | None
    sorted_at: datetime
    paid: Decimal
    shop_name: str
    barber_name: str


_BESIDE: Final = ("paid", "shop_name", "barber_name")
_COLUMNS: Final = ", ".join(f"b.{field.name}" for field in fields(FoundBooking) if field.name not in _BESIDE)
_EXACTLY: Final = ("booking_id", "customer_id", "status", "kind", "barber_id", "shop_id")


async def search_bookings(pool: "Pool[Any]", wanted: WantedBookings, most: int) -> list[FoundBooking]:
    """Raises what storage.postgres.Away lists."""
    where = Conditions()
    for name in _EXACTLY:
        value = getattr(wanted, name)
        if value is not None:
            where.add(f"{name} = {{}}", value)
    at, ref = wanted.after or (FAR, _LAST_ID)
    named = {
        name: where.argument(value)
        for name, value in (
            ("at", at),
            ("ref", ref),
            ("since", wanted.since or _LONG_AGO),
            ("until", wanted.until or FAR),
        )
    }
    whose = Conditions(where.values)
    for name in ("shop_id", "barber_id"):
        if getattr(wanted, name) is not None:
            whose.add(f"r.{name} = {{}}", getattr(wanted, name))
    ended = _ENDED if wanted.customer_id is None and wanted.booking_id is None else _ENDED_OF_FEW
    branches = [ended] if wanted.until is not None else [_LIVE, ended]
    found = " UNION ALL ".join(
        f"({branch.format(**named, exactly=where, whose=whose, most=most)})" for branch in branches
    )
    query = _PAGE.format(columns=_COLUMNS, found=found, most=most)
    return [FoundBooking(**row) for row in await searched(pool, query, where.values)]
