"""Calendars and appointments, as the shop's owner has set it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.support.accounts import AccountDoor, shared_door
from tests.support.owners import Owner, new_owner
from tests.support.rest import Answer
from tests.support.shops import Json, customer

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = (datetime.now(UTC) + timedelta(days=30)).date()
HOURS = {f"{DAY:%a}".lower(): [["09:00", "10:00"]]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str, _template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AccountDoor]:
    async with shared_door(server_url, _template, redis_url, tmp_path_factory.mktemp("keys")) as door:
        yield door


async def slots(owner: Owner) -> list[str]:
    rows = (await owner.door.call("GET", f"/barbers/{owner.barber_id}/slots?date={DAY}")).data
    return [row["preferredTime"] for row in rows]


async def book(owner: Owner, service: str, clock: str) -> Answer:
    body: Json = {"barberId": owner.barber_id, "serviceIds": [service]}
    when = {"bookingDate": DAY.isoformat(), "preferredTime": clock}
    return await owner.door.call("POST", "/bookings", body | when, owner.door.server.token(customer(1)))


async def test_a_barber_without_shifts_can_be_booked_while_the_shop_is_open(door: AccountDoor) -> None:
    owner = await new_owner(door, openingHours=HOURS)
    service = await owner.service(minutes=20)
    assert await slots(owner) == ["09:00", "09:15", "09:30"]
    assert (await book(owner, service, "10:00")).code == "BARBER_UNAVAILABLE"
    assert (await book(owner, service, "09:40")).status == 201
    await owner.call("PATCH", "/barbers/me/availability", {"exceptions": [{"date": DAY.isoformat(), "shifts": []}]})
    assert await slots(owner) == []


async def test_the_shop_says_how_far_apart_slots_are_and_what_notice_it_wants(door: AccountDoor) -> None:
    settings = {"slotMinutes": 30, "changeNoticeMinutes": 7 * 24 * 60}
    owner = await new_owner(door, openingHours=HOURS, settings=settings)
    service = await owner.service(minutes=20)
    assert await slots(owner) == ["09:00", "09:30"]
    path = f"/bookings/{(await book(owner, service, '09:00')).data['booking']['bookingId']}"
    who = door.server.token(customer(1))
    assert (
        await door.call("PATCH", path, {"bookingDate": DAY.isoformat(), "preferredTime": "09:10"}, who)
    ).status == 200
    told = (await door.call("GET", owner.shop)).data["settings"]
    assert {name: told[name] for name in settings} == settings
