"""Sealing keys are rotated while the servers run: nothing is lost, and a rotation that was stopped is gone on with."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from asyncpg import Pool

from barberpro.domain.key_watch import KeyWatch, SealingKeys
from barberpro.domain.outbox import Letter, post
from barberpro.server.key_commands import run_keys, run_rotate_sealing
from barberpro.server.node import Node
from barberpro.server.settings import Settings
from barberpro.storage import resealing
from barberpro.storage.resealing import reseal, sealed_by_key, sealed_columns
from barberpro.storage.sealing import Sealer, key_id, sealer
from barberpro.storage.sealing_keys import announce, read_ring, take_up
from barberpro.storage.users import SealedContact, add_user
from tests.support.shops import TestShop

LETTER = Letter("sms", "+919876543210", "code", {"code": "424242", "minutes": "10"})


@pytest.fixture
def first(tmp_path: Path) -> Sealer:
    return sealer(tmp_path, create=True)


@pytest.fixture
def second(first: Sealer, tmp_path: Path) -> Sealer:
    """With the next key, which seals."""
    announce(tmp_path)
    take_up(tmp_path)
    return sealer(tmp_path, create=False)


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(_env_file=None, database_url=database_url, redis_url=redis_url, keys_dir=tmp_path)


async def private(node: Node, seals: Sealer, count: int = 7) -> None:
    """So many bookings with a phone, a letter, and an account with an address and a number."""
    shop = await TestShop.create(node)
    await shop.open(node)
    for number, booking_id in enumerate(await shop.fill(node, count)):
        phone = seals.seal(f"+91 {number}")
        await node.pool.execute("UPDATE bookings SET phone_sealed = $2 WHERE booking_id = $1", booking_id, phone)
    async with node.pool.acquire() as connection, connection.transaction():
        await post(connection, seals, LETTER)
        contacts = [
            SealedContact("email", seals.seal("asha@example.com"), "one"),
            SealedContact("sms", seals.seal("+91 99"), "two"),
        ]
        await add_user(connection, "us_1", "customer", None, "en", None, contacts)


async def phones(pool: "Pool[Any]", seals: Sealer) -> list[str]:
    rows = await pool.fetch("SELECT phone_sealed FROM bookings WHERE phone_sealed IS NOT NULL")
    return sorted(seals.unseal(row["phone_sealed"]) for row in rows)


async def by_key(pool: "Pool[Any]") -> dict[str, dict[str, int]]:
    """How many values each key has sealed, by table and column; those with any."""
    counts = {f"{each.table}.{each.column}": await sealed_by_key(pool, each) for each in await sealed_columns(pool)}
    return {name: count for name, count in counts.items() if count}


async def test_every_sealed_column_is_found(node: Node) -> None:
    columns = await sealed_columns(node.pool)
    named = await node.pool.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name LIKE '%sealed%'"
    )
    assert {(column.table, column.column) for column in columns} == {tuple(row) for row in named}
    assert {"bookings", "letters", "users", "challenges", "sessions", "shops"} == {column.table for column in columns}


async def test_everything_is_sealed_anew_and_reads_the_same(
    node: Node, first: Sealer, second: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "_AT_ONCE", 3)
    await private(node, first)
    steps = [(each.column.table, each.done) async for each in reseal(node.pool, second)]
    assert steps == [("bookings", 3), ("bookings", 6), ("bookings", 7), ("letters", 1), ("users", 1), ("users", 1)]
    assert await by_key(node.pool) == {
        "bookings.phone_sealed": {second.key_id: 7},
        "letters.content_sealed": {second.key_id: 1},
        "users.email_sealed": {second.key_id: 1},
        "users.phone_sealed": {second.key_id: 1},
    }
    assert await phones(node.pool, second) == [f"+91 {number}" for number in range(7)]
    assert [each async for each in reseal(node.pool, second)] == []


async def test_a_run_that_was_stopped_is_gone_on_with(
    node: Node, first: Sealer, second: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "_AT_ONCE", 2)
    await private(node, first)
    async for _ in reseal(node.pool, second):
        break
    assert (await by_key(node.pool))["bookings.phone_sealed"] == {first.key_id: 5, second.key_id: 2}
    assert [each.done async for each in reseal(node.pool, second)] == [2, 4, 5, 1, 1, 1]


async def test_a_row_that_is_being_written_is_not_waited_for(node: Node, first: Sealer, second: Sealer) -> None:
    await private(node, first)
    async with node.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM bookings WHERE phone_sealed IS NOT NULL LIMIT 1 FOR UPDATE")
        async with asyncio.timeout(20):
            assert [each.done async for each in reseal(node.pool, second)] == [6, 1, 1, 1]
    assert [each.done async for each in reseal(node.pool, second)] == [1]


async def test_what_no_key_opens_stops_the_run_and_stays(node: Node, second: Sealer, tmp_path: Path) -> None:
    stranger = await asyncio.to_thread(sealer, tmp_path / "stranger", create=True)
    await private(node, stranger)
    with pytest.raises(ValueError, match=f"sealed with key {stranger.key_id}"):
        await anext(reseal(node.pool, second))
    assert (await by_key(node.pool))["bookings.phone_sealed"] == {stranger.key_id: 7}


async def test_the_command_rotates_and_goes_on_where_it_was_stopped(
    node: Node, first: Sealer, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await private(node, first)
    stopped = asyncio.create_task(run_rotate_sealing(settings, 600))
    async with asyncio.timeout(30):
        while "unseals" not in capsys.readouterr().err:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    announced = await asyncio.to_thread(read_ring, tmp_path, create=False)
    assert announced.coming is not None
    await run_rotate_sealing(settings, 0)
    newest = key_id(announced.coming)
    assert f"sealed 10 values anew with key {newest}" in capsys.readouterr().out
    await run_keys(settings)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        [first.key_id, "unseals", "0", "values"],
        [newest, "seals", "10", "values"],
    ]


async def test_a_running_server_learns_of_a_key_and_takes_it_up(first: Sealer, tmp_path: Path) -> None:
    sealed, old = first.seal("+91 1"), first.key_id
    watch = KeyWatch([SealingKeys(tmp_path, first)], every=0.02)
    watch.start()
    try:
        for change in (announce, take_up):
            await asyncio.to_thread(change, tmp_path)
            want = await asyncio.to_thread(read_ring, tmp_path, create=False)
            async with asyncio.timeout(30):
                while first.ring != want:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.02)
    finally:
        await watch.close()
    assert first.key_id != old
    assert first.unseal(sealed) == "+91 1"
