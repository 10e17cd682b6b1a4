"""The WebSocket door: protocol.md section 4. One connection, one room, one JSON object a frame."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from barberpro.domain.identity import Identity
from barberpro.handlers.metrics import DoorName
from barberpro.handlers.realtime.messages import Message, close_frame
from barberpro.handlers.realtime.outlet import TransportOutlet, transport_of
from barberpro.handlers.realtime.pace import Pace
from barberpro.handlers.realtime.requests import answer, authenticate, parse, run_command, subscribed
from barberpro.handlers.realtime.rooms import seat_for
from barberpro.handlers.realtime.session import Session
from barberpro.handlers.realtime.shared import Shared
from barberpro.protocol.closing import CloseCode
from barberpro.protocol.errors import BarberProError, bad_field, refused
from barberpro.protocol.ids import new_request_id
from barberpro.protocol.requests import Authenticate, Since
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.queue.tasks import end
from barberpro.storage.postgres import Away

log = structlog.get_logger(__name__)

Json = dict[str, Any]

_PROTOCOL: Final = "barberpro.v1"
_BEARER: Final = "bearer."
_CODE_OF_AIOHTTP: Final[dict[int, CloseCode]] = {
    WSCloseCode.PROTOCOL_ERROR: CloseCode.BAD_FRAME,
    WSCloseCode.UNSUPPORTED_DATA: CloseCode.BAD_FRAME,
    WSCloseCode.INVALID_TEXT: CloseCode.BAD_FRAME,
    WSCloseCode.MESSAGE_TOO_BIG: CloseCode.TOO_LARGE,
}
_HEARTBEAT_SECONDS: Final = 25.0
_CLOSE_SECONDS: Final = 1.0
_REASON_BYTES: Final = 120
_COMMANDS_AT_ONCE: Final = 32


class _Socket(web.WebSocketResponse):
    """Says in the contract's words what aiohttp says of frames in its own."""

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        return await super().close(code=_CODE_OF_AIOHTTP.get(code, code), message=message, drain=drain)


class _Closing(Exception):
    """The connection ends, for this reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocketDoor:
    """Serves /ws/{kind}/{id}."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def attach(self, app: web.Application) -> None:
        for kind in RoomKind:
            app.router.add_get(f"/ws/{kind.value}/{{id}}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        socket = _Socket(
            protocols=(_PROTOCOL,),
            # A compressor costs ninety kilobytes a connection, and the messages are small.
            compress=False,
            heartbeat=_HEARTBEAT_SECONDS,
            max_msg_size=self._shared.services.limits.message_bytes,
            timeout=_CLOSE_SECONDS,
        )
        if not socket.can_prepare(request):
            raise bad_field("Upgrade", "is not websocket")
        await socket.prepare(request)
        try:
            if not self._welcome(request):
                raise _Closing(CloseCode.FORBIDDEN, "This web origin may not connect.")
            await _Visit(self._shared, socket, request).run()
        except _Closing as closing:
            await _close(socket, closing.code, closing.reason)
        except BarberProError as error:
            await _close(socket, CloseCode.of(error.code), error.message)
        except Away:
            await _close(socket, CloseCode.TRY_LATER, "The line cannot be read just now.")
        return socket

    def _welcome(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        origins, own = self._shared.origins, {f"{scheme}://{request.host}" for scheme in ("http", "https")}
        return origin is None or origins == "*" or origin in origins or origin in own


class _Visit:
    """One connection, from its token to its end."""

    def __init__(self, shared: Shared, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._services = shared.services
        self._hub = shared.hub
        self._connections = shared.connections
        self._socket = socket
        self._request = request
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: Session | None = None
        transport = transport_of(request)
        if transport is None:
            raise _Closing(CloseCode.TRY_LATER, "The connection is gone.")
        self._outlet = TransportOutlet(transport, "websocket", shared.congestion, close_frame(CloseCode.TOO_SLOW))

    @property
    def door(self) -> DoorName:
        return self._outlet.door

    @property
    def session(self) -> Session:
        assert self._session is not None  # noqa: S101 - it is admitted with its session
        return self._session

    async def run(self) -> None:
        room = _room(self._request)
        since = _since(self._request)
        session = Session(await self._identify(), self._request.remote, Pace.of(self._services.limits))
        self._session = session
        self._connections.admit(self)
        seat = None
        try:
            seat = await seat_for(self._services, session.actor, room)
            view = await self._hub.enter(seat, self._outlet)
            self._send("subscribed", await subscribed(self._services, view, since))
            await self._read(session)
        finally:
            if seat is not None:
                self._hub.leave(seat, self._outlet)
            self._connections.leave(self)
            # Last, as this task may be cancelled once more. What a command began goes on without its caller.
            await end(self._tasks)

    async def _identify(self) -> Identity:
        """From the header, the subprotocol or the first frame. Raises UNAUTHORIZED, TOKEN_EXPIRED, _Closing."""
        scheme, _, token = self._request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            offered = self._request.headers.get("Sec-WebSocket-Protocol", "").split(",")
            token = next((part.strip()[len(_BEARER) :] for part in offered if part.strip().startswith(_BEARER)), "")
        if not token:
            token = await self._first_frame()
        return self._services.tokens.verify(token.strip())

    async def _first_frame(self) -> str:
        try:
            async with asyncio.timeout(self._services.limits.handshake_seconds):
                message = await self._socket.receive()
        except TimeoutError:
            raise _Closing(CloseCode.UNAUTHENTICATED, "No token came in time.") from None
        if message.type is not WSMsgType.TEXT:
            raise _Closing(CloseCode.BAD_FRAME, "The first frame is not a text.")
        frame = _object(message.data)
        if frame.pop("event", None) != "authenticate":
            raise _Closing(CloseCode.UNAUTHENTICATED, "The first frame is not authenticate.")
        return parse(Authenticate, frame).token

    async def _read(self, session: Session) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                raise _Closing(CloseCode.BAD_FRAME, "Frames are texts of one JSON object.")
            frame = _object(message.data)
            event = frame.pop("event", None)
            if event == "command":
                if len(self._tasks) >= _COMMANDS_AT_ONCE:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                task = asyncio.create_task(self._command(session, frame))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif event == "authenticate":
                self._authenticate(session, frame)
            else:
                problem = bad_field("event", "is neither command nor authenticate")
                self._send("error", refused(problem))

    async def _command(self, session: Session, frame: Json) -> None:
        command_id = frame.get("commandId")
        with structlog.contextvars.bound_contextvars(request_id=new_request_id()):
            told = await answer(self._connections, run_command, self._services, session, frame)
        self._send("ack", {"commandId": command_id, **told})

    def _authenticate(self, session: Session, frame: Json) -> None:
        try:
            self._send("authenticated", authenticate(self._services, session, frame))
        except BarberProError as error:
            self._send("authenticated", refused(error))

    def _send(self, event: str, document: Mapping[str, Any]) -> None:
        self._outlet.send(Message(event, document).websocket)

    async def warn(self, notice: Message) -> None:
        self._outlet.send(notice.websocket)

    async def expel(self, error: BarberProError) -> None:
        self._send("session_expired", error.to_wire())
        await _close(self._socket, CloseCode.UNAUTHENTICATED, error.message)

    async def farewell(self, notice: Message) -> None:
        self._outlet.send(notice.websocket)
        await _close(self._socket, CloseCode.RESTARTING, "The server restarts.")


async def _close(socket: web.WebSocketResponse, code: CloseCode, reason: str) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError):
        await socket.close(code=code, message=reason.encode()[:_REASON_BYTES])


def _room(request: web.Request) -> Room:
    kind = RoomKind(request.path.split("/")[2])
    return Room.parse(f"{kind.value}:{request.match_info['id']}")


def _since(request: web.Request) -> Since | None:
    """`?epoch=&seq=`. Raises BAD_REQUEST."""
    given = {name: value for name, value in request.query.items() if name in {"epoch", "seq"}}
    return parse(Since, given, strict=False) if given else None


def _object(text: str) -> Json:
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _Closing(CloseCode.BAD_FRAME, "The frame is not JSON.") from None
    if not isinstance(frame, dict):
        raise _Closing(CloseCode.BAD_FRAME, "The frame is not a JSON object.")
    return frame
