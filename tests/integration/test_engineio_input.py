"""Whatever a client sends below Socket.IO: a clear refusal or a close, never a traceback, and nobody else notices."""

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import aiohttp
import orjson
import pytest
from yarl import URL

from barberpro.handlers.services import Limits
from barberpro.protocol.frames import Opcode
from barberpro.server.node import NodeOptions
from tests.support.frames import masked
from tests.support.raw_socketio import SECONDS, RawClient
from tests.support.rest import tokens
from tests.support.shops import Json, customer, send
from tests.support.socket_door import SocketDoor, socket_door

PATH: Final = "/socket.io/?EIO=4&transport="
NO_FRAMES = ("", "x", "²", "٣", "9", "7hello", "0{}", "6", "b4AAA", "b!", "{}", "-1")
NO_BODIES = (b"\xff", b"x", b"9", b"2", b"0{}", b"6", b"bA", b"d=", b"4\x1e", b"\x1e", b"4" + b"\x1e4" * 2000)


@pytest.fixture
async def http(door: SocketDoor) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(door.url) as http:
        yield http


@pytest.fixture
async def other(door: SocketDoor) -> AsyncIterator[RawClient]:
    """A client who watches a room meanwhile, and must go on hearing of it."""
    client = await door.barber()
    assert (await client.subscribe(door.room()))["ok"]
    yield client
    assert (await client.command(**door.join(customer={"name": "Ann"})))["ok"]
    await client.hears("queue_updated")
    assert not client.gone.is_set()


class Poller:
    """A polling session, let in, whose bodies are written by hand."""

    def __init__(self, http: aiohttp.ClientSession, session_id: str) -> None:
        self.http = http
        self.session_id = session_id
        self.url = f"{PATH}polling&sid={session_id}"

    async def post(self, body: object) -> tuple[int, bytes]:
        async with self.http.post(self.url, data=body, timeout=aiohttp.ClientTimeout(SECONDS)) as answer:
            return answer.status, await answer.read()

    async def poll(self) -> tuple[int, str]:
        async with self.http.get(self.url, timeout=aiohttp.ClientTimeout(SECONDS)) as answer:
            return answer.status, await answer.text()


async def poller(http: aiohttp.ClientSession) -> Poller:
    async with http.get(f"{PATH}polling") as answer:
        opened: Json = orjson.loads((await answer.read())[1:])
    client = Poller(http, opened["sid"])
    assert await client.post(f'40{{"token":"{tokens().mint(customer(1))}"}}'.encode()) == (200, b"OK")
    assert (await client.poll())[1].startswith("40")
    return client


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code with which the server closes; what it says before is passed over."""
    while (message := await socket.receive(timeout=SECONDS)).type is aiohttp.WSMsgType.TEXT:
        pass
    assert message.type is aiohttp.WSMsgType.CLOSE, message
    return socket.close_code


async def told(socket: aiohttp.ClientWebSocketResponse, words: str) -> None:
    """Waits for a frame with these words."""
    while words not in await socket.receive_str(timeout=SECONDS):
        pass


def problem(answer: tuple[int, bytes]) -> list[str]:
    """The fields that a refusal names."""
    status, raw = answer
    body: Json = orjson.loads(raw)
    assert (status, body["success"], body["error"]["code"]) == (400, False, "BAD_REQUEST"), body
    return [field["path"] for field in body["error"]["details"]["fields"]]


@pytest.mark.usefixtures("other")
async def test_a_frame_that_is_no_packet_closes_its_websocket(door: SocketDoor, http: aiohttp.ClientSession) -> None:
    present = len(door.sockets.socketio.server.eio.sockets)
    for frame in NO_FRAMES:
        async with http.ws_connect(f"{PATH}websocket") as socket:
            await socket.send_str(f'40{{"token":"{tokens().mint(customer(1))}"}}')
            await socket.send_str(frame)
            assert await close_code(socket) == aiohttp.WSCloseCode.PROTOCOL_ERROR, frame
    async with asyncio.timeout(SECONDS):
        while len(door.sockets.socketio.server.eio.sockets) > present:  # noqa: ASYNC110 - the library tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("other")
async def test_a_change_to_a_websocket_that_goes_wrong_leaves_the_polling_session(http: aiohttp.ClientSession) -> None:
    client = await poller(http)
    for frames in (["garbage"], ["2probe", "garbage"], ["4"], ["2probe", "4"]):
        async with http.ws_connect(client.url.replace("polling", "websocket")) as socket:
            for frame in frames:
                await socket.send_str(frame)
            await close_code(socket)
    assert await client.post(b'427["dance"]') == (200, b"OK")
    heard = ""
    while "437[" not in heard:
        status, heard = await client.poll()
        assert status == 200, heard


async def test_a_poller_that_asks_and_never_fetches_is_cut_off(door: SocketDoor, http: aiohttp.ClientSession) -> None:
    for number in range(40):
        await send(door.node, customer(100 + number), **door.join())
    client = await poller(http)
    ask = f'42%d["subscribe",{{"room":"{door.room()}"}}]'
    status, asked = 200, 0
    while status == 200:
        status, _ = await client.post("\x1e".join(ask % (asked + each) for each in range(100)).encode())
        asked += 100
        assert asked < 5000
    assert door.sockets.congestion.evicted == 1
    assert client.session_id not in door.sockets.socketio.server.eio.sockets


async def test_of_two_websockets_for_one_session_the_faster_one_is_it(
    door: SocketDoor, http: aiohttp.ClientSession
) -> None:
    client = await poller(http)
    url = client.url.replace("polling", "websocket")
    async with http.ws_connect(url) as slower, http.ws_connect(url) as faster:
        for socket_ in (slower, faster):
            await socket_.send_str("2probe")
            assert await socket_.receive_str() == "3probe"
        await faster.send_str("5")
        await faster.send_str(f'421["subscribe",{{"room":"{door.room()}"}}]')
        await told(faster, "state")
        await slower.send_str("5")
        assert await close_code(slower) == 1002
        await send(door.node, customer(2), **door.shop.join())
        await told(faster, "queue_updated")


text = partial(masked, Opcode.TEXT)


async def reset_websockets(door: SocketDoor, path: str) -> None:
    """Asks for websockets, and resets each connection: sooner or later.

    Before, in the middle of or after its first frame; at once, or when it was answered.
    """
    url = URL(door.url)
    head = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tokens().mint(customer(1))}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    ).encode()
    frames = (b"", text(b"2pro")[:8], text(b"2pro"), text(b"2probe"))
    for frame, answered in itertools.product(frames, (False, True) * 10):
        reader, writer = await asyncio.open_connection(url.host, url.port)
        tcp = writer.get_extra_info("socket")
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.write(head)
        if answered:
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(frame)
        writer.transport.abort()


@pytest.mark.usefixtures("other")
async def test_a_client_that_resets_its_change_to_a_websocket_goes_on_polling(
    door: SocketDoor, http: aiohttp.ClientSession
) -> None:
    client = await poller(http)
    await reset_websockets(door, client.url.replace("polling", "websocket"))
    assert await client.post(b'427["dance"]') == (200, b"OK")
    heard, polls = "", 0
    while "437[" not in heard:
        status, heard = await client.poll()
        polls += 1
        assert (status, polls < 100) == (200, True), heard


@pytest.mark.usefixtures("other")
async def test_clients_that_reset_their_connections_as_they_come_are_no_errors(door: SocketDoor) -> None:
    for path in (f"{PATH}websocket", f"/ws/queue/{door.shop.barbers[0]}"):
        await reset_websockets(door, path)


@pytest.mark.usefixtures("other")
async def test_a_body_that_holds_no_packets_ends_its_session_with_a_refusal(http: aiohttp.ClientSession) -> None:
    for body in NO_BODIES:
        client = await poller(http)
        waiting = asyncio.create_task(client.poll())
        assert problem(await client.post(body)) == ["(body)"], body
        status, words = await waiting
        assert (status, words) == (200, "1") or problem((status, words.encode())) == ["sid"], body
        assert (await client.post(b"4"))[0] == 400
        assert (await client.poll())[0] == 400


async def test_a_session_that_said_goodbye_is_gone(http: aiohttp.ClientSession) -> None:
    client = await poller(http)
    assert await client.post(b"1") == (200, b"OK")
    assert problem(await client.post(b'427["dance"]')) == ["sid"]


async def test_a_body_that_comes_in_pieces_is_read_to_its_end(http: aiohttp.ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'427["da', b'nce",{}]'):
            yield piece
            await asyncio.sleep(0.05)

    client = await poller(http)
    assert await client.post(pieces()) == (200, b"OK")
    assert (await client.poll())[1].startswith('437[{"ok":false')


@pytest.mark.usefixtures("other")
async def test_a_body_that_is_too_large_is_refused(http: aiohttp.ClientSession) -> None:
    client = await poller(http)
    status, raw = await client.post(b"4" * 70_000)
    assert (status, orjson.loads(raw)["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_half_a_websocket_handshake_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.get(f"{PATH}websocket", headers={"Upgrade": "websocket"}) as answer:
        assert problem((answer.status, await answer.read())) == ["Connection"]


async def test_who_does_not_say_who_it_is_is_not_waited_for(
    database_url: str, redis_url: str, redis_prefix: str
) -> None:
    quick = Limits(requests_per_minute=0, handshake_seconds=0.3)
    async with (
        socket_door(NodeOptions(database_url, redis_url, redis_prefix), quick) as door,
        aiohttp.ClientSession(door.url) as http,
        http.ws_connect(f"{PATH}websocket") as silent,
    ):
        client = await door.connect(customer(1))
        async with asyncio.timeout(SECONDS):
            async for _ in silent:
                pass
        assert silent.closed
        assert (await client.command(**door.join()))["ok"]


@pytest.mark.parametrize(("good_for", "says"), [(3600, "41"), (0, "3")], ids=["who_left", "whose_token_ran_out"])
async def test_who_is_out_of_the_namespace_and_keeps_the_connection_is_hung_up_on(
    database_url: str, redis_url: str, redis_prefix: str, good_for: int, says: str
) -> None:
    quick = Limits(requests_per_minute=0, handshake_seconds=0.3, session_grace_seconds=0.2)
    async with (
        socket_door(NodeOptions(database_url, redis_url, redis_prefix), quick) as door,
        aiohttp.ClientSession(door.url) as http,
        http.ws_connect(f"{PATH}websocket") as stays,
    ):
        await stays.send_str(f'40{{"token":"{tokens().mint(customer(1), good_for)}"}}')
        async with asyncio.timeout(SECONDS):
            while not (await stays.receive_str()).startswith("40"):
                pass
            while door.sockets.socketio.server._expected:  # noqa: ASYNC110 - its first patience ends in silence
                await asyncio.sleep(0.01)
            await stays.send_str(says)
            async for _ in stays:
                pass
        assert stays.closed
