"""What may leak, looked at from outside: of the server's process, of Redis, of Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from asyncpg import Pool
from redis.asyncio import Redis

from loadtests.bench.memory import memory_bytes
from loadtests.bench.served import Deployment, Served
from loadtests.bench.stores import Stores

_MEGA: Final = 1e6
_SAMPLES: Final = 20
"""Entries of a large key whose size is looked at; of all of them would hold Redis up."""
_OF_THE_SERVER: Final = {
    "tasks": "barberpro_tasks",
    "connections": "barberpro_connections",
    "seats": "barberpro_seats",
    "views": "barberpro_views",
    "evictions": "barberpro_evictions_total",
    "pool": "barberpro_postgres_pool_size",
    "backlog": "barberpro_backlog_events",
}
_CONNECTIONS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


class Gauges:
    """One look at everything: figures by name. Sizes are in MB of 1,000,000 bytes.

    Of Redis only the deployment's keys count. What is remembered of commands (`answers`) grows by intent: the answer to
    a command is kept for a day at least. So it stands by itself, and is in none of `redis_keys` and `redis_mb`.
    """

    def __init__(self, served: Served, prefix: str, redis: "Redis", pool: "Pool[Any]") -> None:
        self._served = served
        self._prefix = prefix
        self._redis = redis
        self._pool = pool

    async def look(self) -> dict[str, float]:
        shown = await self._served.metrics()
        return {
            **await asyncio.to_thread(_process, self._served.process.pid),
            **{name: shown[metric] for name, metric in _OF_THE_SERVER.items()},
            **await self._keys(),
            "redis_clients": (await self._redis.info("clients"))["connected_clients"],
            "redis_waste": await self._waste(),
            "postgres_connections": await self._pool.fetchval(_CONNECTIONS),
        }

    async def _waste(self) -> float:
        """What Redis' process has of the system for each byte that it holds: its allocator keeps some for later."""
        memory = await self._redis.info("memory")
        return float(memory["used_memory_rss"] / memory["used_memory"])

    async def _keys(self) -> dict[str, float]:
        found = dict.fromkeys(("redis_keys", "redis_mb", "stream_entries", "answers", "answers_mb"), 0.0)
        async for name in self._redis.scan_iter(match=f"{self._prefix}:*", count=1000):
            key = name.decode()
            # None of a key that is gone since the scan.
            size = (await self._redis.memory_usage(name, samples=_SAMPLES) or 0) / _MEGA
            if ":commands:" in key:
                found["answers"] += await self._redis.hlen(name)
                found["answers_mb"] += size
                continue
            found["redis_keys"] += 1
            found["redis_mb"] += size
            if key.endswith(":events"):
                found["stream_entries"] += await self._redis.xlen(name)
        return found


def _process(pid: int) -> dict[str, float]:
    return {
        "memory_mb": memory_bytes(pid) / _MEGA,
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
    }


@asynccontextmanager
async def gauges(stores: Stores, deployed: Deployment, served: Served) -> AsyncIterator[Gauges]:
    async with Redis.from_url(stores.redis_url) as redis, deployed.pool() as pool:
        yield Gauges(served, deployed.prefix, redis, pool)
