"""The Socket.IO door: protocol.md section 3."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, TypeVar
from weakref import WeakSet

import orjson
import socketio
import structlog
from aiohttp import web
from pydantic import Field, ValidationError

from barberpro.handlers.realtime.guard import GuardedServer
from barberpro.handlers.realtime.hub import Hub
from barberpro.handlers.realtime.rooms import Seat, seat_for
from barberpro.handlers.realtime.session import Session, watch_expiry
from barberpro.handlers.services import Services
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Wire, parse_command
from barberpro.protocol.errors import BarberProError, bad_field, bad_request
from barberpro.protocol.ids import Id, new_request_id
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.queue.calls import Via
from barberpro.queue.fold import Json
from barberpro.storage.postgres import Away

log = structlog.get_logger(__name__)

_RECONNECT_AFTER_MS: Final = 1000
_ANSWER_SECONDS: Final = 5.0
_GOODBYE_SECONDS: Final = 1.0


class _Since(Wire):
    epoch: Annotated[int, Field(ge=0)]
    seq: Annotated[int, Field(ge=0)]


class _Subscribe(Wire):
    room: str
    since: _Since | None = None


class _Stream(Wire):
    barber_id: Id


class _Unsubscribe(Wire):
    room: str


class _Authenticate(Wire):
    token: str


class _Orjson:
    """orjson in the shape that python-socketio asks of a JSON module."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str, **_: object) -> object:
        return orjson.loads(text)


class SocketIODoor:
    """Serves /socket.io/ on an aiohttp application."""

    def __init__(self, services: Services, origins: Sequence[str] | str) -> None:
        """origins: which web origins may connect; "*" for all."""
        self._services = services
        self._sessions: dict[str, Session] = {}
        self._requests: set[asyncio.Task[Any]] = set()
        self._websockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._closing = False
        self.server = GuardedServer(
            async_mode="aiohttp",
            json=_Orjson,
            cors_allowed_origins=origins,
            max_http_buffer_size=services.limits.message_bytes,
            # A compressor costs ninety kilobytes a connection, and the messages are small.
            http_compression=False,
            logger=False,
            engineio_logger=False,
        )
        self.hub = Hub(services, self._deliver)
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        handlers = {
            "subscribe": self._subscribe,
            "request_queue_stream": self._request_queue_stream,
            "unsubscribe": self._unsubscribe,
            "command": self._command,
            "authenticate": self._authenticate,
        }
        for event, handler in handlers.items():
            self.server.on(event, self._answering(event, handler))
        self.server.events = frozenset(handlers)

    def attach(self, app: web.Application) -> None:
        self.server.attach(app)
        app.on_response_prepare.append(self._remember)

    async def _remember(self, _request: web.Request, response: web.StreamResponse) -> None:
        if isinstance(response, web.WebSocketResponse):
            self._websockets.add(response)

    async def close(self) -> None:
        """Ends every session. What a client sent before is answered; it is told to come back."""
        self._closing = True
        if self._sessions:
            await self.server.emit("server_restarting", {"reconnectAfterMs": _RECONNECT_AFTER_MS})
        if self._requests:
            await asyncio.wait(self._requests, timeout=_ANSWER_SECONDS)
        await self.hub.close()
        for session in self._sessions.values():
            if session.clock is not None:
                session.clock.cancel()
        # The transport is closed, not the namespace: apps come back by themselves from the one, not from the other.
        if self.server.eio.sockets:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self.server.eio.disconnect()
        # Who does not hang up when told so would hold up the server's end.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await asyncio.gather(*(websocket.close() for websocket in self._websockets), return_exceptions=True)
        await self.server.shutdown()

    # Connections -----------------------------------------------------------------------------------------------

    async def _connect(self, sid: str, environ: Json, auth: object = None) -> None:
        token = auth.get("token") if isinstance(auth, dict) else None
        try:
            if self._closing:
                raise BarberProError(ErrorCode.SHUTTING_DOWN)
            if not isinstance(token, str):
                raise BarberProError(ErrorCode.UNAUTHORIZED, "The handshake carries no auth.token.")
            identity = self._services.tokens.verify(token)
        except BarberProError as error:
            raise socketio.exceptions.ConnectionRefusedError(error.message, _refusal(error)) from None
        request: web.Request = environ["aiohttp.request"]
        session = Session(identity, request.remote)
        self._sessions[sid] = session
        session.clock = asyncio.create_task(
            watch_expiry(session, self._services.limits, self._warn(sid), self._end(sid)), name=f"session-{sid}"
        )

    async def _disconnect(self, sid: str, _reason: object = None) -> None:
        session = self._sessions.pop(sid, None)
        if session is None:
            return
        if session.clock is not None:
            session.clock.cancel()
        for seat in session.seats.values():
            self.hub.leave(seat)

    def _warn(self, sid: str) -> Callable[[str], Awaitable[None]]:
        async def warn(expires_at: str) -> None:
            await self.server.emit("session_expiring", {"expiresAt": expires_at}, to=sid)

        return warn

    def _end(self, sid: str) -> Callable[[], Awaitable[None]]:
        async def end() -> None:
            error = BarberProError(ErrorCode.TOKEN_EXPIRED)
            await self.server.emit("session_expired", error.to_wire(), to=sid)
            await self.server.disconnect(sid)

        return end

    # Requests --------------------------------------------------------------------------------------------------

    def _answering(
        self, event: str, handler: Callable[[str, Session, Any], Awaitable[Json]]
    ) -> Callable[..., Awaitable[Json]]:
        """Every request is acknowledged, and no error of any kind gets past this place."""

        async def answer(sid: str, *arguments: object) -> Json:
            session = self._sessions.get(sid)
            request_id = new_request_id()
            self._count_request()
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                try:
                    if self._closing:
                        raise BarberProError(ErrorCode.SHUTTING_DOWN)
                    if session is None:
                        raise BarberProError(ErrorCode.UNAUTHORIZED)
                    return await handler(sid, session, arguments[0] if arguments else None)
                except BarberProError as error:
                    return {"ok": False, "error": error.to_wire()}
                except Away:
                    return {"ok": False, "error": BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE).to_wire()}
                except Exception:
                    log.exception("socketio_request_failed", socketio_event=event)
                    return {"ok": False, "error": BarberProError(ErrorCode.INTERNAL_ERROR).to_wire()}

        return answer

    def _count_request(self) -> None:
        """The task that we are in sends the ack: `close` waits for it."""
        task = asyncio.current_task()
        if task is not None:
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)

    async def _subscribe(self, sid: str, session: Session, document: object) -> Json:
        asked = _parse(_Subscribe, document)
        state = await self._sit(sid, session, Room.parse(asked.room))
        fresh = asked.since is None or (state["epoch"], state["seq"]) > (asked.since.epoch, asked.since.seq)
        return _subscribed(state, state if fresh else None)

    async def _request_queue_stream(self, sid: str, session: Session, document: object) -> Json:
        room = Room(RoomKind.QUEUE, _parse(_Stream, document).barber_id)
        state = await self._sit(sid, session, room)
        await self.server.emit(room.event, state, to=sid)
        return _subscribed(state, state)

    async def _sit(self, sid: str, session: Session, room: Room) -> Json:
        """Subscribes and gives the state it begins with. Nothing is awaited between the two that could yield."""
        name = str(room)
        self._room_for(session, name)
        seat = await seat_for(self._services, session.actor, room)
        view = await self.hub.enter(seat)
        try:
            if sid not in self._sessions:
                raise BarberProError(ErrorCode.UNAUTHORIZED, "The connection is gone.")
            self._room_for(session, name)  # others may have been entered meanwhile
        except BarberProError:
            self.hub.leave(seat)
            raise
        taken = session.seats.pop(name, None)
        if taken is not None:
            self.hub.leave(taken)
            await self.server.leave_room(sid, taken.channel)
        session.seats[name] = seat
        await self.server.enter_room(sid, seat.channel)
        return view.state(self._services)

    def _room_for(self, session: Session, name: str) -> None:
        """Raises BAD_REQUEST when the session has as many rooms as it may, and this one is not among them."""
        most = self._services.limits.rooms_per_connection
        if name not in session.seats and len(session.seats) >= most:
            raise bad_field("room", f"is one too many: {most} a connection")

    async def _unsubscribe(self, sid: str, session: Session, document: object) -> Json:
        room = Room.parse(_parse(_Unsubscribe, document).room)
        seat = session.seats.pop(str(room), None)
        if seat is not None:
            self.hub.leave(seat)
            await self.server.leave_room(sid, seat.channel)
        return {"ok": True}

    async def _command(self, _sid: str, session: Session, document: object) -> Json:
        request_id = structlog.contextvars.get_contextvars()["request_id"]
        result = await self._services.engine.submit(session.actor, parse_command(document), Via(request_id, session.ip))
        return {"ok": True, "replayed": result.replayed, "data": result.data}

    async def _authenticate(self, _sid: str, session: Session, document: object) -> Json:
        identity = self._services.tokens.verify(_parse(_Authenticate, document).token)
        # The seats were given for what the actor may: the same rights, or a new connection.
        if replace(identity.actor, name=None) != replace(session.actor, name=None):
            raise BarberProError(ErrorCode.FORBIDDEN, "A live connection cannot become somebody else's.")
        session.renew(identity)
        return {"ok": True, "expiresAt": session.expires_at()}

    async def _deliver(self, seat: Seat, state: Json) -> None:
        await self.server.emit(seat.room.event, state, room=seat.channel)


_Model = TypeVar("_Model", bound=Wire)


def _parse(model: type[_Model], document: object) -> _Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise bad_request(error) from None


def _subscribed(state: Json, shown: Json | None) -> Json:
    return {
        "ok": True,
        "room": state["room"],
        "epoch": state["epoch"],
        "seq": state["seq"],
        "upToDate": shown is None,
        "state": shown,
    }


def _refusal(error: BarberProError) -> Json:
    return {"code": error.code.value, "message": error.message, "temporary": error.temporary}
