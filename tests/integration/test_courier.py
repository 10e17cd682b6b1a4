"""News over a real Redis whose connections are cut while shards are followed."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from barberpro.queue.courier import Courier, Shared
from barberpro.queue.pulse import Pulse
from barberpro.storage.keys import Keys
from barberpro.storage.redis import News, connect

SECONDS = 20
SHARDS = 200
ROUNDS = 8
SILENT_MS = 50


@pytest.mark.parametrize("pause", [0, SILENT_MS], ids=["at once", "silent for a moment"])
async def test_who_follows_while_the_connection_is_cut_meets_no_error_and_hears_of_everything(
    redis_url: str, redis_prefix: str, pause: int
) -> None:
    heard: set[int] = set()
    keys = Keys(redis_prefix, SHARDS)

    def hear(parcel: dict[str, Any]) -> None:
        heard.add(parcel["shard"])

    client = connect(redis_url)
    courier = Courier(client, Shared("one", keys, Pulse(), hear, lambda: None))
    courier.start()
    try:
        async with Redis.from_url(redis_url) as other:
            for number in range(ROUNDS):
                await cut(other, pause)
                own = range(number * SHARDS // ROUNDS, (number + 1) * SHARDS // ROUNDS)
                await asyncio.gather(*(follow_soon(courier, shard) for shard in own))
            async with asyncio.timeout(SECONDS):
                while len(heard) < SHARDS:
                    for shard in set(range(SHARDS)) - heard:
                        await other.spublish(keys.channel(shard), b'{"shard": %d}' % shard)
                    await asyncio.sleep(0.05)
    finally:
        await courier.close()
        await client.aclose()


async def cut(other: "Redis", pause: int) -> None:
    """Everybody's pub/sub connections; for so many milliseconds nobody is answered then."""
    pipeline = other.pipeline(transaction=False)
    if pause:
        pipeline.execute_command("CLIENT", "PAUSE", pause, "ALL")
    pipeline.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    try:
        await asyncio.wait_for(pipeline.execute(), 5)
    except RedisError:
        raise AssertionError("the connections were not cut") from None


async def follow_soon(courier: Courier, shard: int) -> None:
    """A few turns of the loop later, each another number."""
    for _ in range(shard % 23):
        await asyncio.sleep(0)
    await courier.follow(shard)


async def test_a_connection_that_was_lost_is_told_to_all_and_not_made_anew(redis_url: str, redis_prefix: str) -> None:
    client = connect(redis_url)
    news = News(client)
    async with Redis.from_url(redis_url) as other:
        await news.connect()
        await news.ssubscribe(redis_prefix)
        assert (await news.get_message(timeout=SECONDS))["type"] == "ssubscribe"
        listening = asyncio.create_task(news.get_message(timeout=SECONDS))
        await asyncio.sleep(0)
        await cut(other, 0)
        with pytest.raises(RedisConnectionError):
            await listening
        for _ in range(2):
            with pytest.raises(RedisConnectionError):
                await news.get_message(timeout=SECONDS)
        await news.aclose()
    await client.aclose()
