"""Cursors of lists by time: `<microseconds since 1970>.<id>`."""

from datetime import UTC, datetime, timedelta
from typing import Final

from barberpro.protocol.errors import bad_field

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def cursor_of(text: str | None) -> tuple[datetime, str] | None:
    """Where the page before ended, as `cursor_after` told it; None for the first one. Raises BAD_REQUEST.

    text: a protocol.queries.TimeCursor.
    """
    if text is None:
        return None
    micros, _, ref = text.partition(".")
    try:
        return _EPOCH + timedelta(microseconds=int(micros)), ref
    except OverflowError:
        raise bad_field("cursor", "is no cursor of this list") from None


def cursor_after(at: datetime, ref: str) -> str:
    """The cursor of what comes after an entry. ref: tells it apart from others of the same moment."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{ref}"
