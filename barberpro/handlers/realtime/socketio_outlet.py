"""The way out to a Socket.IO client, on its transport, which may be a websocket or polling, and may change once.

python-socketio sends through a queue and a task for each client, and encodes each message for each of them. Clients on
a websocket are given ready frames between the library's own instead; those that poll keep the library's way.
"""

import asyncio
import contextlib
from typing import Any, Final

from engineio import packet

from barberpro.handlers.metrics import DoorName
from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.outlet import TransportOutlet
from barberpro.handlers.realtime.wire import Wire
from barberpro.protocol.closing import CloseCode

_FLUSH_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.01


class SocketIOOutlet:
    """The way out to one Socket.IO client, on whichever transport it is just now."""

    door: DoorName = "socketio"

    def __init__(self, engine_socket: Any) -> None:  # noqa: ANN401 - engineio's, untyped
        self.socket = engine_socket
        self._frames: TransportOutlet | None = None
        self._queued: dict[str, packet.Packet] = {}
        """By room, what of it is in the library's queue; good for as long as that has not been emptied again."""
        self._emptied = 0

    def offer(self, channel: str, message: Message) -> None:
        frames = self._frames or self._on_websocket()
        # The library's own messages go first: they were earlier. The answer to a subscription is one of them.
        if frames is not None and not self.socket.queue.unsent:
            self._queued.clear()  # all of it has been sent, and would only be kept
            frames.offer(channel, message)
        else:
            self._forget_waiting(channel)  # it is older, and would come behind this one
            self._enqueue(channel, message)

    def forget(self, channel: str) -> None:
        self._queued.pop(channel, None)  # goes as it is, and no newer state takes its place
        self._forget_waiting(channel)

    def _forget_waiting(self, channel: str) -> None:
        """What is kept back for a slow client."""
        if self._frames is not None:
            self._frames.forget(channel)

    def _on_websocket(self) -> TransportOutlet | None:
        if self._frames is None:
            wire: Wire | None = getattr(self.socket, "wire", None)
            if self.socket.upgraded and wire is not None:
                self._frames = wire.outlet
        return self._frames

    def _enqueue(self, channel: str, message: Message) -> None:
        """Into the library's queue. A state of the same room that still waits there is replaced where it stands.

        A poll takes the whole queue, and so does the writer: nothing in it was sent unless it has been emptied.
        """
        queue = self.socket.queue
        if queue.emptied != self._emptied:
            self._queued.clear()
            self._emptied = queue.emptied
        waiting = self._queued.get(channel)
        if waiting is not None:
            waiting.data = message.socketio_packet
        else:
            sent = self._queued[channel] = packet.Packet(packet.MESSAGE, data=message.socketio_packet)
            queue.put_nowait(sent)

    async def farewell(self, notice: Message) -> None:
        """Tells it and hangs up: the transport, not the namespace, for from that one apps come back by themselves."""
        self.offer("", notice)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                while self.socket.queue.unsent:  # noqa: ASYNC110 - it has no event for that
                    await asyncio.sleep(_LOOK_SECONDS)
        if self._on_websocket() is None:
            await self.socket.close(wait=False)
            return
        self.socket.wire.close(CloseCode.RESTARTING, "")
        await self.socket.wire.closed()
