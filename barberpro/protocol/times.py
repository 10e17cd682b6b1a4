"""Times on the wire: RFC 3339, UTC, milliseconds."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(millis: int) -> str:
    """`millis` since the epoch -> `2026-11-21T09:30:00.125Z`."""
    return f"{_second(millis // 1000)}.{millis % 1000:03d}Z"


def rfc3339_of(moment: datetime) -> str:
    """moment: aware."""
    return rfc3339((moment - _EPOCH) // timedelta(milliseconds=1))


@lru_cache(maxsize=8192)
def _second(seconds: int) -> str:
    """Kept, as every state of a line tells again when each of its people joined."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def now_millis() -> int:
    """This machine's clock; for what is told, never for what is decided (the engine takes Redis's)."""
    return time.time_ns() // 1_000_000
