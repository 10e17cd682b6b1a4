"""Times on the wire: RFC 3339, UTC, milliseconds."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator


def rfc3339(millis: int) -> str:
    """`millis` since the epoch -> `2026-11-21T09:30:00.125Z`."""
    return f"{_second(millis // 1000)}.{millis % 1000:03d}Z"


@lru_cache(maxsize=8192)
def _second(seconds: int) -> str:
    """Kept, as every state of a line tells again when each of its people joined."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def now_millis() -> int:
    """This machine's clock; for what is told, never for what is decided (the engine takes Redis's)."""
    return time.time_ns() // 1_000_000


def parse_moment(text: object) -> datetime:
    """A time in RFC 3339, whatever its zone, in UTC. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError("is not a time in RFC 3339")
    if moment.tzinfo is None:
        raise ValueError("has no time zone: add Z, for UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


Moment = Annotated[datetime, BeforeValidator(parse_moment)]
"""A time as it comes in."""


def told(moment: datetime) -> str:
    """A time as it goes out."""
    return rfc3339(round(moment.timestamp() * 1000))
