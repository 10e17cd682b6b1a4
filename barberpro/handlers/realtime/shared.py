"""What the doors of live connections share."""

from dataclasses import dataclass

from barberpro.handlers.realtime.connections import Connections
from barberpro.handlers.realtime.hub import Hub
from barberpro.handlers.realtime.outlet import Congestion
from barberpro.handlers.services import Services


@dataclass(frozen=True, slots=True)
class Shared:
    services: Services
    hub: Hub
    connections: Connections
    congestion: Congestion
