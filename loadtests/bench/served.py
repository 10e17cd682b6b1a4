"""BarberPro as it is served: `barberpro serve` as a process of its own on the run's stores, and ways into it."""

import asyncio
import itertools
import os
import secrets
import socket
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
from asyncpg import Pool

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import signing_key
from barberpro.protocol.actors import Actor, Role
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import connect_pool
from barberpro.storage.shops import NewService, NewShop, create_shop
from loadtests.bench.askers import Asker
from loadtests.bench.child import Child, child
from loadtests.bench.entrance import hang_up, let_in, nobody
from loadtests.bench.ours import Chair, chairs_of
from loadtests.bench.sockets import Way
from loadtests.bench.stores import Stores

_START_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR")
_SHARDS: Final = 64
_BARBERPRO: Final = Path(sys.executable).with_name("barberpro")
BARBERPRO: Final = (str(_BARBERPRO),)
SHOP: Final = NewShop("Shop", "Asia/Kolkata", "INR", ("Barber",), (NewService("Haircut", Decimal("250.00"), 20),), {})


@dataclass(slots=True)
class Served:
    """A running server with one queue, in which nobody stands until it is filled."""

    process: Child
    port: int
    barber_id: str
    service_id: str
    _http: aiohttp.ClientSession
    _barber: str
    """The barber's token."""
    _numbers: "itertools.count[int]"
    _hand: Asker | None = None
    """The barber's own, in no room, from the first change on: what a command costs on a live connection is little."""

    @property
    def socketio(self) -> Way:
        """Into the queue's room, to its public state."""
        return Way("socketio", self.port, room=f"queue:{self.barber_id}", greeted=True)

    @property
    def websocket(self) -> Way:
        return Way("websocket", self.port, path=f"/ws/queue/{self.barber_id}", greeted=True)

    async def change(self) -> None:
        """One durable change of the queue, by a command: it is opened and paused in turn, so its state stays short."""
        number = next(self._numbers)
        command = {"commandId": f"c{number}", "type": ("open", "pause")[number % 2], "barberId": self.barber_id}
        if self._hand is None:
            hand = Asker(Way("socketio", self.port), self._barber, nobody)
            await let_in([hand])
            self._hand = hand
        answer = await self._hand.ask(command)
        assert answer["ok"], answer

    async def close(self) -> None:
        if self._hand is not None:
            await hang_up([self._hand])

    async def fill(self, count: int) -> None:
        """The queue is opened and so many walk in, so that the room's states are long. Before any change."""
        await self.change()
        url = f"http://127.0.0.1:{self.port}/api/v1/queue/commands"
        join = {"type": "join", "barberId": self.barber_id, "serviceIds": [self.service_id]}
        for number in range(count):
            walk_in = {**join, "commandId": f"j{number}", "customer": {"name": f"Customer {number}"}}
            async with self._http.post(url, json=walk_in) as answer:
                assert answer.status == 200, await answer.text()

    async def evictions(self) -> int:
        """Clients that this server cut off because they were too slow."""
        return int((await self.metrics())["barberpro_evictions_total"])

    async def metrics(self) -> dict[str, float]:
        """What /metrics tells, by name; series that differ in their labels only are added up."""
        found: defaultdict[str, float] = defaultdict(float)
        async with self._http.get(f"http://127.0.0.1:{self.port}/metrics") as answer:
            for line in (await answer.text()).splitlines():
                if not line.startswith("#"):
                    series, _, value = line.rpartition(" ")
                    found[series.partition("{")[0]] += float(value)
        return found


_Read = TypeVar("_Read")


async def chairs(pool: "Pool[Any]", shop_id: str) -> list[Chair]:
    return await chairs_of(Catalogue(pool), shop_id)


class Deployment:
    """A database, a key prefix and a signing key; servers come and go on them."""

    def __init__(self, stores: Stores, database_url: str, prefix: str, keys_dir: Path) -> None:
        self.prefix = prefix
        """What its keys in Redis begin with."""
        self._database_url = database_url
        self._redis_url = stores.redis_url
        self.keys_dir = keys_dir
        self._tokens = Tokens(signing_key(keys_dir, create=True))
        self._chair: Chair | None = None
        self._numbers = itertools.count()

    def customers(self, count: int) -> list[str]:
        """Tokens of so many users: a user may have no more than twenty connections."""
        return [self.token(Actor(f"us_{number:016d}", Role.CUSTOMER)) for number in range(count)]

    def token(self, actor: Actor, seconds: int = 86_400) -> str:
        """seconds: how long it is good; less than none, how long it has been bad."""
        return self._tokens.mint(actor, seconds)

    async def shops(
        self, count: int, shop: NewShop, read: Callable[["Pool[Any]", str], Awaitable[_Read]]
    ) -> list[_Read]:
        """Writes so many, and reads each by its id. A server must have run on the deployment before."""
        async with self.pool() as pool:
            return [await read(pool, await create_shop(pool, self.keys, shop)) for _ in range(count)]

    @property
    def keys(self) -> Keys:
        return Keys(self.prefix, _SHARDS)

    @asynccontextmanager
    async def pool(self) -> AsyncIterator["Pool[Any]"]:
        """Connections to its database."""
        pool = await connect_pool(self._database_url, 4)
        try:
            yield pool
        finally:
            await pool.close()

    async def check(self) -> list[str]:
        """The differences that `barberpro check` tells of; none when it passes."""
        process = await asyncio.create_subprocess_exec(
            _BARBERPRO, "check", env=self._environment, cwd=self.keys_dir, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        assert process.returncode in {0, 1}, f"barberpro check ended with {process.returncode}"
        return told.decode().splitlines() if process.returncode else []

    @property
    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "DATABASE_URL": self._database_url,
            "REDIS_URL": self._redis_url,
            "BARBERPRO_REDIS_PREFIX": self.prefix,
            "BARBERPRO_SHARDS": str(_SHARDS),
            "BARBERPRO_KEYS_DIR": str(self.keys_dir),
            "BARBERPRO_REQUESTS_PER_MINUTE": "0",
            "BARBERPRO_COMMANDS_PER_10_SECONDS": "10000000",
            "BARBERPRO_LOG_LEVEL": "error",
        }

    @asynccontextmanager
    async def server(self, port: int | None = None, program: Sequence[str] = BARBERPRO) -> AsyncIterator[Served]:
        """One that is ready; ended by SIGTERM. port: any that is free when None. program: what is told to `serve`."""
        port = port or free_port()
        environment = self._environment | {"BARBERPRO_PORT": str(port)}
        async with (
            child(*program, "serve", environment=environment, directory=self.keys_dir) as process,
            aiohttp.ClientSession() as http,
        ):
            await _ready(process, http, port)
            if self._chair is None:
                self._chair = (await self.shops(1, SHOP, chairs))[0][0]
            barber_id = self._chair.barber_id
            barber = self.token(Actor(f"us_{barber_id}", Role.BARBER, barber_id=barber_id))
            http.headers["Authorization"] = f"Bearer {barber}"
            served = Served(process, port, barber_id, self._chair.service_ids[0], http, barber, self._numbers)
            try:
                yield served
            finally:
                await served.close()


@asynccontextmanager
async def deployment(stores: Stores) -> AsyncIterator[Deployment]:
    database_url = await stores.database()
    prefix = f"bench-{secrets.token_hex(4)}"
    stores.prefixes.append(prefix)
    with tempfile.TemporaryDirectory(prefix="barberpro-bench-keys-") as directory:
        yield Deployment(stores, database_url, prefix, Path(directory))


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _ready(process: Child, http: aiohttp.ClientSession, port: int) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            assert not process.ended, "barberpro serve has ended"
            try:
                async with http.get(f"http://127.0.0.1:{port}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(_LOOK_SECONDS)
