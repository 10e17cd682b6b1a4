"""What is compared of a room's state, of each kind of room."""

from typing import Any

from loadtests.faults.facts import facts_of

Json = dict[str, Any]


def entry(token: int, **more: object) -> Json:
    return {"tokenNumber": token, "status": "waiting", "position": 2, "estimatedWait": {"p50Minutes": 4}, **more}


def queue(**fields: object) -> Json:
    return {
        "room": "queue:bb_a",
        "epoch": 1,
        "seq": 9,
        "cause": None,
        "businessDate": "2026-03-01",
        "status": "open",
        "serving": entry(3),
        "next": None,
        "waiting": [entry(5), entry(4)],
        "skipped": [entry(2), entry(1)],
        "counts": {"waiting": 2, "completed": 7, "cancelled": 1, "skipped": 2},
        "updatedAt": "2026-03-01T10:00:00.000Z",
        **fields,
    }


def test_a_queue_is_told_by_its_tokens_in_their_order() -> None:
    assert facts_of(queue()) == "2026-03-01|open|3||5,4|1,2|7|1"
    assert facts_of(queue(waiting=[entry(4), entry(5)])) != facts_of(queue())


def test_what_only_time_or_the_audience_makes_different_is_not_compared() -> None:
    full = entry(3, bookingId="bk_a_1", customerName="Ann", notes="none")
    assert facts_of(queue(serving=full, updatedAt="2026-03-01T10:09:00.000Z")) == facts_of(queue())


def test_a_booking_is_told_with_its_place_and_the_token_in_the_chair() -> None:
    booking = {"room": "booking:bk_a_1", "barberId": "bb_a", "tokenNumber": 4, "status": "next", "position": 1}
    assert facts_of({**booking, "servingToken": 3, "estimatedWaitTime": 5}) == "bb_a|4|next|1|3"
    assert facts_of({**booking, "servingToken": None, "tokenNumber": None}) == "bb_a||next|1|"


def test_a_display_tells_each_barber_whatever_their_order() -> None:
    shown: Json = {"barberId": "bb_b", "status": "open", "serving": None, "next": entry(1)}
    shown |= {"waiting": [], "waitingCount": 0}
    other = {**shown, "barberId": "bb_a", "waiting": [entry(7)], "waitingCount": 12}
    display = {"room": "display:sh_a", "calls": []}
    assert facts_of({**display, "queues": [shown, other]}) == "bb_a=open||1|7|12;bb_b=open||1||0"
    assert facts_of({**display, "queues": [other, shown]}) == facts_of({**display, "queues": [shown, other]})
