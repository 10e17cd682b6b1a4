"""When a barber works, and what fits into it; on days on which the clocks change, too."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.domain.calendar import Calendar, Sought
from barberpro.domain.hours import DAYS, parse_week
from barberpro.handlers.rest.appointments import instant
from barberpro.protocol.errors import BarberProError

Json = dict[str, Any]
Hours = list[list[str]]

KOLKATA = ZoneInfo("Asia/Kolkata")
MONDAY = date(2026, 11, 23)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CHANGES = [
    ("America/New_York", date(2026, 3, 8), 23.0),
    ("America/New_York", date(2026, 11, 1), 25.0),
    ("Europe/Berlin", date(2026, 3, 29), 23.0),
    ("Europe/Berlin", date(2026, 10, 25), 25.0),
    ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
]
"""Both days of three zones, and how many hours each has."""


def every_day(*hours: list[str]) -> dict[str, Hours]:
    return {day: list(hours) for day in DAYS}


def calendar(zone: ZoneInfo = KOLKATA, **fields: Any) -> Calendar:  # noqa: ANN401 - any JSON
    whole: Json = {"shifts": None, "breaks": {}, "exceptions": [], "daysOff": [], **fields}
    return Calendar.of(whole, zone, None)


def at(clock: str, day: date = MONDAY, zone: ZoneInfo = KOLKATA) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


def sought(minutes: int = 30, step: int = 30, *busy: tuple[datetime, datetime], now: datetime = LONG_AGO) -> Sought:
    return Sought(minutes, step, busy, now)


def clocks(of: Calendar, day: date, wanted: Sought) -> list[str]:
    return [f"{each.astimezone(of.zone):%H:%M}" for each in of.slots(day, wanted)]


WORKING = calendar(shifts=every_day(["09:00", "12:00"], ["13:00", "15:00"]), breaks=every_day(["10:30", "11:00"]))


def test_slots_are_where_the_whole_appointment_fits() -> None:
    assert clocks(WORKING, MONDAY, sought(60)) == ["09:00", "09:30", "11:00", "13:00", "13:30", "14:00"]


def test_what_is_taken_is_no_slot_and_what_touches_it_is() -> None:
    taken = (at("09:30"), at("10:00"))
    assert clocks(WORKING, MONDAY, sought(30, 30, taken))[:3] == ["09:00", "10:00", "11:00"]


def test_no_slot_is_in_the_past_nor_now() -> None:
    assert clocks(WORKING, MONDAY, sought(60, now=at("13:00"))) == ["13:30", "14:00"]


def test_a_day_off_has_no_slots_and_an_exceptional_day_its_own() -> None:
    days: Json = {"daysOff": ["2026-11-24"], "exceptions": [{"date": "2026-11-25", "shifts": [["10:15", "11:45"]]}]}
    changed = calendar(shifts=every_day(["09:00", "12:00"]), breaks=every_day(["10:30", "11:00"]), **days)
    assert clocks(changed, date(2026, 11, 24), sought()) == []
    assert clocks(changed, date(2026, 11, 25), sought()) == ["10:15", "10:45", "11:15"]
    assert changed.next_slot(at("11:45"), sought()) == at("10:15", date(2026, 11, 25))


def test_a_shift_until_midnight_goes_on_in_the_one_that_begins_then() -> None:
    late = calendar(shifts={"mon": [["22:00", "24:00"]], "tue": [["00:00", "01:00"]]})
    assert clocks(late, MONDAY, sought(90, 60)) == ["22:00", "23:00"]
    assert late.problem(at("23:30"), 90) is None
    assert late.problem(at("23:30"), 91) is not None


def test_a_barber_without_shifts_works_when_the_shop_is_open_and_else_always() -> None:
    whole: Json = {"shifts": None, "breaks": {}, "exceptions": [], "daysOff": []}
    opening = parse_week({"mon": [["10:00", "11:00"]]})
    assert clocks(Calendar.of(whole, KOLKATA, opening), MONDAY, sought()) == ["10:00", "10:30"]
    assert len(clocks(calendar(), MONDAY, sought())) == 48


@pytest.mark.parametrize(
    ("clock", "day", "kind", "path", "words"),
    [
        ("08:30", MONDAY, "outside_shifts", "preferredTime", "09:00 to 10:30, 11:00 to 12:00, 13:00 to 15:00"),
        ("14:45", MONDAY, "outside_shifts", "preferredTime", "for 30 minutes"),
        ("10:15", MONDAY, "break", "preferredTime", "10:30 to 11:00"),
        ("09:00", date(2026, 11, 24), "day_off", "bookingDate", "day off"),
        ("09:00", date(2026, 11, 25), "outside_shifts", "bookingDate", "does not work"),
    ],
)
def test_a_time_that_does_not_fit_is_refused_by_the_field_that_says_so(
    clock: str, day: date, kind: str, path: str, words: str
) -> None:
    fields: Json = {"daysOff": ["2026-11-24"], "exceptions": [{"date": "2026-11-25", "shifts": []}]}
    working = calendar(
        shifts=every_day(["09:00", "12:00"], ["13:00", "15:00"]), breaks=every_day(["10:30", "11:00"]), **fields
    )
    problem = working.problem(at(clock, day), 30)
    assert problem is not None
    assert (problem.kind, problem.path) == (kind, path)
    assert words in problem.words


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"shifts": {"tue": [["12:00", "09:00"]]}}, "shifts.tue"),
        ({"breaks": {"sun": [["10:00", "11:00"], ["10:30", "12:00"]]}}, "breaks.sun"),
        ({"exceptions": [{"date": "2026-11-25", "shifts": [["10:00", "10:00"]]}]}, "exceptions.0.shifts"),
    ],
)
def test_hours_that_are_not_in_order_are_refused_by_their_day(fields: Json, path: str) -> None:
    with pytest.raises(BarberProError) as refused:
        calendar(**fields)
    assert refused.value.details["fields"][0]["path"] == path


# The clocks change -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "day", "hours"), CHANGES)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(name: str, day: date, hours: float) -> None:
    [(start, end)] = calendar(ZoneInfo(name)).working(day, day)
    assert (end - start) / timedelta(hours=1) == hours


def minutes_of(day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, int]]:
    """Every minute of the local day, and what the clock shows then, in minutes."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    while (there := moment.astimezone(zone)).date() <= day:
        if there.date() == day:
            yield moment, there.hour * 60 + there.minute
        moment += timedelta(minutes=1)


def naive(day: date, zone: ZoneInfo, hours: list[tuple[int, int]], minutes: int, step: int) -> list[datetime]:
    """The slots, minute by minute: a time of the clock is the first minute at which it shows that, or later."""
    clock = list(minutes_of(day, zone))
    first: list[int] = []
    for number, (_, shown) in enumerate(clock):
        first += [number] * (shown + 1 - len(first))
    first.append(len(clock))  # 24:00
    works = {number for start, end in hours for number in range(first[start], first[end])}
    return [
        clock[number][0]
        for start, end in hours
        for number in range(first[start], first[end], step)
        if first[clock[number][1]] == number and works.issuperset(range(number, number + minutes))
    ]


def written(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


EDGES = st.lists(st.integers(0, 96).map(lambda quarter: quarter * 15), min_size=2, max_size=6, unique=True).map(sorted)


@given(
    change=st.sampled_from(CHANGES),
    edges=EDGES,
    minutes=st.sampled_from([10, 30, 45, 90]),
    step=st.sampled_from([5, 15, 40]),
)
def test_slots_of_a_day_on_which_the_clocks_change_are_those_of_a_naive_scan(
    change: tuple[str, date, float], edges: list[int], minutes: int, step: int
) -> None:
    name, day, _ = change
    zone = ZoneInfo(name)
    hours = list(zip(edges[::2], edges[1::2], strict=False))
    working = calendar(zone, shifts={DAYS[day.weekday()]: [[written(start), written(end)] for start, end in hours]})
    found = list(working.slots(day, sought(minutes, step)))
    assert found == naive(day, zone, hours, minutes, step)
    for slot in found:  # and each is what its name on the clock means
        there = slot.astimezone(zone)
        assert instant(there.date(), there.time(), zone) == slot
        assert working.problem(slot, minutes) is None
