"""The audit log: noted in the transaction that does it, and searched together with the queues' events."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from barberpro.protocol.actors import Actor, Role, Via
from barberpro.server.node import NodeOptions
from barberpro.storage.audit import HIDDEN, note
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, Json, customer

OWNER = Actor("us_owner", Role.BARBER)
VIA = Via("req_1", "203.0.113.9", "curl/8")


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


async def staff_added(door: Door, number: int, **more: Any) -> None:  # noqa: ANN401 - arguments of note
    async with door.node.pool.acquire() as connection:
        await note(connection, OWNER, "staff.added", "user", f"us_{number}", via=VIA, **more)


async def found(door: Door, query: str) -> list[Json]:
    answer = await door.get(f"/admin/audit?{query}", ADMIN)
    assert answer.status == 200, answer.body
    rows: list[Json] = answer.data
    return rows


async def test_an_entry_tells_who_what_before_after_and_from_where(door: Door) -> None:
    before, after = {"role": "barber", "phone": "+91 1"}, {"role": "owner", "phone": "+91 2", "name": None}
    await staff_added(door, 1, before=before, after=after, shop_id=door.shop.shop_id)
    [entry] = await found(door, "action=staff.added")
    at = datetime.fromisoformat(entry.pop("at"))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    assert entry == {
        "actorId": "us_owner",
        "actorRole": "barber",
        "action": "staff.added",
        "shopId": door.shop.shop_id,
        "objectType": "user",
        "objectId": "us_1",
        "requestId": "req_1",
        "ip": "203.0.113.9",
        "agent": "curl/8",
        "before": {"role": "barber", "phone": HIDDEN},
        "after": {"role": "owner", "phone": HIDDEN, "name": None},
    }


async def test_what_is_undone_was_not_noted(door: Door) -> None:
    async with door.node.pool.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        await note(connection, OWNER, "staff.added", "user", "us_2")
        await undone.rollback()
    assert await found(door, "objectId=us_2") == []


async def test_a_queues_event_is_found_with_the_queue_before_and_after_it(door: Door) -> None:
    answer = await door.post(
        "/bookings", customer(1), door.booking_body(), User_Agent="barber\u200bapp/2.1", X_Request_Id="mine"
    )
    booking_id = answer.data["booking"]["bookingId"]
    [entry] = await found(door, f"objectId={booking_id}")
    assert (entry["action"], entry["actorId"], entry["objectType"]) == ("queue.join", customer(1).id, "booking")
    assert (entry["requestId"], entry["agent"], entry["ip"]) == ("mine", "barberapp/2.1", "127.0.0.1")
    assert entry["before"]["queue"]["lastToken"] == 0
    assert entry["after"]["queue"]["lastToken"] == 1
    assert [change["bookingId"] for change in entry["after"]["changes"]] == [booking_id]


async def test_filters_narrow_what_is_found(door: Door) -> None:
    await staff_added(door, 1, shop_id=door.shop.shop_id)
    await door.post("/bookings", customer(1), door.booking_body())
    everything = {entry["action"] for entry in await found(door, "")}
    assert everything == {"staff.added", "queue.open", "queue.join"}
    for query, actions in (
        ("action=staff.", {"staff.added"}),
        ("action=queue.", {"queue.open", "queue.join"}),
        ("action=queue.join", {"queue.join"}),
        ("actorId=us_owner", {"staff.added"}),
        (f"actorId={customer(1).id}", {"queue.join"}),
        (f"shopId={door.shop.shop_id}", everything),
        ("shopId=sh_other", set()),
        ("objectType=user", {"staff.added"}),
        ("objectType=queue", {"queue.open"}),
        ("objectType=booking", {"queue.join"}),
        (f"objectId={door.shop.barbers[1]}", {"queue.open"}),
        ("requestId=req_1", {"staff.added"}),
        ("requestId=req_test", {"queue.open"}),
        ("to=2020-01-01T00:00:00Z", set()),
        ("from=2999-01-01T00:00:00%2B05:30", set()),
        ("from=2020-01-01T00:00:00Z", everything),
    ):
        assert {entry["action"] for entry in await found(door, query)} == actions, query


async def test_pages_follow_each_other_without_gap_or_repetition(door: Door) -> None:
    for number in range(3):
        await door.post("/bookings", customer(number), door.booking_body())
        async with door.node.pool.acquire() as connection, connection.transaction():
            for half in (0, 1):  # of one moment
                await note(connection, OWNER, "staff.added", "user", f"us_{number}_{half}")
    whole = await found(door, "")
    assert len(whole) == 2 + 3 + 6
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True)
    pages: list[Json] = []
    cursor, query = None, "limit=2"
    while cursor is not None or not pages:
        answer = await door.get(f"/admin/audit?{query}", ADMIN)
        assert len(answer.data) <= 2
        pages += answer.data
        cursor = answer.body["meta"]["nextCursor"]
        query = f"limit=2&cursor={cursor}"
    assert pages == whole


UNSEARCHABLE = [
    "actorId=a%00b", "shopId=", "objectId=x'--", "action=a%20b", "requestId=%E2%80%8B", "objectType=;",
    "from=yesterday", "from=2026-01-01T00:00:00", "to=0001-01-01T00:00:00%2B14:00",
    "to=0001-01-02T00:00:00Z", "cursor=1", "cursor=x",
    "cursor=.", "limit=201", "limit=0", "actor=1",
]  # fmt: skip


async def test_what_cannot_be_searched_for_is_refused_by_name(door: Door) -> None:
    for query in UNSEARCHABLE:
        assert (await door.get(f"/admin/audit?{query}", ADMIN)).refused_fields == [query.split("=")[0]], query


async def test_the_log_is_for_administrators(door: Door) -> None:
    for path in ("/admin/audit", "/admin/letters"):
        assert (await door.get(path)).status == 401
        for who in (
            customer(1),
            *door.shop.staff,
            Actor("ds_1", Role.DISPLAY, shop_ids=frozenset({door.shop.shop_id})),
        ):
            assert (await door.get(path, who)).code == "FORBIDDEN"
