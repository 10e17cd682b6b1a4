"""Dates and times on a shop's wall clock."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from barberpro.handlers.rest.appointments import instant
from barberpro.handlers.rest.parsing import validated
from barberpro.protocol.bookings import When
from barberpro.protocol.errors import BarberProError

NEW_YORK = ZoneInfo("America/New_York")


def test_a_time_is_the_shops() -> None:
    at = instant(date(2026, 7, 1), time(9, 30), NEW_YORK)
    assert at == datetime(2026, 7, 1, 13, 30, tzinfo=UTC)
    assert at.tzinfo is UTC


def test_a_time_that_the_clocks_skip_is_refused_by_name() -> None:
    with pytest.raises(BarberProError) as refused:
        instant(date(2026, 3, 8), time(2, 30), NEW_YORK)
    assert refused.value.details["fields"][0]["path"] == "preferredTime"


def test_the_first_and_the_last_minute_around_the_gap_exist() -> None:
    assert instant(date(2026, 3, 8), time(1, 59), NEW_YORK) == datetime(2026, 3, 8, 6, 59, tzinfo=UTC)
    assert instant(date(2026, 3, 8), time(3, 0), NEW_YORK) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert instant(date(2026, 11, 1), time(1, 30), NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_day_that_a_zone_left_out_is_refused() -> None:
    with pytest.raises(BarberProError):
        instant(date(2011, 12, 30), time(12, 0), ZoneInfo("Pacific/Apia"))


@pytest.mark.parametrize(
    ("day", "clock", "refused"),
    [
        ("2026-02-30", "09:00", "bookingDate"),
        ("20260701", "09:00", "bookingDate"),
        ("1999-07-01", "09:00", "bookingDate"),
        (20260701, "09:00", "bookingDate"),
        ("2026-07-01\n", "09:00", "bookingDate"),
        ("2026-07-01", "9:00", "preferredTime"),
        ("2026-07-01", "24:00", "preferredTime"),
        ("2026-07-01", "09:00:00", "preferredTime"),
        ("2026-07-01", None, "preferredTime"),
    ],
)
def test_what_is_no_date_or_time_is_refused_by_name(day: object, clock: object, refused: str) -> None:
    with pytest.raises(BarberProError) as error:
        validated(When, {"bookingDate": day, "preferredTime": clock})
    assert [field["path"] for field in error.value.details["fields"]] == [refused]
