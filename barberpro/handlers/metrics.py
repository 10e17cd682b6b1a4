"""What the doors show of themselves to Prometheus. docs/observability.md says what each figure means."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from barberpro.handlers.ratelimit.rules import Rated
from barberpro.protocol.rooms import RoomKind
from barberpro.queue.tally import SECONDS, Tallies

if TYPE_CHECKING:  # they count by means of this module
    from barberpro.handlers.realtime.connections import Connections
    from barberpro.handlers.realtime.hub import Hub
    from barberpro.handlers.realtime.outlet import Congestion

DoorName = Literal["socketio", "websocket", "sse"]

TALLIES: Final = Tallies()

HTTP_REQUESTS: Final = TALLIES.counter(
    "barberpro_http_requests", "HTTP requests by route, method and status.", "route", "method", "status"
)
HTTP_SECONDS: Final = TALLIES.histogram(
    "barberpro_http_request_seconds", "What HTTP requests took, but for streams and polls.", SECONDS, "route", "method"
)
LIVE_REFUSALS: Final = TALLIES.counter(
    "barberpro_live_refusals", "What clients asked on live connections and were refused, by code.", "code"
)
RESUMES: Final = TALLIES.counter(
    "barberpro_resumes", "Clients that came back with the state they had, by what they were given.", "kind"
)
RESUMES.update({("up_to_date",): 0, ("state",): 0})
RATE_REFUSALS: Final = TALLIES.counter(
    "barberpro_rate_refusals", "What came too often, or from a blocked address, and was refused.", "action"
)
RATE_REFUSALS.update({("blocked",): 0, **{(rated.value,): 0 for rated in Rated if rated is not Rated.REFUSED}})
SHOWN_SECONDS: Final = TALLIES.histogram(
    "barberpro_commit_to_write_seconds",
    "From a commit's events to the last write to the rooms that show them.",
    SECONDS,
).of()


@dataclass(slots=True)
class Sent:
    """What was written to the sockets of a door."""

    frames: int = 0
    bytes: int = 0


SENT: Final[dict[DoorName, Sent]] = {"socketio": Sent(), "websocket": Sent(), "sse": Sent()}


class DoorFigures(Collector):
    """What the live doors count, or hold, anyway: read when somebody asks."""

    def __init__(self, connections: "Connections", hub: "Hub", congestion: "Congestion") -> None:
        self._connections = connections
        self._hub = hub
        self._congestion = congestion

    def collect(self) -> Iterator[Metric]:
        connections = GaugeMetricFamily("barberpro_connections", "Live connections by door.", labels=["door"])
        by_door, taken = self._connections.by_door(), self._hub.seats()
        seats = GaugeMetricFamily("barberpro_seats", "Places taken in rooms, by their kind.", labels=["door", "room"])
        frames = CounterMetricFamily("barberpro_sent_frames", "Frames written to sockets.", labels=["door"])
        size = CounterMetricFamily("barberpro_sent_bytes", "Bytes written to sockets.", labels=["door"])
        for door, sent in SENT.items():
            connections.add_metric([door], by_door[door])
            for kind in RoomKind:
                seats.add_metric([door, kind.value], taken[door, kind])
            frames.add_metric([door], sent.frames)
            size.add_metric([door], sent.bytes)
        yield from (connections, seats, frames, size)
        yield CounterMetricFamily(
            "barberpro_evictions", "Clients cut off because they were too slow.", self._congestion.evicted
        )
