"""The history of a booking: every change of its place or status, with the cause."""

from collections.abc import AsyncIterator

import pytest

from barberpro.server.node import NodeOptions
from tests.support.rest import Door, rest_door
from tests.support.shops import Json, customer, send


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


async def history(door: Door, booking_id: str, number: int) -> list[Json]:
    answer = await door.get(f"/bookings/{booking_id}/history", customer(number))
    assert answer.body["meta"]["nextCursor"] is None
    told: list[Json] = answer.data
    return told


def way(told: list[Json]) -> list[tuple[str, str, int | None, int | None]]:
    return [(e["cause"]["type"], e["status"], e["previousPosition"], e["position"]) for e in told]


async def test_a_skip_in_front_of_it_and_a_move_past_it_are_told_with_who_and_why(door: Door) -> None:
    first, second, mine, fourth = await door.shop.fill(door.node, 4)
    staff = door.shop.staff[0]
    await send(door.node, staff, type="skip", bookingId=first, reason="did not come")
    await send(door.node, staff, type="move", bookingId=fourth, position=2, reason="has a train to catch")
    await send(door.node, staff, type="advance", barberId=door.shop.barbers[0])
    told = await history(door, mine, 2)
    assert way(told) == [
        ("join", "waiting", None, 3),
        ("skip", "waiting", 3, 2),
        ("move", "waiting", 2, 3),
        ("advance", "waiting", 3, 2),
    ]
    skip, move = told[1]["cause"], told[2]["cause"]
    assert (skip["actorRole"], skip["tokenNumber"], skip["reason"]) == ("barber", 1, "did not come")
    assert (move["actorRole"], move["tokenNumber"], move["reason"]) == ("barber", 4, "has a train to catch")
    assert [entry["seq"] for entry in told] == sorted(entry["seq"] for entry in told)
    for other in (first, second, fourth):
        assert other not in str(told)


async def test_a_transfer_goes_on_in_the_other_queue(door: Door) -> None:
    (_, mine), _ = await door.shop.fill(door.node, 2), await door.shop.fill(door.node, 3, barber=1, first=10)
    await send(door.node, door.shop.staff[0], type="transfer", bookingId=mine, toBarberId=door.shop.barbers[1])
    await send(door.node, door.shop.staff[1], type="advance", barberId=door.shop.barbers[1])
    # What happens in the queue that it left does not concern it any more.
    await send(door.node, door.shop.staff[0], type="advance", barberId=door.shop.barbers[0])
    told = await history(door, mine, 1)
    assert way(told) == [
        ("join", "waiting", None, 2),
        ("transfer", "waiting", 2, 4),
        ("advance", "waiting", 4, 3),
    ]
    assert [entry["barberId"] for entry in told] == [door.shop.barbers[0], *[door.shop.barbers[1]] * 2]
    assert [entry["tokenNumber"] for entry in told] == [2, 4, 4]


async def test_it_goes_from_the_first_step_to_the_last_and_ends_there(door: Door) -> None:
    (mine,) = await door.shop.fill(door.node, 1)
    staff, barber = door.shop.staff[0], door.shop.barbers[0]
    await send(door.node, staff, type="no_show", bookingId=mine)
    await send(door.node, staff, type="recall", bookingId=mine, to="front")
    await send(door.node, staff, type="start", barberId=barber)
    await door.shop.fill(door.node, 2, first=5)
    await send(door.node, staff, type="advance", barberId=barber)
    await send(door.node, staff, type="advance", barberId=barber)
    assert way(await history(door, mine, 0)) == [
        ("join", "next", None, 1),
        ("no_show", "skipped", 1, None),
        ("recall", "next", None, 1),
        ("start", "serving", 1, 0),
        ("advance", "completed", 0, None),
    ]


async def test_the_places_that_it_tells_are_those_that_were_answered(door: Door) -> None:
    """Whoever joins is told a place; the history must begin with that very one, in a busy line too."""
    for number in range(12):
        answer = await door.post("/bookings", customer(number), door.booking_body())
        booking = answer.data["booking"]
        if number % 3 == 2:
            await send(door.node, door.shop.staff[0], type="advance", barberId=door.shop.barbers[0])
        told = await history(door, booking["bookingId"], number)
        assert told[0]["position"] == booking["position"]
        shown = await door.get(f"/bookings/{booking['bookingId']}", customer(number))
        assert told[-1]["position"] == shown.data["position"]
