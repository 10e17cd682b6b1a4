"""A date and a time on the shop's wall clock, and the instant that they mean."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from barberpro.protocol.calendar import local_date
from barberpro.protocol.commands import Wire
from barberpro.protocol.errors import bad_field

_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}")


def _time(text: object) -> object:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError("is not a time such as 09:30")
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time of the day") from None


LocalDate = Annotated[date, BeforeValidator(local_date)]
LocalTime = Annotated[time, BeforeValidator(_time)]


class When(Wire):
    """An appointed time, on the shop's wall clock."""

    booking_date: LocalDate
    preferred_time: LocalTime


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which that clock is shown in the zone; the first, when it is shown twice.

    Raises BAD_REQUEST naming `preferredTime` when the clock skips it: daylight saving begins.
    """
    shown = datetime.combine(day, clock)
    at = shown.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != shown:
        raise bad_field("preferredTime", "does not exist on that day: the clocks are put forward over it")
    return at
