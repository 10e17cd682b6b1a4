"""For tests in a real browser, before a real server with real stores.

| fixture | scope | gives |
|---|---|---|
| chromium | session | the path of an installed one; without it the test is skipped |
| stage | test | an open shop of two barbers, its server, and a browser; fails when a page complains in its console |
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST

from barberpro.domain.accounts import passwords
from barberpro.server.node import NodeOptions
from tests.support import browsers
from tests.support.stage import Stage, stage_for


@pytest.fixture(autouse=True)
def no_blocking_calls() -> None:
    """In the place of the one that fails such tests: Playwright reads files at every call."""


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they cost is another test's."""
    monkeypatch.setattr(passwords, "COST", CHEAPEST)


@pytest.fixture(scope="session")
def chromium() -> str:
    return browsers.chromium()


@pytest.fixture
async def stage(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path, chromium: str
) -> AsyncIterator[Stage]:
    async with stage_for(NodeOptions(database_url, redis_url, redis_prefix), tmp_path, chromium) as stage:
        yield stage
