"""An open WebSocket: frames in and out, its heartbeat and its end; what the messages mean is its listener's affair.

It is an asyncio protocol and no coroutine: a connection that is silent has no task, no timer and no stack.
"""

import asyncio
from typing import Final, Protocol, cast

import structlog

from barberpro.handlers.metrics import DoorName
from barberpro.handlers.realtime.outlet import Congestion, TransportOutlet
from barberpro.protocol.closing import CloseCode
from barberpro.protocol.frames import ClientFrames, FrameError, Opcode, close_frame, frame, may_be_told
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_PING: Final = frame(Opcode.PING, b"")
_SILENT_SECONDS: Final = 25.0
_PONG_SECONDS: Final = 12.5
_LOOK_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 1.0


class Listener(Protocol):
    """Whose wire it is."""

    def heard(self, opcode: Opcode, payload: bytes) -> None:
        """A whole message, text or binary. Not called any more once the wire closes."""
        ...

    def broken(self, error: FrameError) -> None:
        """What came is no WebSocket; the wire is to be closed."""
        ...

    def ended(self) -> None:
        """The connection is gone. Called once."""
        ...


class _Nobody:
    """Hears what was read before a connection was lost, and is not of use any more."""

    def heard(self, opcode: Opcode, payload: bytes) -> None:
        pass

    def broken(self, error: FrameError) -> None:
        pass

    def ended(self) -> None:
        pass


_NOBODY: Final = _Nobody()


class Wire(asyncio.Protocol):
    """One connection, after its handshake."""

    __slots__ = (
        "_closed",
        "_closing",
        "_early",
        "_frames",
        "_gone",
        "_heard",
        "_listener",
        "_pinged",
        "outlet",
    )

    def __init__(self, listener: Listener, door: DoorName, congestion: Congestion, limit: int) -> None:
        """door: whose form of a Message the client is sent. limit: bytes of a client's message."""
        self._listener = listener
        self.outlet = TransportOutlet(door, congestion, close_frame(CloseCode.TOO_SLOW))
        self._frames: ClientFrames | None = ClientFrames(limit)
        """None once something came that is no frame: what follows it means nothing."""
        self._early = b""
        self._heard = 0.0
        self._pinged = False
        self._closing = False
        self._gone = False
        self._closed: asyncio.Future[None] | None = None

    # What the transport tells ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._heard = asyncio.get_running_loop().time()
        # Not to be asked what class it is: uvloop's are no asyncio.Transport by class, but do all that one does.
        tcp = cast("asyncio.Transport", transport)
        self.outlet.open(tcp)

    def began(self, behind: bytes) -> None:
        """The listener is told in the next turn of the loop, as of all else. uvloop may read once more before it."""
        if behind:
            self._early = behind
            asyncio.get_running_loop().call_soon(self.data_received, b"")

    def data_received(self, data: bytes) -> None:
        self._heard, self._pinged = asyncio.get_running_loop().time(), False
        if self._early:
            data, self._early = self._early + data, b""
        if self._frames is None:
            return
        try:
            for opcode, payload in self._frames.feed(data):
                self._take(opcode, payload)
        except FrameError as error:
            self._frames = None
            if not self._closing:
                self._listener.broken(error)
        except Exception:
            # What came behind it was not heard: better to begin anew than to be deaf.
            log.exception("frame_not_heard")
            self._frames = None
            self.close(CloseCode.TRY_LATER, "")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = self._gone = True
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        # They hold each other: parted, they are freed at once, and leave the collector nothing to find.
        listener, self._listener = self._listener, _NOBODY
        listener.ended()

    # ----------------------------------------------------------------------------------------------------------------

    @property
    def closing(self) -> bool:
        return self._closing

    def _take(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.CLOSE:
            self._hang_up(payload[:2])
        elif self._closing:
            return
        elif opcode is Opcode.PING:
            self.outlet.send(frame(Opcode.PONG, payload))
        elif opcode is not Opcode.PONG:
            self._listener.heard(opcode, payload)

    def _hang_up(self, code: bytes) -> None:
        """The client has closed, or has seen that we do."""
        if not self._closing:
            self._closing = True
            self.outlet.end(frame(Opcode.CLOSE, code if may_be_told(code) else b""))
        self.outlet.transport.close()

    def close(self, code: int, reason: str) -> None:
        """Tells the client, and gives it a moment to hang up."""
        if self._closing:
            return
        self._closing = True
        self.outlet.end(close_frame(code, reason))
        asyncio.get_running_loop().call_later(_CLOSE_SECONDS, self.outlet.transport.abort)

    async def closed(self) -> None:
        """Waits until the connection is gone; a moment at most, once it closes."""
        if self._gone:
            return
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._closed)

    def listen(self, *, on: bool) -> None:
        """Whether more is read from the client; what it sends meanwhile waits in the kernel."""
        transport = self.outlet.transport
        if not transport.is_closing():
            (transport.resume_reading if on else transport.pause_reading)()

    def beat(self, now: float) -> None:
        """Asks whether a client that has long been silent is there, and gives it up when it does not answer."""
        silent = now - self._heard
        if silent > _SILENT_SECONDS + _PONG_SECONDS:
            self.outlet.transport.abort()
        elif silent > _SILENT_SECONDS and not self._pinged:
            self._pinged = True
            self.outlet.send(_PING)


class Wires:
    """The open wires of a door: one task for all their heartbeats."""

    def __init__(self) -> None:
        self._open: set[Wire] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="wires")

    def add(self, wire: Wire) -> None:
        self._open.add(wire)

    def remove(self, wire: Wire) -> None:
        self._open.discard(wire)

    async def close(self, code: int, reason: str) -> None:
        """Ends those that are left."""
        await end([self._task])
        for wire in list(self._open):
            wire.close(code, reason)
        await asyncio.gather(*(wire.closed() for wire in list(self._open)))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = asyncio.get_running_loop().time()
            for wire in list(self._open):
                try:
                    wire.beat(now)
                except Exception:
                    log.exception("wire_not_asked")
