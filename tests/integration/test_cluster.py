"""A Redis Cluster: shards on three primaries, of which one is lost, replaced, or gives a slot away, under load."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import RedisError

from barberpro.server.commands import run_check
from barberpro.server.node import Node, NodeOptions
from barberpro.server.readiness import Readiness
from barberpro.server.settings import Settings
from tests.support.clusters import Cluster
from tests.support.crowd import Crowd
from tests.support.shops import TestShop, customer, running, send

CUSTOMERS = 40


@pytest.fixture(scope="session")
def redis_url(cluster: Cluster) -> str:
    """Of the cluster, whatever the other tests run on."""
    return cluster.url


@pytest.fixture
async def nodes(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[list[Node]]:
    """Two nodes on the cluster."""
    options = NodeOptions(database_url, redis_url, redis_prefix, patience=1)
    async with running(options) as first, running(options) as second:
        yield [first, second]


@pytest.fixture
async def crowds(nodes: list[Node]) -> list[Crowd]:
    """A crowd for each primary, in front of an open shop that lives there."""
    shops: dict[object, TestShop] = {}
    while len(shops) < len(nodes[0].redis.shards()):
        shop = await TestShop.create(nodes[0], queue_capacity=1000)
        shops.setdefault(nodes[0].redis.of(shard_of(nodes[0], shop)), shop)
    for shop in shops.values():
        await shop.open(nodes[0])
    return [Crowd(nodes, shop) for shop in shops.values()]


def shard_of(node: Node, shop: TestShop) -> int:
    return node.keys.shard_of(shop.shop_id)


def rebuilt_shops(nodes: list[Node]) -> set[str]:
    """The shops of the shards that these nodes rebuild from now on."""
    found: set[str] = set()
    for node in nodes:
        node.recovery.rebuilt.append(found.update)
    return found


async def nothing_is_lost(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        assert await crowd.repeat_all() == []
        assert await crowd.problems(crowd.nodes[0]) == []


async def test_what_is_done_to_shops_of_all_primaries_is_seen_on_the_other_node(
    cluster: Cluster, nodes: list[Node], crowds: list[Crowd]
) -> None:
    first, second = nodes
    assert len(crowds) == len(cluster.members)
    heard: set[str] = set()
    second.bus.on_events.append(lambda events: heard.update(event["shopId"] for event, _ in events))
    for crowd in crowds:
        await second.views.shop(crowd.shop.shop_id)
    customers = itertools.count()
    async with asyncio.timeout(30):
        while unheard := [crowd.shop for crowd in crowds if crowd.shop.shop_id not in heard]:
            for shop in unheard:
                await send(first, customer(next(customers)), **shop.join())
    await asyncio.gather(*(crowd.visit(range(1000, 1010)) for crowd in crowds))
    await nothing_is_lost(crowds)


@pytest.mark.parametrize("file", ["kept", "lost"])
async def test_a_primary_that_is_killed_takes_only_its_own_shops_with_it(
    cluster: Cluster, nodes: list[Node], crowds: list[Crowd], file: str
) -> None:
    hit, *others = crowds
    rebuilt = rebuilt_shops(nodes)
    victim = await cluster.owner(shard_of(nodes[0], hit.shop))
    load = asyncio.create_task(hit.visit(range(CUSTOMERS)))
    await hit.answered(20)
    await victim.kill()
    try:
        await hit.met_unavailable(1)
        with pytest.raises(RedisError):
            await nodes[0].keeper.round()
        assert nodes[0].keeper.away == 1
        assert (await Readiness(nodes[0], {}).parts())["redis"]
        await asyncio.gather(*(other.visit(range(10)) for other in others))
        if file == "lost":
            await asyncio.to_thread(shutil.rmtree, victim.append_only_directory)
    finally:
        await victim.start()
        await cluster.well()
    await load
    await nothing_is_lost(crowds)
    await nodes[0].keeper.round()
    assert nodes[0].keeper.away == 0
    assert rebuilt.isdisjoint(other.shop.shop_id for other in others)
    assert file == "kept" or hit.shop.shop_id in rebuilt


async def test_a_replica_that_is_promoted_is_verified_and_goes_on(
    cluster: Cluster, nodes: list[Node], crowds: list[Crowd]
) -> None:
    hit, *others = crowds
    rebuilt = rebuilt_shops(nodes)
    victim = await cluster.owner(shard_of(nodes[0], hit.shop))
    async with cluster.replica_of(victim) as replica:
        load = asyncio.create_task(hit.visit(range(CUSTOMERS)))
        await hit.answered(20)
        await victim.kill()
        await replica.tell("CLUSTER", "FAILOVER", "TAKEOVER")
        await load
        await asyncio.gather(*(other.visit(range(10)) for other in others))
        assert await cluster.owner(shard_of(nodes[0], hit.shop)) is replica
        await nothing_is_lost(crowds)
        assert rebuilt.isdisjoint(other.shop.shop_id for other in others)


async def test_a_slot_that_moves_key_by_key_delays_its_shops_and_loses_nothing(
    cluster: Cluster, nodes: list[Node], crowds: list[Crowd]
) -> None:
    hit, *others = crowds
    load = asyncio.create_task(hit.visit(range(CUSTOMERS)))
    await hit.answered(20)
    async with cluster.moving_key_by_key(shard_of(nodes[0], hit.shop)):
        await hit.met_unavailable(1)
        await asyncio.gather(*(other.visit(range(10)) for other in others))
    await load
    await nothing_is_lost(crowds)


async def test_a_slot_that_moves_at_once_takes_its_memory_along(
    cluster: Cluster, nodes: list[Node], crowds: list[Crowd]
) -> None:
    hit = crowds[0]
    rebuilt = rebuilt_shops(nodes)
    load = asyncio.create_task(hit.visit(range(CUSTOMERS)))
    await hit.answered(20)
    await cluster.move_at_once(shard_of(nodes[0], hit.shop))
    await load
    await nothing_is_lost(crowds)
    assert rebuilt == set()


async def test_check_reads_every_primary(
    database_url: str, redis_url: str, redis_prefix: str, crowds: list[Crowd], capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.gather(*(crowd.visit(range(3)) for crowd in crowds))
    settings = Settings(_env_file=None, database_url=database_url, redis_url=redis_url, redis_prefix=redis_prefix)
    assert await run_check(settings) == 0
    node, shop = crowds[-1].nodes[0], crowds[-1].shop
    shard = shard_of(node, shop)
    await node.redis.of(shard).delete(f"{node.keys.generation(shard, 1)}shop:{shop.shop_id}")
    assert await run_check(settings) == 1
    assert f"{shop.shop_id}: Redis is at event 0" in capsys.readouterr().out
