"""Times on the wire: RFC 3339, UTC, milliseconds."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BeforeValidator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_RANGE: Final = (datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC))
"""Of what comes in: so a window before it, or a visit after it, is a time, too."""


def rfc3339(millis: int) -> str:
    """`millis` since the epoch -> `2026-11-21T09:30:00.125Z`."""
    return f"{_second(millis // 1000)}.{millis % 1000:03d}Z"


def rfc3339_of(moment: datetime) -> str:
    """A moment of any zone, as `rfc3339`; never later than it is."""
    return rfc3339((moment - _EPOCH) // _MILLISECOND)


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
    if not _RANGE[0] <= moment < _RANGE[1]:
        raise ValueError("is out of range")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(parse_moment)]
"""A time as it comes in."""
