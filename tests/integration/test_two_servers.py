"""Two servers of one deployment: what happens on one is seen on the other, in order, whatever is cut in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from tests.support.live_server import LiveServer
from tests.support.shops import Json, TestShop, customer, send

SECONDS = 20.0


@asynccontextmanager
async def watching(server: LiveServer, shop: TestShop) -> AsyncIterator[list[Json]]:
    """The states of the first barber's queue, as this server tells them; they go on coming in."""
    token = server.mint("customer", "us_watcher", None, None)
    heard: list[Json] = []
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(
            f"{server.url}/ws/queue/{shop.barbers[0]}", headers={"Authorization": f"Bearer {token}"}
        ) as socket,
    ):
        heard.append(orjson.loads(await socket.receive_str())["state"])

        async def listen() -> None:
            async for message in socket:
                heard.append(orjson.loads(message.data))  # noqa: PERF401 - it is read while it grows

        listener = asyncio.create_task(listen())
        try:
            yield heard
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


async def reaches(heard: list[Json], seq: int) -> None:
    """Waits until the newest state is that of this seq; none may have gone back before."""
    async with asyncio.timeout(SECONDS):
        while heard[-1]["seq"] < seq:  # noqa: ASYNC110 - the list tells nobody
            await asyncio.sleep(0.01)
    versions = [(state["epoch"], state["seq"]) for state in heard]
    assert versions == sorted(set(versions))


@pytest.mark.also_on_a_cluster
async def test_what_happens_on_one_is_seen_on_the_other_in_order(servers: tuple[LiveServer, LiveServer]) -> None:
    first, second = servers
    shop = await TestShop.create(first.node)
    await shop.open(first.node)
    async with watching(first, shop) as here, watching(second, shop) as there:
        nodes = (first.node, second.node)
        results = await asyncio.gather(
            *(send(nodes[number % 2], customer(number), **shop.join()) for number in range(60))
        )
        newest = max(result.data["queue"]["seq"] for result in results)
        await reaches(here, newest)
        await reaches(there, newest)
        assert here[-1]["waiting"] == there[-1]["waiting"]
        assert here[-1]["counts"]["waiting"] == 59


async def test_a_server_whose_news_are_cut_off_shows_the_truth_by_itself(
    servers: tuple[LiveServer, LiveServer],
) -> None:
    first, second = servers
    shop = await TestShop.create(first.node)
    await shop.open(first.node)
    async with watching(second, shop) as there:
        await second.node.bus.close()  # deaf for good: pub/sub brings nothing any more
        result = await send(first.node, customer(1), **shop.join())
        await reaches(there, result.data["queue"]["seq"])
        assert second.node.views.repairs > 0


@pytest.mark.also_on_a_cluster
async def test_when_one_ends_the_other_goes_on(servers: tuple[LiveServer, LiveServer]) -> None:
    first, second = servers
    shop = await TestShop.create(first.node)
    await shop.open(first.node)
    async with watching(second, shop) as there:
        last = await asyncio.gather(*(send(first.node, customer(number), **shop.join()) for number in range(10)))
        await first.running.doors.close()
        result = await send(second.node, shop.staff[0], type="advance", barberId=shop.barbers[0])
        assert result.data["queue"]["seq"] == max(each.data["queue"]["seq"] for each in last) + 1
        await reaches(there, result.data["queue"]["seq"])
        assert there[-1]["serving"]["tokenNumber"] == 1
