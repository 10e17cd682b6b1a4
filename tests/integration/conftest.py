"""Fixtures of the tests that stand up whole servers.

| fixture | gives |
|---|---|
| servers | two servers of one deployment |
| door | a door that must not have logged anything wrong in the end; a module may have another of its own |
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from barberpro.server.node import NodeOptions
from tests.support.live_server import LiveServer, live_server
from tests.support.logs import nothing_wrong_is_logged
from tests.support.socket_door import SocketDoor, socket_door


@pytest.fixture
async def servers(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> AsyncIterator[tuple[LiveServer, LiveServer]]:
    """Two servers of one deployment, on the stores of the test."""
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with live_server(options, tmp_path) as first, live_server(options, tmp_path) as second:
        yield first, second


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[SocketDoor]:
    """A door that must not have written any error or traceback into its log in the end, nor anything beside it."""
    with nothing_wrong_is_logged():
        async with socket_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
            yield door
