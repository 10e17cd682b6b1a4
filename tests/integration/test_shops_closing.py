"""The end of a shop's day, and who may join from afar."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import islice

import pytest
import pytest_asyncio

from barberpro.domain.hours import DAYS
from barberpro.queue.estimate import PaceEstimator
from barberpro.queue.pace import NEW_BARBER
from tests.support.accounts import AccountDoor, shared_door
from tests.support.owners import Owner, at_noon, new_owner
from tests.support.shops import Json, customer, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTES = 20
FINISHES = list(islice(PaceEstimator().finishes(NEW_BARBER, None, [MINUTES] * 8, MINUTES), 8))
"""When whoever joins is done (P90), by how many are ahead."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str, _template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AccountDoor]:
    async with shared_door(server_url, _template, redis_url, tmp_path_factory.mktemp("keys")) as door:
        yield door


def closing_in(minutes: int, *later: list[str]) -> Json:
    """Fields of a shop in whose zone it is noon, with hours of every day that end so soon."""
    zone, now = at_noon()
    hours = [["00:00", "06:00"], ["08:00", f"{now + timedelta(minutes=minutes):%H:%M}"], *later]
    return {"timeZone": zone, "openingHours": dict.fromkeys(DAYS, hours)}


async def opened(door: AccountDoor, **more: object) -> tuple[Owner, str]:
    """An owner with an open line, and the one service."""
    owner = await new_owner(door, **more)
    service = await owner.service(minutes=MINUTES)
    await owner.open()
    return owner, service


def token(owner: Owner, number: int) -> str:
    return owner.door.server.token(customer(number))


async def test_of_a_crowd_just_those_join_who_are_likely_to_be_done_in_time(door: AccountDoor) -> None:
    left = (FINISHES[2] + FINISHES[3]) // 2 + 1
    owner, service = await opened(door, **closing_in(left))
    answers = await asyncio.gather(*(owner.join(token(owner, number), service) for number in range(8)))
    refused = [answer for answer in answers if answer.status != 201]
    assert len(answers) - len(refused) == 3
    closes_at = (await door.call("GET", owner.shop)).data["closesAt"]
    for answer in refused:
        assert answer.code == "QUEUE_CLOSED"
        assert answer.body["error"]["details"] == {
            "barberId": owner.barber_id, "reason": "closing", "closesAt": closes_at, "p90Minutes": FINISHES[3],
        }  # fmt: skip


async def test_one_id_has_one_outcome_whatever_the_hour(door: AccountDoor) -> None:
    owner, service = await opened(door, **closing_in(300))
    key = new_id()
    first = await owner.join(token(owner, 1), service, Idempotency_Key=key)
    await owner.call("PATCH", owner.shop, {"openingHours": {}})
    again = await owner.join(token(owner, 1), service, Idempotency_Key=key)
    assert (first.status, again.status) == (201, 200)
    assert again.data["booking"]["bookingId"] == first.data["booking"]["bookingId"]
    late = new_id()
    refused = await owner.join(token(owner, 2), service, Idempotency_Key=late)
    assert refused.body["error"]["details"] == {"barberId": owner.barber_id, "reason": "closing"}
    await owner.call("PATCH", owner.shop, {"settings": {"closingCutoff": False}})
    assert (await owner.join(token(owner, 2), service, Idempotency_Key=late)).code == "QUEUE_CLOSED"
    assert (await owner.join(token(owner, 2), service)).status == 201


async def test_it_is_the_days_last_closing_that_counts(door: AccountDoor) -> None:
    owner, service = await opened(door, **closing_in(2, ["16:00", "23:00"]))
    assert (await owner.join(token(owner, 1), service)).status == 201


async def test_a_shop_that_has_told_no_hours_takes_people_as_long_as_its_line_is_open(door: AccountDoor) -> None:
    owner, service = await opened(door)
    assert (await owner.join(token(owner, 1), service)).status == 201


async def test_where_nobody_joins_from_afar_staff_and_the_door_still_take_people(door: AccountDoor) -> None:
    owner, service = await opened(door, settings={"remoteJoin": False})
    refused = await owner.join(token(owner, 1), service)
    assert refused.body["error"]["details"] == {"barberId": owner.barber_id, "reason": "no_remote_join"}
    body = {"barberId": owner.barber_id, "serviceIds": [service], "customer": {"name": "Ana"}}
    assert (await owner.call("POST", "/bookings", body)).status == 201
    code = (await owner.call("POST", f"{owner.shop}/join-code", {})).data["code"]
    at_the_door = (await door.call("POST", f"{owner.shop}/scan", {"code": code})).data["door"]["token"]
    assert (await door.call("POST", "/bookings", body, at_the_door)).status == 201


async def test_sockets_heed_the_closing_too(door: AccountDoor) -> None:
    owner, service = await opened(door, openingHours={})
    headers = door.server.bearer(customer(1))
    async with door.server.client.ws_connect(f"/ws/queue/{owner.barber_id}", headers=headers) as socket:
        assert (await socket.receive_json())["event"] == "subscribed"
        join = {"type": "join", "commandId": new_id(), "barberId": owner.barber_id, "serviceIds": [service]}
        await socket.send_json({"event": "command", **join})
        ack = await socket.receive_json()
    assert (ack["event"], ack["error"]["code"]) == ("ack", "QUEUE_CLOSED")
    assert ack["error"]["details"]["reason"] == "closing"
