"""A shop to try the engine on: its people, its commands, and nodes on the stores of a test."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Command, Reschedule, Schedule, parse_command
from barberpro.protocol.errors import BarberProError
from barberpro.queue.engine import Result
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.shops import NewService, NewShop, create_shop
from barberpro.storage.staff import add_owner
from barberpro.storage.users import add_user

Json = dict[str, Any]
VIA = Via("req_test")
ADMIN = Actor("us_admin", Role.ADMIN)


@asynccontextmanager
async def running(options: NodeOptions) -> AsyncIterator[Node]:
    """A node, closed at the end."""
    node = await Node.start(options, seal, lookup)
    try:
        yield node
    finally:
        await node.close()


def seal(phone: str) -> str:
    """Stands for the encryption of a telephone number."""
    return f"sealed:{len(phone)}"


def lookup(kind: str, text: str) -> str:
    """Stands for the keyed hash of a text."""
    return hashlib.sha256(f"{kind} {text}".encode()).hexdigest()


def customer(number: int) -> Actor:
    return Actor(f"us_customer{number}", Role.CUSTOMER, name=f"Customer {number}")


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class TestShop:
    """A shop's ids; `barbers` have an actor each."""

    __test__ = False  # not a class of tests, whatever its name begins with

    shop_id: str
    barbers: list[str]
    service: str
    staff: list[Actor] = field(default_factory=list)

    @classmethod
    async def create(
        cls, node: Node, *, barbers: int = 2, zone: str = "Etc/UTC", minutes: int = 20, **settings: int | str
    ) -> "TestShop":
        names = tuple(f"Barber {number}" for number in range(barbers))
        service = NewService("Cut", Decimal("250.00"), minutes)
        new = NewShop("The Shop", zone, "INR", names, (service,), dict(settings))
        shop = await node.catalogue.shop(await create_shop(node.pool, node.keys, new))
        assert shop is not None
        ids = list(shop.barbers)
        staff = [Actor(f"us_staff{n}", Role.BARBER, barber_id=barber) for n, barber in enumerate(ids)]
        return cls(shop.shop_id, ids, next(iter(shop.barbers[ids[0]].services)), staff)

    def join(self, barber: int = 0, **fields: object) -> Json:
        """The document of a join, without its commandId."""
        return {"type": "join", "barberId": self.barbers[barber], "serviceIds": [self.service], **fields}

    async def open(self, node: Node, *barbers: int) -> None:
        for barber in barbers or range(len(self.barbers)):
            await send(node, self.staff[barber], type="open", barberId=self.barbers[barber])

    async def owner(self, node: Node) -> Actor:
        """Its first barber, who runs it from now on."""
        actor = self.staff[0]
        async with node.pool.acquire() as connection, connection.transaction():
            await add_user(connection, actor.id, actor.role.value, None, "en", None, [])
            await add_owner(connection, self.shop_id, actor.id)
        node.catalogue.forget(self.shop_id)
        return actor

    async def fill(self, node: Node, count: int, barber: int = 0, first: int = 0) -> list[str]:
        """Joins so many customers, one after the other; returns their bookings."""
        return [
            (await send(node, customer(first + number), **self.join(barber))).data["booking"]["bookingId"]
            for number in range(count)
        ]


def command_of(document: Json) -> Command:
    """Like parse_command, and for the two commands with doors of their own, too."""
    if document["type"] == "schedule":
        return Schedule.model_validate(document)
    if document["type"] == "reschedule":
        return Reschedule.model_validate(document)
    return parse_command(document)


async def send(node: Node, actor: Actor, **document: Any) -> Result:  # noqa: ANN401 - any JSON
    """Submits a command; one without a commandId gets a new one."""
    return await node.engine.submit(actor, command_of({"commandId": new_id(), **document}), VIA)


async def refusal(answer: Awaitable[object]) -> BarberProError:
    """The refusal that a command gets."""
    try:
        result = await answer
    except BarberProError as error:
        return error
    raise AssertionError(f"was not refused: {result}")


async def code_of(answer: Awaitable[object]) -> ErrorCode:
    return (await refusal(answer)).code
