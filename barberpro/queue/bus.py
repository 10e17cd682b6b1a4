"""News between nodes: what is committed, and which shards were rebuilt, over Redis's sharded pub/sub.

Pub/sub may lose messages. Nothing rests on it but speed: who listens compares with Postgres (views.py).
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog

from barberpro.queue.gateway import RedisAway, RedisClient
from barberpro.queue.metrics import PUBLISH_SECONDS
from barberpro.queue.pulse import Pulse
from barberpro.queue.scripts import Event, Told
from barberpro.queue.tasks import end
from barberpro.storage.keys import Keys

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 0.2
_PING_SECONDS: Final = 1.0
_DEAF_SECONDS: Final = 4.0
"""A connection that did not even answer pings for so long is given up: it may be half open."""


Parcels = Mapping[int, Sequence[Event]]
"""Committed events by shard; a shard without any gets a notice only."""


class Bus:
    """Publishes what this node committed; hands on what other nodes did, for the shards it follows."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._node = secrets.token_hex(8)
        self._followed: set[int] = set()
        self._listened: set[int] = set()
        """The shards that other nodes follow, as far as this one knows."""
        self._notice = self._parcel([])
        """Says only: look at Postgres again."""
        self._pubsub: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._outbox: defaultdict[int, list[Event]] = defaultdict(list)
        self._outgoing = asyncio.Event()
        self._following = asyncio.Event()
        self.pulse = Pulse()
        """Whatever is heard is a sign of life; none is due while no shard is followed."""
        self.on_events: list[Callable[[Sequence[Told]], None]] = []
        self.on_doubt: list[Callable[[], None]] = []
        """Called when a shard was rebuilt somewhere: what is known of it should be compared with Postgres."""

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._write(), name="bus-write"),
            asyncio.create_task(self._read(), name="bus-read"),
        ]
        self.pulse.carried_by(*self._tasks)

    async def close(self) -> None:
        await end(self._tasks)
        await self._drop_pubsub()

    # Out -----------------------------------------------------------------------------------------------------

    def committed(self, events: Sequence[Event]) -> None:
        """Queues committed events for publishing, and for leaving the stream in which they waited."""
        for event in events:
            self._outbox[self._keys.shard_of(event.shop_id)].append(event)
        # Behind the answers to those who wait for these events.
        asyncio.get_running_loop().call_soon(self._outgoing.set)

    def rebuilt(self, shop_ids: list[str]) -> None:
        for shop_id in shop_ids:
            self._outbox[self._keys.shard_of(shop_id)] += []  # a notice
        self._outgoing.set()

    async def _write(self) -> None:
        while True:
            await self._outgoing.wait()
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
        return orjson.dumps({"node": self._node, "events": told})

    # In ------------------------------------------------------------------------------------------------------

    async def follow(self, shop_id: str) -> None:
        """From now on, other nodes' news of this shop's shard are handed on."""
        shard = self._keys.shard_of(shop_id)
        if shard in self._followed:
            return
        self._followed.add(shard)
        self._following.set()
        self.pulse.due()
        if self._pubsub is not None:
            try:
                await self._pubsub.ssubscribe(self._keys.channel(shard))
            except RedisAway:
                await self._drop_pubsub()  # the reader connects anew, to all that is followed

    async def _read(self) -> None:
        while True:
            try:
                await self._listen()
            except RedisAway as error:
                log.info("bus_deaf", problem=repr(error))
            except Exception:
                log.exception("bus_read_failed")
            await self._drop_pubsub()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        await self._following.wait()
        self._pubsub = self._client.pubsub()
        await self._pubsub.ssubscribe(*(self._keys.channel(shard) for shard in self._followed))
        unheard = 0.0
        while self._pubsub is not None and unheard < _DEAF_SECONDS:
            message = await self._pubsub.get_message(timeout=_PING_SECONDS)
            if message is None:
                unheard += _PING_SECONDS
                await self._pubsub.ping()
                continue
            unheard = 0.0
            self.pulse.beat()
            if message["type"] == "smessage":
                self._take(orjson.loads(message["data"]))

    def _take(self, parcel: dict[str, Any]) -> None:
        if parcel["node"] == self._node:
            return
        events: list[Told] = parcel["events"]
        if events:
            for listener in self.on_events:
                listener(events)
        else:
            for doubter in self.on_doubt:
                doubter()

    async def _drop_pubsub(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            try:
                await pubsub.aclose()
            except RedisAway:
                log.debug("pubsub_close_failed")
