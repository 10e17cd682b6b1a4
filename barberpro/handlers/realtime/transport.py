"""Engine.IO, the transport below Socket.IO, kept to the contract: it refuses whatever is no packet of a client.

python-engineio lets a frame or a body that it cannot read end in a traceback, and then answers as if nothing had been,
or leaves the connection half open. It has no hook for this, so what comes in is looked at before the library sees it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import engineio
import structlog
from aiohttp import WSCloseCode, web
from engineio import packet
from engineio.async_drivers import aiohttp as driver
from engineio.payload import Payload

from barberpro.handlers.metrics import SENT
from barberpro.handlers.rest.parsing import read_at_most
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field

log = structlog.get_logger(__name__)

# How many messages one POST of a polling client may hold; its bytes are limited anyway. The library cuts off whoever
# sends more than 16, and a burst of commands is more. It knows this number for the whole process only.
Payload.max_decode_packets = 1024

# To a logger that has no level of its own the libraries add a handler, which writes plain text beside our log.
for _name in ("engineio.server", "socketio.server"):
    logging.getLogger(_name).setLevel(logging.ERROR)

_FROM_CLIENTS: Final = frozenset({packet.CLOSE, packet.PONG, packet.MESSAGE, packet.UPGRADE})
_FRAMES_BEGIN: Final = frozenset({*map(str, _FROM_CLIENTS), str(packet.PING)})
"""The types of packets in text frames: a client that changes to a websocket tries it out with a ping."""
_BETWEEN: Final = b"\x1e"
"""Between the packets of a poll's answer."""
_PASSED_OVER: Final = str(packet.NOOP)


class _WebSocket(driver.WebSocket):  # type: ignore[misc]  # the library ships no types
    """The library's websocket, without compression: a frame that is no packet closes it.

    It leaves itself and its transport with the Engine.IO socket that it is for, so that ready frames can be written.
    """

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        self.environ = environ
        request: web.Request = environ["aiohttp.request"]
        # A compressor costs ninety kilobytes a connection, and the messages are small.
        self._sock = web.WebSocketResponse(compress=False, max_msg_size=self.server.max_http_buffer_size)
        engine_socket = self.handler.__self__
        try:
            await self._sock.prepare(request)
            engine_socket.websocket, engine_socket.transport = self._sock, request.transport
            await self.handler(self)
        finally:
            # Had it been cut in the middle of the change, the library would answer every poll at once with nothing.
            engine_socket.upgrading = False
        return self._sock

    async def send(self, message: str | bytes) -> None:
        """One of the library's own packets: an acknowledgement, a ping."""
        _count_sent(1, len(message))
        await super().send(message)

    async def wait(self) -> str | bytes:
        """The next frame. Raises OSError when the connection has ended."""
        frame: str | bytes = await super().wait()
        if isinstance(frame, bytes) or frame[:1] in _FRAMES_BEGIN:
            return frame
        log.info("engineio_frame_refused")
        await self._sock.close(code=WSCloseCode.PROTOCOL_ERROR, message=b"no Engine.IO packet")
        return _PASSED_OVER  # after which the library finds it closed, and tidies up


class Transport(engineio.AsyncServer):  # type: ignore[misc]  # the library ships no types
    """Raises BarberProError for a request that is refused here; the application's middleware answers it."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(**options)
        self.closing: Callable[[], bool] = lambda: False
        """Whether the server ends, so that nobody new is let in."""
        self._async: dict[str, Any] = {
            **driver._async,
            "websocket": _WebSocket,
            "translate_request": self._environ,
        }

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        if self.closing() and "sid" not in request.query:
            # Refused later, in the namespace, the JavaScript client would stay away for good; now it tries again.
            raise BarberProError(ErrorCode.SHUTTING_DOWN)
        response: object = await super().handle_request(request)
        if not isinstance(response, web.StreamResponse):  # packets for a websocket that was never opened
            raise bad_field("Connection", "is not Upgrade")
        if request.method == "GET" and isinstance(response, web.Response) and response.status == 200:
            packets = response.body
            assert isinstance(packets, bytes)  # noqa: S101 - a poll's answer
            _count_sent(packets.count(_BETWEEN) + 1, len(packets))
        return response

    async def hang_up(self, session_id: str) -> None:
        """Ends a connection below the protocol: whoever does not listen is gone, too."""
        engine_socket = self.sockets[session_id]
        if engine_socket.upgraded:
            await engine_socket.websocket.close(code=WSCloseCode.GOING_AWAY)
        else:
            await engine_socket.close(wait=False)

    async def _environ(self, request: web.Request) -> dict[str, Any]:
        """The request as the library wants it, with its body, which holds nothing but packets."""
        environ: dict[str, Any] = driver.translate_request(request)
        session_id = request.query.get("sid", "")
        if session_id in self.sockets and self.sockets[session_id].closed:
            del self.sockets[session_id]  # the library would do so in a minute, and fail until then
        if request.method == "POST":
            body = await self._body(request, session_id)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = asyncio.StreamReader()
            environ["wsgi.input"].feed_data(body)
            environ["wsgi.input"].feed_eof()
        return environ

    async def _body(self, request: web.Request, session_id: str) -> bytes:
        """Raises BAD_REQUEST, PAYLOAD_TOO_LARGE; the session is over then, as when a websocket's frame is bad."""
        try:
            body = await read_at_most(request, self.max_http_buffer_size)
            _check(body)
        except BarberProError:
            if session_id in self.sockets:
                await self.sockets[session_id].close(wait=False, reason=self.reason.TRANSPORT_ERROR)
            raise
        return body


def _count_sent(packets: int, size: int) -> None:
    sent = SENT["socketio"]
    sent.frames += packets
    sent.bytes += size


def _check(body: bytes) -> None:
    """Raises BAD_REQUEST when it is not a list of packets that a client may send."""
    try:
        packets = Payload(encoded_payload=body.decode()).packets
    except (ValueError, LookupError):
        packets = None
    if packets is None or not all(each.packet_type in _FROM_CLIENTS for each in packets):
        raise bad_field("(body)", "holds what is no Engine.IO packet")
