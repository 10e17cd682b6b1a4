"""A document of the collection `bookings`: what it comes to, by itself.

Only bookings that are over are taken: one that still waits has its number, and its promise, in the old system.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from barberpro.domain.importing import values
from barberpro.domain.importing.barbers import ReadService, read_services
from barberpro.domain.importing.documents import Fields, NotTakenError
from barberpro.protocol.commands import Method

INSIDE: Final = ("bookingId", "id")
Ended = Literal["completed", "cancelled", "skipped"]
CancelledBy = Literal["customer", "barber", "admin", "system"]

_ENDED: Final[dict[str, Ended]] = {
    "completed": "completed", "complete": "completed", "done": "completed", "finished": "completed",
    "cancelled": "cancelled", "canceled": "cancelled", "rejected": "cancelled",
    "skipped": "skipped", "noshow": "skipped", "missed": "skipped",
}  # fmt: skip
LIVE: Final = frozenset(
    {"waiting", "pending", "confirmed", "accepted", "scheduled", "next", "called", "serving", "inprogress", "active"}
)
_METHODS: Final[dict[str, Method]] = {
    "cash": "cash", "card": "card", "creditcard": "card", "debitcard": "card", "stripe": "card",
    "upi": "upi", "gpay": "upi", "googlepay": "upi", "phonepe": "upi", "paytm": "upi",
}  # fmt: skip
_PAID: Final = frozenset({"paid", "completed", "complete", "success", "successful", "captured", "refunded"})
_UNPAID: Final = frozenset({"pending", "unpaid", "failed", "cancelled", "canceled", "none", "due"})
_ROLES: Final[dict[str, CancelledBy]] = {
    "customer": "customer", "user": "customer", "client": "customer", "barber": "barber", "shop": "barber",
    "staff": "barber", "admin": "admin", "system": "system", "auto": "system",
}  # fmt: skip
_NO_PLACE: Final = ("estimatedWaitTime", "metadata.updatedAt")
"""What was promised was measured by another clock."""


@dataclass(frozen=True, slots=True)
class Times:
    """started: when the export tells how long it took. created: at or before booked."""

    created: datetime
    booked: datetime
    started: datetime | None
    ended: datetime


@dataclass(frozen=True, slots=True)
class ReadBooking:
    """customer, barber: ids of documents. cancelled_by: a role, or the id of a document, or nobody said.

    paid: how, when it was; refunded: and given back. total: None: what its services cost.
    """

    customer: str | None
    barber: str
    status: Ended
    token: int | None
    services: tuple[ReadService, ...]
    total: Decimal | None
    times: Times
    reason: str | None
    cancelled_by: CancelledBy | str | None
    paid: Method | None
    refunded: bool
    stars: int | None
    review: str | None


def is_live(fields: Fields) -> bool:
    """Whether somebody still waits, or is being served."""
    return _word(fields.raw("status")) in LIVE


def read_booking(fields: Fields, currency: str) -> ReadBooking:
    """Raises NotTakenError; for one that is live, too."""
    status = _status(fields)
    times = _times(fields)
    method, refunded = _payment(fields)
    stars, review = _rating(fields, status)
    services = read_services(fields, currency)
    read = ReadBooking(
        customer=fields.take("customerId", values.identifier),
        barber=fields.need("barberId", values.identifier),
        status=status,
        token=fields.take("tokenNumber", values.whole(1, 10**6)),
        services=tuple(service for service in services if service is not None),
        total=_total(fields, services, currency),
        times=times,
        reason=fields.take("cancellationReason", values.reason),
        cancelled_by=_cancelled_by(fields),
        paid=method,
        refunded=refunded,
        stars=stars,
        review=review,
    )
    fields.known(_NO_PLACE)
    fields.tell_unknown()
    return read


def _word(value: object) -> str:
    """`No-Show` and `no_show` are one."""
    return "".join(each for each in value.lower() if each.isalpha()) if isinstance(value, str) else ""


def _status(fields: Fields) -> Ended:
    word = _word(fields.need("status", values.text))
    if word in LIVE:
        raise NotTakenError("status", "is still under way: it ends in the old system, or is cancelled there")
    if word not in _ENDED:
        raise NotTakenError("status", "is no status that is known")
    return _ENDED[word]


def _times(fields: Fields) -> Times:
    """Raises NotTakenError when there is none, or they contradict each other."""
    created = fields.take("metadata.createdAt", values.moment)
    booked = fields.take("bookingTime", values.moment) or created
    if booked is None:
        raise NotTakenError("bookingTime", "is missing, and so is metadata.createdAt")
    ended = fields.take("completionTime", values.moment)
    if ended is not None and ended < booked:
        raise NotTakenError("completionTime", "is before bookingTime")
    minutes = fields.take("actualServiceTime", values.number)
    if ended is None:
        if minutes is not None:
            fields.leave_out("actualServiceTime", "nobody can tell when: completionTime is missing")
        return Times(min(created or booked, booked), booked, None, booked)
    started = ended - timedelta(minutes=float(minutes)) if minutes and minutes <= 1440 else None
    if minutes and (started is None or started < booked):
        fields.leave_out("actualServiceTime", "is longer than from bookingTime to completionTime")
        started = None
    return Times(min(created or booked, booked), booked, _millis(started), ended)


def _millis(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000) if moment is not None else None


def _total(fields: Fields, services: list[ReadService | None], currency: str) -> Decimal | None:
    total = fields.need("totalPrice", values.amount(currency)) if not services else None
    total = total if total is not None else fields.take("totalPrice", values.amount(currency))
    prices = [service.price for service in services if service is not None and service.price is not None]
    if total is None and len(prices) < len(services):
        raise NotTakenError("totalPrice", "is missing, and not every service has a price")
    if total is not None and prices and len(prices) == len(services) and sum(prices) != total:
        fields.leave_out("services", f"come to {sum(prices)}, and totalPrice is {total}: the total is taken")
    return total


def _payment(fields: Fields) -> tuple[Method | None, bool]:
    """How it was paid, if it was, and whether it was given back."""
    told, method = fields.raw("paymentStatus"), fields.raw("paymentMethod")
    status = _word(told)
    if told is not None and status not in _PAID | _UNPAID:
        fields.leave_out("paymentStatus", "is no status that is known: taken as not paid")
    if status not in _PAID:
        return None, False
    if _word(method) not in _METHODS:
        fields.leave_out("paymentMethod", "is not cash, card or upi: the payment is not taken")
        return None, False
    return _METHODS[_word(method)], status == "refunded"


def _cancelled_by(fields: Fields) -> CancelledBy | str | None:
    told = fields.take("cancelledBy", values.identifier)
    return _ROLES.get(told.lower(), told) if told is not None else None


def _rating(fields: Fields, status: Ended) -> tuple[int | None, str | None]:
    """0 stars are none: apps write that until somebody rates."""
    rated = fields.raw("rating") not in (0, "0")
    stars = fields.take("rating", values.whole(1, 5)) if rated else None
    review = fields.take("review", values.review)
    if stars is not None and status != "completed":
        fields.leave_out("rating", "is of a booking that was not completed")
        return None, None
    if review is not None and stars is None:
        fields.leave_out("review", "has no rating to stand with")
        return None, None
    return stars, review
