"""The stores that a run uses: private embedded ones, or those of the URLs given; scratch databases in either."""

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from redis.asyncio import Redis

from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import NodeOptions
from barberpro.storage.migrate import migrate
from loadtests.bench.cpu import cpu_seconds


@dataclass(slots=True)
class Stores:
    """A Postgres server and a Redis. Databases made here are dropped at the end, keys are removed."""

    server_url: str
    redis_url: str
    databases: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    pids: dict[str, int] = field(default_factory=dict)
    """The stores' processes by name; none when they are not ours."""

    async def database(self) -> str:
        """The URL of a fresh database."""
        name = f"barberpro_bench_{secrets.token_hex(4)}"
        await self._command(f'CREATE DATABASE "{name}" TEMPLATE template0')
        self.databases.append(name)
        return urlunsplit(urlsplit(self.server_url)._replace(path=f"/{name}"))

    async def node_options(self) -> NodeOptions:
        """For a node with a fresh, migrated database and a key prefix of its own."""
        database_url = await self.database()
        await migrate(database_url)
        prefix = f"bench-{secrets.token_hex(4)}"
        self.prefixes.append(prefix)
        return NodeOptions(database_url, self.redis_url, prefix=prefix)

    async def checkpoint(self) -> None:
        """So that no measured round pays for what an earlier one wrote."""
        await self._command("CHECKPOINT")

    def cpu(self) -> dict[str, float]:
        """Processor seconds that each store has used so far."""
        return {name: cpu_seconds(pid) for name, pid in self.pids.items()}

    async def clear(self) -> None:
        """Removes whatever this run made."""
        for name in self.databases:
            await self._command(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        async with Redis.from_url(self.redis_url) as redis:
            for prefix in self.prefixes:
                async for key in redis.scan_iter(match=f"{prefix}:*", count=1000):
                    await redis.unlink(key)

    async def _command(self, sql: str) -> None:
        connection = await asyncpg.connect(self.server_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@asynccontextmanager
async def bench_stores(database_url: str | None, redis_url: str | None) -> AsyncIterator[Stores]:
    """The stores of the URLs; private ones in a temporary directory when none are given."""
    if database_url is not None and redis_url is not None:
        stores = Stores(database_url, redis_url)
        try:
            yield stores
        finally:
            await stores.clear()
        return
    with tempfile.TemporaryDirectory(prefix="barberpro-bench-") as directory:
        services = EmbeddedServices(Path(directory) / "stores")
        async with services as urls:
            stores = Stores(urls.database_url, urls.redis_url)
            for name, pid in (("postgres", services.postgres.pid), ("redis", services.valkey.pid)):
                if pid is not None:
                    stores.pids[name] = pid
            yield stores
