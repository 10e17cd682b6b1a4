"""Waits: what makes them longer, what is left of a visit, and that time passes without an event."""

from dataclasses import replace
from itertools import pairwise, repeat
from typing import Any

import pytest

import barberpro.queue.states
from barberpro.queue.estimate import InChair, PaceEstimator, Wait
from barberpro.queue.fold import QueueState, ShopState
from barberpro.queue.pace import NEW_BARBER, Pace
from barberpro.queue.states import StateBuilder

ESTIMATOR = PaceEstimator()
STEADY = Pace(ratio=1.0, spread=0.05, doubt=0.0)
LINE = [20, 30, 15, 45, 20, 20, 60]
MINUTE = 60_000


def left(elapsed: float, pace: Pace = NEW_BARBER) -> Wait:
    """The wait of who is next while somebody planned for 20 minutes sits in the chair."""
    return ESTIMATOR.waits(pace, InChair(20, elapsed), [20])[0]


@pytest.mark.parametrize("chair", [None, InChair(30, 0), InChair(30, 25), InChair(30, 400)])
@pytest.mark.parametrize("pace", [NEW_BARBER, STEADY, Pace(1.6, 0.3, 0.1)])
def test_there_is_a_wait_for_each_and_one_for_a_newcomer_and_they_rise_along_the_line(
    chair: InChair | None, pace: Pace
) -> None:
    waits = ESTIMATOR.waits(pace, chair, LINE)
    assert len(waits) == len(LINE) + 1
    assert all(a.p50_minutes < b.p50_minutes and a.p90_minutes < b.p90_minutes for a, b in pairwise(waits))
    assert all(0 <= wait.p50_minutes <= wait.p90_minutes for wait in waits)


def test_who_is_behind_changes_nothing_for_those_ahead() -> None:
    assert ESTIMATOR.waits(NEW_BARBER, None, LINE)[:3] == ESTIMATOR.waits(NEW_BARBER, None, LINE[:2])


@pytest.mark.parametrize("pace", [NEW_BARBER, STEADY, Pace(1.6, 0.3, 0.1)])
def test_a_visit_is_over_after_its_wait_and_its_own_time_and_later_the_more_are_ahead(pace: Pace) -> None:
    chair = InChair(30, 5)
    waits = ESTIMATOR.waits(pace, chair, LINE)
    finishes = list(ESTIMATOR.finishes(pace, chair, LINE, 25))
    assert len(finishes) == len(waits)
    assert all(a < b for a, b in pairwise(finishes))
    for wait, finish in zip(waits, finishes, strict=True):
        assert finish > wait.p90_minutes
        # Not both are as long as they may be at once.
        alone = next(ESTIMATOR.finishes(pace, None, [], 25))
        assert finish <= wait.p90_minutes + alone


def test_a_steady_visit_takes_as_long_as_it_is_planned() -> None:
    assert next(ESTIMATOR.finishes(STEADY, InChair(20, 0), [], 40)) == pytest.approx(60, abs=6)


def test_of_a_line_without_end_only_as_much_is_worked_out_as_is_asked_for() -> None:
    finishes = ESTIMATOR.finishes(NEW_BARBER, None, repeat(20.0), 20)
    assert [next(finishes) for _ in range(5)] == list(ESTIMATOR.finishes(NEW_BARBER, None, [20] * 4, 20))


def test_at_a_free_chair_nobody_waits_for_long() -> None:
    [wait] = ESTIMATOR.waits(NEW_BARBER, None, [])
    assert wait.p50_minutes <= 1
    assert wait.p90_minutes <= 5


def test_a_slow_barber_takes_longer_and_a_doubtful_pace_makes_the_far_end_wider() -> None:
    quick, slow = (ESTIMATOR.waits(replace(STEADY, ratio=ratio), None, LINE)[-1] for ratio in (0.8, 1.6))
    assert slow.p50_minutes == pytest.approx(2 * quick.p50_minutes, rel=0.05)
    sure, unsure = (ESTIMATOR.waits(replace(NEW_BARBER, doubt=doubt), None, LINE)[-1] for doubt in (0.0, 0.3))
    assert unsure.p90_minutes > sure.p90_minutes + 10


def test_what_is_left_shrinks_while_a_visit_goes_as_planned() -> None:
    waits = [left(elapsed).p50_minutes for elapsed in (0, 4, 8, 12, 16)]
    assert waits == sorted(set(waits), reverse=True)
    assert left(0, STEADY).p50_minutes == pytest.approx(20, abs=1)
    assert left(10, STEADY).p50_minutes == pytest.approx(10, abs=1)


def test_a_visit_over_its_time_still_needs_some_and_how_long_is_open() -> None:
    for elapsed in (20, 25, 30, 40):
        wait = left(elapsed)
        assert 2 <= wait.p50_minutes <= 12
        assert wait.p90_minutes >= 2 * wait.p50_minutes


def test_a_forgotten_visit_does_not_make_the_wait_grow_for_ever() -> None:
    assert left(60) == left(600) == left(60_000)
    assert left(60_000, STEADY).p90_minutes <= 20


def test_a_break_is_waited_for() -> None:
    working, paused = (ESTIMATOR.waits(NEW_BARBER, None, LINE, paused=paused)[1] for paused in (False, True))
    assert paused.p50_minutes > working.p50_minutes + 8


def test_a_state_built_later_has_later_figures_without_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    bookings: dict[str, Any] = {
        "bk_a": {"bookingId": "bk_a", "status": "serving", "minutes": 20, "startedAt": 0},
        "bk_b": {"bookingId": "bk_b", "status": "next", "minutes": 20},
    }
    state = ShopState("sh_1")
    state.bookings = bookings
    queue = QueueState("bb_1", {"status": "open", "serving": "bk_a", "next": "bk_b"})
    waits = []
    for minutes in (0, 5, 10, 15):
        monkeypatch.setattr(barberpro.queue.states, "now_millis", lambda now=minutes * MINUTE: now)
        line = StateBuilder(ESTIMATOR).line(state, queue)
        waits.append((line.waits["bk_b"].p50_minutes, line.newcomer.p50_minutes))
    assert waits == sorted(set(waits), reverse=True)
