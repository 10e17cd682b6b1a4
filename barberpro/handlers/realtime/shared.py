"""What the doors of live connections share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from barberpro.handlers.realtime.connections import Connections
from barberpro.handlers.realtime.hub import Hub
from barberpro.handlers.realtime.outlet import Congestion
from barberpro.handlers.services import Services


@dataclass(frozen=True, slots=True)
class Shared:
    """origins: the web origins that may connect, beside the server's own; "*" for all."""

    services: Services
    hub: Hub
    connections: Connections
    congestion: Congestion
    origins: Sequence[str] | Literal["*"]
