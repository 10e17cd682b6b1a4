"""Server-Sent Events: protocol.md section 5. One room a stream; whoever reads can do nothing else."""

import asyncio
import contextlib
import itertools
import random
import re
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from barberpro.domain.identity import Identity
from barberpro.domain.policy import Action
from barberpro.handlers.agents import agent_of
from barberpro.handlers.metrics import DoorName
from barberpro.handlers.realtime.messages import Message, chunk
from barberpro.handlers.realtime.outlet import TransportOutlet, transport_of
from barberpro.handlers.realtime.requests import catch_up, subscribed
from barberpro.handlers.realtime.rooms import Seat, prepare, seat_for
from barberpro.handlers.realtime.session import Session
from barberpro.handlers.realtime.shared import Shared
from barberpro.handlers.rest.context import ADDRESS, identity
from barberpro.handlers.rest.operations import Plain
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field
from barberpro.protocol.requests import Since, StreamQuery
from barberpro.protocol.rooms import Room, RoomKind

PATH: Final = "/api/v1/queue/stream"

ROUTE: Final = Plain(
    path=PATH,
    name="stream",
    files=("text/event-stream",),
    actions=(Action.WATCH_QUEUE, Action.SEE_BOOKING, Action.SEE_DISPLAY),
    query=StreamQuery,
    refuses=(ErrorCode.BAD_REQUEST, ErrorCode.NOT_FOUND),
    words="A room as Server-Sent Events; its messages are in /asyncapi.json. `Last-Event-ID` resumes.",
)
_COMMENT: Final = chunk(b":\n\n")
_TICK_SECONDS: Final = 1.0
_TICKS_A_COMMENT: Final = 15
_RETRY_MS: Final = (1000, 4000)
PARAMETERS: Final = {"barberId": RoomKind.QUEUE, "bookingId": RoomKind.BOOKING, "shopId": RoomKind.DISPLAY}
_EVENT_ID: Final = re.compile(r"(\d{1,18}):(\d{1,18})")


class EventStreamDoor:
    """Serves GET /api/v1/queue/stream. The REST door's middlewares have identified and counted the caller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def attach(self, app: web.Application) -> None:
        app.router.add_get(PATH, self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Raises, before the stream begins, what becomes an error's envelope."""
        if request.method == hdrs.METH_HEAD:  # it would have a body, and no end
            raise web.HTTPMethodNotAllowed(request.method, [hdrs.METH_GET])
        who, room, since = identity(request), _room(request), _last_event_id(request)
        if request.version < HttpVersion11:
            raise bad_field("(request)", "streams need HTTP/1.1")
        seat = await seat_for(self._shared.services, who.actor, room)
        stream = _Stream(self._shared, request, seat, who)
        self._shared.connections.admit(stream)
        try:
            if self._shared.services.tokens.revoked(who):  # while Redis and Postgres were asked
                raise BarberProError(ErrorCode.TOKEN_REVOKED)
            return await stream.run(since)
        finally:
            self._shared.connections.leave(stream)


class _Stream:
    """One stream, from its headers to its end."""

    door: DoorName = "sse"

    def __init__(self, shared: Shared, request: web.Request, seat: Seat, who: Identity) -> None:
        self._shared = shared
        self._request = request
        self._seat = seat
        self.session = Session.of(who, request[ADDRESS], agent_of(request.headers), shared.services.limits)
        self._over = asyncio.Event()
        self._refusal: BarberProError | None = None
        """Why it is over, for whoever is told before the stream begins."""
        self._outlet: TransportOutlet | None = None

    async def run(self, since: Since | None) -> web.StreamResponse:
        """Raises, before the stream begins, what the stores do while they are away, and why it is over already."""
        await catch_up(self._shared.services, self._seat, since)
        await prepare(self._shared.services, self._seat)
        if self._refusal is not None:
            raise self._refusal
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # a proxy that gathers would hold the events back
            }
        )
        response.enable_chunked_encoding()
        await response.prepare(self._request)
        await response.write(b"retry: %d\n\n" % random.randint(*_RETRY_MS))  # noqa: S311 - only spread
        transport = transport_of(self._request)
        if transport is None:
            return response  # gone already
        # From here on whole chunks are written to the transport; aiohttp writes the last one.
        self._outlet = TransportOutlet("sse", self._shared.congestion)
        self._outlet.open(transport)
        try:
            view = await self._shared.hub.enter(self._seat, self._outlet)
            answer = subscribed(self._shared.services, view, since)
            if answer["state"] is not None and not self._over.is_set():
                self._outlet.offer(self._seat.channel, Message(self._seat.room.event, answer["state"]))
            await self._stay(self._outlet)
        finally:
            self._shared.hub.leave(self._seat, self._outlet)
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
        return response

    async def _stay(self, outlet: TransportOutlet) -> None:
        """Until the client, the server or the token is gone."""
        for tick in itertools.count(1):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._over.wait()
            if self._over.is_set() or outlet.closed:
                return
            if tick % _TICKS_A_COMMENT == 0:
                outlet.send(_COMMENT)

    async def warn(self, notice: Message) -> None:
        self._tell(notice)

    async def expel(self, error: BarberProError) -> None:
        self._end(error, Message("session_expired", error.to_wire()))

    async def farewell(self, notice: Message) -> None:
        self._end(BarberProError(ErrorCode.SHUTTING_DOWN), notice)

    def _end(self, refusal: BarberProError, notice: Message) -> None:
        self._refusal = refusal
        self._tell(notice)
        self._over.set()

    def _tell(self, message: Message) -> None:
        if self._outlet is not None:
            self._outlet.send(message.sse)


def _room(request: web.Request) -> Room:
    """Raises BAD_REQUEST."""
    for name in request.query:
        if name not in PARAMETERS:
            raise bad_field(name, "is not known here")
    given = [(name, value) for name, value in request.query.items()]
    if len(given) != 1:
        raise bad_field("(query)", f"give one of {', '.join(PARAMETERS)}")
    name, value = given[0]
    kind = PARAMETERS[name]
    try:
        return Room.parse(f"{kind.value}:{value}")
    except BarberProError:
        raise bad_field(name, "is not an id") from None


def _last_event_id(request: web.Request) -> Since | None:
    """What browsers send when they come back. One that is none of ours says nothing: the state is given."""
    match = _EVENT_ID.fullmatch(request.headers.get("Last-Event-ID", ""))
    return Since(epoch=int(match.group(1)), seq=int(match.group(2))) if match else None
