"""A node with both of its doors, Socket.IO and REST, for raw clients. Holds no tests itself."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from barberpro.handlers.origins import Origins
from barberpro.handlers.realtime.doors import LiveDoors
from barberpro.handlers.services import SERVICES, Limits
from barberpro.protocol.actors import Actor, Role
from barberpro.server.node import Node, NodeOptions
from tests.support.raw_socketio import RawClient, raw_client
from tests.support.rest import UNLIMITED, Door, rest_door, tokens
from tests.support.shops import Json, TestShop, customer, new_id

NAME = "Zebulon Quartz"
PHONE = "+91 98765 43210"
NOTES = "allergic to mint"
WHY = "my bus is late"
SERVING, SKIPPED, NEXT, WAITING, CANCELLED = range(5)


class SocketDoor:
    """Where raw clients connect; what they opened is closed with the door."""

    def __init__(self, door: Door, sockets: LiveDoors, stack: AsyncExitStack) -> None:
        self.node: Node = door.node
        self.shop: TestShop = door.shop
        self.sockets = sockets
        self.client = door.client
        self.gate = door.gate
        self.url = str(door.client.make_url("/"))
        self._stack = stack

    async def connect(self, who: Actor | str, transport: str = "websocket") -> RawClient:
        """A connected client of this actor, or with this token."""
        token = who if isinstance(who, str) else tokens().mint(who)
        client = await self._stack.enter_async_context(raw_client(self.url, {"token": token}, transport))
        assert client.refusal is None, client.refusal
        return client

    async def barber(self, transport: str = "websocket") -> RawClient:
        """The first barber, connected."""
        return await self.connect(self.shop.staff[0], transport)

    def room(self, barber: int = 0) -> str:
        return f"queue:{self.shop.barbers[barber]}"

    def join(self, barber: int = 0, **fields: object) -> Json:
        """A whole join command, ready to send."""
        return {"commandId": new_id(), **self.shop.join(barber, **fields)}


@asynccontextmanager
async def socket_door(
    options: NodeOptions, limits: Limits = UNLIMITED, *, origins: Origins = "*", no_shows: int = 0
) -> AsyncIterator[SocketDoor]:
    """A served door whose shop has two open lines. origins, no_shows: as of `rest_door`."""
    made: list[LiveDoors] = []

    def attach(app: web.Application) -> None:
        made.append(LiveDoors(app[SERVICES]))
        made[0].attach(app)
        made[0].start()

    async with (
        rest_door(options, limits, attach, origins=origins, no_shows=no_shows) as door,
        AsyncExitStack() as stack,
    ):
        stack.push_async_callback(made[0].close)
        yield SocketDoor(door, made[0], stack)


async def private_line(door: SocketDoor) -> list[str]:
    """Somebody in each place of the first line, with everything about them that is private.

    Their bookings; SERVING and the others say which is where, and which customer's.
    """
    barber = await door.barber()
    bookings = []
    for number in range(5):
        fields: dict[str, Any] = {"notes": NOTES, "customer": {"name": NAME, "phone": PHONE}}
        client = await door.connect(replace(customer(number), name=NAME))
        ack = await client.command(**door.join(**fields))
        assert ack["ok"], ack
        bookings.append(ack["data"]["booking"]["bookingId"])
    started = await barber.command(commandId=new_id(), type="start", bookingId=bookings[SERVING])
    skipped = await barber.command(commandId=new_id(), type="no_show", bookingId=bookings[SKIPPED])
    assert started["ok"], started
    assert skipped["ok"], skipped
    leaving = await door.connect(customer(CANCELLED))
    cancelled = await leaving.command(commandId=new_id(), type="cancel", bookingId=bookings[CANCELLED], reason=WHY)
    assert cancelled["ok"], cancelled
    return bookings


def display_of(shop: TestShop) -> Actor:
    return Actor("ds_screen", Role.DISPLAY, shop_ids=frozenset({shop.shop_id}))
