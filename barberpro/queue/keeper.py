"""The keeper: once a second it commits what a dead node left in Redis, fires the timers that are due, and warms the
shards that Redis has forgotten, so that their timers do not wait for the next command.

Every node runs one. That two do the same is harmless: a commit of what is committed changes nothing, and a timer's
script looks whether it is still due.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from barberpro.queue.gateway import RedisAway
from barberpro.queue.journal import Journal
from barberpro.queue.metrics import LOOK_SECONDS
from barberpro.queue.pulse import Pulse
from barberpro.queue.recovery import stream_event
from barberpro.queue.scripts import Event
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import Away
from barberpro.storage.primaries import Primaries
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_LEFT_BEHIND_MS: Final = 1000
_STREAM_LOOK: Final = 200
_TIMERS_LOOK: Final = 200
_TIMERS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for Postgres in the streams of the warm shards, whichever node made it.

    events: of all shards. largest: of the shard with the most. shards: those with any. age_seconds: of the oldest.
    """

    events: int = 0
    largest: int = 0
    shards: int = 0
    age_seconds: float = 0.0

    def __add__(self, other: "Backlog") -> "Backlog":
        return Backlog(
            self.events + other.events,
            max(self.largest, other.largest),
            self.shards + other.shards,
            max(self.age_seconds, other.age_seconds),
        )


class Keeper:
    """Looks after all shards of the deployment."""

    def __init__(
        self,
        primaries: Primaries,
        keys: Keys,
        journal: Journal,
        expire: Callable[[str], Awaitable[bool]],
        warm: Callable[[set[int]], Awaitable[set[int]]],
        every: float = 1.0,
    ) -> None:
        """expire: runs a due timer; False when nobody will ever need it. every: seconds between two rounds."""
        self._primaries = primaries
        self._keys = keys
        self._journal = journal
        self._expire = expire
        self._warm = warm
        self._cold: dict[Redis, set[int]] = {}
        self._backlogs: dict[Redis, Backlog] = {}
        self._every = every
        self._task: asyncio.Task[None] | None = None
        self.pulse = Pulse()
        """Each round is a sign of life, even one that a store's absence cut short: stores are judged by themselves."""
        self._silent: set[Redis] = set()

    @property
    def backlog(self) -> Backlog:
        """As it was at the last look; of a Redis that is away, at the one before."""
        return sum(self._backlogs.values(), start=Backlog())

    @property
    def away(self) -> int:
        """How many of the primaries did not answer, the last time."""
        return len(self._silent)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="keeper")
        self.pulse.carried_by(self._task)

    async def close(self) -> None:
        await end([self._task])

    async def _run(self) -> None:
        while True:
            self.pulse.beat()
            await asyncio.sleep(self._every)
            try:
                await self.round()
            except (*RedisAway, *Away) as error:
                log.info("keeper_waits", problem=repr(error))
            except Exception:
                log.exception("keeper_round_failed")

    async def round(self) -> None:
        """One look at every warm shard, of all primaries at once: one that is away holds up none of the others."""
        shards = self._primaries.shards()
        looks = [self._look(client, own) for client, own in shards.items()]
        problems = [problem for problem in await asyncio.gather(*looks, return_exceptions=True) if problem is not None]
        for client in (self._backlogs.keys() | self._cold.keys()) - shards.keys():
            self._backlogs.pop(client, None)
            self._cold.pop(client, None)
        self._silent &= shards.keys()
        for problem in problems:
            raise problem

    async def _look(self, client: Redis, shards: Sequence[int]) -> None:
        now = await self._time(client)
        epochs, cold = await self._epochs(client, shards)
        if cold != self._cold.get(client, set()):
            self._cold[client] = cold - await self._warm(cold)
        pipeline = client.pipeline(transaction=False)
        for shard, epoch in epochs.items():
            root = self._keys.generation(shard, epoch)
            pipeline.xlen(f"{root}events")
            pipeline.xrange(f"{root}events", count=_STREAM_LOOK)
            pipeline.zrangebyscore(f"{root}timers", "-inf", now, start=0, num=_TIMERS_LOOK)
        with LOOK_SECONDS.timed():
            answers = await self._answers(pipeline) if epochs else []
        of_shards = list(zip(epochs.items(), answers[::3], answers[1::3], answers[2::3], strict=True))
        whole = [each for each in of_shards if not any(isinstance(answer, Exception) for answer in each[1:])]
        self._backlogs[client] = _backlog([each[1] for each in whole], [each[2] for each in whole], now)
        due: list[tuple[str, str]] = []
        left: list[Event] = []
        for (shard, epoch), _, entries, timers in whole:
            left += [stream_event(entry) for entry in entries if _born_ms(entry) < now - _LEFT_BEHIND_MS]
            due += [(f"{self._keys.generation(shard, epoch)}timers", timer.decode()) for timer in timers]
        if not self._journal.down:
            self._journal.add(left)
            await self._fire_all(client, due)

    async def _time(self, client: Redis) -> int:
        """What time it is there, in milliseconds."""
        try:
            seconds, micros = await client.time()
        except RedisAway:
            self._silent.add(client)
            self._primaries.doubt()
            raise
        self._silent.discard(client)
        return int(seconds * 1000 + micros // 1000)

    async def _answers(self, pipeline: Pipeline) -> list[Any]:
        """A shard that is being moved answers with errors, which stand in their places: the others go on."""
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        if any(isinstance(answer, Exception) for answer in answers):
            self._primaries.doubt()
        return answers

    async def _fire_all(self, client: Redis, due: Sequence[tuple[str, str]]) -> None:
        for first in range(0, len(due), _TIMERS_AT_ONCE):
            fired = [self._fire(client, key, timer) for key, timer in due[first : first + _TIMERS_AT_ONCE]]
            for problem in await asyncio.gather(*fired, return_exceptions=True):
                if problem is not None:
                    raise problem
            self.pulse.beat()

    async def _fire(self, client: Redis, key: str, timer: str) -> None:
        """Runs one timer of those that `key` holds. One that fails stays due, and holds up none of the others."""
        try:
            if not await self._expire(timer):
                await client.zrem(key, timer)
                log.info("timer_dropped", timer=timer)
        except (*RedisAway, *Away):
            raise
        except Exception:
            log.exception("timer_failed", timer=timer)

    async def _epochs(self, client: Redis, shards: Sequence[int]) -> tuple[dict[int, int], set[int]]:
        """The epochs of the shards that are warm, and those that are cold."""
        pipeline = client.pipeline(transaction=False)
        for shard in shards:
            pipeline.get(self._keys.epoch(shard))
        found = dict(zip(shards, await self._answers(pipeline), strict=True))
        warm = {shard: int(value) for shard, value in found.items() if isinstance(value, bytes)}
        return warm, {shard for shard, value in found.items() if value is None}


def _born_ms(entry: Any) -> int:  # noqa: ANN401 - (id, fields)
    """When an entry was put into its stream: Redis's time in milliseconds."""
    return int(entry[0].split(b"-")[0])


def _backlog(lengths: Sequence[int], streams: Sequence[Any], now: int) -> Backlog:
    oldest = min((_born_ms(entries[0]) for entries in streams if entries), default=now)
    waiting = [length for length in lengths if length]
    return Backlog(sum(waiting), max(waiting, default=0), len(waiting), max(0, now - oldest) / 1000)
