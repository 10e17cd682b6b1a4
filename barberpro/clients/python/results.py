"""What the client answers with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from barberpro.clients.python.logic import Version, version_of


@dataclass(frozen=True, slots=True)
class QueuePoint:
    """The queue that a command changed, and its version after the change."""

    barber_id: str
    version: Version


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The acknowledgement of a command: from here on it is durable.

    replayed: the server had carried it out before; this is that result again.
    booking: the booking concerned, as the server tells it; None for commands on a queue alone.
    attempts: how often it had to be sent.
    """

    command_id: str
    replayed: bool
    booking: dict[str, Any] | None
    queue: QueuePoint | None
    attempts: int

    @property
    def booking_id(self) -> str:
        """Raises KeyError when the command concerned no booking."""
        return str((self.booking or {})["bookingId"])


@dataclass(slots=True)
class ClientStats:
    """Counters of one client since it was made.

    repeats: commands sent again. cuts: connections lost. connects: connections made.
    outdated: states that came and were older than what was there, or the same, and so were dropped.
    """

    repeats: int = 0
    cuts: int = 0
    connects: int = 0
    outdated: int = 0


def result_from_ack(command_id: str, ack: Mapping[str, Any], attempts: int) -> CommandResult:
    data = ack.get("data") or {}
    queue = data.get("queue")
    version = version_of(queue) if queue else None
    return CommandResult(
        command_id=command_id,
        replayed=ack.get("replayed") is True,
        booking=data.get("booking"),
        queue=QueuePoint(str(queue["barberId"]), version) if queue and version else None,
        attempts=attempts,
    )
