"""Whatever a Socket.IO client sends: a refusal that names the field, and never a traceback or a lost connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from tests.support.raw_socketio import TRANSPORTS, RawClient
from tests.support.rest import tokens
from tests.support.shops import Json, customer
from tests.support.socket_door import SocketDoor

EVENTS = ("subscribe", "request_queue_stream", "unsubscribe", "command", "authenticate")
NO_OBJECT: tuple[tuple[object, ...], ...] = (
    (),
    (None,),
    ([],),
    ([1, 2],),
    (7,),
    ("not an object",),
    (True,),
    (b"bytes",),
)
BAD_FIELDS: tuple[tuple[str, Json, str], ...] = (
    ("subscribe", {}, "room"),
    ("subscribe", {"room": 7}, "room"),
    ("subscribe", {"room": None}, "room"),
    ("subscribe", {"room": b"queue:bb_1"}, "(body)"),
    ("subscribe", {"room": "nonsense"}, "room"),
    ("subscribe", {"room": "kitchen:bb_1"}, "room"),
    ("subscribe", {"room": "queue:"}, "room"),
    ("subscribe", {"room": "queue:" + "b" * 65}, "room"),
    ("subscribe", {"room": "queue:bb_1\n"}, "room"),
    ("subscribe", {"room": "queue:bb_1", "colour": 1}, "colour"),
    ("subscribe", {"room": "queue:bb_1", "since": 7}, "since"),
    ("subscribe", {"room": "queue:bb_1", "since": {"epoch": 1}}, "since.seq"),
    ("subscribe", {"room": "queue:bb_1", "since": {"epoch": 1, "seq": "2"}}, "since.seq"),
    ("subscribe", {"room": "queue:bb_1", "since": {"epoch": -1, "seq": 2}}, "since.epoch"),
    ("subscribe", {"room": "queue:bb_1", "since": {"epoch": True, "seq": 2}}, "since.epoch"),
    ("request_queue_stream", {}, "barberId"),
    ("request_queue_stream", {"barberId": ["bb_1"]}, "barberId"),
    ("request_queue_stream", {"barberId": "b b"}, "barberId"),
    ("request_queue_stream", {"barberId": "bb_1", "shopId": "sh_1"}, "shopId"),
    ("unsubscribe", {}, "room"),
    ("unsubscribe", {"room": {}}, "room"),
    ("unsubscribe", {"room": "queue:bb_1", "since": 1}, "since"),
    ("command", {}, "type"),
    ("command", {"type": "dance"}, "type"),
    ("command", {"type": ["join"]}, "type"),
    ("command", {"type": "open", "barberId": "bb_1"}, "commandId"),
    ("command", {"type": "open", "commandId": "c1"}, "barberId"),
    ("command", {"type": "open", "commandId": "c1", "barberId": "bb_1", "colour": "red"}, "colour"),
    ("command", {"type": "join", "commandId": "c1", "barberId": "bb_1", "serviceIds": "sv_1"}, "serviceIds"),
    ("authenticate", {}, "token"),
    ("authenticate", {"token": 7}, "token"),
    ("authenticate", {"token": "t", "user": "u"}, "user"),
)
BROKEN = (
    b'["subscribe",{"room":', b"[", b"{", b'["subscribe"', b'["command",{"notes":"\\ud800"}]', b"nonsense",
    b"[" * 5000 + b"]" * 5000,
)  # fmt: skip
ODD = (b"[]", b"{}", b"null", b'"text"', b"[null]", b"[7]", b'[{"a":1}]', b'[["subscribe"]]', b'["dance",{}]')


async def still_served(client: RawClient, door: SocketDoor) -> None:
    assert (await client.subscribe(door.room()))["ok"]
    assert not client.gone.is_set()


def refused_paths(ack: Json) -> list[str]:
    assert ack["ok"] is False
    assert ack["error"]["code"] == "BAD_REQUEST", ack
    assert ack["error"]["temporary"] is False
    return [field["path"] for field in ack["error"]["details"]["fields"]]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_argument_that_is_no_object_is_refused(door: SocketDoor, transport: str) -> None:
    client = await door.connect(customer(1), transport)
    for event in EVENTS:
        for arguments in NO_OBJECT:
            assert refused_paths(await client.ask(event, *arguments)) == ["(body)"], (event, arguments)
    await still_served(client, door)


async def test_a_field_that_is_missing_wrong_or_unknown_is_named(door: SocketDoor) -> None:
    client = await door.connect(customer(1))
    for event, document, path in BAD_FIELDS:
        assert path in refused_paths(await client.ask(event, document)), (event, document)
    await still_served(client, door)


async def test_a_refusal_says_what_is_wrong_in_words_of_the_wire(door: SocketDoor) -> None:
    client = await door.connect(customer(1))
    for event, document, path in (
        ("subscribe", None, "(body)"),
        ("subscribe", {"room": door.room(), "since": 7}, "since"),
        ("subscribe", {"room": door.room(), "since": [None]}, "since"),
        ("command", door.join(customer="Ann"), "customer"),
    ):
        error = (await client.ask(event, document))["error"]
        assert error["details"] == {"fields": [{"path": path, "problem": "is not a JSON object"}]}, document


async def test_more_arguments_than_one_are_ignored(door: SocketDoor) -> None:
    client = await door.connect(customer(1))
    assert (await client.ask("subscribe", {"room": door.room()}, "and", ["more"]))["ok"]


async def test_an_event_that_there_is_not_is_refused(door: SocketDoor) -> None:
    client = await door.connect(customer(1))
    for event in ("dance", "queue_updated", "message", "connect", "disconnect", "connect_error", "*", ""):
        assert refused_paths(await client.ask(event, {"token": tokens().mint(customer(2))})) == ["(event)"], event
    assert refused_paths(await client.ask("disconnect")) == ["(event)"]
    await still_served(client, door)


class Wire:
    """A connection whose frames are written by hand, let in."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, frame: str) -> None:
        await self.socket.send_str(frame)

    async def receive(self, begin: str) -> str:
        """The next frame that begins so; pings and others are passed over."""
        while True:
            message = await self.socket.receive(timeout=20)
            assert message.type is aiohttp.WSMsgType.TEXT, message
            text: str = message.data
            if text.startswith(begin):
                return text

    async def ack(self, number: int) -> Json:
        ack: Json = orjson.loads((await self.receive(f"43{number}["))[len(f"43{number}") :])[0]
        return ack


@asynccontextmanager
async def wire(door: SocketDoor) -> AsyncIterator[Wire]:
    async with (
        aiohttp.ClientSession(door.url) as http,
        http.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        opened = Wire(socket)
        await opened.receive("0")
        await opened.send(f'40{{"token":"{tokens().mint(customer(1))}"}}')
        await opened.receive("40")
        yield opened


async def test_what_is_no_json_is_refused_and_the_connection_goes_on(door: SocketDoor) -> None:
    async with wire(door) as client:
        for number, broken in enumerate(BROKEN):
            await client.send(f"42{number}{broken.decode()}")
            assert refused_paths(await client.ack(number)) == ["(body)"], broken
        await client.send(f'4299["subscribe",{{"room":"{door.room()}"}}]')
        assert (await client.ack(99))["ok"]


async def test_a_packet_of_a_wrong_shape_is_refused_and_the_connection_goes_on(door: SocketDoor) -> None:
    async with wire(door) as client:
        for number, odd in enumerate(ODD):
            await client.send(f"42{number}{odd.decode()}")
            assert refused_paths(await client.ack(number)) == ["(event)"], odd
        for frame in ("42", "421", "4", "49", "44{}", "43", "437[]", "43x", "42/kitchen,1[]", "451-[]", "46", "420"):
            await client.send(frame)
        await client.send(f'4299["subscribe",{{"room":"{door.room()}"}}]')
        assert (await client.ack(99))["ok"]


async def test_binary_parts_that_never_come_hold_up_nothing(door: SocketDoor) -> None:
    async with wire(door) as client:
        for number, parts in enumerate((1, 2, 1_000_000_000)):
            await client.send(f'45{parts}-{number}["subscribe",{{"_placeholder":true,"num":7}}]')
            assert refused_paths(await client.ack(number)) == ["(body)"], parts
        await client.send('451-["subscribe",{"_placeholder":true,"num":"x"}]')
        await client.socket.send_bytes(b"a part")
        await client.send(f'4299["subscribe",{{"room":"{door.room()}"}}]')
        assert (await client.ack(99))["ok"]


async def test_a_second_handshake_on_one_connection_changes_nothing(door: SocketDoor) -> None:
    async with wire(door) as client:
        await client.send(f'421["subscribe",{{"room":"{door.room()}"}}]')
        assert (await client.ack(1))["ok"]
        await client.send(f'40{{"token":"{tokens().mint(door.shop.staff[0])}"}}')
        await client.send(f'422["command",{{"commandId":"c1","type":"pause","barberId":"{door.shop.barbers[0]}"}}]')
        assert (await client.ack(2))["error"]["code"] == "FORBIDDEN"
