"""Tokens on a live connection: renewed, refused, announced to end, and ended."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest

from barberpro.handlers.services import Limits
from barberpro.protocol.actors import Role
from barberpro.server.node import NodeOptions
from tests.support.raw_socketio import TRANSPORTS
from tests.support.rest import tokens
from tests.support.shops import customer
from tests.support.socket_door import SocketDoor, socket_door

QUICK = Limits(requests_per_minute=0, session_grace_seconds=0.2, session_warning_seconds=60.0)
ME = customer(1)
SHORT = 2
"""Seconds of a token that ends within the test: whole seconds are counted, so that it may have one less."""


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[SocketDoor]:
    """A door that warns as soon as a token has a minute left, and ends the session soon after its end."""
    async with socket_door(NodeOptions(database_url, redis_url, redis_prefix), QUICK) as door:
        yield door


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_session_is_warned_then_expired_then_ended(door: SocketDoor, transport: str) -> None:
    client = await door.connect(tokens().mint(ME, SHORT), transport)
    warning = await client.hears("session_expiring")
    assert warning.keys() == {"expiresAt"}
    assert datetime.fromisoformat(warning["expiresAt"]).tzinfo is not None
    expired = await client.hears("session_expired")
    assert expired.keys() == {"code", "message", "temporary", "details"}
    assert expired["code"] == "TOKEN_EXPIRED"
    await client.ends()


async def test_a_session_whose_token_is_over_already_is_warned_too(door: SocketDoor) -> None:
    client = await door.connect(tokens().mint(ME, 0))
    await client.hears("session_expiring")
    await client.hears("session_expired")
    await client.ends()


async def test_a_renewed_session_goes_on(door: SocketDoor) -> None:
    token = tokens().mint(ME, SHORT)
    renewed, other = await door.connect(token), await door.connect(token)
    warning = await renewed.hears("session_expiring")
    ack = await renewed.ask("authenticate", {"token": tokens().mint(ME, 3600)})
    assert ack.keys() == {"ok", "expiresAt"}
    assert ack["ok"] is True
    assert ack["expiresAt"] > warning["expiresAt"]
    await other.ends()
    assert (await renewed.subscribe(door.room()))["ok"]
    assert renewed.heard["session_expired"] == []


async def test_a_token_that_ends_sooner_counts_too(door: SocketDoor) -> None:
    client = await door.connect(tokens().mint(ME, 86_400))
    assert (await client.ask("authenticate", {"token": tokens().mint(ME, SHORT)}))["ok"]
    await client.hears("session_expiring")
    await client.ends()


async def test_a_token_of_somebody_else_is_refused_and_the_old_one_stays(door: SocketDoor) -> None:
    client = await door.connect(ME)
    for token, code in (
        (tokens().mint(customer(2)), "FORBIDDEN"),
        (tokens().mint(replace(ME, role=Role.ADMIN)), "FORBIDDEN"),
        (tokens().mint(ME, -60), "TOKEN_EXPIRED"),
        ("garbage", "UNAUTHORIZED"),
    ):
        ack = await client.ask("authenticate", {"token": token})
        assert ack.keys() == {"ok", "error"}
        assert (ack["ok"], ack["error"]["code"]) == (False, code)
    joined = await client.command(**door.join())
    assert joined["ok"], joined
    assert (await client.subscribe(f"booking:{joined['data']['booking']['bookingId']}"))["ok"]


async def test_requests_of_any_kind_are_paced(database_url: str, redis_url: str, redis_prefix: str) -> None:
    few = Limits(requests_per_minute=0, commands=1, rooms_per_connection=2)
    async with socket_door(NodeOptions(database_url, redis_url, redis_prefix), few) as door:
        client = await door.connect(ME)
        acks = [await client.subscribe("booking:bk_none_0") for _ in range(9)]
        assert {ack["error"]["code"] for ack in acks[:8]} == {"NOT_FOUND"}
        assert acks[8]["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        other = await door.connect(ME)
        assert (await other.subscribe(door.room()))["ok"]
