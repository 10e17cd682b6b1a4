"""What a check says of a promise that was not kept."""

from datetime import UTC, datetime
from typing import NamedTuple


class Finding(NamedTuple):
    """check: its name. told: a sentence with the ids and times that it rests on."""

    check: str
    told: str


def clock(at: float | None) -> str:
    """A time as the sentences tell it: UTC, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f") if at is not None else "an unknown time"
