"""A booking of an export among ours: whose it is, what was agreed, and the row that it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from barberpro.domain.importing.barbers import ReadService
from barberpro.domain.importing.bookings import ReadBooking
from barberpro.domain.importing.documents import Fields, NotTakenError
from barberpro.protocol.currencies import scaled, written
from barberpro.protocol.ids import imported_booking_id, imported_rating_id, new_service_id
from barberpro.storage.imported import ImportedBooking, ImportedRating, KnownBarber, KnownUser

Json = dict[str, Any]

FIRESTORE: Final = "firestore"
USUAL_MINUTES: Final = 30
"""Of a service whose minutes nobody has told."""
_ROLES: Final = frozenset({"customer", "barber", "admin", "system"})


@dataclass(frozen=True, slots=True)
class Known:
    """What the ids in a batch of bookings lead to."""

    barbers: Mapping[str, KnownBarber]
    users: Mapping[str, KnownUser]


def agree(source_id: str, read: ReadBooking, known: Known, fields: Fields) -> ImportedBooking:
    """Raises NotTakenError when its barber is nowhere. A customer who is nowhere is told: the visit took place."""
    barber = known.barbers.get(read.barber)
    if barber is None:
        raise NotTakenError("barberId", "leads nowhere: no such barber was taken")
    user = known.users.get(read.customer) if read.customer is not None else None
    if read.customer is not None and user is None:
        fields.leave_out("customerId", "leads nowhere: no such user was taken")
    services = _services(read, barber)
    total = read.total if read.total is not None else sum((Decimal(each["price"]) for each in services), Decimal())
    total, times = scaled(total, barber.currency), read.times
    millis = round(times.created.timestamp() * 1000)
    return ImportedBooking(
        booking_id=imported_booking_id(barber.shop_id, millis, (FIRESTORE, source_id)),
        shop_id=barber.shop_id,
        barber_id=barber.barber_id,
        customer_id=user.user_id if user is not None else None,
        customer_name=user.name if user is not None else None,
        services=orjson.dumps(services).decode(),
        duration_minutes=sum(each["durationMinutes"] for each in services) or USUAL_MINUTES,
        total_price=total,
        currency=barber.currency,
        created_at=times.created,
        status=read.status,
        business_date=times.booked.astimezone(ZoneInfo(barber.time_zone)).date(),
        token_number=read.token,
        joined_at=times.booked,
        started_at=times.started if read.status == "completed" else None,
        ended_at=times.ended,
        end_reason="no_show" if read.status == "skipped" else read.reason,
        cancelled_by=_by_whom(read) if read.status == "cancelled" else None,
        paid=read.paid,
        refunded=read.refunded,
        rating=rating_of(source_id, read),
    )


def rating_of(source_id: str, read: ReadBooking) -> ImportedRating | None:
    if read.stars is None:
        return None
    at = read.times.ended
    rating_id = imported_rating_id(round(at.timestamp() * 1000), (FIRESTORE, source_id))
    return ImportedRating(rating_id, read.stars, read.review, at)


def _by_whom(read: ReadBooking) -> str | None:
    """A role; apps write the id of whoever pressed."""
    told = read.cancelled_by
    if told in _ROLES or told is None:
        return told
    return "customer" if told == read.customer else "barber" if told == read.barber else None


def _services(read: ReadBooking, barber: KnownBarber) -> list[Json]:
    """As they stand in bookings. Prices that nobody has told: the first of them is what is left of the total."""
    prices = _prices(read)
    return [_agreed(service, price, barber) for service, price in zip(read.services, prices, strict=True)]


def _agreed(service: ReadService, price: Decimal, barber: KnownBarber) -> Json:
    offered = barber.menu.get(service.name.casefold())
    return {
        "serviceId": offered.service_id if offered is not None else service_id(barber.shop_id, service.name),
        "name": service.name,
        "price": written(price, barber.currency),
        "durationMinutes": service.minutes or (offered.minutes if offered is not None else USUAL_MINUTES),
    }


def _prices(read: ReadBooking) -> list[Decimal]:
    told = [service.price for service in read.services]
    if read.total is None or None not in told:
        return [price if price is not None else Decimal() for price in told]
    left = max(read.total - sum(price for price in told if price is not None), Decimal())
    first = told.index(None)
    return [left if place == first else price or Decimal() for place, price in enumerate(told)]


def service_id(shop_id: str, name: str) -> str:
    """Of a service that came with an import; the same for the same name, however it is written."""
    return new_service_id((FIRESTORE, shop_id, name.casefold()))
