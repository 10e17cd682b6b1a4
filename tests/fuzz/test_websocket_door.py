"""WebSocket: whatever a client says, each command is answered or the connection is closed for a reason."""

import asyncio
import base64
from contextlib import nullcontext

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from barberpro.protocol.closing import CloseCode
from barberpro.protocol.frames import Opcode
from tests.fuzz.documents import Flips, anything, commands, flipped, flips, read, texts, written
from tests.fuzz.effort import examples
from tests.fuzz.target import Target
from tests.fuzz.verdict import is_ack
from tests.support.frames import masked
from tests.support.raw_socketio import SECONDS

LAST = b'{"event":"command","commandId":"the-last","type":"dance"}'
EVENTS = st.sampled_from(["command", "command", "command", "authenticate", "subscribe", "ack"]) | anything
TOKENS = st.builds(lambda token: {"event": "authenticate", "token": token}, anything)
FRAMES = (
    st.builds(lambda event, document: {"event": event, **document}, EVENTS, commands).map(written)
    | (TOKENS | anything).map(written)
    | st.binary(max_size=40)
)
REAL = ["queue/bb_1", "queue/bb_2", "booking/bk_1_1", "display/sh_1", "queue/%00", "display/%C3%A9"]
ROOMS = st.sampled_from([*REAL, "kitchen/bb_1", "queue/bb_1/x"])
PLACES = st.dictionaries(st.sampled_from(["epoch", "seq", "token"]), texts | st.integers().map(str), max_size=2)
ANSWERS = {"ack", "authenticated", "error"}
TOLD = ANSWERS | {"subscribed", "queue_updated", "booking_updated", "display_updated"}


async def judge(socket: aiohttp.ClientWebSocketResponse, commands: int) -> None:
    """Fails unless the server answers so many commands, or closes the connection as it may."""
    while commands:
        message = await socket.receive(timeout=SECONDS)
        if message.type is not aiohttp.WSMsgType.TEXT:
            assert message.type is aiohttp.WSMsgType.CLOSE, message
            assert socket.close_code in set(CloseCode), message
            return
        told = orjson.loads(message.data)
        assert told["event"] in TOLD
        if told["event"] in ANSWERS:
            is_ack(told)
        commands -= told["event"] == "ack"


def are_commands(frames: list[bytes]) -> int:
    """How many of these frames are commands."""
    return sum(isinstance(each, dict) and each.get("event") == "command" for each in map(read, frames))


@examples(150, shrunk=False)
@given(frames=st.lists(FRAMES, max_size=6), who=st.integers(0, 5), first=st.booleans())
async def test_whatever_is_said_is_answered_or_ends_it(
    target: Target, frames: list[bytes], who: int, *, first: bool
) -> None:
    said = [target.placed(each) for each in frames]
    headers = {} if first else {"Authorization": f"Bearer {target.tokens[who]}"}
    async with (
        aiohttp.ClientSession(target.live.url) as http,
        http.ws_connect(f"/ws/queue/{target.shop.barbers[0]}", headers=headers) as socket,
    ):
        if first:
            await socket.send_json({"event": "authenticate", "token": target.tokens[who]})
        for each in [*said, LAST]:
            await socket.send_frame(each, aiohttp.WSMsgType.TEXT)
        await judge(socket, are_commands([*said, LAST]))


@examples(60, shrunk=False)
@given(path=ROOMS, query=PLACES, greeting=FRAMES, who=st.integers(0, 5))
async def test_whoever_comes_in_anyhow_is_let_in_or_told_why_not(
    target: Target, path: str, query: dict[str, str], greeting: bytes, who: int
) -> None:
    url = URL(target.live.url).join(URL(f"/ws/{target.placed(path.encode()).decode()}", encoded=True))
    place = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    protocols = ("barberpro.v1", f"bearer.{target.tokens[who]}")
    async with aiohttp.ClientSession() as http:
        for offered in (protocols, ("barberpro.v1",)):
            # There is no room of any other kind, and so no path to it.
            with nullcontext() if path in REAL else pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
                async with http.ws_connect(url.with_query(place), protocols=offered) as socket:
                    for each in (target.placed(greeting), LAST):
                        await socket.send_frame(each, aiohttp.WSMsgType.TEXT)
                    await judge(socket, are_commands([target.placed(greeting), LAST]))


HANDSHAKE = (
    "GET /ws/queue/{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n"
)


@examples(80, shrunk=False)
@given(
    frames=st.lists(st.builds(masked, st.sampled_from(list(Opcode)), FRAMES, fin=st.booleans()), max_size=5),
    turned=flips,
    cut=st.integers(0, 2000),
)
async def test_any_bytes_behind_the_handshake_do_no_harm(
    target: Target, frames: list[bytes], turned: Flips, cut: int
) -> None:
    url, key = URL(target.live.url), base64.b64encode(bytes(16)).decode()
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = HANDSHAKE.format(target.shop.barbers[0], target.tokens[0], key).encode()
    sent = flipped(b"".join(frames), turned)
    writer.write(head + sent[:cut])
    writer.write(sent[cut:] + masked(Opcode.CLOSE, b"\x03\xe8"))
    async with asyncio.timeout(SECONDS):
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write_eof()
        while await reader.read(65_536):
            pass
    writer.transport.abort()
