"""The doors of live connections, and what they share."""

from aiohttp import web

from barberpro.handlers.metrics import DoorFigures
from barberpro.handlers.realtime.connections import Connections
from barberpro.handlers.realtime.hub import Hub
from barberpro.handlers.realtime.outlet import Congestion
from barberpro.handlers.realtime.shared import Shared
from barberpro.handlers.realtime.socketio import SocketIODoor
from barberpro.handlers.realtime.sse import EventStreamDoor
from barberpro.handlers.realtime.websocket import WebSocketDoor
from barberpro.handlers.services import Services
from barberpro.queue.pulse import Pulse


class LiveDoors:
    """Socket.IO, WebSocket and Server-Sent Events. `attach` before the application starts, then `start`."""

    def __init__(self, services: Services) -> None:
        self._tokens = services.tokens
        self.connections = Connections(services.limits)
        self.congestion = Congestion(services.limits.waiting_bytes, services.limits.slow_seconds)
        self.hub = Hub(services, services.limits.requote_seconds)
        shared = Shared(services, self.hub, self.connections, self.congestion)
        self.socketio = SocketIODoor(shared)
        self.figures = DoorFigures(self.connections, self.hub, self.congestion)
        self.pulses: dict[str, Pulse] = {"hub": self.hub.pulse, "congestion": self.congestion.pulse}
        self._websocket = WebSocketDoor(shared)
        self._doors = (self.socketio, self._websocket, EventStreamDoor(shared))

    def attach(self, app: web.Application) -> None:
        for door in self._doors:
            door.attach(app)

    def start(self) -> None:
        self.congestion.start()
        self.connections.start()
        self.hub.start()
        self._websocket.start()

    async def expel_revoked(self) -> None:
        """Ends the connections whose tokens have been revoked."""
        await self.connections.expel(self._tokens.revoked)

    async def close(self) -> None:
        """Ends every connection. What a client asked before is answered; it is told to come back."""
        await self.connections.close()
        await self._websocket.close()
        await self.hub.close()
        await self.congestion.close()
        await self.socketio.close()
