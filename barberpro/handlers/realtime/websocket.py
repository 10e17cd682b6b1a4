"""The WebSocket door: protocol.md section 4. One connection, one room, one JSON object a frame."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from aiohttp import hdrs, web

from barberpro.domain.identity import Identity
from barberpro.handlers.agents import agent_of
from barberpro.handlers.metrics import DoorName
from barberpro.handlers.origins import welcome
from barberpro.handlers.realtime.handshake import accepted, gone, take_over
from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.requests import answer, authenticate, catch_up, parse, run_command, subscribed
from barberpro.handlers.realtime.rooms import Seat, seat_for
from barberpro.handlers.realtime.session import Session
from barberpro.handlers.realtime.shared import Shared
from barberpro.handlers.realtime.wire import Wire, Wires
from barberpro.handlers.rest.context import ADDRESS
from barberpro.protocol.closing import CloseCode
from barberpro.protocol.errors import BarberProError, bad_field, refused
from barberpro.protocol.frames import TOO_LARGE, FrameError, Opcode
from barberpro.protocol.requests import Authenticate, Since, SubscribeAgain
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.storage.postgres import Away

log = structlog.get_logger(__name__)

Json = dict[str, Any]

_PROTOCOL: Final = "barberpro.v1"
_BEARER: Final = "bearer."
_AT_ONCE: Final = 32
_RESTARTS: Final = "The server restarts."


class _Closing(Exception):
    """The connection ends, for this reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a client asks for with its handshake. room: as kind:id. since: as in its URL. token: None for later."""

    room: str
    since: dict[str, str]
    token: str | None
    ip: str | None
    agent: str | None
    welcome: bool

    @classmethod
    def of(cls, request: web.Request, *, welcome: bool) -> "_Wish":
        kind = request.path.split("/")[2]
        since = {name: value for name, value in request.query.items() if name in {"epoch", "seq"}}
        room, agent = f"{kind}:{request.match_info['id']}", agent_of(request.headers)
        return cls(room, since, _token_of(request), request[ADDRESS], agent, welcome)


class WebSocketDoor:
    """Serves /ws/{kind}/{id}."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._wires = Wires()

    def attach(self, app: web.Application) -> None:
        for kind in RoomKind:
            app.router.add_get(f"/ws/{kind.value}/{{id}}", self._serve, allow_head=False)

    def start(self) -> None:
        self._wires.start()

    async def close(self) -> None:
        """Ends the connections that have not said yet who they are; the others were told before."""
        await self._wires.close(CloseCode.RESTARTING, _RESTARTS)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        answer = accepted(request, (_PROTOCOL,))
        visit = _Visit(self._shared, self._wires)
        try:
            response = take_over(request, answer, visit.wire)
        except ConnectionResetError:
            return gone()
        visit.begin(_Wish.of(request, welcome=self._welcome(request)))
        return response

    def _welcome(self, request: web.Request) -> bool:
        headers = request.headers
        return welcome(headers.get(hdrs.ORIGIN), headers.get(hdrs.HOST), self._shared.services.origins)


class _Visit:
    """One connection, from its token to its end."""

    __slots__ = (
        "__weakref__", "_entering", "_frames", "_said", "_seat", "_session", "_shared", "_tasks", "_wires", "wire",
    )  # fmt: skip

    def __init__(self, shared: Shared, wires: Wires) -> None:
        self._shared = shared
        self._wires = wires
        self.wire = Wire(self, "websocket", shared.congestion, shared.services.limits.message_bytes)
        self._session: Session | None = None
        self._seat: Seat | None = None
        self._tasks: set[asyncio.Task[None]] | None = None
        """Requests under way; None for whoever never sent one."""
        self._frames: deque[bytes] | None = None
        """What is not looked at yet: while it comes in, and while too many requests are under way."""
        self._said: asyncio.Future[bytes] | None = None
        """The first frame, while it is waited for."""
        self._entering: asyncio.Task[None] | None = None

    def begin(self, wish: _Wish) -> None:
        """Once it has its connection."""
        self._wires.add(self.wire)
        self._entering = asyncio.create_task(self._come_in(wish))

    @property
    def door(self) -> DoorName:
        return "websocket"

    @property
    def session(self) -> Session:
        assert self._session is not None  # noqa: S101 - it is admitted with its session
        return self._session

    # Coming in -----------------------------------------------------------------------------------------------------

    async def _come_in(self, wish: _Wish) -> None:
        try:
            if not wish.welcome:
                raise _Closing(CloseCode.FORBIDDEN, "This web origin may not connect.")
            await self._enter(wish)
        except _Closing as closing:
            self.wire.close(closing.code, closing.reason)
        except BarberProError as error:
            self.wire.close(CloseCode.of(error.code), error.message)
        except Away:
            self.wire.close(CloseCode.TRY_LATER, "The line cannot be read just now.")
        except Exception:
            log.exception("websocket_not_entered")
            self.wire.close(CloseCode.TRY_LATER, "That did not work.")
        finally:
            self._entering = None
            if self.wire.closing:
                self._leave()
        self._go_on()

    async def _enter(self, wish: _Wish) -> None:
        """Raises _Closing, BarberProError and what the stores raise while they are away."""
        services = self._shared.services
        room = Room.parse(wish.room)
        since = parse(Since, wish.since, strict=False) if wish.since else None
        identity = await self._identify(wish.token)
        self._session = Session.of(identity, wish.ip, wish.agent, services.limits)
        self._shared.connections.admit(self)
        self._seat = await seat_for(services, identity.actor, room)
        await catch_up(services, self._seat, since)
        view = await self._shared.hub.enter(self._seat, self.wire.outlet)
        self._send("subscribed", subscribed(services, view, since))

    async def _identify(self, token: str | None) -> Identity:
        """From the handshake or the first frame. Raises UNAUTHORIZED, TOKEN_EXPIRED, TOKEN_REVOKED, _Closing."""
        return self._shared.services.tokens.verify((token or await self._first_frame()).strip())

    async def _first_frame(self) -> str:
        self._said = asyncio.get_running_loop().create_future()
        if self._frames:
            self._said.set_result(self._frames.popleft())
        try:
            async with asyncio.timeout(self._shared.services.limits.handshake_seconds):
                frame = _object(await self._said)
        except TimeoutError:
            raise _Closing(CloseCode.UNAUTHENTICATED, "No token came in time.") from None
        finally:
            self._said = None
        if frame.pop("event", None) != "authenticate":
            raise _Closing(CloseCode.UNAUTHENTICATED, "The first frame is not authenticate.")
        return parse(Authenticate, frame).token

    # What it says --------------------------------------------------------------------------------------------------

    def heard(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is not Opcode.TEXT:
            self.wire.close(CloseCode.BAD_FRAME, "Frames are texts of one JSON object.")
        elif self._said is not None and not self._said.done():
            self._said.set_result(payload)
        elif self._entering is not None or self._frames or self._busy():
            self._wait(payload)
        else:
            self._read(payload)

    def broken(self, error: FrameError) -> None:
        self.wire.close(CloseCode.TOO_LARGE if error.code == TOO_LARGE else CloseCode.BAD_FRAME, str(error))

    def _busy(self) -> bool:
        return self._tasks is not None and len(self._tasks) >= _AT_ONCE

    def _wait(self, payload: bytes) -> None:
        if self._frames is None:
            self._frames = deque()
            self.wire.listen(on=False)
        self._frames.append(payload)

    def _go_on(self) -> None:
        """With the frames that had to wait."""
        while self._frames and not self._busy() and not self.wire.closing:
            self._read(self._frames.popleft())
        if self._frames is not None and not self._frames:
            self._frames = None
            self.wire.listen(on=True)

    def _read(self, payload: bytes) -> None:
        try:
            frame = _object(payload)
        except _Closing as closing:
            self.wire.close(closing.code, closing.reason)
            return
        event = frame.pop("event", None)
        if event == "command":
            self._begin(self._command(frame))
            return
        try:
            self.session.requests.take()
            if event not in ("subscribe", "authenticate"):  # compared: a list or an object cannot be looked up in a set
                raise bad_field("event", "is none of command, subscribe, authenticate")
        except BarberProError as error:
            self._send("error", refused(error))
        else:
            if event == "subscribe":
                self._begin(self._subscribe(frame))
            else:
                self._authenticate(frame)

    def _begin(self, request: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(request)
        self._tasks = self._tasks or set()
        self._tasks.add(task)
        task.add_done_callback(self._answered)

    async def _subscribe(self, frame: Json) -> None:
        """Once more: whether what the client has is the newest, and else that."""
        refusal = await answer(self._shared.connections, self._tell_newest, frame)
        if refusal is not None:
            self._send("error", refusal)

    async def _tell_newest(self, frame: Json) -> None:
        assert self._seat is not None  # noqa: S101 - it is admitted with its seat
        services, since = self._shared.services, parse(SubscribeAgain, frame).since
        await catch_up(services, self._seat, since)
        view = await self._shared.hub.enter(self._seat, self.wire.outlet)
        self._send("subscribed", subscribed(services, view, since))

    async def _command(self, frame: Json) -> None:
        given, shared = frame.get("commandId"), self._shared
        command_id = None if isinstance(given, list | dict) else given  # one may be too deep to be written
        told = await answer(shared.connections, run_command, shared.services, self.session, frame)
        self._send("ack", {"commandId": command_id, **told})

    def _answered(self, task: asyncio.Task[None]) -> None:
        if self._tasks is not None:
            self._tasks.discard(task)
        self._go_on()

    def _authenticate(self, frame: Json) -> None:
        try:
            self._send("authenticated", authenticate(self._shared.services, self.session, frame))
        except BarberProError as error:
            self._send("authenticated", refused(error))

    # What it is told -----------------------------------------------------------------------------------------------

    def _send(self, event: str, document: Mapping[str, Any]) -> None:
        self.wire.outlet.send(Message(event, document).websocket)

    async def warn(self, notice: Message) -> None:
        self.wire.outlet.send(notice.websocket)

    async def expel(self, error: BarberProError) -> None:
        self._send("session_expired", error.to_wire())
        await self._end(CloseCode.UNAUTHENTICATED, error.message)

    async def farewell(self, notice: Message) -> None:
        self.wire.outlet.send(notice.websocket)
        await self._end(CloseCode.RESTARTING, _RESTARTS)

    async def _end(self, code: CloseCode, reason: str) -> None:
        self.wire.close(code, reason)
        await self.wire.closed()

    # Its end -------------------------------------------------------------------------------------------------------

    def ended(self) -> None:
        self._wires.remove(self.wire)
        if self._entering is not None:
            self._entering.cancel()
        else:
            self._leave()
        # What a command began goes on without its caller.
        for task in self._tasks or ():
            task.cancel()

    def _leave(self) -> None:
        if self._seat is not None:
            self._shared.hub.leave(self._seat, self.wire.outlet)
        self._shared.connections.leave(self)


def _token_of(request: web.Request) -> str | None:
    """From the header or the subprotocol."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token or None
    offered = (part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(","))
    return next((part.removeprefix(_BEARER) for part in offered if part.startswith(_BEARER)), None)


def _object(text: bytes) -> Json:
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _Closing(CloseCode.BAD_FRAME, "The frame is not JSON.") from None
    if not isinstance(frame, dict):
        raise _Closing(CloseCode.BAD_FRAME, "The frame is not a JSON object.")
    return frame
