"""protocol.md section 3 with python-socketio's own client: who is let in, who may watch what, what acks look like."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import SigningKey
from barberpro.protocol.actors import Actor, Role
from barberpro.server.node import NodeOptions
from tests.support.public_states import BOOKING, DISPLAY, PUBLIC_ENTRY, QUEUE
from tests.support.raw_socketio import TRANSPORTS, refusal_of
from tests.support.rest import tokens
from tests.support.shops import Json, TestShop, customer, new_id
from tests.support.socket_door import (
    NAME,
    NEXT,
    NOTES,
    PHONE,
    SERVING,
    SKIPPED,
    WAITING,
    WHY,
    SocketDoor,
    display_of,
    private_line,
    socket_door,
)

STRANGER = Actor("us_stranger", Role.BARBER, barber_id="bb_ofanothershop")
PRIVATE_KEYS = {"customerName", "customerId", "name", "phone", "notes", "price", "services", "bookingId"}
ACK = {"ok", "room", "epoch", "seq", "upToDate", "state"}
FULL_ENTRY = set(PUBLIC_ENTRY) | {
    "bookingId", "customerName", "services", "durationMinutes", "joinedAt", "skipCount", "kind", "notes"
}  # fmt: skip


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[SocketDoor]:
    async with socket_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


def unsigned() -> str:
    """A token with the right key's name and no signature."""
    real = tokens().mint(customer(1))
    kid = jwt.get_unverified_header(real)["kid"]
    header = base64.urlsafe_b64encode(orjson.dumps({"alg": "none", "typ": "JWT", "kid": kid})).rstrip(b"=").decode()
    return f"{header}.{real.split('.')[1]}."


def foreign() -> str:
    """A token that says our key's name, and was signed with another."""
    kid = jwt.get_unverified_header(tokens().mint(customer(1)))["kid"]
    return Tokens(SigningKey(generate_private_key(public_exponent=65537, key_size=2048), kid)).mint(customer(1))


def values(document: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - any JSON
    """Every key and scalar of a document, at any depth."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield key, None
            yield from values(value)
    elif isinstance(document, list):
        for value in document:
            yield from values(value)
    else:
        yield "", document


def private_in(state: Json, bookings: list[str]) -> list[str]:
    """What a public state gives away."""
    secrets = (NAME, PHONE, "98765", NOTES, WHY, "250.00", "us_customer", *bookings)
    found = [key for key, _ in values(state) if key in PRIVATE_KEYS]
    return found + [str(v) for _, v in values(state) if isinstance(v, str) and any(secret in v for secret in secrets)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_handshake_without_a_good_token_is_refused_with_code_and_message(
    door: SocketDoor, transport: str
) -> None:
    good = tokens().mint(customer(1))
    for auth, code in (
        (None, "UNAUTHORIZED"),
        ({}, "UNAUTHORIZED"),
        ([good], "UNAUTHORIZED"),
        ({"token": 7}, "UNAUTHORIZED"),
        ({"token": ""}, "UNAUTHORIZED"),
        ({"token": "garbage"}, "UNAUTHORIZED"),
        ({"token": good[:-20] + "A" * 20}, "UNAUTHORIZED"),
        ({"token": unsigned()}, "UNAUTHORIZED"),
        ({"token": foreign()}, "UNAUTHORIZED"),
        ({"token": tokens().mint(customer(1), -60)}, "TOKEN_EXPIRED"),
    ):
        refusal = await refusal_of(door.url, auth, transport)
        assert refusal.keys() == {"code", "message", "temporary"}, auth
        assert (refusal["code"], refusal["temporary"]) == (code, False), auth
        assert refusal["message"]


async def people(door: SocketDoor) -> tuple[list[str], dict[str, Actor]]:
    """The bookings of a line, and everybody who might want to look at it."""
    bookings = await private_line(door)
    shop_id = door.shop.shop_id
    return bookings, {
        "its customer": customer(1),
        "another customer": customer(77),
        "its guest": Actor("gs_1", Role.GUEST, booking_id=bookings[1]),
        "another's guest": Actor("gs_2", Role.GUEST, booking_id=bookings[0]),
        "its barber": door.shop.staff[0],
        "the shop's staff": Actor("us_reception", Role.BARBER, shop_ids=frozenset({shop_id})),
        "another shop's barber": STRANGER,
        "an admin": Actor("us_root", Role.ADMIN),
        "the shop's screen": display_of(door.shop),
        "another shop's screen": Actor("ds_2", Role.DISPLAY, shop_ids=frozenset({"sh_another"})),
    }


STAFF = {"its barber", "the shop's staff", "an admin"}
SEES = {
    "queue": STAFF | {"its customer", "another customer", "its guest", "another's guest", "the shop's screen"},
    "booking": STAFF | {"its customer", "its guest"},
}


async def test_every_role_sees_what_is_its_own_and_nothing_tells_the_rest_apart(door: SocketDoor) -> None:
    bookings, everybody = await people(door)
    rooms = {"queue": door.shop.barbers[0], "booking": bookings[1]}
    for who, actor in everybody.items():
        client = await door.connect(actor)
        for kind, subject in rooms.items():
            ack = await client.subscribe(f"{kind}:{subject}")
            nothing = await client.subscribe(f"{kind}:{subject[:-4]}zzzz")
            assert nothing["error"]["code"] == "NOT_FOUND", (who, kind)
            if who in SEES[kind]:
                assert ack["ok"], (who, kind, ack)
                assert ack["state"]["room"] == f"{kind}:{subject}"
            else:
                assert ack == nothing, (who, kind)
                assert ack["error"]["details"] == {"resource": "room"}


async def test_a_display_that_is_not_public_is_for_its_staff_and_its_screens(door: SocketDoor) -> None:
    hidden = await TestShop.create(door.node, public_display=False)
    room = f"display:{hidden.shop_id}"
    for actor in (hidden.staff[0], display_of(hidden), Actor("us_root", Role.ADMIN)):
        assert (await (await door.connect(actor)).subscribe(room))["ok"], actor
    guest = Actor("gs_1", Role.GUEST, booking_id="bk_1_1")
    for actor in (customer(1), guest, STRANGER, door.shop.staff[0], display_of(door.shop)):
        client = await door.connect(actor)
        assert await client.subscribe(room) == await client.subscribe("display:sh_nowhere"), actor


async def test_a_public_display_is_shown_to_customers_and_guests(door: SocketDoor) -> None:
    for actor in (customer(1), Actor("gs_1", Role.GUEST, booking_id="bk_1_1"), STRANGER):
        ack = await (await door.connect(actor)).subscribe(f"display:{door.shop.shop_id}")
        assert ack["ok"], actor


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_staff_see_a_queue_in_full(door: SocketDoor, transport: str) -> None:
    bookings = await private_line(door)
    ack = await (await door.barber(transport)).subscribe(door.room())
    state = ack["state"]
    assert ack.keys() == ACK
    assert (ack["ok"], ack["upToDate"], ack["room"]) == (True, False, door.room())
    assert (ack["epoch"], ack["seq"]) == (state["epoch"], state["seq"])
    assert state.keys() == QUEUE.keys()
    entries = [state["serving"], state["next"], *state["waiting"], *state["skipped"]]
    assert all(entry.keys() == FULL_ENTRY for entry in entries)
    assert [entry["bookingId"] for entry in entries] == [bookings[place] for place in (SERVING, NEXT, WAITING, SKIPPED)]
    assert [entry["position"] for entry in entries] == [0, 1, 2, None]
    assert {(entry["customerName"], entry["notes"]) for entry in entries} == {(NAME, NOTES)}
    assert state["counts"] == {"waiting": 1, "completed": 0, "cancelled": 1, "skipped": 1}
    assert (state["cause"]["type"], state["cause"]["actorRole"]) == ("cancel", "customer")
    assert PHONE not in orjson.dumps(state).decode()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_public_state_carries_nothing_private(door: SocketDoor, transport: str) -> None:
    bookings = await private_line(door)
    watcher = await door.connect(customer(99), transport)
    queue = (await watcher.subscribe(door.room()))["state"]
    display = (await watcher.subscribe(f"display:{door.shop.shop_id}"))["state"]
    assert queue.keys() == QUEUE.keys()
    assert display.keys() == DISPLAY.keys()
    for entry in (queue["serving"], queue["next"], *queue["waiting"], *queue["skipped"]):
        assert entry.keys() == PUBLIC_ENTRY.keys()
    barber = await door.barber()
    for document in (
        {"type": "recall", "bookingId": bookings[SKIPPED], "to": "back"},
        {"type": "advance", "barberId": door.shop.barbers[0]},
        {"type": "pause", "barberId": door.shop.barbers[0]},
    ):
        ack = await barber.command(commandId=new_id(), **document)
        seq = ack["data"]["queue"]["seq"]
        # mypy cannot infer a lambda with a default.
        await watcher.hears("queue_updated", lambda state, seq=seq: state["seq"] >= seq)  # type: ignore[misc]  # a default
    await watcher.hears("display_updated", lambda state: state["cause"]["type"] == "pause")
    for state in (queue, display, *watcher.heard["queue_updated"], *watcher.heard["display_updated"]):
        assert private_in(state, bookings) == []


async def test_a_booking_room_tells_its_customer_of_nobody_else(door: SocketDoor) -> None:
    bookings = await private_line(door)
    watcher = await door.connect(customer(NEXT))
    state = (await watcher.subscribe(f"booking:{bookings[NEXT]}"))["state"]
    assert state.keys() == BOOKING.keys()
    assert (state["tokenNumber"], state["status"], state["position"], state["aheadCount"]) == (NEXT + 1, "next", 1, 0)
    assert (state["servingToken"], state["estimatedWaitTime"]) == (1, state["estimatedWait"]["p50Minutes"])
    barber = await door.barber()
    await barber.command(commandId=new_id(), type="advance", barberId=door.shop.barbers[0])
    moved = await watcher.hears("booking_updated")
    assert (moved["status"], moved["position"]) == ("serving", 0)
    for shown in (state, moved):
        others = [booking for booking in bookings if booking != bookings[NEXT]]
        assert not [value for _, value in values(shown) if value in others]
        assert not [key for key, _ in values(shown) if key in PRIVATE_KEYS - {"bookingId"}]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_is_up_to_date_gets_no_state_again(door: SocketDoor, transport: str) -> None:
    client = await door.barber(transport)
    for room in (door.room(), f"display:{door.shop.shop_id}"):
        first = await client.subscribe(room)
        has = {"epoch": first["epoch"], "seq": first["seq"]}
        again = await client.subscribe(room, since=has)
        assert again == {**first, "upToDate": True, "state": None}
        for older in ({**has, "seq": 0}, {**has, "epoch": 0, "seq": has["seq"] + 99}):
            behind = await client.subscribe(room, since=older)
            assert (behind["upToDate"], behind["state"]["seq"]) == (False, has["seq"])


async def test_who_is_ahead_of_the_truth_is_given_it(door: SocketDoor) -> None:
    client = await door.barber()
    for room in (door.room(), f"display:{door.shop.shop_id}"):
        first = await client.subscribe(room)
        for ahead in ({"epoch": first["epoch"], "seq": first["seq"] + 1}, {"epoch": first["epoch"] + 1, "seq": 0}):
            again = await client.subscribe(room, since=ahead)
            assert (again["upToDate"], again["epoch"], again["seq"]) == (False, first["epoch"], first["seq"])
            assert again["state"]["room"] == room


async def test_a_server_that_lags_behind_what_its_client_knows_catches_up_first(
    door: SocketDoor, database_url: str, redis_url: str, redis_prefix: str
) -> None:
    async with socket_door(NodeOptions(database_url, redis_url, redis_prefix)) as other:
        other.node.bus.on_events.clear()
        watcher, sender = await other.connect(customer(1)), await door.connect(customer(2))
        await watcher.subscribe(door.room())
        queue = (await sender.command(**door.join()))["data"]["queue"]
        ack = await watcher.subscribe(door.room(), since={"epoch": queue["epoch"], "seq": queue["seq"]})
        assert (ack["upToDate"], ack["state"]) == (True, None)


async def test_a_connection_watches_64_rooms_and_no_more(door: SocketDoor) -> None:
    shop = await TestShop.create(door.node, barbers=70)
    client = await door.connect(customer(1))
    asked = [client.subscribe(f"queue:{barber}") for barber in shop.barbers]
    acks = await asyncio.gather(*asked)
    assert sum(ack["ok"] for ack in acks) == 64
    refused = next(ack for ack in acks if not ack["ok"])
    assert refused["error"]["code"] == "BAD_REQUEST"
    assert refused["error"]["details"]["fields"][0]["path"] == "room"
    assert (await client.subscribe(acks[0]["room"]))["ok"], "a room that it has already is none too many"
    await client.ask("unsubscribe", {"room": acks[0]["room"]})
    left = next(barber for barber, ack in zip(shop.barbers, acks, strict=True) if not ack["ok"])
    assert (await client.subscribe(f"queue:{left}"))["ok"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_queue_stream_begins_with_its_state_as_an_event_too(door: SocketDoor, transport: str) -> None:
    client = await door.barber(transport)
    ack = await client.ask("request_queue_stream", {"barberId": door.shop.barbers[0]})
    assert ack.keys() == ACK
    assert await client.hears("queue_updated") == ack["state"]
    joined = await client.command(**door.join(customer={"name": "Ann"}))
    newest = await client.hears("queue_updated", lambda state: state["seq"] == joined["data"]["queue"]["seq"])
    assert newest["next"]["customerName"] == "Ann"


async def test_a_room_that_was_left_is_silent(door: SocketDoor) -> None:
    client = await door.barber()
    await client.subscribe(door.room(0))
    await client.subscribe(door.room(1))
    assert await client.ask("unsubscribe", {"room": door.room(0)}) == {"ok": True}
    assert await client.ask("unsubscribe", {"room": door.room(0)}) == {"ok": True}
    for barber in (0, 1):
        await client.command(**door.join(barber, customer={"name": "Ann"}))
    await client.hears("queue_updated", lambda state: state["next"] is not None)
    assert {state["room"] for state in client.heard["queue_updated"]} == {door.room(1)}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_command_is_acknowledged_and_its_repetition_gives_the_same_answer(
    door: SocketDoor, transport: str
) -> None:
    client = await door.connect(customer(1), transport)
    join = door.join()
    first, again = await client.command(**join), await client.command(**join)
    queue = first["data"]["queue"]
    assert first.keys() == {"ok", "replayed", "data"}
    assert (first["ok"], first["replayed"]) == (True, False)
    assert queue.keys() == {"barberId", "epoch", "seq"}
    assert (first["data"]["booking"]["tokenNumber"], first["data"]["booking"]["status"]) == (1, "next")
    assert again == {**first, "replayed": True}
    other = await client.command(**{**join, "notes": "another"})
    assert (other["ok"], other["error"]["code"]) == (False, "IDEMPOTENCY_MISMATCH")
    assert other["error"].keys() == {"code", "message", "temporary", "details"}


async def test_a_command_that_was_seen_in_a_cause_is_of_no_use_to_anybody_else(door: SocketDoor) -> None:
    client, other = await door.connect(customer(1)), await door.connect(replace(customer(2), name="Customer 1"))
    await other.subscribe(door.room())
    join = door.join()
    mine = await client.command(**join)
    seen = (await other.hears("queue_updated"))["cause"]["commandId"]
    stolen = await other.command(**{**join, "commandId": seen})
    assert stolen["ok"] is False
    assert mine["data"]["booking"]["bookingId"] not in orjson.dumps(stolen).decode()


@pytest.mark.parametrize(
    ("who", "document", "code"),
    [
        (customer(1), {"type": "advance"}, "FORBIDDEN"),
        (STRANGER, {"type": "advance"}, "NOT_FOUND"),
        (Actor("ds_1", Role.DISPLAY), {"type": "open"}, "FORBIDDEN"),
        (Actor("us_root", Role.ADMIN), {"type": "complete"}, "INVALID_TRANSITION"),
        (Actor("us_root", Role.ADMIN), {"type": "advance", "expect": {"seq": 99}}, "STALE_STATE"),
    ],
)
async def test_a_command_that_may_not_be_is_refused_in_its_ack(
    door: SocketDoor, who: Actor, document: Json, code: str
) -> None:
    client = await door.connect(who)
    ack = await client.command(commandId=new_id(), barberId=door.shop.barbers[0], **document)
    assert ack.keys() == {"ok", "error"}
    assert (ack["ok"], ack["error"]["code"], ack["error"]["temporary"]) == (False, code, False)
