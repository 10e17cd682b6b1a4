"""Five hundred sockets, two hundred changes a second, cuts at random: nobody goes back, and all end with one truth."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from barberpro.server.node import NodeOptions
from tests.support.live_server import LiveServer, live_server
from tests.support.shops import TestShop, customer, send

SOCKETS = 500
RATE = 200
SECONDS = 3
CUT_SHARE = 0.2
VERSION = re.compile(r'"epoch":(\d+),"seq":(\d+)')


@pytest.fixture
async def server(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(NodeOptions(database_url, redis_url, redis_prefix), tmp_path) as server:
        yield server


class Watcher:
    """A client of a queue's room that comes back with what it has whenever it is cut off."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.version = (0, 0)
        self.newest = ""
        self.resumed = 0

    async def run(self) -> None:
        while True:
            epoch, seq = self.version
            query = f"?epoch={epoch}&seq={seq}" if seq else ""
            async with self._http.ws_connect(self._url + query) as socket:
                self._socket = socket
                async for message in socket:
                    self._take(message.data)
            self.resumed += 1

    def _take(self, text: str) -> None:
        match = VERSION.search(text)
        assert match is not None, text
        version = int(match.group(1)), int(match.group(2))
        assert version >= self.version, f"{version} after {self.version}"
        self.version = version
        if '"state":null' not in text:
            self.newest = text[text.index('"businessDate"') :].rstrip("}")

    def cut(self) -> None:
        if self._socket is not None and self._socket._response.connection is not None:
            transport = self._socket._response.connection.transport
            if transport is not None:
                transport.abort()


@pytest.mark.timeout(120)
async def test_all_sockets_end_with_one_truth_and_none_goes_back(server: LiveServer) -> None:
    shop = await TestShop.create(server.node, queue_capacity=5000)
    await shop.open(server.node)
    token = server.mint("customer", "us_watcher", None, None)
    url = f"{server.url}/ws/queue/{shop.barbers[0]}"
    chance = random.Random(7)  # noqa: S311 - which are cut
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, connector=connector) as http:
        watchers = [Watcher(http, url) for _ in range(SOCKETS)]
        tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]
        async with asyncio.timeout(30):
            while not all(watcher.version[0] for watcher in watchers):  # noqa: ASYNC110 - a count of many
                await asyncio.sleep(0.05)
        _, *waiting = await shop.fill(server.node, 4)
        commands = []
        for number in range(RATE * SECONDS):
            # Moves are possible in whatever order they come to be.
            booking, position = waiting[number % len(waiting)], chance.randint(2, 4)
            move = {"type": "move", "bookingId": booking, "position": position, "reason": "correction"}
            commands.append(send(server.node, shop.staff[0], **move))
            if number % (RATE // 10) == 0:
                await asyncio.gather(*commands)
                commands.clear()
                for watcher in chance.sample(watchers, int(SOCKETS * CUT_SHARE / 10)):
                    watcher.cut()
            await asyncio.sleep(1 / RATE)
        await asyncio.gather(*commands)
        result = await send(server.node, customer(9), **shop.join())
        last = (result.data["queue"]["epoch"], result.data["queue"]["seq"])
        async with asyncio.timeout(30):
            while any(watcher.version != last for watcher in watchers):
                assert not any(task.done() for task in tasks), [task for task in tasks if task.done()][:1]
                await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert len({watcher.newest for watcher in watchers}) == 1
    assert sum(watcher.resumed for watcher in watchers) > SOCKETS * CUT_SHARE
