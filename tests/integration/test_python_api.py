"""The Python client's REST methods, against a real server: a visit from the account to the stars."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_type_hints

import pytest

from barberpro.clients.python import BarberProApi, BarberProError, ErrorCode, RetryPolicy
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.commands import Customer, Payment
from barberpro.protocol.shops import ShopTold
from barberpro.server.node import NodeOptions
from barberpro.storage.users import add_user
from tests.support.live_server import LiveServer, live_server
from tests.support.shops import ADMIN

QUICK = RetryPolicy(ack_timeout=10.0, deadline=30.0, first_delay=0.02, longest_delay=0.2)


@pytest.fixture
async def live(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(NodeOptions(database_url, redis_url, redis_prefix), tmp_path) as live:
        yield live


async def _token(live: LiveServer, role: Role, user_id: str) -> str:
    async with live.node.pool.acquire() as connection:
        await add_user(connection, user_id, role.value, user_id.title(), "en", None, [])
    return live.tokens.mint(Actor(user_id, role))


async def _shop(api: BarberProApi) -> ShopTold:
    shop = await api.create_shop(name="Corner", time_zone="Etc/UTC", currency="INR", barber_name="Ravi")
    await api.create_service(shop["shopId"], name="Cut", price="250.00", duration_minutes=20)
    return await api.get_shop(shop["shopId"])


async def test_a_visit_is_booked_served_paid_and_rated(live: LiveServer) -> None:
    admin = live.tokens.mint(ADMIN)
    async with BarberProApi(live.url, await _token(live, Role.BARBER, "ravi"), retry=QUICK) as api:
        shop = await _shop(api)
        [barber] = shop["barbers"]
        api.use(admin)
        await api.run_command(command_id="open-1", type_="open", barber_id=barber["barberId"])
        api.use(await _token(live, Role.CUSTOMER, "asha"))
        wanted = [service["serviceId"] for service in barber["services"]]
        joined = await api.create_booking(
            barber_id=barber["barberId"], service_ids=wanted, customer=Customer(name="Asha")
        )
        booking_id = joined["booking"]["bookingId"]
        assert (await api.get_booking_token(booking_id))["tokenNumber"] == 1
        api.use(admin)
        await api.set_booking_status(booking_id, status="serving")
        paid = Payment(method="cash", amount="250.00", tip="20.00")
        await api.set_booking_status(booking_id, status="completed", payment=paid)
        lines = await api.list_payments(shop_id=shop["shopId"])
        assert sorted(line["amount"] for line in lines.rows) == ["20.00", "250.00"]
        assert (await api.list_payments(shop_id=shop["shopId"], limit=1)).next_cursor is not None
        api.use(live.tokens.mint(Actor("asha", Role.CUSTOMER)))
        assert (await api.rate_booking(booking_id, rating=5, review="Neat."))["barberRating"]["count"] == 1
        assert [each["cause"]["type"] for each in (await api.get_booking_history(booking_id)).rows][-1] == "complete"


async def test_what_is_left_out_stays_and_null_empties(live: LiveServer) -> None:
    async with BarberProApi(live.url, live.tokens.mint(ADMIN), retry=QUICK) as api:
        shop_id = (await _shop(api))["shopId"]
        await api.change_shop(shop_id, address="12 Church Street", latitude=1.0, longitude=2.0)
        changed = await api.change_shop(shop_id, latitude=None, longitude=None)
        assert (changed["address"], changed["latitude"]) == ("12 Church Street", None)


async def test_a_write_with_the_same_key_is_carried_out_once(live: LiveServer) -> None:
    async with BarberProApi(live.url, live.tokens.mint(ADMIN), retry=QUICK) as api:
        made = [
            await api.create_shop(name="Corner", time_zone="Etc/UTC", currency="INR", idempotency_key="once")
            for _ in range(2)
        ]
        assert made[0]["shopId"] == made[1]["shopId"]


async def test_a_write_goes_on_through_cuts(live: LiveServer) -> None:
    async with BarberProApi(live.url, live.tokens.mint(ADMIN), retry=QUICK) as api:
        for number in range(5):
            making = asyncio.create_task(api.change_flag(f"beta{number}", percentage=number))
            await asyncio.sleep(0)
            live.cut()
            assert (await making)["percentage"] == number
        assert [flag["name"] for flag in (await api.list_flags()).rows] == [f"beta{number}" for number in range(5)]


async def test_without_a_token_there_is_what_everybody_may_see(live: LiveServer) -> None:
    async with BarberProApi(live.url, retry=QUICK) as api:
        assert (await api.get_live())["live"]
        assert (await api.get_openapi())["openapi"] == "3.1.0"
        assert (await api.get_jwks())["keys"]
        assert (await api.search_barbers(open_now=True)).meta["asOf"]
        begun = await api.register(email="new@example.com", password="correct horse")  # noqa: S106 - nobody's
        assert begun["channel"] == "email"
        with pytest.raises(BarberProError) as refused:
            await api.get_me()
        assert refused.value.code is ErrorCode.UNAUTHORIZED
        day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        with pytest.raises(BarberProError) as refused:
            await api.list_slots("bb_none", date=day)
        assert refused.value.code is ErrorCode.NOT_FOUND


def test_every_method_is_typed() -> None:
    methods = [getattr(BarberProApi, name) for name in dir(BarberProApi) if not name.startswith("_") and name != "use"]
    assert len(methods) > 90
    for method in methods:
        assert "return" in get_type_hints(method), method
