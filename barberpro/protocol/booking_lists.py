"""Bookings in lists."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Query, Whole
from barberpro.protocol.ratings import Stars
from barberpro.protocol.states import BookingStatus, Count, Date, Service, Timestamp
from barberpro.protocol.times import Moment

BookingKind = Literal["walk_in", "appointment"]


class BookingsQuery(Query):
    """The parameters of GET /bookings. from, to: when they were made; the end is not part of it."""

    shop_id: Id | None = None
    barber_id: Id | None = None
    status: BookingStatus | None = None
    kind: BookingKind | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=100), Whole] = 20
    cursor: Id | None = None


class ListedBooking(TypedDict):
    """A booking without its place in the line; GET /bookings/{bookingId} has that. rating: what its customer gave."""

    bookingId: Id
    shopId: Id
    shopName: str
    barberId: Id
    barberName: str | None
    kind: BookingKind
    status: BookingStatus
    tokenNumber: Count | None
    businessDate: Date | None
    customerName: str | None
    notes: str | None
    services: list[Service]
    durationMinutes: Count
    totalPrice: str
    currency: str
    createdAt: Timestamp
    appointmentAt: Timestamp | None
    joinedAt: Timestamp | None
    startedAt: Timestamp | None
    endedAt: Timestamp | None
    endReason: str | None
    cancelledBy: str | None
    rating: Stars | None
