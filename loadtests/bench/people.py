"""A floor's steps over real sockets: customers and staff of a few shops, each on a connection of their own.

Customers join, step back and cancel on theirs; all else goes over the barbers' devices, three a barber, in turn. Of
each queue, one device and one customer watch it; so a change is shown to two, as well as answered. Over raw WebSocket,
where every connection is in a room, the others sit at a queue in which nothing happens.
"""

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from barberpro.protocol.actors import Actor, Role
from loadtests.bench.askers import Asker
from loadtests.bench.cpu import own_cpu_seconds
from loadtests.bench.entrance import hang_up, let_in, nobody
from loadtests.bench.floor import Floor, Refusal, Step
from loadtests.bench.ours import Chair, command_id, customer_of, customers_of, fields_of, fill, shop_of
from loadtests.bench.served import Deployment, Served
from loadtests.bench.served import chairs as chairs_in
from loadtests.bench.sockets import Way
from loadtests.bench.stores import Stores

Json = dict[str, Any]

DOORS: Final = ("socketio", "websocket")


@dataclass(frozen=True, slots=True)
class Scale:
    """How many there are. devices: connections of each barber. length: of a line."""

    shops: int = 10
    barbers: int = 5
    devices: int = 3
    customers: int = 850
    length: int = 9

    @property
    def clients(self) -> int:
        return self.customers + self.shops * self.barbers * self.devices


@dataclass(frozen=True, slots=True)
class Town:
    """The shops, and everybody's token. quiet: by shop, a barber whose queue nobody uses."""

    scale: Scale
    chairs: list[Chair]
    quiet: list[str]
    customers: list[str]
    staff: list[list[str]]
    """By chair, of each device."""


async def settle(deployed: Deployment, scale: Scale) -> Town:
    """Writes the shops. A server must have run on the deployment before."""
    shops = await deployed.shops(scale.shops, shop_of(scale.barbers + 1), chairs_in)
    chairs = [chair for shop in shops for chair in shop[: scale.barbers]]
    tokens = [deployed.token(actor) for actor in customers_of(scale.customers)]
    staff = [[deployed.token(actor) for actor in _devices(chair, scale.devices)] for chair in chairs]
    return Town(scale, chairs, [shop[-1].barber_id for shop in shops], tokens, staff)


def _devices(chair: Chair, count: int) -> list[Actor]:
    """Members of staff, for a user may have only so many connections."""
    return [Actor(f"us_{chair.barber_id}_{number}", Role.BARBER, barber_id=chair.barber_id) for number in range(count)]


class Asks(Protocol):
    """Whoever sends commands."""

    updates: int

    def ask(self, fields: Json) -> Awaitable[Json]:
        """The command's answer, {ok, ...}."""
        ...


class People:
    """Makes a floor's steps. Chair n is line n of the floor."""

    def __init__(self, town: Town, customers: Sequence[Asks], staff: Sequence[Sequence[Asks]]) -> None:
        self._chairs = town.chairs
        self._customers = customers
        self.sent: dict[str, float] = {}
        """When each command was sent, by its id, in seconds of the performance counter."""
        self.count = town.scale.clients
        self._staff = [itertools.cycle(devices) for devices in staff]
        self._watchers = [*(devices[0] for devices in staff), *customers[: len(staff)]]

    @property
    def shown(self) -> int:
        """Updates that the watchers have been sent."""
        return sum(client.updates for client in self._watchers)

    async def open(self) -> None:
        for chair, devices in zip(self._chairs, self._staff, strict=True):
            answer = await next(devices).ask({"commandId": command_id(), "type": "open", "barberId": chair.barber_id})
            assert answer["ok"], answer

    async def run(self, step: Step) -> tuple[str, str]:
        """The booking's id and its status afterwards. Raises Refusal."""
        customer = customer_of(step)
        client = self._customers[customer.number] if customer else next(self._staff[step.line.number])
        fields = fields_of(step, self._chairs)
        self.sent[fields["commandId"]] = time.perf_counter()
        answer = await client.ask(fields)
        if answer["ok"] is not True:
            error = answer["error"]
            details = error.get("details", {})
            raise Refusal(error["code"], details.get("status"), details.get("servingBookingId"))
        booking: Json = answer["data"]["booking"]
        return booking["bookingId"], booking["status"]


async def opened(town: Town, served: Served) -> Floor:
    """Opens the queues and fills the lines: what the steps are drawn from."""
    scale = town.scale
    floor = Floor(scale.shops, scale.barbers, scale.length, scale.customers)
    async with people(town, served, DOORS[0]) as everybody:
        await everybody.open()
        await fill(floor, everybody.run, scale.length)
    return floor


def cpu(stores: Stores, served: Served) -> dict[str, float]:
    """Processor seconds so far; "load" is this process."""
    return {"server": own_cpu_seconds(served.process.pid), "load": time.process_time(), **stores.cpu()}


@asynccontextmanager
async def people(town: Town, served: Served, *doors: str, watching: bool = True) -> AsyncIterator[People]:
    """Everybody comes in by that door, or by those in turn, and leaves in the end."""
    clients: list[Asker] = []
    turns = itertools.cycle(doors)
    for number, token in enumerate(town.customers):
        chair = town.chairs[number] if watching and number < len(town.chairs) else None
        clients.append(Asker(_way(next(turns), served.port, chair, town.quiet[0]), token, nobody))
    for number, tokens in enumerate(town.staff):
        quiet = town.quiet[number // town.scale.barbers]
        for device, token in enumerate(tokens):
            chair = town.chairs[number] if watching and device == 0 else None
            clients.append(Asker(_way(next(turns), served.port, chair, quiet), token, nobody))
    await let_in(clients)
    customers, devices = clients[: len(town.customers)], iter(clients[len(town.customers) :])
    try:
        yield People(town, customers, list(zip(*[devices] * town.scale.devices, strict=True)))
    finally:
        await hang_up(clients)


def _way(kind: str, port: int, watched: Chair | None, quiet: str) -> Way:
    if kind == "websocket":
        return Way("websocket", port, path=f"/ws/queue/{watched.barber_id if watched else quiet}", greeted=True)
    way = Way("socketio", port)
    return replace(way, room=f"queue:{watched.barber_id}", greeted=True) if watched else way
