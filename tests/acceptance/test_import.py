"""`barberpro import`, as a program: killed in the middle, run again, compared, and told what it cannot do."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from barberpro.server.errors import CommandError
from barberpro.server.import_commands import Wanted, run_import
from barberpro.server.settings import Settings
from loadtests.bench.firestore import Town, write
from tests.support.programs import program, run

_ROWS = "SELECT (progress #>> '{bookings,rows}')::integer FROM imports"


@pytest.fixture
def words(database_url: str, redis_url: str) -> tuple[str, ...]:
    return ("--database-url", database_url, "--redis-url", redis_url)


async def some_bookings(database_url: str) -> None:
    """Returns once a batch of bookings is in."""
    database = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(60):
            while not await database.fetchval(_ROWS):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
    finally:
        await database.close()


async def test_an_import_that_is_killed_goes_on_and_takes_all_of_it_once(
    database_url: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    export = await asyncio.to_thread(Town(bookings=6000).write, tmp_path / "export")
    asked = ("import", "firestore", str(export), *words)
    async with program(tmp_path, *asked) as running:
        await some_bookings(database_url)
        assert (await running.end(signal.SIGKILL)).code == -signal.SIGKILL
    end = await run(tmp_path, *asked)
    assert end.code == 0, end
    assert "went on where the last run was stopped" in end.out
    assert "6,000 rows: 6,000 taken, 0 taken before, 0 not taken" in end.out
    assert await asyncio.to_thread((tmp_path / "import-report.jsonl").read_bytes) == b""
    compared = await run(tmp_path, "import", "compare", str(export), *words)
    assert (compared.code, compared.out.splitlines()[-1]) == (0, "no differences"), compared


async def test_a_row_that_is_not_taken_is_told_and_the_exit_status_is_1(words: tuple[str, ...], tmp_path: Path) -> None:
    lost = {"bookingId": "k1", "barberId": "nobody", "status": "done", "totalPrice": 1, "bookingTime": 1767345000000}
    unknown = {f"{first}{second}": 1 for first in "abcdefghijk" for second in "lmnopqrstu"}  # 110 kinds
    export = await asyncio.to_thread(
        lambda: write(tmp_path / "export", users=[{"id": "u1", **unknown}], bookings=[lost])
    )
    end = await run(tmp_path, "import", "firestore", str(export), "--dry-run", "--report", "told.jsonl", *words)
    assert end.code == 1
    assert "1 not taken: bookings.jsonl: barberId leads nowhere" in end.out
    assert "       11 of other kinds\nreport: told.jsonl (111 entries)" in end.out
    assert b'"field":"barberId"' in await asyncio.to_thread((tmp_path / "told.jsonl").read_bytes)
    typo = await asyncio.to_thread(lambda: write(tmp_path / "typo", users=[b"{"]))
    compared = await run(tmp_path, "import", "compare", str(typo), *words)
    last = "1 counts and sums differ, and 0 fields and documents"
    assert (compared.code, compared.out.splitlines()[-1]) == (1, last), compared


async def test_what_an_import_cannot_do_it_says_in_a_line(
    database_url: str, redis_url: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    settings = Settings(_env_file=None, database_url=database_url, redis_url=redis_url, keys_dir=tmp_path)
    export = await asyncio.to_thread(lambda: write(tmp_path / "export", users=[]))
    can = Wanted(export, "Asia/Kolkata", "INR", "IN", None)
    empty = await asyncio.to_thread(lambda: write(tmp_path / "empty"))
    for wanted, told in (
        (replace(can, directory=empty), "has none of users.jsonl, barbers.jsonl, bookings.jsonl"),
        (replace(can, country="Narnia"), "--country"),
        (replace(can, currency="rupees"), "--currency"),
        (replace(can, time_zone="posix/UTC"), "--time-zone"),
        (replace(can, shop_id="sh_nowhere"), "--shop: there is no shop sh_nowhere"),
    ):
        with pytest.raises(CommandError, match=told):
            await run_import(settings, wanted, tmp_path / "report.jsonl", dry=False)
    end = await run(tmp_path, "import", "firestore", str(export), "--time-zone", "Narnia/Lantern", *words)
    assert (end.code, end.out) == (2, "")
    assert "--time-zone" in end.err
