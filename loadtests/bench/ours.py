"""BarberPro's own side of a benchmark: a node with its shops, driven through Engine.submit in this process."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from barberpro.protocol.actors import SYSTEM, Actor, Role, Via
from barberpro.protocol.commands import (
    Advance,
    Cancel,
    Command,
    Join,
    Move,
    NoShow,
    Open,
    Recall,
    Skip,
    StepBack,
    Transfer,
)
from barberpro.protocol.errors import BarberProError
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.shops import NewService, NewShop, create_shop
from loadtests.bench.floor import Customer, Floor, Line, Refusal, Step
from loadtests.bench.loop import Run

Json = dict[str, Any]

VIA: Final = Via("req_bench")


@dataclass(frozen=True, slots=True)
class Chair:
    """A barber's queue as the engine knows it."""

    shop_id: str
    barber_id: str
    service_ids: list[str]
    barber: Actor


def command_id() -> str:
    """As random as a UUID, and cheaper to make."""
    return f"{random.getrandbits(128):032x}"


@asynccontextmanager
async def running_node(options: NodeOptions) -> AsyncIterator[Node]:
    node = await Node.start(options, lambda phone: phone, lambda _kind, text: text)
    try:
        yield node
    finally:
        await node.close()


async def open_chairs(
    node: Node, shops: int, barbers: int, settings: dict[str, int | str | bool] | None = None
) -> list[Chair]:
    """Writes the shops and opens every queue; the chairs of a shop stand together."""
    gate, shop = asyncio.Semaphore(32), shop_of(barbers, settings)

    async def one() -> list[Chair]:
        async with gate:
            chairs = await chairs_of(node.catalogue, await create_shop(node.pool, node.keys, shop))
            for chair in chairs:
                await node.engine.submit(SYSTEM, _open(chair), VIA)
        return chairs

    return [chair for chairs in await asyncio.gather(*(one() for _ in range(shops))) for chair in chairs]


def shop_of(barbers: int, settings: dict[str, int | str | bool] | None = None) -> NewShop:
    return NewShop(
        "Shop",
        "Asia/Kolkata",
        "INR",
        tuple(f"Barber {number}" for number in range(barbers)),
        (NewService("Haircut", Decimal("250.00"), 20), NewService("Beard trim", Decimal("120.00"), 10)),
        settings or {},
    )


async def chairs_of(catalogue: Catalogue, shop_id: str) -> list[Chair]:
    found = await catalogue.shop(shop_id)
    assert found is not None
    return [
        Chair(shop_id, barber.barber_id, list(barber.services), _barber(barber.barber_id))
        for barber in found.barbers.values()
    ]


def _barber(barber_id: str) -> Actor:
    return Actor(f"us_{barber_id}", Role.BARBER, barber_id=barber_id)


def customers_of(count: int) -> list[Actor]:
    return [Actor(f"us_{number:016d}", Role.CUSTOMER, f"Guest {number}") for number in range(count)]


def customer_of(step: Step) -> Customer | None:
    """The customer who makes the step; None when a barber does."""
    if step.kind == "join":
        return step.customer
    return step.booking.customer if step.booking is not None and step.kind in {"step_back", "cancel"} else None


def fields_of(step: Step, chairs: Sequence[Chair]) -> Json:
    """The step's command, as it is sent. Chair n is line n of the floor."""
    chair = chairs[step.line.number]
    fields: Json = {"commandId": command_id(), "type": step.kind}
    if step.kind == "join":
        return fields | {"barberId": chair.barber_id, "serviceIds": chair.service_ids[:1]}
    if step.kind == "advance":
        expect = {"expect": {"servingBookingId": step.serving}} if step.expects else {}
        return fields | {"barberId": chair.barber_id, **expect}
    assert step.booking is not None
    fields["bookingId"] = step.booking.booking_id
    if step.kind == "step_back":
        fields["places"] = step.places
    elif step.kind == "move":
        fields |= {"position": step.position, "reason": "was here first"}
    elif step.kind == "recall":
        fields["to"] = "back"
    elif step.to is not None:
        fields["toBarberId"] = chairs[step.to.number].barber_id
    return fields


def _open(chair: Chair) -> Open:
    return Open.model_construct(command_id=command_id(), type="open", barber_id=chair.barber_id)


class Ours:
    """Makes a floor's steps through a node's engine. Chair n is line n of the floor."""

    name = "barberpro"

    def __init__(self, node: Node, chairs: Sequence[Chair], customers: int) -> None:
        self._engine = node.engine
        self._chairs = chairs
        self._customers = customers_of(customers)

    async def run(self, step: Step) -> tuple[str, str]:
        """The booking's id and its status afterwards. Raises Refusal."""
        actor, command = self._command(step)
        try:
            result = await self._engine.submit(actor, command, VIA)
        except BarberProError as error:
            details = error.details
            raise Refusal(error.code.value, details.get("status"), details.get("servingBookingId")) from None
        booking = result.data["booking"]
        return booking["bookingId"], booking["status"]

    def _command(self, step: Step) -> tuple[Actor, Command]:
        """As a door does it: from the message's fields, checked."""
        customer = customer_of(step)
        actor = self._customers[customer.number] if customer else self._chairs[step.line.number].barber
        return actor, _MODELS[step.kind].model_validate(fields_of(step, self._chairs))


_MODELS: Final[dict[str, type[Command]]] = {
    "join": Join, "advance": Advance, "skip": Skip, "no_show": NoShow, "recall": Recall, "step_back": StepBack,
    "move": Move, "transfer": Transfer, "cancel": Cancel,
}  # fmt: skip


async def fill(floor: Floor, run: Run, length: int) -> None:
    """Brings every line of the floor to `length`."""
    gate = asyncio.Semaphore(500)

    async def join(line: Line) -> None:
        async with gate:
            step = floor.join(line)
            floor.done(step, *await run(step))

    # One line after the other: all that are filled at once then belong to many shops.
    await asyncio.gather(*(join(line) for _ in range(length) for line in floor.lines))
