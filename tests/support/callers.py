"""Everybody who may come to a shop's doors, and how they stand to it. Holds no tests itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiohttp import web

from barberpro.domain.accounts.service import Accounts
from barberpro.domain.accounts.sessions import Lifetimes
from barberpro.domain.revocations import Revocations
from barberpro.handlers.asyncapi import setup_asyncapi
from barberpro.handlers.openapi import setup_openapi
from barberpro.handlers.pages import setup_pages
from barberpro.handlers.parts import read_parts
from barberpro.handlers.realtime.doors import LiveDoors
from barberpro.handlers.rest.exposition import FIGURES
from barberpro.handlers.services import ACCOUNTS, SERVICES
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.ids import new_guest_id, new_session_id
from barberpro.server.node import NodeOptions
from barberpro.storage.sealing import Sealer, sealer
from barberpro.storage.sessions import begin_session
from barberpro.storage.staff import add_owner
from barberpro.storage.users import add_user
from tests.support.rest import Door, rest_door, tokens
from tests.support.shops import ADMIN, Json, TestShop, customer, send


@dataclass(frozen=True)
class Scene:
    """A shop whose display is public with a booking in each line, one that hides its display, and another one.

    callers, by name: with a 2 those who have as much, but of another shop or booking. None has no token. The barber
    works in the first shop alone and runs it, staff without a line work in the hidden one, too.
    """

    door: Door
    hidden: TestShop
    other: TestShop
    booking: str
    callers: dict[str, Actor | None]

    @property
    def names(self) -> Json:
        """What the templates of paths name, as this shop has it."""
        shop = self.door.shop
        return {"shopId": shop.shop_id, "barberId": shop.barbers[0], "bookingId": self.booking}

    async def session(self, caller: str) -> str:
        """A new one of theirs; of those who have no account, one that nobody has."""
        who, session_id = self.callers[caller], new_session_id()
        if who is not None and who.role.value in WITH_ACCOUNT:
            async with self.door.node.pool.acquire() as connection:
                await begin_session(connection, session_id, who.id, "nobody renews it", None, None, timedelta(days=1))
        return session_id


WITH_ACCOUNT: Final = frozenset({"customer", "barber", "admin"})


def _member(role: Role, *shops: TestShop) -> Actor:
    return Actor(f"{role.value}_{shops[0].shop_id}", role, shop_ids=frozenset(shop.shop_id for shop in shops))


@asynccontextmanager
async def scene(options: NodeOptions) -> AsyncIterator[Scene]:
    """All doors of a server, open, with all who come to them."""
    made: list[tuple[LiveDoors, Accounts]] = []
    parts = await asyncio.to_thread(read_parts)
    seals = await asyncio.to_thread(_sealer)

    def attach(app: web.Application) -> None:
        setup_asyncapi(app)
        setup_openapi(app)
        app[FIGURES] = ()
        pool = app[SERVICES].pool
        revocations = Revocations(pool, options.database_url)
        accounts = Accounts.build(pool, seals, tokens(), revocations, Lifetimes(), "http://pages.test", {})
        app[ACCOUNTS] = accounts
        setup_pages(app, parts)
        doors = LiveDoors(app[SERVICES])
        made.append((doors, accounts))
        doors.attach(app)
        doors.start()

    async with rest_door(options, extend=attach) as door:
        try:
            yield await _peopled(door)
        finally:
            for doors, accounts in made:
                await doors.close()
                accounts.close()


def _sealer() -> Sealer:
    with TemporaryDirectory() as directory:
        return sealer(Path(directory), create=True)


async def _peopled(door: Door) -> Scene:
    node, shop = door.node, door.shop
    hidden, other = await TestShop.create(node, public_display=False), await TestShop.create(node)
    await other.open(node)
    [booking] = await shop.fill(node, 1)
    [elsewhere] = await shop.fill(node, 1, barber=1, first=1)
    await send(node, shop.staff[0], type="start", bookingId=booking)
    both = frozenset({shop.shop_id, hidden.shop_id})
    callers = {
        "nobody": None,
        "owner": customer(0),
        "customer": customer(1),
        "ticket": Actor("gt_1", Role.GUEST, booking_id=booking),
        "ticket2": Actor("gt_2", Role.GUEST, booking_id=elsewhere, shop_ids=both),
        "door": Actor(new_guest_id(), Role.GUEST, shop_ids=both),
        "door2": Actor(new_guest_id(), Role.GUEST, shop_ids=frozenset({other.shop_id})),
        "barber": replace(shop.staff[0], id="barber"),
        "barber2": replace(other.staff[0], id="barber2"),
        "staff": _member(Role.BARBER, shop, hidden),
        "admin": ADMIN,
        "display": _member(Role.DISPLAY, shop, hidden),
        "display2": _member(Role.DISPLAY, other),
        "kiosk": _member(Role.KIOSK, shop, hidden),
        "kiosk2": _member(Role.KIOSK, other),
    }
    async with node.pool.acquire() as connection:
        for who in callers.values():
            if who is not None and who.role.value in WITH_ACCOUNT:
                await add_user(connection, who.id, who.role.value, who.name, "en", None, [])
        await add_owner(connection, shop.shop_id, "barber")
    node.catalogue.forget(shop.shop_id)
    return Scene(door, hidden, other, booking, callers)
