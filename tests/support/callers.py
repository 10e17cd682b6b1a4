"""Everybody who may come to a shop's doors, and how they stand to it. Holds no tests itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import web

from barberpro.handlers.asyncapi import setup_asyncapi
from barberpro.handlers.pages import read_parts, setup_pages
from barberpro.handlers.realtime.doors import LiveDoors
from barberpro.handlers.rest.exposition import FIGURES
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.ids import new_guest_id
from barberpro.server.node import NodeOptions
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, Json, TestShop, customer, send


@dataclass(frozen=True)
class Scene:
    """A shop whose display is public with a booking in each line, one that hides its display, and another one.

    callers, by name: with a 2 those who have as much, but of another shop or booking. None has no token.
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


def _member(role: Role, *shops: TestShop) -> Actor:
    return Actor(f"{role.value}_{shops[0].shop_id}", role, shop_ids=frozenset(shop.shop_id for shop in shops))


@asynccontextmanager
async def scene(options: NodeOptions) -> AsyncIterator[Scene]:
    """All doors of a server, open, with all who come to them."""
    made: list[LiveDoors] = []
    parts = await asyncio.to_thread(read_parts)

    def attach(app: web.Application) -> None:
        setup_asyncapi(app)
        app[FIGURES] = ()
        setup_pages(app, parts)
        made.append(LiveDoors(app[SERVICES], "*"))
        made[0].attach(app)
        made[0].start()

    async with rest_door(options, extend=attach) as door:
        try:
            yield await _peopled(door)
        finally:
            await made[0].close()


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
        "barber": replace(shop.staff[0], shop_ids=both),
        "barber2": other.staff[0],
        "admin": ADMIN,
        "display": _member(Role.DISPLAY, shop, hidden),
        "display2": _member(Role.DISPLAY, other),
        "kiosk": _member(Role.KIOSK, shop, hidden),
        "kiosk2": _member(Role.KIOSK, other),
    }
    return Scene(door, hidden, other, booking, callers)
