"""Clients that come in for a visit: they notice that the server hangs up, take leave, or fall silent."""

import asyncio
import socket
import struct
from typing import Final, cast

from loadtests.bench.askers import Asker
from loadtests.bench.sockets import LITTLE, Way
from loadtests.bench.viewers import ANSWERS

_CLOSE, _PONG = 8, 10
_NORMAL: Final = struct.pack("!H", 1000)
_DISCONNECT: Final = b"41"
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
"""Behind the one before it, which may have been read earlier."""
_SECONDS: Final = 30.0


class Visitor(Asker):
    """A client of any door. gone: set when the connection has ended, whoever ended it."""

    def __init__(self, way: Way, token: str | None) -> None:
        self.gone = asyncio.Event()
        super().__init__(way, token, self.gone.set)

    def __str__(self) -> str:
        return f"{type(self).__name__} by {self._way.kind}"

    async def come_in(self) -> None:
        """Raises ConnectionError when it is refused, TimeoutError."""
        async with asyncio.timeout(_SECONDS):
            await self.connect()
            try:
                await self.ready
            except BaseException:
                self.abort()
                raise

    async def leave(self) -> None:
        """With a word, as applications do. Raises TimeoutError when the server keeps the connection open."""
        if self.packets:
            self._send_text(_DISCONNECT)
            self._transport.close()
        elif self._way.kind == "websocket":
            self._send(_CLOSE, _NORMAL)
        else:
            self._transport.close()
        async with asyncio.timeout(_SECONDS):
            await self.gone.wait()

    def stall(self) -> None:
        """Reads nothing more, until `resume`; so it does not notice its end either. Little goes into its own buffer."""
        tcp = self._transport.get_extra_info("socket")
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        self._transport.pause_reading()

    def resume(self) -> None:
        """Reads again, and says something: the server's system may have given up sending, and tells who asks."""
        super().resume()
        self._speak()

    def _speak(self) -> None:
        self._send(_PONG, b"")

    def _greeting(self, payload: bytes) -> None:
        if payload.startswith(ANSWERS) or b'"error"' in payload:
            super()._greeting(payload)
        else:
            self._told(payload)  # the notice that its token ends may come first


class StreamVisitor(Visitor):
    """A client of Server-Sent Events. updates: events that it was sent, the first state among them.

    gone: set when the stream has ended, too; the connection would be good for another request then.
    """

    def __init__(self, port: int, query: str, token: str) -> None:
        super().__init__(Way("plain", port), token)
        self._query = query
        self._head = b""
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not say that it is one
        self._transport.write(
            f"GET /api/v1/queue/stream?{self._query} HTTP/1.1\r\nHost: {self._way.host}:{self._way.port}\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n".encode()
        )

    def _speak(self) -> None:
        self._transport.write(b"\r\n")  # which may stand before a request

    def data_received(self, data: bytes) -> None:
        self.updates += data.count(b"\nevent: ") + data.startswith(b"event: ")
        self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
        if self._tail == _LAST_CHUNK:
            self.gone.set()
        if self.ready.done():
            return
        self._head += data
        if self._head.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" in self._head:
            self.ready.set_result(None)
        elif len(self._head) > len(b"HTTP/1.1 200") and not self._head.startswith(b"HTTP/1.1 200"):
            self._refused(self._head)
