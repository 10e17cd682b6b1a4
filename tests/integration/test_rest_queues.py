"""Queues over REST: looked at and worked, by those who may, and by those who may not."""

from collections.abc import AsyncIterator

import pytest

from barberpro.protocol.actors import Actor, Role
from barberpro.server.node import NodeOptions
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, Json, TestShop, customer, new_id


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


# Looked at -------------------------------------------------------------------------------------------------------


async def test_staff_see_the_whole_queue_and_everybody_else_the_public_one(door: Door) -> None:
    await door.shop.fill(door.node, 2)
    other = await TestShop.create(door.node)
    path = f"/queue/{door.shop.barbers[0]}"
    for who in (*door.shop.staff, ADMIN):
        state = (await door.get(path, who)).data
        assert [entry["customerName"] for entry in (state["next"], *state["waiting"])] == ["Customer 0", "Customer 1"]
    display = Actor("ds_1", Role.DISPLAY, shop_ids=frozenset({door.shop.shop_id}))
    everybody_else: list[Actor | None] = [None, customer(0), *other.staff, display]
    for somebody in everybody_else:
        answer = await door.get(path, somebody)
        assert set(answer.data["next"]) == {"tokenNumber", "status", "position", "estimatedWait"}
        assert "Customer" not in str(answer.body)
        assert "bk_" not in str(answer.body)


async def test_a_barber_finds_their_own_queue(door: Door) -> None:
    await door.shop.fill(door.node, 1, barber=1)
    state = (await door.get("/queue/my-queue", door.shop.staff[1])).data
    assert (state["room"], state["next"]["customerName"]) == (f"queue:{door.shop.barbers[1]}", "Customer 0")


async def test_who_is_no_barber_has_no_own_queue(door: Door) -> None:
    for who in (customer(1), ADMIN):
        assert (await door.get("/queue/my-queue", who)).status == 403
    assert (await door.get("/queue/my-queue", Actor("us_b", Role.BARBER))).status == 404
    assert (await door.get("/queue/my-queue")).status == 401


async def test_a_queue_that_was_never_used_is_closed_and_empty(door: Door) -> None:
    shop = await TestShop.create(door.node, zone="Pacific/Kiritimati")
    for who in (None, shop.staff[0]):
        unused = (await door.get(f"/queue/{shop.barbers[0]}", who)).data
        used = (await door.get(f"/queue/{door.shop.barbers[0]}", who)).data
        assert set(unused) == set(used)
        assert (unused["status"], unused["seq"], unused["cause"]) == ("closed", 0, None)
        assert unused["counts"] == {"waiting": 0, "completed": 0, "cancelled": 0, "skipped": 0}
        assert unused["businessDate"] >= used["businessDate"]


# Worked ----------------------------------------------------------------------------------------------------------


async def test_a_visit_goes_from_next_to_completed_by_status(door: Door) -> None:
    (booking_id,) = await door.shop.fill(door.node, 1)
    path, staff = f"/queue/{booking_id}/status", door.shop.staff[0]
    started = await door.patch(path, staff, {"status": "serving"})
    assert (started.status, started.data["booking"]["status"]) == (200, "serving")
    paid = {"method": "upi", "amount": "250.00", "tip": "20.00"}
    done = await door.patch(path, staff, {"status": "completed", "payment": paid})
    assert (done.data["booking"]["status"], done.data["replayed"]) == ("completed", False)
    assert (await door.get(f"/bookings/{booking_id}", staff)).data["payment"] == paid


@pytest.mark.parametrize(("more", "position"), [({}, 4), ({"to": "back"}, 4), ({"to": "front"}, 2)])
async def test_a_no_show_is_called_back_to_the_end_unless_the_front_is_named(
    door: Door, more: Json, position: int
) -> None:
    booking_id, *_ = await door.shop.fill(door.node, 4)
    path, staff = f"/queue/{booking_id}/status", door.shop.staff[0]
    assert (await door.patch(path, staff, {"status": "skipped"})).data["booking"]["status"] == "skipped"
    back = await door.patch(path, staff, {"status": "waiting", **more})
    assert back.data["booking"]["position"] == position


async def test_a_skip_needs_no_body_and_takes_a_reason(door: Door) -> None:
    first, second = await door.shop.fill(door.node, 2)
    answer = await door.call("PATCH", f"/queue/{first}/skip", door.shop.staff[0])
    assert (answer.status, answer.data["booking"]["skipCount"]) == (200, 1)
    await door.patch(f"/queue/{second}/skip", door.shop.staff[0], {"reason": "phoned: stuck in traffic"})
    state = (await door.get(f"/queue/{door.shop.barbers[0]}")).data
    assert state["cause"]["reason"] == "phoned: stuck in traffic"


async def test_a_key_makes_a_status_once(door: Door) -> None:
    (booking_id,) = await door.shop.fill(door.node, 1)
    key, path = new_id(), f"/queue/{booking_id}/skip"
    first = await door.patch(path, ADMIN, {}, Idempotency_Key=key)
    again = await door.patch(path, ADMIN, {}, Idempotency_Key=key)
    assert again.data == {**first.data, "replayed": True}


async def test_what_a_barber_saw_must_still_hold(door: Door) -> None:
    (booking_id,) = await door.shop.fill(door.node, 1)
    body = {"status": "serving", "expect": {"seq": 1}}
    answer = await door.patch(f"/queue/{booking_id}/status", door.shop.staff[0], body)
    assert (answer.status, answer.code) == (409, "STALE_STATE")


@pytest.mark.parametrize(
    ("path", "body", "refused"),
    [
        ("status", {}, "status"),
        ("status", {"status": "scheduled"}, "status"),
        ("status", {"status": {}}, "status"),
        ("status", {"status": "serving", "payment": {}}, "payment"),
        ("status", {"status": "serving", "barberId": "bb_1"}, "barberId"),
        ("status", {"status": "skipped", "reason": "x"}, "reason"),
        ("status", {"status": "cancelled", "reason": ""}, "reason"),
        ("status", {"status": "waiting", "to": "middle"}, "to"),
        ("status", {"status": "completed", "payment": {"method": "cash", "amount": "-1"}}, "payment.amount"),
        ("skip", {"reason": 3}, "reason"),
        ("skip", {"because": "x"}, "because"),
    ],
)
async def test_a_bad_field_is_refused_by_name(door: Door, path: str, body: Json, refused: str) -> None:
    (booking_id,) = await door.shop.fill(door.node, 1)
    answer = await door.patch(f"/queue/{booking_id}/{path}", door.shop.staff[0], body)
    assert answer.refused_fields == [refused]


@pytest.mark.parametrize(("path", "body"), [("status", {"status": "serving"}), ("skip", {})])
async def test_a_booking_of_another_shop_does_not_exist(door: Door, path: str, body: Json) -> None:
    (booking_id,) = await door.shop.fill(door.node, 1)
    other = await TestShop.create(door.node)
    answer = await door.patch(f"/queue/{booking_id}/{path}", other.staff[0], body)
    assert (answer.status, answer.body["error"]["details"]) == (404, {"resource": "booking"})
    assert (await door.patch(f"/queue/{booking_id}/{path}", customer(0), body)).status == 403
    assert (await door.patch(f"/queue/{booking_id}/{path}", None, body)).status == 401
    assert (await door.patch(f"/queue/nonsense/{path}", ADMIN, body)).status == 404


# Commands --------------------------------------------------------------------------------------------------------


async def test_any_command_can_be_sent_and_is_repeated_by_its_id(door: Door) -> None:
    await door.shop.fill(door.node, 2)
    document = {"commandId": new_id(), "type": "advance", "barberId": door.shop.barbers[0]}
    first = await door.post("/queue/commands", door.shop.staff[0], document)
    again = await door.post("/queue/commands", door.shop.staff[0], document, Idempotency_Key=document["commandId"])
    assert (first.status, first.data["booking"]["status"]) == (200, "serving")
    assert again.data == {**first.data, "replayed": True}


async def test_a_command_takes_its_id_from_the_key_and_refuses_two_ids(door: Door) -> None:
    document = {"type": "pause", "barberId": door.shop.barbers[0]}
    key = new_id()
    assert (await door.post("/queue/commands", door.shop.staff[0], document, Idempotency_Key=key)).status == 200
    both = {**document, "commandId": new_id()}
    refused = await door.post("/queue/commands", door.shop.staff[0], both, Idempotency_Key=key)
    assert refused.refused_fields == ["commandId"]
    none = await door.post("/queue/commands", door.shop.staff[0], document)
    assert none.refused_fields == ["commandId"]


async def test_a_command_of_a_kind_with_its_own_door_is_refused(door: Door) -> None:
    document = {"commandId": new_id(), "type": "schedule", "barberId": door.shop.barbers[0]}
    assert (await door.post("/queue/commands", ADMIN, document)).refused_fields == ["type"]


async def test_a_customer_may_step_back_and_may_not_advance(door: Door) -> None:
    mine, _ = await door.shop.fill(door.node, 2)
    step_back = {"commandId": new_id(), "type": "step_back", "bookingId": mine, "places": 1}
    assert (await door.post("/queue/commands", customer(0), step_back)).status == 200
    assert (await door.post("/queue/commands", customer(5), {**step_back, "commandId": new_id()})).status == 404
    advance = {"commandId": new_id(), "type": "advance", "barberId": door.shop.barbers[0]}
    assert (await door.post("/queue/commands", customer(0), advance)).status == 403
    assert (await door.post("/queue/commands", None, advance)).status == 401


# Events ----------------------------------------------------------------------------------------------------------


async def test_events_are_read_in_pages_to_the_end(door: Door) -> None:
    await door.shop.fill(door.node, 4)
    path = f"/queue/{door.shop.barbers[0]}/events"
    seqs: list[int] = []
    cursor: str | None = "0"
    while cursor is not None:
        answer = await door.get(f"{path}?cursor={cursor}&limit=2", door.shop.staff[1])
        assert len(answer.data) <= 2
        seqs += [event["seq"] for event in answer.data]
        cursor = answer.body["meta"]["nextCursor"]
    assert seqs == [1, 2, 3, 4, 5]
    assert [event["seq"] for event in (await door.get(f"{path}?after=3", ADMIN)).data] == [4, 5]


async def test_an_event_is_told_without_digest_and_address(door: Door) -> None:
    answer = await door.post("/bookings", customer(0), door.booking_body())
    events = (await door.get(f"/queue/{door.shop.barbers[0]}/events", door.shop.staff[0])).data
    join = events[-1]
    assert (join["type"], join["bookingId"]) == ("join", answer.data["booking"]["bookingId"])
    assert set(join["command"]) == {"id"}
    assert join["via"] == {"requestId": answer.headers["X-Request-Id"]}
    assert join["at"].endswith("Z")


async def test_events_are_for_the_shops_staff(door: Door) -> None:
    other = await TestShop.create(door.node)
    path = f"/queue/{door.shop.barbers[0]}/events"
    for who in (customer(0), *other.staff):
        answer = await door.get(path, who)
        assert (answer.status, answer.body["error"]["details"]) == (404, {"resource": "queue"})
    assert (await door.get(path)).status == 401


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "after=-1", "after=1e3", "cursor=", "after=%00"])
async def test_a_bad_page_is_refused_by_name(door: Door, query: str) -> None:
    answer = await door.get(f"/queue/{door.shop.barbers[0]}/events?{query}", ADMIN)
    assert answer.refused_fields == [query.split("=")[0]]


async def test_after_and_cursor_are_one_thing_and_not_given_both(door: Door) -> None:
    answer = await door.get(f"/queue/{door.shop.barbers[0]}/events?after=1&cursor=2", ADMIN)
    assert answer.refused_fields == ["cursor"]
