"""Function calls to Redis, gathered: what was asked for while the last calls were under way goes in one pipeline."""

import asyncio
import math
from collections import deque
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

RedisClient = Redis
RedisAway: Final = (RedisError, OSError, asyncio.TimeoutError)
"""What a call raises while Redis cannot be reached, is loading, or answered with nonsense."""


class Gateway:
    """Calls the library's functions, in `lanes` pipelines at once of at most `most` calls each.

    Several lanes keep Redis busy while Python takes the others' answers apart; `most` bounds how long Redis is held by
    one of them. A shard keeps to its lane, so a shop's events come back in the order in which they were made.
    """

    def __init__(self, client: RedisClient, timeout: float, lanes: int = 4, most: int = 128) -> None:
        """timeout: seconds that Redis may take for a pipeline."""
        self._lanes = [_Lane(client, timeout, most) for _ in range(lanes)]

    def call(self, function: bytes, shard: int, key: bytes, arguments: tuple[bytes, ...]) -> "asyncio.Future[Any]":
        """The function's raw reply. Raises what RedisAway lists; a ResponseError is the function's own."""
        return self._lanes[shard % len(self._lanes)].call(_Call(function, key, arguments))

    async def close(self) -> None:
        """Waits for what is under way; nothing new may be asked for."""
        for lane in self._lanes:
            await lane.close()


class _Call(NamedTuple):
    function: bytes
    key: bytes
    arguments: tuple[bytes, ...]

    def packed(self) -> bytes:
        """FCALL in the Redis protocol. By hand: redis-py's own packing takes a fifth of a command's time."""
        parts = (b"FCALL", self.function, b"1", self.key, *self.arguments)
        return b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


class _Lane:
    """One pipeline after the other, on a connection of the client's pool."""

    def __init__(self, client: RedisClient, timeout: float, most: int) -> None:
        self._client = client
        self._timeout = timeout
        self._most = most
        self._waiting: deque[tuple[_Call, asyncio.Future[Any]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._connection: Any = None

    def call(self, call: _Call) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        if self._task is None:
            # It begins at the end of this turn of the loop, so that all who call in it go together.
            self._task = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            try:
                replies = await self._send([call for call, _ in batch])
            except Exception as error:
                # Those behind as well: they would wait as long again for a Redis that does not answer.
                batch += self._waiting
                self._waiting.clear()
                replies = [error] * len(batch)
            for (_, future), reply in zip(batch, replies, strict=True):
                if future.done():
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        self._task = None

    async def _send(self, calls: list[_Call]) -> list[Any]:
        """The replies, in order; an error that is one call's answer stands in its place."""
        try:
            async with asyncio.timeout(self._timeout):
                if self._connection is None:
                    pool: Any = self._client.connection_pool
                    self._connection = await pool.get_connection()
                connection = self._connection
                await connection.send_packed_command([call.packed() for call in calls], check_health=False)
                return [await self._reply(connection) for _ in calls]
        except BaseException:
            # Replies may still be on their way: nobody may read them any more.
            await self._let_go(broken=True)
            raise

    async def _let_go(self, *, broken: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if broken:
                await connection.disconnect(nowait=True)
            await self._client.connection_pool.release(connection)

    @staticmethod
    async def _reply(connection: Any) -> Any:  # noqa: ANN401 - whatever the function answers
        try:
            return await connection.read_response(timeout=math.inf)
        except ResponseError as error:
            return error

    async def close(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._let_go(broken=False)
