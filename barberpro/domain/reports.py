"""Reports as tables: their columns, and their rows, read page by page. They name nobody but by id."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from asyncpg import Pool

from barberpro.domain.documents import Cell, Column, Row
from barberpro.domain.earnings import earnings_of
from barberpro.domain.periods import Period, start_of
from barberpro.protocol.currencies import scaled
from barberpro.protocol.money import DaySums
from barberpro.protocol.reports import ReportName
from barberpro.storage.booking_search import FoundBooking, WantedBookings, search_bookings
from barberpro.storage.ledger import Line, search_lines, sums_of_shop
from barberpro.storage.reconciling import Discrepant, discrepancies

_AT_ONCE: Final = 500
"""Rows of one query."""
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about. first, last: days, both counted, in the zone. shop_id: None for all shops."""

    first: date
    last: date
    zone: ZoneInfo
    shop_id: str | None
    currency: str | None

    @property
    def since(self) -> datetime:
        return start_of(self.first, self.zone)

    @property
    def until(self) -> datetime:
        return start_of(self.last + _ONE, self.zone)


Pages = AsyncGenerator[list[Row], None]


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    columns: tuple[Column, ...]
    pages: Callable[["Pool[Any]", Scope], Pages]


async def _bookings(pool: "Pool[Any]", scope: Scope) -> Pages:
    after = None
    while True:
        wanted = WantedBookings(shop_id=scope.shop_id, since=scope.since, until=scope.until, after=after)
        found = await search_bookings(pool, wanted, _AT_ONCE)
        yield [_of_booking(each, scope.zone) for each in found]
        if len(found) < _AT_ONCE:
            return
        after = found[-1].sorted_at, found[-1].booking_id


async def _payments(pool: "Pool[Any]", scope: Scope) -> Pages:
    before = None
    filters = {"shop_id": scope.shop_id} if scope.shop_id is not None else {}
    while True:
        found = await search_lines(pool, filters, scope.since, scope.until, before, _AT_ONCE)
        yield [_of_line(each, scope.zone) for each in found]
        if len(found) < _AT_ONCE:
            return
        before = found[-1].at, found[-1].payment_id


async def _earnings(pool: "Pool[Any]", scope: Scope) -> Pages:
    period = Period("day", scope.first, scope.last, scope.zone)
    sums = await sums_of_shop(pool, scope.shop_id, period.bounds())
    for own in earnings_of(sums, list(period.days()), scope.currency):
        yield [_of_day(day, own["currency"]) for day in own["days"]]


async def _reconciliation(pool: "Pool[Any]", scope: Scope) -> Pages:
    after = None
    while True:
        found = await discrepancies(pool, scope.shop_id or "", scope.since, scope.until, None, after, _AT_ONCE)
        yield [_of_discrepant(each, scope.zone) for each in found]
        if len(found) < _AT_ONCE:
            return
        after = found[-1].booking_id


def _of_day(day: DaySums, currency: str) -> tuple[Cell, ...]:
    amounts = (day["charges"], day["tips"], day["refunds"], day["corrections"], day["total"])
    return day["date"], currency, *(Decimal(amount) for amount in amounts)


def _of_booking(found: FoundBooking, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        found.booking_id,
        found.shop_id,
        found.barber_id,
        found.kind,
        found.status,
        found.token_number,
        _shown(found.created_at, zone),
        _shown(found.started_at, zone),
        _shown(found.ended_at, zone),
        found.end_reason,
        found.cancelled_by,
        found.duration_minutes,
        scaled(found.total_price, found.currency),
        scaled(found.paid, found.currency),
        found.currency,
    )


def _of_line(line: Line, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        _shown(line.at, zone),
        line.payment_id,
        line.kind,
        line.purpose,
        line.booking_id,
        line.barber_id,
        line.method,
        scaled(line.amount, line.currency),
        line.currency,
        line.of_payment_id,
        line.reason,
        line.actor_id,
    )


def _of_discrepant(each: Discrepant, zone: ZoneInfo) -> tuple[Cell, ...]:
    return (
        each.booking_id,
        each.problem,
        each.barber_id,
        each.status,
        _shown(each.ended_at, zone),
        scaled(each.price, each.currency) if each.price is not None else None,
        scaled(each.paid, each.currency),
        each.currency,
    )


def _shown(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """By the clocks of the zone, with how far they are from UTC."""
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds") if moment is not None else None


def _columns(**widths: int) -> tuple[Column, ...]:
    return tuple(Column(name, width) for name, width in widths.items())


REPORTS: Final[dict[ReportName, Report]] = {
    "bookings": Report(
        "Bookings",
        _columns(
            bookingId=22, shopId=9, barberId=10, kind=7, status=7, token=4, createdAt=14, startedAt=14, endedAt=14,
            endReason=8, cancelledBy=7, minutes=5, price=7, paid=7, currency=5,
        ),
        _bookings,
    ),
    "payments": Report(
        "Payments",
        _columns(
            at=14, paymentId=23, kind=7, purpose=6, bookingId=22, barberId=10, method=5, amount=8, currency=5,
            ofPaymentId=23, reason=14, recordedBy=12,
        ),
        _payments,
    ),
    "earnings": Report(
        "Earnings", _columns(date=10, currency=6, charges=10, tips=10, refunds=10, corrections=10, total=10), _earnings
    ),
    "reconciliation": Report(
        "What does not add up",
        _columns(bookingId=22, problem=8, barberId=10, status=8, endedAt=14, price=8, paid=8, currency=5),
        _reconciliation,
    ),
}  # fmt: skip
