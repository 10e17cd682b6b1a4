"""Real stores for every test: one Postgres and one Valkey for the session, a database and a prefix each.

| fixture | scope | gives |
|---|---|---|
| stores | session | EmbeddedServices, started; its `urls` are the session's; never kill these |
| database_url | test | the URL of a fresh, migrated database |
| empty_database_url | test | the URL of a fresh database without any table |
| redis_url | session | the URL of the session's Valkey, or of the cluster: with --redis cluster, or as the test asks |
| cluster | session | a Redis Cluster of three primaries; started when first asked for |
| redis_prefix | test | a key prefix that no other test has; its keys are removed afterwards |
| open_directory | test | a directory that every user may write to, unlike pytest's tmp_path |
| node | test | a node on the test's database and prefix |
| prepared_stores | session | an embedded directory, migrated, in which nothing runs: to be copied |
| own_stores | test | EmbeddedServices of this test alone, started, migrated: kill what you like |

Tests marked `also_on_a_cluster` run on both. `pytest --redis cluster` runs everything on a cluster.
"""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.migrate import migrate
from barberpro.storage.primaries import Primaries
from tests.support.blocking import blocking_calls_fail
from tests.support.clusters import Cluster, ClusteredServices
from tests.support.databases import create_database, drop_database, forget_durability
from tests.support.faults import lose_memory
from tests.support.prepared import furnish, prepare
from tests.support.public_states import WATCH, watched_builders
from tests.support.shops import running

TEMPLATE = "migrated_template"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of the Redis that the tests run on, and for how long a screen is tried."""
    parser.addoption("--redis", choices=("alone", "cluster"), default="alone", help="what the tests run on")
    parser.addoption("--screen-minutes", type=float, default=0.05, help="how long the screen's soak lasts")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that are marked so on a cluster, too."""
    if metafunc.definition.get_closest_marker("also_on_a_cluster"):
        metafunc.parametrize("redis_url", ["alone", "cluster"], indirect=True, scope="session")


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
    async with services as urls:
        # Nobody pulls their plug: a test that does has stores of its own.
        await forget_durability(urls.database_url)
        yield services


@pytest.fixture(scope="session")
def server_url(stores: EmbeddedServices) -> str:
    """Return the URL of the session's Postgres, of the database that no test uses."""
    return stores.urls.database_url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Yield a Redis Cluster, started."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest, stores: EmbeddedServices) -> str:
    """Return the URL of the session's Valkey, or of the session's cluster."""
    if getattr(request, "param", request.config.getoption("--redis")) == "alone":
        return stores.urls.redis_url
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url


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
    prefix = uuid.uuid4().hex
    yield prefix
    primaries = Primaries(redis_url, shards=64)
    await primaries.look()
    await lose_memory(primaries, prefix)
    await primaries.aclose()


@pytest.fixture
async def node(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Node]:
    """Yield a running node on the test's database and prefix."""
    async with running(NodeOptions(database_url, redis_url, redis_prefix)) as node:
        yield node


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def prepared_stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an embedded directory whose Postgres is migrated."""
    directory = tmp_path_factory.mktemp("prepared")
    await prepare(directory)
    return directory


@pytest.fixture
async def own_stores(
    tmp_path: Path, pytestconfig: pytest.Config, prepared_stores: Path
) -> AsyncIterator[EmbeddedServices]:
    """Yield stores of this test alone, started, for tests that kill things."""
    kind = ClusteredServices if pytestconfig.getoption("--redis") == "cluster" else EmbeddedServices
    await asyncio.to_thread(furnish, tmp_path / "own", prepared_stores)
    services = kind(tmp_path / "own")
    async with services:
        yield services


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """Yield a directory that everyone may write to; pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)
