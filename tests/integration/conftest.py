"""Fixtures of the tests that stand up whole servers.

| fixture | gives |
|---|---|
| servers | two servers of one deployment |
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from barberpro.server.node import NodeOptions
from tests.support.live_server import LiveServer, live_server


@pytest.fixture
async def servers(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> AsyncIterator[tuple[LiveServer, LiveServer]]:
    """Two servers of one deployment, on the stores of the test."""
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with live_server(options, tmp_path) as first, live_server(options, tmp_path) as second:
        yield first, second
