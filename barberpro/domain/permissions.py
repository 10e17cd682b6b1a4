"""What each role's token lists as its permissions, for apps that show or hide things by them.

The server itself does not go by this list, but by who asks for what.
"""

from collections.abc import Mapping
from typing import Final

from barberpro.protocol.actors import Role

_OWN_BOOKINGS: Final = ("bookings:create", "bookings:read", "bookings:change")
_LINE: Final = ("queue:read", "queue:work", "queue:open")

PERMISSIONS: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.CUSTOMER: (*_OWN_BOOKINGS, "account:own"),
    Role.GUEST: ("bookings:read", "bookings:change"),
    Role.BARBER: (*_LINE, *_OWN_BOOKINGS, "account:own"),
    Role.ADMIN: (*_LINE, *_OWN_BOOKINGS, "account:own", "audit:read", "shops:manage", "users:manage"),
    Role.DISPLAY: ("display:read",),
}
"""A role that is not in here has none."""
