"""A connection that was taken over from aiohttp: its handshake, heartbeat and end, without a door behind it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from structlog.testing import capture_logs

from barberpro.handlers.realtime.handshake import accepted, take_over
from barberpro.handlers.realtime.outlet import Congestion
from barberpro.handlers.realtime.wire import Wire
from barberpro.protocol.closing import CloseCode
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.frames import FrameError, Opcode, close_frame, frame, text_frame
from tests.support.frames import masked

HANDSHAKE = {
    "Host": "localhost", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip
NO_CHANGES: Mapping[str, str | None] = {}
SECONDS = 5.0


class Heard:
    """A listener that remembers, and answers each text with the same."""

    def __init__(self) -> None:
        self.wire = Wire(self, "websocket", Congestion(1_000_000, 5.0), limit=1000)
        self.messages: list[tuple[Opcode, bytes]] = []
        self.problems: list[int] = []
        self.gone = asyncio.Event()

    def heard(self, opcode: Opcode, payload: bytes) -> None:
        self.messages.append((opcode, payload))
        self.wire.outlet.send(text_frame(payload))

    def broken(self, error: FrameError) -> None:
        self.problems.append(error.code)
        self.wire.close(error.code, str(error))

    def ended(self) -> None:
        self.gone.set()


class Site:
    """A server whose every connection becomes a wire."""

    def __init__(self) -> None:
        self.lines: list[Heard] = []
        self.tasks: set[asyncio.Task[None] | None] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.tasks.add(asyncio.current_task())
        try:
            answer = accepted(request, ("one", "two"))
        except BarberProError as error:
            return web.Response(status=400, text=error.details["fields"][0]["path"])
        self.lines.append(Heard())
        return take_over(request, answer, self.lines[-1].wire)


class Client:
    """A client that writes and reads bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def shake(self, changes: Mapping[str, str | None] = NO_CHANGES, behind: bytes = b"") -> str:
        """The head of the answer. changes: of the handshake's headers; None leaves one out."""
        self.writer.write(self.request(changes) + behind)
        return await self.head()

    @staticmethod
    def request(changes: Mapping[str, str | None]) -> bytes:
        lines = [f"{name}: {value}" for name, value in {**HANDSHAKE, **changes}.items() if value is not None]
        return "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode()

    async def head(self) -> str:
        async with asyncio.timeout(SECONDS):
            return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    async def takes(self, expected: bytes) -> None:
        """The next bytes are these."""
        async with asyncio.timeout(SECONDS):
            assert await self._reader.readexactly(len(expected)) == expected

    async def rest(self) -> bytes:
        """All that comes until the server hangs up."""
        async with asyncio.timeout(SECONDS):
            return await self._reader.read()


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, BaseTestServer]]:
    made, app = Site(), web.Application()
    app.router.add_get("/", made.serve)
    async with TestServer(app) as server:
        yield made, server


@asynccontextmanager
async def connected(server: BaseTestServer) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_listener_that_fails_ends_its_connection_and_no_other(site: tuple[Site, BaseTestServer]) -> None:
    made, server = site
    async with connected(server) as client, connected(server) as other:
        await client.shake()
        await other.shake()
        made.lines[0].heard = None  # type: ignore[method-assign, assignment]  # it stands for any mistake of ours
        with capture_logs() as logs:
            client.writer.write(masked(Opcode.TEXT, b"hello"))
            await client.takes(close_frame(CloseCode.TRY_LATER))
        assert [entry["event"] for entry in logs] == ["frame_not_heard"]
        other.writer.write(masked(Opcode.TEXT, b"hello"))
        await other.takes(text_frame(b"hello"))


async def test_messages_go_both_ways_and_aiohttp_keeps_nothing(site: tuple[Site, BaseTestServer]) -> None:
    made, server = site
    async with connected(server) as client:
        # The key and its digest are those of RFC 6455, section 1.3.
        head = await client.shake(
            {"Sec-WebSocket-Protocol": "zero, two, one", "Sec-WebSocket-Extensions": "permessage-deflate"}
        )
        assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        assert "Sec-WebSocket-Protocol: two" in head
        assert "Extensions" not in head
        client.writer.write(masked(Opcode.TEXT, b"hello"))
        await client.takes(text_frame(b"hello"))
        assert server.handler is not None
        assert server.handler.connections == []
        assert all(task is not None and task.done() for task in made.tasks)
    await asyncio.wait_for(made.lines[0].gone.wait(), SECONDS)


async def test_what_comes_right_behind_the_handshake_is_heard(site: tuple[Site, BaseTestServer]) -> None:
    _, server = site
    sent = masked(Opcode.TEXT, b"early") + masked(Opcode.TEXT, b"bird")
    async with connected(server) as client:
        await client.shake(behind=sent[:-3])
        await client.takes(text_frame(b"early"))
        client.writer.write(sent[-3:])
        await client.takes(text_frame(b"bird"))


async def test_what_came_behind_the_handshake_comes_before_what_is_read_later(
    site: tuple[Site, BaseTestServer],
) -> None:
    """uvloop, on which servers run, may read once more before a callback that is due."""
    made, server = site
    async with connected(server) as client:
        await client.shake()
        wire = made.lines[0].wire
        wire.began(masked(Opcode.TEXT, b"first")[:-2])
        wire.data_received(masked(Opcode.TEXT, b"first")[-2:] + masked(Opcode.TEXT, b"second"))
        await client.takes(text_frame(b"first") + text_frame(b"second"))
    assert made.lines[0].messages == [(Opcode.TEXT, b"first"), (Opcode.TEXT, b"second")]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Upgrade", "h2c"),
        ("Connection", "close"),
        ("Sec-WebSocket-Version", "8"),
        ("Sec-WebSocket-Version", None),
        ("Sec-WebSocket-Key", None),
        ("Sec-WebSocket-Key", "short"),
        ("Sec-WebSocket-Key", "c2hvcnQ="),
        ("Sec-WebSocket-Key", "\u00e9"),
    ],
)
async def test_a_bad_handshake_is_refused_by_name(
    site: tuple[Site, BaseTestServer], header: str, value: str | None
) -> None:
    _, server = site
    async with connected(server) as client:
        head = await client.shake({header: value})
        assert head.startswith("HTTP/1.1 400")
        await client.takes(header.encode())


async def test_a_ping_is_answered_and_a_closing_handshake_is_finished(site: tuple[Site, BaseTestServer]) -> None:
    made, server = site
    async with connected(server) as client:
        await client.shake()
        client.writer.write(masked(Opcode.PING, b"there?") + masked(Opcode.CLOSE, b"\x03\xe8bye"))
        assert await client.rest() == frame(Opcode.PONG, b"there?") + frame(Opcode.CLOSE, b"\x03\xe8")
    assert made.lines[0].gone.is_set()


async def test_what_is_no_frame_is_told_once_and_ends_it(site: tuple[Site, BaseTestServer]) -> None:
    made, server = site
    async with connected(server) as client:
        await client.shake()
        client.writer.write(masked(Opcode.TEXT, b"fine") + b"\xff\xff\xff\xff" + masked(Opcode.TEXT, b"late"))
        told = await client.rest()
        assert told.startswith(text_frame(b"fine") + close_frame(1002)[:1])
    assert made.lines[0].problems == [1002]
    assert made.lines[0].messages == [(Opcode.TEXT, b"fine")]


async def test_whoever_does_not_finish_the_closing_handshake_is_cut_off(site: tuple[Site, BaseTestServer]) -> None:
    made, server = site
    async with connected(server) as client:
        await client.shake()
        made.lines[0].wire.close(4400, "enough")
        made.lines[0].wire.outlet.send(text_frame(b"too late"))
        assert await client.rest() == close_frame(4400, "enough")
        async with asyncio.timeout(SECONDS):
            await made.lines[0].wire.closed()


async def test_the_silent_are_asked_and_the_dead_are_given_up(site: tuple[Site, BaseTestServer]) -> None:
    made, server = site
    async with connected(server) as client:
        await client.shake()
        wire, now = made.lines[0].wire, asyncio.get_running_loop().time()
        wire.beat(now + 20)
        wire.beat(now + 26)
        wire.beat(now + 30)
        await client.takes(frame(Opcode.PING, b""))
        client.writer.write(masked(Opcode.PONG, b"") + masked(Opcode.TEXT, b"here"))
        await client.takes(text_frame(b"here"))
        wire.beat(asyncio.get_running_loop().time() + 40)
        assert await client.rest() == b""


async def test_a_client_that_is_not_listened_to_waits(site: tuple[Site, BaseTestServer]) -> None:
    made, server = site
    async with connected(server) as client:
        await client.shake()
        made.lines[0].wire.listen(on=False)
        client.writer.write(masked(Opcode.TEXT, b"later"))
        await client.writer.drain()
        await asyncio.sleep(0.05)  # time enough to do it wrong
        assert made.lines[0].messages == []
        made.lines[0].wire.listen(on=True)
        await client.takes(text_frame(b"later"))
