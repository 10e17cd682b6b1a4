"""Stores are killed, frozen, emptied and put back old, under load: nothing acknowledged is lost or contradicted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from barberpro.protocol.codes import ErrorCode
from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import Node, NodeOptions
from loadtests.faults.processes import cut_power
from tests.support.crowd import Crowd
from tests.support.faults import copy_file, forget_everything, put_back, remove_file, standing_still
from tests.support.shops import TestShop, customer, refusal, running, send

CUSTOMERS = 120

Fault = Callable[[EmbeddedServices, Crowd], Awaitable[None]]


@pytest.fixture
async def options(own_stores: EmbeddedServices) -> NodeOptions:
    """Of a deployment on stores that may be killed."""
    return NodeOptions(own_stores.urls.database_url, own_stores.urls.redis_url, patience=2)


@pytest.fixture
async def nodes(options: NodeOptions) -> AsyncIterator[list[Node]]:
    """Two nodes on them."""
    async with running(options) as first, running(options) as second:
        yield [first, second]


@pytest.fixture
async def crowd(nodes: list[Node]) -> Crowd:
    """A crowd in front of a shop that is open."""
    shop = await TestShop.create(nodes[0], queue_capacity=1000)
    await shop.open(nodes[0])
    return Crowd(nodes, shop)


async def empty_redis(stores: EmbeddedServices, crowd: Crowd) -> None:
    await forget_everything(crowd.nodes[0].redis)


async def kill_redis(stores: EmbeddedServices, crowd: Crowd) -> None:
    await stores.valkey.kill()
    await stores.valkey.start()


async def kill_redis_and_remove_its_file(stores: EmbeddedServices, crowd: Crowd) -> None:
    await stores.valkey.kill()
    await asyncio.to_thread(remove_file, stores)
    await stores.valkey.start()


async def stop_postgres(stores: EmbeddedServices, crowd: Crowd) -> None:
    await stores.postgres.stop()
    await crowd.met_unavailable(50)
    await stores.postgres.start()


async def kill_postgres(stores: EmbeddedServices, crowd: Crowd) -> None:
    await cut_power(stores.postgres)
    await crowd.met_unavailable(5)
    await stores.postgres.start()


async def freeze_postgres(stores: EmbeddedServices, crowd: Crowd) -> None:
    async with standing_still(stores):
        await crowd.met_unavailable(5)


async def kill_both(stores: EmbeddedServices, crowd: Crowd) -> None:
    await asyncio.gather(cut_power(stores.postgres), stores.valkey.kill())
    await asyncio.to_thread(remove_file, stores)
    await asyncio.gather(stores.postgres.start(), stores.valkey.start())


async def freeze_postgres_and_empty_redis(stores: EmbeddedServices, crowd: Crowd) -> None:
    async with standing_still(stores):
        await crowd.met_unavailable(1)
        await forget_everything(crowd.nodes[0].redis)
        await crowd.met_unavailable(1)


@pytest.mark.parametrize(
    "fault",
    [
        empty_redis, kill_redis, kill_redis_and_remove_its_file, stop_postgres, kill_postgres, freeze_postgres,
        kill_both, freeze_postgres_and_empty_redis,
    ],
)  # fmt: skip
async def test_nothing_acknowledged_is_lost_when_a_store_fails_under_load(
    own_stores: EmbeddedServices, crowd: Crowd, fault: Fault
) -> None:
    load = asyncio.create_task(crowd.visit(range(CUSTOMERS)))
    for answers in (40, 90):
        await crowd.answered(answers)
        await fault(own_stores, crowd)
    await load
    assert len(crowd.acknowledged) > CUSTOMERS
    assert await crowd.repeat_all() == []
    assert await crowd.problems(crowd.nodes[0]) == []


async def test_an_old_file_put_back_under_redis_takes_nothing_back(
    own_stores: EmbeddedServices, crowd: Crowd, tmp_path: Path
) -> None:
    await crowd.visit(range(60))
    await asyncio.to_thread(copy_file, own_stores, tmp_path / "old")
    await crowd.visit(range(60, 120))
    await own_stores.valkey.kill()
    await asyncio.to_thread(put_back, own_stores, tmp_path / "old")
    await own_stores.valkey.start()
    assert await crowd.repeat_all() == []
    await crowd.visit(range(120, 180))
    assert await crowd.problems(crowd.nodes[0]) == []


async def test_an_old_file_put_back_under_load_takes_nothing_back(
    own_stores: EmbeddedServices, crowd: Crowd, tmp_path: Path
) -> None:
    load = asyncio.create_task(crowd.visit(range(CUSTOMERS)))
    await crowd.answered(40)
    await asyncio.to_thread(copy_file, own_stores, tmp_path / "old")
    await crowd.answered(90)
    await own_stores.valkey.kill()
    await asyncio.to_thread(put_back, own_stores, tmp_path / "old")
    await own_stores.valkey.start()
    await load
    assert await crowd.repeat_all() == []
    assert await crowd.problems(crowd.nodes[0]) == []


async def test_commands_pile_up_to_the_bound_while_postgres_hangs_and_commit_afterwards(
    own_stores: EmbeddedServices, options: NodeOptions
) -> None:
    bounded = NodeOptions(options.database_url, options.redis_url, max_backlog=20, patience=0.5)
    async with running(bounded) as node:
        shop = await TestShop.create(node, queue_capacity=1000)
        await shop.open(node)
        crowd = Crowd([node], shop)
        async with standing_still(own_stores):
            load = asyncio.create_task(crowd.visit(range(60), waves=1))
            await crowd.met_unavailable(120)
            assert len(crowd.acknowledged) == 0
            shard = node.keys.shard_of(shop.shop_id)
            backlog = await node.redis.of(shard).xlen(f"{node.keys.generation(shard, 1)}events")
            assert backlog == 20
            refused = await refusal(send(node, customer(999), **shop.join()))
            assert refused.code is ErrorCode.PERSISTENCE_UNAVAILABLE
            assert refused.temporary
            assert refused.retry_after is not None
        await load
        assert await crowd.problems(node) == []
