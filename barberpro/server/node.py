"""One node: the engine with everything that it stands on, wired together and started in order."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from asyncpg import Pool
from redis.exceptions import RedisError

from barberpro.domain.relations import CommandAccess
from barberpro.queue.bus import Bus
from barberpro.queue.calls import CallBuilder
from barberpro.queue.engine import Engine
from barberpro.queue.gateway import Gateway
from barberpro.queue.gateways import Gateways
from barberpro.queue.journal import Journal
from barberpro.queue.keeper import Keeper
from barberpro.queue.metrics import EngineFigures
from barberpro.queue.pulse import Pulse
from barberpro.queue.recovery import Recovery
from barberpro.queue.scripts import Library, load_library
from barberpro.queue.tracing import TracedBus, TracedEngine, TracedGateway, TracedJournal
from barberpro.queue.trim import EVERYTHING, Kept, Trimmer
from barberpro.queue.views import Views
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.deployment import claim_deployment
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import close_pool, connect_pool
from barberpro.storage.primaries import Primaries

_COMMITS: Final = 3
"""Connections of the journal: two batches, and a look at what an answer rests on."""
_LEAST_PATIENCE: Final = 2.0
"""Seconds for one answer of Postgres: with less, one that is only busy would be taken for silent."""


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """What a node needs to know. max_backlog: unconfirmed events a shard may hold before it refuses.

    kept: for how long events and audit entries are, which a node trims.
    traced: whether spans are made of commands; where they go is the process's matter (server/traces.py).
    """

    database_url: str
    redis_url: str
    prefix: str = "bp"
    shards: int = 64
    max_backlog: int = 10_000
    pool_size: int = 10
    patience: float = 5.0
    kept: Kept = EVERYTHING
    traced: bool = False


_Kinds = tuple[type[Journal], type[Gateway], type[Engine], type[Bus]]
_PLAIN: Final[_Kinds] = (Journal, Gateway, Engine, Bus)
_TRACED: Final[_Kinds] = (TracedJournal, TracedGateway, TracedEngine, TracedBus)


class Node:
    """`await Node.start(options)`, then `engine`; `await close()` at the end."""

    def __init__(
        self,
        options: NodeOptions,
        pool: "Pool[Any]",
        commits: "Pool[Any]",
        redis: Primaries,
        library: Library,
        seal: Callable[[str], str],
        lookup: Callable[[str, str], str],
    ) -> None:
        """commits: connections for the journal alone, so that no crowd of readers is in front of it."""
        self.pool = pool
        self._commits = commits
        self.redis = redis
        self.keys = Keys(options.prefix, options.shards)
        self.catalogue = Catalogue(pool, options.max_backlog)
        self.recovery = Recovery(pool, redis, library, self.keys)
        journal, gateway, engine, bus = _TRACED if options.traced else _PLAIN
        self.journal = journal(commits, self.recovery)
        self.gateway = Gateways(
            redis, lambda client: gateway(client, library, options.patience / 2, self.journal.add, redis.doubt)
        )
        self.engine = engine(
            CommandAccess(),
            self.catalogue,
            self.gateway,
            self.journal,
            self.recovery,
            CallBuilder(self.keys, seal, lookup),
            pool,
            options.patience,
        )
        self.bus = bus(redis, self.keys)
        self.keeper = Keeper(redis, self.keys, self.journal, self.engine.expire, self.recovery.warm)
        self.views = Views(pool, self.bus)
        self.trimmer = Trimmer(pool, options.kept)
        self.figures = EngineFigures(self.recovery, self.views, self.keeper, self.trimmer, pool)
        self.pulses: dict[str, Pulse] = {
            "journal": self.journal.pulse,
            "bus": self.bus.pulse,
            "keeper": self.keeper.pulse,
            "views": self.views.pulse,
        }
        self.journal.listeners += [self.views.committed, self.bus.committed]
        self.bus.on_events.append(self.views.feed)
        self.bus.on_doubt.append(self.views.doubt)
        self.recovery.rebuilt += [self.bus.rebuilt, lambda _: self.views.doubt()]
        # The keeper may have many shards to rebuild in one round: each of them is a step.
        self.recovery.rebuilt.append(lambda _: self.keeper.pulse.beat())

    @classmethod
    async def start(cls, options: NodeOptions, seal: Callable[[str], str], lookup: Callable[[str, str], str]) -> "Node":
        """Connects and starts. seal, lookup: as CallBuilder takes them.

        Raises ShardsDifferError, and what the stores raise when they are away.
        """
        # A command's patience has room for two answers of a store: one that never comes, and the next one.
        patience = max(_LEAST_PATIENCE, options.patience / 2)
        pool = await connect_pool(options.database_url, options.pool_size, patience)
        try:
            await claim_deployment(pool, options.shards)
            commits = await connect_pool(options.database_url, _COMMITS, patience)
        except BaseException:
            await close_pool(pool)
            raise
        library = await asyncio.to_thread(load_library, options.prefix)
        redis = Primaries(options.redis_url, options.shards, options.patience / 2)
        with contextlib.suppress(RedisError, OSError):  # it may come later
            await redis.look()
        node = cls(options, pool, commits, redis, library, seal, lookup)
        node.journal.start()
        node.bus.start()
        node.keeper.start()
        node.views.start()
        node.trimmer.start()
        return node

    async def close(self) -> None:
        """Finishes what is in flight, then lets go of the stores."""
        await self.trimmer.close()
        await self.keeper.close()
        await self.gateway.close()
        await self.journal.close()
        await self.views.close()
        await self.bus.close()
        await self.recovery.close()
        await self.catalogue.close()
        await self.redis.aclose()
        await close_pool(self._commits)
        await close_pool(self.pool)
