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
    """Runs scripts. Keeps at most `lanes` pipelines of at most `most` calls under way.

    Two lanes keep Redis busy while Python takes the other's answers apart; `most` bounds how long Redis is
    held by one of them.
    """

    def __init__(self, client: RedisClient, lanes: int = 2, most: int = 128) -> None:
        self._client = client
        self._free = lanes
        self._most = most
        self._waiting: deque[tuple[Script, str, bytes, asyncio.Future[Any]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = False

    def call(self, script: Script, key: str, argument: bytes) -> "asyncio.Future[Any]":
        """The script's raw reply. Raises NoScriptError, ResponseError, and what RedisAway lists."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((script, key, argument, future))
        if not self._woken and self._free:
            # At the end of this turn of the loop, so that all who call in it go together.
            self._woken = True
            loop.call_soon(self._flush)
        return future

    def _flush(self) -> None:
        self._woken = False
        while self._waiting and self._free:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            self._free -= 1
            task = asyncio.create_task(self._send(batch))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._free += 1
        self._flush()

    async def _send(self, batch: list[tuple[Script, str, bytes, "asyncio.Future[Any]"]]) -> None:
        try:
            pipeline = self._client.pipeline(transaction=False)
            for script, key, argument, _ in batch:
                pipeline.execute_command("EVALSHA", script.sha, 1, key, argument)
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        except Exception as error:
            replies = [error] * len(batch)
        for (_, _, _, future), reply in zip(batch, replies, strict=True):
            if future.done():
                continue
            if isinstance(reply, Exception):
                future.set_exception(reply)
            else:
                future.set_result(reply)

    async def load(self, scripts: list[Script]) -> None:
        """Puts the scripts into the cache of Redis (of every primary of a cluster)."""
        for script in scripts:
            await self._client.script_load(script.source)

    async def close(self) -> None:
        """Waits for what is under way; nothing new may be asked for."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


__all__ = ["Gateway", "NoScriptError", "RedisAway", "RedisClient"]
