"""Times on the wire: RFC 3339, UTC, milliseconds."""

import time
from datetime import UTC, datetime


def rfc3339(millis: int) -> str:
    """`millis` since the epoch -> `2026-11-21T09:30:00.125Z`."""
    moment = datetime.fromtimestamp(millis // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}Z"


def now_millis() -> int:
    """This machine's clock; for what is told, never for what is decided (the engine takes Redis's)."""
    return time.time_ns() // 1_000_000
