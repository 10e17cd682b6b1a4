"""What a client of Redis raises when its connection is lost in the moment in which it writes."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from barberpro.storage.redis import connect


class LostWriter:
    """As uvloop's transports answer when they are closed already."""

    def writelines(self, _lines: object) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    def close(self) -> None: ...


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "rediss://127.0.0.1:1", "unix:///nowhere"])
async def test_a_connection_that_was_lost_a_moment_ago_is_a_redis_that_is_away(url: str) -> None:
    client = connect(url)
    pool: Any = client.connection_pool
    connection = pool.make_connection()
    connection._reader = connection._writer = LostWriter()
    with pytest.raises(RedisConnectionError, match="the handler is closed"):
        await connection.send_packed_command([b"PING"], check_health=False)
    await client.aclose()
