"""Days, weeks and months by a shop's clocks."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from barberpro.domain.periods import Period, start_of
from barberpro.protocol.money import PeriodName

LOCAL = {name: ZoneInfo(name) for name in (
    "Etc/UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana", "Australia/Lord_Howe",
)}  # fmt: skip


@pytest.mark.parametrize(("name", "day", "first", "last"), [
    ("day", "2026-11-21", "2026-11-21", "2026-11-21"),
    ("week", "2026-11-21", "2026-11-16", "2026-11-22"),  # a Saturday
    ("week", "2026-11-16", "2026-11-16", "2026-11-22"),  # a Monday
    ("week", "2027-01-01", "2026-12-28", "2027-01-03"),
    ("month", "2026-02-28", "2026-02-01", "2026-02-28"),
    ("month", "2028-02-01", "2028-02-01", "2028-02-29"),
    ("month", "2026-12-31", "2026-12-01", "2026-12-31"),
])  # fmt: skip
def test_a_period_has_its_first_day_and_its_last(name: PeriodName, day: str, first: str, last: str) -> None:
    period = Period.around(name, date.fromisoformat(day), LOCAL["Etc/UTC"])
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)
    assert len(period.bounds()) == len(list(period.days())) + 1


@pytest.mark.parametrize(("zone", "day", "hours"), [
    ("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25), ("Europe/Berlin", "2026-03-28", 24),
    ("America/New_York", "2026-03-08", 23), ("America/New_York", "2026-11-01", 25),
    ("America/Santiago", "2026-09-06", 23),  # midnight itself is skipped
    ("America/Santiago", "2026-04-04", 25),  # its last hour comes twice
    ("America/Havana", "2026-11-01", 25),  # midnight comes twice
    ("Australia/Lord_Howe", "2026-04-05", 24.5),
])  # fmt: skip
def test_a_day_on_which_the_clocks_change_has_its_own_length(zone: str, day: str, hours: float) -> None:
    begin, end = Period.around("day", date.fromisoformat(day), LOCAL[zone]).bounds()
    assert end - begin == timedelta(hours=hours)


def test_every_day_begins_where_the_one_before_ended_and_at_its_first_instant() -> None:
    for zone in LOCAL.values():
        day = date(2026, 1, 1)
        for _ in range(730):
            begin = start_of(day, zone)
            assert begin.astimezone(zone).date() == day
            assert (begin - timedelta(milliseconds=1)).astimezone(zone).date() == day - timedelta(days=1)
            day += timedelta(days=1)


def test_the_end_of_the_calendar_is_no_period() -> None:
    with pytest.raises(OverflowError):
        Period.around("month", date.max, LOCAL["Etc/UTC"])
