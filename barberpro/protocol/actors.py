"""Who asks, and how: the roles of the contract, the actor that a verified token stands for, the way a request came."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    CUSTOMER = "customer"
    GUEST = "guest"
    BARBER = "barber"
    ADMIN = "admin"
    DISPLAY = "display"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who asks.

    id: the user's id (for a guest the ticket's, for a display the screen's).
    barber_id: the barber that a barber's account stands for.
    shop_ids: the shops that a display or a member of staff belongs to.
    booking_id: the one booking that a guest's ticket opens.
    """

    id: str
    role: Role
    name: str | None = None
    barber_id: str | None = None
    shop_ids: frozenset[str] = field(default_factory=frozenset)
    booking_id: str | None = None


@dataclass(frozen=True, slots=True)
class Via:
    """How a request came: for the audit log. agent: what the caller's program calls itself."""

    request_id: str
    ip: str | None = None
    agent: str | None = None


SYSTEM = Actor(id="system", role=Role.SYSTEM)
