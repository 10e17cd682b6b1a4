"""An appointment that arrives takes the place that its appointed time gives it."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from barberpro.server.node import Node
from tests.model.calendar import local_noon_zone
from tests.support.shops import TestShop, customer, send


@pytest.fixture
async def shop(node: Node) -> TestShop:
    """A shop, open, where it is noon."""
    shop = await TestShop.create(node, zone=local_noon_zone(datetime.now(UTC)))
    await shop.open(node)
    return shop


async def scheduled(node: Node, shop: TestShop, number: int, hours: float) -> str:
    at = datetime.now(UTC) + timedelta(hours=hours)
    fields = {"type": "schedule", "barberId": shop.barbers[0], "serviceIds": [shop.service], "at": at}
    booking: str = (await send(node, customer(number), **fields)).data["booking"]["bookingId"]
    return booking


async def check_in(node: Node, shop: TestShop, booking: str) -> int:
    """The position that it gets."""
    result = await send(node, shop.staff[0], type="check_in", bookingId=booking)
    position = result.data["booking"]["position"]
    assert position is not None
    return position


async def joined_hours_later(node: Node, shop: TestShop, booking: str, hours: int) -> None:
    """Makes Redis believe that a walk-in came so much later; nobody can wait for it here."""
    shard = node.keys.shard_of(shop.shop_id)
    redis = node.redis.of(shard)
    epoch = int(await redis.get(node.keys.epoch(shard)) or 0)
    key = f"{node.keys.generation(shard, epoch)}shop:{shop.shop_id}"
    document = orjson.loads(await redis.hget(key, f"b:{booking}") or b"")
    document["joinedAt"] += hours * 3_600_000
    await redis.hset(key, f"b:{booking}", orjson.dumps(document))


async def test_appointments_stand_in_the_order_of_their_times_behind_who_walked_in_before(
    node: Node, shop: TestShop
) -> None:
    await shop.fill(node, 3, first=10)
    fourth, second, third, first = [await scheduled(node, shop, n, hours) for n, hours in enumerate((4, 2, 3, 1))]
    assert await check_in(node, shop, fourth) == 4
    assert await check_in(node, shop, second) == 4
    assert await check_in(node, shop, third) == 5
    assert await check_in(node, shop, first) == 4


async def test_an_appointment_goes_before_who_walked_in_after_its_time(node: Node, shop: TestShop) -> None:
    called, early, late = await shop.fill(node, 3, first=10)
    for booking, hours in ((called, 5), (late, 3)):
        await joined_hours_later(node, shop, booking, hours)
    appointment = await scheduled(node, shop, 0, 1)
    assert await check_in(node, shop, appointment) == 3  # behind `called`, who is next already, and `early`
    line = await node.pool.fetch("SELECT booking_id FROM bookings WHERE status = 'waiting' ORDER BY rank")
    assert [row["booking_id"] for row in line] == [early, appointment, late]


async def test_an_appointment_that_is_due_goes_behind_who_is_next_and_before_all_who_wait(
    node: Node, shop: TestShop
) -> None:
    called, *_ = await shop.fill(node, 3, first=10)
    assert await check_in(node, shop, await scheduled(node, shop, 0, 1 / 60)) == 2
    rows = await node.pool.fetch("SELECT booking_id FROM bookings WHERE status = 'next'")
    assert [row["booking_id"] for row in rows] == [called]
    assert await check_in(node, shop, await scheduled(node, shop, 1, 22 / 60)) == 3  # behind the earlier one


async def test_walk_ins_who_begin_before_the_appointed_time_keep_their_places(node: Node, shop: TestShop) -> None:
    await shop.fill(node, 4, first=10)
    await send(node, shop.staff[0], type="start", barberId=shop.barbers[0])
    # By the plan, next begins in 20 minutes, and those who wait in 40 and 60.
    assert await check_in(node, shop, await scheduled(node, shop, 0, 50 / 60)) == 3
    assert await check_in(node, shop, await scheduled(node, shop, 1, 29 / 60)) == 2


async def test_an_appointment_that_was_skipped_holds_up_no_other(node: Node, shop: TestShop) -> None:
    await shop.fill(node, 3, first=10)
    skipped = await scheduled(node, shop, 0, 1 / 60)
    assert await check_in(node, shop, skipped) == 2
    await send(node, shop.staff[0], type="skip", bookingId=skipped)
    assert await check_in(node, shop, await scheduled(node, shop, 1, 23 / 60)) == 3


async def test_an_appointment_for_an_empty_line_is_next_with_the_next_token(node: Node, shop: TestShop) -> None:
    appointment = await scheduled(node, shop, 0, 1)
    result = await send(node, customer(0), type="check_in", bookingId=appointment)
    told = result.data["booking"]
    assert (told["status"], told["position"], told["tokenNumber"]) == ("next", 1, 1)
