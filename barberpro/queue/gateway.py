"""Commands to Redis, gathered: what was asked for while the last ones were under way goes in one pipeline."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from barberpro.queue.calls import ScriptCall
from barberpro.queue.metrics import SCRIPTS_SECONDS
from barberpro.queue.scripts import Event, Library, Reply

log = structlog.get_logger(__name__)

RedisClient = Redis
RedisAway: Final = (RedisError, OSError, asyncio.TimeoutError)
"""What a call raises while Redis cannot be reached, is loading, or answered with nonsense."""

_TOGETHER: Final = 64
"""Commands of a shop that go in one script call; it reads and writes once what they share, and holds Redis as long."""

_Asked = tuple[ScriptCall, "asyncio.Future[Reply]"]
Orphaned = Callable[[Sequence[Event]], None]


class Gateway:
    """Runs commands in Redis: one pipeline after the other, of at most `most` commands, on a connection of its own.

    While Redis works on one, Python would have to take the last one's answers apart anyway: more at once would only
    be smaller ones. A shop's events come back in the order in which they were made.
    """

    def __init__(
        self,
        client: RedisClient,
        library: Library,
        timeout: float,
        orphaned: Orphaned,
        failed: Callable[[], None],
        most: int = 512,
    ) -> None:
        """timeout: seconds that Redis may take for a pipeline.

        orphaned: gets the events of a command whose caller has gone meanwhile. failed: told of errors.
        """
        self._client = client
        self._function = library.function("run").encode()
        self._timeout = timeout
        self._orphaned = orphaned
        self._failed = failed
        self._most = most
        self._waiting: deque[_Asked] = deque()
        self._task: asyncio.Task[None] | None = None
        self._connection: Any = None

    def call(self, call: ScriptCall) -> "asyncio.Future[Reply]":
        """The command's reply. Raises what RedisAway lists; a ResponseError is the script's own."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        if self._task is None:
            # It begins at the end of this turn of the loop, so that all who call in it go together.
            self._task = asyncio.create_task(self._run())
        return future

    async def close(self) -> None:
        """Waits for what is under way; nothing new may be asked for."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._let_go(broken=False)

    async def _run(self) -> None:
        while self._waiting:
            groups = _by_shop(self._waiting.popleft() for _ in range(min(self._most, len(self._waiting))))
            try:
                answers = await self._send([self._packed(group) for group in groups])
            except Exception as error:
                # Those behind as well: they would wait as long again for a Redis that does not answer.
                groups.append(list(self._waiting))
                self._waiting.clear()
                answers = [error] * len(groups)
            for group, answer in zip(groups, answers, strict=True):
                try:
                    self._deliver(group, answer)
                except Exception as error:
                    log.exception("answer_not_understood")
                    self._deliver(group, error)
        self._task = None

    def _packed(self, group: Sequence[_Asked]) -> bytes:
        """FCALL in the Redis protocol. By hand: redis-py's own packing takes a fifth of a command's time."""
        first, _ = group[0]
        parts = [b"FCALL", self._function, b"1", first.key, first.shop_id.encode(), first.policy]
        for call, _ in group:
            parts += call.arguments
        return b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])

    def _deliver(self, group: Sequence[_Asked], answer: Any) -> None:  # noqa: ANN401 - raw, or an Exception
        if isinstance(answer, Exception):
            self._failed()
            for _, future in group:
                if not future.done():
                    future.set_exception(answer)
            return
        for (_, future), reply in zip(group, Reply.of(answer, len(group)), strict=True):
            if future.done():
                self._orphaned(reply.events)
            else:
                future.set_result(reply)

    async def _send(self, packed: Sequence[bytes]) -> list[Any]:
        """The answers, in order; an error that is one call's answer stands in its place."""
        try:
            async with asyncio.timeout(self._timeout):
                if self._connection is None:
                    pool: Any = self._client.connection_pool
                    self._connection = await pool.get_connection()
                connection = self._connection
                with SCRIPTS_SECONDS.timed():
                    await connection.send_packed_command(packed, check_health=False)
                    return [await self._answer(connection) for _ in packed]
        except BaseException:
            # Answers may still be on their way: nobody may read them any more.
            await self._let_go(broken=True)
            raise

    async def _let_go(self, *, broken: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if broken:
                await connection.disconnect(nowait=True)
            await self._client.connection_pool.release(connection)

    @staticmethod
    async def _answer(connection: Any) -> Any:  # noqa: ANN401 - whatever the function answers
        try:
            return await connection.read_response(timeout=math.inf)
        except ResponseError as error:
            return error


def _by_shop(batch: Iterable[_Asked]) -> list[list[_Asked]]:
    """Those of one shop together, in their order; at most _TOGETHER."""
    groups: list[list[_Asked]] = []
    open_groups: dict[str, list[_Asked]] = {}
    for asked in batch:
        shop_id = asked[0].shop_id
        group = open_groups.get(shop_id)
        if group is None or len(group) == _TOGETHER:
            group = open_groups[shop_id] = []
            groups.append(group)
        group.append(asked)
    return groups
