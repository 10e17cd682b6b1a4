"""A barber's calendar: shifts, breaks, days off, and the bookable times that come of them."""

import re
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from barberpro.protocol.commands import Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Query
from barberpro.protocol.shops import Day, Hours, Span
from barberpro.protocol.states import Count, Date, Timestamp

_DATE: Final = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")
_MOST_DAYS: Final = 400


def local_date(text: object) -> date:
    """Raises ValueError."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError("is not a date such as 2026-11-21")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def _day(text: str) -> str:
    local_date(text)
    return text


LocalDay = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]


class ExceptionalDay(Wire):
    """A day whose shifts are these, breaks and all, whatever the week says."""

    date: LocalDay
    shifts: Annotated[list[Span], Field(max_length=8)]


def _each_once(days: list[ExceptionalDay]) -> list[ExceptionalDay]:
    if len({day.date for day in days}) < len(days):
        raise ValueError("has a date more than once")
    return days


class ChangeAvailability(Wire):
    """What is given replaces what was; what is left out stays.

    shifts: null: as the shop is open. days_off: go before exceptions. revision: the one that the caller saw; when it is
    another by now, nothing is changed.
    """

    shifts: Hours | None = None
    breaks: Hours = Field(default_factory=dict)
    exceptions: Annotated[list[ExceptionalDay], Field(max_length=_MOST_DAYS), AfterValidator(_each_once)] = Field(
        default_factory=list
    )
    days_off: Annotated[list[LocalDay], Field(max_length=_MOST_DAYS)] = Field(default_factory=list)
    revision: Count | None = None


class ExceptionalDayTold(TypedDict):
    date: Date
    shifts: list[list[str]]


ConflictKind = Literal["day_off", "break", "outside_shifts"]


class Conflict(TypedDict):
    """An appointment to come for which its barber is not there."""

    bookingId: Id
    startsAt: Timestamp
    endsAt: Timestamp
    customerName: str | None
    problem: ConflictKind


class Availability(TypedDict):
    """revision: 0 before the first change. conflicts: the earliest first."""

    barberId: Id
    timeZone: str
    shifts: dict[Day, list[list[str]]] | None
    breaks: dict[Day, list[list[str]]]
    exceptions: list[ExceptionalDayTold]
    daysOff: list[Date]
    revision: Count
    conflicts: list[Conflict]


class Slot(TypedDict):
    """A time that can be booked; bookingDate and preferredTime as POST /bookings takes them."""

    bookingDate: Date
    preferredTime: str
    startsAt: Timestamp
    endsAt: Timestamp


class SlotsQuery(Query):
    """The parameters of GET /barbers/{barberId}/slots. serviceIds: with commas between; without, the shortest one."""

    date: LocalDay
    service_ids: Annotated[str, Field(max_length=700, examples=["sv_2h6v0j5b8ynm"])] | None = None


class SlotsMeta(TypedDict):
    date: Date
    timeZone: str
    durationMinutes: Count
