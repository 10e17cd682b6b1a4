"""GET /health/ready: each part is broken for real, is named within ten seconds, and is well again when it works."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import NodeOptions
from barberpro.server.readiness import Readiness
from barberpro.tasks import end
from tests.support.faults import HeldPool
from tests.support.shops import customer, send
from tests.support.whole_server import WholeServer, whole_server

PARTS = {"postgres", "redis", "journal", "bus", "keeper", "views", "hub", "congestion"}
TOLD_SECONDS = 10.0
SILENT_SECONDS = 6.0
"""For so long a part that works may have nothing to show."""


@pytest.fixture
async def server(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[WholeServer]:
    async with whole_server(NodeOptions(database_url, redis_url, redis_prefix), tmp_path) as server:
        yield server


async def absent(server: WholeServer) -> set[str]:
    """The parts that are not ready; the status and the figure for Prometheus agree."""
    status, parts = await server.ready()
    assert parts.keys() == PARTS
    missing = {part for part, works in parts.items() if not works}
    assert status == (503 if missing else 200)
    return missing


async def becomes(server: WholeServer, missing: set[str], seconds: float = TOLD_SECONDS) -> None:
    """Waits until exactly these parts are not ready."""
    start = time.monotonic()
    while (found := await absent(server)) != missing:
        assert time.monotonic() - start < seconds, found
        await asyncio.sleep(0.2)


async def all_stir(server: WholeServer) -> None:
    """Waits until each part has nothing to do, or has shown a sign of life since; the node is ready all the while."""
    parts = {**server.node.pulses, **server.doors.pulses}
    begun = time.monotonic()
    while waiting := [name for name, pulse in parts.items() if pulse.age > time.monotonic() - begun]:
        assert await absent(server) == set()
        assert time.monotonic() - begun < SILENT_SECONDS, waiting
        await asyncio.sleep(0.1)


def task_named(name: str) -> "asyncio.Task[Any]":
    """Of the bus's there is one for each primary."""
    return next(task for task in asyncio.all_tasks() if task.get_name() == name)


async def test_a_node_at_work_is_ready_and_so_is_one_at_rest(server: WholeServer) -> None:
    assert await absent(server) == set()
    socket = await server.watch(customer(1))
    for number in range(8):
        await send(server.node, customer(number), **server.shop.join())
        assert await absent(server) == set()
    for _ in ("at work", "at rest"):
        await all_stir(server)
    await socket.close()


async def test_who_asks_and_goes_away_at_once_leaves_no_question_behind(server: WholeServer) -> None:
    asking = asyncio.create_task(Readiness(server.node, {}).parts())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    del asking
    gc.collect()  # a question that was never asked is told of when it is forgotten: a warning


async def test_however_many_ask_the_stores_are_asked_for_all_of_them(server: WholeServer) -> None:
    redis, readiness = next(iter(server.node.redis.shards())), Readiness(server.node, {})

    async def pings() -> int:
        stats: dict[str, Any] = await redis.info("commandstats")
        return int(stats.get("cmdstat_ping", {"calls": 0})["calls"])

    before = await pings()
    told = await asyncio.gather(*(readiness.parts() for _ in range(50)))
    assert all(all(parts.values()) for parts in told)
    assert await pings() - before < 10  # other parts of the node have questions of their own


@pytest.mark.parametrize(
    ("task", "part"),
    [
        ("journal-0", "journal"),
        ("bus-read", "bus"),
        ("bus-write", "bus"),
        ("views", "views"),
        ("hub", "hub"),
        ("hub-requote", "hub"),
        ("congestion", "congestion"),
    ],
)
async def test_a_part_whose_task_has_ended_is_named(server: WholeServer, task: str, part: str) -> None:
    assert await absent(server) == set()
    await end([task_named(task)])
    await becomes(server, {part}, 1.0)
    assert (await server.scrape()).of("barberpro_ready", part=part) == 0
    assert (await server.scrape()).of("barberpro_ready", part="postgres") == 1


async def test_a_keeper_that_is_started_again_is_well_again(server: WholeServer) -> None:
    await end([task_named("keeper")])
    await becomes(server, {"keeper"}, 1.0)
    server.node.keeper.start()
    await becomes(server, set(), 1.0)


async def test_a_journal_whose_commit_does_not_end_is_named_though_postgres_answers(server: WholeServer) -> None:
    held = HeldPool(server.node.pool)
    server.node.journal._pool = cast("Any", held)
    joining = asyncio.create_task(send(server.node, customer(1), **server.shop.join()))
    await held.holds.wait()
    assert await absent(server) == set()
    await becomes(server, {"journal"})
    held.release()
    await becomes(server, set(), 2.0)
    await asyncio.gather(joining, return_exceptions=True)


async def test_a_keeper_whose_round_does_not_end_is_named(server: WholeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    free = asyncio.Event()

    async def round_() -> None:
        await free.wait()

    monkeypatch.setattr(server.node.keeper, "round", round_)
    await becomes(server, {"keeper"})
    free.set()
    await becomes(server, set(), 2.0)


@pytest.fixture
async def own_server(own_stores: EmbeddedServices, tmp_path: Path) -> AsyncIterator[WholeServer]:
    options = NodeOptions(own_stores.urls.database_url, own_stores.urls.redis_url)
    async with whole_server(options, tmp_path / "keys") as server:
        yield server


async def test_a_node_that_hears_nothing_of_the_others_is_not_ready(
    own_stores: EmbeddedServices, own_server: WholeServer
) -> None:
    socket = await own_server.watch(customer(1))
    redis: Any = own_server.node.redis.of(own_server.node.keys.shard_of(own_server.shop.shop_id))
    await redis.execute_command("ACL", "SETUSER", "default", "-ssubscribe")
    await redis.client_kill_filter(_type="pubsub")
    await becomes(own_server, {"bus"})
    assert (await send(own_server.node, customer(1), **own_server.shop.join())).data  # all else works
    await redis.execute_command("ACL", "SETUSER", "default", "+ssubscribe")
    await becomes(own_server, set(), 2.0)
    await socket.close()


async def test_a_connection_that_is_open_but_silent_is_given_up_for_another(
    own_stores: EmbeddedServices, own_server: WholeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await own_server.watch(customer(1))
    node = own_server.node
    courier = node.bus._couriers.of(node.keys.shard_of(own_server.shop.shop_id))
    deaf = courier._pubsub

    async def nothing(**_: object) -> None:
        await asyncio.sleep(1)

    monkeypatch.setattr(deaf, "get_message", nothing)
    async with asyncio.timeout(TOLD_SECONDS):
        while courier._pubsub in (deaf, None):  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0.1)
    await becomes(own_server, set(), 2.0)
    await socket.close()
