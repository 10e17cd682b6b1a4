"""What can never be, in Redis or for Postgres: one command fails, and everybody else goes on."""

import asyncio

import asyncpg
import pytest

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.queue.check import compare
from barberpro.server.node import Node
from barberpro.storage.shops import NewShop, create_shop
from barberpro.storage.zones import UnknownZoneError
from tests.support.revoking import revoke
from tests.support.shops import TestShop, code_of, customer, send

NUL = Actor("us_\x00", Role.CUSTOMER)
"""No token makes such an actor; a defect might."""


async def test_an_event_that_postgres_refuses_fails_its_command_and_no_other(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    bad = asyncio.create_task(code_of(send(node, NUL, **shop.join())))
    joined = await asyncio.gather(*[send(node, customer(number), **shop.join()) for number in range(20)])
    assert await bad is ErrorCode.INTERNAL_ERROR
    assert sorted(result.data["booking"]["tokenNumber"] or 0 for result in joined) == list(range(1, 21))
    assert node.recovery.rebuilds < 30
    assert await compare(node.pool, node.redis, node.keys) == []


async def test_a_script_that_fails_half_way_leaves_no_trace(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    joined = [await send(node, customer(number), **shop.join()) for number in range(3)]
    shard = node.keys.shard_of(shop.shop_id)
    redis = node.redis.of(shard)
    epoch = int(await redis.get(node.keys.epoch(shard)) or 0)
    last = joined[-1].data["booking"]["bookingId"]
    # No transition writes such a thing; a defect might. The one before it has left the line by the time it is met.
    await redis.hset(f"{node.keys.generation(shard, epoch)}shop:{shop.shop_id}", f"b:{last}", "{")
    close = {"type": "close", "barberId": shop.barbers[0], "waiting": "cancel"}
    assert await code_of(send(node, shop.staff[0], **close)) is ErrorCode.INTERNAL_ERROR
    assert await compare(node.pool, node.redis, node.keys) == []
    assert int(await redis.get(node.keys.epoch(shard)) or 0) > epoch
    closed = await send(node, shop.staff[0], **close)
    assert closed.data["queue"]["seq"] == joined[-1].data["queue"]["seq"] + 1


async def test_a_shop_whose_row_is_locked_holds_up_no_other(node: Node) -> None:
    locked, other = await TestShop.create(node), await TestShop.create(node)
    for shop in (locked, other):
        await shop.open(node)
    async with node.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM watermarks WHERE shop_id = $1 FOR UPDATE", locked.shop_id)
        waits = asyncio.create_task(send(node, customer(1), **locked.join()))
        async with asyncio.timeout(5):  # those in the same batch share its fate
            while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass
        for number in range(2, 6):
            await send(node, customer(number), **other.join())
        assert not waits.done()
    assert (await waits).data["booking"]["tokenNumber"] == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE queue_events SET actor_id = 'us_other'",
        "UPDATE audit_entries SET actor_id = 'us_other'",
        "UPDATE audit_logs SET actor_id = 'us_other'",
        "DELETE FROM queue_events",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_logs",
        "INSERT INTO checkpoints SELECT shop_id, 1, epoch, data ->> 'link', business_date, '{}' FROM queue_events"
        " WHERE shop_seq = 1",
        "TRUNCATE queue_events",
        "TRUNCATE audit_entries",
    ],
)
async def test_what_happened_cannot_be_edited(node: Node, change: str) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    await revoke(node.pool, "us_other", "us_owner", "admin")  # an entry that is no event
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"append-only|is over for three days"):
        await node.pool.execute(change)


async def test_the_audit_log_tells_who_did_what_in_the_queues_and_elsewhere(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    joined = await send(node, customer(1), **shop.join())
    await revoke(node.pool, "us_other", "us_owner", "admin")
    rows = await node.pool.fetch(
        "SELECT actor_id, actor_role, action, object_type, object_id, request_id FROM audit_logs"
        " WHERE action <> 'queue.open' ORDER BY at, shop_seq"
    )
    assert [tuple(row) for row in rows] == [
        (customer(1).id, "customer", "queue.join", "booking", joined.data["booking"]["bookingId"], "req_test"),
        ("us_owner", "admin", "tokens.revoked", "user", "us_other", None),
    ]


async def test_a_shop_in_a_zone_that_does_not_exist_is_not_created(node: Node) -> None:
    with pytest.raises(UnknownZoneError, match="Mars/Olympus"):
        await create_shop(node.pool, node.keys, NewShop("Shop", "Mars/Olympus", "INR", (), ()))
    assert await node.pool.fetchval("SELECT count(*) FROM shops") == 0
