"""The server as `barberpro serve` builds it, in this process, on a test's own stores. Holds no tests itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiohttp import ClientWebSocketResponse, web
from aiohttp.test_utils import TestClient
from prometheus_client.parser import text_string_to_metric_families

from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Actor
from barberpro.server.app import RunningServer, build_server
from barberpro.server.node import NodeOptions
from barberpro.server.settings import Settings
from tests.support.serving import OurTestServer
from tests.support.shops import Json, TestShop


class WholeServer:
    """With a shop of two open lines."""

    def __init__(
        self, server: RunningServer, shop: TestShop, client: "TestClient[web.Request, web.Application]"
    ) -> None:
        self.running = server
        self.node = server.node
        self.doors = server.doors
        self.shop = shop
        self.client = client
        self.app = server.app

    def bearer(self, who: Actor) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(who)}"}

    def token(self, who: Actor, seconds: int = 3600) -> str:
        return self.app[SERVICES].tokens.mint(who, seconds)

    async def watch(self, who: Actor, query: str = "") -> ClientWebSocketResponse:
        """A socket in the first barber's queue, subscribed."""
        path = f"/ws/queue/{self.shop.barbers[0]}{query}"
        socket = await self.client.ws_connect(path, headers=self.bearer(who))
        assert orjson.loads(await socket.receive_str())["event"] == "subscribed"
        return socket

    async def scrape(self) -> "Scrape":
        async with self.client.get("/metrics") as response:
            assert response.status == 200
            return Scrape(await response.text())

    async def ready(self) -> tuple[int, dict[str, bool]]:
        """Status and parts of /health/ready."""
        async with self.client.get("/health/ready") as response:
            body: Json = await response.json()
            parts = body["data"]["parts"] if response.status == 200 else body["error"]["details"]["parts"]
            return response.status, parts


class Scrape:
    """The samples of an answer of /metrics."""

    def __init__(self, text: str) -> None:
        families = list(text_string_to_metric_families(text))
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
        self.families = {family.name: family for family in families}

    def __getitem__(self, name: str) -> float:
        """The value of a sample without labels."""
        return self.of(name)

    def of(self, name: str, **labels: str) -> float:
        """The value of a sample, 0 when there is none yet."""
        return self.samples.get((name, frozenset(labels.items())), 0.0)

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label has."""
        return {dict(labels)[label] for sample, labels in self.samples if sample == name}


@asynccontextmanager
async def whole_server(
    options: NodeOptions,
    keys: Path,
    **more: Any,  # noqa: ANN401 - settings, checked by them
) -> AsyncIterator[WholeServer]:
    """A started server, stopped at the end. keys: a directory for its keys. more: other settings, each of its type."""
    given = {"keys_dir": keys, "requests_per_minute": 0, **more}
    settings = await asyncio.to_thread(lambda: Settings(**given))  # it looks for a .env
    server = await build_server(settings, options)
    try:
        shop = await TestShop.create(server.node)
        await shop.open(server.node)
        async with TestClient(OurTestServer(server.app)) as client:
            try:
                yield WholeServer(server, shop, client)
            finally:
                await server.doors.close()
    finally:
        await server.close()
