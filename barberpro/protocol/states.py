"""The rooms' absolute states, as they stand in messages: what builds one is typed by these.

A dict of this shape costs nothing at run time; pydantic makes its JSON Schema for asyncapi.json.
"""

from typing import (
    Annotated,
    Literal,
    NotRequired,  # pydantic takes no other before Python 3.12
)

from pydantic import Field
from typing_extensions import TypedDict

from barberpro.protocol.actors import Role
from barberpro.protocol.ids import Id, RoomName

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339, UTC, milliseconds."""
Date = Annotated[str, Field(json_schema_extra={"format": "date"})]
"""The shop's local date."""
Count = Annotated[int, Field(ge=0)]
Position = Annotated[int, Field(ge=0, description="1 for `next`, 0 while being served.")]
QueueStatus = Literal["open", "paused", "closed"]
BookingStatus = Literal["scheduled", "waiting", "next", "serving", "completed", "cancelled", "skipped"]


class EstimatedWait(TypedDict):
    """Whole minutes: half of all waits are at most p50, nine of ten at most p90."""

    p50Minutes: Count
    p90Minutes: Count


class Cause(TypedDict):
    """The event that made the state what it is. What the audience may not know, or is not there, is left out."""

    type: str
    commandId: NotRequired[Id]
    bookingId: NotRequired[Id]
    tokenNumber: NotRequired[Count]
    actorRole: Role
    reason: NotRequired[str]
    at: Timestamp


class Service(TypedDict):
    """As it was agreed when the booking was made."""

    serviceId: Id
    name: str
    price: str
    durationMinutes: Count


class PublicEntry(TypedDict):
    """Somebody in a line, for everybody."""

    tokenNumber: Count
    status: BookingStatus
    position: Position | None
    estimatedWait: EstimatedWait | None


class FullEntry(PublicEntry):
    """Somebody in a line, for the shop's staff."""

    bookingId: Id
    customerName: str | None
    services: list[Service]
    durationMinutes: Count
    joinedAt: Timestamp
    skipCount: Count
    kind: Literal["walk_in", "appointment"] | None
    notes: str | None


Entry = FullEntry | PublicEntry


class Counts(TypedDict):
    waiting: Count
    completed: Count
    cancelled: Count
    skipped: Count


class State(TypedDict):
    """A room's absolute state replaces the one before. The greater (epoch, seq) is the newer."""

    room: RoomName
    epoch: Count
    seq: Count
    cause: Cause | None


class QueueUpdated(State):
    """The whole queue of a barber: every entry is full for the shop's staff and admins, else every entry is public."""

    barberId: Id
    shopId: Id
    businessDate: Date
    status: QueueStatus
    serving: Entry | None
    next: Entry | None
    waiting: list[Entry]
    skipped: list[Entry]
    counts: Counts
    updatedAt: Timestamp


class PlacedBooking(TypedDict):
    """A booking and its place in the line; places are null when it is in none."""

    bookingId: Id
    shopId: Id
    barberId: Id
    tokenNumber: Count | None
    status: BookingStatus
    position: Position | None
    aheadCount: Count | None


class BookingUpdated(State, PlacedBooking):
    """A booking, its place in the line and its wait; waits are null when it is in no line."""

    estimatedWaitTime: Count | None
    estimatedWait: EstimatedWait | None
    servingToken: Count | None
    updatedAt: Timestamp


class DisplayedQueue(TypedDict):
    barberId: Id
    barberName: str
    status: QueueStatus
    serving: PublicEntry | None
    next: PublicEntry | None
    waiting: list[PublicEntry]
    waitingCount: Count
    estimatedWait: EstimatedWait


class Call(TypedDict):
    """Somebody who should be at a chair now. callId is the same on every server: nothing is announced twice."""

    callId: str
    tokenNumber: Count
    barberId: Id
    barberName: str | None
    at: Timestamp


class DisplayUpdated(State):
    """All queues of a shop, and its last calls, oldest first."""

    shopId: Id
    shopName: str
    queues: list[DisplayedQueue]
    calls: list[Call]
    serverTime: Timestamp


RoomState = QueueUpdated | BookingUpdated | DisplayUpdated
