"""The simulated day before anybody plays it: arrivals, manners, a barber's decisions, and the checks."""

import math
from itertools import pairwise
from typing import Any

import pytest

from barberpro.server.simulate import Barber, Service, Shop
from barberpro.server.simulate.checks import BookingCheck, DisplayCheck, QueueCheck, TokenBook
from barberpro.server.simulate.decisions import GRACE, Called, Move, Seen, decide
from barberpro.server.simulate.scenario import (
    HOUR,
    ArrivalCurve,
    Manner,
    arrivals,
    chosen_service,
    dice,
    plan_day,
)


def _barber(name: str) -> Barber:
    services = [
        Service(serviceId=f"sv_{name}_{minutes}", name="cut", price="250.00", durationMinutes=minutes)
        for minutes in (15, 30, 45)
    ]
    return Barber(barberId=f"bb_{name}", name=name, services=services)


SHOP = Shop(shopId="sh_1", barbers=[_barber("asha"), _barber("dev"), _barber("meera")])
CURVE = ArrivalCurve(length=9 * HOUR, hourly=20.0)


def test_the_curve_has_the_mean_it_was_given() -> None:
    assert CURVE.expected(0, CURVE.length) == pytest.approx(9 * 20, rel=1e-3)


def test_the_curve_peaks_at_lunch_and_after_work_and_never_above_its_bound() -> None:
    rates = [CURVE.rate(hour * HOUR) for hour in (1, 3.5, 6, 8)]
    assert rates[1] > 1.5 * rates[0]
    assert rates[1] > 1.5 * rates[2]
    assert rates[3] > 1.5 * rates[2]
    assert max(CURVE.rate(at) for at in range(0, 9 * 3600, 60)) <= CURVE.highest
    assert CURVE.rate(-1) == CURVE.rate(9 * HOUR + 1) == 0.0


@pytest.mark.parametrize(("start", "end"), [(0.0, 9.0), (3.0, 4.0), (5.0, 6.0), (7.5, 8.5)])
def test_arrivals_follow_the_curve_in_every_part_of_the_day(start: float, end: float) -> None:
    days = 200
    counts = sum(
        start * HOUR <= at < end * HOUR for day in range(days) for at in arrivals(CURVE, dice(day, "arrivals"))
    )
    expected = days * CURVE.expected(start * HOUR, end * HOUR)
    assert abs(counts - expected) < 4 * math.sqrt(expected)  # four sigma of a Poisson count


def test_one_seed_gives_one_day_and_another_seed_another() -> None:
    assert plan_day(SHOP, 9, seed=7) == plan_day(SHOP, 9, seed=7)
    assert plan_day(SHOP, 9, seed=7) != plan_day(SHOP, 9, seed=8)


def test_customers_come_in_order_and_only_those_with_a_phone_stay_away() -> None:
    customers = plan_day(SHOP, 9, seed=1).customers
    assert [customer.number for customer in customers] == list(range(1, len(customers) + 1))
    assert all(a.arrives_at < b.arrives_at for a, b in pairwise(customers))
    assert {customer.manner for customer in customers if customer.walk_in} == {Manner.PRESENT}
    assert {customer.manner for customer in customers if not customer.walk_in} == set(Manner)
    assert all((customer.manner is Manner.NO_SHOW) == math.isinf(customer.present_at) for customer in customers)


def test_true_times_spread_around_the_services_minutes() -> None:
    hastes = [customer.haste for seed in range(20) for customer in plan_day(SHOP, 9, seed).customers]
    assert sum(hastes) / len(hastes) == pytest.approx(1.0, abs=0.03)
    assert min(hastes) < 0.6
    assert max(hastes) > 1.6


def test_every_taste_is_one_of_the_barbers_services() -> None:
    chosen = [chosen_service(SHOP.barbers[0], part / 100).duration_minutes for part in range(100)]
    assert set(chosen) == {15, 30, 45}
    assert chosen.count(15) > chosen.count(45)


HERE = Called(present=True, waited=0.0, skips=0)
AWAY = Called(present=False, waited=GRACE, skips=0)


@pytest.mark.parametrize(
    ("seen", "move"),
    [
        (Seen("closed"), Move.OPEN),
        (Seen("paused"), Move.OPEN),
        (Seen("open", on_break=True), Move.PAUSE),
        (Seen("paused", on_break=True, called=HERE), Move.WAIT),
        (Seen("open", closing=True, called=HERE), Move.CLOSE),
        (Seen("closed", closing=True, called=HERE), Move.START),
        (Seen("closed", closing=True), Move.GO_HOME),
        (Seen("open"), Move.WAIT),
        (Seen("open", called=HERE), Move.START),
        (Seen("open", serving=True, called=HERE), Move.WAIT),
        (Seen("open", serving=True, done=True, called=HERE), Move.ADVANCE),
        (Seen("open", serving=True, done=True, called=AWAY), Move.COMPLETE),
        (Seen("open", serving=True, done=True), Move.COMPLETE),
        (Seen("open", called=Called(False, GRACE - 1, 0), waiting=1), Move.WAIT),
        (Seen("open", called=AWAY, waiting=1), Move.SKIP),
        (Seen("open", called=AWAY), Move.NO_SHOW),
        (Seen("open", called=Called(False, GRACE, 1), waiting=1), Move.NO_SHOW),
        (Seen("open", called=HERE, late=True), Move.RECALL),
        (Seen("open", serving=True, waiting=4, shorter_by=3), Move.TRANSFER),
    ],
)
def test_a_barber_does_what_the_console_calls_for(seen: Seen, move: Move) -> None:
    assert decide(seen) is move


def _entry(token: int, status: str, position: int) -> dict[str, Any]:
    return {"bookingId": f"bk_1_{token}", "tokenNumber": token, "status": status, "position": position}


def _queue(seq: int, **changes: object) -> dict[str, Any]:
    return {
        "room": "queue:bb_1",
        "epoch": 1,
        "seq": seq,
        "barberId": "bb_1",
        "businessDate": "2026-11-21",
        "status": "open",
        "serving": _entry(1, "serving", 0),
        "next": _entry(2, "next", 1),
        "waiting": [_entry(3, "waiting", 2), _entry(4, "waiting", 3)],
        "skipped": [],
        **changes,
    }


def test_a_sound_queue_raises_no_complaint() -> None:
    check = QueueCheck(TokenBook())
    assert check.check(_queue(1)) == []
    assert check.check(_queue(2)) == []


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        (_queue(0), "came after"),
        (_queue(2, next=None), "nobody is next"),
        (_queue(2, waiting=[_entry(3, "waiting", 3)]), "waiting at 3, not waiting at 2"),
        (_queue(2, waiting=[_entry(3, "serving", 2)]), "serving at 2, not waiting at 2"),
        (_queue(2, waiting=[_entry(2, "waiting", 2)]), "token is there twice"),
        (_queue(2, skipped=[_entry(1, "skipped", 0)]), "booking is there twice"),
        (_queue(2, serving=_entry(1, "serving", 0) | {"bookingId": "bk_1_x"}), "is held by"),
        ({"room": "queue:bb_1"}, "without epoch and seq"),
    ],
)
def test_a_broken_promise_is_found(state: dict[str, Any], complaint: str) -> None:
    check = QueueCheck(TokenBook())
    assert check.check(_queue(1)) == []
    assert any(complaint in problem for problem in check.check(state))


def test_a_booking_that_ended_stays_ended() -> None:
    check = BookingCheck()
    assert check.check({"room": "booking:bk_1_1", "epoch": 1, "seq": 1, "status": "completed"}) == []
    problems = check.check({"room": "booking:bk_1_1", "epoch": 1, "seq": 2, "status": "waiting"})
    assert problems == ["booking:bk_1_1: completed became waiting"]


def test_a_display_that_shows_who_somebody_is_is_found() -> None:
    public: dict[str, Any] = {"tokenNumber": 2, "status": "next", "position": 1}
    queue: dict[str, Any] = {"barberId": "bb_1", "serving": None, "next": public, "waiting": []}
    state = {"room": "display:sh_1", "epoch": 1, "seq": 1, "queues": [queue]}
    assert DisplayCheck().check(state) == []
    public["customerName"] = "Asha"
    assert DisplayCheck().check(state) == ["display: token 2 of bb_1 shows customerName"]
