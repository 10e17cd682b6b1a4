"""Outlets: where a room's messages leave for one client, and what becomes of clients that are too slow for them.

Ready bytes are written to the transport at once. What a client has not taken yet waits in its transport, up to a bound;
beyond that, only the newest message of each room waits (states are absolute: it replaces the older ones). A client that
stays behind for too long is cut off: it comes back and is given the newest state.
"""

import asyncio
import os
import time
from typing import Final, Protocol

import structlog
from aiohttp import web

from barberpro.handlers.metrics import SENT, DoorName
from barberpro.handlers.realtime.messages import Message
from barberpro.queue.pulse import Pulse
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 0.05
_CLOSING_SECONDS: Final = 1.0


class Outlet(Protocol):
    """One client of a room."""

    door: DoorName

    def offer(self, channel: str, message: Message) -> None:
        """The newest state of a room; it may replace an older one that was not sent yet. Never waits."""
        ...

    def forget(self, channel: str) -> None:
        """The client has left the room: what it has not been sent of it, it need not be."""
        ...


class Congestion:
    """The slow clients of a node, looked after together: one task, which sleeps while there are none."""

    def __init__(self, limit_bytes: int, patience_seconds: float) -> None:
        """limit_bytes: what may wait in a client's transport. patience_seconds: how long it may stay behind."""
        self.limit = limit_bytes
        self._patience = patience_seconds
        self._slow: dict[TransportOutlet, float] = {}
        self._any = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.pulse = Pulse()
        """A look at the slow clients is a sign of life; none is due while there are none."""
        self.evicted = 0
        """How many were cut off; a figure for operators."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="congestion")
        self.pulse.carried_by(self._task)

    async def close(self) -> None:
        await end([self._task])

    def add(self, outlet: "TransportOutlet") -> None:
        self._slow.setdefault(outlet, time.monotonic())
        self._any.set()
        self.pulse.due()

    async def _run(self) -> None:
        while True:
            await self._any.wait()
            await asyncio.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            for outlet, since in list(self._slow.items()):
                if outlet.closed or outlet.catch_up():
                    del self._slow[outlet]
                elif now - since > self._patience:
                    del self._slow[outlet]
                    log.info("client_too_slow", behind_bytes=outlet.waiting_bytes)
                    outlet.evict()
            self.pulse.beat()
            if not self._slow:
                self._any.clear()
                self.pulse.rest()


def transport_of(request: web.Request) -> asyncio.Transport | None:
    """Where a request's answer is written to; None when its client has gone."""
    # Not to be asked what class it is: uvloop's are no asyncio.Transport by class, but do all that one does.
    return request.transport


class TransportOutlet:
    """Writes ready bytes to a connection's transport, in the form of a message that its door speaks.

    A room writes to a thousand of them in turn, and each object that is looked at on the way has to be fetched from
    memory first: so there are few. For the same reason a message goes to the kernel at once when nothing waits before
    it, and past the transport, which would keep it until the end of the loop's turn and then fetch everything again.
    """

    __slots__ = (
        "_behind",
        "_clear",
        "_congestion",
        "_descriptor",
        "_ended",
        "_last_words",
        "_sent",
        "door",
        "transport",
    )

    def __init__(self, door: DoorName, congestion: Congestion, last_words: bytes = b"") -> None:
        """door: names its form of a Message, too. last_words: for a client that is cut off, if it still listens."""
        self.door: DoorName = door
        self._sent = SENT[door]
        self._congestion = congestion
        self._last_words = last_words
        self._clear = False
        """Whether nothing is before the next message. While it is not, `_cleared` is asked each time."""
        self._behind: dict[str, Message] | None = None
        """By room, the newest that it has not been sent; None while it keeps up."""
        self._ended = False

    def open(self, transport: asyncio.Transport) -> None:
        """Before anything is offered or sent. transport: one without TLS, of which proxies in front take care."""
        self.transport = transport
        self._descriptor: int = transport.get_extra_info("socket").fileno()

    @property
    def closed(self) -> bool:
        return self._ended or self.transport.is_closing()

    @property
    def waiting_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def offer(self, channel: str, message: Message) -> None:
        """Writes the message, or keeps it as the room's newest while the client is behind."""
        if not (self._clear or self._cleared()):
            self._keep(channel, message)
            return
        transport = self.transport
        if transport.is_closing():  # its descriptor may be another's soon
            return
        data: bytes = getattr(message, self.door)
        waiting = transport.get_write_buffer_size()
        if waiting + len(data) > self._congestion.limit:
            self._clear = False
            self._keep(channel, message)
            return
        self._write(data, waiting)

    def _cleared(self) -> bool:
        """Whether what was before the next message is gone."""
        self._clear = self._behind is None and not self._ended
        return self._clear

    def _keep(self, channel: str, message: Message) -> None:
        """Until the client has caught up, or there is a newer one of the room."""
        if not self.closed:
            self._behind = {**(self._behind or {}), channel: message}
            self._congestion.add(self)

    def forget(self, channel: str) -> None:
        if self._behind is not None:
            self._behind.pop(channel, None)

    def send(self, data: bytes) -> None:
        """What must not be lost: answers and notices. Whoever asks for more of them than it reads is cut off."""
        if self.closed:
            return
        waiting = self.waiting_bytes
        if waiting > 2 * self._congestion.limit:
            self.evict()
            return
        self._write(data, waiting)

    def end(self, data: bytes) -> None:
        """The last that it writes: the connection's own goodbye, after which nothing may come."""
        if not self.closed:
            self._write(data, self.waiting_bytes)
        self._ended, self._clear = True, False

    def catch_up(self) -> bool:
        """Writes what is kept as far as there is room; whether the client has caught up."""
        while self._behind:
            channel, message = next(iter(self._behind.items()))
            data: bytes = getattr(message, self.door)
            waiting = self.waiting_bytes
            if waiting and waiting + len(data) > self._congestion.limit:
                return False
            del self._behind[channel]
            self._write(data, waiting)
        self._behind = None
        return True

    def _write(self, data: bytes, waiting: int) -> None:
        """waiting: bytes before it, in the transport."""
        sent = self._sent
        sent.frames += 1
        sent.bytes += len(data)
        if waiting:
            self.transport.write(data)
            return
        try:
            taken = os.write(self._descriptor, data)
        except OSError:  # no room, or no connection: the transport waits, or finds out
            taken = 0
        if taken < len(data):
            self.transport.write(data[taken:])

    def evict(self) -> None:
        """Cuts the client off, with a moment for the last words."""
        self._congestion.evicted += 1
        if self._last_words:
            self.end(self._last_words)
        self.transport.close()
        asyncio.get_running_loop().call_later(_CLOSING_SECONDS, self.transport.abort)
