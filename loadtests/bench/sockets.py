"""A light client of a server: it shakes hands, answers heartbeats, and counts what it is sent without reading it.

It speaks just enough of HTTP, WebSocket, Engine.IO and Socket.IO for that, so that a thousand of them cost little.
"""

import asyncio
import socket
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import orjson

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_COMPRESSED: Final = 0x40
_HEARTBEAT: Final = b"2"
"""Engine.IO's ping."""
LITTLE: Final = 4096
"""What the kernel takes for a client that reads nothing, in bytes, so that the rest waits at the server."""
_TAIL: Final = b"\x00\x00\xff\xff"
"""What a sender leaves out at the end of each compressed message (RFC 7692, section 7.2.1)."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to come in. kind: plain is TCP without a handshake.

    room: to subscribe to over Socket.IO. greeted: the server's first message is an answer and no update.
    since: the (epoch, seq) that the client has already; over raw WebSocket it is in the path.
    compress: whether compression is offered, as browsers do. stalled: once let in, it reads nothing more.
    """

    kind: Literal["plain", "websocket", "socketio"]
    port: int
    path: str = "/"
    room: str | None = None
    since: tuple[int, int] | None = None
    greeted: bool = False
    compress: bool = False
    stalled: bool = False
    host: str = "127.0.0.1"


class LightClient(asyncio.Protocol):
    """`ready` is done when the server has let it in. updates: messages since then; last: the newest one's payload.

    arrivals: when each came, by the machine's monotonic clock. closed_with: the code that the server closed with.

    After the handshake it no longer inflates: with compression it is good for staying idle only, and takes every
    compressed message for a heartbeat.
    """

    def __init__(self, way: Way, token: str | None, gone: Callable[[], None]) -> None:
        """gone: called when the server has hung up."""
        self._way = way
        self._token = token
        self._gone = gone
        self._rest = b""
        self._inflate: zlib._Decompress | None = None
        self._step: Callable[[bytes], None] | None = None
        self._http = way.kind != "plain"
        self._let = not self._http
        self.ready: asyncio.Future[None] = self._promise()
        self.updates = 0
        self.arrivals: list[float] = []
        self.closed_with: int | None = None
        self.last = b""
        self.compressed = False

    @property
    def port(self) -> int:
        return self._way.port

    def _promise(self) -> "asyncio.Future[Any]":
        """What somebody will wait for; another loop than asyncio's has its own kind."""
        return asyncio.get_running_loop().create_future()

    # The connection --------------------------------------------------------------------------------------------

    @property
    def stalled(self) -> bool:
        return self._way.stalled

    async def connect(self) -> None:
        """Over TCP; `ready` tells the rest. Raises OSError."""
        loop = asyncio.get_running_loop()
        tcp = socket.socket()
        tcp.setblocking(False)
        if self._way.stalled:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        await loop.sock_connect(tcp, (self._way.host, self._way.port))
        await loop.create_connection(lambda: self, sock=tcp)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not say that it is one
        if self._way.kind == "plain":
            self.ready.set_result(None)
            return
        self._transport.write(self._request())

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"hung up during the handshake: {self._rest[:200]!r}"))
        self._gone()

    def abort(self) -> None:
        """Hangs up with a reset, so that no port is kept waiting."""
        self._gone = _nothing
        tcp = self._transport.get_extra_info("socket")
        if tcp is not None and not self._transport.is_closing():
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if self._http:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._http = False
            self._answered(head)
        at, end = 0, len(data)
        while end - at >= 2:
            size, head_size = data[at + 1], 2
            if size == 126:
                size, head_size = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head_size = int.from_bytes(data[at + 2 : at + 10], "big"), 10
            start = at + head_size
            if start + size > end:
                break
            self._frame(data[at], data[start : start + size])
            at = start + size
        self._rest = data[at:]

    def _frame(self, first: int, payload: bytes) -> None:
        kind = first & 15
        if kind == _TEXT:
            self._text(payload, compressed=bool(first & _COMPRESSED))
        elif kind == _PING:
            self._send(_PONG, payload)
        elif kind == _CLOSE:
            self.closed_with = int.from_bytes(payload[:2], "big")
            self._refused(b"%d %b" % (self.closed_with, payload[2:]))
            self._send(_CLOSE, payload[:2])
            self._transport.close()

    def _text(self, payload: bytes, *, compressed: bool) -> None:
        if payload == _HEARTBEAT or (compressed and self._let):
            self._send(_TEXT, b"3")
        elif self._let:
            self._told(payload)
        elif self._step is not None:
            self._step(self._inflated(payload) if compressed else payload)

    def _told(self, payload: bytes) -> None:
        """A message after the handshake."""
        self.updates += 1
        self.arrivals.append(time.monotonic())
        self.last = payload

    def _send_text(self, payload: bytes) -> None:
        self._send(_TEXT, payload)

    # The handshake ---------------------------------------------------------------------------------------------

    def _request(self) -> bytes:
        way = self._way
        path = "/socket.io/?EIO=4&transport=websocket" if way.kind == "socketio" else way.path
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {way.host}:{way.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        ]
        if way.compress:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        if way.kind == "websocket" and self._token is not None:
            lines.append(f"Authorization: Bearer {self._token}")
        return "\r\n".join([*lines, "\r\n"]).encode()

    def _answered(self, head: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 101"):
            self._refused(head)
            return
        self.compressed = b"permessage-deflate" in head
        if self.compressed:
            self._inflate = zlib.decompressobj(wbits=-15)
        if self._way.kind == "socketio":
            self._step = self._opened
        elif self._way.greeted:
            self._step = self._greeting
        else:
            self._let_in()

    def _opened(self, _payload: bytes) -> None:
        auth = orjson.dumps({"token": self._token}) if self._token is not None else b""
        self._step = self._connected
        self._send(_TEXT, b"40" + auth)

    def _connected(self, payload: bytes) -> None:
        if not payload.startswith(b"40"):
            self._refused(payload)
            return
        if self._way.room is None:
            self._let_in()
            return
        self._step = self._greeting
        asked: dict[str, Any] = {"room": self._way.room}
        if self._way.since is not None:
            asked["since"] = dict(zip(("epoch", "seq"), self._way.since, strict=True))
        self._send(_TEXT, b"420" + orjson.dumps(["subscribe", asked]))

    def _greeting(self, payload: bytes) -> None:
        if b'"error"' in payload:
            self._refused(payload)
            return
        self._let_in()

    def _let_in(self) -> None:
        self._step, self._inflate = None, None
        self._let = True
        if self._way.stalled:
            self._transport.pause_reading()
        self.ready.set_result(None)

    def resume(self) -> None:
        """A stalled client reads again."""
        self._transport.resume_reading()

    def _refused(self, why: bytes) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"refused: {why[:200].decode(errors='replace')}"))

    def _inflated(self, payload: bytes) -> bytes:
        return self._inflate.decompress(payload + _TAIL) if self._inflate is not None else b""

    def _send(self, kind: int, payload: bytes) -> None:
        """One frame, masked with zeros: that is a mask too, and leaves the payload as it is."""
        size = len(payload)
        first = 0x80 | kind
        head = struct.pack("!BB", first, 0x80 | size) if size < 126 else struct.pack("!BBH", first, 0x80 | 126, size)
        self._transport.write(head + b"\x00\x00\x00\x00" + payload)


def _nothing() -> None:
    """Nobody is to be told."""
