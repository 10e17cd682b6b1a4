"""`barberpro keys`: what was sealed with which key, and the rotation of the sealing keys."""

import asyncio
from typing import Any

import click
from asyncpg import Pool

from barberpro.server.commands import database
from barberpro.server.settings import Settings
from barberpro.server.stores import open_stores
from barberpro.storage.resealing import reseal, sealed_by_key, sealed_columns
from barberpro.storage.sealing import key_id, sealer
from barberpro.storage.sealing_keys import announce, read_ring, take_up


async def run_keys(settings: Settings) -> None:
    """Lists the sealing keys, oldest first, with how many values each has sealed."""
    ring = await asyncio.to_thread(read_ring, settings.keys_directory, create=settings.makes_keys)
    async with open_stores(settings) as urls, database(settings, urls) as pool:
        counts = await _counts(pool)
    for key in ring.unsealing:
        words = "seals" if key == ring.sealing[-1] else "will seal" if key == ring.coming else "unseals"
        click.echo(f"{key_id(key)}  {words:9}  {counts.pop(key_id(key), 0)} values")
    for name, count in counts.items():
        click.echo(f"{name}  missing    {count} values")


async def run_rotate_sealing(settings: Settings, seconds: float) -> None:
    """Makes a key, has the servers learn it, lets it seal, and seals everything anew.

    Progress goes to standard error. May be stopped anywhere, and run again: then it goes on. seconds: that the
    servers have to read the keys.
    """
    directory = settings.keys_directory
    async with open_stores(settings) as urls, database(settings, urls) as pool:
        ring = await asyncio.to_thread(read_ring, directory, create=settings.makes_keys)
        left = await _left(pool, key_id(ring.sealing[-1]))
        if not left or ring.coming is not None:  # else the last rotation was stopped while it sealed anew
            await _take_up_another(settings, seconds)
        await _seal_anew(pool, settings)


async def _take_up_another(settings: Settings, seconds: float) -> None:
    directory = settings.keys_directory
    await asyncio.to_thread(announce, directory)
    click.echo(f"a new key unseals; the servers have {seconds:g} seconds to read it", err=True)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(take_up, directory)
    click.echo(f"it seals; the servers have {seconds:g} seconds to take it up", err=True)
    await asyncio.sleep(seconds)


async def _seal_anew(pool: "Pool[Any]", settings: Settings) -> None:
    seals = await asyncio.to_thread(sealer, settings.keys_directory, create=False)
    total = 0
    while left := await _left(pool, seals.key_id):
        async for progress in reseal(pool, seals):
            click.echo(f"{progress.column.table}.{progress.column.column}: {progress.done} of {left} left", err=True)
        still = await _left(pool, seals.key_id)
        total += left - still
        if still:  # some rows were being written just now
            await asyncio.sleep(1)
    click.echo(f"sealed {total} values anew with key {seals.key_id}")


async def _left(pool: "Pool[Any]", newest: str) -> int:
    return sum(count for name, count in (await _counts(pool)).items() if name != newest)


async def _counts(pool: "Pool[Any]") -> dict[str, int]:
    """Of all columns together."""
    counts: dict[str, int] = {}
    for column in await sealed_columns(pool):
        for name, count in (await sealed_by_key(pool, column)).items():
            counts[name] = counts.get(name, 0) + count
    return counts
