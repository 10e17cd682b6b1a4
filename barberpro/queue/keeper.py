"""The keeper: once a second it commits what a dead node left in Redis, fires the timers that are due, and warms the
shards that Redis has forgotten, so that their timers do not wait for the next command.

Every node runs one. That two do the same is harmless: a commit of what is committed changes nothing, and a timer's
script looks whether it is still due.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from barberpro.queue.gateway import RedisAway, RedisClient
from barberpro.queue.journal import Journal
from barberpro.queue.recovery import stream_event
from barberpro.queue.scripts import Event
from barberpro.queue.tasks import end
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import Away

log = structlog.get_logger(__name__)

_LEFT_BEHIND_MS: Final = 1000
_STREAM_LOOK: Final = 200
_TIMERS_LOOK: Final = 200


class Keeper:
    """Looks after all shards of the deployment."""

    def __init__(
        self,
        client: RedisClient,
        keys: Keys,
        journal: Journal,
        expire: Callable[[str], Awaitable[None]],
        warm: Callable[[set[int]], Awaitable[set[int]]],
        every: float = 1.0,
    ) -> None:
        self._client = client
        self._keys = keys
        self._journal = journal
        self._expire = expire
        self._warm = warm
        self._cold: set[int] = set()
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="keeper")

    async def close(self) -> None:
        await end([self._task] if self._task is not None else [])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.round()
            except (*RedisAway, *Away) as error:
                log.info("keeper_waits", problem=repr(error))
            except Exception:
                log.exception("keeper_round_failed")

    async def round(self) -> None:
        """One look at every warm shard."""
        seconds, micros = await self._client.time()
        now = seconds * 1000 + micros // 1000
        epochs = await self._epochs()
        cold = set(range(self._keys.shards)) - epochs.keys()
        if cold != self._cold:
            self._cold = cold - await self._warm(cold)
        pipeline = self._client.pipeline(transaction=False)
        for shard, epoch in epochs.items():
            root = self._keys.generation(shard, epoch)
            pipeline.xrange(f"{root}events", count=_STREAM_LOOK)
            pipeline.zrangebyscore(f"{root}timers", "-inf", now, start=0, num=_TIMERS_LOOK)
        answers: list[Any] = await pipeline.execute() if epochs else []
        due: list[str] = []
        left: list[Event] = []
        for index, (_, epoch) in enumerate(epochs.items()):
            left += [
                stream_event(epoch, entry)
                for entry in answers[2 * index]
                if int(entry[0].split(b"-")[0]) < now - _LEFT_BEHIND_MS
            ]
            due += [timer.decode() for timer in answers[2 * index + 1]]
        if left and not self._journal.down:
            self._journal.add(left)
        if not self._journal.down:
            for timer in due:
                await self._fire(timer)

    async def _fire(self, timer: str) -> None:
        """Runs one timer. One that fails stays due, and holds up none of the others."""
        try:
            await self._expire(timer)
        except (*RedisAway, *Away):
            raise
        except Exception:
            log.exception("timer_failed", timer=timer)

    async def _epochs(self) -> dict[int, int]:
        """The epochs of the shards that are warm."""
        pipeline = self._client.pipeline(transaction=False)
        for shard in range(self._keys.shards):
            pipeline.get(self._keys.epoch(shard))
        values = await pipeline.execute()
        return {shard: int(value) for shard, value in enumerate(values) if value is not None}
