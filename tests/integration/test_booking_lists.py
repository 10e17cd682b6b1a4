"""GET /bookings: one's own, and for staff their shop's; filters, pages, one query."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from barberpro.protocol.actors import Actor, Role
from barberpro.server.node import NodeOptions
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, Json, TestShop, customer, send


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with rest_door(options) as door:
        yield door


async def listed(door: Door, who: Actor, query: str = "") -> list[str]:
    """The bookings' ids, the newest first."""
    return [row["bookingId"] for row in (await door.get(f"/bookings?{query}", who)).data]


async def test_a_customer_sees_their_own_in_all_shops_and_nobody_elses(door: Door) -> None:
    other = await TestShop.create(door.node)
    await other.open(door.node)
    [mine] = await door.shop.fill(door.node, 1)
    await door.shop.fill(door.node, 3, first=5)
    [also_mine] = await other.fill(door.node, 1)
    assert await listed(door, customer(0)) == [also_mine, mine]
    assert await listed(door, customer(0), f"shopId={other.shop_id}") == [also_mine]
    assert await listed(door, customer(99)) == []


async def test_a_booking_is_listed_with_what_there_is_to_say_of_it(door: Door) -> None:
    answer = await door.post("/bookings", customer(0), door.booking_body(notes="short"))
    booking = answer.data["booking"]
    [row] = (await door.get("/bookings", customer(0))).data
    times: Json = {name: row.pop(name) for name in ("createdAt", "joinedAt")}
    assert all(datetime.fromisoformat(each) <= datetime.now(UTC) + timedelta(minutes=5) for each in times.values())
    assert row == {
        "bookingId": booking["bookingId"],
        "shopId": door.shop.shop_id,
        "shopName": "The Shop",
        "barberId": door.shop.barbers[0],
        "barberName": "Barber 0",
        "kind": "walk_in",
        "status": "next",
        "tokenNumber": 1,
        "businessDate": booking["businessDate"],
        "customerName": "Customer 0",
        "notes": "short",
        "services": [{"serviceId": door.shop.service, "name": "Cut", "price": "250.00", "durationMinutes": 20}],
        "durationMinutes": 20,
        "totalPrice": "250.00",
        "currency": "INR",
        "appointmentAt": None,
        "startedAt": None,
        "endedAt": None,
        "endReason": None,
        "cancelledBy": None,
        "rating": None,
    }


async def test_staff_see_their_shops_and_no_other(door: Door) -> None:
    made = await door.shop.fill(door.node, 3)
    other = await TestShop.create(door.node)
    for who in (*door.shop.staff, ADMIN):
        assert await listed(door, who, f"shopId={door.shop.shop_id}") == made[::-1]
    assert await listed(door, door.shop.staff[1]) == made[::-1]
    assert (await door.get(f"/bookings?shopId={other.shop_id}", door.shop.staff[0])).code == "NOT_FOUND"
    assert (await door.get("/bookings?shopId=sh_nowhere", ADMIN)).code == "NOT_FOUND"
    assert (await door.get("/bookings", ADMIN)).refused_fields == ["shopId"]


async def test_a_ticket_lists_its_booking_and_nothing_more(door: Door) -> None:
    made = await door.shop.fill(door.node, 3)
    ticket = Actor("gt_1", Role.GUEST, booking_id=made[1])
    assert await listed(door, ticket) == [made[1]]
    assert await listed(door, ticket, f"shopId={door.shop.shop_id}") == [made[1]]
    at_the_door = Actor("gs_1", Role.GUEST, shop_ids=frozenset({door.shop.shop_id}))
    assert (await door.get("/bookings", at_the_door)).code == "FORBIDDEN"


async def test_filters_narrow_the_list(door: Door) -> None:
    first, second = await door.shop.fill(door.node, 2)
    [third] = await door.shop.fill(door.node, 1, barber=1, first=5)
    await send(door.node, customer(1), type="cancel", bookingId=second)
    day = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    when = {"bookingDate": day, "preferredTime": "10:00"}
    fourth = (await door.post("/bookings", customer(9), door.booking_body(1, **when))).data["booking"]["bookingId"]
    now = quote((datetime.now(UTC) + timedelta(hours=1)).isoformat())
    for query, expected in (
        ("", [fourth, third, second, first]),
        ("status=cancelled", [second]),
        ("status=next", [third, first]),
        (f"barberId={door.shop.barbers[1]}", [fourth, third]),
        ("kind=appointment", [fourth]),
        (f"from={now}", []),
        (f"to={now}", [fourth, third, second, first]),
        (f"kind=walk_in&status=next&barberId={door.shop.barbers[0]}", [first]),
    ):
        assert await listed(door, door.shop.staff[0], query) == expected, query


@pytest.mark.parametrize("who", ["customer", "staff"])
async def test_pages_follow_each_other_while_new_bookings_come(door: Door, who: str) -> None:
    shops = [door.shop, *[await TestShop.create(door.node) for _ in range(4)]] if who == "customer" else [door.shop] * 5
    for number, shop in enumerate(shops):
        if shop is not door.shop:
            await shop.open(door.node)
        await shop.fill(door.node, 1, first=0 if who == "customer" else number)
    actor = customer(0) if who == "customer" else door.shop.staff[0]
    whole = await listed(door, actor)
    assert len(whole) == 5
    named: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await door.get(f"/bookings?limit=2{cursor and '&cursor=' + cursor}", actor)
        named += [row["bookingId"] for row in answer.data]
        cursor = answer.body["meta"]["nextCursor"]
        await door.shop.fill(door.node, 1, first=100 + len(named))
    assert named == whole


UNKNOWN = [
    "status=done", "kind=both", "limit=0", "limit=101", "limit=x", "cursor=a%00b", "cursor=%27--", "from=yesterday",
    "from=2026-01-01T00:00:00", "to=1", "shopId=a b", "barberId=", "page=2", "customerId=us_1",
]  # fmt: skip


async def test_what_cannot_be_listed_is_refused_by_name(door: Door) -> None:
    for query in UNKNOWN:
        assert (await door.get(f"/bookings?{query}", customer(0))).refused_fields == [query.split("=")[0]], query
