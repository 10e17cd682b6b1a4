"""Connections to Redis."""

from typing import Any, NoReturn

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError


def connect(redis_url: str, timeout: float = 2.5) -> Redis:
    """A client for `redis://host:port/db`, `rediss://...` or `unix:///path`. timeout: seconds for one answer.

    It does not repeat calls by itself: the engine does, and knows when that is safe.
    """
    client: Redis = Redis.from_url(
        redis_url,
        decode_responses=False,
        socket_connect_timeout=2,
        socket_timeout=timeout,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
    )
    client.connection_pool.connection_class = _that_tells(client.connection_pool.connection_class)
    return client


def _that_tells(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection; one that was lost a moment ago says so in the library's own words.

    uvloop answers a write to a transport that is closed already with a RuntimeError, which redis-py lets through.
    """

    class Telling(kind):  # type: ignore[misc, valid-type] # which of the three kinds is known only now
        async def send_packed_command(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the library's
            try:
                await super().send_packed_command(*arguments, **options)
            except RuntimeError as error:
                raise RedisConnectionError(f"The connection was lost: {error}") from error

    return Telling


class News(PubSub):
    """Pub/sub over one connection: when that is lost, whoever listens or subscribes meets RedisConnectionError.

    The library's own connects anew for each who notices, behind everybody's back. Two who do so at once wait for the
    same answer, which is a RuntimeError of asyncio's.
    """

    def __init__(self, client: Redis) -> None:
        super().__init__(client.connection_pool)

    async def connect(self) -> None:
        """The first time only."""
        self._need_connection()
        await super().connect()  # type: ignore[no-untyped-call] # the library's

    async def parse_response(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's
        self._need_connection()
        return await super().parse_response(*arguments, **options)

    async def aclose(self) -> None:
        await super().aclose()  # type: ignore[no-untyped-call] # the library's

    async def _reconnect(self, _: object, error: BaseException | None = None, *_more: object) -> NoReturn:
        raise error or RedisConnectionError("The connection was lost.")

    def _need_connection(self) -> None:
        connection: AbstractConnection | None = self.connection
        if connection is not None and not connection.is_connected:
            raise RedisConnectionError("The connection was lost.")
