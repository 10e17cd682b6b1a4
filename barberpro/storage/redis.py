"""The connection to Redis."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


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
    return client
