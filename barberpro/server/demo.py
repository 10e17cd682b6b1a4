"""`barberpro demo`: a day that is played, and beside it a chair for whoever tries it, and an address for each page."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import click
from asyncpg import Pool

from barberpro.domain import devices, guests
from barberpro.domain.accounts.appointing import Appointment, appoint
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.passwords import Passwords
from barberpro.protocol.accounts import Contact
from barberpro.protocol.actors import SYSTEM, Role, Via
from barberpro.protocol.ids import new_request_id, new_user_id
from barberpro.server.commands import database
from barberpro.server.playing import Day, play
from barberpro.server.seed import demo_shop, seed
from barberpro.server.serve import listening
from barberpro.server.settings import Settings
from barberpro.server.stopping import stop_event
from barberpro.server.stores import open_stores
from barberpro.storage.keys import Keys
from barberpro.storage.sealing import sealer
from barberpro.storage.users import add_user, set_password, user_by_contact

_VISITOR: Final = "Dina"
"""Whose line nobody plays."""


@dataclass(frozen=True, slots=True)
class Demo:
    """played: the shop as `describe_shop`, without the visitor's line. addresses: what is there, and its path."""

    played: dict[str, Any]
    addresses: list[tuple[str, str]]


async def set_up(settings: Settings, pool: "Pool[Any]") -> Demo:
    """A new shop, with a code to join by.

    Accounts only where the stores are this process's own: whoever reads its output may sign in.
    """
    contacts = None
    if settings.embedded is not None and settings.environment == "development":
        seals = await asyncio.to_thread(sealer, settings.keys_directory, create=settings.makes_keys)
        contacts = Contacts(seals)
    return await furnish(pool, Keys(settings.redis_prefix, settings.shards), contacts)


async def furnish(pool: "Pool[Any]", keys: Keys, contacts: Contacts | None) -> Demo:
    """contacts: for accounts of the visitor's barber and of an administrator; None: no way in for free."""
    shop = demo_shop()
    document = await seed(pool, keys, replace(shop, barbers=(*shop.barbers, _VISITOR)))
    shop_id, visitor = document["shopId"], next(each for each in document["barbers"] if each["name"] == _VISITOR)
    await guests.change_code(pool, SYSTEM, shop_id, Via(new_request_id()))
    addresses = [
        ("The shop's screen", f"/display/{shop_id}"),
        ("A customer's phone", (await guests.present_code(pool, shop_id, ""))["url"]),
    ]
    if contacts is not None:
        part = Appointment(Role.BARBER, visitor["barberId"], frozenset({shop_id}))
        signed_in = await demo_account(pool, contacts, _VISITOR, part)
        addresses.append(("The kiosk", f"/kiosk/{shop_id}#{await _kiosk(pool, shop_id)}"))
        addresses.append((f"{_VISITOR}'s console", f"/console#{signed_in}"))
        runs_all = await demo_account(pool, contacts, "Admin", Appointment(Role.ADMIN, None, frozenset()))
        addresses.append(("The dashboard", f"/admin#{runs_all}"))
    played = [each for each in document["barbers"] if each is not visitor]
    return Demo({**document, "barbers": played}, addresses)


async def _kiosk(pool: "Pool[Any]", shop_id: str) -> str:
    """Pairs one; what behind the # of the page's address makes a browser that one."""
    asked = await devices.ask(pool, "kiosk")
    await devices.pair(pool, SYSTEM, shop_id, "kiosk", asked["code"], "At the door", Via(new_request_id()))
    return urlencode({"device": asked["secret"]})


async def demo_account(pool: "Pool[Any]", contacts: Contacts, name: str, appointment: Appointment) -> str:
    """Gives an account its part, and returns what behind the # of a page's address signs in as it.

    The password is a new one each time, and sessions of before are over.
    """
    # No mail can go there: .example is nobody's, for ever (RFC 2606).
    contact, password = Contact("email", f"{name.lower()}@demo.example"), secrets.token_urlsafe(9)
    passwords = Passwords()
    try:
        hashed = await passwords.hash(password)
    finally:
        passwords.close()
    async with pool.acquire() as connection, connection.transaction():
        role = appointment.role.value
        await add_user(connection, new_user_id(), role, name, "en", hashed, [contacts.sealed(contact)])
        user = await user_by_contact(connection, "email", contacts.lookup(contact), lock=True)
        assert user is not None  # noqa: S101 - it has just been added, or was there
        await set_password(connection, user.user_id, hashed)
    await appoint(pool, contacts, contact, appointment)
    return urlencode({"email": contact.text, "password": password})


async def run_demo(settings: Settings, speed: float) -> int:
    """A living shop: stores, server, seed, and day after day until a signal comes."""
    url = f"http://{settings.host}:{settings.port}"
    async with stop_event() as until, open_stores(settings) as urls, database(settings, urls) as pool:
        demo = await set_up(settings, pool)
        async with listening(settings, urls):
            click.echo()
            for name, path in [*demo.addresses, ("Health", "/health/ready")]:
                click.echo(f"  {name:<19} {url}{path}")
            click.echo("  Stop with Ctrl-C; the data stays in " + str(settings.embedded or "the given stores") + "\n")
            number = 0
            while not until.is_set():
                number += 1
                code = await play(settings, Day(url, None, speed, 9.0, number, "live", busy=1.2), demo.played, until)
                if code:
                    return code
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(until.wait(), 5.0)
    return 0
