"""Clients that never read, among many that do: they cost bounded memory and are cut off; nobody else loses anything."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from barberpro.server.node import NodeOptions
from loadtests.bench.sockets import LightClient, Way
from tests.support.live_server import LiveServer, live_server
from tests.support.shops import TestShop, customer, send

HEALTHY: Final = 200
STALLED: Final = 20
WAITING: Final = 200
CHANGES: Final = 60
LIMIT: Final = 256 * 1024
CLOSE_FRAME: Final = 4
SECONDS: Final = 60.0
PATIENCE: Final = 1.0
LONG: Final = 3600.0


@pytest.fixture
async def server(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[LiveServer]:
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with live_server(options, tmp_path, slow_seconds=LONG) as server:
        yield server


class Room:
    """A queue's room whose states are long, so that little of them fits into the system's own buffers."""

    def __init__(self, server: LiveServer, shop: TestShop, stack: ExitStack) -> None:
        self.server = server
        self.shop = shop
        self._stack = stack
        self._token = server.mint("customer", "us_watcher", None, None)

    async def clients(self, count: int, *, stalled: bool = False) -> list[LightClient]:
        """Let in, half of them over each door."""
        port, barber = self.server.server.port or 0, self.shop.barbers[0]
        ways = (
            Way("socketio", port, room=f"queue:{barber}", greeted=True, stalled=stalled),
            Way("websocket", port, path=f"/ws/queue/{barber}", greeted=True, stalled=stalled),
        )
        clients = [LightClient(ways[number % 2], self._token, lambda: None) for number in range(count)]
        for client in clients:
            await client.connect()
            self._stack.callback(client.abort)
        await asyncio.gather(*(client.ready for client in clients))
        return clients

    def shorten_buffers(self) -> None:
        """The system is to take little for those who are connected: it would take megabytes before we keep any."""
        for transport in self.server.transports:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)

    async def change(self, number: int) -> bytes:
        """Opens or pauses the line; what every state of that change has in it."""
        kind = ("pause", "open")[number % 2]
        result = await send(self.server.node, self.shop.staff[0], type=kind, barberId=self.shop.barbers[0])
        return b'"seq":%d,' % result.data["queue"]["seq"]


@pytest.fixture
async def room(server: LiveServer) -> AsyncIterator[Room]:
    shop = await TestShop.create(server.node, queue_capacity=WAITING)
    await shop.open(server.node)
    await asyncio.gather(*(send(server.node, customer(number), **shop.join()) for number in range(WAITING)))
    with ExitStack() as stack:
        yield Room(server, shop, stack)


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not so():  # noqa: ASYNC110 - counts of many, which have no event
            await asyncio.sleep(0.005)


async def test_stalled_clients_cost_bounded_memory_and_nobody_else_loses_anything(room: Room) -> None:
    stalled = await room.clients(STALLED, stalled=True)
    room.shorten_buffers()
    healthy = await room.clients(HEALTHY)
    doors, waiting, offered = room.server.running.doors, 0, 0
    for number in range(CHANGES):
        # Each is seen by all who read before the next is made: those who do not hold up nobody.
        last = await room.change(number)
        await until(lambda last=last: all(last in client.last for client in healthy))  # type: ignore[misc]  # a default
        waiting = max(waiting, *(transport.get_write_buffer_size() for transport in room.server.transports))
        offered += len(healthy[0].last)
    assert offered > 3 * LIMIT, "too little to fill anything"
    assert LIMIT / 2 < waiting <= LIMIT + CLOSE_FRAME
    assert {client.updates for client in healthy} == {CHANGES}

    assert doors.congestion.evicted == 0
    doors.congestion._patience = PATIENCE  # not before: on a slow machine they would be gone before they could read why
    await until(lambda: doors.congestion.evicted == STALLED)
    for client in stalled:
        client.resume()
    await until(lambda: len(doors.connections) == HEALTHY)
    last = await room.change(CHANGES)
    await until(lambda: all(last in client.last for client in healthy))
    assert {client.updates for client in healthy} == {CHANGES + 1}
    assert doors.congestion.evicted == STALLED
    await until(lambda: 4408 in {client.closed_with for client in stalled})
    assert {client.closed_with for client in stalled} <= {4408, None}, "None: cut off before it read that far"
