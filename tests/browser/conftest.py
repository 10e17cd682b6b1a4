"""For tests in a real browser, before a real server with real stores.

| fixture | scope | gives |
|---|---|---|
| chromium | session | the path of an installed one; without it the test is skipped |
| browser | module | one, started; each page of a stage is in a context of its own, as of another person |
| stage | test | an open shop of two barbers, its server, and the browser; fails when a page complains in its console |

The tests of a file share its event loop, as a browser belongs to the loop that it was started in.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from argon2.profiles import CHEAPEST
from playwright.async_api import Browser

from barberpro.domain.accounts import passwords
from barberpro.server.node import NodeOptions
from tests.support import browsers
from tests.support.stage import Stage, stage_for

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests of this directory run in the loop of their file."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with browsers.browser_at(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def stage(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path, browser: Browser
) -> AsyncIterator[Stage]:
    async with stage_for(NodeOptions(database_url, redis_url, redis_prefix), tmp_path, browser) as stage:
        yield stage
