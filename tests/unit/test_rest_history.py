"""The way of a booking, told from events that are made up."""

from typing import Any

import orjson

from barberpro.handlers.rest.history import changes_of_place
from barberpro.protocol.bookings import PlaceChange

Json = dict[str, Any]


def change(booking: str, status: str, rank: int | None = None, barber: str = "bb_1", token: int = 1) -> Json:
    rest = {"rank": rank} if rank is not None else {}
    return {"bookingId": booking, "barberId": barber, "status": status, "token": token, **rest}


def event(seq: int, type_: str, about: str | None, *changes: Json, barber: str = "bb_1", **more: object) -> bytes:
    actor = {"id": "us_1", "role": more.pop("role", "barber")}
    made = {"seq": seq, "at": 1000 * seq, "barberId": barber, "type": type_, "bookingId": about, "actor": actor}
    return orjson.dumps({**made, "changes": list(changes), **more})


def places(told: list[PlaceChange]) -> list[tuple[str, int | None, int | None]]:
    return [(entry["status"], entry["previousPosition"], entry["position"]) for entry in told]


def test_a_place_changes_with_what_happens_to_others() -> None:
    events = [
        event(1, "join", "bk_a", change("bk_a", "next")),
        event(2, "join", "bk_b", change("bk_b", "waiting", 10)),
        event(3, "join", "bk_me", change("bk_me", "waiting", 20)),
        event(4, "cancel", "bk_b", change("bk_b", "cancelled")),
        event(5, "cancel", "bk_a", change("bk_a", "cancelled"), change("bk_me", "next")),
    ]
    told = changes_of_place("bk_me", events, staff=False)
    assert places(told) == [("waiting", None, 3), ("waiting", 3, 2), ("next", 2, 1)]
    assert [entry["cause"]["type"] for entry in told] == ["join", "cancel", "cancel"]
    assert "bk_a" not in str(told)
    assert "bk_b" not in str(told)


def test_staff_are_told_which_bookings_were_the_cause() -> None:
    events = [
        event(1, "join", "bk_a", change("bk_a", "next")),
        event(2, "join", "bk_me", change("bk_me", "waiting", 10)),
        event(3, "cancel", "bk_a", change("bk_a", "cancelled"), change("bk_me", "next")),
    ]
    told = changes_of_place("bk_me", events, staff=True)
    assert [entry["cause"]["bookingId"] for entry in told] == ["bk_me", "bk_a"]


def test_another_customers_reason_stays_with_the_staff() -> None:
    events = [
        event(1, "join", "bk_a", change("bk_a", "next")),
        event(2, "join", "bk_me", change("bk_me", "waiting", 10)),
        event(3, "cancel", "bk_a", change("bk_a", "cancelled"), change("bk_me", "next"), role="customer", reason="ill"),
    ]
    assert "reason" not in changes_of_place("bk_me", events, staff=False)[1]["cause"]
    assert changes_of_place("bk_me", events, staff=True)[1]["cause"]["reason"] == "ill"


def test_a_skip_that_leaves_a_lone_booking_where_it_was_is_told() -> None:
    events = [
        event(1, "join", "bk_me", change("bk_me", "next")),
        event(2, "skip", "bk_me", change("bk_me", "next"), reason="did not come"),
    ]
    told = changes_of_place("bk_me", events, staff=False)
    assert places(told) == [("next", None, 1), ("next", 1, 1)]
    assert told[1]["cause"]["reason"] == "did not come"


def test_a_transfer_is_one_change_told_by_its_second_half() -> None:
    moved = change("bk_me", "waiting", 50, barber="bb_2", token=7)
    events = [
        event(1, "join", "bk_me", change("bk_me", "next")),
        event(1, "join", "bk_x", change("bk_x", "next", barber="bb_2"), barber="bb_2"),
        event(2, "transfer", "bk_me", moved),
        event(2, "transfer", "bk_me", moved, barber="bb_2"),
    ]
    told = changes_of_place("bk_me", events, staff=False)
    assert places(told) == [("next", None, 1), ("waiting", 1, 2)]
    assert (told[1]["barberId"], told[1]["tokenNumber"]) == ("bb_2", 7)


def test_events_that_change_nothing_for_it_are_not_told() -> None:
    events = [
        event(1, "join", "bk_me", change("bk_me", "next")),
        event(2, "join", "bk_late", change("bk_late", "waiting", 10)),
        event(3, "pause", None),
    ]
    assert len(changes_of_place("bk_me", events, staff=False)) == 1
