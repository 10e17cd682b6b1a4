"""Embedded stores between processes: the first to come starts them, the last one out stops them."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from barberpro.server.embedded import EmbeddedServices, EmbeddedServicesError
from barberpro.server.embedded.files import is_locked
from tests.support.other_process import OtherProcess
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


def pids(services: EmbeddedServices) -> tuple[int | None, int | None]:
    """Return the processes of both stores."""
    return services.postgres.pid, services.valkey.pid


async def test_a_second_start_finds_what_the_first_started(directory: Path) -> None:
    first = await OtherProcess.start(directory)
    services = EmbeddedServices(directory)
    urls = await services.start()
    assert urls.database_url == first.report.database_url
    assert pids(services) == (first.report.postgres_pid, first.report.valkey_pid)
    await services.stop()
    assert await can_be_queried(urls.database_url), "the first still uses them"
    await first.finish()
    assert not await is_running(directory)


async def test_processes_that_start_and_leave_at_once_start_and_stop_once(directory: Path) -> None:
    others = await asyncio.gather(*(OtherProcess.start(directory) for _ in range(3)))
    assert len({(other.report.postgres_pid, other.report.valkey_pid) for other in others}) == 1
    await asyncio.gather(*(other.finish() for other in others))
    assert not await is_running(directory)


async def test_the_one_that_started_them_may_leave_first(directory: Path) -> None:
    first = await OtherProcess.start(directory)
    async with EmbeddedServices(directory) as urls:
        await first.finish()
        assert await can_be_queried(urls.database_url)
    assert not await is_running(directory)


async def test_a_killed_user_neither_stops_the_stores_nor_keeps_them(directory: Path) -> None:
    first, second = await OtherProcess.start(directory), await OtherProcess.start(directory)
    await first.kill()
    async with EmbeddedServices(directory):
        pass
    assert await can_be_queried(second.report.database_url), "one user is left"
    third = await OtherProcess.start(directory)
    assert third.report == second.report
    await second.kill()
    await third.finish()
    assert not await is_running(directory)


async def test_stores_of_killed_users_are_found_and_stopped(directory: Path) -> None:
    other = await OtherProcess.start(directory)
    await other.kill()
    assert await is_running(directory), "the stores outlive their users"
    async with EmbeddedServices(directory) as urls:
        assert urls.database_url == other.report.database_url
    assert not await is_running(directory)


async def test_a_store_that_died_is_started_again_by_the_next_user_and_the_other_is_kept(directory: Path) -> None:
    first = await OtherProcess.start(directory)
    services = EmbeddedServices(directory)
    await services.valkey.start()
    await services.valkey.kill()
    await services.start()
    assert services.postgres.pid == first.report.postgres_pid
    assert services.valkey.pid != first.report.valkey_pid
    await services.stop()
    assert await is_running(directory)
    await first.finish()
    assert not await is_running(directory), "it stops the store that it did not know"


async def test_two_in_one_process_share_as_well(directory: Path) -> None:
    users = [EmbeddedServices(directory) for _ in range(2)]
    urls = await asyncio.gather(*(user.start() for user in users))
    assert urls[0] == urls[1]
    assert pids(users[0]) == pids(users[1])
    await users[0].stop()
    assert await can_be_queried(urls[1].database_url)
    await users[1].stop()
    assert not await is_running(directory)


async def test_one_that_comes_while_the_last_is_leaving_has_stores_that_run(directory: Path) -> None:
    last = EmbeddedServices(directory)
    await last.start()
    for delay in (0.0, 0.002, 0.005, 0.02, 0.1):
        leaving = asyncio.create_task(last.stop())
        await asyncio.sleep(delay)
        newcomer = EmbeddedServices(directory)
        urls = await newcomer.start()
        await leaving
        assert await can_be_queried(urls.database_url)
        last = newcomer
    await last.stop()
    assert not await is_running(directory)


async def test_a_start_that_fails_leaves_the_stores_of_others_alone(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await OtherProcess.start(directory)
    services = EmbeddedServices(directory)

    async def fail() -> int | None:
        raise EmbeddedServicesError("no answer")

    monkeypatch.setattr(services.valkey, "answering_pid", fail)
    with pytest.raises(EmbeddedServicesError, match="no answer"):
        await services.start()
    assert await can_be_queried(other.report.database_url)
    await other.finish()
    assert not await is_running(directory)


async def test_it_runs_without_root(directory: Path) -> None:
    other = await OtherProcess.start(directory, prefix=await asyncio.to_thread(without_root))
    try:
        assert other.report.error == ""
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
