"""News on a connection that comes and goes while shards are followed."""

import asyncio
from typing import Any, cast

import pytest
import redis.exceptions

from barberpro.queue import courier as courier_module
from barberpro.queue.courier import Courier, Shared
from barberpro.queue.gateway import RedisClient
from barberpro.queue.pulse import Pulse
from barberpro.storage.keys import Keys


class Pubsub:
    """Subscribing stands still until it fails."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.fail = asyncio.Event()

    async def connect(self) -> None:
        pass

    async def ssubscribe(self, _channel: object) -> None:
        self.asked.set()
        await self.fail.wait()
        raise redis.exceptions.ConnectionError

    async def aclose(self) -> None:
        pass


async def test_a_connection_that_goes_while_others_wait_to_subscribe_is_no_error_of_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: asyncio.Queue[Pubsub] = asyncio.Queue()

    def news(_client: object) -> Pubsub:
        pubsub = Pubsub()
        opened.put_nowait(pubsub)
        return pubsub

    monkeypatch.setattr(courier_module, "News", news)
    shared = Shared("node", Keys("test", 4), Pulse(), lambda _parcel: None, lambda: None)
    courier = Courier(cast("RedisClient", None), shared)
    courier.start()
    try:
        async with asyncio.timeout(10):
            first: asyncio.Task[Any] = asyncio.create_task(courier.follow(1))
            pubsub = await opened.get()
            await pubsub.asked.wait()
            others = [asyncio.create_task(courier.follow(shard)) for shard in (2, 3)]
            await asyncio.sleep(0)
            pubsub.fail.set()
            await asyncio.gather(first, *others)
    finally:
        await courier.close()
