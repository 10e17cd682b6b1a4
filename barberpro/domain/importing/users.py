"""A document of the collection `users`: what it comes to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from barberpro.domain.importing import values
from barberpro.domain.importing.documents import Fields
from barberpro.protocol.accounts import Contact

INSIDE: Final = ("userId", "uid", "id")
_NO_PLACE: Final = ("profileImage", "address", "fcmToken", "metadata.updatedAt")
"""Customers have neither picture nor address here, and devices register themselves for notifications."""
_TYPES: Final = frozenset({"customer", "barber"})


@dataclass(frozen=True, slots=True)
class ReadUser:
    role: Literal["customer", "barber"]
    name: str | None
    contacts: tuple[Contact, ...]
    created_at: datetime | None


def read_user(fields: Fields, country: str) -> ReadUser:
    """country: of telephone numbers without a code. An administrator comes as a customer: rights are not imported."""
    told = str(fields.raw("userType") or "customer").strip().lower()
    if told not in _TYPES:
        fields.leave_out("userType", "is neither customer nor barber: taken as a customer (see barberpro appoint)")
    phone = fields.take("phone", values.phone(country))
    email = fields.take("email", values.email)
    read = ReadUser(
        "barber" if told == "barber" else "customer",
        fields.take("name", values.name),
        (*([Contact("sms", phone)] if phone else []), *([Contact("email", email)] if email else [])),
        fields.take("metadata.createdAt", values.moment) or fields.take("createdAt", values.moment),
    )
    fields.known(_NO_PLACE)
    fields.tell_unknown()
    return read
