"""Embedded stores between processes: who starts them, who attaches, who inherits, who stops them."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from barberpro.server.embedded import EmbeddedServices
from barberpro.server.embedded.files import is_locked
from tests.support.owner import OtherProcess
from tests.support.users import without_root


async def is_running(directory: Path) -> bool:
    """Say whether any store of this directory is alive."""
    locks = [directory / "run" / "postgres.lock", directory / "run" / "valkey.lock"]
    return any([await asyncio.to_thread(is_locked, lock) for lock in locks])


@pytest.fixture
async def directory(open_directory: Path) -> AsyncIterator[Path]:
    """Yield a directory for stores, and stop what a test that failed has left running in it."""
    data = open_directory / "data"
    yield data
    if await asyncio.to_thread((data / "run").exists) and await is_running(data):
        async with EmbeddedServices(data):
            pass


async def can_be_queried(database_url: str) -> bool:
    """Say whether Postgres answers."""
    try:
        connection = await asyncpg.connect(database_url)
    except OSError:
        return False
    await connection.close()
    return True


async def test_a_second_start_attaches_and_does_not_start_twice(directory: Path) -> None:
    owner = await OtherProcess.start(directory)
    try:
        services = EmbeddedServices(directory)
        urls = await services.start()
        assert not services.owned
        assert urls.database_url == owner.report.database_url
        assert services.postgres.pid == owner.report.postgres_pid
        assert services.valkey.pid == owner.report.valkey_pid
        await services.stop()
        assert await can_be_queried(urls.database_url), "only the owner stops the stores"
    finally:
        await owner.finish()
    assert not await is_running(directory)


async def test_processes_that_start_at_once_start_once(directory: Path) -> None:
    others = await asyncio.gather(*(OtherProcess.start(directory) for _ in range(3)))
    try:
        assert sorted(other.report.owned for other in others) == [False, False, True]
        assert len({other.report.postgres_pid for other in others}) == 1
        assert len({other.report.valkey_pid for other in others}) == 1
    finally:
        for other in sorted(others, key=lambda each: each.report.owned):
            await other.finish()
    assert not await is_running(directory)


async def test_two_in_one_process_share_as_well(directory: Path) -> None:
    first, second = EmbeddedServices(directory), EmbeddedServices(directory)
    urls = await asyncio.gather(first.start(), second.start())
    assert urls[0] == urls[1]
    assert sorted([first.owned, second.owned]) == [False, True]
    for services in sorted([first, second], key=lambda each: each.owned):
        await services.stop()
    assert not await is_running(directory)


async def test_orphans_of_a_killed_owner_are_adopted_and_stopped(directory: Path) -> None:
    owner = await OtherProcess.start(directory)
    await owner.kill()
    assert await is_running(directory), "the stores outlive their owner"
    services = EmbeddedServices(directory)
    await services.start()
    assert services.owned
    assert services.postgres.pid == owner.report.postgres_pid
    assert services.valkey.pid == owner.report.valkey_pid
    await services.stop()
    assert not await is_running(directory)


async def test_a_dead_store_of_a_killed_owner_is_started_and_the_live_one_adopted(directory: Path) -> None:
    owner = await OtherProcess.start(directory)
    await owner.kill()
    services = EmbeddedServices(directory)
    await services.valkey.attach()
    await services.valkey.kill()
    await services.start()
    assert services.postgres.pid == owner.report.postgres_pid
    assert services.valkey.pid != owner.report.valkey_pid
    await services.stop()
    assert not await is_running(directory)


async def test_it_runs_without_root(directory: Path) -> None:
    other = await OtherProcess.start(directory, prefix=await asyncio.to_thread(without_root))
    try:
        assert other.report.error == ""
        assert other.report.owned
        process = await asyncio.to_thread(os.stat, f"/proc/{other.report.postgres_pid}")
        assert process.st_uid != 0
    finally:
        await other.finish()
    assert not await is_running(directory)


async def test_a_directory_that_cannot_be_written_is_refused_by_name(open_directory: Path) -> None:
    prefix = await asyncio.to_thread(without_root)
    closed = open_directory / "closed"
    await asyncio.to_thread(closed.mkdir, mode=0o555)
    for refused in (closed, closed / "below"):
        other = await OtherProcess.start(refused, prefix=prefix)
        await other.finish()
        assert f"Cannot write in {refused}" in other.report.error


async def test_root_may_go_on_with_what_another_user_made(directory: Path) -> None:
    prefix = await asyncio.to_thread(without_root)
    other = await OtherProcess.start(directory, prefix=prefix)
    await other.finish()
    async with EmbeddedServices(directory) as urls:
        assert await can_be_queried(urls.database_url)
