"""What breaks: stores that stand still, memory that is lost or old, commits that are held back."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asyncpg import Pool

from barberpro.server.embedded import EmbeddedServices
from barberpro.server.embedded.postgres import PORT, USER
from barberpro.storage.primaries import Primaries
from loadtests.faults.network import Network
from loadtests.faults.processes import freeze, thaw
from tests.support.clusters import Cluster

_FORGET = """
local cursor = '0'
repeat
    local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1] .. '*', 'COUNT', 1000)
    cursor = page[1]
    for _, key in ipairs(page[2]) do redis.call('DEL', key) end
until cursor == '0'
"""


def network_to(stores: EmbeddedServices) -> Network:
    """A way to Postgres that can be cut."""
    return Network(os.fspath(stores.postgres.socket_directory / f".s.PGSQL.{PORT}"))


def through(network: Network, database_url: str) -> str:
    """The URL of a database of embedded stores, by that way."""
    return f"postgresql://{USER}:@127.0.0.1:{network.port}{urlsplit(database_url).path}?sslmode=disable"


async def lose_memory(primaries: Primaries, prefix: str) -> None:
    """Deletes every key of one deployment at once, as FLUSHALL would, and nobody else's."""
    for redis in primaries.shards():
        await redis.eval(_FORGET, 0, prefix)


async def forget_everything(primaries: Primaries) -> None:
    """FLUSHALL, on each Redis."""
    for redis in primaries.shards():
        await redis.flushall()


async def remember(primaries: Primaries, prefix: str) -> dict[bytes, bytes]:
    """Every key of one deployment, as it is now."""
    dumps = {
        key: await redis.dump(key)
        for redis in primaries.shards()
        async for key in redis.scan_iter(match=f"{prefix}*", count=1000)
    }
    return {key: dump for key, dump in dumps.items() if dump is not None}


async def fall_back(primaries: Primaries, prefix: str, old: dict[bytes, bytes]) -> None:
    """Makes Redis know what it knew then, and unaware of it: not restarted, so nobody is warned."""
    await lose_memory(primaries, prefix)
    for key, dump in old.items():
        await primaries.at(key.decode()).restore(key, 0, dump)


class HeldPool:
    """A pool whose commits wait until it is released: a node that stands still between script and commit."""

    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool = pool
        self._free = asyncio.Event()
        self.holds = asyncio.Event()
        """Set when a commit has come and waits."""

    def release(self) -> None:
        self._free.set()

    async def fetch(self, query: str, *values: object) -> list[Any]:
        if "commit_events" in query:
            self.holds.set()
            await self._free.wait()
        rows: list[Any] = await self._pool.fetch(query, *values)
        return rows

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pool has
        return getattr(self._pool, name)


@asynccontextmanager
async def standing_still(services: EmbeddedServices) -> AsyncIterator[None]:
    """Postgres neither answers nor refuses until the end of the block, as when its disk hangs (SIGSTOP)."""
    leader = services.postgres.pid
    assert leader is not None
    stopped = await asyncio.to_thread(freeze, leader)
    try:
        yield
    finally:
        thaw(stopped)


def copy_file(services: EmbeddedServices, to: Path) -> None:
    """Copies Valkey's append-only file as it is now; of a cluster, each node's. Blocking."""
    for number, directory in enumerate(_files(services)):
        shutil.copytree(directory, to / str(number))


def put_back(services: EmbeddedServices, copy: Path) -> None:
    """Puts an old copy in the place of Valkey's append-only file; it must not be running. Blocking."""
    for number, directory in enumerate(_files(services)):
        shutil.rmtree(directory)
        shutil.copytree(copy / str(number), directory)


def remove_file(services: EmbeddedServices) -> None:
    """Removes Valkey's append-only file; it must not be running. Blocking."""
    for directory in _files(services):
        shutil.rmtree(directory)


def _files(services: EmbeddedServices) -> list[Path]:
    """The append-only file, which is a directory; of a cluster, each node's."""
    valkey = services.valkey
    nodes = valkey.members if isinstance(valkey, Cluster) else [valkey]
    return [node.append_only_directory for node in nodes]
