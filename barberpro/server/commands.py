"""What the commands of the command line do on the stores."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import click
import orjson
from asyncpg import Pool
from pydantic import TypeAdapter, ValidationError

from barberpro.domain.accounts.appointing import Appointment, appoint
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.ending import revoke
from barberpro.protocol.accounts import Claimed
from barberpro.protocol.actors import SYSTEM, Role
from barberpro.protocol.commands import Name
from barberpro.protocol.ids import ID_PATTERN
from barberpro.queue.check import compare
from barberpro.queue.trim import Kept, Step, Trimmer
from barberpro.server.embedded import StoreUrls
from barberpro.server.errors import CommandError
from barberpro.server.seed import demo_shop, seed
from barberpro.server.settings import Settings
from barberpro.server.stores import kept, open_stores
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.checkpoints import audit_would_go, due_shops, goes_before, would_go
from barberpro.storage.deployment import claim_deployment
from barberpro.storage.keys import Keys
from barberpro.storage.migrate import migrate
from barberpro.storage.postgres import close_pool, connect_pool
from barberpro.storage.primaries import Primaries
from barberpro.storage.sealing import sealer
from barberpro.storage.zones import UnknownZoneError

_PATIENCE_SECONDS: Final = 60.0
"""For one answer of Postgres: who gave a command waits for it, and may stop it."""
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Name)


async def run_migrate(settings: Settings) -> None:
    async with open_stores(settings) as urls:
        applied = await migrate(urls.database_url)
    click.echo("\n".join(f"applied {revision}" for revision in applied) or "the schema is up to date")


@asynccontextmanager
async def database(settings: Settings, urls: StoreUrls) -> AsyncIterator["Pool[Any]"]:
    """A pool on a migrated database that belongs to this deployment."""
    await migrate(urls.database_url)
    pool = await connect_pool(urls.database_url, 2, _PATIENCE_SECONDS)
    try:
        await claim_deployment(pool, settings.shards)
        yield pool
    finally:
        await close_pool(pool)


async def run_seed(settings: Settings, name: str, time_zone: str, *, as_json: bool) -> None:
    """Raises CommandError for a name or a time zone that no shop may have."""
    shown = _shop_name(name)
    async with open_stores(settings) as urls, database(settings, urls) as pool:
        try:
            shop = await seed(pool, Keys(settings.redis_prefix, settings.shards), demo_shop(shown, time_zone))
        except UnknownZoneError as error:
            raise CommandError(f"--time-zone: {error}") from None
    if as_json:
        click.echo(orjson.dumps(shop).decode())
        return
    click.echo(f"shop    {shop['shopId']}  {shown}")
    click.echo(f"owner   {shop['ownerId']}  {shop['barbers'][0]['name']}")
    for barber in shop["barbers"]:
        click.echo(f"barber  {barber['barberId']}  {barber['name']}")
    for service in shop["barbers"][0]["services"]:
        click.echo(f"service {service['serviceId']}  {service['name']}, {service['durationMinutes']} min")


def _shop_name(text: str) -> str:
    """As the wire takes a shop's name: screens show it."""
    try:
        return _NAME.validate_python(text)
    except ValidationError as error:
        raise CommandError(f"--name: {_problem(error)}") from None


def _problem(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")


async def run_revoke(settings: Settings, user: str) -> None:
    """Raises CommandError for what is no user's id."""
    if re.fullmatch(ID_PATTERN, user) is None:
        raise CommandError("--user takes letters, digits, - and _ (at most 64)")
    async with (
        open_stores(settings) as urls,
        database(settings, urls) as pool,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        before = await revoke(connection, SYSTEM, user)
    click.echo(f"tokens issued to {user} before {before.isoformat(timespec='seconds')} are revoked")


async def run_appoint(settings: Settings, email: str | None, phone: str | None, role: Role, barber: str | None) -> None:
    """Raises CommandError for what is no contact, nobody's, or no barber."""
    if (barber is not None) != (role is Role.BARBER):
        raise CommandError("--barber belongs to --role barber: whose line it is")
    try:
        contact = Claimed(email=email, phone=phone).contact
    except ValidationError as error:
        where = error.errors()[0]["loc"]
        raise CommandError(f"--{where[0] if where else 'email, --phone'}: {_problem(error)}") from None
    seals = await asyncio.to_thread(sealer, settings.keys_directory, create=settings.makes_keys)
    async with open_stores(settings) as urls, database(settings, urls) as pool:
        shops: frozenset[str] = frozenset()
        if barber is not None:
            known = await Catalogue(pool).barber(barber)
            if known is None:
                raise CommandError(f"--barber: there is no barber {barber}")
            shops = frozenset({known.shop_id})
        user_id = await appoint(pool, Contacts(seals), contact, Appointment(role, barber, shops))
        if user_id is None:
            raise CommandError("nobody has an account with this contact: they register first")
    click.echo(f"{user_id} is {role.value} from the next sign-in on; their sessions are ended")


async def run_check(settings: Settings) -> int:
    async with open_stores(settings) as urls, database(settings, urls) as pool:
        redis = Primaries(urls.redis_url, settings.shards)
        try:
            await redis.look()  # an empty deployment would be compared without it
            differences = await compare(pool, redis, Keys(settings.redis_prefix, settings.shards))
        finally:
            await redis.aclose()
        events = await pool.fetchval("SELECT count(*) FROM queue_events")
        shops = await pool.fetchval("SELECT count(*) FROM watermarks")
        trimmed = await pool.fetchval("SELECT coalesce(sum(shop_seq), 0) FROM checkpoints")
    for difference in differences:
        click.echo(difference)
    told = f"{events} events" + (f" (and checkpoints for {trimmed} before them)" if trimmed else "")
    click.echo(f"{shops} shops, {told}: {len(differences) or 'no'} differences", err=bool(differences))
    return 1 if differences else 0


async def run_trim(settings: Settings, *, dry_run: bool) -> int:
    """Progress goes to standard error, a line a step. 1 when something is wrong with a shop's oldest days."""
    async with open_stores(settings) as urls, database(settings, urls) as pool:
        if dry_run:
            await _tell_what_would_go(pool, kept(settings))
            return 0
        trimmer = Trimmer(pool, kept(settings))
        await trimmer.round(_tell_step)
    click.echo(f"trimmed {trimmer.events} events and {trimmer.audit_entries} audit entries")
    return 1 if trimmer.refused else 0


def _tell_step(step: Step) -> None:
    click.echo(f"{step.shop_id}: {step.events} events" if step.events else f"{step.shop_id}: not trimmed", err=True)
    for problem in step.problems:
        click.echo(f"{step.shop_id}: {problem}", err=True)


async def _tell_what_would_go(pool: "Pool[Any]", kept: Kept) -> None:
    events, entries = 0, 0
    if kept.events:
        before = await goes_before(pool, kept.events)
        for shop_id in await due_shops(pool, before):
            of_shop, days = await would_go(pool, shop_id, before)
            click.echo(f"{shop_id}: {of_shop} events of {days} days, all before {before}", err=True)
            events += of_shop
    if kept.audit:
        entries = await audit_would_go(pool, kept.audit)
    click.echo(f"would trim {events} events and {entries} audit entries")
