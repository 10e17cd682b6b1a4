"""Script calls to Redis, gathered: what was asked for while the last calls were under way goes in one pipeline."""

import asyncio
from collections import deque
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import NoScriptError, RedisError

from barberpro.queue.scripts import Script

RedisClient = Redis | RedisCluster
RedisAway: Final = (RedisError, OSError, asyncio.TimeoutError)
"""What a call raises while Redis cannot be reached, is loading, or answered with nonsense."""


class Gateway:
    """Runs scripts, in `lanes` pipelines at once of at most `most` calls each.

    Two lanes keep Redis busy while Python takes the other's answers apart; `most` bounds how long Redis is held by
    one of them. A shard keeps to its lane, so a shop's events come back in the order in which they were made.
    """

    def __init__(self, client: RedisClient, lanes: int = 2, most: int = 128) -> None:
        self._lanes = [_Lane(client, most) for _ in range(lanes)]
        self._client = client

    def call(self, script: Script, shard: int, key: str, argument: tuple[bytes, ...]) -> "asyncio.Future[Any]":
        """The script's raw reply. Raises NoScriptError, ResponseError, and what RedisAway lists."""
        return self._lanes[shard % len(self._lanes)].call(script, key, argument)

    async def load(self, scripts: list[Script]) -> None:
        """Puts the scripts into the cache of Redis (of every primary of a cluster)."""
        for script in scripts:
            await self._client.script_load(script.source)

    async def close(self) -> None:
        """Waits for what is under way; nothing new may be asked for."""
        for lane in self._lanes:
            await lane.close()


class _Lane:
    """One pipeline after the other."""

    def __init__(self, client: RedisClient, most: int) -> None:
        self._client = client
        self._most = most
        self._waiting: deque[tuple[Script, str, tuple[bytes, ...], asyncio.Future[Any]]] = deque()
        self._task: asyncio.Task[None] | None = None

    def call(self, script: Script, key: str, argument: tuple[bytes, ...]) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((script, key, argument, future))
        if self._task is None:
            # It begins at the end of this turn of the loop, so that all who call in it go together.
            self._task = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            try:
                replies = await self._send(batch)
            except Exception as error:
                # Those behind as well: they would wait as long again for a Redis that does not answer.
                batch += self._waiting
                self._waiting.clear()
                replies = [error] * len(batch)
            for (_, _, _, future), reply in zip(batch, replies, strict=True):
                if future.done():
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        self._task = None

    async def _send(self, batch: list[tuple[Script, str, tuple[bytes, ...], "asyncio.Future[Any]"]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for script, key, argument, _ in batch:
            pipeline.execute_command("EVALSHA", script.sha, 1, key, *argument)
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    async def close(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)


__all__ = ["Gateway", "NoScriptError", "RedisAway", "RedisClient"]
