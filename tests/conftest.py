"""Real stores for every test: one Postgres and one Valkey for the session, a database and a prefix each.

| fixture | scope | gives |
|---|---|---|
| stores | session | EmbeddedServices, started; its `urls` are the session's; never kill these |
| database_url | test | the URL of a fresh, migrated database |
| empty_database_url | test | the URL of a fresh database without any table |
| redis_url | session | the URL of the session's Valkey |
| redis_prefix | test | a key prefix that no other test has; its keys are removed afterwards |
| open_directory | test | a directory that every user may write to, unlike pytest's tmp_path |
| node | test | a node on the test's database and prefix |
| own_stores | test | EmbeddedServices of this test alone, started, not migrated: kill what you like |
"""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.migrate import migrate
from tests.support.blocking import blocking_calls_fail
from tests.support.databases import create_database, drop_database
from tests.support.public_states import WATCH, watched_builders
from tests.support.shops import running

TEMPLATE = "migrated_template"


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[None]:
    """Fail any test whose event loop is held up by a blocking call."""
    with blocking_calls_fail():
        yield


@pytest.fixture(scope="session", autouse=True)
def watched_states() -> Iterator[None]:
    """Have every public state looked at that a server in this process makes."""
    with watched_builders(WATCH):
        yield


@pytest.fixture(autouse=True)
def no_public_state_leaks(watched_states: None) -> Iterator[None]:
    """Fail any test in which a public state carried what it must not."""
    yield
    assert WATCH.take() == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedServices]:
    """Yield the session's stores, started."""
    services = EmbeddedServices(tmp_path_factory.mktemp("stores"))
    async with services:
        yield services


@pytest.fixture(scope="session")
def server_url(stores: EmbeddedServices) -> str:
    """Return the URL of the session's Postgres, of the database that no test uses."""
    return stores.urls.database_url


@pytest.fixture(scope="session")
def redis_url(stores: EmbeddedServices) -> str:
    """Return the URL of the session's Valkey."""
    return stores.urls.redis_url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _template(server_url: str) -> str:
    await migrate(await create_database(server_url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
async def database_url(server_url: str, _template: str) -> AsyncIterator[str]:
    """Yield the URL of a fresh, migrated database."""
    name = f"test_{uuid.uuid4().hex}"
    yield await create_database(server_url, name, template=_template)
    await drop_database(server_url, name)


@pytest.fixture
async def empty_database_url(server_url: str) -> AsyncIterator[str]:
    """Yield the URL of a fresh database without any table."""
    name = f"test_{uuid.uuid4().hex}"
    yield await create_database(server_url, name)
    await drop_database(server_url, name)


@pytest.fixture
async def redis_prefix(redis_url: str) -> AsyncIterator[str]:
    """Yield a key prefix that no other test has, and remove its keys afterwards."""
    prefix = f"test-{uuid.uuid4().hex}:"
    yield prefix
    async with Redis.from_url(redis_url) as redis:
        if keys := [key async for key in redis.scan_iter(match=f"{prefix}*", count=1000)]:
            await redis.unlink(*keys)


@pytest.fixture
async def node(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Node]:
    """Yield a running node on the test's database and prefix."""
    async with running(NodeOptions(database_url, redis_url, redis_prefix)) as node:
        yield node


@pytest.fixture
async def own_stores(tmp_path: Path) -> AsyncIterator[EmbeddedServices]:
    """Yield stores of this test alone, started, for tests that kill things."""
    services = EmbeddedServices(tmp_path / "own")
    async with services:
        yield services


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """Yield a directory that everyone may write to; pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)
