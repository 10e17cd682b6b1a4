"""Who goes away in the middle of a subscription leaves nothing behind: no view that is held, no place in a room."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from barberpro.queue.fold import ShopState
from barberpro.server.node import NodeOptions
from tests.support.raw_socketio import SECONDS, RawClient
from tests.support.shops import customer
from tests.support.socket_door import SocketDoor, socket_door


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[SocketDoor]:
    async with socket_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


class SlowViews:
    """The node's views do not answer until `free` is set; `asked` says that somebody waits for them."""

    def __init__(self, door: SocketDoor, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = asyncio.Event()
        self.asked = asyncio.Event()
        self._read = door.node.views.shop
        monkeypatch.setattr(door.node.views, "shop", self._shop)

    async def _shop(self, shop_id: str) -> ShopState:
        self.asked.set()
        await self.free.wait()
        return await self._read(shop_id)


async def gone(door: SocketDoor, client: RawClient) -> None:
    """Hangs up, and waits until the server knows."""
    await client.socket.disconnect()
    async with asyncio.timeout(SECONDS):
        while len(door.sockets.connections):  # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.01)


async def answered(door: SocketDoor) -> None:
    """Waits until every request that the door has begun is over."""
    async with asyncio.timeout(SECONDS):
        await door.sockets.connections._quiet.wait()


def left_behind(door: SocketDoor) -> list[object]:
    """What is still there of watchers: rooms of the hub, held views."""
    held = {shop_id: count for shop_id, count in door.node.views._holders.items() if count}
    return [*door.sockets.hub._watched.items(), *held.items()]


async def test_who_leaves_in_the_middle_of_a_subscription_leaves_nothing_behind(
    door: SocketDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await door.connect(customer(1))
    views = SlowViews(door, monkeypatch)
    for room in (door.room(0), door.room(0), door.room(1), f"display:{door.shop.shop_id}"):
        await client.socket.emit("subscribe", {"room": room})
    await client.socket.emit("request_queue_stream", {"barberId": door.shop.barbers[0]})
    await views.asked.wait()
    await gone(door, client)
    views.free.set()
    await answered(door)
    assert left_behind(door) == []


async def test_who_leaves_while_the_server_catches_up_leaves_nothing_behind(
    door: SocketDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, free = asyncio.Event(), asyncio.Event()

    async def refresh(_shop_id: str) -> None:
        asked.set()
        await free.wait()

    monkeypatch.setattr(door.node.views, "refresh", refresh)
    client = await door.connect(customer(1))
    await client.socket.emit("subscribe", {"room": door.room(), "since": {"epoch": 99, "seq": 0}})
    await asked.wait()
    await gone(door, client)
    assert not door.sockets.connections._quiet.is_set(), "it is answered only now"
    free.set()
    await answered(door)
    assert left_behind(door) == []


async def test_who_leaves_a_room_and_hangs_up_leaves_nothing_behind(door: SocketDoor) -> None:
    client = await door.connect(customer(1))
    for room in (door.room(0), door.room(0), door.room(1), f"display:{door.shop.shop_id}"):
        assert (await client.subscribe(room))["ok"]
    await client.ask("unsubscribe", {"room": door.room(0)})
    assert left_behind(door)
    await gone(door, client)
    assert left_behind(door) == []
