"""Ids: opaque to clients, at most 64 characters, with a prefix that says what they are.

A booking's id contains its shop's, so that any server can tell the shard of a booking without a look-up.
"""

import hashlib
import re
import secrets
import time
from typing import Annotated, Final

from pydantic import StringConstraints, WithJsonSchema

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_BOOKING: Final = re.compile(r"bk_([A-Za-z0-9-]{1,24})_[A-Za-z0-9]{1,32}")

ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]

ROOM_PATTERN: Final = r"^(queue|booking|display):([A-Za-z0-9_-]{1,64})$"
RoomName = Annotated[str, WithJsonSchema({"type": "string", "pattern": ROOM_PATTERN})]
"""Only told, not checked: `Room.parse` refuses others in words of its own."""


def _random(length: int) -> str:
    """length: even."""
    return _written(secrets.randbits(5 * length), length)


def _time_ordered() -> str:
    """50 bits of milliseconds, then 50 of randomness: new ids sort after old ones, which keeps B-trees dense."""
    return _written(time.time_ns() // 1_000_000 << 50 | secrets.randbits(50), 20)


def _derived(length: int, parts: tuple[str, ...]) -> str:
    """The same for the same parts."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
    return _written(int.from_bytes(digest), length)


def _derived_in_time(millis: int, parts: tuple[str, ...]) -> str:
    """As `_time_ordered`, of that time, and the same for the same parts."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
    return _written(millis << 50 | int.from_bytes(digest) & (1 << 50) - 1, 20)


def _written(number: int, length: int) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(5 * length - 10, -1, -10)])


def new_shop_id(made_with: tuple[str, ...] | None = None) -> str:
    """made_with: who makes it, and the request's Idempotency-Key: the same again is the same shop."""
    return f"sh_{_random(10) if made_with is None else _derived(10, made_with)}"


def new_barber_id(made_with: tuple[str, ...] | None = None) -> str:
    """made_with: what it is made of, where it is imported: the same again is the same barber."""
    return f"bb_{_random(12) if made_with is None else _derived(12, made_with)}"


def new_service_id(made_with: tuple[str, ...] | None = None) -> str:
    """made_with: the shop, who makes it, and the request's Idempotency-Key: the same again is the same service."""
    return f"sv_{_random(12) if made_with is None else _derived(12, made_with)}"


def new_user_id(made_with: tuple[str, ...] | None = None) -> str:
    """made_with: as of `new_barber_id`."""
    return f"us_{_random(16) if made_with is None else _derived(16, made_with)}"


def new_guest_id() -> str:
    return f"gs_{_random(16)}"


def new_device_id() -> str:
    return f"dv_{_random(16)}"


def new_join_code() -> str:
    """60 random bits, short enough to be typed."""
    return _random(12)


def new_request_id() -> str:
    return f"req_{_time_ordered()}"


def new_block_id() -> str:
    """Newer ones sort after older ones."""
    return f"rl_{_time_ordered()}"


def new_letter_id() -> str:
    return f"lt_{_time_ordered()}"


def new_rating_id() -> str:
    """Newer ones sort after older ones."""
    return f"rt_{_time_ordered()}"


def imported_rating_id(millis: int, made_with: tuple[str, ...]) -> str:
    """Of that time; the same for the same parts."""
    return f"rt_{_derived_in_time(millis, made_with)}"


def imported_booking_id(shop_id: str, millis: int, made_with: tuple[str, ...]) -> str:
    """Made at that time; the same for the same parts."""
    return f"bk_{shop_id.removeprefix('sh_')}_{_derived_in_time(millis, made_with)}"


def new_booking_id(shop_id: str) -> str:
    return f"bk_{shop_id.removeprefix('sh_')}_{_time_ordered()}"


def new_payment_id(shop_id: str) -> str:
    return f"pm_{shop_id.removeprefix('sh_')}_{_time_ordered()}"


def new_export_id() -> str:
    """Newer ones sort after older ones."""
    return f"ex_{_time_ordered()}"


def shop_of_booking(booking_id: str) -> str | None:
    """The shop that a booking's id names, or None when it is no booking id."""
    match = _BOOKING.fullmatch(booking_id)
    return f"sh_{match.group(1)}" if match else None


def new_challenge_id() -> str:
    return f"ch_{_random(26)}"


def new_session_id() -> str:
    return f"ss_{_random(26)}"
