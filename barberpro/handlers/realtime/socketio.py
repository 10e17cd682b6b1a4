"""The Socket.IO door: protocol.md section 3."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import orjson
from aiohttp import web
from pydantic import ValidationError

from barberpro.handlers.metrics import DoorName
from barberpro.handlers.origins import welcome
from barberpro.handlers.realtime.guard import AGENT, IP, GuardedServer, connection_refused
from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.requests import answer, authenticate, catch_up, parse, run_command, subscribed
from barberpro.handlers.realtime.rooms import RoomView, seat_for
from barberpro.handlers.realtime.session import Session
from barberpro.handlers.realtime.shared import Shared
from barberpro.handlers.realtime.socketio_outlet import SocketIOOutlet
from barberpro.handlers.realtime.wire import Wire
from barberpro.protocol.answers import AuthenticateAck, CommandAck, Done, Refused, SubscribeAck
from barberpro.protocol.closing import CloseCode
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field, refused
from barberpro.protocol.frames import text_frame
from barberpro.protocol.requests import Handshake, RequestQueueStream, Since, Subscribe, Unsubscribe
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.queue.fold import Json

_Ack = TypeVar("_Ack")
_FLUSH_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.01


class Orjson:
    """orjson in the shape that python-socketio asks of a JSON module."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str, **_: object) -> object:
        return orjson.loads(text)


@dataclass(slots=True, eq=False)
class _Client:
    """A client of the namespace /, which is what python-socketio calls by a sid."""

    sid: str
    session: Session
    socket: Any
    """Engine.IO's."""
    outlet: SocketIOOutlet
    server: GuardedServer

    @property
    def door(self) -> DoorName:
        return self.outlet.door

    async def warn(self, notice: Message) -> None:
        await self.server.emit(notice.event, notice.document, to=self.sid)

    async def farewell(self, notice: Message) -> None:
        """Hangs up the transport, not the namespace, for from that one apps come back by themselves."""
        self.outlet.offer("", notice)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                while not self.outlet.flushed:  # noqa: ASYNC110 - the library has no event for that
                    await asyncio.sleep(_LOOK_SECONDS)
        if self.socket.upgraded:
            self.socket.wire.close(CloseCode.RESTARTING, "")
            await self.socket.wire.closed()
        else:
            await self.socket.close(wait=False)

    async def expel(self, error: BarberProError) -> None:
        await self.server.emit("session_expired", error.to_wire(), to=self.sid)
        await self.server.disconnect(self.sid)


class SocketIODoor:
    """Serves /socket.io/ on an aiohttp application."""

    def __init__(self, shared: Shared) -> None:
        self._services = shared.services
        self._hub = shared.hub
        self._connections = shared.connections
        self._clients: dict[str, _Client] = {}
        self._commands: set[asyncio.Task[None]] = set()
        """Those under way that came past the library."""
        handlers = {
            "subscribe": self._subscribe,
            "request_queue_stream": self._request_queue_stream,
            "unsubscribe": self._unsubscribe,
            "command": self._command,
            "authenticate": self._authenticate,
        }
        self.server = GuardedServer(
            frozenset(handlers),
            shared.services.limits.handshake_seconds,
            congestion=shared.congestion,
            closing=lambda: shared.connections.closing,
            async_mode="aiohttp",
            json=Orjson,
            cors_allowed_origins=self._welcome,
            cors_credentials=False,
            max_http_buffer_size=shared.services.limits.message_bytes,
            # A compressor costs ninety kilobytes a connection, and the messages are small.
            http_compression=False,
            logger=False,
            engineio_logger=False,
        )
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        for event, handler in handlers.items():
            self.server.on(event, self._answering(handler))

    def attach(self, app: web.Application) -> None:
        self.server.attach(app)

    async def close(self) -> None:
        """After all connections have been closed."""
        await self.server.shutdown()

    def _welcome(self, origin: str | None, environ: Json) -> bool:
        """A function, as the library takes an empty list of origins for one that nobody looks at."""
        return welcome(origin, environ.get("HTTP_HOST"), self._services.origins)

    # Connections -----------------------------------------------------------------------------------------------

    async def _connect(self, sid: str, environ: Json, auth: object = None) -> None:
        try:
            identity = self._services.tokens.verify(_token(auth))
            socket = self.server.eio.sockets[self.server.manager.eio_sid_from_sid(sid, "/")]
            session = Session.of(identity, environ[IP], environ[AGENT], self._services.limits)
            client = _Client(sid, session, socket, SocketIOOutlet(socket, self.server.eio.congestion), self.server)
            self._connections.admit(client)
        except BarberProError as error:
            raise connection_refused(error) from None
        self._clients[sid] = client
        socket.command = partial(self._commanded, client)

    async def _disconnect(self, sid: str, _reason: object = None) -> None:
        client = self._clients.pop(sid, None)
        if client is None:
            return
        client.socket.command = None
        client.outlet.left()
        for seat in client.session.seats.values():
            self._hub.leave(seat, client.outlet)
        self._connections.leave(client)

    # Requests --------------------------------------------------------------------------------------------------

    def _answering(self, handler: Callable[["_Client", Any], Awaitable[_Ack]]) -> Callable[..., Awaitable[object]]:
        """Every request is acknowledged, and no error of any kind gets past this place."""

        async def acknowledge(sid: str, *arguments: object) -> _Ack | Refused:
            client = self._clients.get(sid)
            if client is None:
                return refused(BarberProError(ErrorCode.UNAUTHORIZED))
            return await self._answer(handler, client, arguments[0] if arguments else None)

        return acknowledge

    async def _answer(
        self, handler: Callable[["_Client", Any], Awaitable[_Ack]], client: _Client, document: object
    ) -> _Ack | Refused:
        async def asked() -> _Ack:
            client.session.requests.take()
            return await handler(client, document)

        return await answer(self._connections, asked)

    def _commanded(self, client: _Client, number: int, document: object, wire: Wire) -> None:
        """A command on a websocket, past the library: what it is asked, and what it is answered, is the same."""
        task = asyncio.create_task(self._acknowledge(client, number, document, wire))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    async def _acknowledge(self, client: _Client, number: int, document: object, wire: Wire) -> None:
        ack = await self._answer(self._command, client, document)
        wire.outlet.send(text_frame(b"43%d[%b]" % (number, orjson.dumps(ack))))

    async def _subscribe(self, client: "_Client", document: object) -> SubscribeAck:
        asked = parse(Subscribe, document)
        view = await self._sit(client, Room.parse(asked.room), asked.since)
        return {"ok": True, **subscribed(self._services, view, asked.since)}

    async def _request_queue_stream(self, client: "_Client", document: object) -> SubscribeAck:
        room = Room(RoomKind.QUEUE, parse(RequestQueueStream, document).barber_id)
        view = await self._sit(client, room, None)
        told = subscribed(self._services, view, None)
        if told["state"] is not None:
            client.outlet.offer(view.seat.channel, Message(room.event, told["state"]))
        return {"ok": True, **told}

    async def _sit(self, client: "_Client", room: Room, since: Since | None) -> RoomView:
        """Subscribes. What the view tells as soon as this returns is the state that the subscription begins with."""
        session, name = client.session, str(room)
        self._room_for(session, name)
        seat = await seat_for(self._services, session.actor, room)
        await catch_up(self._services, seat, since)
        view = await self._hub.enter(seat, client.outlet)
        try:
            if self._clients.get(client.sid) is not client:
                raise BarberProError(ErrorCode.UNAUTHORIZED, "The connection is gone.")
            self._room_for(session, name)  # others may have been entered meanwhile
        except BarberProError:
            self._hub.leave(seat, client.outlet)
            raise
        session.seats[name] = seat
        client.outlet.forget(seat.channel)  # of an earlier subscription: the answer to this one may not be overtaken
        return view

    def _room_for(self, session: Session, name: str) -> None:
        """Raises BAD_REQUEST when the session has as many rooms as it may, and this one is not among them."""
        most = self._services.limits.rooms_per_connection
        if name not in session.seats and len(session.seats) >= most:
            raise bad_field("room", f"is one too many: {most} a connection")

    async def _unsubscribe(self, client: "_Client", document: object) -> Done:
        room = Room.parse(parse(Unsubscribe, document).room)
        seat = client.session.seats.pop(str(room), None)
        if seat is not None:
            self._hub.leave(seat, client.outlet)
        return {"ok": True}

    async def _command(self, client: "_Client", document: object) -> CommandAck:
        return await run_command(self._services, client.session, document)

    async def _authenticate(self, client: "_Client", document: object) -> AuthenticateAck:
        return authenticate(self._services, client.session, document)


def _token(auth: object) -> str:
    try:
        return Handshake.model_validate(auth).token
    except ValidationError:
        raise BarberProError(ErrorCode.UNAUTHORIZED, "The handshake carries no auth.token.") from None
