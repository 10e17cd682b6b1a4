"""News between nodes: what is committed, and which shards were rebuilt, by a courier to each Redis that has shards.

Pub/sub may lose messages. Nothing rests on it but speed: who listens compares with Postgres (views.py).
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from redis.asyncio import Redis

from barberpro.queue.courier import Courier, Shared
from barberpro.queue.pulse import Pulse
from barberpro.queue.scripts import Event, Told
from barberpro.storage.keys import Keys
from barberpro.storage.primaries import Primaries


class Bus:
    """Publishes what this node committed; hands on what other nodes did, for the shards it follows."""

    courier_kind: ClassVar[type[Courier]] = Courier

    def __init__(self, primaries: Primaries, keys: Keys) -> None:
        self._primaries = primaries
        self._keys = keys
        self._followed: set[int] = set()
        self.pulse = Pulse()
        """Whatever is heard is a sign of life; none is due while no shard is followed."""
        self._shared = Shared(secrets.token_hex(8), keys, self.pulse, self._take, primaries.doubt)
        self._couriers: dict[Redis, Courier] = {}
        self._by_shard: dict[int, Courier] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.on_events: list[Callable[[Sequence[Told]], None]] = []
        self.on_doubt: list[Callable[[], None]] = []
        """Called when a shard was rebuilt somewhere, or has moved: what is known of it should be compared with
        Postgres."""
        self._started = False
        self._sort()
        primaries.moved.append(self._sort)

    def start(self) -> None:
        self._started = True
        for courier in self._couriers.values():
            courier.start()
        self._carry()

    async def close(self) -> None:
        self._started = False
        await asyncio.gather(*self._closing, *(courier.close() for courier in self._couriers.values()))

    def _sort(self) -> None:
        """A courier to each Redis that has shards, on which those are followed that it has."""
        shards = self._primaries.shards()
        for client in self._couriers.keys() - shards.keys():
            task = asyncio.create_task(self._couriers.pop(client).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        for client, own in shards.items():
            courier = self._couriers.get(client)
            if courier is None:
                courier = self._couriers[client] = self.courier_kind(client, self._shared)
                if self._started:
                    courier.start()
            courier.follow_only(self._followed.intersection(own))
            self._by_shard.update(dict.fromkeys(own, courier))
        self._carry()
        self._doubt()

    def _carry(self) -> None:
        self.pulse.carried_by(*(task for courier in self._couriers.values() for task in courier.tasks))

    # Out -----------------------------------------------------------------------------------------------------

    def committed(self, events: Sequence[Event]) -> None:
        """Queues committed events for publishing, and for leaving the stream in which they waited."""
        parcels: defaultdict[int, list[Event]] = defaultdict(list)
        for event in events:
            parcels[self._keys.shard_of(event.shop_id)].append(event)
        for shard, own in parcels.items():
            self._by_shard[shard].put(shard, own)
        # Behind the answers to those who wait for these events.
        asyncio.get_running_loop().call_soon(self._flush, parcels)

    def rebuilt(self, shop_ids: list[str]) -> None:
        shards = {self._keys.shard_of(shop_id): () for shop_id in shop_ids}
        for shard in shards:
            self._by_shard[shard].put(shard, ())  # a notice
        self._flush(shards)

    def _flush(self, shards: Iterable[int]) -> None:
        for shard in shards:
            self._by_shard[shard].flush()

    # In ------------------------------------------------------------------------------------------------------

    async def follow(self, shop_id: str) -> None:
        """From now on, other nodes' news of this shop's shard are handed on."""
        shard = self._keys.shard_of(shop_id)
        if shard not in self._followed:
            self._followed.add(shard)
            await self._by_shard[shard].follow(shard)

    def _take(self, parcel: dict[str, Any]) -> None:
        if parcel["node"] == self._shared.node:
            return
        events: list[Told] = parcel["events"]
        if events:
            for listener in self.on_events:
                listener(events)
        else:
            self._doubt()

    def _doubt(self) -> None:
        for doubter in self.on_doubt:
            doubter()
