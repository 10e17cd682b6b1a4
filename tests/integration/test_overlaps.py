"""No two appointments of a barber overlap: the script sees to it, and Postgres proves it."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

from barberpro.protocol.actors import Actor
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.queue.check import compare
from barberpro.queue.engine import Result
from barberpro.server.node import Node, NodeOptions
from tests.model.calendar import local_noon_zone
from tests.support.logs import nothing_wrong_is_logged
from tests.support.shops import ADMIN, TestShop, code_of, customer, running, send

TRIES = 200
MINUTES = 20
# Ranges of our own making: the constraint's own function would prove nothing of itself.
OVERLAPS = """
    SELECT a.booking_id, b.booking_id FROM bookings a JOIN bookings b ON a.barber_id = b.barber_id
        AND a.booking_id < b.booking_id AND a.status = 'scheduled' AND b.status = 'scheduled'
        AND a.appointment_at < b.appointment_at + b.duration_minutes * interval '1 minute'
        AND b.appointment_at < a.appointment_at + a.duration_minutes * interval '1 minute'
"""
ROGUE = """
    INSERT INTO bookings (booking_id, shop_id, kind, services, duration_minutes, total_price, currency, created_at,
                          barber_id, status, appointment_at, shop_seq)
    VALUES ($1, $2, 'appointment', '[]', $5, 0, 'INR', now(), $3, 'scheduled', $4, 0)
"""


@pytest.fixture
def tomorrow() -> datetime:
    return datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=2)


def schedule(shop: TestShop, at: datetime) -> dict[str, Any]:
    return {"type": "schedule", "barberId": shop.barbers[0], "serviceIds": [shop.service], "at": at}


async def rogue(node: Node, shop: TestShop, at: datetime, number: int = 0) -> str:
    """An appointment that Postgres has and Redis has never heard of."""
    booking_id = f"bk_{shop.shop_id.removeprefix('sh_')}_rogue{number}"
    await node.pool.execute(ROGUE, booking_id, shop.shop_id, shop.barbers[0], at, MINUTES)
    return booking_id


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_of_two_hundred_tries_at_once_no_two_appointments_overlap(
    database_url: str, redis_url: str, redis_prefix: str, tomorrow: datetime, seed: int
) -> None:
    """New ones, moves of old ones, and cancellations that make room, on two nodes."""
    chance = Random(seed)  # noqa: S311 - no secret
    options = NodeOptions(database_url, redis_url, redis_prefix, patience=60)
    async with running(options) as one, running(options) as two:
        shop = await TestShop.create(one, barbers=1, minutes=MINUTES)
        first = [await send(one, ADMIN, **schedule(shop, tomorrow + timedelta(minutes=n * 40))) for n in range(10)]
        old = [result.data["booking"]["bookingId"] for result in first]
        rebuilds = one.recovery.rebuilds + two.recovery.rebuilds

        async def attempt(number: int) -> ErrorCode | None:
            at = tomorrow + timedelta(minutes=chance.randrange(400))
            document = chance.choice(
                [
                    schedule(shop, at),
                    schedule(shop, at),
                    {"type": "reschedule", "bookingId": chance.choice(old), "at": at},
                    {"type": "cancel", "bookingId": chance.choice(old)},
                ]
            )
            who: Actor = customer(number) if document["type"] == "schedule" else ADMIN
            try:
                await send((one, two)[number % 2], who, **document)
            except BarberProError as refusal:
                return refusal.code
            return None

        told = Counter(await asyncio.gather(*map(attempt, range(TRIES))))
        assert told.keys() <= {None, ErrorCode.SLOT_TAKEN, ErrorCode.INVALID_TRANSITION}
        assert told[None] > 10
        assert told[ErrorCode.SLOT_TAKEN] > 10
        assert await one.pool.fetch(OVERLAPS) == []
        assert await compare(one.pool, one.redis, one.keys) == []
        assert one.recovery.rebuilds + two.recovery.rebuilds == rebuilds  # the constraint had nothing to refuse


async def test_two_appointments_that_overlap_cannot_be_in_postgres(node: Node, tomorrow: datetime) -> None:
    shop = await TestShop.create(node, barbers=2)
    await rogue(node, shop, tomorrow)
    await rogue(node, shop, tomorrow + timedelta(minutes=MINUTES), 1)  # touches it
    with pytest.raises(asyncpg.ExclusionViolationError, match="bookings_never_overlap"):
        await rogue(node, shop, tomorrow + timedelta(minutes=MINUTES - 1), 2)


async def test_what_redis_does_not_know_postgres_refuses_and_nobody_else_suffers(
    node: Node, tomorrow: datetime
) -> None:
    shop, other = await TestShop.create(node, minutes=MINUTES), await TestShop.create(node)
    await shop.open(node)
    await other.open(node)
    await rogue(node, shop, tomorrow)
    answers = await asyncio.gather(
        send(node, customer(1), **schedule(shop, tomorrow + timedelta(minutes=5))),
        *[send(node, customer(number), **shop.join()) for number in range(2, 12)],
        *[send(node, customer(number), **other.join()) for number in range(20, 30)],
        return_exceptions=True,
    )
    refused, *joined = answers
    assert isinstance(refused, BarberProError)
    assert refused.code is ErrorCode.INTERNAL_ERROR
    assert all(isinstance(each, Result) for each in joined), joined
    # Rebuilt from Postgres, the shard knows what it did not.
    assert await code_of(send(node, customer(1), **schedule(shop, tomorrow))) is ErrorCode.SLOT_TAKEN
    assert await node.pool.fetch(OVERLAPS) == []


async def test_room_that_a_cancellation_makes_is_taken_in_the_same_batch(node: Node, tomorrow: datetime) -> None:
    shop = await TestShop.create(node, minutes=MINUTES)
    standing = (await send(node, customer(0), **schedule(shop, tomorrow))).data["booking"]["bookingId"]
    with nothing_wrong_is_logged():
        for number in range(1, 20):
            _, made = await asyncio.gather(
                send(node, ADMIN, type="cancel", bookingId=standing),
                send(node, customer(number), **schedule(shop, tomorrow)),
            )
            standing = made.data["booking"]["bookingId"]


async def test_two_appointments_change_places_by_way_of_a_third_time(node: Node, tomorrow: datetime) -> None:
    shop = await TestShop.create(node, minutes=MINUTES)
    times = [tomorrow + timedelta(minutes=minutes) for minutes in (0, 20, 40)]
    one, two = [
        (await send(node, customer(number), **schedule(shop, times[number]))).data["booking"]["bookingId"]
        for number in range(2)
    ]
    with nothing_wrong_is_logged():  # Postgres takes all three at once
        await asyncio.gather(
            send(node, ADMIN, type="reschedule", bookingId=one, at=times[2]),
            send(node, ADMIN, type="reschedule", bookingId=two, at=times[0]),
            send(node, ADMIN, type="reschedule", bookingId=one, at=times[1]),
        )
    rows = await node.pool.fetch("SELECT booking_id FROM bookings ORDER BY appointment_at")
    assert [row["booking_id"] for row in rows] == [two, one]


async def test_who_has_checked_in_keeps_the_time_until_they_have_left_the_line(node: Node) -> None:
    now = datetime.now(UTC)
    shop = await TestShop.create(node, minutes=MINUTES, zone=local_noon_zone(now))
    await shop.open(node)
    soon = now + timedelta(minutes=10)
    here = (await send(node, customer(0), **schedule(shop, soon))).data["booking"]["bookingId"]
    await send(node, shop.staff[0], type="check_in", bookingId=here)
    again = schedule(shop, soon + timedelta(minutes=5))
    assert await code_of(send(node, customer(1), **again)) is ErrorCode.SLOT_TAKEN
    await send(node, shop.staff[0], type="start", barberId=shop.barbers[0])
    assert await code_of(send(node, customer(1), **again)) is ErrorCode.SLOT_TAKEN
    await send(node, shop.staff[0], type="complete", barberId=shop.barbers[0])
    await send(node, customer(1), **again)
