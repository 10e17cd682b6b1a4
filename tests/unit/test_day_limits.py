"""The limits of a load test's day: which are kept, and in which words a broken one is told."""

from dataclasses import dataclass

import pytest

from loadtests.day.limits import BOOKING, OWN_DELAY, SEEN, Entry, Limits, judge, named

ROLES = ("customer", "barber")


@dataclass
class Line:
    """A line of Locust's statistics in which everything took as long."""

    name: str
    milliseconds: float = 20.0
    num_requests: int = 10
    num_failures: int = 0

    def get_response_time_percentile(self, _percent: float) -> float:
        return self.milliseconds


def lines(**changed: Line) -> list[Entry]:
    """A good day's; by role and kind, what is otherwise."""
    good = {
        "customer_booking": Line(named(BOOKING, "customer")),
        "customer_seen": Line(named(SEEN, "customer")),
        "barber_seen": Line(named(SEEN, "barber")),
        "advance": Line("advance"),
        "own_delay": Line(OWN_DELAY, milliseconds=3.0),
    }
    return list((good | changed).values())


def test_a_good_day_keeps_every_limit() -> None:
    verdict = judge(lines(), Limits(), ROLES)
    assert verdict.broken == []
    assert all(line.startswith("holds:") for line in verdict.lines)
    assert [(each.id, each.holds) for each in verdict.figures] == [
        ("P5-booking", True), ("P5-seen", True), ("P5-errors", True),
    ]  # fmt: skip


def test_one_slow_role_breaks_the_limit_that_the_others_keep() -> None:
    slow = Line(named(SEEN, "barber"), milliseconds=600.0)
    verdict = judge(lines(barber_seen=slow), Limits(), ROLES)
    assert verdict.broken == ["update seen: barber: p99 600 ms <= 100 ms, of 10; the owner's < 1000 ms holds"]
    assert [(each.value, each.holds) for each in verdict.figures if each.id == "P5-seen"] == [(600.0, False)]


@pytest.mark.parametrize("absent", [Line("other"), Line(named(BOOKING, "customer"), num_requests=2, num_failures=2)])
def test_a_day_on_which_nobody_booked_is_not_a_good_day(absent: Line) -> None:
    verdict = judge(lines(customer_booking=absent), Limits(errors=2), ROLES)
    assert verdict.broken == ["booking: customer: there was none"]


def test_whatever_fails_is_an_error() -> None:
    verdict = judge(lines(advance=Line("advance", num_failures=1)), Limits(), ROLES)
    assert verdict.broken == ["1 errors <= 0"]


def test_so_is_a_fault_that_no_line_tells_of() -> None:
    assert judge(lines(), Limits(), ROLES, faults=3).broken == ["3 errors <= 0"]


def test_the_figures_tell_how_late_the_load_itself_was() -> None:
    about = judge(lines(), Limits(), ROLES).figures[-1].details
    assert about[OWN_DELAY]["p99_ms"] == 3.0
    assert about["done"]["advance"] == 10
