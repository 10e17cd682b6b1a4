"""What is over is freed by its last reference's end: it leaves no ring of objects that only the collector can find.

The server has the collector come so seldom that rings are as good as leaks.
"""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from barberpro.protocol.errors import BarberProError
from barberpro.server.node import NodeOptions
from tests.support.raw_socketio import SECONDS
from tests.support.rest import tokens
from tests.support.shops import customer
from tests.support.socket_door import SocketDoor, socket_door


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[SocketDoor]:
    async with socket_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Have nothing freed but by its last reference's end."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def freed(connection: "weakref.ref[Any]") -> None:
    async with asyncio.timeout(SECONDS):
        while connection() is not None:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)


async def test_a_socketio_connection_that_ended_waits_for_no_collector(door: SocketDoor) -> None:
    engine = door.sockets.socketio.server.eio
    engine.ping_interval = 0.2  # the library's task for the next ping holds a connection until it is due
    engine.start_service_task = False  # it would hold the last connection that it looked at until it looks again
    client = await door.connect(customer(1))
    assert (await client.subscribe(door.room()))["ok"]
    connection = weakref.ref(next(iter(engine.sockets.values())))
    await client.socket.disconnect()
    await freed(connection)


async def test_a_websocket_that_ended_waits_for_no_collector(door: SocketDoor) -> None:
    headers = {"Authorization": f"Bearer {tokens().mint(customer(1))}"}
    async with aiohttp.ClientSession(door.url, headers=headers) as http:
        async with http.ws_connect(f"/ws/queue/{door.shop.barbers[0]}") as socket:
            await socket.receive_str()
            connection = weakref.ref(next(iter(door.sockets.connections._live)))
        await freed(connection)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> "list[weakref.ref[BarberProError]]":
    """Return those that are made from now on."""
    made: list[weakref.ref[BarberProError]] = []
    make = BarberProError.__init__

    def remembered(self: BarberProError, *args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever errors take
        make(self, *args, **options)
        made.append(weakref.ref(self))

    monkeypatch.setattr(BarberProError, "__init__", remembered)
    return made


async def test_a_refused_command_waits_for_no_collector(
    door: SocketDoor, errors: "list[weakref.ref[BarberProError]]"
) -> None:
    client = await door.connect(customer(1))
    assert (await client.command(**door.join()))["ok"]
    assert not (await client.command(**door.join()))["ok"]
    assert errors
    for error in errors:
        await freed(error)


async def test_a_refused_token_waits_for_no_collector(
    door: SocketDoor, errors: "list[weakref.ref[BarberProError]]"
) -> None:
    async with aiohttp.ClientSession(door.url, headers={"Authorization": "Bearer none"}) as http:
        async with http.get(f"/api/v1/queue/{door.shop.barbers[0]}") as answer:
            assert answer.status == 401
        assert errors
        for error in errors:
            await freed(error)
