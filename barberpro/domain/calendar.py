"""When a barber works: what fits into it, what does not, and why. Pure: no store is asked here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from barberpro.domain.hours import DAYS, Week, intervals, parse_week
from barberpro.protocol.calendar import ConflictKind
from barberpro.protocol.errors import bad_field

Json = dict[str, Any]
Span = tuple[datetime, datetime]
"""From and until, in UTC; the end is not part of it."""

_NEVER: Final = parse_week({})
_ALWAYS: Final = parse_week({day: [["00:00", "24:00"]] for day in DAYS})
_DAY: Final = timedelta(days=1)
LOOK_AHEAD: Final = 28 * _DAY
"""So far is looked for the next time that is free."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the barber is not there. path: the field of a booking that says so; words: what is wrong with it."""

    kind: ConflictKind
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Sought:
    """Slots for an appointment of so many minutes.

    step: minutes from one to the next, from the beginning of each shift and the end of each break. busy: what is taken.
    now: none begins before, nor then.
    """

    minutes: int
    step: int
    busy: Sequence[Span]
    now: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """A barber's, on the shop's clock.

    shifts, breaks: every week's. exceptions: days with shifts of their own, which no weekly break cuts.
    """

    zone: ZoneInfo
    shifts: Week
    breaks: Week
    exceptions: Mapping[date, Week]
    days_off: frozenset[date]

    @classmethod
    def of(cls, document: Json, zone: ZoneInfo, opening: Week | None) -> Self:
        """document: {shifts?, breaks, exceptions, daysOff}, of the shapes that ChangeAvailability takes.

        opening: when the shop is open, which holds for a barber without shifts; None: always. Raises BAD_REQUEST naming
        the day whose hours are not in order.
        """
        own = document["shifts"]
        exceptions = dict(_exceptional(index, day) for index, day in enumerate(document["exceptions"]))
        return cls(
            zone,
            _week("shifts", own) if own is not None else opening or _ALWAYS,
            _week("breaks", document["breaks"]),
            exceptions,
            frozenset(date.fromisoformat(day) for day in document["daysOff"]),
        )

    def working(self, first: date, last: date) -> list[Span]:
        """When the barber works on these days, in order, what touches being one."""
        joined: list[Span] = []
        for start, end in (span for day in _days(first, last) for span in self._of_day(day)):
            if joined and joined[-1][1] == start:
                start, end = joined.pop()[0], end
            joined.append((start, end))
        return joined

    def problem(self, at: datetime, minutes: int) -> Problem | None:
        """Why no appointment of so many minutes can be at that instant; None when it can."""
        wanted = (at, at + timedelta(minutes=minutes))
        first, last = (moment.astimezone(self.zone).date() for moment in wanted)
        if _covered(wanted, self.working(first, last)):
            return None
        if first in self.days_off:
            return Problem("day_off", "bookingDate", "is a day off of this barber's")
        if _covered(wanted, replace(self, breaks=_NEVER).working(first, last)):
            breaks = self._on_the_clock(intervals(self.breaks, self.zone, first))
            return Problem("break", "preferredTime", f"runs into a break of this barber's: {breaks}")
        shifts = self._on_the_clock(self._of_day(first))
        if not shifts:
            return Problem("outside_shifts", "bookingDate", "is a day on which this barber does not work")
        words = f"is outside of this barber's shifts, for {minutes} minutes: {shifts}"
        return Problem("outside_shifts", "preferredTime", words)

    def slots(self, day: date, sought: Sought) -> Iterator[datetime]:
        """The instants (UTC) of that day at which such an appointment can begin, in order.

        Of an hour that comes twice, the second has no name on the clock, and cannot be booked.
        """
        length = timedelta(minutes=sought.minutes)
        working = self.working(day, day + length + _DAY)
        for start, end in self._of_day(day):
            busy = [taken for taken in sought.busy if _overlap(taken, (start, end + length))]
            at = start
            while at < end:
                wanted = (at, at + length)
                fits = _covered(wanted, working) and not any(_overlap(wanted, taken) for taken in busy)
                if fits and at > sought.now and at.astimezone(self.zone).fold == 0:
                    yield at
                at += timedelta(minutes=sought.step)

    def next_slot(self, after: datetime, sought: Sought) -> datetime | None:
        """The first slot at or after an instant, within LOOK_AHEAD of it."""
        first = after.astimezone(self.zone).date()
        days = _days(first, first + LOOK_AHEAD)
        return next((at for day in days for at in self.slots(day, sought) if at >= after), None)

    def _of_day(self, day: date) -> list[Span]:
        if day in self.days_off:
            return []
        exception = self.exceptions.get(day)
        if exception is not None:
            return intervals(exception, self.zone, day)
        return _without(intervals(self.shifts, self.zone, day), intervals(self.breaks, self.zone, day))

    def _on_the_clock(self, spans: Sequence[Span]) -> str:
        told = []
        for start, end in spans:
            there, ends = start.astimezone(self.zone), end.astimezone(self.zone)
            told.append(f"{there:%H:%M} to {'24:00' if ends.date() > there.date() else format(ends, '%H:%M')}")
        return ", ".join(told)


def _week(path: str, hours: Json) -> Week:
    try:
        return parse_week(hours)
    except ValueError as problem:
        day, _, words = str(problem).partition(": ")
        raise bad_field(f"{path}.{day}", words) from None


def _exceptional(index: int, day: Json) -> tuple[date, Week]:
    on = date.fromisoformat(day["date"])
    try:
        return on, parse_week({DAYS[on.weekday()]: day["shifts"]})
    except ValueError as problem:
        raise bad_field(f"exceptions.{index}.shifts", str(problem).partition(": ")[2]) from None


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + number * _DAY


def _covered(wanted: Span, spans: Sequence[Span]) -> bool:
    return any(start <= wanted[0] and wanted[1] <= end for start, end in spans)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _without(spans: Sequence[Span], cuts: Sequence[Span]) -> list[Span]:
    """What is left of spans; all in order, and none overlapping another of its kind."""
    left: list[Span] = []
    for start, end in spans:
        for cut_from, cut_until in cuts:
            if cut_from < end and start < cut_until:
                if start < cut_from:
                    left.append((start, cut_from))
                start = max(start, cut_until)
        if start < end:
            left.append((start, end))
    return left
