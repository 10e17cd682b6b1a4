"""Opening hours: what a week is, and what it comes to on days that are not as long as others."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.domain.hours import DAYS, closing, intervals, open_at, parse_week

ALWAYS = parse_week({day: [["00:00", "24:00"]] for day in DAYS})
USUAL = parse_week({"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "sat": [["10:00", "24:00"]]})
KOLKATA = ZoneInfo("Asia/Kolkata")
# The day that is an hour shorter, and the one that is longer, in three zones; and the step, in hours.
CHANGES = [
    ("America/New_York", date(2026, 3, 8), date(2026, 11, 1), 1.0),
    ("Europe/Berlin", date(2026, 3, 29), date(2026, 10, 25), 1.0),
    ("Australia/Lord_Howe", date(2026, 10, 4), date(2026, 4, 5), 0.5),
]


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def test_a_week_is_read_and_told_in_one_shape_with_every_day() -> None:
    document = USUAL.document()
    assert list(document) == list(DAYS)
    assert document["mon"] == [["09:00", "13:00"], ["14:00", "18:00"]]
    assert document["tue"] == []
    assert parse_week(document) == USUAL


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "week: "),
        ({"monday": []}, "monday: "),
        ({"tue": None}, "tue: "),
        ({"tue": [["09:00"]]}, "tue: "),
        ({"tue": [["09:00", "9:30"]]}, "tue: "),
        ({"tue": [["24:00", "24:00"]]}, "tue: "),
        ({"wed": [["18:00", "02:00"]]}, "wed: 02:00 is not after 18:00"),
        ({"thu": [["09:00", "13:00"], ["12:59", "18:00"]]}, "thu: 12:59 comes before 13:00"),
        ({"fri": [["14:00", "18:00"], ["09:00", "13:00"]]}, "fri: "),
        ({"sat": [["00:00", "00:01"]] * 9}, "sat: "),
        ({"sun": [[900, 1080]]}, "sun: "),
    ],
)
def test_what_is_no_week_is_refused_with_its_day(value: Any, problem: str) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(ValueError, match=f"^{problem}"):
        parse_week(value)


def test_hours_are_the_shops_and_their_end_is_not_part_of_them() -> None:
    monday = datetime(2026, 11, 23, tzinfo=KOLKATA)
    for clock, is_open in (
        ("08:59", False), ("09:00", True), ("12:59", True), ("13:00", False), ("14:00", True), ("18:00", False),
    ):  # fmt: skip
        at = monday + timedelta(minutes=minutes(clock))
        assert open_at(USUAL, KOLKATA, at.astimezone(UTC)) == is_open, clock
    saturday = monday - timedelta(days=2)
    assert open_at(USUAL, KOLKATA, saturday + timedelta(hours=23, minutes=59))
    assert not open_at(USUAL, KOLKATA, saturday + timedelta(hours=24))


def test_the_closing_is_the_end_of_the_days_last_hours() -> None:
    assert closing(USUAL, KOLKATA, datetime(2026, 11, 23, 4, tzinfo=UTC)) == datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    assert closing(USUAL, KOLKATA, datetime(2026, 11, 24, 4, tzinfo=UTC)) is None


@pytest.mark.parametrize(("name", "short", "long", "step"), CHANGES)
def test_a_whole_day_is_as_long_as_the_clocks_make_it(name: str, short: date, long: date, step: float) -> None:
    zone = ZoneInfo(name)
    for day, hours in ((short, 24 - step), (long, 24 + step), (short + timedelta(days=7), 24.0)):
        [(start, end)] = intervals(ALWAYS, zone, day)
        assert (end - start) / timedelta(hours=1) == hours
        assert intervals(ALWAYS, zone, day + timedelta(days=1))[0][0] == end


@pytest.mark.parametrize(("name", "short", "long", "step"), CHANGES)
def test_hours_around_a_change_keep_their_time_on_the_clock(name: str, short: date, long: date, step: float) -> None:
    zone, week = ZoneInfo(name), parse_week({day: [["00:30", "01:00"], ["09:00", "18:00"]] for day in DAYS})
    for day in (short, long):
        for start, end in intervals(week, zone, day):
            shown = [at.astimezone(zone).strftime("%H:%M") for at in (start, end)]
            assert shown in (["00:30", "01:00"], ["09:00", "18:00"])


def test_hours_that_the_clocks_skip_are_left_out_and_those_that_reach_into_the_gap_are_cut() -> None:
    zone, sunday = ZoneInfo("America/New_York"), date(2026, 3, 8)
    change = datetime(2026, 3, 8, 7, tzinfo=UTC)  # 02:00 becomes 03:00
    assert intervals(parse_week({"sun": [["02:10", "02:50"]]}), zone, sunday) == []
    assert intervals(parse_week({"sun": [["01:00", "02:30"]]}), zone, sunday) == [
        (datetime(2026, 3, 8, 6, tzinfo=UTC), change)
    ]
    assert intervals(parse_week({"sun": [["02:30", "04:00"]]}), zone, sunday) == [
        (change, datetime(2026, 3, 8, 8, tzinfo=UTC))
    ]


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    zone, sunday = ZoneInfo("America/New_York"), date(2026, 11, 1)
    [(start, end)] = intervals(parse_week({"sun": [["01:30", "03:00"]]}), zone, sunday)
    assert start == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert end - start == timedelta(hours=2.5)


@given(
    zone=st.sampled_from(["Africa/Cairo", "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham"]),
    day=st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    marks=st.lists(st.integers(0, 24 * 60), min_size=2, max_size=8, unique=True).filter(lambda m: len(m) % 2 == 0),
)
def test_on_any_day_the_intervals_are_in_order_and_apart(zone: str, day: date, marks: list[int]) -> None:
    clocks = [f"{mark // 60:02d}:{mark % 60:02d}" for mark in sorted(marks)]
    pairs = [list(pair) for pair in zip(clocks[::2], clocks[1::2], strict=True)]
    found = intervals(parse_week(dict.fromkeys(DAYS, pairs)), ZoneInfo(zone), day)
    edges = [edge for pair in found for edge in pair]
    assert edges == sorted(edges)
    assert all(start < end for start, end in found)
    assert all(edge.tzinfo is UTC for edge in edges)
