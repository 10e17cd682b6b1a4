"""News between nodes: what is committed, and which shards were rebuilt, over Redis's sharded pub/sub.

Pub/sub may lose messages. Nothing rests on it but speed: who listens compares with Postgres (views.py).
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
import structlog

from barberpro.queue.gateway import RedisAway, RedisClient
from barberpro.queue.scripts import Event
from barberpro.queue.tasks import end
from barberpro.storage.keys import Keys

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 0.2


class Bus:
    """Publishes what this node committed; hands on what other nodes did, for the shards it follows."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._node = secrets.token_hex(8)
        self._followed: dict[int, None] = {}
        self._pubsub: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._outbox: defaultdict[int, list[Event]] = defaultdict(list)
        self._outgoing = asyncio.Event()
        self._following = asyncio.Event()
        self.on_events: list[Callable[[Sequence[Event]], None]] = []
        self.on_doubt: list[Callable[[], None]] = []
        """Called when a shard was rebuilt somewhere: what is known of it should be compared with Postgres."""

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._write(), name="bus-write"),
            asyncio.create_task(self._read(), name="bus-read"),
        ]

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
            self._outbox[self._keys.shard_of(shop_id)] += []  # an empty parcel says: look at Postgres again
        self._outgoing.set()

    async def _write(self) -> None:
        while True:
            await self._outgoing.wait()
            self._outgoing.clear()
            parcels, self._outbox = self._outbox, defaultdict(list)
            pipeline = self._client.pipeline(transaction=False)
            for shard, events in parcels.items():
                pipeline.execute_command("SPUBLISH", self._keys.channel(shard), self._parcel(events))
                for epoch in {event.epoch for event in events}:
                    # Confirmed: it need not wait in the stream any more. What is missed here, the keeper finds.
                    ids = [e.stream_id for e in events if e.epoch == epoch and e.stream_id is not None]
                    if ids:
                        pipeline.xdel(f"{self._keys.generation(shard, epoch)}events", *ids)
            try:
                await pipeline.execute(raise_on_error=False)
            except RedisAway as error:
                log.info("publish_failed", problem=repr(error))

    def _parcel(self, events: Sequence[Event]) -> bytes:
        return orjson.dumps(
            {
                "node": self._node,
                "events": [
                    [
                        event.shop_id,
                        event.shop_seq,
                        event.epoch,
                        event.raw.decode(),
                        event.born.decode() if event.born else None,
                        event.link,
                        event.previous,
                    ]
                    for event in events
                ],
            }
        )

    # In ------------------------------------------------------------------------------------------------------

    async def follow(self, shop_id: str) -> None:
        """From now on, other nodes' news of this shop's shard are handed on."""
        shard = self._keys.shard_of(shop_id)
        if shard in self._followed:
            return
        self._followed[shard] = None
        self._following.set()
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
            await self._drop_pubsub()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        await self._following.wait()
        self._pubsub = self._client.pubsub()
        await self._pubsub.ssubscribe(*(self._keys.channel(shard) for shard in self._followed))
        while self._pubsub is not None:
            message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=5.0)
            if message is not None and message["type"] == "smessage":
                self._take(orjson.loads(message["data"]))

    def _take(self, parcel: dict[str, Any]) -> None:
        if parcel["node"] == self._node:
            return
        events = [
            Event(shop_id, seq, epoch, raw.encode(), born.encode() if born else None, link, previous, seq)
            for shop_id, seq, epoch, raw, born, link, previous in parcel["events"]
        ]
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
