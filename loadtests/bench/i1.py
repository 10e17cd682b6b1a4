"""I1: how many bookings of an export are taken a second, and whether a long export needs more memory than a short."""

import asyncio
import resource
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.importing.people import Shops
from barberpro.domain.importing.run import Import, Progress
from barberpro.domain.importing.sources import Source
from barberpro.storage.deployment import claim_deployment
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import close_pool, connect_pool
from barberpro.storage.sealing import Sealer, sealer
from loadtests.bench.firestore import Town
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure, Json

_ASKED: Final = 1_000_000 / 600
_MOST_GROWN_MB: Final = 32.0


class _Watch:
    """How fast each file went, and what the process held after the first tenth of the bookings."""

    def __init__(self, bookings: int) -> None:
        self._tenth = bookings // 10
        self._began = time.monotonic()
        self.rows_a_second: dict[str, float] = {}
        self.held_mb = 0.0

    def told(self, name: str, progress: Progress, _rows: int) -> None:
        if name == "bookings" and progress.rows >= self._tenth and not self.held_mb:
            self.held_mb = _held_mb()
        if progress.done:
            now = time.monotonic()
            self.rows_a_second[name] = progress.rows / (now - self._began)
            self._began = now


async def i1(plan: Plan) -> list[Figure]:
    """One round: what is imported is there afterwards."""
    town = Town(200, 4, 2000) if plan.quick else Town(20_000, 200, 200_000)
    options = await plan.stores.node_options()
    keys, pool = Keys(options.prefix, options.shards), await connect_pool(options.database_url, 2, 60.0)
    try:
        await claim_deployment(pool, options.shards)
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            source = Source(await asyncio.to_thread(town.write, directory / "export"))
            seals = await asyncio.to_thread(_sealer, directory / "keys")
            await plan.stores.checkpoint()
            plan.say(f"I1: {town.bookings:,} bookings")
            cpu = time.process_time()
            first = await _run(pool, keys, source, seals, town)
            cpu = time.process_time() - cpu
            grown = _held_mb() - first.held_mb
            again = await _run(pool, keys, source, seals, town)
    finally:
        await close_pool(pool)
    details: Json = {
        "rows_a_second": {name: round(value) for name, value in first.rows_a_second.items()},
        "rows_a_second_again": {name: round(value) for name, value in again.rows_a_second.items()},
        "cpu_us_a_row": round(cpu / (town.bookings + town.users) * 1_000_000),
        "mb_grown": round(grown, 1),
    }
    return [_figure(town, first.rows_a_second["bookings"], grown, details)]


def _figure(town: Town, pace: float, grown: float, details: Json) -> Figure:
    return Figure(
        id="I1",
        title=f"bookings of an export of {town.bookings:,} that are taken a second",
        value=pace,
        unit="rows/s",
        asked=f">= {_ASKED:,.0f}, and <= {_MOST_GROWN_MB:g} MB more from the first tenth on",
        holds=pace >= _ASKED and grown <= _MOST_GROWN_MB,
        details=details,
    )


def _sealer(directory: Path) -> Sealer:
    directory.mkdir(mode=0o700)
    return sealer(directory, create=True)


async def _run(pool: "Pool[Any]", keys: Keys, source: Source, seals: Sealer, town: Town) -> _Watch:
    watch = _Watch(town.bookings)
    async with pool.acquire() as connection:
        try:
            shops = Shops(keys, "Asia/Kolkata", "INR", None)
            summary = await Import(connection, source, shops, Contacts(seals), "IN", watch.told).run(dry=False)
            assert summary.all_well
        finally:
            connection.terminate()  # with it ends the turn of this import
    return watch


def _held_mb() -> float:
    """The most that the process held at a time."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
