"""Bookings over REST: what is asked for, and what is told."""

import re
from datetime import date, time
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,  # pydantic takes no other before Python 3.12
)

from pydantic import BeforeValidator, Field, create_model
from typing_extensions import TypedDict

from barberpro.protocol.answers import CommandResult
from barberpro.protocol.calendar import local_date
from barberpro.protocol.commands import (
    Cancel,
    CheckIn,
    Command,
    Complete,
    Customer,
    Join,
    Method,
    NoShow,
    Notes,
    Recall,
    ServiceIds,
    Skip,
    Start,
    Wire,
)
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Query, Whole
from barberpro.protocol.states import (
    BookingStatus,
    Cause,
    Count,
    Date,
    EstimatedWait,
    Position,
    Service,
    Timestamp,
)

_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}")
_NOT_OF_BODIES: Final = frozenset({"command_id", "type", "booking_id", "barber_id"})


def _time(text: object) -> object:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError("is not a time such as 09:30")
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time of the day") from None


LocalDate = Annotated[date, BeforeValidator(local_date)]
LocalTime = Annotated[
    time,
    BeforeValidator(_time),
    Field(json_schema_extra={"format": "clock", "pattern": "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$"}),
]


class When(Wire):
    """An appointed time, on the shop's wall clock."""

    booking_date: LocalDate
    preferred_time: LocalTime


class NewAppointment(When):
    """The body of POST /bookings when it names a time; without one it is a join's."""

    barber_id: Id
    service_ids: ServiceIds
    customer: Customer | None = None
    notes: Notes | None = None


def _restated(name: str, command: type[Command], *own: str, **more: Any) -> type[Wire]:  # noqa: ANN401 - fields, as create_model takes them
    """A command as a body asks for it: without what the path or a header tells.

    own: fields that the body tells all the same. more: those that it has besides.
    """
    fields: dict[str, Any] = {
        each: (field.annotation, field)
        for each, field in command.model_fields.items()
        if each in own or each not in _NOT_OF_BODIES
    }
    return create_model(name, __base__=Wire, __module__=__name__, **{**fields, **more})


JoinLine: Final = _restated("JoinLine", Join, "barber_id")
CancelBooking: Final = _restated("CancelBooking", Cancel, status=(Literal["cancelled"], ...))
CheckInBooking: Final = _restated("CheckInBooking", CheckIn, status=(Literal["waiting"], ...))
SkipBooking: Final = _restated("SkipBooking", Skip)
StartVisit: Final = _restated("StartVisit", Start, status=(Literal["serving"], ...))
CompleteVisit: Final = _restated("CompleteVisit", Complete, status=(Literal["completed"], ...))
MissBooking: Final = _restated("MissBooking", NoShow, status=(Literal["skipped"], ...))
RecallBooking: Final = _restated(
    "RecallBooking", Recall, status=(Literal["waiting"], ...), to=(Literal["front", "back"], "back")
)


class EventsQuery(Query):
    """The parameters of GET /queue/{barberId}/events. cursor: is what after is."""

    after: Annotated[int, Field(ge=0), Whole] | None = None
    cursor: Annotated[int, Field(ge=0), Whole] | None = None
    limit: Annotated[int, Field(ge=1, le=500), Whole] = 100


class Submitted(CommandResult):
    """What a command came to. replayed: it was carried out before, and this is that result again."""

    replayed: bool


class Paid(TypedDict):
    """As it was told when the visit was completed; the ledger has the rest."""

    method: Method
    amount: str
    tip: NotRequired[str]


class _Head(TypedDict):
    bookingId: Id
    barberId: Id
    tokenNumber: Count | None
    businessDate: Date | None
    status: BookingStatus


class Ticket(_Head):
    """What stands on the ticket, and how the line goes; places are null when it is in no line."""

    position: Position | None
    aheadCount: Count | None
    servingToken: Count | None
    estimatedWait: EstimatedWait | None


class BookingTold(Ticket):
    """A booking. estimatedWaitTime: the p50 of estimatedWait."""

    shopId: Id
    shopName: str
    barberName: str | None
    estimatedWaitTime: Count | None
    kind: Literal["walk_in", "appointment"]
    customerName: str | None
    services: list[Service]
    durationMinutes: Count
    totalPrice: str
    currency: str
    notes: str | None
    skipCount: Count
    createdAt: Timestamp
    appointmentAt: Timestamp | None
    joinedAt: Timestamp | None
    calledAt: Timestamp | None
    startedAt: Timestamp | None
    endedAt: Timestamp | None
    endReason: str | None
    cancelledBy: str | None
    payment: Paid | None


class PlaceChange(TypedDict):
    """A change of a booking's place or status, with its cause. previousPosition: null before the first."""

    seq: Count
    at: Timestamp
    barberId: Id
    tokenNumber: Count | None
    status: BookingStatus
    position: Position | None
    previousPosition: Position | None
    cause: Cause


class EventActor(TypedDict):
    id: str
    role: str


class EventVia(TypedDict):
    requestId: NotRequired[str]


class EventCommand(TypedDict):
    id: str


class QueueEvent(TypedDict):
    """An event as it is recorded. link, upon: its own, and that of the shop's event before. queue, changes: the queue
    and the bookings as it left them; times in there are milliseconds since 1970.
    """

    shopId: Id
    shopSeq: Count
    barberId: Id
    seq: Count
    epoch: Count
    link: str
    upon: str
    through: NotRequired[Count]
    type: str
    at: Timestamp
    day: Date
    actor: EventActor
    via: NotRequired[EventVia]
    bookingId: NotRequired[Id]
    reason: NotRequired[str]
    tokenAllocated: NotRequired[Count]
    position: NotRequired[Position]
    command: NotRequired[EventCommand]
    queue: dict[str, Any]
    changes: list[dict[str, Any]]


class HistoryMeta(TypedDict):
    """complete: whether the first of its changes are still kept."""

    complete: bool
