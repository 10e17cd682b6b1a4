"""A document of the collection `barbers`: what it comes to."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from barberpro.domain.importing import values
from barberpro.domain.importing.documents import Fields

INSIDE: Final = ("barberId", "id", "userId")
_NO_PLACE: Final = (
    "phone", "email", "currentToken", "queueLength", "availableSlots", "createdAt", "metadata.createdAt",
    "metadata.updatedAt",
)  # fmt: skip
"""Contacts stand with the barber's account; the line's state and the slots are of that day."""
_NAMES: Final = ("name", "serviceName", "title")
_MINUTES: Final = ("durationMinutes", "duration", "minutes", "estimatedTime")


@dataclass(frozen=True, slots=True)
class ReadService:
    """As far as the document tells. minutes: planned."""

    name: str
    price: Decimal | None
    minutes: int | None


@dataclass(frozen=True, slots=True)
class ReadBarber:
    """user: the id of the account's document. rating, completed: what the old system had counted."""

    name: str
    user: str | None
    photo_url: str | None
    services: tuple[ReadService, ...]
    rating: Decimal | None
    completed: int | None


def read_barber(fields: Fields, currency: str) -> ReadBarber:
    """Raises NotTakenError without a name."""
    read = ReadBarber(
        fields.need("name", values.name),
        fields.take("userId", values.identifier),
        fields.take("profileImage", values.photo),
        tuple(_offered(fields, currency)),
        fields.take("rating", values.number),
        fields.take("totalCompletedBookings", values.whole(0, 10**9)),
    )
    fields.known(_NO_PLACE)
    fields.tell_unknown()
    return read


def _offered(fields: Fields, currency: str) -> list[ReadService]:
    """Each once, and none without a price: a service that costs nothing would be a promise."""
    found: dict[str, ReadService] = {}
    for place, service in enumerate(read_services(fields, currency)):
        if service is None:
            continue
        if service.price is None:
            fields.leave_out(f"services[{place}]", "has no price")
        elif service.name.casefold() in found:
            fields.leave_out(f"services[{place}]", "is there already")
        else:
            found[service.name.casefold()] = service
    return list(found.values())


def read_services(fields: Fields, currency: str) -> list[ReadService | None]:
    """The document's `services`, one for each of the list; None for what cannot be read, which is told."""
    told = fields.raw("services")
    if told is None:
        return []
    if not isinstance(told, list) or len(told) > 100:
        fields.leave_out("services", "is no list of at most 100")
        return []
    return [_service(fields, f"services[{place}]", each, currency) for place, each in enumerate(told)]


def _service(fields: Fields, where: str, told: object, currency: str) -> ReadService | None:
    parts: dict[str, Any] = told if isinstance(told, dict) else {"name": told}
    try:
        name = values.name(_first(parts, _NAMES))
        price = values.amount(currency)(parts["price"]) if parts.get("price") is not None else None
        minutes = _first(parts, _MINUTES)
        return ReadService(name, price, values.whole(1, 600)(minutes) if minutes is not None else None)
    except ValueError as error:
        fields.leave_out(where, str(error))
        return None


def _first(parts: dict[str, Any], names: tuple[str, ...]) -> object:
    return next((parts[name] for name in names if parts.get(name) is not None), None)
