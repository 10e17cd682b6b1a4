"""`barberpro import`: what another system has is taken over, and compared."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

import click
import phonenumbers
from asyncpg.pool import PoolConnectionProxy

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.importing.collections import Barbers, Users
from barberpro.domain.importing.comparing import Compare, Comparison, Sample
from barberpro.domain.importing.people import Shops
from barberpro.domain.importing.run import Import, Progress, Summary
from barberpro.domain.importing.sources import COLLECTIONS, Source
from barberpro.server.commands import database
from barberpro.server.errors import CommandError
from barberpro.server.settings import Settings
from barberpro.server.stores import open_stores
from barberpro.storage.imports import Group, groups_of, problems_of
from barberpro.storage.keys import Keys
from barberpro.storage.sealing import sealer
from barberpro.storage.shops import lock_shop, need_zone
from barberpro.storage.zones import UnknownZoneError

_TOLD_EVERY: Final = 1.0
_ROWS_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """directory: of the export. country: of telephone numbers without a code. shop_id: into which all barbers come."""

    directory: Path
    time_zone: str
    currency: str
    country: str
    shop_id: str | None


@dataclass(frozen=True, slots=True)
class _Ready:
    connection: "PoolConnectionProxy[Any]"
    source: Source
    shops: Shops
    contacts: Contacts


async def run_import(settings: Settings, wanted: Wanted, report: Path, *, dry: bool) -> int:
    """Progress goes to standard error. 1 when a row was not taken, or totals do not add up."""
    try:
        await asyncio.to_thread(lambda: report.open("ab").close())  # who cannot write it is to know now
    except OSError as error:
        raise CommandError(f"--report: cannot write {report}: {error.strerror}") from None
    async with _ready(settings, wanted) as ready:
        pace = _Pace(await asyncio.to_thread(ready.source.sizes))
        run = Import(ready.connection, ready.source, ready.shops, ready.contacts, wanted.country, pace.told)
        try:
            summary = await run.run(dry=dry)
        except TimeoutError:
            raise CommandError("another import is under way") from None
        except asyncio.CancelledError:
            click.echo("stopped; the same command goes on where it was" if not dry else "stopped", err=True)
            raise
        groups = await groups_of(ready.connection, summary.import_id)
        told = await _write_report(ready.connection, summary.import_id, report)
    _tell(summary, groups, dry=dry)
    if (others := told - sum(group.rows for group in groups)) > 0:
        click.echo(f"  {others:>9,} of other kinds")
    click.echo(f"report: {report} ({told:,} entries)")
    return 0 if summary.all_well else 1


async def run_compare(settings: Settings, wanted: Wanted, samples: int) -> int:
    """1 when something differs."""
    async with _ready(settings, wanted) as ready:
        pace = _Pace(await asyncio.to_thread(ready.source.sizes))
        users, barbers = Users(wanted.country, ready.contacts), Barbers(ready.shops)
        found = await Compare(ready.connection, ready.source, users, barbers, samples, pace.read).run()
    _tell_comparison(found)
    return 0 if found.all_well else 1


@asynccontextmanager
async def _ready(settings: Settings, wanted: Wanted) -> AsyncIterator[_Ready]:
    """Raises CommandError for what cannot be."""
    source = Source(wanted.directory)
    if not await asyncio.to_thread(source.present):
        names = ", ".join(f"{each}.jsonl" for each in COLLECTIONS)
        raise CommandError(f"{wanted.directory} has none of {names}")
    if wanted.country not in phonenumbers.SUPPORTED_REGIONS:
        raise CommandError(f"--country: {wanted.country} is no country's two letters, such as IN")
    if re.fullmatch(r"[A-Z]{3}", wanted.currency) is None:
        raise CommandError(f"--currency: {wanted.currency} is no currency's three letters, such as INR")
    seals = await asyncio.to_thread(sealer, settings.keys_directory, create=settings.makes_keys)
    async with (
        open_stores(settings) as urls,
        database(settings, urls) as pool,
        pool.acquire() as connection,
    ):
        try:
            await need_zone(pool, wanted.time_zone)
        except UnknownZoneError as error:
            raise CommandError(f"--time-zone: {error}") from None
        keys = Keys(settings.redis_prefix, settings.shards)
        shops = Shops(keys, wanted.time_zone, wanted.currency, wanted.shop_id)
        if wanted.shop_id is not None:
            shops = await _of_shop(connection, keys, wanted.shop_id)
        yield _Ready(connection, source, shops, Contacts(seals))


async def _of_shop(connection: "PoolConnectionProxy[Any]", keys: Keys, shop_id: str) -> Shops:
    async with connection.transaction():
        row = await lock_shop(connection, shop_id)
    if row is None:
        raise CommandError(f"--shop: there is no shop {shop_id}")
    return Shops(keys, row["time_zone"], row["currency"], shop_id)


class _Pace:
    """Tells how far it is, once a second at most, and at the end of each file."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self._sizes = sizes
        self._told = self._began = monotonic()
        self._rows = 0

    def told(self, name: str, progress: Progress, rows: int) -> None:
        self._rows += rows
        if progress.done or monotonic() - self._told >= _TOLD_EVERY:
            self._told = now = monotonic()
            click.echo(
                f"{name}.jsonl: line {progress.line:,}, {self._part(name, progress.offset)}: {progress.taken:,} taken,"
                f" {progress.before:,} taken before, {progress.refused:,} not taken,"
                f" {self._rows / (now - self._began):,.0f} rows/s",
                err=True,
            )
        if progress.done:
            self._began, self._rows = monotonic(), 0

    def read(self, name: str, offset: int) -> None:
        if monotonic() - self._told >= _TOLD_EVERY:
            self._told = monotonic()
            click.echo(f"{name}.jsonl: {self._part(name, offset)} compared", err=True)

    def _part(self, name: str, offset: int) -> str:
        return f"{100 * offset / max(self._sizes[name], 1):.0f} %"


async def _write_report(connection: "PoolConnectionProxy[Any]", import_id: int, report: Path) -> int:
    """Every row that was not taken, and every field that was left out, a line of JSON each; how many."""
    told = 0
    file = await asyncio.to_thread(report.open, "wb")
    try:
        async with connection.transaction():
            async for lines in problems_of(connection, import_id, _ROWS_AT_ONCE):
                await asyncio.to_thread(file.writelines, lines)
                told += len(lines)
    finally:
        await asyncio.to_thread(file.close)
    return told


def _tell(summary: Summary, groups: list[Group], *, dry: bool) -> None:
    if summary.went_on:
        click.echo("went on where the last run was stopped; the figures are of both")
    taken = "would be taken" if dry else "taken"
    for name, file in summary.files.items():
        click.echo(
            f"{name + '.jsonl':15} {file.rows:>11,} rows: {file.taken:,} {taken}, {file.before:,} taken before,"
            f" {file.refused:,} not taken"
        )
    for name in COLLECTIONS:
        if name not in summary.files:
            click.echo(f"{name}.jsonl is not there")
    for group in groups:
        what = "left out" if group.taken else "not taken"
        subject = f"{group.field} " if group.field else ""
        click.echo(f"  {group.rows:>9,} {what}: {group.file}: {subject}{group.reason} (first in line {group.first})")


def _tell_comparison(found: Comparison) -> None:
    click.echo(f"{'':34} {'export':>18} {'here':>18}")
    for what, pair in found.pairs.items():
        mark = "  differs" if pair.differ else ""
        click.echo(f"{what:34} {pair.export:>18,} {pair.here:>18,}{mark}")
    if found.live:
        click.echo(f"{found.live:,} bookings of the export are still under way")
    for currency, bookings, total in found.only_here:
        click.echo(f"completed here since: {bookings:,} bookings for {total:,} {currency}")
    for sample in found.samples:
        click.echo(_words(sample))
    if found.differences > len(found.samples):
        click.echo(f"and {found.differences - len(found.samples):,} more")
    marked = sum(pair.differ for pair in found.pairs.values())
    of_both = f"{marked:,} counts and sums differ, and {found.differences:,} fields and documents"
    click.echo("no differences" if found.all_well else of_both)


def _words(sample: Sample) -> str:
    where = f"{sample.file}:{sample.line} {sample.source_id}: "
    if sample.field is None:
        return where + sample.here
    return f"{where}{sample.field} is {sample.export} there, {sample.here} here"
