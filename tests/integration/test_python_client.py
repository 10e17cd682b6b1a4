"""The Python client against the real engine and the real Socket.IO door, on real stores."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from barberpro.clients.python import BarberProClient, BarberProError, ErrorCode, Expect, RetryPolicy, Watch
from barberpro.clients.python.feeds import State
from barberpro.server.node import NodeOptions
from barberpro.server.simulate import Barber, Service, Shop, SimulateOptions, simulate
from tests.support.live_server import LiveServer, live_server
from tests.support.shops import TestShop

QUICK = RetryPolicy(ack_timeout=2.0, deadline=20.0, first_delay=0.02, longest_delay=0.2)


@pytest.fixture(scope="module")
def keys_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
async def live(database_url: str, redis_url: str, redis_prefix: str, keys_directory: Path) -> AsyncIterator[LiveServer]:
    async with live_server(NodeOptions(database_url, redis_url, redis_prefix), keys_directory) as live:
        yield live


@pytest.fixture
async def shop(live: LiveServer) -> TestShop:
    shop = await TestShop.create(live.node, barbers=2)
    await shop.open(live.node)
    return shop


def _client(live: LiveServer, role: str, user_id: str, shop: TestShop) -> BarberProClient:
    barber = shop.barbers[0] if role == "barber" else None
    token = live.mint(role, user_id, barber, shop.shop_id if role != "customer" else None)
    return BarberProClient(live.url, token, retry=QUICK)


async def _next(watch: Watch) -> State:
    async with asyncio.timeout(20):
        return await anext(watch)


async def _until_seq(watch: Watch, seq: int) -> State:
    while (state := await _next(watch))["seq"] < seq:
        pass
    return state


async def test_what_one_client_does_another_sees(live: LiveServer, shop: TestShop) -> None:
    async with (
        _client(live, "customer", "us_asha", shop) as customer,
        _client(live, "barber", "us_barber", shop) as barber,
    ):
        states = barber.watch(f"queue:{shop.barbers[0]}")
        assert (await _next(states))["next"] is None
        joined = await customer.join(shop.barbers[0], [shop.service])
        assert joined.queue is not None
        state = await _until_seq(states, joined.queue.version.seq)
        assert state["next"]["bookingId"] == joined.booking_id
        booking = customer.watch(f"booking:{joined.booking_id}")
        assert (await _next(booking))["status"] == "next"
        await barber.start(booking_id=joined.booking_id, expect=Expect(servingBookingId=None))
        assert (await _next(booking))["status"] == "serving"


async def test_a_refusal_is_raised_with_its_code(live: LiveServer, shop: TestShop) -> None:
    async with _client(live, "customer", "us_asha", shop) as customer:
        await customer.join(shop.barbers[0], [shop.service])
        with pytest.raises(BarberProError) as caught:
            await customer.join(shop.barbers[1], [shop.service])
        assert caught.value.code is ErrorCode.ALREADY_IN_QUEUE
        with pytest.raises(BarberProError) as caught:
            await customer.open(shop.barbers[0])
        assert caught.value.code is ErrorCode.FORBIDDEN


async def test_the_same_id_twice_is_one_booking(live: LiveServer, shop: TestShop) -> None:
    async with _client(live, "customer", "us_asha", shop) as customer:
        barber, services = shop.barbers[0], [shop.service]
        first = await customer.command("join", command_id="cmd-1", barberId=barber, serviceIds=services)
        again = await customer.command("join", command_id="cmd-1", barberId=barber, serviceIds=services)
        assert (first.replayed, again.replayed) == (False, True)
        assert first.booking == again.booking


async def test_commands_and_rooms_survive_cuts(live: LiveServer, shop: TestShop) -> None:
    """Every join is carried out once and seen, though all connections are reset again and again."""
    async with _client(live, "barber", "us_barber", shop) as barber:
        states = barber.watch(f"queue:{shop.barbers[0]}")
        joined: set[str] = set()
        for _ in range(10):
            joining = asyncio.create_task(barber.join(shop.barbers[0], [shop.service]))
            await asyncio.sleep(0)
            live.cut()
            joined.add((await joining).booking_id)
        last = await barber.pause(shop.barbers[0])
        assert last.queue is not None
        state = await _until_seq(states, last.queue.version.seq)
        assert {entry["bookingId"] for entry in [state["next"], *state["waiting"]]} == joined
        assert barber.stats.cuts > 0


async def test_a_bad_token_is_refused_at_the_door(live: LiveServer) -> None:
    with pytest.raises(BarberProError) as caught:
        async with BarberProClient(live.url, "no token", retry=QUICK):
            raise AssertionError("it was let in")
    assert caught.value.code is ErrorCode.UNAUTHORIZED


async def test_a_room_that_is_not_ones_own_is_not_found(live: LiveServer, shop: TestShop) -> None:
    async with (
        _client(live, "customer", "us_asha", shop) as asha,
        _client(live, "customer", "us_dev", shop) as dev,
    ):
        booking = (await asha.join(shop.barbers[0], [shop.service])).booking_id
        with pytest.raises(BarberProError) as caught:
            await _next(dev.watch(f"booking:{booking}"))
        assert caught.value.code is ErrorCode.NOT_FOUND


async def test_a_simulated_day_breaks_no_promise(live: LiveServer) -> None:
    summary = await simulate(await _short_day(live, speed=3600))
    assert summary.violations == []
    assert summary.errors == []
    assert summary.joins > 10
    assert summary.served > 5
    assert summary.left_waiting == 0


async def test_a_simulated_day_breaks_no_promise_though_its_connections_are_cut(live: LiveServer) -> None:
    cutting = asyncio.create_task(_cut(live, times=8, every_seconds=0.5))
    summary = await simulate(await _short_day(live, speed=1800))
    await cutting
    assert summary.violations == []
    assert summary.errors == []
    assert summary.reconnects > 10
    assert summary.left_waiting == 0


async def _short_day(live: LiveServer, speed: float) -> SimulateOptions:
    created = await TestShop.create(live.node, barbers=3)
    service = Service(serviceId=created.service, name="Cut", price="250.00", durationMinutes=20)
    barbers = [
        Barber(barberId=barber_id, name=f"Barber {number}", services=[service])
        for number, barber_id in enumerate(created.barbers)
    ]
    return SimulateOptions(
        base_url=live.url,
        shop=Shop(shopId=created.shop_id, barbers=barbers),
        mint=live.mint,
        speed=speed,
        day_hours=3,
        view="none",
    )


async def _cut(live: LiveServer, times: int, every_seconds: float) -> None:
    for _ in range(times):
        await asyncio.sleep(every_seconds)
        live.cut()
