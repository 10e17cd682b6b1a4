"""The REST door of a node on a test's own stores, and a caller who reads its answers. Holds no tests itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from multidict import CIMultiDictProxy

from barberpro.domain.blocks import Blocks
from barberpro.domain.find import Find
from barberpro.domain.identity import Tokens
from barberpro.domain.keys import SigningKey
from barberpro.domain.no_shows import NoShows
from barberpro.handlers.callers import Proxies
from barberpro.handlers.origins import Origins
from barberpro.handlers.ratelimit import RateLimiter
from barberpro.handlers.ratelimit.gate import Gate
from barberpro.handlers.rest import setup_rest
from barberpro.handlers.rest.health import READY
from barberpro.handlers.services import SERVICES, Limits, Services
from barberpro.protocol.actors import Actor
from barberpro.queue.estimate import PaceEstimator
from barberpro.queue.states import StateBuilder
from barberpro.server.node import Node, NodeOptions
from barberpro.server.readiness import Readiness
from barberpro.server.search_index import SearchIndex
from barberpro.storage.cache import Cache
from tests.support.serving import OurTestServer
from tests.support.shops import Json, TestShop, lookup, running

BLOCK_SECONDS = 60
UNLIMITED = Limits(requests_per_minute=0, connections_per_user=10_000, commands=100_000)
Setup = Callable[[web.Application], None]


@lru_cache(maxsize=1)
def tokens() -> Tokens:
    """With a key made once a session: that is slow."""
    return Tokens(SigningKey(generate_private_key(public_exponent=65537, key_size=2048), "test"))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    body: Json

    @property
    def data(self) -> Any:  # noqa: ANN401 - any JSON
        assert self.body["success"] is True, self.body
        return self.body["data"]

    @property
    def code(self) -> str:
        """The refusal's code; it must be one."""
        assert self.body["success"] is False, self.body
        code: str = self.body["error"]["code"]
        return code

    @property
    def refused_fields(self) -> list[str]:
        """The paths of the fields that were refused."""
        assert self.status == 400, self.body
        return [field["path"] for field in self.body["error"]["details"]["fields"]]


class Door:
    """A node, a shop of two barbers on it, and its REST door."""

    def __init__(
        self,
        node: Node,
        shop: TestShop,
        client: "TestClient[web.Request, web.Application]",
        gate: Gate,
    ) -> None:
        self.node = node
        self.shop = shop
        self.client = client
        self.gate = gate

    async def call(
        self,
        method: str,
        path: str,
        who: Actor | None = None,
        body: object = None,
        **headers: str,
    ) -> Answer:
        """Calls `path` below /api/v1 as `who`. headers: with underscores for hyphens. Bytes are sent as they are."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["Authorization"] = f"Bearer {tokens().mint(who)}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        raw = body if isinstance(body, bytes | None) else orjson.dumps(body)
        async with self.client.request(method, f"/api/v1{path}", data=raw, headers=sent) as response:
            return Answer(response.status, response.headers, orjson.loads(await response.read()))

    async def get(self, path: str, who: Actor | None = None) -> Answer:
        return await self.call("GET", path, who)

    async def post(self, path: str, who: Actor | None, body: object, **headers: str) -> Answer:
        return await self.call("POST", path, who, body, **headers)

    async def put(self, path: str, who: Actor | None, body: object, **headers: str) -> Answer:
        return await self.call("PUT", path, who, body, **headers)

    async def patch(self, path: str, who: Actor | None, body: object, **headers: str) -> Answer:
        return await self.call("PATCH", path, who, body, **headers)

    def booking_body(self, barber: int = 0, **fields: object) -> Json:
        return {"barberId": self.shop.barbers[barber], "serviceIds": [self.shop.service], **fields}


async def head_of(client: "TestClient[web.Request, web.Application]", sent: bytes) -> bytes:
    """The status and the headers that these bytes get."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(30):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


@asynccontextmanager
async def rest_door(
    options: NodeOptions,
    limits: Limits = UNLIMITED,
    extend: Setup | None = None,
    zone: str = "Etc/UTC",
    *,
    origins: Origins = "*",
    patience: float = 10.0,
    no_shows: int = 0,
) -> AsyncIterator[Door]:
    """A served door whose shop's lines are open. extend: adds to the app what a test needs.

    patience: the seconds that a connection has for its first request. no_shows: after which a telephone is asked for.
    """
    async with running(options) as node:
        shop = await TestShop.create(node, zone=zone)
        await shop.open(node)
        app = web.Application()
        app[SERVICES] = _services(node, options.prefix, limits, origins, NoShows(node.pool, no_shows))
        app[READY] = Readiness(node, {}).parts
        setup_rest(app)
        if extend is not None:
            extend(app)
        async with TestClient(OurTestServer(app, patience)) as client:
            yield Door(node, shop, client, app[SERVICES].gate)


def _services(node: Node, prefix: str, limits: Limits, origins: Origins, no_shows: NoShows) -> Services:
    limiter = RateLimiter(node.redis, prefix, limits.requests_per_minute, lookup)
    return Services(
        engine=node.engine,
        views=node.views,
        catalogue=node.catalogue,
        states=StateBuilder(PaceEstimator()),
        tokens=tokens(),
        pool=node.pool,
        keys=node.keys,
        limits=limits,
        gate=Gate(limiter, Blocks(node.pool, BLOCK_SECONDS)),
        no_shows=no_shows,
        find=Find(node.pool, Cache(node.redis, prefix, "find"), SearchIndex(node.pool).refresh),
        proxies=Proxies((ip_network("127.0.0.1"),)),
        origins=origins,
    )
