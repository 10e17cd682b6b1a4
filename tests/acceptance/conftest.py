"""Sites to run the command line in; whatever runs there is ended with them.

| fixture | scope | gives |
|---|---|---|
| site | test | a directory and a port of its own, nothing running; its Postgres is made and migrated |
| bare_site | test | the same with nothing in the directory, as at the very first start |
| shared_site | module | a bare one for all tests of a file, which leave each other alone |
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.prepared import furnish
from tests.support.sites import Site


@pytest.fixture
async def bare_site(tmp_path: Path) -> AsyncIterator[Site]:
    """Yield a site of this test alone."""
    site = Site(tmp_path)
    yield site
    await site.clear_away()


@pytest.fixture
async def site(bare_site: Site, prepared_stores: Path) -> Site:
    """Return a site of this test alone, for a server that finds its schema as it left it."""
    await asyncio.to_thread(furnish, bare_site.directory, prepared_stores)
    return bare_site


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory for this file's tests."""
    return tmp_path_factory.mktemp("site")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_site(shared_home: Path) -> AsyncIterator[Site]:
    """Yield a site of this file's tests."""
    site = Site(shared_home)
    yield site
    await site.clear_away()
