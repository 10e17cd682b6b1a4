"""`compare` finds what is wrong: every kind of damage, done on purpose."""

from collections.abc import AsyncIterator

import orjson
import pytest

from barberpro.queue.check import compare
from barberpro.server.node import Node, NodeOptions
from tests.support.shops import TestShop, running, send


class Damaged:
    """A shop with a life behind it, and the means to spoil it."""

    def __init__(self, node: Node, shop: TestShop, line: list[str], epoch: int) -> None:
        self.node = node
        self.shop = shop
        self.line = line
        shard = node.keys.shard_of(shop.shop_id)
        self.redis = node.redis.of(shard)
        self.root = node.keys.generation(shard, epoch)

    async def found(self) -> str:
        return "\n".join(await compare(self.node.pool, self.node.redis, self.node.keys))

    async def commands_key(self) -> str:
        [key] = await self.redis.keys(f"{self.root}commands:*")
        return str(key, "utf-8") if isinstance(key, bytes) else key

    async def sql(self, statement: str, *values: object) -> None:
        """Runs a statement, on the events too, which refuse any change."""
        async with self.node.pool.acquire() as connection:
            await connection.execute("ALTER TABLE queue_events DISABLE TRIGGER USER")
            await connection.execute(statement, *values)


@pytest.fixture
async def damaged(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Damaged]:
    async with running(NodeOptions(database_url, redis_url, redis_prefix)) as node:
        shop = await TestShop.create(node)
        await shop.open(node)
        line = await shop.fill(node, 5)
        for kind, booking in (("skip", line[2]), ("no_show", line[0])):
            await send(node, shop.staff[0], type=kind, bookingId=booking)
        await send(node, shop.staff[0], type="transfer", bookingId=line[3], toBarberId=shop.barbers[1])
        await send(node, shop.staff[0], type="advance", barberId=shop.barbers[0])
        shard = node.keys.shard_of(shop.shop_id)
        epoch = int(await node.redis.of(shard).get(node.keys.epoch(shard)) or 0)
        case = Damaged(node, shop, line, epoch)
        assert await case.found() == ""
        yield case


async def test_a_key_that_redis_lost_is_found(damaged: Damaged) -> None:
    redis, root, barber = damaged.redis, damaged.root, damaged.shop.barbers[0]
    for key, words in (
        (f"{root}line:{barber}", "line"),
        (f"{root}skipped:{barber}", "skipped"),
        (f"{root}timers", "timer"),
    ):
        dump = await redis.dump(key)
        assert dump is not None, key
        await redis.delete(key)
        assert words in await damaged.found()
        await redis.restore(key, 0, dump)
        assert await damaged.found() == ""


async def test_a_field_of_the_shop_that_redis_lost_is_found(damaged: Damaged) -> None:
    key = f"{damaged.root}shop:{damaged.shop.shop_id}"
    for field, words in (
        (f"b:{damaged.line[2]}", "booking"),
        ("l:us_customer2", "live booking of"),
        (f"q:{damaged.shop.barbers[0]}", "queue"),
        ("seq", "Redis is at event 0"),
    ):
        value = await damaged.redis.hget(key, field)
        assert value is not None, field
        await damaged.redis.hdel(key, field)
        assert words in await damaged.found()
        await damaged.redis.hset(key, field, value)
        assert await damaged.found() == ""


async def test_what_redis_made_up_is_found(damaged: Damaged) -> None:
    redis, root, barber, shop_id = damaged.redis, damaged.root, damaged.shop.barbers[0], damaged.shop.shop_id
    booking = {"bookingId": f"bk_{shop_id[3:]}_ghost", "barberId": barber, "status": "waiting", "rank": 1}
    await redis.hset(f"{root}shop:{shop_id}", f"b:{booking['bookingId']}", orjson.dumps(booking))
    assert "ghost: None expected" in await damaged.found()
    await redis.hdel(f"{root}shop:{shop_id}", f"b:{booking['bookingId']}")
    await redis.hset(await damaged.commands_key(), "never-sent", "digest 9 link")
    assert "never-sent: Redis remembers it, Postgres does not" in await damaged.found()


async def test_a_command_that_redis_forgot_or_remembers_otherwise_is_found(damaged: Damaged) -> None:
    key = await damaged.commands_key()
    command_id = (await damaged.redis.hkeys(key))[0]
    await damaged.redis.hset(key, command_id, "digest 1 link")
    assert "Redis remembers" in await damaged.found()
    await damaged.redis.hdel(key, command_id)
    assert "Redis does not remember it" in await damaged.found()


async def test_another_last_event_in_redis_is_found(damaged: Damaged) -> None:
    shop_id = damaged.shop.shop_id
    key = f"{damaged.root}shop:{shop_id}"
    last = await damaged.node.pool.fetchval("SELECT shop_seq FROM watermarks WHERE shop_id = $1", shop_id)
    await damaged.redis.hset(key, "seq", f"{last} other")
    assert "has the link" in await damaged.found()
    await damaged.redis.hset(key, "seq", f"{last + 1} ahead")
    assert "is nowhere" in await damaged.found()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE bookings SET token_number = 77 WHERE status = 'serving'", "the events give"),
        ("UPDATE bookings SET status = 'completed' WHERE status = 'skipped'", "the events give"),
        ("UPDATE queues SET last_token = last_token + 1", "queue"),
        ("UPDATE queues SET shop_seq = shop_seq + 1", "its row is of event"),
        ("UPDATE watermarks SET shop_seq = shop_seq - 1 WHERE shop_seq > 0", "the watermark is"),
        ("UPDATE watermarks SET link = 'other'", "the watermark has the link"),
        (
            "UPDATE queue_events a SET data = jsonb_set(a.data, '{command,id}', b.data #> '{command,id}')"
            " FROM queue_events b WHERE a.shop_seq = 4 AND b.shop_seq = 3",
            "had its effect already, with event 3",
        ),
        ("UPDATE queue_events SET data = data - 'command' WHERE shop_seq = 3", "Postgres does not"),
        (
            "UPDATE queue_events SET booking_id = NULL WHERE type = 'skip'",
            "its data differ from its columns booking_id",
        ),
        ("DELETE FROM queue_events WHERE shop_seq = 4", "does not fit what was before"),
    ],
)
async def test_a_row_that_was_changed_by_hand_is_found(damaged: Damaged, statement: str, words: str) -> None:
    await damaged.sql(statement)
    assert words in await damaged.found()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("{queue,lastToken}", "9", "follows token"),
        ("{queue,next}", '"bk_1_1"', "does not fit what was before"),
        ("{queue,serving}", '"bk_1_1"', "does not fit what was before"),
        ("{seq}", "9", "seq 9 follows"),
        ("{epoch}", "0", "epoch 0 follows 1"),
        ("{day}", '"2020-01-01"', "day 2020-01-01 follows"),
        ("{changes,0,status}", '"next"', "is next, and the queue says"),
    ],
)
async def test_an_event_that_breaks_an_invariant_is_found(damaged: Damaged, path: str, value: str, words: str) -> None:
    await damaged.sql(
        "UPDATE queue_events SET data = jsonb_set(data, $1::text::text[], $2::text::jsonb) WHERE shop_seq = 6",
        path,
        value,
    )
    assert words in await damaged.found()


async def test_a_cold_shard_is_no_difference(damaged: Damaged) -> None:
    await damaged.node.keeper.close()
    await damaged.redis.delete(damaged.node.keys.epoch(damaged.node.keys.shard_of(damaged.shop.shop_id)))
    assert await damaged.found() == ""


async def test_a_payment_that_the_ledger_has_otherwise_or_not_at_all_is_found(damaged: Damaged) -> None:
    payment = {"method": "cash", "amount": "250.00", "tip": "20.00"}
    barber = damaged.shop.barbers[0]
    await send(damaged.node, damaged.shop.staff[0], type="advance", barberId=barber, payment=payment)
    assert await damaged.found() == ""
    await damaged.sql("""
        UPDATE bookings SET payment = '{"method": "cash", "amount": "240.00"}' WHERE payment IS NOT NULL
    """)
    found = await damaged.found()
    assert "the booking says 240.00, the ledger 250.00" in found
    assert "the booking says None, the ledger 20.00" in found
