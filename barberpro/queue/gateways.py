"""A gateway for each Redis that has shards: their pipelines go out side by side, and none waits for another."""

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis

from barberpro.queue.calls import ScriptCall
from barberpro.queue.gateway import Gateway
from barberpro.queue.scripts import Reply
from barberpro.storage.primaries import Primaries


class Gateways:
    """Sends a command where its shard is. What has moved meanwhile is refused there, and is to be asked for again."""

    def __init__(self, primaries: Primaries, open_: Callable[[Redis], Gateway]) -> None:
        """open_: makes the gateway of one Redis."""
        self._primaries = primaries
        self._open = open_
        self._of: dict[Redis, Gateway] = {}
        self._by_shard: dict[int, Gateway] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._sort()
        primaries.moved.append(self._sort)

    def call(self, call: ScriptCall) -> "asyncio.Future[Reply]":
        """As Gateway.call."""
        return self._by_shard[call.shard].call(call)

    def _sort(self) -> None:
        shards = self._primaries.shards()
        for client in self._of.keys() - shards.keys():
            task = asyncio.create_task(self._of.pop(client).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        for client, own in shards.items():
            gateway = self._of.get(client) or self._open(client)
            self._of[client] = gateway
            self._by_shard.update(dict.fromkeys(own, gateway))

    async def close(self) -> None:
        """Waits for what is under way; nothing new may be asked for."""
        await asyncio.gather(*self._closing, *(gateway.close() for gateway in self._of.values()))
