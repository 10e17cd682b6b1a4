"""The invariants find what is wrong with events, each where it is planted, and nothing in sound ones."""

from collections.abc import Callable
from typing import Any

import pytest

from loadtests.faults import invariants
from loadtests.faults.replay import Replay
from loadtests.faults.rows import rows_differ
from tests.support.fault_events import DAY, SHOP, booking, durable_of, sound_events

Json = dict[str, Any]
Plant = Callable[[list[Json]], object]


def test_sound_events_break_no_invariant() -> None:
    replay = durable_of(sound_events()).shops[SHOP]
    assert replay.broken == []
    assert replay.happened[3].facts == f"{DAY}|open||1|2||0|0"
    assert replay.happened[4].facts == f"{DAY}|open|1|2|||0|0"
    assert replay.happened[7].facts == f"{DAY}|open||1|||0|0"


def _second_token_twice(events: list[Json]) -> None:
    events[2]["changes"][0]["token"] = 1


def _two_next(events: list[Json]) -> None:
    events[2]["changes"][0]["status"] = "next"


def _two_live(events: list[Json]) -> None:
    events[2]["changes"][0]["customerId"] = "us_1"


PLANTS: dict[str, tuple[str, Plant]] = {
    "a token given twice": (invariants.TOKENS, _second_token_twice),
    "a token that falls": (invariants.TOKENS, lambda events: events[2].update(tokenAllocated=1)),
    "a first token that is not 1": (invariants.TOKENS, lambda events: events[6].update(tokenAllocated=2)),
    "two who are next": (invariants.CHAIR, _two_next),
    "nobody next while one waits": (invariants.CHAIR, lambda events: events[2]["queue"].pop("next")),
    "a chair that says another": (invariants.CHAIR, lambda events: events[3]["queue"].update(serving="bk_x_9")),
    "a customer in line twice": (invariants.PLACES, _two_live),
    "a wrong place told": (invariants.PLACES, lambda events: events[2].update(position=3)),
    "one changed by another queue": (invariants.PLACES, lambda events: events[4]["changes"].append(
        booking(3, "scheduled", barberId="bb_b"))),
    "a hole": (invariants.COUNTERS, lambda events: events.pop(3)),
    "a queue's counter that stands": (invariants.COUNTERS, lambda events: events[3].update(seq=3)),
    "an epoch that falls": (invariants.COUNTERS, lambda events: events[2].update(epoch=2)),
    "a fork": (invariants.COUNTERS, lambda events: events[3].update(upon="another")),
    "a command twice": (invariants.COUNTERS, lambda events: events[4].update(command={"id": "c4", "digest": "d"})),
    "one who is served again": (invariants.ENDS, lambda events: events[5]["changes"].append(booking(1, "serving"))),
    "one whose end is rewritten": (invariants.ENDS, lambda events: events[5]["changes"].append(
        booking(1, "completed", startedAt=4000, endedAt=9000))),
    "one served without being next": (invariants.ENDS, lambda events: events[1]["changes"][0].update(status="serving")),
    "a count that is wrong": (invariants.FOLD, lambda events: events[4]["queue"].update(completed=2)),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_in_the_events_is_found(name: str) -> None:
    check, plant = PLANTS[name]
    events = sound_events()
    plant(events)
    assert check in {finding.check for finding in durable_of(events).shops[SHOP].broken}


def sound_rows(replay: Replay) -> tuple[list[Json], list[Json], Json]:
    """As Postgres would hold them."""
    kept = {"status", "seq", "day", "lastToken", "completed", "cancelled"}
    queues = [
        {"barberId": barber, "shopSeq": place.seqs[-1]} | {key: place.doc[key] for key in kept}
        for barber, place in replay.queues.items()
    ]
    bookings = [{**life.last, "shopSeq": life.since[-1]} for life in replay.lives.values()]
    return queues, bookings, {"shopSeq": 7, "link": "l7", "epoch": 1}


def test_rows_that_are_the_events_are_passed() -> None:
    replay = durable_of(sound_events()).shops[SHOP]
    assert list(rows_differ(replay, *sound_rows(replay))) == []


ROWS: dict[str, Callable[[list[Json], list[Json], Json], object]] = {
    "a queue's row that lags": lambda queues, _bookings, _mark: queues[0].update(seq=5),
    "a queue without a row": lambda queues, _bookings, _mark: queues.pop(),
    "a booking's row that lags": lambda _queues, bookings, _mark: bookings[1].update(barberId="bb_a"),
    "a booking that no event made": lambda _queues, bookings, _mark: bookings.append({"bookingId": "bk_x_9"}),
    "a booking without a row": lambda _queues, bookings, _mark: bookings.pop(),
    "a watermark that lags": lambda _queues, _bookings, mark: mark.update(shopSeq=6),
    "a shard that is older": lambda _queues, _bookings, mark: mark.update(epoch=0),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_are_not_what_the_events_say_are_found(name: str) -> None:
    replay = durable_of(sound_events()).shops[SHOP]
    queues, bookings, mark = sound_rows(replay)
    ROWS[name](queues, bookings, mark)
    assert [finding.check for finding in rows_differ(replay, queues, bookings, mark)] == [invariants.FOLD]
