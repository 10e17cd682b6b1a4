"""Moments as they stand on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from barberpro.protocol.times import rfc3339_of

KOLKATA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2026, 11, 21, 9, 30, 0, 125_000, UTC), "2026-11-21T09:30:00.125Z"),
        (datetime(2026, 11, 21, 15, 0, 0, 7_000, KOLKATA), "2026-11-21T09:30:00.007Z"),
        (datetime(2026, 11, 21, 23, 59, 59, 999_999, UTC), "2026-11-21T23:59:59.999Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_of_any_zone_is_told_in_utc_and_never_later_than_it_is(moment: datetime, told: str) -> None:
    assert rfc3339_of(moment) == told
