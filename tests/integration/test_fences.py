"""One command at a time, caught between its script and its commit: dead nodes, held nodes, forgotten events."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from asyncpg import Pool

from barberpro.protocol.codes import ErrorCode
from barberpro.queue.check import compare
from barberpro.queue.engine import Result
from barberpro.queue.recovery import stream_event
from barberpro.queue.scripts import Event, load_library
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.postgres import connect_pool
from barberpro.storage.primaries import Primaries
from barberpro.storage.snapshot import events_after
from barberpro.tasks import end
from tests.support.faults import HeldPool, fall_back, lose_memory, remember
from tests.support.shops import ADMIN, TestShop, code_of, customer, lookup, new_id, running, seal, send


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix, patience=20)


@pytest.fixture
async def node(options: NodeOptions) -> AsyncIterator[Node]:
    async with running(options) as node:
        yield node


@pytest.fixture
async def shop(node: Node) -> TestShop:
    """A shop that is open, with one customer in it."""
    shop = await TestShop.create(node)
    await shop.open(node)
    await shop.fill(node, 1)
    return shop


@asynccontextmanager
async def held(options: NodeOptions) -> AsyncIterator[tuple[Node, HeldPool]]:
    """A node whose commits wait until the pool is released, and of which nothing but the journal runs."""
    library = await asyncio.to_thread(load_library, options.prefix)
    async with await connect_pool(options.database_url) as pool:
        holding = HeldPool(pool)
        redis = Primaries(options.redis_url, options.shards)
        await redis.look()
        node = Node(options, pool, cast("Pool[Any]", holding), redis, library, seal, lookup)
        node.journal.start()
        try:
            yield node, holding
        finally:
            holding.release()
            await node.gateway.close()
            await node.journal.close()
            await node.recovery.close()
            await node.redis.aclose()


async def abandon(options: NodeOptions, **document: Any) -> None:  # noqa: ANN401 - any JSON
    """Sends customer 10's command to a node that dies between the script and the commit."""
    async with held(replace(options, patience=0.3)) as (node, pool):
        assert await code_of(send(node, customer(10), **document)) is ErrorCode.PERSISTENCE_UNAVAILABLE
        assert pool.holds.is_set()
        await end(node.journal._tasks)
        node.journal._idle.set()  # dead: nobody waits for it to finish


async def executed(node: Node, shop: TestShop, shop_seq: int) -> None:
    """Waits until Redis has the shop's event, committed or not: its stream tells."""
    shard = node.keys.shard_of(shop.shop_id)
    redis = node.redis.of(shard)
    epoch = int(await redis.get(node.keys.epoch(shard)) or 0)
    stream, last = f"{node.keys.generation(shard, epoch)}events", b"0"
    while True:
        found: Any = await redis.xread({stream: last}, block=5000)
        for entry in found[0][1]:
            event = stream_event(entry)
            last = event.stream_id
            if event.shop_id == shop.shop_id and event.shop_seq >= shop_seq:
                return


def committed(node: Node, kind: str) -> "asyncio.Future[Event]":
    """The next event of this kind that the node commits."""
    future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()

    def listen(events: Sequence[Event]) -> None:
        for event in events:
            if event.data["type"] == kind and not future.done():
                future.set_result(event)

    node.journal.listeners.append(listen)
    return future


async def bookings(node: Node) -> list[tuple[Any, ...]]:
    rows = await node.pool.fetch("SELECT customer_id, token_number FROM bookings ORDER BY token_number")
    return [tuple(row) for row in rows]


async def differences(node: Node) -> list[str]:
    return await compare(node.pool, node.redis, node.keys)


async def test_what_a_dead_node_left_behind_is_committed_by_another(
    node: Node, options: NodeOptions, shop: TestShop
) -> None:
    left = committed(node, "join")
    await abandon(options, **shop.join())
    assert (await left).data["actor"]["id"] == "us_customer10"
    assert await bookings(node) == [("us_customer0", 1), ("us_customer10", 2)]
    assert await differences(node) == []


async def test_a_command_that_a_dead_node_left_behind_has_one_result_when_repeated(
    node: Node, options: NodeOptions, shop: TestShop
) -> None:
    document = {"commandId": new_id(), **shop.join()}
    await abandon(options, **document)
    repeated = await send(node, customer(10), **document)
    assert repeated.replayed
    assert repeated.data["booking"]["tokenNumber"] == 2
    assert await bookings(node) == [("us_customer0", 1), ("us_customer10", 2)]
    assert await differences(node) == []


async def test_a_command_that_was_lost_with_node_and_redis_is_carried_out_when_repeated(
    node: Node, options: NodeOptions, shop: TestShop
) -> None:
    document = {"commandId": new_id(), **shop.join()}
    await abandon(options, **document)
    await lose_memory(node.redis, options.prefix)
    repeated = await send(node, customer(10), **document)
    assert repeated.data["booking"]["tokenNumber"] == 2
    assert await bookings(node) == [("us_customer0", 1), ("us_customer10", 2)]
    assert await differences(node) == []


async def test_a_commit_that_comes_after_a_rebuild_is_fenced(node: Node, options: NodeOptions, shop: TestShop) -> None:
    async with held(options) as (old, pool):
        late = asyncio.create_task(send(old, customer(10), **shop.join()))
        await pool.holds.wait()
        await lose_memory(node.redis, options.prefix)
        early = await send(node, customer(11), **shop.join())
        assert early.data["booking"]["tokenNumber"] == 2
        pool.release()
        assert (await late).data["booking"]["tokenNumber"] == 3
    assert await bookings(node) == [("us_customer0", 1), ("us_customer11", 2), ("us_customer10", 3)]
    assert await differences(node) == []


async def test_another_nodes_event_of_the_same_number_answers_nobody(
    node: Node, options: NodeOptions, shop: TestShop
) -> None:
    async with held(options) as (old, pool):
        asked = asyncio.create_task(code_of(send(old, customer(0), **shop.join())))
        await pool.holds.wait()  # only the watermark is asked for, as the refusal rests on what is durable
        late = asyncio.create_task(send(old, customer(10), **shop.join()))
        await executed(node, shop, 4)
        await lose_memory(node.redis, options.prefix)
        await send(node, customer(11), **shop.join())
        pool.release()
        assert await asked is ErrorCode.ALREADY_IN_QUEUE
        assert (await late).data["booking"]["tokenNumber"] == 3
    assert await bookings(node) == [("us_customer0", 1), ("us_customer11", 2), ("us_customer10", 3)]
    assert await differences(node) == []


async def test_a_redis_that_falls_back_under_a_commit_gives_no_number_twice(
    node: Node, options: NodeOptions, shop: TestShop
) -> None:
    old_memory = await remember(node.redis, options.prefix)
    async with held(options) as (old, pool):
        first = asyncio.create_task(send(old, customer(10), **shop.join()))
        await pool.holds.wait()
        await fall_back(node.redis, options.prefix, old_memory)
        second = asyncio.create_task(send(old, customer(11), **shop.join()))
        await executed(node, shop, 4)
        pool.release()
        tokens = {result.data["booking"]["tokenNumber"] for result in (await first, await second)}
    assert tokens == {2, 3}
    assert {token for _, token in await bookings(node)} == {1, 2, 3}
    assert await differences(node) == []


async def test_a_redis_that_falls_back_under_the_commits_of_two_nodes_gives_no_number_twice(
    node: Node, options: NodeOptions, shop: TestShop
) -> None:
    old_memory = await remember(node.redis, options.prefix)
    async with held(options) as (old, pool):
        first = asyncio.create_task(send(old, customer(10), **shop.join()))
        await pool.holds.wait()
        await fall_back(node.redis, options.prefix, old_memory)
        second = await send(node, customer(11), **shop.join())
        pool.release()
        tokens = [result.data["booking"]["tokenNumber"] for result in (second, await first)]
    assert tokens == [2, 3]
    assert await bookings(node) == [("us_customer0", 1), ("us_customer11", 2), ("us_customer10", 3)]
    assert await differences(node) == []


async def test_a_refusal_that_rests_on_a_lost_event_is_not_given(node: Node, options: NodeOptions) -> None:
    shop = await TestShop.create(node, queue_capacity=1)
    await shop.open(node)
    await abandon(options, **shop.join())  # the line is full, by an event that is in no database
    async with held(options) as (other, pool):
        joining = asyncio.create_task(send(other, customer(11), **shop.join()))
        await pool.holds.wait()
        await lose_memory(node.redis, options.prefix)
        pool.release()
        assert (await joining).data["booking"]["tokenNumber"] == 1
    assert await bookings(node) == [("us_customer11", 1)]
    assert await differences(node) == []


async def test_a_refusal_that_rests_on_a_dead_nodes_event_makes_that_durable_first(
    node: Node, options: NodeOptions
) -> None:
    shop = await TestShop.create(node, queue_capacity=1)
    await shop.open(node)
    await abandon(options, **shop.join())
    assert await code_of(send(node, customer(11), **shop.join())) is ErrorCode.QUEUE_FULL
    assert await bookings(node) == [("us_customer10", 1)]
    assert await differences(node) == []


async def test_a_repetition_that_rests_on_a_lost_event_is_carried_out_anew(
    node: Node, options: NodeOptions, shop: TestShop
) -> None:
    document = {"commandId": new_id(), **shop.join()}
    await abandon(options, **document)
    async with held(options) as (other, pool):
        repeated = asyncio.create_task(send(other, customer(10), **document))
        await pool.holds.wait()
        await lose_memory(node.redis, options.prefix)
        await send(node, customer(11), **shop.join())
        pool.release()
        assert (await repeated).data["booking"]["tokenNumber"] == 3
    assert await bookings(node) == [("us_customer0", 1), ("us_customer11", 2), ("us_customer10", 3)]
    assert await differences(node) == []


async def test_two_nodes_that_rebuild_one_shard_at_once_agree(node: Node, options: NodeOptions, shop: TestShop) -> None:
    async with running(options) as other:
        for turn in range(5):
            await lose_memory(node.redis, options.prefix)
            joins = [send((node, other)[n % 2], customer(1000 + 100 * turn + n // 2), **shop.join()) for n in range(10)]
            answers = await asyncio.gather(*joins, return_exceptions=True)
            assert sum(isinstance(answer, Result) for answer in answers) == 5
        assert await differences(node) == []
        assert len(await bookings(node)) == 26


async def test_a_days_timer_that_fires_too_early_is_there_still(node: Node) -> None:
    """As after each rebuild, which makes all of them due at once."""
    shop = await TestShop.create(node)
    await shop.open(node)
    barber, staff = shop.barbers[0], shop.staff[0]
    await send(node, staff, type="close", barberId=barber, waiting="cancel")
    assert await node.engine.expire(f"day|{shop.shop_id}|{barber}")
    await send(node, staff, type="open", barberId=barber)
    assert await compare(node.pool, node.redis, node.keys) == []


async def test_the_two_events_of_a_transfer_are_committed_together(node: Node, shop: TestShop) -> None:
    batches: list[list[str]] = []
    node.journal.listeners.append(lambda events: batches.append([event.data["type"] for event in events]))
    node.journal._most = 1
    line = await shop.fill(node, 5, first=20)
    await asyncio.gather(
        *(send(node, ADMIN, type="transfer", bookingId=booking, toBarberId=shop.barbers[1]) for booking in line)
    )
    assert all(batch in (["join"], ["transfer", "transfer"]) for batch in batches)
    assert await differences(node) == []


async def test_the_two_events_of_a_transfer_are_read_together(node: Node, shop: TestShop) -> None:
    """However many are read at a time: between them the customer is in no line."""
    [booking_id] = await shop.fill(node, 1, first=20)
    await send(node, shop.staff[0], type="transfer", bookingId=booking_id, toBarberId=shop.barbers[1])
    async with node.pool.acquire() as connection:
        whole = await events_after(connection, shop.shop_id, 0)
        types = [[event["type"] for event, _ in await events_after(connection, shop.shop_id, 0, n)] for n in (4, 5, 6)]
    line = ["open", "open", "join", "join"]
    assert [event["type"] for event, _ in whole] == [*line, "transfer", "transfer"]
    assert types == [line, line, [*line, "transfer", "transfer"]]


@pytest.mark.parametrize("lost", [False, True], ids=["", "after Redis lost its memory"])
@pytest.mark.parametrize(("action", "status"), [("skip", "waiting"), ("no_show", "skipped")])
async def test_the_no_show_timer_fires_once_on_two_nodes(
    node: Node, options: NodeOptions, lost: bool, action: str, status: str
) -> None:
    async with running(options) as other:
        shop = await TestShop.create(node, grace_seconds=1, grace_action=action)
        await shop.open(node)
        fired = [committed(each, action) for each in (node, other)]
        [called, _] = await shop.fill(node, 2)
        if lost:
            await lose_memory(node.redis, options.prefix)
        done, _ = await asyncio.wait(fired, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        assert [event.result().data["reason"] for event in done] == ["grace_expired"]
        await send(node, shop.staff[0], type="pause", barberId=shop.barbers[0])  # no more of them
        count = "SELECT count(*) FROM queue_events WHERE booking_id = $1 AND actor_role = 'system'"
        assert await node.pool.fetchval(count, called) == 1
        assert await node.pool.fetchval("SELECT status FROM bookings WHERE booking_id = $1", called) == status
        assert await differences(node) == []
