"""The way out to a Socket.IO client, on its transport, which may be a websocket or polling, and may change once.

python-socketio sends through a queue and a task for each client, and encodes each message for each of them. Clients on
a websocket are given ready frames between the library's own instead; those that poll keep the library's way.
"""

from typing import TYPE_CHECKING, Any

from engineio import packet

from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.outlet import Congestion, TransportOutlet
from barberpro.handlers.realtime.wire import Wire
from barberpro.protocol.closing import CloseCode
from barberpro.protocol.frames import close_frame

if TYPE_CHECKING:  # it calls this
    from barberpro.handlers.realtime.transport import PacketQueue


class SocketIOOutlet(TransportOutlet):
    """The way out to one Socket.IO client, on whichever transport it is just now.

    On a websocket it takes the place of the wire's own. While the library has something to send, all goes its way.
    """

    __slots__ = ("_emptied", "_polling", "_queue", "_queued")

    def __init__(self, engine_socket: Any, congestion: Congestion) -> None:  # noqa: ANN401 - engineio's, untyped
        super().__init__("socketio", congestion, close_frame(CloseCode.TOO_SLOW))
        self._polling: Any = engine_socket
        """None once it is on a websocket: no more is known then of what holds this."""
        self._queue: PacketQueue = engine_socket.queue
        self._queue.outlet = self
        self._queued: dict[str, packet.Packet] = {}
        """By room, what of it is in the library's queue; good for as long as that has not been emptied again."""
        self._emptied = 0

    def left(self) -> None:
        """The client is gone. The queue and this hold each other: parted, they are freed at once."""
        self._queue.outlet = None

    @property
    def flushed(self) -> bool:
        """Whether the library has sent all that it was given."""
        return not self._queue.unsent

    def held(self) -> None:
        """The library has something to send, which is earlier than what is offered from now on."""
        self._clear = False

    def _cleared(self) -> bool:
        if not self._past_library():
            return False
        self._queued.clear()  # all of it has been sent, and would only be kept
        return super()._cleared()

    def _past_library(self) -> bool:
        """Whether the client is on a websocket, and the library has nothing to send to it."""
        if self._polling is not None:
            self._change_over()
        return self._polling is None and not self._queue.unsent

    def _change_over(self) -> None:
        wire: Wire | None = getattr(self._polling, "wire", None)
        if self._polling.upgraded and wire is not None:
            self.open(wire.outlet.transport)
            self._ended = wire.closing
            self._polling, wire.outlet = None, self

    def _keep(self, channel: str, message: Message) -> None:
        if self._past_library():
            super()._keep(channel, message)
        else:
            super().forget(channel)  # it is older, and would come behind this one
            self._enqueue(channel, message)

    def forget(self, channel: str) -> None:
        self._queued.pop(channel, None)  # goes as it is, and no newer state takes its place
        super().forget(channel)

    def _enqueue(self, channel: str, message: Message) -> None:
        """Into the library's queue. A state of the same room that still waits there is replaced where it stands.

        A poll takes the whole queue, and so does the writer: nothing in it was sent unless it has been emptied.
        """
        if self._queue.emptied != self._emptied:
            self._queued.clear()
            self._emptied = self._queue.emptied
        waiting = self._queued.get(channel)
        if waiting is not None:
            waiting.data = message.socketio_packet
        else:
            sent = self._queued[channel] = packet.Packet(packet.MESSAGE, data=message.socketio_packet)
            self._queue.put_nowait(sent)
