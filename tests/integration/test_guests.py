"""From the QR code on the door to a place in the line, and back to it."""

import re
import struct
import zlib
from collections.abc import AsyncIterator

import pytest

from barberpro.domain import guests
from barberpro.server.node import NodeOptions
from tests.support.callers import Scene, scene
from tests.support.raw_socketio import raw_client
from tests.support.rest import tokens
from tests.support.shops import ADMIN, VIA, new_id


@pytest.fixture
async def stage(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Scene]:
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        await guests.change_code(each.door.node.pool, ADMIN, each.door.shop.shop_id, VIA)
        yield each


async def picture(stage: Scene, kind: str) -> tuple[str, bytes]:
    headers = {"Authorization": f"Bearer {tokens().mint(stage.door.shop.staff[0])}"}
    path = f"/api/v1/shops/{stage.door.shop.shop_id}/qr?format={kind}"
    async with stage.door.client.get(path, headers=headers) as response:
        assert response.status == 200
        return response.content_type, await response.read()


def width_of(png: bytes) -> int:
    """Of its header, whose checksum must hold."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert zlib.crc32(png[12:29]) == struct.unpack(">I", png[29:33])[0]
    width: int = struct.unpack(">I", png[16:20])[0]
    return width


async def test_the_qr_code_comes_as_svg_and_png(stage: Scene) -> None:
    kind, svg = await picture(stage, "svg")
    assert (kind, svg.count(b"<svg")) == ("image/svg+xml", 1)
    kind, png = await picture(stage, "png")
    assert kind == "image/png"
    told = re.search(rb'width="(\d+)"', svg)
    assert told is not None
    assert width_of(png) == int(told.group(1))
    path = f"/shops/{stage.door.shop.shop_id}/qr?format=gif"
    assert (await stage.door.get(path, ADMIN)).refused_fields == ["format"]


async def test_the_address_in_the_code_opens_the_join_page(stage: Scene) -> None:
    shop_id = stage.door.shop.shop_id
    url = (await stage.door.get(f"/shops/{shop_id}/join-code", ADMIN)).data["url"]
    origin = str(stage.door.client.make_url("/"))
    assert url.startswith(f"{origin}join/{shop_id}?code=")
    async with stage.door.client.get(f"/{url.removeprefix(origin)}") as page:
        assert (page.status, page.content_type) == (200, "text/html")


async def test_a_guest_scans_joins_and_finds_the_place_again_by_scanning(stage: Scene) -> None:
    shop_id = stage.door.shop.shop_id
    code = {"code": (await guests.present_code(stage.door.node.pool, shop_id, ""))["code"]}
    first = (await stage.door.post(f"/shops/{shop_id}/scan", None, code)).data
    assert (first["place"], first["shop"]["barbers"][0]["barberId"]) == (None, stage.door.shop.barbers[0])
    door = tokens().verify(first["door"]["token"]).actor
    key, body = new_id(), stage.door.booking_body(customer={"name": "Ana"})
    made = await stage.door.post("/bookings", door, body, Idempotency_Key=key)
    again = await stage.door.post("/bookings", door, body, Idempotency_Key=key)
    assert (made.status, again.status, again.data["booking"]) == (201, 200, made.data["booking"])
    ticket = made.data["ticket"]["token"]
    assert tokens().verify(again.data["ticket"]["token"]).actor == tokens().verify(ticket).actor
    second = (await stage.door.post(f"/shops/{shop_id}/scan", None, {**code, "ticket": ticket})).data
    assert second["place"]["bookingId"] == made.data["booking"]["bookingId"]
    assert second["place"]["position"] == 1
    holder = tokens().verify(ticket).actor
    path = f"/bookings/{second['place']['bookingId']}"
    assert (await stage.door.patch(path, holder, {"status": "cancelled"})).status == 200
    third = (await stage.door.post(f"/shops/{shop_id}/scan", None, {**code, "ticket": ticket})).data
    assert third["place"] is None


async def test_a_guest_who_joins_over_a_socket_gets_a_ticket_and_a_customer_needs_none(stage: Scene) -> None:
    url = str(stage.door.client.make_url("/"))
    for caller, gets_one in (("door", True), ("kiosk", True), ("customer", False), ("barber", False)):
        who = stage.callers[caller]
        assert who is not None
        async with raw_client(url, {"token": tokens().mint(who)}, "websocket") as client:
            ack = await client.command(commandId=new_id(), **stage.door.shop.join(barber=0))
            if caller == "customer":  # who waits with the other barber already
                assert ack["error"]["code"] == "ALREADY_IN_QUEUE"
            else:
                assert ("ticket" in ack["data"]) is gets_one


async def test_what_staff_did_about_codes_and_screens_stands_in_the_audit_log(stage: Scene) -> None:
    pool, shop_id = stage.door.node.pool, stage.door.shop.shop_id
    await guests.withdraw_code(pool, ADMIN, shop_id, VIA)
    rows = await pool.fetch(
        "SELECT action, actor_id, request_id FROM audit_logs WHERE shop_id = $1 ORDER BY at", shop_id
    )
    noted = [tuple(row) for row in rows if not row["action"].startswith("queue.")]
    assert [tuple(row) for row in noted] == [
        ("join_code.changed", ADMIN.id, VIA.request_id),
        ("join_code.withdrawn", ADMIN.id, VIA.request_id),
    ]
