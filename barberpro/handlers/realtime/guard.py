"""The Socket.IO server, kept to the contract: it answers what is no JSON, no event or no event of ours.

python-socketio runs a handler for whatever name a client sends, `connect` and `disconnect` among them, and lets a frame
that it cannot read end in a traceback, without an answer. It has no hook for this, so its entrances are overridden.

No request holds binary data, so none is waited for: the parts of a binary event that never come would hold up all that
comes after.
"""

import asyncio
import re
from typing import Any, Final

import socketio
import structlog
from socketio.packet import ACK, CONNECT_ERROR

from barberpro.handlers.agents import agent_of
from barberpro.handlers.realtime.transport import Transport
from barberpro.handlers.rest.context import ADDRESS
from barberpro.protocol.answers import ConnectRefusal
from barberpro.protocol.errors import BarberProError, bad_field, not_found, refused

log = structlog.get_logger(__name__)

_REQUEST: Final = re.compile(r"(?:2|5\d{1,10}-)(\d{1,15})[\[{\"a-z]")
"""An event on the namespace / that asks for an ack, with binary data or without."""
IP: Final = "barberpro.ip"
AGENT: Final = "barberpro.agent"
"""Where a connection's environ has the client's address, and what its program calls itself."""
_BINARY: Final = ("5", "6")
"""What the frames of binary events and acks begin with."""


def connection_refused(error: BarberProError) -> socketio.exceptions.ConnectionRefusedError:
    """What a handshake is answered with: the client finds the code in its connect_error's data."""
    data: ConnectRefusal = {"code": error.code, "message": error.message, "temporary": error.temporary}
    return socketio.exceptions.ConnectionRefusedError(error.message, data)


class GuardedServer(socketio.AsyncServer):  # type: ignore[misc]  # the library ships no types
    """events: the names that clients may send. patience: the seconds that they have to say who they are."""

    def __init__(self, events: frozenset[str], patience: float, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(**options)
        self.events = events
        self._patience = patience
        self._expected: set[str] = set()
        """Connections that are outside of the namespace, and have so long to come in."""

    def _engineio_server_class(self) -> type[Transport]:
        return Transport

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:  # noqa: ANN401 - a frame, text or bytes
        try:
            if not isinstance(data, str) or data.startswith(_BINARY):
                raise ValueError("no text")
            await super()._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            log.info("socketio_frame_refused", problem=type(error).__name__)
            asked = _REQUEST.match(data) if isinstance(data, str) else None
            if asked is not None:
                await self._answer(eio_sid, int(asked.group(1)), bad_field("(body)", "is not JSON"))

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        # It is kept for as long as the connection: all else of the request may go.
        request = environ["aiohttp.request"]
        await super()._handle_eio_connect(eio_sid, {IP: request[ADDRESS], AGENT: agent_of(request.headers)})
        self._expect(eio_sid)

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:
        """Out of the namespace. Clients close the connection then; one that does not is hung up on."""
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace or "/")
        await super().disconnect(sid, namespace, ignore_queue)
        self._expect(eio_sid)

    async def _handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        await super()._handle_disconnect(eio_sid, namespace, reason)
        if reason == self.reason.CLIENT_DISCONNECT:  # from the namespace alone
            self._expect(eio_sid)

    def _expect(self, eio_sid: str) -> None:
        if eio_sid in self.eio.sockets and eio_sid not in self._expected:
            self._expected.add(eio_sid)
            self.start_background_task(self._come_in_or_go, eio_sid)

    async def _come_in_or_go(self, eio_sid: str) -> None:
        """Ends a connection that is not in the namespace in time: nobody knows whose it is, and it counts as none."""
        await asyncio.sleep(self._patience)
        self._expected.discard(eio_sid)
        if eio_sid in self.eio.sockets and self.manager.sid_from_eio_sid(eio_sid, "/") is None:
            await self.eio.hang_up(eio_sid)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: object) -> None:
        if namespace not in {None, "/"}:
            words = connection_refused(not_found("namespace")).error_args
            await self._send_packet(eio_sid, self.packet_class(CONNECT_ERROR, data=words, namespace=namespace))
        elif self.manager.sid_from_eio_sid(eio_sid, namespace or "/") is None:
            await super()._handle_connect(eio_sid, namespace, data)

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: object) -> None:  # noqa: A002 - the library's name
        if isinstance(data, list) and data and isinstance(data[0], str) and data[0] in self.events:
            await super()._handle_event(eio_sid, namespace, id, data)
        elif id is not None:
            words = f"is none of {', '.join(sorted(self.events))}"
            await self._answer(eio_sid, id, bad_field("(event)", words))

    async def _answer(self, eio_sid: str, number: int, error: BarberProError) -> None:
        """Acknowledges a request that reached no handler."""
        if self.manager.sid_from_eio_sid(eio_sid, "/") is not None:
            await self._send_packet(eio_sid, self.packet_class(ACK, data=[refused(error)], namespace="/", id=number))
