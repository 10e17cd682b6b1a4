"""Keeps what searches look into up to date: every two seconds, on whichever node comes first."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final, Self

import structlog
from asyncpg import Pool
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from barberpro.queue.outlooks import refresh_lines
from barberpro.storage import search_index as index
from barberpro.storage.lines import forget_lines
from barberpro.storage.postgres import AnyConnection, Away, close_pool, connect_pool
from barberpro.storage.search import SETTINGS
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 2.0
_CONNECTIONS: Final = 4
_AT_ONCE: Final = 100
"""Shops of one transaction, which must not stand still for longer than a pool of ours allows."""


class SearchIndex(Collector):
    """One a node; a lock in Postgres has one of them do the work at a time. Tells its figures for /metrics."""

    def __init__(self, pool: "Pool[Any]") -> None:
        self.pool = pool
        self._task: asyncio.Task[None] | None = None
        self._shops = 0
        self._fresh = time.monotonic()

    @classmethod
    async def open(cls, database_url: str, patience: float) -> Self:
        """With connections of its own, for searches, too: a crowd of them is not in front of anything else.

        Raises what Postgres raises while it is away.
        """
        return cls(await connect_pool(database_url, _CONNECTIONS, patience, SETTINGS))

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="search_index")

    async def close(self) -> None:
        """After who searches with its connections."""
        await end([self._task])
        await close_pool(self.pool)

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "barberpro_search_index_shops", "Shops that were brought up to date here for searches.", self._shops
        )
        yield GaugeMetricFamily(
            "barberpro_search_index_age_seconds", "How old what is searched is.", time.monotonic() - self._fresh
        )

    async def refresh(self, *, wait: bool = True) -> None:
        """Until all is known that was committed before the call. wait: for another node that is at it; else that one
        is left to it. Raises what storage.postgres.Away lists.
        """
        while True:
            async with self.pool.acquire() as connection, connection.transaction():
                if await self._round(connection, wait=wait):
                    return

    async def _round(self, connection: AnyConnection, *, wait: bool) -> bool:
        """Whether nothing is left to do."""
        now = await index.claim(connection, wait=wait)
        if now is None:
            return True
        shops = await index.behind(connection, _AT_ONCE)
        if shops:
            changed = [shop["shop_id"] for shop in shops if shop["changed"]]
            if changed:
                await index.put_barbers(connection, changed)
            await refresh_lines(connection, {shop["shop_id"]: shop["known_seq"] or 0 for shop in shops}, now)
            await index.put_shops(connection, shops)
            self._shops += len(shops)
        if len(shops) < _AT_ONCE:
            await forget_lines(connection, now)
            await index.put_mark(connection, now)
            return True
        return False

    async def _run(self) -> None:
        while True:
            try:
                await self.refresh(wait=False)
                self._fresh = time.monotonic() - await index.age(self.pool)
            except Away as error:
                log.info("search_index_waits", problem=repr(error))
            except Exception:
                log.exception("search_index_failed")
            await asyncio.sleep(_LOOK_SECONDS)
