"""Places in the line that are used up, and those who come without an account."""

import pytest

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.queue.check import compare
from barberpro.server.node import Node
from tests.support.shops import TestShop, code_of, send

MOVES = 70
"""Three times as many as a place between two others has room for."""


@pytest.mark.timeout(60)
async def test_moving_to_the_very_same_place_again_and_again_keeps_the_order(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    line = await shop.fill(node, 6)
    waiting = line[1:]
    for _ in range(MOVES):
        last = waiting.pop()
        done = await send(node, shop.staff[0], type="move", bookingId=last, position=3, reason="again")
        waiting.insert(1, last)
        assert done.data["booking"]["position"] == 3
    rows = await node.pool.fetch("SELECT booking_id FROM bookings WHERE status = 'waiting' ORDER BY rank")
    assert [row["booking_id"] for row in rows] == waiting
    assert await compare(node.pool, node.redis, node.keys) == []


async def test_the_code_at_the_door_joins_its_shop_and_opens_nothing_else(node: Node) -> None:
    shop, other = await TestShop.create(node), await TestShop.create(node)
    await shop.open(node)
    await other.open(node)
    [first] = await shop.fill(node, 1)
    door = Actor("gs_door", Role.GUEST, shop_ids=frozenset({shop.shop_id}))
    joined = await send(node, door, **shop.join())
    assert joined.data["booking"]["status"] == "waiting"
    assert await code_of(send(node, door, **other.join())) is ErrorCode.NOT_FOUND
    assert await code_of(send(node, door, type="cancel", bookingId=first)) is ErrorCode.FORBIDDEN


async def test_a_ticket_works_its_own_booking_and_joins_nothing(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    first, second = await shop.fill(node, 2)
    ticket = Actor("gs_1", Role.GUEST, shop_ids=frozenset({shop.shop_id}), booking_id=second)
    assert await code_of(send(node, ticket, **shop.join())) is ErrorCode.FORBIDDEN
    assert await code_of(send(node, ticket, type="cancel", bookingId=first)) is ErrorCode.NOT_FOUND
    done = await send(node, ticket, type="cancel", bookingId=second)
    assert done.data["booking"]["status"] == "cancelled"
