"""One node: the engine with everything that it stands on, wired together and started in order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncpg import Pool
from redis.asyncio import Redis

from barberpro.queue.bus import Bus
from barberpro.queue.calls import CallBuilder
from barberpro.queue.engine import Engine
from barberpro.queue.gateway import Gateway
from barberpro.queue.journal import Journal
from barberpro.queue.keeper import Keeper
from barberpro.queue.recovery import Recovery
from barberpro.queue.scripts import Library, load_library
from barberpro.queue.views import Views
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.deployment import claim_deployment
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import connect_pool
from barberpro.storage.redis import connect


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """What a node needs to know. max_backlog: unconfirmed events a shard may hold before it refuses."""

    database_url: str
    redis_url: str
    prefix: str = "bp"
    shards: int = 64
    max_backlog: int = 10_000
    pool_size: int = 10
    patience: float = 5.0


class Node:
    """`await Node.start(options)`, then `engine`; `await close()` at the end."""

    def __init__(
        self,
        options: NodeOptions,
        pool: "Pool[Any]",
        redis: Redis,
        library: Library,
        seal: Callable[[str], str],
    ) -> None:
        self.pool = pool
        self.redis = redis
        self.keys = Keys(options.prefix, options.shards)
        self.catalogue = Catalogue(pool, options.max_backlog)
        self.gateway = Gateway(redis, options.patience / 2)
        self.recovery = Recovery(pool, redis, library, self.keys)
        self.journal = Journal(pool, self.recovery)
        self.engine = Engine(
            self.catalogue,
            self.gateway,
            self.journal,
            self.recovery,
            CallBuilder(library, self.keys, seal),
            pool,
            options.patience,
        )
        self.bus = Bus(redis, self.keys)
        self.keeper = Keeper(redis, self.keys, self.journal, self.engine.expire, self.recovery.warm)
        self.views = Views(pool, self.bus)
        self.journal.listeners += [self.views.feed, self.bus.committed]
        self.bus.on_events.append(self.views.feed)
        self.bus.on_doubt.append(self.views.doubt)
        self.recovery.rebuilt += [self.bus.rebuilt, lambda _: self.views.doubt()]

    @classmethod
    async def start(cls, options: NodeOptions, seal: Callable[[str], str]) -> "Node":
        """Connects and starts. Raises ShardsDifferError, and what the stores raise when they are away."""
        pool = await connect_pool(options.database_url, options.pool_size)
        try:
            await claim_deployment(pool, options.shards)
        except BaseException:
            await pool.close()
            raise
        library = await asyncio.to_thread(load_library, options.prefix)
        node = cls(options, pool, connect(options.redis_url, options.patience / 2), library, seal)
        node.journal.start()
        node.bus.start()
        node.keeper.start()
        node.views.start()
        return node

    async def close(self) -> None:
        """Finishes what is in flight, then lets go of the stores."""
        await self.keeper.close()
        await self.gateway.close()
        await self.journal.close()
        await self.views.close()
        await self.bus.close()
        await self.recovery.close()
        await self.redis.aclose()
        await self.pool.close()
