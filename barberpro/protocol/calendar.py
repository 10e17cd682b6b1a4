"""A barber's calendar: shifts, breaks, days off, and the bookable times that come of them."""

import re
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict

from barberpro.protocol.commands import Wire
from barberpro.protocol.ids import Id
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


Clock = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""HH:MM of the shop's clock; 24:00 for an end at midnight."""
Hours = Annotated[list[Annotated[list[Clock], Field(min_length=2, max_length=2)]], Field(max_length=8)]
"""From and until, in order."""
Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]


class WeekHours(Wire):
    """Hours of every week. A day that is left out has none."""

    mon: Hours = Field(default_factory=list)
    tue: Hours = Field(default_factory=list)
    wed: Hours = Field(default_factory=list)
    thu: Hours = Field(default_factory=list)
    fri: Hours = Field(default_factory=list)
    sat: Hours = Field(default_factory=list)
    sun: Hours = Field(default_factory=list)


class ExceptionalDay(Wire):
    """A day whose shifts are these, breaks and all, whatever the week says."""

    date: Day
    shifts: Hours


class ChangeAvailability(Wire):
    """What is given replaces what was; what is left out stays.

    shifts: null: as the shop is open. days_off: go before exceptions. revision: the one that the caller saw; when it is
    another by now, nothing is changed.
    """

    shifts: WeekHours | None = None
    breaks: WeekHours = Field(default_factory=WeekHours)
    exceptions: Annotated[list[ExceptionalDay], Field(max_length=_MOST_DAYS)] = Field(default_factory=list)
    days_off: Annotated[list[Day], Field(max_length=_MOST_DAYS)] = Field(default_factory=list)
    revision: Count | None = None


class WeekTold(TypedDict):
    """Hours of every week."""

    mon: list[list[str]]
    tue: list[list[str]]
    wed: list[list[str]]
    thu: list[list[str]]
    fri: list[list[str]]
    sat: list[list[str]]
    sun: list[list[str]]


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
    shifts: WeekTold | None
    breaks: WeekTold
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
