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
from barberpro.storage.primaries import PerPrimary, Primaries


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
        self.on_events: list[Callable[[Sequence[Told]], None]] = []
        self.on_doubt: list[Callable[[], None]] = []
        """Called when a shard was rebuilt somewhere, or has moved: what is known of it should be compared with
        Postgres."""
        self._started = False
        self._couriers = PerPrimary(primaries, self._courier)
        primaries.moved.append(self._sort)

    def start(self) -> None:
        self._started = True
        for courier, _ in self._couriers.shards():
            courier.start()
        self._carry()

    async def close(self) -> None:
        self._started = False
        await self._couriers.close()

    def _courier(self, client: Redis) -> Courier:
        courier = self.courier_kind(client, self._shared)
        if self._started:
            courier.start()
        return courier

    def _sort(self) -> None:
        """Has each courier follow what it is to follow now; what was said meanwhile may be lost."""
        for courier, own in self._couriers.shards():
            courier.follow_only(self._followed.intersection(own))
        self._carry()
        self._doubt()

    def _carry(self) -> None:
        self.pulse.carried_by(*(task for courier, _ in self._couriers.shards() for task in courier.tasks))

    # Out -----------------------------------------------------------------------------------------------------

    def committed(self, events: Sequence[Event]) -> None:
        """Queues committed events for publishing, and for leaving the stream in which they waited."""
        parcels: defaultdict[int, list[Event]] = defaultdict(list)
        for event in events:
            parcels[self._keys.shard_of(event.shop_id)].append(event)
        for shard, own in parcels.items():
            self._couriers.of(shard).put(shard, own)
        # Behind the answers to those who wait for these events.
        asyncio.get_running_loop().call_soon(self._flush, parcels)

    def rebuilt(self, shop_ids: list[str]) -> None:
        shards = {self._keys.shard_of(shop_id): () for shop_id in shop_ids}
        for shard in shards:
            self._couriers.of(shard).put(shard, ())  # a notice
        self._flush(shards)

    def _flush(self, shards: Iterable[int]) -> None:
        for shard in shards:
            self._couriers.of(shard).flush()

    # In ------------------------------------------------------------------------------------------------------

    async def follow(self, shop_id: str) -> None:
        """From now on, other nodes' news of this shop's shard are handed on."""
        shard = self._keys.shard_of(shop_id)
        if shard not in self._followed:
            self._followed.add(shard)
            await self._couriers.of(shard).follow(shard)

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
