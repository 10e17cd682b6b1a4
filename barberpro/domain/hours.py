"""Opening hours and shifts: a week on the wall clock of a zone, and the instants that it comes to on a day.

The one shape of both is `{"mon": [["09:00", "13:00"], ["14:00", "18:00"]], ..., "sun": []}`: times HH:MM, "24:00" for
an end at midnight; a day that is left out has none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, get_args
from zoneinfo import ZoneInfo

from barberpro.protocol.shops import Day
from barberpro.storage.zones import change_between

DAYS: Final[tuple[Day, ...]] = get_args(Day)
_CLOCK: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_MOST: Final = 8
"""Intervals of a day."""
_MINUTES: Final = 24 * 60

Interval = tuple[int, int]
"""From and until, in minutes on the clock since midnight; the end is not part of it."""


@dataclass(frozen=True, slots=True)
class Week:
    """days: Monday first; each day's intervals in order, none reaching into the next."""

    days: tuple[tuple[Interval, ...], ...]

    def document(self) -> dict[Day, list[list[str]]]:
        """The shape that `parse_week` takes, with every day."""
        return {
            name: [[_clock(start), _clock(end)] for start, end in day]
            for name, day in zip(DAYS, self.days, strict=True)
        }


def parse_week(value: object) -> Week:
    """Raises ValueError, whose message begins with the day that is not as it should be."""
    if not isinstance(value, Mapping):
        raise ValueError("week: is not an object of days")
    for name in value:
        if name not in DAYS:
            raise ValueError(f"{str(name)[:20]}: is none of {', '.join(DAYS)}")
    return Week(tuple(_parse_day(name, value.get(name, [])) for name in DAYS))


def open_at(week: Week, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the instant lies in the week's hours. at: aware."""
    day = at.astimezone(zone).date()
    return any(start <= at < end for start, end in intervals(week, zone, day))


@lru_cache(maxsize=4096)
def intervals(week: Week, zone: ZoneInfo, day: date) -> list[tuple[datetime, datetime]]:
    """The day's hours in UTC, in order; not to be changed by its caller.

    A time that the clocks skip stands for the instant at which they do; of one that comes twice the first is meant.
    """
    found = []
    for start, end in week.days[day.weekday()]:
        begins, ends = _instant(day, start, zone), _instant(day, end, zone)
        if begins < ends:  # else the clocks skip all of it
            found.append((begins, ends))
    return found


def closing(week: Week, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the last hours of the local day of `at` end (UTC); None on a day without any."""
    hours = intervals(week, zone, at.astimezone(zone).date())
    return hours[-1][1] if hours else None


def _parse_day(name: str, spans: object) -> tuple[Interval, ...]:
    if not isinstance(spans, list | tuple) or len(spans) > _MOST:
        raise ValueError(f'{name}: is not a list of at most {_MOST} pairs such as ["09:00", "18:00"]')
    day = tuple(_parse_span(name, span) for span in spans)
    for (_, end), (start, _) in pairwise(day):
        if start < end:
            raise ValueError(f"{name}: {_clock(start)} comes before {_clock(end)}, when the hours before it end")
    return day


def _parse_span(name: str, span: object) -> Interval:
    if not isinstance(span, list | tuple) or len(span) != 2:
        raise ValueError(f'{name}: is not made of pairs such as ["09:00", "18:00"]')
    start, end = (_minutes(name, clock) for clock in span)
    if start >= end:
        raise ValueError(f"{name}: {_clock(end)} is not after {_clock(start)}; hours past midnight are the next day's")
    return start, end


def _minutes(name: str, clock: object) -> int:
    if not isinstance(clock, str) or not _CLOCK.fullmatch(clock):
        raise ValueError(f"{name}: has something that is no time such as 09:30")
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a time on the clock of that day."""
    shown = datetime.combine(day + timedelta(days=minutes // _MINUTES), time(minutes // 60 % 24, minutes % 60))
    at = shown.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == shown:
        return at
    # Skipped. What the clock shows is read by the offset from before the change (fold 0) and from after it (fold 1).
    return change_between(zone, shown.replace(tzinfo=zone, fold=1).astimezone(UTC), at).astimezone(UTC)
