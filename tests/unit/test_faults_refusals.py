"""Whether a refusal was true when it was given: of each code one that was, and the same when it was not."""

from typing import Any

import pytest

from loadtests.faults.checks import explained
from loadtests.faults.verdict import judge
from tests.support.fault_events import call, durable_of, refused, sound_events, sound_history, unknown

Json = dict[str, Any]
ANN, BOB = "bb_a", "bb_b"
ONE, TWO = "bk_x_1", "bk_x_2"
STAFF, FIRST, SECOND, GUEST = ("barber", "us_staff"), ("customer", "us_1"), ("customer", "us_2"), ("guest", "us_1")
Case = tuple[float, tuple[str, str], str, Json, str, Json]


def told(at: float, who: tuple[str, str], kind: str, fields: Json, code: str, details: Json, *, timed: bool) -> str:
    """What is said of a command that was sent then, and refused a fifth of a second later."""
    command = {"commandId": "new", "type": kind, **fields}
    lines = [*sound_history(), call(50, at, command, *who), refused(50, at + 0.2, code, **details)]
    verdict = judge(sorted(lines, key=lambda line: line["at"]), durable_of(sound_events(), timed=timed))
    if verdict.totals.not_judged[code]:
        return "not judged"
    return "false" if verdict.checks[explained.NAME].found else "true"


TRUE: list[Case] = [
    (3.2, FIRST, "join", {"barberId": ANN}, "ALREADY_IN_QUEUE", {"bookingId": ONE}),
    (3.2, SECOND, "recall", {"bookingId": TWO}, "ALREADY_IN_QUEUE", {"bookingId": TWO}),
    (3.2, FIRST, "join", {"barberId": BOB}, "QUEUE_CLOSED", {"barberId": BOB}),
    (3.2, STAFF, "transfer", {"bookingId": TWO, "toBarberId": BOB}, "QUEUE_CLOSED", {"barberId": BOB}),
    (3.2, FIRST, "join", {"barberId": ANN}, "QUEUE_FULL", {"barberId": ANN, "capacity": 2}),
    (4.2, STAFF, "start", {"barberId": ANN, "expect": {"seq": 3}}, "STALE_STATE", {"barberId": ANN, "seq": 4}),
    (4.2, STAFF, "advance", {"barberId": ANN, "expect": {"servingBookingId": None}}, "STALE_STATE",
     {"barberId": ANN, "seq": 4, "status": "open"}),
    (3.2, FIRST, "cancel", {"bookingId": "bk_x_9"}, "NOT_FOUND", {"resource": "booking"}),
    (3.2, SECOND, "cancel", {"bookingId": ONE}, "NOT_FOUND", {"resource": "booking"}),
    (1.2, STAFF, "skip", {"bookingId": ONE}, "NOT_FOUND", {"resource": "booking"}),
    (3.2, FIRST, "join", {"barberId": "bb_z"}, "NOT_FOUND", {"resource": "queue"}),
    (3.2, STAFF, "open", {"barberId": ANN, "commandId": "c2"}, "IDEMPOTENCY_MISMATCH", {}),
    (4.2, FIRST, "cancel", {"bookingId": ONE}, "INVALID_TRANSITION", {"bookingId": ONE, "status": "serving"}),
    (5.2, STAFF, "cancel", {"bookingId": ONE}, "INVALID_TRANSITION", {"bookingId": ONE, "status": "completed"}),
    (3.2, STAFF, "start", {"bookingId": TWO}, "INVALID_TRANSITION", {"bookingId": TWO, "status": "waiting"}),
    (3.2, SECOND, "step_back", {"bookingId": TWO, "places": 1}, "INVALID_TRANSITION",
     {"bookingId": TWO, "status": "waiting", "problem": "nobody_behind"}),
    (3.2, STAFF, "transfer", {"bookingId": TWO, "toBarberId": ANN}, "INVALID_TRANSITION",
     {"bookingId": TWO, "status": "waiting", "problem": "same_queue"}),
    (3.2, STAFF, "open", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "status": "open"}),
    (3.2, STAFF, "pause", {"barberId": BOB}, "INVALID_TRANSITION", {"barberId": BOB, "status": "closed"}),
    (3.2, STAFF, "close", {"barberId": BOB, "waiting": "cancel"}, "INVALID_TRANSITION",
     {"barberId": BOB, "status": "closed"}),
    (4.2, STAFF, "start", {"barberId": ANN}, "INVALID_TRANSITION",
     {"barberId": ANN, "problem": "chair_taken", "servingBookingId": ONE}),
    (6.2, STAFF, "start", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "problem": "nobody_next"}),
    (3.2, STAFF, "complete", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "problem": "nobody_serving"}),
    (6.2, STAFF, "advance", {"barberId": ANN}, "INVALID_TRANSITION",
     {"barberId": ANN, "problem": "nobody_serving_nobody_next"}),
]  # fmt: skip

FALSE: list[Case] = [
    (5.2, FIRST, "join", {"barberId": ANN}, "ALREADY_IN_QUEUE", {"bookingId": ONE}),
    (3.2, FIRST, "join", {"barberId": ANN}, "ALREADY_IN_QUEUE", {"bookingId": TWO}),
    (3.2, FIRST, "join", {"barberId": ANN}, "QUEUE_CLOSED", {"barberId": ANN}),
    (3.2, FIRST, "join", {"barberId": ANN}, "QUEUE_CLOSED", {"barberId": BOB}),
    (3.2, FIRST, "join", {"barberId": ANN}, "QUEUE_PAUSED", {"barberId": ANN}),
    (3.2, FIRST, "join", {"barberId": ANN}, "QUEUE_FULL", {"barberId": ANN, "capacity": 3}),
    (4.2, STAFF, "start", {"barberId": ANN, "expect": {"seq": 4}}, "STALE_STATE", {"barberId": ANN, "seq": 4}),
    (4.2, STAFF, "start", {"barberId": ANN, "expect": {"seq": 3}}, "STALE_STATE", {"barberId": ANN, "seq": 2}),
    (4.2, STAFF, "start", {"barberId": ANN}, "STALE_STATE", {"barberId": ANN, "seq": 4}),
    (4.2, STAFF, "advance", {"barberId": ANN, "expect": {"servingBookingId": ONE}}, "STALE_STATE",
     {"barberId": ANN, "seq": 4, "status": "open"}),
    (3.2, FIRST, "cancel", {"bookingId": ONE}, "NOT_FOUND", {"resource": "booking"}),
    (3.2, STAFF, "skip", {"bookingId": ONE}, "NOT_FOUND", {"resource": "booking"}),
    (3.2, FIRST, "join", {"barberId": BOB}, "NOT_FOUND", {"resource": "queue"}),
    (3.2, STAFF, "open", {"barberId": ANN}, "IDEMPOTENCY_MISMATCH", {}),
    (4.2, STAFF, "cancel", {"bookingId": ONE}, "INVALID_TRANSITION", {"bookingId": ONE, "status": "serving"}),
    (4.2, STAFF, "cancel", {"bookingId": ONE}, "INVALID_TRANSITION", {"bookingId": ONE, "status": "completed"}),
    (4.2, STAFF, "start", {"bookingId": TWO}, "INVALID_TRANSITION", {"bookingId": TWO, "status": "waiting"}),
    (3.2, STAFF, "skip", {"bookingId": "bk_x_9"}, "INVALID_TRANSITION", {"bookingId": "bk_x_9", "status": "serving"}),
    (3.2, FIRST, "step_back", {"bookingId": ONE, "places": 1}, "INVALID_TRANSITION",
     {"bookingId": ONE, "status": "next", "problem": "nobody_behind"}),
    (3.2, STAFF, "transfer", {"bookingId": TWO, "toBarberId": BOB}, "INVALID_TRANSITION",
     {"bookingId": TWO, "status": "waiting", "problem": "same_queue"}),
    (3.2, STAFF, "open", {"barberId": BOB}, "INVALID_TRANSITION", {"barberId": BOB, "status": "open"}),
    (3.2, STAFF, "pause", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "status": "open"}),
    (3.2, STAFF, "close", {"barberId": ANN, "waiting": "cancel"}, "INVALID_TRANSITION",
     {"barberId": ANN, "status": "closed"}),
    (3.2, STAFF, "start", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "problem": "chair_taken"}),
    (4.2, STAFF, "start", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "problem": "nobody_next"}),
    (4.2, STAFF, "complete", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "problem": "nobody_serving"}),
    (3.2, STAFF, "advance", {"barberId": ANN}, "INVALID_TRANSITION",
     {"barberId": ANN, "problem": "nobody_serving_nobody_next"}),
]  # fmt: skip

FOR_OTHERS: list[Case] = [
    (3.2, FIRST, "join", {"barberId": ANN}, "BAD_REQUEST", {}),
    (3.2, GUEST, "cancel", {"bookingId": ONE}, "NOT_FOUND", {"resource": "booking"}),
    (3.2, STAFF, "open", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "problem": "a new one"}),
]


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("case", TRUE, ids=str)
def test_a_refusal_that_was_true_is_passed(case: Case, timed: bool) -> None:
    assert told(*case, timed=timed) == "true"


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("case", FALSE, ids=str)
def test_a_refusal_that_was_not_true_is_found(case: Case, timed: bool) -> None:
    assert told(*case, timed=timed) == "false"


@pytest.mark.parametrize("case", FOR_OTHERS, ids=str)
def test_what_the_events_cannot_judge_is_counted(case: Case) -> None:
    assert told(*case, timed=True) == "not judged"


@pytest.mark.parametrize("problem", ["chair_taken", "nobody_serving"])
def test_a_refusal_may_rest_on_any_moment_between_call_and_answer(problem: str) -> None:
    """Event 4, which fills the chair, came between."""
    case = (STAFF, "start", {"barberId": ANN}, "INVALID_TRANSITION", {"barberId": ANN, "problem": problem})
    assert told(3.95, *case, timed=True) == "true"
    assert told(3.95, *case, timed=False) == "true"


@pytest.mark.parametrize(("first", "found"), [(3.2, False), (5.2, True)])
def test_an_attempt_may_be_told_what_an_earlier_one_was_refused_for(first: float, found: bool) -> None:
    """Customer 1 is in the line till event 5; at 3.2 they ask for the first time, or too late for that."""
    join = {"commandId": "new", "type": "join", "barberId": ANN}
    again = refused(51, 7.4, "ALREADY_IN_QUEUE", bookingId=ONE)
    lines = [call(50, first, join, *FIRST), unknown(50, first + 0.1), call(51, 7.3, join, *FIRST), again]
    history = sorted([*sound_history(), *lines], key=lambda line: line["at"])
    assert bool(judge(history, durable_of(sound_events())).checks[explained.NAME].found) is found
