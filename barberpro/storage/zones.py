"""Time zones as the scripts take them: from which instant on a shop is how far from UTC."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_BEFORE = timedelta(days=2)
_AHEAD_DAYS = 400
_THIS_MACHINES: Final = frozenset({"localtime", "posixrules", "Factory"})
_OTHER_CLOCKS: Final = ("posix/", "right/")
"""Files beside those of the zones: what is in them, and whether they are there, differs from machine to machine."""


class UnknownZoneError(ValueError):
    """A shop's time zone does not exist; the message names it."""


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone, kept: ZoneInfo itself keeps eight, and reads the others from their files each time.

    Blocking, but for zones of shops that the catalogue has read. Raises ZoneInfoNotFoundError.
    """
    return ZoneInfo(name)


def _offset_ms(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 - an aware datetime always has one
    return round(offset.total_seconds() * 1000)


def change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first minute in (low, high] that has the offset of `high`; both are aware."""
    wanted = _offset_ms(zone, high)
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
        if _offset_ms(zone, middle) == wanted:
            high = middle
        else:
            low = middle
    return high


def check_zone(name: str) -> None:
    """Raises UnknownZoneError unless it is a zone of the IANA database. Blocking: it may have to be read."""
    try:
        if name in _THIS_MACHINES or name.startswith(_OTHER_CLOCKS):
            raise ValueError(name)
        offset_table(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZoneError(f"time zone is {name!r}: it is not in the IANA database") from None


@lru_cache(maxsize=1024)
def _table(name: str, start: datetime) -> tuple[tuple[int, int], ...]:
    zone = zone_of(name)
    rows = [(round(start.timestamp() * 1000), _offset_ms(zone, start))]
    day = start
    for _ in range(_AHEAD_DAYS):
        following = day + timedelta(days=1)
        offset = _offset_ms(zone, following)
        if offset != rows[-1][1]:
            rows.append((round(change_between(zone, day, following).timestamp() * 1000), offset))
        day = following
    return tuple(rows)


def offset_table(name: str, now: datetime | None = None) -> tuple[tuple[int, int], ...]:
    """((from, offset), ...) in milliseconds, ascending: each offset holds from its instant to the next one's.

    Covers two days back and more than a year ahead of `now`. Raises ZoneInfoNotFoundError.
    """
    moment = now or datetime.now(UTC)
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return _table(name, midnight - _BEFORE)


def offsets_about(name: str, now: datetime | None = None, days: int = 10) -> tuple[tuple[int, int], ...]:
    """The part of `offset_table` that matters from two days ago to `days` ahead: one row, but near a change."""
    moment = now or datetime.now(UTC)
    low, high = ((moment + timedelta(days=shift)).timestamp() * 1000 for shift in (-2, days))
    rows = [row for row in offset_table(name, moment) if row[0] <= high]
    while len(rows) > 1 and rows[1][0] <= low:
        del rows[0]
    return tuple(rows)
