"""The way to Postgres falls silent and nobody is told: what was connected says nothing any more, for good."""

import asyncio
from pathlib import Path

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.catalogue import Shop
from barberpro.storage.postgres import close_pool, connect_pool
from tests.support.faults import network_to, through
from tests.support.shops import TestShop, code_of, customer, new_id, running, send
from tests.support.whole_server import whole_server

SECONDS = 60
PATIENCE = 2
END_SECONDS = 10
"""Within which a server ends."""


async def acknowledged(node: Node, shop: TestShop, number: int) -> None:
    """Sends a join until it is acknowledged."""
    join = shop.join() | {"commandId": new_id()}
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await send(node, customer(number), **join)
            except BarberProError as error:
                if not error.temporary:
                    raise
                await asyncio.sleep(0.05)  # as a client pauses
            else:
                return


async def test_a_node_makes_new_connections_when_those_that_it_has_fall_silent(
    stores: EmbeddedServices, database_url: str, redis_url: str, redis_prefix: str
) -> None:
    async with network_to(stores) as network:
        url = through(network, database_url)
        async with running(NodeOptions(url, redis_url, redis_prefix, patience=PATIENCE)) as node:
            shop = await TestShop.create(node)
            await shop.open(node)
            network.fall_silent()
            waiting = asyncio.create_task(acknowledged(node, shop, 1))
            while not node.journal.down:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
            await network.mend()
            await waiting
            network.fall_silent()  # it can close all the same


async def test_a_server_ends_in_time_all_the_same(
    stores: EmbeddedServices, database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with network_to(stores) as network:
        async with whole_server(NodeOptions(through(network, database_url), redis_url, redis_prefix), tmp_path):
            network.fall_silent()
            asked = loop.time()
        assert loop.time() - asked < END_SECONDS


async def test_whoever_falls_silent_in_a_transaction_loses_its_locks(
    stores: EmbeddedServices, database_url: str
) -> None:
    """Or a node that was cut off in the middle of a rebuild would hold up its shard for good."""
    async with network_to(stores) as network:
        silent = await connect_pool(through(network, database_url), 1, PATIENCE)
        other = await connect_pool(database_url, 1, SECONDS)
        try:
            connection = await silent.acquire()
            await connection.transaction().start()
            await connection.execute("LOCK TABLE watermarks IN EXCLUSIVE MODE")
            network.fall_silent()
            await other.execute("BEGIN; LOCK TABLE watermarks IN EXCLUSIVE MODE; COMMIT")
        finally:
            silent.terminate()
            await close_pool(other)


async def test_a_command_that_waited_for_longer_than_its_caller_does_not_begin(
    node: Node, database_url: str, redis_url: str, redis_prefix: str
) -> None:
    """By then the caller may have asked elsewhere, and have been refused for good."""
    shop = await TestShop.create(node)
    await shop.open(node)
    async with running(NodeOptions(database_url, redis_url, redis_prefix, patience=0.5)) as slow:
        shop_of = slow.catalogue.shop

        async def late(shop_id: str) -> Shop | None:
            await asyncio.sleep(1)
            return await shop_of(shop_id)

        slow.catalogue.shop = late  # type: ignore[method-assign]  # as when Postgres does not answer for a while
        assert await code_of(send(slow, customer(1), **shop.join())) is ErrorCode.PERSISTENCE_UNAVAILABLE
    assert await node.pool.fetchval("SELECT count(*) FROM bookings") == 0
