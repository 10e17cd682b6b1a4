"""News to and from one Redis, over its sharded pub/sub."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from barberpro.queue.gateway import RedisAway, RedisClient
from barberpro.queue.metrics import PUBLISH_SECONDS
from barberpro.queue.pulse import Pulse
from barberpro.queue.scripts import Event
from barberpro.storage.keys import Keys
from barberpro.storage.redis import News
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_LEISURE_SECONDS: Final = 0.02
"""While no other node listens, what is confirmed leaves the stream by the dozen: each trip to Redis costs as much as a
command."""
_RETRY_SECONDS: Final = 0.2
_PING_SECONDS: Final = 1.0
_DEAF_SECONDS: Final = 4.0
"""A connection that did not even answer pings for so long is given up: it may be half open."""

Parcels = Mapping[int, Sequence[Event]]
"""Committed events by shard; a shard without any gets a notice only."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all couriers of a node share. heard: gets each parcel that comes in. failed: told of errors.

    pulse: whatever is heard on any of them is a sign of life.
    """

    node: str
    keys: Keys
    pulse: Pulse
    heard: Callable[[dict[str, Any]], None]
    failed: Callable[[], None]


class Courier:
    """Publishes what this node committed in the shards of one Redis; hears of those that are followed there."""

    def __init__(self, client: RedisClient, shared: Shared) -> None:
        self._client = client
        self._shared = shared
        self._keys = shared.keys
        self._followed: set[int] = set()
        self._listened: set[int] = set()
        """The shards that other nodes follow, as far as this one knows."""
        self._notice = self._parcel([])
        """Says only: look at Postgres again."""
        self._pubsub: News | None = None
        self._resorted = False
        self._outbox: defaultdict[int, list[Event]] = defaultdict(list)
        self._outgoing = asyncio.Event()
        self._following = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.tasks = [
            asyncio.create_task(self._write(), name="bus-write"),
            asyncio.create_task(self._read(), name="bus-read"),
        ]

    async def close(self) -> None:
        await end(self.tasks)
        if self._outbox:
            await self._publish(self._outbox)
        await self._drop_pubsub()

    # Out -----------------------------------------------------------------------------------------------------

    def put(self, shard: int, events: Sequence[Event]) -> None:
        """Committed events of a shard, to go out at the next `flush`; none: a notice."""
        self._outbox[shard] += events

    def flush(self) -> None:
        self._outgoing.set()

    async def _write(self) -> None:
        while True:
            await self._outgoing.wait()
            if not self._listened:
                await asyncio.sleep(_LEISURE_SECONDS)
            self._outgoing.clear()
            parcels, self._outbox = self._outbox, defaultdict(list)
            await self._publish(parcels)

    async def _publish(self, parcels: Parcels) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for shard, events in parcels.items():
            told = self._parcel(events) if shard in self._listened else self._notice
            pipeline.execute_command("SPUBLISH", self._keys.channel(shard), told)
        for shard, events in parcels.items():
            for epoch in {event.epoch for event in events}:
                # Confirmed: it need not wait in the stream any more. What is missed here, the keeper finds.
                ids = [event.stream_id for event in events if event.epoch == epoch]
                pipeline.execute_command("XDEL", f"{self._keys.generation(shard, epoch)}events", *ids)
        try:
            with PUBLISH_SECONDS.timed():
                answers = await pipeline.execute(raise_on_error=False)
        except RedisAway as error:
            log.info("publish_failed", problem=repr(error))
            self._shared.failed()
        else:
            self._learn(parcels, answers)

    def _learn(self, shards: Iterable[int], answers: Sequence[Any]) -> None:
        """Who is listening, from how many were reached. A notice makes a newcomer look for itself."""
        for shard, reached in zip(shards, answers, strict=False):
            others = reached - (shard in self._followed) if isinstance(reached, int) else 0
            if others > 0:
                self._listened.add(shard)
            else:
                self._listened.discard(shard)

    def _parcel(self, events: Sequence[Event]) -> bytes:
        told = [(orjson.Fragment(event.raw), orjson.Fragment(event.born or b"null")) for event in events]
        return orjson.dumps({"node": self._shared.node, "events": told})

    # In ------------------------------------------------------------------------------------------------------

    async def follow(self, shard: int) -> None:
        """From now on, what is told of this shard is heard, too."""
        self._followed.add(shard)
        self._following.set()
        self._shared.pulse.due()
        try:
            await self._subscribe(shard)
        except RedisAway:
            await self._drop_pubsub()  # the reader connects anew, to all that is followed

    async def _subscribe(self, shard: int) -> None:
        """Raises RedisAway. While there is no connection it is left to the reader, who makes one."""
        pubsub = self._pubsub
        if pubsub is not None:
            await pubsub.ssubscribe(self._keys.channel(shard))

    def follow_only(self, shards: set[int]) -> None:
        """Others have come here, or have gone: the reader connects anew."""
        if shards != self._followed:
            self._followed, self._resorted = shards, True
            if shards:
                self._following.set()
            else:
                self._following.clear()

    async def _read(self) -> None:
        while True:
            try:
                await self._listen()
            except RedisAway as error:
                log.info("bus_deaf", problem=repr(error))
                self._shared.failed()
            except Exception:
                log.exception("bus_read_failed")
            await self._drop_pubsub()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        await self._following.wait()
        self._resorted = False
        pubsub = News(self._client)
        await pubsub.connect()
        self._pubsub = pubsub
        for shard in tuple(self._followed):  # one by one: in a cluster, each has a slot of its own
            await self._subscribe(shard)
        unheard = 0.0
        while (pubsub := self._pubsub) is not None and not self._resorted and unheard < _DEAF_SECONDS:
            message = await pubsub.get_message(timeout=_PING_SECONDS)
            if message is None:
                unheard += _PING_SECONDS
                await pubsub.ping()
                continue
            unheard = 0.0
            self._shared.pulse.beat()
            if message["type"] == "smessage":
                self._shared.heard(orjson.loads(message["data"]))
            elif message["type"] == "sunsubscribe":  # nobody asked for it: the shard's slot has moved
                self._shared.failed()
                return

    async def _drop_pubsub(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            try:
                await pubsub.aclose()
            except RedisAway:
                log.debug("pubsub_close_failed")
