"""Attacks on who may do what: tickets, tokens of screens, codes, and other people's things."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from barberpro.domain import devices, guests
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.server.node import NodeOptions
from tests.support.callers import Scene, scene
from tests.support.live_server import live_server
from tests.support.raw_socketio import raw_client
from tests.support.rest import Answer, tokens
from tests.support.shops import ADMIN, VIA, Json, TestShop, customer, new_id, refusal


@pytest.fixture
async def stage(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Scene]:
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        await guests.change_code(each.door.node.pool, ADMIN, each.door.shop.shop_id, VIA)
        yield each


async def scanned(stage: Scene, **more: str) -> Answer:
    """What the shop's code gives."""
    shop_id = stage.door.shop.shop_id
    code = (await guests.present_code(stage.door.node.pool, shop_id, ""))["code"]
    return await stage.door.post(f"/shops/{shop_id}/scan", None, {"code": code, **more})


async def joined(stage: Scene) -> Json:
    """A guest's answer to a join: {booking, ticket, ...}."""
    door = tokens().verify((await scanned(stage)).data["door"]["token"]).actor
    body = stage.door.booking_body(customer={"name": "Ana"})
    data: Json = (await stage.door.post("/bookings", door, body)).data
    return data


def actor_of(told: Json) -> Actor:
    return tokens().verify(told["token"]).actor


async def paired(stage: Scene, kind: Any = "display") -> tuple[str, Actor]:  # noqa: ANN401 - a kind of device
    """A device of the shop: its secret, and who it is."""
    pool, shop_id = stage.door.node.pool, stage.door.shop.shop_id
    asked = await devices.ask(pool, kind)
    await devices.pair(pool, ADMIN, shop_id, kind, asked["code"], "Wall", VIA)
    told = await devices.token_of(pool, tokens(), asked["secret"])
    assert told["status"] == "paired"
    return asked["secret"], actor_of(dict(told))


# Tickets -----------------------------------------------------------------------------------------------------------


async def test_a_guests_ticket_opens_nothing_of_another_booking(stage: Scene) -> None:
    first, second = await joined(stage), await joined(stage)
    thief, victim = actor_of(first["ticket"]), second["booking"]["bookingId"]
    for path in ("", "/token", "/history"):
        assert (await stage.door.get(f"/bookings/{victim}{path}", thief)).status == 404
    for kind in ({"type": "cancel"}, {"type": "step_back", "places": 1}, {"type": "check_in"}):
        command = {"commandId": new_id(), "bookingId": victim, **kind}
        assert (await stage.door.post("/queue/commands", thief, command)).code == "NOT_FOUND"
    url = str(stage.door.client.make_url("/"))
    async with raw_client(url, {"token": first["ticket"]["token"]}, "websocket") as client:
        assert (await client.subscribe(f"booking:{victim}"))["error"]["code"] == "NOT_FOUND"
        assert (await client.subscribe(f"booking:{first['booking']['bookingId']}"))["ok"]
    assert (await stage.door.get(f"/bookings/{victim}", actor_of(second["ticket"]))).data["status"] == "waiting"


async def test_a_ticket_whose_booking_was_changed_by_hand_is_no_token(stage: Scene) -> None:
    mine = (await joined(stage))["ticket"]["token"]
    head, _, signature = mine.split(".")
    claims = jwt.decode(mine, options={"verify_signature": False}) | {"bookingId": stage.booking}
    forged = jwt.encode(claims, "x" * 32, algorithm="HS256").split(".")[1]
    headers = {"Authorization": f"Bearer {head}.{forged}.{signature}"}
    async with stage.door.client.get(f"/api/v1/bookings/{stage.booking}", headers=headers) as response:
        assert response.status == 401


async def test_a_ticket_neither_joins_again_nor_changes_the_time(stage: Scene) -> None:
    told = await joined(stage)
    ticket, booking = actor_of(told["ticket"]), told["booking"]["bookingId"]
    assert (await stage.door.post("/bookings", ticket, stage.door.booking_body())).code == "FORBIDDEN"
    when = {"bookingDate": "2999-01-01", "preferredTime": "10:00"}
    assert (await stage.door.patch(f"/bookings/{booking}", ticket, when)).code == "FORBIDDEN"
    assert (await stage.door.patch(f"/bookings/{booking}", ticket, {"status": "cancelled"})).status == 200


# The code on the door ----------------------------------------------------------------------------------------------


async def test_a_code_that_was_replaced_or_withdrawn_lets_nobody_in(stage: Scene) -> None:
    shop_id, staff = stage.door.shop.shop_id, stage.door.shop.staff[0]
    path = f"/shops/{shop_id}"
    old = (await stage.door.get(f"{path}/join-code", staff)).data["code"]
    new = (await stage.door.post(f"{path}/join-code", staff, {})).data["code"]
    assert new != old
    assert (await stage.door.post(f"{path}/scan", None, {"code": old})).code == "NOT_FOUND"
    assert (await stage.door.post(f"{path}/scan", None, {"code": new})).status == 200
    assert (await stage.door.call("DELETE", f"{path}/join-code", staff)).status == 200
    assert (await stage.door.post(f"{path}/scan", None, {"code": new})).code == "NOT_FOUND"


async def test_a_repeated_request_for_a_code_does_not_replace_the_one_that_it_made(stage: Scene) -> None:
    path, staff = f"/shops/{stage.door.shop.shop_id}/join-code", stage.door.shop.staff[0]
    key = new_id()
    first = (await stage.door.post(path, staff, {}, Idempotency_Key=key)).data
    assert (await stage.door.post(path, staff, {}, Idempotency_Key=key)).data == first
    assert (await stage.door.post(path, staff, {}, Idempotency_Key=new_id())).data["code"] != first["code"]


async def test_the_code_of_one_shop_opens_no_other(stage: Scene) -> None:
    code = (await guests.present_code(stage.door.node.pool, stage.door.shop.shop_id, ""))["code"]
    await guests.change_code(stage.door.node.pool, ADMIN, stage.other.shop_id, VIA)
    answer = await stage.door.post(f"/shops/{stage.other.shop_id}/scan", None, {"code": code})
    assert answer.code == "NOT_FOUND"


async def test_scanning_with_somebody_elses_token_for_a_ticket_shows_no_place(stage: Scene) -> None:
    for who in (customer(0), stage.other.staff[0], ADMIN, stage.callers["display"]):
        assert who is not None
        assert (await scanned(stage, ticket=tokens().mint(who))).data["place"] is None
    assert (await scanned(stage, ticket="nonsense")).data["place"] is None


# Screens -----------------------------------------------------------------------------------------------------------


async def test_a_displays_token_commands_nothing(stage: Scene) -> None:
    _, display = await paired(stage)
    shop = stage.door.shop
    url = str(stage.door.client.make_url("/"))
    async with raw_client(url, {"token": tokens().mint(display)}, "websocket") as client:
        assert (await client.subscribe(f"display:{shop.shop_id}"))["ok"]
        for kind, about in (
            ("join", {"serviceIds": [shop.service]}),
            ("advance", {}),
            ("close", {"waiting": "cancel"}),
        ):
            command = {"commandId": new_id(), "type": kind, "barberId": shop.barbers[0], **about}
            assert (await client.command(**command))["error"]["code"] == "FORBIDDEN"
        for kind in ("cancel", "no_show"):
            ack = await client.command(commandId=new_id(), type=kind, bookingId=stage.booking)
            assert ack["error"]["code"] == "FORBIDDEN"
        assert (await client.subscribe(f"booking:{stage.booking}"))["error"]["code"] == "NOT_FOUND"


async def test_a_kiosk_joins_for_whoever_stands_there_and_can_do_nothing_else_to_the_booking(stage: Scene) -> None:
    _, kiosk = await paired(stage, "kiosk")
    told = (await stage.door.post("/bookings", kiosk, stage.door.booking_body(customer={"name": "Bo"}))).data
    booking = told["booking"]["bookingId"]
    assert (await stage.door.patch(f"/bookings/{booking}", kiosk, {"status": "cancelled"})).code == "FORBIDDEN"
    assert (await stage.door.get(f"/bookings/{booking}", kiosk)).code == "NOT_FOUND"
    assert (await stage.door.get(f"/bookings/{booking}", actor_of(told["ticket"]))).status == 200


async def test_a_pairing_code_is_confirmed_once_and_by_one_shop(stage: Scene) -> None:
    pool, path = stage.door.node.pool, f"/shops/{stage.door.shop.shop_id}/displays/pair"
    asked = await devices.ask(pool, "display")
    body = {"code": asked["code"].lower().replace("-", " "), "name": "Wall"}
    first = await stage.door.post(path, stage.door.shop.staff[0], body)
    again = await stage.door.post(path, stage.door.shop.staff[0], body)
    assert first.data == again.data
    taken = await stage.door.post(f"/shops/{stage.other.shop_id}/displays/pair", stage.other.staff[0], body)
    assert taken.code == "NOT_FOUND"


async def test_what_asked_to_be_a_kiosk_is_not_confirmed_as_a_display(stage: Scene) -> None:
    asked = await devices.ask(stage.door.node.pool, "kiosk")
    path = f"/shops/{stage.door.shop.shop_id}/displays/pair"
    answer = await stage.door.post(path, stage.door.shop.staff[0], {"code": asked["code"], "name": "Wall"})
    assert answer.code == "NOT_FOUND"
    assert (await devices.token_of(stage.door.node.pool, tokens(), asked["secret"]))["status"] == "waiting"


async def test_pairing_codes_cannot_be_guessed_by_trying_them(stage: Scene) -> None:
    pool, staff = stage.door.node.pool, stage.door.shop.staff[0]
    path = f"/shops/{stage.door.shop.shop_id}/displays/pair"
    asked = await devices.ask(pool, "display")
    wrong = {"code": "BBBB-BBBB", "name": "Mine"}
    codes = [(await stage.door.post(path, staff, wrong)).code for _ in range(11)]
    assert codes == ["NOT_FOUND"] * 10 + ["RATE_LIMIT_EXCEEDED"]
    # Not even the right one: whoever guesses it with the eleventh try has guessed it in vain. By other people, too.
    right = {"code": asked["code"], "name": "Mine"}
    refused = await stage.door.post(path, stage.door.shop.staff[1], right)
    assert (refused.code, int(refused.headers["Retry-After"]) > 60) == ("RATE_LIMIT_EXCEEDED", True)
    other = await stage.door.post(f"/shops/{stage.other.shop_id}/displays/pair", stage.other.staff[0], right)
    assert other.status == 200


async def test_a_code_that_has_expired_pairs_nothing_and_its_device_is_forgotten(stage: Scene) -> None:
    pool = stage.door.node.pool
    asked = await devices.ask(pool, "display")
    await pool.execute("UPDATE devices SET code_expires_at = now() - interval '1 second'")
    pairing = devices.pair(pool, ADMIN, stage.door.shop.shop_id, "display", asked["code"], "Wall", VIA)
    assert (await refusal(pairing)).code is ErrorCode.NOT_FOUND
    assert (await refusal(devices.token_of(pool, tokens(), asked["secret"]))).code is ErrorCode.NOT_FOUND
    await devices.ask(pool, "display")
    assert await pool.fetchval("SELECT count(*) FROM devices") == 1


async def test_a_device_that_was_revoked_gets_no_token_and_stays_out(stage: Scene) -> None:
    secret, display = await paired(stage)
    other = await paired(stage)
    pool, path = stage.door.node.pool, f"/shops/{stage.door.shop.shop_id}/devices"
    staff = stage.door.shop.staff[0]
    listed = [each["deviceId"] for each in (await stage.door.get(path, staff)).data]
    assert listed == [display.id, other[1].id]
    not_theirs = f"/shops/{stage.other.shop_id}/devices/{display.id}"
    assert (await stage.door.call("DELETE", not_theirs, stage.other.staff[0])).code == "NOT_FOUND"
    assert (await stage.door.call("DELETE", f"{path}/{display.id}", staff)).status == 200
    assert (await stage.door.call("DELETE", f"{path}/{display.id}", staff)).status == 404
    assert (await refusal(devices.token_of(pool, tokens(), secret))).code is ErrorCode.TOKEN_REVOKED
    # Which is what every node reads, and ends its connections by (tests/integration/test_revocations.py).
    assert await pool.fetchval("SELECT count(*) FROM revocations WHERE user_id = $1", display.id) == 1
    assert [each["deviceId"] for each in (await stage.door.get(path, staff)).data] == [other[1].id]
    entries = await pool.fetch(
        "SELECT action, actor_id, ip IS NOT NULL, request_id IS NOT NULL FROM audit_entries WHERE object_id = $1",
        display.id,
    )
    revoked = [tuple(entry) for entry in entries if entry["action"] != "device.paired"]
    assert revoked == [("device.revoked", staff.id, True, True)]


async def test_the_secret_of_a_device_is_nowhere_to_be_read(stage: Scene) -> None:
    secret, _ = await paired(stage)
    pool = stage.door.node.pool
    for table in ("devices", "audit_entries"):
        rows = await pool.fetch(f"SELECT t::text AS text FROM {table} t")  # noqa: S608 - two names
        assert rows
        assert not any(secret in row["text"] for row in rows)
    answer = await stage.door.get(f"/shops/{stage.door.shop.shop_id}/devices", stage.door.shop.staff[0])
    assert secret not in str(answer.body)


# Other people's things ---------------------------------------------------------------------------------------------


async def test_what_a_request_without_a_body_does_not_know_is_refused_and_does_nothing(stage: Scene) -> None:
    shop = f"/shops/{stage.door.shop.shop_id}"
    for method, path in (
        ("POST", "/auth/logout"),
        ("DELETE", "/auth/sessions/ss_1"),
        ("DELETE", "/auth/account"),
        ("POST", f"{shop}/join-code"),
        ("DELETE", f"{shop}/join-code"),
        ("DELETE", f"{shop}/devices/dv_1"),
        ("DELETE", "/admin/blocks/rl_1"),
    ):
        assert (await stage.door.call(method, path, ADMIN, {"dryRun": True})).refused_fields == ["dryRun"], path


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.BARBER])
async def test_a_users_token_finds_nothing_of_anothers_wherever_it_looks(stage: Scene, role: Role) -> None:
    """What changes it is walked by tests/integration/test_policy.py."""
    who = customer(1) if role is Role.CUSTOMER else stage.other.staff[0]
    shop_id, barber_id = stage.door.shop.shop_id, stage.door.shop.barbers[0]
    for path in (
        f"/bookings/{stage.booking}",
        f"/bookings/{stage.booking}/token",
        f"/bookings/{stage.booking}/history",
        f"/queue/{barber_id}/events",
        f"/shops/{shop_id}/qr",
        f"/shops/{shop_id}/join-code",
        f"/shops/{shop_id}/devices",
    ):
        there = await stage.door.get(path, who)
        nowhere = await stage.door.get(
            path.replace(stage.booking, f"{stage.booking}0").replace(shop_id, "sh_0").replace(barber_id, "bb_0"), who
        )
        # What is not theirs looks just like what is not there.
        assert (there.status, there.body["error"]) == (404, nowhere.body["error"]), path


async def test_a_customer_with_a_barbers_claims_is_still_a_customer(stage: Scene) -> None:
    shop = stage.door.shop
    climbing = replace(customer(1), barber_id=shop.barbers[0], shop_ids=frozenset({shop.shop_id}))
    assert (await stage.door.get("/queue/my-queue", climbing)).status == 403
    assert (await stage.door.get(f"/queue/{shop.barbers[0]}/events", climbing)).status == 404
    assert (await stage.door.get(f"/shops/{shop.shop_id}/join-code", climbing)).status == 404
    assert "Customer 0" not in str((await stage.door.get(f"/queue/{shop.barbers[0]}", climbing)).body)


async def test_a_barber_who_was_let_go_is_staff_no_more_whatever_their_token_says(stage: Scene) -> None:
    shop, node = stage.door.shop, stage.door.node
    leaving = replace(shop.staff[0], shop_ids=frozenset({shop.shop_id}))
    line = f"/queue/{shop.barbers[1]}"
    for path in (f"{line}/events", f"/shops/{shop.shop_id}/devices"):
        assert (await stage.door.get(path, leaving)).status == 200
    assert "Customer 1" in str((await stage.door.get(line, leaving)).body)
    await node.pool.execute("UPDATE barbers SET active = false WHERE barber_id = $1", leaving.barber_id)
    node.catalogue._asked -= 60  # as if the seconds were over for which it may be old
    for path in (f"{line}/events", f"/shops/{shop.shop_id}/devices", "/queue/my-queue"):
        assert (await stage.door.get(path, leaving)).status == 404
    assert "Customer 1" not in str((await stage.door.get(line, leaving)).body)
    pause = {"commandId": new_id(), "type": "pause", "barberId": shop.barbers[1]}
    assert (await stage.door.post("/queue/commands", leaving, pause)).code == "NOT_FOUND"


async def test_a_booking_of_another_customer_does_not_tell_by_a_stale_expectation_that_it_is_there(
    stage: Scene,
) -> None:
    for kind in ({"type": "cancel"}, {"type": "check_in"}, {"type": "step_back", "places": 1}):
        command = {"commandId": new_id(), "bookingId": stage.booking, "expect": {"seq": 0}, **kind}
        assert (await stage.door.post("/queue/commands", customer(1), command)).code == "NOT_FOUND"


async def test_a_screen_that_is_revoked_is_off_every_server_within_five_seconds(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> None:
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with live_server(options, tmp_path) as first, live_server(options, tmp_path) as second:
        shop, pool = await TestShop.create(first.node), first.node.pool
        asked = await devices.ask(pool, "kiosk")
        device = await devices.pair(pool, ADMIN, shop.shop_id, "kiosk", asked["code"], "Till", VIA)
        told = await devices.token_of(pool, first.tokens, asked["secret"])
        assert told["status"] == "paired"
        async with raw_client(second.url, {"token": told["token"]}, "websocket") as screen:
            assert (await screen.subscribe(f"display:{shop.shop_id}"))["ok"]
            await devices.revoke_device(pool, ADMIN, shop.shop_id, device["deviceId"], VIA)
            async with asyncio.timeout(5):  # the promise itself
                assert (await screen.hears("session_expired"))["code"] == "TOKEN_REVOKED"
                await screen.ends()
