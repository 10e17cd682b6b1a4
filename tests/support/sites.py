"""A place where BarberPro runs as its users run it: a directory of its own, a port of its own, real processes."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from redis.asyncio import Redis

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import signing_key
from barberpro.protocol.actors import Actor, Role
from barberpro.server.embedded import EmbeddedServices, StoreUrls
from barberpro.server.embedded.files import is_locked
from barberpro.server.seed import demo_shop, seed
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import connect_pool
from tests.support.programs import Finished, Program, program, run
from tests.support.shops import Json

STOP_SECONDS = 10.0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def free_ports(count: int) -> range:
    """So many of them, one behind the other."""
    while True:
        first = free_port()
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + count):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return range(first, first + count)


class Site:
    """`directory` holds the embedded stores; programs run beside it, where no `.env` of anybody's is read."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.directory = home / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def embedded(self, command: str, *arguments: str) -> list[str]:
        return [command, "--embedded", str(self.directory), *arguments]

    async def run(self, command: str, *arguments: str) -> Finished:
        """A command on this site's stores, to its end."""
        return await run(self.home, *self.embedded(command, *arguments))

    async def seed(self) -> Json:
        """A new shop, as `seed --json` prints it; the schema is there."""
        async with self.stores() as urls:
            pool = await connect_pool(urls.database_url, 1)
            try:
                return await seed(pool, Keys("bp", 64), demo_shop())
            finally:
                await pool.close()

    @asynccontextmanager
    async def serving(self, *arguments: str, workers: int = 1) -> AsyncIterator[Program]:
        """`barberpro serve`, listening and ready."""
        words = self.embedded("serve", "--port", str(self.port), "--workers", str(workers), *arguments)
        async with program(self.home, *words, BARBERPRO_REQUESTS_PER_MINUTE="0") as server:
            await server.says('"event": "listening"', workers)
            yield server

    async def get(self, path: str, token: str | None = None) -> tuple[int, Json]:
        """Status and body of a GET, on a connection of its own."""
        return await self.request("GET", path, token)

    async def request(
        self, method: str, path: str, token: str | None = None, body: Json | None = None
    ) -> tuple[int, Any]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(self.url, headers=headers) as session,
            session.request(method, path, json=body) as answer,
        ):
            return answer.status, await answer.json()

    async def mint(self, role: Role, **fields: Any) -> str:  # noqa: ANN401 - fields of an actor
        """A token signed with the site's own key."""
        key = await asyncio.to_thread(partial(signing_key, self.directory / "keys", create=False))
        return Tokens(key).mint(Actor(id=fields.pop("user", f"us_{role}"), role=role, **fields))

    @asynccontextmanager
    async def stores(self) -> AsyncIterator[StoreUrls]:
        """The stores, started when they are not running."""
        async with EmbeddedServices(self.directory) as urls:
            yield urls

    @asynccontextmanager
    async def redis(self) -> AsyncIterator[Redis]:
        async with self.stores() as urls, Redis.from_url(urls.redis_url) as redis:
            yield redis

    async def stores_run(self) -> bool:
        """Whether a store of this site is alive."""
        return await asyncio.to_thread(self._stores_run)

    def _stores_run(self) -> bool:
        locks = [self.directory / "run" / f"{name}.lock" for name in ("postgres", "valkey")]
        return any(lock.exists() and is_locked(lock) for lock in locks)

    async def clear_away(self) -> None:
        """Ends stores that a killed server left behind, and removes everything."""
        if await self.stores_run():
            async with self.stores():
                pass
        await asyncio.to_thread(shutil.rmtree, self.home, ignore_errors=True)


def kill(pid: int) -> None:
    """Ends a process as a power cut would."""
    os.kill(pid, signal.SIGKILL)
