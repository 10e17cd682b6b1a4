"""Engine.IO, the transport below Socket.IO, kept to the contract: it refuses whatever is no packet of a client.

python-engineio lets a frame or a body that it cannot read end in a traceback, and then answers as if nothing had been,
or leaves the connection half open. It has no hook for this, so what comes in is looked at before the library sees it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import engineio
import structlog
from aiohttp import WSCloseCode, hdrs, web
from engineio.async_drivers import aiohttp as driver
from engineio.payload import Payload

from barberpro.handlers.metrics import SENT
from barberpro.handlers.realtime.engineio_wire import FROM_CLIENTS, EngineWire
from barberpro.handlers.realtime.handshake import accepted
from barberpro.handlers.realtime.outlet import Congestion
from barberpro.handlers.realtime.socketio_outlet import SocketIOOutlet
from barberpro.handlers.rest.admission import count_handshake
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

_BETWEEN: Final = b"\x1e"
"""Between the packets of a poll's answer."""


class PacketQueue(asyncio.Queue[Any]):
    """What the library is to send. unsent: packets in it, and those taken out of it that are on their way.

    The library's writer takes a packet a turn of the loop before it writes it: the queue is empty then already.
    """

    def __init__(self, limit: int, full: "Callable[[PacketQueue], None]") -> None:
        """limit: bytes that may wait for a client that does not fetch them; full: called, once, when there are more."""
        super().__init__()
        self.unsent = 0
        self.emptied = 0
        """How often the last packet in it was taken."""
        self._sizes: deque[int] = deque()
        self._room = limit
        self._full = full
        self.outlet: SocketIOOutlet | None = None
        """Whose messages go past this queue while it is empty."""

    def put_nowait(self, item: object) -> None:
        if self._room < 0 and item is not None:  # None is the library's word for the end
            return
        super().put_nowait(item)
        self.unsent += 1
        if self.outlet is not None:
            self.outlet.held()
        if self._room < 0 and item is not None:
            self._full(self)

    def task_done(self) -> None:
        super().task_done()
        self.unsent -= 1

    def _put(self, item: object) -> None:
        data = getattr(item, "data", None)
        self._sizes.append(len(data) if isinstance(data, str | bytes) else 0)
        self._room -= self._sizes[-1]
        super()._put(item)

    def _get(self) -> object:
        self._room += self._sizes.popleft()
        item = super()._get()
        self.emptied += not self._sizes
        return item


class Transport(engineio.AsyncServer):  # type: ignore[misc]  # the library ships no types
    """Raises BarberProError for a request that is refused here; the application's middleware answers it."""

    def __init__(self, congestion: Congestion, closing: Callable[[], bool], **options: Any) -> None:  # noqa: ANN401 - the library's
        """closing: whether the server ends, so that nobody new is let in."""
        super().__init__(**options)
        self.congestion = congestion
        self._closing = closing
        self._ending: set[asyncio.Task[None]] = set()
        self._async: dict[str, Any] = {
            **driver._async,
            "websocket": EngineWire,
            "translate_request": self._environ,
        }

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        session_id = request.query.get("sid")
        if session_id is None and self._closing():
            # Refused later, in the namespace, the JavaScript client would stay away for good; now it tries again.
            raise BarberProError(ErrorCode.SHUTTING_DOWN)
        if session_id is not None and not self._has(session_id):
            await count_handshake(request)  # or whoever makes up a session would ask as often as they like
            raise bad_field("sid", "is of no connection that is open")
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            accepted(request)  # before the library has made a session for it
        response: object = await super().handle_request(request)
        if not isinstance(response, web.StreamResponse):  # packets for a websocket that was never opened
            raise bad_field("Connection", "is not Upgrade")
        if request.method == "GET" and isinstance(response, web.Response) and response.status == 200:
            packets = response.body
            assert isinstance(packets, bytes)  # noqa: S101 - a poll's answer
            _count_sent(packets.count(_BETWEEN) + 1, len(packets))
        return response

    def _has(self, session_id: str) -> bool:
        """Whether there is a session that goes on. One that does not, the library would keep for a minute more."""
        engine_socket = self.sockets.get(session_id)
        if engine_socket is not None and engine_socket.closed:
            del self.sockets[session_id]
        return session_id in self.sockets

    def create_queue(self) -> PacketQueue:
        return PacketQueue(2 * self.congestion.limit, self._cut_off)

    def _cut_off(self, queue: PacketQueue) -> None:
        """Ends the session of a client that asks for more than it fetches."""
        engine_socket = next((each for each in self.sockets.values() if each.queue is queue), None)
        if engine_socket is not None:
            log.info("client_too_slow", behind_packets=queue.qsize())
            self.congestion.evicted += 1
            task = asyncio.create_task(engine_socket.close(wait=False, abort=True))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _log_error_once(self, _message: str, key: str) -> None:
        """What the library cannot make sense of is its client's error, and none of ours."""
        log.info("engineio_request_refused", problem=key)

    async def hang_up(self, session_id: str) -> None:
        """Ends a connection below the protocol: whoever does not listen is gone, too."""
        engine_socket = self.sockets[session_id]
        if engine_socket.upgraded:
            engine_socket.wire.close(WSCloseCode.GOING_AWAY, "")
        else:
            await engine_socket.close(wait=False)

    async def _environ(self, request: web.Request) -> dict[str, Any]:
        """The request as the library wants it, with its body, which holds nothing but packets."""
        environ: dict[str, Any] = driver.translate_request(request)
        if request.method == "POST":
            body = await self._body(request, request.query.get("sid", ""))
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
    if packets is None or not all(each.packet_type in FROM_CLIENTS for each in packets):
        raise bad_field("(body)", "holds what is no Engine.IO packet")
