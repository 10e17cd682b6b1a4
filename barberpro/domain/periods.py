"""Days, weeks and months by the clocks of a time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from barberpro.protocol.money import PeriodName, PeriodTold

_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both of them whole, where it is `zone`."""

    name: PeriodName
    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def around(cls, name: PeriodName, day: date, zone: ZoneInfo) -> "Period":
        """The day, its week (from Monday on) or its month. Raises OverflowError at the end of the calendar."""
        if name == "day":
            return cls(name, day, day, zone)
        if name == "week":
            monday = day - timedelta(days=day.weekday())
            return cls(name, monday, monday + timedelta(days=6), zone)
        first = day.replace(day=1)
        return cls(name, first, (first + timedelta(days=31)).replace(day=1) - _ONE, zone)

    def days(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += _ONE

    def bounds(self) -> list[datetime]:
        """When each of the days begins, and when the last one ends, in UTC: one more than there are days.

        A day has 23 or 25 hours where the clocks change; where they skip midnight, it begins at the change.
        """
        return [start_of(day, self.zone) for day in (*self.days(), self.last + _ONE)]

    def told(self) -> PeriodTold:
        return {
            "period": self.name,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "timeZone": self.zone.key,
        }


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the day.

    A midnight that the clocks show twice is meant the first time (fold 0). One that they skip is read by the clock
    before the change (PEP 495), which gives the instant of the change.
    """
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def today(zone: ZoneInfo) -> date:
    return datetime.now(zone).date()
