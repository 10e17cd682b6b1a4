"""Rooms: what a socket subscribes to."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from barberpro.protocol.errors import bad_field
from barberpro.protocol.ids import ROOM_PATTERN


class RoomKind(StrEnum):
    QUEUE = "queue"
    BOOKING = "booking"
    DISPLAY = "display"


EVENT_OF_ROOM: Final[dict[RoomKind, str]] = {
    RoomKind.QUEUE: "queue_updated",
    RoomKind.BOOKING: "booking_updated",
    RoomKind.DISPLAY: "display_updated",
}

_ROOM: Final = re.compile(ROOM_PATTERN)


@dataclass(frozen=True, slots=True)
class Room:
    """`kind:id`; the id is a barber's, a booking's or a shop's."""

    kind: RoomKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id}"

    @property
    def event(self) -> str:
        """The name of the message that carries this room's state."""
        return EVENT_OF_ROOM[self.kind]

    @classmethod
    def parse(cls, text: str) -> "Room":
        """Raises BarberProError(BAD_REQUEST) naming `room`."""
        match = _ROOM.fullmatch(text)
        if match is None:
            raise bad_field("room", "is not queue:<barberId>, booking:<bookingId> or display:<shopId>")
        return cls(RoomKind(match.group(1)), match.group(2))
