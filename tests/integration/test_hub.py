"""The hub: what it offers to a room that takes more than one turn of the loop to be written to."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from barberpro.handlers.metrics import DoorName
from barberpro.handlers.realtime.hub import Hub, pause_after
from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.rooms import Seat, seat_for
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.queue.fold import ShopState
from barberpro.server.node import NodeOptions
from tests.support.live_server import LiveServer, live_server
from tests.support.shops import TestShop, customer, send

OUTLETS = 600


@pytest.fixture
async def server(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(NodeOptions(database_url, redis_url, redis_prefix), tmp_path) as server:
        yield server


class Ear:
    """An outlet that keeps the epochs and numbers that it is offered."""

    door: DoorName = "websocket"

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.numbers: list[int] = []

    def offer(self, _channel: str, message: Message) -> None:
        self.heard.append(message.document["epoch"])
        self.numbers.append(message.document["seq"])

    def forget(self, channel: str) -> None: ...


class Interrupter(Ear):
    """One in whose first turn the shop is rebuilt, as happens between two turns of the loop."""

    def __init__(self, hub: Hub, shop: ShopState) -> None:
        super().__init__()
        self._hub = hub
        self._shop = shop

    def offer(self, channel: str, message: Message) -> None:
        super().offer(channel, message)
        if len(self.heard) == 1:
            self._shop.epoch += 1
            self._hub._changed(self._shop, set(self._shop.queues), [])


async def test_what_changes_while_a_large_room_is_written_to_is_in_what_its_last_are_told(server: LiveServer) -> None:
    node, services = server.node, server.running.app[SERVICES]
    shop = await TestShop.create(node)
    await shop.open(node)
    view = await services.views.shop(shop.shop_id)
    before = view.epoch
    hub = Hub(services, requote_seconds=3600)
    first, others = Interrupter(hub, view), [Ear() for _ in range(OUTLETS)]
    seat = await seat_for(services, Actor("us_ann", Role.CUSTOMER), Room(RoomKind.QUEUE, shop.barbers[0]))
    for ear in (first, *others):
        await hub.enter(seat, ear)
    hub.start()
    await send(node, customer(1), **shop.join())
    async with asyncio.timeout(10):
        while len(others[-1].heard) < 2:  # noqa: ASYNC110 - the hub has no event for that
            await asyncio.sleep(0)
    await hub.close()
    assert first.heard == [before, before + 1]
    assert others[-1].heard == [before + 1] * 2


class Escort(Ear):
    """One behind whose first turn somebody leaves, before the next."""

    def __init__(self, hub: Hub, seat: Seat, leaves: Ear) -> None:
        super().__init__()
        self._leave = partial(hub.leave, seat, leaves)

    def offer(self, channel: str, message: Message) -> None:
        super().offer(channel, message)
        asyncio.get_running_loop().call_soon(self._leave)


async def test_who_leaves_while_a_large_room_is_written_to_is_offered_no_more(server: LiveServer) -> None:
    node, services = server.node, server.running.app[SERVICES]
    shop = await TestShop.create(node)
    await shop.open(node)
    hub, others = Hub(services, requote_seconds=3600), [Ear() for _ in range(OUTLETS)]
    seat = await seat_for(services, Actor("us_ann", Role.CUSTOMER), Room(RoomKind.QUEUE, shop.barbers[0]))
    for ear in (Escort(hub, seat, others[-1]), *others):
        await hub.enter(seat, ear)
    hub.start()
    await send(node, customer(1), **shop.join())
    async with asyncio.timeout(10):
        while not others[-2].heard:  # noqa: ASYNC110 - the hub has no event for that
            await asyncio.sleep(0)
    await hub.close()
    assert others[-1].heard == []


class Tired(Hub):
    """One that rests until it is woken."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, requote_seconds=3600)
        self.resting, self.woken = asyncio.Event(), asyncio.Event()

    async def _rest(self, took: float) -> None:
        self.resting.set()
        await self.woken.wait()
        self.resting.clear()
        self.woken.clear()


async def test_a_change_is_shown_at_once_and_those_during_the_rest_together(server: LiveServer) -> None:
    node, services = server.node, server.running.app[SERVICES]
    shop = await TestShop.create(node)
    await shop.open(node)
    hub, ear = Tired(services), Ear()
    await hub.enter(await seat_for(services, customer(1), Room(RoomKind.QUEUE, shop.barbers[0])), ear)
    hub.start()
    async with asyncio.timeout(20):
        await send(node, customer(1), **shop.join())
        await hub.resting.wait()
        begun = list(ear.numbers)
        for number in (2, 3, 4):
            await send(node, customer(number), **shop.join())
        meanwhile = list(ear.numbers)
        hub.woken.set()
        while len(ear.numbers) == len(meanwhile):  # noqa: ASYNC110 - the hub has no event for that
            await asyncio.sleep(0)
        await hub.resting.wait()
    await hub.close()
    assert len(begun) == 1
    assert meanwhile == begun
    assert ear.numbers == [begun[0], begun[0] + 3], "the newest, and none between"


async def test_nobody_rests_while_few_wait_for_answers() -> None:
    assert pause_after(took=1.0, under_way=10) == 0.0
    assert pause_after(took=0.001, under_way=100) == pytest.approx(0.01)
    assert pause_after(took=1.0, under_way=100) == 0.05, "a room that is slow to show is not late by more than that"


async def test_commands_that_wait_are_counted(server: LiveServer) -> None:
    engine, shop = server.node.engine, await TestShop.create(server.node)
    asked = [asyncio.create_task(send(server.node, customer(number), **shop.join())) for number in (1, 2)]
    await asyncio.sleep(0)
    assert engine.under_way == 2
    refused = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each).__name__ for each in refused] == ["BarberProError"] * 2, "the queue is closed"
    assert engine.under_way == 0
