"""A ticket handed on by a QR code: from whoever has the booking, to a phone."""

import re
import time
from collections.abc import AsyncIterator

import pytest

from barberpro.domain import tickets
from barberpro.domain.guests import TICKET_SECONDS
from barberpro.domain.identity import Tokens
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.errors import BarberProError
from barberpro.server.node import NodeOptions
from barberpro.storage.sealing import Sealer
from tests.support.callers import Scene, scene
from tests.support.rest import tokens
from tests.support.shops import Json


@pytest.fixture
async def stage(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Scene]:
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        yield each


def sealer_of(stage: Scene) -> Sealer:
    app = stage.door.client.app
    assert app is not None
    return app[ACCOUNTS].contacts.sealer


async def taken(stage: Scene) -> Json:
    """What a kiosk gets for a walk-in: {booking, ticket, ...}."""
    data: Json = (await stage.door.post("/bookings", stage.callers["kiosk"], stage.door.booking_body())).data
    return data


async def test_a_kiosks_ticket_goes_to_the_phone_that_reads_it(stage: Scene) -> None:
    made = await taken(stage)
    booking, holder = made["booking"]["bookingId"], tokens().verify(made["ticket"]["token"]).actor
    headers = {"Authorization": f"Bearer {made['ticket']['token']}"}
    async with stage.door.client.get(f"/api/v1/bookings/{booking}/qr", headers=headers) as response:
        svg = await response.text()
    assert response.content_type == "image/svg+xml"
    squares = int((re.search(r'width="(\d+)"', svg) or ["", "0"])[1]) / 10 - 8  # of ten pixels, with a margin of four
    assert squares <= 61  # to be read from paper as wide as a thumb
    body = {"code": tickets.code_for(sealer_of(stage), booking)}
    told = (await stage.door.post(f"/bookings/{booking}/ticket", None, body)).data
    assert tokens().verify(told["ticket"]["token"]).actor == holder
    assert (await stage.door.get(f"/bookings/{booking}/token", holder)).data["tokenNumber"] == 2


async def test_a_code_is_for_one_bookings_ticket_and_cannot_be_made(stage: Scene) -> None:
    mine, other = await taken(stage), stage.booking
    booking, seals = mine["booking"]["bookingId"], sealer_of(stage)
    good = tickets.code_for(seals, booking)
    changed = good[:-6] + ("A" if good[-6] != "A" else "B") + good[-5:]
    forged = ("x" * 40, changed, seals.seal("+919876543210 0123456"), seals.seal(f"ticket {other} {int(time.time())}"))
    for code in forged:
        assert (await stage.door.post(f"/bookings/{booking}/ticket", None, {"code": code})).code == "NOT_FOUND"
    assert (await stage.door.post(f"/bookings/{other}/ticket", None, {"code": good})).code == "NOT_FOUND"
    assert (await stage.door.post(f"/bookings/{booking}/ticket", None, {"code": "?" * 40})).refused_fields == ["code"]


def test_a_code_ends_with_the_day_and_with_the_tickets_that_are_revoked(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seals, booking = sealer_of(stage), stage.booking
    made_at = time.time()
    code = tickets.code_for(seals, booking)
    revoking = Tokens(tokens().keys, is_revoked=lambda identity: identity.issued_at <= made_at)
    with pytest.raises(BarberProError):
        tickets.ticket_for(seals, revoking, booking, code)
    ends = tokens().verify(tickets.ticket_for(seals, tokens(), booking, code)["token"]).expires_at
    assert ends - made_at <= TICKET_SECONDS
    monkeypatch.setattr("barberpro.domain.tickets.time.time", lambda: made_at + TICKET_SECONDS + 1)
    with pytest.raises(BarberProError):
        tickets.ticket_for(seals, tokens(), booking, code)
