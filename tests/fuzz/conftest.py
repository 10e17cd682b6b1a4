"""Fixtures of the tests that throw things at a live server.

| fixture | gives |
|---|---|
| target | a live server; in the end it must serve as ever, with nothing left behind and nothing wrong in its log |
"""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from barberpro.server.node import NodeOptions
from tests.fuzz.target import Target
from tests.support.live_server import live_server
from tests.support.logs import nothing_wrong_is_logged


@pytest.fixture
async def target(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[Target]:
    with nothing_wrong_is_logged():
        async with live_server(NodeOptions(database_url, redis_url, redis_prefix), tmp_path) as live:
            target = await Target.stand(live)
            yield target
            await target.serves_as_ever()
            await target.holds_nothing()
        gc.collect()  # what a task died of is logged when it is forgotten
